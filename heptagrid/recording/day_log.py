"""Follows what is billed and paid: writes each day's reads and payments once the day has been billed, and counts what rests on estimates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from heptagrid.assembly.arm import ArmGrid
from heptagrid.assembly.span import Span
from heptagrid.contracts.metering import KEPT_DAYS
from heptagrid.domains.providers.billing import Record
from heptagrid.foundation.reasons import REASON_NAMES
from heptagrid.planes.money import settlement
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR, eur
from heptagrid.recording.standing_estimates import Standing
from heptagrid.recording.tables import TableWriter
from heptagrid.recording.totals import DayBooks
from heptagrid.world.accounts import FIRST_POINT

if TYPE_CHECKING:
    from heptagrid.recording.arm_result import ArmResult


@dataclass
class _Observed:
    """What was known of each read of a billed day, and by how much it was off, (quarters, points)."""

    status: np.ndarray
    error_kwh: np.ndarray


class DayLog:
    """Observes one arm's billing, market and ledger; it posts nothing."""

    def __init__(self, grid: ArmGrid, span: Span) -> None:
        self.traded_mwh: dict[str, float] = {}
        self.standing = Standing(grid.world.points)
        self._grid, self._first_ns = grid, span.start_ns
        self._days: list[tuple[date, int]] = []  # those that have been billed, and their first instants
        self._observed: dict[int, _Observed] = {}  # by first quarter hour
        self._corrections_seen = 0
        self._rows_seen = 0
        self._held = np.empty(0, dtype=np.int64)  # rows of the ledger that are for days not billed yet

    def note(self, writer: TableWriter) -> None:
        """Take in a step: a day that was billed in it, if it is one that counts."""
        records = self._grid.billing.records
        if not records or records[-1].dates.of_ns < self._first_ns:
            return
        if not self._days or self._days[-1][1] != records[-1].dates.of_ns:
            self._take(records[-1], writer)

    def finish(self, result: ArmResult) -> None:
        """Check that what was paid for the billed days balances, and hand over."""
        ledger, grid = self._grid.ledger, self._grid
        billed_ns = [of_ns for _, of_ns in self._days]
        totals = ledger.totals(billed_ns)
        totals.check()
        customers = slice(FIRST_POINT, FIRST_POINT + grid.world.customers_count)
        result.money, result.traded_mwh = totals, self.traded_mwh
        result.bills_eur = -ledger.balances(billed_ns)[customers] / MILLICENT_PER_EUR
        terms, customers_count = grid.billing.terms, grid.world.customers_count
        for k, tariff in enumerate(terms.offers.tariffs):
            under_it = terms.tariff_of[:customers_count] == k
            result.tariffs[tariff.name] = int(under_it.sum()), float(result.bills_eur[under_it].sum())
        peaks_kw = grid.charges.peaks_kw
        result.days = [
            DayBooks(day, eur(ledger.totals([of_ns]).by_domain), peaks_kw[of_ns]) for day, of_ns in self._days
        ]
        result.delivered_kwh, result.billed_kwh = self.standing.delivered_kwh, self.standing.billed_kwh
        if grid.arm.smart:
            result.metering = self.standing.summary()

    def _take(self, record: Record, writer: TableWriter) -> None:
        grid, of_ns, billed = self._grid, record.dates.of_ns, record.billed
        self._days.append((record.day, of_ns))
        self.take_corrections()
        counted = grid.customers.meters.day(record.first_quarter, len(record.status))
        market = grid.settlement.days[of_ns]
        for name, each in settlement.traded_mwh(market.position_mwh, market.settled_mwh).items():
            self.traded_mwh[name] = self.traded_mwh.get(name, 0.0) + each
        true_kwh = tuple(one.astype(billed.import_kwh.dtype) for one in counted)
        smart, terms = grid.arm.smart, grid.billing.terms
        owed_eur = terms.bills(true_kwh[0], true_kwh[1], billed.slots).net if smart else billed.bills.net
        error_kwh = self.standing.bill(
            record.status,
            (billed.import_kwh, billed.export_kwh, billed.bills.net),
            (true_kwh[0], true_kwh[1], owed_eur),
        )
        if smart:
            self._observed[record.first_quarter] = _Observed(record.status, error_kwh)
            self._observed = {first: self._observed[first] for first in sorted(self._observed)[-KEPT_DAYS:]}
        self._write_meters(record, counted, writer)
        self._write_payments(of_ns, writer)

    def take_corrections(self) -> None:
        """Take in what late reads have corrected since the last call."""
        made = self._grid.billing.corrections
        for one in made[self._corrections_seen :]:
            changed = one.changed
            observed = self._observed.get(changed.first_quarter)
            if observed is not None:  # else it is of the warm-up day
                observed.status = self.standing.replace(
                    observed.status,
                    changed.billed_kwh,
                    observed.error_kwh,
                    changed.slots,
                    changed.points,
                    changed.was_read,
                )
                self.standing.correct(one)
        self._corrections_seen = len(made)

    def _write_meters(self, record: Record, counted: tuple[np.ndarray, np.ndarray], writer: TableWriter) -> None:
        points = counted[0].shape[1]
        writer.write(
            "meters",
            {
                "meter": np.arange(points, dtype=np.int32),
                "first_quarter": np.full(points, record.first_quarter),
                "import_kwh": counted[0].T.astype(np.float32),
                "export_kwh": counted[1].T.astype(np.float32),
                "status": np.ascontiguousarray(record.status.T),
            },
        )

    def _write_payments(self, of_ns: int, writer: TableWriter) -> None:
        """Write what has been paid for days up to the one that begins at `of_ns`, and has not been written yet."""
        rows = self._grid.ledger.rows()
        new = np.concatenate([self._held, np.arange(self._rows_seen, len(rows["of_ns"]))])
        due = rows["of_ns"][new] <= of_ns
        self._held, self._rows_seen = new[~due], len(rows["of_ns"])
        which = new[due]
        names = np.array(self._grid.ledger.accounts.names)
        writer.write(
            "ledger",
            {
                "at_ns": rows["at_ns"][which],
                "of_ns": rows["of_ns"][which],
                "payer": names[rows["payer"][which]].tolist(),
                "payee": names[rows["payee"][which]].tolist(),
                "amount_millicent": rows["amount_millicent"][which],
                "reason": np.array(REASON_NAMES)[rows["reason"][which]].tolist(),
                "cause": rows["cause"][which],
            },
        )
