"""Who owns what: vehicles, heat pumps and batteries by customer, and who takes part in what.

Each answer is a number drawn for the customer's global id against a share, so a larger share adds owners
without changing those there were, and both arms have the same people.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers import batteries, gateways, heat_pumps, vehicles
from heptagrid.foundation.random import Stream, uniforms
from heptagrid.world.grid import Loads, Units

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Question(IntEnum):
    """What is asked of a customer; the occasion of the random number."""

    VEHICLE = 0
    HEAT_PUMP = 1
    BATTERY = 2
    ENROLLED = 3
    DYNAMIC = 4


@dataclass(frozen=True)
class Ownership:
    """Customers that own each device class, ascending; who is enrolled and who has the dynamic tariff, (customers,).

    unit_point: (units,) metering point of each local unit; producers: how many points have no load.
    """

    vehicles: Ints
    heat_pumps: Ints
    batteries: Ints
    enrolled: Bools
    dynamic: Bools
    unit_point: Ints
    producers: int


def ownership(
    loads: Loads,
    units: Units,
    vehicle: vehicles.Parameters,
    heat_pump: heat_pumps.Parameters,
    battery: batteries.Parameters,
    gateway: gateways.Parameters,
    seed: int,
) -> Ownership:
    """Draw who owns what. Households are the loads with an H0 profile."""
    customers = len(loads.bus)
    ids = np.arange(customers, dtype=np.int64)

    def drawn(stream: Stream, question: Question, share: float) -> Bools:
        return np.asarray(uniforms(seed, int(stream), ids, int(question)) < share)

    households = np.char.startswith(loads.profile_names, "H0")
    unit_point, producers = _unit_points(loads, units)
    small = np.zeros(customers + producers, dtype=bool)
    photovoltaic = np.char.startswith(units.kinds, "PV") & (units.p_kw <= battery.largest_unit_kw)
    small[unit_point[photovoltaic]] = True
    return Ownership(
        vehicles=np.flatnonzero(households & drawn(Stream.OWNERSHIP, Question.VEHICLE, vehicle.share)),
        heat_pumps=np.flatnonzero(households & drawn(Stream.OWNERSHIP, Question.HEAT_PUMP, heat_pump.share)),
        batteries=np.flatnonzero(small[:customers] & drawn(Stream.OWNERSHIP, Question.BATTERY, battery.share)),
        enrolled=drawn(Stream.ENROLMENT, Question.ENROLLED, gateway.enrolled_share),
        dynamic=drawn(Stream.ENROLMENT, Question.DYNAMIC, gateway.dynamic_tariff_share),
        unit_point=unit_point,
        producers=producers,
    )


def _unit_points(loads: Loads, units: Units) -> tuple[Ints, int]:
    """A unit belongs to the first customer at its bus, else to a producer of its own."""
    buses, first = np.unique(loads.bus, return_index=True)
    where = np.minimum(np.searchsorted(buses, units.bus), len(buses) - 1)
    shared = buses[where] == units.bus
    point = np.where(shared, first[where], -1)
    point[~shared] = len(loads.bus) + np.arange(int((~shared).sum()))
    return point.astype(np.int64), int((~shared).sum())
