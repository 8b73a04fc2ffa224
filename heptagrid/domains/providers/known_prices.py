"""The day-ahead prices that have reached a company, by hour."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class KnownPrices:
    """By hour since 1970: eur_per_mwh, and message, which told it, -1 if none did."""

    def __init__(self) -> None:
        self.eur_per_mwh: dict[int, float] = {}
        self.message: dict[int, int] = {}

    def learn(self, first_hour: int, price_eur_per_mwh: Floats, message: int = -1) -> None:
        """Remember prices from an hour on, and the message that told them."""
        for k, price in enumerate(price_eur_per_mwh):
            self.eur_per_mwh[first_hour + k] = float(price)
            self.message[first_hour + k] = message

    def of(self, hours: Ints) -> Floats:
        """The prices of hours since 1970; an unknown hour takes the mean of the known ones."""
        known = self.eur_per_mwh
        mean = sum(known.values()) / len(known) if known else 0.0
        return np.array([known.get(int(hour), mean) for hour in hours])

    def forget(self, before_hour: int) -> None:
        """Drop what is older than an hour."""
        self.eur_per_mwh = {hour: price for hour, price in self.eur_per_mwh.items() if hour >= before_hour}
        self.message = {hour: message for hour, message in self.message.items() if hour >= before_hour}
