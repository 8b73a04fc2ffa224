"""Functions of inverters: how other programs set the reactive power of photovoltaics and batteries, limit their active power by the voltage, and let it answer the frequency."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cache

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.protection import CUSTOMER_CONTROL
from heptagrid.foundation.contract import Contract, each, made, shared
from heptagrid.foundation.domains import Domain, Kind

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_HEAD_BYTES, _INTERVAL_BYTES, _POINT_BYTES = (
    16,
    6,
    4,
)  # mode, priority, response and end; begin and value; the two coordinates of a point in 16 bits each


class Mode(IntEnum):
    """What an inverter does. One of the first five, or POWER_FACTOR_GIVING, sets its reactive power, and POWER_FACTOR_DRAWING that while it is charged; VOLT_WATT limits its active power beside it, and
    FREQUENCY_WATT or FREQUENCY_DROOP lets that answer the frequency.

    UNITY: no reactive power. POWER_FACTOR: a constant one, below 0 absorbing. VAR: constant, of rated kVA. VOLT_VAR: a curve of rated kVA over the voltage in pu.
    WATT_VAR: one over the active power, of its rating. VOLT_WATT: the most active power, of its rating, over the voltage; without points no limit.
    FREQUENCY_WATT: the same over the frequency in Hz. FREQUENCY_DROOP: of IEEE 1547-2018, 6.5.2.7; x are the ends of the dead band below and above, in Hz from nominal, y the droops there,
    and the value is the least power, of its rating. POWER_FACTOR_GIVING: a power factor while active power is given, and 1 while it is drawn; POWER_FACTOR_DRAWING: one
    while it is drawn, whatever else sets vars.
    """

    UNITY = 0
    POWER_FACTOR = 1
    VAR = 2
    VOLT_VAR = 3
    WATT_VAR = 4
    VOLT_WATT = 5
    FREQUENCY_WATT = 6
    FREQUENCY_DROOP = 7
    POWER_FACTOR_GIVING = 8
    POWER_FACTOR_DRAWING = 9


NO_CURVE = np.empty(0)


@dataclass(frozen=True)
class Function:
    """A function that inverters follow by intervals, each from its begin to the next one's, and the last until `until_ns`; without any, what was ordered before is taken back.

    It takes the place of earlier ones that set the same power. value: of power factors, VAR and FREQUENCY_DROOP. x, y: of the curves; vars above 0 are injected. response_s: time to 90 % of a step along a curve of
    the voltage or the frequency. has_watt_priority: beyond the rating it gives up vars, else watts.
    """

    mode: int = shared("of Mode")
    begin_ns: Ints = shared("ns", "int64", "intervals")
    value: Floats = shared("power factor, or of rated kVA", "float64", "intervals")
    x: Floats = shared("pu, of the frequency Hz", "float64", "points")
    y: Floats = shared("pu", "float64", "points")
    response_s: float = shared("s")
    has_watt_priority: int = shared("0 or 1")
    until_ns: int = shared("ns")
    device: Ints = each("", "int64")


def _bytes(payload: Function) -> int:
    return _HEAD_BYTES + _INTERVAL_BYTES * len(payload.begin_ns) + _POINT_BYTES * len(payload.x)


@cache
def function(device: str) -> Contract[Function]:
    """The contract by which another program gives inverters of a class of devices a function."""
    when, sender, receiver = "when another program orders it", Domain.PROVIDERS, Domain.CUSTOMERS
    topic = f"inverter.{device}"
    return made(Function, Kind.SETPOINT, topic, sender, receiver, when, CUSTOMER_CONTROL, _bytes)
