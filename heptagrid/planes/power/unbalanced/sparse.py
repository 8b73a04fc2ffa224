"""The linear part of an unbalanced circuit of any shape: its whole matrix, factorised by SuperLU.

The matrix is real, of twice the nodes, since the devices' linear parts may be any real matrices. Lines without impedance keep their currents
as unknowns (modified nodal analysis), so nothing is divided by zero.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.unbalanced.draws import PhaseCircuits, drawn
from heptagrid.planes.power.unbalanced.network import Network
from heptagrid.planes.power.unbalanced.sweep import settled
from heptagrid.world.circuit.circuit import Complex, Floats, Ints

_NUDGE = 1e-14  # of the greatest admittance: makes a matrix without an inverse invertible
_ROUNDS = 3
_SHOWN = 10
_SHARE = 0.1  # of the greatest voltage of the vector


class SparseNetwork:
    """Solves Y V = I(V) with one factorisation of Y."""

    def __init__(self, network: Network, circuits: PhaseCircuits, v_base_v: Floats) -> None:
        self._network, self._circuits = network, circuits
        self._per_base = 1.0 / v_base_v
        y = network.matrix()
        bonds = network.bonds
        pair, end = np.nonzero(bonds >= 0)
        sign = np.where(end == 0, 1.0, -1.0)
        tie = scipy.sparse.csc_matrix((sign, (bonds[pair, end], pair)), shape=(network.nodes, len(bonds)))
        self._fixed = scipy.sparse.bmat(
            [
                [y.real, -y.imag, tie, None],
                [y.imag, y.real, None, tie],
                [tie.T, None, None, None],
                [None, tie.T, None, None],
            ]
            if len(bonds)
            else [[y.real, -y.imag], [y.imag, y.real]],
            format="csc",
        )
        self._source_a = network.source_currents()

    def feed(self, network: Network) -> None:
        """Take the same network with other voltages of its sources; what is linearised stays so."""
        self._network = network
        self._source_a = network.source_currents()

    def linearise(self, linear_s: Floats) -> None:
        """Factorise with linear_s (circuits, 4) as the devices' linear parts."""
        self._linear_s = linear_s
        nodes, circuits = self._network.nodes, self._circuits
        rows, columns, values = [], [], []
        for i, row_end in enumerate((circuits.from_node, circuits.to_node)):
            for j, column_end in enumerate((circuits.from_node, circuits.to_node)):
                there = (row_end >= 0) & (column_end >= 0)
                for cell in range(4):
                    rows.append(row_end[there] + cell // 2 * nodes)
                    columns.append(column_end[there] + cell % 2 * nodes)
                    values.append((1.0 if i == j else -1.0) * linear_s[there, cell])
        place = np.concatenate(rows), np.concatenate(columns)
        linear = scipy.sparse.csc_matrix((np.concatenate(values), place), shape=self._fixed.shape)
        matrix = self._fixed + linear
        try:
            self._lu = scipy.sparse.linalg.splu(matrix)
        except RuntimeError as error:
            circuit = self._network.circuit
            buses = circuit.buses.names[np.unique(circuit.nodes.bus[_undetermined(matrix, nodes)])].tolist()
            more = f" and {len(buses) - _SHOWN} more" if len(buses) > _SHOWN else ""
            raise NetworkError(
                f"{circuit.name}: the admittance matrix has no inverse ({error}): it leaves the voltage open at bus{'es' if len(buses) > 1 else ''} "
                f"{', '.join(buses[:_SHOWN])}{more}; earth a winding or a source there, or look for admittances that cancel"
            ) from error

    def start(self) -> Complex:
        """(nodes,) voltages with the linear parts of the devices alone."""
        return self._voltages(self._source_a)

    def iterate(self, p_w: Floats, q_var: Floats, v: Complex, tolerance_pu: float, most: int) -> tuple[int, float]:
        """Solve in place of v (nodes,); p_w, q_var: (circuits,). Iterations (most + 1: none found), and the last change in per unit."""
        circuits = self._circuits
        change = before = np.inf
        for iteration in range(1, most + 1):
            injected = self._source_a.copy()
            _inject(circuits.models, self._linear_s, p_w, q_var, v, injected)
            after = self._voltages(injected)
            change = float(np.max(np.abs(after - v) * self._per_base))
            v[:] = after
            if settled(change, before, tolerance_pu):
                return iteration, change
            if not np.isfinite(change):
                break
            before = change
        return most + 1, change

    def _voltages(self, injected_a: Complex) -> Complex:
        nodes = self._network.nodes
        right = np.zeros(self._fixed.shape[0])
        right[:nodes], right[nodes : 2 * nodes] = injected_a.real, injected_a.imag
        solution = self._lu.solve(right)
        return np.asarray(solution[:nodes] + 1j * solution[nodes : 2 * nodes])


def _undetermined(matrix: scipy.sparse.csc_matrix, nodes: int) -> Ints:
    """Nodes whose voltages the matrix leaves open: those of the vector that it all but takes to zero, by inverse iteration."""
    size = np.abs(matrix.data).max()
    near = scipy.sparse.linalg.splu((matrix + _NUDGE * size * scipy.sparse.identity(matrix.shape[0])).tocsc())
    x = np.ones(matrix.shape[0])
    for _ in range(_ROUNDS):
        x = near.solve(x)
        x /= np.abs(x).max()
    v = np.hypot(x[:nodes], x[nodes : 2 * nodes])
    return np.flatnonzero(v > _SHARE * v.max())


@kernel(allocates=False)
def _inject(circuits, linear_s, p_w, q_var, v, injected):  # type: ignore[no-untyped-def]
    """Add to `injected` what the devices draw less than their linear parts; circuits: `CircuitModels`."""
    from_node, to_node, model, limits_v, shape = circuits
    for k in range(from_node.shape[0]):
        a, b = from_node[k], to_node[k]
        across = (v[a] if a >= 0 else 0j) - (v[b] if b >= 0 else 0j)
        re, im = drawn(model[k], p_w[k], q_var[k], limits_v[k], shape[k], across.real, across.imag)
        left_re = linear_s[k, 0] * across.real + linear_s[k, 1] * across.imag - re
        left_im = linear_s[k, 2] * across.real + linear_s[k, 3] * across.imag - im
        if a >= 0:
            injected[a] += complex(left_re, left_im)
        if b >= 0:
            injected[b] -= complex(left_re, left_im)
