"""A message of a finished run, followed from cause to consequence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars
import pytest
from click.testing import CliRunner

from heptagrid.cli import main
from heptagrid.inquiry.message_list import list_messages
from heptagrid.inquiry.replay import scenario_of
from heptagrid.inquiry.trace import trace
from heptagrid.inquiry.waves import Waves
from heptagrid.planes.messages.technology import technology
from heptagrid.recording.results import Run
from heptagrid.report.trace_text import message_text

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def found(day: Run) -> dict[str, Any]:
    """The trace of the reading of 12:00 of customer 17."""
    waves = day.waves.filter((polars.col("arm") == "smart") & (polars.col("topic") == "reading"))
    noon = waves["first_sent_ns"][96 + 48]
    first = int(waves.filter(polars.col("first_sent_ns") == noon)["first_id"][0])
    return trace(day.folder, first + 17)


def test_a_manifest_holds_the_whole_scenario(day: Run) -> None:
    scenario = scenario_of(day.manifest)
    assert str(scenario.start) == day.manifest["dates"][0]
    assert (scenario.seed, scenario.step_s) == (day.manifest["seed"], day.manifest["step_s"])
    for section, values in day.manifest["scenario"].items():
        if section != "run":
            assert {name: getattr(scenario.sections[section], name) for name in values} == {
                name: tuple(one["value"]) if isinstance(one["value"], list) else one["value"]
                for name, one in values.items()
            }


def test_the_hops_of_a_copy_make_up_its_way(found: dict[str, Any], day: Run) -> None:
    assert found["remarks"] == []
    assert found["message"]["kind"] == "meter_reading"
    assert found["message"]["from"] == "gateway of customer 17"
    copies = {(one["what"], one["copy"]): one for one in found["copies"]}
    message, answer = copies["message", 0], copies["acknowledgement", 0]
    assert answer["sent"] == message["arrived"]
    assert [hop["class"] for hop in message["hops"]] == ["access", "backhaul", "wan", "wan"]
    assert [hop["class"] for hop in answer["hops"]] == ["wan", "wan", "backhaul", "access"]
    for copy in (message, answer):
        spent = ("queue_s", "contention_s", "air_s", "propagation_s")
        assert sum(hop[one] for hop in copy["hops"] for one in spent) == pytest.approx(copy["took_s"], abs=1e-9)
        assert copy["hops"][-1]["out"] == copy["arrived"]
    assert found["outcome"]["delay_s"] == message["took_s"]
    access = technology(day.manifest["scenario"]["messages.access"]["technology"]["value"])
    assert access.airtime_s(found["message"]["bytes"]) == pytest.approx(
        message["hops"][0]["air_s"] / message["hops"][0]["attempts"]
    )


def test_a_reading_leads_to_the_lines_of_the_bill(found: dict[str, Any], day: Run) -> None:
    assert found["root"].startswith("a measurement")
    reads = found["consequences"]["day_reads"]
    mine = day.ledger.filter(
        (polars.col("arm") == "smart") & (polars.col("cause") == reads["id"]) & (polars.col("payer") == "point 17")
    )
    assert sum(one["amount_eur"] for one in found["consequences"]["ledger"]) == pytest.approx(
        mine["amount_millicent"].sum() / 1e5
    )
    text = message_text(found)
    assert "gateway of customer 17 → concentrator of substation" in text
    assert "energy bill" in text


def test_every_wave_of_a_chain_was_sent_before_what_it_caused(day: Run) -> None:
    waves = Waves(day, "smart", 0)
    table = day.waves.filter(polars.col("arm") == "smart")
    price = table.filter((polars.col("kind") == "price") & (polars.col("receiver") == "customers"))
    chain = list(waves.chain(int(price["first_id"][0])))
    assert [wave.topic for _, wave in chain] == ["prices", "demand", "forecast"]
    later = table["first_sent_ns"].to_numpy()
    for cause, at in zip(table["cause"].to_list(), later, strict=True):
        assert cause < 0 or waves.of(cause).first_sent_ns <= at
    assert {"wholesale_energy", "flexibility"} <= set(day.ledger.filter(polars.col("cause") >= 0)["reason"])


def test_a_message_that_is_lost_says_where_and_why(broken_day: Run) -> None:
    lost = list_messages(broken_day.folder, kind="setpoint", lost=True, limit=3)["messages"]
    assert [one["status"] for one in lost] == ["lost: break"] * 3
    found = trace(broken_day.folder, lost[0]["id"])
    assert found["outcome"]["status"] == "lost"
    assert found["outcome"]["copies_sent"] == 3, "a set-point is sent again twice"
    for copy in found["copies"]:
        assert copy["lost_to"] == copy["hops"][-1]["lost_to"] == "break"
        assert copy["hops"][-1]["class"] == "access"
    assert "never received it" in found["effect"]
    text = message_text(found)
    assert "LOST after being sent 3 times" in text
    assert "Copy 3, after a time-out" in text


def test_a_list_shows_what_a_customer_was_sent(day: Run) -> None:
    words = ["trace", str(day.folder), "--list", "--customer", "40", "--from", "00:10", "--limit", "6", "--json"]
    result = CliRunner().invoke(main, words)
    listed = json.loads(result.stdout)["messages"]
    assert len(listed) == 6
    assert [one["id"] for one in listed] == sorted(one["id"] for one in listed)
    for one in listed:
        assert "gateway of customer 40" in (one["from"], one["to"])
        assert one["status"] == "delivered" and one["delay_s"] > 0
        assert one["sent"] >= "2016-01-27T00:10"


def test_a_message_that_the_warm_up_spares_its_way_says_so(lane_day: Run) -> None:
    waves = lane_day.waves.filter((polars.col("arm") == "smart") & (polars.col("topic") == "reading"))
    noon, midnight = (trace(lane_day.folder, int(waves["first_id"][k]) + 3) for k in (48, 95))
    assert (noon["outcome"]["delay_s"], noon["copies"][0]["hops"]) == (0.0, [])
    assert "spares such messages the network" in noon["remarks"][-1]
    assert midnight["outcome"]["delay_s"] > 0.0 and midnight["remarks"] == []


def test_what_cannot_be_traced_is_said(day: Run, tmp_path: Path) -> None:
    run = str(day.folder)
    for words, code, part in (
        (["trace", run, "999999999"], 2, "there is no message 999999999"),
        (["trace", run], 2, "--list"),
        (["trace", run, "1", "--arm", "clever"], 2, "the run has no arm 'clever'"),
        (["trace", run, "1", "--day", "2016-03-01"], 2, "does not cover"),
        (["trace", run, "--list", "--kind", "gossip"], 2, "there is no kind 'gossip'"),
        (["trace", run, "--list", "--customer", "99999"], 2, "there is no customer 99999"),
        (["trace", run, "--list", "--from", "noon"], 2, "is not a time"),
        (["trace", str(tmp_path), "1"], 5, "not a results folder"),
    ):
        result = CliRunner().invoke(main, words)
        assert (result.exit_code, part in result.output) == (code, True), (words, result.output)


def test_a_changed_heptagrid_is_said(day: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from heptagrid.inquiry import replay

    monkeypatch.setattr(replay, "fingerprint_of_package", lambda: "another")
    monkeypatch.setattr(replay, "data_fingerprints", lambda _: {})
    remarks = replay.Replay(day).remarks
    assert "not the one that made the run" in remarks[0]
    assert "town/grid.npz" in remarks[1]
