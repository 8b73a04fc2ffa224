"""A retailer's bills: each day's first ones, and what its second and final settlement run change of them.

Bills are made in blocks of points, so that a day's end takes memory for a block and not for all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.paper import KnownDay, Paper
from heptagrid.domains.providers.retailer import LateReads, Retailer
from heptagrid.foundation.calendar import Calendar
from heptagrid.foundation.payments import Dates, PaidDays, Payments, SettledAgain
from heptagrid.foundation.quarter_rows import DayValues
from heptagrid.foundation.settlement_runs import SettlementRun
from heptagrid.foundation.time import NS_PER_QUARTER, S_PER_QUARTER, Step
from heptagrid.planes.money import postings
from heptagrid.planes.money.monthly_account import MonthlyAccount, Statement
from heptagrid.planes.money.tariffs import under_rate
from heptagrid.planes.money.tariffs.billing_rules import Bills
from heptagrid.planes.money.tariffs.tariff import Slots
from heptagrid.planes.money.true_up import BilledDay, Terms, TrueUp, true_up

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

BLOCK = 8192  # points
_SETTLED, _READ = 1, 2  # what a later run has taken in of a read


@dataclass
class Record:
    """A billed day: what the retailer knew, the bills that it made, and what has been billed with its later settlement runs; columns are its points'.

    taken: (quarters, points) what its later runs have taken in of each: nothing, what the registers told, or a late read. of_months: what the day added to the
    months of customers with a monthly rate, by line, and their columns.
    """

    day: date
    dates: Dates
    known: KnownDay
    bills: Bills
    billed: BilledDay
    taken: npt.NDArray[np.int8]
    of_months: list[tuple[Ints, Statement]] = field(default_factory=list)

    @property
    def first_quarter(self) -> int:
        return self.known.first_quarter

    def column(self, point: int) -> int:
        """Which column is a metering point's."""
        return int(np.searchsorted(self.known.point, point))

    @property
    def status(self) -> DayValues:
        """(quarters, points) what was known of each read when it was billed."""
        return self.known.status

    @property
    def message(self) -> int:
        """That told the reads, -1 on paper."""
        return self.known.message


@dataclass(frozen=True)
class Correction:
    """What a later settlement run changed of a day: which day and run, when it was paid, and the message that told the retailer.

    points, owed_eur, changed_kwh, fed_in_kwh: (k,) who, how much more they owe, used and fed in. reads, settled: (k,) how many reads came
    late since the run before, and how many quarter hours the registers settled. brought_by: (k,) the last of the readings that brought it. changed: which reads.
    """

    day: date
    run: SettlementRun
    at_ns: int
    message: int
    points: Ints
    owed_eur: Floats
    changed_kwh: Floats
    fed_in_kwh: Floats
    reads: Ints
    settled: Ints
    brought_by: Ints
    changed: ChangedReads


@dataclass(frozen=True)
class ChangedReads:
    """Reads that a correction replaced, (n,) each: quarter hours of the day, points, what they were billed as, and whether a true read came."""

    first_quarter: int
    slots: Ints
    points: Ints
    billed_kwh: np.ndarray
    was_read: Bools


