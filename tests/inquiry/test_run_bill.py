"""A customer's bill over a run, from its ledger: the same to the millicent, each line with the message that it rests on."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from heptagrid import Run
from heptagrid.cli import main
from heptagrid.foundation.errors import UsageError
from heptagrid.inquiry.explain import explain
from heptagrid.inquiry.run_bill import run_bill


def test_a_bill_is_the_one_of_the_run(lane_day: Run) -> None:
    found = run_bill(lane_day.folder, 3)
    assert found["total_eur"] == pytest.approx(float(lane_day.bills["bill_eur_smart"][3]), abs=5e-6)


def test_its_lines_are_those_that_explain_splits(lane_day: Run) -> None:
    (day,) = run_bill(lane_day.folder, 3)["days"]
    explained = explain(lane_day.folder, 3)
    by_reason: dict[str, int] = {}
    for one in explained["lines"]:
        by_reason[one["reason"]] = by_reason.get(one["reason"], 0) + one["amount_millicent"]
    assert {one["reason"]: one["amount_millicent"] for one in day["lines"]} == by_reason
    assert day["day"] == explained["day"]


def test_each_line_leads_to_its_cause(lane_day: Run) -> None:
    (day,) = run_bill(lane_day.folder, 3)["days"]
    with_message = [one for one in day["lines"] if one["message"] is not None]
    assert with_message
    for one in with_message:
        assert one["causes"][0]["id"] == one["message"]
        assert one["causes"][-1]["root"] is not None


def test_the_command_prints_both_forms(lane_day: Run) -> None:
    done = CliRunner().invoke(main, ["bill", str(lane_day.folder), "3"])
    assert done.exit_code == 0, done.output
    assert "supply, connection and metering for the day" in done.output
    found = json.loads(CliRunner().invoke(main, ["bill", str(lane_day.folder), "3", "--json"]).stdout)
    assert found == run_bill(lane_day.folder, 3)


def test_a_customer_that_there_is_not_is_refused(lane_day: Run) -> None:
    with pytest.raises(UsageError):
        run_bill(lane_day.folder, 10_000)
