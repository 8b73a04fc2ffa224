"""The youngest forecast of its own customers that has reached a company."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import retail
from heptagrid.foundation.contract import Delivery

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

QUARTERS_PER_DAY = 96


class KnownForecast:
    """Net import without what aggregators control, in kW by quarter hour; `message` told it, -1 before the first."""

    def __init__(self) -> None:
        self.message = -1
        self._first = 0
        self._net_kw: Floats | None = None

    @property
    def is_there(self) -> bool:
        """Whether one has come."""
        return self._net_kw is not None

    def learn(self, delivery: Delivery) -> None:
        """Take one; one that a younger has overtaken says nothing."""
        told = retail.FORECAST.read(delivery)
        if told.first_quarter >= self._first:
            self._first, self._net_kw, self.message = told.first_quarter, told.net_kw, delivery.last_id

    def of(self, quarters: Ints) -> Floats:
        """What it says of quarter hours since 1970, in kW, or what it said of the day before (`forecast_of`)."""
        assert self._net_kw is not None
        return forecast_of(quarters, self._first, self._net_kw)

    def next(self, first_quarter: int, quarters: int) -> Floats | None:
        """What it says of the next quarter hours; None if there is none or it does not reach over them."""
        skip = first_quarter - self._first
        if self._net_kw is None or skip + quarters > len(self._net_kw):
            return None
        return self._net_kw[skip : skip + quarters]


def forecast_of(quarters: Ints, first_quarter: int, forecast_kw: Floats) -> Floats:
    """What a forecast says of `quarters` since 1970, the same shape, in kW.

    forecast_kw: by quarter hour from `first_quarter` on, a day or more. A forecast that came late ends before the quarter hours
    do: one beyond its end takes what it says for the same time a day before, or as many days as it takes.
    """
    rows = quarters - first_quarter
    days_beyond = np.maximum(-(-(rows - len(forecast_kw) + 1) // QUARTERS_PER_DAY), 0)
    rows = np.clip(rows - days_beyond * QUARTERS_PER_DAY, 0, len(forecast_kw) - 1)
    return np.asarray(forecast_kw[rows])
