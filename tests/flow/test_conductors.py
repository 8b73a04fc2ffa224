"""Which voltages are figures of a circuit: those of energised phases; neutrals and de-energised nodes are told apart."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from heptagrid.cli import main
from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.unbalanced.solver import UnbalancedSolver
from heptagrid.studies.flow import api, unbalanced
from heptagrid.world.circuit.builder import CircuitBuilder
from heptagrid.world.circuit.circuit import Circuit, Complex

pytestmark = pytest.mark.long

# Two customers behind a four-wire cable of 0.1 ohm per conductor, the neutral earthed at the source alone.
FOUR_WIRES = """New Circuit.four basekv=0.4 bus1=src pu=1 r1=0 x1=1e-6 r0=0 x0=1e-6
New Linecode.c nphases=4 rmatrix=[.1|0 .1|0 0 .1|0 0 0 .1] xmatrix=[0|0 0|0 0 0|0 0 0 0] cmatrix=[0|0 0|0 0 0|0 0 0 0]
New Line.l bus1=src.1.2.3.0 bus2=end.1.2.3.4 linecode=c length=1
New Load.a bus1=end.1.4 phases=1 kv=0.23094 kw=4 pf=1 model=5
New Load.b bus1=end.2.4 phases=1 kv=0.23094 kw=1 pf=1 model=2
Set voltagebases=[.4]
Calcv
"""
# A normally open tie, a line that is switched off before a load and a capacitor, and one without the phase b.
SWITCHED = """New Circuit.r basekv=13.8 bus1=src pu=1
New Line.a bus1=src bus2=n1 phases=3 r1=.2 x1=.4 r0=.6 x0=1.2 c1=0 c0=0 length=1
New Line.sw2 bus1=n1 bus2=n3 phases=3 switch=yes enabled=no
New Line.sw3 bus1=n1 bus2=n4 phases=3 r1=.2 x1=.4 r0=.6 x0=1.2 c1=0 c0=0 length=1
New Load.l1 bus1=n1 kv=13.8 kw=500 pf=.92
New Load.l3 bus1=n3 kv=13.8 kw=200 pf=.92
New Load.l4 bus1=n4 kv=13.8 kw=300 pf=.92
New Capacitor.c3 bus1=n3 kv=13.8 kvar=100
Set voltagebases=[13.8]
Calcv
open line.sw3 2 2
"""


def written(folder: Path, text: str) -> str:
    path = folder / "net.dss"
    path.write_text(f"Clear\n{text}\nSolve\n")
    return str(path)


def test_a_customers_voltage_is_between_phase_and_neutral(tmp_path: Path) -> None:
    """4 kW at rated voltage are 17.32 A: its phase loses 1.732 V and the neutral rises by what both customers send back."""
    path = written(tmp_path, FOUR_WIRES)
    found = api.flow(path, tmp_path / "v.csv")
    rows = dict(
        zip(
            [f"{bus}.{phase}" for bus, phase in zip(found.nodes.node, found.nodes.phase, strict=True)],
            range(9),
            strict=False,
        )
    )
    assert found.nodes.conductor[rows["end.4"]] == "neutral"
    assert [found.nodes.conductor[rows[f"end.{phase}"]] for phase in "abc"] == ["phase"] * 3
    i_a = 4000.0 / 230.94
    g_b = 1000.0 / 230.94**2
    turn = np.exp(-2j * np.pi / 3.0)
    # Along phase a: E = 0.1 i_a + V_a + 0.1 (i_a + i_b); V_b likewise with i_b = g_b V_b. The current's angle is that of V_a.
    angle = 0.0
    for _ in range(50):
        current_a = i_a * np.exp(1j * angle)
        v_b = (230.94 * turn - 0.1 * current_a) / (1.0 + 0.2 * g_b)
        v_a = 230.94 - 0.2 * current_a - 0.1 * g_b * v_b
        angle = float(np.angle(v_a))
    neutral_v = 0.1 * abs(current_a + g_b * v_b)
    assert found.nodes.v_to_neutral_pu[rows["end.a"]] == pytest.approx(abs(v_a) / 230.94, abs=2e-6)
    assert found.nodes.v_to_neutral_pu[rows["end.b"]] == pytest.approx(abs(v_b) / 230.94, abs=2e-6)
    summary = found.summary()
    assert (summary["least_v_node"], summary["least_v_phase"]) == ("end", "a")
    assert summary["least_v_pu"] == pytest.approx(abs(v_a) / 230.94, abs=2e-6)
    assert summary["neutral_nodes"] == 1
    assert summary["greatest_neutral_v_pu"] == pytest.approx(neutral_v / 230.94, abs=2e-6)
    assert (tmp_path / "v.csv").read_text().splitlines()[0] == "node,phase,v_pu,angle_deg,conductor,v_to_neutral_pu"
    done = CliRunner().invoke(main, ["flow", path])
    assert f"lowest voltage {summary['least_v_pu']:.6f} pu at end.a" in done.stdout
    assert "neutral nodes: 1, highest voltage to ground 0.00" in done.stdout


def test_what_no_source_feeds_has_no_voltage_and_its_loads_are_listed(tmp_path: Path) -> None:
    """Of 1,000 kW at constant power the dead bus's 200 and a third of 300 are not drawn, so that 700 remain."""
    path = written(tmp_path, SWITCHED)
    found = api.flow(path)
    summary = found.summary()
    assert summary["loads_kw"] == pytest.approx(500.0 + 2.0 / 3.0 * 300.0, rel=1e-6)
    assert found.not_served.names == ["load.l3", "load.l4"]
    assert summary["not_served_kw"] == pytest.approx(200.0 + 300.0 / 3.0)
    assert summary["de_energised_nodes"] == 4
    dead = found.nodes.where("de-energised")
    assert (found.nodes.v_pu[dead] == 0.0).all()
    assert 0.99 < float(str(summary["least_v_pu"])) < 1.0
    assert any("load.l3 at bus n3 (200 kW), load.l4 at bus n4 (33% of 300 kW)" in line for line in found.remarks)
    assert not any("vminpu" in line for line in found.remarks)


