"""Puts the customers' domain together: what it reads of a scenario, what it finds in the world, and what it makes of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.flexibility import LOCAL_UNITS
from heptagrid.domains.customers import demand, gateways, meters, standing_function
from heptagrid.domains.customers.actor import Customers, Tariffs
from heptagrid.domains.customers.bidding.bidders import Bidders
from heptagrid.domains.customers.bidding.rule import SECTION, BidRule
from heptagrid.domains.customers.device import Device, Surroundings, device_classes
from heptagrid.domains.customers.inverters import Inverters, Rows
from heptagrid.domains.customers.load_model import ZIP, following
from heptagrid.domains.customers.local_units import LocalUnits
from heptagrid.domains.customers.ownership import Ownership, are_households
from heptagrid.domains.customers.presence.homes import PresenceHomes, homes_of
from heptagrid.planes.money.markets import local_auction
from heptagrid.planes.money.tariffs import billing_rules
from heptagrid.planes.money.tariffs.tariff import Offers
from heptagrid.world.clouds.units import Clouds
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.grid import Loads, Profiles, Units
from heptagrid.world.local_markets import LocalMarkets
from heptagrid.world.registrations import Enrolled, Registered
from heptagrid.world.terminals import Terminals
from heptagrid.world.weather import Weather

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """What the domain reads of a scenario.

    devices: the parameters of each class, by name. rules: how each class that bids does so. supplies: the supply terms of each retailer.
    """

    demand: demand.Parameters
    gateways: gateways.Parameters
    meters: meters.Parameters
    inverters: standing_function.Parameters
    devices: Mapping[str, Any]
    local_market: local_auction.Parameters
    rules: Mapping[str, BidRule[Any]]
    offers: Offers
    supplies: Sequence[billing_rules.Parameters]
    zone: ZoneInfo
    seed: int

    @staticmethod
    def of(
        sections: Mapping[str, Any], supplies: Sequence[billing_rules.Parameters], zone: ZoneInfo, seed: int
    ) -> Settings:
        """From the sections of a scenario."""
        return Settings(
            demand=sections["customers"],
            gateways=sections["gateways"],
            meters=sections["meters"],
            inverters=sections["inverters"],
            devices={name: sections[name] for name in device_classes()},
            local_market=sections["local_market"],
            rules={
                name: one.bid_rule(sections.get(SECTION + name))
                for name, one in device_classes().items()
                if one.bid_rule is not None
            },
            offers=Offers.of(sections),
            supplies=supplies,
            zone=zone,
            seed=seed,
        )


@dataclass(frozen=True)
class Site:
    """What the domain finds in the world.

    last_gasp_s: (points,) how long each meter's capacitor lasts. dead_points: metering points that no source feeds at any time. retailer_of: (points,) whose
    customers they are. local_markets: None where there are none. clouds: over photovoltaic units; None where these follow their profiles.
    """

    loads: Loads
    units: Units
    profiles: Profiles
    weather: Weather
    owned: Ownership
    endpoints: Endpoints
    last_gasp_s: Floats
    dead_points: Ints
    retailer_of: Ints
    local_markets: LocalMarkets | None = None
    clouds: Clouds | None = None
    nominal_hz: float = 50.0

    @property
    def points(self) -> int:
        """Metering points: customers, then producers without a load."""
        return len(self.loads.bus) + self.owned.producers


def customers(
    settings: Settings, site: Site, terminals: Terminals, smart: bool, read_all: Sequence[tuple[int, int]] = ()
) -> Customers:
    """The actor of one arm; `read_all` are the times (begin, end) over which all meters are read on demand."""
    loads, units, owned = site.loads, site.units, site.owned
    devices: dict[str, Device[Any]] = {
        name: one.made(settings.devices[name], owned.devices[name], _surroundings(settings, site))
        for name, one in owned.classes.items()
    }
    return Customers(
        terminals,
        owned,
        demand.BaseDemand(
            settings.demand,
            site.profiles,
            np.arange(len(loads.bus)),
            loads.p_kw,
            loads.q_kvar,
            loads.p_profile,
            loads.q_profile,
            settings.seed,
            _homes(settings, site),
        ),
        LocalUnits(site.profiles, units.p_kw, units.profile, owned.unit_point, site.points, site.clouds),
        _inverters(settings.inverters, site, devices),
        devices,
        meters.Meters(
            settings.meters,
            np.arange(site.points),
            site.endpoints,
            settings.seed,
            site.last_gasp_s,
            site.dead_points,
        ),
        Tariffs(settings.offers, settings.supplies, owned.tariff_of, site.retailer_of, settings.zone),
        smart,
        read_all,
        Bidders(site.local_markets, settings.local_market, devices, settings.rules, site.endpoints)
        if smart and site.local_markets
        else None,
        following(are_households(loads)) if settings.demand.load_model == ZIP else None,
    )


def _homes(settings: Settings, site: Site) -> PresenceHomes | None:
    """The households, where they draw what their people do."""
    if settings.demand.homes != demand.PRESENCE:
        return None
    return homes_of(site.loads, site.profiles, are_households(site.loads), site.weather, settings.zone, settings.seed)


def _inverters(parameters: standing_function.Parameters, site: Site, devices: Mapping[str, Device[Any]]) -> Inverters:
    """Of local units, and of each class of devices that has them."""
    classes = {LOCAL_UNITS: Rows(site.owned.unit_point, site.units.p_kw, parameters.local_units)}
    for name, one in devices.items():
        if one.has_inverter:
            classes[name] = Rows(one.owner, np.full(len(one.owner), one.rated_kw), parameters.batteries)
    return Inverters(parameters, classes, site.nominal_hz)


def registered(settings: Settings, site: Site, smart: bool) -> tuple[Registered, ...]:
    """The devices that operations foresees by their standard profiles.

    It leaves to the aggregator what the aggregator expects to draw; enrolled devices of other classes draw as much as they must in any case.
    """
    found = []
    for name, one in site.owned.classes.items():
        parameters, owner = settings.devices[name], site.owned.devices[name]
        mean_kw = one.mean_kw(parameters, _surroundings(settings, site))
        if mean_kw is not None:
            is_left = smart and one.need(parameters) is not None
            steered = site.owned.enrolled[owner] & ~np.isin(owner, _bidding(name, site.local_markets))
            found.append(Registered(owner, is_left & steered, mean_kw))
    return tuple(found)


def enrolled(settings: Settings, owned: Ownership, markets: LocalMarkets | None = None) -> dict[str, Enrolled]:
    """The devices that the aggregator may control, by class: those that bid into a local market follow its price instead."""
    return {
        name: Enrolled(
            np.setdiff1d(owned.enrolled_owners(name), _bidding(name, markets), assume_unique=True),
            one.need(settings.devices[name]),
            one.is_capped,
        )
        for name, one in owned.classes.items()
    }


def _bidding(name: str, markets: LocalMarkets | None) -> Ints:
    """The customers whose devices of a class bid, ascending."""
    nobody = np.empty(0, dtype=np.int64)
    return markets.participants.get(name, nobody) if markets else nobody


def _surroundings(settings: Settings, site: Site) -> Surroundings:
    return Surroundings(site.weather, settings.zone, settings.seed)
