"""The transmission network at work: carries flows, loses some, watches limits, reports from its substations.

Where the scenario follows the frequency, relays at its substations shed load, and one of them reports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import control, telemetry
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.contract import Delivery
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.time import NS_PER_S, Step, from_ns
from heptagrid.planes.power.balanced.ac import AcFlow, AcNetwork
from heptagrid.planes.power.balanced.dc import DcFlow, DcNetwork
from heptagrid.planes.power.dynamics.load_shedding import Relays
from heptagrid.world.bulk import BulkSystem
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.terminals import Terminals

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Parameters:
    """Where the town is connected, how flows are solved, and how often substations report."""

    town_bus: int = parameter(
        109,
        info="number of the bus to which the town's 110 kV infeed is connected; that of each town that names no bus of its own",
        low=1,
        high=99999,
        source="assumption: a 138 kV bus in the middle of the load area, fed by two 230 kV transformers",
    )
    flow: str = parameter(
        "dc",
        info="linear flow of active power, or full flow with voltages and reactive limits of the units",
        choices=("dc", "ac"),
        source="assumption: prices and the town ask for active power alone; the full flow takes some milliseconds a step",
    )
    telemetry_s: int = parameter(
        60,
        info="how often each substation reports; a coarser step reports once a step",
        unit="s",
        low=1,
        high=900,
        source="assumption: as slow as the scenario's coupling step; control centres scan every 2 to 4 s",
    )


class Transmission:
    """The bulk network as an actor; `flow` is the last step's, `overloads` counts branch steps beyond rating.

    relays: that shed the other loads, each stage its share at every bus. `shed_mw`: what is off now. scan_ns: how often the
    frequency is reported.
    """

    domain = Domain.TRANSMISSION

    def __init__(
        self,
        parameters: Parameters,
        terminals: Terminals,
        system: BulkSystem,
        endpoints: Endpoints,
        zone: ZoneInfo,
        town_buses: Ints,
        relays: Relays | None = None,
        scan_ns: int = NS_PER_S,
    ) -> None:
        """Set up; `town_buses` are the buses that feed the towns, (towns,)."""
        self.flow: DcFlow | AcFlow | None = None
        self.overloads = 0
        self.infeed_mwh = np.zeros(len(town_buses))  # the infeeds' registers
        self.relays = relays
        self.shed_mw = 0.0
        self._scan_ns = scan_ns
        self._wanted_mw = self._drawn_mws = self._fine_s = 0.0
        self._parameters, self._terminals, self._system = parameters, terminals, system
        self._endpoints, self._zone = endpoints, zone
        self._towns = town_buses
        self._dc = DcNetwork(
            len(system.bus_numbers),
            system.branch_from,
            system.branch_to,
            system.branch_r_pu,
            system.branch_x_pu,
            system.branch_ratio,
            system.base_mva,
        )
        self._ac = AcNetwork(system) if parameters.flow == "ac" else None
        self._quarter, self._hour_mw = -1, terminals.rest_load_mw.copy()

    @property
    def loss_mw(self) -> float:
        """Losses of the last step."""
        return self.flow.loss_mw if self.flow else 0.0

    @property
    def voltages(self) -> tuple[Floats, Floats]:
        """(buses,) the voltages of the last step in per unit, all nominal in a linear flow, and their angles in radians."""
        buses = len(self._system.bus_numbers)
        if isinstance(self.flow, AcFlow):
            return self.flow.v_pu.copy(), np.deg2rad(self.flow.angle_deg)
        return np.ones(buses), self._dc.angles_rad(self.flow) if self.flow else np.zeros(buses)

    @property
    def town_buses(self) -> Ints:
        """(towns,) the buses that feed the towns."""
        return self._towns

    def advance(self, step: Step) -> None:
        """The other loads of the hour."""
        if step.quarter != self._quarter:  # clocks differ by whole quarter hours
            self._quarter = step.quarter
            self._hour_mw = self._system.rest_mw(from_ns(step.start_ns, self._zone))
        rest = self._terminals.rest_load_mw
        rest[:] = self._hour_mw
        if self.relays is not None:
            self.relays.restore(step.start_ns)
            self._wanted_mw = float(rest.sum())
            rest *= self.relays.connected
            self.shed_mw = self._wanted_mw - float(rest.sum())
        self._drawn_mws = self._fine_s = 0.0

    def advance_finely(self, step: Step) -> None:
        """Relays look at the frequency at the sub-step's end; what they shed is off from there on."""
        assert self.relays is not None
        rest, terminals = self._terminals.rest_load_mw, self._terminals
        self._drawn_mws += float(rest.sum()) * step.dt_s
        self._fine_s += step.dt_s
        before = self.relays.connected
        if len(self.relays.follow(terminals.deviation_hz, step.dt_s, step.end_ns)):
            on_mw = float(rest.sum())
            rest *= self.relays.connected / before
            terminals.required_mw -= on_mw - float(rest.sum())
            self.shed_mw = self._wanted_mw - float(rest.sum())

    @property
    def rest_mw(self) -> float:
        """Mean of what the other loads drew in the last step, at nominal frequency."""
        return self._drawn_mws / self._fine_s if self._fine_s else float(self._terminals.rest_load_mw.sum())

    def carry(self, step: Step) -> None:
        """Flows and losses of what the units give and all loads take."""
        terminals = self._terminals
        taken = terminals.rest_load_mw.copy()
        np.add.at(taken, self._towns, terminals.infeed_p_kw / 1000.0)
        given = np.bincount(self._system.units.bus, terminals.unit_output_mw, minlength=len(taken))
        if self._ac is None:
            self.flow = self._dc.solve(given - taken)
        else:
            mvar = terminals.rest_load_mw * self._system.mvar_per_mw
            np.add.at(mvar, self._towns, terminals.infeed_q_kvar / 1000.0)
            self.flow = self._ac.solve(terminals.unit_output_mw, taken, mvar)
        self.overloads += int((np.abs(self.flow.flow_mw) > self._system.branch_rating_mw).sum())
        terminals.required_mw = float(taken.sum()) + self.flow.loss_mw

    def sense(self, step: Step, outbox: Outbox) -> None:
        """Each substation reports its load and the flows that leave it."""
        self.infeed_mwh += self._terminals.infeed_p_kw * (step.dt_s / 3600.0) / 1000.0
        every_s = self._parameters.telemetry_s
        if self.flow is None or (step.end_ns % (every_s * NS_PER_S) and step.dt_s < every_s):
            return
        system = self._system
        load_mw = self._terminals.rest_load_mw.copy()
        np.add.at(load_mw, self._towns, self._terminals.infeed_p_kw / 1000.0)
        loading = np.abs(self.flow.flow_mw) / system.branch_rating_mw
        highest = np.zeros(len(load_mw))
        np.maximum.at(highest, system.branch_from, loading)
        places = self._endpoints.substations
        flows = telemetry.Flows(
            bus=np.arange(len(places), dtype=np.int64),
            load_mw=load_mw,
            highest_loading=highest,
            infeed_mw=self._terminals.infeed_p_kw / 1000.0,
            infeed_mwh=self.infeed_mwh.copy(),
            at_ns=step.end_ns,
        )
        outbox.send(telemetry.FLOWS.wave(flows, places, self._endpoints.operations, step.end_ns))

    def sense_finely(self, step: Step, outbox: Outbox) -> None:
        """The substation to which the first town is connected reports the frequency."""
        if step.end_ns // self._scan_ns == step.start_ns // self._scan_ns:
            return
        frequency = telemetry.Frequency(np.array([self._terminals.deviation_hz]))
        place = self._endpoints.infeeds[0]
        outbox.send(telemetry.FREQUENCY.wave(frequency, place, self._endpoints.operations, step.end_ns))

    def act_finely(self, step: Step, inbox: Sequence[Delivery], outbox: Outbox) -> None:
        """Transmission takes its time."""

    def act(self, step: Step, inbox: Sequence[Delivery], outbox: Outbox) -> None:
        """Hold the infeeds at the voltage that operations asked for."""
        for delivery in inbox:
            if delivery.contract is control.INFEED:
                asked = control.INFEED.read(delivery)
                self._terminals.infeed_v_pu[asked.town] = asked.infeed_v_pu
