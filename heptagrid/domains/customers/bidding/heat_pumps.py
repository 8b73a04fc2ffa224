"""Heat pumps bid from their comfort band: the ramp of the Olympic Peninsula's thermostats, for a pump whose power is controlled.

A thermostat that follows price moves its set-point by (price - mean) of the set-point's band, so many standard deviations of the price reaching the band's
end, and bids the price at which its house would just be warm enough:

    bid = mean + ramp * deviation * (set - air) / band.

Source: GridLAB-D, market/controller.cpp, control mode RAMP; Hammerstrom et al. (2007), "Pacific Northwest GridWise testbed demonstration projects, part I: Olympic
Peninsula project", PNNL-17167. There a pump is on or off. This one's power falls in proportion over the thermostat's band, so its bid falls in proportion between the
prices at which that formula holds for the two ends of the thermostat's band. What it draws with its set-point at the lowest it takes at any price.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.bidding.rule import BidRule, Curves, Interval, Outlook
from heptagrid.foundation.parameters import parameter

if TYPE_CHECKING:
    from heptagrid.domains.customers.heat_pumps import HeatPumps

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Parameters:
    """How strongly thermostats follow the price."""

    ramp: float = parameter(
        2.0,
        info="standard deviations of the price at which the set-point has moved by all of `heat_pumps.flex_k`; more of them: more comfort, less response",
        low=0.01,
        high=100.0,
        source="GridLAB-D, market/autotest/test_controller_double_price_functionality.glm: ramp_low 2, ramp_high 2; Olympic Peninsula's customers chose between comfort and economy",
    )


class RampRule(BidRule["HeatPumps"]):
    """The value that a heat pump follows is how far its set-point is moved, in K."""

    section = Parameters

    def bids(self, device: HeatPumps, rows: Ints, outlook: Outlook, interval: Interval) -> Curves:
        one = device.parameters
        rise_k, most_kw = device.set_c[rows] - device.air_c[rows], device.most_kw[rows]
        least, most = (np.clip((rise_k + shift) / one.band_k + 0.5, 0.0, 1.0) for shift in (-one.flex_k, one.flex_k))

        def price_at(share: Floats) -> Floats:
            """At which the pump runs at that share of its power: where its house is that much colder or warmer."""
            return ramp_price(outlook, rise_k + one.band_k * (0.5 - share), one.flex_k, self.parameters.ramp)

        return Curves.buying((most - least) * most_kw, price_at(most), price_at(least), least * most_kw)

    def response(self, device: HeatPumps, rows: Ints, outlook: Outlook, price: Floats, net_kw: Floats) -> Floats:
        return ramp_shift(outlook, price, device.parameters.flex_k, self.parameters.ramp)


def ramp_price(outlook: Outlook, rise_k: Floats, band_k: float, ramp: float) -> Floats:
    """The price bid, the same shape, by a house that lacks `rise_k` to its set-point, which may move by `band_k` either way."""
    if band_k == 0.0:
        return outlook.mean.copy()
    return np.asarray(outlook.mean + ramp * outlook.deviation * rise_k / band_k)


def ramp_shift(outlook: Outlook, price: Floats, band_k: float, ramp: float) -> Floats:
    """How far a price moves the set-point, the same shape, in K: down where it is above the mean."""
    moved_k = (outlook.mean - price) * band_k / (ramp * outlook.deviation)
    return np.asarray(np.clip(moved_k, -band_k, band_k))
