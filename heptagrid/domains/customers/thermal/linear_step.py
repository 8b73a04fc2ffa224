"""The exact step of two-state houses, air and mass, under constant heat and outdoor temperature."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Model(NamedTuple):
    """The exact step of the houses' linear model, with constant heat and outdoor temperature.

    matrix: (houses, 2, 2) of the state, air and mass; by_heat: (houses, 2) effect of heat to the air in K/W; by_outside: (houses, 2).
    """

    matrix: Floats
    by_heat: Floats
    by_outside: Floats


def stepped_by_size(
    loss_w_per_k: float, exchange_w_per_k: float, air_j_per_k: float, mass_j_per_k: float, size: Floats, dt_s: float
) -> Model:
    """The model's step over `dt_s` of houses that share the shape and differ in size, so heat alone scales."""
    air, mass = air_j_per_k, mass_j_per_k
    system = np.zeros((4, 4))
    system[0] = [
        -(loss_w_per_k + exchange_w_per_k) / air,
        exchange_w_per_k / air,
        1.0 / air,
        loss_w_per_k / air,
    ]
    system[1] = [exchange_w_per_k / mass, -exchange_w_per_k / mass, 0.0, 0.0]
    whole = _exponential(system * dt_s)
    count = len(size)
    return Model(
        matrix=np.broadcast_to(whole[:2, :2], (count, 2, 2)).copy(),
        by_heat=whole[:2, 2] / size[:, np.newaxis],
        by_outside=np.broadcast_to(whole[:2, 3], (count, 2)).copy(),
    )


def _exponential(matrix: Floats) -> Floats:
    """Matrix exponential by scaling and squaring a Taylor series; for small, well-scaled matrices."""
    halvings = max(0, int(np.ceil(np.log2(max(np.abs(matrix).sum(axis=1).max(), 1e-30)))) + 4)
    scaled = matrix / 2.0**halvings
    term = result = np.eye(len(matrix))
    for k in range(1, 14):
        term = _product(term, scaled) / k
        result = result + term
    for _ in range(halvings):
        result = _product(result, result)
    return result


def _product(one: Floats, other: Floats) -> Floats:
    """The product of two small matrices, summed by us: no library's threads decide about its last bits."""
    return np.asarray((one[:, :, np.newaxis] * other[np.newaxis]).sum(axis=1))


def stepped_each(
    loss_w_per_k: Floats, exchange_w_per_k: Floats, air_j_per_k: Floats, mass_j_per_k: Floats, dt_s: float
) -> Model:
    """The model's step over `dt_s` of houses of different shapes, (houses,) each.

    The exponential of a 2 by 2 matrix of two real eigenvalues, in closed form; what is left of the state follows from where it rests: at the outside temperature,
    and as much above it as heat is by loss.
    """
    a, b = -(loss_w_per_k + exchange_w_per_k) / air_j_per_k, exchange_w_per_k / air_j_per_k
    c = exchange_w_per_k / mass_j_per_k
    middle = 0.5 * (a - c)
    apart = np.sqrt((0.5 * (a + c)) ** 2 + b * c)
    even, odd = np.exp(middle * dt_s) * np.cosh(apart * dt_s), np.exp(middle * dt_s) * np.sinh(apart * dt_s) / apart
    matrix = np.empty((len(loss_w_per_k), 2, 2))
    matrix[:, 0, 0], matrix[:, 0, 1] = even + odd * (a - middle), odd * b
    matrix[:, 1, 0], matrix[:, 1, 1] = odd * c, even + odd * (-c - middle)
    by_outside = 1.0 - matrix.sum(axis=2)
    return Model(matrix, by_outside / loss_w_per_k[:, np.newaxis], by_outside)
