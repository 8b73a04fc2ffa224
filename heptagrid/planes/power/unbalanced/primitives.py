"""Primitive admittances: each element of a circuit as a symmetric matrix between its conductors.

Elements of one size are computed together. The ground is node -1; its rows stay in the matrices and are left out when the whole
network's matrix is put together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.world.circuit.circuit import Bools, Capacitors, Complex, Ints, Lines, Shunts, Sources

LEAST_SHARE = 1e-9
"""What is smaller than this share of an element's greatest admittance is no path of its own: the rest of rounding."""


@dataclass(frozen=True)
class Primitives:
    """Admittance matrices of several elements, packed.

    node_at: (elements + 1,) into node. matrix_at: (elements + 1,) into y_s, n x n each, row by row.
    """

    node_at: Ints
    node: Ints
    matrix_at: Ints
    y_s: Complex

    @property
    def elements(self) -> int:
        return len(self.node_at) - 1

    def matrix(self, element: int) -> Complex:
        """(n, n), a view."""
        n = int(self.node_at[element + 1] - self.node_at[element])
        return self.y_s[self.matrix_at[element] : self.matrix_at[element + 1]].reshape(n, n)

    def nodes(self, element: int) -> Ints:
        return self.node[self.node_at[element] : self.node_at[element + 1]]


def pack(node_at: Ints, node: Ints) -> Primitives:
    """Zero matrices between the nodes of each element."""
    sizes = np.diff(node_at)
    matrix_at = np.concatenate([[0], np.cumsum(sizes**2)])
    return Primitives(node_at, node, matrix_at, np.zeros(int(matrix_at[-1]), dtype=np.complex128))


def members(at: Ints, rows: Ints) -> Ints:
    """(rows, n) positions of what belongs to rows that all have n members."""
    n = int(at[rows[0] + 1] - at[rows[0]]) if len(rows) else 0
    return np.asarray(at[rows][:, None] + np.arange(n), dtype=np.int64)


def by_size(at: Ints) -> list[Ints]:
    """Rows of equal number of members, together."""
    sizes = np.diff(at)
    return [np.flatnonzero(sizes == n) for n in np.unique(sizes)]


def line_primitives(lines: Lines) -> Primitives:
    """Series impedance with half of the shunt at each end; from-conductors, then to-conductors.

    A conductor open at one end keeps its charging; open at both it floats, or without charging is not there. Lines without impedance
    (see `is_bond`) have no series admittance here.
    """
    n_of = np.diff(lines.node_at)
    node_at = np.concatenate([[0], np.cumsum(2 * n_of)])
    packed = pack(node_at, np.empty(int(node_at[-1]), dtype=np.int64))
    bonds = is_bond(lines)
    for rows in by_size(lines.node_at):
        n = int(n_of[rows[0]]) if len(rows) else 0
        at = members(lines.node_at, rows)
        packed.node[members(node_at, rows)] = np.concatenate([lines.from_node[at], lines.to_node[at]], axis=1)
        cells = members(lines.matrix_at, rows)
        z = lines.z_ohm[cells].reshape(-1, n, n)
        half = lines.y_s[cells].reshape(-1, n, n) / 2.0
        series = np.zeros_like(z)
        series[~bonds[rows]] = np.linalg.inv(z[~bonds[rows]])
        y = np.concatenate(
            [np.concatenate([series + half, -series], axis=2), np.concatenate([-series, series + half], axis=2)], axis=1
        )
        from_closed, to_closed = lines.from_closed[at], lines.to_closed[at]
        for k in np.flatnonzero(~(from_closed & to_closed).all(axis=1)):
            y[k] = _opened(z[k], half[k], from_closed[k], to_closed[k])
        packed.y_s[members(packed.matrix_at, rows)] = y.reshape(len(rows), -1)
    return packed


def is_bond(lines: Lines) -> Bools:
    """(lines,) closed lines without any impedance: both ends are one."""
    bonds = np.zeros(len(lines.names), dtype=np.bool_)
    for rows in by_size(lines.node_at):
        at = members(lines.node_at, rows)
        nothing = (lines.z_ohm[members(lines.matrix_at, rows)] == 0.0).all(axis=1)
        bonds[rows] = nothing & (lines.from_closed[at] & lines.to_closed[at]).all(axis=1)
    return bonds


def _opened(z: Complex, half: Complex, from_closed: Bools, to_closed: Bools) -> Complex:
    """The pi-model (2n, 2n) of a line some of whose conductors are open at an end."""
    n = len(z)
    there = np.flatnonzero(from_closed | to_closed | (half.diagonal() != 0.0))
    y = np.zeros((2 * n, 2 * n), dtype=np.complex128)
    both = np.concatenate([there, there + n])
    series = np.linalg.inv(z[np.ix_(there, there)])
    shunt = half[np.ix_(there, there)]
    y[np.ix_(both, both)] = np.block([[series + shunt, -series], [-series, series + shunt]])
    is_open = np.concatenate([~from_closed, ~to_closed])
    inner = np.flatnonzero(is_open & np.isin(np.arange(2 * n), both))
    outer = np.flatnonzero(~is_open)
    kept = np.zeros_like(y)
    kept[np.ix_(outer, outer)] = y[np.ix_(outer, outer)]
    if len(inner):
        coupling = y[np.ix_(outer, inner)]
        kept[np.ix_(outer, outer)] -= coupling @ np.linalg.solve(y[np.ix_(inner, inner)], coupling.T)
    return kept


