"""What docs/bills.md shows is what the command prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from heptagrid.cli import main
from tests.documents.pages import DOCS, blocks

PAGE = DOCS / "bills.md"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the page's files."""
    intervals, registers = blocks(PAGE, "csv")
    (tmp_path / "rate.json").write_text(blocks(PAGE, "json")[0], encoding="utf-8")
    (tmp_path / "readings.csv").write_text(intervals, encoding="utf-8")
    (tmp_path / "registers.csv").write_text(registers, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_bill_is_the_one_that_the_page_shows(folder: Path) -> None:
    table, as_json = (one.split()[1:] for one in blocks(PAGE, "bash")[0].splitlines())
    done = CliRunner().invoke(main, table)
    assert done.exit_code == 0, done.output
    assert done.stdout == blocks(PAGE, "text")[0]
    found = json.loads(CliRunner().invoke(main, as_json).stdout)
    (month,) = found["months"]
    lines = sum(one["amount"] for one in month["lines"]) + month["rounding"]
    assert lines == pytest.approx(month["net"])
    assert month["total"] == pytest.approx(month["net"] + month["taxes"][0]["amount"])


def test_registers_are_billed_as_the_page_says(folder: Path) -> None:
    rate = json.loads((folder / "rate.json").read_text(encoding="utf-8"))
    del rate["flatdemandstructure"], rate["flatdemandmonths"]
    (folder / "flat.json").write_text(json.dumps(rate), encoding="utf-8")
    words = ["bill", "--tariff", "flat.json", "--meter", "registers.csv", "--digits", "5", "--json"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["import_kwh"] == pytest.approx((100_150 - 99_200) + 150 + 310)
    assert [one["month"] for one in found["months"]] == ["2016-01", "2016-02", "2016-03"]
    assert found["months"][0]["import_kwh"] == pytest.approx(950 * 31 / 60)
    assert "1 estimated readings are replaced" in done.stderr


def test_registers_do_not_tell_a_peak(folder: Path) -> None:
    done = CliRunner().invoke(
        main, ["bill", "--tariff", "rate.json", "--meter", "registers.csv", "--digits", "5", "--zone", "UTC"]
    )
    assert done.exit_code == 2
    assert "give energies by interval" in done.stderr


@pytest.mark.parametrize(("carry", "usd"), [("kwh", 51.04), ("money", 50.04)])
def test_net_metering_is_in_kwh_or_in_money(folder: Path, carry: str, usd: float) -> None:
    """10 kWh off peak at 0.10, 20 kWh fed in at the peak, where a kWh sold earns 0.09: in money they pay for the 10 kWh."""
    rate = json.loads((folder / "rate.json").read_text(encoding="utf-8")) | {"dgrules": "Net Metering"}
    (folder / "net.json").write_text(json.dumps(rate), encoding="utf-8")
    rows = "time,import_kwh,export_kwh\n2016-07-01T10:00,10,0\n2016-07-01T11:00,0,0\n2016-07-01T12:00,0,20\n"
    (folder / "sunny.csv").write_text(rows, encoding="utf-8")
    words = ["bill", "--tariff", "net.json", "--meter", "sunny.csv", "--zone", "America/Denver", "--carry", carry]
    assert json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)["total"] == usd
