"""Integrated totals of a station: read, frozen, and counted anew (IEC 60870-5-5, 6.9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from heptagrid.live.protocols.iec104.asdu import Cause, Object, packed
from heptagrid.live.protocols.iec104.elements import (
    COUNTER_CARRY,
    COUNTER_INVALID,
    COUNTER_SEQUENCE,
    INVALID,
    Type,
    Value,
)
from heptagrid.live.protocols.iec104.points import Point

_GENERAL = 5
_READ, _FREEZE, _FREEZE_AND_RESET, _RESET = range(4)
_WRAPS = 1 << 32


class Counters:
    """What a station adds to its registers: what was frozen, from where it counts, and how often it was frozen."""

    __slots__ = ("_begins", "_common_address", "_frozen", "_read", "_times")

    def __init__(self, common_address: int, read: Callable[[Point], tuple[Value, int]]) -> None:
        self._common_address, self._read = common_address, read
        self._frozen: dict[int, tuple[int, int]] = {}
        self._begins: dict[int, int] = {}
        self._times = 0

    def asked(self, counters: Sequence[Point], qualifier: int, originator: int) -> list[bytes] | None:
        """What comes of a counter interrogation: ASDUs, none if it only froze or reset; None: there is no such group."""
        request, action = qualifier & 0x3F, qualifier >> 6
        chosen = [one for one in counters if request == _GENERAL or one.group == request]
        if not chosen:
            return None
        if action == _READ:
            cause = Cause.COUNTER_INTERROGATED + (0 if request == _GENERAL else request)
            objects = [Object(one.address, *self._reading(one)) for one in chosen]
            return list(packed(Type.M_IT_NA_1, cause, self._common_address, objects, originator))
        if action != _RESET:
            self._times = (self._times + 1) & COUNTER_SEQUENCE
        for one in chosen:
            if action != _RESET:
                self._frozen[one.address] = self._counted(one)
            if action != _FREEZE:
                self._begins[one.address] = int(self._read(one)[0])
        return []

    def _reading(self, point: Point) -> tuple[int, int]:
        return self._frozen.get(point.address) or self._counted(point)

    def _counted(self, point: Point) -> tuple[int, int]:
        register, quality = self._read(point)
        count = int(register) - self._begins.get(point.address, 0)
        carried = COUNTER_CARRY if count >= _WRAPS // 2 else 0
        return count % _WRAPS, self._times | carried | (COUNTER_INVALID if quality & INVALID else 0)
