"""The town's data: what is in the extract, and (slowly) that it is SimBench's."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import heptagrid
from heptagrid.importers.extract import read_grid, read_profiles
from heptagrid.importers.weather import read_weather

ROOT = Path(heptagrid.__file__).parents[1]


def test_the_extract_has_the_towns_size(town_folder: Path) -> None:
    grid = read_grid(town_folder)
    sizes = [len(grid.buses.names), len(grid.loads.bus), len(grid.units.bus), len(grid.transformers.names)]
    assert sizes == [9099, 8772, 794, 112]
    assert read_profiles(town_folder).millionths.shape == (35136, 53)
    assert grid.transformers.has_controller.sum() == 2
    assert grid.infeed_v_pu == 1.025


def test_the_largest_net_import_is_on_27_january(town_folder: Path) -> None:
    grid, profiles = read_grid(town_folder), read_profiles(town_folder)
    columns = len(profiles.names)
    rating = np.bincount(grid.loads.p_profile, grid.loads.p_kw, minlength=columns)
    rating -= np.bincount(grid.units.profile, grid.units.p_kw, minlength=columns)
    net_kw = profiles.millionths @ rating * 1e-6
    assert net_kw.max() == pytest.approx(11840.0, abs=5.0)
    assert divmod(int(net_kw.argmax()), 96) == (26, 71), "27 January, 17:45"


def test_the_weather_is_a_northern_year(town_folder: Path) -> None:
    weather = read_weather(town_folder)
    assert weather.outside_c.mean() == pytest.approx(9.0, abs=1.0)
    assert weather.radiation_w_m2.sum() / 1000.0 == pytest.approx(990.0, abs=60.0), "kWh/m2 a year in Hamburg"


def test_loading_does_not_import_pandapower(town_folder: Path) -> None:
    read = "from pathlib import Path; from heptagrid.importers.extract import read_grid; read_grid(Path(sys.argv[1]))"
    script = f"import sys; {read}; sys.exit('pandapower' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script, str(town_folder)], check=False).returncode == 0


@pytest.mark.slow
def test_the_extract_is_what_simbench_says(town_folder: Path, tmp_path: Path) -> None:
    for package in ("simbench", "demandlib"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"NOT RUN: {package} is not installed; `make validate` installs it")
    import warnings

    sys.path.insert(0, str(ROOT / "tools"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import build_town  # type: ignore[import-not-found]
        import simbench

        build_town.main(tmp_path)
        for name in ("grid.npz", "profiles.npy", "weather.npy"):
            assert (tmp_path / name).read_bytes() == (town_folder / name).read_bytes(), name
        net = simbench.get_simbench_net(build_town.CODE)
        absolute = simbench.get_absolute_values(net, profiles_instead_of_study_cases=True)
    grid, profiles = read_grid(town_folder), read_profiles(town_folder)
    for quarter in (0, 2567, 8263, 20_000, 35_135):
        relative = profiles.millionths[quarter] * 1e-6
        for ours, table in (
            (grid.loads.p_kw * relative[grid.loads.p_profile], ("load", "p_mw")),
            (grid.loads.q_kvar * relative[grid.loads.q_profile], ("load", "q_mvar")),
            (grid.units.p_kw * relative[grid.units.profile], ("sgen", "p_mw")),
        ):
            theirs = absolute[table].iloc[quarter].to_numpy() * 1000.0
            assert np.abs(ours - theirs).max() < 5e-3, (quarter, table)
