"""Reads weather files of EnergyPlus (.epw): a typical or an actual year by the hour, at a place, in its standard time.

Source: EnergyPlus 22.2, Auxiliary Programs, "EnergyPlus Weather File (EPW) Data Dictionary".
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import FileError
from heptagrid.foundation.parameters import parameter
from heptagrid.world.weather import Weather

Floats = npt.NDArray[np.float64]

_HEAD = 8  # lines before the hours
_HOURS = 8760
_COLUMNS = {
    "outside_c": (6, -70.0, 70.0),
    "radiation_w_m2": (13, 0.0, 2000.0),
    "direct_w_m2": (14, 0.0, 2000.0),
    "diffuse_w_m2": (15, 0.0, 1500.0),
    "wind_m_per_s": (21, 0.0, 60.0),
}
"""Field of each quantity, from 0, and the range that its values must lie in: radiation is horizontal, direct normal and diffuse horizontal."""


@dataclass(frozen=True)
class Parameters:
    """The weather, where it is not the network folder's, how the photovoltaic units stand under it, and whether clouds move over them."""

    file: str = parameter(
        "", info="an EnergyPlus weather file (.epw), whose hours every year repeats; empty: the network folder's weather",
        source="assumption: the town's own weather",
    )  # fmt: skip
    tilt_deg: float = parameter(
        30.0, info="tilt of photovoltaic units", unit="degrees", low=0.0, high=90.0, source="assumption: common roofs"
    )
    azimuth_deg: float = parameter(
        180.0, info="mean direction that they face, 180 is south", unit="degrees", low=0.0, high=360.0,
        source="assumption: roofs that were chosen",
    )  # fmt: skip
    azimuth_spread_deg: float = parameter(
        60.0, info="how far the profiles' directions lie from it at most, evenly", unit="degrees", low=0.0, high=180.0,
        source="assumption: from south-east to south-west and somewhat beyond",
    )  # fmt: skip
    dc_per_ac: float = parameter(
        1.2, info="rated direct-current power relative to the inverter's", low=0.5, high=3.0, source="PVWatts 8: 1.2"
    )
    losses_pct: float = parameter(
        14.08, info="soiling, shading, mismatch, wiring and others", unit="%", low=0.0, high=99.0, source="PVWatts 8: 14.08"
    )  # fmt: skip
    albedo: float = parameter(0.2, info="of the ground", low=0.0, high=1.0, source="PVWatts 8: 0.2")
    clouds: str = parameter(
        "none", info="whether a field of clouds moves over the photovoltaic units, so that each has an hour's energy at its own minutes",
        choices=("none", "moving"), source="assumption: all units follow their profiles",
    )  # fmt: skip
    cloud_speed_m_per_s: float = parameter(
        10.0, info="speed of the clouds; their direction is drawn each day", unit="m/s", low=1.0, high=40.0,
        source="assumption: winds at the height of low clouds",
    )  # fmt: skip


@dataclass(frozen=True)
class Station:
    """A year by the hour, (8760,) each, at a place; offset_h: its standard time from UTC."""

    place: str
    latitude_deg: float
    longitude_deg: float
    offset_h: float
    elevation_m: float
    outside_c: Floats
    radiation_w_m2: Floats
    direct_w_m2: Floats
    diffuse_w_m2: Floats
    wind_m_per_s: Floats

    @property
    def weather(self) -> Weather:
        return Weather(self.outside_c.astype(np.float32), self.radiation_w_m2.astype(np.float32), self.offset_h)


@lru_cache(maxsize=4)
def read_epw(path: str) -> Station:
    """Read a file of 8760 hours; 29 February is left out of one of 8784.

    Raises
    ------
    FileError
        If it cannot be read, is no such file, or has values missing or out of range; all that is wrong is named.
    """
    try:
        rows = list(csv.reader(Path(path).read_text(encoding="utf-8", errors="replace").splitlines()))
    except OSError as problem:
        raise FileError(path, [f"cannot be read: {problem.strerror}"]) from None
    if len(rows) <= _HEAD or len(rows[0]) < 10 or rows[0][0].strip().upper() != "LOCATION":
        raise FileError(path, ["the first of eight lines is LOCATION with ten fields in an EnergyPlus weather file"])
    hours = [row for row in rows[_HEAD:] if row]
    if len(hours) == _HOURS + 24:
        hours = [row for row in hours if row[1:3] != ["2", "29"]]
    if len(hours) != _HOURS:
        raise FileError(path, [f"it has {len(hours)} hours; {_HOURS} are expected, one a line"])
    try:
        latitude_deg, longitude_deg, offset_h, elevation_m = (float(field) for field in rows[0][6:10])
        found = {name: np.array([float(row[field]) for row in hours]) for name, (field, _, _) in _COLUMNS.items()}
    except (ValueError, IndexError) as problem:
        raise FileError(path, [f"a field is no number or missing: {problem}"]) from None
    wrong = [
        f"{name} is {values[~inside][0]:g} in line {_HEAD + 1 + int(np.argmin(inside))}; from {low:g} to {high:g} is expected"
        for name, (_, low, high) in _COLUMNS.items()
        for values in (found[name],)
        for inside in ((values >= low) & (values <= high),)
        if not inside.all()
    ]
    if wrong:
        raise FileError(path, wrong)
    return Station(rows[0][1].strip(), latitude_deg, longitude_deg, offset_h, elevation_m, **found)
