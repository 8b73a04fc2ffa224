"""A balanced circuit of three phases has the voltages and losses of the single-phase equivalent."""

from __future__ import annotations

import numpy as np
import pytest

from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.planes.power.unbalanced.solver import UnbalancedSolver
from heptagrid.world.balanced.radial_network import BASE_KVA, RadialNetwork, radial_network
from heptagrid.world.circuit.builder import CircuitBuilder
from heptagrid.world.circuit.circuit import GROUND, Circuit
from tests.power.test_radial import random_grid

TURN = np.exp(-2j * np.pi / 3.0 * np.arange(3))


def three_phases(network: RadialNetwork, root: int, emf_v: complex, p_kw: np.ndarray, q_kvar: np.ndarray) -> Circuit:
    """The part of the network at and below a node, three equal phases, fed by a stiff source at that node."""
    builder = CircuitBuilder("balanced", 50.0)
    base_ohm = 1000.0 * network.v_base_kv**2 / BASE_KVA
    for k in range(root, network.nodes):
        builder.bus(str(k), network.v_base_kv[k] / np.sqrt(3.0))
    of = {k: builder.nodes(str(k), 1, 2, 3) for k in range(root, network.nodes)}
    builder.source("source", of[root], emf_v * TURN, 1e-12 * np.eye(3))
    for k in range(root, network.nodes):
        if k > root:
            up = int(network.parent[k])
            builder.line(f"line {k}", of[up], of[k], network.z_pu[k] * base_ohm[k] * np.eye(3))
            builder.shunt(f"from {k}", of[up], network.shunt_from_pu[k] / base_ohm[k] * np.eye(3), counts_as_loss=True)
            builder.shunt(f"to {k}", of[k], network.shunt_to_pu[k] / base_ohm[k] * np.eye(3), counts_as_loss=True)
        ends = [(node, GROUND) for node in of[k]]
        builder.device(f"load {k}", "load", ends, p_kw[k], q_kvar[k], 1000.0 * network.v_base_kv[k] / np.sqrt(3.0))
    return builder.circuit()


@pytest.mark.parametrize("seed", range(4))
def test_a_balanced_circuit_equals_the_single_phase_kernel(seed: int) -> None:
    grid = random_grid(seed, 40)
    network = radial_network(grid)
    rng = np.random.default_rng(seed)
    p_kw = rng.uniform(-2.0, 6.0, network.nodes)
    q_kvar = 0.3 * np.abs(p_kw)
    single = RadialSolver(network, grid, tolerance_pu=1e-11)
    flow = single.solve(p_kw, q_kvar, 1.02, grid.transformers.tap_pos)
    root = int(network.node_of_transformer[0])
    assert root == 1 and network.nodes > 30  # everything hangs below the transformer
    v = flow.v_re + 1j * flow.v_im
    base_v = 1000.0 * network.v_base_kv[root] / np.sqrt(3.0)
    circuit = three_phases(network, root, v[root] * base_v, p_kw, q_kvar)
    three = UnbalancedSolver(circuit, tolerance_pu=1e-11).solve()
    for phase in range(3):
        np.testing.assert_allclose(three.v[phase::3] / base_v, v[root:] * TURN[phase], atol=1e-8)
    series = np.abs(flow.current_re[root + 1 :] + 1j * flow.current_im[root + 1 :]) ** 2 * network.z_pu[root + 1 :].real
    assert float(three.lines_kva.sum().real) == pytest.approx(BASE_KVA * series.sum(), rel=1e-7)
