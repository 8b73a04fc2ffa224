"""Cash flows are what a plain account, year by year, comes to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptagrid.foundation.domains import Domain
from heptagrid.planes.money.appraisal.cash_flow import (
    cash_flow,
    internal_rate,
    payback_years,
    present_value,
    purchases,
    working_share,
)
from heptagrid.planes.money.benefits.benefit import gain
from heptagrid.planes.money.business import annuity_factor, lifecycle_factor


@given(st.integers(1, 40), st.integers(1, 60), st.floats(0.0, 0.2))
def test_bought_all_at_the_start_is_the_lifecycle_factor(lifetime, horizon, rate):
    worth = float(present_value(purchases(horizon, 1, float(lifetime)), rate))
    assert worth == pytest.approx(lifecycle_factor(float(lifetime), float(horizon), rate))


@given(st.integers(1, 40), st.floats(1e-3, 0.2))
def test_a_yearly_gain_from_the_start_is_worth_the_annuity_factor(horizon, rate):
    cash = cash_flow([gain("fuel", Domain.GENERATION, 1.0)], horizon, 1)
    assert float(present_value(cash[:, Domain.GENERATION], rate)) == pytest.approx(annuity_factor(rate, horizon))


def test_a_roll_out_over_two_years_by_hand():
    """Half at the start, half a year later; a life of two years over three: each cohort is bought again where it falls due."""
    np.testing.assert_allclose(working_share(3, 2), [0.0, 0.5, 1.0, 1.0])
    np.testing.assert_allclose(purchases(3, 2, 2.0), [0.5, 0.5, 0.5, -0.25])


def test_the_internal_rate_by_hand():
    """100 now for 60 in each of two years is 13.07 %."""
    assert internal_rate(np.array([-100.0, 60.0, 60.0])) == pytest.approx(0.130662, abs=1e-6)
    assert internal_rate(np.array([100.0, 60.0])) is None


def test_money_is_back_within_a_year_and_stays():
    assert payback_years(np.array([-100.0, 60.0, 60.0])) == pytest.approx(1.0 + 40.0 / 60.0)
    assert payback_years(np.array([-100.0, 60.0])) is None
    assert payback_years(np.array([1.0, 1.0])) == 0.0
    assert payback_years(np.array([-10.0, 20.0, -15.0, 10.0])) == pytest.approx(2.5), "a replacement falls due"
