"""Prices by bus: what buyers pay beyond what units get is what the limits earn, and units are made whole; by hand and on the built-in system."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from heptagrid.contracts import market
from heptagrid.domains.markets.actor import Markets
from heptagrid.domains.markets.settlement import HourPrices, Settlement
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.payments import Dates, PaidDays
from heptagrid.foundation.reasons import Reason
from heptagrid.foundation.settlement_runs import SettlementRun
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER, Step, midnight_ns
from heptagrid.planes.money import postings
from heptagrid.planes.money.ledger import Ledger
from heptagrid.planes.money.markets.day_ahead import NODAL, Cleared, Parameters, clear
from heptagrid.planes.money.markets.day_case import Before, Rows, day_case
from heptagrid.planes.money.markets.nodal_payments import make_whole_charges, paid_at_buses, paid_in_zone
from heptagrid.planes.money.markets.unit_commitment import dispatch
from heptagrid.planes.money.posted import PostedPayments
from heptagrid.planes.money.settlement import Beyond
from heptagrid.planes.money.tariffs import network_fees
from heptagrid.planes.money.true_up import SettledDay
from heptagrid.world.accounts import Accounts
from tests.markets.test_day_ahead import TOWN, demand, offers, system
from tests.markets.test_exchange import COUNT, PLACES, RETAILERS, SYSTEM, Kept, delivered, noon
from tests.markets.test_exchange import offers as offered

A, B = np.array([0]), np.array([1])


def two_buses(town_bus: np.ndarray, given_mw: list[float], rest_at_b_mw: float) -> Any:
    """A cheap unit at A (20 EUR/MWh), a dear one at B (50), a line of 100 MW between them that is full."""
    price, rest = np.array([[20.0, 50.0]]), np.array([[0.0, rest_at_b_mw]])
    cost = np.array([20.0 * given_mw[0], 50.0 * given_mw[1]])
    return paid_at_buses(price, np.array([given_mw]), np.array([0, 1]), cost, rest, town_bus), rest


def test_the_rent_is_what_the_full_line_earns() -> None:
    """By hand: 150 MW at B, 100 of them from A. Units get (100 x 20 + 50 x 50) / 150 = 30 EUR/MWh, buyers pay 50; what is left, 150 x 20, is 100 MW x 30."""
    paid, rest = two_buses(B, [100.0, 50.0], 120.0)
    assert paid.unit_eur_per_mwh.tolist() == pytest.approx([30.0])
    assert paid.town_eur_per_mwh.tolist() == [[50.0]] and paid.rest_eur_per_mwh.tolist() == [50.0]
    assert paid.revenue_eur.tolist() == [2000.0, 2500.0]
    assert paid.congestion_eur(rest, np.array([[30.0]])) == pytest.approx(100.0 * (50.0 - 20.0))
    assert paid.make_whole_eur.tolist() == [0.0, 0.0]


def test_a_town_where_power_is_cheap_is_paid_rent() -> None:
    """By hand: it takes 10 MW at A; units get (110 x 20 + 50 x 50) / 160 = 29.375, so that it gets 9.375 EUR/MWh; all together still pay 100 x 30."""
    paid, rest = two_buses(A, [110.0, 50.0], 150.0)
    assert float(paid.town_eur_per_mwh[0, 0] - paid.unit_eur_per_mwh[0]) == pytest.approx(-9.375)
    assert paid.congestion_eur(rest, np.array([[10.0]])) == pytest.approx(3000.0)


def test_in_a_zone_there_is_no_rent() -> None:
    paid = paid_in_zone(np.array([40.0]), np.array([[100.0, 50.0]]), towns=1)
    assert paid.congestion_eur(np.array([[120.0]]), np.array([[30.0]])) == 0.0
    assert paid.make_whole_eur.tolist() == [0.0, 0.0]


def test_what_a_unit_lacks_is_paid_by_energy() -> None:
    """By hand: a start of 900 EUR beside 2,500 of fuel, and 2,500 EUR earned: 900. Of 150 MWh a retailer took 24 and the towns' networks lost 6; one who
    fed in pays nothing."""
    price, p_mw = np.array([[20.0, 50.0]]), np.array([[100.0, 50.0]])
    paid = paid_at_buses(price, p_mw, np.array([0, 1]), np.array([2000.0, 3400.0]), np.array([[0.0, 120.0]]), B)
    assert paid.make_whole_eur.tolist() == [0.0, 900.0]
    charges = make_whole_charges(900.0, np.array([24.0, -5.0, 6.0]), 120.0)
    assert charges.tolist() == pytest.approx([144.0, 0.0, 36.0])


@cache
def nodal_day() -> Cleared:
    return clear(system(), offers(), demand(), Before.unknown(system().units), Parameters(pricing=NODAL))


def test_buyers_pay_what_units_get_and_what_limits_earn() -> None:
    """Duality of the program: payments with losses are the units' revenue and the shadow prices times flows of the limits that bind."""
    cleared, rows = nodal_day(), Rows.of(system().units)
    load = demand().at_buses(demand().towns_mw) * 1.03
    case = day_case(system(), offers(), load, Before.unknown(system().units), np.zeros(24), 4000.0)
    again = dispatch(case, cleared.on[:, rows.committed])
    limits_eur = float(again.binding.rent.sum())
    assert limits_eur > 1000.0, "a windy winter day has full lines"
    paid_eur, revenue_eur = float((cleared.bus_eur_per_mwh * load).sum()), float(cleared.paid.revenue_eur.sum())
    assert paid_eur == pytest.approx(revenue_eur + limits_eur, rel=1e-6)
    assert cleared.congestion_eur * 1.03 == pytest.approx(limits_eur, rel=1e-6)
    assert cleared.congestion_eur >= 0.0


