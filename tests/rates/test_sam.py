"""The bills of SAM's tests (cmod_utilityrate5_test.cpp of NREL/ssc), each within the tolerance that it has there.

A rate is read from OpenEI's fields; what these do not say (carry-over in money, an annual minimum, a ratchet's history) is set as the test does.

One of SAM's figures is not ours: with a true-up in May, its second year of net metering in kWh comes to 13.8 USD and ours to 7.9. SAM takes January's balance
from December without January's own surplus (cmod_utilityrate5.cpp, "m == 0 && year > 0"), 204.9 kWh there, which are worth the 5.9 USD.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from heptagrid.foundation.errors import UsageError
from heptagrid.planes.money.rates.bill import RateBill, bill
from heptagrid.planes.money.rates.demand import Demand, Ratchet
from heptagrid.planes.money.rates.export import Export
from heptagrid.planes.money.rates.feed_in import FeedIn
from heptagrid.planes.money.rates.minimum import Minimum
from heptagrid.planes.money.rates.net_billing import NetBilling
from heptagrid.planes.money.rates.net_metering import NetMetering
from heptagrid.planes.money.rates.rate import Rate
from heptagrid.planes.money.rates.real_time import RealTime
from heptagrid.planes.money.rates.schedule import Schedule
from heptagrid.planes.money.rates.tiers import Tier, Unit
from heptagrid.planes.money.rates.urdb import rate_of
from heptagrid.planes.money.rates.use import Use
from tests.rates import sam

APR, MAY, JUN, JUL, DEC = 3, 4, 5, 6, 11
NEXT_YEAR = 1.025  # SAM's inflation
SALE = 0.02789  # of what net metering has left
AS_BOUGHT = sam.BUY
LOW = (0.05,) * 4


def read(content: dict[str, Any], export: Export | None = None, **changes: Any) -> Rate:
    found = rate_of(content).rate
    return replace(found, **changes) if export is None else replace(found, export=export, **changes)


def year(found: RateBill) -> float:
    """What a year comes to."""
    return float(found.amount().sum())


def month(found: RateBill, at: int, *rules: str) -> float:
    return float(found.amount(*rules)[at, 0])


@pytest.fixture(scope="module")
def house() -> Use:
    return sam.use("net_in", "net_out")


@pytest.fixture(scope="module")
def quarters() -> Use:
    return sam.use("quarter_in", "quarter_out")


@pytest.mark.parametrize(
    ("rate", "column", "usd", "within"),
    [
        (read(sam.house()), "load", 771.8, 0.1),
        (read(sam.house(scale=NEXT_YEAR)), "load", 791.1, 0.1),
        (read(sam.daily_tiers()), "load", 1839.7, 0.1),
        (read(sam.many_periods()), "load", 475.56, 0.1),
        (read(sam.shop()), "shop", 104_614.5, 0.1),
    ],
)
def test_a_year_without_generation(rate: Rate, column: str, usd: float, within: float) -> None:
    assert year(bill(rate, sam.use(column))) == pytest.approx(usd, abs=within)


@pytest.mark.parametrize(
    ("content", "export", "minimum", "usd", "within"),
    [
        (sam.house(), NetMetering(true_up_price=SALE), None, -11.9, 0.1),
        (sam.house(), NetMetering(true_up_price=SALE, true_up_month=5), None, 36.6, 0.1),
        (sam.house(), NetMetering(true_up_price=SALE, true_up_month=5, true_up="credit"), None, 36.6, 0.1),
        (sam.house(), NetMetering(), None, 64.03, 0.1),
        (sam.house(), NetMetering(), Minimum(annual=100.0), 100.0, 0.1),
        (sam.daily_tiers(), NetMetering(true_up_price=SALE), None, 286.2, 0.1),
        (sam.house(AS_BOUGHT), NetBilling(), None, -150.02, 0.1),
        (sam.house(AS_BOUGHT), NetBilling(carry=True), None, -150.02, 0.01),
        (sam.house(AS_BOUGHT), NetBilling(carry=True, true_up_month=4), None, -57.12, 0.1),
        (sam.house(AS_BOUGHT), NetBilling(carry=True, true_up_month=1), None, 19.12, 0.1),
        (sam.house((0.05, 0.05, 0.05, 0.05)), NetBilling(carry=True), None, 136.77, 0.01),
        (sam.house(AS_BOUGHT), NetBilling(carry=True), Minimum(monthly=10.0), -40.02, 0.01),
        (sam.house(AS_BOUGHT), NetBilling(carry=True), Minimum(annual=100.0), -81.77, 0.01),
        (sam.house(AS_BOUGHT), NetBilling(carry=True, at_once=True, expires=True), None, 0.0, 0.01),
        (sam.house(AS_BOUGHT), NetBilling(carry=True, at_once=True), None, -150.02, 0.01),
        (sam.many_periods(), NetBilling(), None, -173.25, 0.1),
    ],
)
def test_a_year_of_a_house_with_generation(
    content: dict[str, Any], export: Export, minimum: Minimum | None, usd: float, within: float, house: Use
) -> None:
    assert year(bill(read(content, export, minimum=minimum), house)) == pytest.approx(usd, abs=within)


@pytest.mark.parametrize(
    ("content", "export", "usd"),
    [
        (sam.house(), NetMetering(true_up_price=SALE), -27.94),
        (sam.house(), NetBilling(), 441.4),
        (sam.house(AS_BOUGHT), NetBilling(), -156.95),
    ],
)
def test_a_year_of_quarter_hours(content: dict[str, Any], export: Export, usd: float, quarters: Use) -> None:
    assert year(bill(read(content, export), quarters)) == pytest.approx(usd, abs=0.1)


@pytest.mark.parametrize(
    ("content", "export", "at", "rule", "usd"),
    [
        (sam.house(), NetMetering(true_up_price=SALE), DEC, "true-up", -75.9),
        (sam.house(), NetMetering(true_up_price=SALE, true_up_month=5), MAY, "true-up", -50.28),
        (sam.house(), NetMetering(true_up_price=SALE, true_up_month=5), MAY, "", -50.28),
        (sam.house(), NetMetering(true_up_price=SALE, true_up_month=5, true_up="credit"), JUN, "net metering", -11.37),
        (sam.house(), NetMetering(true_up_price=SALE, true_up_month=5, true_up="credit"), MAY, "true-up", 0.0),
        (sam.house(), NetMetering(true_up_price=SALE, true_up_month=5, true_up="credit"), MAY, "", 0.0),
        (sam.house(AS_BOUGHT), NetBilling(), DEC, "net billing", -34.47),
        (sam.house(AS_BOUGHT), NetBilling(carry=True), DEC, "true-up", -181.77),
        (sam.house(AS_BOUGHT), NetBilling(carry=True, true_up_month=4), APR, "", -122.19),
        (sam.house(AS_BOUGHT), NetBilling(carry=True, true_up_month=4), APR, "true-up", -122.19),
        (sam.house(AS_BOUGHT), NetBilling(carry=True, true_up_month=4), DEC, "net billing", -32.21),
        (sam.house(AS_BOUGHT), NetBilling(carry=True, true_up_month=1), APR, "net billing", -24.65),
        (sam.house(AS_BOUGHT), NetBilling(carry=True, true_up_month=1), DEC, "net billing", -32.21),
        (sam.house(LOW), NetBilling(carry=True), DEC, "true-up", -21.80),
        (sam.house(AS_BOUGHT), NetBilling(carry=True, at_once=True), DEC, "true-up", -150.02),
        (sam.house(AS_BOUGHT), NetBilling(carry=True, at_once=True, expires=True), DEC, "true-up", 0.0),
    ],
)
def test_a_month_of_a_house_with_generation(
    content: dict[str, Any], export: Export, at: int, rule: str, usd: float, house: Use
) -> None:
    found = month(bill(read(content, export), house), at, *([rule] if rule else []))
    assert found == pytest.approx(usd, abs=0.1)


@pytest.mark.parametrize(
    ("export", "rule", "usd"),
    [
        (NetBilling(carry=True), "", 32.54),
        (NetBilling(carry=True), "net billing", 0.0),
        (NetBilling(carry=True, true_up_month=4), "", 0.0),
        (NetBilling(carry=True, true_up_month=4), "net billing", -32.54),
        (NetBilling(carry=True, true_up_month=1), "", -175.92),
        (NetBilling(carry=True, true_up_month=1), "true-up", -175.92),
        (NetBilling(carry=True, at_once=True), "", 0.0),
        (NetBilling(carry=True, at_once=True), "net billing", -32.54),
        (NetBilling(carry=True, at_once=True, expires=True), "", 0.0),
        (NetBilling(carry=True, at_once=True, expires=True), "net billing", -32.55),
    ],
)
def test_the_january_after(export: Export, rule: str, usd: float, house: Use) -> None:
    """What is carried over the year; its first month has the same use within SAM's tolerance (half a percent less sun)."""
    before = bill(read(sam.house(AS_BOUGHT), export), house)
    january = sam.use("net_in", "net_out", months=1)
    found = bill(read(sam.house(AS_BOUGHT, NEXT_YEAR), export), january, before.balance)
    assert month(found, 0, *([rule] if rule else [])) == pytest.approx(usd, abs=0.1)


