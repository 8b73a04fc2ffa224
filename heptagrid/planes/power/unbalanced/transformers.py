"""Primitive admittances of transformers of any number of windings and connection.

Source: OpenDSS's model (Dugan, "A perspective on transformer modeling for distribution system analysis", 2003). Leakage
impedances of all pairs of windings, on a base of one volt, give an admittance matrix between coils; turns, taps and connections
take it to the conductors. Core losses and magnetising current lie across the second winding.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from heptagrid.planes.power.unbalanced.primitives import Primitives, members, pack
from heptagrid.world.circuit.circuit import Complex, Connection, Floats, Ints, Transformers

SOLID_S = 1e6  # a solidly grounded neutral that has a node of its own


def transformer_primitives(transformers: Transformers, tap_pu: Floats) -> Primitives:
    """tap_pu: (windings,). The conductors are those of the windings, one after another."""
    windings = transformers.windings
    node_at = windings.conductor_at[transformers.winding_at]
    packed = pack(node_at, windings.node)
    _fill(packed, transformers, np.arange(len(transformers.phases)), tap_pu)
    return packed


def tapped(primitives: Primitives, transformers: Transformers, rows: Ints, tap_pu: Floats) -> Primitives:
    """The primitives with those of some transformers, `rows`, at other taps (windings,); what is left is the same."""
    moved = replace(primitives, y_s=primitives.y_s.copy())
    _fill(moved, transformers, rows, tap_pu)
    return moved


def _fill(packed: Primitives, transformers: Transformers, rows: Ints, tap_pu: Floats) -> None:
    for same in alike(transformers, rows):
        y = _matrices(transformers, same, tap_pu)
        packed.y_s[members(packed.matrix_at, same)] = y.reshape(len(same), -1)


def alike(transformers: Transformers, rows: Ints) -> list[Ints]:
    """Transformers of the same phases, windings and connections among `rows`, together."""
    windings = transformers.windings
    kinds: dict[tuple[int, ...], list[int]] = {}
    direction, phases = delta_direction(transformers), transformers.phases
    at = transformers.winding_at
    for k in rows.tolist():
        connections = windings.connection[at[k] : at[k + 1]].tolist()
        kinds.setdefault((int(phases[k]), int(direction[k]), *connections), []).append(k)
    return [np.array(same, dtype=np.int64) for same in kinds.values()]


def delta_direction(transformers: Transformers) -> Ints:
    """(transformers,) 1: a delta's coil k lies between conductors k and k + 1; -1: between k and k - 1.

    The high side leads by 30 degrees (`is_lead`) or lags.
    """
    windings = transformers.windings
    first = transformers.winding_at[:-1]
    same = windings.connection[first] == windings.connection[first + 1]
    high = np.where(windings.kv[first] >= windings.kv[first + 1], first, first + 1)
    high_is_delta = windings.connection[high] == Connection.DELTA
    return np.where(same | (high_is_delta == transformers.is_lead), 1, -1).astype(np.int64)


def coil_volts(transformers: Transformers) -> Floats:
    """(windings,) rated volts across a coil."""
    windings = transformers.windings
    phases = np.repeat(transformers.phases, np.diff(transformers.winding_at))
    is_wye = windings.connection == Connection.WYE
    return 1000.0 * windings.kv / np.where(is_wye & ((phases == 2) | (phases == 3)), np.sqrt(3.0), 1.0)


def coil_ends(phases: int, direction: int, connections: list[int]) -> Ints:
    """(phases, windings, 2) the conductors, counted through the transformer, between which each coil lies."""
    ends = np.empty((phases, len(connections), 2), dtype=np.int64)
    first = 0
    for w, connection in enumerate(connections):
        is_delta = connection == Connection.DELTA
        conductors = phases if is_delta and phases > 2 else phases + 1
        for k in range(phases):
            if phases == 1 or not is_delta:
                other = conductors - 1
            else:
                other = (k + direction) % conductors
            ends[k, w] = first + k, first + other
        first += conductors
    return ends


def _matrices(transformers: Transformers, rows: Ints, tap_pu: Floats) -> Complex:
    """(rows, n, n) of transformers that are alike."""
    windings = transformers.windings
    phases = int(transformers.phases[rows[0]])
    which = members(transformers.winding_at, rows)
    count = which.shape[1]
    ends = coil_ends(
        phases, int(delta_direction(transformers)[rows[0]]), windings.connection[which[0]].astype(int).tolist()
    )
    va_per_phase = 1000.0 * windings.kva[which[:, 0]] / phases
    volts = coil_volts(transformers)[which]
    between = _between_coils(transformers, rows, which, va_per_phase)

    tap = tap_pu[which]
    turns = 1.0 / (volts * np.where(tap == 0.0, 1e-4, tap))
    between = between * turns[:, :, None] * turns[:, None, :]
    ppm = 1e-6 * transformers.antifloat_ppm[rows]
    floating_s = -0.5j * ppm[:, None] * va_per_phase[:, None] / volts**2
    conductors = np.diff(windings.conductor_at)[which[0]]
    y = np.zeros((len(rows), int(conductors.sum()), int(conductors.sum())), dtype=np.complex128)
    for k in range(phases):
        for a in range(count):
            for b in range(count):
                (a_from, a_to), (b_from, b_to) = ends[k, a], ends[k, b]
                y[:, a_from, b_from] += between[:, a, b]
                y[:, a_to, b_to] += between[:, a, b]
                y[:, a_from, b_to] -= between[:, a, b]
                y[:, a_to, b_from] -= between[:, a, b]
            for end in ends[k, a]:
                y[:, end, end] += floating_s[:, a]
    last = np.cumsum(conductors) - 1
    for w in range(count):
        if windings.connection[which[0, w]] == Connection.WYE:
            z = windings.neutral_ohm[which[:, w]]
            is_open = np.isnan(z.real)
            solid = np.where(is_open | (z == 0.0), SOLID_S, 1.0 / np.where(is_open | (z == 0.0), 1.0, z))
            y[:, last[w], last[w]] += np.where(is_open, floating_s[:, w], solid)
    return y


def _between_coils(transformers: Transformers, rows: Ints, which: Ints, va_per_phase: Floats) -> Complex:
    """(rows, windings, windings) admittances between the coils of one phase, on a base of one volt."""
    count = which.shape[1]
    r = transformers.windings.r_percent[which] / 100.0
    x = transformers.x_percent[members(transformers.x_at, rows)] / 100.0
    pair: dict[tuple[int, int], Complex] = {}
    for a in range(count):
        for b in range(a + 1, count):
            pair[a, b] = r[:, a] + r[:, b] + 1j * x[:, len(pair)]
    z = np.empty((len(rows), count - 1, count - 1), dtype=np.complex128)
    for a in range(1, count):
        for b in range(1, count):
            far = pair[min(a, b), max(a, b)] if a != b else 0.0
            z[:, a - 1, b - 1] = 0.5 * (pair[0, a] + pair[0, b] - far)
    z /= va_per_phase[:, None, None]
    incidence = np.concatenate([np.full((1, count - 1), -1.0), np.eye(count - 1)])
    y: Complex = incidence @ np.linalg.inv(z) @ incidence.T
    core = transformers.no_load_loss_percent[rows] - 1j * transformers.magnetizing_percent[rows]
    y[:, 1, 1] += core / 100.0 * va_per_phase
    return y