@dataclass
class Billing:
    """Bills every point of a retailer for each day, and keeps the days until their final settlement run.

    account: the retailer's. points: (points,) its customers, ascending. terms: of these. records: the days billed of late, the youngest last. corrections: all that later runs made. price_on_paper: the market's price of an hour since 1970, where
    no message told it. monthly: the months of customers with a monthly rate, by the tariff's number.
    """

    account: int
    points: Ints
    terms: Terms
    days: PaidDays
    paper: Paper
    payments: Payments
    price_on_paper: Callable[[int], float]
    records: list[Record] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    monthly: dict[int, MonthlyAccount] = field(default_factory=dict)

    def bill(self, step: Step, retailer: Retailer) -> tuple[Record, Floats] | None:
        """Bill yesterday, and settle again the days whose second or final run it is.

        Returns the day, and what these owe more, (points,) in EUR; None on the first day.
        """
        dates = self.days.yesterday(step)
        if dates is None:
            return None
        day = step.day - timedelta(days=1)
        first = dates.of_ns // NS_PER_QUARTER
        quarters = step.day_start_ns // NS_PER_QUARTER - first
        known = self._known(retailer, first, quarters)
        price = np.array([self._price(retailer, quarter // 4) for quarter in range(first, first + quarters)])
        calendar = Calendar.of(dates.of_ns, quarters, S_PER_QUARTER, self.days.zone)
        bills = self._bills(known.import_kwh, known.export_kwh, Slots(price / 1000.0, calendar))
        for one in self.monthly.values():
            mine = known.import_kwh[:, one.columns], known.export_kwh[:, one.columns]
            bills = under_rate.put(bills, one.columns, one.take(first, *mine))
        billed = BilledDay(price, calendar, known.import_kwh, known.export_kwh, bills)
        of_months = [(one.columns, one.last_day) for one in self.monthly.values() if one.last_day is not None]
        taken = np.broadcast_to(np.int8(0), known.status.shape)
        record = Record(day, dates, known, bills, billed, taken, of_months)
        postings.pay_bills(self.payments, self.account, self.points, bills, record.dates, known.message)
        postings.pass_fees_on(self.payments, self.account, bills, record.dates)
        true_up_eur = np.zeros(len(self.points))
        for each in self.settle_again(step, retailer):
            true_up_eur[np.searchsorted(self.points, each.points)] += each.owed_eur
        self.records = [*self.records[1 - self.days.runs.final_days :], record]
        return record, true_up_eur

    def _known(self, retailer: Retailer, first: int, quarters: int) -> KnownDay:
        """What a message told of the day's use, or what is asked for on paper."""
        told = (known.of(first, quarters) for known in retailer.known_days.values())
        mine = next((one for one in told if one is not None), None)
        return mine or self.paper.reads(first, quarters).of_points(self.points)

    def _price(self, retailer: Retailer, hour: int) -> float:
        """The day-ahead price of an hour, as it was told, or on paper."""
        known = retailer.prices.eur_per_mwh.get(hour)
        return self.price_on_paper(hour) if known is None else known

    def bills_if(self, record: Record, columns: Ints, import_kwh: np.ndarray, export_kwh: np.ndarray) -> Bills:
        """The bills of some of a day's points, had their energies, (quarters, columns), been these."""
        if not self.monthly:
            return self._bills(import_kwh, export_kwh, record.billed.slots, columns)
        whole = record.billed.import_kwh.copy(), record.billed.export_kwh.copy()
        whole[0][:, columns], whole[1][:, columns] = import_kwh, export_kwh
        bills = self._bills(*whole, record.billed.slots)
        for one in self.monthly.values():
            change = one.change_if(record.first_quarter, whole[0][:, one.columns], whole[1][:, one.columns])
            so_far = under_rate.pick(record.billed.bills, one.columns)
            bills = under_rate.put(bills, one.columns, under_rate.plus(so_far, change))
        return under_rate.pick(bills, columns)

    def _bills(self, import_kwh: DayValues, export_kwh: DayValues, slots: Slots, columns: Ints | None = None) -> Bills:
        """The bills of energies, (quarters, points), of all points or those in some columns of a day."""
        points = import_kwh.shape[1]
        columns = np.arange(points) if columns is None else columns
        blocks = []
        for begin in range(0, max(points, 1), BLOCK):  # who has no customers makes one block of none
            of = np.arange(begin, min(begin + BLOCK, points))
            energies = import_kwh[:, of], export_kwh[:, of]
            blocks.append(self.terms.of(columns[of]).bills(*energies, slots))
        lines = {one.name: np.concatenate([getattr(block, one.name) for block in blocks]) for one in fields(Bills)}
        return Bills(**lines)

    def settle_again(self, step: Step, retailer: Retailer) -> list[Correction]:
        """Pay what is known better by now of the days whose second or final run it is."""
        told, retailer.late_reads = retailer.late_reads, []
        new = []
        for due in self.days.settled_again(step):
            records = [one for one in self.records if one.dates.of_ns == due.dates.of_ns]
            mine = [one for one in told if (one.reads.run, one.reads.first_quarter) == (due.run, due.first_quarter)]
            late = mine[-1] if mine else self._on_paper(due)
            if records and late is not None:
                new += self._corrected(records[0], due, late)
        self.corrections += new
        return new

    def _on_paper(self, due: SettledAgain) -> LateReads | None:
        """What no message told; the last reading is its cause."""
        late = self.paper.late_reads(due.first_quarter)
        mine = None if late is None else late.of(np.isin(late.meter, self.points))
        return None if mine is None or not len(mine.meter) else LateReads(mine, int(mine.brought_by.max()))

    def _corrected(self, record: Record, due: SettledAgain, late: LateReads) -> list[Correction]:
        """What a run changes of a day, if anything has come since the run before."""
        before = record.billed
        slots, points = late.reads.quarter - record.first_quarter, np.searchsorted(self.points, late.reads.meter)
        taken = np.where(late.reads.was_read, _READ, _SETTLED).astype(np.int8)
        fresh = (
            (record.taken[slots, points] != taken)
            | (before.import_kwh[slots, points] != late.reads.import_kwh)
            | (before.export_kwh[slots, points] != late.reads.export_kwh)
        )
        if not fresh.any():
            return []
        told, slots, points = late.reads.of(fresh), slots[fresh], points[fresh]
        if not record.taken.flags.writeable:
            record.taken = record.taken.copy()
        record.taken[slots, points] = taken[fresh]
        record.billed, change = true_up(before, slots, points, told.import_kwh, told.export_kwh, self.terms)
        record.billed, change = self._with_months(record.first_quarter, before, record.billed, change)
        who = change.points
        postings.pay_bills_again(
            self.payments, due.run, self.account, self.points[who], change.bills, due.dates, late.message
        )
        more_kwh, more_fed_kwh, reads, settled = np.zeros((4, before.import_kwh.shape[1]))
        for more, now, old in (
            (more_kwh, record.billed.import_kwh, before.import_kwh),
            (more_fed_kwh, record.billed.export_kwh, before.export_kwh),
        ):
            np.add.at(more, points, now[slots, points].astype(np.float64) - old[slots, points])
        np.add.at(reads, points, told.was_read)
        np.add.at(settled, points, ~told.was_read)
        brought_by = np.full(len(reads), -1, dtype=np.int64)
        np.maximum.at(brought_by, points, told.brought_by)
        return [
            Correction(
                day=record.day,
                run=due.run,
                at_ns=due.dates.at_ns,
                message=late.message,
                points=self.points[who],
                owed_eur=change.bills.net,
                changed_kwh=more_kwh[who],
                fed_in_kwh=more_fed_kwh[who],
                reads=reads[who].astype(np.int64),
                settled=settled[who].astype(np.int64),
                brought_by=brought_by[who],
                changed=ChangedReads(
                    record.first_quarter, slots, told.meter, before.import_kwh[slots, points], told.was_read
                ),
            )
        ]

    def _with_months(
        self, first_quarter: int, before: BilledDay, now: BilledDay, change: TrueUp
    ) -> tuple[BilledDay, TrueUp]:
        """A day's true-up in which customers with a monthly rate have what it changes of their months."""
        for one in self.monthly.values():
            concerned = np.flatnonzero(np.isin(change.points, one.columns))
            if not len(concerned):
                continue
            columns = change.points[concerned]
            of_all = one.correct(first_quarter, now.import_kwh[:, one.columns], now.export_kwh[:, one.columns])
            mine = under_rate.pick(of_all, np.searchsorted(one.columns, columns))
            change = TrueUp(change.points, under_rate.put(change.bills, concerned, mine))
            whole = under_rate.plus(under_rate.pick(before.bills, columns), mine)
            now = replace(now, bills=under_rate.put(now.bills, columns, whole))
        return now, change
