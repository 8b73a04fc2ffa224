"""The places of the message plane in words."""

from __future__ import annotations

from heptagrid.assembly.world import World

_SITES = {
    "operations": "operations' control centre",
    "market": "the market",
}


class Places:
    """Names of places: whose gateway, which substation's concentrator, which site."""

    def __init__(self, world: World) -> None:
        here = world.endpoints
        self._customers = world.customers_count
        self._points = world.points
        self._names: dict[int, str] = {}
        for town in world.towns:
            where = f" in {town.name}" if town.name else ""
            for number in range(town.substations.start, town.substations.stop):
                self._names[int(here.concentrators[number])] = f"concentrator of substation {number}{where}"
        for number, place in enumerate(here.plants):
            self._names[int(place)] = f"plant {number}"
        for number, place in enumerate(here.substations):
            self._names[int(place)] = f"transmission substation {number}"
        self._names |= {int(getattr(here, name)): words for name, words in _SITES.items()}
        for what, names, places in (
            ("retailer", world.companies.retailers, here.retailers),
            ("aggregator", world.companies.aggregators, here.aggregators),
            ("primary substation", [town.name for town in world.towns], here.hubs),
        ):
            for name, place in zip(names, places, strict=True):
                article = "" if what == "primary substation" else "the "
                self._names[int(place)] = f"{what} {name}" if name else f"{article}{what}"
        self._names |= _in_areas(world, self._names)
        self._gateway = {int(place): point for point, place in enumerate(here.gateways)}

    def name(self, place: int) -> str:
        """What stands at a place."""
        point = self._gateway.get(place)
        if point is not None:
            return f"gateway of customer {point}" if point < self._customers else f"gateway of producer {point}"
        return self._names.get(place, "core of the network")

    def point(self, place: int) -> int | None:
        """The metering point whose gateway stands at a place."""
        return self._gateway.get(place)


def _in_areas(world: World, names: dict[int, str]) -> dict[int, str]:
    """What stands at a city's routers and front ends; `names` are those of the sites."""
    areas = world.plan.topology.areas
    if areas is None:
        return {}
    found: dict[int, str] = {}
    for town, fronts in zip(world.towns, areas.front_end[1:].tolist(), strict=True):
        for site, place in enumerate(fronts):
            if place >= 0:
                router = int(world.plan.topology.edges.parent[place])
                found[router] = found[router + 1] = f"router of {town.name}"
                found[place] = f"front end of {names[areas.first_site + site]} in {town.name}"
    return found
