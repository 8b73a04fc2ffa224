"""The exchange clears with the offers and the demand that reached it."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from heptagrid.assembly.span import Span
from heptagrid.contracts import market
from heptagrid.domains.markets.actor import Markets
from heptagrid.foundation.contract import Contract, Delivery, Wave
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.time import NS_PER_HOUR, Step
from heptagrid.importers.rts import read_bulk
from heptagrid.planes.money.markets.day_ahead import Parameters
from heptagrid.scenario.load import BULK
from heptagrid.world.endpoints import Endpoints
from tests.markets.test_day_ahead import demand
from tests.markets.test_day_ahead import offers as offered

SYSTEM = read_bulk(BULK)
COUNT = len(SYSTEM.units)
NONE = np.empty(0, dtype=np.int64)
RETAILERS = np.array([3, 4])
PLACES = Endpoints(NONE, NONE, NONE, 1, 2, RETAILERS, np.array([5]), np.arange(6, 6 + COUNT), NONE, NONE)


class Kept:
    """An outbox that keeps what is sent."""

    def __init__(self) -> None:
        self.waves: list[Wave] = []

    def send(self, wave: Wave) -> int:
        self.waves.append(wave)
        return 0


def delivered(contract: Contract[Any], payload: object, count: int = 1, source: int = 0) -> Delivery:
    rows = np.arange(count)
    return Delivery(contract.wave(payload, rows + source, rows, rows), rows, rows, rows)


def offers(which: np.ndarray) -> Delivery:
    offer = market.Offer(which, noon().day_end_ns // NS_PER_HOUR, **vars(offered()))
    return delivered(market.OFFER, offer, len(which))


def noon() -> Step:
    span = Span(date(2016, 1, 27), 1, 900, 900, ZoneInfo("Europe/Berlin"))
    return next(step for _, step in span.steps() if step.passes_hour(12.25))


def exchange_of_two() -> Markets:
    """Two retailers, whose customers are in the one town."""
    return Markets(Parameters(), SYSTEM, PLACES, np.array([8]), np.ones((2, 1)))


def cleared_with(inbox: list[Delivery]) -> tuple[Markets, list[Wave]]:
    exchange, outbox, step = exchange_of_two(), Kept(), noon()
    rest = market.RestForecast(step.day_end_ns // NS_PER_HOUR, demand().rest_mw, demand().expected_mw)
    exchange.act(step, [*inbox, delivered(market.REST_FORECAST, rest)], outbox)
    return exchange, outbox.waves


def test_only_units_whose_offers_arrived_are_scheduled() -> None:
    some = np.array([20, 21, 22, 31, 70])
    _, waves = cleared_with([offers(some)])
    (schedule,) = [wave for wave in waves if wave.kind is Kind.SCHEDULE and wave.receiver is Domain.GENERATION]
    p_mw = schedule.payload.p_mw
    assert p_mw[:, some].sum() > 0
    assert np.delete(p_mw, some, axis=1).sum() == pytest.approx(0.0, abs=1e-6)


def test_an_offer_for_an_earlier_day_that_comes_late_undoes_nothing() -> None:
    late = delivered(
        market.OFFER, market.Offer(np.arange(COUNT), noon().day_end_ns // NS_PER_HOUR - 24, **vars(offered())), COUNT
    )
    exchange, _ = cleared_with([offers(np.arange(COUNT)), late])
    assert exchange.uncleared == 0 and len(exchange.price_eur_per_mwh) == 24


def test_prices_and_positions_go_to_whom_they_concern() -> None:
    step = noon()
    bids = [
        delivered(market.DEMAND, market.Demand(step.day_end_ns // NS_PER_HOUR, np.full(24, mw)), source=place)
        for place, mw in zip(RETAILERS.tolist(), (8.0, 5.0), strict=True)
    ]
    exchange, waves = cleared_with([offers(np.arange(COUNT)), *bids])
    told = {(wave.kind, wave.receiver) for wave in waves}
    assert (Kind.PRICE, Domain.PROVIDERS) in told
    for receiver in (Domain.GENERATION, Domain.OPERATIONS, Domain.PROVIDERS):
        assert (Kind.SCHEDULE, receiver) in told
    assert len(exchange.price_eur_per_mwh) == 24
    assert {tuple(one) for one in exchange.position_mwh.values()} == {(8.0, 5.0)}
    positions = [wave for wave in waves if wave.contract is market.POSITION]
    assert [wave.destination.tolist() for wave in positions] == [[3], [4]]
    assert [set(wave.payload.demand_mw) for wave in positions] == [{8.0}, {5.0}]
    (prices,) = [wave for wave in waves if wave.contract is market.PRICES]
    assert prices.destination.tolist() == [3, 4, 5]


def test_the_demand_of_all_retailers_is_cleared_as_one() -> None:
    step = noon()
    found = []
    for bought in ((8.0, 5.0), (0.0, 13.0)):
        bids = [
            delivered(market.DEMAND, market.Demand(step.day_end_ns // NS_PER_HOUR, np.full(24, mw)), source=place)
            for place, mw in zip(RETAILERS.tolist(), bought, strict=True)
        ]
        found.append(cleared_with([offers(np.arange(COUNT)), *bids])[0].price_eur_per_mwh)
    assert found[0] == found[1]


def test_without_a_bid_a_retailer_has_no_position() -> None:
    exchange, _ = cleared_with([offers(np.arange(COUNT))])
    assert {tuple(one) for one in exchange.position_mwh.values()} == {(0.0, 0.0)}


def test_without_a_forecast_nothing_is_cleared() -> None:
    exchange, outbox = exchange_of_two(), Kept()
    exchange.act(noon(), [offers(np.arange(COUNT))], outbox)
    assert exchange.uncleared == 1
    assert outbox.waves == []
