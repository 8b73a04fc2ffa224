"""What is wrong with a rate or with readings is named, with its place and what to write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from heptagrid.cli import main
from heptagrid.foundation.errors import FileError, UsageError
from heptagrid.planes.money.rates.schedule import Window, of_windows
from heptagrid.planes.money.rates.urdb import rate_of

DAY = [0] * 24
YEAR = [DAY] * 12
RATE: dict[str, Any] = {
    "energyratestructure": [[{"rate": 0.1}]],
    "energyweekdayschedule": YEAR,
    "energyweekendschedule": YEAR,
}
HOURS = "time,import_kwh\n2016-07-01T00:00,1\n2016-07-01T01:00,2\n"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"energyratestructure": [[{"rate": "free"}]]}, "energyratestructure[0][0].rate: 'free' is not a number"),
        ({"energyratestructure": [[{"rate": True}]]}, "energyratestructure[0][0].rate: True is not a number"),
        ({"energyratestructure": [[{"max": 5}]]}, "energyratestructure[0][0].rate: is missing"),
        ({"energyratestructure": [[{"rate": 1, "unit": "MWh"}]]}, "energyratestructure[0][0].unit: 'MWh' is not known"),
        ({"energyratestructure": [[{"rate": 1, "prize": 2}]]}, "energyratestructure[0][0].prize: is not known"),
        ({"energyratestructure": [[{"rate": 1}, {"rate": 2}]]}, "energyratestructure[0][0].max: is missing"),
        (
            {"energyratestructure": [[{"rate": 1, "max": 9}, {"rate": 2, "max": 8}]]},
            "energyratestructure[0][1].max: 8 is not above the tier before's 9",
        ),
        ({"energyratestructure": [[{"rate": ""}]]}, "energyratestructure[0][0].rate: '' is not a number"),
        (
            {"flatdemandstructure": [[{"rate": 1}]], "flatdemandmonths": [0] * 12, "flatdemandunits": "kVA"},
            "flatdemandunits: 'kVA' is not known; write one of 'kW', 'hp'",
        ),
        (
            {
                "demandratestructure": [[{"rate": 1}]],
                "demandweekdayschedule": YEAR,
                "demandweekendschedule": YEAR,
                "demandrateunit": "kW",
                "demandunits": "hp",
            },
            "demandunits: contradicts demandrateunit; leave one of them",
        ),
        (
            {"flatdemandstructure": [[{"rate": 1, "unit": "kVA"}]], "flatdemandmonths": [0] * 12},
            "flatdemandstructure[0][0].unit: 'kVA' is not kW",
        ),
        ({"lookbackPercent": 0.8, "lookbackRange": 0.5}, "lookbackRange: 0.5 is no number of months"),
        ({"lookbackPercent": 0.8, "lookbackMonths": [1] * 11}, "lookbackMonths: is not a list of 12"),
        ({"usenetmetering": "yes"}, "usenetmetering: 'yes' is not known; write true or false"),
        ({"mincharge": 5, "minmonthlycharge": 6}, "minmonthlycharge: contradicts mincharge; leave one of them"),
        ({"energyratestructure": [[]]}, "energyratestructure[0]: holds no tiers"),
        ({"energyratestructure": 3}, "energyratestructure: holds no periods"),
        ({"energyratestructure": None}, "energyratestructure: is missing"),
        ({"energyweekdayschedule": None}, "energyweekdayschedule: is missing"),
        ({"energyweekdayschedule": [DAY] * 11}, "energyweekdayschedule: holds 11 months"),
        (
            {"energyweekdayschedule": [[0] * 23] + [DAY] * 11},
            "energyweekdayschedule[0]: holds 23 hours, so that nothing covers 23:00 of days in January; write 24",
        ),
        (
            {"energyweekdayschedule": [DAY] * 11 + [[0] * 25]},
            "energyweekdayschedule[11]: holds 25 hours, of which those from entry 24 on are none of days in December; write 24",
        ),
        (
            {"energyweekendschedule": [DAY] * 11 + [[0] * 23 + [1]]},
            "energyweekendschedule[11][23]: period 1 is not in energyratestructure, which has 1",
        ),
        ({"flatdemandstructure": [[{"rate": 1}]]}, "flatdemandmonths: is missing"),
        ({"flatdemandstructure": [[{"rate": 1}]], "flatdemandmonths": [0] * 11}, "flatdemandmonths: holds 11 months"),
        ({"demandratestructure": [[{"rate": 1}]]}, "demandweekdayschedule: is missing"),
        (
            {"flatdemandstructure": [[{"rate": 1}]], "flatdemandmonths": [0] * 12, "flatdemandunit": "kVA"},
            "flatdemandunit: 'kVA' is not known; write one of 'kW', 'hp'",
        ),
        ({"fueladjustmentsmonthly": [0.1]}, "fueladjustmentsmonthly: is not a list of 12"),
        ({"demandratchetpercentage": [0.5]}, "demandratchetpercentage: holds 1 months"),
        ({"fixedchargeunits": "$/week"}, "fixedchargeunits: '$/week' is not known"),
        ({"fixedchargefirstmeter": 1, "fixedmonthlycharge": 2}, "fixedmonthlycharge: contradicts"),
        ({"minmonthlycharge": -1}, "minmonthlycharge: -1 is below 0"),
        ({"dgrules": "Free Lunch"}, "dgrules: 'Free Lunch' is not known"),
    ],
)
def test_a_wrong_field_is_refused_with_its_path(changes: dict[str, Any], said: str) -> None:
    content = {key: value for key, value in (RATE | changes).items() if value is not None}
    with pytest.raises(FileError) as problem:
        rate_of(content)
    assert said in str(problem.value)


def test_all_problems_of_a_rate_are_named_at_once() -> None:
    with pytest.raises(FileError) as problem:
        rate_of({"energyratestructure": [[{"rate": "a"}]], "dgrules": 3})
    assert len(problem.value.violations) == 4


def test_a_field_that_is_not_known_is_named_in_a_remark() -> None:
    assert rate_of(RATE | {"solarbonus": 3, "label": "x"}).remarks == (
        "solarbonus is not known and has no effect on the bill",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("time,import\n", "line 1, column 2: 'import' is not known; did you mean import_kwh?"),
        ("import_kwh\n1\n2\n", "line 1: the column time is missing"),
        ("time,status\n1,\n", "line 1: no column of energy"),
        ("time,import_kwh,import_kwh\n", "line 1, column 3: import_kwh stands twice"),
        ("time,import_kwh,import_register_kwh\n", "leave one kind"),
        ("time,import_kwh\n2016-07-01T00:00,1\n", "holds 1 readings; write two or more"),
        (HOURS + "2016-07-01T02:00\n", "line 4: holds 1 cells; write 2"),
        (HOURS + "1 July,1\n", "line 4, column time: '1 July' is no time"),
        (HOURS + "2016-07-01T02:00,x\n", "line 4, column import_kwh: 'x' is not a number"),
        (HOURS + '2016-07-01T02:00,"1,5"\n', "write a point in place of the comma"),
        (HOURS + "2016-07-01T02:00,nan\n", "line 4, column import_kwh: nan is no energy up to 1e+12 kWh"),
        (
            HOURS + "2016-07-01T02:00,-1\n",
            "line 4, column import_kwh: -1 is below 0; write what is fed in in the column",
        ),
        (HOURS + "2016-07-01T04:00,1\n", "line 4, column time: 2016-07-01T04:00 is 180 minutes after the line before"),
        (HOURS + "2016-07-01T04:00,1\n", "add the interval of 2016-07-01T02:00"),
        (HOURS + "2016-07-01T01:00,1\n", "line 4, column time: 2016-07-01T01:00 is not after the line before"),
        ("time,import_kwh\n2016-07-01T00:00,1\n2016-07-02T00:00,2\n", "intervals are 86400 s"),
        ("time,import_kwh,status\n2016-07-01T00:00,1,guess\n2016-07-01T01:00,2,\n", "line 2, column status: 'guess'"),
        (
            "time,import_kwh\n2016-03-27T01:00,1\n2016-03-27T02:00,1\n",
            "line 3, column time: 2016-03-27T02:00 does not exist in Europe/Berlin",
        ),
        (
            "time,import_register_kwh\n2016-01-01T00:00,500\n2016-02-01T00:00,400\n",
            "reading 2: the register went back from 500 to 400 kWh; say how many digits it has",
        ),
        (
            "time,import_register_kwh,meter\n2016-01-01T00:00,500,A\n2016-02-01T00:00,0,B\n",
            "line 3, column meter: meter 'B' begins at 2016-02-01T00:00, after the last reading of 'A'",
        ),
    ],
)
def test_wrong_readings_are_refused_with_their_line(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "rate.json").write_text(json.dumps(RATE), encoding="utf-8")
    (tmp_path / "readings.csv").write_text(text, encoding="utf-8")
    words = ["bill", "--tariff", str(tmp_path / "rate.json"), "--meter", str(tmp_path / "readings.csv")]
    done = CliRunner().invoke(main, [*words, "--zone", "Europe/Berlin"])
    assert done.exit_code == 3, done.output
    assert said in done.stderr


def test_a_rollover_that_no_connection_carries_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rate.json").write_text(json.dumps(RATE), encoding="utf-8")
    rows = "time,import_register_kwh\n2016-01-01T00:00,500000\n2016-01-01T01:00,400000\n"
    (tmp_path / "readings.csv").write_text(rows, encoding="utf-8")
    words = ["bill", "--tariff", str(tmp_path / "rate.json"), "--meter", str(tmp_path / "readings.csv")]
    done = CliRunner().invoke(main, [*words, "--digits", "6"])
    assert done.exit_code == 3
    assert "900000 kWh in 1 h" in done.stderr


@pytest.mark.parametrize(
    "words", [["bill"], ["bill", "--tariff", "a.json"], ["bill", "myrun"], ["bill", "a", "1", "--meter", "b"]]
)
def test_half_a_command_is_refused(words: list[str]) -> None:
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2
    assert "--tariff and --meter" in done.stderr


def test_a_zone_that_there_is_not_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["bill", "--tariff", "a", "--meter", "b", "--zone", "Mars/Olympus"])
    assert done.exit_code == 2
    assert "'Mars/Olympus' is no time zone" in done.stderr


@pytest.mark.parametrize("text", ["", "{", "[]", '{"items": []}', "null"])
def test_what_is_no_rate_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "rate.json").write_text(text, encoding="utf-8")
    (tmp_path / "readings.csv").write_text(HOURS, encoding="utf-8")
    words = ["bill", "--tariff", str(tmp_path / "rate.json"), "--meter", str(tmp_path / "readings.csv")]
    assert CliRunner().invoke(main, words).exit_code == 3


def test_an_hour_without_a_price_is_named() -> None:
    with pytest.raises(UsageError, match=r"no period of the tariff covers 22:00 of 01 January, weekdays; add a window"):
        of_windows([Window(0, 0, 22)])


def test_an_hour_with_two_prices_is_named() -> None:
    with pytest.raises(UsageError, match=r"cover 05:30 of 01 January, weekdays: 'night' and 'day'"):
        of_windows([Window(0, 22, 6), Window(1, 5.5, 22)], ["night", "day"])


@pytest.mark.parametrize("window", [Window(0, 0, 25), Window(0, 3, 3), Window(0, 0.1, 24), Window(0, 0, 24, "02-30")])
def test_a_window_with_times_that_there_are_not_is_refused(window: Window) -> None:
    with pytest.raises(UsageError, match="is none: write"):
        of_windows([window])
