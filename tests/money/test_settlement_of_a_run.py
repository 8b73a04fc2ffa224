"""Whole runs of a small feeder whose readings take days, or are lost: each settlement run takes in what came until then, and what comes later changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars
import pytest

import heptagrid
from heptagrid.inquiry.run_bill import run_bill
from heptagrid.recording.results import Run
from heptagrid.report.run_bill_text import run_bill_text
from tests.conftest import shared_run

pytestmark = pytest.mark.long

LANE = Path(__file__).parents[1] / "cases/lane/lane.dss"
DAYS_LATE = ["messages.access.delay_s=86400", "messages.backhaul.delay_s=86400"]
LATER = {"second": "second_run", "final": "final_run"}


def lane(factory: pytest.TempPathFactory, name: str, **more: Any) -> Run:
    def make(out: Path) -> Run:
        return heptagrid.run(feeder=LANE, step_s=900, single="smart", threads=1, days=5, out=out, **more)

    return shared_run(name, factory, make)


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A hop of the access and the backhaul networks takes a day each."""
    return lane(tmp_path_factory, "lane-late", settings=DAYS_LATE)


@pytest.fixture(scope="module")
def lossy(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Each message is lost on each link of the access network with probability 0.3."""
    return lane(tmp_path_factory, "lane-lossy", break_={"access": 0.3})


def of_runs(run: Run) -> dict[str, dict[str, Any]]:
    return {one["run"]: one for one in run.summary["arms"]["smart"]["settlement"]["runs"]}


@pytest.mark.parametrize("name", ["late", "lossy"])
def test_what_a_settlement_run_came_to_is_what_its_entries_say(name: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(name)
    arm, found = run.summary["arms"]["smart"], of_runs(run)
    assert [one["days"] for one in found.values()] == [5, 4, 3], "a run of five days"
    assert arm["money_eur"]["sum"] == 0.0 and arm["messages"]["residual"] == 0
    smart = run.ledger.filter(polars.col("arm") == "smart")
    for settlement_run, reason in LATER.items():
        rows = smart.filter(polars.col("reason") == reason)
        assert (rows["cause"] >= 0).all()
        assert len(rows) == found[settlement_run]["entries"]
        for column, side in (("payer", "points_paid_eur"), ("payee", "points_received_eur")):
            of_points = rows.filter(polars.col(column).str.starts_with("point"))["amount_millicent"].sum()
            assert found[settlement_run][side] == pytest.approx(of_points / 1e5, abs=1e-9)
        market = sum(
            sign * rows.filter(polars.col(column) == "markets")["amount_millicent"].sum()
            for column, sign in (("payee", 1), ("payer", -1))
        )
        assert market == 0, "the market keeps nothing"
        into_day_s = (rows["at_ns"] - rows["of_ns"]) / 10**9 - 86_400 * found[settlement_run]["after_days"]
        assert into_day_s.is_in([3300.0, 3600.0]).all(), "at the step's end after 00:54 or 01:00 of the day of the run"


def test_reads_that_take_days_are_in_the_final_run_or_too_late(late: Run) -> None:
    found, settlement = of_runs(late), late.summary["arms"]["smart"]["settlement"]
    metering = late.summary["arms"]["smart"]["metering"]
    assert found["final"]["reads"] > found["second"]["reads"] > 0 == found["first"]["reads"]
    assert found["second"]["reads"] + found["final"]["reads"] == metering["replaced"]
    assert settlement["too_late"] > 0
    html = late.report.read_text(encoding="utf-8")
    assert "reads came after the final run of their day" in html and "By settlement run" in html


def test_lost_reads_are_told_by_registers(lossy: Run) -> None:
    found, settlement = of_runs(lossy), lossy.summary["arms"]["smart"]["settlement"]
    assert found["second"]["registered"] > 0 == settlement["too_late"]


def test_a_bill_of_the_run_names_the_settlement_run_and_the_day(late: Run) -> None:
    final = late.ledger.filter((polars.col("reason") == "final_run") & polars.col("payer").str.starts_with("point"))
    customer = int(final["payer"][0].split()[1])
    found = run_bill(late.folder, customer)
    lines = [line for day in found["days"] for line in day["lines"]]
    named = {(line["settlement_run"], line["line"]) for line in lines if line["reason"] == "final_run"}
    assert ("final", f"final settlement run of {late.manifest['dates'][0]}") in named
    assert {line["settlement_run"] for line in lines if line["reason"] == "energy_bill"} == {"first"}
    assert all(line["causes"] for line in lines if line["settlement_run"] in LATER)
    assert "first run " in run_bill_text(found) and "final run " in run_bill_text(found)
