"""The exchange at work: collects offers and demand, clears the next day, publishes, and settles the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import market
from heptagrid.domains.markets.settlement import Settlement
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.contract import Delivery
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.time import NS_PER_HOUR, Step
from heptagrid.planes.money.markets.clearing import Cleared, Parameters, clear
from heptagrid.planes.money.markets.commitment import LONG_H
from heptagrid.world.bulk import BulkUnits
from heptagrid.world.endpoints import Endpoints

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CLEAR_HOUR = 12.25  # local; European day-ahead auction: gate at noon, results within the hour
SETTLE_HOUR = 0.9  # local; assumption: before the bills, after the reads are validated

_OFFERED = ("p_min_mw", "p_max_mw", "cost_2", "cost_1", "cost_0", "start_usd")


class Markets:
    """The day-ahead market; it clears with the offers and demands that reached it in time.

    Kept by hour since 1970: `price_eur_per_mwh`, and `position_mwh`, (retailers,) what each bought. `uncleared`: days for
    which no demand of the other loads had arrived.
    """

    domain = Domain.MARKETS

    def __init__(
        self, parameters: Parameters, units: BulkUnits, endpoints: Endpoints, settlement: Settlement | None = None
    ) -> None:
        self.price_eur_per_mwh: dict[int, float] = {}
        self.position_mwh: dict[int, Floats] = {}
        self.rest_mwh: dict[int, float] = {}
        self.settlement = settlement
        self.uncleared = 0
        self._parameters, self._units, self._endpoints = parameters, units, endpoints
        self._offers: dict[str, Floats] = {name: np.zeros(len(units.p_max_mw)) for name in _OFFERED}
        self._demand: dict[
            int, tuple[market.Demand, int]
        ] = {}  # by retailer: the youngest, and the message that told it
        self._rest_forecast: market.RestForecast | None = None
        self._last_on = np.zeros(len(units.p_max_mw), dtype=bool)
        self._since_h = np.full(len(units.p_max_mw), LONG_H)
        self._scheduled_mwh: dict[int, Floats] = {}  # by hour, of each unit
        self._rest_by = -1  # the message that told it

    def clear(self, first_hour: int, rest_mw: Floats, bought_mw: Floats) -> Cleared:
        """Clear the hours from `first_hour` on and keep prices and positions; bought_mw: (hours, retailers)."""
        cleared = clear(
            rest_mw + bought_mw.sum(axis=1), self._units_offered(), self._last_on, self._parameters, self._since_h
        )
        for k, price in enumerate(cleared.price_eur_per_mwh):
            self.price_eur_per_mwh[first_hour + k] = float(price)
            self.position_mwh[first_hour + k] = bought_mw[k]
            self.rest_mwh[first_hour + k] = float(rest_mw[k])
            self._scheduled_mwh[first_hour + k] = cleared.p_mw[k]
        self._last_on, self._since_h = cleared.on[-1].copy(), cleared.since_h
        return cleared

    def price(self, hour: int) -> float:
        """The price of an hour since 1970; one that was not cleared takes that of the day before, 0 if none ever was."""
        known = self.price_eur_per_mwh
        first = min(known, default=hour)
        while hour not in known and hour > first:
            hour -= 24
        return known.get(hour, 0.0)

    def open_to_all(self) -> None:
        """Take every unit as offered at its cost: for the first day, before any offer could be sent."""
        for name, column in self._offers.items():
            column[:] = getattr(self._units, name)

    def advance(self, step: Step) -> None:
        """Markets have no devices."""

    def carry(self, step: Step) -> None:
        """Markets have no terminals."""

    def sense(self, step: Step, outbox: Outbox) -> None:
        """Markets measure nothing."""

    def act(self, step: Step, inbox: Sequence[Delivery], outbox: Outbox) -> None:
        """Take what arrived; clear and settle at their times."""
        for delivery in inbox:
            self._receive(delivery)
        if step.passes_hour(CLEAR_HOUR):
            self._clear_tomorrow(step, outbox)
        if self.settlement and step.passes_hour(SETTLE_HOUR):
            self._settle(self.settlement, step, outbox)

    def _receive(self, delivery: Delivery) -> None:
        if delivery.contract is market.OFFER:
            offer = market.OFFER.read(delivery)
            for name, column in self._offers.items():
                column[offer.unit] = getattr(offer, name)
        elif delivery.contract is market.DEMAND:
            demand = market.DEMAND.read(delivery)
            (buyer,) = np.flatnonzero(self._endpoints.retailers == delivery.source[-1]).tolist()
            if buyer not in self._demand or demand.first_hour >= self._demand[buyer][0].first_hour:
                self._demand[buyer] = demand, delivery.last_id
        elif delivery.contract is market.REST_FORECAST:
            rest = market.REST_FORECAST.read(delivery)
            if self._rest_forecast is None or rest.first_hour >= self._rest_forecast.first_hour:
                self._rest_forecast, self._rest_by = rest, delivery.last_id
        elif delivery.contract is market.METERED and self.settlement:
            self.settlement.learn(market.METERED.read(delivery), delivery.last_id)

    def _clear_tomorrow(self, step: Step, outbox: Outbox) -> None:
        first_hour = step.day_end_ns // NS_PER_HOUR
        if self._rest_forecast is None or self._rest_forecast.first_hour != first_hour:
            self.uncleared += 1
            return
        rest_mw = self._rest_forecast.rest_mw
        here = self._endpoints
        bought_mw = np.zeros((len(rest_mw), len(here.retailers)))
        bids = {buyer: one for buyer, one in self._demand.items() if one[0].first_hour == first_hour}
        for buyer, (demand, _) in bids.items():
            known = demand.demand_mw[: len(rest_mw)]
            bought_mw[: len(known), buyer] = known
        cause = max((message for _, message in bids.values()), default=self._rest_by)
        cleared = self.clear(first_hour, rest_mw, bought_mw)
        for column in self._offers.values():
            column[:] = 0.0
        providers = np.concatenate([here.retailers, here.aggregators])
        prices = market.Prices(first_hour, cleared.price_eur_per_mwh)
        outbox.send(market.PRICES.wave(prices, here.market, providers, step.end_ns, cause))
        units = np.arange(len(here.plants), dtype=np.int64)
        plan = market.UnitSchedule(units, first_hour, cleared.on, cleared.p_mw)
        outbox.send(market.UNITS.wave(plan, here.market, here.plants, step.end_ns, cause))
        whole = market.Schedule(first_hour, cleared.on, cleared.p_mw)
        outbox.send(market.UNITS_TO_OPERATIONS.wave(whole, here.market, here.operations, step.end_ns, cause))
        for buyer, place in enumerate(here.retailers):
            position = market.Demand(first_hour, bought_mw[:, buyer].copy())
            outbox.send(market.POSITION.wave(position, here.market, place, step.end_ns, cause))

    def _settle(self, settlement: Settlement, step: Step, outbox: Outbox) -> None:
        """Settle the day before, and tell each side what it came to."""
        here = self._endpoints
        settled = settlement.settle(step, self.price, self._position, self._rest)
        if settled is None:
            return
        dates, wholesale, cause = settled
        first, last = dates.of_ns // NS_PER_HOUR, step.day_start_ns // NS_PER_HOUR
        nothing = np.zeros(len(here.plants))
        given_mwh = sum((self._scheduled_mwh.get(hour, nothing) for hour in range(first, last)), start=nothing)
        paid_eur = wholesale.total_eur * given_mwh / max(float(given_mwh.sum()), 1e-9)
        units = np.arange(len(here.plants), dtype=np.int64)
        told = market.UnitSettlement(units, paid_eur, dates.of_ns)
        outbox.send(market.SETTLEMENT_OF_UNITS.wave(told, here.market, here.plants, step.end_ns, cause))
        for place, energy_eur, imbalance_eur in zip(
            here.retailers, wholesale.energy_eur, wholesale.imbalance_eur, strict=True
        ):
            owed = market.Settlement(float(energy_eur), float(imbalance_eur), dates.of_ns)
            outbox.send(market.SETTLEMENT.wave(owed, here.market, place, step.end_ns, cause))
        for known in (self._scheduled_mwh, self.rest_mwh):
            for hour in [one for one in known if one < first - 24]:
                del known[hour]

    def _position(self, hour: int) -> Floats:
        """What each retailer bought for an hour, (retailers,)."""
        return self.position_mwh.get(hour, np.zeros(len(self._endpoints.retailers)))

    def _rest(self, hour: int) -> float:
        """What the other loads were to take in an hour; of one that was not cleared as the day before."""
        first = min(self.rest_mwh, default=hour)
        while hour not in self.rest_mwh and hour > first:
            hour -= 24
        return self.rest_mwh.get(hour, 0.0)

    def _units_offered(self) -> BulkUnits:
        """The units as their offers describe them; one that made no offer has nothing to give."""
        return replace(self._units, **cast(dict[str, Any], self._offers))
