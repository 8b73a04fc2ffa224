"""Resetting network fees, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptagrid.foundation.domains import Domain
from heptagrid.planes.money.appraisal.appraise import appraise
from heptagrid.planes.money.appraisal.cash_flow import present_value
from heptagrid.planes.money.appraisal.regulation import reset
from heptagrid.planes.money.appraisal.rules import Rules
from heptagrid.planes.money.benefits.benefit import PARTIES, SOCIETY
from tests.money.appraisal.years import observed, plan


def test_a_saved_peak_lowers_fees_and_does_not_rob_transmission():
    """Distribution pays 100 a year less for two years; the towns are a tenth of the system; 10 % interest.

    Transmission gets 110 back in year 2 for year 1, and 100 at the horizon for year 2: of each the towns pay a tenth.
    Distribution has 100 in year 1, which customers get with interest in year 2; in year 2 it has 100 less 21.
    """
    transfers = np.zeros((3, len(PARTIES)))
    transfers[1:, Domain.DISTRIBUTION], transfers[1:, Domain.TRANSMISSION] = 100.0, -100.0
    added = reset(transfers, transfers[:, Domain.TRANSMISSION], 0.1, 0.1)
    assert added[:, Domain.TRANSMISSION].tolist() == pytest.approx([0.0, 0.0, 210.0])
    assert added[:, SOCIETY].tolist() == pytest.approx([0.0, 0.0, -189.0])
    assert added[:, Domain.DISTRIBUTION].tolist() == pytest.approx([0.0, 0.0, -21.0 - 110.0 - 79.0])
    assert added[:, Domain.CUSTOMERS].tolist() == pytest.approx([0.0, 0.0, 110.0 + 79.0])
    worth = present_value(transfers + added, 0.1)
    assert worth[Domain.TRANSMISSION] == pytest.approx(0.0)
    assert worth[Domain.DISTRIBUTION] == pytest.approx(0.0)
    assert worth[Domain.CUSTOMERS] == pytest.approx(0.9 * 100.0 * (1 / 1.1 + 1 / 1.21)), (
        "what others pay of the towns' saving"
    )


@given(st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=12), st.floats(0.0, 1.0), st.floats(0.0, 0.2))
def test_what_is_added_sums_to_nothing_and_leaves_networks_nothing(fees, share, rate):
    transfers = np.zeros((len(fees), len(PARTIES)))
    transfers[:, Domain.TRANSMISSION], transfers[:, Domain.DISTRIBUTION] = fees, -np.array(fees)
    added = reset(transfers, transfers[:, Domain.TRANSMISSION], share, rate)
    np.testing.assert_allclose(added.sum(axis=1), 0.0, atol=1e-6)
    worth = present_value(transfers + added, rate)
    np.testing.assert_allclose(worth[[Domain.TRANSMISSION, Domain.DISTRIBUTION]], 0.0, atol=1e-6)


def test_without_the_rule_transmission_loses_what_distribution_saves():
    off = appraise(observed(), plan(Rules(reset_fees=False)))
    on = appraise(observed(), plan(Rules()))
    assert off.npv_eur[Domain.TRANSMISSION] == pytest.approx(present_value(off.ledger, off.rate)[Domain.TRANSMISSION])
    assert off.npv_eur[Domain.TRANSMISSION] < -1000.0
    assert on.npv_eur[Domain.TRANSMISSION] == pytest.approx(0.0, abs=1e-6)
    assert on.society_npv_eur == off.society_npv_eur
    assert on.npv_eur[Domain.CUSTOMERS] > off.npv_eur[Domain.CUSTOMERS]
