"""An arm of a finished run, run again to the same last bit with an observer that sees every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from heptagrid.assembly.arms import arm_of
from heptagrid.assembly.live_span import LiveSpan
from heptagrid.assembly.span import Phase, Span
from heptagrid.assembly.spans import spans_of
from heptagrid.foundation.compiled.kernel import fingerprint_of_package
from heptagrid.foundation.errors import OutputError, UsageError
from heptagrid.foundation.time import Step
from heptagrid.recording.chosen_arm import chosen_arm
from heptagrid.recording.manifest import data_fingerprints
from heptagrid.recording.results import Run
from heptagrid.scenario.load import rebuilt
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation.journal import JOURNAL, Recorded
from heptagrid.simulation.precompile import ensure_kernels
from heptagrid.simulation.simulation import Simulation

Progress = Callable[[int, int], None]
See = Callable[[Phase, Step], bool]


class Replay(Simulation):
    """One arm of a run over one span of days, ready to be run again; its recorder writes nothing.

    Attributes besides those of a simulation: `run`, and `remarks`: sentences about what differs from the time of the run.
    """

    def __init__(self, run: Run, arm: str | None = None, day: date | str | None = None) -> None:
        """Set up, and build the arm.

        Raises
        ------
        UsageError
            For an arm or a day that the run does not have.
        OutputError
            If the run is too old to say what it was made of, or its data are gone.
        """
        manifest = run.manifest
        self.run = run
        chosen = chosen_arm(manifest, arm)
        scenario = scenario_of(manifest)
        self.remarks = remarks_of(manifest, scenario)
        outside = Recorded(run.folder / JOURNAL) if "live" in manifest else None
        spans = (
            [live_span(manifest, scenario, outside)] if outside else spans_of(scenario, bool(manifest["typical_days"]))
        )
        run_day = _span_of(spans, day)
        super().__init__(scenario, arm_of(chosen, manifest["break"]), spans[run_day], run_day=run_day, outside=outside)
        self.begin()

    def advance(self, see: See, progress: Progress | None = None) -> None:
        """Run from the warm-up on until `see`, called after each step, returns True, or to the end."""
        ensure_kernels()
        while self.step():
            assert self.last_step is not None
            if progress is not None and self.last_step.index % 16 == 0:
                progress(self.last_step.index, self.span.all_steps)
            if see(self.phase, self.last_step):
                break


def live_span(manifest: Mapping[str, Any], scenario: Scenario, outside: Recorded) -> LiveSpan:
    """The span of a live run, with steps as long as they were."""
    live, first = manifest["live"], date.fromisoformat(manifest["dates"][0])
    return LiveSpan(
        first, live["days"], scenario.step_s, live["warm_up_step_s"], scenario.zone, lengths=outside.lengths
    )


def scenario_of(manifest: Mapping[str, Any]) -> Scenario:
    """The scenario that a run's manifest holds, as it was resolved.

    Raises
    ------
    OutputError, ScenarioError
    """
    if "data" not in manifest:
        raise OutputError(
            f"the run was made by heptagrid {manifest.get('version', 'of an older version')}, which did not note its data; run it again"
        )
    networks = {name: Path(folder) for name, folder in manifest["data"]["networks"].items()}
    bulk = Path(manifest["data"]["bulk"])
    for folder in (*networks.values(), bulk):
        if not folder.is_dir():
            raise OutputError(f"the run was made with the data in {folder}, which is no longer there; put it back")
    tables = {
        section: {name: one["value"] for name, one in values.items()}
        for section, values in manifest["scenario"].items()
    }
    typical = tuple((date.fromisoformat(one["date"]), float(one["weight"])) for one in manifest["typical_days"])
    run = {"seed": manifest["seed"], "step_s": manifest["step_s"], "zone": manifest["zone"]}
    if not typical:
        run |= {"start": manifest["dates"][0], "days": len(manifest["dates"])}
    tables["run"] = tables.get("run", {}) | run
    return rebuilt(manifest["name"], networks, bulk, tables | manifest["parts"], typical, manifest["events"])


def remarks_of(manifest: Mapping[str, Any], scenario: Scenario) -> list[str]:
    """What is no longer as it was when the run was made."""
    remarks = []
    if manifest["sources"] != fingerprint_of_package():
        remarks.append(
            f"this heptagrid is not the one that made the run (version {manifest['version']}, other sources, packages or "
            "machine): what is shown is of a run made anew, and may differ from the recorded one"
        )
    now = data_fingerprints(scenario)
    changed = sorted(name for name, one in manifest["data"]["files"].items() if now.get(name) != one)
    if changed:
        remarks.append(f"changed since the run: {', '.join(changed)}; what is shown may differ from the recorded run")
    return remarks


def _span_of(spans: Sequence[Span], day: date | str | None) -> int:
    """The span that a day lies in; the first if none is named."""
    if day is None:
        return 0
    try:
        wanted = date.fromisoformat(str(day))
    except ValueError:
        raise UsageError(f"{day!r} is not a date; write one such as 2016-07-04") from None
    for k, span in enumerate(spans):
        if 0 <= (wanted - span.first).days < span.days:
            return k
    days = [f"{span.first}" if span.days == 1 else f"{span.first} and {span.days - 1} more" for span in spans]
    raise UsageError(f"the run does not cover {wanted}; it covers {', '.join(days)}")
