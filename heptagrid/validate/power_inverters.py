"""Regulators and smart inverters over a day of minutes on the IEEE 123-node feeder, against OpenDSS.

Photovoltaics stand at every single-phase load in wye and at five buses of the trunk, nearly twice the load in all, under a sky of passing clouds; the
feeder's seven regulators hold their own. Each day the inverters do something else. OpenDSS is given the same curves point by point; ours
are those of `planes.power.ieee1547`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from heptagrid.importers.circuit_file import read_circuit
from heptagrid.planes.power.controls.control import Acts, Controlled
from heptagrid.planes.power.controls.ieee1547 import VOLT_VAR, VOLT_WATT, Category, VoltVar, VoltWatt, inverters_1547
from heptagrid.validate.case import DATA, Case, Finding, case, farthest
from heptagrid.validate.peers import peer, run_now
from heptagrid.validate.power_feeders import FEEDERS, unpacked
from heptagrid.world.circuit.circuit import Circuit, Floats, Ints

FOLDER = DATA / "pv_day"
SCENARIO = FOLDER / "scenario.npz"
MINUTES = 1440
STEP_S = 60.0
STORED_PU, STORED_KW = 1e-4, 0.5  # what recorded voltages and powers are rounded to
SHOWN = 14  # nodes whose voltages are recorded
BARE = "IEEE123Master.dss"
SOURCE = "OpenDSS (dss-python 0.15.7, engine 0.14.5), recorded; IEEE 123-node feeder with photovoltaics of our own"


@dataclass(frozen=True)
class Day:
    """One of the days. words: what InvControl is told (power_factor: PVSystems, without one), with curves named as in `script`.

    category, volt_var, volt_watt, power_factor: the same in our terms. regulators_v: set-points of all regulators, without
    compensation, instead of the feeder's own. with_delays: controls act when their delays have passed, at the ends of minutes.
    """

    name: str
    words: str
    category: Category = Category.B
    volt_var: VoltVar | None = None
    volt_watt: VoltWatt | None = None
    power_factor: float = 1.0
    regulators_v: float | None = None
    with_delays: bool = False

    @property
    def answers(self) -> Path:
        return FOLDER / f"{self.name}.npz"


HIGH_V = 126.0  # regulators so high that volt-watt has something to do
VAR_B, WATT = VOLT_VAR[Category.B], VOLT_WATT[Category.B]
VAR_WORDS, WATT_WORDS = "vvc_curve1=var_{}", "voltwatt_curve=watt voltwattyaxis=pmpppu"
BOTH = Day(
    "volt-var-and-watt",
    f"combimode=vv_vw {VAR_WORDS.format('b')} {WATT_WORDS}",
    volt_var=VAR_B,
    volt_watt=WATT,
    regulators_v=HIGH_V,
)
FIXED = Day("power-factor", "", power_factor=-0.95)
DAYS = (
    FIXED,
    Day("volt-var-a", f"mode=voltvar {VAR_WORDS.format('a')}", Category.A, VOLT_VAR[Category.A]),
    Day("volt-var-b", f"mode=voltvar {VAR_WORDS.format('b')}", volt_var=VAR_B),
    Day("volt-watt", f"mode=voltwatt {WATT_WORDS}", volt_watt=WATT, regulators_v=HIGH_V),
    BOTH,
    replace(FIXED, name="delays", regulators_v=HIGH_V, with_delays=True),
    replace(BOTH, name="delays-volt-var-and-watt", with_delays=True),
)


@dataclass(frozen=True)
class Scenario:
    """circuit: the feeder with its photovoltaics at full sun and its loads at their rated power. sun, load: (minutes,) shares of these."""

    circuit: Circuit
    sun: Floats
    load: Floats


@dataclass(frozen=True)
class Result:
    """v_pu: (minutes, nodes) magnitudes, nodes in the order of their names. taps: (minutes, regulators). p_kw, q_kvar: (minutes,) fed by
    all photovoltaics."""

    v_pu: Floats
    taps: Ints
    p_kw: Floats
    q_kvar: Floats


def scenario() -> Scenario:
    """The feeder and its day, as shipped."""
    with np.load(SCENARIO) as stored:
        return Scenario(read_circuit(FOLDER / "circuit.npz"), stored["sun"], stored["load"])


def prepared(circuit: Circuit, day: Day) -> Circuit:
    """The circuit under a day's settings."""
    devices, regulators = circuit.devices, circuit.regulators
    device = np.flatnonzero(devices.kinds == "pvsystem")
    rated_kw = -devices.p_kw[device]
    inverters = inverters_1547(
        device,
        rated_kw,
        rated_kw,
        devices.v_rated_v[device],
        day.category,
        day.volt_var,
        day.volt_watt,
        day.power_factor,
    )
    if day.regulators_v is not None:
        nothing = np.zeros(len(regulators.names))
        regulators = replace(regulators, v_set=nothing + day.regulators_v, r_v=nothing, x_v=nothing)
    return replace(circuit, inverters=inverters, regulators=regulators)


