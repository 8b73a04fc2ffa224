"""Events in whole runs: who has no supply draws nothing, meters fall silent and catch up, nothing is counted twice."""

from __future__ import annotations

import json
from datetime import date
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import heptagrid
from heptagrid.assembly.span import Phase, Span
from heptagrid.assembly.world import build_world
from heptagrid.foundation.errors import ScenarioError, UsageError
from heptagrid.foundation.time import NS_PER_S
from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.recording.results import Run
from heptagrid.scenario.load import load, revised
from heptagrid.scenario.template import template
from heptagrid.world.outages import Outage, joined
from tests.conftest import shared_run

pytestmark = pytest.mark.long

EVENTS = """
name = "eventful"
[messages.backhaul]
technology = "fibre"
battery_s = 600
[[events]]
kind = "blackout"
where = "feeder 2"
begin = 2016-01-27T17:02:30
duration_s = 5400
[[events]]
kind = "blackout"
where = {substation}
begin = "2016-01-27T18:00"
duration_s = 3600
[[events]]
kind = "jam"
where = 3
begin = 36000
duration_s = 1800
[[events]]
kind = "cut"
where = "operations"
begin = 43207
duration_s = 600
[[events]]
kind = "cut"
where = 40
begin = 43500
duration_s = 1200
[[events]]
kind = "read_all"
begin = 75600
duration_s = 600
[[events]]
kind = "firmware"
begin = 7200
payload_bytes = 5000
rate_bps = 20
share = 0.05
"""
BLACKOUT, WITHIN, JAM, CUT, FIBRE, READ, FIRMWARE = range(7)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenario; its second blackout lies within its first, and outlasts it."""
    world = build_world(load("town"))
    inside = np.flatnonzero(world.network.feeder[world.substations.node] == 2)
    path = tmp_path_factory.mktemp("events") / "eventful.toml"
    path.write_text(EVENTS.format(substation=int(inside[0])), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def eventful(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The day, both arms."""
    return shared_run("eventful", tmp_path_factory, lambda out: heptagrid.run(file, step_s=900, threads=2, out=out))


def test_energy_and_messages_are_kept(eventful: Run) -> None:
    for arm in eventful.summary["arms"].values():
        energy, messages = arm["energy_mwh"], arm["messages"]
        assert abs(energy["residual"]) <= 1e-6 * (energy["generated"] + energy["imported"])
        assert messages["residual"] == 0
        assert messages["sent"] == messages["delivered"] + messages["lost"] + messages["in_flight"]


def test_both_arms_suffer_the_same_events(eventful: Run) -> None:
    smart, conventional = (eventful.summary["arms"][name]["interruptions"] for name in ("smart", "conventional"))
    assert smart == conventional
    one, other = eventful.summary["events"][:2]
    for key in ("customers", "customer_minutes", "energy_not_served_mwh"):
        assert one["arms"]["smart"][key] == one["arms"]["conventional"][key] > 0
    assert one["arms"]["smart"]["customer_minutes"] == pytest.approx(90.0 * one["arms"]["smart"]["customers"])
    # The second event lies within the first until 18:32:30 and goes on until 19:00.
    within = other["arms"]["smart"]["customers"]
    assert smart["customers"] == one["arms"]["smart"]["customers"]
    assert smart["customer_minutes"] == pytest.approx(90.0 * smart["customers"] + 27.5 * within), "nobody twice"
    assert one["arms"]["conventional"]["known_after_s"] is None, "nobody tells"


def test_without_supply_there_is_neither_load_nor_generation(eventful: Run, file: Path) -> None:
    world = build_world(load(file))
    off = world.events[BLACKOUT].points
    meters = eventful.meters.filter(eventful.meters["arm"] == "smart").sort("meter")
    drawn = np.stack(meters["import_kwh"].to_list()) + np.stack(meters["export_kwh"].to_list())
    # Quarter hours wholly inside: 17:15 to 18:30.
    assert (drawn[off, 69:74] == 0.0).all()
    assert (drawn[off, 60:68].sum(axis=1) > 0.0).any()
    on = np.setdiff1d(np.arange(world.points), off)
    assert drawn[on, 69:74].sum() > 0.0
    assert eventful.summary["arms"]["smart"]["voltage"]["min_pu"] > 0.8, "no voltage is not a low voltage"


def test_meters_gasp_fall_silent_and_catch_up(eventful: Run) -> None:
    one, within = (eventful.summary["events"][k]["arms"]["smart"] for k in (BLACKOUT, WITHIN))
    assert one["last_gasps_sent"] >= one["customers"]
    assert 0 < one["last_gasps_arrived"] <= one["last_gasps_sent"]
    assert 30.0 < one["known_after_s"] < 60.0, "after the hold-off, before the capacitor is empty"
    assert within["last_gasps_sent"] == 0, "they had lost their supply before"
    assert one["restorations_arrived"] + within["restorations_arrived"] > 0.9 * one["last_gasps_sent"]
    for each in (one, within):
        assert each["missed_readings_sent"] > 4 * each["restorations_sent"]
        assert each["missed_readings_arrived"] > 0.9 * each["missed_readings_sent"]
    assert one["messages_lost_by_outage"] > 0


