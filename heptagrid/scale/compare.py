"""`heptagrid.compare`: puts runs side by side, those that exist and those still to be run, and says who gains."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from heptagrid.foundation.compiled.kernel import fingerprint_of_package
from heptagrid.foundation.domains import DOMAIN_NAMES
from heptagrid.foundation.errors import OutputError, UsageError
from heptagrid.foundation.output_file import write_json
from heptagrid.foundation.results_folder import Kind, Place, results_folder
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR
from heptagrid.recording.results import RUN, Run, open_run
from heptagrid.report.compare_page import write_page
from heptagrid.scale import run as api
from heptagrid.scale.figures import STATE, Figures, figures_of, meanings
from heptagrid.scale.jobs import Progress
from heptagrid.scenario.schema import Scenario

Source = str | Path | Scenario

COMPARISON = Kind("comparison", "compare.json", frozenset({"compare.json", "compare.html"}), nested={"runs": RUN})
"""The folder of a comparison: its mark says `partial` until it is whole."""

LEAST_EUR = 0.01  # a cent: below it nobody gains or loses


class Comparison:
    """A finished (or interrupted) comparison.

    Attributes: `folder`, `content` (a dict, as in `compare.json`; empty if interrupted), `report` (path of the page),
    `runs`.
    """

    def __init__(self, folder: Path, content: dict[str, Any], runs: list[Run]) -> None:
        self.folder, self.content, self.runs = folder, content, runs

    @property
    def report(self) -> Path:
        """The page."""
        return self.folder / "compare.html"

    @property
    def partial(self) -> bool:
        """Whether it was interrupted."""
        return not self.content

    def __repr__(self) -> str:
        return f"Comparison({len(self.runs)} runs, folder={str(self.folder)!r})"


def compare(
    *sources: Source,
    days: int | None = None,
    typical: bool = False,
    start: date | str | None = None,
    step_s: int | None = None,
    seed: int | None = None,
    settings: Sequence[str] = (),
    threads: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Comparison:
    """Compare two or more runs with the first; what is a run's folder is read, everything else is run.

    The options are those of `heptagrid.run` and hold for what is run.

    Parameters
    ----------
    sources : folders of runs, built-in names, paths of TOML files, or loaded `Scenario`s.
    out : results folder; refused if it holds another comparison, unless `force`.

    Raises
    ------
    ScenarioError, NetworkError, OutputError, UsageError
    """
    if len(sources) < 2:
        raise UsageError("a comparison needs two runs or more; name scenarios or the folders of runs")
    ready = {k: _opened(Path(str(one))) for k, one in enumerate(sources) if _is_run(one)}
    if (
        len(
            {run.manifest["sources"] for run in ready.values()}
            | ({fingerprint_of_package()} if len(ready) < len(sources) else set())
        )
        > 1
    ):
        warnings.warn(
            "the runs were not all made by one heptagrid (other sources, packages or machine): part of what differs may be that",
            stacklevel=2,
        )
    labels = _labels(sources)
    scenarios = {
        k: api.resolve(one, settings, days, start, step_s, seed) for k, one in enumerate(sources) if k not in ready
    }
    given = Path(out) if out else api.default_folder("compare")
    with results_folder(given, COMPARISON, force) as place:
        _refuse_replacing_what_is_read(place, ready.values())
        write_json(place.work / COMPARISON.mark, {**COMPARISON.format(), "partial": True})
        runs = []
        for k, label in enumerate(labels):
            if k in ready:
                runs.append(ready[k])
                continue
            inner = place.work / "runs" / f"{k + 1}-{api.as_file_name(label)}"
            runs.append(api.run(scenarios[k], typical=typical, threads=threads, out=inner, progress=progress))
            if runs[-1].partial:
                return Comparison(place.work if place.replaces else given, {}, runs)
        content = _content(labels, runs)
        for k, row in enumerate(content["runs"]):
            if k not in ready:
                row["folder"] = str(given / "runs" / runs[k].folder.name)
        if place.replaces:
            place.promote()
            runs = [run if k in ready else Run(given / "runs" / run.folder.name) for k, run in enumerate(runs)]
        content = {**COMPARISON.format(), "partial": True, **content}
        write_json(place.folder / COMPARISON.mark, content)
        write_page(place.folder)
        content["partial"] = False
        write_json(place.folder / COMPARISON.mark, content)
    return Comparison(given, content, runs)


def _refuse_replacing_what_is_read(place: Place, ready: Iterable[Run]) -> None:
    for run in ready:
        if place.replaces and run.folder.resolve().is_relative_to(place.folder):
            raise OutputError(
                f"{run.folder} is compared and lies in {place.folder}, which is to be replaced; choose another --out"
            )


def _is_run(source: Source) -> bool:
    return not isinstance(source, Scenario) and (Path(source) / "manifest.json").exists()


def _opened(folder: Path) -> Run:
    run = open_run(folder)
    if run.partial:
        raise UsageError(f"{folder} holds a run that was stopped before its end; run it again to compare it")
    if not {"smart", "conventional"} <= set(run.summary["arms"]):
        raise UsageError(
            f"{folder} holds one arm only, which has no net benefit; run it without --single to compare it"
        )
    return run


def _labels(sources: Sequence[Source]) -> list[str]:
    """A short name of each, no two alike."""
    labels: list[str] = []
    for one in sources:
        if isinstance(one, Scenario):
            name = one.name
        else:
            name = Path(one).resolve().name if _is_run(one) else Path(one).stem
        count = 1
        while (label := name if count == 1 else f"{name} ({count})") in labels:
            count += 1
        labels.append(label)
    return labels


def _content(labels: Sequence[str], runs: Sequence[Run]) -> dict[str, Any]:
    """The content of `compare.json`."""
    rows = []
    first: Figures = {}
    for label, run in zip(labels, runs, strict=True):
        summary = run.summary
        state = _state_eur_per_year(run) if summary["business"] else None
        figures = figures_of(summary["arms"], summary["business"], summary["days"], state)
        first = first or figures
        change = {name: _less(value, first[name]) for name, value in figures.items()}
        rows.append(
            {
                "label": label,
                "folder": str(run.folder),
                "scenario": run.manifest["name"],
                **{key: run.manifest[key] for key in ("seed", "step_s", "dates", "typical_days")},
                "customers": summary["customers"],
                "annuity_factor": summary["business"]["rows"][0]["annuity_factor"] if summary["business"] else None,
                "settings": _changed(runs[0].manifest, run.manifest),
                "figures": figures,
                "less_first": change,
                **_sides(change),
            }
        )
    return {"figures": meanings(), "runs": rows}


def _state_eur_per_year(run: Run) -> float:
    """What the state receives more with the smart grid, each typical day as often as it stands for."""
    import polars

    weights = {k: one["weight"] for k, one in enumerate(run.manifest["typical_days"])}
    rows = run.ledger.filter(polars.col("reason").is_in(STATE))
    sign = polars.when(polars.col("payee") == "outside").then(1).otherwise(-1)
    sums = rows.group_by("arm", "run_day").agg((sign * polars.col("amount_millicent")).sum().alias("millicent"))
    eur = dict.fromkeys(("smart", "conventional"), 0.0)
    for row in sums.sort("arm", "run_day").iter_rows(named=True):
        if row["arm"] in eur:
            eur[row["arm"]] += weights.get(row["run_day"], 1.0) * row["millicent"] / MILLICENT_PER_EUR
    return eur["smart"] - eur["conventional"]


def _less(value: float | None, first: float | None) -> float | None:
    return None if value is None or first is None else value - first


def _changed(first: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """What another run set differently: key to its value there and its value in the first."""
    values = [
        {f"{section}.{key}": one["value"] for section, keys in run["scenario"].items() for key, one in keys.items()}
        | {f"{part}.{key}": value for part, keys in run["parts"].items() for key, value in keys.items()}
        | {f"break.{name}": loss for name, loss in run["break"].items()}
        for run in (first, other)
    ]
    keys = sorted({*values[0], *values[1]})
    return {key: [values[1].get(key), values[0].get(key)] for key in keys if values[0].get(key) != values[1].get(key)}


def _sides(change: Figures) -> dict[str, Any]:
    """Who gains and who loses against the first, by present value if it is known, else by operation over the run."""
    figure = "npv_eur" if change["npv_eur"] is not None else "net_benefit_eur"
    eur = {name: change[f"{figure}.{name}"] or 0.0 for name in DOMAIN_NAMES}
    return {
        "by": figure,
        "gains": [name for name, value in eur.items() if value >= LEAST_EUR],
        "loses": [name for name, value in eur.items() if value <= -LEAST_EUR],
    }
