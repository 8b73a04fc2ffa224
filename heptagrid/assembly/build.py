"""Builds the world of a scenario once, and from it each arm: domains, terminals, message plane, books."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.arms import Arm
from heptagrid.assembly.desks import Desk, desks_of
from heptagrid.assembly.happenings import (
    Happening,
    happenings,
    outages_of,
    rollouts_of,
    silences_of,
    strike,
    trips_of,
    windows_of,
)
from heptagrid.assembly.modelled_transport import ModelledTransport
from heptagrid.assembly.span import Span
from heptagrid.assembly.transport import SortingTransport, TransportOver
from heptagrid.contracts.metering import KEPT_DAYS
from heptagrid.contracts.policy import declared
from heptagrid.domains.customers import assembly as customers_assembly
from heptagrid.domains.customers.actor import Customers
from heptagrid.domains.customers.ownership import Ownership, ownership
from heptagrid.domains.distribution.charges import Charges
from heptagrid.domains.distribution.circuit_lines import CircuitLines
from heptagrid.domains.distribution.domain import Feeders, Substations
from heptagrid.domains.distribution.lines import BusbarRegulatedLines, RegulatedLines
from heptagrid.domains.distribution.sensors import Sensors
from heptagrid.domains.distribution.tap_changer import TapChanger
from heptagrid.domains.generation.domain import Fleet
from heptagrid.domains.generation.fuel import Fuel
from heptagrid.domains.generation.swing import Swing
from heptagrid.domains.markets.domain import Exchange
from heptagrid.domains.markets.settlement import Settlement
from heptagrid.domains.operations.agc import Agc
from heptagrid.domains.operations.bulk_desk import BulkDesk
from heptagrid.domains.operations.customers_desk import CustomersDesk
from heptagrid.domains.operations.domain import Operations
from heptagrid.domains.operations.forecast import Forecast
from heptagrid.domains.operations.meter_store import MeterStore
from heptagrid.domains.operations.metered import MeteredDays, Visits
from heptagrid.domains.operations.scada import Scada
from heptagrid.domains.providers.aggregator import Aggregator
from heptagrid.domains.providers.billing import Billing
from heptagrid.domains.providers.domain import Providers
from heptagrid.domains.providers.flexibility_pay import FlexibilityPay
from heptagrid.domains.providers.retailer import Retailer
from heptagrid.domains.transmission.domain import Network
from heptagrid.foundation.actors import Actor, EarlySender, FineActor
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.payments import PaidDays
from heptagrid.foundation.random import Stream, uniforms
from heptagrid.foundation.registry import registered_desks
from heptagrid.foundation.time import (
    NS_PER_HOUR,
    NS_PER_S,
    from_ns,
    market_hours,
    next_midnight_ns,
)
from heptagrid.foundation.windows import Windows
from heptagrid.importers.extract import read_grid, read_profiles
from heptagrid.importers.network_folder import read_network
from heptagrid.importers.rts import read_bulk
from heptagrid.importers.weather import read_weather
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.planning.network_planner import plan_network
from heptagrid.planes.messages.planning.planned_network import Plan
from heptagrid.planes.money import telecom
from heptagrid.planes.money.ledger import Ledger
from heptagrid.planes.money.posted import PostedPayments
from heptagrid.planes.money.tariffs.tariff import Offers
from heptagrid.planes.money.true_up import Terms
from heptagrid.planes.money.upkeep import DailyUpkeep
from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.planes.power.dynamics.frequency import SwingModel
from heptagrid.planes.power.dynamics.load_shedding import Relays
from heptagrid.planes.power.unbalanced.conductors import Conductors, conductors_of
from heptagrid.planes.power.unbalanced.solver import UnbalancedSolver
from heptagrid.scenario.schema import Scenario
from heptagrid.world.accounts import Accounts
from heptagrid.world.balanced.radial_network import BASE_KVA, RadialNetwork, Tree
from heptagrid.world.bulk import BulkSystem
from heptagrid.world.circuit.circuit import Circuit, terminals_of
from heptagrid.world.circuit.tree import CircuitTree
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.grid import Grid, Profiles, local_transformers
from heptagrid.world.terminals import Terminals
from heptagrid.world.weather import Weather

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SAMPLE = 24  # nodes and customers recorded at every step


@dataclass(frozen=True)
class World:
    """What both arms share: the network, the people, the weather, the bulk system, the places of messages.

    point_node, point_terminal: (points,) where metering points stand, and where they hang on the lines. circuit: whose conductors
    are solved one by one; None where the grid is balanced. conductors: of the circuit. dead_points: metering points that no source feeds.
    """

    grid: Grid
    network: Tree
    profiles: Profiles
    weather: Weather
    bulk: BulkSystem
    owned: Ownership
    point_node: Ints
    point_terminal: Ints
    substations: Substations
    plan: Plan
    endpoints: Endpoints
    sample_nodes: Ints
    sample_customers: Ints
    events: tuple[Happening, ...] = ()
    circuit: Circuit | None = None
    conductors: Conductors | None = None
    dead_points: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def customers_count(self) -> int:
        return len(self.grid.loads.bus)

    @property
    def points(self) -> int:
        """Metering points: customers, then producers without a load."""
        return len(self.point_node)

    @property
    def branch_pct_per_pu(self) -> Floats:
        """(nodes,) loading in percent of the branch above each node, for a current of one per unit."""
        network, grid = self.network, self.grid
        pct = np.zeros(network.nodes)
        base_a = BASE_KVA / np.sqrt(3.0) / network.v_base_kv
        lines = np.flatnonzero(network.line_of_node >= 0)
        pct[lines] = 100.0 * base_a[lines] / (grid.lines.max_i_ka[network.line_of_node[lines]] * 1000.0)
        above = np.flatnonzero(network.transformer_of_node >= 0)
        unit = network.transformer_of_node[above]
        rated_a = grid.transformers.sn_mva[unit] * 1000.0 / np.sqrt(3.0) / grid.transformers.vn_lv_kv[unit]
        pct[above] = 100.0 * base_a[above] / (rated_a * network.parallels[above])
        return pct

    def feeder_head(self, feeder: int) -> str:
        """The name of the line with which a feeder leaves the busbar."""
        line = self.network.line_of_node[self.network.feeder_start[feeder - 1]]
        return str(self.grid.lines.names[line]) if line >= 0 else "a transformer"

    def device_counts(self, smart: bool) -> dict[str, int]:
        """Meters and communication devices of an arm, by item of the price table."""
        if not smart:
            return telecom.conventional_counts(self.points)
        owned = self.owned
        boxes = sum(len(owned.enrolled_owners(name)) for name in owned.devices)
        return telecom.smart_counts(
            meters=self.points,
            access_sites=self.plan.access_sites,
            substations=len(self.substations.node),
            wan_links=3,  # to operations, retailer and aggregator; the market, plants and transmission have theirs in both arms
            line_m=self.plan.line_m,
            control_boxes=boxes,
        )

    def device_prices(self, given: telecom.Parameters) -> telecom.Parameters:
        """The prices of devices and links, with the technologies' own where none is given."""
        access, backhaul, wan = (each.costs for each in (self.plan.access, self.plan.backhaul, self.plan.wan))
        metre_eur = max(access.line_capex_eur_per_km, backhaul.line_capex_eur_per_km) / 1000.0
        own = {
            "access_unit_capex_eur": access.device_capex_eur,
            "access_unit_opex_eur_per_year": access.device_opex_eur_per_year,
            "access_site_capex_eur": access.site_capex_eur,
            "access_site_opex_eur_per_year": access.site_opex_eur_per_year,
            "backhaul_capex_eur": backhaul.device_capex_eur,
            "backhaul_opex_eur_per_year": backhaul.device_opex_eur_per_year,
            "wan_capex_eur": wan.device_capex_eur,
            "wan_opex_eur_per_year": wan.device_opex_eur_per_year,
            "line_m_capex_eur": metre_eur,
        }
        return replace(given, **{key: value for key, value in own.items() if getattr(given, key) == telecom.OWN})


