"""What a retailer knows, and over which times it spreads what it sends.

It knows what operations told it of its own customers: in the smart arm the validated reads of each quarter hour, some of
them estimated, and later the true ones of these or what the registers tell of them; in the conventional arm the yearly visit's register, so the day's true energy.
"""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.contracts import retail
from heptagrid.contracts.paper import KnownDay
from heptagrid.domains.providers.known_prices import KnownPrices
from heptagrid.foundation.parameters import parameter


@dataclass(frozen=True)
class Parameters:
    """Over which times the retailer spreads its prices and bills."""

    price_spread_s: float = parameter(
        900.0,
        info="time over which the day-ahead prices go out to the customers, against a rush on the access networks",
        unit="s",
        low=0.0,
        high=7200.0,
        source="assumption: one metering interval",
    )
    bill_spread_s: float = parameter(
        1800.0,
        info="time over which a day's bills go out",
        unit="s",
        low=0.0,
        high=3600.0,
        source="assumption: half an hour at night",
    )


@dataclass(frozen=True)
class LateReads:
    """What is known better of days already told, and the index of the message that told it."""

    reads: retail.LateReads
    message: int


class Retailer:
    """Keeps prices and known days until they are needed, and late reads as they came."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.prices = KnownPrices()
        self.known_days: dict[int, KnownDay] = {}
        self.late_reads: list[LateReads] = []

    def forget(self, before_hour: int) -> None:
        """Drop prices and days older than the hour `before_hour`."""
        self.prices.forget(before_hour)
        self.known_days = {first: day for first, day in self.known_days.items() if first >= before_hour * 4}
