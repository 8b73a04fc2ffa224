"""`heptagrid.sweep`: runs a scenario over a grid of variations and draws what each message was worth."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

from heptagrid.assembly.spans import spans_of
from heptagrid.assembly.world import build_world
from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.output_file import write_json
from heptagrid.foundation.results_folder import unwritable
from heptagrid.planes.money.appraisal.appraise import appraise
from heptagrid.planes.money.appraisal.worth import Worth, worth_of_messages
from heptagrid.planes.money.benefits.observed import Observed
from heptagrid.recording.appraisal_summary import plan_of
from heptagrid.recording.observed_year import observed_of
from heptagrid.recording.summary import annualised
from heptagrid.report import communication_page
from heptagrid.report.sweep_page import write_page
from heptagrid.scale.figures import figures_of, meanings, over_seeds
from heptagrid.scale.folder import WORK, data_digest, definition_of, sweep_folder
from heptagrid.scale.jobs import Progress, run_tasks
from heptagrid.scale.run import default_folder, resolve
from heptagrid.scale.technologies import cheapest
from heptagrid.scale.variants import Record, Variant, read_record, run_variant, variant_of
from heptagrid.scale.variations import (
    Point,
    Variation,
    as_json,
    declaration_of,
    is_latency,
    points_of,
    read_variations,
    refuse_clashes,
    silenced,
    unresolved,
)
from heptagrid.scale.worth import worth_table
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation.precompile import ensure_kernels

ARMS = ("smart", "conventional")  # the longer first, so that no process waits for it at the end

Pair = dict[str, Variant]
Ran = tuple[Point, list[Pair]]
"""A point, and both arms of it with each seed."""
Row = TypeVar("Row")


class Sweep:
    """A finished (or interrupted) sweep.

    Attributes: `folder`, `content` (a dict, as in `sweep.json`; empty if interrupted), `report` (path of the page),
    `arms_done` of `arms`.
    """

    def __init__(self, folder: Path, content: dict[str, Any], arms_done: int, arms: int) -> None:
        self.folder, self.content, self.arms_done, self.arms = folder, content, arms_done, arms

    @property
    def report(self) -> Path:
        """The page."""
        return self.folder / "sweep.html"

    @property
    def communication_report(self) -> Path | None:
        """The page on what communication costs and what hangs on it; None where no technologies were swept over a year."""
        path = self.folder / communication_page.FILE
        return path if path.exists() else None

    @property
    def partial(self) -> bool:
        """Whether it was interrupted; the same call goes on where it stopped."""
        return self.arms_done < self.arms

    def __repr__(self) -> str:
        return f"Sweep({self.arms_done} of {self.arms} arms, folder={str(self.folder)!r})"


def sweep(
    scenario: str | Path | Scenario = "town",
    vary: Sequence[str] | Mapping[str, Sequence[Any]] = (),
    *,
    seeds: int = 1,
    days: int | None = None,
    typical: bool = False,
    start: date | str | None = None,
    step_s: int | None = None,
    seed: int | None = None,
    settings: Sequence[str] = (),
    workers: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    keep_runs: bool = False,
    progress: Progress | None = None,
) -> Sweep:
    """Run both arms of a scenario at every point of a grid, with the same seeds at all points.

    A folder that holds the same sweep is taken up where it stopped. What is not said here is as in `heptagrid.run`.

    Parameters
    ----------
    vary : "key=first:last:step" or "key=one,another" texts, or values by key; several make all combinations.
        `break.access`, `break.backhaul` and `break.wan` vary the probability that a crossing of the class is lost.
    seeds : how many seeds each point is run with, from `seed` on.
    workers : processes to share the work among (default: one per core).
    out : results folder; refused if it holds another sweep, unless `force`.
    keep_runs : keep the results folder of every arm, in `runs`.

    Raises
    ------
    ScenarioError, NetworkError, OutputError, UsageError
    """
    began = time.perf_counter()
    if seeds < 1:
        raise UsageError(f"--seeds {seeds}: at least one is needed")
    if workers is not None and workers < 1:
        raise UsageError(f"--workers {workers}: at least one is needed")
    variations = read_variations(vary) if not isinstance(vary, Mapping) else _given(vary)
    options = {"days": days, "start": start, "step_s": step_s}
    refuse_clashes(variations, settings, options)
    clashing = {"run.days", "run.start"} & (
        {one.key for one in variations} | {f"run.{k}" for k, v in options.items() if v}
    )
    if typical and clashing:
        raise UsageError(f"--typical runs the scenario's typical days; it takes no {' and no '.join(sorted(clashing))}")
    base = resolve(scenario, settings, days, start, step_s, seed)
    points = points_of(base, variations)
    spans_of(base, typical)
    build_world(base)
    all_seeds = [base.seed + k for k in range(seeds)]
    definition = definition_of(base, variations, all_seeds, typical)
    given = Path(out) if out else default_folder(f"{base.name}-sweep")
    with sweep_folder(given, definition, force) as place:
        folder = place.work
        data = data_digest(definition)

        def arm_of(point: Point, seed: int, arm: str) -> Variant:
            return variant_of(point, seed, arm, typical, data, folder, keep_runs)

        run = [(point, [{arm: arm_of(point, one, arm) for arm in ARMS} for one in all_seeds]) for point in points]
        silent = {
            one.key: [
                (
                    dead,
                    [
                        {**pair, "smart": arm_of(dead, seed, "smart")}
                        for pair, seed in zip(pairs, all_seeds, strict=True)
                    ],
                )
                for point, pairs in run
                for dead in [silenced(point, one.key)]
                if dead is not None
            ]
            for one in variations
        }
        everything = [*run, *(one for of_key in silent.values() for one in of_key)]
        variants = {one.name: one for arm in ARMS for _, pairs in everything for pair in pairs for one in [pair[arm]]}
        for one in variants.values():
            if one.is_done:
                read_record(one)  # what is not as it was written is refused before the rest is run
        _run(list(variants.values()), workers or os.cpu_count() or 1, progress)
        done = sum(one.is_done for one in variants.values())
        if done < len(variants):
            return Sweep(folder if place.replaces else given, {}, done, len(variants))
        content = _content(base, variations, run, silent, definition)
        content["arms"] = len(variants)
        content["wall_s"] = time.perf_counter() - began
        write_json(folder / "sweep.json", content)
        write_page(folder)
        communication_page.write_page(folder)
        place.promote()
    return Sweep(given, content, done, done)


def _given(vary: Mapping[str, Sequence[Any]]) -> list[Variation]:
    empty = next((key for key, values in vary.items() if not len(values)), None)
    if empty is not None:
        raise UsageError(f"{empty}: no value is given")
    if not vary:
        return read_variations(())
    return [Variation(key, tuple(values)) for key, values in vary.items()]


def _run(variants: list[Variant], workers: int, progress: Progress | None) -> None:
    """Run the arms that have not been run yet."""
    waiting = [one for one in variants if not one.is_done]
    if not waiting:
        return
    ensure_kernels()
    skipped = sum(one.steps for one in variants if one.is_done)
    report = None if progress is None else lambda done, total: progress(skipped + done, skipped + total)
    folder = variants[0].folder
    try:
        run_tasks(run_variant, waiting, [one.steps for one in waiting], workers, report)
    except OSError as problem:
        done = sum(one.is_done for one in variants)
        kept = (
            f"{done} of {len(variants)} arms are done and kept; the same sweep, started again, goes on where it stopped"
        )
        raise unwritable(folder, problem, kept) from problem
    finally:
        shutil.rmtree(folder / WORK, ignore_errors=True)


def _content(
    base: Scenario,
    variations: Sequence[Variation],
    run: Sequence[Ran],
    silent: Mapping[str, Sequence[Ran]],
    definition: Mapping[str, Any],
) -> dict[str, Any]:
    """The content of `sweep.json`, but for what depends on this very call; `silent` are the points without messages, by technology's key."""
    everything = [*run, *(one for of_key in silent.values() for one in of_key)]
    records = {one.name: read_record(one) for _, pairs in everything for pair in pairs for one in pair.values()}
    rows = [_point(point, pairs, records) for point, pairs in run]
    silent_rows = {
        key: [_point(point, pairs, records) for point, pairs in of_key] for key, of_key in silent.items() if of_key
    }
    groups = [
        (one.key, group)
        for one in variations
        if not one.is_number
        for group in _groups(one.key, range(len(rows)), lambda k: rows[k]["at"])
    ]
    (first, pairs), *_ = run
    spans = pairs[0]["smart"].spans
    business = first.scenario.sections["business"]
    return {
        "scenario": base.name,
        "version": definition["version"],
        "typical": definition["typical"],
        "dates": [str(span.first + timedelta(days=k)) for span in spans for k in range(span.days)],
        "step_s": first.scenario.step_s,
        "seeds": definition["seeds"],
        "customers": build_world(first.scenario).customers_count,
        "horizon_years": business.horizon_years,
        "discount_rate": business.discount_rate,
        "varied": [_varied(one, base) for one in variations],
        "figures": meanings(),
        "points": rows,
        "cheapest": [
            cheapest(
                key, [rows[k] for k in group], [silent_rows[key][k] for k in group] if key in silent_rows else None
            )
            for key, group in groups
        ],
        "communication": [
            worth_table(
                key,
                [rows[k]["at"] for k in group],
                [_worths(run[k], silent[key][k], records) for k in group],
                plan_of(first.scenario.sections),
            )
            for key, group in groups
            if key in silent_rows and all(one.year is not None for one in records.values())
        ],
    }


