"""A bill explained: its lines add up, and each rests on something."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
from click.testing import CliRunner

from heptagrid.assembly.world import build_world
from heptagrid.cli import main
from heptagrid.inquiry.explain import explain
from heptagrid.inquiry.replay import scenario_of
from heptagrid.recording.results import Run
from heptagrid.report.bill_text import bill_text

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def steered(day: Run) -> int:
    """A customer on the dynamic tariff whose vehicle and battery the aggregator steers."""
    owned = build_world(scenario_of(day.manifest)).owned
    both = np.intersect1d(owned.devices["vehicles"], owned.devices["batteries"])
    return int(both[(owned.tariff_of[both] == 1) & owned.enrolled[both]][0])


def recorded_millicent(run: Run, customer: int) -> int:
    rows = run.ledger.filter(polars.col("arm") == "smart")
    paid = rows.filter(polars.col("payer") == f"point {customer}")["amount_millicent"].sum()
    return int(paid - rows.filter(polars.col("payee") == f"point {customer}")["amount_millicent"].sum())


def in_cents(amount_eur: float) -> float:
    """A positive amount to the cent, half a cent up."""
    return float(np.floor(amount_eur * 100.0 + 0.5) / 100.0)


@pytest.fixture(scope="module")
def explained(day: Run, steered: int) -> dict[str, Any]:
    """This customer's bill."""
    return explain(day.folder, steered)


def test_the_lines_add_up_to_the_bill_to_the_last_digit(day: Run, steered: int, explained: dict[str, Any]) -> None:
    found = explained
    assert found["remarks"] == []
    assert sum(one["amount_millicent"] for one in found["lines"]) == recorded_millicent(day, steered)
    bills = day.bills["bill_eur_smart"]
    assert found["bill_eur"] == pytest.approx(bills[steered], abs=5e-5)
    by_hour = sum(one["energy_eur"] for one in found["hours"])
    by_line = {one["line"]: one["amount_eur"] for one in found["lines"]}
    kwh = next(one["kwh"] for one in found["lines"] if one["line"] == "energy")
    energy, margin = by_line["energy"], by_line["retailer's margin"]
    assert energy + margin == pytest.approx(in_cents(by_hour + 0.02 * kwh)), "the hours explain the line"
    state = by_line["levies, concession fee and electricity tax"]
    assert state == pytest.approx(in_cents((1.574 + 1.66 + 2.05) / 100.0 * kwh))


def test_a_steered_customer_on_the_dynamic_tariff_reads_the_whole_story(day: Run, explained: dict[str, Any]) -> None:
    found = explained
    price, setpoints = found["price"], found["setpoints"]
    assert price["message"]["status"] == "delivered" and 0.0 < price["message"]["delay_s"] < 60.0
    assert [one["topic"] for one in price["chain"]] == ["prices", "demand", "forecast"]
    assert price["chain"][-1]["root"]
    assert setpoints["sent"] == setpoints["delivered"] == 2 * 24
    flexibility = next(one for one in found["lines"] if one["reason"] == "flexibility")
    assert flexibility["amount_eur"] < 0.0
    assert flexibility["message"] is not None
    assert 0.9 < found["dearest"]["v_min_pu"] <= found["dearest"]["v_max_pu"] < 1.1
    recorded = day.transformers.filter(polars.col("arm") == "smart")["loading_pct"].max()
    assert 0.0 < found["dearest"]["transformer_pct"] <= recorded
    text = bill_text(found)
    for words in (
        "You are on the dynamic tariff",
        "reached your gateway",
        "the market's result",
        "None was for congestion",
    ):
        assert words in text, words


def test_without_messages_the_bill_says_what_was_missing(broken_day: Run, steered: int) -> None:
    found = explain(broken_day.folder, steered)
    assert found["reads"]["estimated"] == 96
    assert found["price"]["message"]["status"] == "lost: break"
    assert found["setpoints"]["delivered"] == 0
    assert len(found["setpoints"]["lost"]) == 2 * 24
    text = bill_text(found)
    assert "96 had not arrived in time and were estimated" in text
    assert "never reached your gateway" in text


def test_json_holds_json_and_nothing_else(lane_day: Run) -> None:
    result = CliRunner().invoke(main, ["explain", str(lane_day.folder), "--bill", "11", "--json"])
    found = json.loads(result.stdout)
    assert found["customer"] == 11
    assert found["tariff"] in ("flat", "dynamic")


def test_what_cannot_be_explained_is_said(day: Run, lane_file: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    words = ["run", str(lane_file), "--step", "900", "--single", "conventional", "--threads", "1", "--out", str(alone)]
    assert CliRunner().invoke(main, words).exit_code == 0
    for folder, more, code, part in (
        (alone, [], 2, "holds the conventional arm only"),
        (tmp_path / "nothing", [], 5, "not a results folder"),
        (day.folder, ["--day", "2016-02-01"], 2, "there is no bill of 2016-02-01"),
        (day.folder, ["--day", "soon"], 2, "is not a date"),
    ):
        result = CliRunner().invoke(main, ["explain", str(folder), "--bill", "17", *more])
        assert (result.exit_code, part in result.output) == (code, True), result.output
    result = CliRunner().invoke(main, ["explain", str(day.folder), "--bill", "99999"])
    assert result.exit_code == 2
    assert "they are numbered from 0 to 8771" in result.output
