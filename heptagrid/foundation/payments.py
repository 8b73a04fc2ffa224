"""The port through which actors pay: payer, payee, amount, reason, cause; what keeps the accounts is behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.reasons import Reason
from heptagrid.foundation.settlement_runs import Parameters, SettlementRun
from heptagrid.foundation.time import NS_PER_QUARTER, Step, midnight_ns


@dataclass(frozen=True)
class Dates:
    """When a payment is made, and the first instant of the local day that it is for."""

    at_ns: int
    of_ns: int


@dataclass(frozen=True)
class SettledAgain:
    """A day that a later settlement run takes up, [first, last) in quarter hours since 1970."""

    run: SettlementRun
    dates: Dates
    first_quarter: int
    last_quarter: int

    def slots_of(self, quarter: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """Which quarter hours, (k,), are of the day, and the slots of these."""
        mine = (quarter >= self.first_quarter) & (quarter < self.last_quarter)
        return mine, quarter[mine] - self.first_quarter


@dataclass(frozen=True)
class PaidDays:
    """The local days that payments are for, from the one that begins at `first_ns` on, and when each is settled."""

    zone: ZoneInfo
    first_ns: int
    runs: Parameters = field(default_factory=Parameters)

    def yesterday(self, step: Step) -> Dates | None:
        """A payment at the step's end for the day before; None if there was none yet."""
        return self._ago(step, 1)

    def settled_again(self, step: Step) -> Iterator[SettledAgain]:
        """The days that a later settlement run takes up on the step's day, the younger one first."""
        for run in (SettlementRun.SECOND, SettlementRun.FINAL):
            age_days = self.runs.age_days(run)
            dates = self._ago(step, age_days)
            if dates is not None:
                end_ns = midnight_ns(step.day - timedelta(days=age_days - 1), self.zone)
                yield SettledAgain(run, dates, dates.of_ns // NS_PER_QUARTER, end_ns // NS_PER_QUARTER)

    def _ago(self, step: Step, days: int) -> Dates | None:
        of_ns = _day_before_ns(step.day, days, self.zone)
        return Dates(step.end_ns, of_ns) if of_ns >= self.first_ns else None


@lru_cache(maxsize=64)
def _day_before_ns(day: date, days: int, zone: ZoneInfo) -> int:
    """The first instant of a local day some days before another; who pays asks for it in every step."""
    return midnight_ns(day - timedelta(days=days), zone)


class Payments(Protocol):
    """Takes payments; the first implementation posts them in the run's ledger.

    payer, payee: accounts (`heptagrid.world.accounts`). amount_eur: negative swaps payer and payee. cause: index of the message that caused
    the payment, -1 if none did. Accounts, amounts and causes are single values or arrays of one length.
    """

    def pay(
        self,
        reason: Reason,
        payer: npt.ArrayLike,
        payee: npt.ArrayLike,
        amount_eur: npt.ArrayLike,
        dates: Dates,
        cause: npt.ArrayLike = -1,
    ) -> None:
        """The payer pays the payee."""

    def pass_on(
        self, reason: Reason, payer: int, through: int, payee: int, amount_eur: float, dates: Dates, cause: int = -1
    ) -> None:
        """The payer pays one who pays the payee the same, to the last thousandth of a cent."""
