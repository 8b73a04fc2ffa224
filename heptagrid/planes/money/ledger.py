"""The ledger: double entry, append-only, in whole thousandths of a cent.

A row is one transfer; its amount leaves the payer and reaches the payee, so the balances of all
accounts sum to zero whatever is posted. Rows are never changed: there is no way to, and what is read is
read-only. The shape is that of TigerBeetle's transfers: two legs, integers, checked at the post.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.errors import ConservationError
from heptagrid.foundation.payments import Dates
from heptagrid.foundation.reasons import REASON_NAMES, STATE_REASONS, Reason
from heptagrid.world.accounts import COLUMN_NAMES, OUTSIDE_COLUMN, REST_COLUMN, Accounts

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MILLICENT_PER_EUR = 100_000
LARGEST_MILLICENT = 2**53  # up to here a float64 of EUR times 1e5 still hits every integer

COLUMNS = len(COLUMN_NAMES)
DOMAINS = len(Domain)
_FIELDS = {
    "payer": np.int32,
    "payee": np.int32,
    "amount_millicent": np.int64,
    "at_ns": np.int64,
    "of_ns": np.int64,
    "reason": np.int8,
    "cause": np.int64,
}


def millicent(amount_eur: npt.ArrayLike) -> Ints:
    """Amounts in EUR as whole thousandths of a cent (1e-5 EUR), rounded half to even.

    Raises
    ------
    ConservationError
        If an amount is not a number, or too large to be exact.
    """
    scaled = np.rint(np.asarray(amount_eur, dtype=np.float64) * MILLICENT_PER_EUR)
    if not np.all(np.abs(scaled) < LARGEST_MILLICENT):
        raise ConservationError(
            "an amount of money is not a number or beyond 90 billion EUR; this is a defect in heptagrid"
        )
    return scaled.astype(np.int64)


@dataclass(frozen=True)
class Totals:
    """What a ledger comes to, in millicents; totals of separate days add up with `+`.

    paid: (reasons, columns, columns) by reason, what the row's column paid to the second's; the columns
    are the seven domains, outside and rest. received_less_paid: (columns,), from the accounts' balances.
    """

    paid: Ints
    received_less_paid: Ints

    def __add__(self, other: Totals) -> Totals:
        return Totals(self.paid + other.paid, self.received_less_paid + other.received_less_paid)

    @staticmethod
    def nothing() -> Totals:
        return Totals(
            np.zeros((len(Reason), COLUMNS, COLUMNS), dtype=np.int64),
            np.zeros(COLUMNS, dtype=np.int64),
        )

    @property
    def matrix(self) -> Ints:
        """What each domain paid to each, gross, (7, 7): row paid to column."""
        return np.asarray(self.paid.sum(axis=0)[:DOMAINS, :DOMAINS], dtype=np.int64)

    @property
    def outside_by_domain(self) -> Ints:
        """What each domain received from `outside` less what it paid to it, (7,)."""
        everything = self.paid.sum(axis=0)
        return np.asarray(everything[OUTSIDE_COLUMN, :DOMAINS] - everything[:DOMAINS, OUTSIDE_COLUMN], dtype=np.int64)

    @property
    def by_domain(self) -> Ints:
        """What each domain received less what it paid, `outside` included, (7,)."""
        return self.received_less_paid[:DOMAINS]

    @property
    def sum(self) -> int:
        """The balances of all accounts together: 0."""
        return int(self.received_less_paid.sum())

    @property
    def state(self) -> int:
        """What the state received less what it paid: taxes and levies less feed-in premiums."""
        paid = self.paid[list(STATE_REASONS)].sum(axis=0)
        return int(paid[:, OUTSIDE_COLUMN].sum() - paid[OUTSIDE_COLUMN].sum())

    def check(self) -> None:
        """Raise ConservationError unless all balances sum to 0 and agree with who paid whom."""
        matrix = self.matrix
        from_matrix = matrix.sum(axis=0) - matrix.sum(axis=1) + self.outside_by_domain
        if self.sum != 0 or not np.array_equal(from_matrix, self.by_domain):
            raise ConservationError(
                f"the ledger does not balance: all accounts sum to {self.sum} millicents, the domains' balances "
                f"{self.by_domain.tolist()} stand against {from_matrix.tolist()} from who paid whom"
            )

    def by_reason(self) -> Iterator[tuple[str, str, str, float]]:
        """(reason, payer, payee, EUR) of every sum that is not zero, in the reasons' order."""
        for reason, payer, payee in np.argwhere(self.paid):
            amount_eur = int(self.paid[reason, payer, payee]) / MILLICENT_PER_EUR
            yield REASON_NAMES[reason], COLUMN_NAMES[payer], COLUMN_NAMES[payee], amount_eur

    def summary(self) -> dict[str, object]:
        """The `money_eur` entry of a run's summary: floats from the integers, each exact to 1e-5 EUR."""
        return {
            "matrix": eur(self.matrix).tolist(),
            "by_domain": eur(self.by_domain).tolist(),
            "outside_by_domain": eur(self.outside_by_domain).tolist(),
            "state": self.state / MILLICENT_PER_EUR,
            "sum": self.sum / MILLICENT_PER_EUR,
            "by_reason": [
                {"reason": reason, "payer": payer, "payee": payee, "amount_eur": amount_eur}
                for reason, payer, payee, amount_eur in self.by_reason()
            ],
        }


def eur(amount_millicent: Ints) -> Floats:
    """Integer millicents in EUR."""
    return amount_millicent / MILLICENT_PER_EUR


