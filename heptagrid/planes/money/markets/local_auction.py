"""The double auction of local markets, many at once: steps and slopes of devices, the grid up to what its transformer carries, uncontrolled load.

The price is the middle of all prices at which no more is bid for than offered and no more offered than bid for, as in `double_auction`, whose answer this is where
all bids are steps; between two prices a bid may fall in proportion, as in PowerMatcher's bids (Kok, Warmer and Kamphuis 2005, "PowerMatcher:
multiagent control in the electricity infrastructure", AAMAS). Uncontrolled load and what must be taken bid the price cap, what is generated behind the
meters offers at minus the cap. The grid sells at one price and takes back at another one, each up to the capacity. Bids, and offers, at exactly the price
share what is left by their quantities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.parameters import parameter

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SIDES = ("grid", "seller", "buyer", "between")
"""Who sets the price: the grid's own offer or purchase, another offer, a bid, or none of them, the price lying between."""

_ROUNDING = 1e-11  # of all that is bid and offered: quantities that differ by less are one


@dataclass(frozen=True)
class Parameters:
    """Whether there are local markets at the substations, when they clear, and what the grid's energy costs in them."""

    enabled: bool = parameter(
        False,
        info="whether the devices of enrolled customers bid into a market at their substation instead of following the aggregator's plans",
        source="assumption: few grids have one",
    )
    period_s: int = parameter(
        300,
        info="length of the intervals for which markets clear; divides 3600 s, and whole coupling steps",
        unit="s",
        low=60,
        high=3600,
        source="five minutes: Olympic Peninsula project (Hammerstrom et al. 2007, PNNL-17167) and AEP gridSMART (Widergren et al. 2014, PNNL-23192)",
    )
    bid_lead_s: float = parameter(
        120.0,
        info="how long before an interval devices send their bids; rounded up to whole coupling steps",
        unit="s",
        low=1.0,
        high=3600.0,
        source="assumption: a minute for bids and a minute for prices",
    )
    clear_lead_s: float = parameter(
        60.0,
        info="how long before an interval the market clears with the bids that have arrived; rounded up to whole coupling steps",
        unit="s",
        low=1.0,
        high=3600.0,
        source="assumption: as the bids' own",
    )
    spread_s: float = parameter(
        30.0,
        info="time over which the devices of a market send their bids, and the market its prices, against a rush on the access networks",
        unit="s",
        low=0.0,
        high=3600.0,
        source="assumption: half of the time that each has",
    )
    capacity_pct: float = parameter(
        100.0,
        info="up to which part of its transformers' rating the grid sells, and takes back, in a market",
        unit="%",
        low=0.0,
        high=200.0,
        source="the transformer's rated power (IEC 60076-7: cyclic loading above it ages it faster)",
    )
    fee_ct_per_kwh: float = parameter(
        0.0,
        info="what a kWh from the grid costs in a market above the day-ahead price, and what traded within it is spared",
        unit="ct/kWh",
        low=0.0,
        high=50.0,
        source="assumption: none; network fees, levies and taxes stand on the bill in any case",
    )
    price_cap_eur_per_kwh: float = parameter(
        1.0,
        info="highest price, at which uncontrolled load bids; minus that is the lowest",
        unit="EUR/kWh",
        low=0.01,
        high=100.0,
        source="assumption: below what lost load is worth, above any price of a market that balances",
    )
    least_deviation_ct_per_kwh: float = parameter(
        0.2,
        info="what the standard deviation of prices counts as at least, so that bids differ where the price hardly does",
        unit="ct/kWh",
        low=0.0001,
        high=100.0,
        source="assumption: of the order of a winter day's day-ahead prices in this market",
    )


class Orders(NamedTuple):
    """Bids and offers of devices, (n,) each, the market ascending; as `heptagrid.contracts.local_market.Bid` says."""

    market: Ints
    must_kw: Floats
    buy_kw: Floats
    full: Floats
    none: Floats
    sell_kw: Floats
    sell: Floats


