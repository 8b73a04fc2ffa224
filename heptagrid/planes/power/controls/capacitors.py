"""Controls of switched capacitors: by current, voltage, kvar, time of day or power factor, with voltage override and dead time.

Source: the behaviour of OpenDSS's CapControl (EPRI, "OpenDSS Reference Guide", and its source text). One difference: a bank of several steps whose
reading comes back between the settings drops what it was about to do, whatever its kind; there only voltage controls do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.world.circuit.circuit import Bools, Circuit, Complex, Floats, Ints
from heptagrid.world.circuit.controls import HIGHEST, LOWEST, MEAN, CapacitorControl, Monitored

_CURRENT, _VOLTAGE = int(CapacitorControl.CURRENT), int(CapacitorControl.VOLTAGE)
_KVAR, _TIME, _POWER_FACTOR = int(CapacitorControl.KVAR), int(CapacitorControl.TIME), int(CapacitorControl.POWER_FACTOR)
_HIGHEST, _LOWEST, _MEAN = HIGHEST, LOWEST, MEAN
OF_A_STEP = 0.5  # of a further step's kvar must flow before a power factor control adds it


class CapacitorSettings(NamedTuple):
    """As in `world.circuit.CapacitorControls`, (controls,) each, with what is looked up once.

    step_at: (controls, 2) first and last step of the capacitor. kvar: of all steps. is_delta: of the capacitor.
    """

    kind: Ints
    step_at: Ints
    kvar: Floats
    on: Floats
    off: Floats
    v_min: Floats
    v_max: Floats
    delay_on_s: Floats
    delay_off_s: Floats
    dead_time_s: Floats
    least_kvar: Floats


class CapacitorState(NamedTuple):
    """What controls remember, (controls,) each: what they are about to do (1 close a step, -1 open one, 0 nothing), when (infinite: not at
    all), when the bank last opened, and how often it was switched."""

    pending: Ints
    due_s: Floats
    opened_s: Floats
    switched: Ints


class CapacitorReadings(NamedTuple):
    """What controls see, (controls,) each: amperes and volts on the secondaries, the override's volts, watts and vars into the terminal."""

    amps: Floats
    volts: Floats
    override_v: Floats
    p_w: Floats
    q_var: Floats


@dataclass(frozen=True)
class SensedTerminals:
    """The conductors whose voltages and currents controls see.

    at: (controls + 1,) into node. row, source, position: (pairs,) a conductor's current is the sum of these, from the currents of `source` (of
    Monitored) at `position` in their packing. override_at: (controls + 1,) into override_node. phases as in the circuit; is_across: the voltage of
    one phase is taken to the next (banks in delta).
    """

    at: Ints
    node: Ints
    row: Ints
    source: Ints
    position: Ints
    override_at: Ints
    override_node: Ints
    pt_phase: Ints
    ct_phase: Ints
    pt_ratio: Floats
    ct_ratio: Floats
    is_across: Bools


def settings_of(circuit: Circuit) -> CapacitorSettings:
    """The capacitor controls of a circuit."""
    c, banks = circuit.capacitor_controls, circuit.capacitors
    step_at = np.stack([banks.step_at[c.capacitor], banks.step_at[c.capacitor + 1]], axis=1)
    kvar = np.array([banks.step_kvar[first:last].sum() for first, last in step_at])
    return CapacitorSettings(
        kind=c.kind,
        step_at=step_at,
        kvar=kvar,
        on=c.on,
        off=c.off,
        v_min=c.v_min,
        v_max=c.v_max,
        delay_on_s=c.delay_on_s,
        delay_off_s=c.delay_off_s,
        dead_time_s=c.dead_time_s,
        least_kvar=kvar * c.least_kvar_percent / 100.0,
    )


def terminals_of(circuit: Circuit) -> SensedTerminals:
    """Where the capacitor controls of a circuit are connected."""
    c, banks = circuit.capacitor_controls, circuit.capacitors
    at, nodes = [0], list[int]()
    rows, sources, positions = list[int](), list[int](), list[int]()
    override_at, override_nodes = [0], list[int]()
    for k in range(len(c.names)):
        kind, element, terminal = int(c.monitored_kind[k]), int(c.monitored[k]), int(c.monitored_terminal[k])
        seen, where = _conductors(circuit, kind, element, terminal)
        for node, members in zip(seen, where, strict=True):
            rows += [len(nodes)] * len(members)
            sources += [kind] * len(members)
            positions += members
            nodes.append(node)
        at.append(len(nodes))
        bus = int(c.override_bus[k])
        if bus >= 0:
            override_nodes += list(range(circuit.buses.node_at[bus], circuit.buses.node_at[bus + 1]))[: len(seen)]
        else:
            override_nodes += seen
        override_at.append(len(override_nodes))
    first = banks.circuit_at[c.capacitor]
    return SensedTerminals(
        at=np.array(at),
        node=np.array(nodes, dtype=np.int64),
        row=np.array(rows, dtype=np.int64),
        source=np.array(sources, dtype=np.int64),
        position=np.array(positions, dtype=np.int64),
        override_at=np.array(override_at),
        override_node=np.array(override_nodes, dtype=np.int64),
        pt_phase=c.pt_phase,
        ct_phase=c.ct_phase,
        pt_ratio=c.pt_ratio,
        ct_ratio=c.ct_ratio,
        is_across=_is_delta(circuit, first),
    )


