"""Who can pay and be paid: the accounts of a run, as integer ids.

Every domain has one account, in the order of `Domain`. After them come `outside` (fuel, devices,
telecoms, taxes), the two accounts through which the loads beyond the scenario's own settle with
generation, one account per metering point, which belongs to the customers' domain, and one per company,
which belongs to the service providers': nothing is paid from that domain's own account.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.domains import DOMAIN_NAMES, Domain
from heptagrid.world.companies import called

Ints = npt.NDArray[np.int64]

OUTSIDE = 7
REST_BUYERS = 8
REST_GENERATION = 9
FIRST_POINT = 10


def accounts_of(points: Ints) -> Ints:
    """The accounts of metering points, the same shape."""
    return FIRST_POINT + points


def column_of(account: str) -> str:
    """The column of an account, by both names."""
    if account in DOMAIN_NAMES or account == "outside":
        return account
    kind = account.split(" ")[0]
    columns = {"point": Domain.CUSTOMERS, "retailer": Domain.PROVIDERS, "aggregator": Domain.PROVIDERS}
    return DOMAIN_NAMES[columns[kind]] if kind in columns else "rest"


OUTSIDE_COLUMN = 7
REST_COLUMN = 8
COLUMN_NAMES = (*DOMAIN_NAMES, "outside", "rest")


@dataclass(frozen=True)
class Accounts:
    """The accounts of a run with `points` metering points (customers first, then producers) and these companies, by name."""

    points: int
    retailers: tuple[str, ...] = ("",)
    aggregators: tuple[str, ...] = ("",)

    def __len__(self) -> int:
        return FIRST_POINT + self.points + len(self.retailers) + len(self.aggregators)

    @property
    def of_points(self) -> Ints:
        """The metering points' accounts, (points,)."""
        return FIRST_POINT + np.arange(self.points, dtype=np.int64)

    @property
    def of_retailers(self) -> Ints:
        """(retailers,)"""
        return FIRST_POINT + self.points + np.arange(len(self.retailers), dtype=np.int64)

    @property
    def of_aggregators(self) -> Ints:
        """(aggregators,)"""
        return FIRST_POINT + self.points + len(self.retailers) + np.arange(len(self.aggregators), dtype=np.int64)

    @property
    def columns(self) -> Ints:
        """Each account's column in the tables of who pays whom, (accounts,): a domain, outside or rest."""
        columns = np.full(len(self), Domain.CUSTOMERS, dtype=np.int64)
        columns[:OUTSIDE] = np.arange(OUTSIDE)
        columns[OUTSIDE] = OUTSIDE_COLUMN
        columns[[REST_BUYERS, REST_GENERATION]] = REST_COLUMN
        columns[self.of_retailers] = columns[self.of_aggregators] = Domain.PROVIDERS
        return columns

    @property
    def names(self) -> list[str]:
        """Each account's name, (accounts,); a metering point's is its global id, a company's is `called`."""
        fixed = [*DOMAIN_NAMES, "outside", "rest buyers", "rest generation"]
        points = [f"point {point}" for point in range(self.points)]
        retailers = [called("retailer", one) for one in self.retailers]
        return fixed + points + retailers + [called("aggregator", one) for one in self.aggregators]
