"""Operations at work: the bulk desk in both arms; head end, SCADA and forecasts for the town in the smart one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import control, flexibility, market, metering, retail, telemetry
from heptagrid.domains.operations.agc import Agc
from heptagrid.domains.operations.bulk_desk import BulkDesk
from heptagrid.domains.operations.customers_desk import CustomersDesk
from heptagrid.domains.operations.firmware import Rollout
from heptagrid.domains.operations.forecast import Forecast
from heptagrid.domains.operations.metered import MeteredDays
from heptagrid.domains.operations.scada import Scada
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.contract import Delivery
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.payments import PaidDays
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER, Step, market_hours, next_midnight_ns
from heptagrid.planes.money.upkeep import PAY_HOUR, DailyUpkeep
from heptagrid.world.endpoints import Endpoints

Floats = npt.NDArray[np.float64]

FORECAST_HOUR = 10.75  # local; assumption: in time for the bids
METERED_HOUR = 0.75  # local; with the day's reads
FORECAST_QUARTERS = 40 * 4  # from before noon to the end of the next day, also of 25 hours


class Operations:
    """The control centre as an actor; `busbar_pu` are the targets it last gave the towns' tap changers, (towns,)."""

    domain = Domain.OPERATIONS

    def __init__(
        self,
        endpoints: Endpoints,
        zone: ZoneInfo,
        forecast: Forecast,
        rest_mw: Callable[[int], Floats],
        bulk_desk: BulkDesk,
        metered_days: MeteredDays,
        days: PaidDays,
        customers_desk: CustomersDesk | None,
        scada: Scada | None,
        busbar_pu: Floats,
        rollouts: Sequence[Rollout] = (),
        agc: Agc | None = None,
        upkeep: DailyUpkeep | None = None,
        relief_shares: Floats | None = None,
        towns_mw: Callable[[int, int], Floats] | None = None,
    ) -> None:
        """Set up; `rest_mw` forecasts the other loads at a time by bus, the two desks are None without a smart grid.

        towns_mw : forecasts the towns by standard profiles alone, (hours, towns) from a first hour since 1970 on.
        relief_shares : (aggregators, substations) which part of a substation's relief is asked of each aggregator.
        """
        self._relief_shares, self._towns_mw = relief_shares, towns_mw
        self.agc = agc
        self._rollouts = rollouts
        self.bulk_desk, self.customers_desk, self.scada = bulk_desk, customers_desk, scada
        self.busbar_pu = busbar_pu
        self.metered_days, self._days = metered_days, days
        self.upkeep = upkeep
        self._endpoints, self._zone, self._forecast, self._rest_mw = endpoints, zone, forecast, rest_mw

    def advance(self, step: Step) -> None:
        """Operations has no devices; reads that arrived in the step before are stored."""
        if self.customers_desk:
            self.customers_desk.take_in()

    def carry(self, step: Step) -> None:
        """Operations has no terminals."""

    def sense(self, step: Step, outbox: Outbox) -> None:
        """Operations measures nothing itself; a firmware roll-out goes on as planned."""
        for rollout in self._rollouts:
            rollout.work(step, outbox)

    def may_send_within(self, step: Step) -> bool:
        """Whether a roll-out may have blocks to send before the step's end."""
        return any(rollout.may_send_within(step) for rollout in self._rollouts)

    def advance_finely(self, step: Step) -> None:
        """Operations has no devices."""

    def sense_finely(self, step: Step, outbox: Outbox) -> None:
        """Operations measures nothing itself."""

    def act_finely(self, step: Step, inbox: Sequence[Delivery], outbox: Outbox) -> None:
        """Secondary control."""
        if self.agc is None:
            return
        for delivery in inbox:
            if delivery.contract is telemetry.FREQUENCY:
                self.agc.receive(delivery)
            elif delivery.contract is telemetry.UNIT:
                self.bulk_desk.receive(delivery)
        self.agc.work(step, outbox)

    def act(self, step: Step, inbox: Sequence[Delivery], outbox: Outbox) -> None:
        """Take in what arrived, then let each desk work."""
        for delivery in inbox:
            self._receive(delivery)
        self.bulk_desk.work(step, outbox)
        if step.passes_hour(FORECAST_HOUR):
            self._forecast_tomorrow(step, outbox)
        if self.customers_desk:
            self.customers_desk.work(step, outbox)
        if step.passes_hour(METERED_HOUR):
            self._tell_metered(step, outbox)
        if self.upkeep and step.passes_hour(PAY_HOUR):
            self.upkeep.pay(step)
        if self.customers_desk and self.scada:
            if step.ends_hour:
                self._forecast_customers(step, outbox)
            if step.ends_quarter:
                self._move_busbar(step, outbox)
            self._ask_relief(step, outbox)

    def _receive(self, delivery: Delivery) -> None:
        contract = delivery.contract
        if contract in (metering.READING, metering.MISSED) and self.customers_desk:
            self.customers_desk.receive(delivery)  # registers on demand are looked at, not billed
        elif contract is telemetry.UNIT:
            self.bulk_desk.receive(delivery)
        elif contract is telemetry.FLOWS:
            self.bulk_desk.receive_flows(delivery)
        elif contract in (telemetry.SUBSTATION, telemetry.SUBSTATION_ALARM) and self.scada:
            self.scada.receive(delivery)
        elif contract is market.UNITS_TO_OPERATIONS:
            plan = market.UNITS_TO_OPERATIONS.read(delivery)
            self.bulk_desk.learn_schedule(plan.first_hour, plan.on, plan.p_mw)
        elif contract is flexibility.EXPECTED:
            expected = flexibility.EXPECTED.read(delivery)
            (aggregator,) = np.flatnonzero(self._endpoints.aggregators == delivery.source[-1]).tolist()
            self._forecast.learn_steered(aggregator, expected.first_quarter, expected.expected_kw)

    def _forecast_tomorrow(self, step: Step, outbox: Outbox) -> None:
        """The other loads of the next day to the market, those of their customers to the retailers."""
        hours = market_hours(step.day_end_ns, next_midnight_ns(step.day_end_ns, self._zone))
        assert self._towns_mw is not None
        rest_mw = np.array([self._rest_mw(hour * NS_PER_HOUR) for hour in hours])
        forecast = market.RestForecast(hours[0], rest_mw, self._towns_mw(hours[0], len(hours)))
        here = self._endpoints
        outbox.send(market.REST_FORECAST.wave(forecast, here.operations, here.market, step.end_ns))
        if self.customers_desk is None:
            self._forecast_customers(step, outbox)

    def _tell_metered(self, step: Step, outbox: Outbox) -> None:
        """What was taken at the infeed yesterday, and what the points used, to the market."""
        dates = self._days.yesterday(step)
        if dates is None:
            return
        first = dates.of_ns // NS_PER_QUARTER
        metered = self.metered_days.metered(first, step.day_start_ns // NS_PER_QUARTER - first)
        here, cause = self._endpoints, self.bulk_desk.flows_by
        outbox.send(market.METERED.wave(metered, here.operations, here.market, step.end_ns, cause))

    def _forecast_customers(self, step: Step, outbox: Outbox) -> None:
        """To each company the forecast of its own customers; without a smart grid no aggregator is told."""
        first, here = step.end_ns // NS_PER_QUARTER, self._endpoints
        told = [
            (place, self._forecast.of_retailer(k, first, FORECAST_QUARTERS)) for k, place in enumerate(here.retailers)
        ]
        if self.customers_desk:
            told += [
                (place, self._forecast.of_aggregator(k, first, FORECAST_QUARTERS))
                for k, place in enumerate(here.aggregators)
            ]
        for place, net_kw in told:
            outbox.send(retail.FORECAST.wave(retail.Forecast(first, net_kw), here.operations, place, step.end_ns))

    def _move_busbar(self, step: Step, outbox: Outbox) -> None:
        """Move the tap changers' targets where the substations report voltages outside the wanted band."""
        assert self.scada is not None
        towns = range(len(self.busbar_pu))
        for town in towns:
            self.busbar_pu[town] = self.scada.wanted_busbar_pu(town, self.busbar_pu[town])
        target, here = control.BusbarVoltage(np.array(towns), self.busbar_pu.copy()), self._endpoints
        cause = np.array([self.scada.last_of(town) for town in towns])
        outbox.send(control.BUSBAR.wave(target, here.operations, here.hubs, step.end_ns, cause))

    def _ask_relief(self, step: Step, outbox: Outbox) -> None:
        """Ask aggregators for relief of each transformer that is loaded too highly, each for its part."""
        assert self.scada is not None and self._relief_shares is not None
        rows, excess_kw = self.scada.overloads(step.end_ns)
        if len(rows) == 0:
            return
        here, for_s = self._endpoints, self.scada.parameters.relief_for_s
        for place, shares in zip(here.aggregators, self._relief_shares[:, rows], strict=True):
            mine = shares > 0.0
            if mine.any():
                relief = flexibility.Relief(rows[mine], excess_kw[mine] * shares[mine], for_s)
                cause = self.scada.seen_by[rows[mine]]
                outbox.send(flexibility.RELIEF.wave(relief, here.operations, place, step.end_ns, cause))
