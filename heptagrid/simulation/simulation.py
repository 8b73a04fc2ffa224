"""A simulation: one arm of a scenario over one span of days, step by step."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from heptagrid.assembly.arm import ArmGrid, build_arm
from heptagrid.assembly.arms import Arm, arm_of
from heptagrid.assembly.job import Checkpoints
from heptagrid.assembly.modelled_transport import ModelledTransport
from heptagrid.assembly.span import Phase, Span
from heptagrid.assembly.spans import spans_of
from heptagrid.assembly.transport import TransportOver
from heptagrid.assembly.world import World, build_world
from heptagrid.foundation.away import Away, Place
from heptagrid.foundation.clock import Clock, SimulatedClock
from heptagrid.foundation.domains import Kind
from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.memory import peak_rss_mb
from heptagrid.foundation.process_place import ProcessPlace
from heptagrid.foundation.time import Step
from heptagrid.recording.arm_result import ArmResult
from heptagrid.recording.manifest import data_fingerprints
from heptagrid.recording.recorder import PARTS, Recorder
from heptagrid.scenario.checks import SEVERAL
from heptagrid.scenario.events import given_of
from heptagrid.scenario.load import tables_of_parts
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation.boundary import KeptBoundary
from heptagrid.simulation.checkpoint import read_checkpoint, write_checkpoint
from heptagrid.simulation.outside import Outside
from heptagrid.simulation.shards import end_shards, peak_of_shards_mb, share_out

Tick = Callable[[int], bool]

SPARED = (Kind.METER_READING, Kind.SETPOINT, Kind.PRICE)
"""What goes from and to customers by the thousand; the warm-up spares it a network that carries it all."""


class Simulation:
    """One arm over a span: a warm-up day, the counted days, the closing hour.

    In a loop of one's own::

        simulation = heptagrid.Simulation(heptagrid.load("town"), "smart")
        simulation.begin()
        while simulation.step():
            print(simulation.last_step.end_ns, simulation.grid.distribution.flow.infeed_p_kw)
        result = simulation.finish()

    Attributes: `scenario`, `arm`, `span`, `steps_done`, `last_step` (None before the first) and its `phase`; from `begin` on also `world`
    (what all arms share; events that others cause are added to it), `grid` (the seven domains, the transport, the terminals) and `recorder`. What one changes between two steps, the
    next step finds.
    """

    world: World
    grid: ArmGrid
    recorder: Recorder

    def __init__(
        self,
        scenario: Scenario,
        arm: Arm | str = "smart",
        span: Span | None = None,
        *,
        run_day: int = 0,
        parts: Path | None = None,
        spools: bool = False,
        threads: int = 1,
        shards: int = 1,
        clock: Clock | None = None,
        transport_over: TransportOver = ModelledTransport,
        outside: Outside | None = None,
    ) -> None:
        """Set up; nothing is read or built yet.

        Parameters
        ----------
        scenario : what to simulate.
        arm : an arm, or the name of one with intact links ("smart" or "conventional").
        span : the days (default: the scenario's own).
        run_day : tells separate spans of one arm apart.
        parts : a folder for the parts of the tables; None writes none.
        spools : whether these are spools until they are joined (`heptagrid.recording.spool`), for a process that lasts.
        threads : how many it may keep busy; the result is the same. With two, messages travel beside devices, power and sensors.
        shards : over how many processes a city's areas are shared out; the result is the same (`heptagrid.simulation.shards`).
        clock : what paces the steps; None takes as little time as it can.
        transport_over : makes what carries the messages, of the modelled network.
        outside : through whom others enter; None: nobody does.
        """
        self.scenario = scenario
        self.arm = arm_of(arm, {}) if isinstance(arm, str) else arm
        self.span = span or spans_of(scenario)[0]
        self.run_day = run_day
        self.threads = threads
        self.shards = shards
        self.start_place: Callable[[], Place] = ProcessPlace
        self.away: list[Away] = []  # what lives in shards
        self.clock = clock or SimulatedClock()
        self.outside = outside or Outside()
        self.extras: dict[Any, Any] = {}
        self._transport_over = transport_over
        self.steps_done = 0
        self.last_step: Step | None = None
        self.phase = Phase.WARM_UP
        self.seconds = dict.fromkeys(PARTS, 0.0)
        self._parts, self._spools = parts, spools
        self._steps: Iterator[tuple[Phase, Step]] | None = None

    def begin(self, world: World | None = None) -> None:
        """Build the arm at the start of its warm-up day, in a world that has been built already or a new one.

        Raises
        ------
        NetworkError, HeptagridError
            For a network or data that cannot be read.
        """
        self.world = world or build_world(self.scenario)
        self.grid = build_arm(self.scenario, self.world, self.arm, self.span, self.threads, self._transport_over)
        self.recorder = Recorder(self.scenario, self.grid, self.run_day, self.span, self._parts, self._spools)
        self._steps = self.span.steps()
        share_out(self)

    def step(self) -> bool:
        """Run the next step; False if there is none.

        Devices advance, power solves, sensors sample, messages travel, actors decide, the recorder notes. Messages travel beside all that
        comes before, if there is a thread for them and nobody may send before the step's end. In the closing hour nothing moves but
        messages and actors. Where the scenario asks for it the step is divided: power, sensors, messages and actors of the
        fine actors' part of the world go on sub-step by sub-step.

        Raises
        ------
        UsageError
            If the simulation has not begun.
        """
        if self._steps is None:
            raise UsageError("the simulation has not begun; call begin() before step()")
        phase, step = next(self._steps, (None, None))
        if phase is None or step is None:
            return False
        self.outside.prepare(self, step)
        if phase is Phase.COUNTED and self.phase is Phase.WARM_UP:
            self.recorder.begin()
        self.phase = phase
        grid, transport = self.grid, self.grid.transport
        spared_from_ns, spared_until_ns = self.span.spared_ns
        if phase is Phase.WARM_UP and spared_from_ns <= step.start_ns < spared_until_ns:
            for kind in SPARED:
                self.outside.spare(transport, kind, spared_until_ns)
        began = time.perf_counter()
        if phase is not Phase.CLOSING:
            if not grid.windows.cover(step) and not any(one.may_send_within(step) for one in grid.early_senders):
                transport.begin(step.end_ns - 1, self._ahead(step))
            for actor in grid.actors:
                actor.advance(step)
            began = self._lap("devices", began)
            for actor in grid.carriers:
                actor.carry(step)
            began = self._lap("power", began)
            for actor in grid.actors:
                actor.sense(step, transport)
            began = self._lap("sensors", began)
            for substep in grid.windows.substeps(step):
                walk_finely(grid, substep)
                self.recorder.note_finely(phase, substep)
            began = self._lap("sub-steps", began)
            self.recorder.note_flows(phase, step)
            began = self._lap("recorder", began)
        self.outside.meet(self, step)
        self.clock.wait_until(step.end_ns)
        transport.advance(step.end_ns)
        began = self._lap("messages", began)
        for actor in grid.actors:
            actor.act(step, transport.inbox(actor.domain), transport)
        for desk in grid.desks:
            for delivery in transport.inbox(desk.domain):
                desk.receive(delivery)
            desk.work(step, transport)
        began = self._lap("actors", began)
        self.recorder.note(phase, step)
        self._lap("recorder", began)
        self.last_step = step
        self.steps_done += 1
        return True

    def finish(self) -> ArmResult:
        """Add up, assert the conservation laws, and say what the arm came to; also before its end.

        Raises
        ------
        ConservationError
            If energy, messages or money are unaccounted for.
        """
        if self.last_step is not None and self.last_step.end_ns < self.span.last_ns:
            self.recorder.stop(self.last_step)
        result = self.recorder.finish(self.seconds, peak_rss_mb())
        result.shards_peak_rss_mb = peak_of_shards_mb(self)
        self.end()
        return result

    def end(self) -> None:
        """End the processes over which it is shared out, if there are any; it goes no further then."""
        end_shards(self)

    def save(self, path: str | Path) -> None:
        """Write the whole state to a file, from which `restore` goes on to the same last bit.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        write_checkpoint(
            Path(path),
            self.about,
            {
                name: value
                for name, value in vars(self).items()
                if name not in ("_steps", "outside", "start_place", "away")
            },
        )

    @classmethod
    def restore(
        cls,
        path: str | Path,
        *,
        scenario: Scenario | None = None,
        parts: Path | None = None,
        threads: int = 1,
        shards: int = 1,
        start_place: Callable[[], Place] = ProcessPlace,
    ) -> Simulation:
        """The simulation that was saved, ready for its next step. Read only files of your own: they hold objects, as pickles do.

        scenario: what it must be a simulation of; None takes any. parts: where the parts of its tables stand now. threads, shards: as of a new one. start_place: where
        shards live.

        Raises
        ------
        OutputError
            If the file is no checkpoint, damaged, of another heptagrid, or of another scenario.
        """
        simulation = cls.__new__(cls)
        vars(simulation).update(read_checkpoint(Path(path), partial(mismatch, scenario)))
        simulation.threads, simulation.outside = threads, Outside()
        simulation.grid.transport.share(threads)
        simulation.shards, simulation.start_place, simulation.away = shards, start_place, []
        share_out(simulation)
        simulation._steps = islice(simulation.span.steps(), simulation.steps_done, None)
        if parts is not None:
            simulation.recorder.write_to(parts)
        return simulation

    @property
    def about(self) -> dict[str, Any]:
        """What a checkpoint says of itself."""
        return {"name": self.scenario.name, "scenario": fingerprint_of(self.scenario), "arm": self.arm.name}

    def _ahead(self, step: Step) -> list[Callable[[], object]]:
        """What a second thread may do beside a step; without one it is done where it is needed."""
        return [] if self.threads == 1 else list(self.grid.customers.ahead(step))

    def _lap(self, part: str, began: float) -> float:
        now = time.perf_counter()
        self.seconds[part] += now - began
        return now


def mismatch(scenario: Scenario | None, about: dict[str, Any]) -> str | None:
    """Why a checkpoint does not fit a scenario; None if it does, or any will do."""
    if scenario is None or about["scenario"] == fingerprint_of(scenario):
        return None
    return f"is of another scenario, or of {about['name']!r} with other settings or data; start the run over"


def fingerprint_of(scenario: Scenario) -> str:
    """A hash of all that a scenario sets for an arm, and of its data; where its folders stand does not matter."""
    sections = {name: asdict(one) for name, one in scenario.sections.items()}
    rest = {
        field.name: getattr(scenario, field.name)
        for field in fields(scenario)
        if field.name not in ("sections", "bulk_folder", "events", "feeder", "typical_days", *SEVERAL)
    }
    parts = {
        name: {key: value for key, value in table.items() if key != "network"}
        for name, table in tables_of_parts(scenario).items()
    }
    given = json.dumps(
        [sections, rest, parts, given_of(scenario.events), data_fingerprints(scenario)], sort_keys=True, default=str
    )
    return hashlib.sha256(given.encode()).hexdigest()


def walk_finely(grid: ArmGrid, substep: Step) -> None:
    """One sub-step: what the fine actors' devices do, what they measure, what travels meanwhile, and what they decide on."""
    transport = grid.transport
    for actor in grid.fine_actors:
        actor.advance_finely(substep)
    for actor in grid.fine_actors:
        actor.sense_finely(substep, transport)
    arrived = transport.advance_within(substep.end_ns)
    for actor in grid.fine_actors:
        actor.act_finely(substep, arrived[actor.domain], transport)


def run_arm(
    scenario: Scenario,
    arm: Arm,
    run_day: int,
    span: Span,
    parts: Path,
    tick: Tick,
    checkpoints: Checkpoints | None = None,
    threads: int = 1,
    world: World | None = None,
    shards: int = 1,
    start_place: Callable[[], Place] = ProcessPlace,
    boundary: Path | None = None,
) -> ArmResult:
    """Run one arm over a span, from its last checkpoint on if there is one.

    tick: called with the number of steps done; the run stops after a step for which it returns True. world: the scenario's, where it has been built.
    boundary: where what comes to the areas of a city is to be kept; of a run without checkpoints.
    """
    simulation = Simulation(scenario, arm, span, run_day=run_day, parts=parts, threads=threads, shards=shards)
    simulation.start_place = start_place
    if checkpoints is None:
        kept = KeptBoundary()
        if boundary is not None:
            simulation.outside = kept
        simulation.begin(world)
        _go_on(simulation, tick)
        if boundary is not None and simulation.steps_done == span.all_steps:
            kept.write(boundary, simulation)
        return simulation.finish()
    saved, ended = (checkpoints.folder / f"{arm.name}.{run_day:03d}.{word}" for word in ("checkpoint", "result"))
    if ended.exists():
        result: ArmResult = read_checkpoint(ended, partial(mismatch, scenario))
        tick(span.all_steps)
        return result
    if saved.exists():
        simulation = Simulation.restore(
            saved, scenario=scenario, parts=parts, threads=threads, shards=shards, start_place=start_place
        )
    else:
        simulation.begin(world)
        simulation.recorder.write_to(parts)

    def save_if_due(step: Step) -> None:
        if checkpoints.is_due(step):
            simulation.save(saved)

    _go_on(simulation, tick, save_if_due)
    if simulation.steps_done < span.all_steps:
        simulation.save(saved)
        return simulation.finish()
    result = simulation.finish()
    write_checkpoint(ended, simulation.about, result)
    return result


def _go_on(simulation: Simulation, tick: Tick, after: Callable[[Step], Any] = lambda step: None) -> None:
    try:
        while simulation.step():
            assert simulation.last_step is not None
            after(simulation.last_step)
            if tick(simulation.steps_done):
                break
    except BaseException:
        simulation.end()
        raise
