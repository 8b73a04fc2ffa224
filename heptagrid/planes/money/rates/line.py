"""A line of a bill: what is charged, how much of it, and what it comes to for each month and customer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from heptagrid.foundation.calendar import Floats
from heptagrid.planes.money.rates.use import Use


@dataclass(frozen=True)
class Line:
    """rule: the kind of charge that made it. name: in words. amount : (months, customers), in the rate's currency, negative for a credit.

    quantity : (months, customers), in `unit`, None where nothing is counted. price: of a unit, None where it is not one alone.
    """

    rule: str
    name: str
    amount: Floats
    quantity: Floats | None = None
    unit: str = ""
    price: float | None = None

    def of_months(self, months: slice) -> Line:
        """The line of some months alone."""
        return replace(
            self, amount=self.amount[months], quantity=None if self.quantity is None else self.quantity[months]
        )


class Element(Protocol):
    """A charge of a rate that looks at what was metered alone."""

    def lines(self, use: Use) -> list[Line]:
        """Its lines of all months."""
        ...
