"""A weather file of EnergyPlus: read as it stands, refused with what is wrong, and what the sun of it gives."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import heptagrid
from heptagrid.foundation.errors import FileError, ScenarioError
from heptagrid.foundation.time import to_ns
from heptagrid.importers.epw import Parameters, read_epw
from heptagrid.importers.extract import read_profiles
from heptagrid.validate.case import DATA
from heptagrid.validate.registry import all_cases, choose
from heptagrid.validate.rows import run_cases


def written(folder: Path, **changed: float) -> Path:
    """The recorded year of Greensboro as an EPW file, a field of its last hour changed."""
    with np.load(DATA / "pvwatts" / "greensboro.npz") as file:
        kept = {name: file[name] for name in file}
    latitude, longitude, offset_h, elevation = kept["place"]
    lines = [
        f"LOCATION,Greensboro,NC,USA,TMY3,723170,{latitude},{longitude},{offset_h},{elevation}",
        *(f"LINE {k}" for k in range(7)),
    ]
    fields = {"temp_air": 6, "ghi": 13, "dni": 14, "dhi": 15, "wind_speed": 21}
    rows = np.full((8760, 35), 9.0)
    for name, field in fields.items():
        rows[:, field] = kept[name] / 10.0
    for name, value in changed.items():
        rows[-1, fields[name]] = value
    times = np.arange("2015-01-01", "2016-01-01", dtype="datetime64[h]").astype(datetime)
    lines += [
        ",".join(
            [str(at.year), str(at.month), str(at.day), str(at.hour + 1), "60", "?", *(f"{one:g}" for one in row[6:])]
        )
        for at, row in zip(times, rows, strict=True)
    ]
    path = folder / "greensboro.epw"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_file_gives_the_weather_of_its_place_in_its_standard_time(tmp_path: Path) -> None:
    """Noon of Greensboro is 17:00 UTC; between the middles of its hours temperatures run straight."""
    station = read_epw(str(written(tmp_path)))
    assert station.place == "Greensboro" and station.offset_h == -5.0 and len(station.outside_c) == 8760
    noon_ns = to_ns(datetime(2016, 7, 4, 17, 0, tzinfo=UTC))
    row = 24 * (31 + 28 + 31 + 30 + 31 + 30 + 3) + 12
    expected_c = station.outside_c[row - 1 : row + 1].mean()
    assert station.weather.outside_c_at(noon_ns) == pytest.approx(expected_c, abs=1e-5)


def test_all_that_is_wrong_with_a_file_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, temp_air=99.9, ghi=9999.0)
    with pytest.raises(FileError, match=r"outside_c is 99.9 in line 8768.*") as found:
        read_epw(str(path))
    assert len(found.value.violations) == 2
    short = tmp_path / "short.epw"
    short.write_text("\n".join(path.read_text(encoding="utf-8").splitlines()[:-5]), encoding="utf-8")
    with pytest.raises(FileError, match="8755 hours"):
        read_epw(str(short))
    with pytest.raises(ScenarioError, match=r"weather\.file.*cannot be read"):
        heptagrid.load("town", [f'weather.file="{tmp_path / "missing.epw"}"'])


def test_the_sun_of_the_file_drives_photovoltaic_profiles_alone(tmp_path: Path, town_folder: Path) -> None:
    pytest.importorskip("pvlib")
    from heptagrid.importers.photovoltaics import under_the_sun

    before = read_profiles(town_folder)
    after = under_the_sun(before, Parameters(file=str(written(tmp_path))))
    solar = np.array([str(name).startswith("PV") for name in before.names])
    np.testing.assert_array_equal(after.millionths[:, ~solar], np.asarray(before.millionths)[:, ~solar])
    by_hour = after.millionths[:, solar] * 1e-6
    assert by_hour.min() == 0.0 and 0.8 < by_hour.max() <= 1.0
    full_hours = by_hour.sum(axis=0) / 4.0
    assert ((full_hours > 1300.0) & (full_hours < 1800.0)).all()
    midnight = (to_ns(datetime(2016, 7, 4, 5, 0, tzinfo=UTC)) - before.start_ns) // 900_000_000_000
    assert after.millionths[midnight, solar].max() == 0


def test_a_year_under_the_sun_is_that_of_pvwatts() -> None:
    pytest.importorskip("pvlib")
    assert {row.verdict for row in run_cases(choose(["pvwatts"], all_cases()))} == {"pass"}