def _worths(run: Ran, silent: Ran, records: Mapping[str, Record]) -> list[Worth]:
    """What messages are worth at a point, seed by seed."""
    point, pairs = run
    scenario = point.scenario
    plan = plan_of(scenario.sections)
    return [
        worth_of_messages(_observed(scenario, pair, records), _observed(scenario, dead, records), plan)
        for pair, dead in zip(pairs, silent[1], strict=True)
    ]


def _observed(scenario: Scenario, pair: Pair, records: Mapping[str, Record]) -> Observed:
    """The observed year of a pair of arms whose days stand for one."""
    conventional, smart = (records[pair[arm].name].year for arm in ("conventional", "smart"))
    assert conventional is not None and smart is not None
    return observed_of(scenario, build_world(scenario), conventional, smart)


def _varied(variation: Variation, scenario: Scenario) -> dict[str, Any]:
    declaration = declaration_of(variation.key, scenario)
    assert declaration is not None
    return {
        "key": variation.key,
        "info": declaration.info,
        "unit": declaration.unit,
        "is_number": variation.is_number,
        "is_latency": is_latency(variation.key, declaration),
        "values": [as_json(value) for value in variation.values],
    }


def _point(point: Point, pairs: Sequence[Pair], records: Mapping[str, Record]) -> dict[str, Any]:
    """One point: the figures of each seed, and their mean, least and greatest."""
    by_seed: list[dict[str, Any]] = []
    for pair in pairs:
        both = {arm: records[variant.name] for arm, variant in pair.items()}
        smart = pair["smart"]
        case = annualised(
            replace(point.scenario, seed=smart.scenario.seed),
            build_world(smart.scenario),
            smart.typical,
            {arm: one.books for arm, one in both.items()},
            {arm: one.transformer_peak_pct for arm, one in both.items()},
        )
        business = None
        if case is not None:
            found = appraise(_observed(point.scenario, pair, records), plan_of(point.scenario.sections))
            business = {**case[0].summary(case[1]), "appraisal": {"society": {"npv_eur": found.society_npv_eur}}}
        weight_of = dict(point.scenario.typical_days) if smart.typical else {}
        weights = [weight_of.get(span.first, 1.0) for span in smart.spans]
        state = {arm: sum(w * eur for w, eur in zip(weights, one.state_eur, strict=True)) for arm, one in both.items()}
        summaries = {arm: one.summary for arm, one in both.items()}
        days = len(both["smart"].books)
        by_seed.append(
            {
                "seed": smart.scenario.seed,
                "arms": {arm: variant.name for arm, variant in pair.items()},
                "held_feeders": sum(one.held_feeders for one in both.values()),
                "figures": figures_of(summaries, business, days, state["smart"] - state["conventional"]),
            }
        )
    return {
        "at": {key: as_json(value) for key, value in point.at.items()},
        "label": point.label,
        "unresolved": unresolved(point),
        "figures": over_seeds([one["figures"] for one in by_seed]),
        "by_seed": by_seed,
    }


def _groups(key: str, rows: Sequence[Row], at: Callable[[Row], Mapping[str, Any]]) -> list[list[Row]]:
    """The points in groups that differ in nothing but `key`."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        others = {name: as_json(value) for name, value in at(row).items() if name != key}
        groups.setdefault(json.dumps(others), []).append(row)
    return list(groups.values())
