"""One customer's day, a substation's curve, percentiles over all customers or nodes: read from a run's Parquet files, as little of them as is needed.

A day's quarter hours are a list in each row, and groups of a few thousand rows have their least and greatest id, so that one customer's or node's day is
found without reading the others'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from heptagrid.foundation.errors import OutputError, UsageError
from heptagrid.foundation.time import NS_PER_QUARTER
from heptagrid.recording.chosen_arm import chosen_arm

if TYPE_CHECKING:
    import polars

    from heptagrid.recording.results import Run

PERCENTS: tuple[float, ...] = (1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0)
READS = ("import_kwh", "export_kwh")
VOLTAGES = ("v_min_pu", "v_mean_pu", "v_max_pu")
Join = Callable[[np.ndarray, str], np.ndarray]
"""Of a column's values, (rows, quarter hours), and its name: what they come to in each quarter hour."""

_QUARTERS_PER_HOUR = 4.0


def customer(run: Run, number: int, arm: str | None = None) -> polars.DataFrame:
    """A customer's quarter hours; see `Run.customer`."""
    chosen = chosen_arm(run.manifest, arm)
    count = int(run.summary["customers"])
    if not 0 <= number < count:
        raise UsageError(f"the run has no customer {number}; its customers are 0 to {count - 1}")
    reads = _rows(run, "meters", chosen, "meter", [number])
    node = int(_of_customers(run, [number])["node"][0])
    found = _in_time(run, reads, ["import_kwh", "export_kwh", "status"], _only)
    if run.has_table("nodes"):
        volts = _rows(run, "nodes", chosen, "node", [node])
        found = found.join(_in_time(run, volts, _present(volts, VOLTAGES), _only), on="time", maintain_order="left")
    return found


def substation(run: Run, name: str, arm: str | None = None) -> polars.DataFrame:
    """What the customers of a local substation draw; see `Run.substation`."""
    import polars

    chosen = chosen_arm(run.manifest, arm)
    names = run.scan("transformer_list").select("transformer", "name").collect()
    asked = names.filter(polars.col("name") == name)
    if asked.is_empty():
        some = ", ".join(names["name"].tail(3).to_list())
        raise UsageError(f"the run has no transformer {name!r}; transformer_list names them, such as {some}")
    members = _of_customers(run, None).filter(polars.col("transformer") == asked["transformer"][0])
    if members.is_empty():
        raise UsageError(f"no customer is fed from {name!r} directly")
    reads = _rows(run, "meters", chosen, "meter", members["customer"].to_list())
    found = _in_time(run, reads, list(READS), lambda values, _: values.sum(axis=0, dtype=np.float64))
    power = [(_QUARTERS_PER_HOUR * polars.col(one)).alias(one.replace("_kwh", "_kw")) for one in READS]
    found = found.select("time", polars.lit(len(members)).alias("customers"), *power)
    if run.has_table("nodes"):
        volts = _rows(run, "nodes", chosen, "node", members["node"].unique().to_list())
        extremes = _in_time(run, volts, ["v_min_pu", "v_max_pu"], _extreme)
        found = found.join(extremes, on="time", maintain_order="left")
    return found


def percentiles(
    run: Run, column: str, percents: Sequence[float] = PERCENTS, arm: str | None = None
) -> polars.DataFrame:
    """Percentiles over all customers' reads or all nodes' voltages; see `Run.percentiles`."""
    import polars

    if column not in (*READS, *VOLTAGES):
        raise UsageError(f"there are no percentiles of {column!r}, only of {', '.join((*READS, *VOLTAGES))}")
    if not percents or not all(0.0 <= one <= 100.0 for one in percents):
        raise UsageError(f"percents {list(percents)}: at least one is needed, each from 0 to 100")
    chosen = chosen_arm(run.manifest, arm)
    scan = run.scan("meters" if column in READS else "nodes")
    if column not in scan.collect_schema().names():
        raise UsageError(f"the run did not keep {column} (record.voltages of its scenario)")
    if column in READS:
        scan = scan.filter(polars.col("meter") < int(run.summary["customers"]))
    rows = scan.filter(polars.col("arm") == chosen).select("run_day", "first_quarter", column).collect()
    names = [f"p{one:g}" for one in percents]
    days = []
    for (_, first), of_day in rows.group_by("run_day", "first_quarter", maintain_order=True):
        values = np.sort(np.ascontiguousarray(_matrix(of_day[column]).T), axis=1)  # faster than to part them so often
        found = np.array([_quantiles(one, np.asarray(percents) / 100.0, column in VOLTAGES) for one in values])
        days.append(
            polars.DataFrame({"time": _times(run, first, len(values))} | dict(zip(names, found.T, strict=True)))
        )
    return polars.concat(days)


