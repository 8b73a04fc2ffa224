"""Reads that come after their day was billed change the bill, the settlement in the market, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from heptagrid.assembly.arm import ArmGrid
from heptagrid.assembly.span import Span
from heptagrid.contracts import market, retail
from heptagrid.contracts.paper import KnownDay
from heptagrid.domains.markets.settlement import Settlement
from heptagrid.domains.operations.meter_store import ReadStatus
from heptagrid.domains.providers.all_bills import AllBills
from heptagrid.domains.providers.billing import Billing, Correction
from heptagrid.domains.providers.retailer import LateReads, Retailer
from heptagrid.domains.providers.retailer import Parameters as RetailerParameters
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.payments import PaidDays
from heptagrid.foundation.reasons import Reason
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
    """Bills and wholesale alone; all energy of a day is used at noon, at a market price of 1 EUR/kWh. On paper one knows what `bill` is told."""

    def __init__(self, by: Terms) -> None:
        points, days = len(by.is_customer), PaidDays(ZoneInfo("UTC"), FIRST_NS)
        accounts = Accounts(points)
        self.ledger, self.retailer = Ledger(accounts), Retailer(RetailerParameters())
        payments = PostedPayments(self.ledger, FIRST_NS)
        self.billing = Billing(
            account=int(accounts.of_retailers[0]),
            points=np.arange(points),
            terms=by,
            days=days,
            paper=self,
            payments=payments,
            price_on_paper=lambda hour: 1000.0,
        )
        self.settlement = Settlement(by.fees, days, self, payments, accounts.of_retailers)
        self._known: dict[int, np.ndarray] = {}
        self._counted: dict[int, np.ndarray] = {}
        self._status, self._infeed_kwh = ReadStatus.MEASURED, 0.0
        self._corrected: dict[int, float] = {}
        grid = SimpleNamespace(
            arm=SimpleNamespace(smart=True),
            world=SimpleNamespace(points=points, customers_count=points),
            customers=SimpleNamespace(meters=SimpleNamespace(day=self._day)),
            bills=AllBills([self.billing], np.zeros(points, dtype=np.int64), by.offers, by.tariff_of),
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
        status: ReadStatus,
        delivered_kwh: list[float] | None = None,
    ) -> None:
        self._known[day] = np.array(billed_kwh, dtype=np.float32)
        self._counted[day] = np.array(delivered_kwh or billed_kwh)
        self._status, self._infeed_kwh = status, true_kwh
        midnight, today = FIRST_NS + (day + 1) * DAY_NS, FIRST + timedelta(days=day + 1)
        step = Step(midnight + NS_PER_HOUR // 2, midnight + NS_PER_HOUR, today, midnight, midnight + DAY_NS, day)
        self.settlement.settle(step, lambda hour: 1000.0, lambda hour: np.zeros(1), lambda hour: 0.0)
        assert self.billing.bill(step, self.retailer) is not None
        self._log.note(self._writer)

    def hear(self, day: int, meter: int, import_kwh: float, message: int, was_read: bool = True) -> None:
        at, energy = np.array([QUARTER + 96 * day + NOON]), np.array([import_kwh], dtype=np.float32)
        how = np.array([was_read]), np.array([message - 1])
        self.retailer.late_reads.append(
            LateReads(retail.LateReads(at, np.array([meter]), energy, np.zeros_like(energy), *how), message)
        )
        if day in self._known:
            self._known[day][meter] = import_kwh
            self._corrected[int(at[0])] = float(self._known[day].sum(dtype=np.float64)) / 1000.0
            self._message = message

    def correct(self, at_ns: int) -> list[Correction]:
        """Let the retailer and the market correct what they have heard of since the last call."""
        found = self.billing.correct(self.retailer, at_ns)
        quarters, mwh = np.array(list(self._corrected), dtype=np.int64), np.array(list(self._corrected.values()))
        if len(quarters):
            told = market.Metered(0, np.empty(0), np.empty((0, 1)), quarters, mwh[:, np.newaxis])
            self.settlement.correct(told, at_ns, self._message)
        self._corrected = {}
        self._log.take_corrections()
        return found

    def reads(self, first_quarter: int, quarters: int) -> KnownDay:
        known = self._known[(first_quarter - QUARTER) // 96]
        import_kwh = np.zeros((quarters, len(known)), dtype=np.float32)
        import_kwh[NOON] = known
        status = np.full(import_kwh.shape, ReadStatus.NOT_READ, dtype=np.uint8)
        status[NOON] = self._status
        return KnownDay(first_quarter, np.arange(len(known)), import_kwh, np.zeros_like(import_kwh), status)

    def moved(self, until_quarter: int) -> Any:
        raise NotImplementedError

    def metered(self, first_quarter: int, quarters: int) -> market.Metered:
        infeed_mwh, settled_mwh = np.zeros(quarters), np.zeros((quarters, 1))
        infeed_mwh[NOON] = self._infeed_kwh / 1000.0
        settled_mwh[NOON] = self._known[(first_quarter - QUARTER) // 96].sum(dtype=np.float64) / 1000.0
        return market.Metered(first_quarter, infeed_mwh, settled_mwh, np.empty(0, dtype=np.int64), np.empty((0, 1)))

    def _day(self, first_quarter: int, quarters: int) -> tuple[np.ndarray, np.ndarray]:
        counted = self._counted[(first_quarter - QUARTER) // 96]
        import_kwh = np.zeros((quarters, len(counted)))
        import_kwh[NOON] = counted
        return import_kwh, np.zeros_like(import_kwh)

    def owed_cents(self, point: int = 0) -> int:
        return -int(self.ledger.balances()[FIRST_POINT + point]) // 1000


def test_an_estimate_of_10_kwh_that_was_12_is_billed_later_at_60_cents() -> None:
    """By hand: true use 10, 12, 8 kWh at 0.30 EUR; billed 10, 10, 8, so 3.00 + 3.00 + 2.40; 2 kWh more are 0.60; 30 kWh are 9.00."""
    town = Town(bare(0.30))
    town.bill(0, [10.0], 10.0, ReadStatus.MEASURED)
    town.bill(1, [10.0], 12.0, ReadStatus.ESTIMATED, [12.0])
    town.bill(2, [8.0], 8.0, ReadStatus.MEASURED)
    assert town.owed_cents() == 300 + 300 + 240
    since = len(town.ledger)
    town.hear(1, 0, 12.0, message=77)
    [found] = town.correct(4)
    assert (found.day, found.message, found.reads.tolist()) == (FIRST + timedelta(days=1), 77, [1])
    assert found.owed_eur.tolist() == pytest.approx([0.60]) and found.changed_kwh.tolist() == pytest.approx([2.0])
    assert town.owed_cents() == 900
    rows = {name: column[since:] for name, column in town.ledger.rows().items()}
    assert set(rows["reason"]) == {Reason.TRUE_UP} and set(rows["cause"]) == {77}
    moved = {
        (int(p), int(q)): int(a) for p, q, a in zip(rows["payer"], rows["payee"], rows["amount_millicent"], strict=True)
    }
    assert moved == {
        (FIRST_POINT, RETAILER): 60_000,
        (RETAILER, Domain.MARKETS): 200_000,  # 2 kWh more were its customer's,
        (Domain.MARKETS, Domain.GENERATION): 200_000,
        (Domain.MARKETS, Domain.DISTRIBUTION): 200_000,  # and 2 kWh less were losses
        (Domain.GENERATION, Domain.MARKETS): 200_000,
    }
    town.ledger.totals().check()
    found = town.standing.summary()
    assert (found["replaced"], found["estimated"], found["unread_points"], found["estimation_error_mwh"]) == (
        1,
        0,
        0,
        0,
    )


def test_a_message_is_heard_once_and_the_same_read_again_changes_nothing() -> None:
    town = Town(bare(0.30))
    town.bill(0, [10.0], 12.0, ReadStatus.ESTIMATED)
    town.hear(0, 0, 12.0, message=5)
    assert len(town.correct(1)) == 1
    rows = len(town.ledger)
    assert town.correct(2) == []
    town.hear(0, 0, 12.0, message=6)
    town.correct(3)
    assert len(town.ledger) == rows and town.owed_cents() == 360
    assert town.standing.summary()["replaced"] == 1


def test_an_estimate_that_nobody_settles_is_said_in_energy_and_money() -> None:
    """By hand: 10 kWh are billed at 0.30 EUR where 12 kWh were delivered: 0.60 EUR are owed; the second meter reports."""
    town = Town(replace(bare(0.30), tariff_of=np.zeros(2, dtype=np.int64), is_customer=np.ones(2, dtype=bool)))
    town.bill(0, [10.0, 5.0], 17.0, ReadStatus.ESTIMATED, [12.0, 5.0])
    town.hear(0, 1, 5.0, message=5)
    town.correct(1)
    found = town.standing.summary()
    assert {
        name: round(found[name], 9) for name in ("estimated", "unread_points", "never_heard_points", "unbilled_eur")
    } == {**{"estimated": 1, "unread_points": 1, "never_heard_points": 1, "unbilled_eur": 0.60}}
    assert (found["estimated_energy_mwh"], found["unread_energy_mwh"]) == pytest.approx((0.010, 0.012))
    assert found["estimation_error_mwh"] == pytest.approx(0.002)


def test_a_register_settles_an_estimate_as_a_late_read_would() -> None:
    town = Town(bare(0.30))
    town.bill(0, [10.0], 12.0, ReadStatus.ESTIMATED, [12.0])
    town.hear(0, 0, 12.0, message=5, was_read=False)
    [found] = town.correct(1)
    assert (found.reads.tolist(), found.settled.tolist(), found.brought_by.tolist()) == ([0], [1], [4])
    assert town.owed_cents() == 360 and town.standing.summary()["settled"] == 1
    assert town.standing.billed_kwh.tolist() == town.standing.delivered_kwh.tolist() == [12.0]


def test_a_day_that_was_never_billed_or_is_a_week_old_is_left_alone() -> None:
    town = Town(bare(0.30))
    for day in range(8):
        town.bill(day, [10.0], 10.0, ReadStatus.ESTIMATED)
    rows = len(town.ledger)
    for day in (-1, 0, 9):
        town.hear(day, 0, 12.0, message=1)
    assert town.correct(1) == []
    assert len(town.ledger) == rows, "the market corrects no other days than the retailer"
    town.hear(1, 0, 12.0, message=1)
    assert len(town.correct(1)) == 1


def test_bill_and_true_ups_together_are_the_bill_of_the_true_reads_to_the_cent() -> None:
    """Each point's total after two true-ups of a day is what one bill of the true energies comes to, fees and taxes passed on included."""
    rng = np.random.default_rng(7)
    points = 40
    by = terms(points, billing_rules.Parameters(), network_fees.Parameters())
    billed, true = rng.uniform(0.0, 20.0, points).astype(np.float32), rng.uniform(0.0, 20.0, points).astype(np.float32)
    late, at_once = Town(by), Town(by)
    late.bill(0, billed.tolist(), 400.0, ReadStatus.ESTIMATED)
    at_once.bill(0, true.tolist(), 400.0, ReadStatus.MEASURED)
    for part in (range(0, points, 2), range(1, points, 2)):
        for meter in part:
            late.hear(0, meter, float(true[meter]), message=meter)
        late.correct(1)
    theirs, ours = at_once.ledger.balances(), late.ledger.balances()
    customers = slice(FIRST_POINT, FIRST_POINT + points)
    assert ours[customers].tolist() == theirs[customers].tolist()
    for account in (Domain.OPERATIONS, OUTSIDE):
        assert ours[account] == theirs[account]
    # In the market each of 40 true-ups is rounded to a thousandth of a cent.
    assert np.abs(ours - theirs).max() <= points
    late.ledger.totals().check()
