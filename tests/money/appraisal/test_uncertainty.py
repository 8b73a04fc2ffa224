"""Ranges, draws and break-evens."""

from dataclasses import replace

import numpy as np
import pytest

from heptagrid.foundation.parameters import declarations
from heptagrid.foundation.registry import benefits
from heptagrid.planes.money.appraisal.appraise import appraise
from heptagrid.planes.money.appraisal.rules import Rules
from heptagrid.planes.money.appraisal.uncertainty import (
    break_even,
    drawn,
    monte_carlo,
    society_npv_eur,
    tornado,
    uncertain_parameters,
)
from tests.money.appraisal.years import observed, plan


def test_draws_are_the_same_each_time_and_of_no_other_parameter():
    year, full = observed(), plan(Rules(draws=50))
    uncertain = uncertain_parameters(year, full)
    again = drawn(7, uncertain[:-2], 50)
    for key, values in drawn(7, uncertain, 50).items():
        if key in again:
            np.testing.assert_array_equal(values, again[key])
    np.testing.assert_array_equal(monte_carlo(year, full, 7), monte_carlo(year, full, 7))
    assert not np.array_equal(monte_carlo(year, full, 7), monte_carlo(year, full, 8))


def test_draws_are_triangular_over_the_range():
    [one] = (
        each for each in uncertain_parameters(observed(), plan()) if each.key == "benefits.capacity.eur_per_kw_year"
    )
    values = drawn(1, [one], 20_000)[one.key]
    assert one.low <= values.min() and values.max() <= one.high
    assert values.mean() == pytest.approx((one.low + one.value + one.high) / 3.0, rel=0.01)


def test_in_every_draw_the_parties_sum_to_society():
    rows = monte_carlo(observed(), plan(Rules(draws=30)), 3)
    np.testing.assert_allclose(rows[:, 0], rows[:, 1:].sum(axis=1), rtol=1e-9, atol=1e-3)


def test_the_widest_swing_comes_first_and_holds_the_central_value():
    swings = tornado(observed(), plan())
    widths = [abs(one.at_high_eur - one.at_low_eur) for one in swings]
    central = appraise(observed(), plan()).society_npv_eur
    assert widths == sorted(widths, reverse=True)
    assert all(
        min(one.at_low_eur, one.at_high_eur) - 1e-6 <= central <= max(one.at_low_eur, one.at_high_eur) + 1e-6
        for one in swings
    )


def test_at_the_break_even_society_gains_nothing():
    year, full = observed(), plan()
    [price] = (each for each in uncertain_parameters(year, full) if each.key == "benefits.capacity.eur_per_kw_year")
    found = break_even(year, full, price)
    assert found is not None
    at, gains_above = found
    assert gains_above
    assert society_npv_eur(year, full, {price.key: at}) == pytest.approx(0.0, abs=1.0)


def test_where_nothing_turns_the_sign_there_is_no_break_even():
    same = replace(observed(), smart=replace(observed().smart, system_peak_mw=50.0))
    [price] = (each for each in uncertain_parameters(same, plan()) if each.key == "benefits.capacity.eur_per_kw_year")
    assert break_even(same, plan(), price) is None


def test_every_benefit_has_a_likely_range_that_holds_its_value():
    for name, one in benefits().items():
        ranges = [declared.likely for _, _, _, declared in declarations(one.parameters) if declared.likely]
        assert ranges or name in ("curtailment", "wholesale_price"), name
        for _, _, default, declared in declarations(one.parameters):
            if declared.likely:
                low, high = declared.likely
                assert low <= default <= high and declared.low <= low and high <= declared.high, name
