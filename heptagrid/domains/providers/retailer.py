"""The retailer: bids for its customers, passes prices on, and bills what it knows of their use.

It knows what operations told it: in the smart arm the validated reads of each quarter hour, some of
them estimated, and later the true ones of these or what the registers tell of them; in the conventional arm the yearly visit's register, so the day's true energy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import retail
from heptagrid.contracts.paper import KnownDay
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.time import NS_PER_S

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

QUARTERS_PER_DAY = 96


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
        self.price_eur_per_mwh: dict[int, float] = {}
        self.price_message: dict[int, int] = {}  # which message told the price of an hour
        self.known_days: dict[int, KnownDay] = {}
        self.late_reads: list[LateReads] = []

    def learn_prices(self, first_hour: int, price_eur_per_mwh: Floats, message: int = -1) -> None:
        """Remember day-ahead prices by hour since 1970, and the message that told them."""
        for k, price in enumerate(price_eur_per_mwh):
            self.price_eur_per_mwh[first_hour + k] = float(price)
            self.price_message[first_hour + k] = message

    def prices(self, hours: Ints) -> Floats:
        """Known prices of `hours` (since 1970); an unknown hour takes the mean of the known ones."""
        known = self.price_eur_per_mwh
        mean = sum(known.values()) / len(known) if known else 0.0
        return np.array([known.get(int(hour), mean) for hour in hours])

    def forget(self, before_hour: int) -> None:
        """Drop prices and days older than the hour `before_hour`."""
        self.price_eur_per_mwh = {hour: price for hour, price in self.price_eur_per_mwh.items() if hour >= before_hour}
        self.price_message = {hour: message for hour, message in self.price_message.items() if hour >= before_hour}
        self.known_days = {first: day for first, day in self.known_days.items() if first >= before_hour * 4}


def forecast_of(quarters: Ints, first_quarter: int, forecast_kw: Floats) -> Floats:
    """What a forecast says of `quarters` since 1970, the same shape, in kW.

    forecast_kw: by quarter hour from `first_quarter` on, a day or more. A forecast that came late ends before the quarter hours
    do: one beyond its end takes what it says for the same time a day before, or as many days as it takes.
    """
    rows = quarters - first_quarter
    days_beyond = np.maximum(-(-(rows - len(forecast_kw) + 1) // QUARTERS_PER_DAY), 0)
    rows = np.clip(rows - days_beyond * QUARTERS_PER_DAY, 0, len(forecast_kw) - 1)
    return np.asarray(forecast_kw[rows])


def spread(start_ns: int, over_s: float, count: int) -> Ints:
    """Evenly spaced times from `start_ns` on over `over_s` seconds, (count,)."""
    return start_ns + (np.arange(count, dtype=np.int64) * int(over_s * NS_PER_S)) // max(count, 1)
