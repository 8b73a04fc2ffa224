"""What photovoltaic units give under the hours of a weather station, by pvlib: the sun's place, light on the module, its temperature, inverter.

Source: PVWatts version 5 (Dobos 2014, NREL/TP-6A20-62641) as pvlib has its parts: transposition of Perez (1990), reflection by a glass cover, cell temperature
of Fuentes (1987), a linear module and the inverter's curve. The sun stands where it stands in the middle of each hour, as in PVWatts.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import HeptagridError
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER
from heptagrid.importers.epw import Parameters, Station, read_epw
from heptagrid.world.grid import Profiles
from heptagrid.world.weather import hour_of_year

Floats = npt.NDArray[np.float64]

_PER_K = -0.0037  # of the power at 25 C: PVWatts 8, standard module
_GLASS = 1.526  # index of refraction
_NOCT_C = 49.0  # of modules close to a roof: PVWatts, roof mount
_INVERTER = 0.96
_YEAR = "2015"  # a common year, for the sun's place


def relative_output(station: Station, one: Parameters, azimuth_deg: float) -> Floats:
    """Mean output in each hour of the station's year, (8760,), relative to the inverter's rating.

    Raises
    ------
    HeptagridError
        Without pvlib.
    """
    pandas, pvlib = _packages()
    begins = pandas.date_range(f"{_YEAR}-01-01", periods=8760, freq="h") - pandas.Timedelta(hours=station.offset_h)
    times = (begins + pandas.Timedelta(minutes=30)).tz_localize("UTC")
    place = station.latitude_deg, station.longitude_deg, station.elevation_m
    sun = pvlib.solarposition.get_solarposition(times, *place)
    surface = one.tilt_deg, azimuth_deg
    seen = sun["apparent_zenith"], sun["azimuth"]
    hours = {
        name: pandas.Series(getattr(station, name), index=times)
        for name in ("direct_w_m2", "radiation_w_m2", "diffuse_w_m2", "outside_c", "wind_m_per_s")
    }
    light = pvlib.irradiance.get_total_irradiance(
        *surface, *seen, hours["direct_w_m2"], hours["radiation_w_m2"], hours["diffuse_w_m2"],
        dni_extra=pvlib.irradiance.get_extra_radiation(times), airmass=pvlib.atmosphere.get_relative_airmass(seen[0]),
        albedo=one.albedo, model="perez",
    ).fillna(0.0)  # fmt: skip
    passed = pvlib.iam.physical(pvlib.irradiance.aoi(*surface, *seen), n=_GLASS)
    effective = light["poa_direct"] * passed + light["poa_diffuse"]
    cell_c = pvlib.temperature.fuentes(light["poa_global"], hours["outside_c"], hours["wind_m_per_s"], _NOCT_C)
    dc = pvlib.pvsystem.pvwatts_dc(effective, cell_c, one.dc_per_ac, _PER_K) * (1.0 - one.losses_pct / 100.0)
    ac = pvlib.inverter.pvwatts(dc, 1.0 / _INVERTER, eta_inv_nom=_INVERTER)
    return np.asarray(np.clip(np.nan_to_num(ac.to_numpy(dtype=np.float64)), 0.0, 1.0))


def under_the_sun(profiles: Profiles, one: Parameters) -> Profiles:
    """The profiles with those of photovoltaic units, named PV and a number, made from the weather file; of wind and water they stay as they are."""
    columns = [k for k, name in enumerate(profiles.names.tolist()) if str(name).startswith("PV")]
    if not columns:
        return profiles
    millionths = np.array(profiles.millionths)
    for place, column in enumerate(columns):
        aside = one.azimuth_spread_deg * ((2.0 * place + 1.0) / len(columns) - 1.0)
        millionths[:, column] = _by_quarter(one, (one.azimuth_deg + aside) % 360.0, profiles.start_ns, len(millionths))
    return Profiles(profiles.names, millionths, profiles.start_ns)


@lru_cache(maxsize=16)
def _by_quarter(one: Parameters, azimuth_deg: float, start_ns: int, quarters: int) -> npt.NDArray[np.int32]:
    """The hours' means in millionths, interpolated between their middles to the quarter hours."""
    station = read_epw(one.file)
    hourly = relative_output(station, one, azimuth_deg)
    middles_ns = start_ns + NS_PER_QUARTER * np.arange(quarters) + NS_PER_QUARTER // 2
    standard_ns = middles_ns + round(station.offset_h * NS_PER_HOUR) - NS_PER_HOUR // 2
    before, part = np.divmod(standard_ns, NS_PER_HOUR)
    rows = np.array([hour_of_year(int(hour)) for hour in range(int(before[0]), int(before[-1]) + 2)])
    first, second = rows[before - before[0]], rows[before - before[0] + 1]
    between = hourly[first] + (hourly[second] - hourly[first]) * (part / NS_PER_HOUR)
    return np.asarray(np.rint(1e6 * between).astype(np.int32))


def _packages() -> tuple[Any, Any]:
    try:
        import pandas
        import pvlib
    except ImportError:
        raise HeptagridError(
            'photovoltaics under a weather file need pvlib; pip install "heptagrid[weather]", or leave weather.file empty'
        ) from None
    return pandas, pvlib
