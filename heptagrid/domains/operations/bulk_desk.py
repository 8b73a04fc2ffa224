"""The bulk desk of operations: dispatches the fleet every few minutes by what telemetry says.

It knows the units' outputs, and their failures, only as they reported them. Their sum is the load and the losses of a moment
ago. What it differs by from the hour's schedule, which keeps the network's limits, moves the thermal units from there, the cheapest first; or all are
dispatched anew within the network's limits, with the loads by bus as substations reported them and as the forecast says that they change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import control, telemetry
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.contract import Delivery
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER, NS_PER_S, Step
from heptagrid.planes.money.markets.dispatch import MeritOrder
from heptagrid.planes.money.markets.network_dispatch import NetworkDispatch, Seen, with_losses
from heptagrid.world.bulk import THERMAL, BulkUnits
from heptagrid.world.endpoints import Endpoints

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

MERIT, NETWORK = "merit", "network"


@dataclass(frozen=True)
class Parameters:
    """How the bulk system is dispatched, how often, and the voltage asked for at the infeed."""

    rule: str = parameter(
        MERIT,
        info="by merit order from the schedule, or anew within the branches' ratings, also after the loss of any branch",
        choices=(MERIT, NETWORK),
        source="security-constrained economic dispatch of North American system operators; the default asks for no program every few minutes",
    )

    dispatch_s: int = parameter(
        300,
        info="how often the fleet is dispatched anew",
        unit="s",
        low=60,
        high=900,
        source="five-minute real-time dispatch of North American system operators (e.g. PJM)",
    )
    infeed_v_pu: float = parameter(
        1.025,
        info="voltage asked of transmission at the towns' infeeds",
        unit="pu",
        low=0.9,
        high=1.1,
        source="SimBench 1-MVLV-semiurb: set-point of the external grid",
    )


class BulkDesk:
    """Schedules, telemetry and dispatch of the fleet."""

    def __init__(
        self,
        parameters: Parameters,
        units: BulkUnits,
        merit_order: MeritOrder,
        endpoints: Endpoints,
        network: NetworkDispatch | None = None,
        rest_mw: Callable[[int], Floats] | None = None,
    ) -> None:
        """Set up; with a `network` it dispatches within that, as soon as every substation has reported its load.

        rest_mw : forecasts the other loads at a time by bus; without it loads stay as reported.
        """
        count = len(units)
        self._network, self._rest_mw = network, rest_mw
        buses = 0 if network is None else len(endpoints.substations)
        self._load_mw, self._load_told_ns = np.full(buses, np.nan), np.full(buses, -(2**62), dtype=np.int64)
        self._parameters, self._units, self._endpoints = parameters, units, endpoints
        self._merit_order = merit_order
        self.output_mw = np.full(count, np.nan)
        self.is_on, self._has_failed = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
        self._told_ns = np.full(count, -(2**62), dtype=np.int64)
        self.base_mw: Floats | None = None  # what the fleet was last asked to give
        self._schedule: dict[int, tuple[npt.NDArray[np.bool_], Floats]] = {}
        self._infeed_mwh: dict[int, float] = {}  # the sum of the infeeds' registers by time
        self._reports: dict[int, Ints] = {}  # by hour: (2, units) reports, and those of units that were on
        self.reported_by = self.flows_by = -1  # the last message that told of the units, and of the infeed

    def learn_schedule(self, first_hour: int, on: npt.NDArray[np.bool_], p_mw: Floats) -> None:
        """Remember which units are on and what each gives, (hours, units), from `first_hour` since 1970 on."""
        for k, hour in enumerate(zip(on, p_mw, strict=True)):
            self._schedule[first_hour + k] = hour

    def receive_flows(self, delivery: Delivery) -> None:
        """Take the registers of the towns' infeeds, and, to dispatch on the network, each substation's load if it is younger than the last."""
        self.flows_by, flows = delivery.last_id, telemetry.FLOWS.read(delivery)
        self._infeed_mwh[flows.at_ns] = float(flows.infeed_mwh.sum())
        if self._network is None:
            return
        young = delivery.sent_ns >= self._load_told_ns[flows.bus]
        self._load_mw[flows.bus[young]] = flows.load_mw[young]
        self._load_told_ns[flows.bus[young]] = delivery.sent_ns[young]

    def metered_mwh(self, first_quarter: int, quarters: int) -> Floats:
        """Energy at all infeeds by quarter hour, by the registers that arrived, between two of them in proportion to time; older ones are dropped."""
        bounds = np.arange(first_quarter, first_quarter + quarters + 1) * NS_PER_QUARTER
        before = max((at_ns for at_ns in self._infeed_mwh if at_ns <= bounds[0]), default=0)
        self._infeed_mwh = {at_ns: mwh for at_ns, mwh in self._infeed_mwh.items() if at_ns >= before}
        if not self._infeed_mwh:
            return np.zeros(quarters)
        times = sorted(self._infeed_mwh)
        return np.diff(np.interp(bounds, times, [self._infeed_mwh[at_ns] for at_ns in times]))

    def receive(self, delivery: Delivery) -> None:
        """Take unit outputs, which units are connected, and which cannot be; a report that a younger one has overtaken says nothing."""
        told, sent_ns = telemetry.UNIT.read(delivery), delivery.sent_ns
        units = told.unit
        self._count_reports(told, sent_ns)
        young = sent_ns >= self._told_ns[units]
        if not young.any():
            return
        units = units[young]
        self.output_mw[units], self.is_on[units] = told.output_mw[young], told.is_on[young]
        self._has_failed[units] = told.has_failed[young]
        self._told_ns[units] = sent_ns[young]
        self.reported_by = int(delivery.ids[young][-1])

    def _count_reports(self, told: telemetry.Unit, sent_ns: Ints) -> None:
        """A report at an hour's end is of the hour that ends."""
        of_hour = (sent_ns - 1) // NS_PER_HOUR
        units, is_on = len(self._units), told.is_on & ~told.has_failed
        for hour in set(of_hour.tolist()):
            mine = of_hour == hour
            counts = self._reports.setdefault(hour, np.zeros((2, units), dtype=np.int64))
            counts[0] += np.bincount(told.unit[mine], minlength=units)
            counts[1] += np.bincount(told.unit[mine & is_on], minlength=units)

    def available(self, first_hour: int, hours: int) -> Floats:
        """(hours, units) in which part of an hour's reports each unit was on; who did not report was. Older ones are dropped."""
        self._reports = {hour: one for hour, one in self._reports.items() if hour >= first_hour}
        part = np.ones((hours, len(self._units)))
        for k in range(hours):
            if first_hour + k in self._reports:
                reports, on = self._reports[first_hour + k]
                np.divide(on, reports, out=part[k], where=reports > 0)
        return part

    def work(self, step: Step, outbox: Outbox) -> None:
        """Dispatch when it is time, and once an hour ask transmission for the infeeds' voltage."""
        if step.ends_hour:
            here = self._endpoints
            towns = np.arange(len(here.infeeds))
            voltage = control.InfeedVoltage(towns, np.full(len(towns), self._parameters.infeed_v_pu))
            outbox.send(control.INFEED.wave(voltage, here.operations, here.infeeds, step.end_ns))
            self._schedule = {h: one for h, one in self._schedule.items() if h >= step.start_ns // NS_PER_HOUR - 1}
        every_ns = self._parameters.dispatch_s * NS_PER_S
        if step.end_ns % every_ns and step.end_ns - step.start_ns < every_ns:
            return
        hour = self._schedule.get(step.end_ns // NS_PER_HOUR)
        if hour is None or np.isnan(self.output_mw).any():
            return
        on, scheduled_mw = hour
        on = on & ~self._has_failed
        if self._network is None or np.isnan(self._load_mw).any():
            target_mw = self._by_merit(on, scheduled_mw)
        else:
            load_mw = with_losses(self._load_mw, float(self.output_mw.sum())) + self._foreseen_mw(step.end_ns)
            target_mw = self._network.targets_mw(Seen(load_mw, self.output_mw, self.is_on, on, scheduled_mw))
        rows = np.flatnonzero(on)
        target, here = control.Target(rows, target_mw[rows]), self._endpoints
        outbox.send(control.SET_POINT.wave(target, here.operations, here.plants[rows], step.end_ns, self.reported_by))
        self.base_mw = target_mw

    def _foreseen_mw(self, ns: int) -> Floats:
        """(buses,) by how much the other loads are to change at a time."""
        if self._rest_mw is None:
            return np.zeros(len(self._load_mw))
        return self._rest_mw(ns) - self._rest_mw(ns - 1)

    def _by_merit(self, on: Bools, scheduled_mw: Floats) -> Floats:
        """(units,) the schedule, moved by what the fleet gives beyond it."""
        units, planned_mw = self._units, np.where(on, scheduled_mw, 0.0)
        # Who is not thermal gives what was planned, or less.
        low = np.where(on, np.maximum(units.p_min_mw, 0.0), 0.0)
        high = np.where(on & (units.kind == THERMAL), units.p_max_mw, np.maximum(planned_mw, 0.0))
        return self._merit_order.moved(planned_mw, float(self.output_mw.sum() - planned_mw.sum()), low, high)
