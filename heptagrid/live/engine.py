"""The engine: the smart arm of a scenario, stepped in a thread of its own at the pace of a live clock."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

from heptagrid.assembly.live_span import LiveSpan
from heptagrid.assembly.modelled_transport import ModelledTransport
from heptagrid.assembly.span import Phase
from heptagrid.assembly.transport import TransportOver
from heptagrid.assembly.world import World
from heptagrid.foundation.contract import Wave
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_S, Step
from heptagrid.live.crossing import Crossings
from heptagrid.live.day_money import DayMoney
from heptagrid.live.energy import EnergyCounters
from heptagrid.live.heap import trim
from heptagrid.live.message_feed import MessageFeed
from heptagrid.live.pace import Pace
from heptagrid.live.state import State, state_of
from heptagrid.live.traffic import Traffic
from heptagrid.recording.arm_result import ArmResult
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation.changes import applied, openings_of, prepared
from heptagrid.simulation.journal import Entry, Journal
from heptagrid.simulation.outside import Outside
from heptagrid.simulation.simulation import Simulation

TICK_S = 0.004
"""How often messages are let travel on while somebody waits for them, in seconds of the wall clock."""
GATHERED_S = 0.003
"""Messages that come within so much of the last ones wait for each other, in seconds of the wall clock: a wave of many costs little more than one of one."""
PUBLISHED_S = 0.04
"""The state is published no more often than this."""

_log = logging.getLogger(__name__)


class Engine(Outside):
    """Steps one arm for ever; outsiders hand in messages and changes, and read the last solved state.

    state: the last solved one; None before `catch_up`. on_state: told each one that is published, by the engine's thread. traffic: messages so far. feed: messages
    as a stream. is_live: whether it has come to the present. failure: what ended it, if something did.
    """

    def __init__(
        self,
        scenario: Scenario,
        world: World,
        span: LiveSpan,
        pace: Pace,
        journal: Journal,
        parts: Path | None,
        transport_over: TransportOver = ModelledTransport,
    ) -> None:
        """Build the arm; nothing is stepped yet."""
        self.pace, self.journal = pace, journal
        self.state: State | None = None
        self.failure: BaseException | None = None
        self.on_state: list[Callable[[State], None]] = []
        self.is_live = False
        self.crossings = Crossings(self._wake, self._note_message)
        self._changes: list[tuple[Entry, Callable[[Any], None]]] = []
        self._lock = threading.Lock()
        self._is_stopping = threading.Event()
        self._published_at = self._looked_at = 0.0
        self._plane_ns = 0
        self.simulation = Simulation(
            scenario, "smart", span, parts=parts, spools=True, transport_over=transport_over, outside=self
        )
        self.simulation.begin(world)
        transport = self.simulation.grid.transport
        transport.listen(self.crossings)
        self.traffic = Traffic(world.points)
        transport.listen(self.traffic)
        self.feed = MessageFeed(transport.oldest_under_way)
        transport.listen(self.feed)
        self._money = DayMoney(self.simulation.grid)
        self._energy = EnergyCounters(self.simulation.grid)
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Begin to step."""
        self._thread.start()

    def stop(self) -> ArmResult:
        """End after the present step, and add up.

        Raises
        ------
        HeptagridError
            What had ended it before, or a law of conservation that does not hold.
        """
        self.halt()
        if self.failure is not None:
            raise self.failure
        return self.simulation.finish()

    def halt(self) -> None:
        """End after the present step."""
        self._is_stopping.set()
        self._wake()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def change(self, entry: Entry, told: Callable[[Any], None]) -> None:
        """Hand in a change from any thread: it is done before the next step, noted, and `told` is called with None or what was wrong."""
        with self._lock:
            self._changes.append((entry, told))
        self._wake()

    def catch_up(self, present_ns: Callable[[], int]) -> int:
        """Step to the present without anybody outside, and say which instant that is; `present_ns` is asked again and again."""
        simulation = self.simulation
        while simulation.last_step is None or simulation.last_step.end_ns + NS_PER_S <= present_ns():
            if not simulation.step():
                break
        assert simulation.last_step is not None
        self._publish(simulation, simulation.last_step)
        self.is_live = True
        return simulation.last_step.end_ns

    def prepare(self, simulation: Simulation, step: Step) -> None:
        """Wait until the step may begin, and do what was asked for meanwhile."""
        if not self.is_live:
            return
        self.pace.reached(step.start_ns)
        self._plane_ns = max(self._plane_ns, step.start_ns)
        while not self._is_stopping.is_set():
            self._apply_changes(simulation, step)
            due_ns = self.pace.due_ns()
            if due_ns is None or due_ns > step.start_ns:
                break
            self._rest(self.pace.seconds_until(step.start_ns + 1), minds_changes=True)
        prepared(simulation, step)

    def meet(self, simulation: Simulation, step: Step) -> None:
        """Publish the state, and let outsiders' messages in and out until the step's end is due."""
        if simulation.phase is not Phase.CLOSING:
            self._money.count(step, self.is_live)
            self._energy.count(step)
        if not self.is_live:
            return
        if step.end_ns % NS_PER_HOUR == 0:
            trim()
        self._publish(simulation, step)
        transport = simulation.grid.transport
        while not self._is_stopping.is_set():
            self._gather()
            due_ns = self.pace.due_ns()
            now_ns = step.end_ns if due_ns is None else min(due_ns, step.end_ns)
            leave_ns = min(now_ns, step.end_ns - 1) if self.pace.is_paced else self._plane_ns
            self.crossings.send(transport, self._plane_ns, leave_ns)
            if now_ns >= step.end_ns:
                break
            if now_ns > self._plane_ns:
                arrived = transport.advance_within(now_ns)
                self._plane_ns = now_ns
                self.crossings.arrived(chain.from_iterable(arrived.values()))
                self.pace.reached(now_ns)
            until_end_s = self.pace.seconds_until(step.end_ns)
            self._rest(min(until_end_s, TICK_S if self.crossings.is_busy else until_end_s))
        self._plane_ns = step.end_ns
        self.pace.late(step.end_ns)

    def _run(self) -> None:
        try:
            while not self._is_stopping.is_set() and self.simulation.step():
                assert self.simulation.last_step is not None
                self.pace.reached(self.simulation.last_step.end_ns)
        except BaseException as problem:
            self.failure = problem
            _log.exception("the engine has stopped")
        finally:
            self.crossings.end()
            self.pace.end()

    def _publish(self, simulation: Simulation, step: Step) -> None:
        now = time.monotonic()
        if now - self._published_at < PUBLISHED_S and self.pace.is_free:
            return
        self._published_at = now
        sofar = (self.traffic.state(step.start_ns), self._money.state, self._energy.state)
        self.state = state_of(simulation.grid, step, *sofar, openings_of(simulation).places)
        for told in self.on_state:
            told(self.state)

    def _apply_changes(self, simulation: Simulation, step: Step) -> None:
        with self._lock:
            changes, self._changes = self._changes, []
        for entry, told in changes:
            problem = applied(simulation, step, entry.what, entry.given)
            if problem is None:
                self.journal.note(step.index, entry)
            told(problem)

    def _note_message(self, wave: Wave) -> None:
        self.journal.message(self.simulation.steps_done, wave)

    def _gather(self) -> None:
        """Let what comes in quick succession leave together; the first after a pause leaves at once."""
        since_s = time.monotonic() - self._looked_at
        if since_s < GATHERED_S and self.pace.is_paced and self.crossings.has_waiting:
            time.sleep(GATHERED_S - since_s)
        self._looked_at = time.monotonic()

    def _rest(self, seconds: float, *, minds_changes: bool = False) -> None:
        """Wait so long, or until something comes; changes are not minded within a step, for none is made there."""
        if seconds > 0.0:
            with self.pace.changed:
                has_come = self.crossings.has_waiting or (minds_changes and self._changes)
                if not has_come and not self._is_stopping.is_set():
                    self.pace.changed.wait(min(seconds, 1.0))

    def _wake(self) -> None:
        with self.pace.changed:
            self.pace.changed.notify_all()
