"""Operations' forecast of the customers of each company: standard profiles of all that is registered, corrected by what meters have read.

Loads are taken as the same weekday's standard profiles one week earlier (persistence, the usual
benchmark of load forecasting); registered devices by their standard profiles; local units as their true
quarter hours times an error drawn once a day, which stands for a numerical weather forecast. Where meters are read, the
forecast takes on part of what they read beyond the standard profiles at the same time of the latest day that has been read. The meters
of devices that an aggregator plans are left out while these are meant to draw: what they read then is the aggregator's doing.
In the conventional arm no meter is read in time, and the standard profiles are all there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.point_columns import of_points
from heptagrid.foundation.random import Stream, normal
from heptagrid.foundation.sums import weighted_sum
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER
from heptagrid.world.companies import Companies
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


@dataclass
class _Customers:
    """The customers of one company: their points, ratings by profile, and registered devices of each class that nobody steers.

    read_beyond_kw: by quarter hour what was read less the standard profiles.
    """

    points: Ints
    load_kw: Floats
    unit_kw: Floats
    devices: list[int]
    read_beyond_kw: dict[int, float] = field(default_factory=dict)


class Forecast:
    """Standard profiles and forecasts from contract data: ratings and profile classes."""

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
        companies: Companies | None = None,
    ) -> None:
        """Set up; without `companies` all points have the same."""
        everyone = np.zeros(points, dtype=np.int64)
        companies = companies or Companies(("",), ("",), everyone, everyone)
        self._registered, self._aggregator_of = registered, companies.aggregator_of
        self._mean_kw: list[dict[int, float]] = [
            {} for _ in registered
        ]  # by class and quarter hour, as asked for before
        # By aggregator and quarter hour: what it foresaw of its devices.
        self._steered_kw: list[dict[int, float]] = [{} for _ in companies.aggregators]
        self._profiles = profiles
        self._parameters = parameters
        self._seed = seed
        self._first = profiles.start_ns // NS_PER_QUARTER
        self._load_kw, self._load_profile = load_kw, load_profile
        self._unit_kw, self._unit_profile, self._unit_point = unit_kw, unit_profile, unit_point
        self._points = points
        self._of_retailers = [self._customers(points) for points in companies.all_supplied]
        self._of_aggregators = [self._customers(points) for points in companies.all_steered]

    def _customers(self, points: Ints) -> _Customers:
        """What is known of some points."""
        are_theirs = np.zeros(self._points, dtype=np.bool_)
        are_theirs[points] = True
        loads, units = are_theirs[: len(self._load_kw)], are_theirs[self._unit_point]
        columns = len(self._profiles.names)
        return _Customers(
            points,
            np.bincount(self._load_profile[loads], self._load_kw[loads], minlength=columns).astype(np.float64),
            np.bincount(self._unit_profile[units], self._unit_kw[units], minlength=columns).astype(np.float64),
            [int((~one.is_steered & are_theirs[one.owner]).sum()) for one in self._registered],
        )

    def standard_kwh(self, quarter: int) -> tuple[Floats, Floats]:
        """Import and export of every meter in `quarter` by its standard profiles, (points,) each, in kWh."""
        net_kw = self._standard_kw(quarter, quarter - _WEEK_QUARTERS)
        for k, one in enumerate(self._registered):
            net_kw[one.owner] += self._mean_of(k, np.array([quarter]))[0]
        return np.maximum(net_kw, 0.0) / 4.0, np.maximum(-net_kw, 0.0) / 4.0

    def of_retailer(self, retailer: int, first_quarter: int, quarters: int) -> Floats:
        """Forecast of the net import of a retailer's customers without what aggregators steer, (quarters,) in kW."""
        return self._net_kw(self._of_retailers[retailer], first_quarter, quarters)

    def of_aggregator(self, aggregator: int, first_quarter: int, quarters: int) -> Floats:
        """Forecast of the net import of an aggregator's customers without what it steers, (quarters,) in kW."""
        return self._net_kw(self._of_aggregators[aggregator], first_quarter, quarters)

    def _net_kw(self, theirs: _Customers, first_quarter: int, quarters: int) -> Floats:
        ahead = np.arange(first_quarter, first_quarter + quarters)
        net_kw = weighted_sum(theirs.load_kw, self._relative(ahead - _WEEK_QUARTERS))
        for k, count in enumerate(theirs.devices):
            net_kw += self._mean_of(k, ahead) * count
        units_kw = weighted_sum(theirs.unit_kw, self._relative(ahead))
        day = int(first_quarter * NS_PER_QUARTER // (24 * NS_PER_HOUR))
        error = normal(self._seed, Stream.FORECAST, 0, day)
        net_kw -= units_kw * max(0.0, 1.0 + self._parameters.units_error * error)
        return np.asarray(net_kw + self._parameters.reads_share * _at_same_time(theirs.read_beyond_kw, ahead))

    def _mean_of(self, registered: int, quarters: Ints) -> Floats:
        """Mean draw of a device of a class that is registered, in consecutive quarter hours; each is asked for again hour after hour."""
        known, asked = self._mean_kw[registered], quarters.tolist()
        new = [quarter for quarter in asked if quarter not in known]
        if new:
            for old in [quarter for quarter in known if quarter < asked[0] - _REMEMBERED]:
                del known[old]
            found = self._registered[registered].mean_kw(np.arange(new[0], new[-1] + 1))
            known.update(zip(range(new[0], new[-1] + 1), found.tolist(), strict=True))
        return np.array([known[quarter] for quarter in asked])

    def learn_steered(self, aggregator: int, first_quarter: int, expected_kw: Floats) -> None:
        """Take what an aggregator expects its devices to draw from `first_quarter` on, (quarters,) in kW."""
        for k, each_kw in enumerate(expected_kw):
            self._steered_kw[aggregator][first_quarter + k] = float(each_kw)

    def learn_reads(
        self, quarter: int, import_kwh: Floats, export_kwh: Floats, was_read: npt.NDArray[np.bool_]
    ) -> None:
        """Take what the meters read in a quarter hour, (points,) each; what was not read tells nothing."""
        standard_kw, counts = self._standard_kw(quarter, quarter), was_read.copy()
        are_meant_to_draw = np.array([known.get(quarter, np.inf) > 0.0 for known in self._steered_kw])
        for k, one in enumerate(self._registered):
            standard_kw[one.owner[~one.is_steered]] += self._mean_of(k, np.array([quarter]))[0]
            steered = one.owner[one.is_steered]
            counts[steered] &= ~are_meant_to_draw[self._aggregator_of[steered]]
        beyond_kw = np.where(counts, 4.0 * (import_kwh - export_kwh) - standard_kw, 0.0)
        groups = [*self._of_retailers, *self._of_aggregators]
        for theirs in groups:
            theirs.read_beyond_kw[quarter] = float(of_points(beyond_kw, theirs.points).sum())
        for known in (*(theirs.read_beyond_kw for theirs in groups), *self._steered_kw):
            for old in [each for each in known if each < quarter - _REMEMBERED]:
                del known[old]

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


def _at_same_time(known: Mapping[int, float], quarters: Ints) -> Floats:
    """What is known by quarter hour of the same time of the latest day of which it is known, else 0, (quarters,)."""
    found = np.zeros(len(quarters))
    for k, quarter in enumerate(quarters.tolist()):
        days = (quarter - each * _DAY_QUARTERS for each in range(1, 1 + _REMEMBERED // _DAY_QUARTERS))
        found[k] = next((known[day] for day in days if day in known), 0.0)
    return found
