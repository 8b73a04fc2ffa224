"""A network whose taps, capacitors or sources move is the one that would be built with them, to the last bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.planes.power.unbalanced.blocks import tree_of
from heptagrid.planes.power.unbalanced.network import network_of
from heptagrid.planes.power.unbalanced.solver import UnbalancedSolver
from heptagrid.planes.power.unbalanced.tree import NotATree
from heptagrid.planes.power.unbalanced.tree_sweeps import TreeSweeps
from heptagrid.world.circuit.builder import CircuitBuilder, Winding
from heptagrid.world.circuit.circuit import GROUND, Circuit
from tests.power.unbalanced.circuits import DELTA, TURN, WYE, random_circuit
from tests.power.unbalanced.test_laws import floating, largest_difference

SEEDS = st.integers(0, 10**6)


def same(one: Any, other: Any) -> bool:
    """Whether two tables have the same arrays to the last bit, tables within them included."""
    for name, value in vars(one).items():
        theirs = getattr(other, name)
        if isinstance(value, np.ndarray):
            if not np.array_equal(value, theirs, equal_nan=value.dtype.kind in "fc"):
                return False
        elif hasattr(value, "__dataclass_fields__") and value is not theirs and not same(value, theirs):
            return False
    return True


def with_capacitors(circuit: Circuit, rng: np.random.Generator) -> Circuit:
    """Its capacitors with three steps each, so that some, all or none are closed."""
    banks = circuit.capacitors
    count = len(banks.names)
    return replace(
        circuit,
        capacitors=replace(
            banks,
            step_at=3 * np.arange(count + 1),
            step_kvar=rng.uniform(20.0, 60.0, 3 * count),
            is_closed=rng.random(3 * count) < 0.5,
        ),
    )


def states(circuit: Circuit, rng: np.random.Generator, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Taps and capacitor steps, each a few away from the last."""
    tap_pu, is_closed = circuit.transformers.windings.tap_pu.copy(), circuit.capacitors.is_closed.copy()
    found = []
    for _ in range(count):
        moves = rng.random(len(tap_pu)) < 0.2
        tap_pu = np.where(moves, 1.0 + 0.00625 * rng.integers(-16, 17, len(tap_pu)), tap_pu)
        is_closed = is_closed ^ (rng.random(len(is_closed)) < 0.3)
        found.append((tap_pu, is_closed))
    return found


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, buses=st.integers(2, 40), loops=st.integers(0, 2))
def test_what_moves_in_place_is_what_would_be_built(seed: int, buses: int, loops: int) -> None:
    rng = np.random.default_rng(seed)
    circuit = with_capacitors(random_circuit(seed, buses, loops), rng)
    solver = UnbalancedSolver(circuit, tolerance_pu=1e-11)
    solver.solve()
    for tap_pu, is_closed in states(circuit, rng, 3):
        solver.set_taps(tap_pu)
        solver.set_capacitors(is_closed)
        anew = network_of(circuit, tap_pu, is_closed)
        flow = solver.solve()
        assert same(flow.network, anew)
        try:
            tree = tree_of(anew, 8)
        except NotATree:
            tree = None
        if tree is not None and isinstance(solver._linear, TreeSweeps):
            assert same(solver._linear._tree, tree)
        fresh = UnbalancedSolver(circuit, tap_pu=tap_pu, is_closed=is_closed, tolerance_pu=1e-11)
        assert largest_difference(flow, fresh.solve().v, floating(circuit)) < 1e-8


def test_a_flow_keeps_the_network_that_it_was_solved_with() -> None:
    circuit = random_circuit(11, 30)
    solver = UnbalancedSolver(circuit)
    flow = solver.solve()
    solver.set_taps(circuit.transformers.windings.tap_pu * 1.02)
    later_kw = solver.solve().losses_kw
    assert flow.losses_kw == UnbalancedSolver(circuit).solve().losses_kw != later_kw


@pytest.mark.parametrize("method", ["sweeps", "sparse"])
def test_other_voltages_of_the_source_are_those_of_another_source(method: Any) -> None:
    circuit = random_circuit(5, 25)
    solver = UnbalancedSolver(circuit, method=method, tolerance_pu=1e-11)
    solver.solve()
    emf_v = 0.97 * circuit.sources.emf_v
    solver.set_sources(emf_v)
    flow = solver.solve()
    other = UnbalancedSolver(
        replace(circuit, sources=replace(circuit.sources, emf_v=emf_v)), method=method, tolerance_pu=1e-11
    ).solve()
    assert largest_difference(flow, other.v, floating(circuit)) < 1e-9
    assert flow.sources_kva == pytest.approx(other.sources_kva, rel=1e-6)
    assert abs(flow.residual) < 1e-8


def held_by_a_capacitor() -> Circuit:
    """A delta without any admittance to the ground but that of a capacitor."""
    builder = CircuitBuilder("held", 50.0)
    builder.bus("source", 7.2)
    builder.bus("low", 0.24)
    source, low = builder.nodes("source", 1, 2, 3), builder.nodes("low", 1, 2, 3)
    builder.source("source", source, 7200.0 * TURN ** np.arange(3), 0.1j * np.eye(3))
    windings = [Winding(WYE, 12.47, 300.0, [*source, GROUND], 0.6), Winding(DELTA, 0.416, 300.0, low, 0.6)]
    builder.transformer("t", 3, windings, (4.0,), antifloat_ppm=0.0)
    builder.device("load", "load", [(low[0], low[1]), (low[1], low[2])], 40.0, 10.0, 416.0)
    builder.capacitor("c", [(node, GROUND) for node in low], 240.0, [30.0])
    return builder.circuit()


def test_a_part_that_begins_to_float_is_built_anew() -> None:
    circuit = held_by_a_capacitor()
    tap_pu = circuit.transformers.windings.tap_pu
    held, free = (network_of(circuit, tap_pu, np.array([state])) for state in (True, False))
    assert not held.is_floating.any() and free.is_floating.sum() == 3
    assert held.moved(tap_pu, free.is_closed) is None and free.moved(tap_pu, held.is_closed) is None
    solver = UnbalancedSolver(circuit, tolerance_pu=1e-11)
    for is_closed in (np.array([True]), np.array([False]), np.array([True])):
        solver.set_capacitors(is_closed)
        flow, fresh = solver.solve(), UnbalancedSolver(circuit, is_closed=is_closed, tolerance_pu=1e-11).solve()
        difference_v = (flow.v - fresh.v)[3:]
        assert np.abs(difference_v - difference_v[0]).max() < 240.0 * 1e-6
