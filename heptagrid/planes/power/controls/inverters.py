"""Smart inverters inside the solve: reactive and active power follow the voltage that they themselves move.

Each inverter applies its curves (see `ieee1547`) to a voltage that it *sees*, and what it sees moves in every iteration of the power flow towards
its real voltage by a share of the gap. Were the share 1, a steep curve on a weak feeder would hunt: with curves of slope S (kvar per pu) and a
grid that answers with X (pu per kvar), an iteration multiplies the gap by -X S, which may exceed 1. X and S are positive (semi)definite, so X S has
real eigenvalues between 0 and its greatest row sum l, and the share 2 / (2 + l) shrinks every gap by l / (2 + l) or more, whatever the
slope. Row sums come from probing the network once: see `shares`.

At a fixed point every inverter sees its real voltage, so its power is exactly its curve's.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.errors import NetworkError
from heptagrid.world.circuit.controls import Inverters
from heptagrid.world.inverter_bank import Bank

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

RESPONSE_LEFT = 0.1  # of a step is left after the response time (IEEE 1547-2018, clause 3.1: 90 % of the change)


def bank(inverters: Inverters) -> Bank:
    """A bank at nominal voltage, closing the whole gap in every iteration until `share` is set.

    Raises
    ------
    NetworkError
        If a curve's voltages do not rise, or its powers rise with the voltage; inverters are named by their device.
    """
    _check_curve(inverters, inverters.volt_var_at, inverters.volt_var_v_pu, inverters.volt_var_q_pu, "volt-var")
    _check_curve(inverters, inverters.volt_watt_at, inverters.volt_watt_v_pu, inverters.volt_watt_p_pu, "volt-watt")
    count = len(inverters.device)
    factor = inverters.power_factor
    return Bank(
        rated_kw=inverters.rated_kw,
        rated_kva=inverters.rated_kva,
        most_inject_kvar=inverters.most_inject_kvar,
        most_absorb_kvar=inverters.most_absorb_kvar,
        q_base_kvar=inverters.q_base_kvar,
        q_per_kw=np.sign(factor) * np.sqrt(1.0 / factor**2 - 1.0),
        q_per_kw_drawn=np.full(count, np.nan),
        q_set_kvar=np.zeros(count),
        has_watt_priority=inverters.has_watt_priority,
        volt_var_at=inverters.volt_var_at,
        volt_var_v_pu=inverters.volt_var_v_pu,
        volt_var_q_pu=inverters.volt_var_q_pu,
        volt_watt_at=inverters.volt_watt_at,
        volt_watt_v_pu=inverters.volt_watt_v_pu,
        volt_watt_p_pu=inverters.volt_watt_p_pu,
        watt_var_at=np.zeros(count + 1, dtype=np.int64),
        watt_var_p_pu=np.empty(0),
        watt_var_q_pu=np.empty(0),
        share=np.ones(count),
        is_on=np.ones(count, dtype=np.bool_),
        available_kw=inverters.available_kw.copy(),
        seen_pu=np.ones(count),
        p_kw=np.zeros(count),
        q_kvar=np.zeros(count),
        start_limit_kw=inverters.rated_kw.copy(),
        start_q_kvar=np.zeros(count),
        limit_left=np.zeros(count),
        q_left=np.zeros(count),
    )


def _check_curve(inverters: Inverters, at: Ints, v_pu: Floats, power_pu: Floats, name: str) -> None:
    inside = np.ones(len(v_pu), dtype=np.bool_)
    inside[at[:-1][at[:-1] < len(v_pu)]] = False  # a curve's first point follows nothing
    run, rise = np.diff(v_pu, prepend=0.0), np.diff(power_pu, prepend=0.0)
    falls = inside & ((run < 0.0) | ((run == 0.0) & (rise != 0.0)))  # a point may stand twice
    for is_wrong, words in ((falls, "voltages do not rise"), (inside & (rise > 0.0), "power rises with the voltage")):
        if is_wrong.any():
            row = int(np.searchsorted(at, np.flatnonzero(is_wrong)[0], side="right")) - 1
            raise NetworkError(
                f"the {name} curve of the inverter of device {inverters.device[row]}: its {words} from point to point"
            )


def begin_step(bank: Bank, inverters: Inverters, step_s: float) -> None:
    """From here the curves are approached at the inverters' response times, a step of `step_s` seconds long."""
    bank.limit_left[:] = left(inverters.volt_watt_response_s, step_s)
    bank.q_left[:] = left(inverters.volt_var_response_s, step_s)


