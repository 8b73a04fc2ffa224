"""What was written into a device: its registers, what its levers ask for and until when, and the order that comes of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.inverters import Function, Mode
from heptagrid.foundation.time import NS_PER_MINUTE, NS_PER_S
from heptagrid.live.inverter_functions import Wanted, function_of, taken_back
from heptagrid.live.protocols.modbus.codec import Code, ExceptionResponse
from heptagrid.live.protocols.modbus.curves import COMPLETED, FAILED
from heptagrid.live.protocols.modbus.image import number
from heptagrid.live.protocols.modbus.layout import Point, RegisterMap
from heptagrid.live.protocols.modbus.levers import Asked, Lever, Sets
from heptagrid.live.protocols.modbus.rating import Rating

FALLBACK_NS = 75 * NS_PER_MINUTE
"""After which a device works by itself again when nobody renews what was asked for without an end: the grid's rule for outsiders that fall silent."""


_MOST_STAIRS = 60


class Order(NamedTuple):
    """The powers that a device is ordered by intervals; without any what was ordered is taken back."""

    begin_ns: list[int]
    power_kw: list[float]
    until_ns: int


class Held(NamedTuple):
    """What a lever asks for, and since when. before: what it asked for until then, from which a ramp leads."""

    since_ns: int
    asked: Asked
    before: float | Wanted | None = None

    @property
    def turns_ns(self) -> int:
        """When it ends or is replaced by what comes after."""
        return self.since_ns + (self.asked.for_s * NS_PER_S or FALLBACK_NS)

    @property
    def ends_ns(self) -> int:
        """When nothing is left of it."""
        return self.turns_ns if self.asked.then is None else max(self.turns_ns, self.since_ns + FALLBACK_NS)

    @property
    def stairs_ns(self) -> list[int]:
        """When each stair of the ramp begins, and the last of them ends: a second each, or a sixtieth of the ramp."""
        stairs, ramp_ns = min(self.asked.ramp_s, _MOST_STAIRS), self.asked.ramp_s * NS_PER_S
        if not stairs or self.before == self.asked.what:
            return []
        return [self.since_ns + k * ramp_ns // stairs for k in range(stairs + 1)]

    @property
    def changes_ns(self) -> list[int]:
        """When what it asks for changes, its begin and end included."""
        stairs = [ns for ns in self.stairs_ns if ns < self.turns_ns]
        return sorted({self.since_ns, *stairs, self.turns_ns, self.ends_ns})

    def at(self, ns: int) -> float | Wanted | None:
        """What it asks for at an instant; on a stair the mean of the ramp there."""
        if ns >= self.turns_ns:
            return self.asked.then if ns < self.ends_ns else None
        stairs = self.stairs_ns
        if not stairs or ns >= stairs[-1]:
            return self.asked.what
        share = (sum(one <= ns for one in stairs) - 0.5) / (len(stairs) - 1)
        return _between(self.before, self.asked.what, share)


class Change(NamedTuple):
    """What a write makes of a device's settings. order: None where the write has no effect on its power; functions: that it gives the inverter or takes back, without the device."""

    words: dict[int, int]
    held: dict[int, Held]
    order: Order | None
    functions: tuple[Function, ...] = ()


@dataclass
class Settings:
    """words: written ones, by place. held: what each lever asks for, by its number."""

    words: dict[int, int] = field(default_factory=dict)
    held: dict[int, Held] = field(default_factory=dict)

    def settle(self, layout: RegisterMap, levers: Sequence[Lever], now_ns: int) -> None:
        """Let what is over be over."""
        for k, one in list(self.held.items()):
            lever = levers[k]
            if lever.remaining:
                left_s = max(one.turns_ns - now_ns, 0) // NS_PER_S if one.asked.for_s else 0
                self._set(layout.points[lever.remaining], left_s)
            if now_ns >= one.turns_ns and one.asked.then is not None:
                for name, source in lever.reversion.items():
                    self._copy(layout.points[source], layout.points[name])
            if now_ns >= one.ends_ns:
                del self.held[k]
                for name, raw in lever.released.items():
                    self._set(layout.points[name], raw)

    def _set(self, point: Point, raw: int) -> None:
        self.words.update(words_of(point, raw))

    def _copy(self, source: Point, target: Point) -> None:
        for k in range(source.registers):
            if source.at + k in self.words:
                self.words[target.at + k] = self.words[source.at + k]


def words_of(point: Point, raw: int) -> dict[int, int]:
    """The registers of a point that holds a raw value, by place."""
    data = (raw & (1 << 16 * point.registers) - 1).to_bytes(2 * point.registers, "big")
    return {point.at + k: int.from_bytes(data[2 * k : 2 * k + 2], "big") for k in range(point.registers)}


@dataclass(frozen=True)
class Writer:
    """Judges writes into devices of a kind. is_least: whether the least power that levers ask for holds, and not the last; of functions it is the last."""

    layout: RegisterMap
    levers: Sequence[Lever]
    is_least: bool

    def change(
        self, settings: Settings, before: bytes, at: int, registers: bytes, rating: Rating, now_ns: int
    ) -> Change:
        """What a write of registers from a place on makes of a device, whose registers are `before`.

        Raises
        ------
        ExceptionResponse
            Illegal address: a part of a point, or one that cannot be written. Illegal value: one that the point does not take. Then nothing is changed.
        """
        words, touched = self._judged(before, at, registers, rating)
        after = np.frombuffer(before, dtype=">u2").copy()
        for place, word in words.items():
            after[place] = word
        for k in sorted(touched):
            self._adopt(self.levers[k], words, after)
        held, released = dict(settings.held), set()
        for k in sorted(touched):
            lever = self.levers[k]
            asked = lever.asks(self._getter(after.tobytes()), rating)
            if asked is None:
                held.pop(k, None)
                continue
            earlier = settings.held[k].at(now_ns) if k in settings.held else None
            held[k] = Held(now_ns, asked, asked.start if earlier is None else earlier)
            if lever.sets is not Sets.POWER or not self.is_least:
                for other in [one for one in held if one != k and lever.excludes(self.levers[one])]:
                    del held[other]
                    released.add(self.levers[other].sets)
                    for name, raw in self.levers[other].released.items():
                        words |= words_of(self.layout.points[name], raw)
        concerned = {self.levers[k].sets for k in touched} & {self.levers[k].sets for k in (*held, *settings.held)}
        concerned |= released
        theirs = {one: {k: of for k, of in held.items() if self.levers[k].sets is one} for one in Sets}
        return Change(
            words,
            held,
            self._order(theirs[Sets.POWER], rating, now_ns) if Sets.POWER in concerned else None,
            tuple(_function(theirs[one], one, now_ns) for one in _TAKEN_BACK if one in concerned),
        )

    def _adopt(self, lever: Lever, words: dict[int, int], after: npt.NDArray[np.uint16]) -> None:
        """Where a write asks for it, let written points take the place of those in force."""
        adoption = lever.adoption
        if adoption is None or self.layout.points[adoption.request].at not in words:
            return
        is_whole = adoption.is_whole(self._getter(after.tobytes()))
        changed = words_of(self.layout.points[adoption.result], COMPLETED if is_whole else FAILED)
        for target, source in adoption.copies.items() if is_whole else ():
            to, by = self.layout.points[target], self.layout.points[source]
            changed |= {to.at + k: int(after[by.at + k]) for k in range(by.registers)}
        words |= changed
        for place, word in changed.items():
            after[place] = word

    def _judged(self, before: bytes, at: int, registers: bytes, rating: Rating) -> tuple[dict[int, int], set[int]]:
        """The words that change, and the levers to which they belong."""
        words: dict[int, int] = {}
        touched: set[int] = set()
        place, end = at, at + len(registers) // 2
        while place < end:
            point = self.layout.starting[place]
            if point is None or point.at != place or place + point.registers > end or not point.is_writable:
                raise ExceptionResponse(Code.ILLEGAL_ADDRESS)
            data = registers[2 * (place - at) : 2 * (place - at + point.registers)]
            held = before[2 * place : 2 * (place + point.registers)]
            raw = number(point, data)
            lever = self._lever_of(point)
            if raw is None:
                pass  # "not implemented" written into a point leaves it as it is
            elif lever is not None:
                if not self.levers[lever].allows(point.name, raw, rating):
                    raise ExceptionResponse(Code.ILLEGAL_VALUE)
                words |= words_of(point, raw)
                touched.add(lever)
            elif number(point, held) is None:
                raise ExceptionResponse(Code.ILLEGAL_ADDRESS)  # this device does not implement it
            elif data != held:
                raise ExceptionResponse(Code.ILLEGAL_VALUE)  # a setting that has one value here
            place += point.registers
        return words, touched

    def _lever_of(self, point: Point) -> int | None:
        return next((k for k, one in enumerate(self.levers) if point.name in one.allowed), None)

    def _getter(self, registers: bytes):  # type: ignore[no-untyped-def]
        def get(name: str) -> int:
            point = self.layout.points[name]
            return number(point, registers[2 * point.at : 2 * (point.at + point.registers)]) or 0

        return get

    def _order(self, held: dict[int, Held], rating: Rating, now_ns: int) -> Order:
        """What all levers together ask for from now on."""
        until_ns = max((one.ends_ns for one in held.values()), default=now_ns)
        turns = {ns for one in held.values() for ns in one.changes_ns if now_ns < ns < until_ns}
        begin_ns = sorted({now_ns, *turns})
        power_kw = []
        for ns in begin_ns:
            asked = [kw for one in held.values() if isinstance(kw := one.at(ns), float | int)]
            power_kw.append(min(asked, default=rating.kw if held else 0.0))
        return Order(begin_ns, power_kw, until_ns)


_TAKEN_BACK = {
    Sets.VARS: Mode.UNITY,
    Sets.LIMIT: Mode.VOLT_WATT,
    Sets.FREQUENCY: Mode.FREQUENCY_DROOP,
    Sets.DRAWN: Mode.POWER_FACTOR_DRAWING,
}
"""What levers set by functions, and a mode that sets it."""


def _function(held: dict[int, Held], sets: Sets, now_ns: int) -> Function:
    """What the one lever that sets vars, a limit or an answer asks for from now on; without one it is taken back."""
    for one in held.values():
        begin_ns = [ns for ns in one.changes_ns if ns < one.ends_ns]
        return function_of(begin_ns, [what for ns in begin_ns if isinstance(what := one.at(ns), Wanted)], one.ends_ns)
    return taken_back(_TAKEN_BACK[sets], now_ns)


def _between(before: float | Wanted | None, what: float | Wanted, share: float) -> float | Wanted:
    """What lies between two that a lever asked for; power factors go through 1 where one absorbs and the other injects."""
    if isinstance(what, Wanted):
        if not isinstance(before, Wanted) or not before.is_like(what):
            return what
        if what.mode is not Mode.POWER_FACTOR:
            return what._replace(value=before.value + share * (what.value - before.value))
        begin, end = (math.copysign(1.0 - abs(one), one) for one in (before.value, what.value))
        beyond = begin + share * (end - begin)
        return what._replace(value=math.copysign(1.0 - abs(beyond), beyond))
    return what if before is None or isinstance(before, Wanted) else before + share * (what - before)
