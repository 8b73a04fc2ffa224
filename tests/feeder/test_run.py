"""The whole grid runs on an engineer's own feeder, every conductor solved, and conserves what it should."""

from __future__ import annotations

import warnings
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

pytest.importorskip("dss", reason="reading OpenDSS scripts needs dss-python")

import heptagrid
from heptagrid.assembly.own_feeder import read_feeder
from heptagrid.domains.distribution.circuit_lines import CircuitLines, without
from heptagrid.foundation.errors import FileError, HeptagridError, UsageError
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_S, Step, midnight_ns
from heptagrid.importers.extract import read_grid
from heptagrid.importers.network_folder import read_network
from heptagrid.planes.power.unbalanced.solver import UnbalancedSolver
from heptagrid.scenario.load import load
from heptagrid.world.circuit.tree import CircuitTree

pytestmark = pytest.mark.long

LANE = Path(__file__).parents[1] / "cases/lane/lane.dss"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> heptagrid.Run:
    folder = tmp_path_factory.mktemp("lane")
    return heptagrid.run(feeder=LANE, step_s=900, single="smart", out=folder / "run", threads=1)


def test_energy_messages_and_money_are_conserved(run: heptagrid.Run) -> None:
    arm = run.summary["arms"]["smart"]
    assert run.summary["scenario"] == "lane" and run.summary["customers"] == 17
    energy = arm["energy_mwh"]
    assert energy["imported"] > 0.5 and energy["lost"] > 0.0
    assert abs(energy["residual"]) < 1e-6 * energy["imported"]
    assert arm["messages"]["residual"] == 0


def test_every_meter_reads_and_every_conductor_has_a_voltage(run: heptagrid.Run) -> None:
    assert run.meters["meter"].n_unique() == 17
    network = read_network(run.folder / "network")[0]
    assert run.nodes["node"].n_unique() == network.nodes
    assert run.summary["arms"]["smart"]["voltage"]["min_pu"] > 0.9


def test_the_manifest_says_what_the_network_was_made_of(run: heptagrid.Run) -> None:
    assert run.manifest["feeder"] == str(LANE)
    assert run.manifest["attribution"][0].startswith("Network and loads: lane.dss")
    assert (run.folder / "report.html").exists()


def test_the_page_speaks_of_a_feeder_and_draws_what_is_there(run: heptagrid.Run) -> None:
    text = unescape(run.report.read_text(encoding="utf-8"))
    assert "the feeder's import peaked" in text and "The feeder</h2>" in text
    assert "the town's import" not in text and "The town</h2>" not in text
    owned = run.summary["arms"][next(iter(run.summary["arms"]))]["devices"]
    for title, key, idle, column in (
        ("Vehicles charging", "vehicles", "o vehicle charges", "vehicles_kw"),
        ("Batteries (positive: charging)", "batteries", "o battery works", "batteries_kw"),
        ("local generation, the same", "local_units", "o local unit generates", "generated_kw"),
    ):
        words = idle if owned[key] else f"here {'is no local generation' if key == 'local_units' else f'are no {key}'}"
        assert (title in text) == (run.totals[column] != 0.0).any() != (words in text)


def test_what_makes_the_arms_alike_is_told(tmp_path: Path) -> None:
    path = tmp_path / "few.dss"
    path.write_text(
        "New Circuit.few basekv=12.47 bus1=source\n"
        "New Transformer.r windings=2 buses=(source mid) kvs=(12.47 12.47) kvas=(1000 1000) xhl=1\n"
        "New RegControl.c transformer=r winding=2 vreg=120 band=2 ptratio=60 maxtapchange=0\n"
        "New Line.l bus1=mid bus2=end length=2 units=km r1=0.3 x1=0.5 r0=0.6 x0=1\nNew Load.x bus1=end kv=12.47 kw=300\n"
    )
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        read_feeder(load("town"), path)
    words = " ".join(str(one.message) for one in told)
    assert "none of its 1 loads is at most 25 kW, so there is no household" in words
    assert "regcontrol.c: maxtapchange=0, so their taps stay" in words


