"""An aggregator at work: it steers the devices of its customers, relieves transformers, and pays for what was moved."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import flexibility, market, retail
from heptagrid.contracts.paper import Paper
from heptagrid.domains.providers.aggregator import SLOTS, Aggregator
from heptagrid.domains.providers.flexibility_pay import FlexibilityPay
from heptagrid.domains.providers.known_forecast import KnownForecast
from heptagrid.domains.providers.known_prices import KnownPrices
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.contract import Delivery
from heptagrid.foundation.payments import Dates, PaidDays
from heptagrid.foundation.point_columns import of_points
from heptagrid.foundation.time import NS_PER_QUARTER, NS_PER_S, S_PER_QUARTER, Step, local_hours
from heptagrid.planes.money.upkeep import PAY_HOUR, DailyUpkeep
from heptagrid.world.endpoints import Endpoints

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_REMEMBERED_H = 48 + 25  # hours of prices that are kept: assumption, those of the retailers


class AggregatorDesk:
    """One aggregator with its own endpoint and customers. signals: the last ones that it sent: the first quarter hour since 1970, and kW by class."""

    def __init__(
        self,
        number: int,
        endpoints: Endpoints,
        zone: ZoneInfo,
        aggregator: Aggregator,
        substation_of: Ints,
        flexibility_pay: FlexibilityPay,
        upkeep: DailyUpkeep,
        days: PaidDays,
        paper: Paper,
    ) -> None:
        """Set up; `substation_of` is the substation of each metering point, of all there are."""
        self.endpoint = int(endpoints.aggregators[number])
        self.aggregator, self.flexibility_pay = aggregator, flexibility_pay
        self.prices = KnownPrices()
        self._endpoints, self._zone, self._substation_of = endpoints, zone, substation_of
        self._upkeep, self._days, self._paper = upkeep, days, paper
        self.signals: tuple[int, Mapping[str, Floats]] = (0, {})
        self._forecast = KnownForecast()
        self._moved: flexibility.Moved | None = None  # the youngest registers that it was told

    def receive(self, delivery: Delivery, step: Step, outbox: Outbox) -> None:
        """Take in what arrived at its endpoint; relief is given at once."""
        contract = delivery.contract
        if contract is retail.FORECAST:
            self._forecast.learn(delivery)
        elif contract is market.PRICES:
            prices = market.PRICES.read(delivery)
            self.prices.learn(prices.first_hour, prices.price_eur_per_mwh, delivery.last_id)
        elif contract is flexibility.MOVED:
            moved = flexibility.MOVED.read(delivery)
            if self._moved is None or moved.until_quarter >= self._moved.until_quarter:
                self._moved = moved
            self.prices.forget(moved.until_quarter // 4 - _REMEMBERED_H)
        elif contract is flexibility.RELIEF:
            self._relieve(delivery, step, outbox)

    def steer(self, step: Step, outbox: Outbox) -> None:
        """When it is time, plan from what is known now and send every enrolled device its signal."""
        if step.end_ns % (self.aggregator.parameters.plan_every_s * NS_PER_S):
            return
        first = step.end_ns // NS_PER_QUARTER
        net_kw = self._forecast.next(first, SLOTS)
        if net_kw is None:
            return  # the last forecast is so old that it does not reach over the next day
        quarters = first + np.arange(SLOTS)
        signals = self.aggregator.plan(net_kw, self.prices.of(quarters // 4), local_hours(quarters, self._zone))
        valid = -(-self.aggregator.parameters.valid_s // S_PER_QUARTER)
        cause = self._forecast.message
        self.signals = (first, signals.kw)
        for name, signal in signals.kw.items():
            customers = self.aggregator.enrolled[name].customers
            told = flexibility.Signal(
                group=np.zeros(len(customers), dtype=np.int64),
                signals=signal[np.newaxis].astype(np.float32),
                first_quarter=first,
                valid_quarters=valid,
            )
            gateways = self._endpoints.gateways[customers]
            outbox.send(flexibility.signal(name).wave(told, self.endpoint, gateways, step.end_ns, cause))
        # Tell operations what devices with a known need are expected to take.
        expected = flexibility.Expected(first, signals.expected_kw)
        outbox.send(flexibility.EXPECTED.wave(expected, self.endpoint, self._endpoints.operations, step.end_ns, cause))

    def _relieve(self, alarm: Delivery, step: Step, outbox: Outbox) -> None:
        """Cap the devices that can be capped behind each substation for which operations asks relief."""
        relief = flexibility.RELIEF.read(alarm)
        customers = self.aggregator.capped_customers
        customers = customers[np.isin(self._substation_of[customers], relief.substation)]
        until_ns = step.end_ns + int(relief.for_s * NS_PER_S)
        cap = flexibility.Cap(
            cap_kw=np.full(len(customers), self.aggregator.parameters.relief_cap_kw),
            until_ns=np.full(len(customers), until_ns, dtype=np.int64),
        )
        gateways = self._endpoints.gateways[customers]
        outbox.send(flexibility.CAP.wave(cap, self.endpoint, gateways, step.end_ns, alarm.last_id))
        self.flexibility_pay.claim(relief, Dates(step.end_ns, step.day_start_ns), alarm.ids)

    def pay(self, step: Step) -> None:
        """Pay for what was moved on request until the day's end, and for the control boxes."""
        if not step.passes_hour(PAY_HOUR):
            return
        dates = self._days.yesterday(step)
        if dates is not None:
            self.flexibility_pay.pay(*self._moved_until(step.day_start_ns // NS_PER_QUARTER), dates)
        self._upkeep.pay(step)

    def _moved_until(self, quarter: int) -> tuple[Floats, Ints]:
        """The registers of its customers and who asked, as a message told them, or on paper."""
        if self._moved is not None and self._moved.until_quarter == quarter:
            return self._moved.moved_kwh, self._moved.asked_by
        moved_kwh, asked_by = self._paper.moved(quarter)
        points = self.flexibility_pay.points
        return of_points(moved_kwh, points), of_points(asked_by, points)
