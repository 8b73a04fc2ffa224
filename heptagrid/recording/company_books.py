"""What each retailer and each aggregator came to: its customers, its energy, and what it was paid and paid, from the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.arm import ArmGrid
from heptagrid.assembly.world import World
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.reasons import LATER, Reason
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR, Ledger
from heptagrid.world.companies import called

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CompanyBooks:
    """Of the retailers, then of the aggregators, (companies,) each; money in millicents.

    imbalance: paid to the market for it, true-ups included, less what was received. flexibility: paid to customers. relief: received for it. supplied_kwh: as
    billed, true-ups included. moved_kwh: what devices moved on request, as paid for.
    """

    received: Ints
    paid: Ints
    imbalance: Ints
    flexibility: Ints
    relief: Ints
    supplied_kwh: Floats
    moved_kwh: Floats

    def __add__(self, other: CompanyBooks) -> CompanyBooks:
        return CompanyBooks(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})

    @staticmethod
    def nothing(companies: int) -> CompanyBooks:
        none, no_kwh = np.zeros(companies, dtype=np.int64), np.zeros(companies)
        return CompanyBooks(none, none, none, none, none, no_kwh, no_kwh)


def company_books(grid: ArmGrid, days_ns: Sequence[int], billed_kwh: Floats) -> CompanyBooks:
    """The books of the days that begin at `days_ns`; billed_kwh: (points,) what each point was billed for."""
    ledger, bills, providers = grid.ledger, grid.bills, grid.providers
    aggregators = len(grid.world.companies.aggregators)
    paid = _between(ledger, days_ns)
    of = np.concatenate([ledger.accounts.of_retailers, ledger.accounts.of_aggregators])
    moved_kwh = [
        sum(one.flexibility_pay.moved_kwh_of.get(day, 0.0) for day in days_ns) for one in providers.aggregators
    ]
    supplied_kwh = [float(billed_kwh[points].sum()) for points in bills.points]
    out, to = paid.of_payer, paid.of_payee
    to_market = [(reason, Domain.MARKETS) for reason in (Reason.IMBALANCE, *LATER.values())]
    return CompanyBooks(
        received=to()[of],
        paid=out()[of],
        imbalance=sum((out(*one)[of] - to(*one)[of] for one in to_market), start=np.zeros(len(of), dtype=np.int64)),
        flexibility=out(Reason.FLEXIBILITY)[of] - to(Reason.FLEXIBILITY)[of],
        relief=to(Reason.RELIEF)[of] - out(Reason.RELIEF)[of],
        supplied_kwh=np.array(supplied_kwh + [0.0] * aggregators),
        moved_kwh=np.array([0.0] * len(supplied_kwh) + (moved_kwh or [0.0] * aggregators)),
    )


def company_summaries(world: World, books: CompanyBooks, smart: bool) -> list[dict[str, Any]]:
    """One entry for each retailer, then for each aggregator, in the order of the scenario; without a smart grid nothing is enrolled."""
    companies, owned = world.companies, world.owned
    kinds = [("retailer", name) for name in companies.retailers]
    kinds += [("aggregator", name) for name in companies.aggregators]
    found = []
    for k, (kind, name) in enumerate(kinds):
        money = {
            "received_eur": int(books.received[k]) / MILLICENT_PER_EUR,
            "paid_eur": int(books.paid[k]) / MILLICENT_PER_EUR,
            "margin_eur": int(books.received[k] - books.paid[k]) / MILLICENT_PER_EUR,
        }
        if kind == "retailer":
            points = companies.supplied_by(k)
            own: dict[str, Any] = {
                "supplied_mwh": float(books.supplied_kwh[k]) / 1000.0,
                "imbalance_eur": int(books.imbalance[k]) / MILLICENT_PER_EUR,
            }
        else:
            points = companies.steered_by(k - len(companies.retailers))
            enrolled = (owned.enrolled_owners(device) for device in owned.devices)
            own = {
                "enrolled_devices": int(sum(np.isin(owners, points).sum() for owners in enrolled)) if smart else 0,
                "moved_kwh": float(books.moved_kwh[k]),
                "flexibility_eur": int(books.flexibility[k]) / MILLICENT_PER_EUR,
                "relief_eur": int(books.relief[k]) / MILLICENT_PER_EUR,
            }
        customers = int((points < world.customers_count).sum())
        found.append({"kind": kind, "name": called(kind, name), "customers": customers} | own | money)
    return found


@dataclass(frozen=True)
class _Rows:
    """Rows of a ledger, (n,) each, with the column of each side in the tables of who pays whom."""

    payer: Ints
    payee: Ints
    amount: Ints
    reason: Ints
    columns: Ints

    def of_payer(self, reason: Reason | None = None, to: int | None = None) -> Ints:
        """What each account paid, (accounts,), for a reason and to a domain if they are given."""
        return self._sums(self.payer, self.payee, reason, to)

    def of_payee(self, reason: Reason | None = None, by: int | None = None) -> Ints:
        """What each account received, (accounts,), for a reason and from a domain if they are given."""
        return self._sums(self.payee, self.payer, reason, by)

    def _sums(self, account: Ints, other: Ints, reason: Reason | None, column: int | None) -> Ints:
        kept = np.ones(len(account), dtype=np.bool_)
        if reason is not None:
            kept &= self.reason == reason
        if column is not None:
            kept &= self.columns[other] == column
        sums = np.zeros(len(self.columns), dtype=np.int64)
        np.add.at(sums, account[kept], self.amount[kept])
        return sums


def _between(ledger: Ledger, days_ns: Sequence[int]) -> _Rows:
    rows = ledger.rows()
    kept = np.isin(rows["of_ns"], np.asarray(days_ns, dtype=np.int64))
    return _Rows(
        payer=rows["payer"][kept].astype(np.int64),
        payee=rows["payee"][kept].astype(np.int64),
        amount=rows["amount_millicent"][kept].astype(np.int64),
        reason=rows["reason"][kept].astype(np.int64),
        columns=ledger.accounts.columns,
    )
