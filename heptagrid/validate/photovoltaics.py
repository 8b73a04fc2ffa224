"""A year of photovoltaic units under a station's weather against PVWatts, which shares no code with pvlib: recorded."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np

from heptagrid.importers.epw import Parameters, Station
from heptagrid.importers.photovoltaics import relative_output
from heptagrid.validate.case import DATA, Finding, NotRun, case, farthest

RECORDED = DATA / "pvwatts" / "greensboro.npz"
_MONTHS = np.repeat(np.arange(12), 24 * np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]))


@case(
    "pvwatts",
    plane="grid",
    kind="exact",
    source="PVWatts 8 in NREL-PySAM 7.1.1 (recorded), TMY3 station 723170, Greensboro, North Carolina",
)
def pvwatts(live: bool) -> Iterator[Finding]:
    """Three surfaces; the energy of the year and of each month."""
    if find_spec("pvlib") is None:
        raise NotRun("energy of the year", 'pvlib is not installed; pip install "heptagrid[weather]"')
    with np.load(RECORDED) as file:
        station = _station({name: file[name] for name in file})
        surfaces, theirs_kwh = file["surfaces"].tolist(), file["monthly_kwh"]
    for (tilt_deg, azimuth_deg), expected_kwh in zip(surfaces, theirs_kwh, strict=True):
        by_hour = relative_output(station, Parameters(tilt_deg=tilt_deg), azimuth_deg)
        ours_kwh = np.bincount(_MONTHS, by_hour)
        name = f"tilt {tilt_deg:g}, azimuth {azimuth_deg:g}"
        whole = float(expected_kwh.sum()), float(ours_kwh.sum())
        yield Finding(f"{name}, energy of the year", *whole, 0.02, relative=True, unit="kWh")
        yield farthest(
            f"{name}, energy of the month farthest apart", expected_kwh, ours_kwh, 0.02, relative=True, unit="kWh"
        )


def _station(kept: dict[str, np.ndarray]) -> Station:
    latitude_deg, longitude_deg, offset_h, elevation_m = kept["place"].tolist()
    tenths = (kept[name] / 10.0 for name in ("temp_air", "ghi", "dni", "dhi", "wind_speed"))
    return Station("Greensboro", latitude_deg, longitude_deg, offset_h, elevation_m, *tenths)