def capacitor_primitives(capacitors: Capacitors, is_closed: Bools) -> Primitives:
    """Equal capacitances across the phase circuits; is_closed: (steps,)."""
    circuits = np.diff(capacitors.circuit_at)
    kvar = np.add.reduceat(np.append(capacitors.step_kvar * is_closed, 0.0), capacitors.step_at[:-1])
    kvar = np.where(np.diff(capacitors.step_at) > 0, kvar, 0.0)
    each_s = 1j * 1000.0 * kvar / circuits / capacitors.v_rated_v**2
    ends = np.stack([capacitors.circuit_from, capacitors.circuit_to], axis=1).ravel()
    return two_ended(capacitors.circuit_at, ends, np.repeat(each_s, circuits))


def two_ended(circuit_at: Ints, ends: Ints, y_s: Complex) -> Primitives:
    """Elements of several admittances y_s (circuits,), each between two of `ends` (2 * circuits,)."""
    packed = pack(2 * circuit_at, ends)
    size = 2 * np.diff(circuit_at)
    row = 2 * (np.arange(len(y_s)) - np.repeat(circuit_at[:-1], np.diff(circuit_at)))
    width = np.repeat(size, np.diff(circuit_at))
    first = np.repeat(packed.matrix_at[:-1], np.diff(circuit_at)) + row * width + row
    packed.y_s[first], packed.y_s[first + width + 1] = y_s, y_s
    packed.y_s[first + 1], packed.y_s[first + width] = -y_s, -y_s
    return packed


def shunt_primitives(shunts: Shunts) -> Primitives:
    return Primitives(shunts.node_at, shunts.node, shunts.matrix_at, shunts.y_s)


def source_primitives(sources: Sources) -> Primitives:
    """The admittances behind the sources; from-nodes, then to-nodes."""
    n_of = np.diff(sources.node_at)
    node_at = np.concatenate([[0], np.cumsum(2 * n_of)])
    packed = pack(node_at, np.empty(int(node_at[-1]), dtype=np.int64))
    for rows in by_size(sources.node_at):
        n = int(n_of[rows[0]]) if len(rows) else 0
        at = members(sources.node_at, rows)
        packed.node[members(node_at, rows)] = np.concatenate([sources.from_node[at], sources.to_node[at]], axis=1)
        y = sources.y_s[members(sources.matrix_at, rows)].reshape(-1, n, n)
        block = np.concatenate([np.concatenate([y, -y], axis=2), np.concatenate([-y, y], axis=2)], axis=1)
        packed.y_s[members(packed.matrix_at, rows)] = block.reshape(len(rows), -1)
    return packed


def has_impedance(sources: Sources) -> Bools:
    """(sources,) whether the admittance behind the source has an inverse; it has none where a sequence has no path."""
    found = np.zeros(len(sources.names), dtype=np.bool_)
    for rows in by_size(sources.node_at):
        if len(rows):
            n = int(sources.node_at[rows[0] + 1] - sources.node_at[rows[0]])
            y = sources.y_s[members(sources.matrix_at, rows)].reshape(-1, n, n)
            sizes = np.linalg.svd(y, compute_uv=False)
            found[rows] = sizes.min(axis=1) > LEAST_SHARE * sizes.max(axis=1)
    return found


def is_source_earthed(sources: Sources) -> Bools:
    """(sources,) whether current of a zero sequence has a path through the source."""
    found = np.zeros(len(sources.names), dtype=np.bool_)
    for k in range(len(found)):
        n = int(sources.node_at[k + 1] - sources.node_at[k])
        y = sources.y_s[sources.matrix_at[k] : sources.matrix_at[k + 1]].reshape(n, n)
        found[k] = np.abs(y.sum(axis=1)).max() > LEAST_SHARE * np.abs(y).max()
    return found


def currents(primitives: Primitives, v: Complex) -> Complex:
    """Into each element's conductors, packed as its nodes; v: (nodes,) to ground."""
    out = np.empty(len(primitives.node), dtype=np.complex128)
    _multiply(primitives.node_at, primitives.node, primitives.matrix_at, primitives.y_s, np.append(v, 0.0), out)
    return out


@kernel(allocates=False)
def _multiply(node_at, node, matrix_at, y_s, v, out):  # type: ignore[no-untyped-def]
    """Each element's matrix times its conductors' voltages; the last of v is the ground."""
    for k in range(node_at.shape[0] - 1):
        first, n = node_at[k], node_at[k + 1] - node_at[k]
        cell = matrix_at[k]
        for i in range(n):
            re, im = 0.0, 0.0
            for j in range(n):
                at = v[node[first + j]]
                y = y_s[cell]
                re += y.real * at.real - y.imag * at.imag
                im += y.real * at.imag + y.imag * at.real
                cell += 1
            out[first + i] = complex(re, im)


def cells(tables: list[Primitives]) -> tuple[Ints, Ints, Complex]:
    """Row, column and admittance of each entry of the whole network's matrix, without the ground; entries at one place are to be added."""
    rows: list[npt.NDArray[np.int64]] = []
    columns: list[npt.NDArray[np.int64]] = []
    values: list[Complex] = []
    for table in tables:
        for alike in by_size(table.node_at):
            at = members(table.node_at, alike)
            node = table.node[at]
            n = at.shape[1]
            rows.append(np.repeat(node, n, axis=1).ravel())
            columns.append(np.tile(node, (1, n)).ravel())
            values.append(table.y_s[members(table.matrix_at, alike)].ravel())
    row, column = np.concatenate(rows), np.concatenate(columns)
    kept = (row >= 0) & (column >= 0)
    return row[kept], column[kept], np.concatenate(values)[kept]