def test_minimums_are_charged_in_their_months(house: Use) -> None:
    monthly = bill(read(sam.house(AS_BOUGHT), NetBilling(carry=True), minimum=Minimum(monthly=10.0)), house)
    assert month(monthly, APR) == pytest.approx(10.0, abs=0.1)
    assert month(monthly, APR, "minimum") == pytest.approx(10.0, abs=0.001)
    annual = bill(read(sam.house(AS_BOUGHT), NetBilling(carry=True), minimum=Minimum(annual=100.0)), house)
    assert month(annual, APR) == pytest.approx(0.0, abs=0.1)
    assert month(annual, DEC, "true-up") == pytest.approx(-181.77, abs=0.1)


def test_all_is_bought_and_all_is_sold() -> None:
    found = bill(read(sam.house(AS_BOUGHT), NetBilling()), sam.two_meters())
    assert year(found) == pytest.approx(-157.0, abs=0.1)
    assert month(found, DEC, "net billing") == pytest.approx(-45.49, abs=0.1)


def test_what_is_bought_and_sold_for_nothing_costs_nothing() -> None:
    nothing = np.zeros(sam.HOURS)
    rate = Rate(rate_of(sam.house((0.0,) * 4, 0.0)).rate.energy, FeedIn(0.0), (RealTime(nothing, nothing),))
    assert year(bill(rate, sam.two_meters())) == 0.0


