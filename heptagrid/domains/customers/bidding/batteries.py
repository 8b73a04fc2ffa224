"""Home batteries buy below the mean price by as much as charging loses, and sell above it by as much as discharging does.

So what is bought at the one price and sold at the other just pays for the losses of both ways; both prices lie about the mean that prices have had. What a battery
takes up of its owner's surplus, and covers of its owner's demand, it does at any price and outside of the market: it bids what it can do besides.

Source: the transactive energy service system of SLAC, rule "simple mean" (github.com/mlamlamla/powernet_pyGridlabD_market, battery functions, `batt_myopic_bid`;
Arlt, Chassin and Kiesling 2021, "Opening up transactive systems: introducing TESS", Energies 14:3970).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.bidding.rule import BidRule, Curves, Interval, Outlook

if TYPE_CHECKING:
    from heptagrid.domains.customers.batteries import Batteries

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class MeanRule(BidRule["Batteries"]):
    """The value that a battery follows is what it draws beside its owner's own use, in kW; below zero it gives."""

    def bids(self, device: Batteries, rows: Ints, outlook: Outlook, interval: Interval) -> Curves:
        one, own_kw = device.parameters, device.orders.table.own_kw[rows]
        efficiency, held_kwh = one.one_way_efficiency, device.content_kwh[rows]
        room_kw = (one.capacity_kwh - held_kwh) / efficiency / interval.hours
        held_kw = held_kwh * efficiency / interval.hours
        buy, sell = mean_prices(outlook.mean, efficiency)
        buy_kw = np.maximum(np.minimum(room_kw, one.power_kw) - own_kw, 0.0)
        sell_kw = np.maximum(np.minimum(held_kw, one.power_kw) + own_kw, 0.0)
        return Curves(np.zeros_like(buy), buy_kw, buy, buy, sell_kw, sell)


def mean_prices(mean: Floats, efficiency: float) -> tuple[Floats, Floats]:
    """The price up to which one buys and that from which on one sells, the same shape each; around a mean below zero as around one above it."""
    size = np.abs(mean)
    return np.asarray(mean - size * (1.0 - efficiency)), np.asarray(mean + size * (1.0 / efficiency - 1.0))
