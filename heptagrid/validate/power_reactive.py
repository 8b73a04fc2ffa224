"""Inverters of customers on a published radial feeder, against OpenDSS's InvControl.

Photovoltaics stand at every fourth bus of Baran and Wu's feeder of 33 buses, whose loads are a fifth of what was published. Each case gives all of them
one of a scenario's functions (section `inverters`); the voltages come of the way that they take in a run: the customers offer, the sweeps of the balanced feeder and
the inverters find a common voltage, and the customers take what was fed.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.flexibility import LOCAL_UNITS
from heptagrid.domains.customers.inverters import Inverters, Rows
from heptagrid.domains.customers.standing_function import Parameters
from heptagrid.domains.distribution.fed_by_inverters import solved
from heptagrid.foundation.time import NS_PER_S, Step
from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.validate.case import DATA, Case, Finding, case, farthest
from heptagrid.validate.peers import peer, run_now
from heptagrid.validate.power_radial import read_feeder
from heptagrid.world.balanced.radial_network import radial_network

Floats = npt.NDArray[np.float64]

FEEDER = DATA / "baran_wu/33.csv"
ANSWERS = DATA / "reactive/voltages.csv"
BUSES = np.arange(4, 33, 4)
UNIT_KW, LOAD_SHARE, KV = 500.0, 0.2, 12.66
SETTLED = Step(0, 3600 * NS_PER_S, date(1970, 1, 1), 0, 24 * 3600 * NS_PER_S, 0)
"""A step that is longer than any response."""
TOLERANCE_PU = 2e-5
SOURCE = "OpenDSS (dss-python 0.15.7, engine 0.14.5), recorded; feeder: Baran and Wu 1989, functions: IEEE 1547-2018 tables 8 to 10, VDE-AR-N 4105"


@dataclass(frozen=True)
class Function:
    """One of the cases. factor: power factor of OpenDSS's units; sun: what there is, of their rated power. words: what OpenDSS's InvControl is told, with curves named as in `script`; empty: the power factor of the units says it."""

    name: str
    settings: Parameters
    words: str
    factor: float = 1.0
    sun: float = 1.0

    @property
    def capability(self) -> float:
        return 0.25 if self.settings.category == "A" else 0.44


VAR_OF = "refreactivepower=varmax"
FUNCTIONS = (
    Function("unity", Parameters(), ""),
    Function("power-factor", Parameters(mode="power_factor"), "", -0.95),
    Function("volt-var-a", Parameters(mode="volt_var", category="A"), f"mode=voltvar vvc_curve1=var_a {VAR_OF}"),
    Function("volt-var-b", Parameters(mode="volt_var"), f"mode=voltvar vvc_curve1=var_b {VAR_OF}"),
    Function(
        "volt-var-and-watt",
        Parameters(mode="volt_var", volt_watt=True),
        f"combimode=vv_vw vvc_curve1=var_b {VAR_OF} voltwatt_curve=watt voltwattyaxis=pmpppu",
    ),
    Function("watt-var", Parameters(mode="watt_var"), f"mode=wattvar wattvar_curve=watt_var {VAR_OF}", sun=0.87),
    Function("cos-phi-p", Parameters(mode="cos_phi_p"), "mode=wattpf wattpf_curve=watt_pf", sun=0.837),
)


def ours(function: Function) -> Floats:
    """(buses,) our voltages in pu."""
    grid, p_kw, q_kvar = read_feeder(FEEDER)
    network = radial_network(grid)
    solver = RadialSolver(network, grid)
    unit_kw = np.full(len(BUSES), UNIT_KW)
    inverters = Inverters(function.settings, {LOCAL_UNITS: Rows(BUSES, unit_kw, True)})
    p_kw, q_kvar = LOAD_SHARE * p_kw, LOAD_SHARE * q_kvar
    p_kw[BUSES] -= function.sun * unit_kw
    supplied = np.ones(len(p_kw), dtype=np.bool_)
    inverters.offer(SETTLED, function.sun * unit_kw, supplied, p_kw)

    def solve(p_kw: Floats, q_kvar: Floats):  # type: ignore[no-untyped-def]
        return solver.solve(p_kw, q_kvar, grid.infeed_v_pu, grid.transformers.tap_pos)

    p_kw, q_kvar = (np.bincount(network.node_of_bus, one, network.nodes).astype(np.float64) for one in (p_kw, q_kvar))
    answering = inverters.at_points
    flow = solved(solve, p_kw, q_kvar, answering, network.node_of_bus) if answering else solve(p_kw, q_kvar)
    return np.asarray(flow.v_pu[network.node_of_bus])


def script(function: Function) -> str:
    """The same for OpenDSS; its InvControl's tolerances are so tight that it ends on its curves."""
    lines = ["Clear", f"New Circuit.feeder bus1=1 basekv={KV} pu=1.0 r1=0 x1=1e-7 r0=0 x0=1e-7"]
    with FEEDER.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            a, b = row["from_bus"], row["to_bus"]
            lines.append(
                f"New Line.{a}_{b} bus1={a} bus2={b} r1={row['r_ohm']} x1={row['x_ohm']} r0={row['r_ohm']} x0={row['x_ohm']} c1=0 c0=0"
            )
            kw, kvar = (LOAD_SHARE * float(row[name]) for name in ("p_kw", "q_kvar"))
            lines.append(f"New Load.{b} bus1={b} kv={KV} kw={kw} kvar={kvar} model=1 vminpu=0.5 vmaxpu=1.5")
    lines += [
        "New XYCurve.var_a npts=5 xarray=[0 0.9 1 1.1 3] yarray=[1 1 0 -1 -1]",
        "New XYCurve.var_b npts=6 xarray=[0 0.92 0.98 1.02 1.08 3] yarray=[1 1 0 0 -1 -1]",
        "New XYCurve.watt npts=4 xarray=[0 1.06 1.10 3] yarray=[1 1 0 0]",
        "New XYCurve.watt_var npts=4 xarray=[-2 0.5 1 2] yarray=[0 0 -1 -1]",
        "New XYCurve.watt_pf npts=4 xarray=[-2 0.5 1 2] yarray=[-1 -1 -0.9 -0.9]",
    ]
    kva = UNIT_KW * function.settings.kva_per_kw
    kvar = function.capability * kva
    for bus in BUSES + 1:
        lines.append(
            f"New PVSystem.{bus} bus1={bus} kv={KV} kva={kva} pmpp={UNIT_KW} irradiance={function.sun} %cutin=0 %cutout=0 pf={function.factor} "
            f"kvarmax={kvar} kvarmaxabs={kvar} vminpu=0.8 vmaxpu=1.2"
        )
    if function.words:
        lines.append(
            f"New InvControl.all {function.words} deltaq_factor=0.3 deltap_factor=0.3 voltagechangetolerance=1e-7 varchangetolerance=1e-7 activepchangetolerance=1e-7"
        )
    lines += [f"Set voltagebases=[{KV}]", "Calcvoltagebases", "Set maxcontroliter=2000 maxiterations=200", "Solve"]
    return "\n".join(lines) + "\n"


