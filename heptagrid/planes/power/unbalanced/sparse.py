"""The linear part of an unbalanced circuit of any shape: its whole matrix, factorised by SuperLU.

Lines without impedance keep their currents as unknowns (modified nodal analysis), so nothing is divided by zero.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from heptagrid.foundation.errors import NetworkError
from heptagrid.foundation.kernel import kernel
from heptagrid.planes.power.unbalanced.draws import PhaseCircuits, drawn
from heptagrid.world.circuit import Complex, Floats, Ints


class SparseNetwork:
    """V from Y V = I, and the fixed point in which I follows V.

    y_s: (nodes, nodes). bonds: (bonds, 2) pairs of nodes that are one. source_a: (nodes,) currents of the sources.
    v_scale_v: (nodes,) base voltages, against which changes are measured.
    """

    def __init__(
        self, y_s: scipy.sparse.csc_matrix, bonds: Ints, source_a: Complex, circuits: PhaseCircuits, v_scale_v: Floats
    ) -> None:
        nodes = y_s.shape[0]
        self._source_a = np.concatenate([source_a, np.zeros(len(bonds))])
        self._circuits = circuits
        self._per_scale = 1.0 / v_scale_v
        if len(bonds):
            pair, end = np.nonzero(bonds >= 0)
            sign = np.where(end == 0, 1.0, -1.0)
            tie = scipy.sparse.csc_matrix((sign, (bonds[pair, end], pair)), shape=(nodes, len(bonds)))
            y_s = scipy.sparse.bmat([[y_s, tie], [tie.T, None]], format="csc")
        try:
            self._lu = scipy.sparse.linalg.splu(y_s)
        except RuntimeError as error:
            raise NetworkError(
                f"the circuit's admittance matrix cannot be factorised ({error}); a part of it floats"
            ) from error
        self._nodes = nodes

    def start(self) -> Complex:
        """(nodes,) voltages with the linear parts of the devices alone."""
        return np.ascontiguousarray(self._lu.solve(self._source_a)[: self._nodes])

    def iterate(self, p_w: Floats, q_var: Floats, v: Complex, tolerance_pu: float, most: int) -> tuple[int, float]:
        """Solve in place of v (nodes,); p_w, q_var: (circuits,). Iterations, and the last change in per unit."""
        circuits = self._circuits
        change = before = np.inf
        for iteration in range(1, most + 1):
            injected = self._source_a.copy()
            _inject(
                *(circuits.from_node, circuits.to_node, circuits.model, circuits.limits_v, circuits.shape),
                *(circuits.linear_s, p_w, q_var, v, injected),
            )
            after = self._lu.solve(injected)[: self._nodes]
            change = float(np.max(np.abs(after - v) * self._per_scale))
            v[:] = after
            if not np.isfinite(change):
                return most + 1, change
            if change == 0.0 or settled(change, before, tolerance_pu):
                return iteration, change
            before = change
        return most + 1, change


@kernel(allocates=False)
def _inject(from_node, to_node, model, limits_v, shape, linear_s, p_w, q_var, v, injected):  # type: ignore[no-untyped-def]
    """Add to `injected` the currents of the devices beyond their linear parts."""
    for k in range(from_node.shape[0]):
        a, b = from_node[k], to_node[k]
        across = (v[a] if a >= 0 else 0j) - (v[b] if b >= 0 else 0j)
        re, im = drawn(model[k], p_w[k], q_var[k], limits_v[k], shape[k], across.real, across.imag)
        current = linear_s[k] * across - complex(re, im)
        if a >= 0:
            injected[a] += current
        if b >= 0:
            injected[b] -= current


def settled(change: float, before: float, tolerance_pu: float) -> bool:
    """Whether the error left is below the tolerance, when changes shrink by the factor of the last two.

    Changes below the tolerance that no longer shrink are rounding.
    """
    factor = change / before
    return change <= tolerance_pu and (factor >= 1.0 or change * factor / (1.0 - factor) <= tolerance_pu)