class Ledger:
    """The payments of one arm over one span of days."""

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts
        self._columns = accounts.columns
        self._rows = 0
        self._buffers: dict[str, npt.NDArray[np.integer[npt.NBitBase]]] = {
            name: np.empty(1024, dtype=kind) for name, kind in _FIELDS.items()
        }

    def __len__(self) -> int:
        return self._rows

    def transfer(
        self,
        payer: npt.ArrayLike,
        payee: npt.ArrayLike,
        amount_eur: npt.ArrayLike,
        dates: Dates,
        reason: Reason,
        cause: npt.ArrayLike = -1,
    ) -> Ints:
        """Post transfers; accounts, amounts and causes may be arrays of one shape (n,) or single values.

        A negative amount swaps payer and payee; one that rounds to nothing leaves no row. `cause` is the
        index of the message that caused the payment, -1 if none did. All are posted, or none.

        Returns
        -------
        Ints
            What was posted, in millicents with the sign of `amount_eur`, (n,).

        Raises
        ------
        ConservationError
            If an amount is not a number, an account does not exist, pays itself, or a rest account
            deals with a domain.
        """
        return self.transfer_millicent(payer, payee, millicent(amount_eur), dates, reason, cause)

    def transfer_millicent(
        self,
        payer: npt.ArrayLike,
        payee: npt.ArrayLike,
        amount: npt.ArrayLike,
        dates: Dates,
        reason: Reason,
        cause: npt.ArrayLike = -1,
    ) -> Ints:
        """As `transfer`, with whole millicents."""
        posted, payers, payees, causes = (
            np.atleast_1d(one).astype(np.int64) for one in np.broadcast_arrays(amount, payer, payee, cause)
        )
        self._refuse_bad_accounts(payers, payees)
        kept = posted != 0
        swapped = posted < 0
        self._append(
            {
                "payer": np.where(swapped, payees, payers)[kept],
                "payee": np.where(swapped, payers, payees)[kept],
                "amount_millicent": np.abs(posted)[kept],
                "at_ns": np.full(int(kept.sum()), dates.at_ns),
                "of_ns": np.full(int(kept.sum()), dates.of_ns),
                "reason": np.full(int(kept.sum()), int(reason)),
                "cause": causes[kept],
            }
        )
        return posted

    def rows(self) -> dict[str, npt.NDArray[np.integer[npt.NBitBase]]]:
        """The rows as columns of integers, read-only: payer, payee, amount_millicent, at_ns, of_ns, reason, cause.

        They may be read while another thread posts: rows that are there stay as they are.
        """
        count = self._rows  # before the buffers, which may only have more
        columns = {name: buffer[:count] for name, buffer in self._buffers.items()}
        for column in columns.values():
            column.flags.writeable = False
        return columns

    def balances(self, days_ns: Sequence[int] | None = None) -> Ints:
        """What each account received less what it paid, in millicents, (accounts,), for the days that begin at `days_ns` (all by default)."""
        rows, kept = self.rows(), self._paid_for(days_ns)
        balances = np.zeros(len(self.accounts), dtype=np.int64)
        np.add.at(balances, rows["payee"][kept], rows["amount_millicent"][kept])
        np.subtract.at(balances, rows["payer"][kept], rows["amount_millicent"][kept])
        return balances

    def totals(self, days_ns: Sequence[int] | None = None) -> Totals:
        """Sums by reason and domain, of what was paid for the days that begin at `days_ns` (all by default)."""
        rows, kept = self.rows(), self._paid_for(days_ns)
        amount = rows["amount_millicent"][kept]
        paid = np.zeros((len(Reason), COLUMNS, COLUMNS), dtype=np.int64)
        payer, payee = self._columns[rows["payer"][kept]], self._columns[rows["payee"][kept]]
        np.add.at(paid, (rows["reason"][kept], payer, payee), amount)
        net = np.zeros(COLUMNS, dtype=np.int64)
        np.add.at(net, payee, amount)
        np.subtract.at(net, payer, amount)
        return Totals(paid, net)

    def _paid_for(self, days_ns: Sequence[int] | None) -> slice | npt.NDArray[np.bool_]:
        """Which rows are for some days."""
        if days_ns is None:
            return slice(None)
        return np.asarray(np.isin(self.rows()["of_ns"], np.asarray(days_ns, dtype=np.int64)))

    def _refuse_bad_accounts(self, payers: Ints, payees: Ints) -> None:
        for ids in (payers, payees):
            if ids.size and (ids.min() < 0 or ids.max() >= len(self.accounts)):
                raise ConservationError(
                    f"accounts run from 0 to {len(self.accounts) - 1}; "
                    f"a payment names {int(ids.min())} to {int(ids.max())}"
                )
        if np.any(payers == payees):
            raise ConservationError(f"account {int(payers[payers == payees][0])} would pay itself")
        payer_column, payee_column = self._columns[payers], self._columns[payees]
        to_domain = (payer_column == REST_COLUMN) & (payee_column < DOMAINS)
        from_domain = (payer_column < DOMAINS) & (payee_column == REST_COLUMN)
        if np.any(to_domain | from_domain):
            raise ConservationError("the rest accounts settle among themselves and with outside, never with a domain")

    def _append(self, columns: dict[str, Ints]) -> None:
        end = self._rows + columns["amount_millicent"].shape[0]
        if end > self._buffers["payer"].shape[0]:
            self._buffers = {name: self._grown(buffer, end) for name, buffer in self._buffers.items()}
        for name, column in columns.items():
            self._buffers[name][self._rows : end] = column
        self._rows = end

    def _grown(
        self, buffer: npt.NDArray[np.integer[npt.NBitBase]], least: int
    ) -> npt.NDArray[np.integer[npt.NBitBase]]:
        larger = np.empty(max(least, 2 * buffer.shape[0]), dtype=buffer.dtype)
        larger[: self._rows] = buffer[: self._rows]
        return larger