def test_a_price_is_energy_and_congestion() -> None:
    """The reference of the network's factors, bus 101, has no congestion; where no limit binds, no bus has any."""
    cleared = nodal_day()
    congestion = cleared.bus_eur_per_mwh - cleared.energy_eur_per_mwh[:, np.newaxis]
    assert congestion[:, 0] == pytest.approx(np.zeros(24), abs=1e-9)
    assert np.abs(congestion).max() > 1.0
    assert cleared.price_eur_per_mwh == pytest.approx(cleared.bus_eur_per_mwh[:, TOWN[0]])


def test_every_unit_gets_its_cost_and_none_more_than_that_by_being_made_whole() -> None:
    """Costs anew, hour by hour, from the fleet's blocks; a start by how long the unit was off, every unit having been on before the day."""
    cleared, units, given = nodal_day(), system().units, offers()
    cost = np.zeros(len(units))
    for k in range(len(units)):
        off_h = 0
        for on, p_mw in zip(cleared.on[:, k], cleared.p_mw[:, k], strict=True):
            if not on:
                off_h += 1
                continue
            if off_h:
                cost[k] += given.start_eur[k, np.flatnonzero(units.heat.off_h[k] <= off_h)[-1]]
            off_h = 0
            left = p_mw - max(units.p_min_mw[k], 0.0)
            cost[k] += given.no_load_eur_per_h[k]
            for block_mw, block_eur in zip(given.block_mw[k], given.block_eur[k], strict=True):
                cost[k] += min(max(left, 0.0), block_mw) * block_eur
                left -= block_mw
    got = cleared.paid.revenue_eur + cleared.paid.make_whole_eur
    lacking = cleared.paid.make_whole_eur > 0.0
    assert got[lacking] == pytest.approx(cost[lacking], abs=0.01)
    assert (got >= cost - 0.01).all()
    assert cleared.make_whole_eur == pytest.approx(float(cleared.paid.make_whole_eur.sum()))


def test_the_ledger_balances_and_says_who_paid_rent() -> None:
    """By hand, 24 hours: retailers take 8 and 4 MW at 50 and 35 EUR/MWh, networks lose 1 MW at 45, units get 30, loss surplus is 4, 1 and 3 of the rest;
    1,300 EUR make units whole, 13 of 26 MW."""
    zone, day = ZoneInfo("UTC"), date(2016, 1, 28)
    start_ns, before_ns = midnight_ns(day, zone), midnight_ns(date(2016, 1, 27), zone)
    ledger = Ledger(Accounts(0, ("one", "two")))
    fees, nobody = network_fees.Parameters(imbalance_spread_eur_per_mwh=0.0), np.empty(0, dtype=np.int64)
    nothing: Any = None
    payments = PostedPayments(ledger, before_ns)
    settlement = Settlement(fees, PaidDays(zone, before_ns), nothing, payments, ledger.accounts.of_retailers)
    used = np.repeat([[2.0, 1.0]], 96, axis=0)
    metered = market.Metered(
        before_ns // NS_PER_QUARTER, np.full(96, 3.25), used, nobody, np.empty((0, 2)), nobody, np.ones((24, 1))
    )
    settlement.learn(metered, 77)
    prices = HourPrices(45.0, np.array([50.0, 35.0]), 40.0, 30.0, np.array([4.0, 1.0, 3.0]))
    step = Step(start_ns, start_ns + NS_PER_HOUR, day, start_ns, start_ns + 24 * NS_PER_HOUR, 0)
    found = settlement.settle(
        step,
        lambda _: prices,
        lambda _: np.array([8.0, 3.0]),
        lambda _: 13.0,
        lambda _: 1300.0,
        lambda *_: np.zeros(24),
    )
    assert found is not None
    assert found.wholesale.congestion_eur.tolist() == pytest.approx([8 * 24 * 16.0, 4 * 24 * 4.0, 24 * 12.0])
    assert found.wholesale.loss_surplus_eur.tolist() == pytest.approx([8 * 24 * 4.0, 4 * 24 * 1.0, 24 * 3.0])
    assert found.make_whole_eur.tolist() == pytest.approx([400.0, 200.0, 50.0])
    totals = ledger.totals()
    totals.check()
    eur = totals.by_domain / 1e5
    assert eur[Domain.TRANSMISSION] == pytest.approx(8 * 24 * 20.0 + 4 * 24 * 5.0 + 24 * 15.0)
    assert eur[Domain.GENERATION] == pytest.approx(13 * 24 * 30.0 + 650.0)
    assert eur[Domain.MARKETS] == 0.0 and totals.sum == 0
    rows = ledger.rows()
    assert {int(one) for one in rows["reason"]} >= {
        *(int(Reason.CONGESTION_RENT), int(Reason.LOSS_SURPLUS), int(Reason.MAKE_WHOLE))
    }
    assert set(rows["cause"].tolist()) == {77}


