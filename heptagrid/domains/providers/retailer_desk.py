"""A retailer at work: it bids for its customers, passes prices on to them, and bills them."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import market, retail
from heptagrid.contracts.paper import KnownDay
from heptagrid.domains.providers.billing import Billing
from heptagrid.domains.providers.expected_draw import expected_draw
from heptagrid.domains.providers.known_forecast import KnownForecast
from heptagrid.domains.providers.retailer import LateReads, Retailer
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.contract import Delivery
from heptagrid.foundation.time import NS_PER_S, Step, local_hours, market_hours, next_midnight_ns
from heptagrid.planes.money.upkeep import PAY_HOUR
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.registrations import Enrolled

Ints = npt.NDArray[np.int64]

BID_HOUR = 11.5  # local; European day-ahead auction: the gate closes at noon


class RetailerDesk:
    """One retailer with its own endpoint and customers."""

    def __init__(
        self,
        number: int,
        endpoints: Endpoints,
        zone: ZoneInfo,
        retailer: Retailer,
        points: Ints,
        enrolled: Mapping[str, Enrolled],
        billing: Billing | None = None,
        smart: bool = True,
    ) -> None:
        """Set up.

        points : (points,) its customers, ascending. enrolled : devices of these that aggregators control, by class. smart : whether prices and bills are sent;
        otherwise they go by post.
        """
        self.endpoint = int(endpoints.retailers[number])
        self.retailer, self.billing = retailer, billing
        self._endpoints, self._zone, self._smart = endpoints, zone, smart
        self._points, self._enrolled = points, enrolled
        self._forecast = KnownForecast()
        self._reads_by = -1  # the message that told the last day's reads

    def receive(self, delivery: Delivery, step: Step, outbox: Outbox) -> None:
        """Take in what arrived at its endpoint; prices are passed on at once."""
        contract = delivery.contract
        if contract is retail.FORECAST:
            self._forecast.learn(delivery)
        elif contract is retail.DAY_READS:
            told, self._reads_by = retail.DAY_READS.read(delivery), delivery.last_id
            self.retailer.known_days[told.first_quarter] = KnownDay(
                first_quarter=told.first_quarter,
                point=told.point,
                import_kwh=told.import_kwh,
                export_kwh=told.export_kwh,
                status=told.status,
                message=delivery.last_id,
            )
            self.retailer.forget(told.first_quarter // 4 - 48)
        elif contract is retail.LATE_READS:
            self.retailer.late_reads.append(LateReads(retail.LATE_READS.read(delivery), delivery.last_id))
        elif contract is market.PRICES:
            prices = market.PRICES.read(delivery)
            self.retailer.prices.learn(prices.first_hour, prices.price_eur_per_mwh, delivery.last_id)
            if self._smart:
                self._publish(prices, step, outbox, delivery.last_id)

    def bid(self, step: Step, outbox: Outbox) -> None:
        """Offer to buy, hour by hour, the forecast of the next local day and what aggregators will steer into it."""
        if not step.passes_hour(BID_HOUR) or not self._forecast.is_there:
            return
        hours = market_hours(step.day_end_ns, next_midnight_ns(step.day_end_ns, self._zone))
        quarters = np.arange(4 * hours.start, 4 * hours.stop)
        demand_kw = self._forecast.of(quarters)
        demand_kw = demand_kw + expected_draw(self._enrolled, demand_kw, local_hours(quarters, self._zone))[0]
        hourly_mw = demand_kw.reshape(-1, 4).mean(axis=1) / 1000.0
        demand = market.Demand(hours.start, hourly_mw)
        to, cause = self._endpoints.market, self._forecast.message
        outbox.send(market.DEMAND.wave(demand, self.endpoint, to, step.end_ns, cause))

    def bill(self, step: Step, outbox: Outbox) -> None:
        """Bill the day before, and send every customer what it comes to."""
        if self.billing is None or not step.passes_hour(PAY_HOUR):
            return
        billed = self.billing.bill(step, self.retailer)
        if billed is None or not self._smart:
            return
        record, true_up_eur = billed
        gateways = self._endpoints.gateways[self._points]
        bill = retail.Bill(record.billed.bills.net, true_up_eur, record.dates.of_ns)
        sent_ns = spread(step.end_ns, self.retailer.parameters.bill_spread_s, len(gateways))
        outbox.send(retail.BILL.wave(bill, self.endpoint, gateways, sent_ns, self._reads_by))

    def _publish(self, prices: market.Prices, step: Step, outbox: Outbox, cause: int) -> None:
        """Pass the day-ahead prices on to every customer's gateway."""
        gateways = self._endpoints.gateways[self._points]
        told = retail.Prices(prices.first_hour, prices.price_eur_per_mwh / 1000.0)
        sent_ns = spread(step.end_ns, self.retailer.parameters.price_spread_s, len(gateways))
        outbox.send(retail.PRICES.wave(told, self.endpoint, gateways, sent_ns, cause))


def spread(start_ns: int, over_s: float, count: int) -> Ints:
    """Evenly spaced times from `start_ns` on over `over_s` seconds, (count,)."""
    return start_ns + (np.arange(count, dtype=np.int64) * int(over_s * NS_PER_S)) // max(count, 1)
