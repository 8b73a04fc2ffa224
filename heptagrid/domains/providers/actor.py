"""The service providers at work: the retailer and the aggregator."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import flexibility, market, retail
from heptagrid.contracts.paper import KnownDay
from heptagrid.domains.providers.aggregator import SLOTS, Aggregator
from heptagrid.domains.providers.billing import Billing
from heptagrid.domains.providers.flexibility_pay import FlexibilityPay
from heptagrid.domains.providers.retailer import LateReads, Retailer, forecast_of, spread
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.contract import Delivery
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.payments import Dates
from heptagrid.foundation.time import (
    NS_PER_QUARTER,
    NS_PER_S,
    S_PER_QUARTER,
    Step,
    local_hours,
    market_hours,
    next_midnight_ns,
)
from heptagrid.planes.money.upkeep import PAY_HOUR, DailyUpkeep
from heptagrid.world.endpoints import Endpoints

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

BID_HOUR = 11.5  # local; European day-ahead auction: the gate closes at noon


class Providers:
    """Retailer and aggregator; in the conventional arm there is no aggregator and nothing goes to the town."""

    domain = Domain.PROVIDERS

    def __init__(
        self,
        endpoints: Endpoints,
        zone: ZoneInfo,
        retailer: Retailer,
        aggregator: Aggregator | None,
        substation_of: Ints,
        billing: Billing | None = None,
        flexibility_pay: FlexibilityPay | None = None,
        upkeep: DailyUpkeep | None = None,
    ) -> None:
        """Set up; `substation_of` is each customer's substation."""
        self.billing, self._flexibility_pay, self._upkeep = billing, flexibility_pay, upkeep
        self.retailer = retailer
        self.aggregator = aggregator
        self._endpoints = endpoints
        self._zone = zone
        self._substation_of = substation_of
        self._forecast_first = 0
        self._forecast_kw: Floats | None = None
        self._forecast_by = self._reads_by = -1  # the messages that told the forecast and the last day's reads

    def advance(self, step: Step) -> None:
        """Providers have no devices."""

    def carry(self, step: Step) -> None:
        """Providers have no terminals."""

    def sense(self, step: Step, outbox: Outbox) -> None:
        """Providers measure nothing."""

    def act(self, step: Step, inbox: Sequence[Delivery], outbox: Outbox) -> None:
        """Bid, pass prices on, steer, relieve, and bill."""
        for delivery in inbox:
            self._receive(delivery, step, outbox)
        if step.passes_hour(BID_HOUR):
            self._bid(step, outbox)
        if self.aggregator and step.end_ns % (self.aggregator.parameters.plan_every_s * NS_PER_S) == 0:
            self._steer(step, outbox)
        if self.billing and step.passes_hour(PAY_HOUR):
            self._bill(self.billing, step, outbox)
        if self._upkeep and step.passes_hour(PAY_HOUR):
            self._upkeep.pay(step)

    def _receive(self, delivery: Delivery, step: Step, outbox: Outbox) -> None:
        contract = delivery.contract
        if contract is retail.FORECAST:
            forecast = retail.FORECAST.read(delivery)
            if forecast.first_quarter >= self._forecast_first:  # one that a younger has overtaken says nothing
                self._forecast_first, self._forecast_kw = forecast.first_quarter, forecast.town_kw
                self._forecast_by = delivery.last_id
        elif contract is retail.DAY_READS:
            told, self._reads_by = retail.DAY_READS.read(delivery), delivery.last_id
            self.retailer.known_days[told.first_quarter] = KnownDay(
                first_quarter=told.first_quarter,
                import_kwh=told.import_kwh,
                export_kwh=told.export_kwh,
                status=told.status,
                moved_kwh=told.moved_kwh,
                asked_by=told.asked_by,
                message=delivery.last_id,
            )
            self.retailer.forget(told.first_quarter // 4 - 48)
        elif contract is retail.LATE_READS:
            self.retailer.late_reads.append(LateReads(retail.LATE_READS.read(delivery), delivery.last_id))
        elif contract is market.PRICES:
            prices = market.PRICES.read(delivery)
            self.retailer.learn_prices(prices.first_hour, prices.price_eur_per_mwh, int(delivery.ids[0]))
            if self.aggregator and self._endpoints.retailers[0] in delivery.destination:
                self._publish(prices, step, outbox, delivery.last_id)
        elif contract is flexibility.RELIEF and self.aggregator:
            self._relieve(delivery, step, outbox)

    def _bid(self, step: Step, outbox: Outbox) -> None:
        """Offer to buy, hour by hour, the forecast of the next local day and what the aggregator means to steer into it."""
        if self._forecast_kw is None:
            return
        hours = market_hours(step.day_end_ns, next_midnight_ns(step.day_end_ns, self._zone))
        quarters = np.arange(4 * hours.start, 4 * hours.stop)
        demand_kw = forecast_of(quarters, self._forecast_first, self._forecast_kw)
        if self.aggregator:
            demand_kw = demand_kw + self.aggregator.expected_kw(demand_kw, local_hours(quarters, self._zone))
        hourly_mw = demand_kw.reshape(-1, 4).mean(axis=1) / 1000.0
        demand, here = market.Demand(hours.start, hourly_mw), self._endpoints
        outbox.send(market.DEMAND.wave(demand, here.retailers[0], here.market, step.end_ns, self._forecast_by))

    def _publish(self, prices: market.Prices, step: Step, outbox: Outbox, cause: int) -> None:
        """Pass the day-ahead prices on to every customer's gateway."""
        gateways = self._endpoints.gateways
        told = retail.Prices(prices.first_hour, prices.price_eur_per_mwh / 1000.0)
        sent_ns = spread(step.end_ns, self.retailer.parameters.price_spread_s, len(gateways))
        outbox.send(retail.PRICES.wave(told, self._endpoints.retailers[0], gateways, sent_ns, cause))

    def _steer(self, step: Step, outbox: Outbox) -> None:
        """Plan from what is known now and send every enrolled device its signal."""
        assert self.aggregator is not None
        first = step.end_ns // NS_PER_QUARTER
        skip = first - self._forecast_first
        if self._forecast_kw is None or skip + SLOTS > len(self._forecast_kw):
            return  # the last forecast is so old that it does not reach over the next day
        quarters = first + np.arange(SLOTS)
        signals = self.aggregator.plan(
            self._forecast_kw[skip : skip + SLOTS],
            self.retailer.prices(quarters // 4),
            local_hours(quarters, self._zone),
        )
        valid = -(-self.aggregator.parameters.valid_s // S_PER_QUARTER)
        for name, signal in signals.kw.items():
            customers = self.aggregator.enrolled[name].customers
            told = flexibility.Signal(
                group=np.zeros(len(customers), dtype=np.int64),
                signals=signal[np.newaxis].astype(np.float32),
                first_quarter=first,
                valid_quarters=valid,
            )
            here, cause = self._endpoints, self._forecast_by
            gateways = here.gateways[customers]
            outbox.send(flexibility.signal(name).wave(told, here.aggregators[0], gateways, step.end_ns, cause))
        self._announce(step, outbox, first, signals.expected_kw)

    def _announce(self, step: Step, outbox: Outbox, first_quarter: int, expected_kw: Floats) -> None:
        """Tell operations what devices with a known need are expected to take."""
        expected, here = flexibility.Expected(first_quarter, expected_kw), self._endpoints
        outbox.send(
            flexibility.EXPECTED.wave(expected, here.aggregators[0], here.operations, step.end_ns, self._forecast_by)
        )

    def _relieve(self, alarm: Delivery, step: Step, outbox: Outbox) -> None:
        """Cap the devices that can be capped behind each substation for which operations asks relief."""
        assert self.aggregator is not None
        relief = flexibility.RELIEF.read(alarm)
        customers = self.aggregator.capped_customers
        customers = customers[np.isin(self._substation_of[customers], relief.substation)]
        until_ns = step.end_ns + int(relief.for_s * NS_PER_S)
        cap = flexibility.Cap(
            cap_kw=np.full(len(customers), self.aggregator.parameters.relief_cap_kw),
            until_ns=np.full(len(customers), until_ns, dtype=np.int64),
        )
        here = self._endpoints
        outbox.send(
            flexibility.CAP.wave(cap, here.aggregators[0], here.gateways[customers], step.end_ns, alarm.last_id)
        )
        if self._flexibility_pay:
            self._flexibility_pay.claim(relief, Dates(step.end_ns, step.day_start_ns), alarm.ids)

    def _bill(self, billing: Billing, step: Step, outbox: Outbox) -> None:
        """Bill the day before, pay for what was moved on request, and send every customer what it comes to."""
        billed = billing.bill(step, self.retailer)
        if billed is None:
            return
        record, true_up_eur = billed
        if self._flexibility_pay:
            self._flexibility_pay.pay(record.known, record.dates)
        if self.aggregator:  # without a smart grid bills go by post
            gateways = self._endpoints.gateways
            bill = retail.Bill(record.billed.bills.net, true_up_eur, record.dates.of_ns)
            sent_ns = spread(step.end_ns, self.retailer.parameters.bill_spread_s, len(gateways))
            outbox.send(retail.BILL.wave(bill, self._endpoints.retailers[0], gateways, sent_ns, self._reads_by))