@pytest.mark.parametrize(("switch", "more"), [("enabled=no", ""), ("", "open line.sw2 1"), ("", "open line.sw2 2")])
def test_a_generator_that_holds_its_voltage_feeds_nothing_where_it_is_de_energised(
    tmp_path: Path, switch: str, more: str
) -> None:
    generator = "New Generator.g bus1=n3 kv=13.8 kw=400 model=3 maxkvar=200 minkvar=-200\nSet voltagebases"
    text = SWITCHED.replace("enabled=no", switch).replace("Set voltagebases", generator) + more
    found = api.flow(written(tmp_path, text))
    assert found.totals.loads_kw == pytest.approx(700.0, rel=1e-6)
    assert found.totals.fed_in_kw == pytest.approx(700.0 + found.totals.losses_kw)
    assert (found.nodes.v_pu[found.nodes.where("de-energised")] == 0.0).all()


def test_inspect_counts_and_draws_what_is_de_energised(tmp_path: Path) -> None:
    path = written(tmp_path, SWITCHED)
    done = CliRunner().invoke(main, ["inspect", path, "--json", "--svg", str(tmp_path / "map.svg")])
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    assert summary["counts"]["bus"] == {"count": 4, "in_service": 3}
    assert summary["counts"]["load"] == {"count": 3, "in_service": 2}
    assert summary["loads_kw"] == pytest.approx(700.0)
    assert "de-energised, 1 of these buses" in (tmp_path / "map.svg").read_text()
    done = CliRunner().invoke(main, ["inspect", path])
    assert "12 nodes, 4 de-energised" in done.stdout


def test_a_circuit_whose_source_has_no_voltage_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["flow", written(tmp_path, SWITCHED.replace("pu=1", "pu=0"))])
    assert done.exit_code == 4 and "vsource.source: no source has a voltage" in done.stderr