def _lines(run: heptagrid.Run) -> tuple[CircuitLines, CircuitTree]:
    tree, circuit = read_network(run.folder / "network")
    assert circuit is not None and isinstance(tree, CircuitTree)
    return CircuitLines(circuit, tree, 1.025), tree


def _step(second: float, dt_s: float) -> Step:
    day = date(2016, 1, 27)
    begin_ns = midnight_ns(day, ZoneInfo("Europe/Berlin"))
    start_ns = begin_ns + round(second * NS_PER_S)
    return Step(start_ns, start_ns + round(dt_s * NS_PER_S), day, begin_ns, begin_ns + 24 * NS_PER_HOUR, 0)


NOON = _step(43200.0, 60.0)


def test_what_flows_in_is_drawn_or_lost_at_any_infeed_voltage(run: heptagrid.Run) -> None:
    lines, _ = _lines(run)
    p_kw, q_kvar = np.linspace(-2.0, 9.0, lines.terminals), np.linspace(0.0, 3.0, lines.terminals)
    for infeed_v_pu in (1.025, 0.98):
        flow = lines.solve(p_kw, q_kvar, infeed_v_pu, NOON)
        assert flow.infeed_p_kw == pytest.approx(p_kw.sum() + flow.losses_kw, rel=1e-7)
        assert flow.v_pu[0] == pytest.approx(1.02 * infeed_v_pu / 1.025, rel=1e-3)


def test_currents_of_the_tree_are_those_that_the_power_needs(run: heptagrid.Run) -> None:
    lines, tree = _lines(run)
    grid = read_grid(run.folder / "network")
    p_kw = np.zeros(lines.terminals)
    home = [str(name).lower() for name in grid.loads.names].index("load.home1")
    p_kw[home] = 9.6
    flow = lines.solve(p_kw, np.zeros(lines.terminals), 1.025, NOON)
    node = tree.node_of_bus[grid.loads.bus[home]]
    amps = np.hypot(flow.current_re[node], flow.current_im[node]) * 1000.0 / np.sqrt(3.0) / tree.v_base_kv[node]
    assert amps == pytest.approx(9600.0 / (240.0 * flow.terminal_v_pu[home]), rel=1e-6)


def test_regulators_wait_their_delay_and_then_raise_the_voltage(run: heptagrid.Run) -> None:
    lines, tree = _lines(run)
    grid = read_grid(run.folder / "network")
    node = tree.node_of_bus[[str(name).lower() for name in grid.buses.names].index("mill")]
    heavy_kw = np.where(np.char.lower(grid.loads.names.astype(str)) == "load.shop", 3000.0, 10.0)
    p_kw = np.concatenate([heavy_kw, np.zeros(lines.terminals - len(heavy_kw))])
    v_pu = [lines.solve(p_kw, 0.3 * p_kw, 1.025, _step(10.0 * k, 10.0)).v_pu[node] for k in range(12)]
    assert v_pu[1] == pytest.approx(v_pu[0], abs=1e-7), "the delay is 30 seconds"
    assert v_pu[-1] > v_pu[0] + 0.006, "then it taps up"


def test_a_lower_target_lowers_what_regulators_hold(run: heptagrid.Run) -> None:
    lines, tree = _lines(run)
    node = int(tree.feeder_start[0])
    p_kw = np.full(lines.terminals, 3.0)
    before = [lines.solve(p_kw, p_kw, 1.025, _step(60.0 * k, 60.0)).v_pu[node] for k in range(20)][-1]
    lines.aim(0.95)
    after = [lines.solve(p_kw, p_kw, 1.025, _step(60.0 * k, 60.0)).v_pu[node] for k in range(20, 40)][-1]
    assert after == pytest.approx(0.95 * before, abs=0.015)


def test_what_is_switched_off_has_no_voltage_and_takes_nothing(run: heptagrid.Run) -> None:
    lines, tree = _lines(run)
    is_off = tree.feeder == 2
    flow = lines.solve(np.zeros(lines.terminals), np.zeros(lines.terminals), 1.025, NOON)
    before_kw = flow.losses_kw
    lines.switch_off(is_off)
    flow = lines.solve(np.zeros(lines.terminals), np.zeros(lines.terminals), 1.025, NOON)
    assert (flow.v_pu[is_off] == 0.0).all() and (flow.v_pu[~is_off] > 0.9).all()
    assert flow.losses_kw < before_kw, "its transformers take no magnetising power any more"
    lines.switch_off(np.zeros_like(is_off))
    assert lines.solve(np.zeros(lines.terminals), np.zeros(lines.terminals), 1.025, NOON).losses_kw == pytest.approx(
        before_kw
    )


