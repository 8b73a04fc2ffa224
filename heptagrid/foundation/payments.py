"""The port through which actors pay: payer, payee, amount, reason, cause; what keeps the accounts is behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy.typing as npt

from heptagrid.foundation.reasons import Reason
from heptagrid.foundation.time import Step, midnight_ns


@dataclass(frozen=True)
class Dates:
    """When a payment is made, and the first instant of the local day that it is for."""

    at_ns: int
    of_ns: int


@dataclass(frozen=True)
class PaidDays:
    """The local days that payments are for, from the one that begins at `first_ns` on."""

    zone: ZoneInfo
    first_ns: int

    def yesterday(self, step: Step) -> Dates | None:
        """A payment at the step's end for the day before; None if there was none yet."""
        of_ns = midnight_ns(step.day - timedelta(days=1), self.zone)
        return Dates(step.end_ns, of_ns) if of_ns >= self.first_ns else None


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
