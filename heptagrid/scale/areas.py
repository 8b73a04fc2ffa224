"""Some areas of a city by themselves, with what came to them from outside in a run of the whole: their tables are the rows of that run, bit by bit."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.arms import arms_of
from heptagrid.assembly.job import Job
from heptagrid.assembly.spans import spans_of
from heptagrid.assembly.world import World, build_world
from heptagrid.foundation.errors import OutputError, UsageError
from heptagrid.foundation.frames import read_table, write_table
from heptagrid.foundation.output_file import write_json
from heptagrid.foundation.results_folder import Kind, results_folder
from heptagrid.recording.arm_result import ArmResult
from heptagrid.recording.inventories import write_lists
from heptagrid.recording.joined import join_arms
from heptagrid.recording.results import Run
from heptagrid.recording.seal import hash_of
from heptagrid.recording.tables import discard_parts, join_parts
from heptagrid.scale.jobs import Progress, run_tasks, threads_of_job
from heptagrid.scale.run import check_options, default_folder, resolve
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation.boundary import PlayedBoundary, file_of, refuse_without_areas
from heptagrid.simulation.precompile import ensure_kernels
from heptagrid.simulation.simulation import Simulation, Tick
from heptagrid.world.joined import towns_of_nodes

if TYPE_CHECKING:
    import polars

Ints = npt.NDArray[np.int64]

KEYS = {
    "nodes": "node",
    "meters": "meter",
    "sample_nodes": "node",
    "sample_customers": "customer",
    "transformers": "transformer",
    "infeeds": "town",
    "messages": "concentrator",
    "node_list": "node",
    "customer_list": "customer",
    "transformer_list": "transformer",
    "bills": "customer",
    "monthly_bills": "customer",
}
"""The tables of which areas have rows of their own, and the column that says of what each row is."""
AREAS = Kind(
    "areas", "areas.json", frozenset({"areas.json", *(f"{table}.parquet" for table in KEYS)}), {"parts": (".part",)}
)
"""The folder of such a run."""


def run_areas(
    scenario: str | Path | Scenario,
    areas: Sequence[str],
    boundary: str | Path,
    *,
    days: int | None = None,
    typical: bool = False,
    start: date | str | None = None,
    step_s: int | None = None,
    seed: int | None = None,
    single: str | None = None,
    break_: Mapping[str, float] | Sequence[tuple[str, float]] = (),
    settings: Sequence[str] = (),
    threads: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Run some areas of a city again, with all that came to them from outside in a run of the whole that kept it, and return the folder of their tables.

    Parameters
    ----------
    areas : names, such as "area-2".
    boundary : the folder of the whole run, of the same scenario, days, settings and arms.
    others : as of `heptagrid.run`.

    Raises
    ------
    UsageError, OutputError, ScenarioError, NetworkError
    """
    check_options(single, dict(break_), typical, days, start, threads)
    resolved = resolve(scenario, settings, days, start, step_s, seed)
    spans, arms = spans_of(resolved, typical), arms_of(single, dict(break_))
    chosen = _chosen(resolved, areas)
    jobs = [Job(arm, k, span, Path()) for k, span in enumerate(spans) for arm in arms]
    kept = Path(boundary)
    _look_for(kept, jobs)
    given = Path(out) if out else default_folder(resolved.name)
    with results_folder(given, AREAS, force) as place:
        parts = place.work / "parts"
        parts.mkdir(exist_ok=True)
        discard_parts(parts)
        mark: dict[str, Any] = {
            **AREAS.format(),
            "name": resolved.name,
            "partial": True,
            "areas": list(areas),
            "arms": [arm.name for arm in arms],
            "boundary": str(kept.resolve()),
        }
        write_json(place.work / AREAS.mark, mark)
        world = build_world(resolved)
        refuse_without_areas(resolved, world)
        part = replace(world, resting=np.setdiff1d(np.arange(len(world.towns)), chosen))
        ensure_kernels()
        jobs = [replace(job, parts=parts) for job in jobs]
        work = partial(_run_job, resolved, part, kept, threads_of_job(threads or os.cpu_count() or 1, 1))
        results = run_tasks(work, jobs, [job.span.all_steps for job in jobs], 1, progress)
        if len(results) < len(jobs) or any(one.stopped_ns is not None for one in results):
            raise KeyboardInterrupt  # a part of it is of no use
        joined = join_arms(jobs, results)
        for one in write_lists(place.work, part, joined):
            one.result()
        for part_file in parts.iterdir():
            if part_file.name.split(".")[0] not in KEYS:
                part_file.unlink()
        join_parts(parts, place.work)
        parts.rmdir()
        _keep_rows(place.work, part, chosen)
        place.promote()
        tables = {path.stem: hash_of(path) for path in sorted(place.folder.glob("*.parquet"))}
        write_json(place.folder / AREAS.mark, mark | {"partial": False, "tables": tables})
    return given


def rows_of(frame: polars.DataFrame, table: str, world: World, towns: Ints) -> polars.DataFrame:
    """The rows of a table that belong to some towns, by their numbers."""
    return frame.filter(frame[KEYS[table]].is_in(_own(world, towns)[KEYS[table]]))


def _own(world: World, towns: Ints) -> dict[str, list[int]]:
    """What belongs to some towns, by the name of its column."""
    places = {
        "node": towns_of_nodes(world.towns, np.arange(world.network.nodes)),
        "meter": world.town_of,
        "customer": world.town_of[: world.customers_count],
        "transformer": np.repeat(
            np.arange(len(world.towns)), [len(one.grid.transformers.names) for one in world.towns]
        ),
        "town": np.arange(len(world.towns)),
        "concentrator": world.plan.concentrator_town,
    }
    return {name: np.flatnonzero(np.isin(town, towns)).tolist() for name, town in places.items()}


def _keep_rows(folder: Path, world: World, towns: Ints) -> None:
    """Leave of each table in a folder the rows of some towns."""
    for table in KEYS:
        path = folder / f"{table}.parquet"
        if path.exists():
            write_table(rows_of(read_table(path), table, world, towns), path)


def _chosen(scenario: Scenario, areas: Sequence[str]) -> Ints:
    """The numbers of areas, ascending."""
    names = [town.name for town in scenario.towns]
    for name in areas:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {names[0]} to {names[-1]}"
            raise UsageError(f"--areas: {scenario.name} has no area {name!r}; {hint}")
    return np.unique([names.index(name) for name in areas])


def _look_for(run: Path, jobs: Sequence[Job]) -> None:
    """Whether a run's folder has what came to the areas."""
    if Run(run).partial:
        raise OutputError(f"{run}: the run was stopped before its end; bring it to its end (--resume)")
    for job in jobs:
        if not file_of(run, job.arm.name, job.run_day).is_file():
            raise OutputError(
                f"{run} keeps nothing that came to the areas in the {job.arm.name} arm; run the whole city with --keep-boundary"
            )


def _run_job(scenario: Scenario, world: World, kept: Path, threads: int, job: Job, tick: Tick) -> ArmResult:
    """One arm of the areas."""
    simulation = Simulation(scenario, job.arm, job.span, run_day=job.run_day, parts=job.parts, threads=threads)
    simulation.outside = PlayedBoundary(file_of(kept, job.arm.name, job.run_day), simulation)
    simulation.begin(world)
    while simulation.step() and not tick(simulation.steps_done):
        pass
    return simulation.finish()
