"""A class of devices that another package brings: found through its entry point, and by everything that speaks of devices."""

from __future__ import annotations

import json
from datetime import date
from html import unescape
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars
import pytest

import heptagrid
from heptagrid.assembly.span import Phase, Span
from heptagrid.domains.customers.device import Surroundings, device_classes
from heptagrid.world.weather import Weather
from tests.documents.pages import DOCS, ROOT, blocks
from tests.plugins.extras import PACKAGE, PROJECT, python

FILE, RULE = PACKAGE / "heptagrid_extras/water_heaters.py", PACKAGE / "heptagrid_extras/tank_rule.py"
BALANCE = """
import json
import heptagrid
from heptagrid.assembly.span import Phase

simulation = heptagrid.Simulation(heptagrid.load("tanks.toml", {settings!r}), "smart")
simulation.begin()
names = ("used_kwh", "losses_kwh", "stored_kwh")
seen = []
while simulation.step():
    device = simulation.grid.customers.devices["water_heaters"]
    if simulation.phase in (Phase.WARM_UP, Phase.COUNTED):
        now = [getattr(device, name) for name in names]
        seen.append((simulation.phase is Phase.COUNTED, now))
begin = [now for counted, now in seen if not counted][-1]
end = [now for counted, now in seen if counted][-1]
print(json.dumps(dict(zip(names, (b - a for a, b in zip(begin, end))))))
"""
OWNERS = 16  # of the lane's seventeen customers: all but the shop


def test_the_results_count_the_devices_and_record_their_power(run: heptagrid.Run) -> None:
    smart = run.summary["arms"]["smart"]
    assert list(smart["devices"]) == ["vehicles", "heat_pumps", "water_heaters", "batteries", "local_units"]
    assert smart["devices"]["water_heaters"] == OWNERS
    assert smart["comfort"]["cold_water_kwh"] >= 0.0


def test_what_they_draw_is_used_lost_or_held(site: Path, run: heptagrid.Run) -> None:
    """5 kWh of use a day and owner at most, 15 % of at most 9.3 kWh lost; what tanks hold more at the end makes up the rest, to the last digit."""
    (site / "tanks.toml").write_text('network = "run/network"\n')
    settings = ["run.step_s=900", "water_heaters.share=1", "gateways.enrolled_share=1", "tariffs.night_saver.share=0.4"]
    (site / "balance.py").write_text(BALANCE.format(settings=settings), encoding="utf-8")
    found = json.loads(python(site, "balance.py"))
    drawn_kwh = float(run.totals["water_heaters_kw"].sum()) / 4.0
    assert drawn_kwh == pytest.approx(found["used_kwh"] + found["losses_kwh"] + found["stored_kwh"], rel=1e-5)
    assert 3.0 * OWNERS < found["used_kwh"] <= 5.0 * OWNERS + 1e-6
    assert 0.0 < found["losses_kwh"] <= 0.15 * 9.3 * OWNERS


def test_energy_is_conserved_with_them(run: heptagrid.Run) -> None:
    energy = run.summary["arms"]["smart"]["energy_mwh"]
    assert abs(energy["residual"]) < 1e-6 * energy["imported"]


def test_the_aggregator_sends_them_signals(run: heptagrid.Run) -> None:
    sent = run.waves.filter(polars.col("topic") == "signal.water_heaters")
    assert sent["messages"].to_list() == [OWNERS] * 48, "each hour of the warm-up day and of the day"


def test_they_bid_into_a_local_market(site: Path, run: heptagrid.Run) -> None:
    """Their bids travel and are taken, and hardly any water stays cold."""
    (site / "market.toml").write_text('network = "run/network"\n[local_market]\nenabled = true\nperiod_s = 900\n')
    words = "run market.toml --single smart --step 900 --threads 1 --out market --set water_heaters.share=1 --set gateways.enrolled_share=1"
    python(site, "-m", "heptagrid", *words.split())
    found = heptagrid.open_run(site / "market")
    smart = found.summary["arms"]["smart"]
    assert smart["local_market"]["participants"]["water_heaters"] == OWNERS
    assert found.waves.filter(polars.col("topic") == "bid.water_heaters")["messages"].sum() > 90 * OWNERS
    assert found.waves.filter(polars.col("topic") == "signal.water_heaters").height == 0
    assert abs(smart["energy_mwh"]["residual"]) < 1e-6 * smart["energy_mwh"]["imported"]
    drawn_kwh = found.totals["water_heaters_kw"].sum() / 4.0
    assert 2.0 * OWNERS < drawn_kwh < 7.0 * OWNERS and smart["comfort"]["cold_water_kwh"] < 0.05 * drawn_kwh


