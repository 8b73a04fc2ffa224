"""The time-of-use tariff: a kWh has a price for each period of the day and the week, and these make up every hour once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.rates.schedule import Schedule, Window, of_windows
from heptagrid.planes.money.tariffs.billing_rules import Parameters as Supply
from heptagrid.planes.money.tariffs.tariff import Slots, Tariff

Floats = npt.NDArray[np.float64]

DAYS = ("all", "weekday", "weekend")


@dataclass(frozen=True)
class Parameters:
    """Who has the time-of-use tariff, and its periods: entry k of each list describes the same one."""

    share: float = parameter(0.0, info="share of customers with it", low=0.0, high=1.0, source="assumption: nobody")
    from_h: tuple[float, ...] = parameter(
        (22.0, 6.0),
        info="local hour at which each period begins, in quarters of an hour",
        unit="h",
        low=0.0,
        high=23.75,
        source="assumption: a day and a night, as meters with two registers have counted for decades",
    )
    to_h: tuple[float, ...] = parameter(
        (6.0, 22.0),
        info="local hour at which each period ends, in quarters of an hour; 24 is midnight, and an end before the begin is of the next day",
        unit="h",
        low=0.0,
        high=24.0,
        source="assumption: as above",
    )
    days: tuple[str, ...] = parameter(
        ("all", "all"), info="on which days each period is in force", choices=DAYS, source="assumption: on all"
    )
    procurement_eur_per_mwh: tuple[float, ...] = parameter(
        (88.22, 81.7),
        info="what a kWh costs in procurement in each period",
        unit="EUR/MWh",
        low=0.0,
        high=1000.0,
        source="load-weighted means of the built-in bulk system's zone price in these hours, as the flat tariff's; nights are dearer there, for the sun gives by day",
    )


class TimeOfUse(Tariff):
    """Day and night, or any periods of the day and the week."""

    name = "time_of_use"
    title = "time-of-use"
    what = "a kWh has the price of its period of the day"
    parameters = Parameters

    def price_eur_per_kwh(self, slots: Slots, supply: Supply, own: Parameters | Any) -> Floats:
        """The price of the period in which the slot begins."""
        period = _schedule(own).of(slots.calendar)
        return np.array(own.procurement_eur_per_mwh)[period] / 1000.0

    def windows(self, own: Parameters | Any) -> Sequence[Window]:
        """One for each entry of the lists."""
        return [
            Window(k, from_h, to_h, days=cast(Literal["all", "weekday", "weekend"], days))
            for k, (from_h, to_h, days) in enumerate(zip(own.from_h, own.to_h, own.days, strict=True))
        ]


@lru_cache(maxsize=8)
def _schedule(own: Parameters) -> Schedule:
    return of_windows(TIME_OF_USE.windows(own))


TIME_OF_USE = TimeOfUse()