def _is_delta(circuit: Circuit, first: Ints) -> Bools:
    """Whether banks lie between phases: some phase circuit of theirs starts where another ends."""
    banks = circuit.capacitors
    return np.array([bool(np.isin(banks.circuit_to[k], banks.circuit_from)) for k in first], dtype=np.bool_)


def _conductors(circuit: Circuit, kind: int, element: int, terminal: int) -> tuple[list[int], list[list[int]]]:
    """The nodes of a terminal's phases, and for each where its current stands in the packing of its kind."""
    if kind == Monitored.LINE:
        lines = circuit.lines
        first, last = int(lines.node_at[element]), int(lines.node_at[element + 1])
        node = (lines.from_node if terminal == 0 else lines.to_node)[first:last]
        start = 2 * first + (last - first if terminal else 0)
        return node.tolist(), [[start + k] for k in range(last - first)]
    if kind == Monitored.TRANSFORMER:
        windings = circuit.transformers.windings
        start = int(windings.conductor_at[circuit.transformers.winding_at[element] + terminal])
        phases = int(circuit.transformers.phases[element])
        return windings.node[start : start + phases].tolist(), [[start + k] for k in range(phases)]
    banks = circuit.capacitors
    where: dict[int, list[int]] = {}
    for k in range(int(banks.circuit_at[element]), int(banks.circuit_at[element + 1])):
        where.setdefault(int(banks.circuit_from[k]), []).append(2 * k)
    for k in range(int(banks.circuit_at[element]), int(banks.circuit_at[element + 1])):
        if int(banks.circuit_to[k]) in where:
            where[int(banks.circuit_to[k])].append(2 * k + 1)
    return list(where), list(where.values())


def at_rest(count: int) -> CapacitorState:
    """Nothing pending, and no bank opened lately."""
    nothing = np.zeros(count, dtype=np.int64)
    return CapacitorState(nothing, np.full(count, np.inf), np.full(count, -np.inf), nothing.copy())


def readings(count: int) -> CapacitorReadings:
    """Room for what `count` controls see."""
    return CapacitorReadings(*(np.zeros(count) for _ in range(5)))


def measure(terminals: SensedTerminals, v_v: Complex, currents_a: dict[int, Complex], out: CapacitorReadings) -> None:
    """Fill readings from the nodes' voltages and the currents of what is monitored, by Monitored."""
    amps = np.zeros(len(terminals.node), dtype=np.complex128)
    for source, packed in currents_a.items():
        chosen = terminals.source == source
        np.add.at(amps, terminals.row[chosen], packed[terminals.position[chosen]])
    volts = np.where(terminals.node >= 0, v_v[terminals.node], 0.0)
    override = np.where(terminals.override_node >= 0, v_v[terminals.override_node], 0.0)
    t = terminals
    _measure(t.at, volts, amps, t.pt_phase, t.ct_phase, t.pt_ratio, t.ct_ratio, t.is_across, out)
    _override(t.override_at, override, t.pt_phase, t.pt_ratio, t.is_across, out.override_v)


@kernel
def _measure(at, volts, amps, pt_phase, ct_phase, pt_ratio, ct_ratio, is_across, out):  # type: ignore[no-untyped-def]
    for k in range(pt_phase.shape[0]):
        first, last = at[k], at[k + 1]
        out.amps[k] = _of_phases(amps, first, last, ct_phase[k], False) / ct_ratio[k]
        out.volts[k] = _of_phases(volts, first, last, pt_phase[k], is_across[k]) / pt_ratio[k]
        power = 0j
        for c in range(first, last):
            power += volts[c] * amps[c].conjugate()
        out.p_w[k], out.q_var[k] = power.real, power.imag


