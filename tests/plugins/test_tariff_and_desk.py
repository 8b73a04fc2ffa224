"""A tariff and a desk that another package brings: found through entry points, and by everything that speaks of such."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path

import polars
import pytest

import heptagrid
from tests.documents.pages import DOCS, blocks
from tests.plugins.extras import PACKAGE, python

FILES = ("night_saver.py", "voltage_watch.py")


def test_the_results_count_customers_and_bills_by_tariff(run: heptagrid.Run) -> None:
    smart = run.summary["arms"]["smart"]
    assert list(smart["tariffs"]) == ["flat", "dynamic", "monthly_rate", "night_saver", "time_of_use"]
    counts = [one["customers"] for one in smart["tariffs"].values()]
    assert sum(counts) == run.summary["customers"] and counts[3] > 0
    bills_eur = sum(one["customers"] * (one["mean_bill_eur"] or 0.0) for one in smart["tariffs"].values())
    assert bills_eur == pytest.approx(smart["bills"]["mean_bill_eur"] * run.summary["customers"])


@pytest.mark.long
def test_a_bill_is_made_by_the_tariff_and_says_so(site: Path, run: heptagrid.Run) -> None:
    """By hand: what was used from 22 to 6 h at 8 EUR/MWh, the rest at 16, in whole cents with the margin."""
    said = json.loads(python(site, "-m", "heptagrid", "explain", str(run.folder), "--bill", _customer(site), "--json"))
    assert said["tariff"] == "night_saver" and said["lines"]
    by_hand_eur = 0.0
    for one in said["hours"]:
        hour = int(one["from"][11:13])
        by_hand_eur += one["used_kwh"] * (0.008 if hour >= 22 or hour < 6 else 0.016)
    assert sum(one["energy_eur"] for one in said["hours"]) == pytest.approx(by_hand_eur)
    used_kwh = sum(one["used_kwh"] for one in said["hours"])
    lines_eur = sum(one["amount_eur"] for one in said["lines"] if one["line"] in ("energy", "retailer's margin"))
    assert lines_eur == pytest.approx(by_hand_eur + 0.02 * used_kwh, abs=0.011)
    words = python(site, "-m", "heptagrid", "explain", str(run.folder), "--bill", _customer(site))
    assert "You are on the night saver tariff: a kWh is cheaper at night." in words
    assert [one["desk"] for one in said["desks"]] == ["Voltage watch"]
    assert f"Voltage watch\n  {said['desks'][0]['says']}" in words


def _customer(site: Path) -> str:
    """The first customer with the tariff, asked of the package's own heptagrid."""
    program = (
        "import heptagrid; from heptagrid.inquiry.replay import Replay; "
        "world = Replay(heptagrid.open_run('run')).world; print((world.owned.tariff_of == 3).argmax())"
    )
    return python(site, "-c", program).strip()


def test_the_desks_messages_travel_and_its_figures_are_recorded(run: heptagrid.Run) -> None:
    figures = run.summary["arms"]["smart"]["desks"]["voltage_watch"]
    sent = run.waves.filter(polars.col("topic") == "lowest_voltage")
    assert figures["notices"] == sent.height > 40, "each hour of the warm-up day and of the day, but the first"
    assert (sent["cause"] >= 0).all(), "each names the report that it rests on"
    assert figures["reports"] > 0 and 0.9 < figures["lowest_pu"] < 1.1


def test_the_page_shows_both(run: heptagrid.Run) -> None:
    page = unescape(run.report.read_text(encoding="utf-8"))
    for words in ("night saver", "Desk voltage watch", "notices"):
        assert words in page, words


def test_their_sections_are_in_new_scenarios_and_can_be_varied(site: Path) -> None:
    python(site, "-m", "heptagrid", "new", "theirs")
    written = (site / "theirs.toml").read_text(encoding="utf-8")
    assert "night_saver" in written and "[voltage_watch]" in written and "# below_pu = 1.1" in written


@pytest.mark.long
def test_a_sweep_varies_the_share(site: Path, run: heptagrid.Run) -> None:
    (site / "street.toml").write_text('network = "run/network"\n')
    words = "sweep street.toml --vary tariffs.night_saver.share=0,1 --step 900 --workers 1 --json --out tariffs"
    content = json.loads(python(site, "-m", "heptagrid", *words.split()))
    none, all_ = (one["figures"]["net_benefit_eur.customers"]["mean"] for one in content["points"])
    assert none != all_, "customers pay something else"


def test_the_guide_shows_the_very_files() -> None:
    texts = [(PACKAGE / "heptagrid_extras" / name).read_text(encoding="utf-8") for name in FILES]
    assert blocks(DOCS / "tariffs-and-desks.md", "python") == texts
    assert all(len(text.splitlines()) <= 120 for text in texts)
