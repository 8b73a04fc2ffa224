"""Bills calculated by hand, in words and figures: what other programs got wrong and somebody reported."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from heptagrid.foundation.calendar import Calendar
from heptagrid.foundation.time import NS_PER_HOUR, midnight_ns, to_ns
from heptagrid.planes.money.rates.bill import bill, in_cents, true_up
from heptagrid.planes.money.rates.demand import Demand, Ratchet
from heptagrid.planes.money.rates.energy import Energy
from heptagrid.planes.money.rates.line import Line
from heptagrid.planes.money.rates.net_metering import NetMetering
from heptagrid.planes.money.rates.rate import Rate
from heptagrid.planes.money.rates.real_time import RealTime
from heptagrid.planes.money.rates.schedule import Schedule, Window, of_windows
from heptagrid.planes.money.rates.taxes import Tax
from heptagrid.planes.money.rates.tiers import Tier, Unit
from heptagrid.planes.money.rates.use import Use

BERLIN = ZoneInfo("Europe/Berlin")


def constant(begin_ns: int, end_ns: int, zone: ZoneInfo, slot_s: int = 3600, kwh_per_hour: float = 1.0) -> Use:
    """The same use in every real hour."""
    slots = (end_ns - begin_ns) // (slot_s * 1_000_000_000)
    energies = np.full((slots, 1), kwh_per_hour * slot_s / 3600)
    return Use(Calendar.of(begin_ns, slots, slot_s, zone), energies, np.zeros_like(energies))


def of_months(net_kwh: list[float], year: int = 2017, month: int = 1) -> Use:
    """What each month came to, in one of its hours."""
    begin = datetime(year, month, 1, tzinfo=UTC)
    count = month - 1 + len(net_kwh)
    slots = (datetime(year + count // 12, count % 12 + 1, 1, tzinfo=UTC) - begin).days * 24
    calendar = Calendar.of(to_ns(begin), slots, 3600, ZoneInfo("UTC"))
    net = np.zeros((slots, 1))
    net[np.unique(calendar.month, return_index=True)[1], 0] = net_kwh
    return Use(calendar, np.maximum(net, 0.0), np.maximum(-net, 0.0))


def total(rate: Rate, use: Use) -> float:
    return float(bill(rate, use).in_cents.total.sum()) / 100


def test_tax_is_on_the_sum_of_a_taxs_lines() -> None:
    """EN 16931, rule BR-CO-17: line by line it would be 2,416.50."""
    lines = [Line("fixed", "item", np.array([[241.67]]))] * 50
    found = in_cents(Rate(Energy.flat(0.0), taxes=(Tax("VAT", 0.2),)), lines)
    assert found.net[0, 0] == 12_083_50
    assert found.taxes[0, 0, 0] == 2_416_70
    assert found.total[0, 0] == 14_500_20
    assert found.rounding[0, 0] == 0


def test_what_lines_lack_is_one_line_of_rounding() -> None:
    lines = [Line("fixed", "item", np.array([[0.004]]))] * 3
    found = in_cents(Rate(Energy.flat(0.0)), lines)
    assert (found.lines == 0).all()
    assert found.rounding[0, 0] == found.total[0, 0] == 1


def test_half_a_cent_goes_away_from_zero() -> None:
    lines = [Line("fixed", "item", np.array([[0.125]])), Line("credit", "item", np.array([[-0.125]]))]
    assert in_cents(Rate(Energy.flat(0.0)), lines).lines[:, 0, 0].tolist() == [13, -13]


def test_a_credit_that_is_paid_out_is_not_used_again() -> None:
    """NREL/SAM, issues 2264 and 1273: the next January was 0."""
    rate = Rate(Energy.flat(0.1, sell=0.1), NetMetering("money", true_up_month=12))
    year = bill(rate, of_months([-200.0, 50.0, *[0.0] * 10]))
    assert year.amount("net metering")[1, 0] == pytest.approx(-5.0)
    assert (year.amount("energy") + year.amount("net metering"))[1, 0] == pytest.approx(0.0)
    assert year.amount("true-up")[11, 0] == pytest.approx(-15.0)
    assert year.balance.money is not None and year.balance.money[0] == 0.0
    following = bill(rate, of_months([100.0], year=2018), year.balance)
    assert following.in_cents.total[0, 0] == 1000


def test_a_peak_lasts_eleven_months() -> None:
    """NREL/SAM, issues 71 and 1141."""
    ratchet = Demand(((Tier(10.0, unit=Unit.KW),),), Schedule.always(), ratchet=Ratchet.of(0.75), minimum_kw=30.0)
    found = bill(Rate(Energy.flat(0.0), elements=(ratchet,)), of_months([50.0, 40.0, 100.0, 20.0, 80.0, 10.0]))
    (line,) = [one for one in found.lines if one.rule == "demand"]
    assert line.quantity is not None
    assert line.quantity[:, 0].tolist() == [50.0, 40.0, 100.0, 75.0, 80.0, 75.0]
    assert line.amount[:, 0].tolist() == [500.0, 400.0, 1000.0, 750.0, 800.0, 750.0]
    assert found.in_cents.total.sum() == 4200_00


@pytest.mark.parametrize(
    ("day", "eur", "quarters"),
    [(date(2016, 3, 26), 6.0, 96), (date(2016, 3, 27), 5.9, 92), (date(2016, 10, 30), 6.1, 100)],
)
def test_a_day_of_the_clocks_has_its_hours(day: date, eur: float, quarters: int) -> None:
    rate = Rate(Energy(((Tier(0.1),), (Tier(0.3),)), of_windows([Window(0, 0, 6), Window(1, 6, 24)])), currency="EUR")
    begin, end = midnight_ns(day, BERLIN), midnight_ns(date.fromordinal(day.toordinal() + 1), BERLIN)
    use = constant(begin, end, BERLIN, 900)
    assert use.calendar.slots == quarters
    assert total(rate, use) == eur
    assert total(rate, constant(begin, end, BERLIN)) == eur


def test_the_hour_that_comes_twice_has_two_prices() -> None:
    day = date(2016, 10, 30)
    use = constant(midnight_ns(day, BERLIN), midnight_ns(date(2016, 10, 31), BERLIN), BERLIN)
    prices = np.zeros(25)
    for text, price in (("2016-10-30T02:00+02:00", 0.1), ("2016-10-30T02:00+01:00", 0.2)):
        prices[(to_ns(datetime.fromisoformat(text)) - use.calendar.begin_ns) // NS_PER_HOUR] = price
    assert total(Rate(Energy.flat(0.0), elements=(RealTime(prices),)), use) == 0.3


def test_a_season_begins_at_local_midnight() -> None:
    """NREL/EnergyPlus, issue 7814: by standard time it would be 3.50, by whole months 4.80."""
    windows = [Window(0, 0, 24, "10-01", "05-31"), Window(1, 0, 24, "06-01", "09-30")]
    rate = Rate(Energy(((Tier(0.1),), (Tier(0.2),)), of_windows(windows)))
    begin, end = (to_ns(datetime(2016, *at, 12, tzinfo=BERLIN)) for at in ((5, 31), (6, 1)))
    assert total(rate, constant(begin, end, BERLIN)) == 3.6


def test_a_late_read_brings_what_the_estimate_lacked() -> None:
    """Every day is billed by itself; the second was estimated as 10 kWh and was 12."""
    rate, day = Rate(Energy.flat(0.3)), date(2016, 7, 1).toordinal()

    def of_day(k: int, kwh: float) -> Use:
        begin, end = (midnight_ns(date.fromordinal(day + k + j), BERLIN) for j in (0, 1))
        return constant(begin, end, BERLIN, kwh_per_hour=kwh / 24)

    bills = [bill(rate, of_day(k, kwh)) for k, kwh in enumerate((10.0, 10.0, 8.0))]
    assert [int(one.in_cents.total.sum()) for one in bills] == [300, 300, 240]
    entry = true_up(bills[1], bill(rate, of_day(1, 12.0)))
    assert entry.in_cents.total.sum() == 60
    assert entry.lines[0].quantity is not None
    assert entry.lines[0].quantity.sum() == pytest.approx(2.0)  # by which losses fall
    assert sum(int(one.in_cents.total.sum()) for one in (*bills, entry)) == 900
