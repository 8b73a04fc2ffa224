"""Controls of circuits out of OpenDSS scripts, side by side with OpenDSS: the same taps and switches, in snapshots and in time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from heptagrid.importers import opendss as importer
from heptagrid.importers.opendss.script import Script, opendss
from heptagrid.planes.power.controls.control import Acts, Controlled
from heptagrid.world.circuit.circuit import Circuit

pytestmark = pytest.mark.long

pytest.importorskip("dss")

Floats = npt.NDArray[np.float64]
States = tuple[list[int], list[int], Floats]  # taps, closed steps of capacitors, magnitudes of all nodes by name
MINUTES = 60

FEEDER = """
Clear
New Circuit.controlled basekv=12.47 pu=1.02 r1=0.2 x1=1.2 r0=0.3 x0=1.5
New LineCode.cable nphases=3 r1=0.3 x1=0.6 r0=0.7 x0=1.7 c1=10 c0=5 units=km
New LineCode.lateral nphases=1 r1=0.9 x1=0.9 r0=0.9 x0=0.9 c1=0 c0=0 units=km
New Transformer.gang phases=3 windings=2 buses=(sourcebus near) conns=(wye wye) kvs=(12.47 12.47) kvas=(9000 9000) xhl=1 %loadloss=0.1
New RegControl.gang transformer=gang winding=2 vreg=121 band=2 ptratio=60 ptphase={ptphase} delay=45 tapdelay=3 maxtapchange=4
New Line.trunk bus1=near bus2=middle linecode=cable length=4 units=km
New Transformer.ra phases=1 buses=(middle.1 far.1) kvs=(7.2 7.2) kvas=(2000 2000) xhl=0.1 %loadloss=0.01
New Transformer.rb like=ra buses=(middle.2 far.2)
New Transformer.rc like=ra buses=(middle.3 far.3)
New RegControl.ra transformer=ra winding=2 vreg=122 band=2 ptratio=60 ctprim=300 R=3 X=7 delay=15
New RegControl.rb like=ra transformer=rb inversetime=yes ldc_z={ldc_z}
New RegControl.rc transformer=rc winding=2 vreg=120 band=1.5 ptratio=60 bus=end.3 delay=30
New Line.branch bus1=far bus2=end linecode=cable length=3 units=km
New Line.lateral bus1=end.2 bus2=tail.2 phases=1 linecode=lateral length=1 units=km
New Capacitor.first bus1=middle kv=12.47 kvar=[300 300] numsteps=2 states=[0 0]
New CapControl.first capacitor=first element=line.trunk terminal=1 type=kvar on=250 off=-250 delay=20 delayoff=20
New Capacitor.second bus1=end kv=12.47 kvar=450
New CapControl.second capacitor=second element=line.branch terminal=2 type=voltage on=118 off=123 ptratio=60 ptphase=avg delay=25 deadtime=200
New Capacitor.third bus1=middle kv=12.47 kvar=150 conn=delta
New CapControl.third capacitor=third element=line.trunk terminal=2 type=current ctratio=60 on=1.8 off=0.6 ctphase=max ~
~ voltoverride=yes vmin=203 vmax=216 ptratio=60 ptphase=2
New Load.wide bus1=end phases=3 kv=12.47 kw=1700 kvar=700 model=1
New Load.one bus1=far.1 phases=1 kv=7.2 kw=500 kvar=200 model=2
New Load.two bus1=tail.2 phases=1 kv=7.2 kw=300 kvar=150 model=1
New Load.three bus1=middle.3 phases=1 kv=7.2 kw=400 kvar=100 model=5
New Load.across bus1=end.1.2 phases=1 kv=12.47 conn=delta kw=200 kvar=100 model=1
Set voltagebases=[12.47]
Calcvoltagebases
Set tolerance=1e-10
Set maxiterations=100
Set maxcontroliter=100
"""


def text_of(ptphase: str = "max", ldc_z: float = 0.0) -> str:
    return FEEDER.format(ptphase=ptphase, ldc_z=ldc_z).replace(" ~\n~ ", " ")


def states(engine: Any) -> States:
    circuit = engine.ActiveCircuit
    taps = [int(control.TapNumber) for control in circuit.RegControls]
    steps = [int(state) for bank in circuit.Capacitors for state in bank.States]
    by_name = np.argsort([name.lower() for name in circuit.AllNodeNames])
    return taps, steps, np.array(circuit.AllBusVmag)[by_name]


def ours(controlled: Controlled, v: npt.NDArray[np.complex128]) -> States:
    buses, nodes = controlled.circuit.buses, controlled.circuit.nodes
    names = [f"{buses.names[bus]}.{number}".lower() for bus, number in zip(nodes.bus, nodes.number, strict=True)]
    taps, steps = controlled.tap_positions.astype(int).tolist(), controlled.is_closed.astype(int).tolist()
    return taps, steps, np.abs(v)[np.argsort(names)]


def same(theirs: States, mine: States) -> None:
    assert mine[:2] == theirs[:2]
    np.testing.assert_allclose(mine[2], theirs[2], rtol=1e-6)


def multiplier(minute: int) -> float:
    """Loads that rise and fall, and turn round for a while."""
    return 0.9 + 0.9 * np.sin(minute / 7.0) * np.cos(minute / 23.0)


def read(folder: Path, text: str) -> tuple[Path, Circuit]:
    path = folder / "main.dss"
    path.write_text(text)
    return path, importer.read(str(path))


@pytest.mark.parametrize(
    ("ptphase", "ldc_z", "load"), [("max", 0.0, 1.0), ("min", 0.0, 1.4), ("2", 3.0, 0.3), ("max", 0.0, 0.05)]
)
def test_a_snapshot_ends_where_opendss_ends(tmp_path: Path, ptphase: str, ldc_z: float, load: float) -> None:
    path, circuit = read(tmp_path, text_of(ptphase, ldc_z))
    controlled = Controlled(circuit)
    flow = controlled.snapshot(load * circuit.devices.p_kw, load * circuit.devices.q_kvar)
    with opendss() as engine:
        Script(engine, path, hold_controls=True)
        engine.Text.Command = f"Set loadmult={load}"
        engine.Text.Command = "Solve mode=snapshot controlmode=static"
        same(states(engine), ours(controlled, flow.v))


POWER_FACTORS = """
Clear
New Circuit.leading basekv=12.47 r1=0.2 x1=1.2 r0=0.3 x0=1.5
New Line.l bus1=sourcebus bus2=b r1=0.3 x1=0.6 r0=0.7 x0=1.7 length=3 units=km
New Load.x bus1=b kv=12.47 kw=1500 kvar={kvar}
New Capacitor.c bus1=b kv=12.47 kvar=600 states=[{state}]
New CapControl.c capacitor=c element=line.l terminal=1 {settings}
Set voltagebases=[12.47]
Calcvoltagebases
Set tolerance=1e-10
"""


@pytest.mark.parametrize("state", [0, 1])
@pytest.mark.parametrize("kvar", [-100.0, 400.0, 570.0, 700.0, 900.0])
@pytest.mark.parametrize(
    "settings",
    [
        "type=pf onsetting=0.9 offsetting=-0.99",
        "type=pf on=0.97 off=-0.9",
        "type=pf",  # its usual settings
        "onsetting=0.9 offsetting=0.99 type=pf",  # the usual ones again: these come too early
    ],
)
def test_power_factors_switch_a_capacitor_as_in_opendss(tmp_path: Path, settings: str, kvar: float, state: int) -> None:
    path, circuit = read(tmp_path, POWER_FACTORS.format(settings=settings, kvar=kvar, state=state))
    settles_as_in_opendss(path, circuit)


@pytest.mark.parametrize("states_given", ["0 1 0", "1 0 0", "0 0 1", "0 1 1"])
@pytest.mark.parametrize("load", [0.2, 1.0, 2.0])
def test_steps_left_open_below_closed_ones_are_those_of_opendss(tmp_path: Path, states_given: str, load: float) -> None:
    bank = f"New Capacitor.c bus1=b kv=12.47 kvar=[200 200 200] numsteps=3 states=[{states_given}]\n"
    text = POWER_FACTORS.format(settings="type=kvar on=150 off=-250", kvar=500 * load, state=0)
    lines = [line for line in text.splitlines() if not line.startswith("New Capacitor")]
    path, circuit = read(tmp_path, "\n".join(lines).replace("New CapControl", bank + "New CapControl"))
    settles_as_in_opendss(path, circuit)


def settles_as_in_opendss(path: Path, circuit: Circuit) -> None:
    """A snapshot's controls come to rest where OpenDSS's do."""
    controlled = Controlled(circuit)
    flow = controlled.snapshot()
    with opendss() as engine:
        Script(engine, path, hold_controls=True)
        engine.Text.Command = "Solve mode=snapshot controlmode=static"
        same(states(engine), ours(controlled, flow.v))


# Steps so short that what regulators do does not depend on how inverters get to their curves.
INVERTERS = """
New XYCurve.vv npts=6 xarray=[0 0.92 0.98 1.02 1.08 3] yarray=[1 1 0 0 -1 -1]
New XYCurve.vw npts=4 xarray=[0 1.02 1.06 3] yarray=[1 1 0 0]
New PVSystem.wide bus1=end phases=3 kv=12.47 kva=1500 pmpp=1400 irradiance=0.9 kvarmax=660 kvarmaxabs=660 vminpu=0.7 vmaxpu=1.3
New PVSystem.one bus1=tail.2 phases=1 kv=7.2 kva=400 pmpp=400 irradiance=0.9 kvarmax=176 kvarmaxabs=176 vminpu=0.7 vmaxpu=1.3
New InvControl.all combimode=vv_vw vvc_curve1=vv voltwatt_curve=vw voltwattyaxis=pmpppu refreactivepower=varmax deltaq_factor=0.05 ~
~ deltap_factor=0.05 voltagechangetolerance=1e-7 varchangetolerance=1e-6 activepchangetolerance=1e-6
Set voltagebases""".replace(" ~\n~ ", " ")


def minutes(folder: Path, mode: str, text: str) -> Iterator[tuple[States, States]]:
    """OpenDSS's and our states of each minute of an hour."""
    path, circuit = read(folder, text)
    controlled = Controlled(circuit)
    with opendss() as engine:
        Script(engine, path, hold_controls=True)
        engine.Text.Command = f"Set mode=daily number=1 stepsize=1m controlmode={mode} maxcontroliter=1000"
        for minute in range(1, MINUTES + 1):
            engine.ActiveCircuit.Solution.LoadMult = multiplier(minute)
            engine.ActiveCircuit.Solution.Solve()
            draws = multiplier(minute) * circuit.devices.p_kw, multiplier(minute) * circuit.devices.q_kvar
            if mode == "static":
                flow = controlled.snapshot(*draws)
            else:
                flow = controlled.advance(60.0, *draws, acts=Acts.AT_STEP_ENDS)
            yield states(engine), ours(controlled, flow.v)


def test_an_hour_of_snapshots_goes_as_in_opendss(tmp_path: Path) -> None:
    seen = set()
    for theirs, mine in minutes(tmp_path, "static", text_of()):
        same(theirs, mine)
        seen.add((*mine[0], *mine[1]))
    assert len(seen) > 10


@pytest.mark.parametrize(
    "text", [text_of(), text_of().replace("Set voltagebases", INVERTERS)], ids=["bare", "inverters"]
)
def test_an_hour_with_delays_goes_as_in_opendss(tmp_path: Path, text: str) -> None:
    seen = set()
    for theirs, mine in minutes(tmp_path, "time", text):
        same(theirs, mine)
        seen.add((*mine[0], *mine[1]))
    assert len(seen) > 10
