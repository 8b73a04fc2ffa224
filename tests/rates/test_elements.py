"""Each kind of charge, calculated by hand, and laws that hold for all of them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.foundation.calendar import Calendar
from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.time import NS_PER_HOUR, to_ns
from heptagrid.planes.money.rates.bill import bill
from heptagrid.planes.money.rates.coincident import Coincident
from heptagrid.planes.money.rates.critical_peak import CriticalPeak
from heptagrid.planes.money.rates.demand import Demand, Ratchet
from heptagrid.planes.money.rates.energy import Energy
from heptagrid.planes.money.rates.feed_in import FeedIn
from heptagrid.planes.money.rates.fixed import Fixed
from heptagrid.planes.money.rates.line import Element
from heptagrid.planes.money.rates.minimum import Minimum
from heptagrid.planes.money.rates.net_billing import NetBilling
from heptagrid.planes.money.rates.net_metering import NetMetering
from heptagrid.planes.money.rates.network_fee import NetworkFee
from heptagrid.planes.money.rates.rate import Rate
from heptagrid.planes.money.rates.real_time import RealTime
from heptagrid.planes.money.rates.reduced_fee import ReducedFee
from heptagrid.planes.money.rates.registers import Register
from heptagrid.planes.money.rates.schedule import Schedule, Window, of_windows
from heptagrid.planes.money.rates.taxes import Tax
from heptagrid.planes.money.rates.tiers import NO_LIMIT, Tier, Unit, limits
from heptagrid.planes.money.rates.urdb import rate_of
from heptagrid.planes.money.rates.use import Use

UTC_ZONE = ZoneInfo("UTC")
JANUARY_2018 = to_ns(datetime(2018, 1, 1, tzinfo=UTC))  # a Monday
FREE = Energy.flat(0.0)


def use(hours: int, taken: float = 1.0, fed: float = 0.0, begin_ns: int = JANUARY_2018, slot_s: int = 3600) -> Use:
    shape = (hours * 3600 // slot_s, 1)
    part = slot_s / 3600
    calendar = Calendar.of(begin_ns, shape[0], slot_s, UTC_ZONE)
    return Use(calendar, np.full(shape, taken * part), np.full(shape, fed * part))


def amounts(element: Element, of: Use) -> list[float]:
    found = bill(Rate(FREE, elements=(element,)), of)
    return [float(one) for one in found.amount().sum(axis=1)]


def spans(*hours: int) -> list[tuple[int, int]]:
    return [(JANUARY_2018 + h * NS_PER_HOUR, JANUARY_2018 + (h + 1) * NS_PER_HOUR) for h in hours]


def test_a_coincident_peak_is_the_power_in_the_systems_hours() -> None:
    of = use(31 * 24)
    of.import_kwh[100], of.import_kwh[200], of.import_kwh[300] = 5.0, 3.0, 9.0
    assert amounts(Coincident(2.0, spans(100, 200)), of) == [10.0]
    assert amounts(Coincident(2.0, []), of) == [0.0]


def test_a_critical_peak_costs_more_in_its_hours() -> None:
    assert amounts(CriticalPeak(spans(17, 18), price=0.5), use(31 * 24, 2.0)) == [2.0]


def test_a_rebate_is_for_what_lies_below_the_days_before() -> None:
    """Monday to Thursday 2 kWh at 17:00, on Friday 0.5 in the event: 1.5 kWh saved. A saving of no kWh earns nothing."""
    of = use(31 * 24, 2.0)
    event = 4 * 24 + 17
    of.import_kwh[event] = 0.5
    assert amounts(CriticalPeak(spans(event), rebate=1.0), of) == [-1.5]
    of.import_kwh[event] = 3.0
    assert amounts(CriticalPeak(spans(event), rebate=1.0), of) == [0.0]


def test_a_baseline_takes_days_without_an_event() -> None:
    of = use(31 * 24, 2.0)
    of.import_kwh[24 + 17] = 0.0  # the event of the day before
    of.import_kwh[48 + 17] = 1.0
    assert amounts(CriticalPeak(spans(24 + 17, 48 + 17), rebate=1.0), of) == [-3.0]


def test_real_time_prices_are_of_their_slots() -> None:
    prices = np.zeros(31 * 24)
    prices[5], prices[6] = 0.2, -0.1
    assert amounts(RealTime(prices, prices), use(31 * 24, 2.0, 1.0)) == pytest.approx([0.1])


@pytest.mark.parametrize(("per", "usd"), [("month", [10.0, 10.0]), ("day", [310.0, 280.0]), ("year", [10 / 12] * 2)])
def test_fixed_charges_are_by_the_month_the_day_or_the_year(per: str, usd: list[float]) -> None:
    assert amounts(Fixed(10.0, per), use(59 * 24)) == pytest.approx(usd)  # type: ignore[arg-type]


def test_network_fees_are_by_energy_capacity_and_connection() -> None:
    of = use(59 * 24)
    of.import_kwh[10], of.import_kwh[40 * 24] = 3.0, 2.0
    fee = NetworkFee(per_kwh=0.1, per_kw_year=12.0, per_year=24.0)
    assert amounts(fee, of) == pytest.approx([74.6 + 3.0 + 2.0, 67.3 + 3.0 + 2.0])
    contract = NetworkFee(per_kw_year=12.0, capacity_kw=11.0)
    assert amounts(contract, of) == pytest.approx([11.0, 11.0])


def test_a_reduced_fee_is_never_below_nothing() -> None:
    fee, of = NetworkFee(per_kwh=0.1), use(31 * 24)
    assert amounts(ReducedFee(fee, per_year=120.0), of) == pytest.approx([-10.0])
    assert amounts(ReducedFee(fee, per_year=1200.0), of) == pytest.approx([-74.4])
    assert amounts(ReducedFee(fee, per_kwh=0.06, devices_kwh=np.array([[100.0]])), of) == pytest.approx([-6.0])
    assert amounts(ReducedFee(fee, per_year=120.0, has_device=np.array([False])), of) == [0.0]


def test_feed_in_earns_the_market_and_what_that_lacks() -> None:
    market = np.full(31 * 24, 0.03)
    market[0] = 0.2
    found = bill(Rate(FREE, FeedIn(0.08, market)), use(31 * 24, 0.0, 1.0))
    assert [float(one.amount[0, 0]) for one in found.lines[1:]] == pytest.approx([-(743 * 0.03 + 0.2), -743 * 0.05])


def test_a_tax_is_on_what_it_names() -> None:
    rate = Rate(Energy.flat(0.1), elements=(Fixed(10.0),), taxes=(Tax("full", 0.2), Tax("reduced", 0.05, ("fixed",))))
    found = bill(rate, use(31 * 24)).in_cents
    assert found.taxes[:, 0, 0].tolist() == [1488, 50]
    assert found.total[0, 0] == 7440 + 1000 + 1538


@pytest.mark.parametrize(
    ("tiers", "january", "february"),
    [
        ([(10.0, Unit.KWH_DAILY), (NO_LIMIT, Unit.KWH_DAILY)], [310.0, NO_LIMIT], [280.0, NO_LIMIT]),
        ([(2.0, Unit.KWH_PER_KW_DAILY), (NO_LIMIT, Unit.KWH)], [6200.0, NO_LIMIT], [224.0, NO_LIMIT]),
        ([(2.0, Unit.KWH_PER_KW), (9.0, Unit.KWH_PER_KW)], [200.0, NO_LIMIT], [8.0, NO_LIMIT]),
        (
            [(2.0, Unit.KWH_PER_KW), (50.0, Unit.KWH), (999.0, Unit.KWH), (9.0, Unit.KWH_PER_KW)],
            [0.0, 50.0, 200.0, NO_LIMIT],
            [0.0, 8.0, 8.0, NO_LIMIT],
        ),
        ([(5.0, Unit.KWH)], [NO_LIMIT], [NO_LIMIT]),
    ],
)
def test_limits_follow_days_and_demand(
    tiers: list[tuple[float, Unit]], january: list[float], february: list[float]
) -> None:
    """Demand is 100 kW in January and 4 kW in February; what lies beyond the last tier's limit is the last tier's."""
    made = [Tier(0.1, up_to, unit) for up_to, unit in tiers]
    upper = limits(made, np.array([31.0, 28.0]), np.array([[100.0], [4.0]]), 1)
    assert upper[:, :, 0].T.tolist() == [january, february]


def test_demand_is_the_mean_of_its_window() -> None:
    of = use(31 * 24, slot_s=900)
    of.import_kwh[0] = 4.0  # 16 kW for a quarter hour
    price = ((Tier(1.0, unit=Unit.KW),),)
    assert amounts(Demand(price, Schedule.always()), of) == [16.0]
    assert amounts(Demand(price, Schedule.always(), window_s=1800), of) == [8.5]
    with pytest.raises(UsageError, match="no whole number of the meter's slots"):
        amounts(Demand(price, Schedule.always(), window_s=1000), of)


def test_a_demands_window_is_the_clocks() -> None:
    """Readings from 00:15 on: half hours are 00:30 to 01:00 (16 and 0 kW) and those after, not 00:15 to 00:45; the last is not whole."""
    found = use(2, slot_s=900, begin_ns=JANUARY_2018 + 900 * 10**9)
    found.import_kwh[:] = np.array([1.0, 16.0, 0.0, 2.0, 1.0, 4.0, 0.0, 40.0])[:, np.newaxis] / 4.0
    assert amounts(Demand(((Tier(1.0, unit=Unit.KW),),), Schedule.always(), window_s=1800), found) == [8.0]


def test_a_ratchet_looks_back_beyond_the_first_bill() -> None:
    history = np.array([[0.0]] * 10 + [[100.0]])  # last December
    demand = Demand(((Tier(1.0, unit=Unit.KW),),), Schedule.always(), ratchet=Ratchet((0.5,) * 12, 11, history))
    of = use(365 * 24)
    assert amounts(demand, of) == [50.0] * 11 + [1.0]


def test_demand_by_time_of_use_has_a_ratchet_in_each_period() -> None:
    schedule = of_windows([Window(0, 0, 12), Window(1, 12, 24)])
    tiers = ((Tier(1.0, unit=Unit.KW),), (Tier(10.0, unit=Unit.KW),))
    of = use(59 * 24)
    of.import_kwh[1], of.import_kwh[13] = 8.0, 4.0
    assert amounts(Demand(tiers, schedule, ratchet=Ratchet.of(0.5)), of) == pytest.approx([48.0, 24.0])


def test_a_years_minimum_counts_with_december() -> None:
    rate = Rate(Energy.flat(0.01), minimum=Minimum(annual=100.0))
    found = bill(rate, use(365 * 24)).amount("minimum")[:, 0]
    assert found[:11].sum() == 0.0
    assert found[11] == pytest.approx(100.0 - 87.6)


def test_what_a_months_minimum_adds_counts_towards_the_years() -> None:
    """By hand: a month's use comes to 6.72 to 7.44, its minimum to 10, so the year to 120, above 100 and 30 below 150."""
    for annual, december in ((100.0, 0.0), (150.0, 30.0)):
        rate = Rate(Energy.flat(0.01), minimum=Minimum(10.0, annual))
        found = bill(rate, use(365 * 24)).amount()[:, 0]
        assert found[:11] == pytest.approx(10.0)
        assert found[11] == pytest.approx(10.0 + december)


