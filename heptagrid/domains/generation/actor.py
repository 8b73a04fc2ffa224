"""The fleet at work: offers its units, follows schedule and dispatch within its ramps, reports its output.

Between dispatches it holds the frequency: where the scenario follows that, by governors on a swinging mass, else at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import control, market, telemetry
from heptagrid.domains.generation.availability import Availability
from heptagrid.domains.generation.fuel import Fuel
from heptagrid.domains.generation.swing import Swing, Trip
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.contract import Delivery
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_S, Step
from heptagrid.world.bulk import STORES, THERMAL, UnitCosts
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.terminals import Terminals

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Parameters:
    """How often the generating units report, and when they offer."""

    telemetry_s: int = parameter(
        60,
        info="how often each unit reports its output; a coarser step reports once a step",
        unit="s",
        low=1,
        high=900,
        source="assumption: as slow as the scenario's coupling step; control centres scan every 2 to 4 s",
    )
    bid_hour: float = parameter(
        11.0,
        info="local hour at which the offers for the next day leave",
        unit="h",
        low=0.0,
        high=11.5,
        source="European day-ahead auction: the gate closes at noon",
    )


class Generation:
    """The bulk units as an actor.

    Between dispatches primary control covers what is missing or too much, shared by headroom among the units that are on and
    governed, and where they cannot among all, so that generation equals load and losses at every step; but in the steps that `swing` covers,
    where the units answer to frequency. losses: begin (ns), unit and output of each unit that failed, and the number of its event.
    """

    domain = Domain.GENERATION

    def __init__(
        self,
        parameters: Parameters,
        terminals: Terminals,
        availability: Availability,
        costs: UnitCosts,
        endpoints: Endpoints,
        swing: Swing | None = None,
        trips: Sequence[Trip] = (),
        fuel: Fuel | None = None,
    ) -> None:
        units = availability.units
        count = len(units)
        self.units = units
        self.on: Bools = np.zeros(count, dtype=bool)
        self.swing = swing
        self.losses: list[tuple[int, int, float, int]] = []
        self.shortage_mwh = 0.0
        self._trips, self.fuel = list(trips), fuel
        self.costs = costs
        self._availability = availability
        self._low_mw, self._high_mw = units.p_min_mw.copy(), units.p_max_mw.copy()
        self._is_governed = availability.is_governed
        self._is_store = np.isin(units.kind, STORES)
        self._failed: dict[Trip, int] = {}
        self._is_whole: Bools = np.ones(count, dtype=bool)
        self._commanded_ns = np.zeros(count, dtype=np.int64)
        self._swings = False
        self._step_s = 0.0
        self._parameters, self._terminals, self._endpoints = parameters, terminals, endpoints
        self._target_mw = np.zeros(count)
        self._schedule: dict[int, tuple[Bools, Floats]] = {}
        self._hour = -1

    def start(self, first_hour: int, on: npt.NDArray[np.bool_], p_mw: Floats) -> None:
        """Begin on a schedule: hours since 1970 from `first_hour`, (hours, units) each."""
        self._learn(first_hour, on, p_mw)
        self.on = on[0].copy()
        self._target_mw = p_mw[0].copy()
        self._terminals.unit_output_mw[:] = p_mw[0]

    def advance(self, step: Step) -> None:
        """Switch by the schedule and move towards the targets within the ramps."""
        self._fail(step)
        hour = step.start_ns // NS_PER_HOUR
        if hour != self._hour:
            self._hour = hour
            if hour in self._schedule:
                on, p_mw = self._schedule.pop(hour)
                on = on & self._is_whole
                started = on & ~self.on
                self.on = on
                self._terminals.unit_output_mw[started] = np.maximum(self.units.p_min_mw[started], 0.0)
                self._terminals.unit_output_mw[~on] = 0.0
                self._target_mw = p_mw.copy()
            self._low_mw, self._high_mw = self._availability.bounds_mw(step.start_ns)
        output = self._terminals.unit_output_mw
        swung, self._swings = self._swings, self.swing is not None and self.swing.begin(step, self.on)
        self._step_s = step.dt_s
        if self._swings and not swung:
            self._target_mw = output.copy()  # what primary control covered until now is where the units stand
        if self._swings:
            return
        ramp_mw = self.units.ramp_mw_per_min * step.dt_s / 60.0
        output += np.clip(np.where(self.on, self._target_mw, 0.0) - output, -ramp_mw, ramp_mw) * self.on
        low, high = self.range_mw()
        np.clip(output, low, high, out=output)

    def carry(self, step: Step) -> None:
        """Primary control: give together what transmission requires, to the last kilowatt; governors take their time."""
        if self._swings:
            return
        output = self._terminals.unit_output_mw
        missing_mw = self._terminals.required_mw - float(output.sum())
        low, high = self.range_mw()
        room = np.maximum(high - output if missing_mw > 0.0 else output - low, 0.0)
        governed = room * self._is_governed
        left_mw = abs(missing_mw) - float(governed.sum())
        if left_mw <= 0.0:
            output += missing_mw * governed / max(float(governed.sum()), 1e-9)
            return
        # The governed units are at their limits: all that can take part, and then beyond limits as well, so that energy stays whole.
        output += np.sign(missing_mw) * governed
        others = room * ~self._is_governed * ~self._is_store
        total_mw = float(others.sum())
        if total_mw < left_mw:
            self.shortage_mwh += (left_mw - total_mw) * step.dt_s / 3600.0
            others = self.units.p_max_mw * (self.on & ~self._is_store)
            if not others.any():
                others = self.units.p_max_mw * (self.units.kind == THERMAL)
            total_mw = float(others.sum())
        output += np.sign(missing_mw) * left_mw * others / total_mw

    def expect(self, trip: Trip) -> None:
        """A unit will fail."""
        self._trips.append(trip)

    def bounds_mw(self, ns: int) -> tuple[Floats, Floats]:
        """Between what each unit can give while it is on, in the hour at a time, (units,) each."""
        return self._availability.bounds_mw(ns)

    def range_mw(self) -> tuple[Floats, Floats]:
        """Between what each unit can give now, (units,) each; 0 of those that are off."""
        return self._low_mw * self.on, self._high_mw * self.on

    def sense(self, step: Step, outbox: Outbox) -> None:
        """Report each unit's output."""
        every_s = self._parameters.telemetry_s
        if not self._swings and (step.end_ns % (every_s * NS_PER_S) == 0 or step.dt_s >= every_s):
            self._report(step, outbox)

    def advance_finely(self, step: Step) -> None:
        """Turbines and frequency."""
        assert self.swing is not None
        self.swing.advance(step, self._target_mw)

    def sense_finely(self, step: Step, outbox: Outbox) -> None:
        """Report each unit's output as often as secondary control asks."""
        assert self.swing is not None
        if step.end_ns // self.swing.scan_ns > step.start_ns // self.swing.scan_ns:
            self._report(step, outbox)

    def act_finely(self, step: Step, inbox: Sequence[Delivery], outbox: Outbox) -> None:
        """Take set-points as they arrive."""
        for delivery in inbox:
            self._take_targets(delivery)

    def act(self, step: Step, inbox: Sequence[Delivery], outbox: Outbox) -> None:
        """Take schedules and set-points to heart; offer the next day at the time for it."""
        for delivery in inbox:
            self._take_targets(delivery)
            if delivery.contract is market.UNITS:
                plan = market.UNITS.read(delivery)
                self._learn_rows(plan.first_hour, plan.on, plan.p_mw, plan.unit)
        if self.fuel:
            self.fuel.work(step, self, self._terminals)
        if step.passes_hour(self._parameters.bid_hour):
            offer = self.offer(step.day_end_ns)
            outbox.send(market.OFFER.wave(offer, self._endpoints.plants, self._endpoints.market, step.end_ns))

    def offer(self, day_ns: int) -> market.Offer:
        """What all units offer for the day that begins then: what they can give, at their costs. A unit that has failed offers nothing until it is whole."""
        costs, day = self.costs, self._availability.day(day_ns)
        begin_ns = (day.first_hour + np.arange(len(day.high_mw))) * NS_PER_HOUR
        for trip, unit in self._failed.items():
            day.low_mw[begin_ns < trip.end_ns, unit] = day.high_mw[begin_ns < trip.end_ns, unit] = 0.0
        return market.Offer(
            unit=self._all(),
            first_hour=day.first_hour,
            low_mw=day.low_mw,
            high_mw=day.high_mw,
            inflow_mwh=day.inflow_mwh,
            block_mw=costs.block_mw,
            block_eur=costs.block_eur,
            no_load_eur_per_h=costs.no_load_eur_per_h,
            start_eur=costs.start_eur,
        )

    @property
    def given_mw(self) -> float:
        """Mean power of all units in the last step."""
        if self.swing is not None and self._swings:
            return self.swing.given_mws / self._step_s
        return float(self._terminals.unit_output_mw.sum())

    def _fail(self, step: Step) -> None:
        """Units fail, or can be used again, at the step's start; the schedule says when they are."""
        for trip in self._trips:
            if trip.begin_ns <= step.start_ns < trip.end_ns and trip not in self._failed:
                output = self._terminals.unit_output_mw
                unit = self._greatest(output) if trip.unit is None else trip.unit
                self._failed[trip] = unit
                self.losses.append((step.start_ns, unit, float(output[unit]), trip.event))
                self._is_whole[unit] = self.on[unit] = False
                output[unit] = 0.0
            elif trip.end_ns <= step.start_ns and trip in self._failed:
                unit = self._failed.pop(trip)
                self._is_whole[unit] = unit not in self._failed.values()

    def _greatest(self, output_mw: Floats) -> int:
        """The thermal unit that gives most."""
        return int(np.argmax(np.where(self.units.kind == THERMAL, output_mw, -np.inf)))

    def _take_targets(self, delivery: Delivery) -> None:
        """The youngest set-point of each unit holds, whatever order they arrive in."""
        if delivery.contract not in (control.SET_POINT, control.AGC):
            return
        contract = control.AGC if delivery.contract is control.AGC else control.SET_POINT
        target, sent_ns = contract.read(delivery), delivery.sent_ns
        units = target.unit
        young = sent_ns >= self._commanded_ns[units]
        self._target_mw[units[young]] = target.target_mw[young]
        self._commanded_ns[units[young]] = sent_ns[young]

    def _report(self, step: Step, outbox: Outbox) -> None:
        output_mw = self._terminals.unit_output_mw.copy()
        unit = telemetry.Unit(self._all(), output_mw, is_on=self.on.copy(), has_failed=~self._is_whole)
        outbox.send(telemetry.UNIT.wave(unit, self._endpoints.plants, self._endpoints.operations, step.end_ns))

    def _learn(self, first_hour: int, on: npt.NDArray[np.bool_], p_mw: Floats) -> None:
        for k in range(len(on)):
            self._schedule[first_hour + k] = (on[k], p_mw[k])

    def _learn_rows(self, first_hour: int, on: npt.NDArray[np.bool_], p_mw: Floats, units: np.ndarray) -> None:
        """Learn the schedule of the units that were told; the others go on as they are."""
        for k in range(len(on)):
            state, power = self._schedule.get(first_hour + k, (self.on.copy(), self._target_mw.copy()))
            state[units], power[units] = on[k, units], p_mw[k, units]
            self._schedule[first_hour + k] = (state, power)

    def _all(self) -> np.ndarray:
        return np.arange(len(self.units.p_max_mw), dtype=np.int64)
