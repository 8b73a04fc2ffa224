"""Bills of a rate, month by month, as a table for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heptagrid.report.words import number


def rate_bill_text(found: Mapping[str, Any]) -> str:
    """Each month's lines and total, and all together; `found` is the summary of a study of bills."""
    currency = found["currency"]
    lines = [
        f"{found['tariff']}, {number(found['import_kwh'], 3)} kWh taken, {number(found['export_kwh'], 3)} kWh fed in"
    ]
    for month in found["months"]:
        lines += ["", f"{month['month']}  ({number(month['days'], 2)} days)"]
        lines += [_line(one, currency) for one in month["lines"]]
        if month["rounding"]:
            lines.append(_amount("rounding", "", month["rounding"], currency))
        lines += [
            _amount(f"{one['tax']} {number(100 * one['share'], 2)} %", "", one["amount"], currency)
            for one in month["taxes"]
        ]
        lines.append(_amount("total", "", month["total"], currency))
    lines += ["", _amount("all months", "", found["total"], currency)]
    return "\n".join(lines)


def _line(one: Mapping[str, Any], currency: str) -> str:
    quantity = "" if one["quantity"] is None else f"{number(one['quantity'], 3)} {one['unit']}"
    if quantity and one["price"] is not None:
        quantity += f" x {one['price']:.6g}"
    return _amount(one["line"], quantity, one["amount"], currency)


def _amount(name: str, quantity: str, amount: float, currency: str) -> str:
    return f"  {name:44} {quantity:>32} {number(amount, 2):>12} {currency}"
