"""The months of customers with a monthly rate, by line: the bills of whole months, and what has accrued of others."""

from __future__ import annotations

import numpy as np

from heptagrid.domains.providers.all_bills import AllBills
from heptagrid.planes.money.cents import Ints
from heptagrid.planes.money.monthly_account import Statement
from heptagrid.recording.tables import TableWriter

TABLE = "monthly_bills"


def write_monthly_bills(bills: AllBills, writer: TableWriter) -> None:
    """A row for each customer, month and line that is not nothing; without customers with a monthly rate there is no table."""
    for retailer in bills.retailers:
        for account in retailer.monthly.values():
            for statement in account.statements():
                _write(retailer.points[account.columns], statement, writer)


def _write(customers: Ints, month: Statement, writer: TableWriter) -> None:
    rest = {"rounding": month.rounding, "tax": month.tax}
    names = [*month.names, *rest]
    cents = np.concatenate([month.cents, np.array(list(rest.values()))])
    quantities = np.concatenate([month.quantities, np.zeros((len(rest), len(customers)))])
    line, point = np.nonzero((cents != 0) | (quantities != 0.0))
    prices = np.array([*(np.nan if one is None else one for one in month.prices), *(np.nan for _ in rest)])
    count = len(line)
    writer.write(
        TABLE,
        {
            "customer": customers[point],
            "month": [f"{month.year}-{month.month:02}"] * count,
            "days": np.full(count, month.days),
            "of_days": np.full(count, month.of_days),
            "is_billed": np.full(count, month.is_billed),
            "line": [names[k] for k in line],
            "quantity": quantities[line, point],
            "unit": [(*month.units, "", "")[k] for k in line],
            "price": prices[line],
            "amount_cents": cents[line, point],
        },
    )
