"""A circuit without a meaning is refused, all its violations at once, each with its element."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.unbalanced.solver import UnbalancedSolver
from heptagrid.world.circuit.builder import CircuitBuilder
from heptagrid.world.circuit.circuit import GROUND

Z = (0.3 + 0.6j) * np.eye(3) + 0.1 + 0.2j


def builder() -> CircuitBuilder:
    """Two buses with a load; a third bus that nothing leads to."""
    built = CircuitBuilder("feeder", 50.0)
    for name in ("a", "b", "c"):
        built.bus(name, 7.2)
    emf = 7200.0 * np.exp(-2j * np.pi / 3.0 * np.arange(3))
    built.source("source", built.nodes("a", 1, 2, 3), emf, 0.1j * np.eye(3))
    built.line("line.ab", built.nodes("a", 1, 2, 3), built.nodes("b", 1, 2, 3), Z)
    load(built, "load.b", "b")
    return built


def load(built: CircuitBuilder, name: str, bus: str, p_kw: float = 50.0) -> None:
    built.device(name, "load", [(built.node(bus, 1), GROUND)], p_kw, 10.0, 7200.0)


def line(built: CircuitBuilder, name: str, z: np.ndarray, *, buses: str = "bc", **more: float) -> None:
    built.line(name, built.nodes(buses[0], 1, 2, 3), built.nodes(buses[1], 1, 2, 3), z, **more)


VIOLATIONS: dict[str, tuple[Callable[[CircuitBuilder], object], str]] = {
    "NaN power": (lambda b: load(b, "load.x", "b", np.nan), "load.x: its active power is not a number"),
    "NaN impedance": (lambda b: line(b, "line.x", Z * np.nan), "line.x: its impedance is not a number"),
    "negative length": (lambda b: line(b, "line.x", Z, length_km=-2.0), "line.x: its length is -2 km"),
    "duplicate": (lambda b: load(b, "load.b", "b"), "load.b: 2 devices have this name"),
    "some zero impedance": (lambda b: line(b, "line.x", np.diag([0.1j, 0.1j, 0.0])), "line.x: .* has no inverse"),
    "ring": (
        lambda b: (line(b, "line.x", 0.0 * Z), line(b, "line.y", 0.0 * Z)),
        "line.y: it closes a ring of lines without impedance",
    ),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_is_named_with_its_element(name: str) -> None:
    put, words = VIOLATIONS[name]
    built = builder()
    put(built)
    with pytest.raises(NetworkError, match=words):
        UnbalancedSolver(built.circuit())


def test_all_violations_are_listed_at_once() -> None:
    built = builder()
    load(built, "load.x", "b", np.inf)
    line(built, "line.x", Z, length_km=-1.0)
    with pytest.raises(NetworkError) as caught:
        UnbalancedSolver(built.circuit())
    assert "2 problems" in str(caught.value) and "load.x" in str(caught.value) and "line.x" in str(caught.value)


def test_two_sources_are_solved_by_the_matrix_and_refused_by_the_sweeps() -> None:
    built = builder()
    emf = 7200.0 * np.exp(-2j * np.pi / 3.0 * np.arange(3))
    built.source("other", built.nodes("b", 1, 2, 3), emf, 0.1j * np.eye(3))
    circuit = built.circuit()
    solver = UnbalancedSolver(circuit)
    assert solver.method == "sparse" and "several sources" in solver.reason
    assert abs(solver.solve().residual) < 1e-6
    with pytest.raises(NetworkError, match="several sources"):
        UnbalancedSolver(circuit, method="sweeps")


def test_a_line_without_impedance_joins_its_ends() -> None:
    built = builder()
    line(built, "line.x", 0.0 * Z)
    load(built, "load.c", "c", 80.0)
    circuit = built.circuit()
    for method in ("sweeps", "sparse"):
        flow = UnbalancedSolver(circuit, method=method).solve()
        bus = circuit.nodes.bus
        np.testing.assert_allclose(flow.v[bus == 1], flow.v[bus == 2], rtol=1e-12)
        through = np.abs(flow.lines_a[6:12])
        np.testing.assert_allclose(through[0], 1000.0 * abs(80.0 + 10.0j) / np.abs(flow.v[bus == 2][0]), rtol=1e-6)


def test_a_draw_that_is_not_a_number_is_refused() -> None:
    solver = UnbalancedSolver(builder().circuit())
    with pytest.raises(NetworkError, match=r"load\.b"):
        solver.solve(np.array([np.nan]))