@pytest.mark.parametrize(("sell", "usd"), [((0.0,) * 4, 0.0), (AS_BOUGHT, -19_600.58)])
def test_a_large_roof_on_a_house_earns_what_a_surplus_is_worth(sell: tuple[float, ...], usd: float) -> None:
    """Net metering in money; the generation is the shop's, so that what the house takes is too little to matter but for its periods."""
    profile = sam.use("house_in", "house_out")
    assert year(bill(read(sam.house(sell), NetMetering("money")), profile)) == pytest.approx(usd, abs=0.1)


def test_a_shops_demand_with_generation() -> None:
    found = bill(read(sam.shop(dgrules="Net Metering")), sam.use("shop_in", "shop_out"))
    assert year(found) == pytest.approx(92_538.1, abs=0.1)


@pytest.mark.parametrize(("counted", "export"), [("in proportion", None), ("in time", NetBilling())])
def test_steps_of_kwh_fill_up(counted: str, export: Export | None) -> None:
    rate = read(sam.steps(), export)
    found = bill(replace(rate, energy=replace(rate.energy, counted=counted)), sam.use("shop", first=4, months=1))
    kwh = [float(one.quantity[0, 0]) for one in found.lines if one.rule == "energy" and one.quantity is not None]
    assert kwh[:5] == pytest.approx([10_000.0] * 5, abs=0.001)
    assert kwh[5] == pytest.approx(3014.93, abs=0.005)


BLOCKS = [3000.0, 7000.0, 121_603.13, 131_603.13]


@pytest.mark.parametrize("counted", ["in proportion", "in time"])
@pytest.mark.parametrize(
    ("profile", "last", "usd"), [(("works", ""), 120_963.36, 16_774.68), (("works_in", "works_out"), 103_255.44, None)]
)
def test_blocks_by_hours_of_use(profile: tuple[str, str], last: float, usd: float | None, counted: str) -> None:
    rate = read(sam.hours_of_use(), NetBilling())
    found = bill(
        replace(rate, energy=replace(rate.energy, counted=counted)), sam.use(*profile, first=JUL + 1, months=1)
    )
    lines = [one for one in found.lines if one.rule == "energy" and one.quantity is not None]
    kwh = [float(one.quantity[0, 0]) for one in lines if one.quantity is not None and one.quantity[0, 0] > 0.0]
    assert kwh == pytest.approx([*BLOCKS, last], abs=0.01)
    if usd is not None:
        assert year(found) == pytest.approx(usd, abs=0.01)


