"""A run's folder, read back: its summary, its manifest, and its tables as data frames."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heptagrid.foundation.errors import OutputError
from heptagrid.foundation.frames import read_table, scan_table
from heptagrid.foundation.input_files import UnreadableError, is_file, read_text
from heptagrid.foundation.results_folder import Kind
from heptagrid.recording import curves
from heptagrid.recording.pieces import PIECED, read_days
from heptagrid.recording.seal import CONTENTS, hash_of, is_sealed
from heptagrid.recording.tables import as_tables, parts_of

if TYPE_CHECKING:
    import polars

TABLES = {
    "totals": "load, generation, losses, voltages, loading and price at every step",
    "bus_prices": "day-ahead price at each bus of the transmission network, for energy, congestion and losses, hour by hour",
    "unit_hours": "what each unit of the bulk system could give, was to give and sold as reserve, hour by hour",
    "unit_list": "the units of the bulk system: name, bus, kind, fuel, rating",
    "unit_blocks": "blocks of output of the bulk system's units, and what a MWh of each costs and emits",
    "bus_list": "the buses of the transmission network: name, area, place",
    "branch_list": "the branches of the transmission network: ends, rating",
    "infeeds": "what each town draws from transmission at every step, and its busbar's voltage",
    "transformers": "loading of every transformer at every step",
    "nodes": "least, mean and greatest voltage of every node by quarter hour",
    "meters": "import and export of every meter by quarter hour, with the status of each read",
    "sample_nodes": "voltage of the sampled nodes at every step",
    "sample_customers": "net active power of the sampled customers at every step",
    "messages": "messages by quarter hour, kind and access network",
    "bulk_buses": "voltage and angle of every transmission bus at every step, of a full (AC) flow",
    "frequency": "system frequency, power given and drawn, load shed and regulation, at every sub-step that was followed",
    "local_market": "every local market by interval: price, who set it, what was traded, what devices drew, bids and prices that arrived",
    "waves": "every batch of messages: the first one's index, kind, sender, receiver, topic, and what caused it",
    "ledger": "every payment, with the message that caused it",
    "node_list": "the nodes in feeder order: place, feeder, worst voltages, loading of the branch above",
    "customer_list": "the customers: node, transformer that feeds them, least and greatest supply voltage, minutes outside the band",
    "transformer_list": "the transformers: rating, place, highest loading",
    "bills": "every customer's bill over the run, by arm",
    "monthly_bills": "months of customers with a monthly rate, by line: whole months as they are billed, others as they have accrued",
}

RUN = Kind(
    "run",
    "manifest.json",
    frozenset(
        {
            "manifest.json",
            "summary.json",
            "report.html",
            "journal.jsonl",
            "wire.bin",
            *(f"{table}.parquet" for table in TABLES),
        }
    ),
    {
        "parts": (".part",),
        "checkpoints": (".checkpoint", ".result"),
        "boundary": (".boundary",),
        "network": ("grid.npz", "circuit.npz", "profiles.npy", "weather.npy"),
    },
)
"""The folder of a run: its mark says `partial` until it is whole."""


class Run:
    """A finished (or partial) run.

    Attributes: `folder`, `summary` and `manifest` (dicts, as in the JSON files), `report` (path of the
    page), and one polars data frame per table, such as `run.totals` or `run.nodes`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.manifest: dict[str, Any] = _read_manifest(self.folder)
        self.summary: dict[str, Any] = {}
        self._vouched: set[str] = set()
        path = self.folder / "summary.json"
        if is_file(path) or not self.partial:
            self._vouch(path)
            self.summary = _read_json(path)

    def _vouch(self, path: Path) -> None:
        """Raise OutputError for a file that is not as the run wrote it; of a run that was killed nothing is known."""
        expected = self.manifest[CONTENTS].get(path.name)
        if self.partial and expected is None:
            return
        if not is_file(path):
            raise OutputError(f"{path} is missing from the folder of a run")
        if expected != hash_of(path):
            raise OutputError(
                f"{path} is not as the run wrote it: it was changed, was damaged, or is of another run; run it again"
            )

    @property
    def report(self) -> Path:
        """The one-page report."""
        return self.folder / "report.html"

    @property
    def partial(self) -> bool:
        """Whether the run was stopped before its end."""
        return bool(self.manifest["partial"])

    def table(self, name: str) -> polars.DataFrame:
        """A table of the results folder as a polars data frame; `TABLES` says what there is."""
        import polars

        path = self.folder / f"{name}.parquet"
        parts = parts_of(self.folder / "parts", name)
        if path.exists():
            self._vouch(path)
            return read_table(path)
        if parts:  # a run that could not be brought to its end
            with as_tables(parts) as tables:
                return read_days(tables) if name == PIECED else polars.concat([read_table(one) for one in tables])
        there = ", ".join(sorted(one.stem for one in self.folder.glob("*.parquet")))
        raise OutputError(f"{self.folder} holds no table {name!r}; it holds {there or 'none'}")

    def has_table(self, name: str) -> bool:
        """Whether the results folder holds a table."""
        return is_file(self.folder / f"{name}.parquet")

    def scan(self, name: str) -> polars.LazyFrame:
        """A table as a lazy polars frame: of a city's, what is asked for is read and no more.

        Raises
        ------
        OutputError
            If there is no such table, or it is not as the run wrote it; a run that was stopped has tables only.
        """

        path = self.folder / f"{name}.parquet"
        if not is_file(path):
            return self.table(name).lazy()
        if name not in self._vouched:
            self._vouch(path)
            self._vouched.add(name)
        return scan_table(path)

    def customer(self, number: int, arm: str | None = None) -> polars.DataFrame:
        """A customer's quarter hours: `time` (local, its begin), `import_kwh`, `export_kwh`, `status` of the read, and its node's `v_min_pu`, `v_max_pu`, `v_mean_pu` as kept.

        arm: the smart one, or the only one, unless it is named.

        Raises
        ------
        UsageError
            For a customer or an arm that the run does not have.
        """
        return curves.customer(self, number, arm)

    def substation(self, name: str, arm: str | None = None) -> polars.DataFrame:
        """The curve of the customers whom a transformer feeds, called as in `transformer_list` (`area-1/T178`).

        By quarter hour `time`, how many `customers`, what they draw and feed in together (`import_kw`, `export_kw`), and least and greatest voltage at any of them.

        Raises
        ------
        UsageError
            For a transformer that the run does not have, or that feeds no customer directly.
        """
        return curves.substation(self, name, arm)

    def percentiles(
        self, column: str, percents: Sequence[float] = curves.PERCENTS, arm: str | None = None
    ) -> polars.DataFrame:
        """Percentiles by quarter hour over all customers' `import_kwh` or `export_kwh`, or all nodes' `v_min_pu`, `v_max_pu` or `v_mean_pu`: `time`, `p1`, `p5`, ...

        Raises
        ------
        UsageError
            For a column of which there are none, or that the run did not keep, and percents beyond 0 to 100.
        """
        return curves.percentiles(self, column, percents, arm)

    @cached_property
    def totals(self) -> polars.DataFrame:
        return self.table("totals")

    @cached_property
    def transformers(self) -> polars.DataFrame:
        return self.table("transformers")

    @cached_property
    def nodes(self) -> polars.DataFrame:
        return self.table("nodes")

    @cached_property
    def meters(self) -> polars.DataFrame:
        return self.table("meters")

    @cached_property
    def messages(self) -> polars.DataFrame:
        return self.table("messages")

    @cached_property
    def waves(self) -> polars.DataFrame:
        return self.table("waves")

    @cached_property
    def ledger(self) -> polars.DataFrame:
        return self.table("ledger")

    @cached_property
    def bills(self) -> polars.DataFrame:
        return self.table("bills")

    def __repr__(self) -> str:
        partial = ", partial" if self.partial else ""
        return (
            f"Run({self.manifest['name']!r}, days={len(self.manifest['dates'])}{partial}, folder={str(self.folder)!r})"
        )