def end_step(bank: Bank) -> None:
    """Keep the present answers as those from which the next step begins."""
    _keep(bank)


def left(response_s: Floats, step_s: float) -> Floats:
    """(inverters,) what a step leaves of the distance to the curve."""
    return np.where(response_s > 0.0, RESPONSE_LEFT ** (step_s / np.where(response_s > 0.0, response_s, 1.0)), 0.0)


def steepest(bank: Bank) -> tuple[Floats, Floats]:
    """The most that powers fall with the voltage, in kW and kvar per pu, (inverters,) each."""
    p_slope, q_slope = np.zeros(len(bank.share)), np.zeros(len(bank.share))
    _steepest(bank, p_slope, q_slope)
    return p_slope, q_slope


def shares(answer_pu: Floats) -> Floats:
    """Shares of the gap for each iteration, (inverters,), from a network's answers to its inverters' slopes.

    answer_pu: (groups, inverters) change of each inverter's voltage, in pu, when the inverters of one group feed more by their `steepest` slopes, a group
    after the other. Groups keep apart what might cancel: phases, whose voltages move against each other.
    """
    row_sum: Floats = np.abs(answer_pu).sum(axis=0)
    return 2.0 / (2.0 + row_sum)


@kernel(inline=True, allocates=False)
def _along(x, first, last, xs, ys):  # type: ignore[no-untyped-def]
    """The line through points first..last at x; flat beyond its ends."""
    if x <= xs[first]:
        return ys[first]
    for k in range(first + 1, last):
        if x <= xs[k]:
            return ys[k - 1] + (ys[k] - ys[k - 1]) * (x - xs[k - 1]) / (xs[k] - xs[k - 1])
    return ys[last - 1]


@kernel(inline=True, allocates=False)
def limit_kw(bank, k, v_pu):  # type: ignore[no-untyped-def]
    """Volt-watt's limit of inverter k at a voltage."""
    first, last = bank.volt_watt_at[k], bank.volt_watt_at[k + 1]
    if first == last:
        return np.inf
    limit = _along(v_pu, first, last, bank.volt_watt_v_pu, bank.volt_watt_p_pu) * bank.rated_kw[k]
    return limit + bank.limit_left[k] * (bank.start_limit_kw[k] - limit)


@kernel(inline=True, allocates=False)
def wanted_kvar(bank, k, v_pu, p_kw):  # type: ignore[no-untyped-def]
    """Vars of inverter k by its function, before its rating is looked at."""
    if p_kw < 0.0 and not np.isnan(bank.q_per_kw_drawn[k]):
        return -p_kw * bank.q_per_kw_drawn[k]
    first, last = bank.volt_var_at[k], bank.volt_var_at[k + 1]
    if first == last:
        first, last = bank.watt_var_at[k], bank.watt_var_at[k + 1]
        if first < last:
            share = _along(p_kw / bank.rated_kw[k], first, last, bank.watt_var_p_pu, bank.watt_var_q_pu)
            return share * bank.rated_kva[k]
        return abs(p_kw) * bank.q_per_kw[k] + bank.q_set_kvar[k]
    base = bank.q_base_kvar[k]
    if np.isnan(base):
        base = np.sqrt(max(bank.rated_kva[k] ** 2 - p_kw**2, 0.0))
    q = _along(v_pu, first, last, bank.volt_var_v_pu, bank.volt_var_q_pu) * base
    return q + bank.q_left[k] * (bank.start_q_kvar[k] - q)


@kernel(inline=True, allocates=False)
def output(bank, k, v_pu):  # type: ignore[no-untyped-def]
    """What inverter k feeds at a voltage, kW and kvar: curves, then capability, then rating by its priority."""
    if not bank.is_on[k]:
        return 0.0, 0.0
    p = max(min(bank.available_kw[k], limit_kw(bank, k, v_pu), bank.rated_kva[k]), -bank.rated_kva[k])
    return _within_rating(bank, k, p, wanted_kvar(bank, k, v_pu, p))


@kernel(inline=True, allocates=False)
def _within_rating(bank, k, p, q):  # type: ignore[no-untyped-def]
    q = min(max(q, -bank.most_absorb_kvar[k]), bank.most_inject_kvar[k])
    square = bank.rated_kva[k] ** 2
    if p * p + q * q > square:
        if bank.has_watt_priority[k]:
            q = np.copysign(np.sqrt(max(square - p * p, 0.0)), q)
        else:
            q = min(max(q, -bank.rated_kva[k]), bank.rated_kva[k])
            p = np.copysign(np.sqrt(max(square - q * q, 0.0)), p)
    return p, q


