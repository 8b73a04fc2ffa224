"""`heptagrid bill RUN CUSTOMER`: what a customer owed on each day of a run, from its ledger, by which settlement run, and the message that each line rests on.

Nothing is run again; `explain` does, and splits a day's lines further.
"""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.reasons import LATER, Reason
from heptagrid.foundation.time import from_ns
from heptagrid.inquiry.bill_lines import bill_line, day_of
from heptagrid.inquiry.message_list import check_customer
from heptagrid.inquiry.waves import Waves, cause_entry
from heptagrid.planes.money.cents import CENT_PER_EUR
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR
from heptagrid.recording.chosen_arm import chosen_arm
from heptagrid.recording.monthly_bills import TABLE
from heptagrid.recording.results import Run, open_run

_NAMES = {
    Reason.ENERGY_BILL: "energy, network fee, levies and taxes by the kWh",
    Reason.STANDING_CHARGE: "supply, connection and metering for the day",
    Reason.DEMAND_CHARGE: "highest power and minimum of the month",
    Reason.ROUNDING: "rounding of taxes and lines",
    Reason.EXPORT_CREDIT: "credit for what was fed in, at its market value",
    Reason.FEED_IN_PREMIUM: "feed-in premium",
    Reason.FLEXIBILITY: "pay for flexibility",
    Reason.LOCAL_MARKET: "local market: its price above the grid's",
    Reason.SECOND_RUN: "second settlement run",
    Reason.FINAL_RUN: "final settlement run",
}
_WORDS = {reason.name.lower(): name for reason, name in _NAMES.items()}
_LATER = [reason.name.lower() for reason in LATER.values()]

_TYPICAL = "the days are typical ones, each of which stands for many of a year; together they are no bill of a year"


def run_bill(folder: str | Path, customer: int, arm: str | None = None) -> dict[str, Any]:
    """The bill of `customer` over a run: days, their lines by reason, each with its message and what caused that.

    Raises
    ------
    UsageError
        For a customer or an arm that the run does not have, or a run that was stopped before its first bills.
    OutputError
        If the folder is that of no run.
    """
    import polars

    run = open_run(folder)
    chosen = chosen_arm(run.manifest, arm)
    if not run.summary:
        raise UsageError(f"{run.folder} holds a run that was stopped before its first bills; there is none to show")
    check_customer(int(run.summary["customers"]), customer)
    name, zone = f"point {customer}", ZoneInfo(run.manifest["zone"])
    is_mine = (polars.col("payer") == name) | (polars.col("payee") == name)
    rows = run.ledger.filter((polars.col("arm") == chosen) & is_mine).sort("at_ns", maintain_order=True)
    waves: dict[int, Waves] = {}
    days: dict[str, list[dict[str, Any]]] = {}
    for row in rows.iter_rows(named=True):
        if row["run_day"] not in waves:
            waves[row["run_day"]] = Waves(run, chosen, row["run_day"])
        sign = 1 if row["payer"] == name else -1
        what = _WORDS.get(row["reason"], row["reason"].replace("_", " "))
        of_day = from_ns(row["of_ns"], zone).date()
        line = bill_line(
            row["reason"],
            f"{what} of {of_day}" if row["reason"] in _LATER else what,
            sign * row["amount_millicent"],
            None,
            row["cause"],
        )
        line["causes"] = _causes(waves[row["run_day"]], row["cause"], zone)
        days.setdefault(str(day_of(row["at_ns"], zone)), []).append(line)
    days = {day: _together(lines) for day, lines in days.items()}
    if not days:
        raise UsageError(f"the run was stopped before its first bills; there is none of customer {customer}")
    total = sum(line["amount_millicent"] for lines in days.values() for line in lines)
    return {
        "run": str(run.folder),
        "arm": chosen,
        "customer": customer,
        "remarks": [_TYPICAL] if run.manifest["typical_days"] else [],
        "zone": zone.key,
        "days": [
            {"day": day, "lines": lines, "total_eur": sum(one["amount_millicent"] for one in lines) / MILLICENT_PER_EUR}
            for day, lines in days.items()
        ],
        "months": _months(run, chosen, customer),
        "total_eur": total / MILLICENT_PER_EUR,
    }


def _months(run: Run, arm: str, customer: int) -> list[dict[str, Any]]:
    """The months of a customer with a monthly rate, by line; none for others. Of typical days each stands alone, and is of no month's bill."""
    import polars

    if not (run.folder / f"{TABLE}.parquet").exists():
        return []
    mine = run.table(TABLE).filter((polars.col("arm") == arm) & (polars.col("customer") == customer))
    months = []
    for (_, name), rows in mine.group_by(["run_day", "month"], maintain_order=True):
        first = rows.row(0, named=True)
        months.append(
            {
                "month": name,
                "days": first["days"],
                "of_days": first["of_days"],
                "status": "billed" if first["is_billed"] else "accrued",
                "lines": [
                    {
                        "line": one["line"],
                        "quantity": one["quantity"] or None,
                        "unit": one["unit"],
                        "price_eur": None if isnan(one["price"]) else one["price"],
                        "amount_eur": one["amount_cents"] / CENT_PER_EUR,
                    }
                    for one in rows.iter_rows(named=True)
                ],
                "total_eur": int(rows["amount_cents"].sum()) / CENT_PER_EUR,
            }
        )
    return months


def _together(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A day's lines with those of the local market, one for each bid, as one; it rests on the bid that came to most."""
    reason = Reason.LOCAL_MARKET.name.lower()
    bids = [one for one in lines if one["reason"] == reason]
    if len(bids) < 2:
        return lines
    amount = sum(one["amount_millicent"] for one in bids)
    most = max(bids, key=lambda one: abs(one["amount_millicent"]))
    one = most | {
        "line": f"{_WORDS[reason]}, {len(bids)} bids",
        "amount_millicent": amount,
        "amount_eur": amount / MILLICENT_PER_EUR,
    }
    return [*(each for each in lines if each["reason"] != reason), one]


def _causes(waves: Waves, message: int, zone: ZoneInfo) -> list[dict[str, Any]]:
    """The message that a line rests on, and what caused it, back to what no message caused; none for a line without one."""
    if message < 0:
        return []
    first = cause_entry(message, waves.of(message), zone)
    return [first, *(cause_entry(cause, wave, zone) for cause, wave in waves.chain(message))]