def run(scenario: Scenario, day: Day, minutes: slice = slice(None), taps: Ints | None = None) -> Result:
    """Our answer, minute by minute; taps: (regulators,) where they stand before, in place of the middle."""
    controlled = Controlled(prepared(scenario.circuit, day))
    if taps is not None:
        controlled.place_taps(taps.astype(np.float64))
    circuit = controlled.circuit
    order = np.argsort(node_names(circuit))
    v_pu, positions, p_kw, q_kvar = [], [], [], []
    for sun, load in zip(scenario.sun[minutes], scenario.load[minutes], strict=True):
        draws = load * circuit.devices.p_kw, load * circuit.devices.q_kvar
        available_kw = sun * circuit.inverters.rated_kw
        if day.with_delays:
            flow = controlled.advance(STEP_S, *draws, available_kw, acts=Acts.AT_STEP_ENDS)
        else:
            flow = controlled.snapshot(*draws, available_kw)
        v_pu.append(flow.v_pu[order])
        positions.append(controlled.tap_positions)
        p_kw.append(controlled.bank.p_kw.sum())
        q_kvar.append(controlled.bank.q_kvar.sum())
    return Result(np.array(v_pu), np.array(positions, dtype=np.int64), np.array(p_kw), np.array(q_kvar))


def node_names(circuit: Circuit) -> list[str]:
    """Such as `67.1`, node by node."""
    buses, nodes = circuit.buses, circuit.nodes
    return [f"{buses.names[bus]}.{number}".lower() for bus, number in zip(nodes.bus, nodes.number, strict=True)]


@dataclass(frozen=True)
class Answer:
    """What of a result is recorded. v_pu: (minutes, SHOWN) of `shown_nodes`; least_v_pu, greatest_v_pu: (minutes,) of all nodes."""

    v_pu: Floats
    least_v_pu: Floats
    greatest_v_pu: Floats
    taps: Ints
    p_kw: Floats
    q_kvar: Floats


_UNITS = {
    "v_pu": STORED_PU,
    "least_v_pu": STORED_PU,
    "greatest_v_pu": STORED_PU,
    "p_kw": STORED_KW,
    "q_kvar": STORED_KW,
}


def answer(result: Result) -> Answer:
    """The part of a result that is recorded."""
    v_pu = result.v_pu
    shown = np.linspace(0, v_pu.shape[1] - 1, SHOWN).astype(np.int64)
    return Answer(v_pu[:, shown], v_pu.min(axis=1), v_pu.max(axis=1), result.taps, result.p_kw, result.q_kvar)


def write_answer(path: Path, answer: Answer) -> None:
    """Rounded, and as changes from minute to minute, which are small."""
    columns = {name: getattr(answer, name) / _UNITS.get(name, 1.0) for name in (*_UNITS, "taps")}
    np.savez_compressed(
        path,
        **{name: np.diff(np.rint(column), axis=0, prepend=0.0).astype(np.int16) for name, column in columns.items()},
    )


def read_answer(path: Path) -> Answer:
    """What `write_answer` wrote."""
    with np.load(path) as stored:
        columns = {name: np.cumsum(stored[name].astype(np.int64), axis=0) for name in (*_UNITS, "taps")}
    taps = columns.pop("taps")
    return Answer(taps=taps, **{name: column * _UNITS[name] for name, column in columns.items()})


@contextmanager
def feeder_folder() -> Iterator[Path]:
    """The folder of the bare feeder's scripts, for a while."""
    feeder = next(one for one in FEEDERS if one.name == "ieee-123")
    with unpacked(feeder) as path:
        yield path.parent


