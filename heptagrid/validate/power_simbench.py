"""What SimBench's own files say, read here as text, against the networks that its package and pandapower make of them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from heptagrid.importers import simbench
from heptagrid.importers.extract import read_grid
from heptagrid.planes.power.balanced.bus_flow import solve
from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.scenario import load
from heptagrid.validate.case import Finding, NotRun, case, farthest
from heptagrid.world.balanced.network import BalancedNetwork
from heptagrid.world.balanced.radial_network import radial_network

TOWN = "1-MVLV-semiurb-all-0-sw"
_RATIOS = "transformers' ratios, by hand"

Rows = dict[str, dict[str, str]]


@case(
    "simbench-taps",
    plane="power",
    kind="exact",
    source="SimBench 1.6 (Meinecke and others 2020): ratios by hand from its tables Transformer, TransformerType and Node",
)
def simbench_taps(live: bool) -> Iterator[Finding]:
    """Every transformer's ratio, its tap included; live, the town's code too, and its voltages against the shipped town's."""
    folder = _folder()
    yield _ratios("1-MV-urban--0-sw", simbench.read("1-MV-urban--0-sw"), folder)
    if live:
        town = simbench.read(TOWN)
        yield _ratios(TOWN, town, folder)
        of_code = dict(zip(town.nodes.names.tolist(), np.abs(solve(town).v)[town.nodes.bus], strict=True))
        names, v_pu = _shipped_town()
        yield farthest(
            f"{TOWN}, voltages of the shipped town",
            [of_code[name] for name in names],
            v_pu,
            1e-5,
            unit="pu",
            source="SimBench's code, read and solved anew",
            same_reader=True,
        )


def _folder() -> Path:
    """SimBench's tables of its grids of today."""
    found = find_spec("simbench")
    if found is None or not found.submodule_search_locations:
        raise NotRun(_RATIOS, "simbench is not installed; pip install simbench")
    return Path(found.submodule_search_locations[0]) / "networks" / "1-complete_data-mixed-all-0-sw"


def _ratios(code: str, network: BalancedNetwork, folder: Path) -> Finding:
    """Rated high voltage, changed by dVm per cent a step from tapNeutr, over the low one; both over their nodes' rated voltages."""
    transformers, types, nodes = (_table(folder, name) for name in ("Transformer", "TransformerType", "Node"))
    branches = network.branches
    ours = dict(zip(branches.names.tolist(), np.abs(branches.ratio).tolist(), strict=True))
    names = [name for name in ours if name in transformers]
    expected = [_ratio(transformers[name], types, nodes) for name in names]
    return farthest(f"{code}, {len(names)} {_RATIOS}", expected, [ours[name] for name in names], 1e-9)


def _ratio(row: dict[str, str], types: Rows, nodes: Rows) -> float:
    of_type = types[row["type"]]
    turns = 1.0 + (float(row["tappos"]) - float(of_type["tapNeutr"])) * float(of_type["dVm"]) / 100.0
    rated = float(of_type["vmHV"]) / float(of_type["vmLV"])
    nominal = float(nodes[row["nodeHV"]]["vmR"]) / float(nodes[row["nodeLV"]]["vmR"])
    return rated / nominal * (turns if of_type["tapside"] == "HV" else 1.0 / turns)


def _table(folder: Path, name: str) -> Rows:
    with (folder / f"{name}.csv").open(encoding="utf-8") as file:
        return {row["id"]: row for row in csv.DictReader(file, delimiter=";")}


def _shipped_town() -> tuple[list[str], npt.NDArray[np.float64]]:
    """The names of its buses, and their voltages with loads and units at their ratings."""
    grid = read_grid(load.DATA / "town")
    network = radial_network(grid)
    p_kw, q_kvar = np.zeros(network.nodes), np.zeros(network.nodes)
    np.add.at(p_kw, network.node_of_bus[grid.loads.bus], grid.loads.p_kw)
    np.add.at(q_kvar, network.node_of_bus[grid.loads.bus], grid.loads.q_kvar)
    np.subtract.at(p_kw, network.node_of_bus[grid.units.bus], grid.units.p_kw)
    flow = RadialSolver(network, grid).solve(p_kw, q_kvar, grid.infeed_v_pu, grid.transformers.tap_pos)
    return grid.buses.names.tolist(), flow.v_pu[network.node_of_bus]