def open_run(folder: str | Path) -> Run:
    """Open a run's folder.

    Raises
    ------
    OutputError
        If the folder is not that of a run.
    """
    return Run(Path(folder))


def _read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run's folder, as the run wrote it."""
    path = folder / RUN.mark
    manifest = _read_json(path)
    kind, version = RUN.format().values()
    if manifest.get("format") != kind:
        raise OutputError(
            f"{folder} is not a results folder of a run of heptagrid: its {path.name} was written by another program"
        )
    if manifest.get("format_version") != version:
        raise OutputError(
            f"{folder} was written by heptagrid {manifest.get('version')} in version {manifest.get('format_version')} of "
            f"the format of results; this heptagrid reads version {version}: run it again"
        )
    if not is_sealed(manifest):
        raise OutputError(f"{path} is not as the run wrote it: it was changed or damaged; run it again")
    return manifest


def _read_json(path: Path) -> dict[str, Any]:
    if not is_file(path):
        raise OutputError(f"{path.parent} is not a results folder of heptagrid: {path.name} is missing")
    try:
        loaded = json.loads(read_text(path))
    except UnreadableError as problem:
        raise OutputError(f"{path} {problem}") from None
    except (ValueError, RecursionError) as broken:
        raise OutputError(f"{path} cannot be read: {broken}") from None
    if not isinstance(loaded, dict):
        raise OutputError(f"{path} cannot be read: it holds no table of names and values")
    return loaded