CASE = """New Circuit.t basekv=12.47 pu=1.02 bus1=src r1=.05 x1=.5 r0=0 x0=SOURCE
New Line.l1 bus1=src bus2=a phases=3 r1=0.3 x1=0.6 r0=0.9 x0=1.8 c1=0 c0=0 length=1
New Load.la bus1=a phases=3 kv=12.47 kw=900 pf=0.9
New Line.far bus1=a bus2=b phases=3 r1=R x1=R r0=R x0=R c1=0 c0=0 length=1
New Load.lb bus1=b phases=3 kv=12.47 kw=600 pf=0.9
Set voltagebases=[12.47]
Calcv
"""


def test_a_source_without_a_zero_sequence_is_solved_with_the_admittance_of_opendss(tmp_path: Path) -> None:
    """Symmetrical loads draw no zero sequence; beside 1e99 ohm OpenDSS keeps 0.05 ohm of the positive sequence's 0.05 + 0.5j."""
    found = api.flow(written(tmp_path, CASE.replace("SOURCE", "1e99").replace("=R", "=0.3")))
    z_ohm, v_v = 0.05, 1.02 * 12470.0 / np.sqrt(3.0) + 0j
    drawn_va = 1e3 * np.array([900.0, 600.0]) * (1.0 + 1j * np.tan(np.arccos(0.9))) / 3.0
    v_a = v_b = v_v
    for _ in range(50):
        current_b = (drawn_va[1] / v_b).conj()
        current = (drawn_va[0] / v_a).conj() + current_b
        v_src = v_v - z_ohm * current
        v_a = v_src - (0.3 + 0.6j) * current
        v_b = v_a - (0.3 + 0.3j) * current_b
    assert found.summary()["fed_in_kw"] == pytest.approx(3e-3 * (v_src * np.conj(current)).real, rel=1e-6)
    assert any("positive sequence of 0.05" in line and "not 0.05+0.5j" in line for line in found.remarks)
    finite = api.flow(written(tmp_path, CASE.replace("SOURCE", "1.5").replace("=R", "=0.3")))
    assert not any("positive sequence" in line for line in finite.remarks)


def test_what_hangs_behind_an_infinite_impedance_is_de_energised(tmp_path: Path) -> None:
    found = api.flow(written(tmp_path, CASE.replace("SOURCE", "1.5").replace("=R", "=1e20")))
    assert found.not_served.names == ["load.lb"] and found.summary()["de_energised_nodes"] == 3
    assert found.totals.loads_kw == pytest.approx(900.0, rel=1e-9)


def test_a_source_of_another_frequency_than_the_circuits_is_refused_before_solving(tmp_path: Path) -> None:
    text = (
        CASE.replace("SOURCE", "1.5")
        .replace("=R", "=0.3")
        .replace("New Line.l1", "Set defaultbasefrequency=50\nNew Line.l1")
    )
    for command in ("flow", "inspect"):
        done = CliRunner().invoke(main, [command, written(tmp_path, text)])
        assert done.exit_code == 3
        assert "vsource.source: its frequency is 60 Hz and the circuit's 50 Hz, so it has no voltage" in done.stderr
        assert 'put "Set DefaultBaseFrequency=50" before New Circuit' in done.stderr
    second = text.replace("Set voltage", "New Vsource.second bus1=b basekv=12.47 frequency=50\nSet voltage")
    found = api.flow(written(tmp_path, second))
    assert any("vsource.source: its frequency is 60 Hz" in line for line in found.remarks)


def test_a_positive_sequence_circuit_has_the_powers_of_three_phases_and_no_run(tmp_path: Path) -> None:
    path = written(tmp_path, CASE.replace("SOURCE", "1.5").replace("=R", "=0.3") + "MakePosSeq\n")
    found = api.flow(path, None, tmp_path / "branches.csv")
    assert found.totals.loads_kw == pytest.approx(1500.0, rel=1e-6)
    loads_kw = found.branches.p_from_kw[found.branches.branch.index("line.far")] + found.totals.loads_kw * 0.6
    assert loads_kw == pytest.approx(1500.0, rel=2e-3)
    assert any("powers and losses are those of all three" in line for line in found.remarks)
    done = CliRunner().invoke(main, ["inspect", path, "--json"])
    assert json.loads(done.stdout)["loads_kw"] == pytest.approx(1500.0)
    done = CliRunner().invoke(main, ["run", "--feeder", path, "--out", str(tmp_path / "run")])
    assert done.exit_code == 4 and "positive sequence" in done.stderr and "take MakePosSeq out" in done.stderr


