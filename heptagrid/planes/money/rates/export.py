"""What an export rule is: how a rate sets what a customer fed in against what it took, and what of it is carried to later months."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from heptagrid.foundation.calendar import Floats
from heptagrid.foundation.errors import UsageError
from heptagrid.planes.money.rates.energy import Energy
from heptagrid.planes.money.rates.line import Line
from heptagrid.planes.money.rates.use import Use

DECEMBER = 12


def check_month(month: int) -> None:
    """Refuse a true-up in a month that there is not.

    Raises
    ------
    UsageError
    """
    if not 1 <= month <= DECEMBER:
        raise UsageError(f"a true-up in month {month}: it is no month; write 1 to 12")


@dataclass(frozen=True)
class Balance:
    """What is carried from month to month: kWh by period, (periods, customers); kWh of the whole meter and money, (customers,)."""

    kwh: Floats | None = None
    whole_kwh: Floats | None = None
    money: Floats | None = None


@dataclass(frozen=True)
class Settled:
    """The lines of energy and credit; those that are paid out at a true-up, after minimum charges; and what is left."""

    lines: list[Line]
    paid_out: list[Line] = field(default_factory=list)
    balance: Balance = field(default_factory=Balance)


class Export(ABC):
    """A rule for what is fed in."""

    @abstractmethod
    def settle(self, energy: Energy, use: Use, opening: Balance) -> Settled:
        """The lines of all months, from the balance that was left before them."""
