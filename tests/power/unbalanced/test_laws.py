"""Laws that every solution obeys, on random circuits."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.planes.power.unbalanced.flow import CircuitFlow
from heptagrid.planes.power.unbalanced.network import Network
from heptagrid.planes.power.unbalanced.solver import Method, UnbalancedSolver
from heptagrid.world.circuit.circuit import Circuit
from tests.power.unbalanced.circuits import random_circuit

SEEDS = st.integers(0, 10**6)
TOLERANCE = 1e-11


def solved(circuit: Circuit, method: Method | None = None) -> CircuitFlow:
    return UnbalancedSolver(circuit, method=method, tolerance_pu=TOLERANCE).solve()


def base_v(network: Network) -> np.ndarray:
    return 1000.0 * network.circuit.buses.v_base_kv[network.circuit.nodes.bus]


def largest_difference(one: CircuitFlow, other: np.ndarray, floats: np.ndarray) -> float:
    """In per unit, to ground; between the conductors of a bus where it floats, since there the ground is far."""
    bus = one.network.circuit.nodes.bus
    difference = (one.v - other) / base_v(one.network)
    first = np.searchsorted(bus, bus)
    return float(np.max(np.abs(np.where(floats, difference - difference[first], difference))))


def floating(circuit: Circuit) -> np.ndarray:
    """(nodes,) whether nothing but line capacitance and antifloat holds the node to the ground; the two may resonate."""
    return np.char.startswith(circuit.buses.names, "float")[circuit.nodes.bus]


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, buses=st.integers(2, 40), loops=st.integers(0, 2))
def test_sweeps_and_the_sparse_matrix_agree(seed: int, buses: int, loops: int) -> None:
    circuit = random_circuit(seed, buses, loops)
    flow = solved(circuit)
    whole = solved(circuit, "sparse")
    assert largest_difference(flow, whole.v, floating(circuit)) < 1e-8
    assert abs(flow.losses_kw - whole.losses_kw) < 1e-6 * max(1.0, abs(whole.losses_kw))


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, buses=st.integers(2, 40), loops=st.integers(0, 2))
def test_energy_is_conserved_and_currents_add_up(seed: int, buses: int, loops: int) -> None:
    circuit = random_circuit(seed, buses, loops)
    flow = solved(circuit)
    assert abs(flow.residual) < 1e-8
    scale_a = max(
        1.0, float(np.max(np.abs(flow.lines_a), initial=0.0)), float(np.max(np.abs(flow.transformers_a), initial=0.0))
    )
    assert np.max(np.abs(flow.imbalance_a)) < 1e-7 * scale_a


def test_where_rounding_unbalances_the_sweeps_the_whole_matrix_solves() -> None:
    """Antifloat of 1.7 nS and charging of 0.1 uS hold this delta, whose conductors couple by 10 S: eight digits are lost in an inverse."""
    circuit = random_circuit(98811, 19, 0)
    greatest_a = 27.4
    insisted = solved(circuit, "sweeps")
    assert np.abs(insisted.imbalance_a).max() > 1e-8 * greatest_a, "or the solver need not leave the sweeps any more"
    for tolerance_pu in (1e-8, 1e-10, 1e-12):
        solver = UnbalancedSolver(circuit, tolerance_pu=tolerance_pu)
        flow = solver.solve()
        assert np.abs(flow.imbalance_a).max() < 1e-8 * greatest_a
    assert solver.method == "sparse" and "nearly floats" in solver.reason


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, buses=st.integers(2, 30), order=st.integers(1, 1000))
def test_the_numbering_of_buses_changes_nothing(seed: int, buses: int, order: int) -> None:
    circuit, other = random_circuit(seed, buses), random_circuit(seed, buses, order=order)
    flow = solved(circuit)
    again = solved(other)
    of = {
        (str(other.buses.names[b]), int(n)): k
        for k, (b, n) in enumerate(zip(other.nodes.bus, other.nodes.number, strict=True))
    }
    names = circuit.buses.names[circuit.nodes.bus]
    moved = again.v[[of[str(name), int(n)] for name, n in zip(names, circuit.nodes.number, strict=True)]]
    assert largest_difference(flow, moved, floating(circuit)) < 1e-8


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, buses=st.integers(2, 30), shift=st.integers(1, 2))
def test_turning_all_phases_turns_the_voltages(seed: int, buses: int, shift: int) -> None:
    """Phase a becomes b, b becomes c, and so on, with the source's voltages on their conductors."""
    circuit, turned = random_circuit(seed, buses), random_circuit(seed, buses, shift=shift)
    flow = solved(circuit)
    again = solved(turned)
    number = circuit.nodes.number
    is_split = circuit.buses.v_base_kv[circuit.nodes.bus] == 0.12
    wanted = np.where(is_split, number, (number - 1 + shift) % 3 + 1)
    of = {(int(b), int(n)): k for k, (b, n) in enumerate(zip(turned.nodes.bus, turned.nodes.number, strict=True))}
    moved = again.v[[of[int(b), int(n)] for b, n in zip(circuit.nodes.bus, wanted, strict=True)]]
    assert largest_difference(flow, moved, floating(circuit)) < 1e-8