def test_a_storage_of_a_positive_sequence_circuit_gives_its_power_once(tmp_path: Path) -> None:
    """300 kW from a storage of three phases stay 300 kW of the three that the circuit stands for; by arithmetic 1,200 kW are left to the source."""
    text = CASE.replace("SOURCE", "1.5").replace("=R", "=0.3")
    storage = "New Storage.s bus1=b phases=3 kv=12.47 kwrated=300 kwhrated=900 state=discharging\nSet voltage"
    three = api.flow(written(tmp_path, text.replace("Set voltage", storage))).totals
    one = api.flow(written(tmp_path, text.replace("Set voltage", storage) + "MakePosSeq\n")).totals
    assert one.fed_in_kw - one.losses_kw == pytest.approx(1500.0, rel=1e-6)
    assert one.losses_kw == pytest.approx(three.losses_kw, rel=1e-6)


def test_what_is_de_energised_is_not_said_to_have_a_base_that_does_not_fit(tmp_path: Path) -> None:
    """At 0 V OpenDSS gives a bus whichever base comes first."""
    behind = "New Transformer.t buses=[n3 n5] kvs=[13.8 .48] conns=[delta wye] kvas=[500 500]\nSet voltagebases"
    text = SWITCHED.replace("Set voltagebases", behind).replace("[13.8]", "[13.8 .48]")
    found = api.flow(written(tmp_path, text))
    assert any("de-energised: buses n3, n5" in line for line in found.remarks)
    assert not any("base voltages" in line for line in found.remarks)


# The IEEE 4 node test feeder: a grounded wye to delta step-down, balanced load of 5.4 MW at a power factor of 0.9, between phases.
FOUR_NODES = """New Circuit.four basekv=12.47 phases=3 mvasc3=2000000 mvasc1=2000000
New Linecode.w nphases=3 units=mi basefreq=60 cmatrix=[0|0 0|0 0 0]
~ rmatrix=[.4576|.1559 .4666|.1535 .1580 .4615] xmatrix=[1.0780|.5017 1.0482|.3849 .4236 1.0651]
New Line.one bus1=sourcebus bus2=n2 linecode=w length=2000 units=ft
New Transformer.t phases=3 windings=2 xhl=6 ppm=1
~ wdg=1 bus=n2 conn=wye kv=12.47 kva=6000 %r=0.5 wdg=2 bus=n3 conn=delta kv=4.16 kva=6000 %r=0.5
New Line.two bus1=n3 bus2=n4 linecode=w length=2500 units=ft
New Load.d phases=3 bus1=n4 conn=delta kv=4.16 kw=5400 pf=0.9 model=1 vminpu=0.7
Set voltagebases=[12.47 4.16]
Calcv
"""


def test_voltages_of_a_part_that_nothing_earths_are_between_phases(tmp_path: Path) -> None:
    """Published (IEEE PES test feeders, 4 node, grounded wye to delta, step-down, balanced): 3437, 3497 and 3388 V at node 4."""
    found = api.flow(written(tmp_path, FOUR_NODES))
    at = {f"{bus}.{phase}": k for k, (bus, phase) in enumerate(zip(found.nodes.node, found.nodes.phase, strict=True))}
    between_v = 4160.0 * found.nodes.v_to_neutral_pu[[at["n4.a"], at["n4.b"], at["n4.c"]]]
    assert between_v == pytest.approx([3437.0, 3497.0, 3388.0], abs=1.0)
    summary = found.summary()
    assert (summary["least_v_node"], summary["least_v_phase"]) == ("n4", "c")
    assert summary["least_v_pu"] == pytest.approx(3388.0 / 4160.0, abs=3e-4)
    assert any(line.startswith("nothing earths buses n3, n4: ") for line in found.remarks)
    # A load from a phase to the ground makes the voltage to ground what its customer has.
    earthed = api.flow(written(tmp_path, FOUR_NODES + "New Load.e phases=1 bus1=n4.1 kv=2.4 kw=1\n"))
    assert not any("earths" in line for line in earthed.remarks)


