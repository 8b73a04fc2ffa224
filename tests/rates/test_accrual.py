"""Months that accrue day by day come to the bill that is made of all of them at once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from heptagrid.foundation.calendar import Calendar
from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.time import NS_PER_QUARTER, S_PER_QUARTER, midnight_ns
from heptagrid.planes.money.monthly_account import MonthlyAccount
from heptagrid.planes.money.rates.accrual import accrue, in_currency, in_proportion, needs_intervals
from heptagrid.planes.money.rates.bill import bill
from heptagrid.planes.money.rates.coincident import Coincident
from heptagrid.planes.money.rates.critical_peak import CriticalPeak
from heptagrid.planes.money.rates.demand import Demand, Ratchet
from heptagrid.planes.money.rates.energy import Energy
from heptagrid.planes.money.rates.feed_in import FeedIn
from heptagrid.planes.money.rates.net_billing import NetBilling
from heptagrid.planes.money.rates.net_metering import NetMetering
from heptagrid.planes.money.rates.network_fee import NetworkFee
from heptagrid.planes.money.rates.rate import Rate
from heptagrid.planes.money.rates.real_time import RealTime
from heptagrid.planes.money.rates.reduced_fee import ReducedFee
from heptagrid.planes.money.rates.schedule import Schedule
from heptagrid.planes.money.rates.taxes import Tax
from heptagrid.planes.money.rates.tiers import Tier, Unit
from heptagrid.planes.money.rates.urdb import rate_of
from heptagrid.planes.money.rates.use import Use
from heptagrid.planes.money.tariffs import billing_rules, monthly_rate, network_fees, under_rate
from heptagrid.planes.money.tariffs.flat import FLAT as FLAT_TARIFF
from heptagrid.planes.money.tariffs.monthly_rate import MONTHLY_RATE
from heptagrid.planes.money.tariffs.tariff import Offers, Slots

ZONE = ZoneInfo("America/Denver")
HOURS = [[1 if 12 <= hour < 20 else 0 for hour in range(24)] for _ in range(12)]
FLAT = [[0] * 24 for _ in range(12)]
FULL: dict[str, Any] = {
    "energyratestructure": [
        [{"rate": 0.10, "max": 300, "unit": "kWh"}, {"rate": 0.12}],
        [{"rate": 0.25, "max": 300, "unit": "kWh"}, {"rate": 0.27}],
    ],
    "energyweekdayschedule": HOURS,
    "energyweekendschedule": FLAT,
    "flatdemandstructure": [[{"rate": 5.0, "max": 4}, {"rate": 7.0}]],
    "flatdemandmonths": [0] * 12,
    "demandratestructure": [[{"rate": 1.0}], [{"rate": 3.0}]],
    "demandweekdayschedule": HOURS,
    "demandweekendschedule": FLAT,
    "demandratchetpercentage": [0.8] * 12,
    "demandwindow": 30,
    "fixedchargefirstmeter": 10.0,
    "mincharge": 60.0,
    "annualmincharge": 1200.0,
    "dgrules": "Net Metering",
}
SEASONLESS = ("energyratestructure", "energyweekdayschedule", "energyweekendschedule")
CHARGED = ("energy", "network", "state", "energy_vat", "standing", "base", "metering", "standing_vat")
LATER = ("rounding", "demand", "minimum", "demand_vat", "line_rounding")


def owed_cents(bills: billing_rules.Bills) -> np.ndarray:
    return np.round(100.0 * bills.net).astype(np.int64)


def account(rate: Rate, points: int, from_ns: int = 0, settled_days: int = 4) -> MonthlyAccount:
    return MonthlyAccount(
        rate,
        np.arange(points),
        billing_rules.Parameters(),
        network_fees.Parameters(),
        years_per_day=1.0 / 366,
        zone=ZONE,
        from_ns=from_ns,
        settled_days=settled_days,
    )


def days_of(first: date, last: date, points: int, seed: int = 1) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """(first quarter hour, imports, exports) of each local day."""
    found, draw = [], np.random.default_rng(seed)
    for ordinal in range(first.toordinal(), last.toordinal()):
        begin, end = (midnight_ns(date.fromordinal(ordinal + k), ZONE) // NS_PER_QUARTER for k in (0, 1))
        used = draw.gamma(0.6, 0.5, size=(end - begin, points))
        fed = draw.gamma(0.2, 0.8, size=(end - begin, points))
        found.append((begin, used, fed))
    return found


def at_once(rate: Rate, days: list[tuple[int, np.ndarray, np.ndarray]]) -> Any:
    energies = [np.concatenate([day[k] for day in days]) for k in (1, 2)]
    calendar = Calendar.of(days[0][0] * NS_PER_QUARTER, len(energies[0]), S_PER_QUARTER, ZONE)
    return bill(rate, Use(calendar, *energies))


@pytest.mark.parametrize("carry", ["kwh", "money"])
def test_whole_months_come_to_their_bills_to_the_cent(carry: Any) -> None:
    """A year with summer time, ratchet, net metering, both minimums and a tax: every month, and all lines of it."""
    rate = rate_of(FULL).rate
    rate = replace(rate, export=NetMetering(carry, true_up_price=0.03), taxes=(Tax("tax", 0.07),))
    days = days_of(date(2016, 1, 1), date(2017, 1, 1), 3)
    whole, mine = at_once(rate, days), account(rate, 3)
    owed = np.zeros((12, 3), dtype=np.int64)
    for first, used, fed in days:
        month = Calendar.of(first * NS_PER_QUARTER, 1, S_PER_QUARTER, ZONE).month_of_year[0]
        owed[month] += owed_cents(mine.take(first, used, fed))
    np.testing.assert_array_equal(owed, whole.in_cents.total)
    stated = list(mine.statements())
    assert [one.is_billed for one in stated] == [True] * 12
    for k, one in enumerate(stated):
        np.testing.assert_array_equal(one.cents, whole.in_cents.lines[:, k])
        assert list(one.names) == [line.name for line in whole.lines]


def test_days_inside_a_month_pay_their_part_of_it() -> None:
    """Ten days of a June that is ten days of even use pay a third: energy in tiers, power, and what is fixed."""
    rate = rate_of({key: FULL[key] for key in FULL if key not in ("annualmincharge", "dgrules")}).rate
    used = np.full((96, 1), 0.25)
    days = [(one[0], used, np.zeros((96, 1))) for one in days_of(date(2016, 6, 1), date(2016, 7, 1), 1)]
    whole, part = account(rate, 1), account(rate, 1)
    of_month = sum(owed_cents(whole.take(*day)) for day in days)
    # Weekends fall unevenly: the first ten days of June 2016 have two days of weekend, all thirty have eight.
    of_days = sum(owed_cents(part.take(*day)) for day in days[:10])
    stated = next(iter(part.statements()))
    assert (stated.days, stated.of_days, stated.is_billed) == (pytest.approx(10.0), 30, False)
    fixed, power = stated.names.index("fixed charge"), stated.names.index("demand, tier 1 (up to 4 kW)")
    assert stated.cents[fixed, 0] == 333
    assert stated.cents[power, 0] == round(100.0 * 1.0 * 5.0 / 3.0)
    assert float(of_days[0]) == pytest.approx(float(of_month[0]) / 3.0, rel=0.05)


def test_a_day_known_better_changes_its_month_and_the_next() -> None:
    rate = rate_of(FULL).rate
    days = days_of(date(2016, 5, 29), date(2016, 6, 3), 2)
    better = (days[1][0], 0.5 * days[1][1], 2.0 * days[1][2])
    one, other = account(rate, 2), account(rate, 2)
    owed = sum(owed_cents(one.take(*day)) for day in days)
    supposed = owed_cents(one.change_if(*better))
    change = owed_cents(one.correct(*better))
    known = [days[0], better, *days[2:]]
    np.testing.assert_array_equal(change, supposed)
    np.testing.assert_array_equal(owed + change, sum(owed_cents(other.take(*day)) for day in known))
    assert (change != 0).all()
    assert not owed_cents(one.correct(*better)).any()
    assert not owed_cents(one.correct(days[0][0] - 96, *better[1:])).any(), "a day that was not taken"


def test_the_days_before_the_run_do_not_count() -> None:
    rate = rate_of(FULL).rate
    days = days_of(date(2016, 6, 9), date(2016, 6, 12), 1)
    with_warm_up, without = account(rate, 1, from_ns=days[1][0] * NS_PER_QUARTER), account(rate, 1)
    with_warm_up.take(*days[0])
    for day in days[1:]:
        assert owed_cents(with_warm_up.take(*day)) == owed_cents(without.take(*day))
    assert [one.days for one in with_warm_up.statements()] == [pytest.approx(2.0)]


def test_what_others_are_owed_is_as_under_any_tariff() -> None:
    """The retailer passes network fee, levies and the days' fees on, and keeps the rest, which may be less than nothing."""
    supply, fees = billing_rules.Parameters(), network_fees.Parameters()
    rate = replace(rate_of(FULL).rate, taxes=(Tax("tax", 0.07),))
    first, used, fed = days_of(date(2016, 6, 1), date(2016, 6, 2), 4)[0]
    bills = account(rate, 4).take(first, used, fed)
    kwh = used.sum(axis=0)
    np.testing.assert_allclose(bills.network, kwh * fees.energy_ct_per_kwh / 100.0, atol=0.006)
    np.testing.assert_allclose(bills.base, fees.base_eur_per_year / 366, atol=0.006)
    state_ct = supply.levies_ct_per_kwh + supply.concession_ct_per_kwh + supply.electricity_tax_ct_per_kwh
    np.testing.assert_allclose(bills.state, kwh * state_ct / 100.0, atol=0.006)
    tax = bills.energy_vat + bills.standing_vat + bills.demand_vat
    net = sum(getattr(bills, name) for name in (*CHARGED, *LATER)) - tax - bills.export_credit
    np.testing.assert_allclose(tax, 0.07 * net, atol=0.006)
    assert not bills.feed_in_premium.any()


