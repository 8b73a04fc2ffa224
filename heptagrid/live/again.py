"""A live run, run again without the outside: the same steps, the same messages and changes at the same nanoseconds, the same figures."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from heptagrid.assembly.world import build_world
from heptagrid.foundation.errors import OutputError
from heptagrid.foundation.time import to_ns
from heptagrid.inquiry.replay import live_span, remarks_of, scenario_of
from heptagrid.live.folder import live_folder
from heptagrid.recording.results import TABLES, Run, open_run
from heptagrid.simulation.journal import JOURNAL, Recorded
from heptagrid.simulation.precompile import ensure_kernels
from heptagrid.simulation.simulation import Simulation

Progress = Callable[[int, int], None]
_OF_THE_MACHINE = {"wall_s", "peak_rss_mb", "customer_steps_per_s", "phase_s"}


@dataclass(frozen=True)
class Again:
    """A run made again. remarks: what is no longer as it was; differing: what of its summary and tables is not the same."""

    run: Run
    remarks: list[str]
    differing: list[str]


def replay(folder: str | Path, *, out: str | Path, force: bool = False, progress: Progress | None = None) -> Again:
    """Run a live run again from its journal, write it to another folder, and compare the two.

    progress: called with (simulated seconds done, in all).

    Raises
    ------
    OutputError
        If the folder holds no live run, or one that was killed.
    """
    first = open_run(Path(folder))
    if "live" not in first.manifest:
        raise OutputError(f"{folder} holds no live run; heptagrid serve makes one")
    if first.partial:
        raise OutputError(
            f"{folder}: this live run was killed before it could write its results; there is nothing to compare"
        )
    scenario = scenario_of(first.manifest)
    remarks = remarks_of(first.manifest, scenario)
    outside = Recorded(first.folder / JOURNAL)
    span = live_span(first.manifest, scenario, outside)
    stopped_ns = (
        to_ns(datetime.fromisoformat(first.summary["stopped_at"])) if first.summary["stopped_at"] else span.end_ns
    )
    ensure_kernels()
    with live_folder(Path(out), scenario, span, shlex.join(sys.argv), force) as place:
        shutil.copyfile(first.folder / JOURNAL, place.work / JOURNAL)
        world = build_world(scenario)
        simulation = Simulation(scenario, "smart", span, parts=place.parts, outside=outside)
        simulation.begin(world)
        while simulation.last_step is None or simulation.last_step.end_ns < stopped_ns:
            simulation.step()
            if progress and simulation.steps_done % 64 == 0 and simulation.last_step is not None:
                seconds = (simulation.last_step.end_ns - span.warm_up_ns) // 10**9
                progress(seconds, (stopped_ns - span.warm_up_ns) // 10**9)
        second = place.finish(simulation.world, simulation.finish())
    return Again(second, remarks, differing(first, second))


def differing(first: Run, second: Run) -> list[str]:
    """What of the summaries and the tables of two runs is not the same, but for what is the machine's."""
    found = [
        f"summary {name}"
        for name in first.summary.keys() | second.summary.keys()
        if name not in _OF_THE_MACHINE and _plain(first.summary.get(name)) != _plain(second.summary.get(name))
    ]
    for name in TABLES:
        has = [(one.folder / f"{name}.parquet").exists() for one in (first, second)]
        if has[0] != has[1]:
            found.append(f"table {name}, which one of them has not")
        elif has[0] and not first.table(name).equals(second.table(name)):
            found.append(f"table {name}")
    return sorted(found)


def _plain(value: Any) -> Any:
    """A summary's part without what is the machine's, at any depth."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items() if name not in _OF_THE_MACHINE}
    return [_plain(one) for one in value] if isinstance(value, list) else value
