"""The local markets at work: they collect bids until each interval's gate, clear, tell the price to whose bids arrived, and settle each day.

Load that bids nothing takes any price: what the transformers carried when the bids left, less what the devices whose bids arrived drew then. Where that report did
not arrive, the last one known stands for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import local_market
from heptagrid.domains.markets.local_settlement import LocalSettlement
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.contract import Delivery
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.time import NS_PER_HOUR, Step
from heptagrid.planes.money.markets import local_auction
from heptagrid.planes.money.markets.local_auction import Clearing, Grid, Orders
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.local_markets import QUANTILES, LocalMarkets, spread_ns

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

REMEMBERED_H = 24
"""Hours of prices of which the mean and the deviation are taken: as GridLAB-D's controllers, `current_price_mean_24h`."""

_QUANTITIES = ("must_kw", "buy_kw", "full_eur_per_kwh", "none_eur_per_kwh", "sell_kw", "sell_eur_per_kwh", "now_kw")


class Cleared(NamedTuple):
    """What an interval came to, (markets,) each beside `begin_ns`; sold_kw: of devices' offers, bought_kw: of their bids; owed_eur: what these pay."""

    begin_ns: int
    clearing: Clearing
    grid: Grid
    bids_arrived: Ints
    prices_sent: Ints
    bought_kw: Floats
    sold_kw: Floats
    owed_eur: Floats


@dataclass
class _Book:
    """What has arrived for an interval: bids of the participants, (7, participants), the message of each, -1 without; loads, (markets,)."""

    bids: Floats
    ids: Ints
    load_kw: Floats
    load_by: Ints


