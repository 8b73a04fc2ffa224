"""Close to the greatest load that a feeder can carry: a true solution or none, and always an end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.planes.power.convergence import MOST_ITERATIONS
from heptagrid.world.balanced.radial_network import BASE_KVA, radial_network
from tests.power.test_radial import random_grid

Z_PU = 0.02 + 0.04j


def two_buses() -> tuple:
    """A line of `Z_PU` between an infeed at 1 pu and a load, both at 0.4 kV."""
    grid = random_grid(1, 3, open_ends=False)
    z_ohm = Z_PU * 0.4**2 / (BASE_KVA / 1e3)
    none = np.empty(0, dtype=np.int64)
    transformers = grid.transformers
    lines = replace(
        grid.lines, r_ohm=np.array([z_ohm.real]), x_ohm=np.array([z_ohm.imag]), c_nf=np.zeros(1), g_us=np.zeros(1)
    )
    alone = replace(
        grid,
        buses=replace(
            grid.buses,
            **{name: getattr(grid.buses, name)[1:] for name in ("names", "vn_kv", "longitude_deg", "latitude_deg")},
        ),
        lines=replace(lines, from_bus=np.zeros(1, dtype=np.int64), to_bus=np.ones(1, dtype=np.int64)),
        transformers=replace(transformers, **{name: column[none] for name, column in vars(transformers).items()}),
    )
    return alone, radial_network(alone)


def nose_kw(angle_rad: float) -> float:
    """The greatest power in kVA that the line carries to a load of this angle: where both solutions for |V|^2 meet."""
    load = np.exp(1j * angle_rad)
    return BASE_KVA / (2.0 * ((Z_PU * np.conj(load)).real + abs(Z_PU)))


def upper_v_pu(s_pu: complex) -> float:
    """|V|^4 + |V|^2 (2 Re(z s*) - 1) + |z s|^2 = 0, the greater root."""
    b = 1.0 - 2.0 * (Z_PU * np.conj(s_pu)).real
    return float(np.sqrt((b + np.sqrt(b * b - 4.0 * abs(Z_PU * s_pu) ** 2)) / 2.0))


@pytest.mark.parametrize("angle_deg", [-30.0, 0.0, 20.0, 60.0])
@pytest.mark.parametrize("share", [0.3, 0.9, 0.99, 0.999, 0.9999])
def test_below_the_nose_the_upper_solution_is_found(angle_deg: float, share: float) -> None:
    grid, network = two_buses()
    angle = np.deg2rad(angle_deg)
    s_kva = share * nose_kw(angle) * np.exp(1j * angle)
    flow = RadialSolver(network, grid).solve(
        np.array([0.0, s_kva.real]), np.array([0.0, s_kva.imag]), 1.0, grid.transformers.tap_pos
    )
    assert len(flow.held) == 0
    assert flow.v_pu[1] == pytest.approx(upper_v_pu(s_kva / BASE_KVA), abs=1e-8)


@pytest.mark.parametrize("angle_deg", [-30.0, 0.0, 20.0, 60.0])
@pytest.mark.parametrize("share", [1.00001, 1.001, 1.1, 3.0, 1e3, 1e6])
def test_beyond_the_nose_the_feeder_is_held(angle_deg: float, share: float) -> None:
    grid, network = two_buses()
    angle = np.deg2rad(angle_deg)
    s_kva = share * nose_kw(angle) * np.exp(1j * angle)
    flow = RadialSolver(network, grid).solve(
        np.array([0.0, s_kva.real]), np.array([0.0, s_kva.imag]), 1.0, grid.transformers.tap_pos
    )
    assert flow.held.tolist() == [1]
    assert flow.iterations < MOST_ITERATIONS


@given(st.integers(0, 100_000), st.floats(-1.0, 6.0))
@settings(max_examples=40, deadline=None)
def test_what_is_not_held_obeys_the_equations(seed: int, tens: float) -> None:
    grid = random_grid(seed, 20)
    network = radial_network(grid)
    rng = np.random.default_rng(seed)
    p_kw = 10.0**tens * rng.uniform(-0.3, 1.0, network.nodes) * (network.bus_of_node >= 0)
    flow = RadialSolver(network, grid).solve(p_kw, 0.3 * p_kw, 1.0, np.zeros(1, dtype=np.int64))
    drawn_kw = p_kw[~np.isin(network.feeder, flow.held)].sum()
    if len(flow.held):
        assert np.isfinite(flow.v_pu).all()
    else:
        assert flow.infeed_p_kw == pytest.approx(flow.losses_kw + drawn_kw, rel=1e-6, abs=1e-4)
        up = network.parent[1:]
        v, i = flow.v_re + 1j * flow.v_im, flow.current_re + 1j * flow.current_im
        ratio = np.where(network.transformer_of_node[1:] >= 0, 1.0 / network.nominal_ratio[0], 1.0)
        assert np.abs(v[up] * ratio - network.z_pu[1:] * i[1:] - v[1:]).max() < 1e-8
