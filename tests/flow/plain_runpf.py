"""MATPOWER's `runpf` in plain numpy, dense and slow: what a case's tables mean, and what limits of reactive power do.

Source: runpf.m, bustypes.m, makeYbus.m, pfsoln.m of MATPOWER 8 (BSD-3), with ENFORCE_Q_LIMS = 1 but for slack buses, which keep their voltage.
"""

from __future__ import annotations

import numpy as np

PQ, PV, SLACK, ISOLATED = 1, 2, 3, 4
VIOLATION_MVAR = 5e-6


def runpf(base_mva: float, bus: np.ndarray, gen: np.ndarray, branch: np.ndarray, q_limits: bool) -> np.ndarray | None:
    """(buses,) complex voltages, NaN at isolated buses; None without a solution."""
    live = bus[:, 1] != ISOLATED
    place = {number: k for k, number in enumerate(bus[live, 0].tolist())}
    gen = gen[(gen[:, 7] > 0.0) & np.isin(gen[:, 0], bus[live, 0])].copy()
    branch = branch[(branch[:, 10] > 0.0) & np.isin(branch[:, :2], bus[live, 0]).all(axis=1)]
    bus_type, drawn = bus[live, 1].copy(), bus[live, 2] + 1j * bus[live, 3]
    at = np.array([place[number] for number in gen[:, 0]])
    is_fed = np.isin(np.arange(len(place)), at)
    bus_type[(bus_type == PV) & ~is_fed] = PQ
    y = _admittance(base_mva, bus[live], branch, place)
    v = bus[live, 7] * np.exp(1j * np.deg2rad(bus[live, 8]))
    for one, held in zip(at, gen[:, 5], strict=True):
        if bus_type[one] != PQ:
            v[one] *= held / abs(v[one])
    while True:
        injected = -drawn
        np.add.at(injected, at, gen[:, 1] + 1j * gen[:, 2])
        found = _newton(y, injected / base_mva, v, bus_type)
        if found is None:
            return None
        v = found
        needed = (v * (y @ v).conj() * base_mva + drawn).imag
        for one in np.unique(at[bus_type[at] != PQ]):
            mine = np.flatnonzero(at == one)
            gen[mine, 2] = _split(needed[one], gen[mine, 4], gen[mine, 3])
        low, high = gen[:, 4], gen[:, 3]
        beyond = (gen[:, 2] > high + VIOLATION_MVAR) | (gen[:, 2] < low - VIOLATION_MVAR)
        beyond &= bus_type[at] != SLACK
        if not q_limits or not beyond.any():
            whole = np.full(len(bus), complex(np.nan, np.nan))
            whole[live] = v
            return whole
        gen[beyond, 2] = np.clip(gen[beyond, 2], low[beyond], high[beyond])
        bus_type[at[beyond]] = PQ


def _admittance(base_mva: float, bus: np.ndarray, branch: np.ndarray, place: dict[float, int]) -> np.ndarray:
    y = np.diag((bus[:, 4] + 1j * bus[:, 5]) / base_mva)
    for row in branch:
        f, t = place[row[0]], place[row[1]]
        series, half = 1.0 / (row[2] + 1j * row[3]), 0.5j * row[4]
        tap = (row[8] or 1.0) * np.exp(1j * np.deg2rad(row[9]))
        y[f, f] += (series + half) / abs(tap) ** 2
        y[t, t] += series + half
        y[f, t] -= series / np.conj(tap)
        y[t, f] -= series / tap
    return y


def _split(needed: float, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Among the generators of a bus, in proportion to their ranges."""
    count = len(low)
    far = sum(
        abs(needed) / count + sum(abs(x) for x in (a, b) if np.isfinite(x)) for a, b in zip(low, high, strict=True)
    )
    low, high = (np.where(np.isinf(limit), np.sign(limit) * far, limit) for limit in (low, high))
    if count == 1:
        return np.array([needed])
    width = (high - low).sum()
    if width == 0.0:
        return low + (needed - low.sum()) / count
    return low + (needed - low.sum()) / width * (high - low)


def _newton(y: np.ndarray, injected: np.ndarray, v: np.ndarray, bus_type: np.ndarray) -> np.ndarray | None:
    turned, scaled = np.flatnonzero(bus_type != SLACK), np.flatnonzero(bus_type == PQ)
    angle, size = np.angle(v), np.abs(v)
    for _ in range(40):
        v = size * np.exp(1j * angle)
        current = y @ v
        lack = v * current.conj() - injected
        lack = np.concatenate([lack[turned].real, lack[scaled].imag])
        if np.abs(lack).max(initial=0.0) < 1e-11:
            return v
        by_angle = 1j * v[:, None] * (np.diag(current) - y * v).conj()
        by_size = v[:, None] * (y * (v / size)).conj() + np.diag(current.conj() * v / size)
        rows = [by_angle[turned].real, by_size[turned].real, by_angle[scaled].imag, by_size[scaled].imag]
        left = np.concatenate([rows[0], rows[2]])[:, turned]
        right = np.concatenate([rows[1], rows[3]])[:, scaled]
        step = np.linalg.solve(np.concatenate([left, right], axis=1), -lack)
        angle[turned] += step[: len(turned)]
        size[scaled] += step[len(turned) :]
        if not np.isfinite(step).all():
            return None
    return None
