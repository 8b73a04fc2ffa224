"""What becomes of OpenDSS's elements: tables that say the same, and what is left out or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from heptagrid.foundation.errors import FileError
from heptagrid.importers import opendss
from heptagrid.importers.importer import Reading, some_of
from heptagrid.studies.flow.api import flow
from heptagrid.world.circuit.circuit import GROUND, Circuit, Model
from tests.importers.test_opendss_script import LINE, LOAD, SOURCE, write

pytestmark = pytest.mark.long

pytest.importorskip("dss")

CONVERTERS = "New VSConverter.u phases=4 bus1=b.1.2.3.4\nNew VSConverter.v phases=4 bus1=b.1.2.3.4\n"
METERS = "New Monitor.m element=line.l terminal=1\nNew EnergyMeter.e element=line.l\n"
CONTROL = (
    "New Capacitor.c bus1=b kv=12.47 kvar=300\nNew CapControl.k capacitor=c element=line.l type=kvar on=100 off=-100\n"
)


def read(folder: Path, text: str, *, controls: bool = False, ignore: frozenset[str] = frozenset()) -> Circuit:
    return opendss.read(str(write(folder, main_dss=text)), Reading(ignore, controls))


def test_what_has_no_effect_on_a_snapshot_is_listed(tmp_path: Path) -> None:
    shape = "New LoadShape.s npts=2 interval=1 mult=(1 0.5)\n"
    left_out = read(tmp_path, SOURCE + LINE + LOAD + METERS + CONTROL + shape).left_out
    for line in ("monitor: m", "energymeter: e", "capcontrol: k", "LoadShape: s"):
        assert f"{line} (without effect here)" in left_out


def test_what_cannot_be_represented_stops_element_by_element_unless_ignored(tmp_path: Path) -> None:
    text = SOURCE + LINE + LOAD + CONVERTERS
    with pytest.raises(FileError, match="2 problems") as caught:
        read(tmp_path, text)
    assert "vsconverter u" in str(caught.value) and "--ignore vsconverter" in str(caught.value)
    left_out = read(tmp_path, text, ignore=frozenset(["VSConverter"])).left_out
    assert {line for line in left_out if line.startswith("vsconverter ")} == {
        f"vsconverter {name}: left out, as asked" for name in "uv"
    }


def test_a_storage_that_opendss_holds_at_its_limit_in_operation_is_refused(tmp_path: Path) -> None:
    storage = "New Storage.s bus1=b{0} phases=1 conn={1} kv=7.2 kwrated=50 kwhrated=100 limitcurrent=yes\n"
    assert len(read(tmp_path, SOURCE + LINE + storage.format(".1", "wye")).devices.names) == 1
    with pytest.raises(FileError, match="storage s: limitcurrent=yes of a single phase in delta"):
        read(tmp_path, SOURCE + LINE + storage.format(".1.2", "delta"))


def test_disabled_elements_are_not_there(tmp_path: Path) -> None:
    assert len(read(tmp_path, SOURCE + LINE + LOAD + "Disable Load.x\n").devices.names) == 0


def test_open_conductors_keep_their_line(tmp_path: Path) -> None:
    circuit = read(tmp_path, SOURCE + LINE + LOAD + "Open Line.l 2 3\n")
    assert circuit.lines.from_closed.tolist() == [True, True, True]
    assert circuit.lines.to_closed.tolist() == [True, True, False]
    np.testing.assert_allclose(circuit.lines.z_ohm.reshape(3, 3)[0, 0], (2 * (0.2 + 0.4j) + 0.5 + 1.2j) / 3, rtol=1e-9)


def test_lines_say_what_opendss_was_told(tmp_path: Path) -> None:
    matrices = "rmatrix=(0.3 | 0.1 0.3) xmatrix=(0.6 | 0.2 0.6) cmatrix=(8 | -2 8)"
    lines = read(tmp_path, SOURCE + f"New Line.l bus1=a.1.3 bus2=b.1.3 phases=2 {matrices} length=2 units=mi\n").lines
    np.testing.assert_allclose(lines.z_ohm, 2 * np.array([0.3 + 0.6j, 0.1 + 0.2j, 0.1 + 0.2j, 0.3 + 0.6j]), rtol=1e-9)
    np.testing.assert_allclose(lines.y_s, 2 * 2j * np.pi * 60 * 1e-9 * np.array([8, -2, -2, 8]), rtol=1e-6)
    assert lines.length_km[0] == pytest.approx(3.218688)


@pytest.mark.parametrize(("model", "ours"), [(number, Model(number)) for number in range(1, 8)])
def test_loads_keep_their_model_and_power(tmp_path: Path, model: int, ours: Model) -> None:
    devices = read(
        tmp_path, SOURCE + LINE + LOAD + f"~ model={model} vminpu=0.8 vmaxpu=1.2\nSet LoadMult=0.5\n"
    ).devices
    assert devices.model.tolist() == [ours]
    assert (devices.v_min_pu[0], devices.v_max_pu[0]) == (0.8, 1.2)
    assert devices.p_kw[0] == pytest.approx(150.0)
    # What is fixed does not follow the multiplier.
    kvar = 300.0 * np.tan(np.arccos(0.9))
    assert devices.q_kvar[0] == pytest.approx(kvar if model in (6, 7) else 0.5 * kvar)


def test_phase_circuits_of_wye_delta_and_line_to_line(tmp_path: Path) -> None:
    loads = "New Load.{0} bus1={1} phases={2} conn={3} kv={4} kw=60\n"
    text = (
        SOURCE
        + LINE
        + loads.format("wye", "b", 3, "wye", 12.47)
        + loads.format("delta", "b", 3, "delta", 12.47)
        + loads.format("across", "b.1.2", 1, "delta", 12.47)
        + loads.format("neutral", "b.1.4", 1, "wye", 7.2)
    )
    circuit = read(tmp_path, text + "New Reactor.n bus1=b.4 phases=1 r=1 x=0\n")
    devices, number = circuit.devices, np.append(circuit.nodes.number, 0)
    pairs = list(zip(number[devices.circuit_from].tolist(), number[devices.circuit_to].tolist(), strict=True))
    assert pairs == [(1, 0), (2, 0), (3, 0), (1, 2), (2, 3), (3, 1), (1, 2), (1, 4)]
    assert devices.circuit_at.tolist() == [0, 3, 6, 7, 8]
    np.testing.assert_allclose(devices.v_rated_v, 1e3 * np.array([12.47 / np.sqrt(3.0), 12.47, 12.47, 7.2]))
    assert (GROUND, circuit.shunts.names.tolist()) == (-1, ["reactor.n"])


def test_inverters_give_what_is_left_after_curves_and_losses(tmp_path: Path) -> None:
    text = """
