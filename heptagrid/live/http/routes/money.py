"""Money: who received and paid what so far, and the bill of a customer so far."""

from __future__ import annotations

import asyncio
from typing import Annotated

import numpy as np
from msgspec import Meta

from heptagrid.foundation.reasons import REASON_NAMES
from heptagrid.live.answers import Account, Accounts, Bill, BillLine, Money, Sum
from heptagrid.live.http.endpoint import Routes, Taken
from heptagrid.live.http.interface import Interface
from heptagrid.live.http.problems import ProblemError
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR, Ledger
from heptagrid.recording.bill_parts import BILL_PARTS
from heptagrid.world.accounts import COLUMN_NAMES

ROUTES = Routes("money")


class AccountsWanted(Taken):
    """Which accounts."""

    domain: Annotated[str, Meta(max_length=20, description="only of this domain, such as customers")] | None = None
    first: Annotated[int, Meta(ge=0, le=2**31 - 1, description="number of the first one among these")] = 0
    count: Annotated[int, Meta(ge=1, le=2000, description="how many at most")] = 100


class PointNamed(Taken):
    """Which customer."""

    point: Annotated[int, Meta(ge=0, le=2**31 - 1, description="number of the metering point")]


@ROUTES.get("/money")
async def money(interface: Interface) -> Money:
    """Add up the ledger by domain and by reason."""
    ledger, ns = _ledger(interface), interface.grid.now_ns
    totals = await asyncio.to_thread(ledger.totals)
    by_domain = dict(zip(COLUMN_NAMES, (totals.received_less_paid / MILLICENT_PER_EUR).tolist(), strict=True))
    paid = [Sum(*one) for one in totals.by_reason()]
    today = interface.grid.state.money
    net_eur = (today.owed.sum(axis=0) - today.owed.sum(axis=1)).tolist()
    return Money(
        ns,
        len(ledger),
        by_domain,
        paid,
        totals.sum / MILLICENT_PER_EUR,
        today.since_ns,
        dict(zip(COLUMN_NAMES, net_eur, strict=True)),
    )


@ROUTES.get("/money/accounts")
async def accounts(interface: Interface, query: AccountsWanted) -> Accounts:
    """List accounts and what each received less what it paid."""
    ledger = _ledger(interface)
    if query.domain is not None and query.domain not in COLUMN_NAMES:
        raise ProblemError(
            400, f"there is no domain {query.domain!r}", "domain", f"write one of {', '.join(COLUMN_NAMES)}"
        )
    balances = (await asyncio.to_thread(ledger.balances)) / MILLICENT_PER_EUR
    columns, names = ledger.accounts.columns, ledger.accounts.names
    rows = np.arange(len(names))
    if query.domain is not None:
        rows = rows[columns == COLUMN_NAMES.index(query.domain)]
    shown = [
        Account(k, names[k], COLUMN_NAMES[columns[k]], float(balances[k]))
        for k in rows[query.first : query.first + query.count].tolist()
    ]
    end = query.first + len(shown)
    return Accounts(len(rows), end if shown and end < len(rows) else None, shown)


@ROUTES.get("/money/bills/{point}", 404)
async def bill(interface: Interface, path: PointNamed) -> Bill:
    """Show a customer's bill so far."""
    grid, ledger = interface.grid, _ledger(interface)
    world, state = grid.inventory.world, grid.state
    if path.point >= world.points:
        raise ProblemError(
            404, f"there is no customer {path.point}", "point", f"write a number from 0 to {world.points - 1}"
        )
    lines = await asyncio.to_thread(_lines, ledger, int(ledger.accounts.of_points[path.point]))
    today = dict(zip(BILL_PARTS, state.money.bill_parts[:, path.point].tolist(), strict=True))
    bills = grid.engine.simulation.grid.bills
    return Bill(
        state.until_ns,
        interface.local(state.until_ns),
        path.point,
        world.companies.retailer_name(path.point),
        bills.offers.tariffs[int(bills.tariff_of[path.point])].name,
        lines,
        sum(one.amount_eur for one in lines),
        today,
        sum(today.values()),
        float(state.import_kwh[path.point]),
        float(state.export_kwh[path.point]),
        state.price_eur_per_mwh,
    )


def _ledger(interface: Interface) -> Ledger:
    """The arm's ledger; its rows are only added to, so that they may be read beside the engine's thread."""
    return interface.grid.engine.simulation.grid.ledger


def _lines(ledger: Ledger, account: int) -> list[BillLine]:
    """What an account paid less what it received, by reason."""
    rows = ledger.rows()
    sign = (rows["payer"] == account).astype(np.int64) - (rows["payee"] == account)
    found = []
    for reason in np.unique(rows["reason"][sign != 0]).tolist():
        mine = (sign != 0) & (rows["reason"] == reason)
        amount = int((sign[mine] * rows["amount_millicent"][mine]).sum())
        found.append(BillLine(REASON_NAMES[reason], amount / MILLICENT_PER_EUR, int(mine.sum())))
    return found