def script(scenario: Scenario, day: Day) -> str:
    """The same day for OpenDSS, in the feeder's folder.

    InvControl's own tolerances are set so tight that it ends on its curves, and its steps so short that it gets there.
    """
    circuit, devices = scenario.circuit, scenario.circuit.devices
    base_kvar = 0.25 if day.category is Category.A else 0.44
    lines = [f"Redirect {BARE}"]
    for name, values in (("sun", scenario.sun), ("people", scenario.load)):
        listed = " ".join(f"{value:.4f}" for value in values)
        lines.append(f"New LoadShape.{name} npts={len(values)} minterval=1 mult=[{listed}]")
    lines += [
        "BatchEdit Load..* daily=people",
        "New XYCurve.var_a npts=5 xarray=[0 0.9 1 1.1 3] yarray=[1 1 0 -1 -1]",
        "New XYCurve.var_b npts=6 xarray=[0 0.92 0.98 1.02 1.08 3] yarray=[1 1 0 0 -1 -1]",
        "New XYCurve.watt npts=4 xarray=[0 1.06 1.10 3] yarray=[1 1 0 0]",
    ]
    for k in np.flatnonzero(devices.kinds == "pvsystem"):
        first, last = devices.circuit_at[k], devices.circuit_at[k + 1]
        nodes = devices.circuit_from[first:last]
        bus = circuit.buses.names[circuit.nodes.bus[nodes[0]]]
        numbers = ".".join(str(number) for number in circuit.nodes.number[nodes])
        kv = devices.v_rated_v[k] * (np.sqrt(3.0) if last - first == 3 else 1.0) / 1000.0
        kva = -devices.p_kw[k]
        lines.append(
            f"New {devices.names[k]} bus1={bus}.{numbers} phases={last - first} kv={kv:.6f} kva={kva} pmpp={kva} irradiance=1 "
            f"%cutin=0 %cutout=0 kvarmax={base_kvar * kva} kvarmaxabs={base_kvar * kva} vminpu=0.8 vmaxpu=1.2 daily=sun "
            f"pf={day.power_factor}"
        )
    if day.words:
        lines.append(
            f"New InvControl.all {day.words} refreactivepower=varmax deltaq_factor=0.3 deltap_factor=0.3 "
            "voltagechangetolerance=1e-7 varchangetolerance=1e-6 activepchangetolerance=1e-6"
        )
    if day.regulators_v is not None:
        lines.append(f"BatchEdit RegControl..* vreg={day.regulators_v} R=0 X=0")
    lines += [
        "Set voltagebases=[4.16 0.48]",
        "Calcvoltagebases",
        "Set tolerance=1e-9 maxiterations=200 maxcontroliter=2000",
    ]
    return "\n".join(lines) + "\n"


def _compared(day: Day, live: bool) -> Iterator[Finding]:
    given = scenario()
    result = run(given, day)
    theirs, ours = read_answer(day.answers), answer(result)
    yield farthest("taps of seven regulators, each minute", theirs.taps, ours.taps, 1.0, unit="steps")
    differ = (theirs.taps != ours.taps).any(axis=1)
    yield Finding("minutes in which a tap differs", 0.0, float(differ.sum()), 0.0)
    for quantity, name, tolerance, unit in (
        (f"voltage of {SHOWN} nodes", "v_pu", 2e-3, "pu"),
        ("least voltage of all nodes", "least_v_pu", 2e-3, "pu"),
        ("greatest voltage of all nodes", "greatest_v_pu", 2e-3, "pu"),
        ("power of all photovoltaics", "p_kw", 5.0, "kW"),
        ("vars of all photovoltaics", "q_kvar", 5.0, "kvar"),
    ):
        yield farthest(f"{quantity}, each minute", getattr(theirs, name), getattr(ours, name), tolerance, unit=unit)
    if live:
        quantity = "voltage of every node, each minute, live"
        peers = opendss_day(given, day)
        now = run_now("dss_python")
        yield farthest("taps, live", peers.taps, result.taps, 1.0, unit="steps", source=now)
        yield farthest(quantity, peers.v_pu, result.v_pu, 2e-3, unit="pu", source=now)


def opendss_day(scenario: Scenario, day: Day) -> Result:
    """OpenDSS's answer; raises NotRun without it."""
    module = peer("dss_python", "voltage of every node, each minute, live")
    with feeder_folder() as folder:
        path = folder / "day.dss"
        path.write_text(script(scenario, day), encoding="utf-8")
        theirs = module.day(path, len(scenario.sun), "time" if day.with_delays else "static")
    return Result(theirs.v_v / theirs.v_base_v, theirs.taps, theirs.p_kw, theirs.q_kvar)


def _case(day: Day) -> Case:
    def compared(live: bool) -> Iterator[Finding]:
        yield from _compared(day, live)

    return case(f"pv-day-{day.name}", plane="power", kind="exact", source=SOURCE, same_reader=True)(compared)


power_factor, volt_var_a, volt_var_b, volt_watt, volt_var_and_watt, delays, delays_volt_var_and_watt = map(_case, DAYS)
