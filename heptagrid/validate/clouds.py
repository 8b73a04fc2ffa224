"""How photovoltaic units under a moving cloud field vary together, by distance and time, against published curves of measured pairs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from heptagrid.validate.case import Finding, case, within
from heptagrid.world.clouds.units import M_PER_DEGREE, Clouds
from heptagrid.world.grid import Buses, Profiles

Floats = npt.NDArray[np.float64]

SPEED_M_PER_S = 10.0
INDEX = 0.65  # a partly cloudy hour's
_DAYS, _FROM_H, _UNTIL_H = 9, 8, 16
_CENTRES = 60
_PARTS = (0.25, 0.5, 1.0, 2.0)  # of the way that clouds go in the time between two values
_CITY = 400


@case(
    "cloud-correlation",
    plane="grid",
    kind="band",
    source="correlation of changes at two places: Hoff and Perez (2010, 2012), from memory, and Lave, Kleissl and Stein (2013), as pvlib has it",
)
def cloud_correlation(live: bool) -> Iterator[Finding]:
    """Changes over one and five minutes at distances in parts of the clouds' way, all directions alike; then a city's sum."""
    angle = np.random.default_rng(1).uniform(0.0, 2.0 * np.pi, _CENTRES)
    centre_m = np.random.default_rng(2).uniform(0.0, 20_000.0, (_CENTRES, 2))
    for minutes in (1, 5):
        way_m = SPEED_M_PER_S * 60.0 * minutes
        away_m = np.concatenate([[0.0], way_m * np.array(_PARTS)])
        east_m = centre_m[:, :1] + away_m * np.cos(angle)[:, None]
        north_m = centre_m[:, 1:] + away_m * np.sin(angle)[:, None]
        changes = _changes(east_m.ravel(), north_m.ravel(), minutes).reshape(_CENTRES, len(away_m), -1)
        for k, part in enumerate(_PARTS, start=1):
            found = np.mean([np.corrcoef(pair)[0, 1] for pair in changes[:, [0, k]]])
            yield within(
                f"changes over {minutes} min, {part * way_m / 1e3:g} km apart", *_published(part), float(found)
            )
    place_m = np.random.default_rng(3).uniform(0.0, 20_000.0, (_CITY, 2))
    changes = _changes(place_m[:, 0], place_m[:, 1], 1)
    found = changes.mean(axis=0).std() / np.sqrt((changes**2).mean())
    apart_m = np.hypot(*(place_m[:, None] - place_m).transpose(2, 0, 1))
    low, high = (float(np.sqrt(rho.mean())) for rho in _curves(apart_m / (SPEED_M_PER_S * 60.0))[:2])
    yield within("a city's change in a minute, parts of one unit's", low, high, float(found))


def _curves(part: Floats) -> tuple[Floats, Floats, Floats]:
    """Correlation at distances in parts of the clouds' way: of Lave, of Hoff and Perez (2012), and of Hoff and Perez (2010)."""
    return np.exp(-2.0 * part), np.exp(np.log(0.2) / 1.5 * part), 1.0 / (1.0 + part)


def _published(part: float) -> tuple[float, float]:
    found = [float(curve) for curve in _curves(np.asarray(part))]
    return min(found), max(found)


def _changes(east_m: Floats, north_m: Floats, minutes: int) -> Floats:
    """Changes of the means of some minutes of units at places, (units, changes), on days of an even profile among clear ones."""
    clouds = clouds_over(east_m, north_m)
    days = []
    for day in range(1, _DAYS):
        hours = [clouds.in_hour(24 * day + hour) for hour in range(_FROM_H, _UNTIL_H)]
        means = np.concatenate(hours, axis=1, dtype=np.float64).reshape(len(east_m), -1, minutes).mean(axis=2)
        days.append(np.diff(means, axis=1))
    return np.concatenate(days, axis=1)


def clouds_over(east_m: Floats, north_m: Floats, index: float = INDEX, seed: int = 1) -> Clouds:
    """Over units at places near the equator, whose profile is even: clear on the first day of each fortnight, and of an index on the others."""
    relative = np.full((28, 96), index)
    relative[::14] = 1.0
    profiles = Profiles(np.array(["PV"]), np.rint(1e6 * relative.reshape(-1, 1)).astype(np.int32), 0)
    units = np.arange(len(east_m))
    names = np.array([str(unit) for unit in units])
    buses = Buses(names, np.ones(len(units)), east_m / M_PER_DEGREE, north_m / M_PER_DEGREE)
    return Clouds.over(profiles, np.zeros(len(units), dtype=np.int64), units, buses, seed, SPEED_M_PER_S)
