"""The bulk system alone: fleet, transmission and secondary control on a message plane of their own, without a town."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from heptagrid.assembly.modelled_transport import ModelledTransport
from heptagrid.domains.generation import actor as generation
from heptagrid.domains.generation.actor import Generation
from heptagrid.domains.generation.availability import Availability
from heptagrid.domains.generation.swing import Swing, Trip
from heptagrid.domains.operations import bulk_desk
from heptagrid.domains.operations.actor import Operations
from heptagrid.domains.operations.agc import Agc
from heptagrid.domains.operations.agc import Parameters as AgcParameters
from heptagrid.domains.operations.bulk_desk import BulkDesk
from heptagrid.domains.transmission import actor as transmission
from heptagrid.domains.transmission.actor import Transmission
from heptagrid.foundation.time import NS_PER_S, Step, midnight_ns
from heptagrid.foundation.windows import Windows
from heptagrid.importers.rts import read_bulk
from heptagrid.planes.messages.links import Access, Backhaul, Wan
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.planning.network_planner import plan_network
from heptagrid.planes.money.fuel_prices import Parameters as FuelPrices
from heptagrid.planes.money.fuel_prices import costs_of
from heptagrid.planes.money.markets.dispatch import MeritOrder
from heptagrid.planes.power.dynamics.frequency import TURBINES, SwingModel, Turbine
from heptagrid.planes.power.dynamics.load_shedding import Parameters as SheddingParameters
from heptagrid.planes.power.dynamics.load_shedding import Relays
from heptagrid.scenario.load import BULK
from heptagrid.simulation.simulation import walk_finely
from heptagrid.world.bulk import BulkSystem, BulkUnits, UnitHeat
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.terminals import Terminals

ZONE = ZoneInfo("UTC")
DAY = date(2016, 1, 27)
START_NS = midnight_ns(DAY, ZONE)
END_NS = midnight_ns(date(2016, 1, 28), ZONE)
F0_HZ = 50.0


def same_units(system: BulkSystem, count: int, turbine: str, ramp_mw_per_min: float = 1e6) -> BulkSystem:
    """The system with `count` alike units at its first buses: 100 MW, down to 0."""
    full, none, words = np.full(count, 100.0), np.zeros(count), np.full(count, "thermal")
    heats = np.zeros((count, 1))
    units = BulkUnits(
        names=np.array([f"unit {k}" for k in range(count)]),
        bus=np.arange(count),
        kind=words,
        p_max_mw=full,
        p_min_mw=none,
        ramp_mw_per_min=np.full(count, ramp_mw_per_min),
        min_up_h=none,
        min_down_h=none,
        mva=full,
        inertia_s=np.full(count, 4.0),
        turbine=np.full(count, turbine),
        q_min_mvar=none,
        q_max_mvar=none,
        volume_mwh=none,
        efficiency=none + 1.0,
        heat=UnitHeat(words, full[:, np.newaxis], heats, none, heats, heats, none, none, none),
    )
    system = replace(system, series_unit=np.empty(0, dtype=np.int64), series_mw=np.empty((8784, 0), dtype=np.float32))
    return replace(system, units=units)


class BulkAlone:
    """Walks sub-steps from midnight, with a load that stays; `series` holds (seconds, deviation in Hz) of each."""

    def __init__(
        self,
        system: BulkSystem,
        outputs_mw: Sequence[float],
        *,
        trips: Sequence[Trip] = (),
        turbines: dict[str, Turbine] | None = None,
        damping: float = 1.0,
        droop: float = 0.05,
        agc: AgcParameters | None = None,
        shedding: SheddingParameters | None = None,
        wan: Wan | None = None,
        substep_s: float = 0.1,
        seed: int = 1,
    ) -> None:
        total = float(np.sum(outputs_mw))
        system = replace(
            system,
            load_mw=np.full((8784, 3), total / 3.0, dtype=np.float64),
            roof_mw=np.zeros_like(system.roof_mw),
        )
        units = system.units
        costs = costs_of(units, FuelPrices())
        known = TURBINES if turbines is None else turbines
        availability = Availability(system, ZONE, {word: one.governed for word, one in known.items()})
        buses, count = len(system.bus_numbers), len(units.p_max_mw)
        sites = {"operations": (10.0, 50.0)}
        sites |= {f"plant {k}": (10.0 + 0.01 * k, 50.1) for k in range(count)}
        sites |= {f"substation {k}": (10.0 + 0.01 * k, 50.2) for k in range(buses)}
        one = np.array([[10.0, 50.0]])
        first = np.zeros(1, dtype=np.int64)
        links = [Access()], [Backhaul(technology="fibre")], wan or Wan()
        plan = plan_network(one, first, one, first, one, sites, *links, queued=True)
        at = plan.sites
        endpoints = Endpoints(
            *(plan.gateways, plan.concentrators, plan.hubs, at["operations"], -1, np.array([-1]), np.array([-1])),
            np.array([at[f"plant {k}"] for k in range(count)]),
            np.array([at[f"substation {k}"] for k in range(buses)]),
            np.array([at["substation 0"]]),
        )
        self.windows = Windows(((START_NS, END_NS),), round(substep_s * NS_PER_S))
        self.transport = ModelledTransport(MessagePlane(plan.topology, seed))
        self.terminals = terminals = Terminals.at_rest(1, count, buses, 1.0)
        self.model = SwingModel(units, droop, F0_HZ, turbines)
        settings = agc or AgcParameters(enabled=False)
        scan_ns = round(settings.period_s * NS_PER_S)
        self.fleet = Generation(
            *(generation.Parameters(), terminals, availability, costs, endpoints),
            Swing(self.model, self.windows, damping, scan_ns, terminals),
            trips,
        )
        self.transmission = Transmission(
            *(
                transmission.Parameters(),
                terminals,
                system,
                endpoints,
                ZONE,
                np.array([8]),
            ),
            Relays(shedding or SheddingParameters(below_hz=(), share=())),
            scan_ns,
        )
        desk = BulkDesk(bulk_desk.Parameters(), units, MeritOrder.of(units, costs), endpoints)
        control = Agc(settings, units, self.model.gain_mw_per_hz, damping / F0_HZ, desk, endpoints)
        nothing: Any = None
        self.operations = Operations(
            *(endpoints, ZONE, nothing, lambda ns: np.zeros(buses), desk, nothing, nothing, None, None, np.ones(1)),
            agc=control if settings.enabled else None,
        )
        self.outputs_mw = np.array(outputs_mw, dtype=float)
        desk.base_mw = self.outputs_mw
        on = self.outputs_mw > 0.0
        self.fleet.start(START_NS // (3600 * NS_PER_S), np.array([on] * 24), np.array([self.outputs_mw] * 24))
        self.series: list[tuple[float, float]] = []

    def walk(self, duration_s: float) -> np.ndarray:
        """Walk on; (sub-steps, 2) of what was walked."""
        first = len(self.series)
        began_ns = START_NS + round((self.series[-1][0] if self.series else 0.0) * NS_PER_S)
        step = Step(began_ns, began_ns + round(duration_s * NS_PER_S), DAY, START_NS, END_NS, 0)
        fine: Any = SimpleNamespace(
            transport=self.transport, fine_actors=(self.fleet, self.transmission, self.operations)
        )
        self.fleet.advance(step)
        self.transmission.advance(step)
        self.terminals.required_mw = float(self.terminals.rest_load_mw.sum())
        for substep in self.windows.substeps(step):
            walk_finely(fine, substep)
            self.series.append(((substep.end_ns - START_NS) / NS_PER_S, self.terminals.deviation_hz))
        self.transport.advance(step.end_ns)
        return np.array(self.series[first:])


def rts() -> BulkSystem:
    return read_bulk(BULK)
