"""Whole runs of the default town: laws, pairs, comparisons, repeatability."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

import heptagrid
from heptagrid.assembly.arms import Arm
from heptagrid.assembly.spans import spans_of
from heptagrid.foundation.domains import KIND_NAMES, Domain
from heptagrid.recording.results import Run
from heptagrid.simulation.simulation import run_arm
from tests.conftest import LANE, STEP_S

pytestmark = pytest.mark.long

TIMES = ("wall_s", "peak_rss_mb", "customer_steps_per_s", "phase_s")
G, T, D, C, O, M, P = (int(one) for one in Domain)  # noqa: E741


def without_times(summary: dict[str, Any]) -> str:
    return json.dumps({key: value for key, value in summary.items() if key not in TIMES})


@pytest.mark.parametrize("arm", ["conventional", "smart"])
def test_energy_in_equals_energy_used_lost_and_stored(day: Run, arm: str) -> None:
    energy = day.summary["arms"][arm]["energy_mwh"]
    through = energy["generated"] + energy["imported"]
    balance = through - energy["exported"] - energy["consumed"] - energy["lost"] - energy["stored"]
    assert abs(energy["residual"]) <= 1e-6 * through
    assert balance == pytest.approx(energy["residual"], abs=1e-9)


@pytest.mark.parametrize("arm", ["conventional", "smart"])
def test_every_message_is_delivered_lost_or_in_flight(day: Run, arm: str) -> None:
    messages = day.summary["arms"][arm]["messages"]
    assert messages["residual"] == 0
    assert messages["sent"] == messages["delivered"] + messages["lost"] + messages["in_flight"]
    assert list(messages["by_kind"]) == list(KIND_NAMES)
    for kind in messages["by_kind"].values():
        assert kind["sent"] == kind["delivered"] + kind["lost"] + kind["in_flight"]
    assert sum(map(sum, messages["by_domain_pair"])) == messages["delivered"]


@pytest.mark.parametrize("arm", ["conventional", "smart"])
def test_the_day_ahead_market_brings_most_of_what_is_used(day: Run, arm: str) -> None:
    """Before vehicles and heat pumps were foreseen, half of it; out of balance is at most an eighth of what is used and generated."""
    traded, energy = (day.summary["arms"][arm][name] for name in ("traded_mwh", "energy_mwh"))
    assert traded["day_ahead"] + traded["short"] - traded["over"] == pytest.approx(traded["used"])
    assert traded["used"] == pytest.approx(energy["imported"] - energy["exported"] - energy["lost"], rel=1e-5)
    assert traded["day_ahead"] == pytest.approx(traded["used"], rel=0.15)
    assert traded["short"] + traded["over"] < (energy["consumed"] + energy["generated"]) / 8.0


@pytest.mark.parametrize("arm", ["conventional", "smart"])
def test_all_accounts_sum_to_zero(day: Run, arm: str) -> None:
    money = day.summary["arms"][arm]["money_eur"]
    matrix = np.array(money["matrix"])
    assert money["sum"] == 0.0
    assert (matrix >= 0.0).all()
    expected = matrix.sum(axis=0) - matrix.sum(axis=1) + np.array(money["outside_by_domain"])
    assert np.allclose(expected, money["by_domain"], atol=1e-6)
    assert money["by_domain"][M] == 0.0, "the market keeps nothing"
    rows = day.ledger.filter(day.ledger["arm"] == arm)
    assert (rows["amount_millicent"] > 0).all()


def test_every_domain_sends_and_receives_in_the_smart_arm(day: Run) -> None:
    pairs = np.array(day.summary["arms"]["smart"]["messages"]["by_domain_pair"])
    for one, other in ((C, O), (C, P), (D, O), (T, O), (G, O), (M, O), (M, P), (M, G), (O, P)):
        assert pairs[one, other] > 0, (one, other)
        assert pairs[other, one] > 0, (other, one)


def test_the_town_is_silent_in_the_conventional_arm(day: Run) -> None:
    pairs = np.array(day.summary["arms"]["conventional"]["messages"]["by_domain_pair"])
    assert pairs[[C, D]].sum() == 0
    assert pairs[:, [C, D]].sum() == 0
    assert pairs[G, O] > 0
    assert pairs[O, G] > 0


def test_each_meter_is_read_each_quarter_hour(day: Run) -> None:
    smart = day.summary["arms"]["smart"]
    points = day.meters["meter"].n_unique()
    assert smart["messages"]["by_kind"]["meter_reading"]["sent"] == 96 * points
    assert smart["metering"]["expected"] == smart["metering"]["received"] == 96 * points


def test_meters_and_balance_agree(day: Run) -> None:
    for arm in ("conventional", "smart"):
        meters = day.meters.filter(day.meters["arm"] == arm)
        drawn_mwh = sum(meters["import_kwh"].list.sum()) / 1000.0
        assert drawn_mwh > 0
        flows = day.summary["arms"][arm]["domain_energy_mwh"]
        net = (sum(meters["import_kwh"].list.sum()) - sum(meters["export_kwh"].list.sum())) / 1000.0
        wanted = flows["distribution_to_customers"] - flows["customers_to_distribution"]
        assert net == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("arm", ["conventional", "smart"])
def test_transmission_charges_for_the_highest_quarter_hour(day: Run, arm: str) -> None:
    """The mean of the steps of each quarter hour, times the charge of a year, over the 366 days of 2016."""
    totals = day.totals.filter(polars.col("arm") == arm).sort("time_ns")
    steps_kw = (totals["import_kw"] - totals["export_kw"]).to_numpy().reshape(96, 900 // STEP_S)
    price = day.manifest["scenario"]["network_fees"]["peak_demand_eur_per_kw_year"]["value"]
    paid = day.ledger.filter((polars.col("arm") == arm) & (polars.col("reason") == "peak_demand"))
    assert paid["amount_millicent"].sum() / 1e5 == pytest.approx(steps_kw.mean(axis=1).max() * price / 366, rel=1e-5)
    assert steps_kw.max() > 1.002 * steps_kw.mean(axis=1).max(), "the highest step is above it"


def test_the_smart_grid_lowers_the_peak(day: Run) -> None:
    assert day.summary["difference"]["primary_peak_kw"] < -500.0


def test_both_arms_share_people_and_weather(day: Run) -> None:
    totals = {arm: day.totals.filter(day.totals["arm"] == arm) for arm in ("conventional", "smart")}
    for column in ("time_ns", "base_kw", "generated_kw", "outside_c"):
        assert totals["conventional"][column].equals(totals["smart"][column]), column


def test_without_messages_the_smart_grid_is_the_conventional_one(broken_day: Run) -> None:
    summary = broken_day.summary
    kinds = summary["arms"]["smart"]["messages"]["by_kind"]
    assert kinds["meter_reading"]["delivered"] == 0
    assert kinds["setpoint"]["delivered"] == 0
    intact = summary["arms"]["intact"]["loading"]["primary_peak_kw"]
    conventional = summary["arms"]["conventional"]["loading"]["primary_peak_kw"]
    assert abs(summary["difference"]["primary_peak_kw"]) <= 0.05 * abs(intact - conventional)
    metering = summary["arms"]["smart"]["metering"]
    assert metering["estimated"] == metering["expected"] > 0
    status = broken_day.meters.filter(broken_day.meters["arm"] == "smart")["status"].explode()
    assert (status == 1).all(), "every read is marked as estimated"
    cost = summary["break"]["against_intact"]
    assert cost["primary_peak_kw"] > 0
    assert "against the intact smart grid" in broken_day.report.read_text(encoding="utf-8").lower()


def test_a_lossy_access_network_lies_between(day: Run, broken_day: Run, tmp_path: Path) -> None:
    lossy = heptagrid.run(
        "town", step_s=STEP_S, threads=1, single="smart", break_={"access": 0.3}, out=tmp_path / "run"
    )
    peaks = (
        broken_day.summary["arms"]["intact"]["loading"]["primary_peak_kw"],
        lossy.summary["arms"]["smart"]["loading"]["primary_peak_kw"],
        broken_day.summary["arms"]["smart"]["loading"]["primary_peak_kw"],
    )
    assert peaks[0] < peaks[1] < peaks[2]
    kind = lossy.summary["arms"]["smart"]["messages"]["by_kind"]["setpoint"]
    # Every hop of the mesh is a crossing that may be lost, so three copies are not always enough.
    assert 0.7 * kind["sent"] < kind["delivered"] < kind["sent"]
    assert day.summary["arms"]["smart"]["loading"]["primary_peak_kw"] == peaks[0]


def test_same_seed_same_result_with_one_and_two_threads(day: Run, broken_day: Run) -> None:
    """The day was run in two processes; the conventional and the intact arm of the other run are the same in one."""
    for arm, again in (("conventional", "conventional"), ("smart", "intact")):
        first, second = without_times(day.summary["arms"][arm]), without_times(broken_day.summary["arms"][again])
        assert first == second
        for table in ("totals", "ledger", "meters"):
            rows = [
                run.table(table).filter(polars.col("arm") == name).drop("arm")
                for run, name in ((day, arm), (broken_day, again))
            ]
            assert rows[0].equals(rows[1]), (arm, table)


def test_another_seed_another_result(day: Run, tmp_path: Path) -> None:
    other = heptagrid.run("town", step_s=900, seed=2, threads=1, single="conventional", out=tmp_path / "other")
    ours = day.summary["arms"]["conventional"]["energy_mwh"]["consumed"]
    assert other.summary["arms"]["conventional"]["energy_mwh"]["consumed"] != ours


def test_halving_the_step_keeps_people_and_weather(day: Run, tmp_path: Path) -> None:
    fine = heptagrid.run("town", step_s=STEP_S // 2, single="conventional", threads=1, out=tmp_path / "fine")
    coarse = day.totals.filter(day.totals["arm"] == "conventional")
    for column in ("base_kw", "generated_kw"):
        halves = fine.totals[column].to_numpy().reshape(-1, 2).mean(axis=1)
        assert np.allclose(halves, coarse[column].to_numpy(), rtol=1e-4), column
    energy = [run.summary["arms"]["conventional"]["energy_mwh"]["consumed"] for run in (fine, day)]
    assert energy[0] == pytest.approx(energy[1], rel=0.01)


@pytest.mark.parametrize(
    ("start", "quarters"), [("2016-03-27", 92), ("2016-10-30", 100), ("2016-02-29", 96), ("2016-12-31", 96)]
)
def test_days_of_clock_change_and_the_ends_of_february_and_december_run(
    start: str, quarters: int, tmp_path: Path
) -> None:
    run = heptagrid.run(feeder=LANE, start=start, step_s=900, single="smart", threads=1, out=tmp_path / "run")
    assert len(run.totals) == quarters
    assert run.meters["import_kwh"].list.len().unique().to_list() == [quarters]
    assert run.summary["arms"]["smart"]["bills"]["mean_bill_eur"] is not None


def test_a_town_without_devices_runs(lane_file: Path, tmp_path: Path) -> None:
    none = ["vehicles.share=0", "heat_pumps.share=0", "batteries.share=0"]
    run = heptagrid.run(lane_file, step_s=900, threads=1, settings=none, out=tmp_path / "run")
    assert run.summary["arms"]["smart"]["messages"]["by_kind"]["setpoint"]["sent"] == 0
    assert run.summary["difference"]["primary_peak_kw"] == pytest.approx(0.0, abs=0.1)


def test_with_all_links_down_everybody_goes_on_by_himself(tmp_path: Path) -> None:
    run = heptagrid.run(feeder=LANE, step_s=900, threads=1, single="smart", break_={"wan": 1.0}, out=tmp_path / "run")
    assert run.summary["arms"]["smart"]["messages"]["delivered"] == 0
    assert run.summary["arms"]["smart"]["price_eur_per_mwh"]["max"] > 0, "the last cleared prices hold"
    assert run.summary["arms"]["smart"]["market"]["days"] == 0, "no counted day was cleared"
    fleet = run.summary["arms"]["smart"]["domain_energy_mwh"]
    given = fleet["generation_to_transmission"]
    taken = fleet["transmission_lost"] + fleet["transmission_to_rest"]
    taken += fleet["transmission_to_distribution"] - fleet["distribution_to_transmission"]
    assert given == pytest.approx(taken, rel=1e-9)


def test_the_bulk_system_gives_what_is_taken(day: Run) -> None:
    for arm in day.summary["arms"].values():
        flows = arm["domain_energy_mwh"]
        taken = flows["transmission_lost"] + flows["transmission_to_rest"]
        taken += flows["transmission_to_distribution"] - flows["distribution_to_transmission"]
        assert flows["generation_to_transmission"] == pytest.approx(taken, rel=1e-9)


@pytest.mark.parametrize("arm", [Arm("conventional", smart=False), Arm("smart", smart=True)])
def test_an_arm_stopped_in_its_warm_up_counts_nothing(arm: Arm, tmp_path: Path) -> None:
    scenario = heptagrid.load("town")
    (span,) = spans_of(scenario, typical=False)
    result = run_arm(scenario, arm, 0, span, tmp_path, lambda steps: steps >= 3)
    assert result.stopped_ns is not None
    assert (result.steps, result.energy.consumed, result.energy.residual) == (0, 0.0, 0.0)


def test_a_plain_script_may_run_in_parallel(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import heptagrid\n"
        f"run = heptagrid.run(feeder={str(LANE)!r}, step_s=900, threads=2, out={str(tmp_path / 'run')!r})\n"
        "print(sorted(run.summary['arms']))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "['conventional', 'smart']"


def test_summary_has_the_keys_that_other_tools_rely_on(day: Run) -> None:
    summary = json.loads((day.folder / "summary.json").read_text())
    for key in (
        *("scenario", "seed", "days", "step_s", "customers", "nodes", "wall_s", "peak_rss_mb"),
        *("customer_steps_per_s", "phase_s"),
    ):
        assert summary[key] is not None, key
    assert summary["customers"] == 8772
    for arm in summary["arms"].values():
        assert set(arm["energy_mwh"]) == {
            *("generated", "imported", "exported", "consumed", "lost", "stored", "residual"),
        }
        assert {"min_pu", "max_pu", "violation_customer_minutes"} <= set(arm["voltage"])
        assert {"primary_peak_kw", "max_transformer_pct", "overloaded_transformers"} <= set(arm["loading"])
        assert {"matrix", "by_domain", "outside_by_domain", "sum"} <= set(arm["money_eur"])
        for kind in arm["messages"]["by_kind"].values():
            assert {"sent", "delivered", "lost", "late", "p50_s", "p95_s", "p99_s"} <= set(kind)
    wanted = {"primary_peak_kw", "energy_lost_mwh", "violation_customer_minutes", "mean_bill_eur", "npv_eur_by_domain"}
    assert wanted <= set(summary["difference"])
    assert summary["difference"]["npv_eur_by_domain"] is None, "a day is not annualised"


def test_a_single_arm_has_no_difference(tmp_path: Path) -> None:
    run = heptagrid.run("town", step_s=900, single="conventional", threads=1, out=tmp_path / "run")
    assert list(run.summary["arms"]) == ["conventional"]
    assert run.summary["difference"] is None


def test_nodes_hold_least_mean_and_greatest_voltage(day: Run) -> None:
    assert len(day.nodes) == 2 * day.summary["nodes"]
    frame = day.nodes.explode("v_min_pu", "v_mean_pu", "v_max_pu")
    assert (frame["v_min_pu"] <= frame["v_mean_pu"] + 1e-6).all()
    assert (frame["v_mean_pu"] <= frame["v_max_pu"] + 1e-6).all()
    assert frame["v_min_pu"].min() == pytest.approx(
        min(a["voltage"]["min_pu"] for a in day.summary["arms"].values()), 1e-6
    )