class Grid(NamedTuple):
    """What the grid does in each market, (markets,) each.

    sells_at, takes_at: EUR/kWh. capacity_kw: either way. uncontrolled_kw: demand that takes any price; negative: generation that does.
    """

    sells_at: Floats
    takes_at: Floats
    capacity_kw: Floats
    uncontrolled_kw: Floats


class Clearing(NamedTuple):
    """(markets,) each: price, shares taken at it, what was traded, what the grid sold less what it took back, who set the price (of `SIDES`)."""

    price: Floats
    buy_share: Floats
    sell_share: Floats
    volume_kw: Floats
    import_kw: Floats
    side: Ints


def clear(orders: Orders, grid: Grid, cap: float) -> Clearing:
    """Clear all markets; prices are kept within plus and minus the cap, in EUR/kWh."""
    count = len(grid.sells_at)
    start = np.searchsorted(orders.market, np.arange(count + 1))
    price, buy_share, sell_share, volume_kw, import_kw = np.zeros((5, count))
    found = Clearing(price, buy_share, sell_share, volume_kw, import_kw, np.zeros(count, dtype=np.int64))
    clipped = orders._replace(**{name: np.clip(getattr(orders, name), -cap, cap) for name in ("full", "none", "sell")})
    sells_at = np.clip(grid.sells_at, -cap, cap)
    takes_at = np.minimum(
        np.clip(grid.takes_at, -cap, cap), np.nextafter(sells_at, -np.inf)
    )  # it trades nothing with itself
    bounded = grid._replace(sells_at=sells_at, takes_at=takes_at)
    _clear(start, clipped, bounded, cap, found)
    return found


def taken(orders: Orders, price: Floats, buy_share: Floats, sell_share: Floats, cap: float) -> tuple[Floats, Floats]:
    """What each device takes and gives, (n,) in kW each, at its market's price and shares, (n,) each: what the clearing gave it."""
    full, none, sell = (np.clip(one, -cap, cap) for one in (orders.full, orders.none, orders.sell))
    slope = np.clip((none - price) / np.where(none > full, none - full, 1.0), 0.0, 1.0)
    step = np.where(price < full, 1.0, np.where(price == full, buy_share, 0.0))
    must_kw = orders.must_kw * np.where(price < cap, 1.0, buy_share)
    buys_kw = must_kw + orders.buy_kw * np.where(none > full, slope, step)
    sells_kw = orders.sell_kw * np.where(price > sell, 1.0, np.where(price == sell, sell_share, 0.0))
    return buys_kw, sells_kw


@kernel
def _bid_for(price, full, none, kw, at):  # type: ignore[no-untyped-def]
    """What is bid for at a price; of steps at exactly the price all if `at`, else nothing."""
    total = 0.0
    for k in range(kw.shape[0]):
        if none[k] > full[k]:
            total += kw[k] * min(max((none[k] - price) / (none[k] - full[k]), 0.0), 1.0)
        elif price < full[k] or (at and price == full[k]):
            total += kw[k]
    return total


@kernel
def _offered(price, sell, kw, at):  # type: ignore[no-untyped-def]
    """What is offered at a price; what is offered at exactly it only if `at`."""
    total = 0.0
    for k in range(kw.shape[0]):
        if price > sell[k] or (at and price == sell[k]):
            total += kw[k]
    return total