class LocalMarket:
    """All local markets of a scenario.

    cleared: the intervals of the last two days, the youngest last. late: by interval, (markets,) bids that arrived after it was cleared. price_cap: EUR/kWh.
    """

    domain = Domain.MARKETS

    def __init__(
        self,
        markets: LocalMarkets,
        parameters: local_auction.Parameters,
        endpoints: Endpoints,
        day_ahead_eur_per_mwh: Callable[[int], float],
        settlement: LocalSettlement,
    ) -> None:
        """Set up; day_ahead_eur_per_mwh: the price of an hour since 1970."""
        self.cleared: list[Cleared] = []
        self.late: dict[int, Ints] = {}
        self.settlement = settlement
        self.price_cap = parameters.price_cap_eur_per_kwh
        self._markets, self._parameters, self._endpoints = markets, parameters, endpoints
        self._day_ahead = day_ahead_eur_per_mwh
        self._contracts = {local_market.bid(name): k for k, name in enumerate(markets.participants)}
        self._points = np.concatenate([np.empty(0, dtype=np.int64), *markets.participants.values()])
        sizes = [len(one) for one in markets.participants.values()]
        self._first = np.cumsum([0, *sizes])
        self._class = np.repeat(np.arange(len(sizes)), sizes)
        self._market_of = markets.of_point[self._points]
        self._by_market = np.argsort(self._market_of, kind="stable")
        self._point_of = np.full(int(endpoints.gateways.max(initial=0)) + 1, -1, dtype=np.int64)
        self._point_of[endpoints.gateways] = np.arange(len(endpoints.gateways))
        self._books: dict[int, _Book] = {}
        self._last_load_kw, self._last_load_by = np.zeros(markets.count), np.full(markets.count, -1, dtype=np.int64)
        self._history = np.zeros((0, markets.count))  # prices of the last day, the oldest first

    def start(self, first_hour: int, hours: int) -> tuple[Floats, Floats, Floats]:
        """Begin with the day-ahead prices of a day as those of the day before; what all are told of them: (markets,) mean and deviation, (markets, QUANTILES)."""
        prices = np.array([self._grid_prices(first_hour + hour)[0] for hour in range(hours)])
        each = round(1.0 / self._markets.timetable.hours)
        rows = np.repeat(prices, each)[: REMEMBERED_H * each]
        self._history = np.repeat(rows[:, np.newaxis], self._markets.count, axis=1)
        return self._outlook()

    def advance(self, step: Step) -> None:
        """Markets have no devices."""

    def carry(self, step: Step) -> None:
        """Markets have no terminals."""

    def sense(self, step: Step, outbox: Outbox) -> None:
        """Markets measure nothing."""

    def act(self, step: Step, inbox: Sequence[Delivery], outbox: Outbox) -> None:
        """Take what arrived, clear when it is time, and pay for the day before."""
        for delivery in inbox:
            if delivery.contract in self._contracts:
                self._take_bids(delivery, self._contracts[delivery.contract])
            elif delivery.contract is local_market.LOAD:
                self._take_load(delivery)
        begin_ns = self._markets.timetable.clears_for(step.end_ns)
        if begin_ns is not None:
            self._clear(begin_ns, step, outbox)
        self.settlement.pay(step)

    def _take_bids(self, delivery: Delivery, number: int) -> None:
        bid = local_market.bid(list(self._markets.participants)[number]).read(delivery)
        points = self._point_of[delivery.source]
        if self.cleared and bid.interval_ns <= self.cleared[-1].begin_ns:
            counts = np.bincount(self._markets.of_point[points], minlength=self._markets.count)
            before = self.late.get(bid.interval_ns, np.zeros(self._markets.count, dtype=np.int64))
            self.late[bid.interval_ns] = before + counts
            return
        first, last = self._first[number], self._first[number + 1]
        at = first + np.searchsorted(self._points[first:last], points)
        book = self._book(bid.interval_ns)
        book.ids[at] = delivery.ids
        for row, name in enumerate(_QUANTITIES):
            book.bids[row, at] = getattr(bid, name)

    def _take_load(self, delivery: Delivery) -> None:
        load = local_market.LOAD.read(delivery)
        book = self._book(load.interval_ns)
        book.load_kw[load.market], book.load_by[load.market] = load.p_kw, delivery.ids

    def _book(self, begin_ns: int) -> _Book:
        if begin_ns not in self._books:
            participants, count = len(self._points), self._markets.count
            self._books[begin_ns] = _Book(
                bids=np.zeros((len(_QUANTITIES), participants)),
                ids=np.full(participants, -1, dtype=np.int64),
                load_kw=np.full(count, np.nan),
                load_by=np.full(count, -1, dtype=np.int64),
            )
        return self._books[begin_ns]

    def _clear(self, begin_ns: int, step: Step, outbox: Outbox) -> None:
        book = self._book(begin_ns)
        self._books = {begin: one for begin, one in self._books.items() if begin > begin_ns}
        who = self._by_market[book.ids[self._by_market] >= 0]
        market, count = self._market_of[who], self._markets.count
        orders = Orders(market, *book.bids[:6, who])
        sells_at, takes_at = self._grid_prices(begin_ns // NS_PER_HOUR)
        ones = np.ones(count)
        grid = Grid(
            sells_at * ones,
            takes_at * ones,
            self._markets.capacity_kw,
            self._load_kw(book) - np.bincount(market, book.bids[6, who], minlength=count),
        )
        clearing = local_auction.clear(orders, grid, self.price_cap)
        self._history = np.concatenate([self._history[1:], clearing.price[np.newaxis]])
        price = clearing.price[market]
        buys_kw, sells_kw = local_auction.taken(
            orders, price, clearing.buy_share[market], clearing.sell_share[market], self.price_cap
        )
        hours = self._markets.timetable.hours
        owed_eur = ((price - sells_at) * buys_kw - (price - takes_at) * sells_kw) * hours
        owed_eur = self.settlement.note(begin_ns, self._points[who], owed_eur, book.ids[who])
        bought_kw, sold_kw, sum_eur = (
            np.bincount(market, one, minlength=count).astype(np.float64) for one in (buys_kw, sells_kw, owed_eur)
        )
        arrived = np.bincount(market, minlength=count)
        told = self._tell(begin_ns, clearing, who, book, step, outbox)
        self.cleared.append(Cleared(begin_ns, clearing, grid, arrived, told, bought_kw, sold_kw, sum_eur))
        self._forget(begin_ns)

    def _load_kw(self, book: _Book) -> Floats:
        """What the transformers of each market carry, as it was told, or was told last."""
        known = ~np.isnan(book.load_kw)
        self._last_load_kw = np.where(known, book.load_kw, self._last_load_kw)
        self._last_load_by = np.where(known, book.load_by, self._last_load_by)
        return self._last_load_kw

    def _tell(self, begin_ns: int, clearing: Clearing, who: Ints, book: _Book, step: Step, outbox: Outbox) -> Ints:
        """Send the price to all whose bids arrived; the last of what its market knew is the cause. Returns how many were sent, (markets,)."""
        cause = self._last_load_by.copy()
        np.maximum.at(cause, self._market_of[who], book.ids[who])
        points, at = np.unique(self._points[who], return_inverse=True)
        bidders = np.zeros(len(points), dtype=np.int64)
        np.bitwise_or.at(bidders, at, 1 << self._class[who])
        market = self._markets.of_point[points]
        mean, deviation, quantiles = self._outlook()
        price = local_market.Price(
            price_eur_per_kwh=clearing.price[market],
            buy_share=clearing.buy_share[market],
            sell_share=clearing.sell_share[market],
            mean_eur_per_kwh=mean[market],
            deviation_eur_per_kwh=deviation[market],
            bidders=bidders,
            market=market,
            quantiles_eur_per_kwh=quantiles,
            interval_ns=begin_ns,
        )
        here = self._endpoints
        at_ns = step.end_ns + spread_ns(points, self._parameters.spread_s, phase=0.5)
        outbox.send(local_market.PRICE.wave(price, here.market, here.gateways[points], at_ns, cause[market]))
        return np.bincount(market, minlength=self._markets.count)

    def _outlook(self) -> tuple[Floats, Floats, Floats]:
        """Mean and standard deviation of the last day's prices, (markets,) each, and their quantiles, (markets, QUANTILES)."""
        least = self._parameters.least_deviation_ct_per_kwh / 100.0
        ranked = np.sort(self._history, axis=0)
        rows = np.rint(np.linspace(0, len(ranked) - 1, QUANTILES)).astype(
            np.int64
        )  # prices that there were, none between two
        quantiles = np.ascontiguousarray(ranked[rows].T)
        return self._history.mean(axis=0), np.maximum(self._history.std(axis=0), least), quantiles

    def _grid_prices(self, hour: int) -> tuple[float, float]:
        """At what the grid sells, and takes back, in an hour since 1970, EUR/kWh."""
        takes_at = self._day_ahead(hour) / 1000.0
        return takes_at + self._parameters.fee_ct_per_kwh / 100.0, takes_at

    def _forget(self, begin_ns: int) -> None:
        oldest = begin_ns - 2 * REMEMBERED_H * NS_PER_HOUR
        if self.cleared[0].begin_ns < oldest:
            self.cleared = self.cleared[1:]
        self.late = {begin: one for begin, one in self.late.items() if begin >= oldest}
