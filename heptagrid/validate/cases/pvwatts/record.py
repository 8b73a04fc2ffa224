"""Makes `greensboro.npz`: a station's typical year and what PVWatts 8 gives under it (development only; needs pvlib and `pip install NREL-PySAM`, both BSD 3-Clause).

The year is the TMY3 file 723170 (Greensboro, North Carolina; NREL, public domain) that pvlib brings along. The columns are kept as PVWatts was given them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pvlib
import PySAM.Pvwattsv8 as pvwatts  # type: ignore[import-not-found]

SURFACES = [(30.0, 180.0), (30.0, 240.0), (10.0, 120.0)]
COLUMNS = ("temp_air", "ghi", "dni", "dhi", "wind_speed")


def main() -> None:
    """Write the file beside this script."""
    hours, about = pvlib.iotools.read_tmy3(Path(pvlib.__path__[0]) / "data/723170TYA.CSV", map_variables=True)
    columns = {name: hours[name].to_numpy(dtype=float) for name in COLUMNS}
    place = about["latitude"], about["longitude"], about["TZ"], about["altitude"]
    answers = np.array([answer(place, columns, *surface) for surface in SURFACES])
    kept = {name: np.rint(10.0 * values).astype(np.int16) for name, values in columns.items()}
    np.savez_compressed(
        Path(__file__).parent / "greensboro.npz", place=place, surfaces=SURFACES, monthly_kwh=answers, **kept
    )


def answer(
    place: tuple[float, ...], columns: dict[str, np.ndarray], tilt_deg: float, azimuth_deg: float
) -> list[float]:
    """Energy of each month in kWh of a system of 1.2 kW on a roof, with an inverter of 1 kW."""
    times = np.arange("2015-01-01", "2016-01-01", dtype="datetime64[h]")
    month = times.astype("datetime64[M]").astype(int) % 12 + 1
    day = (times.astype("datetime64[D]") - times.astype("datetime64[M]")).astype(int) + 1
    latitude_deg, longitude_deg, offset_h, elevation_m = place
    model = pvwatts.new()
    model.SolarResource.solar_resource_data = {
        "lat": latitude_deg, "lon": longitude_deg, "tz": offset_h, "elev": elevation_m,
        "year": [2015] * 8760, "month": month.tolist(), "day": day.tolist(), "hour": (np.arange(8760) % 24).tolist(), "minute": [30] * 8760,
        "dn": columns["dni"].tolist(), "df": columns["dhi"].tolist(), "gh": columns["ghi"].tolist(),
        "tdry": columns["temp_air"].tolist(), "wspd": columns["wind_speed"].tolist(), "albedo": [0.2] * 8760,
    }  # fmt: skip
    for name, value in {
        "system_capacity": 1.2, "dc_ac_ratio": 1.2, "inv_eff": 96.0, "losses": 14.08, "array_type": 1, "module_type": 0,
        "tilt": tilt_deg, "azimuth": azimuth_deg, "gcr": 0.4,
    }.items():  # fmt: skip
        setattr(model.SystemDesign, name, value)
    model.execute()
    return [float(one) for one in model.Outputs.ac_monthly]


if __name__ == "__main__":
    main()
