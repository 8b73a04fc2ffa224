"""The passes of the sweeps over an eliminated tree: voltages downward, currents upward.

Voltages and currents are pairs of reals. Rows of up to three conductors are unrolled; matrices lie column by column in the order in which
the passes meet them. Conductor `ground`, the last, stays at zero volts and collects what flows to it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.array_shapes import line, rows
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.power.unbalanced.draws import CONSTANT_POWER, drawn

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Downward(NamedTuple):
    """What a pass downward goes through. size, above, injecting: (groups,) conductors of each, above it, and where currents flow in.

    first, injecting_first: the first of them. up: the conductors above, packed. cells: the matrices.
    """

    size: Ints
    above: Ints
    first: Ints
    injecting_first: Ints
    injecting: Ints
    up: Ints
    cells: Floats


class CutLoops(NamedTuple):
    """Lines that close loops, cut: conductors at both ends, z and the inverse that closes them (pairs of reals); lack: room."""

    from_conductor: Ints
    to_conductor: Ints
    z_ohm: Floats
    inverse: Floats
    lack: Floats


class Passes(NamedTuple):
    """Voltages v, two sets of injected currents that take turns, and the currents of cut loops; pairs of reals, renewed in place."""

    v: Floats
    now: Floats
    after: Floats
    loop_a: Floats


@kernel(allocates=False)
def inject(legs_of, leg_s, power, v, injected):  # type: ignore[no-untyped-def]
    """Add to `injected` what the phase circuits' linear parts draw more than the phase circuits. power: (legs, 2) W and var.

    legs_of: `CircuitModels`, with conductors of the tree as nodes.
    """
    leg_from, leg_to, model, limits_v, shape = legs_of
    legs = leg_from.shape[0]
    leg_from, leg_to, model, v, injected = line(leg_from), line(leg_to), line(model), line(v), line(injected)
    power, leg_s = rows(power, 2), rows(leg_s, 4)
    limits_v = rows(limits_v, 4)
    for leg in range(legs):
        a, b = 2 * leg_from[leg], 2 * leg_to[leg]
        re, im = v[a] - v[b], v[a + 1] - v[b + 1]
        p, q = power[leg, 0], power[leg, 1]
        square = re * re + im * im
        least, most = limits_v[leg, 2], limits_v[leg, 3]
        if model[leg] == CONSTANT_POWER and least * least < square <= most * most:
            over = 1.0 / square
            g, negative_b = p * over, q * over
            drawn_re, drawn_im = g * re + negative_b * im, g * im - negative_b * re
        else:
            drawn_re, drawn_im = drawn(model[leg], p, q, limits_v[leg], shape[leg], re, im)
        left_re = leg_s[leg, 0] * re + leg_s[leg, 1] * im - drawn_re
        left_im = leg_s[leg, 2] * re + leg_s[leg, 3] * im - drawn_im
        injected[a] += left_re
        injected[a + 1] += left_im
        injected[b] -= left_re
        injected[b + 1] -= left_im


@kernel(allocates=False)
def down(groups_down, weight, v, current):  # type: ignore[no-untyped-def]
    """New voltages of groups from those above and the currents injected below; the greatest squared change in per unit.

    groups_down: `Downward`. weight: (conductors,) 1 / base volts squared.
    """
    o, w, worst = 0, 0, 0.0
    size, above, first, injecting_first, injecting, up, cells = groups_down
    groups = size.shape[0]
    size, above, first, injecting_first = line(size), line(above), line(first), line(injecting_first)
    injecting, up, cells, weight, v, current = (
        line(injecting),
        line(up),
        line(cells),
        line(weight),
        line(v),
        line(current),
    )
    for k in range(groups):
        n, m, c = size[k], above[k], 2 * first[k]
        i_first = 2 * injecting_first[k]
        i_last = i_first + 2 * injecting[k]
        if n == 1:
            r0, r1 = 0.0, 0.0
            for j in range(w, w + m):
                u = 2 * up[j]
                r0, r1 = _column_2(cells, o, v[u], r0, r1)
                r0, r1 = _column_2(cells, o + 2, v[u + 1], r0, r1)
                o += 4
            for j in range(i_first, i_last):
                r0, r1 = _column_2(cells, o, current[j], r0, r1)
                o += 2
            worst = _set(v, c, r0, r1, weight, worst)
        elif n == 2:
            r0, r1, r2, r3 = 0.0, 0.0, 0.0, 0.0
            for j in range(w, w + m):
                u = 2 * up[j]
                r0, r1, r2, r3 = _column_4(cells, o, v[u], r0, r1, r2, r3)
                r0, r1, r2, r3 = _column_4(cells, o + 4, v[u + 1], r0, r1, r2, r3)
                o += 8
            for j in range(i_first, i_last):
                r0, r1, r2, r3 = _column_4(cells, o, current[j], r0, r1, r2, r3)
                o += 4
            worst = _set(v, c, r0, r1, weight, worst)
            worst = _set(v, c + 2, r2, r3, weight, worst)
        elif n == 3:
            r0, r1, r2, r3, r4, r5 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
            for j in range(w, w + m):
                u = 2 * up[j]
                r0, r1, r2, r3, r4, r5 = _column_6(cells, o, v[u], r0, r1, r2, r3, r4, r5)
                r0, r1, r2, r3, r4, r5 = _column_6(cells, o + 6, v[u + 1], r0, r1, r2, r3, r4, r5)
                o += 12
            for j in range(i_first, i_last):
                r0, r1, r2, r3, r4, r5 = _column_6(cells, o, current[j], r0, r1, r2, r3, r4, r5)
                o += 6
            worst = _set(v, c, r0, r1, weight, worst)
            worst = _set(v, c + 2, r2, r3, weight, worst)
            worst = _set(v, c + 4, r4, r5, weight, worst)
        else:
            height = 2 * n
            for i in range(0, height, 2):
                r0, r1 = 0.0, 0.0
                at = o + i
                for j in range(w, w + m):
                    u = 2 * up[j]
                    r0, r1 = _column_2(cells, at, v[u], r0, r1)
                    r0, r1 = _column_2(cells, at + height, v[u + 1], r0, r1)
                    at += 2 * height
                for j in range(i_first, i_last):
                    r0, r1 = _column_2(cells, at, current[j], r0, r1)
                    at += height
                worst = _set(v, c + i, r0, r1, weight, worst)
            o += height * (2 * m + i_last - i_first)
        w += m
    return worst


@kernel(allocates=False)
def upward(groups_down, cells, current):  # type: ignore[no-untyped-def]
    """Add the steps' currents to those of the conductors above, from the last step to the first; cells: the matrices of this pass."""
    size, above, first, up = groups_down.size, groups_down.above, groups_down.first, groups_down.up
    o, w, groups = cells.shape[0], up.shape[0], size.shape[0]
    size, above, first, up, cells, current = line(size), line(above), line(first), line(up), line(cells), line(current)
    for k in range(groups - 1, -1, -1):
        n, m, c = size[k], above[k], 2 * first[k]
        w -= m
        o -= 4 * n * m
        at = o
        if m == 1:
            u = 2 * up[w]
            r0, r1 = current[u], current[u + 1]
            for j in range(c, c + 2 * n):
                r0, r1 = _column_2(cells, at, current[j], r0, r1)
                at += 2
            current[u], current[u + 1] = r0, r1
        elif m == 2:
            r0, r1, r2, r3 = 0.0, 0.0, 0.0, 0.0
            for j in range(c, c + 2 * n):
                r0, r1, r2, r3 = _column_4(cells, at, current[j], r0, r1, r2, r3)
                at += 4
            _add(current, up[w], r0, r1)
            _add(current, up[w + 1], r2, r3)
        elif m == 3:
            r0, r1, r2, r3, r4, r5 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
            for j in range(c, c + 2 * n):
                r0, r1, r2, r3, r4, r5 = _column_6(cells, at, current[j], r0, r1, r2, r3, r4, r5)
                at += 6
            _add(current, up[w], r0, r1)
            _add(current, up[w + 1], r2, r3)
            _add(current, up[w + 2], r4, r5)
        else:
            for i in range(m):
                r0, r1 = 0.0, 0.0
                for j in range(2 * n):
                    r0, r1 = _column_2(cells, at + j * 2 * m + 2 * i, current[c + j], r0, r1)
                _add(current, up[w + i], r0, r1)


