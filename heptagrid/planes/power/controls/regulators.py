"""Tap regulators: band, line drop compensation, delays, reverse power, and how many taps an action takes.

Source: the behaviour of OpenDSS's RegControl (EPRI, "OpenDSS Reference Guide", and its source text, read for what a manual leaves open: when an
action is dropped, that the first reading out of band starts the delay, that a static action goes 70 % of the way).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.power.unbalanced.transformers import coil_volts, delta_direction
from heptagrid.world.circuit.circuit import Bools, Circuit, Connection, Floats, Ints, Transformers
from heptagrid.world.circuit.controls import HIGHEST, LOWEST

OF_THE_WAY = 0.7  # that a static action goes, in whole taps and at least one
SHORTEST_INVERSE = 10.0  # an inverse-time delay shrinks to no less than a tenth
_HIGHEST, _LOWEST, _DELTA = HIGHEST, LOWEST, int(Connection.DELTA)


class RegulatorSettings(NamedTuple):
    """As in `world.circuit.Regulators`, with what is looked up once: (regulators,) each.

    winding: whose taps move, and seen: the winding that is measured, both among all windings. first, last: its conductors; phases of them
    are phases. turn: from a phase of a delta to the conductor at its other end; 0: a wye. coil_v: rated volts across the measured coil.
    lowest_tap, highest_tap, tap_step: pu. remote_from: -2 where the winding itself is watched.
    """

    winding: Ints
    seen: Ints
    first: Ints
    last: Ints
    phases: Ints
    turn: Ints
    coil_v: Floats
    lowest_tap: Floats
    highest_tap: Floats
    tap_step: Floats
    phase: Ints
    remote_from: Ints
    remote_to: Ints
    remote_pt_ratio: Floats
    v_set: Floats
    band_v: Floats
    pt_ratio: Floats
    ct_primary_a: Floats
    r_v: Floats
    x_v: Floats
    z_v: Floats
    delay_s: Floats
    tap_delay_s: Floats
    is_inverse_time: Bools
    max_taps: Ints
    v_limit: Floats
    is_reversible: Bools
    is_cogeneration: Bools
    reverse_is_neutral: Bools
    reverse_v_set: Floats
    reverse_band_v: Floats
    reverse_r_v: Floats
    reverse_x_v: Floats
    reverse_z_v: Floats
    reverse_delay_s: Floats
    reverse_threshold_w: Floats


class RegulatorState(NamedTuple):
    """What regulators remember, (regulators,) each.

    pending: taps they still want to move, up positive. due_s, reverse_due_s: when they act; infinite while nothing waits. is_under_way: what
    waits at due_s is no first tap after a delay, but one of a movement under way. is_reversed: they regulate backwards (or to the settings of
    cogeneration). taps_moved: in all.
    """

    pending: Ints
    due_s: Floats
    is_under_way: Bools
    reverse_due_s: Floats
    is_reversed: Bools
    taps_moved: Ints


class RegulatorReadings(NamedTuple):
    """What regulators see, (regulators,) each: volts on the secondary of the potential transformer, after compensation, and at the regulator
    itself; watts that flow forward, out of the measured winding."""

    v: Floats
    local_v: Floats
    forward_w: Floats


def settings_of(circuit: Circuit) -> RegulatorSettings:
    """The regulators of a circuit."""
    r, transformers = circuit.regulators, circuit.transformers
    windings = transformers.windings
    winding = transformers.winding_at[r.transformer] + r.winding
    seen = transformers.winding_at[r.transformer] + r.measured_winding
    return RegulatorSettings(
        winding=winding,
        seen=seen,
        first=windings.conductor_at[seen],
        last=windings.conductor_at[seen + 1],
        phases=transformers.phases[r.transformer],
        turn=_turns(transformers, r.transformer, seen),
        coil_v=coil_volts(transformers)[seen],
        lowest_tap=windings.tap_min_pu[winding],
        highest_tap=windings.tap_max_pu[winding],
        tap_step=(windings.tap_max_pu[winding] - windings.tap_min_pu[winding]) / windings.tap_steps[winding],
        phase=r.measured_phase,
        remote_from=r.remote_from,
        remote_to=r.remote_to,
        remote_pt_ratio=r.remote_pt_ratio,
        v_set=r.v_set.copy(),
        band_v=r.band_v,
        pt_ratio=r.pt_ratio,
        ct_primary_a=r.ct_primary_a,
        r_v=r.r_v,
        x_v=r.x_v,
        z_v=r.z_v,
        delay_s=r.delay_s,
        tap_delay_s=r.tap_delay_s,
        is_inverse_time=r.is_inverse_time,
        max_taps=r.max_taps,
        v_limit=r.v_limit,
        is_reversible=r.is_reversible,
        is_cogeneration=r.is_cogeneration,
        reverse_is_neutral=r.reverse_is_neutral,
        reverse_v_set=r.reverse_v_set,
        reverse_band_v=r.reverse_band_v,
        reverse_r_v=r.reverse_r_v,
        reverse_x_v=r.reverse_x_v,
        reverse_z_v=r.reverse_z_v,
        reverse_delay_s=r.reverse_delay_s,
        reverse_threshold_w=1000.0 * r.reverse_threshold_kw,
    )


def _turns(transformers: Transformers, which: Ints, seen: Ints) -> Ints:
    is_delta = (transformers.windings.connection[seen] == _DELTA) & (transformers.phases[which] > 1)
    return np.where(is_delta, delta_direction(transformers)[which], 0)


def at_rest(count: int) -> RegulatorState:
    """Nothing pending."""
    none = np.full(count, np.inf)
    nothing = np.zeros(count, dtype=np.int64)
    no = np.zeros(count, dtype=np.bool_)
    return RegulatorState(nothing, none, no, none.copy(), no.copy(), nothing.copy())


def readings(count: int) -> RegulatorReadings:
    """Room for what `count` regulators see."""
    return RegulatorReadings(np.zeros(count), np.zeros(count), np.zeros(count))


@kernel
def measure(settings, is_reversed, node, v_v, into_a, out):  # type: ignore[no-untyped-def]
    """Fill readings from the nodes' voltages v_v and the currents into the windings' conductors; node: (conductors,)."""
    for k in range(settings.seen.shape[0]):
        first, last = settings.first[k], settings.last[k]
        chosen, across = 0, 0j
        for phase in range(settings.phases[k]):
            v = _winding_voltage(settings, k, phase, node, v_v)
            wanted = settings.phase[k]
            is_wanted = phase == wanted or phase == 0
            is_wanted |= wanted == _HIGHEST and abs(v) > abs(across)
            is_wanted |= wanted == _LOWEST and abs(v) < abs(across)
            if is_wanted:
                chosen, across = phase, v
        out.local_v[k] = abs(across) / settings.pt_ratio[k]
        forward = 0.0
        for c in range(first, last):
            if node[c] >= 0:
                forward -= (v_v[node[c]] * into_a[c].conjugate()).real
        out.forward_w[k] = forward

        if settings.remote_from[k] != -2:
            remote = _at(v_v, settings.remote_from[k]) - _at(v_v, settings.remote_to[k])
            out.v[k] = abs(remote) / settings.remote_pt_ratio[k]
            # The limit watches the first phase of the regulator itself.
            out.local_v[k] = abs(_winding_voltage(settings, k, 0, node, v_v)) / settings.pt_ratio[k]
            continue
        r, x, z = settings.r_v[k], settings.x_v[k], settings.z_v[k]
        if is_reversed[k]:
            r, x, z = settings.reverse_r_v[k], settings.reverse_x_v[k], settings.reverse_z_v[k]
        current = into_a[first + chosen] / settings.ct_primary_a[k]  # into the winding: against the load's
        if settings.z_v[k] != 0.0:
            out.v[k] = abs(abs(across) / settings.pt_ratio[k] - abs(current) * z)
        else:
            out.v[k] = abs(across / settings.pt_ratio[k] + complex(r, x) * current)


@kernel(inline=True)
def _at(v_v, node):  # type: ignore[no-untyped-def]
    return v_v[node] if node >= 0 else 0j


@kernel
def _winding_voltage(settings, k, phase, node, v_v):  # type: ignore[no-untyped-def]
    first, last, turn = settings.first[k], settings.last[k], settings.turn[k]
    other = last - 1
    if turn != 0:
        other = first + (phase + turn) % (last - first)
    return _at(v_v, node[first + phase]) - _at(v_v, node[other])


@kernel
def sample(settings, state, readings, now_s, tap_pu):  # type: ignore[no-untyped-def]
    """Start, renew or drop actions by what regulators see; tap_pu: (windings,)."""
    for k in range(settings.seen.shape[0]):
        if settings.max_taps[k] == 0:
            state.pending[k] = 0
            continue
        if readings.v[k] == 0.0:  # de-energised: nothing moves the taps
            state.pending[k] = 0
            state.due_s[k] = np.inf
            continue
        winding = settings.winding[k]
        tap, step = tap_pu[winding], settings.tap_step[k]
        if settings.remote_from[k] == -2 and (settings.is_reversible[k] or settings.is_cogeneration[k]):
            _watch_direction(settings, state, k, readings.forward_w[k], now_s)
            if state.is_reversed[k] and settings.reverse_is_neutral[k]:
                if np.isinf(state.due_s[k]):
                    state.pending[k] = int(np.rint((1.0 - tap) / step))
                    if state.pending[k] != 0:
                        state.due_s[k] = now_s + settings.tap_delay_s[k]
                        state.is_under_way[k] = True
                continue

        backwards = state.is_reversed[k] and not settings.is_cogeneration[k]
        v = readings.v[k] / tap if backwards else readings.v[k]
        wanted = settings.reverse_v_set[k] if state.is_reversed[k] else settings.v_set[k]
        band = settings.reverse_band_v[k] if state.is_reversed[k] else settings.band_v[k]
        is_over = readings.local_v[k] > settings.v_limit[k]  # never with a limit of NaN
        if abs(wanted - v) <= band / 2.0 and not is_over:
            state.pending[k] = 0
            state.due_s[k] = np.inf
            continue
        boost = settings.v_limit[k] - readings.local_v[k] if is_over else wanted - v
        taps = int(np.rint(boost * settings.pt_ratio[k] / settings.coil_v[k] / step))
        if winding != settings.seen[k] or backwards:
            taps = -taps
        state.pending[k] = taps
        can_move = (taps > 0 and tap < settings.highest_tap[k]) or (taps < 0 and tap > settings.lowest_tap[k])
        if can_move and np.isinf(state.due_s[k]):
            delay = settings.delay_s[k]
            if settings.is_inverse_time[k]:
                delay /= min(SHORTEST_INVERSE, 2.0 * abs(settings.v_set[k] - v) / settings.band_v[k])
            state.due_s[k] = now_s + delay
            state.is_under_way[k] = False


@kernel
def _watch_direction(settings, state, k, forward_w, now_s):  # type: ignore[no-untyped-def]
    """Power beyond the threshold in the other direction, for the delay, turns a regulator round, and back again."""
    threshold = settings.reverse_threshold_w[k]
    has_turned = forward_w > threshold if state.is_reversed[k] else forward_w < -threshold
    if not has_turned:
        state.reverse_due_s[k] = np.inf
    elif np.isinf(state.reverse_due_s[k]):
        state.reverse_due_s[k] = now_s + settings.reverse_delay_s[k]


@kernel
def act(settings, state, now_s, at_once, tap_pu):  # type: ignore[no-untyped-def]
    """Do what is due, changing tap_pu (windings,): most of the way if `at_once`, else a tap, with the next in `tap_delay_s`.

    How many regulators acted; one whose voltage came back meanwhile counts too, as it does not wait any more.
    """
    acted = 0
    for k in range(settings.seen.shape[0]):
        if state.reverse_due_s[k] <= now_s:
            state.reverse_due_s[k] = np.inf
            state.is_reversed[k] = not state.is_reversed[k]
            acted += 1
        if not state.due_s[k] <= now_s:
            continue
        acted += 1
        winding, step, pending = settings.winding[k], settings.tap_step[k], state.pending[k]
        state.due_s[k] = np.inf
        if pending == 0:
            continue
        taps = 1
        if at_once:
            taps = int(OF_THE_WAY * abs(pending * step) / step)  # in this order of rounding
            taps = min(max(taps, 1), settings.max_taps[k])
            state.pending[k] = 0
        elif abs(pending) > 1:
            state.due_s[k] = now_s + settings.tap_delay_s[k]
            state.is_under_way[k] = True
            state.pending[k] = pending - 1 if pending > 0 else pending + 1
        else:
            state.pending[k] = 0
        tap = tap_pu[winding] + (taps * step if pending > 0 else -taps * step)
        tap = min(max(tap, settings.lowest_tap[k]), settings.highest_tap[k])
        state.taps_moved[k] += int(np.rint(abs(tap - tap_pu[winding]) / step))
        tap_pu[winding] = tap
    return acted
