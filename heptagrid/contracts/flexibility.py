"""What passes between operations, an aggregator and the devices that it controls."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.protection import BUSINESS, CUSTOMER_CONTROL
from heptagrid.foundation.contract import Contract, each, made, shared
from heptagrid.foundation.domains import Domain, Kind

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]

LOCAL_UNITS = "local_units"
"""What orders call photovoltaics and other units behind the meter; an order is the highest power that they give."""

_MOVED_BYTES = 12  # metering point, register and set-point, four bytes each


@dataclass(frozen=True)
class Signal:
    """What a device is to follow: the signal of its group, valid for so many quarter hours."""

    group: Ints = each("", "int64")
    signals: Floats32 = shared("kW", "float32", "groups", "quarters")
    first_quarter: int = shared("quarter hours since 1970")
    valid_quarters: int = shared("quarter hours")


@dataclass(frozen=True)
class Order:
    """The power that a device shall draw by intervals, each from its begin to the next one's, and the last until `until_ns`; below 0 it gives. It takes the place of earlier ones."""

    begin_ns: Ints = shared("ns", "int64", "intervals")
    power_kw: Floats = shared("kW", "float64", "intervals")
    until_ns: int = shared("ns")
    device: Ints = each("", "int64")


@dataclass(frozen=True)
class Cap:
    """The highest charging power until a time."""

    cap_kw: Floats = each("kW")
    until_ns: Ints = each("ns", "int64")


@dataclass(frozen=True)
class Moved:
    """The registers of what the devices of an aggregator's customers moved on request, as last read before a quarter hour begins, and the set-points that asked."""

    until_quarter: int = shared("quarter hours since 1970")
    point: Ints = shared("", "int64", "points")
    moved_kwh: Floats = shared("kWh", "float64", "points")
    asked_by: Ints = shared("message", "int64", "points")


@dataclass(frozen=True)
class Expected:
    """What an aggregator expects its devices to draw."""

    first_quarter: int = shared("quarter hours since 1970")
    expected_kw: Floats = shared("kW", "float64", "quarters")


@dataclass(frozen=True)
class Relief:
    """How much power is to be given up behind a transformer, and for how long."""

    substation: Ints = each("", "int64")
    excess_kw: Floats = each("kW")
    for_s: float = shared("s")


_P, _C, _O = Domain.PROVIDERS, Domain.CUSTOMERS, Domain.OPERATIONS


@cache
def signal(device: str) -> Contract[Signal]:
    """The contract by which the aggregator controls a class of devices."""
    return made(Signal, Kind.SETPOINT, f"signal.{device}", _P, _C, "each hour", CUSTOMER_CONTROL)


@cache
def order(device: str) -> Contract[Order]:
    """The contract by which another program orders the power of devices of a class one by one."""
    return made(Order, Kind.SETPOINT, f"order.{device}", _P, _C, "when another program orders it", CUSTOMER_CONTROL)


def _moved_bytes(payload: Moved) -> int:
    return _MOVED_BYTES * len(payload.point)


MOVED = Contract(Moved, Kind.TELEMETRY, "moved", _O, _P, "00:45", BUSINESS, size=_moved_bytes)
CAP = Contract(Cap, Kind.SETPOINT, "cap", _P, _C, "on a request for relief", CUSTOMER_CONTROL)
EXPECTED = Contract(Expected, Kind.SCHEDULE, "flexibility", _P, _O, "each hour", BUSINESS)
RELIEF = Contract(Relief, Kind.ALARM, "relief", _O, _P, "while a transformer is loaded too highly", BUSINESS)
