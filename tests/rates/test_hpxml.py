"""The bills of OpenStudio-HPXML's tests of OpenEI rates (NREL, ReportUtilityBills/tests, BEopt's figures), within their own tolerance of a dollar.

Their profile, a house in Denver with no, 1 kW or 10 kW of photovoltaics, is given by its sums by month and period, for their rates see no more. Left
out are the tests with real-time prices (8,760 of them, and net metering in their money).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from heptagrid.foundation.calendar import Calendar
from heptagrid.foundation.time import to_ns
from heptagrid.planes.money.rates.bill import RateBill, bill
from heptagrid.planes.money.rates.export import Export
from heptagrid.planes.money.rates.feed_in import FeedIn
from heptagrid.planes.money.rates.net_metering import NetMetering
from heptagrid.planes.money.rates.no_export import NoExport
from heptagrid.planes.money.rates.tiers import Tier
from heptagrid.planes.money.rates.urdb import rate_of
from heptagrid.planes.money.rates.use import Use
from tests.rates.sam import table

SUMMER = (5, 6, 7)  # June to August, in which weekdays have a peak from 11 to 20

LOAD = (
    [460.28, 415.39, 403.91, 386.97, 402.96, 319.95, 336.82, 302.23, 441.79, 399.44, 397.91, 444.43],
    [195.26, 194.64, 187.11],
)
SMALL = (
    [108.08, 104.57, 140.6, 120.94, 145.33, 73.05, 70.79, 66.18, 130.53, 119.43, 94.68, 91.74],
    [73.59, 71.62, 71.09],
)
LARGE = (
    [1083.64, 1048.85, 1411.72, 1214.93, 1458.86, 732.59, 709.83, 664.07, 1309.72, 1198.13, 949.38, 919.67],
    [738.87, 718.58, 713.85],
)
"""kWh off peak by month, and at the summer's peaks: the house, and what 1 kW and 10 kW make."""
NONE = ([0.0] * 12, [0.0] * 3)

ALWAYS = table((12, "0" * 24))
PEAKS = table((5, "0" * 24), (3, "000000000001111111110000"), (4, "0" * 24))
FLAT = ([[{"rate": 0.1195179675994109}]], ALWAYS, ALWAYS, 8)
TIERED = ([[{"max": 150, "rate": 0.09}, {"max": 300, "rate": 0.11}, {"rate": 0.13}]], ALWAYS, ALWAYS, 9)
TOU = ([[{"rate": 0.07}], [{"rate": 0.11}]], PEAKS, ALWAYS, 9)
TIERED_TOU = (
    [
        [{"max": 150, "rate": 0.06}, {"rate": 0.08}],
        TIERED[0][0],
        [{"max": 150, "rate": 0.06}, {"max": 300, "rate": 0.08}, {"rate": 0.0}],
    ],
    table((5, "0" * 24), (3, "222222222221111111112222"), (4, "0" * 24)),
    table((5, "0" * 24), (3, "2" * 24), (4, "0" * 24)),
    9,
)
"""As they calculate it: in months whose peak has three tiers, what lies in the third costs nothing off peak, where the rate has two."""

USER = NetMetering("money", true_up="surplus", true_up_price=0.03)
ZERO = NetMetering("money", true_up="surplus")
RETAIL = NetMetering("money")
FIT = FeedIn(0.12)


def use(made: tuple[list[float], list[float]]) -> Use:
    """2007, with each month's sums in hours of the first Monday."""
    calendar = Calendar.of(to_ns(datetime(2007, 1, 1, tzinfo=UTC)), 8760, 3600, ZoneInfo("UTC"))
    import_kwh, export_kwh = np.zeros((8760, 1)), np.zeros((8760, 1))
    for m in range(12):
        hours = np.flatnonzero((calendar.month == m) & ~calendar.is_weekend & (calendar.quarter == 0))
        first = int(hours[0])
        import_kwh[first], export_kwh[first + 1] = LOAD[0][m], made[0][m]
        if m in SUMMER:
            import_kwh[first + 12], export_kwh[first + 13] = LOAD[1][m - 5], made[1][m - 5]
    return Use(calendar, import_kwh, export_kwh)


def billed(rate: Any, made: tuple[list[float], list[float]], export: Export, **fields: Any) -> RateBill:
    """A surplus is worth what the first tier costs, as in their calculation."""
    structure, weekday, weekend, fixed = rate
    content = {
        "energyratestructure": structure,
        "energyweekdayschedule": weekday,
        "energyweekendschedule": weekend,
        "fixedchargefirstmeter": fixed,
    }
    found = rate_of(content | fields).rate
    periods = tuple(tuple(replace(one, sell=tiers[0].price) for one in tiers) for tiers in found.energy.periods)
    return bill(replace(found, energy=replace(found.energy, periods=periods), export=export), use(made))


