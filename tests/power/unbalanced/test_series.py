"""Many steps at once against the same steps one by one."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from heptagrid.planes.power.unbalanced.series import Draws
from heptagrid.planes.power.unbalanced.solver import Method, UnbalancedSolver
from tests.power.unbalanced.circuits import random_circuit


def draws(devices: int, steps: int, seed: int = 1) -> Draws:
    rng = np.random.default_rng(seed)
    shapes = rng.uniform(0.1, 1.2, (2, steps, 3))
    return Draws(shapes[0], shapes[1], rng.integers(0, 3, devices), rng.uniform(0.5, 1.0, devices))


@pytest.mark.parametrize(("seed", "loops", "method"), [(3, 0, "sweeps"), (4, 2, "sweeps"), (5, 2, "sparse")])
def test_steps_at_once_are_those_solved_one_by_one(seed: int, loops: int, method: Method) -> None:
    circuit = random_circuit(seed, 25, loops)
    devices = circuit.devices
    several = draws(len(devices.names), 60)
    solver = UnbalancedSolver(circuit, method=method, tolerance_pu=1e-9)
    series = solver.solve_steps(several)
    alone = UnbalancedSolver(circuit, tolerance_pu=1e-9)
    for t in range(0, 60, 7):
        p_kw = devices.p_kw * several.scale * several.p_shape[t, several.shape]
        q_kvar = devices.q_kvar * several.scale * several.q_shape[t, several.shape]
        flow = alone.solve(p_kw, q_kvar)
        np.testing.assert_allclose(series.v_pu[t], flow.v_pu, atol=3e-7)  # kept as float32
        np.testing.assert_allclose(series.sources_kva[t], flow.sources_kva, rtol=1e-6)


def test_the_number_of_threads_changes_nothing() -> None:
    circuit = random_circuit(3, 40, 1)
    several = draws(len(circuit.devices.names), 200)
    results = []
    for threads in (1, 2):
        numba.set_num_threads(threads)
        results.append(UnbalancedSolver(circuit).solve_steps(several))
    one, two = results
    assert (one.v_pu == two.v_pu).all() and (one.sources_kva == two.sources_kva).all()
    assert (one.iterations == two.iterations).all()
