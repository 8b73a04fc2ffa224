"""What a sweep over technologies says of the cost of communication and of what hangs on its messages, in sentences of plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from heptagrid.report.words import number, plain, signed

Content = Mapping[str, Any]

UNIT = "EUR per customer and year"
DIGITS = 2


def communication_sentences(one: Content) -> list[str]:
    """The answer for the best of the technologies, what hangs on its messages, and whether the smart grid as a whole pays."""
    rows = one["rows"]
    best = best_row(one)
    said = [_answer(rows, best), _benefits(best), _whole(best)]
    if len(rows) > 1:
        paying = [plain(row["value"]) for row in rows if row["pays"]]
        said.insert(1, _others(rows, paying, best))
    return said


def best_row(one: Content) -> Content:
    """The row whose messages are worth most beyond their cost."""
    best: Content = max(one["rows"], key=lambda row: row["hanging_eur"] - row["cost_eur"])
    return best


def of_customer(row: Content, what: str) -> float:
    """A row's figure per customer and year, mean over the seeds."""
    return float(row["eur_per_customer_year"][what]["mean"])


def _answer(rows: Sequence[Content], best: Content) -> str:
    cost, hanging = of_customer(best, "cost"), of_customer(best, "break_even")
    name = plain(best["value"])
    verb = "pays for itself" if best["pays"] else "does not pay for itself"
    which = f" with any of {len(rows)} technologies" if len(rows) > 1 and not best["pays"] else ""
    lost = (
        f"{'only ' if 0.0 < hanging < cost else ''}{number(hanging, DIGITS)} EUR of benefits would be lost without its messages"
        if hanging > 0.0
        else "no benefit would be lost without its messages"
    )
    nearest = " the nearest is" if which else ""
    return (
        f"Communication {verb}{which}:{nearest} {name}, which costs {number(cost, DIGITS)} {UNIT}, and {lost}."
        if which
        else f"Communication {verb}: with {name} it costs {number(cost, DIGITS)} {UNIT}, and {lost}."
    )


def _others(rows: Sequence[Content], paying: Sequence[str], best: Content) -> str:
    each = "; ".join(
        f"{plain(row['value'])} {number(of_customer(row, 'cost'), DIGITS)} against {number(of_customer(row, 'break_even'), DIGITS)}"
        for row in rows
        if row is not best
    )
    count = f"{len(paying)} of {len(rows)} pay for themselves" if paying else "none pays for itself"
    return f"Of the technologies {count}. The others, what they cost against what would be lost without their messages: {each}."


def _benefits(best: Content) -> str:
    """What the part that hangs on messages is made of, the largest first."""
    per = best["eur_per_customer_year"]["break_even"]["mean"]
    hanging = best["hanging_eur"]
    years = hanging / per if per else 0.0
    parts = sorted(
        ((part["title"], part["with_eur"] - part["without_eur"]) for part in best["benefits"]),
        key=lambda part: -abs(part[1]),
    )
    shown = [
        f"{title} {signed(eur / years, DIGITS)}"
        for title, eur in parts
        if years and abs(eur / years) >= 0.5 * 10**-DIGITS
    ]
    upto = (
        f"Up to {number(per, DIGITS)} {UNIT} communication with {plain(best['value'])} would pay (break-even)"
        if per > 0.0
        else f"Communication with {plain(best['value'])} would not pay at any price"
    )
    return f"{upto}; what hangs on its messages is {', '.join(shown) or 'nothing'}."


def _whole(best: Content) -> str:
    npv, limit = of_customer(best, "npv"), of_customer(best, "whole_break_even")
    ends = (
        f"it would pay if communication cost less than {number(limit, DIGITS)}"
        if npv < 0.0 < limit
        else f"it pays up to {number(limit, DIGITS)} for communication"
        if npv >= 0.0
        else "it would not pay if communication cost nothing"
    )
    verb = "gains" if npv >= 0.0 else "loses"
    return (
        f"The smart grid as a whole, its meters, sensors, control boxes and systems paid too, {verb} society "
        f"{number(abs(npv), DIGITS)} {UNIT} with it: {ends}."
    )
