"""An aggregator's plan: it controls the devices of those who enrolled, so that the peak of its customers falls.

Each device gets a signal for the next day, in kW per device, and draws where it is low. Classes that need a known energy within known
hours, such as vehicles at night, come first: their signal is the forecast of the customers' load divided by the devices that will share
it. If each of N vehicles charges at `level - forecast / N`, the sum of the customers and their vehicles is flat, which is the optimum of
Gan, Topcu and Low (2013), "Optimal decentralized protocol for electric vehicle charging". A price tilt is added. What each of these classes
is expected to draw is added to the forecast that the next one sees, and the others see the sum, so that they do not all draw in the same hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.domains.providers.expected_draw import expected_draw
from heptagrid.foundation.parameters import parameter
from heptagrid.world.registrations import Enrolled

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SLOTS = 96


@dataclass(frozen=True)
class Parameters:
    """How the aggregator plans, and what it pays."""

    plan_every_s: int = parameter(
        3600,
        info="how often new signals go out",
        unit="s",
        low=900,
        high=86400,
        source="assumption: hourly, as intraday markets",
    )
    valid_s: int = parameter(
        4500,
        info="how long a set-point holds; a device that hears nothing new falls back to its own control after it",
        unit="s",
        low=900,
        high=86400,
        source="assumption: one planning interval and a quarter hour of grace, so that lost contact is noticed soon",
    )
    price_tilt_kw_per_eur_mwh: float = parameter(
        5.0,
        info="town load that one EUR/MWh of price difference weighs as much as, against a flat load",
        unit="kW per EUR/MWh",
        low=0.0,
        high=1000.0,
        source="assumption: 20 EUR/MWh weigh like 100 kW, 1 % of the town's peak",
    )
    smoothing_h: float = parameter(
        2.5,
        info="hours over which the signal of classes without a known need, such as heat pumps, is smoothed, so that houses "
        "follow the day and not the forecast's noise",
        unit="h",
        low=0.25,
        high=12.0,
        source="assumption: of the order of a house's own response time",
    )
    relief_cap_kw: float = parameter(
        4.1,
        info="power to which a relief request caps each device that can be capped, such as a vehicle, behind a transformer",
        unit="kW",
        low=0.0,
        high=22.0,
        source="IEC 61851-1: 6 A, the least charging current, on three phases of 230 V",
    )


@dataclass(frozen=True)
class Signals:
    """Signals for the next 96 quarter hours, (SLOTS,) in kW per device, by class.

    expected_kw: what all enrolled devices with a known need are expected to take.
    """

    kw: Mapping[str, Floats]
    expected_kw: Floats


class Aggregator:
    """Plans signals from the forecast and the prices that have reached it.

    enrolled: the devices that it controls, by class. towns: how many towns its customers make up, for the price tilt is said of a town's load.
    """

    def __init__(self, parameters: Parameters, enrolled: Mapping[str, Enrolled], towns: float = 1.0) -> None:
        self.parameters, self._towns = parameters, towns
        self.enrolled = enrolled
        capped = [one.customers for one in enrolled.values() if one.is_capped]
        self.capped_customers: Ints = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *capped]))

    def plan(self, net_kw: Floats, price_eur_per_mwh: Floats, local_hour: Floats) -> Signals:
        """Signals from the forecast load of its customers, the prices and the local hour of each slot, (SLOTS,) each."""
        tilt_kw = self.parameters.price_tilt_kw_per_eur_mwh * (price_eur_per_mwh - price_eur_per_mwh.mean())
        tilted_kw = net_kw + self._towns * tilt_kw
        expected_kw, seen_kw = expected_draw(self.enrolled, tilted_kw, local_hour)
        with_all_kw = tilted_kw + expected_kw
        smooth_kw = _smoothed(with_all_kw, round(4.0 * self.parameters.smoothing_h))
        signals = {
            name: seen_kw.get(name, smooth_kw) / max(len(one.customers), 1) for name, one in self.enrolled.items()
        }
        return Signals(signals, expected_kw)


def _smoothed(values: Floats, slots: int) -> Floats:
    """Centred moving average over `slots`, with the ends repeated outwards."""
    before, after = (slots - 1) // 2, slots // 2
    padded = np.concatenate([np.full(before, values[0]), values, np.full(after, values[-1])])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, slots).mean(axis=1))
