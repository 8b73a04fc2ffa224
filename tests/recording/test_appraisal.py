"""The appraisal of a run whose days stand for a year."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import heptagrid
from heptagrid.cli import main
from heptagrid.planes.money.benefits.benefit import PARTIES
from heptagrid.report.society import society_lines
from tests.plugins.extras import LANE

pytestmark = pytest.mark.long
NOT_IN_THE_LEDGER = ("emissions", "capacity", "installation", "cyber_security", "programme", "stranded_meters")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> heptagrid.Run:
    pytest.importorskip("dss", reason="reading OpenDSS scripts needs dss-python")
    folder: Path = tmp_path_factory.mktemp("year")
    (folder / "days.csv").write_text("date,weight\n2016-01-27,100\n2016-07-04,266\n", encoding="utf-8")
    scenario = folder / "lane.toml"
    scenario.write_text('typical_days = "days.csv"\n[appraisal]\ndraws = 40\n', encoding="utf-8")
    words = f"run {scenario} --typical --step 900 --threads 1 --out {folder / 'out'} --feeder {LANE}"
    main(words.split(), standalone_mode=False)
    return heptagrid.open_run(folder / "out")


@pytest.fixture(scope="module")
def found(run: heptagrid.Run) -> dict[str, Any]:
    return dict(run.summary["business"]["appraisal"])


def test_society_agrees_with_the_domains_and_the_state(run: heptagrid.Run, found: dict[str, Any]) -> None:
    """Two accounts of the same year: resources valued one by one, and the ledger; they differ by what the ledger has not."""
    business = run.summary["business"]
    ledger_eur = sum(one["npv_eur"] for one in business["rows"])
    ledger_eur += business["state_eur_per_year"] * business["rows"][0]["annuity_factor"]
    more_eur = sum(one["npv_eur"] for one in found["parts"] if one["name"] in NOT_IN_THE_LEDGER)
    # Bills are whole cents, and upkeep is paid by the day in millicents.
    assert found["society"]["npv_eur"] - more_eur == pytest.approx(ledger_eur, abs=1.0)


def test_the_parties_sum_to_society(found: dict[str, Any]) -> None:
    assert list(found["npv_eur_by_party"]) == list(PARTIES)
    assert sum(found["npv_eur_by_party"].values()) == pytest.approx(found["society"]["npv_eur"], abs=1e-3)
    assert sum(found["regulation_eur_by_party"].values()) == pytest.approx(0.0, abs=1e-6)
    assert sum(one["npv_eur"] for one in found["parts"]) == pytest.approx(found["society"]["npv_eur"], abs=1e-3)


def test_networks_gain_nothing_by_transfers(found: dict[str, Any]) -> None:
    for name in ("transmission", "distribution"):
        assert found["npv_eur_by_party"][name] == pytest.approx(found["resources_eur_by_party"][name], abs=1e-3), name


def test_both_arms_saw_their_systems_peak(found: dict[str, Any]) -> None:
    for arm in found["observed"].values():
        assert arm["system_peak_mw"] > 1000.0
        assert arm["coincident_mw"] <= arm["highest_mw"]
        assert arm["system_peak_at"][:10] in ("2016-01-27", "2016-07-04")
        assert 0.95 < arm["voltage_pu"] < 1.06


def test_bills_change_for_groups_of_customers(run: heptagrid.Run) -> None:
    groups = {one["group"]: one for one in run.summary["difference"]["bills"]["groups"]}
    assert groups["all"]["customers"] == run.summary["customers"]
    customers_eur = next(one for one in run.summary["business"]["rows"] if one["domain"] == "customers")
    paid_less = -groups["all"]["mean_eur"] * run.summary["customers"]
    assert paid_less == pytest.approx(customers_eur["operating_eur_per_year"], abs=0.01 * run.summary["customers"])
    for one in groups.values():
        assert one["p10_eur"] <= one["median_eur"] <= one["p90_eur"]


def test_draws_hold_their_quantiles_in_order(found: dict[str, Any]) -> None:
    drawn = found["monte_carlo"]
    assert drawn["draws"] == 40
    assert all(one["p5"] <= one["median"] <= one["p95"] for one in drawn["npv_eur"].values())


def test_the_page_and_the_terminal_tell_it(run: heptagrid.Run, found: dict[str, Any]) -> None:
    page = unescape(run.report.read_text(encoding="utf-8"))
    for words in ("What society gains, and who", "The communication system costs", "Not simulated, and not counted"):
        assert words in page, words
    assert 'class="tornado"' in page
    lines = list(society_lines(run.summary))
    assert len(lines) == 3
    assert lines[0].startswith("society over 15 years")


def test_the_cash_flow_discounts_to_the_net_present_value(found: dict[str, Any]) -> None:
    cash = np.array(found["society"]["cash_eur"])
    assert float((cash * 1.035 ** -np.arange(len(cash))).sum()) == pytest.approx(found["society"]["npv_eur"])
