"""The aggregator: controls enrolled vehicles, heat pumps and batteries, so that the town's peak falls.

Each device gets a signal for the next day, in kW per device, and fills the valley that it sees in it.
The vehicles' signal is the forecast of the town's load divided by the vehicles that will share it: if
each of N vehicles charges at `level - forecast / N`, the sum of the town and its vehicles is flat, which
is the optimum of Gan, Topcu and Low (2013), "Optimal decentralized protocol for electric vehicle
charging". A price tilt is added. What the vehicles are expected to take is added to the forecast that
heat pumps and batteries see, so that they do not all run into the same valley.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.parameters import parameter

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
    vehicle_kwh_per_day: float = parameter(
        7.8,
        info="what a vehicle is expected to draw on a day, losses of charging included, for the aggregator's own model",
        unit="kWh",
        low=0.0,
        high=100.0,
        source="Mobilität in Deutschland 2017: about 37 km per car and day (source not read), times 0.19 kWh/km, over 0.9",
    )
    night_from_h: float = parameter(
        18.0,
        info="local hour from which most enrolled vehicles are expected to be plugged in",
        unit="h",
        low=0.0,
        high=24.0,
        source="assumption, after the evening arrival peak in Mobilität in Deutschland 2017",
    )
    night_to_h: float = parameter(
        7.0,
        info="local hour until which they are",
        unit="h",
        low=0.0,
        high=24.0,
        source="assumption, after the morning departure peak in Mobilität in Deutschland 2017",
    )
    smoothing_h: float = parameter(
        2.5,
        info="hours over which the signal of heat pumps and batteries is smoothed, so that houses follow the day "
        "and not the forecast's noise",
        unit="h",
        low=0.25,
        high=12.0,
        source="assumption: of the order of a house's own response time",
    )
    relief_cap_kw: float = parameter(
        4.1,
        info="charging power to which a relief request caps the vehicles behind a transformer",
        unit="kW",
        low=0.0,
        high=22.0,
        source="IEC 61851-1: 6 A, the least charging current, on three phases of 230 V",
    )


@dataclass(frozen=True)
class Signals:
    """Signals for the next 96 quarter hours, (SLOTS,) in kW per device of each class.

    expected_kw: what all enrolled vehicles together are expected to take.
    """

    vehicles: Floats
    heat_pumps: Floats
    batteries: Floats
    expected_kw: Floats


class Aggregator:
    """Plans signals from the forecast and the prices that have reached it."""

    def __init__(self, parameters: Parameters, vehicles: int, heat_pumps: int, batteries: int) -> None:
        self.parameters = parameters
        self._enrolled = vehicles
        self._vehicles = max(vehicles, 1)
        self._heat_pumps = max(heat_pumps, 1)
        self._batteries = max(batteries, 1)

    def plan(self, town_kw: Floats, price_eur_per_mwh: Floats, local_hour: Floats) -> Signals:
        """Signals from the forecast town load, the prices and the local hour of each slot, (SLOTS,) each."""
        tilt_kw = self.parameters.price_tilt_kw_per_eur_mwh * (price_eur_per_mwh - price_eur_per_mwh.mean())
        seen_kw = town_kw + tilt_kw
        expected_kw = self.expected_kw(seen_kw, local_hour)
        with_vehicles_kw = seen_kw + expected_kw
        smooth_kw = _smoothed(with_vehicles_kw, round(4.0 * self.parameters.smoothing_h))
        return Signals(
            vehicles=seen_kw / self._vehicles,
            heat_pumps=smooth_kw / self._heat_pumps,
            batteries=smooth_kw / self._batteries,
            expected_kw=expected_kw,
        )

    def expected_kw(self, seen_kw: Floats, local_hour: Floats) -> Floats:
        """What the enrolled vehicles will take in a day's quarter hours, (slots,): one battery, plugged in overnight, that fills the valley."""
        plugged = (local_hour >= self.parameters.night_from_h) | (local_hour < self.parameters.night_to_h)
        need_kwh = self._enrolled * self.parameters.vehicle_kwh_per_day
        if not plugged.any() or not self._enrolled:
            return np.zeros_like(seen_kw)
        ordered = np.sort(seen_kw[plugged])
        filled_kwh = np.arange(1, len(ordered) + 1) * ordered / 4.0 - np.cumsum(ordered) / 4.0
        slots = max(int(np.searchsorted(filled_kwh, need_kwh)), 1)
        level_kw = (need_kwh * 4.0 + ordered[:slots].sum()) / slots
        return np.where(plugged, np.maximum(level_kw - seen_kw, 0.0), 0.0)


def _smoothed(values: Floats, slots: int) -> Floats:
    """Centred moving average over `slots`, with the ends repeated outwards."""
    before, after = (slots - 1) // 2, slots // 2
    padded = np.concatenate([np.full(before, values[0]), values, np.full(after, values[-1])])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, slots).mean(axis=1))
