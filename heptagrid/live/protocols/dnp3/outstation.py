"""One outstation: its points, its clock, what was frozen, and the sessions of its masters.

It owns no socket and no clock: values, simulated time and the time of a monotonic clock are given to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heptagrid.live.protocols.dnp3.controls import Order
from heptagrid.live.protocols.dnp3.events import Event
from heptagrid.live.protocols.dnp3.objects import (
    ANALOG_OUTPUT,
    BINARY_OUTPUT,
    COUNTER,
    FROZEN,
    ONLINE,
    Item,
    Value,
    item,
    variation_of,
)
from heptagrid.live.protocols.dnp3.points import CLASSES, EVENTS, Input, Output
from heptagrid.live.stations.points import TAP
from heptagrid.live.stations.selection import Selections

if TYPE_CHECKING:
    from heptagrid.live.protocols.dnp3.session import Session

ALWAYS, ASKED, NEVER = "always", "asked", "never"


@dataclass(frozen=True)
class Rules:
    """How outstations behave; times in seconds of a monotonic clock.

    confirm_s: until a response must be confirmed. retries: of an unsolicited response. unsolicited: whether there are any: `ALWAYS` from the
    first contact on, `ASKED` from when a master first allows them, or `NEVER`. buffer: events that wait for each
    master. select_s: how long a selection holds. most_controls: in a request. keeps_clock: whether the clock stays as it is, and a master's is only confirmed.
    """

    confirm_s: float = 5.0
    retries: int = 3
    unsolicited: str = ASKED
    buffer: int = 1000
    select_s: float = 10.0
    most_controls: int = 16
    keeps_clock: bool = True


class Outstation:
    """What all masters of an outstation share.

    sessions: with its masters, by their addresses. read: an input's value and flags. now_ms: of its clock before it was set, in milliseconds since 1970 UTC. is_well: whether the grid behind it is still being
    solved. order: called with what is to be carried out.
    """

    def __init__(
        self,
        inputs: Sequence[Input],
        outputs: Sequence[Output],
        read: Callable[[Input], tuple[float, int]],
        now_ms: Callable[[], int],
        is_well: Callable[[], bool],
        order: Callable[[Order], None],
        rules: Rules,
    ) -> None:
        self.inputs, self.outputs, self.rules = inputs, outputs, rules
        self.selections = Selections(rules.select_s)
        self.is_well, self.order = is_well, order
        self._read, self._now_ms = read, now_ms
        self.sessions: dict[int, Session] = {}
        self._ahead_ms = 0
        self._was_set = False
        self._recorded_ms: int | None = None
        self._frozen: dict[int, Value] = {}

    @property
    def now_ms(self) -> int:
        """What its clock shows."""
        return self._now_ms() + self._ahead_ms

    @property
    def needs_time(self) -> bool:
        """Whether a master is to set the clock."""
        return not (self.rules.keeps_clock or self._was_set)

    def set_clock(self, ms: int) -> None:
        """A master says what time it is."""
        self._was_set = True
        if not self.rules.keeps_clock:
            self._ahead_ms = ms - self._now_ms()

    def record_time(self) -> None:
        """A master will say what time it is now (10.3.3.4)."""
        self._recorded_ms = self._now_ms()

    def set_recorded(self, ms: int) -> bool:
        """A master says what time it was then; whether there was a then."""
        if self._recorded_ms is None:
            return False
        self.set_clock(ms + self._now_ms() - self._recorded_ms)
        self._recorded_ms = None
        return True

    def restart(self) -> None:
        """Begin anew, for all masters."""
        self._frozen.clear()
        self.selections.clear()
        for one in self.sessions.values():
            one.restarted()

    def freeze(self, indices: Sequence[int]) -> None:
        """Keep the present counts of some counters."""
        for one in self.inputs:
            if one.group == COUNTER and one.index in indices:
                self._frozen[one.index] = Value(*self._read(one), self.now_ms)

    def indices(self, group: int) -> list[int]:
        """The points of a group of present values."""
        if group == FROZEN:
            return sorted(self._frozen)
        if group in (BINARY_OUTPUT, ANALOG_OUTPUT):
            return [one.index for one in self.outputs if one.group == group]
        return [one.index for one in self.inputs if one.group == group]

    def told(self, group: int, variation: int, indices: Sequence[int]) -> list[Item]:
        """Present values of some points, in a variation that there is."""
        if group == FROZEN:
            return [item(group, variation, k, self._frozen[k]) for k in indices]
        if group in (BINARY_OUTPUT, ANALOG_OUTPUT):
            shown = {one.index: self._shown(one) for one in self.outputs if one.group == group}
            return [item(group, variation, k, shown[k]) for k in indices]
        inputs = {one.index: one for one in self.inputs if one.group == group}
        return [item(group, variation, k, Value(*self._read(inputs[k]))) for k in indices]

    def event(self, point: Input, at_ms: int) -> Event | None:
        """That a point has moved, as an event; None for one that has no events."""
        if point.group not in EVENTS:
            return None
        value = Value(*self._read(point), at_ms + self._ahead_ms)
        return Event(EVENTS[point.group], point.index, CLASSES[point.group], value)

    def is_ready(self, output: Output) -> bool:
        """Whether an output can be operated: what shows its state is known."""
        return output.shown_by is None or bool(self._read(output.shown_by)[1] & ONLINE)

    def _shown(self, output: Output) -> Value:
        """The state of an output; one that pulses, or that nothing shows, is off."""
        if output.shown_by is None or output.control.action == TAP:
            return Value(0.0, ONLINE if self.is_ready(output) else 0)
        return Value(*self._read(output.shown_by))


def event_item(event: Event, variation: int = 0) -> Item:
    """An event as an object."""
    chosen = variation_of(event.group, variation)
    assert chosen is not None, "the variation was looked at before"
    return item(event.group, chosen, event.index, event.value, event)
