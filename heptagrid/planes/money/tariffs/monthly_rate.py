"""The monthly rate: a rate of OpenEI's utility rate database (URDB), whose month is billed as one: tiers, the highest power, fixed and minimum charges.

Its bills come of `planes.money.monthly_account`; what is here says what a kWh costs to devices that follow prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.calendar import Calendar
from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.rates.accrual import in_currency
from heptagrid.planes.money.rates.net_metering import NetMetering
from heptagrid.planes.money.rates.rate import Rate
from heptagrid.planes.money.rates.taxes import Tax
from heptagrid.planes.money.rates.urdb import Read, read_urdb
from heptagrid.planes.money.tariffs.billing_rules import Parameters as Supply
from heptagrid.planes.money.tariffs.tariff import SECTION, Slots, Tariff

Floats = npt.NDArray[np.float64]

NAME = "monthly_rate"
FILE = "file"


@dataclass(frozen=True)
class Parameters:
    """Which rate it is, who has it, and what the database leaves open."""

    file: str = parameter(
        "",
        info="a rate of OpenEI's database as JSON, beside the scenario or in the folder of the command; empty: nobody has the tariff",
        source="assumption: nobody",
    )
    share: float = parameter(
        1.0,
        info="share of customers with it, where there is a file",
        low=0.0,
        high=1.0,
        source="assumption: all that have no dynamic tariff",
    )
    eur_per_unit: float = parameter(
        1.0,
        info="EUR for a unit of the file's currency",
        unit="EUR",
        low=0.0001,
        high=1000.0,
        source="assumption: the file's amounts are taken as EUR",
    )
    tax_share: float = parameter(
        0.0,
        info="tax on all of its lines",
        unit="1",
        low=0.0,
        high=1.0,
        source="assumption: none, as the database has none",
    )
    carry: str = parameter(
        "kwh",
        info="what net metering carries a surplus over in",
        choices=("kwh", "money"),
        source="assumption: in kWh, as most states of the United States",
    )
    true_up_month: int = parameter(
        12, info="month in which net metering is trued up", low=1, high=12, source="assumption: the year's last"
    )
    true_up_per_kwh: float = parameter(
        0.0,
        info="what a kWh of the year's surplus earns then, in the file's currency",
        unit="1/kWh",
        low=0.0,
        high=10.0,
        source="assumption: nothing",
    )


class MonthlyRate(Tariff):
    """Whatever the file says."""

    name = NAME
    title = "monthly rate"
    what = "each month is billed as one by a rate of a file: energy by period and tier, the highest power, fixed and minimum charges"
    parameters = Parameters

    def price_eur_per_kwh(self, slots: Slots, supply: Supply, own: Parameters | Any) -> Floats:
        """The first tier's price of the period, all that is on a kWh in it."""
        rate = self.rate(own)
        return np.zeros(slots.calendar.slots) if rate is None else first_prices(rate, slots.calendar)

    def rate(self, own: Parameters | Any) -> Rate | None:
        """The rate of the file, in EUR."""
        return _rate(own, _modified_ns(own.file)) if own.file else None

    def share(self, sections: Mapping[str, Any]) -> float:
        """None without a file."""
        own = sections[SECTION + NAME]
        return float(own.share) if own.file else 0.0


def first_prices(rate: Rate, calendar: Calendar) -> Floats:
    """(slots,) the first tier's price of each slot's period, with the month's adjustment."""
    price = np.array([tiers[0].price for tiers in rate.energy.periods])[rate.energy.schedule.of(calendar)]
    adjustments = rate.energy.adjustments
    if adjustments is None:
        return np.asarray(price)
    return np.asarray(price + np.array(adjustments)[calendar.month_of_year[calendar.month]])


def read_rate_file(path: str) -> Read:
    """The rate of a file, and remarks on it; read again once it has changed.

    Raises
    ------
    FileError
        As `read_urdb`.
    """
    return _read(path, _modified_ns(path))


def _modified_ns(path: str) -> int:
    at = Path(path)
    return at.stat().st_mtime_ns if at.exists() else 0


@lru_cache(maxsize=8)
def _read(path: str, modified_ns: int) -> Read:
    return read_urdb(path)


@lru_cache(maxsize=8)
def _rate(own: Parameters, modified_ns: int) -> Rate:
    rate, export = _read(own.file, modified_ns).rate, None
    if isinstance(rate.export, NetMetering):
        export = replace(
            rate.export,
            carry="money" if own.carry == "money" else "kwh",
            true_up_month=own.true_up_month,
            true_up_price=own.true_up_per_kwh * own.eur_per_unit,
        )
    taxes = (Tax("tax", own.tax_share),) if own.tax_share else ()
    return in_currency(replace(rate, export=export or rate.export, taxes=taxes), own.eur_per_unit, "EUR")


MONTHLY_RATE = MonthlyRate()