def test_the_rest_of_a_cut_circuit_flows_as_if_its_first_line_were_open(run: heptagrid.Run) -> None:
    _, circuit = read_network(run.folder / "network")
    assert circuit is not None
    bus = np.char.lower(circuit.buses.names)[circuit.nodes.bus]
    is_off = np.char.startswith(bus, "elm") | np.isin(bus, ["home5", "home6", "home7", "home8"])
    lines, devices = circuit.lines, circuit.devices
    closed = np.char.lower(lines.names) != "line.lane_b"
    assert closed.sum() == len(closed) - 1
    closed = np.repeat(closed, np.diff(lines.node_at))
    begin, end = (np.where(np.append(is_off, False)[e], -1, e) for e in (devices.circuit_from, devices.circuit_to))
    opened = replace(
        circuit,
        lines=replace(lines, from_closed=lines.from_closed & closed, to_closed=lines.to_closed & closed),
        devices=replace(devices, circuit_from=begin, circuit_to=end),
    )
    theirs, ours = UnbalancedSolver(opened).solve(), UnbalancedSolver(without(circuit, is_off)).solve()
    assert (ours.v_pu[is_off] == 0.0).all() and (ours.v_pu[~is_off] > 0.9).all()
    np.testing.assert_allclose(ours.v[~is_off], theirs.v[~is_off], rtol=1e-7)
    assert ours.losses_kw == pytest.approx(theirs.losses_kw, rel=1e-6)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("new circuit.a\nnew lime.b bus1=c", "lime"),
        ("new circuit.a bus1=s\nnew line.b bus1=s bus2=t", "no loads"),
        (
            "new circuit.a bus1=s\nnew indmach012.b bus1=s kw=10 kv=115",
            r"indmach012 b: .* \(enabled=no leaves it out\)",
        ),
        (
            "new circuit.a bus1=s\nnew line.b bus1=s bus2=t\nnew load.c bus1=u",
            "no source feeds any of its loads",
        ),
        (
            "new circuit.a bus1=s\nnew line.b bus1=s bus2=t\nnew load.c bus1=t kw=nan",
            "load.c: its active power is not a number",
        ),
    ],
)
def test_a_feeder_that_cannot_be_lived_on_is_refused(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "bad.dss").write_text(f"clear\n{text}\nsolve\n", encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(HeptagridError, match=f"(?s){words}"):
            heptagrid.run(feeder=tmp_path / "bad.dss", out=tmp_path / "run")


def test_regulators_that_hunt_do_not_end_the_day(tmp_path: Path) -> None:
    """A band of 0.1 V is narrower than a tap of 0.75 V: no tap is inside it, and every second brings another move."""
    script = LANE.read_text(encoding="utf-8").replace("band=2", "band=0.1").replace("delay=30", "delay=1 tapdelay=1")
    (tmp_path / "hunting.dss").write_text(script, encoding="utf-8")
    hunting = heptagrid.run(
        feeder=tmp_path / "hunting.dss", step_s=900, single="smart", out=tmp_path / "run", threads=1
    )
    found = hunting.summary["hunting"]
    assert {one["control"] for one in found} <= {"regcontrol.rega", "regcontrol.regb", "regcontrol.regc"}
    assert found and all(0 < one["steps"] <= 96 for one in found)
    assert hunting.summary["unconverged"] == []
    energy = hunting.summary["arms"]["smart"]["energy_mwh"]
    assert abs(energy["residual"]) < 1e-6 * energy["imported"]
    assert "did not settle in" in hunting.report.read_text(encoding="utf-8")


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="an OpenDSS script"):
        heptagrid.run(feeder=tmp_path / "town.toml", out=tmp_path / "run")
    with pytest.raises(FileError, match=r"missing\.dss"):
        heptagrid.run(feeder=tmp_path / "missing.dss", out=tmp_path / "other")