def _quantiles(ascending: np.ndarray, shares: np.ndarray, is_voltage: bool) -> np.ndarray:
    """Quantiles of a quarter hour's values, between two of them in proportion; a voltage of 0 is none."""
    known = ascending[np.searchsorted(ascending, 0.0, side="right") :] if is_voltage else ascending
    if not len(known):
        return np.full(len(shares), np.nan)
    place = shares * (len(known) - 1)
    below = np.floor(place).astype(np.int64)
    low, high = (known[np.minimum(one, len(known) - 1)].astype(np.float64) for one in (below, below + 1))
    return np.asarray(low + (place - below) * (high - low))


def _of_customers(run: Run, numbers: Sequence[int] | None) -> polars.DataFrame:
    """Customers, all or some, with their node and the transformer that feeds them."""
    import polars

    scan = run.scan("customer_list")
    if "transformer" not in scan.collect_schema():
        raise OutputError(
            f"{run.folder} was written by an earlier version, whose customer_list has no transformers; run the scenario again"
        )
    scan = scan.select("customer", "node", "transformer")
    return (scan if numbers is None else scan.filter(polars.col("customer").is_in(numbers))).collect()


def _rows(run: Run, table: str, arm: str, key: str, ids: Sequence[int]) -> polars.DataFrame:
    """The rows of some things, of all days."""
    import polars

    is_one = polars.col(key).is_between(min(ids), max(ids))  # which groups' least and greatest tell
    is_asked = is_one if len(ids) == 1 else is_one & polars.col(key).is_in(ids)
    return run.scan(table).filter(is_asked & (polars.col("arm") == arm)).collect()


def _present(rows: polars.DataFrame, names: Iterable[str]) -> list[str]:
    return [name for name in names if name in rows.columns]


def _only(values: np.ndarray, name: str) -> np.ndarray:
    return np.asarray(values[0])


def _extreme(values: np.ndarray, name: str) -> np.ndarray:
    """Least or greatest of some nodes, of those with supply; 0 where none has."""
    if name == "v_max_pu":
        return np.asarray(values.max(axis=0))
    least = np.where(values == 0.0, np.inf, values).min(axis=0)
    return np.where(np.isinf(least), 0.0, least).astype(values.dtype)


def _in_time(run: Run, rows: polars.DataFrame, names: Sequence[str], join: Join) -> polars.DataFrame:
    """Lists of quarter hours, joined over the rows of each day, as columns in time."""
    import polars

    days = []
    for (_, first), of_day in rows.group_by("run_day", "first_quarter", maintain_order=True):
        columns = {name: join(_matrix(of_day[name]), name) for name in names}
        days.append(polars.DataFrame({"time": _times(run, first, len(columns[names[0]]))} | columns))
    return polars.concat(days)


def _matrix(lists: polars.Series) -> np.ndarray:
    """(rows, quarter hours) of lists of one length."""
    return np.asarray(lists.explode().to_numpy().reshape(len(lists), -1))


def _times(run: Run, first_quarter: object, quarters: int) -> polars.Series:
    """When each quarter hour begins, local time."""
    import polars

    assert isinstance(first_quarter, int)
    ns = (first_quarter + np.arange(quarters)) * NS_PER_QUARTER
    zone = str(ZoneInfo(run.manifest["zone"]))
    return polars.Series(ns).cast(polars.Datetime("ns")).dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
