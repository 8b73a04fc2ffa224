"""Settlement explains the whole infeed, markets keep nothing, and every euro has a payer and a payee."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.payments import Dates
from heptagrid.foundation.reasons import Reason
from heptagrid.planes.money import postings, settlement, telecom
from heptagrid.planes.money.ledger import Ledger, eur
from heptagrid.planes.money.posted import PostedPayments
from heptagrid.planes.money.tariffs import billing_rules, network_fees
from heptagrid.world.accounts import Accounts

NOW = Dates(0, 0)
FEES = network_fees.Parameters()
NO_SPREAD = network_fees.Parameters(imbalance_spread_eur_per_mwh=0.0)
HOURS = 24
RETAILER = AGGREGATOR = int(Domain.PROVIDERS)  # an account of that domain

mwh = arrays(np.float64, HOURS, elements=st.floats(-20.0, 20.0))
of_two = arrays(np.float64, (HOURS, 2), elements=st.floats(-20.0, 20.0))  # retailers
prices = arrays(np.float64, HOURS, elements=st.floats(-100.0, 500.0))


@given(prices, of_two, of_two, mwh)
def test_without_spread_position_imbalance_and_losses_cost_the_infeed_at_the_market_price(
    price, position, used, infeed
):
    settled = settlement.wholesale(price, position, used, infeed, NO_SPREAD)
    assert settled.total_eur == pytest.approx(float(price @ infeed), abs=1e-6)


@given(prices, of_two, of_two, mwh)
def test_being_out_of_balance_is_never_rewarded(price, position, used, infeed):
    settled = settlement.wholesale(price, position, used, infeed, FEES)
    balanced = settlement.wholesale(price, used, used, infeed, FEES)
    paid_eur = settled.energy_eur + settled.imbalance_eur
    assert (paid_eur >= balanced.energy_eur + balanced.imbalance_eur - 1e-6).all()


@pytest.mark.parametrize(
    ("price", "position_mwh", "used_mwh", "paid_eur"),
    [
        (180.0, -100.0, -80.0, 3_600.0),
        (-10.0, -10.0, -12.0, 20.0),
        (180.0, -80.0, -100.0, -3_600.0),
        (-10.0, 12.0, 14.0, -20.0),
    ],
)
def test_who_is_short_pays_a_positive_price_and_is_paid_a_negative_one(price, position_mwh, used_mwh, paid_eur):
    """Regulation (EU) 2017/2195, article 55, table 2, in numbers: a wind farm sold 100 MWh and gave 80 at 180 EUR/MWh: it pays 3,600; a
    battery sold 10 and gave 12 at -10 EUR/MWh: it pays 20; and the other two corners of the table."""
    position, used = np.array([[position_mwh]]), np.array([[used_mwh]])
    found = settlement.wholesale(np.array([price]), position, used, used[0], NO_SPREAD)
    assert found.imbalance_eur.tolist() == pytest.approx([paid_eur])


@given(prices, of_two, of_two, mwh)
def test_each_retailer_owes_for_its_own_imbalance_as_if_it_were_alone(price, position, used, infeed):
    together = settlement.wholesale(price, position, used, infeed, FEES)
    for k in range(2):
        alone = settlement.wholesale(price, position[:, k : k + 1], used[:, k : k + 1], infeed, FEES)
        assert (alone.energy_eur[0], alone.imbalance_eur[0]) == (together.energy_eur[k], together.imbalance_eur[k])


@given(prices, of_two, of_two, mwh)
def test_two_retailers_positions_and_losses_cost_what_those_of_one_with_all_customers_do(price, position, used, infeed):
    """Without a spread their imbalances do, too; with it they are no cheaper apart, for one's shortage no longer makes up for another's surplus."""
    joint = position.sum(axis=1, keepdims=True), used.sum(axis=1, keepdims=True)
    for fees in (NO_SPREAD, FEES):
        two, one = (settlement.wholesale(price, *each, infeed, fees) for each in ((position, used), joint))
        assert two.energy_eur.sum() == pytest.approx(one.energy_eur[0], abs=1e-6)
        assert two.losses_eur == pytest.approx(one.losses_eur, abs=1e-6)
        dearer_eur = two.imbalance_eur.sum() - one.imbalance_eur[0]
        assert dearer_eur > -1e-6 if fees is FEES else abs(dearer_eur) < 1e-6


@given(prices, of_two, of_two, mwh)
def test_markets_keep_not_a_thousandth_of_a_cent(price, position, used, infeed):
    accounts = Accounts(1, ("north", "south"))
    ledger = Ledger(accounts)
    wholesale = settlement.wholesale(price, position, used, infeed, FEES)
    postings.pay_wholesale(PostedPayments(ledger, 0), accounts.of_retailers, wholesale, NOW)
    totals = ledger.totals()
    assert totals.by_domain[Domain.MARKETS] == 0
    assert totals.by_domain.sum() == 0


def test_what_was_used_was_bought_day_ahead_or_was_imbalance():
    """By hand: bought 10 and 10 MWh, used 12 and 7: short of 2, 3 too much, 19 used."""
    found = settlement.traded_mwh(np.array([[10.0], [10.0]]), np.array([[12.0], [7.0]]))
    assert found == {"used": 19.0, "day_ahead": 20.0, "short": 2.0, "over": 3.0}


def test_the_peak_that_is_charged_for_is_the_highest_mean_of_a_quarter_hour():
    """By hand: 12 MW for five minutes and 6 MW for ten are 1 + 1 = 2 MWh, a mean of 8 MW; 7.9 MW throughout are 1.975 MWh.

    Network operators charge for the year's highest power (StromNEV section 17), which is the highest quarter-hour value (glossary of
    energieja.de, "Jahreshöchstleistung").
    """
    assert settlement.metered_peak_kw(np.array([[1.975], [2.0], [-3.0]])) == pytest.approx(8000.0)
    assert settlement.metered_peak_kw(np.array([[-1.0], [-2.0]])) == 0.0


def test_the_years_peak_charge_is_price_times_the_highest_day():
    peaks, weights = np.array([8000.0, 11000.0, -50.0]), np.array([200.0, 16.0, 150.0])
    days = [settlement.peak_demand_eur(peak, 1 / 366, FEES) for peak in peaks[:, np.newaxis]]
    year = weights @ days + settlement.peak_demand_over_year_eur(peaks[:, np.newaxis], weights, FEES)
    assert year == pytest.approx(11000.0 * FEES.peak_demand_eur_per_kw_year)


def test_each_infeed_is_charged_for_its_own_peak_and_what_one_feeds_back_is_not_taken_off_the_others():
    """By hand: two infeeds of 8 and 4 MW at different quarter hours are charged 12 MW, whatever their sum's peak is."""
    infeed_mwh = np.array([[2.0, -1.0], [0.5, 1.0]])
    peaks_kw = settlement.metered_peak_kw(infeed_mwh)
    assert peaks_kw.tolist() == [8000.0, 4000.0]
    assert settlement.peak_demand_eur(peaks_kw, 1.0, FEES) == pytest.approx(12000.0 * FEES.peak_demand_eur_per_kw_year)
    assert settlement.use_of_system_eur(infeed_mwh, FEES) == pytest.approx(3.5 * FEES.use_of_system_eur_per_mwh)


