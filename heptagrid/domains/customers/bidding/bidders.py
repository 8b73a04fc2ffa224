"""Gateways in the local market: they send their devices' bids, and tell each device what it was given at the price that arrived.

A bid holds for one interval. A device whose bid or price has not arrived when the interval begins works by its own control; a price that comes late holds for
what is left of the interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import local_market
from heptagrid.domains.customers.bidding.rule import BidRule, Curves, Interval, Outlook
from heptagrid.domains.customers.device import Device
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.contract import Delivery
from heptagrid.foundation.time import Step
from heptagrid.planes.money.markets import local_auction
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.local_markets import QUANTILES, LocalMarkets, spread_ns

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class ClassBidders:
    """The participating devices of one class: points, (k,) ascending, and their rows among the class's devices.

    outlook: of the prices as last told; price_by: (k,) the message that told it, -1 on paper.
    """

    def __init__(
        self, number: int, name: str, device: Device[Any], rule: BidRule[Any], points: Ints, under_way: int
    ) -> None:
        """Set up; number: of the class among those that bid."""
        self.contract, self._bit = local_market.bid(name), 1 << number
        self.device, self.rule, self.points = device, rule, points
        self.rows = np.searchsorted(device.owner, points)
        self.outlook = Outlook(np.zeros(len(points)), np.ones(len(points)), np.zeros((len(points), QUANTILES)))
        self.price_by = np.full(len(points), -1, dtype=np.int64)
        self._interval_ns = np.full((under_way, len(points)), -1, dtype=np.int64)
        self._curves = np.zeros((under_way, len(Curves._fields), len(points)))
        self._bid_by = [self.outlook] * under_way

    def bid(self, interval: Interval, slot: int, supplied: Bools) -> tuple[Ints, Curves]:
        """Who bids, positions among the points, and what; kept until the price comes."""
        outlook = Outlook(*(one.copy() for one in self.outlook))
        curves = self.rule.bids(self.device, self.rows, outlook, interval)
        bids = (curves.must_kw + curves.buy_kw + curves.sell_kw > 1e-6) & supplied[self.points]
        self._interval_ns[slot] = np.where(bids, interval.begin_ns, -1)
        self._curves[slot], self._bid_by[slot] = curves, outlook
        who = np.flatnonzero(bids)
        return who, Curves(*(one[who] for one in curves))

    def take(
        self, points: Ints, told: local_market.Price, ids: Ints, interval: Interval, slot: int, cap: float
    ) -> None:
        """Give the devices of those points, (n,), what their bids came to; one whose bid did not arrive only learns the prices."""
        at = np.minimum(np.searchsorted(self.points, points), max(len(self.points) - 1, 0))
        mine = np.flatnonzero(self.points[at] == points) if len(self.points) else np.empty(0, dtype=np.int64)
        at = at[mine]
        self.outlook.mean[at], self.outlook.deviation[at] = (
            told.mean_eur_per_kwh[mine],
            told.deviation_eur_per_kwh[mine],
        )
        self.outlook.quantiles[at] = told.quantiles_eur_per_kwh[told.market[mine]]
        self.price_by[at] = ids[mine]
        bade = (self._interval_ns[slot, at] == interval.begin_ns) & (told.bidders[mine] & self._bit > 0)
        at, mine = at[bade], mine[bade]
        if not len(at):
            return
        curves = Curves(*self._curves[slot][:, at])
        price = told.price_eur_per_kwh[mine]
        orders = local_auction.Orders(np.empty(0, dtype=np.int64), *curves)
        buys_kw, sells_kw = local_auction.taken(orders, price, told.buy_share[mine], told.sell_share[mine], cap)
        outlook = Outlook(*(one[at] for one in self._bid_by[slot]))
        value = self.rule.response(self.device, self.rows[at], outlook, price, buys_kw - sells_kw)
        end_ns = interval.begin_ns + round(interval.hours * 3.6e12)
        self.device.orders.place(interval.begin_ns, end_ns, self.rows[at], value)


class Bidders:
    """All participating devices.

    bids_sent, prices_in_time: by the first instant of an interval, (markets,) how many of each; the last ones are kept.
    """

    def __init__(
        self,
        markets: LocalMarkets,
        parameters: local_auction.Parameters,
        devices: Mapping[str, Device[Any]],
        rules: Mapping[str, BidRule[Any]],
        endpoints: Endpoints,
    ) -> None:
        """Set up; rules: of each class that bids, by name."""
        self.bids_sent: dict[int, Ints] = {}
        self.prices_in_time: dict[int, Ints] = {}
        self._markets, self._parameters, self._endpoints = markets, parameters, endpoints
        self._cap = parameters.price_cap_eur_per_kwh
        slots = markets.timetable.under_way
        self.classes = [
            ClassBidders(k, name, devices[name], rule, markets.participants[name], slots)
            for k, (name, rule) in enumerate(rules.items())
        ]

    def start(self, mean: Floats, deviation: Floats, quantiles: Floats) -> None:
        """Tell all, on paper, what prices to expect in each market, (markets,) and (markets, quantiles)."""
        for one in self.classes:
            market = self._markets.of_point[one.points]
            for known, told in zip(one.outlook, (mean, deviation, quantiles), strict=True):
                known[:] = told[market]

    def send(self, step: Step, supplied: Bools, outbox: Outbox) -> None:
        """If it is time, send the bids of all who have supply."""
        timetable = self._markets.timetable
        begin_ns = timetable.bids_for(step.end_ns)
        if begin_ns is None:
            return
        interval, slot = Interval(begin_ns, timetable.hours), self._slot(begin_ns)
        sent = np.zeros(self._markets.count, dtype=np.int64)
        for one in self.classes:
            who, curves = one.bid(interval, slot, supplied)
            points, table = one.points[who], one.device.orders.table
            now_kw = table.flexible_kw[one.rows[who]]
            bid = local_market.Bid(
                must_kw=curves.must_kw,
                buy_kw=curves.buy_kw,
                full_eur_per_kwh=curves.full,
                none_eur_per_kwh=curves.none,
                sell_kw=curves.sell_kw,
                sell_eur_per_kwh=curves.sell,
                now_kw=now_kw,
                interval_ns=begin_ns,
            )
            at_ns = step.end_ns + spread_ns(points, self._parameters.spread_s)
            gateways, market = self._endpoints.gateways[points], self._endpoints.market
            outbox.send(one.contract.wave(bid, gateways, market, at_ns, one.price_by[who]))
            sent += np.bincount(self._markets.of_point[points], minlength=self._markets.count)
        self.bids_sent[begin_ns] = sent
        for kept in (self.bids_sent, self.prices_in_time):
            for old in [one for one in kept if one < begin_ns - 4 * timetable.under_way * timetable.period_ns]:
                del kept[old]

    def take(self, delivery: Delivery) -> None:
        """Take a local price that arrived at its points."""
        told = local_market.PRICE.read(delivery)
        interval = Interval(told.interval_ns, self._markets.timetable.hours)
        points, ids = delivery.destination, delivery.ids
        for one in self.classes:
            one.take(points, told, ids, interval, self._slot(interval.begin_ns), self._cap)
        in_time = points[delivery.delivered_ns <= interval.begin_ns]
        counts = np.bincount(self._markets.of_point[in_time], minlength=self._markets.count)
        before = self.prices_in_time.get(interval.begin_ns, np.zeros(self._markets.count, dtype=np.int64))
        self.prices_in_time[interval.begin_ns] = before + counts

    def _slot(self, begin_ns: int) -> int:
        timetable = self._markets.timetable
        return begin_ns // timetable.period_ns % timetable.under_way
