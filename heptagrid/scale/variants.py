"""The arms that a sweep runs: each different one once, and what it came to as one small file.

An arm is named by a hash of all that it depends on. Points that differ in nothing that an arm reads share it, and
a file that is there need not be made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.assembly.arms import LINK_CLASSES, Arm
from heptagrid.assembly.job import Job
from heptagrid.assembly.span import Span
from heptagrid.assembly.spans import spans_of
from heptagrid.assembly.world import build_world
from heptagrid.foundation.errors import OutputError
from heptagrid.foundation.input_files import UnreadableError, read_text
from heptagrid.foundation.memory import peak_rss_mb
from heptagrid.foundation.output_file import write_json
from heptagrid.planes.money.benefits.observed import ArmYear
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR
from heptagrid.recording.arm_result import ArmResult
from heptagrid.recording.joined import join_arms
from heptagrid.recording.manifest import manifest_of
from heptagrid.recording.observed_year import arm_year, stand_for_a_year, weights_of
from heptagrid.recording.results import RUN
from heptagrid.recording.seal import is_sealed, sealed, vouching
from heptagrid.recording.summary import summarise
from heptagrid.recording.totals import DayBooks
from heptagrid.scale.folder import WORK
from heptagrid.scale.run import mark_whole, write_results
from heptagrid.scale.variations import OF_THE_SMART_GRID, Point
from heptagrid.scale.year_record import year_as_json, year_of_json
from heptagrid.scenario.events import given_of
from heptagrid.scenario.schema import Scenario
from heptagrid.scenario.towns import Company, Town
from heptagrid.simulation.simulation import Tick, run_arm

# Sections that certainly do not touch an arm. The conventional arm has no access network, backhaul, sensors, head
# end, SCADA or aggregator, and no device in it follows messages; its bulk system sends over the WAN. The business case is
# made from what the arms came to. `tests/scale/test_variants.py` runs the arm with each of them changed.
UNTOUCHED_BY = {
    "smart": {"business"},
    "conventional": {
        *("business", "messages.access", "messages.backhaul"),
        *("sensors", "head_end", "scada", "aggregator", "gateways"),
    },
}
# What lays out other links, and so numbers the WAN's otherwise: every link draws random numbers by its own number.
LAYING_OUT = (("messages.access", "technology"), ("messages.backhaul", "technology"))
_REMEDY = "delete it and start the same sweep again, which runs this arm anew"
UNBROKEN = {"smart": set[str](), "conventional": set(OF_THE_SMART_GRID)}


@dataclass(frozen=True)
class Variant:
    """One arm of one or more points, to run over all its spans.

    folder: of the sweep. keep: whether its results folder is kept.
    """

    name: str
    arm: Arm
    scenario: Scenario
    typical: bool
    folder: Path
    keep: bool

    @property
    def spans(self) -> list[Span]:
        return spans_of(self.scenario, self.typical)

    @property
    def steps(self) -> int:
        return sum(span.all_steps for span in self.spans)

    @property
    def record_path(self) -> Path:
        """The file that says what it came to; there is one if it has run to its end."""
        return self.folder / "arms" / f"{self.name}.json"

    @property
    def run_folder(self) -> Path:
        """Where its results folder is kept, if it is."""
        return self.folder / "runs" / self.name

    @property
    def is_done(self) -> bool:
        return self.record_path.exists() and (not self.keep or self.run_folder.exists())


@dataclass(frozen=True)
class Record:
    """What an arm came to: its entry in a run's summary, its days' money and peaks, its transformers' peaks.

    state_eur: of each span of days, what the state received: taxes and levies less feed-in premiums. year: what it observed over the
    year for which its days stand; None where they stand for none.
    """

    summary: dict[str, Any]
    books: list[DayBooks]
    state_eur: list[float]
    transformer_peak_pct: np.ndarray
    held_feeders: int
    year: ArmYear | None


def variant_of(point: Point, seed: int, arm: str, typical: bool, data: str, folder: Path, keep: bool) -> Variant:
    """The arm ("smart" or "conventional") of a point with a seed.

    data: digest of the sources and of the scenario's data.
    """
    scenario = replace(point.scenario, seed=seed)
    losses = tuple(0.0 if one in UNBROKEN[arm] else float(point.broken.get(one, 0.0)) for one in LINK_CLASSES)
    sections = {name: asdict(one) for name, one in scenario.sections.items() if name not in UNTOUCHED_BY[arm]}
    sections["run"] = {"seed": seed, "start": scenario.start, "days": scenario.days, "step_s": scenario.step_s}
    days = [(str(day), weight) for day, weight in scenario.typical_days] if typical else []
    laid_out = [getattr(scenario.sections[section], key) for section, key in LAYING_OUT]
    several = [(one.name, asdict(one.entry), one.own) for one in _several(scenario)]
    reads = [data, arm, losses, sections, laid_out, several, str(scenario.zone), days, given_of(scenario.events)]
    digest = hashlib.sha256(json.dumps(reads, sort_keys=True, default=str).encode()).hexdigest()
    (access, backhaul, wan) = losses
    return Variant(
        f"{arm}-{digest[:16]}", Arm(arm, arm == "smart", (access, backhaul, wan)), scenario, typical, folder, keep
    )


def _several(scenario: Scenario) -> list[Town | Company]:
    """The towns and companies, each with its own settings."""
    return [*scenario.towns, *scenario.retailers, *scenario.aggregators]


def run_variant(variant: Variant, tick: Tick) -> bool:
    """Run an arm and write its record; False if it was stopped before its end, which leaves nothing behind."""
    if tick(0):
        return False
    began = time.perf_counter()
    work = variant.folder / WORK / f"{variant.name}-{os.getpid()}"
    parts = work / "parts"
    parts.mkdir(parents=True)
    jobs = [Job(variant.arm, k, span, parts) for k, span in enumerate(variant.spans)]
    results = []
    done = 0
    for job in jobs:
        before = done
        results.append(
            run_arm(variant.scenario, job.arm, job.run_day, job.span, parts, lambda n: tick(before + n))  # noqa: B023
        )
        done += job.span.all_steps
        if results[-1].stopped_ns is not None:
            shutil.rmtree(work)
            return False
    joined = join_arms(jobs, results)
    if variant.keep and not variant.run_folder.exists():
        _keep(variant, work, jobs, joined, began)
    else:
        shutil.rmtree(work)
    (arm,) = joined.values()
    variant.record_path.parent.mkdir(exist_ok=True)
    content = {
        "arm": variant.name,
        "summary": arm.summary(variant.scenario, build_world(variant.scenario)),
        "days": [[str(one.day), one.by_domain_eur.tolist(), one.peaks_kw.tolist()] for one in arm.days],
        "state_eur": [result.money.state / MILLICENT_PER_EUR for result in results],
        "transformer_peak_pct": arm.extremes.transformer_peak_pct.tolist(),
        "held_feeders": len({feeder for result in results for feeder in result.held}),
        "year": _year(variant, results),
    }
    write_json(variant.record_path, sealed(content))
    return True


def _year(variant: Variant, results: list[ArmResult]) -> dict[str, Any] | None:
    """The observed year as JSON content, if the days stand for one."""
    scenario = variant.scenario
    weights = weights_of(scenario, variant.typical, results)
    if not stand_for_a_year(sum(weight * len(one.days) for weight, one in zip(weights, results, strict=True))):
        return None
    return year_as_json(arm_year(scenario, build_world(scenario), variant.typical, results))


def _keep(variant: Variant, work: Path, jobs: list[Job], joined: Mapping[str, Any], began: float) -> None:
    """Write the arm's results folder and put it in its place as a whole."""
    scenario, arm = variant.scenario, variant.arm
    broken = {name: loss for name, loss in zip(LINK_CLASSES, arm.break_loss, strict=True) if loss > 0.0}
    world = build_world(scenario)
    manifest = manifest_of(scenario, variant.spans, variant.typical, [arm], broken, "heptagrid sweep")
    summary = summarise(scenario, world, jobs, joined, broken, variant.typical)
    write_json(work / RUN.mark, vouching(manifest))
    write_results(work, world, joined, summary, began, peak_rss_mb())
    mark_whole(work, manifest)
    variant.run_folder.parent.mkdir(exist_ok=True)
    work.replace(variant.run_folder)


def read_record(variant: Variant) -> Record:
    """What an arm came to, read back.

    Raises
    ------
    OutputError
        If its record is not as the sweep wrote it.
    """
    path = variant.record_path
    try:
        content = json.loads(read_text(path))
    except UnreadableError as problem:
        raise OutputError(f"{path} {problem}; {_REMEDY}") from None
    except (ValueError, RecursionError) as problem:
        raise OutputError(f"{path} cannot be read ({problem}); {_REMEDY}") from None
    if not isinstance(content, dict) or not is_sealed(content):
        raise OutputError(f"{path} is not as the sweep wrote it: it was changed or damaged; {_REMEDY}")
    if content["arm"] != variant.name:
        raise OutputError(f"{path} is the record of another arm, {content['arm']}; {_REMEDY}")
    return Record(
        content["summary"],
        [
            DayBooks(date.fromisoformat(day), np.array(eur), np.array(peaks_kw))
            for day, eur, peaks_kw in content["days"]
        ],
        content["state_eur"],
        np.array(content["transformer_peak_pct"]),
        content["held_feeders"],
        None if content["year"] is None else year_of_json(content["year"]),
    )
