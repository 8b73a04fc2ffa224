"""What the interface answers of money."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Sum:
    """What was paid by one to another for a reason."""

    reason: str
    payer: str
    payee: str
    amount_eur: float


@dataclass
class Money:
    """The ledger so far, and the day that it has not posted yet. by_domain_eur: received less paid; sum_eur: of all accounts, always 0; transfers: rows of the ledger.

    today_eur: since `today_since_ns`, what each would receive less what it would pay if the day ended now.
    """

    ns: int
    transfers: int
    by_domain_eur: dict[str, float]
    paid: list[Sum]
    sum_eur: float
    today_since_ns: int
    today_eur: dict[str, float]


@dataclass
class Account:
    """An account: received less paid."""

    number: int
    name: str
    domain: str
    balance_eur: float


@dataclass
class Accounts:
    """A page of accounts. next_first: for the next page, null at the end."""

    total: int
    next_first: int | None
    accounts: list[Account]


@dataclass
class BillLine:
    """What a customer owes for a reason, below 0 where it is paid back; transfers: how many it was paid in."""

    reason: str
    amount_eur: float
    transfers: int


@dataclass
class Bill:
    """A customer's bill so far: what has been billed, which happens after each day's end, what the day comes to if it ended now, and the registers. price_eur_per_mwh: day-ahead, now."""

    ns: int
    local: str
    point: int
    retailer: str
    tariff: str
    lines: list[BillLine]
    total_eur: float
    today: dict[str, float]
    today_eur: float
    import_kwh: float
    export_kwh: float
    price_eur_per_mwh: float
