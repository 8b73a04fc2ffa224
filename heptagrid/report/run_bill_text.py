"""A customer's bill over a run, day by day, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heptagrid.report.trace_text import when
from heptagrid.report.words import kind_words, number


def run_bill_text(found: Mapping[str, Any]) -> str:
    """Each day's lines with what they rest on, and all together."""
    lines = [f"Customer {found['customer']}, {found['arm']} arm, {len(found['days'])} days"]
    lines += [f"note: {one}" for one in found["remarks"]]
    for day in found["days"]:
        lines += ["", day["day"]]
        lines += [_line(one["line"], one["amount_eur"], f"{_run(one)}  {_rests(one)}") for one in day["lines"]]
        lines.append(_line("together", day["total_eur"], ""))
    lines += ["", _line("all days", found["total_eur"], "")]
    for month in found["months"]:
        lines += ["", *_month(month)]
    lines += [
        "",
        f"What a day's lines are made of: heptagrid explain {found['run']} --bill {found['customer']} --day DATE",
    ]
    return "\n".join(lines)


def _month(month: Mapping[str, Any]) -> list[str]:
    """A month by a monthly rate: its bill, or what has accrued of it."""
    if month["status"] == "billed":
        lines = [f"{month['month']}, the month's bill, {month['of_days']} days"]
    else:
        lines = [
            f"{month['month']}, accrued for {round(month['days'], 1):g} of {month['of_days']} days: no bill yet; fixed and minimum charges, limits of tiers",
            "  and the price of the highest power count in proportion to the days",
        ]
    for one in month["lines"]:
        counted = "" if one["quantity"] is None else f"{number(one['quantity'], 3)} {one['unit']}"
        if counted and one["price_eur"] is not None:
            counted += f" x {one['price_eur']:.6g}"
        lines.append(_line(one["line"], one["amount_eur"], counted))
    return [*lines, _line("together", month["total_eur"], "")]


def _line(name: str, eur: float, rests: str) -> str:
    return f"  {name:50} {number(eur, 2):>10} EUR  {rests}".rstrip()


def _run(line: Mapping[str, Any]) -> str:
    """Which settlement run posted the line."""
    run = line["settlement_run"]
    return f"{run + ' run' if run else '':10}"


def _rests(line: Mapping[str, Any]) -> str:
    if not line["causes"]:
        return ""
    first, last = line["causes"][0], line["causes"][-1]
    text = f"message {first['id']} ({kind_words(first['kind'])}, {first['sender']} to {first['receiver']}, {when(first['sent'], date=True)})"
    return f"{text}; in the end: {last['root']}" if last["root"] else text
