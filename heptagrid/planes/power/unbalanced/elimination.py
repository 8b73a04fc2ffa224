"""Elimination of a tree of conductor groups, leaf to root, and its reduction to the groups where currents are injected.

With Y the admittance at and below a group and J the currents injected there,

    V = N V_above + K J,        J_above += M J,        Y_above += Y_up,

where a series impedance Z gives N = (I + Z Y)^-1, K = N Z, M = I - Y K, Y_up = Y N, and a block of admittances
K = (Y_ll + Y)^-1, N = -K Y_lu, M = -Y_ul K, Y_up = Y_uu + Y_ul N. The matrices are real: each conductor has a row for the real and one for
the imaginary part, so that the devices' linear parts may be any real matrices, Newton's among them.

Chains of groups in which nothing is injected are joined to one step of the sweeps; what hangs without any injection below it is left
out of them. Both are filled in from the rest once it is solved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.power.unbalanced.blocks import GroupTree
from heptagrid.world.circuit.circuit import Bools, Complex, Floats, Ints


class TreeArrays(NamedTuple):
    """A `GroupTree` as the kernels take it."""

    conductor_at: Ints
    parent: Ints
    up_at: Ints
    up: Ints
    is_series: Bools
    block_at: Ints
    block: Complex
    shunt_at: Ints
    shunt_s: Complex


class LinearLegs(NamedTuple):
    """The devices' linear parts by group: linear_s (legs, 4), a real matrix of each, row by row; ground: the conductor that is none."""

    leg_at: Ints
    from_conductor: Ints
    to_conductor: Ints
    linear_s: Floats
    ground: int


class GroupMatrices(NamedTuple):
    """N and M of the groups at inner_at, and K at 4 * shunt_at of the tree, column by column."""

    inner_at: Ints
    n: Floats
    k: Floats
    m: Floats


class PassCells(NamedTuple):
    """What the passes need: N and K of each step, M of each step, and N of each group filled in, with what injections below do to it."""

    down: Floats
    up: Floats
    filled: Floats


@dataclass(frozen=True)
class Legs:
    """Phase circuits in the order of the tree. circuit: (legs,) of PhaseCircuits. leg_at: (groups + 1,).

    from_conductor, to_conductor: (legs,) of the tree; the ground is one beyond its last.
    """

    circuit: Ints
    leg_at: Ints
    from_conductor: Ints
    to_conductor: Ints


@dataclass(frozen=True)
class Steps:
    """What a downward pass goes through, in the order of the tree: the steps of the sweeps, or the groups filled in afterwards.

    group: (steps,). size, above: conductors of each, and those above. first: its first conductor. injecting_first, injecting: the conductors
    whose injection reaches it from below. up: the conductors above, packed.
    """

    group: Ints
    size: Ints
    above: Ints
    first: Ints
    injecting_first: Ints
    injecting: Ints
    up: Ints

    @property
    def down_cells(self) -> Ints:
        """(steps,) numbers that the pass needs of each."""
        return 4 * self.size * (self.above + self.injecting)


def steps_of(tree: GroupTree, injects: Bools) -> tuple[Steps, Steps, Ints]:
    """The steps, the groups to fill in, and (groups,) the group of the step below each of these (-1: none).

    injects: (groups,) whether currents are injected at the group.
    """
    is_step, top, end = _chains(tree.parent, injects)
    size, above = np.diff(tree.conductor_at), np.diff(tree.up_at)
    steps, filled = np.flatnonzero(is_step), np.flatnonzero(~is_step)
    highest, below = top[steps], end[filled]
    return (
        Steps(
            group=steps,
            size=size[steps],
            above=above[highest],
            first=tree.conductor_at[steps],
            injecting_first=tree.conductor_at[steps],
            injecting=size[steps],
            up=tree.up[_packed(tree.up_at, highest)],
        ),
        Steps(
            group=filled,
            size=size[filled],
            above=above[filled],
            first=tree.conductor_at[filled],
            injecting_first=tree.conductor_at[below],
            injecting=np.where(below >= 0, size[below], 0),
            up=tree.up[_packed(tree.up_at, filled)],
        ),
        end,
    )


def _packed(at: Ints, rows: Ints) -> Ints:
    """Positions of the members of these rows, one row after another."""
    count = at[rows + 1] - at[rows]
    return np.repeat(at[rows] - np.cumsum(count) + count, count) + np.arange(int(count.sum()))