def test_the_page_shows_them(run: heptagrid.Run) -> None:
    page = unescape(run.report.read_text(encoding="utf-8"))
    for words in (
        f"{OWNERS} water heaters",
        "Water heaters",
        "Hot water that stayed cold",
        "water heaters and batteries",
    ):
        assert words in page, words


def test_a_bill_names_them(site: Path, run: heptagrid.Run) -> None:
    said = python(site, "-m", "heptagrid", "explain", str(run.folder), "--bill", "0")
    assert "water heater" in said


@pytest.mark.long
def test_a_sweep_varies_them(site: Path, run: heptagrid.Run) -> None:
    (site / "lane.toml").write_text('network = "run/network"\n')
    words = "sweep lane.toml --vary water_heaters.share=0,1 --step 900 --workers 1 --json --out sweep"
    content = json.loads(python(site, "-m", "heptagrid", *words.split()))
    assert content["figures"]["water_heaters"]["title"] == "Water heaters"
    assert [one["figures"]["water_heaters"]["mean"] for one in content["points"]] == [0.0, OWNERS]


def test_a_new_scenario_and_the_reference_of_parameters_have_their_keys(site: Path) -> None:
    python(site, "-m", "heptagrid", "new", "mine")
    written = (site / "mine.toml").read_text(encoding="utf-8")
    assert "[water_heaters]" in written and "# tank_kwh = 9.3" in written
    python(site, str(ROOT / "tools/reference_page.py"), "parameters.md")
    assert "## `water_heaters`" in (site / "parameters.md").read_text(encoding="utf-8")


def test_tanks_keep_energy_and_follow_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is cheap from 2 to 4 h and dear otherwise: tanks that are 43 % full wait, and are nearly full at 4 h."""
    monkeypatch.syspath_prepend(str(PACKAGE))
    from heptagrid_extras.water_heaters import Parameters, WaterHeaters

    calm = np.zeros(8760, dtype=np.float32)
    around = Surroundings(Weather(calm, calm), ZoneInfo("Europe/Berlin"), seed=1)
    tanks = WaterHeaters(Parameters(), np.arange(3), around)
    tanks.tanks.heat_kwh[:] = tanks.tanks.own_heat_kwh[:] = 4.0
    days = Span(date(2016, 1, 27), 1, 300, 300, around.zone)
    signal = np.where((np.arange(96) >= 8) & (np.arange(96) < 16), 0.0, 100.0)
    for step in (step for phase, step in days.steps() if phase is Phase.COUNTED):
        if step.starts_day:
            tanks.plans.steered[:] = tanks.plans.row_of(1, step.quarter, signal, 96)
        p_kw = np.zeros(3)
        before_kwh = tanks.stored_kwh + tanks.used_kwh + tanks.losses_kwh
        tanks.advance(step, p_kw)
        after_kwh = tanks.stored_kwh + tanks.used_kwh + tanks.losses_kwh
        assert p_kw.sum() * step.dt_s / 3600.0 == pytest.approx(after_kwh - before_kwh)
        hour = (step.end_ns - step.day_start_ns) / 3.6e12
        assert hour > 2.0 or p_kw.sum() == 0.0
        if hour == 4.0:
            assert tanks.tanks.heat_kwh.min() > 0.9 * Parameters().tank_kwh
    assert tanks.moved.kwh.min() > 0.0


def test_without_the_package_there_are_the_built_in_classes() -> None:
    assert list(device_classes()) == ["vehicles", "heat_pumps", "houses", "hot_water", "batteries"]


def test_an_entry_point_that_is_no_class_of_devices_is_named(tmp_path: Path) -> None:
    installed = tmp_path / "wrong-1.dist-info"
    installed.mkdir()
    (installed / "entry_points.txt").write_text("[heptagrid.devices]\nkettles = json:dumps\n")
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: wrong\nVersion: 1\n")
    with pytest.raises(AssertionError, match=r"kettles of heptagrid\.devices is .* a subclass of Device is expected"):
        python(tmp_path, "-m", "heptagrid", "new", "mine")


def test_the_guide_shows_the_very_file() -> None:
    page = DOCS / "devices.md"
    assert blocks(page, "python") == [FILE.read_text(encoding="utf-8"), RULE.read_text(encoding="utf-8")]
    assert blocks(page, "toml") == [PROJECT.read_text(encoding="utf-8")]
    assert len(FILE.read_text(encoding="utf-8").splitlines()) <= 120
