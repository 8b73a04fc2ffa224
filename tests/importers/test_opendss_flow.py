"""`heptagrid flow` of OpenDSS files against OpenDSS itself: voltages, losses, currents of every element."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from heptagrid.cli import main
from heptagrid.importers.opendss.script import opendss
from heptagrid.studies.flow import api
from heptagrid.studies.flow.snapshot import Snapshot
from heptagrid.validate.peers.dss_python import solved

pytestmark = pytest.mark.long

pytest.importorskip("dss")

HERE = Path(__file__).parent
NUMBERS = {"a": "1", "b": "2", "c": "3"}


def held(path: Path) -> Snapshot:
    return api.flow(str(path), controls=False)


@pytest.mark.parametrize("name", ["admittances", "devices", "feeding", "transformers", "holding"])
def test_voltages_and_losses_are_those_of_opendss(name: str) -> None:
    ours, theirs = held(HERE / f"{name}.dss"), solved(HERE / f"{name}.dss")
    assert ours.converged
    nodes = [f"{bus}.{NUMBERS.get(phase, phase)}" for bus, phase in zip(ours.nodes.node, ours.nodes.phase, strict=True)]
    mine = dict(zip(nodes, ours.nodes.v_pu * np.exp(1j * np.deg2rad(ours.nodes.angle_deg)), strict=True))
    assert mine.keys() == set(theirs.nodes)
    # Both solve the same equations, each to its own tolerance; parts that float follow from nearly nothing.
    np.testing.assert_allclose([mine[node] for node in theirs.nodes], theirs.v / theirs.v_base_v, atol=1e-6)
    assert ours.totals.losses_kw == pytest.approx(theirs.losses_kw, rel=1e-6)


def test_a_part_that_nearly_floats_is_solved_and_said() -> None:
    ours, theirs = held(HERE / "nearly_floating.dss"), solved(HERE / "nearly_floating.dss")
    assert ours.converged
    assert any("get no closer" in remark for remark in ours.remarks)
    mine = {
        f"{bus}.{NUMBERS[phase]}": v_pu * np.exp(1j * np.deg2rad(angle))
        for bus, phase, v_pu, angle in zip(
            *(getattr(ours.nodes, each) for each in ("node", "phase", "v_pu", "angle_deg")), strict=True
        )
    }
    them = dict(zip(theirs.nodes, theirs.v / theirs.v_base_v, strict=True))
    for bus in ("b2", "b4", "b8"):  # to ground what floats is what the last digits leave
        for one, other in (("1", "2"), ("2", "3")):
            between = [of[f"{bus}.{one}"] - of[f"{bus}.{other}"] for of in (mine, them)]
            np.testing.assert_allclose(*between, atol=1e-6)
    assert ours.totals.losses_kw == pytest.approx(theirs.losses_kw, rel=1e-6)


@pytest.mark.parametrize("name", ["admittances", "devices", "feeding", "transformers", "holding"])
def test_what_is_fed_in_is_used_or_lost(name: str) -> None:
    totals = held(HERE / f"{name}.dss").totals
    assert totals.fed_in_kw == pytest.approx(totals.loads_kw + totals.shunts_kw + totals.losses_kw, rel=1e-7)
    assert totals.fed_in_kvar == pytest.approx(totals.loads_kvar + totals.shunts_kvar + totals.losses_kvar, rel=1e-5)


def test_currents_and_losses_of_every_branch_are_those_of_opendss() -> None:
    path = HERE / "transformers.dss"
    rows = held(path).branches
    theirs = branches_of(path)
    for name, (currents, losses_kw) in theirs.items():
        mine = [k for k, branch in enumerate(rows.branch) if branch == name]
        ends = [(rows.from_node[k], rows.i_from_a[k]) for k in mine] + [(rows.to_node[k], rows.i_to_a[k]) for k in mine]
        for node, ampere in currents.items():
            found = [value for at, value in ends if at == node]
            assert any(value == pytest.approx(ampere, rel=1e-5, abs=1e-4) for value in found), (name, node)
        assert sum(rows.losses_kw[k] for k in mine) == pytest.approx(losses_kw, rel=1e-4, abs=1e-5), name


def branches_of(path: Path) -> dict[str, tuple[dict[str, float], float]]:
    """Of lines and transformers whose terminals are apart: the current at each node, and the losses in kW."""
    found: dict[str, Any] = {}
    with opendss() as engine:
        engine.Text.Command = f'Redirect "{path}"'
        circuit, solution = engine.ActiveCircuit, engine.ActiveCircuit.Solution
        solution.Tolerance, solution.MaxIterations = 1e-10, 1000
        solution.Solve()
        order = [str(node).lower() for node in circuit.YNodeOrder]
        for name in circuit.AllElementNames:
            if name.lower().partition(".")[0] not in ("line", "transformer"):
                continue
            circuit.SetActiveElement(name)
            element = circuit.ActiveCktElement
            packed = np.asarray(element.Currents)
            ampere = np.abs(packed[0::2] + 1j * packed[1::2])
            currents = {order[ref - 1]: value for ref, value in zip(element.NodeRef, ampere, strict=False) if ref > 0}
            found[name.lower()] = currents, float(np.asarray(element.Losses)[0]) / 1e3
    return found


def test_the_command_writes_rows_and_says_what_it_left_out(tmp_path: Path) -> None:
    out, branches = tmp_path / "v.csv", tmp_path / "b.csv"
    words = ["flow", str(HERE / "devices.dss"), "--controls", "off", "--json"]
    done = CliRunner().invoke(main, [*words, "--out", str(out), "--branches", str(branches)])
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    assert summary["converged"] and summary["losses_kw"] > 0.0
    assert "monitor: m" in done.stderr and "show voltages" in done.stderr
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["phase"] for row in rows if row["node"] == "c"] == ["a", "b", "c", "4"]
    assert len(rows[0]["v_pu"].replace(".", "").lstrip("0")) >= 9
    assert {row["branch"] for row in csv.DictReader(branches.read_text().splitlines())} >= {"line.l1", "transformer.t"}


def test_a_voltage_collapse_is_said_and_ends_with_its_code(tmp_path: Path) -> None:
    path = tmp_path / "collapse.dss"
    path.write_text(
        "New Circuit.c basekv=12.47 bus1=a\nNew Line.l bus1=a bus2=b length=20 units=km r1=0.5 x1=0.5 r0=1 x0=1\n"
        "New Load.x bus1=b kv=12.47 kw=50000 pf=0.9 vminpu=0.01 vlowpu=0.005\n"
    )
    done = CliRunner().invoke(main, ["flow", str(path)])
    assert done.exit_code == 4
    assert "collapses" in done.stderr


def test_inspect_counts_what_is_there_and_draws_it(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["inspect", str(HERE / "transformers.dss"), "--json"])
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    assert summary["counts"]["transformer"]["count"] == 10
    assert summary["counts"]["line"] == {"count": 4, "in_service": 4}
    assert summary["shape"] == "radial"
    assert summary["loads_kw"] == pytest.approx(1971.0 - 200.0 / 3.0), "a phase of load.p is open"
    done = CliRunner().invoke(main, ["inspect", str(HERE / "devices.dss"), "--svg", str(tmp_path / "map.svg")])
    assert done.exit_code == 0 and (tmp_path / "map.svg").stat().st_size > 500
    assert "2 controlled" not in done.output and "storage" in done.output


SMALL = """New Circuit.small basekv=12.47 bus1=source
New Line.l bus1=source bus2=mid length=2 units=km r1=0.3 x1=0.5 r0=0.6 x0=1
New Line.m bus1=mid bus2=end length=1 units=km r1=0.3 x1=0.5 r0=0.6 x0=1
New Load.near bus1=mid kv=12.47 kw=300 pf=0.9
New Load.far bus1=end kv=12.47 kw=200 pf=0.9
"""
SLIP = SMALL.replace("bus1=mid bus2=end", "bus1=mdi bus2=end")


def small(folder: Path, text: str = SMALL) -> str:
    path = folder / "small.dss"
    path.write_text(text)
    return str(path)


def test_a_bus_whose_name_is_a_slip_is_named_with_the_load_behind_it(tmp_path: Path) -> None:
    path = small(tmp_path, SLIP)
    done = CliRunner().invoke(main, ["flow", path])
    assert done.exit_code == 0
    assert "no source feeds these loads, so they are not served: load.far at bus end (200 kW)" in done.stderr
    assert "de-energised: buses mdi, end" in done.stderr
    assert "de-energised nodes: 6; loads not served: 1, 200.000 kW" in done.stdout


def test_inspect_tells_about_a_circuit_that_cannot_be_solved(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["inspect", small(tmp_path, SLIP)])
    assert done.exit_code == 0, done.output
    assert "in 2 parts" in done.stdout and "6 de-energised" in done.stdout
    done = CliRunner().invoke(main, ["inspect", small(tmp_path, SMALL.replace("kw=200", "kw=nan")), "--json"])
    assert done.exit_code == 0 and json.loads(done.stdout)["loads_kw"] is None


def test_loads_beyond_their_limits_are_told_with_what_they_draw_instead(tmp_path: Path) -> None:
    assert not any("minpu" in line or "maxpu" in line for line in api.flow(small(tmp_path)).remarks)
    found = api.flow(small(tmp_path, SMALL.replace("kw=200", "kw=9000")))
    (remark,) = [line for line in found.remarks if "vminpu" in line]
    assert "load.far at 0." in remark and remark.startswith(("1 load has", "2 loads have"))
    text = SMALL.replace("kw=200 pf=0.9", "kw=200 pf=0.9 vmaxpu=0.96")
    found = api.flow(small(tmp_path, text))
    (remark,) = [line for line in found.remarks if "vmaxpu" in line]
    assert "1 load has a voltage above vmaxpu (farthest: load.far at 0.9" in remark
    assert remark.endswith(f": {found.totals.loads_kw - 300.0:,.3f} kW instead of 200.000")


def test_a_regulator_that_its_script_has_locked_is_told(tmp_path: Path) -> None:
    regulator = (
        "New Transformer.r phases=3 windings=2 buses=(mid to) kvs=(12.47 12.47) kvas=(1000 1000) xhl=1\n"
        "New RegControl.c transformer=r winding=2 vreg=120 band=2 ptratio=60 maxtapchange=0\n"
    )
    found = api.flow(small(tmp_path, SMALL.replace("bus1=mid bus2=end", "bus1=to bus2=end") + regulator))
    assert "regcontrol.c stands at tap +0, and never moves: its maxtapchange is 0" in found.remarks


def test_reactive_limits_that_are_asked_for_without_effect_are_told(tmp_path: Path) -> None:
    assert any("--q-limits: without effect here" in line for line in api.flow(small(tmp_path), q_limits=True).remarks)