def test_each_reading_is_stored_once(eventful: Run) -> None:
    metering = eventful.summary["arms"]["smart"]["metering"]
    points = eventful.meters["meter"].n_unique()
    assert metering["expected"] == 96 * points == sum(metering[name] for name in ("received", "estimated", "settled"))
    assert metering["replaced"] > 0, "readings that came after their estimate"


def test_cut_lines_fail_over_or_wait(eventful: Run) -> None:
    cut, fibre, jam = (eventful.summary["events"][k]["arms"]["smart"] for k in (CUT, FIBRE, JAM))
    assert cut["messages_lost_by_outage"] <= 20, "what was on the line when it broke; the rest went the other way"
    assert 0.0 < fibre["backlog_drain_s"] < 120.0
    assert jam["messages_lost"] > 0


def test_roll_out_and_reading_of_all_are_counted(eventful: Run) -> None:
    read, firmware = (eventful.summary["events"][k]["arms"] for k in (READ, FIRMWARE))
    assert read["smart"]["readings_sent"] == eventful.meters["meter"].n_unique()
    assert read["smart"]["readings_arrived"] <= read["smart"]["readings_sent"]
    assert read["conventional"]["readings_sent"] is None
    one = firmware["smart"]
    assert 300 < one["meters"] < 600
    assert 0.9 < one["complete_share"] <= 1.0
    kind = eventful.summary["arms"]["smart"]["messages"]["by_kind"]["firmware"]
    assert kind["sent"] == 5 * one["meters"]
    assert kind["delivered"] == one["blocks_arrived"]


def test_the_page_tells_of_the_events(eventful: Run) -> None:
    page = eventful.report.read_text(encoding="utf-8")
    assert "Blackout of feeder 2" in page
    assert "customer-minutes of interruption" in page
    assert json.loads((eventful.folder / "manifest.json").read_text())["events"][0]["where"] == "feeder 2"


def test_one_thread_finds_the_same(eventful: Run, file: Path, tmp_path: Path) -> None:
    alone = heptagrid.run(file, step_s=900, threads=1, single="smart", out=tmp_path / "run")
    assert alone.summary["arms"]["smart"] == eventful.summary["arms"]["smart"]
    for one, other in zip(alone.summary["events"], eventful.summary["events"], strict=True):
        assert one["arms"]["smart"] == other["arms"]["smart"]


def test_what_is_switched_off_carries_nothing() -> None:
    world = build_world(load("town"))
    network, grid = world.network, world.grid
    solver = RadialSolver(network, grid)
    is_off = network.feeder == 2
    load_kw = np.where(is_off, 0.0, 1.0)
    solver.switch_off(is_off)
    flow = solver.solve(load_kw, 0.1 * load_kw, 1.0, grid.transformers.tap_pos)
    assert (flow.v_pu[is_off] == 0.0).all() and (flow.v_pu[~is_off] > 0.5).all()
    assert (flow.current_re[is_off] == 0.0).all() and (flow.current_im[is_off] == 0.0).all()
    assert (flow.transformer_p_kw[is_off[network.node_of_transformer]] == 0.0).all()
    assert (flow.transformer_loading_pct[is_off[network.node_of_transformer]] == 0.0).all()
    assert flow.infeed_p_kw == pytest.approx(load_kw[1:].sum() + load_kw[0] + flow.losses_kw, rel=1e-7)
    solver.switch_off(np.zeros_like(is_off))
    back = solver.solve(load_kw, 0.1 * load_kw, 1.0, grid.transformers.tap_pos)
    fresh = RadialSolver(network, grid).solve(load_kw, 0.1 * load_kw, 1.0, grid.transformers.tap_pos)
    assert np.allclose(back.v_pu, fresh.v_pu, atol=1e-7)


def test_overlapping_outages_of_one_place_are_one() -> None:
    ids = np.arange(4)
    found = joined([Outage(0, 10, ids), Outage(5, 20, ids[2:]), Outage(20, 30, ids[3:]), Outage(50, 60, ids[:1])])
    assert [(one.begin_ns, one.end_ns, one.ids.tolist()) for one in found] == [
        *((0, 10, [0, 1]), (0, 20, [2]), (0, 30, [3]), (50, 60, [0]))
    ]


