"""The lines of a customer's bill of one day, each with the ledger's entry that it rests on."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np

from heptagrid.domains.providers.billing import Record
from heptagrid.foundation.time import NS_PER_HOUR, from_ns
from heptagrid.inquiry.consequences import run_rows, settlement_run_of
from heptagrid.inquiry.replay import Replay
from heptagrid.planes.money.cents import CENT_PER_EUR, cents
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR, millicent
from heptagrid.planes.money.tariffs.billing_rules import EUR_PER_CT
from heptagrid.planes.money.tariffs.under_rate import CREDITS, OF_POWER
from heptagrid.planes.money.upkeep import PAY_HOUR
from heptagrid.recording.results import Run

Owed = dict[str, tuple[int, int]]
"""Millicents to pay (negative: to be paid) and the message that caused it, by reason."""


def day_of(at_ns: int, zone: Any) -> date:
    """The day that a line posted at `at_ns` is for: bills are made an hour after the day's end, or at a step's end then."""
    return from_ns(at_ns - round(PAY_HOUR * NS_PER_HOUR), zone).date() - timedelta(days=1)


def bill_line(reason: str, name: str, amount: int, kwh: float | None, message: int) -> dict[str, Any]:
    """A line of a bill: its amount in millicents, what was used (kWh), and the message that it rests on (-1: none)."""
    return {
        "reason": reason,
        "settlement_run": settlement_run_of(reason),
        "line": name,
        "amount_millicent": amount,
        "amount_eur": amount / MILLICENT_PER_EUR,
        "kwh": kwh,
        "message": message if message >= 0 else None,
    }


def owed_of_day(run: Run, replay: Replay, customer: int, day: date) -> Owed:
    """The customer's lines of the ledger for the day."""
    import polars

    name, zone = f"point {customer}", replay.scenario.zone
    mine = run_rows(run.ledger, replay).filter((polars.col("payer") == name) | (polars.col("payee") == name))
    found: Owed = {}
    for row in mine.iter_rows(named=True):
        if day_of(row["at_ns"], zone) == day:
            sign = 1 if row["payer"] == name else -1
            before, _ = found.get(row["reason"], (0, -1))
            found[row["reason"]] = before + sign * row["amount_millicent"], row["cause"]
    return found


def lines_of_day(replay: Replay, customer: int, settled: Record, owed: Owed) -> list[dict[str, Any]]:
    """The bill's lines; each reason's parts add up to its line of the ledger, all in whole cents."""
    bills, supply, column = settled.bills, replay.grid.bills.of(customer).terms.supply, settled.column(customer)
    used_kwh = float(settled.known.import_kwh[:, column].sum(dtype=np.float64))
    fed_kwh = float(settled.known.export_kwh[:, column].sum(dtype=np.float64))
    margin_eur = float(cents(used_kwh * supply.margin_ct_per_kwh * EUR_PER_CT)) / CENT_PER_EUR
    parts: dict[str, list[tuple[str, float]]] = {
        "energy_bill": [
            ("energy", float(bills.energy[column]) - margin_eur),
            ("retailer's margin", margin_eur),
            ("network fee", float(bills.network[column])),
            ("levies, concession fee and electricity tax", float(bills.state[column])),
            ("value added tax on the energy", float(bills.energy_vat[column])),
        ],
        "standing_charge": [
            ("supply, for the day", float(bills.standing[column])),
            ("network connection, for the day", float(bills.base[column])),
            ("metering, for the day", float(bills.metering[column])),
            ("value added tax on the day's charges", float(bills.standing_vat[column])),
        ],
        "rounding": [("rounding of the value added tax", 0.0)],
        "export_credit": [("credit for what was fed in, at its market value", 0.0)],
        "feed_in_premium": [("feed-in premium", 0.0)],
        "demand_charge": [],
        "flexibility": [("pay for flexibility", 0.0)],
        "local_market": [("local market: its price above the grid's", 0.0)],
    }
    parts |= _of_month(settled, column)
    kwh = {"energy_bill": used_kwh, "export_credit": fed_kwh, "feed_in_premium": fed_kwh}
    lines = []
    for reason, named in parts.items():
        if reason not in owed:
            continue
        left, cause = owed[reason]
        for k, (name, amount_eur) in enumerate(named):
            amount = left if k == len(named) - 1 else int(millicent(amount_eur))
            left -= amount
            lines.append(bill_line(reason, name, amount, kwh.get(reason), cause))
    return lines


_REASONS = {"fixed": "standing_charge", "minimum": "demand_charge", **dict.fromkeys(OF_POWER, "demand_charge")}


def _of_month(settled: Record, column: int) -> dict[str, list[tuple[str, float]]]:
    """For a customer with a monthly rate: what the day added to each line of its month, by the ledger's reasons; a tax stands last."""
    for columns, added in settled.of_months:
        at = int(np.searchsorted(columns, column))
        if at == len(columns) or columns[at] != column:
            continue
        parts: dict[str, list[tuple[str, float]]] = {}
        for rule, name, amount in zip(added.rules, added.names, added.cents[:, at], strict=True):
            reason = "export_credit" if rule in CREDITS else _REASONS.get(rule, "energy_bill")
            if amount:
                parts.setdefault(reason, []).append((name, float(amount) / CENT_PER_EUR))
        bills = settled.bills
        for reason, what, tax in (
            ("energy_bill", "energy", bills.energy_vat),
            ("standing_charge", "fixed charges", bills.standing_vat),
            ("demand_charge", "power and minimum", bills.demand_vat),
        ):
            if tax[column]:
                parts.setdefault(reason, []).append((f"tax on {what}", float(tax[column])))
        named = {reason: parts.get(reason) or [("nothing", 0.0)] for reason in ("energy_bill", "standing_charge")}
        return {"rounding": [("rounding of the month's lines", 0.0)]} | parts | named
    return {}


def month_of(settled: Record, column: int) -> str | None:
    """What a day is of its month, for a customer with a monthly rate."""
    for columns, added in settled.of_months:
        if column in columns:
            month = f"{added.year}-{added.month:02}"
            if added.is_billed:
                return f"the day completes {month}: with it the month is billed by the customer's rate, and the lines are what it adds to the month's"
            how = "what is by the month, limits of tiers and the price of the highest power count in proportion"
            return f"{month} has accrued by the customer's rate: {how} to its {added.of_days} days, and the lines are what the day adds to the month's"
    return None
