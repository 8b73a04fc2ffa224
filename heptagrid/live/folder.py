"""The folder of a live run: it is that of a run, with the journal of what entered from outside."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from heptagrid.assembly.arms import Arm, arm_of
from heptagrid.assembly.job import Job
from heptagrid.assembly.live_span import LiveSpan
from heptagrid.assembly.world import World
from heptagrid.foundation.memory import peak_rss_mb
from heptagrid.foundation.output_file import write_json
from heptagrid.foundation.results_folder import Place, results_folder
from heptagrid.foundation.time import from_ns
from heptagrid.recording.arm_result import ArmResult
from heptagrid.recording.joined import join_arms
from heptagrid.recording.manifest import manifest_of
from heptagrid.recording.results import RUN, Run
from heptagrid.recording.seal import vouching
from heptagrid.recording.summary import summarise
from heptagrid.recording.tables import discard_parts
from heptagrid.scale.run import mark_whole, write_results
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation.journal import JOURNAL, entered

ARM: Arm = arm_of("smart", {})


@contextmanager
def live_folder(
    given: Path | None, scenario: Scenario, span: LiveSpan, command: str, force: bool
) -> Iterator[LiveFolder]:
    """A folder that is marked as that of a run before anything is in it."""
    assert given is not None
    with results_folder(given, RUN, force) as place:
        manifest = manifest_of(scenario, [span], False, [ARM], {}, command)
        manifest["live"] = {"days": span.days, "warm_up_step_s": span.warm_up_step_s}
        write_json(place.work / RUN.mark, vouching(manifest))
        (place.work / "parts").mkdir(exist_ok=True)
        discard_parts(place.work / "parts")
        yield LiveFolder(place, given, scenario, span, manifest)


class LiveFolder:
    """Where a live run writes. parts: for the parts of its tables. work: where the journal goes."""

    def __init__(self, place: Place, given: Path, scenario: Scenario, span: LiveSpan, manifest: dict[str, Any]) -> None:
        self.work, self.parts = place.work, place.work / "parts"
        self._place, self._given, self._scenario, self._span, self._manifest = place, given, scenario, span, manifest
        self._began = time.perf_counter()

    def finish(self, world: World, result: ArmResult) -> Run:
        """Write tables, summary and page of what was run, and say that it is whole."""
        jobs = [Job(ARM, 0, self._span, self.parts, None)]
        joined = join_arms(jobs, [result])
        summary = summarise(self._scenario, world, jobs, joined, {}, False)
        if result.stopped_ns is not None:
            last = from_ns(result.stopped_ns - 1, self._scenario.zone).date()
            days = min((last - self._span.first).days + 1, self._span.days)
            self._manifest["dates"] = [str(self._span.first + timedelta(days=k)) for k in range(days)]
            summary["days"] = days
        summary["live"] = entered(self.work / JOURNAL)
        write_json(self.work / RUN.mark, vouching(self._manifest))
        write_results(self.work, world, joined, summary, self._began, peak_rss_mb())
        self._place.promote()
        mark_whole(self._place.folder, self._manifest)
        return Run(self._given)