@kernel
def _chains(parent, injects):  # type: ignore[no-untyped-def]
    """Which groups are steps, the uppermost group of each step's chain, and the step at the lower end of each other group's."""
    groups = parent.shape[0]
    below = np.zeros(groups, dtype=np.int64)  # children with an injection at or below them
    is_step = np.zeros(groups, dtype=np.bool_)
    top = np.full(groups, -1, dtype=np.int64)
    end = np.full(groups, -1, dtype=np.int64)
    for k in range(groups - 1, -1, -1):
        if injects[k] or below[k] > 0:
            if parent[k] >= 0:
                below[parent[k]] += 1
            is_step[k] = injects[k] or below[k] > 1
    for k in range(groups):
        if is_step[k]:
            top[k] = k
            up = parent[k]
            while up >= 0 and not is_step[up]:
                top[k] = up
                end[up] = k
                up = parent[up]
    return is_step, top, end


@kernel
def eliminate(tree, legs, matrices):  # type: ignore[no-untyped-def]
    """Fill in `GroupMatrices` for `TreeArrays` and `LinearLegs`; the group at which it failed, or -1."""
    conductor_at, parent, up_at, up, is_series, block_at, block, shunt_at, shunt_s = tree
    leg_at, leg_from, leg_to, leg_s, ground = legs
    inner_at, n_cells, k_cells, m_cells = matrices
    groups = parent.shape[0]
    widest = 0
    for k in range(groups):
        widest = max(widest, 2 * (conductor_at[k + 1] - conductor_at[k] + up_at[k + 1] - up_at[k]))
    below = np.zeros(4 * shunt_at[groups])  # (2n, 2n) at 4 * shunt_at, row by row: what lies at and below each group
    y, a = np.zeros((widest, widest)), np.zeros((widest, widest))
    b, z = np.zeros((widest, widest)), np.zeros((widest, widest))
    for k in range(groups - 1, -1, -1):
        first = conductor_at[k]
        n, m = conductor_at[k + 1] - first, up_at[k + 1] - up_at[k]
        rows, columns = 2 * n, 2 * m
        _at_group(y, n, below[4 * shunt_at[k] :], shunt_s[shunt_at[k] :])
        for leg in range(leg_at[k], leg_at[k + 1]):
            _add_leg(y, leg_s[leg], leg_from[leg], leg_to[leg], first, ground)
        n_out = n_cells[inner_at[k] : inner_at[k + 1]]
        m_out = m_cells[inner_at[k] : inner_at[k + 1]]
        k_out = k_cells[4 * shunt_at[k] : 4 * shunt_at[k + 1]]
        if is_series[k]:
            _real(z, n, block[block_at[k] :])
            _multiply(z, y, rows, rows, rows, a)
            for i in range(rows):
                a[i, i] += 1.0
            if not _invert(a, b, rows):
                return k
            _multiply(b, z, rows, rows, rows, a)  # K
            _store(k_out, a, rows, rows)
            _store(n_out, b, rows, rows)
            _multiply(y, a, rows, rows, rows, z)
            for i in range(rows):
                for j in range(rows):
                    z[i, j] = (1.0 if i == j else 0.0) - z[i, j]
            _store(m_out, z, rows, rows)
            _multiply(y, b, rows, rows, rows, a)  # Y_up
        else:
            # In terms of the first conductor and the others' differences to it, a part that floats keeps its digits.
            _real(z, m + n, block[block_at[k] :])
            for i in range(rows):
                for j in range(rows):
                    b[i, j] = z[columns + i, columns + j] + y[i, j]
            _sum_rows(b, 0, rows, rows)
            _sum_columns(b, 0, rows, rows)
            _sum_rows(z, columns, rows, columns)
            _sum_columns(z, columns, rows, columns)
            if not _invert(b, a, rows):
                return k
            for i in range(columns):
                for j in range(rows):
                    total = 0.0
                    for h in range(rows):
                        total -= z[i, columns + h] * a[h, j]
                    y[i, j] = total  # M
            _spread_columns(y, columns, rows)
            _store(m_out, y, columns, rows)
            for i in range(rows):
                for j in range(columns):
                    total = 0.0
                    for h in range(rows):
                        total -= a[i, h] * z[columns + h, j]
                    b[i, j] = total  # N
            for i in range(columns):
                for j in range(columns):
                    total = z[i, j]
                    for h in range(rows):
                        total += z[i, columns + h] * b[h, j]
                    y[i, j] = total  # Y_up
            _spread_rows(b, rows, columns)
            _store(n_out, b, rows, columns)
            _spread_rows(a, rows, rows)
            _spread_columns(a, rows, rows)
            _store(k_out, a, rows, rows)
            a, y = y, a
        if parent[k] >= 0:
            above = conductor_at[parent[k]]
            width = 2 * (conductor_at[parent[k] + 1] - above)
            out = below[4 * shunt_at[parent[k]] :]
            for i in range(m):
                for j in range(m):
                    row, column = 2 * (up[up_at[k] + i] - above), 2 * (up[up_at[k] + j] - above)
                    for r in range(2):
                        for c in range(2):
                            out[(row + r) * width + column + c] += a[2 * i + r, 2 * j + c]
    return -1


