"""The points and controls of stations as points of DNP3, which are numbered from 0 by group: measured values and step positions are analog inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heptagrid.assembly.world import World
from heptagrid.live.protocols.dnp3.objects import (
    ANALOG,
    ANALOG_EVENT,
    ANALOG_OUTPUT,
    BINARY,
    BINARY_EVENT,
    BINARY_OUTPUT,
    COUNTER,
    RELAY,
    SET_POINT,
)
from heptagrid.live.stations import points
from heptagrid.live.stations.points import POWER, TARGET, Control, Kind, Read

EVENTS = {BINARY: BINARY_EVENT, ANALOG: ANALOG_EVENT}
"""Groups of events by groups of present values."""
CLASSES = {BINARY: 1, ANALOG: 2}
"""The class of events; counters have none, and are polled."""
_GROUPS = {Kind.MEASURED: ANALOG, Kind.STEP: ANALOG, Kind.INDICATED: BINARY, Kind.COUNTED: COUNTER}


@dataclass(frozen=True, eq=False)
class Input:
    """A point that is told. group: of its present value. deadband, read: as in `heptagrid.live.stations.points`."""

    group: int
    index: int
    name: str
    unit: str
    read: Read
    deadband: float


@dataclass(frozen=True, eq=False)
class Output:
    """A control. group: of its status; ordered_by: group of its commands. shown_by: the input that shows what it does, None if none does."""

    group: int
    ordered_by: int
    index: int
    control: Control
    shown_by: Input | None


def _inputs(told: Sequence[points.Point]) -> tuple[Input, ...]:
    found: list[Input] = []
    for one in told:
        group = _GROUPS[one.kind]
        index = sum(each.group == group for each in found)
        found.append(Input(group, index, one.name, one.unit, one.read, one.deadband))
    return tuple(found)


INPUTS = {name: _inputs(told) for name, told in points.POINTS.items()}
"""What outstations of each class tell."""


def outputs_of(world: World, name: str, row: int) -> list[Output]:
    """What an outstation of a class can be told to do."""
    shown = {one.name: one for one in INPUTS[name]}
    found: list[Output] = []
    for one in points.controls_of(world, name, row):
        is_analog = one.action in (TARGET, POWER)
        groups = (ANALOG_OUTPUT, SET_POINT) if is_analog else (BINARY_OUTPUT, RELAY)
        index = sum(each.group == groups[0] for each in found)
        found.append(Output(*groups, index, one, shown.get(one.shown_by or "")))
    return found
