"""What vehicles and heat pumps draw on average if nobody controls them: the standard profiles of registered devices.

A vehicle that travels comes home at an hour that is normally distributed, and charges at full power until what it used is back.
A house needs the heat that it loses, less what people and sun give; radiation counts as its mean over the last hours, as the
mass takes it up and gives it back.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers import heat_pumps, vehicles
from heptagrid.foundation.time import NS_PER_QUARTER
from heptagrid.world.weather import Weather

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_QUANTILES = 99  # points at which the distributions of arrival and energy are taken, evenly in probability
_SUN_H = 6  # hours over which a house's mass evens the sun out: assumption, half its own time constant


def vehicle_kw(parameters: vehicles.Parameters, local_hour: Floats) -> Floats:
    """Mean draw of a vehicle over the quarter hours that begin at `local_hour` (0 to 24), the same shape, in kW."""
    one = parameters
    normal = _normal_quantiles()
    energy_kwh = one.trip_kwh * np.exp(one.trip_spread * normal - one.trip_spread**2 / 2.0)
    takes_h = np.minimum(energy_kwh, one.battery_kwh) / one.efficiency / one.charger_kw
    arrives_h = np.clip(one.arrival_h + one.arrival_sd_h * normal, one.departure_h + 1.0, 23.5)
    begin, end = arrives_h[:, np.newaxis], arrives_h[:, np.newaxis] + takes_h
    share = np.zeros(len(local_hour))
    for day_h in (0.0, 24.0):  # who comes late charges on beyond midnight
        start = (local_hour + day_h)[:, np.newaxis, np.newaxis]
        charged_h = np.minimum(end, start + 0.25) - np.maximum(begin, start)
        share += np.maximum(charged_h, 0.0).mean(axis=(1, 2)) / 0.25
    return np.asarray(one.travel_share * one.charger_kw * share)


def heat_pump_kw(parameters: heat_pumps.Parameters, weather: Weather, quarters: Ints) -> Floats:
    """Mean draw of a heat pump in consecutive quarter hours since 1970, the same shape, in kW.

    The weather's forecast is the weather that comes: assumption, a day ahead temperatures err by about 1 K, 4 % of the heat.
    """
    one = parameters
    middles_ns = [int(quarter) * NS_PER_QUARTER + NS_PER_QUARTER // 2 for quarter in quarters]
    before_ns = [middles_ns[0] - k * NS_PER_QUARTER for k in range(4 * _SUN_H - 1, 0, -1)]
    outside_c = np.array([weather.outside_c_at(ns) for ns in middles_ns])
    radiation_w_m2 = np.array([weather.radiation_w_m2_at(ns) for ns in (*before_ns, *middles_ns)])
    sun_w_m2 = np.lib.stride_tricks.sliding_window_view(radiation_w_m2, 4 * _SUN_H).mean(axis=1)
    size = np.exp(one.spread**2 / 2.0)  # mean of the houses' sizes
    heat_w = one.loss_w_per_k * (one.set_c - outside_c) - one.gains_w - one.window_m2 * sun_w_m2
    performance = np.array([heat_pumps.performance(float(each)) for each in outside_c])
    most_kw = one.loss_w_per_k * (one.set_c - one.design_c) / 1000.0 / heat_pumps.performance(one.design_c)
    return np.asarray(size * np.clip(heat_w / 1000.0 / performance, 0.0, most_kw))


def _normal_quantiles() -> Floats:
    """The standard normal distribution's quantiles in the middles of `_QUANTILES` parts of equal probability."""
    return np.array([NormalDist().inv_cdf((k + 0.5) / _QUANTILES) for k in range(_QUANTILES)])
