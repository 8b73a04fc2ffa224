"""The companies that supply and steer the customers of a scenario: each customer has one retailer and one aggregator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Companies:
    """Who there is, and whose each metering point is.

    retailers, aggregators: names; one name, empty, where a scenario names none. retailer_of, aggregator_of: (points,) their numbers.
    """

    retailers: tuple[str, ...]
    aggregators: tuple[str, ...]
    retailer_of: Ints
    aggregator_of: Ints

    def supplied_by(self, retailer: int) -> Ints:
        """The metering points of a retailer, ascending."""
        return np.flatnonzero(self.retailer_of == retailer)

    def steered_by(self, aggregator: int) -> Ints:
        """The metering points of an aggregator, ascending, whether they have devices that it controls or not."""
        return np.flatnonzero(self.aggregator_of == aggregator)

    def retailer_name(self, point: int) -> str:
        """A metering point's retailer in words."""
        return called("retailer", self.retailers[int(self.retailer_of[point])])

    def aggregator_name(self, point: int) -> str:
        """A metering point's aggregator in words."""
        return called("aggregator", self.aggregators[int(self.aggregator_of[point])])

    @property
    def all_supplied(self) -> tuple[Ints, ...]:
        """The metering points of each retailer."""
        return tuple(self.supplied_by(k) for k in range(len(self.retailers)))

    @property
    def all_steered(self) -> tuple[Ints, ...]:
        """The metering points of each aggregator."""
        return tuple(self.steered_by(k) for k in range(len(self.aggregators)))


def called(what: str, name: str) -> str:
    """One of those that there may be several of, such as `retailer`, or `retailer north`."""
    return f"{what} {name}".rstrip()
