"""An edge node of Sparkplug B: its births and deaths, its devices', their data, and what it is commanded (Eclipse Sparkplug 3.0), without sockets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heptagrid.live.protocols.mqtt.packets import Message
from heptagrid.live.protocols.mqtt.sparkplug import NAMESPACE, Datatype, Metric, decoded, encoded

REBIRTH = "Node Control/Rebirth"
BD_SEQ = "bdSeq"
SETPOINT_KW, SETPOINT_FOR_S = "setpoint_kw", "setpoint_for_s"
_NUMBERS = 256


@dataclass(frozen=True)
class Rebirth:
    """The node is asked to tell again all that it has."""


@dataclass(frozen=True)
class SetPoint:
    """A device is told what to draw. for_s: None if it was not told how long."""

    device: str
    power_kw: float
    for_s: float | None


Command = Rebirth | SetPoint


class EdgeNode:
    """One node. is_born: whether its birth was published over this connection; born: devices whose birth was, since."""

    def __init__(self, group: str, name: str) -> None:
        self.name = name
        self.is_born = False
        self.born: set[str] = set()
        self._group = group
        self._bd_seq = -1
        self._seq = 0

    @property
    def filters(self) -> tuple[str, str]:
        """Topics of its commands."""
        return self._topic("NCMD"), self._topic("DCMD", "+")

    def will(self, at_ms: int) -> Message:
        """What the broker publishes when the connection that is now being made is lost; its number is that of the births within it."""
        self._bd_seq = (self._bd_seq + 1) % _NUMBERS
        self.is_born = False
        self.born.clear()
        return self.death(at_ms)

    def death(self, at_ms: int) -> Message:
        """The node says that it ends."""
        return Message(self._topic("NDEATH"), encoded([self._number], at_ms, None), qos=1)

    def birth(self, metrics: Sequence[Metric], at_ms: int) -> Message:
        """The node's birth, not retained; counting begins again, and its devices are to be born after it."""
        self.is_born, self._seq = True, 0
        self.born.clear()
        own = [self._number, Metric(REBIRTH, Datatype.BOOLEAN, False), *metrics]
        return Message(self._topic("NBIRTH"), encoded(own, at_ms, 0))

    def data(self, metrics: Sequence[Metric], at_ms: int) -> Message:
        """Of the node itself."""
        return Message(self._topic("NDATA"), encoded(metrics, at_ms, self._next()))

    def device_birth(self, device: str, metrics: Sequence[Metric], at_ms: int) -> Message:
        """A device with all its metrics."""
        self.born.add(device)
        return Message(self._topic("DBIRTH", device), encoded(metrics, at_ms, self._next()))

    def device_data(self, device: str, metrics: Sequence[Metric], at_ms: int) -> Message:
        """What has changed of a device."""
        return Message(self._topic("DDATA", device), encoded(metrics, at_ms, self._next()))

    def commanded(self, message: Message) -> Command | None:
        """What a command asks for; None for nothing that is known.

        Raises
        ------
        MalformedError
            If it is no payload.
        """
        levels = message.topic.split("/")
        values = {one.name: one.value for one in decoded(message.payload)}
        if levels[2] == "NCMD":
            return Rebirth() if values.get(REBIRTH) is True else None
        power_kw, for_s = (values.get(name) for name in (SETPOINT_KW, SETPOINT_FOR_S))
        if len(levels) != 5 or not isinstance(power_kw, int | float) or isinstance(power_kw, bool):
            return None
        has_length = isinstance(for_s, int | float) and not isinstance(for_s, bool)
        return SetPoint(levels[4], float(power_kw), float(for_s) if has_length and for_s is not None else None)

    @property
    def _number(self) -> Metric:
        return Metric(BD_SEQ, Datatype.INT64, self._bd_seq)

    def _next(self) -> int:
        self._seq = (self._seq + 1) % _NUMBERS
        return self._seq

    def _topic(self, kind: str, device: str = "") -> str:
        return "/".join((NAMESPACE, self._group, kind, self.name, *([device] if device else [])))