def test_a_part_of_a_month_has_a_part_of_its_limits_and_prices() -> None:
    rate = rate_of(FULL).rate
    third = in_proportion(rate, 1.0 / 3.0)
    assert third.energy.periods[0][0].up_to == pytest.approx(100.0)
    assert third.elements[0].periods[0][0].price == pytest.approx(5.0 / 3.0)  # type: ignore[attr-defined]
    assert in_proportion(rate, 1.0) is rate
    twice = in_currency(rate, 2.0, "EUR")
    use = Use(Calendar.of(0, 96, S_PER_QUARTER, ZoneInfo("UTC")), np.ones((96, 1)), np.zeros((96, 1)))
    one, other = accrue(rate, use)[0].amount(), accrue(twice, use)[0].amount()
    np.testing.assert_allclose(other, 2.0 * one)


def test_plain_meters_can_count_what_has_one_period_and_no_power() -> None:
    plain = {"energyratestructure": [[{"rate": 0.1, "max": 300}, {"rate": 0.2}]], "fixedchargefirstmeter": 5.0}
    plain |= {"energyweekdayschedule": FLAT, "energyweekendschedule": FLAT}
    assert not needs_intervals(rate_of(plain).rate)
    assert needs_intervals(rate_of(FULL).rate)
    by_power = [[{"rate": 0.1, "max": 100, "unit": "kWh/kW"}, {"rate": 0.2}]]
    assert needs_intervals(rate_of(plain | {"energyratestructure": by_power}).rate)


