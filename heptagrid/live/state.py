"""What a live grid looks like from outside: the last solved state, as arrays that nobody changes any more."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.arm import ArmGrid
from heptagrid.contracts.flexibility import LOCAL_UNITS
from heptagrid.domains.customers.meters import ClosedQuarter
from heptagrid.domains.distribution.lines import BusbarRegulatedLines, RegulatedLines
from heptagrid.domains.distribution.tap_changer import TapChanger
from heptagrid.foundation.time import Step
from heptagrid.live.day_money import MoneyState
from heptagrid.live.energy import EnergyState
from heptagrid.live.traffic import TrafficState
from heptagrid.planes.power.balanced.radial import RadialFlow

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class DeviceState:
    """A class of devices, (devices,) each. power_kw: drawn, below 0 given; given_kvar: reactive power given, 0 of those without an inverter. content_kwh: held, not a number where nothing is. ordered_until_ns: until when an order holds. cap_kw, cap_until_ns: highest power by a request for relief, and until when."""

    power_kw: Floats
    given_kvar: Floats
    content_kwh: Floats
    is_home: Bools
    ordered_kw: Floats
    ordered_until_ns: Ints
    cap_kw: Floats
    cap_until_ns: Ints


@dataclass(frozen=True)
class State:
    """The grid in a step [at_ns, until_ns), as it was solved for it.

    point_*: (points,) at each metering point: net draw, voltage, supply, and the registers at the step's end. closed_quarter: the meters' last whole quarter hour. clock_quarters: (points,) by how much each meter's clock is ahead. unit_kw, unit_kvar: (units,) given by local
    units. node_v_pu: (nodes,). branch_pct: (nodes,) loading of the branch above each node. is_line: (nodes,) whether that is a line. transformer_pct: (transformers,). substation_*: (substations,) at
    low voltage. busbar_v_pu, infeed_*: (towns,). busbar_rad: (towns,) angle from the infeed to the busbar, not a number in a circuit. bulk_mw, bulk_on: (bulk units,). bus_v_pu, bus_rad: (buses,) of transmission. town_bus: (towns,) which of them feeds each. opened: places towards which switches were opened by hand. tap, busbar_target_pu: (towns,), not a number where a circuit regulates itself. fleet_kw, rest_kw: what all bulk units give, and what the other loads take. price_eur_per_mwh: of the hour.
    known_prices: in EUR/MWh, of hours since 1970, as the first retailer knows them. signals: the first aggregator's last ones, from which quarter hour since 1970, and kW by class.
    traffic, money, energy: messages, money and single devices' energy so far. solved_at: of the monotonic clock, in seconds.
    """

    at_ns: int
    until_ns: int
    point_p_kw: Floats
    point_q_kvar: Floats
    point_v_pu: Floats
    point_is_supplied: Bools
    import_kwh: Floats
    export_kwh: Floats
    closed_quarter: ClosedQuarter | None
    clock_quarters: Ints
    unit_kw: Floats
    unit_kvar: Floats
    devices: Mapping[str, DeviceState]
    node_v_pu: Floats
    branch_pct: Floats
    is_line: Bools
    transformer_pct: Floats
    substation_v_pu: Floats
    substation_pct: Floats
    substation_kw: Floats
    busbar_v_pu: Floats
    busbar_rad: Floats
    infeed_kw: Floats
    infeed_kvar: Floats
    infeed_v_pu: Floats
    bulk_mw: Floats
    bulk_on: Bools
    bus_v_pu: Floats
    bus_rad: Floats
    town_bus: Ints
    opened: tuple[str, ...]
    losses_kw: float
    generated_kw: float
    frequency_hz: float
    price_eur_per_mwh: float
    tap: Floats
    busbar_target_pu: Floats
    fleet_kw: float
    rest_kw: float
    known_prices: Mapping[int, float]
    signals: tuple[int, Mapping[str, Floats]]
    traffic: TrafficState
    money: MoneyState
    energy: EnergyState
    solved_at: float = field(default_factory=time.monotonic)

    @property
    def line_pct(self) -> float:
        """The highest loading of a line, in percent."""
        return float(self.branch_pct[self.is_line].max(initial=0.0))

    @property
    def age_s(self) -> float:
        """Seconds of the wall clock since it was solved."""
        return time.monotonic() - self.solved_at


def state_of(
    grid: ArmGrid,
    step: Step,
    traffic: TrafficState,
    money: MoneyState,
    energy: EnergyState,
    opened: tuple[str, ...] = (),
) -> State:
    """The state of an arm after `sense` of a step; opened: the places towards which switches were opened by hand."""
    world, terminals, customers, flow = grid.world, grid.terminals, grid.customers, grid.distribution.flow
    assert flow is not None, "the feeders have been solved"
    meters, at = customers.meters, world.substations
    changers = [_tap_changer(grid.distribution.lines.of(town)) for town in range(len(world.towns))]
    current = np.hypot(flow.current_re, flow.current_im)
    bus_v_pu, bus_rad = grid.transmission.voltages
    return State(
        at_ns=step.start_ns,
        until_ns=step.end_ns,
        point_p_kw=terminals.point_p_kw.copy(),
        point_q_kvar=terminals.point_q_kvar.copy(),
        point_v_pu=terminals.point_v_pu.copy(),
        point_is_supplied=terminals.point_is_supplied.copy(),
        import_kwh=meters.counted_import_kwh,
        export_kwh=meters.counted_export_kwh,
        closed_quarter=meters.closed,
        clock_quarters=meters.clock_quarters,
        unit_kw=customers.unit_kw.copy(),
        unit_kvar=customers.given_kvar(LOCAL_UNITS),
        devices={
            name: DeviceState(
                power_kw=one.orders.drawn_kw,
                given_kvar=customers.given_kvar(name),
                content_kwh=one.contents_kwh().copy(),
                is_home=one.at_home().copy(),
                ordered_kw=one.orders.table.value.copy(),
                ordered_until_ns=np.where(one.orders.table.is_power, one.orders.table.until_ns, 0),
                cap_kw=one.cap_kw.copy(),
                cap_until_ns=one.cap_until_ns.copy(),
            )
            for name, one in customers.devices.items()
        },
        node_v_pu=flow.v_pu.copy(),
        branch_pct=current * world.branch_pct_per_pu
        if len(current) == world.network.nodes
        else np.zeros(len(flow.v_pu)),
        is_line=world.network.line_of_node >= 0,
        transformer_pct=flow.transformer_loading_pct.copy(),
        substation_v_pu=flow.v_pu[at.node],
        substation_pct=flow.transformer_loading_pct[at.transformer],
        substation_kw=flow.transformer_p_kw[at.transformer],
        busbar_v_pu=flow.v_pu[world.network.busbars],
        busbar_rad=_busbar_angles(grid),
        infeed_kw=terminals.infeed_p_kw.copy(),
        infeed_kvar=terminals.infeed_q_kvar.copy(),
        infeed_v_pu=terminals.infeed_v_pu.copy(),
        bulk_mw=terminals.unit_output_mw.copy(),
        bulk_on=grid.generation.on.copy(),
        bus_v_pu=bus_v_pu,
        bus_rad=bus_rad,
        town_bus=grid.transmission.town_buses,
        opened=opened,
        losses_kw=flow.losses_kw,
        generated_kw=customers.generated_kw,
        frequency_hz=world.grid.frequency_hz + terminals.deviation_hz,
        price_eur_per_mwh=grid.price_at(step.start_ns),
        known_prices=dict(grid.providers.retailers[0].retailer.prices.eur_per_mwh),
        signals=grid.providers.aggregators[0].signals if grid.providers.aggregators else (0, {}),
        tap=np.array([float(one.tap) if one else np.nan for one in changers]),
        busbar_target_pu=np.array([one.target_pu if one else np.nan for one in changers]),
        fleet_kw=grid.generation.given_mw * 1000.0,
        rest_kw=grid.transmission.rest_mw * 1000.0,
        traffic=traffic,
        money=money,
        energy=energy,
    )


def _tap_changer(lines: RegulatedLines) -> TapChanger | None:
    """The controller of a town's busbar; None where a circuit has its own regulators."""
    return lines.tap_changer if isinstance(lines, BusbarRegulatedLines) else None


def _busbar_angles(grid: ArmGrid) -> Floats:
    """(towns,) the angles of the busbars' voltages from those of the infeeds, in radians; a circuit's are not a number."""
    found = np.full(len(grid.world.towns), np.nan)
    for k, (town, flow) in enumerate(zip(grid.world.towns, grid.distribution.lines.flows, strict=True)):
        if isinstance(flow, RadialFlow):
            node = int(grid.world.network.busbars[k]) - town.first_node
            found[k] = np.arctan2(flow.v_im[node], flow.v_re[node])
    return found
