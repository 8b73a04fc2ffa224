"""An unbalanced circuit as its file describes it, conductor by conductor, in SI units.

A *node* is one conductor of a bus; a bus may have any of them (1 to 3 are the phases; split-phase secondaries have 1 and 2;
neutrals that are modelled have numbers from 4). Node -1 is the ground. Whatever draws power is taken apart into single-phase
*phase circuits* between two nodes, so that wye, delta, line-to-line and split-phase devices are one thing. Lines carry impedance
matrices with the neutral already reduced (Kron), or with it as a conductor of their own.

Tables with a variable number of members hold them in one array, with the first member of row k at `..._at[k]` and the
last before `..._at[k + 1]`. Positions in the arrays are the ids; names live beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from heptagrid.world.circuit.controls import CapacitorControls, Inverters, Regulators, no_inverters

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Names = npt.NDArray[np.str_]

GROUND = -1


class Connection(IntEnum):
    WYE = 0
    DELTA = 1


class Model(IntEnum):
    """How a device's power depends on its voltage; the numbers up to 8 are those of OpenDSS's loads."""

    CONSTANT_POWER = 1
    CONSTANT_IMPEDANCE = 2
    MOTOR = 3  # constant P, quadratic Q
    EXPONENTIAL = 4  # P and Q with the exponents of conservation voltage reduction
    CONSTANT_CURRENT = 5
    FIXED_Q = 6  # constant P, Q fixed at its rated value
    FIXED_X = 7  # constant P, Q of a fixed impedance
    ZIP = 8  # the polynomial of `zip_`, nothing drawn below its cut-off voltage
    CURRENT_LIMITED = (
        9  # constant power, with no more current than at the least voltage, and without a greatest voltage
    )


@dataclass(frozen=True)
class Buses:
    """v_base_kv: (buses,) line to neutral. node_at: (buses + 1,). x, y: as drawn, NaN where unknown."""

    names: Names
    v_base_kv: Floats
    node_at: Ints
    x: Floats
    y: Floats


@dataclass(frozen=True)
class Nodes:
    """bus: (nodes,) whose conductor it is. number: (nodes,) as in the file."""

    bus: Ints
    number: Ints


@dataclass(frozen=True)
class Sources:
    """Ideal sources behind an admittance: row k between its `to_node`s and its `from_node`s (mostly the ground).

    node_at: (sources + 1,). emf_v: (conductors,) complex. matrix_at: (sources + 1,) into y_s, n x n each, row by row; without an inverse
    where a source has no path for a zero sequence.
    """

    names: Names
    node_at: Ints
    from_node: Ints
    to_node: Ints
    emf_v: Complex
    matrix_at: Ints
    y_s: Complex


@dataclass(frozen=True)
class Lines:
    """Lines, cables, switches and series reactors of n conductors, as pi-models.

    node_at: (lines + 1,) into from_node and to_node. matrix_at: (lines + 1,) into z_ohm (series impedance) and y_s (the whole
    shunt admittance, half at each end), n x n each, row by row. is_switch: whether a switch, without a length of its own.
    from_closed, to_closed: (conductors,) whether each conductor is connected at that end. rated_a: NaN where unknown.
    """

    names: Names
    node_at: Ints
    from_node: Ints
    to_node: Ints
    matrix_at: Ints
    z_ohm: Complex
    y_s: Complex
    from_closed: Bools
    to_closed: Bools
    length_km: Floats
    rated_a: Floats
    is_switch: Bools


@dataclass(frozen=True)
class Windings:
    """The windings of all transformers, one after another.

    connection: (windings,) of Connection. kv: line to line of two- and three-phase windings, else across the winding.
    tap_pu: the present tap; tap_min_pu, tap_max_pu, tap_steps: its range and number of steps.
    r_percent: on the transformer's first kVA. conductor_at: (windings + 1,) into node: `phases` conductors, and one more of a
    wye (its neutral) and of a delta of one or two phases (a coil across two conductors; an open delta between three).
    neutral_ohm: complex, of a wye, between its neutral's node and the ground; NaN: nothing there but the node itself.
    """

    connection: Ints
    kv: Floats
    kva: Floats
    r_percent: Floats
    tap_pu: Floats
    tap_min_pu: Floats
    tap_max_pu: Floats
    tap_steps: Ints
    neutral_ohm: Complex
    conductor_at: Ints
    node: Ints


@dataclass(frozen=True)
class Transformers:
    """Transformers of one to three phases and two or more windings; banks are several rows.

    winding_at: (transformers + 1,) into windings. x_percent: (pairs,) leakage reactances of each pair of windings in the order
    1-2, 1-3, ..., 2-3, ... on the first winding's kVA; x_at: (transformers + 1,). no_load_loss_percent, magnetizing_percent: on the first
    winding's kVA, at rated voltage, across the second winding's terminals. is_lead: a delta whose low
    side leads instead of lags. antifloat_ppm: of the rated admittance, from each conductor to ground, so that deltas do not float.
    """

    names: Names
    phases: Ints
    winding_at: Ints
    windings: Windings
    x_at: Ints
    x_percent: Floats
    no_load_loss_percent: Floats
    magnetizing_percent: Floats
    is_lead: Bools
    antifloat_ppm: Floats
    rated_kva: Floats


@dataclass(frozen=True)
class Devices:
    """What draws or feeds power: loads, generators, photovoltaic systems, storages.

    kinds: (devices,) names. p_kw, q_kvar: (devices,) rated draw of the whole device, negative when it feeds; shared equally by its
    phase circuits. circuit_at: (devices + 1,) into circuit_from, circuit_to (the ground: -1). v_rated_v: (devices,)
    across a phase circuit. model: (devices,) of Model. Above v_max_pu a device is the constant impedance that draws its rated power there (its
    rated current, of constant-current parts). Below v_min_pu the current's magnitude falls linearly from what the device draws there (rated
    power or rated current again) to that of its rated impedance at v_low_pu, below which it is that impedance;
    v_low_pu NaN: below v_min_pu it stays the impedance that draws rated power there. Constant impedances know no limits. limited_share: (devices,)
    what remains beyond the limits of such an impedance, of fixed reactances apart, and of the vars of CURRENT_LIMITED; 1 but where OpenDSS has it
    otherwise.
    watts_exponent, vars_exponent: of EXPONENTIAL. zip_: (devices, 7) shares of impedance, current and power for P, then for Q, then the
    cut-off voltage in pu (0: none).
    """

    names: Names
    kinds: Names
    p_kw: Floats
    q_kvar: Floats
    circuit_at: Ints
    circuit_from: Ints
    circuit_to: Ints
    v_rated_v: Floats
    model: Ints
    v_min_pu: Floats
    v_max_pu: Floats
    v_low_pu: Floats
    limited_share: Floats
    watts_exponent: Floats
    vars_exponent: Floats
    zip_: Floats


@dataclass(frozen=True)
class Capacitors:
    """Shunt capacitors in steps.

    circuit_at: (capacitors + 1,) into circuit_from, circuit_to. v_rated_v: across a phase circuit. step_at: (capacitors + 1,)
    into step_kvar (three-phase total of a step) and is_closed.
    """

    names: Names
    circuit_at: Ints
    circuit_from: Ints
    circuit_to: Ints
    v_rated_v: Floats
    step_at: Ints
    step_kvar: Floats
    is_closed: Bools


@dataclass(frozen=True)
class Shunts:
    """Anything linear: an admittance matrix between n nodes (reactors, filters, autotransformers). matrix_at: into y_s, n x n each.

    counts_as_loss: (shunts,) whether the power that it draws is lost in delivery, as an autotransformer's, or used, as a grounding reactor's.
    """

    names: Names
    node_at: Ints
    node: Ints
    matrix_at: Ints
    y_s: Complex
    counts_as_loss: Bools


@dataclass(frozen=True)
class VoltageHolders:
    """Devices that hold the mean voltage of their phase circuits by the reactive power that they feed.

    device: (holders,) positions in Devices. v_held_v: across a phase circuit. least_feed_kvar, most_feed_kvar: within which they can.
    """

    device: Ints
    v_held_v: Floats
    least_feed_kvar: Floats
    most_feed_kvar: Floats


def no_voltage_holders() -> VoltageHolders:
    """A table without rows."""
    return VoltageHolders(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0), np.empty(0))


@dataclass(frozen=True)
class Circuit:
    """All of it. left_out: what the file held beyond this, a line each, without effect on the power flow.

    alike_phases: how many equal phases each conductor stands for, 3 in a circuit of the positive sequence: the powers of the whole are so many times
    those of the conductors. rated_feed_kw: (devices,) what panels in full sun within their inverter's rating, and generators, can feed in, whatever
    they feed at the moment of the snapshot; 0 of other devices; empty where it is not known.
    """

    name: str
    frequency_hz: float
    buses: Buses
    nodes: Nodes
    sources: Sources
    lines: Lines
    transformers: Transformers
    devices: Devices
    capacitors: Capacitors
    shunts: Shunts
    regulators: Regulators
    capacitor_controls: CapacitorControls
    inverters: Inverters = field(default_factory=no_inverters)
    voltage_holders: VoltageHolders = field(default_factory=no_voltage_holders)
    left_out: tuple[str, ...] = field(default=())
    alike_phases: int = 1
    rated_feed_kw: Floats = field(default_factory=lambda: np.empty(0))


def terminals_of(circuit: Circuit) -> tuple[Ints, Ints]:
    """The devices that are customers' loads, and those that are local units; storages are neither.

    What a device does counts, not what it is called: a load below 0 kW feeds in, a generator below 0 kW draws.
    """
    kinds, p_kw = circuit.devices.kinds, circuit.devices.p_kw
    is_load, is_generator = kinds == "load", kinds == "generator"
    draws = (is_load & ~(p_kw < 0.0)) | (is_generator & (p_kw > 0.0))
    return np.flatnonzero(draws), np.flatnonzero((is_load | is_generator | (kinds == "pvsystem")) & ~draws)


def bus_of_windings(circuit: Circuit) -> Ints:
    """(windings,) the bus of each, by its first conductor that is not the ground; -1 if it has none."""
    windings = circuit.transformers.windings
    found = np.full(len(windings.kv), -1, dtype=np.int64)
    for k in range(len(found)):
        nodes = windings.node[windings.conductor_at[k] : windings.conductor_at[k + 1]]
        nodes = nodes[nodes != GROUND]
        if len(nodes):
            found[k] = circuit.nodes.bus[nodes[0]]
    return found


def bus_edges(circuit: Circuit) -> tuple[Ints, Ints, Ints, Ints]:
    """Which buses are joined: (edges,) the two buses, the line and the transformer that joins them (-1 if it is none).

    By lines that are closed at both ends in at least one conductor, from a transformer's first winding to each other, and by other linear elements
    between buses.
    """
    lines, bus = circuit.lines, circuit.nodes.bus
    rows: list[tuple[int, int, int, int]] = []
    for k in range(len(lines.names)):
        for c in range(lines.node_at[k], lines.node_at[k + 1]):
            a, b = lines.from_node[c], lines.to_node[c]
            if lines.from_closed[c] and lines.to_closed[c] and a != GROUND and b != GROUND:
                rows.append((int(bus[a]), int(bus[b]), k, -1))
                break
    at, transformers = bus_of_windings(circuit), circuit.transformers
    for k in range(len(transformers.names)):
        first = transformers.winding_at[k]
        for w in range(first + 1, transformers.winding_at[k + 1]):
            rows.append((int(at[first]), int(at[w]), -1, k))
    shunts = circuit.shunts
    for k in range(len(shunts.names)):
        nodes = shunts.node[shunts.node_at[k] : shunts.node_at[k + 1]]
        touched = sorted({int(bus[node]) for node in nodes if node != GROUND})
        rows += [(touched[0], other, -1, -1) for other in touched[1:]]
    table = np.array([row for row in rows if row[0] != row[1] and min(row[:2]) >= 0], dtype=np.int64).reshape(-1, 4)
    return table[:, 0], table[:, 1], table[:, 2], table[:, 3]
