"""Society's total is the sum of its parties, and each benefit moves whom it should."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.registry import benefits
from heptagrid.planes.money import business, telecom
from heptagrid.planes.money.appraisal.appraise import Plan, appraise
from heptagrid.planes.money.appraisal.rules import Rules
from heptagrid.planes.money.benefits.benefit import PARTIES, SOCIETY, STATE, Nature
from heptagrid.planes.money.benefits.observed import Outage
from heptagrid.planes.money.business import annuity_factor
from tests.money.appraisal.years import METERS, observed, plan

GAINS = {
    "energy": {Domain.GENERATION},
    "capacity": {Domain.PROVIDERS},
    "deferral": {Domain.DISTRIBUTION},
    "meter_reading": {Domain.OPERATIONS},
    "outages": {Domain.CUSTOMERS},
    "theft": {Domain.CUSTOMERS, Domain.PROVIDERS, Domain.DISTRIBUTION},
    "feedback": {Domain.CUSTOMERS, STATE},
    "voltage_reduction": {Domain.CUSTOMERS},
    "emissions": {SOCIETY},
    "curtailment": {Domain.CUSTOMERS},
    "wholesale_price": {Domain.GENERATION, SOCIETY},
    "devices": {Domain.OPERATIONS, Domain.DISTRIBUTION, Domain.PROVIDERS},
    "communication": {Domain.OPERATIONS},
    "information_technology": {Domain.OPERATIONS},
    "installation": {Domain.OPERATIONS},
    "cyber_security": {Domain.OPERATIONS},
    "programme": {Domain.OPERATIONS},
    "stranded_meters": {Domain.OPERATIONS},
}
ALL_COUNTED = {name: {"counted": True} for name, one in benefits().items() if hasattr(one.parameters(), "counted")}
EVERYTHING = ALL_COUNTED | {
    "curtailment": {"counted": True, "saved_mwh_per_year": 10.0},
    "outages": {"minutes_without": 60.0},
}


@pytest.mark.parametrize("name", GAINS)
def test_leaving_out_one_benefit_or_cost_moves_just_the_parties_it_should(name):
    """With network fees as they are; else a transfer's change is passed on to customers too."""
    rules, year = Rules(reset_fees=False), observed()
    full = plan(rules, **EVERYTHING)
    without = Plan({key: one for key, one in full.benefits.items() if key != name}, full.values, rules)
    moved = appraise(year, full).npv_eur - appraise(year, without).npv_eur
    assert {k for k in range(len(PARTIES)) if abs(moved[k]) > 1e-6} == GAINS[name]


@settings(deadline=None)
@given(st.sets(st.sampled_from(sorted(GAINS))), st.integers(1, 9), st.booleans())
def test_the_parties_sum_to_society_and_society_to_its_benefits(names, rollout_years, reset_fees):
    full = plan(Rules(rollout_years=rollout_years, reset_fees=reset_fees), **EVERYTHING)
    some = replace(full, benefits={name: one for name, one in full.benefits.items() if name in names})
    found = appraise(observed(), some)
    assert float(found.npv_eur.sum()) == pytest.approx(found.society_npv_eur, abs=1e-3)
    assert sum(found.npv_of(name) for name in names) == pytest.approx(found.society_npv_eur, abs=1e-3)


def test_a_transfer_of_any_benefit_sums_to_nothing():
    for name, one in benefits().items():
        values = one.parameters(**EVERYTHING.get(name, {}))
        for flow in one.found(observed(), values):
            if flow.nature is Nature.TRANSFER:
                assert flow.eur_per_year.sum() == pytest.approx(0.0, abs=1e-9), name
                assert not flow.once_eur.any()


def test_capacity_is_the_fall_of_the_systems_peak_times_its_price():
    year = observed(discount_rate=0.0, horizon_years=10.0)
    found = appraise(year, plan(capacity={"eur_per_kw_year": 70.0}))
    assert found.npv_of("capacity") == pytest.approx(10.0 * 300.0 * 70.0)


