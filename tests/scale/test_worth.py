"""Sweeps over technologies measure what hangs on messages: from three arms of the lane on the town's typical days."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import heptagrid
from heptagrid.cli import main
from heptagrid.planes.money.benefits.observed import ArmYear, Outage
from heptagrid.scale.sweep import Sweep
from heptagrid.scale.year_record import year_as_json, year_of_json
from tests.conftest import locked, shared_sweep
from tests.money.appraisal.years import observed

KEY = "messages.access.technology"


def test_a_year_is_read_back_as_it_was_written() -> None:
    smart = observed().smart
    outages = (Outage("others", np.inf, 3, 180.0, 0.5), Outage("households", 1.0, 2, 60.0, 0.1))
    year = ArmYear(**{**vars(smart), "outages": outages, "voltage_pu": 0.99})
    back = year_of_json(json.loads(json.dumps(year_as_json(year), allow_nan=False)))
    for one in fields(ArmYear):
        mine, theirs = getattr(back, one.name), getattr(year, one.name)
        assert np.array_equal(mine, theirs) if isinstance(theirs, np.ndarray) else mine == theirs, one.name


@pytest.fixture(scope="module")
def lane_year(lane_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lane with a winter's and a summer's day for half a year each."""
    with locked("lane_year", tmp_path_factory) as root:
        file = root / "lane.toml"
        if not file.exists():
            (root / "days.csv").write_text("date,weight\n2016-01-27,183\n2016-07-04,183\n", encoding="utf-8")
            file.write_text(f'typical_days = "days.csv"\n{lane_file.read_text(encoding="utf-8")}', encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def swept(lane_year: Path, tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """Two technologies on these days."""
    vary = [f"{KEY}=wi-sun-50k,nb-iot"]
    return shared_sweep(
        "worth",
        tmp_path_factory,
        lambda out: heptagrid.sweep(lane_year, vary, typical=True, step_s=900, workers=2, out=out),
    )


@pytest.mark.long
def test_without_messages_every_meter_is_visited_and_what_they_carried_is_lost(swept: Sweep) -> None:
    (one,) = swept.content["communication"]
    assert one["key"] == KEY and [row["value"] for row in one["rows"]] == ["wi-sun-50k", "nb-iot"]
    for row in one["rows"]:
        reading = next(part for part in row["benefits"] if part["name"] == "meter_reading")
        assert reading["with_eur"] > 0.0 and reading["without_eur"] == pytest.approx(0.0, abs=1e-6)
        assert row["hanging_eur"] == pytest.approx(sum(p["with_eur"] - p["without_eur"] for p in row["benefits"]))
        assert row["npv_eur"] - row["npv_without_eur"] == pytest.approx(row["hanging_eur"])
        assert row["cost_eur"] == pytest.approx(sum(row["items_eur"].values())) and row["cost_eur"] > 0.0
        assert row["pays"] == (row["hanging_eur"] > row["cost_eur"])
    mesh, cells = one["rows"]
    assert mesh["items_eur"]["access_unit"] != cells["items_eur"]["access_unit"], "each at its own cost"


@pytest.mark.long
def test_society_of_a_point_is_that_of_a_run(swept: Sweep, lane_year: Path, tmp_path: Path) -> None:
    run = heptagrid.run(lane_year, typical=True, step_s=900, threads=2, out=tmp_path / "run")
    (row, _), point = swept.content["communication"][0]["rows"], swept.content["points"][0]
    found = run.summary["business"]["appraisal"]
    assert point["figures"]["society_npv_eur"]["mean"] == pytest.approx(found["society"]["npv_eur"], rel=1e-12)
    assert row["npv_eur"] == pytest.approx(found["society"]["npv_eur"], rel=1e-12)
    assert row["cost_eur"] == pytest.approx(found["communication"]["cost_eur"], rel=1e-12)


@pytest.mark.long
def test_the_page_and_the_terminal_give_the_answer(swept: Sweep, lane_year: Path) -> None:
    assert swept.communication_report is not None
    page = swept.communication_report.read_text(encoding="utf-8")
    words = ["sweep", str(lane_year), "--vary", f"{KEY}=wi-sun-50k,nb-iot", "--typical", "--step", "900"]
    printed = CliRunner().invoke(main, [*words, "--out", str(swept.folder)])
    assert printed.exit_code == 0, printed.output
    for text in (page, " ".join(printed.stdout.split())):
        assert "Communication " in text and "for itself" in text and "break-even" in text
        assert "wi-sun-50k" in text and "nb-iot" in text
    assert "communication.html" in printed.stdout
    assert 'href="communication.html"' in swept.report.read_text(encoding="utf-8")