CASES = [
    *((FLAT, 96, 632, *one) for one in ((SMALL, USER, -177), (LARGE, USER, -920), (LARGE, RETAIL, -1777))),
    *((FLAT, 96, 632, *one) for one in ((LARGE, ZERO, -632), (SMALL, FIT, -178), (LARGE, FIT, -1785))),
    *((TIERED, 108, 580, *one) for one in ((SMALL, USER, -190), (LARGE, USER, -867), (LARGE, RETAIL, -1443))),
    *((TIERED, 108, 580, *one) for one in ((LARGE, ZERO, -580), (SMALL, FIT, -178), (LARGE, FIT, -1785))),
    *((TOU, 108, 393, *one) for one in ((SMALL, USER, -112), (LARGE, USER, -681), (LARGE, RETAIL, -1127))),
    *((TOU, 108, 393, *one) for one in ((LARGE, ZERO, -393), (SMALL, FIT, -178), (LARGE, FIT, -1785))),
    *((TIERED_TOU, 108, 377, *one) for one in ((SMALL, USER, -108), (LARGE, USER, -665), (LARGE, RETAIL, -1000))),
    *((TIERED_TOU, 108, 377, *one) for one in ((LARGE, ZERO, -377), (SMALL, FIT, -178), (LARGE, FIT, -1785))),
]
"""Each rate with its fixed and energy charges of a year without generation, what is made, the rule, and what that saves."""


@pytest.mark.parametrize(
    ("rate", "fixed", "energy"), [(FLAT, 96, 632), (TIERED, 108, 580), (TOU, 108, 393), (TIERED_TOU, 108, 377)]
)
def test_a_year_without_generation(rate: Any, fixed: float, energy: float) -> None:
    found = billed(rate, NONE, NoExport())
    assert found.amount("fixed").sum() == pytest.approx(fixed, abs=1.0)
    assert found.amount("energy").sum() == pytest.approx(energy, abs=1.0)


@pytest.mark.parametrize(("rate", "fixed", "energy", "made", "export", "credit"), CASES)
def test_what_generation_saves(
    rate: Any, fixed: float, energy: float, made: tuple[list[float], list[float]], export: Export, credit: float
) -> None:
    found = billed(rate, made, export)
    without = billed(rate, NONE, NoExport())
    assert found.amount("fixed").sum() == pytest.approx(fixed, abs=1.0)
    assert without.amount("energy").sum() == pytest.approx(energy, abs=1.0)
    assert found.amount().sum() - without.amount().sum() == pytest.approx(credit, abs=1.0)


@pytest.mark.parametrize(("unit", "least"), [("$/month", 15), ("$/year", 200)])
@pytest.mark.parametrize(
    ("made", "export", "credit"),
    [(NONE, NoExport(), 0), (SMALL, USER, -177), (LARGE, USER, -920), (LARGE, RETAIL, -1777)],
)
def test_a_minimum_comes_before_what_is_paid_out(
    unit: str, least: float, made: tuple[list[float], list[float]], export: Export, credit: float
) -> None:
    """Fixed and minimum charges are 96 as long as there are bills; then 12 x 15, or 200."""
    found = billed(FLAT, made, export, mincharge=least, minchargeunits=unit)
    without = billed(FLAT, NONE, NoExport())
    fixed = {"$/month": 180, "$/year": 200}[unit] if made is LARGE else 96
    assert found.amount("fixed", "minimum").sum() == pytest.approx(fixed, abs=1.0)
    rest = found.amount().sum() - found.amount("minimum").sum() - without.amount().sum()
    assert rest == pytest.approx(credit, abs=1.0)


@pytest.mark.parametrize(("fee", "fixed"), [(2.50, 126), (7.50, 186)])
def test_a_fee_for_being_connected_is_fixed(fee: float, fixed: float) -> None:
    """2.50 USD for each of 1 kW, or 7.50 USD a month, on top of 8 USD."""
    *energy, _ = FLAT
    found = billed((*energy, 8 + fee), SMALL, USER)
    without = billed((*energy, 8 + fee), NONE, NoExport())
    assert found.amount("fixed").sum() == pytest.approx(fixed, abs=1.0)
    assert found.amount().sum() - without.amount().sum() == pytest.approx(-177, abs=1.0)


def test_nothing_beyond_a_periods_last_tier_is_free() -> None:
    """The rate as it is written: theirs comes to 377 USD, 32 less (see `TIERED_TOU`)."""
    whole = ([TIERED_TOU[0][0], TIERED[0][0]], PEAKS, ALWAYS, 9)
    found = billed(whole, NONE, NoExport())
    beyond = sum((off + peak - 300.0) * off / (off + peak) for off, peak in zip(LOAD[0][5:8], LOAD[1], strict=True))
    assert found.amount("energy").sum() == pytest.approx(377 + 0.08 * beyond, abs=1.0)


def test_a_tier_is_a_tier() -> None:
    read = rate_of(
        {"energyratestructure": TIERED[0], "energyweekdayschedule": ALWAYS, "energyweekendschedule": ALWAYS}
    ).rate
    assert read.energy.periods == ((Tier(0.09, 150.0), Tier(0.11, 300.0), Tier(0.13)),)
