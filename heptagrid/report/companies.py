"""The retailers and aggregators of a run side by side, where there are several of either."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heptagrid.report.rendering import render
from heptagrid.report.words import ARM_TITLES, number, signed

Summary = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """Heading, decimals, the figure of a company in an arm, None if it has none, and whether a difference of it means something."""

    head: str
    digits: int
    value: Callable[[Summary], float | None]
    has_change: bool = True


RETAILERS = (
    Column("customers", 0, lambda one: float(one["customers"]), False),
    Column("supplied, MWh", 2, lambda one: float(one["supplied_mwh"])),
    Column("received, EUR", 0, lambda one: float(one["received_eur"])),
    Column("paid, EUR", 0, lambda one: float(one["paid_eur"])),
    Column("of it imbalance, EUR", 0, lambda one: float(one["imbalance_eur"])),
    Column("margin, EUR", 0, lambda one: float(one["margin_eur"])),
    Column("margin per customer, EUR", 3, lambda one: _of_each(one["margin_eur"], one["customers"])),
)
AGGREGATORS = (
    Column("customers", 0, lambda one: float(one["customers"]), False),
    Column("devices enrolled", 0, lambda one: float(one["enrolled_devices"]), False),
    Column("moved on request, kWh", 0, lambda one: float(one["moved_kwh"])),
    Column("paid for it, EUR", 0, lambda one: float(one["flexibility_eur"])),
    Column("received for relief, EUR", 0, lambda one: float(one["relief_eur"])),
    Column("balance, EUR", 0, lambda one: float(one["margin_eur"])),
)
COLUMNS = {"retailer": RETAILERS, "aggregator": AGGREGATORS}


def companies_of(summary: Summary, kind: str) -> list[str]:
    """The names of a run's retailers or aggregators; that of an only one is its kind."""
    arm = next(iter(summary["arms"].values()))
    return [_called(one) for one in arm.get("companies", ()) if one["kind"] == kind]


def has_several(summary: Summary) -> bool:
    """Whether there is more than one retailer or more than one aggregator."""
    return any(len(companies_of(summary, kind)) > 1 for kind in COLUMNS)


def companies_section(summary: Summary) -> str:
    """A table of the retailers and one of the aggregators, every arm and the difference."""
    tables = [
        {"kind": kind, "heads": [one.head for one in columns], "companies": company_rows(summary, kind)}
        for kind, columns in COLUMNS.items()
    ]
    return render("run/companies.html", {"tables": tables})


def company_rows(summary: Summary, kind: str) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """Of each company of a kind its name, and rows of a title and cells: an arm, or the difference between smart and conventional."""
    found = []
    for k, name in enumerate(companies_of(summary, kind)):
        of_arms = {
            arm: [one for one in entry["companies"] if one["kind"] == kind][k] for arm, entry in summary["arms"].items()
        }
        found.append((name, _rows(of_arms, COLUMNS[kind])))
    return found


def _rows(of_arms: Mapping[str, Summary], columns: Sequence[Column]) -> list[tuple[str, list[str]]]:
    rows = [
        (ARM_TITLES[arm], [number(column.value(one), column.digits) for column in columns])
        for arm, one in of_arms.items()
    ]
    if {"smart", "conventional"} <= of_arms.keys():
        smart, conventional = of_arms["smart"], of_arms["conventional"]
        change = [
            _change(one.value(conventional), one.value(smart), one.digits) if one.has_change else "" for one in columns
        ]
        rows.append(("difference", change))
    return rows


def _change(before: float | None, after: float | None, digits: int) -> str:
    return "" if before is None or after is None else signed(after - before, digits)


def _of_each(amount: float, customers: int) -> float | None:
    return amount / customers if customers else None


def _called(one: Summary) -> str:
    return str(one["name"]).removeprefix(one["kind"]).strip() or str(one["kind"])
