"""Public distribution feeders, read from their OpenDSS files, against OpenDSS and against what was published.

Voltages are compared node by node; between the phases where no part of a bus is grounded, since there OpenDSS's voltages to ground are its
numerical noise.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from heptagrid.importers import opendss
from heptagrid.importers.importer import Reading
from heptagrid.planes.power.controls.control import Controlled
from heptagrid.planes.power.unbalanced.flow import CircuitFlow
from heptagrid.planes.power.unbalanced.solver import UnbalancedSolver
from heptagrid.validate.case import DATA, Case, Finding, NotRun, case, farthest
from heptagrid.validate.peers import peer, run_now
from heptagrid.world.circuit.circuit import Circuit, Complex, Floats, Ints

HELD = Reading(controls=False)
FOLDER = DATA / "feeders"
ANSWERS = FOLDER / "answers.npz"
SOURCE = "OpenDSS (dss-python 0.15.7, engine 0.14.5), tolerance 1e-9, recorded"


@dataclass(frozen=True)
class Feeder:
    """name: of the case. title: in words. folder, files: of the distribution, and patterns of what is needed of it.

    commands: the script to read, in that folder. tolerance_pu: of voltages with the controls held. is_floating: whether parts of it have no
    ground.
    """

    name: str
    title: str
    folder: str
    files: tuple[str, ...]
    commands: str
    tolerance_pu: float = 1e-4
    is_floating: bool = False

    @property
    def archive(self) -> Path:
        return FOLDER / f"{self.folder.lower()}.zip"


SMALL = ("ieee*", "buscoords.dat", "nmsu*")
EUROPEAN = ("master.dss", "l*.txt", "buscoords.txt", "transformers.txt", "monitors.txt")
LARGE = ("master*", "lin*.dss", "tr*.dss", "loadxfmrcodes*", "*loads.dss", "cap*", "reg*", "buscoords*")
LARGE_SOLVE = "Set MaxIterations=20\nSolve\n"
FEEDERS = (
    Feeder("ieee-13", "IEEE 13-node", "13Bus", SMALL, "Redirect IEEE13Nodeckt.dss\n"),
    Feeder("ieee-34", "IEEE 34-node", "34Bus", SMALL, "Redirect ieee34Mod1.dss\nSolve\n"),
    Feeder(
        "ieee-34-split",
        "IEEE 34-node, distributed loads in lines' middles",
        "34Bus",
        SMALL,
        "Redirect ieee34Mod2.dss\nSolve\n",
    ),
    Feeder("ieee-37", "IEEE 37-node", "37Bus", SMALL, "Redirect ieee37.dss\n", is_floating=True),
    Feeder("ieee-123", "IEEE 123-node", "123Bus", SMALL, "Redirect IEEE123Master.dss\nSet MaxControlIter=30\nSolve\n"),
    Feeder("european-lv", "European low-voltage", "LVTestCase", EUROPEAN, "Redirect Master.dss\n"),
    Feeder("ieee-8500", "IEEE 8500-node", "8500-Node", LARGE, f"Redirect Master.dss\n{LARGE_SOLVE}", 1e-3),
    Feeder(
        "ieee-8500-unbal",
        "IEEE 8500-node, unbalanced",
        "8500-Node",
        LARGE,
        f"Redirect Master-unbal.dss\n{LARGE_SOLVE}",
        1e-3,
    ),
)


@contextmanager
def unpacked(feeder: Feeder) -> Iterator[Path]:
    """The feeder's script, its files unpacked for a while."""
    with TemporaryDirectory() as folder, zipfile.ZipFile(feeder.archive) as archive:
        archive.extractall(folder)
        script = Path(folder) / feeder.folder / f"{feeder.name}.dss"
        script.write_text(feeder.commands)
        yield script


def _held(feeder: Feeder, live: bool) -> Iterator[Finding]:
    with _script(feeder) as script:
        circuit = opendss.read(str(script), HELD)
        flow = UnbalancedSolver(circuit, tolerance_pu=1e-10).solve()
        yield from _findings(feeder, flow, feeder.tolerance_pu, 1e-3)
        if live:
            theirs = peer("dss_python", "voltages, live").solved(script)
            v = np.array(theirs.v)[np.argsort(theirs.nodes)]
            now = run_now("dss_python")
            yield _voltages(feeder, circuit, v, flow.v[_order(circuit)], feeder.tolerance_pu, ", live", now)
            yield Finding("losses, live", theirs.losses_kw, flow.losses_kw, 1e-3, relative=True, unit="kW", source=now)


