"""What passes between customers' devices, their substation and the local market: bids, the measured load, prices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.protection import MARKET, OUTSIDE_PARTY
from heptagrid.foundation.contract import Contract, each, made, shared
from heptagrid.foundation.domains import Domain, Kind

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_BID_BYTES = 36  # an instant of eight bytes, and seven numbers of four
_LOAD_BYTES = 16
_PRICE_BYTES = 76  # an instant of eight bytes, six numbers and eleven quantiles of four


@dataclass(frozen=True)
class Bid:
    """What a device would take, or give, at each price in an interval.

    must_kw: taken at any price. buy_kw: taken besides up to the price `full`, nothing of it from the price `none` on, and in between in
    proportion; with both the same it is one step. sell_kw: given from the price `sell` on. now_kw: of all that, what it draws now.
    """

    must_kw: Floats = each("kW")
    buy_kw: Floats = each("kW")
    full_eur_per_kwh: Floats = each("EUR/kWh")
    none_eur_per_kwh: Floats = each("EUR/kWh")
    sell_kw: Floats = each("kW")
    sell_eur_per_kwh: Floats = each("EUR/kWh")
    now_kw: Floats = each("kW")
    interval_ns: int = shared("ns")


@dataclass(frozen=True)
class Load:
    """What flows through the transformers of each local market, measured when bids leave; negative upwards."""

    market: Ints = each("", "int64")
    p_kw: Floats = each("kW")
    interval_ns: int = shared("ns")


@dataclass(frozen=True)
class Price:
    """What a local market cleared at for an interval, and by what the next bids are made.

    buy_share, sell_share: of what is bid, or offered, at exactly the price, how much is taken. mean, deviation, quantiles: of the market's prices over
    the last day, the latter from the lowest to the highest in even parts. bidders: whose bids arrived: bit k for the customer's device of the k-th class that bids, in the order of work behind the meter.
    """

    price_eur_per_kwh: Floats = each("EUR/kWh")
    buy_share: Floats = each("")
    sell_share: Floats = each("")
    mean_eur_per_kwh: Floats = each("EUR/kWh")
    deviation_eur_per_kwh: Floats = each("EUR/kWh")
    bidders: Ints = each("", "int64")
    market: Ints = each("", "int64")
    quantiles_eur_per_kwh: Floats = shared("EUR/kWh", "float64", "markets", "quantiles")
    interval_ns: int = shared("ns")


_C, _D, _M = Domain.CUSTOMERS, Domain.DISTRIBUTION, Domain.MARKETS
_WHEN = "where there is a local market: `local_market.bid_lead_s` before each interval"


def _bid_size(payload: Bid) -> int:
    return _BID_BYTES


def _load_size(payload: Load) -> int:
    return _LOAD_BYTES


def _price_size(payload: Price) -> int:
    return _PRICE_BYTES


@cache
def bid(device: str) -> Contract[Bid]:
    """The contract by which a class of devices bids."""
    return made(Bid, Kind.BID, f"bid.{device}", _C, _M, _WHEN, OUTSIDE_PARTY, _bid_size)


LOAD = Contract(Load, Kind.TELEMETRY, "local_load", _D, _M, _WHEN, MARKET, size=_load_size)
PRICE = Contract(
    Price,
    Kind.PRICE,
    "local_price",
    _M,
    _C,
    "where there is a local market: `local_market.clear_lead_s` before each interval, to whose bids arrived",
    OUTSIDE_PARTY,
    size=_price_size,
)
