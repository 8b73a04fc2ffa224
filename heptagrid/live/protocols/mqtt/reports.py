"""What devices report: their values by class, when a change is worth a message, and as which metrics and topics."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.flexibility import LOCAL_UNITS
from heptagrid.live.inventory import METERS, SUBSTATIONS, Device, DeviceClass
from heptagrid.live.protocols.mqtt.sparkplug import Datatype, Metric, Value
from heptagrid.live.state import State

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
NOMINAL_V = 230.0
"""Of low voltage (IEC 60038)."""
_DIGITS = 3

Values = dict[str, float | bool]


def power_kw(state: State, of: str) -> Floats:
    """What all devices of a class draw; local units: what they give."""
    if of == METERS:
        return state.point_p_kw
    if of == SUBSTATIONS:
        return state.substation_kw
    return state.unit_kw if of == LOCAL_UNITS else state.devices[of].power_kw


def values_of(state: State, device: Device) -> Values:
    """A device's values by name; one that is not known is not a number."""
    row, of = device.row, device.of.name
    found: Values = {"power_kw": _rounded(power_kw(state, of)[row])}
    if of == METERS:
        found["voltage_v"] = _rounded(state.point_v_pu[row] * NOMINAL_V)
        found["import_kwh"], found["export_kwh"] = _rounded(state.import_kwh[row]), _rounded(state.export_kwh[row])
        found["is_supplied"] = bool(state.point_is_supplied[row])
    elif of == SUBSTATIONS:
        found["voltage_v"] = _rounded(state.substation_v_pu[row] * NOMINAL_V)
        found["loading_pct"] = _rounded(state.substation_pct[row])
    elif of != LOCAL_UNITS:
        one = state.devices[of]
        is_ordered = bool(one.ordered_until_ns[row] > state.at_ns)
        found["content_kwh"] = _rounded(one.content_kwh[row])
        found["is_home"] = bool(one.is_home[row])
        found["setpoint_kw"] = _rounded(one.ordered_kw[row]) if is_ordered else float("nan")
    return found


def _rounded(value: float) -> float:
    return round(float(value), _DIGITS)


def metrics_of(values: Values) -> list[Metric]:
    """As metrics of Sparkplug B; what is not a number is null."""
    return [
        Metric(name, Datatype.BOOLEAN if isinstance(value, bool) else Datatype.DOUBLE, _known(value))
        for name, value in values.items()
    ]


def text_of(value: float | bool) -> bytes:
    """As JSON."""
    return json.dumps(_known(value)).encode()


def _known(value: float | bool) -> Value | None:
    return None if value != value else value


def changed(before: Values | None, now: Values) -> Values:
    """What is not as it was last reported."""
    if before is None:
        return now
    return {name: one for name, one in now.items() if _known(one) != _known(before.get(name, float("nan")))}


@dataclass(frozen=True)
class Rule:
    """When a change is worth a report. longest_ns: of simulated time without one."""

    deadband_kw: float
    deadband_pct: float
    longest_ns: int


class Watch:
    """All devices that report, numbered over their classes: what each last reported, and whose turn it is.

    is_under_way: (devices,) whether a report of it is.
    """

    def __init__(self, classes: Sequence[DeviceClass], rule: Rule) -> None:
        self._classes, self._rule = classes, rule
        self._first = np.cumsum([0, *(len(one) for one in classes)])
        count = int(self._first[-1])
        self._reported_kw = np.full(count, np.nan)
        self._reported_ns = np.zeros(count, dtype=np.int64)
        self.is_under_way = np.zeros(count, dtype=np.bool_)
        self._turn = 0

    def __len__(self) -> int:
        return len(self._reported_kw)

    def device(self, number: int) -> Device:
        """A device by its number."""
        k = int(np.searchsorted(self._first, number, side="right")) - 1
        return Device(self._classes[k], number - int(self._first[k]))

    def number(self, device: Device) -> int:
        """The number of a device."""
        return int(self._first[[one.name for one in self._classes].index(device.of.name)]) + device.row

    def due(self, state: State, now_ns: int, may: Bools, most: int) -> list[int]:
        """So many at most of those that have something to report, are asked to (`may`) and do not yet; all get their turn."""
        now_kw = np.concatenate([power_kw(state, one.name) for one in self._classes]) if self._classes else np.empty(0)
        band = np.maximum(self._rule.deadband_kw, self._rule.deadband_pct / 100.0 * np.abs(self._reported_kw))
        is_due = np.isnan(self._reported_kw) | (np.abs(now_kw - self._reported_kw) > band)
        is_due |= now_ns - self._reported_ns >= self._rule.longest_ns
        found = np.flatnonzero(is_due & may & ~self.is_under_way)
        if not len(found):
            return []
        chosen = np.roll(found, -int(np.searchsorted(found, self._turn)))[:most]
        self._turn = int(chosen[-1]) + 1
        self._reported_kw[chosen], self._reported_ns[chosen] = now_kw[chosen], now_ns
        return [int(one) for one in chosen]

    def forget(self, numbers: Ints | int) -> None:
        """What was reported did not arrive, or is to be told again."""
        self._reported_kw[numbers] = np.nan
