"""What an outsider can speak to: the scenario's devices and sites by class and number, with their place in the communication network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.world import World
from heptagrid.contracts.flexibility import LOCAL_UNITS
from heptagrid.domains.customers.device import device_words
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.errors import UsageError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_ROW = re.compile(r"0|[1-9][0-9]{0,8}")  # a device has one name: no leading zeros, no digits of other scripts
METERS, SUBSTATIONS, PRIMARIES, PLANTS, BUSES = "meters", "substations", "primary_substations", "plants", "buses"


@dataclass(frozen=True)
class DeviceClass:
    """All devices of a class, (n,) each: where each is reached, and at which metering point it stands (-1: none). one: what one is called. rated_kw: 0 where it has none."""

    name: str
    one: str
    domain: Domain
    endpoint: Ints
    point: Ints
    rated_kw: Floats

    def __len__(self) -> int:
        return len(self.endpoint)


@dataclass(frozen=True)
class Device:
    """One device: the `row`-th of its class."""

    of: DeviceClass
    row: int

    @property
    def name(self) -> str:
        """As people and URLs call it, such as "vehicles/17"."""
        return f"{self.of.name}/{self.row}"

    @property
    def endpoint(self) -> int:
        return int(self.of.endpoint[self.row])

    @property
    def point(self) -> int:
        """Its metering point; -1 if it stands at none."""
        return int(self.of.point[self.row])

    @property
    def rated_kw(self) -> float:
        return float(self.of.rated_kw[self.row])


@dataclass(frozen=True)
class Inventory:
    """All classes by name."""

    world: World
    rated_kw: Mapping[str, float]

    @cached_property
    def classes(self) -> dict[str, DeviceClass]:
        """Devices behind the meter by the names of their classes, local units, meters, substations, primary substations, plants, buses."""
        world, at = self.world, self.world.endpoints
        words = device_words()
        found = {}
        for name, owner in world.owned.devices.items():
            rated_kw = np.full(len(owner), self.rated_kw[name])
            found[name] = DeviceClass(name, words[name].one, Domain.CUSTOMERS, at.gateways[owner], owner, rated_kw)
        point = world.owned.unit_point
        found[LOCAL_UNITS] = DeviceClass(
            LOCAL_UNITS, "local unit", Domain.CUSTOMERS, at.gateways[point], point, world.grid.units.p_kw
        )
        points = np.arange(world.points, dtype=np.int64)
        found[METERS] = DeviceClass(METERS, "meter", Domain.CUSTOMERS, at.gateways, points, np.zeros(len(points)))
        substation_kva = world.grid.transformers.sn_mva[world.substations.transformer] * 1000.0
        for name, one, domain, endpoint, rated in (
            (SUBSTATIONS, "substation", Domain.DISTRIBUTION, at.concentrators, substation_kva),
            (PRIMARIES, "primary substation", Domain.DISTRIBUTION, at.hubs, np.zeros(len(at.hubs))),
            (PLANTS, "plant", Domain.GENERATION, at.plants, world.bulk.units.p_max_mw * 1000.0),
            (BUSES, "transmission substation", Domain.TRANSMISSION, at.substations, np.zeros(len(at.substations))),
        ):
            found[name] = DeviceClass(name, one, domain, endpoint, np.full(len(endpoint), -1), rated)
        return found

    @cached_property
    def _endpoint_names(self) -> dict[int, str]:
        at = self.world.endpoints
        found = {at.operations: "operations", at.market: "market"}
        for name, endpoints in (("retailers", at.retailers), ("aggregators", at.aggregators)):
            found |= {int(endpoint): f"{name}/{k}" for k, endpoint in enumerate(endpoints)}
        for name in (METERS, SUBSTATIONS, PRIMARIES, PLANTS, BUSES):
            found |= {int(endpoint): f"{name}/{k}" for k, endpoint in enumerate(self.classes[name].endpoint)}
        return found

    def endpoint_name(self, endpoint: int) -> str:
        """Who is at an endpoint of the communication network, such as "operations", or "meters/17" for all that stands at that metering point."""
        return self._endpoint_names.get(endpoint, f"endpoint {endpoint}")

    def device(self, name: str) -> Device:
        """The device that is called so, such as "vehicles/17".

        Raises
        ------
        UsageError
            If there is none.
        """
        of, _, row = name.partition("/")
        if of not in self.classes:
            raise UsageError(f"there is no class of devices {of!r}; there are {', '.join(self.classes)}")
        count = len(self.classes[of])
        if not _ROW.fullmatch(row) or int(row) >= count:
            raise UsageError(f"there is no {name[:100]!r}; {of} are numbered from 0 to {count - 1}")
        return Device(self.classes[of], int(row))