def test_a_step_is_cut_where_supply_goes() -> None:
    zone = ZoneInfo("Europe/Berlin")
    plain = Span(date(2016, 1, 27), 1, 900, 900, zone)
    cuts = (plain.start_ns + 100 * NS_PER_S, plain.start_ns + 1800 * NS_PER_S)
    span = Span(date(2016, 1, 27), 1, 900, 900, zone, cuts)
    steps = list(span.steps())
    counted = [step for phase, step in steps if phase is Phase.COUNTED]
    assert len(steps) == span.all_steps == plain.all_steps + 1
    assert [step.dt_s for step in counted[:3]] == [100.0, 800.0, 900.0]
    assert all(a.end_ns == b.start_ns for a, b in pairwise(counted))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('kind = "blackot"\nbegin = 0', "did you mean 'blackout'?"),
        ("begin = 0", "kind is missing"),
        ('kind = "blackout"\nwhere = "all"\nbegin = 0\nduration_s = -5', "duration_s = -5.0: must lie from"),
        ('kind = "blackout"\nwhere = "nowhere"\nbegin = 0\nduration_s = 60', "there is no such place"),
        (
            'kind = "blackout"\nwhere = "feeder 99"\nbegin = 0\nduration_s = 60',
            "there is no such feeder; they are numbered",
        ),
        ('kind = "blackout"\nwhere = "al"\nbegin = 0\nduration_s = 60', "did you mean 'all'?"),
        ('kind = "blackout"\nwhere = 1\nbegin = 0', "duration_s is missing"),
        ('kind = "blackout"\nwhere = 1\nbegin = 2016-01-28T00:00:00\nduration_s = 60', "outside the run's days"),
        ('kind = "blackout"\nwhere = 1\nbegin = 86000\nduration_s = 600', "the event ends 200 s after"),
        ('kind = "read_all"\nbegin = "noon"', "a local date-time is expected"),
        ('kind = "read_all"\nbegin = 0\nduraton_s = 4', "did you mean duration_s?"),
        ('kind = "cut"\nwhere = 5\nbegin = 0\nduration_s = 60', "is not a line, so it cannot be cut"),
        ('kind = "jam"\nwhere = "wan"\nbegin = 0\nduration_s = 60', "shares no medium, so it cannot be jammed"),
    ],
)
def test_what_is_wrong_with_an_event_is_said(entry: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f"[vehicles]\nshare = 2\n[[events]]\n{entry}\n", encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert len(caught.value.violations) == 2, caught.value.violations
    assert "vehicles.share" in caught.value.violations[0]
    assert caught.value.violations[1].startswith("events[1].")
    assert words in caught.value.violations[1]


def test_events_stay_with_a_revised_scenario_and_out_of_settings(file: Path, tmp_path: Path) -> None:
    scenario = load(file)
    assert revised(scenario, ["vehicles.share=0.3"]).events == scenario.events
    with pytest.raises(ScenarioError, match="outside the run's days"):
        revised(scenario, ["run.start=2016-02-01"])
    with pytest.raises(ScenarioError, match="events are a list"):
        load("town", ["events.kind=jam"])
    with pytest.raises(UsageError, match="without --typical"):
        heptagrid.run(file, typical=True, out=tmp_path / "run")
    path = tmp_path / "single.toml"
    path.write_text("[events]\nkind = 'jam'\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match="in two brackets"):
        load(path)


@pytest.mark.parametrize("heading", ["[[storms]]", "[storms]"])
def test_the_former_name_of_events_is_refused_with_the_new_one(heading: str, tmp_path: Path) -> None:
    path = tmp_path / "former.toml"
    path.write_text(f"{heading}\nkind = 'jam'\nwhere = 'access'\nbegin = 0\nduration_s = 60\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"write \[\[events\]\]") as caught:
        load(path)
    assert len(caught.value.violations) == 1
    with pytest.raises(ScenarioError, match=r"write them as \[\[events\]\]"):
        load("town", ["storms.kind=jam"])


def test_every_example_of_a_new_scenario_can_be_taken_in_use(tmp_path: Path) -> None:
    lines = [
        line[1:] if line.startswith("#") and not line.startswith("# ") else line for line in template("x").splitlines()
    ]
    lines = [line for line in lines if not line.startswith("  ")]
    path = tmp_path / "x.toml"
    path.write_text("\n".join(lines).replace('where = "operations"', 'where = "hub"'), encoding="utf-8")
    kinds = ["blackout", "read_all", "firmware", "jam", "cut", "unit_trip"]
    assert [event.kind for event in load(path).events] == kinds


def test_a_roll_out_that_memory_cannot_hold_is_refused_with_the_memory_it_would_take(tmp_path: Path) -> None:
    """400,000 bytes are 391 blocks of 1,024; at 1 Mbit/s all leave within a minute, a kB for each of 391 x 8,000-odd messages."""
    file = tmp_path / "fast.toml"
    file.write_text('name = "fast"\n[[events]]\nkind = "firmware"\nbegin = 36000\nrate_bps = 1e6\n')
    with pytest.raises(ScenarioError, match=r"events\[1\]\.rate_bps = 1e\+06: 391 blocks .* 3\.[4-9] GB of memory"):
        build_world(load(file))
    file.write_text('name = "slow"\n[[events]]\nkind = "firmware"\nbegin = 36000\nrate_bps = 200\n')
    assert len(build_world(load(file)).events) == 1