def test_a_tonne_counts_with_its_damage_beyond_the_price_that_fuel_already_holds():
    """100 tonnes saved in a year: 20,000 EUR of fuel hold their price of 65; of a damage of 240 there remain 175. The same at any price, in sum."""
    year = observed(discount_rate=0.0, horizon_years=1.0)
    counted = plan(emissions={"damage_eur_per_t": 240.0})
    at_65 = appraise(replace(year, co2_eur_per_t=65.0), counted)
    assert at_65.npv_of("emissions") == pytest.approx(100.0 * 175.0)
    free = replace(year, conventional=replace(year.conventional, fuel_eur=120_000.0 - 65.0 * 2000.0))
    free = replace(free, smart=replace(year.smart, fuel_eur=100_000.0 - 65.0 * 1900.0))
    at_0 = appraise(free, counted)
    assert at_0.npv_of("emissions") == pytest.approx(100.0 * 240.0)
    assert at_0.society_npv_eur == pytest.approx(at_65.society_npv_eur)


def test_only_a_transformer_that_one_arm_alone_overloads_counts():
    """Of three, the smart arm spares the second: 0.4 MVA."""
    rules = business.Parameters()
    found = appraise(observed(), plan()).npv_of("deferral")
    factor = business.lifecycle_factor(rules.transformer_lifetime_years, 15.0, rules.discount_rate)
    assert found == pytest.approx(0.4 * rules.station_transformer_eur_per_mva * factor)


def test_reading_costs_what_the_ledger_pays_for_it():
    yearly_eur = METERS * telecom.Parameters().reading_visit_opex_eur_per_year
    assert appraise(observed(), plan()).npv_of("meter_reading") == pytest.approx(
        yearly_eur * annuity_factor(0.035, 15.0)
    )


def test_devices_and_communication_cost_what_the_business_case_buys():
    """Without interest and over lifetimes that divide the horizon: what is bought, and the upkeep."""
    year = observed(discount_rate=0.0, horizon_years=240.0)
    found = appraise(year, plan())
    ours = sum(found.npv_of(name) for name in ("devices", "communication", "information_technology", "meter_reading"))
    theirs = 0.0
    for sign, arm in ((-1.0, year.smart), (1.0, year.conventional)):
        theirs += sign * 240.0 * sum(telecom.opex_eur(arm.stocks, 1.0).values())
        for one in business.device_investments(arm.stocks, year.rules):
            theirs += sign * one.amount_eur * business.lifecycle_factor(one.lifetime_years, 240.0, 0.0)
    assert ours == pytest.approx(theirs)


def test_what_no_run_shows_does_not_count_unless_asked_for():
    by_default = appraise(observed(), plan())
    for name, one in benefits().items():
        if one.not_simulated:
            assert by_default.npv_of(name) == 0.0, name
            assert not by_default.transfers[name].any(), name


def test_the_ledgers_transfers_reach_state_and_domains():
    """Taxes fall by 5,000, bills by 30,000, and the fuel that generation pays outside is no transfer."""
    found = appraise(observed(discount_rate=0.0, horizon_years=1.0), plan(Rules(reset_fees=False)))
    np.testing.assert_allclose(found.ledger.sum(axis=1), 0.0, atol=1e-6)
    assert found.ledger[1, STATE] == pytest.approx(-5000.0)
    assert found.ledger[1, Domain.CUSTOMERS] == pytest.approx(30_000.0)
    assert found.ledger[1, Domain.GENERATION] == 0.0


def test_an_outage_is_worth_more_to_firms_than_to_households():
    """1 MWh of households and 2 of others, spared twice a year, for a year without interest."""
    year = observed(discount_rate=0.0, horizon_years=1.0)
    dark = (Outage("households", 1.0, 10, 600.0, 1.0), Outage("others", 4.0, 2, 300.0, 2.0))
    year = replace(year, conventional=replace(year.conventional, outages=dark))
    worth = {"households_eur_per_mwh": 10.0, "others_eur_per_mwh": 30.0, "events_per_year": 2.0}
    assert appraise(year, plan(outages=worth)).npv_of("outages") == pytest.approx(2.0 * (10.0 + 2.0 * 30.0))
