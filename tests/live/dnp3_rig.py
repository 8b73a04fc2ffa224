"""An outstation of DNP3 without sockets and its master, for tests."""

from __future__ import annotations

from heptagrid.live.inventory import PRIMARIES
from heptagrid.live.protocols.dnp3.application import Function
from heptagrid.live.protocols.dnp3.controls import Order
from heptagrid.live.protocols.dnp3.objects import ANALOG_OUTPUT, BINARY_OUTPUT, ONLINE, RELAY, SET_POINT
from heptagrid.live.protocols.dnp3.outstation import Outstation, Rules
from heptagrid.live.protocols.dnp3.points import INPUTS, Input, Output
from heptagrid.live.protocols.dnp3.session import Session
from heptagrid.live.stations.points import REGULATE, TAP, TARGET, Control
from tests.live.dnp3_master import (
    EVENTS,
    Answer,
    answer,
    request,
)

POINTS = INPUTS[PRIMARIES]
ENABLE, DISABLE, CONFIRM = Function.ENABLE_UNSOLICITED, Function.DISABLE_UNSOLICITED, Function.CONFIRM
CLEAR_RESTART = b"\x50\x01\x00\x07\x07\x00"


class Rig:
    """An outstation with one master, whose time and values a test sets."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.now = 0.0
        self.ms = 1_467_590_400_000
        self.values = {(one.group, one.index): 20.0 + one.index for one in POINTS}
        self.flags = ONLINE
        self.is_well = True
        self.orders: list[Order] = []
        shown = {one.name: one for one in POINTS}
        outputs = [
            Output(
                ANALOG_OUTPUT,
                SET_POINT,
                0,
                Control(TARGET, "", "kV", 18.0, 22.0),
                shown["target of the busbar voltage"],
            ),
            Output(BINARY_OUTPUT, RELAY, 0, Control(TAP, ""), shown["tap position"]),
            Output(BINARY_OUTPUT, RELAY, 1, Control(REGULATE, ""), None),
        ]
        self.outstation = Outstation(
            POINTS, outputs, self._read, lambda: self.ms, lambda: self.is_well, self.orders.append, rules or Rules()
        )
        self.session = self.outstation.sessions[100] = Session(self.outstation)
        self.session.connected()

    def _read(self, point: Input) -> tuple[float, int]:
        return self.values[point.group, point.index], self.flags

    def send(self, sequence: int, function: int, objects: bytes = b"") -> list[Answer]:
        self.session.receive(request(sequence, function, objects), self.now)
        return self.took()

    def confirm(self, sequence: int, *, is_unsolicited: bool = False) -> list[Answer]:
        self.session.receive(request(sequence, CONFIRM, is_unsolicited=is_unsolicited), self.now)
        return self.took()

    def wait(self, seconds: float) -> list[Answer]:
        self.now += seconds
        self.session.tick(self.now)
        return self.took()

    def move(self, group: int, index: int, value: float) -> list[Answer]:
        self.values[group, index] = value
        point = next(one for one in POINTS if (one.group, one.index) == (group, index))
        event = self.outstation.event(point, self.ms)
        assert event is not None
        for one in self.outstation.sessions.values():
            one.tell([event], self.now)
        return self.took()

    def took(self) -> list[Answer]:
        return [answer(one) for one in self.session.take()]

    def heard(self) -> Rig:
        """Unsolicited responses of all classes are allowed, and the first is confirmed."""
        (_, null) = self.send(15, ENABLE, EVENTS)
        assert null.is_unsolicited and not null.objects
        assert not self.confirm(null.sequence, is_unsolicited=True)
        return self
