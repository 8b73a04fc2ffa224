"""Operations' forecast of the town: standard profiles of all that is registered, corrected by what meters have read.

Loads are taken as the same weekday's standard profiles one week earlier (persistence, the usual
benchmark of load forecasting); registered devices by their standard profiles; local units as their true
quarter hours times an error drawn once a day, which stands for a numerical weather forecast. Where meters are read, the
forecast takes on part of what they read beyond the standard profiles at the same time of the latest day that has been read. The meters
of devices that the aggregator plans are left out while these are meant to draw: what they read then is the aggregator's doing.
In the conventional arm no meter is read in time, and the standard profiles are all there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.random import Stream, normal
from heptagrid.foundation.sums import weighted_sum
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER
from heptagrid.world.grid import Profiles
from heptagrid.world.registrations import Registered

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_DAY_QUARTERS = 96
_WEEK_QUARTERS = 7 * 96
_REMEMBERED = 3 * 96  # quarter hours of reads that a forecast looks back on: assumption, a little more than two days


@dataclass(frozen=True)
class Parameters:
    """The error of operations' forecast, and what it takes on from the meters."""

    units_error: float = parameter(
        0.1,
        info="standard deviation of the daily relative error of the forecast of local generation",
        low=0.0,
        high=1.0,
        source="assumption: regional day-ahead photovoltaic forecasts err by about 10 % of the day's energy",
    )
    reads_share: float = parameter(
        0.5,
        info="share of what the meters read beyond the standard profiles that the next day's forecast takes on",
        low=0.0,
        high=1.0,
        source="assumption: half; 1 is persistence of the last day, 0 the standard profiles alone",
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
        registered: Sequence[Registered] = (),
    ) -> None:
        self._registered = registered
        self._read_beyond_kw: dict[int, float] = {}  # by quarter hour: what was read less the standard profiles
        self._steered_kw: dict[int, float] = {}  # by quarter hour: what the aggregator foresaw of its devices
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
        net_kw = self._standard_kw(quarter, quarter - _WEEK_QUARTERS)
        for one in self._registered:
            net_kw[one.owner] += one.mean_kw(np.array([quarter]))[0]
        return np.maximum(net_kw, 0.0) / 4.0, np.maximum(-net_kw, 0.0) / 4.0

    def town_kw(self, first_quarter: int, quarters: int) -> Floats:
        """Forecast of the town's net import without what the aggregator steers, (quarters,) in kW."""
        ahead = np.arange(first_quarter, first_quarter + quarters)
        town_kw = weighted_sum(self._load_kw_by_profile, self._relative(ahead - _WEEK_QUARTERS))
        for one in self._registered:
            town_kw += one.mean_kw(ahead) * int((~one.is_steered).sum())
        units_kw = weighted_sum(self._unit_kw_by_profile, self._relative(ahead))
        day = int(first_quarter * NS_PER_QUARTER // (24 * NS_PER_HOUR))
        error = normal(self._seed, Stream.FORECAST, 0, day)
        town_kw -= units_kw * max(0.0, 1.0 + self._parameters.units_error * error)
        return np.asarray(town_kw + self._parameters.reads_share * self._beyond_kw(ahead))

    def learn_steered(self, first_quarter: int, expected_kw: Floats) -> None:
        """Take what the aggregator expects its devices to draw from `first_quarter` on, (quarters,) in kW."""
        for k, each_kw in enumerate(expected_kw):
            self._steered_kw[first_quarter + k] = float(each_kw)

    def learn_reads(
        self, quarter: int, import_kwh: Floats, export_kwh: Floats, was_read: npt.NDArray[np.bool_]
    ) -> None:
        """Take what the meters read in a quarter hour, (points,) each; what was not read tells nothing."""
        standard_kw, counts = self._standard_kw(quarter, quarter), was_read.copy()
        are_meant_to_draw = self._steered_kw.get(quarter, np.inf) > 0.0
        for one in self._registered:
            standard_kw[one.owner[~one.is_steered]] += one.mean_kw(np.array([quarter]))[0]
            counts[one.owner[one.is_steered]] &= not are_meant_to_draw
        beyond_kw = np.where(counts, 4.0 * (import_kwh - export_kwh) - standard_kw, 0.0)
        self._read_beyond_kw[quarter] = float(beyond_kw.sum())
        for known in (self._read_beyond_kw, self._steered_kw):
            for old in [each for each in known if each < quarter - _REMEMBERED]:
                del known[old]

    def _beyond_kw(self, quarters: Ints) -> Floats:
        """What the meters read beyond the standard profiles at the same time of the latest day that was read, else 0."""
        found = np.zeros(len(quarters))
        known = self._read_beyond_kw
        for k, quarter in enumerate(quarters.tolist()):
            days = (quarter - each * _DAY_QUARTERS for each in range(1, 1 + _REMEMBERED // _DAY_QUARTERS))
            found[k] = next((known[day] for day in days if day in known), 0.0)
        return found

    def _standard_kw(self, quarter: int, units_quarter: int) -> Floats:
        """Net draw of every meter's loads in `quarter` by their profiles a week before, less its units' in `units_quarter`."""
        relative = self._relative(np.array([quarter - _WEEK_QUARTERS, units_quarter]))
        net_kw = np.zeros(self._points)
        net_kw[: len(self._load_kw)] = self._load_kw * relative[0, self._load_profile]
        net_kw -= np.bincount(self._unit_point, self._unit_kw * relative[1, self._unit_profile], minlength=self._points)
        return net_kw

    def _relative(self, quarters: Ints) -> Floats:
        """Profile values in `quarters`; those outside the data take the same time of the nearest week inside."""
        rows = quarters - self._first
        last = self._profiles.millionths.shape[0]
        rows = np.where(rows < 0, rows % _WEEK_QUARTERS, rows)
        rows = np.where(rows >= last, last - _WEEK_QUARTERS + (rows - last) % _WEEK_QUARTERS, rows)
        return np.asarray(self._profiles.millionths[rows] * 1e-6)
