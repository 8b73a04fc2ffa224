"""What each settlement run came to: how many days, entries and reads, and how much money, from the ledger; and which reads came too late for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.domains.operations.customers_desk import CustomersDesk
from heptagrid.domains.providers.all_bills import AllBills
from heptagrid.domains.providers.billing import Correction
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.reasons import Reason
from heptagrid.foundation.settlement_runs import RUN_NAMES, Parameters, SettlementRun
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR, Ledger
from heptagrid.world.accounts import FIRST_POINT

Ints = npt.NDArray[np.int64]

_RUNS = len(SettlementRun)


@dataclass(frozen=True)
class SettlementBooks:
    """By run, (3,) each; money in millicents. Of the first run what was settled, of later ones what they changed.

    points_paid, points_received: by metering points for energy and the days, gross. retailers_paid, losses_paid: to the market by retailers and by
    distribution, less what they received. reads, registered: late reads, and quarter hours that registers told, that a run took in. too_late, waiting: (1,)
    reads that came after the final run of their day; reads and quarter hours that no run has taken in at the end.
    """

    days: Ints
    entries: Ints
    points_paid: Ints
    points_received: Ints
    retailers_paid: Ints
    losses_paid: Ints
    reads: Ints
    registered: Ints
    too_late: Ints
    waiting: Ints

    def __add__(self, other: SettlementBooks) -> SettlementBooks:
        return SettlementBooks(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})

    @staticmethod
    def nothing() -> SettlementBooks:
        single = ("too_late", "waiting")
        sizes = {one.name: 1 if one.name in single else _RUNS for one in fields(SettlementBooks)}
        return SettlementBooks(**{name: np.zeros(size, dtype=np.int64) for name, size in sizes.items()})

    def summary(self, ages: Parameters) -> dict[str, Any]:
        """The arm's entry; money in EUR."""
        money = ("points_paid", "points_received", "retailers_paid", "losses_paid")
        counts = ("days", "entries", "reads", "registered")
        runs = [
            {"run": RUN_NAMES[run], "after_days": ages.age_days(run)}
            | {name: int(getattr(self, name)[run - 1]) for name in counts}
            | {f"{name}_eur": int(getattr(self, name)[run - 1]) / MILLICENT_PER_EUR for name in money}
            for run in SettlementRun
        ]
        return {"runs": runs, "too_late": int(self.too_late[0]), "waiting": int(self.waiting[0])}


def settlement_books(
    ledger: Ledger, days: Mapping[date, int], corrections: Sequence[Correction], ages: Parameters
) -> SettlementBooks:
    """The books of billed days, each with its first instant; `corrections`: what their later runs changed of bills."""
    found = SettlementBooks.nothing()
    rows = ledger.rows()
    kept = np.isin(rows["of_ns"], np.array([*days.values()], dtype=np.int64))
    run_of = np.array([one.run or 0 for one in Reason], dtype=np.int64)
    payer, payee, amount = (rows[name][kept].astype(np.int64) for name in ("payer", "payee", "amount_millicent"))
    run = run_of[rows["reason"][kept]]
    columns = ledger.accounts.columns
    is_point = np.zeros(len(columns), dtype=np.bool_)
    is_point[FIRST_POINT : FIRST_POINT + ledger.accounts.points] = True
    closed = max(days, default=date.min).toordinal() + 1  # the day on which the last was billed
    for one in SettlementRun:
        k, mine = one - 1, run == one
        found.days[k] = sum(day.toordinal() + ages.age_days(one) <= closed for day in days)
        found.entries[k] = mine.sum()
        found.points_paid[k] = amount[mine & is_point[payer]].sum()
        found.points_received[k] = amount[mine & is_point[payee]].sum()
        for sums, column in ((found.retailers_paid, Domain.PROVIDERS), (found.losses_paid, Domain.DISTRIBUTION)):
            out = amount[mine & (columns[payer] == column) & (payee == Domain.MARKETS)].sum()
            back = amount[mine & (columns[payee] == column) & (payer == Domain.MARKETS)].sum()
            sums[k] = out - back
        found.reads[k] = sum(int(each.reads.sum()) for each in corrections if each.run == one)
        found.registered[k] = sum(int(each.settled.sum()) for each in corrections if each.run == one)
    return found


def unsettled(desk: CustomersDesk, bills: AllBills, first_quarter: int) -> tuple[int, int]:
    """Reads, from a quarter hour on, that came after their day's final run; and reads and settled quarter hours that no run has taken in."""
    too_late = sum(count for quarter, count in desk.store.too_late.items() if quarter >= first_quarter)
    waiting = sum(count for quarter, count in desk.known_later().items() if quarter >= first_quarter)
    for billing in bills.retailers:
        for record in billing.records:
            if record.first_quarter >= max(first_quarter, desk.open_from):
                waiting -= int((record.taken > 0).sum())
    return too_late, waiting