@dataclass
class ArmGrid:
    """One arm, ready to step: its actors in the order of their domains' work, its terminals and transport."""

    world: World
    arm: Arm
    terminals: Terminals
    transport: SortingTransport
    customers: Customers
    feeders: Feeders
    transmission: Network
    fleet: Fleet
    operations: Operations
    exchange: Exchange
    providers: Providers
    windows: Windows
    desks: Sequence[Desk]
    ledger: Ledger
    charges: Charges
    settlement: Settlement
    billing: Billing

    @property
    def actors(self) -> tuple[Actor, ...]:
        """All seven domains, customers first."""
        return (
            *(self.customers, self.feeders, self.transmission, self.fleet),
            *(self.operations, self.exchange, self.providers),
        )

    @property
    def carriers(self) -> tuple[Actor, ...]:
        """Those with terminals, from the customers upwards."""
        return self.feeders, self.transmission, self.fleet

    @property
    def fine_actors(self) -> tuple[FineActor, ...]:
        """Those that are run in sub-steps where `windows` says so: machines and frequency first."""
        return self.fleet, self.transmission, self.operations

    @property
    def early_senders(self) -> tuple[EarlySender, ...]:
        """Those whose measurements may leave before a step's end."""
        return self.customers, self.operations

    def price_at(self, ns: int) -> float:
        """The day-ahead price of the hour at `ns`, EUR/MWh."""
        return self.exchange.price(ns // NS_PER_HOUR)


@lru_cache(maxsize=2)
def _files(folder: str, bulk_folder: str) -> tuple[Grid, Profiles, Weather, BulkSystem]:
    from pathlib import Path

    return (
        read_grid(Path(folder)),
        read_profiles(Path(folder)),
        read_weather(Path(folder)),
        read_bulk(Path(bulk_folder)),
    )


def build_world(scenario: Scenario) -> World:
    """Everything that does not depend on the arm.

    Raises
    ------
    NetworkError, HeptagridError
        For a network that is no tree, or data that cannot be read.
    """
    grid, profiles, weather, bulk = _files(str(scenario.folder), str(scenario.bulk_folder))
    network, circuit = read_network(scenario.folder)
    owned = ownership(grid.loads, grid.units, scenario.sections, scenario.seed)
    lonely = np.flatnonzero(owned.unit_point >= len(grid.loads.bus))
    point_bus = np.concatenate([grid.loads.bus, grid.units.bus[lonely]])
    point_node = network.node_of_bus[point_bus]
    point_terminal = point_node
    conductors, dead_points = None, np.empty(0, dtype=np.int64)
    if circuit is not None:
        loads, units = terminals_of(circuit)
        point_terminal = np.concatenate([loads, units[lonely]])
        conductors = conductors_of(UnbalancedSolver(circuit))
        dead_points = np.flatnonzero(conductors.served_share(circuit.devices)[point_terminal] == 0.0)
    substations = _substations(grid, network)
    nearest = circuit is not None
    has_outages = bool(scenario.events) or len(dead_points) > 0
    plan, endpoints = _places(
        *(scenario, grid, network, bulk, point_bus, point_node, substations, nearest, has_outages)
    )
    return World(
        grid=grid,
        network=network,
        profiles=profiles,
        weather=weather,
        bulk=bulk,
        owned=owned,
        point_node=point_node,
        point_terminal=point_terminal,
        substations=substations,
        plan=plan,
        endpoints=endpoints,
        sample_nodes=_sample(scenario.seed, 0, network.nodes),
        sample_customers=_sample(scenario.seed, 1, len(grid.loads.bus)),
        events=happenings(scenario, network, point_node, substations, plan),
        circuit=circuit,
        conductors=conductors,
        dead_points=dead_points,
    )


def _sample(seed: int, occasion: int, count: int) -> Ints:
    """A random sample of ids, ascending."""
    drawn = np.asarray(uniforms(seed, int(Stream.SAMPLE), np.arange(count), occasion))
    return np.sort(np.argsort(drawn, kind="stable")[:SAMPLE])


def _substations(grid: Grid, network: Tree) -> Substations:
    """Every transformer to low voltage is a substation with a concentrator."""
    local = local_transformers(grid)
    return Substations(transformer=local, node=network.node_of_transformer[local])


def _places(
    scenario: Scenario,
    grid: Grid,
    network: Tree,
    bulk: BulkSystem,
    point_bus: Ints,
    point_node: Ints,
    substations: Substations,
    nearest: bool,
    has_outages: bool,
) -> tuple[Plan, Endpoints]:
    """The communication network over the electrical one's coordinates.

    A metering point belongs to the substation that feeds it, or to the `nearest` one. has_outages: whether any place is ever without supply.
    """
    concentrator_of_node = np.full(network.nodes, -1, dtype=np.int64)
    concentrator_of_node[substations.node] = np.arange(len(substations.node))
    for node in range(1, network.nodes):
        if concentrator_of_node[node] < 0:
            concentrator_of_node[node] = concentrator_of_node[network.parent[node]]
    degrees = np.column_stack([grid.buses.longitude_deg, grid.buses.latitude_deg])
    stations = degrees[grid.transformers.lv_bus[substations.transformer]]
    concentrator = concentrator_of_node[point_node]
    # Customers at medium voltage have no concentrator on their way; they join the nearest one.
    for point in np.flatnonzero((concentrator < 0) | nearest):
        concentrator[point] = int(np.argmin(((stations - degrees[point_bus[point]]) ** 2).sum(axis=1)))
    hub = degrees[network.bus_of_node[network.busbar]]
    # Control centres and plants have no coordinates of their own: they are put at stated distances from the hub.
    sites = {name: (hub[0] + 0.05 * k, hub[1] + 0.1 * k) for k, name in enumerate(_CENTRES, start=1)}
    sites |= {f"plant {k}": (hub[0] + 0.1 * (k % 8), hub[1] - 0.1 * (1 + k // 8)) for k in range(len(bulk.units.bus))}
    sites |= {
        f"substation {k}": (hub[0] - 0.1 * (1 + k % 6), hub[1] + 0.1 * (k // 6)) for k in range(len(bulk.bus_numbers))
    }
    sections = scenario.sections
    plan = plan_network(
        *(
            degrees[point_bus],
            concentrator,
            stations,
        ),
        *((float(hub[0]), float(hub[1])), sites),
        *(sections["messages.access"], sections["messages.backhaul"], sections["messages.wan"]),
        queued=has_outages,
    )
    at = plan.sites
    endpoints = Endpoints(
        gateways=plan.gateways,
        concentrators=plan.concentrators,
        hub=plan.hub,
        operations=at["operations"],
        market=at["market"],
        retailer=at["retailer"],
        aggregator=at["aggregator"],
        plants=np.array([at[f"plant {k}"] for k in range(len(bulk.units.bus))]),
        substations=np.array([at[f"substation {k}"] for k in range(len(bulk.bus_numbers))]),
    )
    return plan, endpoints


_CENTRES = ("operations", "market", "retailer", "aggregator")


def build_arm(
    scenario: Scenario,
    world: World,
    arm: Arm,
    span: Span,
    threads: int = 1,
    transport_over: TransportOver = ModelledTransport,
) -> ArmGrid:
    """One arm at the start of its warm-up day, on a schedule cleared for that day; `transport_over` makes what carries its messages."""
    sections, bulk = scenario.sections, world.bulk
    terminals = Terminals.at_rest(
        world.points, len(bulk.units.bus), len(bulk.bus_numbers), sections["dispatch"].infeed_v_pu
    )
    forecast = town_forecast(scenario, world, arm.smart)
    money = _money(scenario, world, arm, span)
    charges = money.charges()
    read_all = [(one.begin_ns, one.end_ns) for one in world.events if one.kind == "read_all"]
    settings, site = _customers_settings(scenario), _customers_site(world)
    customers = customers_assembly.customers(settings, site, terminals, arm.smart, read_all)
    feeders = _feeders(scenario, world, arm, terminals, charges)
    windows = windows_of(scenario, span.start_ns, span.end_ns)
    scan_ns = round(sections["agc"].period_s * NS_PER_S)
    relays = Relays(sections["load_shedding"]) if windows.spans_ns else None
    transmission = Network(sections["transmission"], terminals, bulk, world.endpoints, scenario.zone, relays, scan_ns)
    swing = _swing(scenario, world, terminals, windows, scan_ns) if windows.spans_ns else None
    fleet = Fleet(
        sections["generation"], terminals, bulk.units, world.endpoints, swing, trips_of(world.events), money.fuel()
    )
    retailer = Retailer(sections["retailer"])
    bulk_desk = BulkDesk(sections["dispatch"], bulk.units, world.endpoints)
    desk = None
    if arm.smart:
        desk = CustomersDesk(sections["head_end"], _meter_store(world, span), forecast, world.endpoints)
    metered_days = MeteredDays(desk or Visits(customers.meters.day), bulk_desk)
    settlement = Settlement(sections["network_fees"], money.days, metered_days, money.payments)
    exchange = Exchange(sections["market"], bulk.units, world.endpoints, settlement)
    operations = Operations(
        *(
            world.endpoints,
            scenario.zone,
            forecast,
            _RestForecast(bulk, scenario.zone),
            bulk_desk,
            metered_days,
            money.days,
        ),
        desk,
        _scada(scenario, world) if arm.smart else None,
        sections["tap_changer"].target_pu,
        rollouts_of(world.events, world.endpoints) if arm.smart else (),
        _agc(scenario, world, swing, bulk_desk),
        money.upkeep(Domain.OPERATIONS),
    )
    billing = Billing(money.terms, money.days, metered_days, money.payments, exchange.price)
    aggregator = Aggregator(sections["aggregator"], customers_assembly.enrolled(settings, world.owned))
    group = world.plan.topology.group
    providers = Providers(
        *(world.endpoints, scenario.zone, retailer, aggregator if arm.smart else None),
        group[world.plan.gateways],
        billing,
        money.flexibility_pay() if arm.smart else None,
        money.upkeep(Domain.PROVIDERS),
    )
    plane = MessagePlane(world.plan.topology, scenario.seed, arm.break_loss, threads=threads)
    strike(plane, world.events, sections, world.endpoints)
    if len(world.dead_points):
        plane.fail(world.endpoints.gateways[world.dead_points], span.warm_up_ns, span.end_ns + 24 * NS_PER_HOUR)
    grid = ArmGrid(
        *(
            world,
            arm,
            terminals,
            transport_over(plane, [*declared(), *(each for desk in registered_desks() for each in desk.contracts)]),
            customers,
            feeders,
            transmission,
            fleet,
            operations,
            exchange,
            providers,
        ),
        windows,
        desks_of(scenario, world.endpoints, money.payments, money.days, arm.smart),
        money.ledger,
        charges,
        settlement,
        billing,
    )
    _start_market(grid, forecast, _RestForecast(bulk, scenario.zone), span)
    return grid


@dataclass(frozen=True)
class _Money:
    """What an arm pays with: the ledger behind the payments, by what points are billed, and what its devices cost a day."""

    scenario: Scenario
    world: World
    smart: bool
    ledger: Ledger
    payments: PostedPayments
    days: PaidDays
    terms: Terms

    def upkeep(self, domain: Domain) -> DailyUpkeep:
        """What a domain pays for its own devices, links and systems."""
        counts = self.world.device_counts(self.smart)
        prices = self.world.device_prices(self.scenario.sections["telecom"])
        opex_eur = telecom.opex_eur(counts, prices, self.terms.years)
        return DailyUpkeep(domain, opex_eur, self.days, self.payments)

    def fuel(self) -> Fuel:
        return Fuel(self.scenario.sections["market"].eur_per_usd, self.days, self.payments)

    def charges(self) -> Charges:
        """What distribution pays."""
        return Charges(
            self.terms.fees,
            self.days,
            self.terms.years,
            self.world.points if self.smart else 0,
            self.payments,
            self.upkeep(Domain.DISTRIBUTION),
        )

    def flexibility_pay(self) -> FlexibilityPay:
        return FlexibilityPay(self.world.points, self.terms.supply, self.terms.fees, self.payments)


def _money(scenario: Scenario, world: World, arm: Arm, span: Span) -> _Money:
    """The arm's payments; all have the flat tariff without a smart grid."""
    tariff_of = np.zeros(world.points, dtype=np.int64)
    if arm.smart:
        tariff_of[: world.customers_count] = world.owned.tariff_of
    terms = Terms(
        offers=Offers.of(scenario.sections),
        tariff_of=tariff_of,
        is_customer=np.arange(world.points) < world.customers_count,
        years=1.0 / (366 if span.first.year % 4 == 0 else 365),
        supply=scenario.sections["tariffs"],
        fees=scenario.sections["network_fees"],
    )
    ledger = Ledger(Accounts(world.points))
    days = PaidDays(scenario.zone, span.warm_up_ns)
    return _Money(scenario, world, arm.smart, ledger, PostedPayments(ledger, span.start_ns), days, terms)


def _meter_store(world: World, span: Span) -> MeterStore:
    """The head end's store; a run shorter than what it keeps has no older reads than its own and the warm-up day's."""
    return MeterStore(world.points, min(KEPT_DAYS, span.days + 1))


def _start_market(grid: ArmGrid, forecast: Forecast, rest_mw: Any, span: Span) -> None:
    """Clear the warm-up day, for which no message could have been sent, and start everybody on it."""
    hours = market_hours(span.warm_up_ns, next_midnight_ns(span.warm_up_ns, span.zone))
    first = hours.start
    town_kw = forecast.town_kw(4 * first, 4 * len(hours)).reshape(-1, 4).mean(axis=1)
    rest = np.array([rest_mw(hour * NS_PER_HOUR) for hour in hours])
    grid.exchange.open_to_all()
    cleared = grid.exchange.clear(first, rest, town_kw / 1000.0)
    grid.fleet.start(first, cleared.on, cleared.p_mw)
    grid.operations.bulk_desk.learn_schedule(first, cleared.on)
    grid.providers.retailer.learn_prices(first, cleared.price_eur_per_mwh)


def _swing(scenario: Scenario, world: World, terminals: Terminals, windows: Windows, scan_ns: int) -> Swing:
    """The bulk system's machines; town and bulk system are one synchronous area, at the town's nominal frequency."""
    settings = scenario.sections["frequency"]
    model = SwingModel(world.bulk.units, settings.droop, world.grid.frequency_hz)
    return Swing(model, windows, settings.load_damping, scan_ns, terminals)


def _agc(scenario: Scenario, world: World, swing: Swing | None, desk: BulkDesk) -> Agc | None:
    if swing is None or not scenario.sections["agc"].enabled:
        return None
    model, load_damping = swing.model, scenario.sections["frequency"].load_damping
    return Agc(
        *(scenario.sections["agc"], world.bulk.units, model.gain_mw_per_hz, load_damping / model.nominal_hz),
        *(desk, world.endpoints),
    )


@dataclass(frozen=True)
class _RestForecast:
    """The other loads' forecast at a time: RTS-GMLC's load series is a day-ahead forecast, and is what happens."""

    bulk: BulkSystem
    zone: ZoneInfo

    def __call__(self, ns: int) -> Any:
        return self.bulk.rest_mw(from_ns(ns, self.zone))


def town_forecast(scenario: Scenario, world: World, smart: bool) -> Forecast:
    """Operations' forecast of an arm, from what is registered."""
    loads, units = world.grid.loads, world.grid.units
    registered = customers_assembly.registered(_customers_settings(scenario), _customers_site(world), smart)
    return Forecast(
        *(scenario.sections["forecast"], world.profiles, loads.p_kw, loads.p_profile, units.p_kw, units.profile),
        *(world.owned.unit_point, world.points, scenario.seed, registered),
    )


def _customers_settings(scenario: Scenario) -> customers_assembly.Settings:
    return customers_assembly.Settings.of(scenario.sections, scenario.zone, scenario.seed)


def _customers_site(world: World) -> customers_assembly.Site:
    grid = world.grid
    return customers_assembly.Site(
        loads=grid.loads,
        units=grid.units,
        profiles=world.profiles,
        weather=world.weather,
        owned=world.owned,
        endpoints=world.endpoints,
        dead_points=world.dead_points,
    )


def _feeders(scenario: Scenario, world: World, arm: Arm, terminals: Terminals, charges: Charges) -> Feeders:
    sections = scenario.sections
    return Feeders(
        *(terminals, _lines(scenario, world), world.point_terminal, world.substations),
        Sensors(sections["sensors"], world.endpoints) if arm.smart else None,
        *(outages_of(world.events, "nodes"), outages_of(world.events, "points")),
        silences_of(world.events, "substations", sections["messages.backhaul"].battery_s),
        world.dead_points,
        charges,
    )


def _lines(scenario: Scenario, world: World) -> RegulatedLines:
    """The lines with what regulates them: a circuit's own controls, or the tap changer of the primary substation."""
    if world.circuit is not None:
        assert isinstance(world.network, CircuitTree)
        sections = scenario.sections
        return CircuitLines(
            *(world.circuit, world.network, sections["dispatch"].infeed_v_pu, sections["tap_changer"].target_pu),
            world.conductors,
        )
    assert isinstance(world.network, RadialNetwork)
    transformers = world.grid.transformers
    regulated = np.flatnonzero(transformers.has_controller)
    first = int(regulated[0])
    changer = TapChanger(
        *(scenario.sections["tap_changer"], int(transformers.tap_pos[first])),
        *(int(transformers.tap_min[first]), int(transformers.tap_max[first])),
    )
    solver = RadialSolver(world.network, world.grid)
    return BusbarRegulatedLines(solver, changer, world.network.busbar, regulated, transformers.tap_pos)


def _scada(scenario: Scenario, world: World) -> Scada:
    rated_kva = world.grid.transformers.sn_mva[world.substations.transformer] * 1000.0
    return Scada(scenario.sections["scada"], len(rated_kva), rated_kva)
