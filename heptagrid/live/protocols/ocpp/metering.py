"""What a charger's readings say of its power, and which readings are of now.

Readings are as 1.6 (texts, `unit`) or 2.0.1 (numbers, `unitOfMeasure`) write them, with what real chargers leave out of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from heptagrid.foundation.time import NS_PER_MINUTE
from heptagrid.live.protocols.ocpp.profiles import VOLTAGE_V, instant_ns

STALE_NS = 15 * NS_PER_MINUTE
"""A reading that is older than the youngest message by more than this is replayed from a queue: the longest usual interval of readings."""


def power_kw(sampled: Iterable[dict[str, Any]]) -> float | None:
    """The power that a list of sampled values says is drawn; None if it says nothing of it."""
    by_phase: dict[str, dict[str, float]] = {}
    for one in sampled:
        value = _number(one)
        if value is None:
            continue
        measurand = str(one.get("measurand", "Energy.Active.Import.Register"))
        phase = str(one.get("phase", ""))[:2]
        by_phase.setdefault(measurand, {}).setdefault(phase, value * _scale(one))
    drawn = _total(by_phase.get("Power.Active.Import"))
    given = _total(by_phase.get("Power.Active.Export"))
    if drawn is not None or given is not None:
        return ((drawn or 0.0) - (given or 0.0)) / 1000.0
    current, volts = by_phase.get("Current.Import"), by_phase.get("Voltage", {})
    if current is None:
        return None
    mean_v = sum(volts.values()) / len(volts) if volts else VOLTAGE_V
    if 300.0 < mean_v < 500.0:
        mean_v /= math.sqrt(3.0)  # between two phases
    return sum(_of_phases(current).values()) * mean_v / 1000.0


def register_kwh(sampled: Iterable[dict[str, Any]]) -> float | None:
    """The energy register, if it is told."""
    for one in sampled:
        is_register = one.get("measurand", "Energy.Active.Import.Register") == "Energy.Active.Import.Register"
        if is_register and not one.get("phase") and (value := _number(one)) is not None:
            return value * _scale(one) / 1000.0
    return None


class Freshness:
    """Which of a charger's messages are of now; its clock may be wrong, but it does not run backwards."""

    def __init__(self) -> None:
        self._youngest_ns: int | None = None
        self._behind_ns: int | None = None  # how far the charger's clock is behind ours, by its youngest message

    def heard(self, timestamp: Any, now_ns: int) -> bool:
        """A message of a time came; whether it is of now, and not from a queue. One without a readable time is."""
        try:
            ns = instant_ns(str(timestamp))
        except (ValueError, OverflowError):
            return True
        behind_ns = now_ns - ns
        if self._behind_ns is None or behind_ns < self._behind_ns:
            self._behind_ns = behind_ns
        is_fresh = behind_ns - self._behind_ns <= STALE_NS and (self._youngest_ns is None or ns >= self._youngest_ns)
        if self._youngest_ns is None or ns > self._youngest_ns:
            self._youngest_ns = ns
        return is_fresh


def _number(one: dict[str, Any]) -> float | None:
    try:
        value = float(one["value"])
    except (KeyError, TypeError, ValueError):
        return None
    return value if math.isfinite(value) and abs(value) < 1e9 else None


def _scale(one: dict[str, Any]) -> float:
    """From the reading's unit to W, Wh, A or V."""
    about = one.get("unitOfMeasure")
    about = about if isinstance(about, dict) else {}
    unit, power = str(one.get("unit", about.get("unit", ""))), about.get("multiplier", 0)
    factor = 1000.0 if unit.startswith("k") else 1.0
    return factor * 10.0 ** (power if isinstance(power, int) and -12 <= power <= 12 else 0)


def _total(phases: dict[str, float] | None) -> float | None:
    """Of all phases: as it was told, or their sum."""
    if not phases:
        return None
    return phases[""] if "" in phases else sum(phases.values())


def _of_phases(phases: dict[str, float]) -> dict[str, float]:
    """Those of conductors; a total beside them, or a neutral, is not one more."""
    found = {name: one for name, one in phases.items() if name and name != "N"}
    return found or phases