@kernel(allocates=False)
def renew(bank, v_pu):  # type: ignore[no-untyped-def]
    """Move what inverters see towards their voltages (inverters,), renew what they feed; the greatest gap in pu."""
    worst = 0.0
    for k in range(v_pu.shape[0]):
        gap = v_pu[k] - bank.seen_pu[k]
        worst = worst if abs(gap) <= worst else abs(gap)  # a NaN stays
        bank.seen_pu[k] += bank.share[k] * gap
        bank.p_kw[k], bank.q_kvar[k] = output(bank, k, bank.seen_pu[k])
    return worst


@kernel(allocates=False)
def feed(bank):  # type: ignore[no-untyped-def]
    """Renew what inverters feed at the voltages that they see."""
    for k in range(bank.share.shape[0]):
        bank.p_kw[k], bank.q_kvar[k] = output(bank, k, bank.seen_pu[k])


@kernel(allocates=False)
def hold(bank):  # type: ignore[no-untyped-def]
    """Feed all that is available, with the vars of before where volt-var sets them: inverters that have not looked at the voltage yet."""
    for k in range(bank.share.shape[0]):
        p = min(bank.available_kw[k], bank.rated_kva[k])
        has_curve = bank.volt_var_at[k] < bank.volt_var_at[k + 1]
        q = bank.q_kvar[k] if has_curve else wanted_kvar(bank, k, bank.seen_pu[k], p)
        bank.p_kw[k], bank.q_kvar[k] = _within_rating(bank, k, p, q)


@kernel(allocates=False)
def terminal_pu(inverter_device, v_base_v, circuit_at, circuit_from, circuit_to, v_v, out):  # type: ignore[no-untyped-def]
    """The mean magnitude over each inverter's phase circuits, in pu, from the nodes' complex voltages."""
    for k in range(inverter_device.shape[0]):
        device = inverter_device[k]
        total = 0.0
        for c in range(circuit_at[device], circuit_at[device + 1]):
            across = v_v[circuit_from[c]]
            if circuit_to[c] >= 0:
                across -= v_v[circuit_to[c]]
            total += abs(across)
        out[k] = total / (circuit_at[device + 1] - circuit_at[device]) / v_base_v[k]


@kernel(allocates=False)
def _keep(bank):  # type: ignore[no-untyped-def]
    for k in range(bank.share.shape[0]):
        limit = limit_kw(bank, k, bank.seen_pu[k])
        bank.start_limit_kw[k] = min(limit, bank.rated_kw[k])
        bank.start_q_kvar[k] = wanted_kvar(bank, k, bank.seen_pu[k], bank.p_kw[k])


@kernel(allocates=False)
def _steepest(bank, p_slope, q_slope):  # type: ignore[no-untyped-def]
    for k in range(p_slope.shape[0]):
        base = bank.rated_kva[k] if np.isnan(bank.q_base_kvar[k]) else bank.q_base_kvar[k]
        for c in range(bank.volt_var_at[k] + 1, bank.volt_var_at[k + 1]):
            run = bank.volt_var_v_pu[c] - bank.volt_var_v_pu[c - 1]
            if run > 0.0:
                q_slope[k] = max(q_slope[k], (bank.volt_var_q_pu[c - 1] - bank.volt_var_q_pu[c]) / run * base)
        for c in range(bank.volt_watt_at[k] + 1, bank.volt_watt_at[k + 1]):
            run = bank.volt_watt_v_pu[c] - bank.volt_watt_v_pu[c - 1]
            if run > 0.0:
                fall = (bank.volt_watt_p_pu[c - 1] - bank.volt_watt_p_pu[c]) * bank.rated_kw[k]
                p_slope[k] = max(p_slope[k], fall / run)
        # At the rating, what one power takes the other gives up, along the circle P^2 + Q^2 = S^2.
        if bank.has_watt_priority[k]:
            q_slope[k] += p_slope[k]
        else:
            q_share = min(max(bank.most_absorb_kvar[k], bank.most_inject_kvar[k]) / bank.rated_kva[k], 0.7)
            p_slope[k] += q_slope[k] * q_share / np.sqrt(1.0 - q_share**2)