def test_with_two_towns_each_retailer_is_told_and_pays_the_price_of_its_customers() -> None:
    step = noon()
    first = step.day_end_ns // NS_PER_HOUR
    towns, shares = np.array([8, 60]), np.array([[1.0, 0.0], [0.25, 0.75]])
    exchange = Markets(Parameters(pricing=NODAL), SYSTEM, PLACES, towns, shares)
    expected = np.repeat(demand().expected_mw / 2.0, 2, axis=1)
    outbox = Kept()
    rest = market.RestForecast(first, demand().rest_mw, expected)
    bids = [delivered(market.DEMAND, market.Demand(first, np.full(24, 6.0)), source=int(place)) for place in RETAILERS]
    inbox = [offered(np.arange(COUNT)), *bids, delivered(market.REST_FORECAST, rest)]
    exchange.act(step, inbox, outbox)
    (cleared,) = exchange.days.values()
    at_buses = cleared.bus_eur_per_mwh[:, towns]
    assert np.abs(at_buses[:, 0] - at_buses[:, 1]).max() > 1.0
    told = {
        tuple(wave.destination.tolist()): wave.payload.price_eur_per_mwh
        for wave in outbox.waves
        if wave.contract is market.PRICES
    }
    assert told[(5,)] == pytest.approx(at_buses.mean(axis=1)), "the aggregator: both towns are expected to take alike"
    assert told[(3,)] == pytest.approx(at_buses[:, 0])
    assert told[(4,)] == pytest.approx(0.25 * at_buses[:, 0] + 0.75 * at_buses[:, 1])
    assert exchange.prices_of_retailers(cleared)[:, 1] == pytest.approx(told[(4,)])


def test_a_later_run_moves_rent_with_energy() -> None:
    """By hand: of a quarter hour's 3 MWh the retailer is found to have used 1 more, at 30 EUR/MWh to units and 20 to transmission, 2 of them loss surplus; its
    networks lost 1 less, at 30 and 15, with 1."""
    day = SettledDay(
        *(np.array([30.0]), np.array([[2.0]]), np.array([[2.0]]), np.array([3.0])),
        Beyond(np.array([[18.0, 14.0]]), np.array([[2.0, 1.0]]), np.zeros(1), np.zeros(1)),
    )
    fees = network_fees.Parameters(imbalance_spread_eur_per_mwh=0.0)
    change = day.corrected(np.array([0]), np.array([[3.0]])).wholesale(fees) - day.wholesale(fees)
    ledger = Ledger(Accounts(0))
    of = ledger.accounts.of_retailers
    postings.pay_wholesale_again(PostedPayments(ledger, 0), SettlementRun.SECOND, of, change, Dates(0, 0), 5)
    totals = ledger.totals()
    totals.check()
    eur = totals.by_domain / 1e5
    assert [eur[one] for one in (Domain.TRANSMISSION, Domain.GENERATION, Domain.MARKETS)] == pytest.approx([5.0, 0, 0])
    assert (eur[Domain.PROVIDERS], eur[Domain.DISTRIBUTION]) == pytest.approx((-50.0, 45.0))
    assert set(ledger.rows()["reason"].tolist()) == {int(Reason.SECOND_RUN)}
