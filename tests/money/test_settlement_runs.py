"""A day is settled at first, a second time and finally: late data change bill and market in a later run, and nothing else; then nothing changes any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.assembly.arm import ArmGrid
from heptagrid.assembly.span import Span
from heptagrid.contracts import market, retail
from heptagrid.contracts.paper import KnownDay
from heptagrid.domains.markets.settlement import HourPrices, Settlement
from heptagrid.domains.operations.meter_store import ReadStatus
from heptagrid.domains.providers.all_bills import AllBills
from heptagrid.domains.providers.billing import Billing, Correction
from heptagrid.domains.providers.retailer import LateReads, Retailer
from heptagrid.domains.providers.retailer import Parameters as RetailerParameters
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.payments import PaidDays, SettledAgain
from heptagrid.foundation.reasons import Reason
from heptagrid.foundation.settlement_runs import SettlementRun
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER, Step, to_ns
from heptagrid.planes.money.ledger import Ledger
from heptagrid.planes.money.posted import PostedPayments
from heptagrid.planes.money.tariffs import billing_rules, network_fees
from heptagrid.planes.money.tariffs.tariff import Offers
from heptagrid.planes.money.true_up import Terms
from heptagrid.recording.day_log import DayLog
from heptagrid.recording.tables import TableWriter
from heptagrid.world.accounts import FIRST_POINT, OUTSIDE, Accounts

FIRST = date(2016, 1, 1)
FIRST_NS = to_ns(datetime(2016, 1, 1, tzinfo=UTC))
QUARTER = FIRST_NS // NS_PER_QUARTER
DAY_NS = 24 * NS_PER_HOUR
NOON = 48
RETAILER = FIRST_POINT + 1  # its account, where there is one customer


def terms(points: int, supply: billing_rules.Parameters, fees: network_fees.Parameters) -> Terms:
    return Terms(Offers.of({}), np.zeros(points, dtype=np.int64), np.ones(points, dtype=bool), 1 / 366, supply, fees)


def bare(price_eur_per_kwh: float) -> Terms:
    """One customer who pays for the kWh alone, without taxes."""
    supply = billing_rules.Parameters(
        flat_procurement_eur_per_mwh=1000.0 * price_eur_per_kwh,
        **dict.fromkeys(("margin_ct_per_kwh", "standing_eur_per_year", "levies_ct_per_kwh"), 0.0),
        **dict.fromkeys(("concession_ct_per_kwh", "electricity_tax_ct_per_kwh", "vat_share"), 0.0),
    )
    nothing = ("energy_ct_per_kwh", "base_eur_per_year", "metering_eur_per_year", "imbalance_spread_eur_per_mwh")
    return terms(1, supply, network_fees.Parameters(**dict.fromkeys(nothing, 0.0)))


class Town:
    """Bills and wholesale alone; all energy of a day is used at noon, at a market price of 1 EUR/kWh. It plays operations: what is heard goes out with the runs.

    Day k is billed at the begin of day k + 1, when day k - 1 has its second run and day k - 2 its final one.
    """

    def __init__(self, by: Terms) -> None:
        self.points, self.days = len(by.is_customer), PaidDays(ZoneInfo("UTC"), FIRST_NS)
        accounts = Accounts(self.points)
        self.ledger, self.retailer = Ledger(accounts), Retailer(RetailerParameters())
        payments = PostedPayments(self.ledger, FIRST_NS)
        self.billing = Billing(
            account=int(accounts.of_retailers[0]),
            points=np.arange(self.points),
            terms=by,
            days=self.days,
            paper=self,
            payments=payments,
            price_on_paper=lambda hour: 1000.0,
        )
        self.settlement = Settlement(by.fees, self.days, self, payments, accounts.of_retailers)
        self._known: dict[int, np.ndarray] = {}
        self._counted: dict[int, np.ndarray] = {}
        self._late: dict[
            int, dict[int, tuple[bool, int]]
        ] = {}  # by day and meter: whether it was read, and by which message
        self._status, self._infeed_kwh = ReadStatus.MEASURED, 0.0
        self._on_paper: dict[int, retail.LateReads] = {}
        grid = SimpleNamespace(
            arm=SimpleNamespace(smart=True),
            world=SimpleNamespace(points=self.points, customers_count=self.points),
            customers=SimpleNamespace(meters=SimpleNamespace(day=self._day)),
            bills=AllBills([self.billing], np.zeros(self.points, dtype=np.int64), by.offers, by.tariff_of),
            settlement=self.settlement,
            ledger=self.ledger,
        )
        self._log = DayLog(cast(ArmGrid, grid), cast(Span, SimpleNamespace(start_ns=FIRST_NS)))
        self._writer = TableWriter(None, "none", {})
        self.standing = self._log.standing

    def bill(
        self,
        day: int,
        billed_kwh: list[float],
        true_kwh: float,
        status: ReadStatus = ReadStatus.MEASURED,
        delivered_kwh: list[float] | None = None,
        message: int = 1000,
        lost: bool = False,
    ) -> list[Correction]:
        """Bill a day, and tell what was heard of the days that are settled again, in message `message` of its own each; what that corrects of bills."""
        self._known[day] = np.array(billed_kwh, dtype=np.float32)
        self._counted[day] = np.array(delivered_kwh or billed_kwh)
        self._status, self._infeed_kwh = status, true_kwh
        midnight, today = FIRST_NS + (day + 1) * DAY_NS, FIRST + timedelta(days=day + 1)
        step = Step(midnight + NS_PER_HOUR // 2, midnight + NS_PER_HOUR, today, midnight, midnight + DAY_NS, day)
        due = list(self.days.settled_again(step))
        self._on_paper = {one.first_quarter: late for one in due if (late := self._told(one)) is not None}
        if not lost:
            self.retailer.late_reads += [LateReads(late, message + late.run) for late in self._on_paper.values()]
            self.settlement.learn(self.metered(QUARTER + 96 * day, 96), message)
        before = len(self.billing.corrections)
        prices = HourPrices(1000.0, np.array([1000.0]), 1000.0, 1000.0, np.zeros(2))
        nothing = np.zeros(1)
        self.settlement.settle(
            step, lambda hour: prices, lambda hour: nothing, lambda hour: 0.0, lambda hour: 0.0, lambda *_: np.zeros(24)
        )
        assert self.billing.bill(step, self.retailer) is not None
        self._log.note(self._writer)
        for one in due:
            if one.run is SettlementRun.FINAL:
                self._late.pop((one.first_quarter - QUARTER) // 96, None)
        return self.billing.corrections[before:]

    def quiet(self, day: int, **more: Any) -> list[Correction]:
        """Bill a day on which nobody used anything."""
        return self.bill(day, [0.0] * self.points, 0.0, **more)

    def hear(self, day: int, meter: int, import_kwh: float, message: int, was_read: bool = True) -> None:
        self._known[day][meter] = import_kwh
        self._late.setdefault(day, {})[meter] = was_read, message

    def _told(self, due: SettledAgain) -> retail.LateReads | None:
        day = (due.first_quarter - QUARTER) // 96
        late = self._late.get(day, {})
        if not late:
            return None
        meter = np.array(list(late))
        energies = self._known[day][meter]
        return retail.LateReads(
            run=int(due.run),
            first_quarter=due.first_quarter,
            quarter=np.full(len(meter), due.first_quarter + NOON),
            meter=meter,
            import_kwh=energies,
            export_kwh=np.zeros_like(energies),
            was_read=np.array([was_read for was_read, _ in late.values()]),
            brought_by=np.array([message for _, message in late.values()]),
        )

    def reads(self, first_quarter: int, quarters: int) -> KnownDay:
        known = self._known[(first_quarter - QUARTER) // 96]
        import_kwh = np.zeros((quarters, len(known)), dtype=np.float32)
        import_kwh[NOON] = known
        status = np.full(import_kwh.shape, ReadStatus.NOT_READ, dtype=np.uint8)
        status[NOON] = self._status
        return KnownDay(first_quarter, np.arange(len(known)), import_kwh, np.zeros_like(import_kwh), status)

    def moved(self, until_quarter: int) -> Any:
        raise NotImplementedError

    def late_reads(self, first_quarter: int) -> retail.LateReads | None:
        return self._on_paper.get(first_quarter)

    def metered(self, first_quarter: int, quarters: int) -> market.Metered:
        infeed_mwh, settled_mwh = np.zeros(quarters), np.zeros((quarters, 1))
        infeed_mwh[NOON] = self._infeed_kwh / 1000.0
        settled_mwh[NOON] = self._known[(first_quarter - QUARTER) // 96].sum(dtype=np.float64) / 1000.0
        days = [(first - QUARTER) // 96 for first in self._on_paper]
        corrected = [self._known[day].sum(dtype=np.float64) / 1000.0 for day in days]
        return market.Metered(
            first_quarter=first_quarter,
            infeed_mwh=infeed_mwh,
            settled_mwh=settled_mwh,
            corrected_quarter=np.array([QUARTER + 96 * day + NOON for day in days], dtype=np.int64),
            corrected_mwh=np.array(corrected).reshape(len(days), 1),
            corrected_by=np.array([int(late.brought_by.max()) for late in self._on_paper.values()], dtype=np.int64),
            available=np.ones((quarters // 4, 1)),
        )

    def _day(self, first_quarter: int, quarters: int, points: slice) -> tuple[np.ndarray, np.ndarray]:
        counted = self._counted[(first_quarter - QUARTER) // 96][points]
        import_kwh = np.zeros((quarters, len(counted)))
        import_kwh[NOON] = counted
        return import_kwh, np.zeros_like(import_kwh)

    def owed_cents(self, point: int = 0) -> int:
        return -int(self.ledger.balances()[FIRST_POINT + point]) // 1000

    def entries(self, since: int = 0) -> list[tuple[Reason, int, int, int, int]]:
        """Reason, payer, payee, amount in millicents and cause of each row of the ledger."""
        rows = {name: column[since:].tolist() for name, column in self.ledger.rows().items()}
        columns = (rows[name] for name in ("payer", "payee", "amount_millicent", "cause"))
        return [(Reason(reason), *of) for reason, *of in zip(rows["reason"], *columns, strict=True)]


def test_an_estimate_of_10_kwh_that_was_12_and_then_13_is_settled_at_60_and_30_cents() -> None:
    """By hand, 0.30 EUR/kWh: billed 3.00; the second run knows 12 kWh, 0.60 more; the final run 13 kWh, 0.30 more; 14 kWh come too late."""
    town = Town(bare(0.30))
    town.bill(0, [10.0], 13.0, ReadStatus.ESTIMATED, [13.0])
    assert town.owed_cents() == 300
    since = len(town.ledger)
    town.hear(0, 0, 12.0, message=77)
    [second] = town.quiet(1, message=200)
    assert (second.day, second.run, second.message, second.reads.tolist()) == (FIRST, SettlementRun.SECOND, 202, [1])
    assert second.owed_eur.tolist() == pytest.approx([0.60]) and second.changed_kwh.tolist() == pytest.approx([2.0])
    assert town.owed_cents() == 360
    assert sorted(town.entries(since)) == sorted(
        [
            (Reason.SECOND_RUN, FIRST_POINT, RETAILER, 60_000, 202),
            (Reason.SECOND_RUN, RETAILER, Domain.MARKETS, 200_000, 200),  # 2 kWh more were its customer's,
            (Reason.SECOND_RUN, Domain.MARKETS, Domain.GENERATION, 200_000, 200),
            (Reason.SECOND_RUN, Domain.MARKETS, Domain.DISTRIBUTION, 200_000, 200),  # and 2 kWh less were losses
            (Reason.SECOND_RUN, Domain.GENERATION, Domain.MARKETS, 200_000, 200),
        ]
    )
    since = len(town.ledger)
    town.hear(0, 0, 13.0, message=78)
    [final] = town.quiet(2, message=300)
    assert (final.run, final.message, final.owed_eur.tolist()) == (SettlementRun.FINAL, 303, pytest.approx([0.30]))
    assert {reason for reason, *_ in town.entries(since)} == {Reason.FINAL_RUN} and town.owed_cents() == 390
    town.ledger.totals().check()
    found = town.standing.summary()
    assert (found["replaced"], found["estimated"], found["unread_points"], found["estimation_error_mwh"]) == (
        1,
        0,
        0,
        0,
    )
    rows = len(town.ledger)
    town.hear(0, 0, 14.0, message=79)
    assert town.quiet(3) == town.quiet(4) == [] and len(town.ledger) == rows, "after the final run nothing changes"


def test_a_run_that_learns_nothing_new_posts_nothing() -> None:
    town = Town(bare(0.30))
    town.bill(0, [10.0], 12.0, ReadStatus.ESTIMATED)
    town.hear(0, 0, 12.0, message=5)
    assert len(town.quiet(1)) == 1
    rows = len(town.ledger)
    assert town.quiet(2) == [], "the final message holds the same read again"
    assert len(town.ledger) == rows and town.owed_cents() == 360
    assert town.standing.summary()["replaced"] == 1


@pytest.mark.parametrize("lost_run", [1, 2])
def test_a_lost_message_is_made_good_on_paper_with_the_reading_as_its_cause(lost_run: int) -> None:
    town = Town(bare(0.30))
    town.bill(0, [10.0], 12.0, ReadStatus.ESTIMATED)
    if lost_run == 2:
        town.quiet(1)
    town.hear(0, 0, 12.0, message=55)
    since = len(town.ledger)
    [found] = town.quiet(lost_run, lost=True)
    assert found.message == 55 and town.owed_cents() == 360
    later = [entry for entry in town.entries(since) if entry[0].run is not SettlementRun.FIRST]
    assert len(later) == 5 and {cause for *_, cause in later} == {55}, "bill and market alike"


def test_an_estimate_that_nobody_settles_is_said_in_energy_and_money() -> None:
    """By hand: 10 kWh are billed at 0.30 EUR where 12 kWh were delivered: 0.60 EUR are owed; the second meter reports."""
    town = Town(replace(bare(0.30), tariff_of=np.zeros(2, dtype=np.int64), is_customer=np.ones(2, dtype=bool)))
    town.bill(0, [10.0, 5.0], 17.0, ReadStatus.ESTIMATED, [12.0, 5.0])
    town.hear(0, 1, 5.0, message=5)
    town.quiet(1)
    found = town.standing.summary()
    assert {
        name: round(found[name], 9) for name in ("estimated", "unread_points", "never_heard_points", "unbilled_eur")
    } == {**{"estimated": 1, "unread_points": 1, "never_heard_points": 0, "unbilled_eur": 0.60}}
    assert (found["estimated_energy_mwh"], found["unread_energy_mwh"]) == pytest.approx((0.010, 0.012))
    assert found["estimation_error_mwh"] == pytest.approx(0.002)


def test_a_register_settles_an_estimate_as_a_late_read_would() -> None:
    town = Town(bare(0.30))
    town.bill(0, [10.0], 12.0, ReadStatus.ESTIMATED, [12.0])
    town.hear(0, 0, 12.0, message=4, was_read=False)
    [found] = town.quiet(1)
    assert (found.reads.tolist(), found.settled.tolist(), found.brought_by.tolist()) == ([0], [1], [4])
    assert town.owed_cents() == 360 and town.standing.summary()["settled"] == 1
    assert town.standing.billed_kwh.tolist() == town.standing.delivered_kwh.tolist() == [12.0]


def test_first_bill_and_later_runs_together_are_the_bill_of_the_true_reads_to_the_cent() -> None:
    """Each point's total after two later runs of a day is what one bill of the true energies comes to, fees and taxes passed on included."""
    rng = np.random.default_rng(7)
    points = 40
    by = terms(points, billing_rules.Parameters(), network_fees.Parameters())
    billed, true = rng.uniform(0.0, 20.0, points).astype(np.float32), rng.uniform(0.0, 20.0, points).astype(np.float32)
    late, at_once = Town(by), Town(by)
    late.bill(0, billed.tolist(), 400.0, ReadStatus.ESTIMATED)
    at_once.bill(0, true.tolist(), 400.0, ReadStatus.MEASURED)
    for day, part in enumerate((range(0, points, 2), range(1, points, 2)), start=1):
        for meter in part:
            late.hear(0, meter, float(true[meter]), message=meter)
        late.quiet(day)
        at_once.quiet(day)
    theirs, ours = at_once.ledger.balances(), late.ledger.balances()
    customers = slice(FIRST_POINT, FIRST_POINT + points)
    assert ours[customers].tolist() == theirs[customers].tolist()
    for account in (Domain.OPERATIONS, OUTSIDE):
        assert ours[account] == theirs[account]
    # In the market each run is rounded to a thousandth of a cent.
    assert np.abs(ours - theirs).max() <= 2
    late.ledger.totals().check()


