"""`heptagrid.run`: runs a scenario's arms, joins what they found, writes the results folder and the page."""

from __future__ import annotations

import difflib
import gc
import os
import shlex
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from heptagrid.assembly.arms import LINK_CLASSES, Arm, arm_of, arms_of
from heptagrid.assembly.job import Checkpoints, Job
from heptagrid.assembly.span import Span
from heptagrid.assembly.spans import spans_of
from heptagrid.assembly.world import World, build_world
from heptagrid.foundation.beside import begin, is_there
from heptagrid.foundation.errors import OutputError, UsageError
from heptagrid.foundation.output_file import TEMPORARY, write_json
from heptagrid.foundation.results_folder import Place, results_folder
from heptagrid.foundation.time import NS_PER_HOUR
from heptagrid.inquiry.replay import remarks_of, scenario_of
from heptagrid.recording.arm_result import ArmResult
from heptagrid.recording.bulk_lists import write_bulk_lists
from heptagrid.recording.inventories import write_lists
from heptagrid.recording.joined import Joined, join_arms
from heptagrid.recording.ledger_chain import chain_of_file
from heptagrid.recording.manifest import manifest_of
from heptagrid.recording.memory import peak_of_process, tree_peak_rss_mb
from heptagrid.recording.results import RUN, Run
from heptagrid.recording.seal import vouching
from heptagrid.recording.summary import summarise
from heptagrid.recording.tables import discard_parts, join_parts
from heptagrid.report.writing import write_page
from heptagrid.scale.beside_arm import beside_arm
from heptagrid.scale.jobs import Progress, Spread, run_jobs, spread_over
from heptagrid.scale.needs import customers_of, existing, look_ahead
from heptagrid.scenario.load import load, revised
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation.boundary import file_of, refuse_without_areas
from heptagrid.simulation.precompile import ensure_kernels

LONGEST_NAME = 100  # bytes; most file systems take 255, and a time, a number and an ending are added

MANY_CUSTOMERS = 20_000
"""Of a run whose arms leave so much memory that it is worth looking for."""