def test_without_intervals_a_rate_that_needs_them_is_the_flat_tariff(tmp_path: Path) -> None:
    plain = {"energyratestructure": [[{"rate": 0.1}]], "energyweekdayschedule": FLAT, "energyweekendschedule": FLAT}
    tariff_of = np.array([0, 1, 1])
    for content, expected in ((plain, [0, 1, 1]), (FULL, [0, 0, 0])):
        file = tmp_path / f"{len(content)}.json"
        file.write_text(json.dumps(content))
        offers = Offers((FLAT_TARIFF, MONTHLY_RATE), (None, monthly_rate.Parameters(file=str(file))))
        assert list(offers.rates()) == [1]
        np.testing.assert_array_equal(offers.of_plain_meters(tariff_of), expected)
    nobody = Offers((FLAT_TARIFF, MONTHLY_RATE), (None, monthly_rate.Parameters()))
    assert not nobody.rates()


def test_devices_see_the_first_tiers_price_of_the_period_in_eur(tmp_path: Path) -> None:
    file = tmp_path / "rate.json"
    file.write_text(json.dumps(FULL | {"fueladjustmentsmonthly": [0.0] * 6 + [0.01] * 6}))
    own = monthly_rate.Parameters(file=str(file), eur_per_unit=0.5)
    calendar = Calendar.of(midnight_ns(date(2016, 7, 4), ZONE), 24, 3600, ZONE)  # a Monday
    price = MONTHLY_RATE.price_eur_per_kwh(Slots(np.zeros(24), calendar), billing_rules.Parameters(), own)
    np.testing.assert_allclose(price, [0.13 if 12 <= hour < 20 else 0.055 for hour in range(24)])


