"""The bills of all retailers, for those who look on from outside: each metering point's are its own retailer's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.domains.providers.billing import Billing, Correction, Record
from heptagrid.planes.money.tariffs.tariff import Offers

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class AllBills:
    """retailers: the bills of each. retailer_of, tariff_of: (points,) each point's retailer and tariff, by number. offers: all tariffs."""

    retailers: Sequence[Billing]
    retailer_of: Ints
    offers: Offers
    tariff_of: Ints

    def of(self, point: int) -> Billing:
        """The bills of a point's own retailer."""
        return self.retailers[int(self.retailer_of[point])]

    @property
    def last(self) -> list[Record]:
        """The last day that has been billed, of each retailer, all of the same day; empty before the first."""
        return [one.records[-1] for one in self.retailers if one.records]

    @property
    def points(self) -> list[Ints]:
        """The metering points of each retailer."""
        return [one.points for one in self.retailers]

    def corrections_of(self, point: int) -> Iterator[Correction]:
        """All true-ups that concern a point."""
        return (one for one in self.of(point).corrections if point in one.points)
