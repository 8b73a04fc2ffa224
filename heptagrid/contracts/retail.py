"""What passes between operations, the retailer and its customers: forecasts, reads, prices, bills."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.protection import BUSINESS, OUTSIDE_PARTY
from heptagrid.foundation.contract import Contract, each, shared
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.quarter_rows import DayValues

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

_DAY_POINT_BYTES = 4  # the number of each metering point, once for the day
_LATE_READ_BYTES = 16  # quarter hour and whether it was read, meter, import and export, four bytes each


@dataclass(frozen=True)
class Forecast:
    """The net import of a company's customers, without what aggregators control."""

    first_quarter: int = shared("quarter hours since 1970")
    net_kw: Floats = shared("kW", "float64", "quarters")


@dataclass(frozen=True)
class DayReads:
    """A day's validated reads of a retailer's metering points: energies, and what is known of each."""

    first_quarter: int = shared("quarter hours since 1970")
    point: Ints = shared("", "int64", "points")
    import_kwh: DayValues = shared("kWh", "float32", "quarters", "points")
    export_kwh: DayValues = shared("kWh", "float32", "quarters", "points")
    status: DayValues = shared("", "uint8", "quarters", "points")


@dataclass(frozen=True)
class LateReads:
    """What is known better of a day than when it was first told, for a later settlement run: true reads, or shares of a gap whose energy the registers told.

    run: as `foundation.settlement_runs.SettlementRun` counts.
    """

    run: int = shared("")
    first_quarter: int = shared("quarter hours since 1970")
    quarter: Ints = shared("quarter hours since 1970", "int64", "reads")
    meter: Ints = shared("", "int64", "reads")
    import_kwh: Floats32 = shared("kWh", "float32", "reads")
    export_kwh: Floats32 = shared("kWh", "float32", "reads")
    was_read: Bools = shared("", "bool", "reads")
    brought_by: Ints = shared("message", "int64", "reads")

    def of(self, which: Bools) -> LateReads:
        """Some of the reads alone, (reads,)."""
        columns = ("quarter", "meter", "import_kwh", "export_kwh", "was_read", "brought_by")
        return replace(self, **{name: getattr(self, name)[which] for name in columns})


@dataclass(frozen=True)
class Prices:
    """Day-ahead prices for customers."""

    first_hour: int = shared("hours since 1970")
    price_eur_per_kwh: Floats = shared("EUR/kWh", "float64", "hours")


@dataclass(frozen=True)
class Bill:
    """What is owed for a day, and what its later settlement runs change of earlier days; negative where more is paid back."""

    amount_eur: Floats = each("EUR")
    true_up_eur: Floats = each("EUR")
    of_ns: int = shared("ns")


_O, _P = Domain.OPERATIONS, Domain.PROVIDERS


def _forecast_bytes(payload: Forecast) -> int:
    return 2 * len(payload.net_kw)


def _day_bytes(payload: DayReads) -> int:
    return 4 * payload.import_kwh.size + _DAY_POINT_BYTES * len(payload.point)


def _late_bytes(payload: LateReads) -> int:
    return _LATE_READ_BYTES * len(payload.meter)


FORECAST = Contract(
    Forecast,
    Kind.TELEMETRY,
    "forecast",
    _O,
    _P,
    "each hour (conventional: 10:45): of a company's customers, without what aggregators control",
    BUSINESS,
    size=_forecast_bytes,
)
DAY_READS = Contract(
    DayReads,
    Kind.TELEMETRY,
    "day_reads",
    _O,
    _P,
    "00:45",
    BUSINESS,
    size=_day_bytes,
)
LATE_READS = Contract(
    LateReads,
    Kind.TELEMETRY,
    "late_reads",
    _O,
    _P,
    "00:45 of a day's second and final settlement run, if reads of it came late or registers told of them",
    BUSINESS,
    size=_late_bytes,
)
PRICES = Contract(Prices, Kind.PRICE, "prices", _P, Domain.CUSTOMERS, "on arrival, over 900 s", OUTSIDE_PARTY)
BILL = Contract(Bill, Kind.BILL, "bill", _P, Domain.CUSTOMERS, "01:00, over 1800 s", OUTSIDE_PARTY)
