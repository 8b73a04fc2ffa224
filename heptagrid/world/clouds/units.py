"""What photovoltaic units give, minute by minute, while a field of clouds moves over them: in each hour the energy that their profile has, each at its own times."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.errors import NetworkError
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER, S_PER_DAY
from heptagrid.world.clouds.clearness import NODES, REACH, clear_sky, distribution, spread
from heptagrid.world.clouds.field import Strip, Wind, mean_between, strip
from heptagrid.world.grid import Buses, Profiles

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

M_PER_DEGREE = 111_195.0  # of a great circle on a sphere of 6371 km
_S_PER_DEGREE = S_PER_DAY / 360.0  # by which the sun is later further west
_HOUR_S, _MINUTE_S = 3600.0, 60.0
_REHEARSED = 400  # places at which the field's spread within an hour is measured


@dataclass(frozen=True)
class Clouds:
    """Over all photovoltaic units, those whose profile's name begins with PV.

    solar: (n,) their numbers. column: (n,) whose profile each has. east_m, north_m: (n,) places. sun_s: by how much the sun's time is later than UTC. clear: what
    each column gives under a clear sky, (quarters, columns) in millionths.
    """

    seed: int
    speed_m_per_s: float
    profiles: Profiles
    solar: Ints
    column: Ints
    east_m: Floats
    north_m: Floats
    sun_s: float
    clear: npt.NDArray[np.int32]
    scale: float
    _distributions: dict[int, Floats] = field(default_factory=dict)

    @classmethod
    def over(
        cls, profiles: Profiles, profile: Ints, bus: Ints, buses: Buses, seed: int, speed_m_per_s: float
    ) -> Clouds:
        """Over units with these profiles at these buses, (units,) each.

        Raises
        ------
        NetworkError
            If the buses have no places.
        """
        longitude_deg, latitude_deg = buses.longitude_deg[bus], buses.latitude_deg[bus]
        are_known = np.isfinite(longitude_deg) & np.isfinite(latitude_deg)
        if not are_known.all() or (len(np.unique(bus)) > 1 and np.ptp(longitude_deg) + np.ptp(latitude_deg) == 0.0):
            raise NetworkError(
                'weather.clouds = "moving": the network\'s buses have no places, so that clouds cannot pass over them one after another; '
                'give the buses longitude and latitude, or set weather.clouds = "none"'
            )
        is_sun = np.array([str(name).startswith("PV") for name in profiles.names])
        solar = np.flatnonzero(is_sun[profile])
        # Whole degrees, so that a part of a network lies where it lies in the whole.
        middle_deg = (
            np.round(longitude_deg.mean() if len(bus) else 0.0),
            np.round(latitude_deg.mean() if len(bus) else 0.0),
        )
        per_degree_m = M_PER_DEGREE * np.cos(np.radians(middle_deg[1]))
        columns = np.flatnonzero(is_sun)
        clear = clear_sky(np.asarray(profiles.millionths[:, columns]))
        return cls(
            seed,
            speed_m_per_s,
            profiles,
            solar,
            np.searchsorted(columns, profile[solar]),
            (longitude_deg[solar] - middle_deg[0]) * per_degree_m,
            (latitude_deg[solar] - middle_deg[1]) * M_PER_DEGREE,
            float(middle_deg[0]) * _S_PER_DEGREE,
            clear.astype(np.int32),
            _scale(speed_m_per_s),
        )

    def in_hour(self, hour: int) -> npt.NDArray[np.float32]:
        """Output of each unit in the minutes of an hour since 1970 UTC, relative to its rating, (n, 60).

        A unit's mean over the hour is that of its profile to 1e-6.
        """
        found = np.zeros((len(self.solar), 60), dtype=np.float32)
        energy = self._relative(hour).mean(axis=0)
        if not len(found) or not energy.any():
            return found
        at_s = (hour + 0.5) * _HOUR_S + self.sun_s
        day = int(at_s // S_PER_DAY)
        begin_s = at_s - day * S_PER_DAY - 0.5 * _HOUR_S
        wind = Wind.of(self.seed, day, self.speed_m_per_s)
        along_m = wind.along_m(self.east_m, self.north_m) - wind.speed_m_per_s * begin_s
        across_m = wind.across_m(self.east_m, self.north_m)
        path_m = wind.speed_m_per_s * _HOUR_S
        ends_m = float(along_m.min()) - 2.0 * path_m, float(along_m.max()) + path_m
        part = strip(self.seed, day, ends_m, (float(across_m.min()), float(across_m.max())))
        tables = np.stack([self._distribution(one) for one in (hour - 1, hour, hour + 1)])
        _fill(
            self.column,
            along_m,
            across_m,
            path_m,
            part,
            self.scale,
            tables,
            self._clear_minutes(hour),
            energy,
            self._highest,
            found,
        )
        return found

    @property
    def _highest(self) -> Floats:
        """What inverters give at most, (columns,): their rating, or what the profile has beyond it."""
        return np.asarray(np.maximum(1.0, 1e-6 * self.clear.max(axis=0)))

    def _distribution(self, hour: int) -> Floats:
        """The clear-sky index in an hour by the field's value there, (columns, NODES)."""
        if hour not in self._distributions:
            for old in [one for one in self._distributions if abs(one - hour) > 2]:
                del self._distributions[old]
            before, index, after = self._index(hour - 1), self._index(hour), self._index(hour + 1)
            before, after = np.where(before < 0.0, index, before), np.where(after < 0.0, index, after)
            self._distributions[hour] = np.stack(
                [
                    distribution(one, spread(min(one, 1.0), min(first, 1.0), min(last, 1.0), self.seed, hour))
                    if one >= 0.0
                    else np.full(NODES, -1.0)
                    for one, first, last in zip(index.tolist(), before.tolist(), after.tolist(), strict=True)
                ]
            )
        return self._distributions[hour]

    def _index(self, hour: int) -> Floats:
        """The clear-sky index of an hour, (columns,); -1 at night."""
        clear = 1e-6 * self.clear[self._rows(hour)].mean(axis=0)
        return np.asarray(np.where(clear > 1e-5, self._relative(hour).mean(axis=0) / np.maximum(clear, 1e-5), -1.0))

    def _relative(self, hour: int) -> Floats:
        """The profiles in the four quarter hours, (4, columns)."""
        columns = np.array([k for k, name in enumerate(self.profiles.names) if str(name).startswith("PV")])
        return np.asarray(1e-6 * self.profiles.millionths[np.ix_(self._rows(hour), columns)])

    def _rows(self, hour: int) -> Ints:
        first = hour * (NS_PER_HOUR // NS_PER_QUARTER) - self.profiles.start_ns // NS_PER_QUARTER
        return np.clip(first + np.arange(4), 0, len(self.clear) - 1)

    def _clear_minutes(self, hour: int) -> Floats:
        """What a clear sky gives in each minute, (columns, 60), drawn straight between the middles of the quarter hours."""
        first = int(self._rows(hour)[0])
        rows = np.clip(first + np.arange(-1, 5), 0, len(self.clear) - 1)
        at = (np.arange(60) + 0.5) / 15.0 + 0.5
        begin = at.astype(int)
        share = at - begin
        by_quarter = 1e-6 * self.clear[rows]
        return np.ascontiguousarray(
            (by_quarter[begin] * (1.0 - share[:, None]) + by_quarter[begin + 1] * share[:, None]).T
        )


@lru_cache(maxsize=4)
def _scale(speed_m_per_s: float) -> float:
    """What the minutes' deviations from the hour's mean are multiplied with, so that their variance is one: measured on a field of its own."""
    across_m = np.linspace(0.0, 100_000.0, _REHEARSED)
    path_m = speed_m_per_s * _HOUR_S
    part = strip(0, 0, (-2.0 * path_m, path_m), (0.0, 100_000.0))
    return 1.0 / float(np.sqrt(_variance(across_m, path_m, part)))


@kernel(inline=True, allocates=False)
def _deviation(
    part: Strip, across: float, along: float, path: float, minute: int, means: tuple[float, float, float]
) -> float:
    """The field's mean in a minute less a smooth curve whose means are the hour's and, towards the ends, halfway to those beside it."""
    mean = mean_between(part, across, along - path * (minute + 1.0) / 60.0, along - path * minute / 60.0)
    at = (minute + 0.5) / 60.0
    left, right = 0.5 * (means[0] + means[1]), 0.5 * (means[1] + means[2])
    bend = 6.0 * (means[1] - 0.5 * (left + right))
    return mean - (left + at * (right - left + bend * (1.0 - at)))


@kernel(inline=True, allocates=False)
def _hours(part: Strip, across: float, along: float, path: float) -> tuple[float, float, float]:
    """The field's means in the hour before, in the hour and in the one after."""
    return (
        mean_between(part, across, along, along + path),
        mean_between(part, across, along - path, along),
        mean_between(part, across, along - 2.0 * path, along - path),
    )


@kernel(allocates=False)
def _variance(across, path, part):  # type: ignore[no-untyped-def]
    total = 0.0
    for k in range(across.shape[0]):
        means = _hours(part, across[k], 0.0, path)
        for minute in range(60):
            total += _deviation(part, across[k], 0.0, path, minute, means) ** 2
    return total / (60.0 * across.shape[0])


@kernel(allocates=False)
def _index_at(table, place):  # type: ignore[no-untyped-def]
    """The index of a distribution at a place between its nodes; at night -1."""
    node = int(place)
    return table[node] + (place - node) * (table[node + 1] - table[node])


@kernel(allocates=False)
def _fill(column, along, across, path, part, scale, tables, clear, energy, highest, out):  # type: ignore[no-untyped-def]
    """The minutes of an hour, so scaled in the end that the hour's energy is the profile's and no minute above the highest."""
    last = NODES - 1.001
    for k in range(column.shape[0]):
        c = column[k]
        if energy[c] <= 0.0:
            continue
        means = _hours(part, across[k], along[k], path)
        total = 0.0
        for minute in range(60):
            z = scale * _deviation(part, across[k], along[k], path, minute, means)
            place = min(max((z + REACH) * ((NODES - 1) / (2.0 * REACH)), 0.0), last)
            at = (minute + 0.5) / 60.0
            beside = 0 if at < 0.5 else 2
            share = abs(at - 0.5)
            index = _index_at(tables[1, c], place)
            other = _index_at(tables[beside, c], place)
            if other >= 0.0:
                index = (1.0 - share) * index + share * other
            out[k, minute] = max(index, 0.0) * clear[c, minute]
            total += out[k, minute]
        wanted = 60.0 * energy[c]
        if total <= 0.0:
            for minute in range(60):
                out[k, minute] = energy[c]
            continue
        factor, capped = wanted / total, -1
        for _ in range(61):  # who is at the highest stays there: the factor only rises
            free, before, capped = 0.0, capped, 0
            for minute in range(60):
                if factor * out[k, minute] >= highest[c]:
                    capped += 1
                else:
                    free += out[k, minute]
            if capped == before:
                break
            factor = (wanted - capped * highest[c]) / free if free > 0.0 else factor
        rest = 0.0 if free > 0.0 or capped == 60 else (wanted - capped * highest[c]) / (60 - capped)
        for minute in range(60):
            out[k, minute] = max(min(factor * out[k, minute], highest[c]), rest)
