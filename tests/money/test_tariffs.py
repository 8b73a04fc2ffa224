"""Bills are what a reader works out by hand."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from heptagrid.foundation.calendar import Calendar
from heptagrid.planes.money.tariffs import billing_rules, network_fees
from heptagrid.planes.money.tariffs.tariff import Offers, Slots

PRICES = billing_rules.Parameters()
FEES = network_fees.Parameters()
SLOTS = 4

energies = arrays(np.float64, (SLOTS, 3), elements=st.floats(0.0, 50.0))
market = arrays(np.float64, SLOTS, elements=st.floats(-0.5, 3.0))
TARIFF_OF = np.array([0, 1, 0])
OFFERS = Offers.of({})
IS_CUSTOMER = np.array([True, True, False])


def day_bills(import_kwh, export_kwh, price, years=1 / 366, prices=PRICES):
    energy_eur = OFFERS.energy_eur(
        TARIFF_OF, import_kwh, Slots(price, Calendar.of(0, len(price), 3600, ZoneInfo("UTC"))), prices
    )
    return billing_rules.bills(import_kwh, export_kwh, price, energy_eur, IS_CUSTOMER, years, prices, FEES)


def test_a_household_of_3500_kwh_pays_what_the_parts_add_up_to():
    used = np.full((SLOTS, 3), 3500.0 / SLOTS)
    bill = day_bills(used, np.zeros_like(used), np.full(SLOTS, 0.05), years=1.0)
    net_ct_per_kwh = 8.361 + 2.0 + 9.3 + 1.574 + 1.66 + 2.05
    assert bill.energy_bill[0] == pytest.approx(1.19 * 35.0 * net_ct_per_kwh)
    assert bill.standing_charge[0] == pytest.approx(1.19 * (44.0 + 60.0 + 16.81))
    assert bill.energy_bill[1] - bill.energy_bill[0] == pytest.approx(1.19 * 3500.0 * (0.05 - 0.08361))


def test_with_procurement_as_in_germany_the_household_price_is_near_the_published_one():
    """Federal Statistical Office: 41.02 ct/kWh in the first half of 2024; procurement and sales 43 % of it."""
    german = billing_rules.Parameters(flat_procurement_eur_per_mwh=143.0)
    used = np.full((SLOTS, 3), 3500.0 / SLOTS)
    bill = day_bills(used, np.zeros_like(used), np.zeros(SLOTS), years=1.0, prices=german)
    assert bill.net[0] / 35.0 == pytest.approx(41.0, abs=2.0)


@given(energies, market)
def test_dynamic_and_flat_tariffs_agree_when_the_market_stands_at_the_flat_price(import_kwh, price):
    import_kwh[:, 1] = import_kwh[:, 0]
    steady = np.full_like(price, PRICES.flat_procurement_eur_per_mwh / 1000.0)
    bill = day_bills(import_kwh, np.zeros_like(import_kwh), steady)
    assert bill.energy_bill[1] == pytest.approx(bill.energy_bill[0])


@given(energies, market)
def test_feed_in_earns_the_tariff_or_the_market_whichever_is_more(export_kwh, price):
    bill = day_bills(np.zeros_like(export_kwh), export_kwh, price)
    earned = (np.maximum(0.0811, price)[:, None] * export_kwh).sum(axis=0)
    assert bill.export_credit + bill.feed_in_premium == pytest.approx(earned)
    assert (bill.feed_in_premium >= 0.0).all()


@given(energies, market)
def test_a_bill_of_two_spans_is_the_sum_of_both(import_kwh, price):
    whole = day_bills(import_kwh, import_kwh, price, years=2 / 366)
    parts = [day_bills(import_kwh[half], import_kwh[half], price[half]) for half in (slice(0, 2), slice(2, 4))]
    assert whole.net == pytest.approx(parts[0].net + parts[1].net)


def test_a_producer_without_use_pays_nothing():
    bill = day_bills(np.zeros((SLOTS, 3)), np.ones((SLOTS, 3)), np.zeros(SLOTS))
    assert bill.energy_bill[2] == 0.0 == bill.standing_charge[2]


def test_reads_in_single_precision_give_the_same_bill():
    used = np.random.default_rng(1).random((SLOTS, 3))
    price = np.linspace(0.01, 0.2, SLOTS)
    exact, rounded = (day_bills(used.astype(kind), used.astype(kind), price) for kind in (np.float64, np.float32))
    assert rounded.net == pytest.approx(exact.net, rel=1e-6)
