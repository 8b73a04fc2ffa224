"""Reserve that is bought: its price by hand, laws on random fleets, who is paid and who pays, and that units need less to be made whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.contracts import market
from heptagrid.domains.markets.actor import Markets
from heptagrid.domains.markets.settlement import Settlement
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.payments import Dates, PaidDays
from heptagrid.foundation.reasons import Reason
from heptagrid.foundation.settlement_runs import SettlementRun
from heptagrid.foundation.time import NS_PER_HOUR, Step, midnight_ns
from heptagrid.planes.money import postings
from heptagrid.planes.money.ledger import Ledger
from heptagrid.planes.money.markets.day_ahead import BOUGHT, MARGINAL, NODAL, ZONAL, Cleared, Parameters, clear
from heptagrid.planes.money.markets.day_case import Before
from heptagrid.planes.money.markets.reserve_payments import Reserve, bought
from heptagrid.planes.money.markets.unit_commitment import Commitment, Settings, dispatch
from heptagrid.planes.money.posted import PostedPayments
from heptagrid.planes.money.settlement import Beyond
from heptagrid.planes.money.tariffs import network_fees
from heptagrid.planes.money.true_up import SettledDay
from heptagrid.world.accounts import Accounts
from heptagrid.world.bulk import THERMAL
from heptagrid.world.commitment_case import CommitmentCase, Reserves
from tests.markets.fleets import case_of, units_of
from tests.markets.test_day_ahead import demand, offers, system
from tests.markets.test_exchange import COUNT, PLACES, SYSTEM, Kept, delivered, noon
from tests.markets.test_exchange import offers as offered

CO_OPTIMISED = Settings(with_network=False, with_reserves=True)


def holding(case: CommitmentCase, required_mw: list[float], who: list[bool]) -> CommitmentCase:
    """The case with reserve upwards that some of its units may hold."""
    reserves = Reserves(
        names=np.array(["held"]),
        required_mw=np.array(required_mw)[:, np.newaxis],
        within_min=np.array([60.0]),
        is_up=np.ones(1, dtype=bool),
        units=np.array([who]),
        sources=np.zeros((1, len(case.sources)), dtype=bool),
    )
    return replace(case, reserves=reserves)


def all_on(case: CommitmentCase) -> Commitment:
    return dispatch(case, np.ones((case.periods, len(case.units)), dtype=bool), CO_OPTIMISED)


def test_the_price_is_what_the_marginal_unit_forgoes() -> None:
    """By hand: the unit of 20 EUR/MWh alone may hold 30 MW. Of a load of 100 MW it gives 70, the unit of 50 the rest; for each MW that it holds it forgoes
    50 - 20 EUR, and that is what reserve costs. Of 300 MW there is so much room that it costs nothing."""
    two = case_of(units_of([100.0, 100.0], [0.0, 0.0], [20.0, 50.0]), [100.0])
    found = all_on(holding(two, [30.0], [True, False]))
    assert found.unit_mw[0].tolist() == pytest.approx([70.0, 30.0])
    assert found.price[0, 0] == pytest.approx(50.0)
    assert found.reserve_price[0, 0] == pytest.approx(30.0)
    profit = (50.0 - 20.0) * found.unit_mw[0, 0] + found.reserve_price[0, 0] * 30.0
    assert profit == pytest.approx((50.0 - 20.0) * 100.0), "as much as if it gave all it can"
    roomy = case_of(units_of([300.0, 100.0], [0.0, 0.0], [20.0, 50.0]), [100.0])
    assert all_on(holding(roomy, [30.0], [True, False])).reserve_price[0, 0] == pytest.approx(0.0, abs=1e-9)


def test_what_is_short_has_its_price() -> None:
    """By hand: 200 MW of units, 190 of load, 30 of reserve: 20 MW are short, at the case's 4,000; energy at 50 + 4,000."""
    two = case_of(units_of([100.0, 100.0], [0.0, 0.0], [20.0, 50.0]), [190.0])
    found = all_on(replace(holding(two, [30.0], [True, True]), unserved_cost=10_000.0))
    assert found.short_mw == pytest.approx(20.0)
    assert found.reserve_price[0, 0] == pytest.approx(4000.0)
    assert found.price[0, 0] == pytest.approx(4050.0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_no_unit_would_rather_give_or_hold_more(seed: int) -> None:
    """The conditions of an optimum, of units without ramps: who gives and holds is as well off with a MW either way; who holds alone gains nothing by giving."""
    rng = np.random.default_rng(seed)
    count = 5
    most, cost = rng.uniform(30.0, 100.0, count).round(1), rng.uniform(10.0, 60.0, count).round(1)
    low = (most * 0.2).round(1)
    fleet = units_of(most.tolist(), low.tolist(), cost.tolist())
    load = rng.uniform(low.sum(), most.sum() * 0.8, 3)
    who = rng.random(count) < 0.7
    case = holding(case_of(fleet, load.tolist()), rng.uniform(0.0, 60.0, 3).tolist(), who.tolist())
    found = all_on(case)
    assert found.price[:, 0].tolist() == pytest.approx(found.energy_price.tolist())
    worth = found.price[:, :1] - np.where(who, found.reserve_price[:, :1], 0.0)  # of giving a MW instead of holding it
    assert (worth >= cost - 1e-6)[found.unit_mw > low + 1e-6].all()
    assert (worth <= cost + 1e-6)[found.unit_mw < most - 1e-6].all()
    room = (np.where(who, most, 0.0) - np.where(who, found.unit_mw, 0.0)).sum(axis=1)
    is_paid = found.reserve_price[:, 0] > 1e-6
    assert (room <= case.reserves.required_mw[:, 0] + 1e-6)[is_paid].all(), (
        "where more is held than required it costs nothing"
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_loads_pay_what_units_get(seed: int) -> None:
    rng = np.random.default_rng(seed)
    price, room, load = rng.uniform(-1.0, 30.0, 24), rng.uniform(0.0, 50.0, (24, 4)), rng.uniform(10.0, 100.0, 24)
    required = rng.uniform(0.0, 150.0, 24)
    found, available = bought(price, room, required, load), rng.uniform(0.0, 1.0, (24, 4))
    assert (found.held_mw <= room + 1e-9).all() and (found.eur_per_mw >= 0.0).all()
    np.testing.assert_allclose(found.held_mw.sum(axis=1), np.minimum(required, room.sum(axis=1)))
    assert float(found.eur_per_mwh @ load) == pytest.approx(float(found.revenue_eur.sum()))
    held_eur = float((found.revenue_eur * available).sum())
    assert float((found.eur_per_mwh * (1.0 - found.not_held(available))) @ load) == pytest.approx(held_eur)


def test_what_a_unit_did_not_hold_comes_back_by_hand() -> None:
    """Two units hold 10 and 30 MW at 5 EUR/MW, for 100 MWh of load: 2 EUR a MWh. The greater one is there for two thirds of the hour: 10 of the 40 were not held."""
    found = bought(np.array([5.0]), np.array([[10.0, 30.0]]), np.array([40.0]), np.array([100.0]))
    assert found.eur_per_mwh.tolist() == pytest.approx([2.0])
    assert found.not_held(np.array([[1.0, 2.0 / 3.0]])).tolist() == pytest.approx([0.25])
    assert Reserve.nothing(1, 2).not_held(np.zeros((1, 2))).tolist() == [0.0]


def test_the_ledger_has_both_settlements_of_reserve() -> None:
    """By hand: a quarter hour of 3 MWh, 2 of a retailer's, 1 lost, at 2 EUR for reserve of which a quarter comes back; then the retailer is found to have used 1 more."""
    nobody, none = np.zeros((1, 2)), np.zeros(1)
    day = SettledDay(
        *(none, np.array([[2.0]]), np.array([[2.0]]), np.array([3.0])), Beyond(nobody, nobody, none + 2.0, none + 0.5)
    )
    fees = network_fees.Parameters(imbalance_spread_eur_per_mwh=0.0)
    ledger = Ledger(Accounts(0))
    payments, retailers = PostedPayments(ledger, 0), ledger.accounts.of_retailers
    postings.pay_wholesale(payments, retailers, day.wholesale(fees), Dates(0, 0), 5)
    totals = ledger.totals()
    totals.check()
    paid = {(reason, payer, payee): eur for reason, payer, payee, eur in totals.by_reason()}
    assert paid["reserve", "providers", "markets"] == pytest.approx(4.0)
    assert paid["reserve", "distribution", "markets"] == pytest.approx(2.0)
    assert paid["reserve", "markets", "generation"] == pytest.approx(6.0)
    assert paid["reserve_not_held", "generation", "markets"] == pytest.approx(1.5)
    assert paid["reserve_not_held", "markets", "providers"] == pytest.approx(1.0)
    assert set(ledger.rows()["cause"].tolist()) == {5}
    change = day.corrected(np.array([0]), np.array([[3.0]])).wholesale(fees) - day.wholesale(fees)
    postings.pay_wholesale_again(payments, SettlementRun.SECOND, retailers, change, Dates(0, 0), 6)
    eur = ledger.totals().by_domain / 1e5
    assert eur[Domain.PROVIDERS] == pytest.approx(-3.0 - 1.5)
    assert eur[Domain.DISTRIBUTION] == pytest.approx(-1.5 + 1.5)
    assert eur[Domain.GENERATION] == pytest.approx(4.5) and eur[Domain.MARKETS] == 0.0
    assert int(Reason.SECOND_RUN) in ledger.rows()["reason"].tolist()


def test_the_exchange_pays_units_for_what_they_held_and_takes_back_the_rest() -> None:
    """All units were there but the one that had sold most in the hour in which reserve was dearest. Two retailers took 8 and 4 MW, networks lost 1."""
    step = noon()
    zone, nothing = ZoneInfo("Europe/Berlin"), None
    first, ledger = step.day_end_ns // NS_PER_HOUR, Ledger(Accounts(0, ("one", "two")))
    fees = network_fees.Parameters(imbalance_spread_eur_per_mwh=0.0)
    payments, missing = PostedPayments(ledger, step.day_end_ns), np.empty(0, dtype=np.int64)
    paper: Any = nothing
    settlement = Settlement(fees, PaidDays(zone, step.day_end_ns), paper, payments, ledger.accounts.of_retailers)
    rules = Parameters(pricing=NODAL, reserves=BOUGHT)
    exchange = Markets(rules, SYSTEM, PLACES, np.array([8]), np.ones((2, 1)), settlement)
    rest = market.RestForecast(first, demand().rest_mw, demand().expected_mw)
    exchange.act(step, [offered(np.arange(COUNT)), delivered(market.REST_FORECAST, rest)], Kept())
    (cleared,) = exchange.days.values()
    reserve, available = cleared.reserve, np.ones((24, COUNT))
    hour = int(np.argmax(reserve.eur_per_mw))
    unit = int(np.argmax(reserve.held_mw[hour]))
    available[hour, unit] = 0.0
    used = np.repeat([[2.0, 1.0]], 96, axis=0)
    metered = market.Metered(4 * first, np.full(96, 3.25), used, missing, np.empty((0, 2)), missing, available)
    after = step.day + timedelta(days=2)
    start_ns = midnight_ns(after, zone)
    morning = Step(start_ns, start_ns + NS_PER_HOUR, after, start_ns, start_ns + 24 * NS_PER_HOUR, 1)
    outbox = Kept()
    exchange.act(morning, [delivered(market.METERED, metered)], outbox)
    totals = ledger.totals()
    totals.check()
    paid = {(reason, payer, payee): eur for reason, payer, payee, eur in totals.by_reason()}
    assert paid["reserve", "markets", "generation"] == pytest.approx(13.0 * reserve.eur_per_mwh.sum(), abs=1e-4)
    part = reserve.held_mw[hour, unit] / reserve.held_mw[hour].sum()
    back = paid["reserve_not_held", "generation", "markets"]
    assert back == pytest.approx(13.0 * reserve.eur_per_mwh[hour] * part, abs=1e-4) and back > 0.01
    (told,) = [wave.payload for wave in outbox.waves if wave.contract is market.SETTLEMENT_OF_UNITS]
    whole = paid["make_whole", "markets", "generation"]
    energy = sum(paid.get((one, "markets", "generation"), 0.0) for one in ("imbalance", "losses"))
    for_reserve = paid["reserve", "markets", "generation"] - back
    assert float(told.amount_eur.sum()) == pytest.approx(energy + whole + for_reserve, abs=1e-3)


@pytest.mark.long
def test_who_is_slow_sells_what_it_can_give_within_an_hour() -> None:
    """The reserve's time is an hour: thermal units that raise their output by 15 MW in it sell no more, however much they could give in the end."""
    units = system().units
    slow = np.where(units.kind == THERMAL, np.minimum(units.ramp_mw_per_min, 0.25), units.ramp_mw_per_min)
    grid = replace(system(), units=replace(units, ramp_mw_per_min=slow))
    rules = Parameters(reserves=BOUGHT)
    sold = clear(grid, offers(), demand(), Before.unknown(grid.units), rules).reserve.held_mw
    assert sold.max() <= 15.0 + 1e-9
    assert (sold.max(axis=1) > 14.0).any()


def test_a_day_that_was_not_cleared_has_the_energy_price_of_the_one_before_and_no_reserve() -> None:
    exchange, first = Markets(Parameters(reserves=BOUGHT), SYSTEM, PLACES, np.array([8]), np.ones((2, 1))), 24 * 16_827
    rest = market.RestForecast(first, demand().rest_mw, demand().expected_mw)
    cleared = exchange.clear(market.Offer(np.arange(COUNT), first, **vars(offers())), rest, np.ones((24, 2)))
    hour = first + int(np.argmax(cleared.reserve.eur_per_mwh))
    known, later = exchange._prices_of(hour), exchange._prices_of(hour + 24)
    assert known.reserve > 0.0 and later.reserve == 0.0
    assert later.published == known.published and (later.retailers == known.retailers).all()


@cache
def winter_day(**rules: Any) -> Cleared:
    return clear(system(), offers(), demand(), Before.unknown(system().units), Parameters(**rules))


def test_with_reserve_that_is_bought_units_need_less_to_be_made_whole() -> None:
    """On 27 January, at prices by bus, a third of it is left: 0.30 instead of 0.93 million EUR; both have the same commitment."""
    held, paid = winter_day(pricing=NODAL), winter_day(pricing=NODAL, reserves=BOUGHT)
    assert (held.on == paid.on).all()
    assert held.reserve_eur == 0.0 and paid.reserve_eur > 10_000.0
    assert paid.make_whole_eur < 0.5 * held.make_whole_eur
    assert held.cost_eur <= paid.cost_eur <= 1.002 * held.cost_eur


def test_reserve_is_held_by_thermal_units_that_are_on_within_what_they_can() -> None:
    cleared, units = winter_day(pricing=NODAL, reserves=BOUGHT), system().units
    held = cleared.reserve.held_mw
    assert (held[:, units.kind != THERMAL] == 0.0).all() and (held[~cleared.on] == 0.0).all()
    assert (cleared.p_mw + held <= offers().high_mw + 1e-6).all()
    expected = demand().at_buses(np.full((24, 1), 20.0)).sum(axis=1) * 1.03
    np.testing.assert_allclose(
        held.sum(axis=1)[cleared.reserve.eur_per_mw > 0], 0.1 * expected[cleared.reserve.eur_per_mw > 0]
    )
    load = demand().at_buses(demand().towns_mw).sum(axis=1)
    assert float(cleared.reserve.eur_per_mwh @ load) == pytest.approx(cleared.reserve_eur)


def test_a_zone_buys_reserve_at_its_own_price() -> None:
    """In a zone nobody is made whole, but units are paid for reserve; its price has no network in it."""
    zone = winter_day(pricing=ZONAL, reserves=BOUGHT)
    assert zone.reserve_eur >= 0.0 and float(zone.paid.make_whole_eur.sum()) == 0.0
    assert zone.reserve.eur_per_mw.max() > 0.0


def test_reserve_and_marginal_losses_go_together() -> None:
    """Revenue adequacy with both: beyond revenue, rent and surplus nothing is paid for energy."""
    cleared = winter_day(pricing=NODAL, reserves=BOUGHT, losses=MARGINAL)
    load = demand().at_buses(demand().towns_mw)
    paid_eur, revenue_eur = float((cleared.bus_eur_per_mwh * load).sum()), float(cleared.paid.revenue_eur.sum())
    assert paid_eur == pytest.approx(revenue_eur + cleared.congestion_eur + cleared.loss_surplus_eur, rel=1e-9)
    assert cleared.reserve_eur > 0.0 and cleared.loss_surplus_eur > 0.0
