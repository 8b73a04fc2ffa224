"""Vehicles bid the price that is undercut for as long as they must charge.

A vehicle that needs a share of the time until it leaves bids the quantile of that share of the last day's prices: whoever needs half of the
time bids the median, whoever needs all of it takes any price. So it charges in the cheapest hours if the day to come is as the last one was, and pays more as time runs out if it is not.

Source: the transactive energy service system of SLAC, rule for vehicles at home (github.com/mlamlamla/powernet_pyGridlabD_market, EV_functions.py,
`calc_bids_EV`; Arlt, Chassin and Kiesling 2021, "Opening up transactive systems: introducing TESS", Energies 14:3970). There prices are taken as normally distributed; a few intervals at the price cap
make that a bad guess (mean and deviation grow, and vehicles bid less than the lowest price there is), so here the quantiles are those of the prices themselves.

Vehicles give nothing back, but for those with bidirectional chargers that may feed in: they offer what they hold beyond their reserve, above the mean price by what both ways lose and what it wears the battery, as
batteries do, and never below what they bid themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.bidding.batteries import mean_prices
from heptagrid.domains.customers.bidding.rule import BidRule, Curves, Interval, Outlook
from heptagrid.foundation.time import NS_PER_HOUR

if TYPE_CHECKING:
    from heptagrid.domains.customers.vehicles import Vehicles

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class QuantileRule(BidRule["Vehicles"]):
    """The value that a vehicle follows is its power, in kW."""

    def bids(self, device: Vehicles, rows: Ints, outlook: Outlook, interval: Interval) -> Curves:
        need_kwh, leaves_ns = device.charging_need(interval.begin_ns)
        need_kwh, left_h = need_kwh[rows], (leaves_ns[rows] - interval.begin_ns) / NS_PER_HOUR
        most_kw = device.most_kw(rows)
        kw = np.minimum(need_kwh / interval.hours, most_kw)
        share = need_kwh / most_kw / np.maximum(left_h, 1e-9)
        must = share >= 1.0
        price = quantile_price(outlook.quantiles, share)
        buys = Curves.buying(np.where(must, 0.0, kw), price, price, np.where(must, kw, 0.0))
        spare_kw = device.spare_kw(rows, interval.hours)
        if spare_kw is None:
            return buys
        _, sell = mean_prices(outlook.mean, device.parameters.efficiency)
        sell += device.parameters.v2g_wear_ct_per_kwh / 100.0
        return buys._replace(sell_kw=np.where(must, 0.0, spare_kw), sell=np.maximum(sell, price))


def quantile_price(quantiles: Floats, share: Floats) -> Floats:
    """The price below which prices lie for that share of the time, (k,), straight between the known quantiles, (k, quantiles)."""
    parts = quantiles.shape[1] - 1
    at = np.clip(share, 0.0, 1.0) * parts
    below = np.minimum(at.astype(np.int64), parts - 1)
    rows = np.arange(len(share))
    low, high = quantiles[rows, below], quantiles[rows, below + 1]
    return np.asarray(low + (at - below) * (high - low))
