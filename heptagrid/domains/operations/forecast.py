"""Operations' forecast of the town: standard load profiles of a week before, and weather-fed local units.

Loads are taken as the same weekday's standard profiles one week earlier (persistence, the usual
benchmark of load forecasting); local units as their true quarter hours times an error drawn once a day,
which stands for a numerical weather forecast.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.random import Stream, normal
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER
from heptagrid.world.grid import Profiles

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_WEEK_QUARTERS = 7 * 96


@dataclass(frozen=True)
class Parameters:
    """How well operations sees ahead."""

    units_error: float = parameter(
        0.1,
        info="standard deviation of the daily relative error of the local units' forecast",
        low=0.0,
        high=1.0,
        source="assumption: regional day-ahead photovoltaic forecasts err by about 10 % of the day's energy",
    )


class Forecast:
    """Standard profiles and town forecasts from contract data: ratings and profile classes."""

    def __init__(
        self,
        parameters: Parameters,
        profiles: Profiles,
        load_kw: Floats,
        load_profile: Ints,
        unit_kw: Floats,
        unit_profile: Ints,
        unit_point: Ints,
        points: int,
        seed: int,
    ) -> None:
        columns = len(profiles.names)
        self._profiles = profiles
        self._parameters = parameters
        self._seed = seed
        self._first = profiles.start_ns // NS_PER_QUARTER
        self._load_kw, self._load_profile = load_kw, load_profile
        self._unit_kw, self._unit_profile, self._unit_point = unit_kw, unit_profile, unit_point
        self._points = points
        self._load_kw_by_profile = np.bincount(load_profile, load_kw, minlength=columns)
        self._unit_kw_by_profile = np.bincount(unit_profile, unit_kw, minlength=columns)

    def standard_kwh(self, quarter: int) -> tuple[Floats, Floats]:
        """Import and export of every meter in `quarter` by its standard profiles, (points,) each, in kWh."""
        relative = self._relative(np.array([quarter - _WEEK_QUARTERS]))[0]
        net_kw = np.zeros(self._points)
        net_kw[: len(self._load_kw)] = self._load_kw * relative[self._load_profile]
        net_kw -= np.bincount(self._unit_point, self._unit_kw * relative[self._unit_profile], minlength=self._points)
        return np.maximum(net_kw, 0.0) / 4.0, np.maximum(-net_kw, 0.0) / 4.0

    def town_kw(self, first_quarter: int, quarters: int) -> Floats:
        """Forecast of the town's net import without managed devices, (quarters,) in kW."""
        ahead = np.arange(first_quarter, first_quarter + quarters)
        load_kw = self._relative(ahead - _WEEK_QUARTERS) @ self._load_kw_by_profile
        units_kw = self._relative(ahead) @ self._unit_kw_by_profile
        day = int(first_quarter * NS_PER_QUARTER // (24 * NS_PER_HOUR))
        error = normal(self._seed, Stream.FORECAST, 0, day)
        return np.asarray(load_kw - units_kw * max(0.0, 1.0 + self._parameters.units_error * error))

    def _relative(self, quarters: Ints) -> Floats:
        """Profile values in `quarters`; those outside the data take the same time of the nearest week inside."""
        rows = quarters - self._first
        last = self._profiles.millionths.shape[0]
        rows = np.where(rows < 0, rows % _WEEK_QUARTERS, rows)
        rows = np.where(rows >= last, last - _WEEK_QUARTERS + (rows - last) % _WEEK_QUARTERS, rows)
        return np.asarray(self._profiles.millionths[rows] * 1e-6)
