"""`heptagrid clear` on unit-commitment cases: a folder of RTS-GMLC's form, JSON, and what is refused."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from heptagrid.cli import main
from heptagrid.importers.rts_gmlc import read_rts_gmlc
from tests.clear.rts_folder import write_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "rts")


def call(*words: object) -> Result:
    return CliRunner().invoke(main, ["clear", *map(str, words)])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_folder_is_cleared_and_what_loads_pay_is_accounted_for(folder: Path, tmp_path: Path) -> None:
    """Congestion: 60 MW at most reach bus 3 over the direct branch. Payments are what units and wind get, and the rent of branches."""
    files = [tmp_path / name for name in ("p.csv", "q.csv", "b.csv")]
    done = call(
        *(folder, "--date", "2020-07-10", "--reserves", "off", "--json"),
        *("--out", files[0], "--quantities", files[1], "--branches", files[2]),
    )
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["market"] == "unit-commitment" and said["status"] == "optimal"
    assert said["bound"] <= said["total_cost"] and said["gap"] <= 1e-3 and said["unserved_mwh"] == 0.0
    prices, quantities, branches = (rows(path) for path in files)
    assert len(prices) == 24 * 3 and len(quantities) == 24 * 3 and branches
    for row in prices:
        assert float(row["price"]) == pytest.approx(float(row["energy"]) + float(row["congestion"]))
    at = {(row["period"], row["bus"]): float(row["price"]) for row in prices}
    earned = sum(at[row["period"], row["bus"]] * float(row["mw"]) for row in quantities)
    assert {row["on"] for row in quantities if row["unit"] == "wind"} == {""}
    rent = sum(float(row["rent"]) for row in branches)
    assert rent == pytest.approx(said["congestion_rent"]) and rent > 0.0
    assert said["payments"] == pytest.approx(earned + rent)
    for row in branches:
        assert abs(float(row["flow_mw"])) == pytest.approx(float(row["limit_mw"]))


def test_a_unit_without_further_points_has_no_further_blocks(folder: Path) -> None:
    """A unit that is at its most at the second point says NA at those beyond; no output of it is free."""
    path = folder / "SourceData" / "gen.csv"
    lines = rows(path)
    lines[0] |= {"Output_pct_1": "1", "Output_pct_2": "NA", "Output_pct_3": "NA", "HR_incr_2": "NA", "HR_incr_3": "NA"}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    units = read_rts_gmlc(folder, date(2020, 7, 10)).units
    assert units.block_mw[0] == pytest.approx([160.0, 0.0, 0.0, 0.0])
    assert units.block_mw.sum(axis=1) == pytest.approx(units.room_mw)


def test_each_way_to_ask_for_more_costs_no_less(folder: Path) -> None:
    def cost(*words: str) -> float:
        done = call(folder, "--date", "2020-07-10", "--gap", "1e-6", "--json", *words)
        assert done.exit_code == 0, done.output
        return float(json.loads(done.stdout)["total_cost"])

    alone = cost("--network", "none", "--reserves", "off")
    network = cost("--reserves", "off")
    assert alone < network < cost("--reserves", "off", "--n-1")
    assert network <= cost("--reserves", "on") + 1e-6


def test_reserves_have_prices_of_their_own(folder: Path) -> None:
    said = json.loads(call(folder, "--date", "2020-07-11", "--hours", "3", "--json").stdout)
    products = [(row["product"], row["bus"]) for row in said["prices"]]
    assert products.count(("Spin", "all")) == 3 and len(products) == 3 * 3 + 3
    assert said["reserve_short_mw"] == 0.0


def test_the_terminal_says_cost_bound_and_prices(folder: Path) -> None:
    done = call(folder, "--date", "2020-07-10", "--network", "none")
    assert done.exit_code == 0
    for words in ("total cost", "no less than", "gap", "uplift", "mean price", "bus all"):
        assert words in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "say --date 2020-MM-DD"),
        (("--date", "10.7.2020"), 2, "is no day"),
        (("--date", "2021-07-10"), 2, "is not in 2020"),
        (("--date", "2020-07-10", "--hours", "0"), 2, "is not between 1 and 168"),
        (("--date", "2020-07-10", "--hours", "169"), 2, "is not between 1 and 168"),
        (("--date", "2020-12-31", "--hours", "25"), 2, "leave 2020"),
        (("--date", "2020-07-12"), 3, "fewer than 24 hours"),
        (("--date", "2020-07-10", "--dc-model", "matpower"), 2, "--dc-model has no effect"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(folder: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = call(folder, *words)
    assert done.exit_code == code and said in done.output, done.output


def test_a_folder_without_its_tables_or_columns_says_which(folder: Path, tmp_path: Path) -> None:
    assert "there is no such file" in call(tmp_path / "nowhere", "--date", "2020-07-10").output
    for path, change, said in (
        (folder / "SourceData" / "gen.csv", lambda text: text.replace("VOM", "VOX"), "no column 'VOM'"),
        (folder / "SourceData" / "bus.csv", lambda text: text.replace("100", "lots"), "a figure cannot be read"),
    ):
        whole = path.read_text()
        path.write_text(change(whole))
        done = call(folder, "--date", "2020-07-10")
        assert done.exit_code == 3 and said in done.output, done.output
        path.write_text(whole)
    wind = folder / "timeseries_data_files" / "WIND" / "DAY_AHEAD_wind.csv"
    wind.write_text(wind.read_text().replace("wind", "storm"))
    assert "no column 'wind'" in call(folder, "--date", "2020-07-10").output
    wind.unlink()
    done = call(folder, "--date", "2020-07-10")
    assert done.exit_code == 3 and "DAY_AHEAD_wind.csv" in done.output


def test_a_file_is_one_case_and_takes_no_day(tmp_path: Path) -> None:
    unit = {
        "must_run": 0,
        "power_output_minimum": 10.0,
        "power_output_maximum": 50.0,
        **dict.fromkeys(("ramp_up_limit", "ramp_down_limit", "ramp_startup_limit", "ramp_shutdown_limit"), 50.0),
        **dict.fromkeys(("time_up_minimum", "time_down_minimum", "unit_on_t0", "time_up_t0"), 1),
        "time_down_t0": 0,
        "power_output_t0": 20.0,
        "startup": [{"lag": 1, "cost": 5.0}],
        "piecewise_production": [{"mw": 10.0, "cost": 100.0}, {"mw": 50.0, "cost": 900.0}],
    }
    data = {"time_periods": 2, "demand": [20.0, 30.0], "reserves": [0.0, 5.0], "thermal_generators": {"a": unit}}
    path = tmp_path / "uc.json"
    path.write_text(json.dumps(data))
    said = json.loads(call(path, "--json").stdout)
    assert said["total_cost"] == pytest.approx(100.0 + 200.0 + 100.0 + 400.0)
    assert [row["price"] for row in said["prices"] if row["product"] == "energy"] == pytest.approx([20.0, 20.0])
    assert "--date has no effect" in call(path, "--date", "2020-07-10").output
    assert "no effect" in call(path, "--n-1").output