def test_a_base_voltage_that_does_not_fit_is_told(tmp_path: Path) -> None:
    wrong = FOUR_NODES.replace("[12.47 4.16]", "[4.16]")
    found = api.flow(written(tmp_path, wrong))
    [remark] = [line for line in found.remarks if line.startswith("base voltages do not fit")]
    assert (
        "sourcebus (4.16 kV beside vsource.source of 12.47 kV)" in remark
        and "n2 (4.16 kV beside transformer.t of 12.47 kV)" in remark
    )
    assert "n3" not in remark
    right = api.flow(written(tmp_path, FOUR_NODES))
    assert not any("base voltages" in line for line in right.remarks)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Load.l1.kw=1e200", r"load.l1: its active power is 1e\+200, more than 1e\+12"),
        ("Capacitor.c3.kvar=1e300", r"capacitor.c3: its power is 1e\+300, more than 1e\+12"),
        ("Line.a.c1=1e200", r"line.a: its shunt admittance is .*, more than 1e\+12"),
    ],
)
def test_figures_too_large_to_compute_with_are_refused_by_element(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(NetworkError, match=said):
        api.flow(written(tmp_path, SWITCHED + line))


def test_a_solution_that_does_not_balance_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, totals = written(tmp_path, FOUR_WIRES), unbalanced._totals
    api.flow(path)
    monkeypatch.setattr(
        unbalanced, "_totals", lambda flow: replace(totals(flow), fed_in_kw=totals(flow).fed_in_kw + 1.0)
    )
    with pytest.raises(NetworkError, match=r"does not balance: [0-9.]+ kW are fed in, [0-9.]+ kW drawn and lost"):
        api.flow(path)
    monkeypatch.setattr(unbalanced, "_totals", lambda flow: replace(totals(flow), losses_kw=np.inf))
    with pytest.raises(NetworkError, match="does not balance"):
        api.flow(path)


def _two_sources(shunt_s: Complex, second_s: Complex) -> Circuit:
    """Two buses of 7.2 kV that nothing joins, each with a source; at the second one of admittance `second_s`, and a shunt."""
    builder = CircuitBuilder("wind", frequency_hz=60.0)
    for bus in ("head", "far"):
        builder.bus(bus, v_base_kv=7.2)
        nodes = builder.nodes(bus, 1, 2, 3)
        builder.source(bus, nodes, 7200.0 * np.exp(-2j * np.pi / 3.0 * np.arange(3)), 0.1j * np.eye(3))
    builder.shunt("open", nodes, shunt_s)
    circuit = builder.circuit()
    y_s = circuit.sources.y_s.copy()
    y_s[9:] = second_s.ravel()
    return replace(circuit, sources=replace(circuit.sources, y_s=y_s))


@pytest.mark.parametrize("coupling", [0.0, 1.0])
def test_a_shunt_between_phases_or_open_holds_nothing_to_the_ground(coupling: float) -> None:
    """A source without a zero sequence, as behind an open transformer, or with a reactor in delta: by symmetry no neutral shift, so 1 pu times the divider."""
    delta = np.array([[2, -1, -1], [-1, 2, -1], [-1, -1, 2]], dtype=complex)
    circuit = _two_sources(-1j * coupling * delta, -9j * delta)
    found = UnbalancedSolver(circuit).solve()
    rounding_pu = 1e-5  # some 1e-12 A, the last digits of 195 kA, through the nanosiemens that hold the part
    assert found.v_pu[3:] == pytest.approx(9.0 / (9.0 + coupling), abs=rounding_pu)


def test_where_admittances_cancel_is_named() -> None:
    """A capacitor of just the source's susceptance: series resonance without any resistance."""
    circuit = _two_sources(8j * np.eye(3), -8j * np.eye(3))
    with pytest.raises(NetworkError, match=r"wind: .*leaves the voltage open at bus far; earth a winding"):
        UnbalancedSolver(circuit, method="sparse").solve()