@kernel(allocates=False)
def _column_2(cells, o, x, r0, r1):  # type: ignore[no-untyped-def]
    return r0 + cells[o] * x, r1 + cells[o + 1] * x


@kernel(allocates=False)
def _column_4(cells, o, x, r0, r1, r2, r3):  # type: ignore[no-untyped-def]
    return r0 + cells[o] * x, r1 + cells[o + 1] * x, r2 + cells[o + 2] * x, r3 + cells[o + 3] * x


@kernel(allocates=False)
def _column_6(cells, o, x, r0, r1, r2, r3, r4, r5):  # type: ignore[no-untyped-def]
    return (
        *(r0 + cells[o] * x, r1 + cells[o + 1] * x, r2 + cells[o + 2] * x),
        *(r3 + cells[o + 3] * x, r4 + cells[o + 4] * x, r5 + cells[o + 5] * x),
    )


@kernel(allocates=False)
def _set(v, at, re, im, weight, worst):  # type: ignore[no-untyped-def]
    """Set a conductor's voltage; the greater of `worst` and its squared change."""
    change = ((re - v[at]) ** 2 + (im - v[at + 1]) ** 2) * weight[at // 2]
    v[at], v[at + 1] = re, im
    return worst if change <= worst else change  # a NaN stays


@kernel(allocates=False)
def _add(current, conductor, re, im):  # type: ignore[no-untyped-def]
    current[2 * conductor] += re
    current[2 * conductor + 1] += im


@kernel(allocates=False)
def solve(steps, up_cells, legs, leg_s, power, weight, loops, passes, tolerance, most):  # type: ignore[no-untyped-def]
    """The fixed point, starting from v: iterations (most + 1 if it is not found) and the last change in per unit.

    steps: `Downward`, up_cells: the matrices of the pass upward; legs: `CircuitModels`; loops: `CutLoops`; passes: `Passes`. In the end v and
    `now`, or with an even number of iterations `after`, belong to each other.
    """
    v, now, after, loop_a = passes
    now[:] = 0.0
    inject(legs, leg_s, power, v, now)
    _close(loops, loop_a, now)
    change = before = np.inf
    for iteration in range(1, most + 1):
        upward(steps, up_cells, now)
        change = np.sqrt(down(steps, weight, v, now))
        if settled(change, before, tolerance):
            return iteration, change
        if not np.isfinite(change):
            break
        before = change
        after[:] = 0.0
        inject(legs, leg_s, power, v, after)
        _correct(loops, v, loop_a)
        _close(loops, loop_a, after)
        now, after = after, now
    return most + 1, change


@kernel(allocates=False)
def settled(change, before, tolerance):  # type: ignore[no-untyped-def]
    """Whether the error left is below the tolerance, when changes shrink by the factor of the last two.

    Changes below the tolerance that no longer shrink are rounding.
    """
    if change == 0.0:
        return True
    factor = change / before
    return change <= tolerance and (factor >= 1.0 or change * factor <= tolerance * (1.0 - factor))


@kernel(allocates=False)
def _correct(loops, v, loop_a):  # type: ignore[no-untyped-def]
    """Change the loops' currents by what their ends' voltages lack of the drop along the line."""
    from_conductor, to_conductor, z, inverse, lack = loops
    rows = lack.shape[0]
    for i in range(rows):
        lack[i] = v[2 * from_conductor[i // 2] + i % 2] - v[2 * to_conductor[i // 2] + i % 2]
        for j in range(rows):
            lack[i] -= z[i, j] * loop_a[j]
    for i in range(rows):
        for j in range(rows):
            loop_a[i] += inverse[i, j] * lack[j]


@kernel(allocates=False)
def _close(loops, loop_a, current):  # type: ignore[no-untyped-def]
    from_conductor, to_conductor = loops.from_conductor, loops.to_conductor
    for i in range(loop_a.shape[0]):
        current[2 * from_conductor[i // 2] + i % 2] -= loop_a[i]
        current[2 * to_conductor[i // 2] + i % 2] += loop_a[i]