New XYCurve.t npts=4 xarray=[0 25 75 100] yarray=[1.2 1.0 0.8 0.6]
New XYCurve.e npts=4 xarray=[.1 .2 .4 1.0] yarray=[.86 .9 .93 .97]
New PVSystem.p bus1=b kv=12.47 kva=100 pmpp=100 irradiance=0.8 temperature=50 P-TCurve=t effcurve=e pf=0.9
New Storage.s bus1=b kv=12.47 kwrated=50 kwhrated=100 %stored=50 state=discharging pf=1
New Storage.i bus1=b kv=12.47 kwrated=50 kwhrated=100 %stored=50 state=idling
"""
    devices = read(tmp_path, SOURCE + LINE + text).devices
    kw = 80.0 * 0.9 * np.interp(0.72, [0.4, 1.0], [0.93, 0.97])
    np.testing.assert_allclose(devices.p_kw, [-kw, -50.0, 0.5], rtol=1e-6)
    np.testing.assert_allclose(devices.q_kvar, [-kw * np.tan(np.arccos(0.9)), 0.0, 0.0], rtol=1e-6, atol=1e-6)


def test_a_reactor_to_ground_is_use_and_an_autotransformer_is_delivery(tmp_path: Path) -> None:
    text = "New Reactor.g bus1=b phases=3 kv=12.47 kvar=100\nNew AutoTrans.a buses=(b c) kvs=(12.47 6) kvas=(500 500) xhx=2\n"
    shunts = read(tmp_path, SOURCE + LINE + text).shunts
    assert dict(zip(shunts.names.tolist(), shunts.counts_as_loss.tolist(), strict=True)) == {
        "reactor.g": False,
        "autotrans.a": True,
    }


def test_of_many_names_the_first_ten_are_told() -> None:
    names = [f"shape_{k}" for k in range(1, 56)]
    assert some_of(names[:3]) == "shape_1, shape_2, shape_3"
    assert some_of(names).endswith("shape_9, shape_10 and 45 more")


OPENED = """New Circuit.small basekv=12.47 phases=3 bus1=a
New Line.l bus1=a bus2=b length=1 units=km r1=0.2 x1=0.4 r0=0.5 x0=1.2
New Load.d bus1=b phases=3 kv=12.47 kw=300 pf=0.9
New Load.e bus1=b.1 phases=1 kv=7.2 kw=60 pf=0.9
New Vsource.w bus1=b basekv=12.47 pu=1.02
Set VoltageBases=(12.47)
CalcVoltageBases
"""


def test_what_is_opened_at_its_terminal_draws_and_feeds_nothing(tmp_path: Path) -> None:
    """By Kirchhoff's law, what is not connected is as if it were not there. (OpenDSS's answer is not the same in every process.)"""
    path = tmp_path / "open.dss"
    path.write_text(OPENED + "Open Load.d\nOpen Vsource.w\nSolve\n")
    both = flow(str(path))
    assert "load.d, vsource.w: opened at the terminal, so without power" in both.remarks
    path.write_text(without(".w ", ".d ") + "Solve\n")
    neither = flow(str(path))
    assert both.totals.loads_kw == pytest.approx(neither.totals.loads_kw, abs=1e-6) == pytest.approx(60.0, abs=0.01)
    np.testing.assert_allclose(both.nodes.v_pu, neither.nodes.v_pu, atol=1e-9)


def without(*names: str) -> str:
    """The script without the lines that make elements of these names."""
    return "".join(f"{line}\n" for line in OPENED.splitlines() if not any(name in line for name in names))
