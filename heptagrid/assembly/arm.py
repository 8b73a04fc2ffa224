"""One arm of a scenario put together: seven domains, their terminals, transport, payments and desks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.arm_money import arm_money
from heptagrid.assembly.arms import Arm
from heptagrid.assembly.desks import Desk, desks_of
from heptagrid.assembly.happenings import (
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
from heptagrid.assembly.world import World
from heptagrid.contracts.metering import KEPT_DAYS
from heptagrid.contracts.policy import declared
from heptagrid.domains.customers import assembly as customers_assembly
from heptagrid.domains.customers.actor import Customers
from heptagrid.domains.distribution.actor import Distribution
from heptagrid.domains.distribution.charges import Charges
from heptagrid.domains.distribution.circuit_lines import CircuitLines
from heptagrid.domains.distribution.lines import BusbarRegulatedLines, RegulatedLines
from heptagrid.domains.distribution.sensors import Sensors
from heptagrid.domains.distribution.tap_changer import TapChanger
from heptagrid.domains.generation.actor import Generation
from heptagrid.domains.generation.swing import Swing
from heptagrid.domains.markets.actor import Markets
from heptagrid.domains.markets.settlement import Settlement
from heptagrid.domains.operations.actor import Operations
from heptagrid.domains.operations.agc import Agc
from heptagrid.domains.operations.bulk_desk import BulkDesk
from heptagrid.domains.operations.customers_desk import CustomersDesk
from heptagrid.domains.operations.forecast import Forecast
from heptagrid.domains.operations.meter_store import MeterStore
from heptagrid.domains.operations.metered import MeteredDays, Visits
from heptagrid.domains.operations.scada import Scada
from heptagrid.domains.providers.actor import Providers
from heptagrid.domains.providers.aggregator import Aggregator
from heptagrid.domains.providers.billing import Billing
from heptagrid.domains.providers.retailer import Retailer
from heptagrid.domains.transmission.actor import Transmission
from heptagrid.foundation.actors import Actor, EarlySender, FineActor
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.registry import registered_desks
from heptagrid.foundation.time import (
    NS_PER_HOUR,
    NS_PER_S,
    from_ns,
    market_hours,
    next_midnight_ns,
)
from heptagrid.foundation.windows import Windows
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.money.ledger import Ledger
from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.planes.power.dynamics.frequency import SwingModel
from heptagrid.planes.power.dynamics.load_shedding import Relays
from heptagrid.scenario.schema import Scenario
from heptagrid.world.balanced.radial_network import RadialNetwork
from heptagrid.world.bulk import BulkSystem
from heptagrid.world.circuit.tree import CircuitTree
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
    billing: Billing

    @property
    def actors(self) -> tuple[Actor, ...]:
        """All seven domains, customers first."""
        return (
            *(self.customers, self.distribution, self.transmission, self.generation),
            *(self.operations, self.markets, self.providers),
        )

    @property
    def carriers(self) -> tuple[Actor, ...]:
        """Those with terminals, from the customers upwards."""
        return self.distribution, self.transmission, self.generation

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
    sections, bulk = scenario.sections, world.bulk
    terminals = Terminals.at_rest(
        world.points, len(bulk.units.bus), len(bulk.bus_numbers), sections["dispatch"].infeed_v_pu
    )
    forecast = town_forecast(scenario, world, arm.smart)
    money = arm_money(scenario, world, arm, span)
    charges = money.charges()
    read_all = [(one.begin_ns, one.end_ns) for one in world.events if one.kind == "read_all"]
    settings, site = _customers_settings(scenario), _customers_site(world)
    customers = customers_assembly.customers(settings, site, terminals, arm.smart, read_all)
    feeders = _feeders(scenario, world, arm, terminals, charges)
    windows = windows_of(scenario, span.start_ns, span.end_ns)
    scan_ns = round(sections["agc"].period_s * NS_PER_S)
    relays = Relays(sections["load_shedding"]) if windows.spans_ns else None
    transmission = Transmission(
        sections["transmission"], terminals, bulk, world.endpoints, scenario.zone, relays, scan_ns
    )
    swing = _swing(scenario, world, terminals, windows, scan_ns) if windows.spans_ns else None
    fleet = Generation(
        sections["generation"], terminals, bulk.units, world.endpoints, swing, trips_of(world.events), money.fuel()
    )
    retailer = Retailer(sections["retailer"])
    bulk_desk = BulkDesk(sections["dispatch"], bulk.units, world.endpoints)
    desk = None
    if arm.smart:
        desk = CustomersDesk(sections["head_end"], _meter_store(world, span), forecast, world.endpoints)
    metered_days = MeteredDays(desk or Visits(customers.meters.day), bulk_desk)
    settlement = Settlement(sections["network_fees"], money.days, metered_days, money.payments)
    exchange = Markets(sections["market"], bulk.units, world.endpoints, settlement)
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


def _meter_store(world: World, span: Span) -> MeterStore:
    """The head end's store; a run shorter than what it keeps has no older reads than its own and the warm-up day's."""
    return MeterStore(world.points, min(KEPT_DAYS, span.days + 1))


def _start_market(grid: ArmGrid, forecast: Forecast, rest_mw: Any, span: Span) -> None:
    """Clear the warm-up day, for which no message could have been sent, and start everybody on it."""
    hours = market_hours(span.warm_up_ns, next_midnight_ns(span.warm_up_ns, span.zone))
    first = hours.start
    town_kw = forecast.town_kw(4 * first, 4 * len(hours)).reshape(-1, 4).mean(axis=1)
    rest = np.array([rest_mw(hour * NS_PER_HOUR) for hour in hours])
    grid.markets.open_to_all()
    cleared = grid.markets.clear(first, rest, town_kw / 1000.0)
    grid.generation.start(first, cleared.on, cleared.p_mw)
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


def _feeders(scenario: Scenario, world: World, arm: Arm, terminals: Terminals, charges: Charges) -> Distribution:
    sections = scenario.sections
    return Distribution(
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