@kernel
def _override(at, volts, pt_phase, pt_ratio, is_across, out):  # type: ignore[no-untyped-def]
    for k in range(pt_phase.shape[0]):
        out[k] = _of_phases(volts, at[k], at[k + 1], pt_phase[k], is_across[k]) / pt_ratio[k]


@kernel
def _of_phases(values, first, last, phase, is_across):  # type: ignore[no-untyped-def]
    """The magnitude of one conductor's value, or the mean, highest or lowest of all."""
    if phase >= 0:
        if is_across:
            following = first + (phase + 1) % (last - first)
            return abs(values[first + phase] - values[following])
        return abs(values[first + phase])
    total, highest, lowest = 0.0, 0.0, np.inf
    for c in range(first, last):
        magnitude = abs(values[c])
        total += magnitude
        highest, lowest = max(highest, magnitude), min(lowest, magnitude)
    if phase == _MEAN:
        return total / (last - first)
    return highest if phase == _HIGHEST else lowest


@kernel
def sample(settings, state, readings, now_s, hour, is_closed):  # type: ignore[no-untyped-def]
    """Start, renew or drop actions by what controls see; hour: of the day, 0 to 24. is_closed: (capacitor steps,)."""
    for k in range(settings.kind.shape[0]):
        first, last = settings.step_at[k, 0], settings.step_at[k, 1]
        closed = _highest_closed(first, last, is_closed)
        steps = last - first
        wanted = 0
        if settings.kind[k] != _VOLTAGE and closed == 0 and readings.override_v[k] < settings.v_min[k]:
            wanted = 1
        elif settings.kind[k] != _VOLTAGE and closed > 0 and readings.override_v[k] > settings.v_max[k]:
            wanted = -1
        else:
            wants_on, wants_off = _wants(settings, readings, k, hour, closed, steps)
            if closed > 0 and wants_off:
                wanted = -1
            elif closed < steps and wants_on:
                wanted = 1
        state.pending[k] = wanted
        if wanted == 0:
            state.due_s[k] = np.inf
        elif np.isinf(state.due_s[k]):
            delay = settings.delay_off_s[k]
            if wanted == 1:
                delay = settings.delay_on_s[k]
                since = now_s - state.opened_s[k]
                if since < settings.dead_time_s[k]:
                    delay += settings.dead_time_s[k] - since
            state.due_s[k] = now_s + delay


@kernel
def _highest_closed(first, last, is_closed):  # type: ignore[no-untyped-def]
    """The number of the highest closed step of a bank, counted from 1; 0: none. What was left open below it stays so, as in OpenDSS."""
    highest = 0
    for step in range(first, last):
        if is_closed[step]:
            highest = step - first + 1
    return highest


@kernel
def _wants(settings, readings, k, hour, closed, steps):  # type: ignore[no-untyped-def]
    """Whether the reading asks for a step more, and for a step less."""
    kind, on, off = settings.kind[k], settings.on[k], settings.off[k]
    if kind == _CURRENT:
        return readings.amps[k] > on, readings.amps[k] < off
    if kind == _VOLTAGE:
        return readings.volts[k] < on, readings.volts[k] > off
    kvar = readings.q_var[k] / 1000.0
    if kind == _KVAR:
        return kvar > on, kvar < off
    if kind == _TIME:
        if off > on:
            return on <= hour < off, hour >= off or hour < on
        return on <= hour < 24.0, off <= hour < on  # off on the next day
    apparent = np.hypot(readings.p_w[k], readings.q_var[k])
    factor = abs(readings.p_w[k]) / apparent if apparent > 0.0 else 1.0
    if kvar < 0.0:
        factor = 2.0 - factor
    least = settings.least_kvar[k] if closed == 0 else OF_A_STEP * settings.kvar[k] / steps
    return factor < on and kvar > least, factor > off


@kernel
def act(settings, state, now_s, is_closed):  # type: ignore[no-untyped-def]
    """Do what is due, a step at a time, changing is_closed (capacitor steps,); how many acted."""
    acted = 0
    for k in range(settings.kind.shape[0]):
        if not state.due_s[k] <= now_s:
            continue
        acted += 1
        state.due_s[k] = np.inf
        first, last = settings.step_at[k, 0], settings.step_at[k, 1]
        if state.pending[k] == 1:
            step = first + _highest_closed(first, last, is_closed)
            if step < last:
                is_closed[step] = True
                state.switched[k] += 1
        elif state.pending[k] == -1:
            for step in range(last - 1, first - 1, -1):
                if is_closed[step]:
                    is_closed[step] = False
                    state.switched[k] += 1
                    if step == first:
                        state.opened_s[k] = now_s
                    break
        state.pending[k] = 0
    return acted