@kernel
def _clear(start, orders, grid, cap, found):  # type: ignore[no-untyped-def]
    for m in range(start.shape[0] - 1):
        first, n = start[m], start[m + 1] - start[m]
        # The devices' bids; then what must be taken and the uncontrolled load, and what the grid takes back.
        full, none, buy = np.empty(n + 2), np.empty(n + 2), np.empty(n + 2)
        sell, give = np.empty(n + 2), np.empty(n + 2)
        full[:n], none[:n] = orders.full[first : first + n], orders.none[first : first + n]
        buy[:n], sell[:n] = orders.buy_kw[first : first + n], orders.sell[first : first + n]
        give[:n] = orders.sell_kw[first : first + n]
        load = grid.uncontrolled_kw[m]
        full[n], buy[n] = cap, max(load, 0.0) + orders.must_kw[first : first + n].sum()
        full[n + 1], buy[n + 1] = grid.takes_at[m], grid.capacity_kw[m]
        none[n:] = full[n:]
        sell[n], give[n] = -cap, max(-load, 0.0)
        sell[n + 1], give[n + 1] = grid.sells_at[m], grid.capacity_kw[m]

        price = _price(full, none, buy, sell, give)
        at_once, sold_at_once = _bid_for(price, full, none, buy, False), _offered(price, sell, give, False)
        marginal = _bid_for(price, full, none, buy, True) - at_once
        sold_marginal = _offered(price, sell, give, True) - sold_at_once
        volume = min(at_once + marginal, sold_at_once + sold_marginal)
        buy_share = min(max((volume - at_once) / marginal, 0.0), 1.0) if marginal > 0.0 else 1.0
        sell_share = min(max((volume - sold_at_once) / sold_marginal, 0.0), 1.0) if sold_marginal > 0.0 else 1.0
        imported = 0.0
        if price >= sell[n + 1]:
            imported += give[n + 1] * (1.0 if price > sell[n + 1] else sell_share)
        if price <= full[n + 1]:
            imported -= buy[n + 1] * (1.0 if price < full[n + 1] else buy_share)
        found.price[m], found.volume_kw[m], found.import_kw[m] = price, volume, imported
        found.buy_share[m], found.sell_share[m] = buy_share, sell_share
        if price == sell[n + 1] or price == full[n + 1]:
            found.side[m] = 0
        elif sold_marginal > 0.0:
            found.side[m] = 1
        elif marginal > 0.0 or _falls_at(price, full, none, buy):
            found.side[m] = 2
        else:
            found.side[m] = 3


@kernel
def _falls_at(price, full, none, kw):  # type: ignore[no-untyped-def]
    """Whether a bid falls in proportion at a price."""
    count = 0
    for k in range(kw.shape[0]):
        if kw[k] > 0.0 and full[k] < price < none[k]:
            count += 1
    return count > 0


@kernel
def _price(full, none, buy, sell, give):  # type: ignore[no-untyped-def]
    """The middle of the lowest and the highest price at which demand and supply are the same."""
    at = np.sort(np.concatenate((full, none, sell)))
    rounding = _ROUNDING * (buy.sum() + give.sum() + 1e-9)
    # The excess of demand falls with the price: the first price above which it is gone, by halving.
    low, high = 0, at.shape[0] - 1
    while low < high:
        middle = (low + high) // 2
        if _bid_for(at[middle], full, none, buy, False) - _offered(at[middle], sell, give, True) <= rounding:
            high = middle
        else:
            low = middle + 1
    lowest = at[low]
    below = _bid_for(lowest, full, none, buy, True) - _offered(lowest, sell, give, False)
    if below <= rounding and low > 0:
        before = _bid_for(at[low - 1], full, none, buy, False) - _offered(at[low - 1], sell, give, True)
        if before > below:
            lowest = at[low - 1] + (at[low] - at[low - 1]) * min(before / (before - below), 1.0)
    # The last price below which there is none of supply.
    low, high = 0, at.shape[0] - 1
    while low < high:
        middle = (low + high + 1) // 2
        if _bid_for(at[middle], full, none, buy, True) - _offered(at[middle], sell, give, False) >= -rounding:
            low = middle
        else:
            high = middle - 1
    highest = at[low]
    above = _bid_for(highest, full, none, buy, False) - _offered(highest, sell, give, True)
    if above >= -rounding and low < at.shape[0] - 1:
        after = _bid_for(at[low + 1], full, none, buy, True) - _offered(at[low + 1], sell, give, False)
        if above > after:
            highest = at[low] + (at[low + 1] - at[low]) * min(max(above, 0.0) / (max(above, 0.0) - after), 1.0)
    return 0.5 * (lowest + max(highest, lowest))
