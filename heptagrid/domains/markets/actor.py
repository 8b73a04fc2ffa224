"""The exchange at work: collects offers and demand, clears the next day, publishes, and settles the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import market
from heptagrid.domains.markets.settlement import HourPrices, Settled, Settlement
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.beside import Promise, begin, is_there
from heptagrid.foundation.contract import Delivery
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.sums import weighted_sum
from heptagrid.foundation.time import NS_PER_HOUR, Step
from heptagrid.planes.money.markets.day_ahead import NODAL, Cleared, Demand, Parameters, clear, mean_of_towns
from heptagrid.planes.money.markets.day_case import Before, Offers
from heptagrid.world.bulk import BulkSystem
from heptagrid.world.endpoints import Endpoints

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CLEAR_HOUR = 12.25  # local; European day-ahead auction: gate at noon, results within the hour
SETTLE_HOUR = 0.9  # local; assumption: before the bills, after the reads are validated


class Markets:
    """The day-ahead market; it clears with the offers and demands that reached it in time.

    Kept by hour since 1970: `price_eur_per_mwh`, and `position_mwh`, (retailers,) what each bought. `uncleared`: days for
    which no demand of the other loads had arrived. `days`: by its first hour, how each was cleared.
    """

    domain = Domain.MARKETS

    def __init__(
        self,
        parameters: Parameters,
        system: BulkSystem,
        endpoints: Endpoints,
        town_bus: Ints,
        town_shares: Floats,
        settlement: Settlement | None = None,
    ) -> None:
        """Set up.

        town_bus : (towns,) positions of the buses that feed the towns.
        town_shares : (retailers, towns) which part of a retailer's customers is in each town.
        """
        self.price_eur_per_mwh: dict[int, float] = {}
        self._prices: dict[int, HourPrices] = {}
        self.position_mwh: dict[int, Floats] = {}
        self.rest_mwh: dict[int, float] = {}
        self.days: dict[int, Cleared] = {}
        self.settlement = settlement
        self.uncleared = 0
        self._parameters, self._system, self._endpoints = parameters, system, endpoints
        self._town_bus, self._town_shares = town_bus, town_shares
        self._offers: market.Offer | None = None
        self._demand: dict[
            int, tuple[market.Demand, int]
        ] = {}  # by retailer: the youngest, and the message that told it
        self._rest_forecast: market.RestForecast | None = None
        self._before = Before.unknown(system.units)
        self._scheduled_mwh: dict[int, Floats] = {}  # by hour, of each unit
        self._rest_by = -1  # the message that told it
        self._told = 0  # how many offers, demands and forecasts arrived
        self._begun: tuple[int, Promise[Cleared]] | None = None  # after how many of them, and what comes of them

    def clear(self, offers: market.Offer, rest: market.RestForecast, bought_mw: Floats) -> Cleared:
        """Clear the hours of a day and keep prices and positions; bought_mw: (hours, retailers)."""
        return self._keep(self._begin(offers, rest, bought_mw).result(), rest, bought_mw)

    def _begin(self, offers: market.Offer, rest: market.RestForecast, bought_mw: Floats) -> Promise[Cleared]:
        of_towns_mw = np.column_stack([weighted_sum(shares, bought_mw) for shares in self._town_shares.T])
        demand = Demand(rest.rest_mw, of_towns_mw, rest.towns_mw, self._town_bus)
        names = [one.name for one in fields(Offers)]
        given = Offers(**{name: getattr(offers, name) for name in names})
        return begin(clear, self._system, given, demand, self._before, self._parameters)

    def _keep(self, cleared: Cleared, rest: market.RestForecast, bought_mw: Floats) -> Cleared:
        rest_mw = rest.rest_mw.sum(axis=1)
        of_retailers, paid = self.prices_of_retailers(cleared), cleared.paid
        loss_surplus = self._loss_surplus(cleared, rest.towns_mw)
        for k, price in enumerate(cleared.price_eur_per_mwh):
            self.price_eur_per_mwh[rest.first_hour + k] = float(price)
            others = float(paid.rest_eur_per_mwh[k]), float(paid.unit_eur_per_mwh[k])
            self._prices[rest.first_hour + k] = HourPrices(
                float(price), of_retailers[k], *others, loss_surplus[k], float(cleared.reserve.eur_per_mwh[k])
            )
            self.position_mwh[rest.first_hour + k] = bought_mw[k]
            self.rest_mwh[rest.first_hour + k] = float(rest_mw[k])
            self._scheduled_mwh[rest.first_hour + k] = cleared.p_mw[k]
        self._before = cleared.before
        self.days[rest.first_hour] = cleared
        return cleared

    def price(self, hour: int) -> float:
        """The price of an hour since 1970; one that was not cleared takes that of the day before, 0 if none ever was."""
        known = self.price_eur_per_mwh
        first = min(known, default=hour)
        while hour not in known and hour > first:
            hour -= 24
        return known.get(hour, 0.0)

    def price_of_retailer(self, retailer: int, hour: int) -> float:
        """What a retailer pays for an hour since 1970, of one that was not cleared as `price`."""
        return float(self._prices_of(hour).retailers[retailer])

    def prices_of_retailers(self, cleared: Cleared) -> Floats:
        """(hours, retailers) what each pays: the zone's price, or with nodal ones the mean of the towns' buses by its customers there."""
        shares = self._town_shares
        if not self._is_apart:
            return np.repeat(cleared.price_eur_per_mwh[:, np.newaxis], len(shares), axis=1)
        return np.asarray((cleared.paid.town_eur_per_mwh[:, np.newaxis, :] * shares).sum(axis=2))

    def _loss_surplus(self, cleared: Cleared, expected_mw: Floats) -> Floats:
        """(hours, retailers and distribution) of a MWh: of retailers in the mean of the towns by their customers there, of distribution as the published price."""
        at_towns = cleared.paid.town_loss_eur_per_mwh
        of_retailers = (at_towns[:, np.newaxis, :] * self._town_shares).sum(axis=2)
        return np.column_stack([of_retailers, mean_of_towns(at_towns, expected_mw)])

    @property
    def _is_apart(self) -> bool:
        """Whether retailers' prices may differ."""
        return self._parameters.pricing == NODAL and len(self._town_bus) > 1

    def advance(self, step: Step) -> None:
        """Markets have no devices."""

    def carry(self, step: Step) -> None:
        """Markets have no terminals."""

    def sense(self, step: Step, outbox: Outbox) -> None:
        """Markets measure nothing."""

    def act(self, step: Step, inbox: Sequence[Delivery], outbox: Outbox) -> None:
        """Take what arrived; clear and settle at their times."""
        told = self._told
        for delivery in inbox:
            self._receive(delivery)
        if self._told > told and is_there():
            self._begin_early(step)
        if step.passes_hour(CLEAR_HOUR):
            self._clear_tomorrow(step, outbox)
        if self.settlement and step.passes_hour(SETTLE_HOUR):
            self._settle(self.settlement, step, outbox)

    def _receive(self, delivery: Delivery) -> None:
        self._told += delivery.contract is not market.METERED
        if delivery.contract is market.OFFER:
            self._take_offer(market.OFFER.read(delivery))
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

    def _take_offer(self, offer: market.Offer) -> None:
        """Take the offers of the units whose message arrived; the others have nothing to give. One for a day before the last that was told is too late."""
        if self._offers is not None and offer.first_hour < self._offers.first_hour:
            return
        if self._offers is None or self._offers.first_hour != offer.first_hour:
            self._offers = no_offer(offer)
        for name in ("low_mw", "high_mw", "inflow_mwh"):
            getattr(self._offers, name)[:, offer.unit] = getattr(offer, name)[:, offer.unit]
        for name in ("block_mw", "block_eur", "no_load_eur_per_h", "start_eur"):
            getattr(self._offers, name)[offer.unit] = getattr(offer, name)[offer.unit]

    def _begin_early(self, step: Step) -> None:
        """Begin with what has been told, once nothing is missing, beside all that comes before the gate; what is told later begins it anew."""
        asked = self._asked(step)
        if asked is not None and len(asked.bids) == len(self._endpoints.retailers):
            self._begun = self._told, self._begin(asked.offers, asked.rest, asked.bought_mw)

    def _asked(self, step: Step) -> _Asked | None:
        """What has been told of tomorrow; None without offers or without the other loads."""
        first_hour = step.day_end_ns // NS_PER_HOUR
        rest, offers = self._rest_forecast, self._offers
        if rest is None or rest.first_hour != first_hour or offers is None or offers.first_hour != first_hour:
            return None
        bought_mw = np.zeros((len(rest.rest_mw), len(self._endpoints.retailers)))
        bids = {buyer: one for buyer, one in self._demand.items() if one[0].first_hour == first_hour}
        for buyer, (demand, _) in bids.items():
            known = demand.demand_mw[: len(bought_mw)]
            bought_mw[: len(known), buyer] = known
        return _Asked(offers, rest, bids, bought_mw)

    def _clear_tomorrow(self, step: Step, outbox: Outbox) -> None:
        asked, begun = self._asked(step), self._begun
        self._begun = None
        if asked is None:
            self.uncleared += 1
            return
        here, bought_mw, first_hour = self._endpoints, asked.bought_mw, asked.rest.first_hour
        cause = max((message for _, message in asked.bids.values()), default=self._rest_by)
        if begun is not None and begun[0] == self._told:
            cleared = self._keep(begun[1].result(), asked.rest, bought_mw)
        else:
            cleared = self.clear(asked.offers, asked.rest, bought_mw)
        self._publish(first_hour, cleared, step, cause, outbox)
        units = np.arange(len(here.plants), dtype=np.int64)
        plan = market.UnitSchedule(units, first_hour, cleared.on, cleared.p_mw)
        outbox.send(market.UNITS.wave(plan, here.market, here.plants, step.end_ns, cause))
        whole = market.Schedule(first_hour, cleared.on, cleared.p_mw)
        outbox.send(market.UNITS_TO_OPERATIONS.wave(whole, here.market, here.operations, step.end_ns, cause))
        for buyer, place in enumerate(here.retailers):
            position = market.Demand(first_hour, bought_mw[:, buyer].copy())
            outbox.send(market.POSITION.wave(position, here.market, place, step.end_ns, cause))

    def _publish(self, first_hour: int, cleared: Cleared, step: Step, cause: int, outbox: Outbox) -> None:
        """Prices to all providers; where retailers' differ, to each its own, and the mean of the towns' buses to aggregators."""
        here = self._endpoints
        prices = market.Prices(first_hour, cleared.price_eur_per_mwh)
        told = here.aggregators if self._is_apart else np.concatenate([here.retailers, here.aggregators])
        outbox.send(market.PRICES.wave(prices, here.market, told, step.end_ns, cause))
        if self._is_apart:
            for place, own in zip(here.retailers, self.prices_of_retailers(cleared).T, strict=True):
                prices = market.Prices(first_hour, own.copy())
                outbox.send(market.PRICES.wave(prices, here.market, place, step.end_ns, cause))

    def _settle(self, settlement: Settlement, step: Step, outbox: Outbox) -> None:
        """Settle the day before, and tell each side what it came to."""
        here = self._endpoints
        settled = settlement.settle(step, self._prices_of, self._position, self._rest, self._make_whole, self._not_held)
        if settled is None:
            return
        dates, wholesale, cause = settled.dates, settled.wholesale, settled.cause
        first, last = dates.of_ns // NS_PER_HOUR, step.day_start_ns // NS_PER_HOUR
        paid_eur = self._paid_to_units(range(first, last), wholesale.total_eur, float(settled.make_whole_eur.sum()))
        paid_eur += self._paid_for_reserve(first, settled)
        units = np.arange(len(here.plants), dtype=np.int64)
        told = market.UnitSettlement(units, paid_eur, dates.of_ns)
        outbox.send(market.SETTLEMENT_OF_UNITS.wave(told, here.market, here.plants, step.end_ns, cause))
        beside_eur = (wholesale.beyond_eur + settled.make_whole_eur)[:-1]
        for place, energy_eur, imbalance_eur in zip(
            here.retailers, wholesale.energy_eur + beside_eur, wholesale.imbalance_eur, strict=True
        ):
            owed = market.Settlement(float(energy_eur), float(imbalance_eur), dates.of_ns)
            outbox.send(market.SETTLEMENT.wave(owed, here.market, place, step.end_ns, cause))
        for known in (self._scheduled_mwh, self.rest_mwh):
            for hour in [one for one in known if one < first - 24]:
                del known[hour]

    def _paid_to_units(self, hours: range, total_eur: float, make_whole_eur: float) -> Floats:
        """(units,) of what buyers paid for a day: by energy, or with nodal prices by what each earned, and by what each lacked."""
        cleared = self.days.get(hours.start)
        has_earned = cleared is not None and float(cleared.paid.revenue_eur.sum()) > 0.0
        if self._parameters.pricing == NODAL and cleared is not None and has_earned:
            earned, lacked = cleared.paid.revenue_eur, cleared.paid.make_whole_eur
            by_price = total_eur * earned / max(float(earned.sum()), 1e-9)
            return np.asarray(by_price + make_whole_eur * lacked / max(float(lacked.sum()), 1e-9))
        nothing = np.zeros(len(self._endpoints.plants))
        given_mwh = sum((self._scheduled_mwh.get(hour, nothing) for hour in hours), start=nothing)
        return np.asarray(total_eur * given_mwh / max(float(given_mwh.sum()), 1e-9))

    def _paid_for_reserve(self, first_hour: int, settled: Settled) -> Floats:
        """(units,) of what buyers paid for reserve that was held, by what each was to get and did hold."""
        cleared, wholesale = self.days.get(first_hour), settled.wholesale
        if cleared is None or cleared.reserve_eur <= 0.0:
            return np.zeros(len(self._endpoints.plants))
        held_eur = (cleared.reserve.revenue_eur * settled.available).sum(axis=0)
        owed_eur = float(wholesale.reserve_eur.sum() - wholesale.not_held_eur.sum())
        return np.asarray(owed_eur * held_eur / max(float(held_eur.sum()), 1e-9))

    def _not_held(self, first_hour: int, available: Floats) -> Floats:
        """(hours,) which part of a day's reserve was not held; none of a day that was not cleared."""
        cleared = self.days.get(first_hour)
        return np.zeros(len(available)) if cleared is None else cleared.reserve.not_held(available)

    def _prices_of(self, hour: int) -> HourPrices:
        """The prices of an hour; of one that was not cleared as the day before, but without reserve, of which none was bought; 0 if none ever was."""
        first, at = min(self._prices, default=hour), hour
        while at not in self._prices and at > first:
            at -= 24
        found = self._prices.get(at, _nothing(len(self._endpoints.retailers)))
        return found if at == hour else replace(found, reserve=0.0)

    def _make_whole(self, first_hour: int) -> float:
        """What buyers owe beside prices for a day; nothing for one that was not cleared."""
        cleared = self.days.get(first_hour)
        return float(cleared.paid.make_whole_eur.sum()) if cleared is not None else 0.0

    def _position(self, hour: int) -> Floats:
        """What each retailer bought for an hour, (retailers,)."""
        return self.position_mwh.get(hour, np.zeros(len(self._endpoints.retailers)))

    def _rest(self, hour: int) -> float:
        """What the other loads were to take in an hour; of one that was not cleared as the day before."""
        first = min(self.rest_mwh, default=hour)
        while hour not in self.rest_mwh and hour > first:
            hour -= 24
        return self.rest_mwh.get(hour, 0.0)


@dataclass(frozen=True)
class _Asked:
    """What has been told of a day: bids by retailer, each with the message that told it; bought_mw (hours, retailers), of them."""

    offers: market.Offer
    rest: market.RestForecast
    bids: dict[int, tuple[market.Demand, int]]
    bought_mw: Floats


def _nothing(retailers: int) -> HourPrices:
    return HourPrices(0.0, np.zeros(retailers), 0.0, 0.0, np.zeros(retailers + 1))


def no_offer(like: market.Offer) -> market.Offer:
    """An offer of nothing by anybody, for the same day and of the same shape as another."""
    empty = {
        one.name: np.zeros_like(getattr(like, one.name))
        for one in fields(like)
        if one.name not in ("unit", "first_hour")
    }
    return market.Offer(unit=np.arange(like.high_mw.shape[1], dtype=np.int64), first_hour=like.first_hour, **empty)
