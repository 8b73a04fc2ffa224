"""Who may send what to whom: what is declared here or by an installed part, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from heptagrid.contracts import (
    control,
    flexibility,
    inverters,
    local_market,
    market,
    metering,
    outside,
    retail,
    telemetry,
)
from heptagrid.contracts.kinds import FACTS
from heptagrid.foundation.contract import Contract, columns
from heptagrid.foundation.registry import devices

FAMILIES = (metering, telemetry, control, market, retail, flexibility, local_market)


@cache
def declared() -> tuple[Contract[Any], ...]:
    """The contracts of all families in their order, the signals and orders of all classes of devices, the functions of those with inverters, the bids of those that bid, and other programs' frames."""
    own = [one for family in FAMILIES for one in vars(family).values() if isinstance(one, Contract)]
    bids = (local_market.bid(name) for name, device in devices().items() if getattr(device, "bid_rule", None))
    steered = (make(device) for device in devices() for make in (flexibility.signal, flexibility.order))
    with_inverter = (name for name, device in devices().items() if getattr(device, "has_inverter", False))
    functions = (inverters.function(name) for name in (flexibility.LOCAL_UNITS, *with_inverter))
    return (*own, *steered, flexibility.order(flexibility.LOCAL_UNITS), *functions, *bids, *outside.FRAMES.values())


def refusal(contract: Contract[Any], granted: Iterable[Contract[Any]]) -> str | None:
    """Why a message of a contract is refused; None if it is allowed."""
    if contract in granted:
        return None
    return f"no {contract.name} is declared; let the part that sends it declare its contract"


def table(contracts: Iterable[Contract[Any]]) -> list[str]:
    """The contracts as lines of a Markdown table; alike ones of several topics or receivers in one line."""
    rows: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}
    for one in contracts:
        shown = []
        for name, column in columns(one.payload):
            of = f" [{', '.join(column.axes)}]" if column.axes else ""
            shown.append(f"*{name}*{of}" if column.is_shared else name)
        levels = one.protection
        protection = f"{levels.category} {levels.confidentiality}{levels.integrity}{levels.availability}"
        facts = FACTS[one.kind]
        size = "by its content" if one.size else str(facts.payload_bytes)
        of_kind = one.kind.name.lower(), one.sender.name.lower(), one.when
        key = (*of_kind, size, f"{facts.deadline_s:g}", protection, ", ".join(shown))
        names, receivers = rows.setdefault(key, ([], []))
        for value, values in ((one.topic, names), (one.receiver.name.lower(), receivers)):
            if value not in values:
                values.append(value)
    lines = [
        "| kind | topic | from, to | when | bytes | deadline, s | protection | columns |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (kind, sender, *facts_and_columns), (names, receivers) in rows.items():
        cells = [kind, ", ".join(names), f"{sender}, {' and '.join(receivers)}", *facts_and_columns]
        lines.append(f"| {' | '.join(cells)} |")
    return lines
