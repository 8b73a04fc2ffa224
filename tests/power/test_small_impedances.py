"""Networks that Newton's method does not solve from flat voltages: ratios behind small impedances, and loading near the most that is carried."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from heptagrid.planes.power.balanced.bus_flow import solve
from heptagrid.planes.power.balanced.loading import raised
from heptagrid.planes.power.balanced.newton import Solution
from heptagrid.world.balanced.network import BalancedNetwork
from tests.power.test_balanced import imbalance_mva, network


def with_small_impedances(seed: int, z_pu: float, loops: int, pv: int) -> BalancedNetwork:
    """A random network a third of whose branches, some with ratios and phase shifts, have next to no impedance."""
    case = network(seed, loops=loops, pv=pv)
    z = case.branches.z_pu.copy()
    z[np.random.default_rng(seed).choice(len(z), len(z) // 3, replace=False)] = z_pu * (0.3 + 1j)
    return replace(case, branches=replace(case.branches, z_pu=z, z_back_pu=z))


@pytest.mark.parametrize("z_pu", [1e-5, 1e-8])
@pytest.mark.parametrize(("loops", "pv"), [(5, 0), (3, 1)])
@pytest.mark.parametrize("seed", [1, 2, 5])
def test_ratios_behind_small_impedances_are_solved(seed: int, loops: int, pv: int, z_pu: float) -> None:
    case = with_small_impedances(seed, z_pu, loops, pv)
    flow = solve(case)
    assert flow.converged, flow.trouble
    # What rounding leaves at a bus beside admittances of 1/z: their size times the digits of a double.
    assert imbalance_mva(case, flow) < 100.0 * max(1e-9, 1e-14 / z_pu)


def test_the_greatest_loading_is_reached_in_steps_and_not_passed() -> None:
    """A load p behind a reactance x at 1 pu has a solution up to p = 1 / (2 x): here x = 1, so 0.5; at full loading it asks for 0.8."""

    def at(start: np.ndarray, share: float) -> Solution:
        v_square = 0.5 * (1.0 + np.sqrt(complex(1.0 - 4.0 * (0.8 * share) ** 2)))
        return Solution(np.array([v_square]), 1, abs(v_square.imag) < 1e-12, 0.0, 0)

    carried, share = raised(at, np.ones(1, dtype=complex))
    assert carried.converged and share == pytest.approx(0.5 / 0.8, abs=2.0**-11) and share <= 0.5 / 0.8


def test_generators_set_beyond_what_is_drawn_are_told_of() -> None:
    """Two buses over 0.1 pu reactance pass at most 1.02^2 / 0.1 = 10.4 pu, 1,040 MW: a generator set to 2,000 MW has nowhere to feed in."""
    case = network(3, buses=2, pv=1)
    flat = np.ones(1, dtype=complex)
    branches = replace(case.branches, z_pu=0.1j * flat, z_back_pu=0.1j * flat, y_from_pu=0 * flat, y_to_pu=0 * flat)
    generators = replace(case.generators, p_mw=np.array([0.0, 2000.0]))
    flow = solve(replace(case, branches=replace(branches, ratio=flat), generators=generators))
    assert not flow.converged
    assert "generators are set to feed in 2,000 MW" in flow.trouble and "voltage collapse" not in flow.trouble
    share = float(flow.trouble.split("carries ")[1].split(" %")[0]) / 100.0
    assert share == pytest.approx(1040.4 / (2000.0 - case.buses.p_mw[1]), rel=0.002)