def theirs(function: Function) -> Floats:
    """(buses,) OpenDSS's voltages in pu; raises NotRun without it."""
    module = peer("dss_python", "voltage of every bus, live")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feeder.dss"
        path.write_text(script(function), encoding="utf-8")
        found = module.solved(path, most_control_iterations=2000)
    of = {node: abs(v) / base for node, v, base in zip(found.nodes, found.v, found.v_base_v, strict=True)}
    return np.array([of[f"{bus}.1"] for bus in range(1, 34)])


def recorded() -> dict[str, Floats]:
    """OpenDSS's voltages by the names of the cases."""
    with ANSWERS.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name != "bus"}


def _case(function: Function) -> Case:
    def compared(live: bool) -> Iterator[Finding]:
        found = ours(function)
        yield farthest("voltage of every bus", recorded()[function.name], found, TOLERANCE_PU, unit="pu")
        if live:
            now = run_now("dss_python")
            yield farthest("voltage of every bus, live", theirs(function), found, TOLERANCE_PU, unit="pu", source=now)

    return case(f"reactive-{function.name}", plane="power", kind="exact", source=SOURCE)(compared)


unity, power_factor, volt_var_a, volt_var_b, volt_var_and_watt, watt_var, cos_phi_p = map(_case, FUNCTIONS)
