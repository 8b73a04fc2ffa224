"""`heptagrid.run`: runs a scenario's arms, joins what they found, writes the results folder and the page."""

from __future__ import annotations

import difflib
import json
import os
import shlex
import shutil
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from heptagrid.engine.arms import LINK_CLASSES, arms_of
from heptagrid.engine.build import World, build_world
from heptagrid.engine.clock import Span
from heptagrid.engine.feeder import on_feeder, read_feeder
from heptagrid.engine.jobs import Job, Progress, run_jobs
from heptagrid.engine.lists import write_lists
from heptagrid.engine.manifest import manifest_of
from heptagrid.engine.memory import tree_peak_rss_mb
from heptagrid.engine.recorder import ArmResult
from heptagrid.engine.results import Run
from heptagrid.engine.storms import boundaries_ns
from heptagrid.engine.summary import Joined, join_arms, summarise
from heptagrid.engine.tables import join_parts
from heptagrid.engine.warm import are_kernels_compiled, compile_kernels
from heptagrid.foundation.errors import OutputError, UsageError
from heptagrid.scenario.load import load, revised
from heptagrid.scenario.schema import Scenario

WARM_UP_STEP_S = 300  # assumption: fine enough to bring devices into the state of an ordinary midnight


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
    out: str | Path | None = None,
    force: bool = False,
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
    out : results folder; refused if it holds another run, unless `force`.
    progress : called with (steps done, steps in all).

    Raises
    ------
    ScenarioError, NetworkError, FileError, OutputError, UsageError
    """
    began = time.perf_counter()
    broken = dict(break_)
    _check(single, broken, typical, days, start, threads)
    resolved = resolve(scenario, settings, days, start, step_s, seed)
    spans = spans_of(resolved, typical)
    circuit = read_feeder(resolved, Path(feeder)) if feeder else None
    folder = prepare_folder(Path(out) if out else default_folder(circuit.name if circuit else resolved.name), force)
    if feeder and circuit:
        resolved = on_feeder(resolved, circuit, Path(feeder), folder / "network")
    parts = folder / "parts"
    parts.mkdir()
    arms = arms_of(single, broken)
    manifest = manifest_of(resolved, spans, typical, arms, broken, shlex.join(sys.argv))
    write_json(folder / "manifest.json", manifest)
    world = build_world(resolved)
    jobs = [Job(arm, k, span, parts) for k, span in enumerate(spans) for arm in arms]
    if not are_kernels_compiled():
        compile_kernels()
    results = run_jobs(resolved, jobs, threads or os.cpu_count() or 1, progress)
    if not results:
        raise KeyboardInterrupt  # before any arm had begun
    joined = join_arms(jobs, results)
    summary = summarise(resolved, world, jobs, joined, broken, typical)
    write_results(folder, parts, world, joined, summary, manifest, began, _memory(results))
    return Run(folder)


def write_results(
    folder: Path,
    parts: Path,
    world: World,
    joined: Mapping[str, Joined],
    summary: dict[str, Any],
    manifest: dict[str, Any],
    began: float,
    peak_rss_mb: float,
) -> None:
    """Write a run's folder from what its arms came to, and drop the tables' parts."""
    write_lists(folder, world, joined)
    join_parts(parts, folder)
    shutil.rmtree(parts)
    wall_s = time.perf_counter() - began
    summary |= {"wall_s": wall_s, "peak_rss_mb": peak_rss_mb}
    summary["customer_steps_per_s"] = summary.pop("customer_steps") / wall_s
    manifest["partial"] = summary["partial"]
    write_json(folder / "summary.json", summary)
    write_json(folder / "manifest.json", manifest)
    _write_page(folder)


def _write_page(folder: Path) -> None:
    from heptagrid.report.page import write_page

    write_page(folder)


def prepare_folder(folder: Path, force: bool) -> Path:
    """Make the results folder, or empty the run that it holds if `force`.

    Raises
    ------
    OutputError
        If it holds another run and `force` is not given, holds something else, or cannot be made.
    """
    try:
        if folder.exists() and any(folder.iterdir()):
            if not (folder / "manifest.json").exists():
                raise OutputError(f"{folder} is not empty and holds no run of heptagrid; choose another --out")
            if not force:
                raise OutputError(f"{folder} holds another run; choose another --out, or --force to replace it")
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise OutputError(f"the results folder {folder} cannot be made: {problem.strerror}") from problem
    return folder


def _memory(results: Sequence[ArmResult]) -> float:
    workers: dict[int, float] = {}
    for result in results:
        workers[result.process] = max(workers.get(result.process, 0.0), result.peak_rss_mb)
    return tree_peak_rss_mb(workers)


def _check(
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


def spans_of(scenario: Scenario, typical: bool) -> list[Span]:
    """What to run: the scenario's days as one span, or each typical day as a span of its own."""
    coarse = max(WARM_UP_STEP_S, scenario.step_s)
    if typical:
        if not scenario.typical_days:
            raise UsageError(
                f"scenario {scenario.name!r} names no typical days; write a table of date and weight and set typical_days"
            )
        if scenario.storms:
            raise UsageError(
                f"scenario {scenario.name!r} has storms, and typical days stand for a year of ordinary ones; run its own days, "
                "without --typical"
            )
        return [Span(day, 1, scenario.step_s, coarse, scenario.zone) for day, _ in scenario.typical_days]
    cuts_ns = tuple(boundaries_ns(scenario))
    return [Span(scenario.start, scenario.days, scenario.step_s, coarse, scenario.zone, cuts_ns)]


def default_folder(name: str) -> Path:
    """A results folder that does not exist yet, named after the scenario and the time."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    folder = Path("runs") / f"{name}-{stamp}"
    count = 1
    while folder.exists():
        count += 1
        folder = Path("runs") / f"{name}-{stamp}-{count}"
    return folder


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file that is whole or absent, whatever kills the process or the machine."""
    writing = path.with_suffix(".writing")
    with writing.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, allow_nan=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    writing.replace(path)
