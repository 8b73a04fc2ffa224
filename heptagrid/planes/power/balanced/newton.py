"""Power flow of networks of any shape: Newton's method in polar coordinates, sparse factors by SuperLU through scipy.

Source: Tinney and Hart, Power flow solution by Newton's method, 1967; the equations as in MATPOWER (Zimmerman et al. 2011, section 4.1),
with the steps of magnitudes relative to the magnitudes. What a bus injects may have a part in proportion to its voltage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_matrix, csr_matrix
from scipy.sparse.linalg import splu

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]
Ints = npt.NDArray[np.int64]

TOLERANCE_PU = 1e-11  # of the mismatch of power at each bus, or what rounding leaves there where that is more
MOST_ITERATIONS = 40


@dataclass(frozen=True)
class Injections:
    """What is fed in at each bus, (buses,) complex, per unit: constant power, and the part at 1 pu in proportion to the voltage."""

    power: Complex
    current: Complex

    def at(self, magnitude: Floats) -> Complex:
        """The power fed in at voltages of these magnitudes."""
        return self.power + self.current * magnitude

    def scaled(self, factor: float) -> Injections:
        """The same at a share of the loading."""
        return Injections(self.power * factor, self.current * factor)


@dataclass(frozen=True)
class Solution:
    """v: (buses,) complex. mismatch_pu: the greatest left at any bus, at `worst_bus`."""

    v: Complex
    iterations: int
    converged: bool
    mismatch_pu: float
    worst_bus: int


class Newton:
    """The equations of one network with given kinds of buses; solved for any injections.

    Arguments
    ---------
    admittance: (buses, buses), with every bus on its diagonal. pv, pq: (n,) buses, apart; all others are slack.
    """

    def __init__(self, admittance: csr_matrix, pv: Ints, pq: Ints) -> None:
        y = admittance.tocsr()
        y.sum_duplicates()
        self._y = y
        self._row = np.repeat(np.arange(y.shape[0]), np.diff(y.indptr))
        self._column = y.indices
        self._diagonal = np.flatnonzero(self._row == self._column)
        # Behind a branch of almost no impedance, currents are differences of large numbers.
        self._rounding_pu = _ROUNDING * np.asarray(abs(y).sum(axis=1)).ravel()
        self._pv, self._pq = pv, pq
        self._angles = np.sort(np.concatenate([pv, pq]))
        self._unknowns = len(self._angles) + len(pq)
        width = np.zeros(y.shape[0], dtype=np.int64)
        width[pv] = 1
        width[pq] = 2
        start = np.concatenate([[0], np.cumsum(width)[:-1]])
        self._angle_at = np.where(width >= 1, start, -1)
        self._magnitude_at = np.where(width == 2, start + 1, -1)
        self._place()
        self._reorder()

    def _place(self) -> None:
        """Where each entry of the admittance matrix stands in the four parts of the Jacobian."""
        angle, magnitude = self._angle_at, self._magnitude_at
        rows, columns, self._picked = [], [], []
        for equation, unknown in ((angle, angle), (angle, magnitude), (magnitude, angle), (magnitude, magnitude)):
            picked = np.flatnonzero((equation[self._row] >= 0) & (unknown[self._column] >= 0))
            rows.append(equation[self._row[picked]])
            columns.append(unknown[self._column[picked]])
            self._picked.append(picked)
        row, column = np.concatenate(rows), np.concatenate(columns)
        self._order = np.lexsort((row, column))
        self._indices = row[self._order].astype(np.int32)
        self._starts = np.searchsorted(column[self._order], np.arange(self._unknowns + 1)).astype(np.int32)

    def _reorder(self) -> None:
        """Put the unknowns in an order that keeps the factors sparse, once for all iterations.

        Minimum degree on the pattern, as SuperLU finds it; the diagonal is made to outweigh each row, so that it is taken for the pivot.
        """
        if not self._unknowns:
            return
        many = np.diff(self._starts).max() + 1.0
        data = np.ones(len(self._indices))
        pattern = csc_matrix((data, self._indices, self._starts), shape=(self._unknowns, self._unknowns))
        pattern.setdiag(many)
        order = splu(pattern, permc_spec="MMD_AT_PLUS_A", options=_SYMMETRIC).perm_c.astype(np.int64)
        self._angle_at = np.where(self._angle_at >= 0, order[self._angle_at], -1)
        self._magnitude_at = np.where(self._magnitude_at >= 0, order[self._magnitude_at], -1)
        self._place()

    def solve(
        self,
        injections: Injections,
        start: Complex,
        tolerance_pu: float = TOLERANCE_PU,
        most_iterations: int = MOST_ITERATIONS,
    ) -> Solution:
        """Voltages from a start, which slack buses keep; a step that overshoots is halved after the plain method has failed."""
        plain = self._iterate(injections, start, tolerance_pu, most_iterations, careful=False)
        if plain.converged or not self._unknowns:
            return plain
        careful = self._iterate(injections, start, tolerance_pu, most_iterations, careful=True)
        return careful if careful.converged or careful.mismatch_pu < plain.mismatch_pu else plain

    def _iterate(
        self, injections: Injections, start: Complex, tolerance_pu: float, most: int, careful: bool
    ) -> Solution:
        allowed = self._in_order(*2 * (np.maximum(tolerance_pu, self._rounding_pu),))
        angle, magnitude = np.angle(start), np.abs(start)
        v = start.astype(np.complex128)
        current, wrong = self._mismatch(v, magnitude, injections)
        iterations = 0
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            while (np.abs(wrong) > allowed).any() and iterations < most:
                iterations += 1
                try:
                    step = splu(self._jacobian(v, current, magnitude, injections), **_IN_ORDER).solve(-wrong)
                except RuntimeError:  # SuperLU: the matrix is exactly singular
                    break
                length = 1.0
                while True:
                    new_angle, new_magnitude = angle.copy(), magnitude.copy()
                    new_angle[self._angles] += length * step[self._angle_at[self._angles]]
                    new_magnitude[self._pq] *= 1.0 + length * step[self._magnitude_at[self._pq]]
                    v = new_magnitude * np.exp(1j * new_angle)
                    current, new_wrong = self._mismatch(v, new_magnitude, injections)
                    better = np.linalg.norm(new_wrong) < (1.0 - 0.25 * length) * np.linalg.norm(wrong)
                    if not careful or better or length < _SHORTEST:
                        break
                    length *= 0.5
                if not np.isfinite(new_wrong).all() or (careful and not better and length < _SHORTEST):
                    break
                angle, magnitude, wrong = new_angle, new_magnitude, new_wrong
        v = magnitude * np.exp(1j * angle)
        worst = float(np.abs(wrong).max(initial=0.0))
        worst_bus = self._bus_of(int(np.abs(wrong).argmax())) if len(wrong) else -1
        converged = bool((np.abs(wrong) <= allowed).all() and (magnitude > 0.0).all())
        return Solution(v, iterations, converged, worst, worst_bus)

    def _bus_of(self, unknown: int) -> int:
        return int(np.flatnonzero((self._angle_at == unknown) | (self._magnitude_at == unknown))[0])

    def _mismatch(self, v: Complex, magnitude: Floats, injections: Injections) -> tuple[Complex, Floats]:
        """The currents that flow into the network, and how much more power than is fed in, in the order of the unknowns."""
        current = self._y @ v
        excess = v * current.conj() - injections.at(magnitude)
        return current, self._in_order(excess.real, excess.imag)

    def _in_order(self, active: Floats, reactive: Floats) -> Floats:
        """Figures of the buses in the order of the equations."""
        ordered = np.empty(self._unknowns)
        ordered[self._angle_at[self._angles]] = active[self._angles]
        ordered[self._magnitude_at[self._pq]] = reactive[self._pq]
        return ordered

    def _jacobian(self, v: Complex, current: Complex, magnitude: Floats, injections: Injections) -> csc_matrix:
        parts = v[self._row] * (self._y.data * v[self._column]).conj()
        by_angle, by_magnitude = -1j * parts, parts
        power = v * current.conj()
        bus = self._row[self._diagonal]
        by_angle[self._diagonal] += 1j * power[bus]
        by_magnitude[self._diagonal] += (power - injections.current * magnitude)[bus]
        entries = (by_angle.real, by_magnitude.real, by_angle.imag, by_magnitude.imag)
        data = np.concatenate([entry[picked] for entry, picked in zip(entries, self._picked, strict=True)])
        return csc_matrix((data[self._order], self._indices, self._starts), shape=(self._unknowns, self._unknowns))


# Networks' factors have columns that are nearly all different: SuperLU's blocks of like columns cost more than they save.
_SYMMETRIC = {"SymmetricMode": True}
_IN_ORDER: dict[str, Any] = {
    "permc_spec": "NATURAL",
    "diag_pivot_thresh": 0.001,
    "relax": 1,
    "panel_size": 1,
    "options": _SYMMETRIC,
}
_ROUNDING = 16.0 * np.finfo(np.float64).eps
_SHORTEST = 1e-3  # of a step, before a start is given up
