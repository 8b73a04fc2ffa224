"""The network in a scenario's folder: balanced, or a circuit whose conductors are solved one by one."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from heptagrid.importers.extract import read_grid
from heptagrid.world.balanced.radial_network import Tree, radial_network

if TYPE_CHECKING:
    from heptagrid.world.circuit.circuit import Circuit

CIRCUIT_FILE = "circuit.npz"


@lru_cache(maxsize=4)
def read_network(folder: Path) -> tuple[Tree, Circuit | None]:
    """The network as a tree, and the circuit that it stands for if the folder holds one.

    Raises
    ------
    NetworkError, HeptagridError
        For a network that is not connected to its infeed throughout, or data that cannot be read.
    """
    grid = read_grid(folder)
    if not (folder / CIRCUIT_FILE).exists():
        return radial_network(grid), None
    from heptagrid.importers.circuit_file import read_circuit
    from heptagrid.world.circuit.tree import circuit_tree

    circuit = read_circuit(folder / CIRCUIT_FILE)
    return circuit_tree(circuit, grid), circuit
