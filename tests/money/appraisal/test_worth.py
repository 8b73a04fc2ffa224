"""What messages are worth: by hand, and as the cost of communication at which the choice turns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from heptagrid.planes.money import telecom
from heptagrid.planes.money.appraisal.appraise import appraise
from heptagrid.planes.money.appraisal.uncertainty import society_npv_eur
from heptagrid.planes.money.appraisal.worth import Worth, worth_of_messages
from heptagrid.planes.money.benefits.observed import Observed
from tests.money.appraisal.years import METERS, observed, plan


def silent_of(one: Observed) -> Observed:
    """The same devices without messages: they save no fuel and no peak, and every meter is visited."""
    visits = telecom.Stock({"reading_visit": METERS}, one.smart.stocks[0].prices)
    smart = replace(
        one.smart,
        fuel_eur=one.conventional.fuel_eur,
        system_peak_mw=one.conventional.system_peak_mw,
        stocks=(*one.smart.stocks, visits),
    )
    return replace(one, smart=smart)


def found() -> Worth:
    one = observed(discount_rate=0.0, horizon_years=10.0)
    return worth_of_messages(one, silent_of(one), plan(capacity={"eur_per_kw_year": 50.0}))


def test_what_hangs_on_messages_is_what_is_lost_without_them() -> None:
    """Over ten years without interest.

    Fuel: 20,000 EUR a year. Peak: 300 kW at 50 EUR. Visits: 1,000 at 5 EUR. Transformers are relieved by the devices alone.
    """
    worth = found()
    hanging = {name: worth.with_eur[name] - worth.without_eur[name] for name in worth.with_eur}
    assert hanging["energy"] == pytest.approx(200_000.0)
    assert hanging["capacity"] == pytest.approx(150_000.0)
    assert hanging["meter_reading"] == pytest.approx(50_000.0)
    assert worth.with_eur["deferral"] == worth.without_eur["deferral"] > 0.0
    assert worth.hanging_eur == pytest.approx(400_000.0)
    assert worth.npv_eur - worth.npv_without_eur == pytest.approx(400_000.0), "all else costs the same"
    # 1,000 customers over ten years: 40 EUR each a year is the most that communication may cost.
    assert worth.hanging_eur / worth.customer_years == pytest.approx(40.0)


def test_what_communication_costs_item_by_item() -> None:
    """Prices as in `years`; of what lasts 15 years a third is left after ten."""
    worth = found()
    assert worth.items_eur == {
        "access_unit": pytest.approx(1000 * 15.0 * 10 / 15 + 1000 * 1.0 * 10),
        "access_site": pytest.approx(5 * 2000.0 * 10 / 15 + 5 * 100.0 * 10),
        "backhaul": pytest.approx(5 * 300.0 + 5 * 60.0 * 10),
        "wan": pytest.approx(3 * 1000.0 + 3 * 500.0 * 10),
        "line_m": 0.0,
    }
    assert worth.cost_eur / worth.customer_years == pytest.approx(5.4167, abs=1e-4)


def test_at_the_break_even_price_a_grid_with_messages_is_worth_one_without_messages_and_without_their_cost() -> None:
    one, its_plan = observed(), plan()
    worth = worth_of_messages(one, silent_of(one), its_plan)
    factor = worth.hanging_eur / worth.cost_eur
    at_break_even = society_npv_eur(one, its_plan, {"benefits.communication.factor": factor})
    free = society_npv_eur(silent_of(one), its_plan, {"benefits.communication.factor": 0.0})
    assert at_break_even == pytest.approx(free, rel=1e-12)
    whole = society_npv_eur(one, its_plan, {"benefits.communication.factor": worth.whole_eur / worth.cost_eur})
    assert whole == pytest.approx(0.0, abs=1e-6)


def test_meters_that_are_not_heard_save_no_visits() -> None:
    one = observed(discount_rate=0.0, horizon_years=10.0)
    its_plan = plan(meter_reading={"special_visits_per_meter_year": 0.1, "special_visit_eur": 50.0})
    assert appraise(one, its_plan).npv_of("meter_reading") == pytest.approx(10 * (5000.0 + 0.1 * 1000 * 50.0))
    assert appraise(silent_of(one), its_plan).npv_of("meter_reading") == pytest.approx(0.0)