def test_feeding_back_earns_no_use_of_system_fee():
    assert settlement.use_of_system_eur(np.array([[10.0], [-4.0]]), FEES) == 10.0 * FEES.use_of_system_eur_per_mwh


def whole_day(rng: np.random.Generator) -> tuple[Ledger, billing_rules.Bills]:
    points = 200
    ledger = Ledger(Accounts(points))
    price = rng.uniform(0.0, 0.2, 96)
    bill = billing_rules.bills(
        rng.random((96, points)),
        rng.random((96, points)) * (rng.random(points) < 0.1),
        price,
        rng.random(points),
        np.arange(points) < 190,
        1 / 366,
        billing_rules.Parameters(),
        FEES,
    )
    payments, everyone = PostedPayments(ledger, 0), np.arange(points)
    postings.pay_bills(payments, RETAILER, everyone, bill, NOW, cause=77)
    postings.pass_fees_on(payments, RETAILER, bill, NOW)
    postings.pay_rest(payments, 1e6, NOW)
    postings.pay_fuel(payments, 20.0, NOW)
    postings.pay_transmission(payments, 31.0, 17.0, NOW)
    moved_eur = settlement.flexibility_eur(rng.random(points), billing_rules.Parameters())
    postings.pay_flexibility(payments, AGGREGATOR, everyone, moved_eur, NOW, np.full(points, -1))
    postings.pay_relief(payments, AGGREGATOR, settlement.relief_eur(12.0, FEES), NOW)
    owed_eur = postings.whole(rng.normal(0.0, 0.1, points))
    postings.pay_local_market(payments, np.full(points, AGGREGATOR), everyone, owed_eur, NOW, np.full(points, -1))
    postings.pass_congestion_on(payments, AGGREGATOR, float(owed_eur.sum()), NOW, -1)
    postings.pay_smart_metering(payments, settlement.smart_metering_eur(points, 1 / 366, FEES), NOW)
    counts = telecom.smart_counts(meters=points, substations=10, wan_links=4, control_boxes=50)
    access = telecom.access_counts(meters=points, access_sites=10, backhaul_links=10, line_m=0.0)
    prices = telecom.Parameters(
        access_unit_opex_eur_per_year=1.0,
        access_site_opex_eur_per_year=100.0,
        backhaul_opex_eur_per_year=24.0,
        wan_opex_eur_per_year=3600.0,
    )
    opex_eur = telecom.opex_eur([telecom.Stock(counts, prices), telecom.Stock(access, prices)], 1 / 366)
    for domain in Domain:
        postings.pay_upkeep(payments, domain, opex_eur, NOW)
    return ledger, bill


