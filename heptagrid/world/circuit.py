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
    """How a device's power depends on its voltage; the numbers are those of OpenDSS's loads."""

    CONSTANT_POWER = 1
    CONSTANT_IMPEDANCE = 2
    MOTOR = 3  # constant P, quadratic Q
    EXPONENTIAL = 4  # P and Q with the exponents of conservation voltage reduction
    CONSTANT_CURRENT = 5
    FIXED_Q = 6  # constant P, Q fixed at its rated value
    FIXED_X = 7  # constant P, Q of a fixed impedance
    ZIP = 8  # the polynomial of `zip_`, nothing drawn below its cut-off voltage


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
    """Ideal sources behind an impedance: row k between its `to_node`s and its `from_node`s (mostly the ground).

    node_at: (sources + 1,). emf_v: (conductors,) complex. matrix_at: (sources + 1,) into z_ohm, n x n each, row by row.
    """

    names: Names
    node_at: Ints
    from_node: Ints
    to_node: Ints
    emf_v: Complex
    matrix_at: Ints
    z_ohm: Complex


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
    r_percent: on the transformer's first kVA. conductor_at: (windings + 1,) into node: `phases` conductors,
    of a wye then its neutral. neutral_ohm: complex, from the neutral to its node; NaN: not connected.
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
    across a phase circuit. model: (devices,) of Model. Outside v_min_pu..v_max_pu a device is a constant impedance that draws at the limit what
    its model draws there; below v_low_pu its rated impedance. watts_exponent, vars_exponent: of EXPONENTIAL.
    zip_: (devices, 7) shares of impedance, current and power for P, then for Q, then the cut-off voltage in pu.
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
    """Anything linear: an admittance matrix between n nodes (reactors, filters). matrix_at: into y_s, n x n each."""

    names: Names
    node_at: Ints
    node: Ints
    matrix_at: Ints
    y_s: Complex


@dataclass(frozen=True)
class Regulators:
    """Controls of transformer taps, with line drop compensation.

    transformer, winding: (regulators,) what it moves; winding counts within the transformer from 0. measured_winding: whose voltage it sees, on
    `measured_phase` (0-based conductor of that winding; -1 the highest, -2 the lowest, -3 the mean); node_from, node_to: the phase circuit
    when the control watches another bus (else -2). v_set: target on the potential transformer's secondary, volts; band_v; pt_ratio; ct_primary_a;
    r_v, x_v: compensator settings in volts. delay_s before the first tap, tap_delay_s between taps; max_taps: per action.
    """

    names: Names
    transformer: Ints
    winding: Ints
    measured_winding: Ints
    measured_phase: Ints
    node_from: Ints
    node_to: Ints
    v_set: Floats
    band_v: Floats
    pt_ratio: Floats
    ct_primary_a: Floats
    r_v: Floats
    x_v: Floats
    delay_s: Floats
    tap_delay_s: Floats
    max_taps: Ints
    v_limit: Floats


class CapacitorControl(IntEnum):
    CURRENT = 0
    VOLTAGE = 1
    KVAR = 2
    TIME = 3
    POWER_FACTOR = 4


@dataclass(frozen=True)
class CapacitorControls:
    """Controls of capacitors, of several kinds.

    capacitor: what it switches. kind: of CapacitorControl. line, line_end: the monitored element (line or, negative - 2, transformer winding)
    and end (0 from, 1 to). phase: as in Regulators. on, off: settings in the kind's unit. pt_ratio, ct_ratio. v_min, v_max: override on the secondary
    (NaN without one). delay_on_s, delay_off_s, dead_time_s.
    """

    names: Names
    capacitor: Ints
    kind: Ints
    monitored: Names
    monitored_terminal: Ints
    phase: Ints
    on: Floats
    off: Floats
    pt_ratio: Floats
    ct_ratio: Floats
    v_min: Floats
    v_max: Floats
    delay_on_s: Floats
    delay_off_s: Floats
    dead_time_s: Floats


@dataclass(frozen=True)
class Circuit:
    """All of it. left_out: what the file held beyond this, a line each, without effect on the power flow."""

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
    left_out: tuple[str, ...] = field(default=())