def run(
    scenario: str | Path | Scenario = "town",
    *,
    days: int | None = None,
    typical: bool = False,
    start: date | str | None = None,
    step_s: int | None = None,
    seed: int | None = None,
    single: str | None = None,
    break_: Mapping[str, float] | Sequence[tuple[str, float]] = (),
    settings: Sequence[str] = (),
    feeder: str | Path | None = None,
    threads: int | None = None,
    shards: int = 1,
    cluster: str | None = None,
    keep_boundary: bool = False,
    out: str | Path | None = None,
    force: bool = False,
    anyway: bool = False,
    checkpoint_every_h: float | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run a scenario, both arms, and return its results.

    Parameters
    ----------
    scenario : a built-in name, the path of a TOML file, or a loaded `Scenario`.
    days : consecutive local days from `start` on (default: the scenario's, one day).
    typical : run the scenario's typical days instead, each after its own warm-up; annualises the money.
    step_s : coupling step in whole seconds; divides 900.
    single : "smart" or "conventional" to run one arm only.
    break_ : probability by link class ("access", "backhaul", "wan") that a crossing is lost.
    settings : "section.key=value" overrides.
    feeder : an OpenDSS script; its circuit takes the place of the scenario's network.
    threads : processes to share the work among (default: one per core).
    shards : processes among which each arm of a city shares out its areas; the arms follow one another then.
    cluster : address of a Ray cluster on whose nodes these processes run, or "auto" for this machine's; None: on this machine.
    keep_boundary : keep what comes to the areas of a city from outside, for `run_areas`.
    out : results folder; refused if it holds another run, unless `force`.
    anyway : start a city's run though the memory or disk that it will take is not there.
    checkpoint_every_h : hours of simulated time after which each arm saves its state, for `resume`; None saves none.
    progress : called with (steps done, steps in all).

    Raises
    ------
    ScenarioError, NetworkError, FileError, OutputError, UsageError
    """
    began = time.perf_counter()
    broken = dict(break_)
    check_options(single, broken, typical, days, start, threads)
    if checkpoint_every_h is not None and not 0.001 <= checkpoint_every_h <= 1e6:
        raise UsageError(f"--checkpoint-every {checkpoint_every_h:g}: it must be from 0.001 hours to a million")
    if keep_boundary and checkpoint_every_h is not None:
        raise UsageError("--keep-boundary: what comes to areas is kept of runs in one go; leave --checkpoint-every out")
    spread = spread_over(shards, cluster)
    resolved = resolve(scenario, settings, days, start, step_s, seed)
    spans = spans_of(resolved, typical)
    if feeder:
        from heptagrid.assembly.own_feeder import on_feeder, read_feeder
    circuit = read_feeder(resolved, Path(feeder)) if feeder else None
    arms = arms_of(single, broken)
    command = shlex.join(sys.argv)
    jobs = [Job(arm, k, span, Path()) for k, span in enumerate(spans) for arm in arms]
    if (customers := customers_of(resolved)) is not None and circuit is None:
        beside = existing(Path(out) if out else Path("runs"))
        look_ahead(customers, jobs, min(threads or os.cpu_count() or 1, len(jobs)), beside, anyway)
    given = Path(out) if out else default_folder(circuit.name if circuit else resolved.name)
    with beside_arm(len(arms) * len(spans), threads), results_folder(given, RUN, force) as place:
        # The mark comes first: whatever ends the run from here on leaves a folder that is known for what it is.
        every_h = {"checkpoint_every_h": checkpoint_every_h, "keeps_boundary": keep_boundary}
        manifest = manifest_of(resolved, spans, typical, arms, broken, command) | every_h
        write_json(place.work / RUN.mark, vouching(manifest))
        if feeder and circuit:
            resolved = on_feeder(resolved, circuit, Path(feeder), place.work / "network")
            manifest = manifest_of(resolved, spans, typical, arms, broken, command) | every_h
            write_json(place.work / RUN.mark, vouching(manifest))
        return _carry_out(place, given, resolved, spans, arms, manifest, threads, spread, progress, began)


def resume(
    folder: str | Path,
    *,
    threads: int | None = None,
    shards: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> Run:
    """Bring a run to its end that was killed or stopped: each arm goes on from its last checkpoint, and one without begins anew.

    A run that is whole is returned as it is.

    Raises
    ------
    OutputError
        If the folder holds no run, was begun by another heptagrid or with data that have changed, is in use, or a checkpoint is damaged.
    """
    began = time.perf_counter()
    check_options(None, {}, False, None, None, threads)
    spread = spread_over(shards, cluster)
    given = Path(folder)
    run = Run(given)
    if not run.partial:
        return run
    manifest = dict(run.manifest)
    if manifest["feeder"]:
        manifest["data"] = manifest["data"] | {"networks": {"": str((given / "network").resolve())}}
    scenario = scenario_of(manifest)
    remarks = remarks_of(manifest, scenario)
    if remarks:
        raise OutputError(f"{given} cannot go on: {'; '.join(remarks)}; run it again")
    spans = spans_of(scenario, bool(manifest["typical_days"]))
    arms = [arm_of(name, manifest["break"]) for name in manifest["arms"]]
    alone = beside_arm(len(arms) * len(spans), threads)
    with alone, results_folder(given, RUN, force=False, goes_on=run.manifest) as place:
        return _carry_out(place, given, scenario, spans, arms, manifest, threads, spread, progress, began)


def _carry_out(
    place: Place,
    given: Path,
    scenario: Scenario,
    spans: Sequence[Span],
    arms: Sequence[Arm],
    manifest: dict[str, Any],
    threads: int | None,
    spread: Spread,
    progress: Progress | None,
    began: float,
) -> Run:
    """Run the arms in a folder that is marked, or bring them to their end, and write what they came to."""
    parts, checkpoints = place.work / "parts", None
    parts.mkdir(exist_ok=True)
    every_h = manifest.get("checkpoint_every_h")
    if every_h is None:
        discard_parts(parts)  # of a run that is begun anew
    else:
        checkpoints = Checkpoints(place.work / "checkpoints", round(every_h * NS_PER_HOUR))
        checkpoints.folder.mkdir(exist_ok=True)
    world = build_world(scenario)
    jobs = [Job(arm, k, span, parts, checkpoints) for k, span in enumerate(spans) for arm in arms]
    if manifest.get("keeps_boundary"):
        refuse_without_areas(scenario, world)
        jobs = [replace(job, boundary=file_of(place.work, job.arm.name, job.run_day)) for job in jobs]
    ensure_kernels()
    results = run_jobs(scenario, jobs, threads or os.cpu_count() or 1, progress, world, spread)
    if not results:
        raise KeyboardInterrupt  # before any arm had begun
    if world.customers_count > MANY_CUSTOMERS:
        gc.collect()  # an arm that was run here refers to itself, and tables and page need the room
    joined = join_arms(jobs, results)
    summary = summarise(scenario, world, jobs, joined, manifest["break"], bool(manifest["typical_days"]))
    goes_on = summary["partial"] and checkpoints is not None
    write_results(place.work, world, joined, summary, began, _memory(results), keep_parts=goes_on)
    if summary["partial"]:
        write_json(place.work / RUN.mark, vouching(manifest, _contents(place.work)))
        return Run(place.work if place.replaces else given)
    if checkpoints is not None:
        checkpoints.discard()
    place.promote()
    if manifest["feeder"]:
        manifest["data"] = manifest["data"] | {"networks": {"": str(place.folder / "network")}}
    mark_whole(place.folder, manifest)
    return Run(given)


def write_results(
    folder: Path,
    world: World,
    joined: Mapping[str, Joined],
    summary: dict[str, Any],
    began: float,
    peak_rss_mb: float,
    *,
    keep_parts: bool = False,
) -> None:
    """Write a run's tables, summary and page from what its arms came to, and drop the tables' parts unless it is to go on."""
    begun = [*write_lists(folder, world, joined), *write_bulk_lists(folder, world.bulk, world.unit_costs)]
    for one in (*begun, begin(join_parts, folder / "parts", folder, keep=keep_parts)):
        one.result()
    with suppress(OSError):  # what others put there stays
        (folder / "parts").rmdir()
    wall_s = time.perf_counter() - began
    summary |= {"wall_s": wall_s, "peak_rss_mb": peak_rss_mb}
    summary["customer_steps_per_s"] = summary.pop("customer_steps") / wall_s
    write_json(folder / "summary.json", summary)
    begin(write_page, folder).result()


def mark_whole(folder: Path, manifest: dict[str, Any]) -> None:
    """Say of a run's folder that nothing in it is missing, and what its ledger's chain is; the last that is written."""
    manifest["partial"] = False
    manifest["ledger_chain"] = begin(chain_of_file, folder / "ledger.parquet").result()
    write_json(folder / RUN.mark, vouching(manifest, _contents(folder)))


def _contents(folder: Path) -> list[Path]:
    """The files of a run's folder that its mark vouches for: those that stand in it, but for the mark itself and what is there for a while."""
    owned = (path for path in RUN.owned(folder) if path.parent == folder)
    return [path for path in owned if path.name != RUN.mark and not path.name.startswith(TEMPORARY)]


def _memory(results: Sequence[ArmResult]) -> float:
    workers: dict[int, float] = {}
    for result in results:
        workers[result.process] = max(workers.get(result.process, 0.0), result.peak_rss_mb)
    if is_there():
        workers |= dict([begin(peak_of_process).result()])
    return tree_peak_rss_mb(workers) + max(one.shards_peak_rss_mb for one in results)


def check_options(
    single: str | None,
    broken: Mapping[str, float],
    typical: bool,
    days: int | None,
    start: date | str | None,
    threads: int | None,
) -> None:
    if single not in (None, "smart", "conventional"):
        raise UsageError(f"there is no arm {single!r}; the arms are 'smart' and 'conventional'")
    for name, loss in broken.items():
        if name not in LINK_CLASSES:
            near = difflib.get_close_matches(name, LINK_CLASSES, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"the classes are {', '.join(LINK_CLASSES)}"
            raise UsageError(f"--break {name}: there is no link class {name!r}; {hint}")
        if not 0.0 <= loss <= 1.0:
            raise UsageError(f"--break {name}={loss}: a loss is a probability from 0 to 1")
    if typical and (days is not None or start is not None):
        raise UsageError("--typical runs the scenario's typical days; it takes no --days and no --start")
    if threads is not None and threads < 1:
        raise UsageError(f"--threads {threads}: at least one is needed")
    if threads is not None and threads > (os.cpu_count() or 1):
        warnings.warn(f"{threads} threads on {os.cpu_count()} cores will not be faster", stacklevel=3)


def resolve(
    scenario: str | Path | Scenario,
    settings: Sequence[str],
    days: int | None,
    start: date | str | None,
    step_s: int | None,
    seed: int | None,
) -> Scenario:
    """The scenario with settings and the run's own options on top."""
    run_keys = {"days": days, "start": start, "step_s": step_s, "seed": seed}
    given = [f"run.{key}={value}" for key, value in run_keys.items() if value is not None]
    if isinstance(scenario, Scenario):
        return revised(scenario, [*settings, *given])
    return load(scenario, [*settings, *given])


def default_folder(name: str) -> Path:
    """Make a results folder that did not exist yet, named after the scenario and the time."""
    stem = Path("runs") / f"{as_file_name(name)}-{datetime.now().strftime('%Y%m%d-%H%M%S')}"
    count = 1
    while True:
        folder = stem if count == 1 else stem.with_name(f"{stem.name}-{count}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            count += 1
        except OSError as problem:
            raise OutputError(f"the results folder {folder} cannot be made: {problem.strerror}") from problem
        else:
            return folder


def as_file_name(name: str) -> str:
    """What to call a file or folder after something that a user named: no path, no control character, not too long."""
    plain = "".join(one if one.isalnum() or one in " ._+()-" else "-" for one in name)
    while len(plain.encode(errors="replace")) > LONGEST_NAME:
        plain = plain[:-1]
    return plain.strip(" .-") or "unnamed"