@pytest.mark.parametrize("winter_in_kwh", [False, True])
@pytest.mark.parametrize("counted", ["in proportion", "in time"])
def test_blocks_by_a_demand_that_lasts(winter_in_kwh: bool, counted: str) -> None:
    """A ratchet by month of the peak. SAM's test gives peaks of the year before with the wrong sign, so that none counts."""
    share = tuple(0.95 if JUN <= k <= 8 else 0.6 for k in range(12))
    demand = Demand(((Tier(0.0, unit=Unit.KW),),), Schedule.always(), ratchet=Ratchet(share), minimum_kw=100.0)
    rate = read(sam.hours_of_use(winter_in_kwh), NetBilling())
    energy = replace(rate.energy, counted=counted, billing_demand=demand)
    works = sam.use("works")
    found = bill(replace(rate, energy=energy), works)
    assert month(found, JUL) == pytest.approx(17_755.29, abs=0.01)
    assert demand.billed_kw(works)[JUL, 0, 0] == pytest.approx(709.26, abs=0.01)
    lines = [one.quantity[JUL, 0] for one in found.lines if one.rule == "energy" and one.quantity is not None]
    kwh = [float(one) for one in lines if one > 0.0]
    assert kwh == pytest.approx([3000.0, 7000.0, 131_851.63, 141_851.63, 100_466.35], abs=0.01)


FIRST_HOURS = [
    *(0.4098142, 0.3586075, 0.3433104, 0.3382103, 0.3286075, 0.3608114, 0.4450949, 0.5505075),
    *(-0.5416587, -1.7099957, -2.4367467, -2.8198353, -2.9535852, -2.7949165, -2.3664946, -1.6071698),
    *(-0.4759175, 0.7164041, 0.8792172, 0.8732236, 0.8372805, 0.7759831, 0.6472517, 0.5328488),
]
"""The house's first day with generation, kWh hour by hour."""


@pytest.mark.parametrize(
    ("tiers", "hour", "usd", "within"),
    [
        (((10, 0.1, 0.1), (16, 0.05, 0.2), (17, 0.2, 0.3), (sam.MANY, 0.25, 0.4)), 9, 0.1709, 0.0001),
        (((10, 0.1, 0.1), (16, 0.05, 0.2), (17, 0.2, 0.3), (sam.MANY, 0.25, 0.4)), 12, 0.3415, 0.0001),
        (((10, 0.1, 0.1), (16, 0.05, 0.2), (17, 0.2, 0.3), (sam.MANY, 0.25, 0.4)), 15, 0.4675, 0.0001),
        (((4, 0.1, 0.1), (4.5, 0.2, 0.2), (5, 0.3, 0.3), (sam.MANY, 0.4, 0.4)), 2, -0.0343, 0.001),
        (((4, 0.1, 0.1), (4.5, 0.2, 0.2), (5, 0.3, 0.3), (sam.MANY, 0.4, 0.4)), 18, -0.1840, 0.001),
        (((4, 0.1, 0.1), (4.5, 0.2, 0.2), (5, 0.3, 0.3), (sam.MANY, 0.4, 0.4)), 19, -0.3223, 0.001),
    ],
)
def test_an_hour_is_priced_by_what_the_month_had_come_to(
    tiers: tuple[tuple[float, ...], ...], hour: int, usd: float, within: float
) -> None:
    always = sam.table((12, "0" * 24))
    rate = read(sam.rate(always, always, [(buy, sell, limit, "kWh") for limit, buy, sell in tiers]), NetBilling())
    rate = replace(rate, energy=replace(rate.energy, counted="in time"))
    until, before = (year(bill(rate, sam.first_hours(FIRST_HOURS[:k]))) for k in (hour + 1, hour))
    assert before - until == pytest.approx(usd, abs=within)


@pytest.mark.parametrize("export", [NetBilling, NetMetering])
@pytest.mark.parametrize("month", [0, 13])
def test_a_true_up_in_no_month_is_refused(export: Any, month: int) -> None:
    with pytest.raises(UsageError, match="is no month"):
        export(true_up_month=month)