def test_a_minimum_by_the_day_is_due_each_month() -> None:
    """By hand: nothing is used, and 0.50 a day are due: 14.50 for February 2016, 15.50 for March; what a busy January pays beyond its own does not count."""
    rate = rate_of({key: FULL[key] for key in SEASONLESS} | {"mincharge": 0.5, "minchargeunits": "$/day"}).rate
    owed, mine = np.zeros(3, dtype=np.int64), account(rate, 1)
    for first, used, fed in days_of(date(2016, 1, 1), date(2016, 4, 1), 1):
        month = int(Calendar.of(first * NS_PER_QUARTER, 1, S_PER_QUARTER, ZONE).month_of_year[0])
        owed[month] += owed_cents(mine.take(first, used if month == 0 else 0.0 * used, 0.0 * fed))[0]
    assert owed[0] > 10_000 and owed[1:].tolist() == [1450, 1550]
    assert in_currency(rate, 2.0, "EUR").minimum.daily == 1.0  # type: ignore[union-attr]


def test_limits_by_a_demand_that_is_not_charged_know_its_own_peaks() -> None:
    """Tiers in kWh/kW of a demand with a ratchet, beside a charge for another one without: months one by one come to the bill of both."""
    rate = rate_of(FULL | {"demandratchetpercentage": None, "demandratestructure": None}).rate
    limiting = Demand(((Tier(0.0, unit=Unit.KW),),), Schedule.always(), ratchet=Ratchet.of(1.0))
    periods = ((Tier(0.1, 30.0, Unit.KWH_PER_KW), Tier(0.3)),) * 2
    rate = replace(rate, energy=replace(rate.energy, periods=periods, billing_demand=limiting))
    days = days_of(date(2016, 1, 1), date(2016, 3, 1), 2)
    days = [(first, used * (3.0 if k < 31 else 1.0), fed) for k, (first, used, fed) in enumerate(days)]
    whole, mine = at_once(rate, days), account(rate, 2)
    owed = sum(owed_cents(mine.take(*day)) for day in days)
    np.testing.assert_array_equal(owed, whole.in_cents.total.sum(axis=0))


def test_a_coincident_peak_and_feed_in_are_charged_as_power_and_credit() -> None:
    """By hand: ten days of 2 kW in a month of 30; a system's peak on the third of them costs a third of 3 a kW, and 0.5 kWh fed in earn 0.10."""
    days = days_of(date(2016, 6, 1), date(2016, 6, 11), 1)
    peak_ns = (days[2][0] * NS_PER_QUARTER, (days[2][0] + 4) * NS_PER_QUARTER)
    rate = Rate(Energy.flat(0.2), FeedIn(0.2), (Coincident(3.0, [peak_ns]),))
    mine, found = account(rate, 1), under_rate.nothing(1)
    for first, used, _ in days:
        fed = np.zeros_like(used)
        fed[0] = 0.05
        found = under_rate.plus(found, mine.take(first, np.full_like(used, 0.5), fed))
    assert float(found.demand[0]) == pytest.approx(2.0)
    assert float(found.export_credit[0]) == pytest.approx(0.10)
    assert float(found.energy[0] + found.network[0] + found.state[0]) == pytest.approx(96.0)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"elements": (RealTime(np.ones(9)),)}, "real-time prices"),
        ({"elements": (CriticalPeak([], rebate=0.5),)}, "rebates of critical peaks"),
        ({"elements": (NetworkFee(per_kw_year=12.0),)}, "a network fee by the year's highest power"),
        ({"elements": (ReducedFee(NetworkFee(per_kw_year=12.0)),)}, "a network fee by the year's highest power"),
        ({"export": NetBilling(prices=np.ones(9))}, "net billing at prices of each slot"),
        ({"export": FeedIn(0.1, np.ones(9))}, "feed-in at the market's prices"),
    ],
)
def test_what_a_month_alone_does_not_tell_is_refused(changes: Any, what: str) -> None:
    rate = replace(Rate(Energy.flat(0.2), name="mine"), **changes)
    with pytest.raises(UsageError, match=f"mine: {what} cannot be billed month by month"):
        account(rate, 1)
    account(Rate(Energy.flat(0.2), elements=(NetworkFee(per_kw_year=12.0, capacity_kw=4.0), CriticalPeak([], 0.5))), 1)


def test_days_of_two_months_are_refused() -> None:
    calendar = Calendar.of(midnight_ns(date(2016, 1, 31), ZONE), 192, S_PER_QUARTER, ZONE)
    with pytest.raises(ValueError, match="2 months"):
        accrue(rate_of(FULL).rate, Use(calendar, np.ones((192, 1)), np.zeros((192, 1))))
