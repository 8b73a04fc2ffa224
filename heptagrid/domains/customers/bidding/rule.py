"""What a bidding rule is: how the devices of a class bid for an interval, and what they do at the price that it clears at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
D = TypeVar("D")

SECTION = "local_market."
"""What the section of a rule's own parameters is named with before the name of its class of devices."""


class Interval(NamedTuple):
    """For what is bid: its first instant and its length in hours."""

    begin_ns: int
    hours: float


class Outlook(NamedTuple):
    """Prices as devices know them, in EUR/kWh: mean and standard deviation, (k,) each, and quantiles from the lowest to the highest in even parts, (k, quantiles)."""

    mean: Floats
    deviation: Floats
    quantiles: Floats


class Curves(NamedTuple):
    """Bids of devices, (k,) each, as `heptagrid.contracts.local_market.Bid` says; one without any quantity does not bid."""

    must_kw: Floats
    buy_kw: Floats
    full: Floats
    none: Floats
    sell_kw: Floats
    sell: Floats

    @staticmethod
    def buying(buy_kw: Floats, full: Floats, none: Floats, must_kw: Floats | None = None) -> Curves:
        """Bids without offers."""
        nothing = np.zeros_like(buy_kw)
        return Curves(nothing if must_kw is None else must_kw, buy_kw, full, none, nothing, nothing)


class BidRule(ABC, Generic[D]):
    """The rule of a class of devices, `D`; the class names it as its `bid_rule`.

    section: the dataclass that declares its parameters, in the scenario's section `local_market.NAME`, None if it has none.
    """

    section: ClassVar[type[Any] | None] = None

    def __init__(self, parameters: Any) -> None:
        self.parameters = parameters

    @abstractmethod
    def bids(self, device: D, rows: Ints, outlook: Outlook, interval: Interval) -> Curves:
        """What the devices `rows`, (k,), bid for an interval, as they are now."""

    def response(self, device: D, rows: Ints, outlook: Outlook, price: Floats, net_kw: Floats) -> Floats:
        """What `Orders.value` they follow at a price, (k,); `net_kw` is what the market gave each, offers below zero."""
        return net_kw