@kernel
def reduce_chains(tree, matrices, step_group, end_of, filled_at, cells):  # type: ignore[no-untyped-def]
    """Pack N and K, and M, of each step with the chain above it; for each other group N, and what the injection below does to its voltages.

    end_of: (groups,) the group of the step at the lower end of a chain. filled_at: (groups,) where the others' go. cells: `PassCells`.
    """
    conductor_at, parent, up_at, up, shunt_at = tree.conductor_at, tree.parent, tree.up_at, tree.up, tree.shunt_at
    inner_at, n_cells, k_cells, m_cells = matrices
    down_cells, up_cells, filled_cells = cells
    widest = 2
    for k in range(parent.shape[0]):
        widest = max(widest, 2 * (conductor_at[k + 1] - conductor_at[k]), 2 * (up_at[k + 1] - up_at[k]))
        if filled_at[k] >= 0:
            for i in range(inner_at[k + 1] - inner_at[k]):
                filled_cells[filled_at[k] + i] = n_cells[inner_at[k] + i]
    n_, k_, m_ = np.zeros((widest, widest)), np.zeros((widest, widest)), np.zeros((widest, widest))
    g_, t_ = np.zeros((widest, widest)), np.zeros((widest, widest))
    down, upward = 0, 0
    for s in range(step_group.shape[0]):
        k = step_group[s]
        rows = 2 * (conductor_at[k + 1] - conductor_at[k])
        columns = 2 * (up_at[k + 1] - up_at[k])
        _load(n_cells[inner_at[k] :], n_, rows, columns)
        _load(m_cells[inner_at[k] :], m_, columns, rows)
        _load(k_cells[4 * shunt_at[k] :], k_, rows, rows)
        lowest, c = k, parent[k]
        while c >= 0 and end_of[c] == k:
            out = filled_cells[filled_at[c] :]
            wide, high = 2 * (up_at[c + 1] - up_at[c]), 2 * (conductor_at[c + 1] - conductor_at[c])
            base = conductor_at[c]
            nc = n_cells[inner_at[c] :]
            kc = k_cells[4 * shunt_at[c] :]
            mc = m_cells[inner_at[c] :]
            for i in range(high):
                for j in range(rows):
                    total = 0.0
                    for h in range(columns):
                        at = 2 * (up[up_at[lowest] + h // 2] - base) + h % 2
                        total += kc[at * high + i] * m_[h, j]
                    g_[i, j] = total
                    out[(wide + j) * high + i] = total
            for i in range(rows):
                for j in range(rows):
                    for h in range(columns):
                        at = 2 * (up[up_at[lowest] + h // 2] - base) + h % 2
                        k_[i, j] += n_[i, h] * g_[at, j]
            for i in range(rows):
                for j in range(wide):
                    total = 0.0
                    for h in range(columns):
                        at = 2 * (up[up_at[lowest] + h // 2] - base) + h % 2
                        total += n_[i, h] * nc[j * high + at]
                    t_[i, j] = total
            n_, t_ = t_, n_
            for i in range(wide):
                for j in range(rows):
                    total = 0.0
                    for h in range(columns):
                        at = 2 * (up[up_at[lowest] + h // 2] - base) + h % 2
                        total += mc[at * wide + i] * m_[h, j]
                    t_[i, j] = total
            m_, t_ = t_, m_
            columns, lowest, c = wide, c, parent[c]
        _store(down_cells[down:], n_, rows, columns)
        down += rows * columns
        _store(down_cells[down:], k_, rows, rows)
        down += rows * rows
        _store(up_cells[upward:], m_, columns, rows)
        upward += rows * columns


@kernel
def _at_group(y, n, below, shunt_s):  # type: ignore[no-untyped-def]
    for i in range(n):
        for j in range(n):
            value = shunt_s[i * n + j]
            y[2 * i, 2 * j] = below[2 * i * 2 * n + 2 * j] + value.real
            y[2 * i, 2 * j + 1] = below[2 * i * 2 * n + 2 * j + 1] - value.imag
            y[2 * i + 1, 2 * j] = below[(2 * i + 1) * 2 * n + 2 * j] + value.imag
            y[2 * i + 1, 2 * j + 1] = below[(2 * i + 1) * 2 * n + 2 * j + 1] + value.real


@kernel
def _add_leg(y, leg_s, from_conductor, to_conductor, first, ground):  # type: ignore[no-untyped-def]
    for r in range(2):
        for c in range(2):
            value = leg_s[2 * r + c]
            i, j = 2 * (from_conductor - first), 2 * (to_conductor - first)
            if from_conductor != ground:
                y[i + r, i + c] += value
            if to_conductor != ground:
                y[j + r, j + c] += value
            if from_conductor != ground and to_conductor != ground:
                y[i + r, j + c] -= value
                y[j + r, i + c] -= value


@kernel
def _real(out, n, values):  # type: ignore[no-untyped-def]
    """The complex matrix (n, n) as a real one of twice the size."""
    for i in range(n):
        for j in range(n):
            value = values[i * n + j]
            out[2 * i, 2 * j], out[2 * i, 2 * j + 1] = value.real, -value.imag
            out[2 * i + 1, 2 * j], out[2 * i + 1, 2 * j + 1] = value.imag, value.real


@kernel
def _sum_rows(matrix, first, rows, columns):  # type: ignore[no-untyped-def]
    """Add to the first conductor's rows those of the others."""
    for i in range(first + 2, first + rows):
        for j in range(columns):
            matrix[first + i % 2, j] += matrix[i, j]


@kernel
def _sum_columns(matrix, first, columns, rows):  # type: ignore[no-untyped-def]
    for i in range(rows):
        for j in range(first + 2, first + columns):
            matrix[i, first + j % 2] += matrix[i, j]


@kernel
def _spread_rows(matrix, rows, columns):  # type: ignore[no-untyped-def]
    """Add to the other conductors' rows those of the first."""
    for i in range(2, rows):
        for j in range(columns):
            matrix[i, j] += matrix[i % 2, j]


@kernel
def _spread_columns(matrix, rows, columns):  # type: ignore[no-untyped-def]
    for i in range(rows):
        for j in range(2, columns):
            matrix[i, j] += matrix[i, j % 2]


@kernel
def _multiply(left, right, rows, inner, columns, out):  # type: ignore[no-untyped-def]
    for i in range(rows):
        for j in range(columns):
            total = 0.0
            for h in range(inner):
                total += left[i, h] * right[h, j]
            out[i, j] = total


@kernel
def _store(out, matrix, rows, columns):  # type: ignore[no-untyped-def]
    """Column by column."""
    for j in range(columns):
        for i in range(rows):
            out[j * rows + i] = matrix[i, j]


@kernel
def _load(cells, out, rows, columns):  # type: ignore[no-untyped-def]
    for j in range(columns):
        for i in range(rows):
            out[i, j] = cells[j * rows + i]


@kernel
def _invert(matrix, out, n):  # type: ignore[no-untyped-def]
    """The inverse (n, n) by Gauss and Jordan with pivots by rows; the matrix is used up. False when it is singular."""
    for i in range(n):
        for j in range(n):
            out[i, j] = 1.0 if i == j else 0.0
    for k in range(n):
        pivot = k
        for i in range(k + 1, n):
            if abs(matrix[i, k]) > abs(matrix[pivot, k]):
                pivot = i
        if not abs(matrix[pivot, k]) > 0.0:
            return False
        if pivot != k:
            for j in range(n):
                matrix[k, j], matrix[pivot, j] = matrix[pivot, j], matrix[k, j]
                out[k, j], out[pivot, j] = out[pivot, j], out[k, j]
        scale = 1.0 / matrix[k, k]
        for j in range(n):
            matrix[k, j] *= scale
            out[k, j] *= scale
        for i in range(n):
            if i != k and matrix[i, k] != 0.0:
                factor = matrix[i, k]
                for j in range(n):
                    matrix[i, j] -= factor * matrix[k, j]
                    out[i, j] -= factor * out[k, j]
    return True
