"""Who owns which devices, and who takes part in what.

Each answer is a number drawn for the customer's global id against a share, so a larger share adds owners
without changing those there were, and both arms have the same people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.device import Candidates, Device, device_classes
from heptagrid.foundation.random import Stream, uniforms
from heptagrid.planes.money.tariffs.tariff import Offers
from heptagrid.world.grid import Loads, Units

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_ENROLLED, _TARIFF = 3, 4  # occasions of the stream ENROLMENT


@dataclass(frozen=True)
class Ownership:
    """Customers that own each class of devices in the run, ascending, by name; who is enrolled, and which of the tariffs on offer each has with a smart
    grid, by number, (customers,).

    unit_point: (units,) metering point of each local unit; producers: how many points have no load.
    """

    devices: Mapping[str, Ints]
    enrolled: Bools
    tariff_of: Ints
    unit_point: Ints
    producers: int

    @property
    def classes(self) -> dict[str, type[Device[Any]]]:
        """The classes in the run by name, in the order of their work."""
        return {name: one for name, one in device_classes().items() if name in self.devices}

    def without(self, points: Ints) -> Ownership:
        """The same people, but that some, by metering point, have no devices."""
        return replace(
            self,
            devices={name: np.setdiff1d(owner, points, assume_unique=True) for name, owner in self.devices.items()},
        )

    def enrolled_owners(self, name: str) -> Ints:
        """The owners of a class who let the aggregator control it, ascending."""
        owner = self.devices[name]
        return owner[self.enrolled[owner]]


def ownership(loads: Loads, units: Units, sections: Mapping[str, Any], seed: int) -> Ownership:
    """Draw who owns what, by the sections of a scenario."""
    customers = len(loads.bus)
    unit_point, producers = unit_points(loads, units)
    photovoltaic_kw = np.full(customers + producers, np.inf)
    photovoltaic = np.char.startswith(units.kinds, "PV")
    np.minimum.at(photovoltaic_kw, unit_point[photovoltaic], units.p_kw[photovoltaic])
    candidates = Candidates(are_households(loads), photovoltaic_kw[:customers], seed)
    owners = {name: np.flatnonzero(one.owners(sections[name], candidates)) for name, one in device_classes().items()}
    return Ownership(
        devices={name: one for name, one in owners.items() if len(one) or device_classes()[name].in_every_run},
        enrolled=candidates.drawn(sections["gateways"].enrolled_share, Stream.ENROLMENT, _ENROLLED),
        tariff_of=Offers.of(sections).drawn(
            np.asarray(uniforms(seed, int(Stream.ENROLMENT), np.arange(customers), _TARIFF)), sections
        ),
        unit_point=unit_point,
        producers=producers,
    )


def are_households(loads: Loads) -> Bools:
    """(customers,) those with a household's profile, H0."""
    return np.asarray(np.char.startswith(loads.profile_names, "H0"))


def unit_points(loads: Loads, units: Units) -> tuple[Ints, int]:
    """A unit belongs to the first customer at its bus, else to a producer of its own."""
    buses, first = np.unique(loads.bus, return_index=True)
    where = np.minimum(np.searchsorted(buses, units.bus), len(buses) - 1)
    shared = buses[where] == units.bus
    point = np.where(shared, first[where], -1)
    point[~shared] = len(loads.bus) + np.arange(int((~shared).sum()))
    return point.astype(np.int64), int((~shared).sum())
