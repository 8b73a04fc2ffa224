"""What is ordered of devices over time: parts that lie over one another, and the power that they mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_S

_POWER = {"W": 0.001, "KW": 1.0, "MW": 1000.0}
_ENERGY = {"WH": 0.001, "KWH": 1.0, "MWH": 1000.0}


@dataclass(frozen=True)
class Part:
    """A time in which something is ordered.

    kind: "DISPATCH_SETPOINT", the power that is drawn, "DISPATCH_SETPOINT_RELATIVE", beside what is drawn now, or "CHARGE_STATE_SETPOINT", what is held; other kinds are
    their users' own. unit: of `value`, in capitals: "W", "KW", "MW" or "PERCENT" of the rated power; of a charge "PERCENT", "WH", "KWH" or "MWH".
    ramp_s: in which a set-point is reached from what was before.
    """

    begin_ns: int
    end_ns: int
    kind: str
    value: float
    unit: str = ""
    ramp_s: float = field(default=0.0, kw_only=True)


@dataclass(frozen=True)
class Store:
    """What a device with a store holds and can hold, and how much of what it draws gets there."""

    content_kwh: float
    capacity_kwh: float
    efficiency: float


def painted(layers: Sequence[Sequence[Part]]) -> list[Part]:
    """One list of parts that do not overlap: each layer lies over those before it."""
    found: list[Part] = []
    for layer in layers:
        for one in layer:
            found = [piece for old in found for piece in _without(old, one.begin_ns, one.end_ns)]
            found.append(one)
    return sorted(found, key=lambda one: one.begin_ns)


def next_block(parts: Sequence[Part], now_ns: int) -> list[Part]:
    """The parts from the one that holds now, or comes next, up to the first gap."""
    block: list[Part] = []
    for one in parts:
        if one.end_ns <= now_ns:
            continue
        if block and one.begin_ns != block[-1].end_ns:
            break
        block.append(one)
    return block


def powers(
    block: Sequence[Part],
    now_ns: int,
    rated_kw: float,
    drawn_kw: float,
    store: Store | None,
    from_kw: float | None = None,
) -> list[tuple[int, float]]:
    """The power of a device from each instant on, (begin_ns, power_kw) in order, for a block of set-points. A charge is reached with the rated power and then held. from_kw: where a first ramp begins; None: at what is drawn now."""
    found: list[tuple[int, float]] = []
    before_kw = drawn_kw if from_kw is None else from_kw
    content_kwh = store.content_kwh if store else 0.0
    for part in block:
        begin_ns = max(part.begin_ns, now_ns)
        if part.kind != "CHARGE_STATE_SETPOINT":
            base_kw = drawn_kw if part.kind == "DISPATCH_SETPOINT_RELATIVE" else 0.0
            power_kw = base_kw + in_kw(part, rated_kw)
            found += _stairs(part, begin_ns, found[-1][1] if found else before_kw, power_kw)
            if store:
                content_kwh += _stored_kwh(power_kw, (part.end_ns - begin_ns) / NS_PER_HOUR, store)
                content_kwh = min(max(content_kwh, 0.0), store.capacity_kwh)
        elif store is not None and rated_kw > 0.0:
            wanted_kwh = _wanted_kwh(part, store) - content_kwh
            power_kw = math.copysign(rated_kw, wanted_kwh)
            takes_ns = round(abs(wanted_kwh / _stored_kwh(power_kw, 1.0, store)) * NS_PER_HOUR)
            if takes_ns > 0:
                found.append((begin_ns, power_kw))
            if begin_ns + takes_ns < part.end_ns:
                found.append((begin_ns + takes_ns, 0.0))
            share = min(1.0, (part.end_ns - begin_ns) / takes_ns) if takes_ns else 1.0
            content_kwh += wanted_kwh * share
    return found


def _stairs(part: Part, begin_ns: int, before_kw: float, power_kw: float) -> list[tuple[int, float]]:
    """A set-point, and before it the stairs of its ramp, each with the ramp's mean there: a second long, or a sixtieth of it."""
    until_ns = min(part.begin_ns + round(part.ramp_s * NS_PER_S), part.end_ns)
    if until_ns <= begin_ns or before_kw == power_kw:
        return [(begin_ns, power_kw)]
    count = min(max((until_ns - begin_ns) // NS_PER_S, 1), _MOST_STAIRS)
    shares = [(k + 0.5) / count for k in range(count)]
    found = [
        (begin_ns + k * (until_ns - begin_ns) // count, before_kw + share * (power_kw - before_kw))
        for k, share in enumerate(shares)
    ]
    return [*found, (until_ns, power_kw)] if until_ns < part.end_ns else found


_MOST_STAIRS = 60


def in_kw(part: Part, rated_kw: float) -> float:
    """The power of a part; a percentage is of the rated one."""
    return part.value / 100.0 * rated_kw if part.unit == "PERCENT" else part.value * _POWER.get(part.unit, 1.0)


def _wanted_kwh(part: Part, store: Store) -> float:
    wanted = part.value * _ENERGY[part.unit] if part.unit in _ENERGY else part.value / 100.0 * store.capacity_kwh
    return min(max(wanted, 0.0), store.capacity_kwh)


def _stored_kwh(power_kw: float, hours: float, store: Store) -> float:
    return power_kw * hours * (store.efficiency if power_kw >= 0.0 else 1.0 / store.efficiency)


def _without(part: Part, begin_ns: int, end_ns: int) -> list[Part]:
    """What is left of a part outside a time."""
    before = replace(part, end_ns=min(part.end_ns, begin_ns))
    after = replace(part, begin_ns=max(part.begin_ns, end_ns))
    return [one for one in (before, after) if one.end_ns > one.begin_ns]
