"""What is offered, cleared and settled in the wholesale market."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.protection import CONTROL_CENTRE, MARKET
from heptagrid.foundation.contract import Contract, each, shared
from heptagrid.foundation.domains import Domain, Kind

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Offer:
    """A unit's limits and costs."""

    unit: Ints = each("", "int64")
    p_min_mw: Floats = each("MW")
    p_max_mw: Floats = each("MW")
    cost_2: Floats = each("USD/MW²h")
    cost_1: Floats = each("USD/MWh")
    cost_0: Floats = each("USD/h")
    start_usd: Floats = each("USD")


@dataclass(frozen=True)
class Demand:
    """What a buyer bids for, or holds, hour by hour."""

    first_hour: int = shared("hours since 1970")
    demand_mw: Floats = shared("MW", "float64", "hours")


@dataclass(frozen=True)
class RestForecast:
    """The forecast of the loads beyond the scenario's own."""

    first_hour: int = shared("hours since 1970")
    rest_mw: Floats = shared("MW", "float64", "hours")


@dataclass(frozen=True)
class Metered:
    """What the infeed took, hour by hour; not a number where nothing was measured."""

    first_hour: int = shared("hours since 1970")
    infeed_mwh: Floats = shared("MWh", "float64", "hours")


@dataclass(frozen=True)
class Prices:
    """Day-ahead prices."""

    first_hour: int = shared("hours since 1970")
    price_eur_per_mwh: Floats = shared("EUR/MWh", "float64", "hours")


@dataclass(frozen=True)
class UnitSchedule:
    """Which units are on, and what each gives, told to each unit."""

    unit: Ints = each("", "int64")
    first_hour: int = shared("hours since 1970")
    on: Bools = shared("", "bool", "hours", "units")
    p_mw: Floats = shared("MW", "float64", "hours", "units")


@dataclass(frozen=True)
class Schedule:
    """Which units are on, and what each gives."""

    first_hour: int = shared("hours since 1970")
    on: Bools = shared("", "bool", "hours", "units")
    p_mw: Floats = shared("MW", "float64", "hours", "units")


@dataclass(frozen=True)
class Settled:
    """What a side's day came to."""


@dataclass(frozen=True)
class SettledInfeed:
    """What the day's infeed was metered at."""

    infeed_mwh: Floats = shared("MWh", "float64", "hours")


_M, _P, _O = Domain.MARKETS, Domain.PROVIDERS, Domain.OPERATIONS

OFFER = Contract(Offer, Kind.BID, "offer", Domain.GENERATION, _M, "11:00", MARKET)
DEMAND = Contract(Demand, Kind.BID, "demand", _P, _M, "11:30", MARKET)
REST_FORECAST = Contract(RestForecast, Kind.TELEMETRY, "rest_forecast", _O, _M, "10:45", CONTROL_CENTRE)
METERED = Contract(Metered, Kind.TELEMETRY, "metered", _O, _M, "00:48", CONTROL_CENTRE)
PRICES = Contract(Prices, Kind.PRICE, "prices", _M, _P, "12:15", MARKET)
UNITS = Contract(UnitSchedule, Kind.SCHEDULE, "units", _M, Domain.GENERATION, "12:15", MARKET)
UNITS_TO_OPERATIONS = Contract(Schedule, Kind.SCHEDULE, "units", _M, _O, "12:15", CONTROL_CENTRE)
POSITION = Contract(Demand, Kind.SCHEDULE, "position", _M, _P, "12:15", MARKET)
SETTLEMENT_OF_UNITS = Contract(Settled, Kind.BILL, "settlement", _M, Domain.GENERATION, "00:54", MARKET)
SETTLEMENT = Contract(SettledInfeed, Kind.BILL, "settlement", _M, _P, "00:54", MARKET)
