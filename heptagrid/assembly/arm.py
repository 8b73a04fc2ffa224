"""One arm of a scenario put together: seven domains, their terminals, transport, payments and desks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.arms import Arm
from heptagrid.assembly.desks import Desk, desks_of
from heptagrid.assembly.happenings import of_towns, outages_of, rollouts_of, silences_of, strike, trips_of, windows_of
from heptagrid.assembly.means import means_of
from heptagrid.assembly.modelled_transport import ModelledTransport
from heptagrid.assembly.span import Span
from heptagrid.assembly.transport import SortingTransport, TransportOver
from heptagrid.assembly.world import World
from heptagrid.contracts import market
from heptagrid.contracts.policy import declared
from heptagrid.domains.customers import assembly as customers_assembly
from heptagrid.domains.customers.actor import Customers
from heptagrid.domains.distribution import assembly as distribution_assembly
from heptagrid.domains.distribution.actor import Distribution
from heptagrid.domains.distribution.charges import Charges
from heptagrid.domains.generation import assembly as generation_assembly
from heptagrid.domains.generation.actor import Generation
from heptagrid.domains.markets import assembly as markets_assembly
from heptagrid.domains.markets.actor import Markets
from heptagrid.domains.markets.local_market import LocalMarket
from heptagrid.domains.markets.settlement import Settlement
from heptagrid.domains.operations import assembly as operations_assembly
from heptagrid.domains.operations.actor import Operations
from heptagrid.domains.operations.forecast import Forecast
from heptagrid.domains.providers import assembly as providers_assembly
from heptagrid.domains.providers.actor import Providers
from heptagrid.domains.providers.all_bills import AllBills
from heptagrid.domains.transmission.actor import Transmission
from heptagrid.domains.transmission.assembly import transmission
from heptagrid.foundation.actors import Actor, EarlySender, FineActor
from heptagrid.foundation.registry import registered_desks
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_S, from_ns, market_hours, next_midnight_ns
from heptagrid.foundation.windows import Windows
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.money.ledger import Ledger
from heptagrid.planes.money.means import Means
from heptagrid.scenario.schema import Scenario
from heptagrid.world.bulk import BulkSystem
from heptagrid.world.companies import Companies
from heptagrid.world.registrations import Enrolled
from heptagrid.world.terminals import Terminals

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass
class ArmGrid:
    """One arm, ready to step: its actors in the order of their domains' work, its terminals and transport."""

    world: World
    arm: Arm
    terminals: Terminals
    transport: SortingTransport
    customers: Customers
    distribution: Distribution
    transmission: Transmission
    generation: Generation
    operations: Operations
    markets: Markets
    providers: Providers
    windows: Windows
    desks: Sequence[Desk]
    ledger: Ledger
    charges: Charges
    settlement: Settlement
    bills: AllBills
    local_market: LocalMarket | None = None

    @property
    def actors(self) -> tuple[Actor, ...]:
        """All seven domains, customers first, and the local markets where there are any."""
        return (
            *(self.customers, self.distribution, self.transmission, self.generation),
            *(self.operations, self.markets, self.providers),
            *((self.local_market,) if self.local_market else ()),
        )

    @property
    def carriers(self) -> tuple[Actor, ...]:
        """Those with terminals, from distribution upwards; customers then know what they fed."""
        return self.distribution, self.customers, self.transmission, self.generation

    @property
    def fine_actors(self) -> tuple[FineActor, ...]:
        """Those that are run in sub-steps where `windows` says so: machines and frequency first."""
        return self.generation, self.transmission, self.operations

    @property
    def early_senders(self) -> tuple[EarlySender, ...]:
        """Those whose measurements may leave before a step's end."""
        return self.customers, self.operations

    def price_at(self, ns: int) -> float:
        """The day-ahead price of the hour at `ns`, EUR/MWh."""
        return self.markets.price(ns // NS_PER_HOUR)


def build_arm(
    scenario: Scenario,
    world: World,
    arm: Arm,
    span: Span,
    threads: int = 1,
    transport_over: TransportOver = ModelledTransport,
) -> ArmGrid:
    """One arm at the start of its warm-up day, on a schedule cleared for that day; `transport_over` makes what carries its messages."""
    sections, bulk, at, zone, smart = scenario.sections, world.bulk, world.endpoints, scenario.zone, arm.smart
    terminals = Terminals.at_rest(
        points=world.points,
        units=len(bulk.units.bus),
        buses=len(bulk.bus_numbers),
        infeed_v_pu=sections["dispatch"].infeed_v_pu,
        towns=len(world.towns),
    )
    means, ledger = means_of(scenario, world, arm, span)
    windows = windows_of(scenario, span.start_ns, span.end_ns)
    scan_ns = round(sections["agc"].period_s * NS_PER_S)
    customers = _customers(scenario, world, terminals, smart)
    distribution, charges = _distribution(scenario, world, terminals, smart, means)
    network = transmission(sections, zone, bulk, at, world.town_bus, terminals, windows, scan_ns)
    fleet = generation_assembly.generation(
        generation_assembly.Settings.of(sections, zone, world.grid.frequency_hz),
        bulk,
        world.unit_costs,
        world.town_bus,
        at,
        terminals,
        windows,
        scan_ns,
        trips_of(world.events),
        means,
    )
    forecast, rest_mw = customers_forecast(scenario, world, smart), _RestForecast(bulk, zone)
    towns_mw = _TownsForecast(_towns_forecast(scenario, world), len(world.towns))
    operations = operations_assembly.operations(
        _operations_settings(scenario),
        _operations_site(scenario, world, smart),
        forecast,
        rest_mw,
        towns_mw,
        means,
        fleet.swing.model if fleet.swing else None,
        customers.meters.day,
        span.days,
        rollouts_of(world.events, at),
        smart,
    )
    exchange, settlement = markets_assembly.markets(
        sections,
        markets_assembly.Site(bulk, at, world.town_bus, world.town_of, world.companies),
        operations.metered_days,
        means,
    )
    companies, bills = providers_assembly.providers(
        [one.sections for one in scenario.retailers],
        [one.sections for one in scenario.aggregators],
        zone,
        providers_assembly.Site(world.companies, _enrolled(scenario, world), world.town_of, world.substation_of, at),
        operations.metered_days,
        exchange.price_of_retailer,
        means,
        smart,
    )
    grid = ArmGrid(
        world=world,
        arm=arm,
        terminals=terminals,
        transport=_transport(scenario, world, arm, span, threads, transport_over),
        customers=customers,
        distribution=distribution,
        transmission=network,
        generation=fleet,
        operations=operations,
        markets=exchange,
        providers=companies,
        windows=windows,
        desks=desks_of(scenario, at, means.payments, means.days, smart),
        ledger=ledger,
        charges=charges,
        settlement=settlement,
        bills=bills,
        local_market=markets_assembly.local_market(sections, world.local_markets, world.companies, at, exchange, means)
        if smart and world.local_markets
        else None,
    )
    _start_market(grid, forecast, rest_mw, towns_mw, span)
    return grid


def _transport(
    scenario: Scenario, world: World, arm: Arm, span: Span, threads: int, transport_over: TransportOver
) -> SortingTransport:
    """What carries the arm's messages, with all that events will do to it."""
    topology = world.plan.topology if not len(world.resting) else world.plan.topology.without_areas(world.resting)
    plane = MessagePlane(topology, scenario.seed, arm.break_loss, threads=threads)
    strike(plane, world.events, scenario, world.plan)
    if len(world.dead_points):
        plane.fail(world.endpoints.gateways[world.dead_points], span.warm_up_ns, span.end_ns + 24 * NS_PER_HOUR)
    return transport_over(plane, [*declared(), *(each for desk in registered_desks() for each in desk.contracts)])


def _start_market(
    grid: ArmGrid, forecast: Forecast, rest_mw: _RestForecast, towns_mw: _TownsForecast, span: Span
) -> None:
    """Clear the warm-up day, for which no message could have been sent, and start everybody on it."""
    hours = market_hours(span.warm_up_ns, next_midnight_ns(span.warm_up_ns, span.zone))
    first = hours.start
    customers_kw = [
        forecast.of_retailer(k, 4 * first, 4 * len(hours)).reshape(-1, 4).mean(axis=1)
        for k in range(len(grid.providers.retailers))
    ]
    rest = market.RestForecast(
        first, np.array([rest_mw(hour * NS_PER_HOUR) for hour in hours]), towns_mw(first, len(hours))
    )
    offers = grid.generation.offer(span.warm_up_ns)
    cleared = grid.markets.clear(offers, rest, np.column_stack(customers_kw) / 1000.0)
    grid.generation.start(first, cleared.on, cleared.p_mw)
    grid.operations.bulk_desk.learn_schedule(first, cleared.on, cleared.p_mw)
    for one, price in zip(grid.providers.retailers, grid.markets.prices_of_retailers(cleared).T, strict=True):
        one.retailer.prices.learn(first, price)
    for aggregator in grid.providers.aggregators:
        aggregator.prices.learn(first, cleared.price_eur_per_mwh)
    if grid.local_market and grid.customers.bidders:
        grid.customers.bidders.start(*grid.local_market.start(first, len(hours)))


@dataclass(frozen=True)
class _RestForecast:
    """The other loads' forecast at a time, by bus: RTS-GMLC's load series is a day-ahead forecast, and is what happens."""

    bulk: BulkSystem
    zone: ZoneInfo

    def __call__(self, ns: int) -> Floats:
        return self.bulk.rest_mw(from_ns(ns, self.zone))


@dataclass(frozen=True)
class _TownsForecast:
    """What both arms expect of the towns alike: standard profiles alone, (hours, towns) in MW from a first hour since 1970 on."""

    by_town: Forecast
    towns: int

    def __call__(self, first_hour: int, hours: int) -> Floats:
        kw = [self.by_town.of_retailer(k, 4 * first_hour, 4 * hours) for k in range(self.towns)]
        return np.column_stack([one.reshape(-1, 4).mean(axis=1) for one in kw]) / 1000.0


def _towns_forecast(scenario: Scenario, world: World) -> Forecast:
    """A forecast as without a smart grid, whose customers are told apart by their town."""
    site = _operations_site(scenario, world, smart=False)
    nobody = np.zeros(world.points, dtype=np.int64)
    by_town = Companies(tuple(town.name for town in world.towns), ("",), world.town_of, nobody)
    return operations_assembly.customers_forecast(_operations_settings(scenario), replace(site, companies=by_town))


def customers_forecast(scenario: Scenario, world: World, smart: bool) -> Forecast:
    """Operations' forecast of an arm, from what is registered."""
    return operations_assembly.customers_forecast(
        _operations_settings(scenario), _operations_site(scenario, world, smart)
    )


def _operations_settings(scenario: Scenario) -> operations_assembly.Settings:
    busbar_pu = [town.sections["tap_changer"].target_pu for town in scenario.towns]
    return operations_assembly.Settings.of(scenario.sections, busbar_pu, scenario.zone, scenario.seed)


def _operations_site(scenario: Scenario, world: World, smart: bool) -> operations_assembly.Site:
    grid = world.grid
    capped = np.concatenate(
        [np.empty(0, dtype=np.int64)] + [one.customers for one in _enrolled(scenario, world).values() if one.is_capped]
    )
    return operations_assembly.Site(
        loads=grid.loads,
        units=grid.units,
        profiles=world.profiles,
        unit_point=world.owned.unit_point,
        points=world.points,
        substation_kva=grid.transformers.sn_mva[world.substations.transformer] * 1000.0,
        substation_town=np.repeat(
            np.arange(len(world.towns)), [town.substations.stop - town.substations.start for town in world.towns]
        ),
        bulk=world.bulk,
        unit_costs=world.unit_costs,
        endpoints=world.endpoints,
        registered=customers_assembly.registered(
            _customers_settings(scenario), _customers_site(scenario, world), smart
        ),
        companies=world.companies,
        capped_substations=[
            world.substation_of[capped[world.companies.aggregator_of[capped] == k]]
            for k in range(len(world.companies.aggregators))
        ],
        steered_substations=[world.substation_of[points] for points in world.companies.all_steered],
        has_local_markets=smart and world.local_markets is not None,
    )


def _enrolled(scenario: Scenario, world: World) -> dict[str, Enrolled]:
    """The devices that aggregators may control, by class."""
    return customers_assembly.enrolled(_customers_settings(scenario), world.owned, world.local_markets)


def _customers(scenario: Scenario, world: World, terminals: Terminals, smart: bool) -> Customers:
    read_all = [(one.begin_ns, one.end_ns) for one in world.events if one.kind == "read_all"]
    settings, site = _customers_settings(scenario), _customers_site(scenario, world)
    at_rest = world.points_at_rest
    if len(at_rest):
        dead_points = np.union1d(world.dead_points, at_rest)
        site = replace(site, owned=world.owned.without(at_rest), dead_points=dead_points)
    return customers_assembly.customers(settings, site, terminals, smart, read_all)


def _customers_settings(scenario: Scenario) -> customers_assembly.Settings:
    supplies = tuple(one.sections["tariffs"] for one in scenario.retailers)
    return customers_assembly.Settings.of(scenario.sections, supplies, scenario.zone, scenario.seed)


def _customers_site(scenario: Scenario, world: World) -> customers_assembly.Site:
    grid = world.grid
    return customers_assembly.Site(
        loads=grid.loads,
        units=grid.units,
        profiles=world.profiles,
        weather=world.weather,
        owned=world.owned,
        endpoints=world.endpoints,
        last_gasp_s=of_towns(scenario.towns, "messages.access", "last_gasp_s", world.town_of),
        dead_points=world.dead_points,
        retailer_of=world.companies.retailer_of,
        local_markets=world.local_markets,
        clouds=world.clouds,
        nominal_hz=grid.frequency_hz,
    )


def _distribution(
    scenario: Scenario, world: World, terminals: Terminals, smart: bool, means: Means
) -> tuple[Distribution, Charges]:
    battery_s = of_towns(scenario.towns, "messages.backhaul", "battery_s", world.plan.concentrator_town)
    return distribution_assembly.distribution(
        distribution_assembly.Settings.of(scenario.sections, [town.sections for town in scenario.towns]),
        distribution_assembly.Site(
            towns=world.towns,
            circuit=world.circuit,
            conductors=world.conductors,
            point_terminal=world.point_terminal,
            substations=world.substations,
            endpoints=world.endpoints,
            dead_points=np.union1d(world.dead_points, world.points_at_rest),
            local_markets=world.local_markets,
            resting=world.resting,
        ),
        terminals,
        distribution_assembly.Outages(
            nodes=outages_of(world.events, "nodes"),
            points=outages_of(world.events, "points"),
            silences=silences_of(world.events, "substations", battery_s),
        ),
        means,
        smart,
    )