@given(
    true_kwh=st.lists(st.floats(0.0, 20.0, width=32), min_size=3, max_size=3),
    heard=st.permutations(range(3)),
    by_second=st.integers(0, 3),
    registered=st.lists(st.booleans(), min_size=3, max_size=3),
)
@settings(max_examples=60, deadline=None)
def test_any_order_of_arrival_ends_in_the_same_final_amounts(
    true_kwh: list[float], heard: list[int], by_second: int, registered: list[bool]
) -> None:
    """Whoever is heard before the second run and whoever before the final one: bills are the same to the cent, the market to its rounding; each later entry has a cause."""
    by = terms(3, billing_rules.Parameters(), network_fees.Parameters())
    one, other = Town(by), Town(by)
    for town in (one, other):
        town.bill(0, [5.0, 5.0, 5.0], 20.0, ReadStatus.ESTIMATED)
    for meter in range(3):
        other.hear(0, meter, true_kwh[meter], message=meter)
    for k, meter in enumerate(heard):
        if k == by_second:
            one.quiet(1)
        one.hear(0, meter, true_kwh[meter], message=meter, was_read=not registered[meter])
    if by_second == 3:
        one.quiet(1)
    one.quiet(2)
    other.quiet(1)
    other.quiet(2)
    ours, theirs = one.ledger.balances(), other.ledger.balances()
    customers = slice(FIRST_POINT, FIRST_POINT + 3)
    assert ours[customers].tolist() == theirs[customers].tolist()
    assert np.abs(ours - theirs).max() <= 2
    assert ours.sum() == 0
    for town in (one, other):
        town.ledger.totals().check()
        later = [entry for entry in town.entries() if entry[0].run not in (None, SettlementRun.FIRST)]
        assert all(cause >= 0 for *_, cause in later)
