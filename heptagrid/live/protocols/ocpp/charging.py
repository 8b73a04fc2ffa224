"""What the limits of a charge point make of its vehicle's power, and what its meter shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from heptagrid.foundation.time import NS_PER_MINUTE, NS_PER_S
from heptagrid.live.protocols.ocpp.profiles import VOLTAGE_V, Interval
from heptagrid.live.roles import SILENT_NS

LAPSE_NS = SILENT_NS
"""How long a set-point outlives the CSMS that was last heard, as that of any program outside; then the built-in behaviour holds again."""
RENEWED_NS = 15 * NS_PER_MINUTE
"""After this a set-point that still holds is ordered again, while the CSMS is heard: the settlement period."""
DRAWS_KW = 0.05
"""Above this a vehicle charges: assumption, below is what its electronics draw."""
FULL_PCT = 99.9
"""Above this a battery is full."""


class Seen(NamedTuple):
    """What the grid shows of a vehicle and its charger. energy_kwh: its register. voltage_v: of a phase."""

    is_home: bool
    power_kw: float
    soc_pct: float
    energy_kwh: float
    voltage_v: float = VOLTAGE_V

    @property
    def is_full(self) -> bool:
        return self.soc_pct >= FULL_PCT

    @property
    def meter_wh(self) -> int:
        return round(self.energy_kwh * 1000.0)


@dataclass
class SetPoint:
    """What is to be ordered: the power from each begin to the next one's, and the last until `until_ns`; with nothing in it earlier orders are taken back.

    again_ns: when it is to be asked for again, if nothing happens before.
    """

    begin_ns: list[int] = field(default_factory=list)
    power_kw: list[float] = field(default_factory=list)
    until_ns: int = 0
    again_ns: int = 0


def barred(now_ns: int) -> SetPoint:
    """The vehicle may not draw."""
    return SetPoint([now_ns], [0.0], now_ns + LAPSE_NS, now_ns + RENEWED_NS)


def unbound(now_ns: int) -> SetPoint:
    """Nothing is asked of the vehicle."""
    return SetPoint(until_ns=now_ns, again_ns=now_ns + RENEWED_NS)


def following(limits: Sequence[Interval], rated_kw: float, now_ns: int) -> SetPoint:
    """The vehicle draws what the limits let it, from the first limit until the next gap in them, or as long as an order may hold."""
    found = unbound(now_ns)
    for one in limits:
        if one.limit_kw is not None:
            found.begin_ns.append(one.begin_ns)
            found.power_kw.append(min(one.limit_kw, rated_kw))
            found.until_ns = now_ns + LAPSE_NS
        elif found.begin_ns:
            found.until_ns, found.again_ns = one.begin_ns, min(found.again_ns, one.begin_ns)
            break
    return found


def written(limits: Sequence[Interval], rated_kw: float, unit: str, now_ns: int) -> list[dict[str, Any]]:
    """The periods of a composite schedule as both versions write them."""
    found = []
    for one in limits:
        kw = rated_kw if one.limit_kw is None else min(one.limit_kw, rated_kw)
        limit = kw * 1000.0 / (1.0 if unit == "W" else 3.0 * VOLTAGE_V)
        start_s = (one.begin_ns - now_ns) // NS_PER_S
        found.append({"startPeriod": start_s, "limit": round(limit, 1), "numberPhases": 3})
    return found


def readings(seen: Seen, offered_kw: float, measurands: Sequence[str]) -> dict[str, tuple[float, str]]:
    """Value and unit of each measurand."""
    power_w = max(seen.power_kw, 0.0) * 1000.0
    values = {
        "Energy.Active.Import.Register": (round(seen.energy_kwh * 1000.0, 1), "Wh"),
        "Power.Active.Import": (round(power_w, 1), "W"),
        "SoC": (round(seen.soc_pct, 1), "Percent"),
        "Voltage": (round(seen.voltage_v, 1), "V"),
        "Current.Import": (round(power_w / (3.0 * seen.voltage_v), 2) if seen.voltage_v > 1.0 else 0.0, "A"),
        "Current.Offered": (round(offered_kw * 1000.0 / (3.0 * VOLTAGE_V), 1), "A"),
        "Power.Offered": (round(offered_kw * 1000.0, 1), "W"),
    }
    return {one: values[one] for one in measurands if one in values}


def activity(seen: Seen, limit_kw: float | None) -> str:
    """What a transaction does, in the words of both versions: charges, or who makes it wait."""
    if seen.power_kw > DRAWS_KW:
        return "Charging"
    return "SuspendedEVSE" if limit_kw is not None and limit_kw <= DRAWS_KW and not seen.is_full else "SuspendedEV"