def _controlled(feeder: Feeder, live: bool) -> Iterator[Finding]:
    with _script(feeder) as script:
        circuit = opendss.read(str(script))
    controlled = Controlled(circuit)
    flow = controlled.snapshot()
    recorded = np.load(ANSWERS)
    taps, capacitors = recorded[f"{feeder.name}_taps"], recorded[f"{feeder.name}_capacitors"]
    if len(taps):
        order = np.argsort(circuit.regulators.names)
        yield farthest("tap positions", taps, controlled.tap_positions[order], 0.0, unit="taps")
    if len(capacitors):
        closed = np.add.reduceat(controlled.is_closed.astype(float), circuit.capacitors.step_at[:-1])
        yield farthest("capacitor steps", capacitors, closed[np.argsort(circuit.capacitors.names)], 0.0)
    yield from _findings(feeder, flow, 1e-3, 1e-3)


@contextmanager
def _script(feeder: Feeder) -> Iterator[Path]:
    if find_spec("dss") is None:
        raise NotRun("voltages", 'dss-python is not installed; pip install "heptagrid[networks]"')
    with unpacked(feeder) as script:
        yield script


def _findings(feeder: Feeder, flow: CircuitFlow, tolerance_pu: float, losses: float) -> Iterator[Finding]:
    recorded, circuit = np.load(ANSWERS), flow.network.circuit
    theirs = recorded[f"{feeder.name}_v"].astype(np.complex128)
    yield _voltages(feeder, circuit, theirs, flow.v[_order(circuit)], tolerance_pu)
    theirs_kw = float(recorded[f"{feeder.name}_losses_kw"])
    yield Finding("losses", theirs_kw, flow.losses_kw, losses, relative=True, unit="kW")


def _order(circuit: Circuit) -> Ints:
    """The order of the nodes by their names, such as `671.1`."""
    names = [
        f"{circuit.buses.names[bus]}.{number}"
        for bus, number in zip(circuit.nodes.bus, circuit.nodes.number, strict=True)
    ]
    return np.argsort(np.array(names)).astype(np.int64)


def _voltages(
    feeder: Feeder,
    circuit: Circuit,
    theirs: Complex,
    ours: Complex,
    tolerance_pu: float,
    word: str = "",
    source: str = "",
) -> Finding:
    """Magnitudes to ground or, of a feeder that floats, between each two neighbours among the nodes of a bus."""
    order = _order(circuit)
    bus = circuit.nodes.bus[order]
    base_v = 1e3 * circuit.buses.v_base_kv[bus]
    if not feeder.is_floating:
        quantity = f"voltage of {len(bus)} nodes{word}"
        return farthest(
            quantity, np.abs(theirs) / base_v, np.abs(ours) / base_v, tolerance_pu, unit="pu", source=source
        )
    pair = np.flatnonzero(bus[1:] == bus[:-1])
    base_v = np.sqrt(3.0) * base_v[pair]
    quantity = f"voltage between phases, {len(pair)} pairs{word}"
    theirs_pu, ours_pu = (np.abs(v[pair + 1] - v[pair]) / base_v for v in (theirs, ours))
    return farthest(quantity, theirs_pu, ours_pu, tolerance_pu, unit="pu", source=source)


def _cases(feeder: Feeder) -> tuple[Case, Case]:
    held = case(
        f"{feeder.name}-held",
        plane="power",
        kind="exact",
        source=f"{SOURCE}; {feeder.title}, controls held",
        same_reader=True,
    )
    moving = case(
        f"{feeder.name}-controls",
        plane="power",
        kind="exact",
        source=f"{SOURCE}; {feeder.title}, controls at work",
        same_reader=True,
    )
    return held(lambda live: _held(feeder, live)), moving(lambda live: _controlled(feeder, live))


CASES = tuple(one for feeder in FEEDERS for one in _cases(feeder))

PUBLISHED_TAPS = {"reg1": 10, "reg2": 8, "reg3": 11}
PUBLISHED_PU = np.array([0.9900, 1.0529, 0.9778])


@case(
    "ieee-13-published",
    plane="power",
    kind="exact",
    source="IEEE Test Feeder Working Group, 13 node test feeder, voltages at node 671 with its taps +10, +8, +11 fixed",
)
def ieee_13_published(live: bool) -> Iterator[Finding]:
    """Magnitudes of the three phases."""
    with _script(FEEDERS[0]) as script:
        circuit = opendss.read(str(script), HELD)
    tap_pu = circuit.transformers.windings.tap_pu.copy()
    for name, taps in PUBLISHED_TAPS.items():
        k = int(np.flatnonzero(circuit.transformers.names == f"transformer.{name}")[0])
        tap_pu[circuit.transformers.winding_at[k] + 1] = 1.0 + taps * 0.1 / 16
    v_pu: Floats = UnbalancedSolver(circuit, tap_pu=tap_pu).solve().v_pu
    at = circuit.buses.node_at[int(np.flatnonzero(circuit.buses.names == "671")[0])]
    for phase, published, ours in zip("abc", PUBLISHED_PU, v_pu[at : at + 3], strict=True):
        yield Finding(f"voltage at 671, phase {phase}", float(published), float(ours), 0.002, unit="pu")
