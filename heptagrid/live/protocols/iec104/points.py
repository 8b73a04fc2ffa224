"""The points and controls of stations as information objects.

Addresses of information objects are the same at every station of a class: measured values from 1, indications from 101, step positions from 151, double points from 201, counters
from 301, controls from 1001.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heptagrid.assembly.world import World
from heptagrid.live.protocols.iec104.elements import Type, Value
from heptagrid.live.stations import points
from heptagrid.live.stations.points import POWER, REGULATE, SWITCH, TAP, TARGET, Kind, Read

MEASURED, INDICATED, STEPS = 1, 2, 3
"""Groups of an interrogation; counters have a first group of their own."""
_OBJECTS = {
    Kind.MEASURED: (1, Type.M_ME_NC_1, MEASURED),
    Kind.INDICATED: (101, Type.M_SP_NA_1, INDICATED),
    Kind.STEP: (151, Type.M_ST_NA_1, STEPS),
    Kind.COUNTED: (301, Type.M_IT_NA_1, 1),
}
"""First address, type and group by kind of point."""
_SWITCHES = (201, Type.M_DP_NA_1, INDICATED)
_COMMANDS = {
    TARGET: (1001, Type.C_SE_NC_1),
    POWER: (1001, Type.C_SE_NC_1),
    TAP: (1002, Type.C_RC_NA_1),
    REGULATE: (1003, Type.C_SC_NA_1),
    SWITCH: (1003, Type.C_DC_NA_1),
}
"""Address and type of each control."""
_NEVER = float("inf")


@dataclass(frozen=True, eq=False)
class Point:
    """Something that a station tells. type: without a time tag. deadband: how far a value must move to be told unasked; relative: to the rating. read: (devices,) values."""

    address: int
    type: Type
    group: int
    name: str
    unit: str
    read: Read
    deadband: float = 0.0


@dataclass(frozen=True, eq=False)
class Control:
    """Something that a station can be told to do.

    type: of the command, without a time tag. action: of `heptagrid.live.stations.orders`. low, high: of a set-point. shown_by: the point that a command
    moves.
    """

    address: int
    type: Type
    action: str
    name: str
    unit: str = ""
    low: float = -_NEVER
    high: float = _NEVER
    shown_by: int | None = None

    def accepts(self, kind: int) -> bool:
        """Whether commands of a type are for it; a double command may be given as a single one."""
        return kind == self.type or (self.type == Type.C_DC_NA_1 and kind == Type.C_SC_NA_1)

    def allows(self, kind: int, value: Value, qualifier: int) -> bool:
        """Whether a value and a qualifier of a command can be carried out."""
        if kind == Type.C_SE_NC_1:
            return qualifier & 0x7F == 0 and self.low <= value <= self.high
        is_pulse_known = (qualifier >> 2 & 0x1F) <= 3
        return is_pulse_known and (kind == Type.C_SC_NA_1 or value in (1, 2))

    def value(self, kind: int, value: Value) -> Value:
        """The value of a command as its own type has it: 1 off or lower, 2 on or raise."""
        return value + 1 if kind == Type.C_SC_NA_1 else value


def _both_contacts(read: Read) -> Read:
    """1 where an indication is off, 2 where it is on."""
    return lambda view: 1.0 + read(view)


def _addressed(told: Sequence[points.Point]) -> tuple[Point, ...]:
    """Points with their addresses: those of a kind follow one another."""
    found: list[Point] = []
    for one in told:
        first, type, group = _SWITCHES if one.is_switch else _OBJECTS[one.kind]
        address = first + sum(each.type == type for each in found)
        found.append(
            Point(
                address,
                type,
                group,
                one.name,
                one.unit,
                _both_contacts(one.read) if one.is_switch else one.read,
                one.deadband,
            )
        )
    return tuple(found)


POINTS = {name: _addressed(told) for name, told in points.POINTS.items()}
"""What stations of each class tell."""


def controls_of(world: World, name: str, row: int) -> Sequence[Control]:
    """What a station of a class can be told to do."""
    shown_at = {one.name: one.address for one in POINTS[name]}
    return [
        Control(
            *_COMMANDS[one.action], one.action, one.name, one.unit, one.low, one.high, shown_at.get(one.shown_by or "")
        )
        for one in points.controls_of(world, name, row)
    ]
