"""Frequency and the full transmission flow in whole runs: a loss shows, what is kept is kept, processes do not matter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars
import pytest

import heptagrid
from heptagrid.recording.results import Run
from heptagrid.report.terminal import summary as terminal_summary
from tests.conftest import shared_run

pytestmark = pytest.mark.long

TRIP = (
    """
name = "trip"
[market]
reserve_share = 0.4
[transmission]
flow = "ac"
[frequency]
enabled = true
before_s = 10
after_s = 60
"""
    + 3
    * """
[[events]]
kind = "unit_trip"
where = "largest"
begin = 2016-01-27T17:20:00
duration_s = 3600
"""
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trip") / "trip.toml"
    path.write_text(TRIP, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tripped(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return shared_run("tripped", tmp_path_factory, lambda out: heptagrid.run(file, step_s=300, threads=2, out=out))


def test_the_loss_of_a_unit_shows(tripped: Run) -> None:
    blocks = tripped.table("unit_blocks")
    nuclear = blocks.filter(polars.col("fuel") == "nuclear")["unit"][0]
    for name, arm in tripped.summary["arms"].items():
        one = tripped.summary["events"][0]["arms"][name]
        assert len({event["arms"][name]["unit"] for event in tripped.summary["events"]}) == 3, "events alike are three"
        found = arm["frequency"]
        assert one["unit"] == nuclear, "the nuclear unit gives most"
        assert -3.0 < one["rocof_hz_per_s"] < -0.5
        assert found["min_hz"] == one["nadir_hz"] < 49.0, "a quarter of all generation is gone"
        assert one["shed_mw"] > 0.0
        assert 49.0 < one["settled_hz"] < 50.0, "primary control holds it, secondary control takes minutes"
        for group in ("telemetry", "commands"):
            counts = found[group]
            assert 0 < counts["delivered"] <= counts["sent"] == counts["delivered"] + counts["lost"]
        assert arm["messages"]["residual"] == 0


def test_the_series_holds_every_sub_step(tripped: Run) -> None:
    series = tripped.table("frequency").filter(polars.col("arm") == "smart")
    times = series["time_ns"].to_numpy()
    # The window is of whole coupling steps: 17:15 to 17:25.
    assert len(times) == 6000 and (np.diff(times) == 10**8).all()
    before = series["frequency_hz"].to_numpy()[:3000]
    assert np.abs(before - 50.0).max() < 0.2, (
        "a dispatch moves units, each at its own ramp; no more happens before the loss"
    )
    assert abs(before[-1] - 50.0) < 0.05, "secondary control has brought it back"
    given, drawn = series["given_mw"].to_numpy(), series["drawn_mw"].to_numpy()
    assert np.abs(given - drawn)[-100:].max() < 5.0


def test_the_full_flow_records_the_bulk_systems_voltages(tripped: Run) -> None:
    buses = tripped.table("bulk_buses").filter(polars.col("arm") == "smart")
    assert len(buses) == 73 * 288
    low, high = buses["v_pu"].min(), buses["v_pu"].max()
    assert isinstance(low, float) and isinstance(high, float)
    assert 0.9 < low < high < 1.2, "cables charge where few units run at night"
    energy = tripped.summary["arms"]["smart"]["domain_energy_mwh"]
    assert 0.01 < energy["transmission_lost"] / energy["generation_to_transmission"] < 0.06


def test_processes_make_no_difference(file: Path, tripped: Run, tmp_path: Path) -> None:
    alone = heptagrid.run(file, step_s=300, single="conventional", threads=1, out=tmp_path / "run")
    for table in ("frequency", "bulk_buses", "totals", "ledger"):
        mine = tripped.table(table).filter(polars.col("arm") == "conventional")
        assert mine.equals(alone.table(table)), table


def test_page_and_terminal_tell_of_it(tripped: Run) -> None:
    from rich.console import Console

    page = tripped.report.read_text(encoding="utf-8")
    for words in ("Loss of the largest unit", "System frequency", "The first minute after 17:20:00"):
        assert words in page, words
    console = Console(record=True, width=200)
    console.print(terminal_summary(tripped.summary, tripped.manifest))
    assert "set-points of secondary control arrived" in console.export_text()
