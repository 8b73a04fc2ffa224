"""The business case is what a textbook and a spreadsheet say."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptagrid.foundation.domains import Domain
from heptagrid.planes.money import business, telecom
from heptagrid.planes.money.business import Investment, annuity_factor, business_case, lifecycle_factor
from heptagrid.planes.money.tariffs import network_fees

PARAMETERS = business.Parameters()
FEES = network_fees.Parameters()

rates = st.floats(1e-4, 0.3)
years = st.integers(1, 60)


@given(rates, years)
def test_the_annuity_factor_is_the_sum_of_discounted_ones(rate, horizon):
    assert annuity_factor(rate, horizon) == pytest.approx(sum((1 + rate) ** -k for k in range(1, horizon + 1)))


def test_fifteen_years_at_three_and_a_half_percent_are_worth_eleven_and_a_half():
    """Tables of annuity factors give 11.5174."""
    assert annuity_factor(0.035, 15.0) == pytest.approx(11.5174, abs=5e-5)
    assert annuity_factor(0.0, 15.0) == 15.0


@given(rates, years, years)
def test_the_lifecycle_factor_is_that_of_a_plain_year_by_year_account(rate, lifetime, horizon):
    value, bought = 0.0, 0
    for year in range(horizon):
        if year % lifetime == 0:
            value += (1 + rate) ** -year
            bought = year
    unused = (lifetime - (horizon - bought)) / lifetime
    assert lifecycle_factor(lifetime, horizon, rate) == pytest.approx(value - unused * (1 + rate) ** -horizon)


def test_what_lasts_just_the_horizon_is_bought_once_and_leaves_nothing():
    assert lifecycle_factor(15.0, 15.0, 0.035) == 1.0


def test_without_interest_an_investment_costs_its_used_share():
    for lifetime in (7.0, 10.0, 15.0, 40.0):
        assert lifecycle_factor(lifetime, 15.0, 0.0) == pytest.approx(15.0 / lifetime)


def test_the_case_by_hand():
    """Operations spends 1,000 (lasting 10 of 15 years) to save 100 a year; distribution avoids 2,000 (of 40 years)."""
    smart, conventional = np.zeros(7), np.zeros(7)
    conventional[Domain.OPERATIONS] = -100.0
    case = business_case(
        smart,
        conventional,
        [Investment("meters", Domain.OPERATIONS, 1000.0, 10.0)],
        [Investment("transformer", Domain.DISTRIBUTION, 2000.0, 40.0)],
        PARAMETERS,
    )
    meters = 1000.0 * (1 + 1.035**-10 - 0.5 * 1.035**-15)
    transformer = 2000.0 * (1 - 25 / 40 * 1.035**-15)
    assert case.npv_eur[Domain.OPERATIONS] == pytest.approx(100.0 * 11.51741 - meters, abs=1e-3)
    assert case.npv_eur[Domain.DISTRIBUTION] == pytest.approx(transformer)
    assert case.npv_eur[Domain.MARKETS] == 0.0
    assert case.npv_eur[Domain.OPERATIONS] < 0.0, "the sign is whatever comes out"
    rows = case.summary(366.0)["rows"]
    assert sum(row["npv_eur"] for row in rows) == pytest.approx(case.npv_eur.sum())


@given(st.lists(st.floats(-1e6, 1e6), min_size=7, max_size=7), st.lists(st.floats(-1e6, 1e6), min_size=7, max_size=7))
def test_swapping_the_arms_turns_the_sign(first, second):
    first, second = np.array(first), np.array(second)
    ours = [Investment("a", Domain.OPERATIONS, 500.0, 8.0)]
    theirs = [Investment("b", Domain.PROVIDERS, 300.0, 20.0)]
    forth = business_case(first, second, ours, theirs, PARAMETERS).npv_eur
    back = business_case(second, first, theirs, ours, PARAMETERS).npv_eur
    assert forth == pytest.approx(-back)


def test_a_year_is_the_weighted_sum_of_its_days_with_the_peak_of_the_worst():
    by_domain = np.arange(14.0).reshape(2, 7)
    weights, peaks = np.array([300.0, 66.0]), np.array([[5000.0], [11000.0]])
    year = business.operating_eur_per_year(by_domain, weights, peaks, FEES)
    mean_kw = (300.0 * 5000.0 + 66.0 * 11000.0) / 366.0
    missing = (11000.0 - mean_kw) * FEES.peak_demand_eur_per_kw_year
    assert year[Domain.CUSTOMERS] == 300.0 * 3 + 66.0 * 10
    assert year[Domain.DISTRIBUTION] == pytest.approx(300.0 * 2 + 66.0 * 9 - missing)
    assert year[Domain.TRANSMISSION] == pytest.approx(300.0 * 1 + 66.0 * 8 + missing)


def test_days_that_make_no_year_are_not_annualised():
    with pytest.raises(ValueError, match="not a year"):
        business.operating_eur_per_year(np.zeros((1, 7)), np.ones(1), np.zeros(1), FEES)


def test_only_transformers_that_this_arm_alone_overloads_cost_it_something():
    here, other = np.array([120.0, 120.0, 90.0, 101.0]), np.array([80.0, 130.0, 150.0, 99.0])
    rated, upper = np.array([0.4, 0.63, 0.25, 40.0]), np.array([20.0, 20.0, 20.0, 110.0])
    station, primary = business.transformer_investments(here, rated, upper, PARAMETERS, other)
    assert station.amount_eur == pytest.approx(0.4 * PARAMETERS.station_transformer_eur_per_mva)
    assert primary.amount_eur == pytest.approx(40.0 * PARAMETERS.primary_transformer_eur_per_mva)
    assert station.payer is Domain.DISTRIBUTION


def test_transformers_that_both_arms_overload_cancel():
    first, second = np.array([120.0, 120.0, 90.0]), np.array([80.0, 130.0, 150.0])
    rated, upper = np.array([0.4, 0.63, 0.25]), np.array([20.0, 20.0, 20.0])

    def value(smart_other, conventional_other):
        smart = business.transformer_investments(first, rated, upper, PARAMETERS, smart_other)
        conventional = business.transformer_investments(second, rated, upper, PARAMETERS, conventional_other)
        return business_case(np.zeros(7), np.zeros(7), smart, conventional, PARAMETERS).npv_eur

    assert value(second, first) == pytest.approx(value(None, None))


def test_smart_metering_as_a_whole_costs_what_member_states_found():
    """SWD(2014)189: 77 to 766 EUR of 2014 for each metering point over its life, with running costs."""
    points = 9000
    counted = [
        telecom.smart_counts(meters=points, substations=110, wan_links=4, control_boxes=0),
        telecom.access_counts(meters=points, access_sites=110, backhaul_links=110, line_m=0.0),
    ]
    own = {"access_unit": (12.0, 0.5), "access_site": (800.0, 100.0), "backhaul": (25.0, 24.0), "wan": (1500.0, 3600.0)}
    prices = replace(
        telecom.Parameters(),
        **{f"{name}_capex_eur": capex for name, (capex, _) in own.items()},
        **{f"{name}_opex_eur_per_year": opex for name, (_, opex) in own.items()},
    )
    stocks = [telecom.Stock(counts, prices) for counts in counted]
    capital = sum(telecom.capex_eur(stocks).values())
    running = sum(telecom.opex_eur(stocks, 1.0).values()) * annuity_factor(0.035, 15.0)
    assert 77.0 < (capital + running) / points / 1.28 < 766.0


def test_plain_meters_are_bought_only_as_far_as_they_are_due():
    conventional = business.device_investments(
        [telecom.Stock(telecom.conventional_counts(100), telecom.Parameters())],
        business.Parameters(plain_meter_due_share=0.25),
    )
    assert [(one.name, one.amount_eur) for one in conventional] == [("plain_meter", 100 * 90.0 * 0.25)]


def test_an_item_without_a_price_is_refused_by_name():
    with pytest.raises(KeyError, match="carrier_pigeon"):
        telecom.capex_eur([telecom.Stock({"carrier_pigeon": 3}, telecom.Parameters())])


def test_every_item_has_both_its_prices():
    declared = set(telecom.Parameters.__dataclass_fields__)
    expected = {f"{name}_{kind}" for name in telecom.ITEMS for kind in ("capex_eur", "opex_eur_per_year")}
    assert declared == expected
