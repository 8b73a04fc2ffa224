"""Meshed networks against PYPOWER and pandapower: complex voltages of transmission cases, pandapower's networks and SimBench's grids."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import numpy as np

from heptagrid.foundation.errors import HeptagridError
from heptagrid.importers import matpower
from heptagrid.planes.power.balanced.bus_flow import solve
from heptagrid.validate.case import DATA, Finding, NotRun, case, farthest
from heptagrid.validate.peers import peer, run_now
from heptagrid.world.balanced.network import BalancedNetwork, Complex

FOLDER = DATA / "meshed"
CASES = FOLDER / "pglib.zip"
ANSWERS = FOLDER / "answers.npz"
PYPOWER = "PYPOWER 5.1.21 (runpf, tolerance 1e-10, recorded; it reads the files by itself)"

PGLIB = ("case5_pjm", "case14_ieee", "case24_ieee_rts", "case30_ieee", "case57_ieee", "case118_ieee")
MATPOWER = (
    *(
        "case9",
        "case14",
        "case30",
        "case57",
        "case89pegase",
        "case118",
        "case145",
        "case300",
        "case1354pegase",
        "case1888rte",
    ),
    *("case2383wp", "case3120sp", "case6515rte", "case9241pegase"),
)
EVERY = 12  # buses of the larger cases are recorded, so that the answers stay small
PANDAPOWER = (
    "case118",
    "case_illinois200",
    "example_multivoltage",
    "mv_oberrhein",
    "create_cigre_network_mv",
    "GBreducednetwork",
)
SIMBENCH = ("1-LV-rural1--0-sw", "1-MV-urban--0-sw")
COMPLETE = "1-complete_data-mixed-all-0-sw"


@case("pglib-flow", plane="power", kind="exact", source=f"{PYPOWER} on PGLib-OPF v23.07, 5 to 118 buses")
def pglib_flow(live: bool) -> Iterator[Finding]:
    """Complex voltages from the files' own starting points."""
    with TemporaryDirectory() as folder:
        with zipfile.ZipFile(CASES) as archive:
            archive.extractall(folder)
        for name in PGLIB:
            network = matpower.read(str(Path(folder) / f"pglib_opf_{name}.m"))
            v = _solved(network)
            yield _apart(f"{name}, voltages", np.load(ANSWERS)[f"pglib {name}"], v)
            if live:
                quantity = f"{name}, voltages, live"
                theirs = peer("pandapower", quantity).ac_voltages(network)
                yield replace(_apart(quantity, theirs, v, run_now("pandapower")), same_reader=True)


@case(
    "matpower-flow",
    plane="power",
    kind="exact",
    source=f"{PYPOWER} on the case files of the package matpower 8.1, 9 to 9,241 buses",
)
def matpower_flow(live: bool) -> Iterator[Finding]:
    """Complex voltages; every twelfth bus of what has more than 300."""
    folder = peer("matpower", "voltages").DATA
    recorded = np.load(ANSWERS)
    for name in MATPOWER:
        v = _solved(matpower.read(str(folder / f"{name}.m")))
        yield _apart(f"{name}, voltages", recorded[f"matpower {name}"], picked(v))


@case(
    "pandapower-networks",
    plane="power",
    kind="exact",
    source="pandapower 3.5.6 (runpp, tolerance 1e-11, recorded) on networks that it brings along",
    same_reader=True,
)
def pandapower_networks(live: bool) -> Iterator[Finding]:
    """Complex voltages of networks with all kinds of elements, as pandapower numbers their buses."""
    module = _reader("voltages")
    recorded = np.load(ANSWERS)
    for name in PANDAPOWER:
        net = module.network(name)
        network = module.converted(net, name)
        v = _solved(network)[network.nodes.bus]
        yield _apart(f"{name}, voltages", recorded[f"pandapower {name}"], v)
        if live:
            yield _apart(f"{name}, voltages, live", module.solved(net), v, run_now("pandapower"))


@case(
    "simbench-grids",
    plane="power",
    kind="exact",
    source="pandapower 3.5.6 (runpp, recorded) on SimBench grids at their ratings, taps typed as ratio taps",
    same_reader=True,
)
def simbench_grids(live: bool) -> Iterator[Finding]:
    """Complex voltages, as pandapower numbers the buses."""
    module = _reader("voltages")
    recorded = np.load(ANSWERS)
    for code in SIMBENCH:
        net, v = _simbench(code, module)
        yield _apart(f"{code}, voltages", recorded[f"simbench {code}"], v)
        if live:
            yield _apart(f"{code}, voltages, live", module.solved(net), v, run_now("pandapower"))


@case(
    "simbench-complete",
    plane="power",
    kind="exact",
    source="pandapower (runpp, live only) on SimBench's complete grid of four voltage levels, 37,587 buses",
    same_reader=True,
)
def simbench_complete(live: bool) -> Iterator[Finding]:
    """Complex voltages of all levels in one solution."""
    quantity = "voltages, live"
    if not live:
        raise NotRun(quantity, "reading it takes a minute; run it with --live")
    module = _reader(quantity)
    net, v = _simbench(COMPLETE, module)
    yield _apart(quantity, module.solved(net), v, run_now("pandapower"))


@case(
    "pandapower-reading",
    plane="power",
    kind="exact",
    source=f"{PYPOWER} on MATPOWER's files of networks that pandapower brings along",
)
def pandapower_reading(live: bool) -> Iterator[Finding]:
    """Magnitudes of networks through pandapower's tables against another reading of another file, where both hold the same data."""
    module = _reader("voltages")
    recorded = np.load(ANSWERS)
    for name in ("case14", "case30", "case89pegase"):
        network = module.converted(module.network(name), name)
        v_pu = np.abs(picked(_solved(network)[network.nodes.bus]))
        yield farthest(f"{name}, magnitudes", np.abs(recorded[f"matpower {name}"]), v_pu, 1e-6, unit="pu")


def _simbench(code: str, module: ModuleType) -> tuple[object, Complex]:
    """A SimBench grid as pandapower has it, and our voltages in the order of its buses."""
    try:
        net = module.simbench(code)
    except ModuleNotFoundError:
        raise NotRun(f"{code}, voltages", "simbench is not installed; pip install simbench") from None
    network = module.converted(net, code)
    return net, _solved(network)[network.nodes.bus]


def picked(v: Complex) -> Complex:
    """The buses that are compared: all of a small network, every twelfth of a larger one."""
    return v if len(v) <= 300 else v[::EVERY]


def _reader(quantity: str) -> ModuleType:
    return peer("pandapower", quantity)  # type: ignore[no-any-return]


def _solved(network: BalancedNetwork) -> Complex:
    flow = solve(network)
    if not flow.converged:
        raise HeptagridError(f"{network.name}: {flow.trouble}")
    return flow.v


def _apart(quantity: str, theirs: Complex, ours: Complex, source: str = "") -> Finding:
    """How far apart complex voltages are, at the worst bus; a bus that is dead in one only is infinitely far."""
    dead = np.isnan(theirs) | np.isnan(ours)
    apart = np.where(dead, np.where(np.isnan(theirs) & np.isnan(ours), 0.0, np.inf), np.abs(theirs - ours))
    return farthest(quantity, np.zeros(len(apart)), apart, 1e-6, unit="pu", source=source)