def test_a_holiday_counts_as_weekend() -> None:
    table = np.zeros((12, 24), dtype=np.int64)
    schedule = Schedule.by_month_and_hour(table, table + 1)
    calendar = use(48).calendar
    holiday = Schedule(schedule.table, frozenset([datetime(2018, 1, 1).date()]))
    assert schedule.of(calendar).sum() == 0
    assert holiday.of(calendar).sum() == 24


@pytest.mark.parametrize("zone", ["Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "Africa/Casablanca"])
def test_local_time_is_that_of_the_zone(zone: str) -> None:
    local = ZoneInfo(zone)
    calendar = Calendar.of(JANUARY_2018, 366 * 96, 900, local)
    for k in range(0, calendar.slots, 61):
        at = datetime.fromtimestamp(JANUARY_2018 // 10**9 + 900 * k, tz=local)
        assert calendar.months[calendar.month[k]] == (at.year, at.month)
        assert calendar.quarter[k] == 4 * at.hour + at.minute // 15
        assert calendar.is_weekend[k] == (at.weekday() >= 5)
    for name in ("month", "quarter", "day"):
        assert len(getattr(calendar, name)) == calendar.slots
    whole = [
        share
        for at, share in zip(calendar.months, calendar.shares, strict=True)
        if at not in ((2017, 12), (2018, 1), (2019, 1))
    ]
    assert whole == pytest.approx([1.0] * 11)


def test_a_register_rolls_over_and_is_exchanged() -> None:
    at = JANUARY_2018 + np.arange(5) * 24 * NS_PER_HOUR
    at[3] = at[2]
    register = Register(
        at, np.array([99_990.0, 5.0, 20.0, 700.0, 710.0]), np.array([0, 0, 0, 1, 1]), np.zeros(5, dtype=bool), digits=5
    )
    assert register.advances().tolist() == [15.0, 15.0, 0.0, 10.0]
    by_slot = register.by_slot(JANUARY_2018, 96, 3600)
    assert by_slot.sum() == pytest.approx(40.0)
    assert by_slot[:24].sum() == pytest.approx(15.0)


def test_an_estimate_stands_until_the_meter_is_read() -> None:
    at = JANUARY_2018 + np.arange(3) * 24 * NS_PER_HOUR
    readings, one_meter = np.array([100.0, 150.0, 124.0]), np.zeros(3, dtype=np.int64)
    open_end = Register(at[:2], readings[:2], one_meter[:2], np.array([False, True]))
    assert open_end.known().advances().tolist() == [50.0]
    read = Register(at, readings, one_meter, np.array([False, True, False]))
    assert read.known().advances().tolist() == [24.0]  # and not a rollover


def test_a_fuel_adjustment_is_by_the_month() -> None:
    energy = Energy(((Tier(0.1),),), Schedule.always(), adjustments=(0.01, 0.02, *[0.0] * 10))
    found = bill(Rate(energy), use(59 * 24)).amount()[:, 0]
    assert found.tolist() == pytest.approx([744 * 0.11, 672 * 0.12])


def test_demand_in_horsepower_is_demand() -> None:
    fields = {
        "energyratestructure": [[{"rate": 0.0}]],
        "energyweekdayschedule": [[0] * 24] * 12,
        "energyweekendschedule": [[0] * 24] * 12,
        "flatdemandstructure": [[{"rate": 3.0, "max": 10}, {"rate": 2.0}]],
        "flatdemandmonths": [0] * 12,
        "flatdemandunit": "hp",
        "demandrateunit": "kVA",  # of no structure
    }
    read = rate_of(fields)
    assert read.remarks == ()
    found = bill(read.rate, use(31 * 24, taken=20 * 0.745699872))
    assert found.amount().sum() == pytest.approx(10 * 3.0 + 10 * 2.0)


EXPORTS = [NetMetering(), NetMetering("money"), NetBilling(), NetBilling(carry=True), FeedIn(0.1)]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rule=st.sampled_from(EXPORTS), in_time=st.booleans())
def test_customers_are_billed_as_if_each_were_alone(seed: int, rule: NetMetering, in_time: bool) -> None:
    random = np.random.default_rng(seed)
    shape = (59 * 24, 3)
    calendar = Calendar.of(JANUARY_2018, shape[0], 3600, UTC_ZONE)
    taken, fed = np.maximum(random.normal(1, 1, shape), 0.0), np.maximum(random.normal(0, 1, shape), 0.0)
    tiers = (Tier(0.1, 200.0, sell=0.03), Tier(0.2, 400.0, sell=0.02), Tier(0.4, sell=0.01))
    energy = Energy(
        (tiers, tiers),
        of_windows([Window(0, 0, 12), Window(1, 12, 24)]),
        counted="in time" if in_time else "in proportion",
    )
    demand = Demand(((Tier(2.0, 3.0, Unit.KW), Tier(1.0, unit=Unit.KW)),), Schedule.always(), ratchet=Ratchet.of(0.8))
    rate = Rate(energy, rule, (demand, Fixed(3.0)), Minimum(50.0), (Tax("tax", 0.19),))
    together = bill(rate, Use(calendar, taken, fed)).in_cents
    for j in range(3):
        alone = bill(rate, Use(calendar, taken[:, [j]], fed[:, [j]])).in_cents
        assert (alone.total[:, 0] == together.total[:, j]).all()
        assert (alone.lines[:, :, 0] == together.lines[:, :, j]).all()
    assert (together.lines.sum(axis=0) + together.rounding == together.net).all()
    assert (together.net + together.taxes.sum(axis=0) == together.total).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_tiers_hold_all_energy_and_none_beyond_its_limit(seed: int) -> None:
    random = np.random.default_rng(seed)
    of = use(59 * 24)
    of.import_kwh[:] = random.exponential(1.0, of.import_kwh.shape)
    bounds = np.cumsum(random.uniform(1.0, 400.0, 3))
    tiers = (*(Tier(0.1, float(one)) for one in bounds), Tier(0.2))
    for counted in ("in proportion", "in time"):
        energy = Energy((tiers, tiers), of_windows([Window(0, 0, 7), Window(1, 7, 24)]), counted=counted)  # type: ignore[arg-type]
        split = np.array(energy.split_of_slots(of))  # periods, tiers, months, customers
        of_periods = split.sum(axis=1)[:, :, 0]
        assert of_periods == pytest.approx(energy.sums(of)[:, :, 0].T)
        of_tiers = split.sum(axis=0)[:, :, 0]
        assert (of_tiers[0] <= bounds[0] + 1e-6).all()
        assert of_tiers.sum(axis=0) == pytest.approx(energy.sums(of).sum(axis=1)[:, 0])
