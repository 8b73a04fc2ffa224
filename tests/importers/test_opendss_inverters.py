"""Inverters under InvControl: what they come to is what OpenDSS's come to; what is not modelled is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from heptagrid.foundation.errors import FileError
from heptagrid.importers import opendss
from heptagrid.importers.importer import Reading
from heptagrid.studies.flow import api
from heptagrid.validate.peers.dss_python import solved

pytestmark = pytest.mark.long

pytest.importorskip("dss")

FEEDER = """
New Circuit.inverter basekv=12.47 pu={pu} r1=0.1 x1=1.2 r0=0.2 x0=1.5
New Line.l bus1=sourcebus bus2=b length=3 units=km r1=0.6 x1=0.9 r0=1 x0=2 c1=0 c0=0
New Load.x bus1=b kv=12.47 kw=300 pf=0.95 vminpu=0.7 vmaxpu=1.3
New XYCurve.vv npts=4 xarray=(0.5 0.95 1.05 1.5) yarray=(1 1 -1 -1)
New XYCurve.vw npts=4 xarray=(0 1.03 1.08 2) yarray=(1 1 0.2 0.2)
New PVSystem.p bus1=b kv=12.47 kva=2500 pmpp=2400 irradiance=0.95 {more}
New InvControl.i DERList=(PVSystem.p) {mode} vvc_curve1=vv voltwatt_curve=vw deltaq_factor=0.2 deltap_factor=0.2
~ varchangetolerance=1e-6 activepchangetolerance=1e-6 voltagechangetolerance=1e-7
Set VoltageBases=(12.47)
CalcVoltageBases
Set MaxControlIter=1000
Solve
"""


@pytest.mark.parametrize("pu", [0.97, 1.0, 1.04])
@pytest.mark.parametrize(
    ("mode", "more"),
    [
        ("mode=voltvar", "kvarmax=800 kvarmaxabs=600"),
        ("mode=voltvar refreactivepower=varmax", "wattpriority=yes"),
        ("mode=voltwatt voltwattyaxis=pmpppu", "pf=1"),
        ("combimode=vv_vw voltwattyaxis=pavailablepu", ""),
    ],
)
def test_inverters_come_to_rest_where_those_of_opendss_do(tmp_path: Path, pu: float, mode: str, more: str) -> None:
    path = tmp_path / "inverter.dss"
    path.write_text(FEEDER.format(pu=pu, mode=mode, more=more))
    theirs, ours = solved(path, most_control_iterations=1000), api.flow(str(path))
    by_node = dict(zip(theirs.nodes, np.abs(theirs.v) / theirs.v_base_v, strict=True))
    expected = [
        by_node[f"{bus}.{'abc'.index(phase) + 1}"] for bus, phase in zip(ours.nodes.node, ours.nodes.phase, strict=True)
    ]
    np.testing.assert_allclose(ours.nodes.v_pu, expected, atol=2e-5)


@pytest.mark.parametrize(
    ("mode", "more", "said"),
    [
        ("mode=voltvar hysteresis_offset=-0.01", "", "hysteresis"),
        ("mode=dynamicreaccurr", "", "is not modelled"),
        ("mode=voltwatt", "pf=0.7", "at a limit"),
        ("mode=voltvar monvoltagecalc=max", "", "mean of its phases"),
        ("mode=voltvar", "bus1=b.1.2 phases=1 conn=delta model=2", "one phase in delta"),
    ],
)
def test_what_inverters_cannot_do_here_is_refused(tmp_path: Path, mode: str, more: str, said: str) -> None:
    path = tmp_path / "inverter.dss"
    path.write_text(FEEDER.format(pu=1.0, mode=mode, more=more))
    with pytest.raises(FileError, match=said):
        opendss.read(str(path))


@pytest.mark.parametrize(
    ("more", "between"),
    [("", False), ("bus1=b.1 phases=1 kv=7.2", False), ("conn=delta", True), ("bus1=b.1.2 phases=1", True)],
)
def test_systems_between_phases_are_said_to_see_another_voltage_than_in_opendss(
    tmp_path: Path, more: str, between: bool
) -> None:
    path = tmp_path / "inverter.dss"
    path.write_text(FEEDER.format(pu=1.0, mode="mode=voltvar", more=more))
    remark = "pvsystem.p: controlled by the voltage across the phases here, by that to ground in OpenDSS"
    assert (remark in opendss.read(str(path), Reading(controls=True)).left_out) is between
