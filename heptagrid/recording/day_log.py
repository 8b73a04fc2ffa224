"""Follows what is billed and paid: writes each day's reads and payments once the day has been billed, and counts what rests on estimates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from heptagrid.assembly.arm import ArmGrid
from heptagrid.assembly.span import Span
from heptagrid.domains.providers.billing import Correction, Record
from heptagrid.foundation.point_columns import for_all_points, for_some_points
from heptagrid.foundation.quarter_rows import DayValues
from heptagrid.foundation.reasons import REASON_NAMES
from heptagrid.foundation.time import NS_PER_QUARTER
from heptagrid.planes.money import settlement
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR, eur
from heptagrid.recording.bill_parts import BILL_PARTS, completed, parts_of
from heptagrid.recording.company_books import company_books
from heptagrid.recording.section import rounded
from heptagrid.recording.settlement_books import SettlementBooks, settlement_books, unsettled
from heptagrid.recording.spool import Named, Text
from heptagrid.recording.standing_estimates import Errors, Standing
from heptagrid.recording.tables import TableWriter, blocks
from heptagrid.recording.totals import DayBooks
from heptagrid.world.accounts import FIRST_POINT

if TYPE_CHECKING:
    from heptagrid.recording.arm_result import ArmResult

_PAYMENTS = 2**18
"""Rows of the ledger that are written at once."""


@dataclass
class _Observed:
    """What was known of each read of a billed day, (quarters, points), and by how much estimates were off."""

    status: DayValues
    errors: Errors


class DayLog:
    """Observes one arm's billing, market and ledger; it posts nothing."""

    def __init__(self, grid: ArmGrid, span: Span, read_step_wh: float = 0.0) -> None:
        """Set up; read_step_wh: to which multiple reads are rounded where they are written."""
        self._read_step_kwh = read_step_wh / 1000.0
        self.traded_mwh: dict[str, float] = {}
        self.standing = Standing(grid.world.points)
        self._bill_parts_eur = np.zeros((len(BILL_PARTS), grid.world.points))
        self._grid, self._first_ns = grid, span.start_ns
        self._ages = grid.bills.retailers[0].days.runs
        self._corrections: list[Correction] = []  # of days that count
        self._days: list[tuple[date, int]] = []  # those that have been billed, and their first instants
        self._observed: dict[int, _Observed] = {}  # by first quarter hour
        self._corrections_seen = [0] * len(grid.bills.retailers)
        self._rows_seen = 0
        self._held = np.empty(0, dtype=np.int64)  # rows of the ledger that are for days not billed yet

    def note(self, writer: TableWriter) -> None:
        """Take in a step: a day that was billed in it, if it is one that counts."""
        records = self._grid.bills.last
        if not records or records[0].dates.of_ns < self._first_ns:
            return
        if not self._days or self._days[-1][1] != records[0].dates.of_ns:
            self._take(records, writer)

    def finish(self, result: ArmResult) -> None:
        """Check that what was paid for the billed days balances, and hand over."""
        ledger, grid = self._grid.ledger, self._grid
        billed_ns = [of_ns for _, of_ns in self._days]
        totals = ledger.totals(billed_ns)
        totals.check()
        customers = slice(FIRST_POINT, FIRST_POINT + grid.world.customers_count)
        result.money, result.traded_mwh = totals, self.traded_mwh
        result.bills_eur = -ledger.balances(billed_ns)[customers] / MILLICENT_PER_EUR
        bills, customers_count = grid.bills, grid.world.customers_count
        result.bill_parts_eur = completed(self._bill_parts_eur[:, :customers_count], result.bills_eur)
        for k, tariff in enumerate(bills.offers.tariffs):
            under_it = bills.tariff_of[:customers_count] == k
            result.tariffs[tariff.name] = int(under_it.sum()), float(result.bills_eur[under_it].sum())
        peaks_kw = grid.charges.peaks_kw
        result.days = [
            DayBooks(day, eur(ledger.totals([of_ns]).by_domain), peaks_kw[of_ns]) for day, of_ns in self._days
        ]
        result.delivered_kwh, result.billed_kwh = self.standing.delivered_kwh, self.standing.billed_kwh
        result.companies = company_books(grid, billed_ns, self.standing.billed_kwh)
        result.settlement = self._settlement()
        if grid.arm.smart:
            result.metering, result.never_heard = self.standing.summary(), self.standing.never_heard

    def _settlement(self) -> SettlementBooks:
        """What each settlement run came to."""
        grid, desk = self._grid, self._grid.operations.customers_desk
        books = settlement_books(grid.ledger, dict(self._days), self._corrections, self._ages)
        if desk is not None:
            books.too_late[0], books.waiting[0] = unsettled(desk, grid.bills, self._first_ns // NS_PER_QUARTER)
        return books

    def _take(self, records: Sequence[Record], writer: TableWriter) -> None:
        """Take in a day that has been billed, by every retailer."""
        grid, of_ns, first_quarter = self._grid, records[0].dates.of_ns, records[0].first_quarter
        self._days.append((records[0].day, of_ns))
        self.take_corrections()
        bills, market = grid.bills, grid.settlement.days[of_ns]
        for name, each in settlement.traded_mwh(market.position_mwh, market.settled_mwh).items():
            self.traded_mwh[name] = self.traded_mwh.get(name, 0.0) + each
        self._bill_parts_eur += for_all_points([parts_of(one.billed.bills) for one in records], bills.points)
        observed = self._take_reads(records, writer)
        if grid.arm.smart:
            self._observed[first_quarter] = observed
            kept = sorted(self._observed)[-self._ages.final_days :]
            self._observed = {first: self._observed[first] for first in kept}
        self._write_payments(of_ns, writer)

    def _take_reads(self, records: Sequence[Record], writer: TableWriter) -> _Observed:
        """Compare what a day was billed on with what the meters counted, and write it, a block of points after another."""
        grid, first_quarter, points = self._grid, records[0].first_quarter, self._grid.bills.points
        status = for_all_points([one.status for one in records], points)
        quarters, count = status.shape
        import_kwh, export_kwh = [one.billed.import_kwh for one in records], [one.billed.export_kwh for one in records]
        errors: list[Errors] = []
        billed_otherwise: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        for some in blocks(count):
            counted = grid.customers.meters.day(first_quarter, quarters, some)
            billed = for_some_points(import_kwh, points, some), for_some_points(export_kwh, points, some)
            true = counted[0].astype(billed[0].dtype, copy=False), counted[1].astype(billed[0].dtype, copy=False)
            found = self.standing.bill(some, status[:, some], billed, true)
            errors += [] if found is None else [found]
            differs = np.flatnonzero(((billed[0] != true[0]) | (billed[1] != true[1])).any(axis=0))
            if grid.arm.smart and len(differs):
                billed_otherwise.append((some.start + differs, true[0][:, differs], true[1][:, differs]))
            self._write_meters(some, first_quarter, status[:, some], counted, writer)
        billed_eur = for_all_points([one.billed.bills.net for one in records], points)
        owed_eur = billed_eur.copy()
        for who, *true_kwh in billed_otherwise:
            owed_eur[who] = self._owed_eur(records, who, *true_kwh)
        self.standing.owe(billed_eur, owed_eur)
        return _Observed(status, Errors.joined(errors, quarters))

    def _owed_eur(
        self, records: Sequence[Record], who: np.ndarray, import_kwh: np.ndarray, export_kwh: np.ndarray
    ) -> np.ndarray:
        """What bills of the energies of some points, (quarters, k), would come to, (k,)."""
        owed_eur = np.zeros(len(who))
        for one, record in zip(self._grid.bills.retailers, records, strict=True):
            mine = np.flatnonzero(np.isin(who, one.points))
            columns = np.searchsorted(one.points, who[mine])
            owed_eur[mine] = one.bills_if(record, columns, import_kwh[:, mine], export_kwh[:, mine]).net
        return owed_eur

    def take_corrections(self) -> None:
        """Take in what later settlement runs have changed since the last call."""
        for k, bills in enumerate(self._grid.bills.retailers):
            for one in bills.corrections[self._corrections_seen[k] :]:
                self._correct(one)
            self._corrections_seen[k] = len(bills.corrections)

    def _correct(self, correction: Correction) -> None:
        changed = correction.changed
        observed = self._observed.get(changed.first_quarter)
        if observed is not None:  # else it is of the warm-up day
            observed.status = self.standing.replace(
                observed.status,
                changed.billed_kwh,
                observed.errors,
                changed.slots,
                changed.points,
                changed.was_read,
            )
            self.standing.correct(correction)
            self._corrections.append(correction)

    def _write_meters(
        self,
        points: slice,
        first_quarter: int,
        status: np.ndarray,
        counted: tuple[np.ndarray, np.ndarray],
        writer: TableWriter,
    ) -> None:
        import_kwh, export_kwh = (rounded(one.T, self._read_step_kwh) for one in counted)
        writer.write(
            "meters",
            {
                "meter": np.arange(points.start, points.stop, dtype=np.int32),
                "first_quarter": np.full(len(import_kwh), first_quarter),
                "import_kwh": import_kwh,
                "export_kwh": export_kwh,
                "status": np.ascontiguousarray(status.T),
            },
        )

    def _write_payments(self, of_ns: int, writer: TableWriter) -> None:
        """Write what has been paid for days up to the one that begins at `of_ns`, and has not been written yet."""
        rows = self._grid.ledger.rows()
        new = np.concatenate([self._held, np.arange(self._rows_seen, len(rows["of_ns"]))])
        due = rows["of_ns"][new] <= of_ns
        self._held, self._rows_seen = new[~due], len(rows["of_ns"])
        names = Text(self._grid.ledger.accounts.names)
        which_of_all, reasons = new[due], Text(REASON_NAMES)
        for some in blocks(max(len(which_of_all), 1), _PAYMENTS):
            which = which_of_all[some]
            writer.write(
                "ledger",
                {
                    "at_ns": rows["at_ns"][which],
                    "of_ns": rows["of_ns"][which],
                    "payer": Named(names, rows["payer"][which]),
                    "payee": Named(names, rows["payee"][which]),
                    "amount_millicent": rows["amount_millicent"][which],
                    "reason": Named(reasons, rows["reason"][which]),
                    "cause": rows["cause"][which],
                },
            )
