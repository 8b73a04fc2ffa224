"""What loads, generators and other devices draw at a voltage, phase circuit by phase circuit.

Source: the load models of OpenDSS, with their limits, whose functions are the same for every device here. A part of the draw that is
linear in the voltage stays in the network's matrix; the rest is a current that follows the voltage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.world.circuit.circuit import Devices, Floats, Ints, Model

CONSTANT_POWER, CONSTANT_IMPEDANCE = int(Model.CONSTANT_POWER), int(Model.CONSTANT_IMPEDANCE)
MOTOR, EXPONENTIAL = int(Model.MOTOR), int(Model.EXPONENTIAL)
CONSTANT_CURRENT, FIXED_Q = int(Model.CONSTANT_CURRENT), int(Model.FIXED_Q)
FIXED_X, ZIP = int(Model.FIXED_X), int(Model.ZIP)
CURRENT_LIMITED = int(Model.CURRENT_LIMITED)
_STEEPNESS = 500.0  # of a ZIP load's drop-out at its cut-off voltage, per pu


class CircuitModels(NamedTuple):
    """Phase circuits as the kernels take them: both nodes of each, or conductors of a tree, and how it draws; see `PhaseCircuits`."""

    from_node: npt.NDArray[np.integer]
    to_node: npt.NDArray[np.integer]
    model: Ints
    limits_v: Floats
    shape: Floats


@dataclass(frozen=True)
class PhaseCircuits:
    """The phase circuits of all devices, one after another.

    device: (circuits,). share: of the device's power. model: (circuits,). limits_v: (circuits, 4) rated, low, least and greatest volts; low is
    negative where there is none. shape: (circuits, 10) the exponents, then ZIP, then what remains beyond the limits.
    """

    device: Ints
    from_node: Ints
    to_node: Ints
    share: Floats
    model: Ints
    limits_v: Floats
    shape: Floats

    @property
    def models(self) -> CircuitModels:
        return CircuitModels(self.from_node, self.to_node, self.model, self.limits_v, self.shape)


def phase_circuits(devices: Devices) -> PhaseCircuits:
    count = np.diff(devices.circuit_at)
    device = np.repeat(np.arange(len(count)), count)
    rated_v = devices.v_rated_v
    low = np.where(np.isnan(devices.v_low_pu), -1.0, devices.v_low_pu)
    limits = np.stack([np.ones(len(rated_v)), low, devices.v_min_pu, devices.v_max_pu], axis=1) * rated_v[:, None]
    shape = np.column_stack([devices.watts_exponent, devices.vars_exponent, devices.zip_, devices.limited_share])
    return PhaseCircuits(
        device=device,
        from_node=devices.circuit_from,
        to_node=devices.circuit_to,
        share=1.0 / count[device],
        model=devices.model[device],
        limits_v=limits[device],
        shape=shape[device],
    )


def rated_linear(circuits: PhaseCircuits, p_w: Floats, q_var: Floats) -> Floats:
    """(circuits, 4) real matrices, row by row, that take the voltage to the current of the rated impedances."""
    g, b = p_w / circuits.limits_v[:, 0] ** 2, -q_var / circuits.limits_v[:, 0] ** 2
    return np.stack([g, -b, b, g], axis=1)


@kernel
def tangents(circuits, p_w, q_var, v):  # type: ignore[no-untyped-def]
    """(circuits, 4) how the current changes with the voltage at v (nodes,), by central differences; circuits: `CircuitModels`."""
    from_node, to_node, model, limits_v, shape = circuits
    out = np.zeros((from_node.shape[0], 4))
    for k in range(from_node.shape[0]):
        a, b = from_node[k], to_node[k]
        across = (v[a] if a >= 0 else 0j) - (v[b] if b >= 0 else 0j)
        step = 1e-5 * limits_v[k, 0]
        for c in range(2):
            d_re, d_im = (step, 0.0) if c == 0 else (0.0, step)
            over = drawn(model[k], p_w[k], q_var[k], limits_v[k], shape[k], across.real + d_re, across.imag + d_im)
            under = drawn(model[k], p_w[k], q_var[k], limits_v[k], shape[k], across.real - d_re, across.imag - d_im)
            out[k, c] = (over[0] - under[0]) / (2.0 * step)
            out[k, 2 + c] = (over[1] - under[1]) / (2.0 * step)
    return out


@kernel(allocates=False)
def drawn(model, p_w, q_var, limits_v, shape, re, im):  # type: ignore[no-untyped-def]
    """The current (re, im) that a phase circuit of rated draw p_w + j q_var takes at the voltage re + j im across it."""
    square = re * re + im * im
    if square == 0.0:
        return 0.0, 0.0
    rated, low, least, most = limits_v[0], limits_v[1], limits_v[2], limits_v[3]
    if model == CONSTANT_POWER and least * least < square <= most * most:
        g, b = p_w / square, -q_var / square
        return g * re - b * im, g * im + b * re
    g, b = _admittance(model, p_w, q_var, rated, low, least, most, shape, square)
    return g * re - b * im, g * im + b * re


@kernel(allocates=False)
def _admittance(model, p_w, q_var, rated, low, least, most, shape, square):  # type: ignore[no-untyped-def]
    """Conductance and susceptance at the squared voltage."""
    rated_square = rated * rated
    g, b = p_w / rated_square, -q_var / rated_square
    v = np.sqrt(square)
    if model == CONSTANT_IMPEDANCE or v <= low:
        return g, b
    if model == CURRENT_LIMITED:
        of_limited = rated_square / (v * max(v, least))
        return g * of_limited, b * of_limited * (shape[9] if v < least else 1.0)

    if v <= least:
        of_power = _toward_low(rated_square / least, rated, low, least, v)
        of_current = _toward_low(rated, rated, low, least, v)
    elif v > most:
        of_power, of_current = rated_square / (most * most), rated / most
    else:
        of_power, of_current = rated_square / square, rated / v

    if v <= least or v > most:
        g *= shape[9]
        b *= 1.0 if model == FIXED_X else shape[9]
    if model == CONSTANT_POWER:
        return g * of_power, b * of_power
    if model == CONSTANT_CURRENT:
        return g * of_current, b * of_current
    if model == ZIP:
        g *= shape[2] + shape[3] * of_current + shape[4] * of_power
        b *= shape[5] + shape[6] * of_current + shape[7] * of_power
        return _cut_off(g, b, v / rated, shape[8])
    if v <= least or v > most:
        if model in (FIXED_Q, FIXED_X):
            return g * (rated_square / (least * least) if v <= least else of_power), b
        return g * of_power, b * of_power
    if model == FIXED_Q:
        return g * of_power, b * of_power
    if model == EXPONENTIAL:
        ratio = v / rated
        return g * of_power * ratio ** shape[0], b * of_power * ratio ** shape[1]
    return g * of_power, b  # a motor, or a fixed reactance


@kernel(allocates=False)
def _toward_low(at_least, rated, low, least, v):  # type: ignore[no-untyped-def]
    """The factor on the rated admittance between `low` and `least` volts, where the current goes straight from that of the rated
    impedance to `at_least` (in units of the rated admittance)."""
    if low < 0.0:
        return at_least / least
    return (low + (at_least - low) * (v - low) / (least - low)) / v


@kernel(allocates=False)
def _cut_off(g, b, v_pu, cut_pu):  # type: ignore[no-untyped-def]
    if cut_pu <= 0.0:
        return g, b
    steep = _STEEPNESS * (v_pu - cut_pu)
    if steep >= 20.0:
        return g, b
    factor = 0.5 * (1.0 + np.tanh(steep))
    return g * factor, b * factor