def test_a_whole_day_balances_and_every_reason_but_wholesale_and_later_runs_is_used():
    ledger, _ = whole_day(np.random.default_rng(5))
    totals = ledger.totals()
    totals.check()
    used = {reason for reason, *_ in totals.by_reason()}
    not_there = {
        Reason.SECOND_RUN,
        Reason.FINAL_RUN,
        Reason.WHOLESALE_ENERGY,
        Reason.IMBALANCE,
        Reason.LOSSES,
        Reason.CONGESTION_RENT,
        Reason.LOSS_SURPLUS,
        Reason.RESERVE,
        Reason.RESERVE_NOT_HELD,
        Reason.MAKE_WHOLE,
        Reason.METER_READING,
        Reason.ROUNDING,
        Reason.DEMAND_CHARGE,  # nobody has a monthly rate
    }
    assert used == {reason.name.lower() for reason in set(Reason) - not_there}


def test_the_provider_keeps_of_the_bills_its_energy_price_and_standing_charge_alone():
    points = 3
    ledger = Ledger(Accounts(points))
    used = np.ones((4, points))
    bill = billing_rules.bills(
        used,
        used,
        np.full(4, 0.05),
        np.zeros(points, bool),
        np.ones(points, bool),
        1.0,
        billing_rules.Parameters(),
        FEES,
    )
    payments = PostedPayments(ledger, 0)
    postings.pay_bills(payments, RETAILER, np.arange(points), bill, NOW)
    postings.pass_fees_on(payments, RETAILER, bill, NOW)
    kept = eur(ledger.totals().by_domain)
    assert kept[Domain.PROVIDERS] == pytest.approx((bill.energy + bill.standing - bill.export_credit).sum(), abs=1e-4)
    assert kept[Domain.CUSTOMERS] == pytest.approx(-bill.net.sum(), abs=1e-4)
    assert kept[Domain.OPERATIONS] == pytest.approx(3 * FEES.metering_eur_per_year, abs=1e-4)


def test_a_bill_can_be_followed_to_the_message_that_brought_it():
    ledger, _ = whole_day(np.random.default_rng(5))
    rows = ledger.rows()
    bill_rows = rows["reason"] == Reason.ENERGY_BILL
    assert bill_rows.sum() > 150 and set(rows["cause"][bill_rows]) == {77}


def test_rows_do_not_depend_on_who_is_asked_first():
    first, second = (whole_day(np.random.default_rng(5))[0].rows() for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)
