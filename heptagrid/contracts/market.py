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
    """What units offer for a day, each for itself: between which limits, and at which costs, of blocks above the minimum."""

    unit: Ints = each("", "int64")
    first_hour: int = shared("hours since 1970")
    low_mw: Floats = shared("MW", "float64", "hours", "units")
    high_mw: Floats = shared("MW", "float64", "hours", "units")
    inflow_mwh: Floats = shared("MWh", "float64", "hours", "units")
    block_mw: Floats = shared("MW", "float64", "units", "blocks")
    block_eur: Floats = shared("EUR/MWh", "float64", "units", "blocks")
    no_load_eur_per_h: Floats = shared("EUR/h", "float64", "units")
    start_eur: Floats = shared("EUR", "float64", "units", "heats")


@dataclass(frozen=True)
class Demand:
    """What a buyer bids for, or holds, hour by hour."""

    first_hour: int = shared("hours since 1970")
    demand_mw: Floats = shared("MW", "float64", "hours")


@dataclass(frozen=True)
class RestForecast:
    """The forecast of the loads beyond the scenario's own, by bus, and of the towns by standard profiles alone."""

    first_hour: int = shared("hours since 1970")
    rest_mw: Floats = shared("MW", "float64", "hours", "buses")
    towns_mw: Floats = shared("MW", "float64", "hours", "towns")


@dataclass(frozen=True)
class Metered:
    """What the infeed took, and what the metering points of each retailer used less what they fed in, by quarter hour.

    corrected_*: quarter hours of the days whose later settlement run it is that are known better than at first, what was used in them, and the last reading
    that told it. available: which part of each hour every unit of the bulk system was on and able, as it reported.
    """

    first_quarter: int = shared("quarter hours since 1970")
    infeed_mwh: Floats = shared("MWh", "float64", "quarters")
    settled_mwh: Floats = shared("MWh", "float64", "quarters", "retailers")
    corrected_quarter: Ints = shared("quarter hours since 1970", "int64", "corrections")
    corrected_mwh: Floats = shared("MWh", "float64", "corrections", "retailers")
    corrected_by: Ints = shared("message", "int64", "corrections")
    available: Floats = shared("", "float64", "hours", "units")


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
class UnitSettlement:
    """What a unit is paid for a day, by its part of the day's schedule."""

    unit: Ints = each("", "int64")
    amount_eur: Floats = each("EUR")
    of_ns: int = shared("ns")


@dataclass(frozen=True)
class Settlement:
    """What a buyer owes for a day: for what it bought day ahead, and for what was used beyond that."""

    energy_eur: float = shared("EUR")
    imbalance_eur: float = shared("EUR")
    of_ns: int = shared("ns")


_M, _P, _O = Domain.MARKETS, Domain.PROVIDERS, Domain.OPERATIONS

OFFER = Contract(Offer, Kind.BID, "offer", Domain.GENERATION, _M, "11:00", MARKET)
DEMAND = Contract(Demand, Kind.BID, "demand", _P, _M, "11:30", MARKET)
REST_FORECAST = Contract(RestForecast, Kind.TELEMETRY, "rest_forecast", _O, _M, "10:45", CONTROL_CENTRE)
METERED = Contract(Metered, Kind.TELEMETRY, "metered", _O, _M, "00:45", CONTROL_CENTRE)
PRICES = Contract(Prices, Kind.PRICE, "prices", _M, _P, "12:15", MARKET)
UNITS = Contract(UnitSchedule, Kind.SCHEDULE, "units", _M, Domain.GENERATION, "12:15", MARKET)
UNITS_TO_OPERATIONS = Contract(Schedule, Kind.SCHEDULE, "units", _M, _O, "12:15", CONTROL_CENTRE)
POSITION = Contract(Demand, Kind.SCHEDULE, "position", _M, _P, "12:15", MARKET)
SETTLEMENT_OF_UNITS = Contract(UnitSettlement, Kind.BILL, "settlement", _M, Domain.GENERATION, "00:54", MARKET)
SETTLEMENT = Contract(Settlement, Kind.BILL, "settlement", _M, _P, "00:54", MARKET)
