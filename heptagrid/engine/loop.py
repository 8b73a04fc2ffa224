"""The step loop: the actors in order, once per coupling step, for one arm over one span of days."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from heptagrid.engine.arms import Arm
from heptagrid.engine.build import ArmGrid, build_arm, build_world
from heptagrid.engine.clock import Phase, Span
from heptagrid.engine.memory import peak_rss_mb
from heptagrid.engine.recorder import ArmResult, Recorder
from heptagrid.foundation.time import Step
from heptagrid.scenario.schema import Scenario

PARTS = ("devices", "power", "sensors", "sub-steps", "messages", "actors", "recorder")

Tick = Callable[[int], bool]


def run_arm(scenario: Scenario, arm: Arm, run_day: int, span: Span, parts: Path, tick: Tick) -> ArmResult:
    """Run one arm over a span: a warm-up day, the counted days, the closing hour.

    tick: called with the number of steps done; the run stops after a step for which it returns True.
    """
    grid = build_arm(scenario, build_world(scenario), arm, span)
    recorder = Recorder(scenario, grid, run_day, span, parts)
    seconds = dict.fromkeys(PARTS, 0.0)
    counting = False
    for phase, step in span.steps():
        if phase is Phase.COUNTED and not counting:
            recorder.begin()
            counting = True
        run_step(grid, step, phase, recorder, seconds)
        if tick(step.index + 1):
            recorder.stop(step)
            break
    return recorder.finish(seconds, peak_rss_mb())


def run_step(grid: ArmGrid, step: Step, phase: Phase, recorder: Recorder, seconds: dict[str, float]) -> None:
    """Devices advance, power solves, sensors sample, messages travel, actors decide, the recorder notes.

    In the closing hour nothing moves but messages and actors. Where the scenario asks for it the step is divided: power,
    sensors, messages and actors of the fine actors' part of the world go on sub-step by sub-step.
    """
    mailbox = grid.mailbox
    began = time.perf_counter()
    if phase is not Phase.CLOSING:
        for actor in grid.actors:
            actor.advance(step)
        began = _lap(seconds, "devices", began)
        for actor in grid.carriers:
            actor.carry(step)
        began = _lap(seconds, "power", began)
        for actor in grid.actors:
            actor.sense(step, mailbox)
        began = _lap(seconds, "sensors", began)
        for substep in grid.windows.substeps(step):
            walk_finely(grid, substep)
            recorder.note_finely(phase, substep)
        began = _lap(seconds, "sub-steps", began)
    mailbox.advance(step.end_ns)
    began = _lap(seconds, "messages", began)
    for actor in grid.actors:
        actor.act(step, mailbox.inbox(actor.domain), mailbox)
    began = _lap(seconds, "actors", began)
    recorder.note(phase, step)
    _lap(seconds, "recorder", began)


def walk_finely(grid: ArmGrid, substep: Step) -> None:
    """One sub-step: what the fine actors' devices do, what they measure, what travels meanwhile, and what they decide on."""
    mailbox = grid.mailbox
    for actor in grid.fine_actors:
        actor.advance_finely(substep)
    for actor in grid.fine_actors:
        actor.sense_finely(substep, mailbox)
    arrived = mailbox.advance_within(substep.end_ns)
    for actor in grid.fine_actors:
        actor.act_finely(substep, arrived[actor.domain], mailbox)


def _lap(seconds: dict[str, float], part: str, began: float) -> float:
    now = time.perf_counter()
    seconds[part] += now - began
    return now
