"""What controls a circuit: regulators of taps, switched capacitors and smart inverters, as their file describes them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Names = npt.NDArray[np.str_]


@dataclass(frozen=True)
class Regulators:
    """Controls of transformer taps, with line drop compensation.

    transformer, winding: (regulators,) what it moves; winding counts within the transformer from 0. measured_winding: whose voltage and current it
    sees, on `measured_phase` (0-based conductor of that winding; HIGHEST or LOWEST: that phase). remote_from, remote_to: the phase circuit of
    another bus that it watches instead, without compensation, through `remote_pt_ratio` (else -2). v_set: target on the potential transformer's
    secondary, volts; band_v: whole width. pt_ratio, ct_primary_a. r_v, x_v: compensator settings, volts at rated current; z_v: as magnitudes alone
    (0: by r_v and x_v). delay_s before the first tap, tap_delay_s between taps; is_inverse_time: the first delay shrinks with the error.
    max_taps: per action; 0 never acts. v_limit: at the regulator itself, on the secondary (NaN: none).

    is_reversible: power that flows back beyond `reverse_threshold_kw` for `reverse_delay_s` makes it regulate the other side to `reverse_v_set`,
    `reverse_band_v` with `reverse_r_v`, `reverse_x_v`, `reverse_z_v`; with reverse_is_neutral it goes to its neutral position; with is_cogeneration
    it keeps regulating the same side, to the reverse settings.
    """

    names: Names
    transformer: Ints
    winding: Ints
    measured_winding: Ints
    measured_phase: Ints
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
    reverse_threshold_kw: Floats


class CapacitorControl(IntEnum):
    CURRENT = 0
    VOLTAGE = 1
    KVAR = 2
    TIME = 3
    POWER_FACTOR = 4


class Monitored(IntEnum):
    """What a capacitor's control looks at."""

    CAPACITOR = 0
    LINE = 1
    TRANSFORMER = 2


HIGHEST, LOWEST, MEAN = -1, -2, -3  # in place of a phase: of all phases


@dataclass(frozen=True)
class CapacitorControls:
    """Controls of capacitors, of several kinds.

    capacitor: (controls,) what it switches. kind: of CapacitorControl. monitored_kind, monitored: of Monitored, and its position there.
    monitored_terminal: 0-based end of a line or winding of a transformer. pt_phase, ct_phase: 0-based conductor at that terminal whose voltage and
    current count; HIGHEST, LOWEST or MEAN. on, off: settings in the kind's unit: amperes on the current transformer's secondary, volts on the potential
    transformer's, kvar, hours of the day, power factor (from 1 to 2 when leading). pt_ratio, ct_ratio.
    v_min, v_max: on the secondary, override any other kind but VOLTAGE (NaN: no override), measured at bus `override_bus` (-1: the
    monitored terminal). delay_on_s, delay_off_s: before it acts; dead_time_s: after opening, before it may close. least_kvar_percent: of
    the bank, what must flow before POWER_FACTOR closes it.
    """

    names: Names
    capacitor: Ints
    kind: Ints
    monitored_kind: Ints
    monitored: Ints
    monitored_terminal: Ints
    pt_phase: Ints
    ct_phase: Ints
    on: Floats
    off: Floats
    pt_ratio: Floats
    ct_ratio: Floats
    v_min: Floats
    v_max: Floats
    override_bus: Ints
    delay_on_s: Floats
    delay_off_s: Floats
    dead_time_s: Floats
    least_kvar_percent: Floats


@dataclass(frozen=True)
class Inverters:
    """How devices with an inverter answer to the voltage at their terminals.

    device: (inverters,) positions in Devices; what such a device feeds is given here and not in Devices. available_kw: what its panels offer, after
    losses of the inverter. rated_kw: the base of volt_watt's powers. rated_kva. most_inject_kvar, most_absorb_kvar: both positive. q_base_kvar: the
    base of volt_var's powers; NaN: what the rating leaves beside the active power. power_factor: of what it feeds when it has no volt_var curve,
    negative when it absorbs vars. has_watt_priority: beyond the rating it gives up vars, else watts. v_base_v: of one phase circuit, 1 pu of the
    curves, which see the mean of the phase circuits. volt_var_at, volt_watt_at: (inverters + 1,) into the points of the curves, volts
    rising, flat beyond their ends; an inverter without points has no such function. volt_var_q_pu: positive injects. volt_watt_p_pu: most active power.
    volt_var_response_s, volt_watt_response_s: time to 90 % of a step (0: at once).
    """

    device: Ints
    available_kw: Floats
    rated_kw: Floats
    rated_kva: Floats
    most_inject_kvar: Floats
    most_absorb_kvar: Floats
    q_base_kvar: Floats
    power_factor: Floats
    has_watt_priority: Bools
    v_base_v: Floats
    volt_var_at: Ints
    volt_var_v_pu: Floats
    volt_var_q_pu: Floats
    volt_watt_at: Ints
    volt_watt_v_pu: Floats
    volt_watt_p_pu: Floats
    volt_var_response_s: Floats
    volt_watt_response_s: Floats


def no_inverters() -> Inverters:
    """A table without rows."""
    none, no_ids, start = np.empty(0), np.empty(0, dtype=np.int64), np.zeros(1, dtype=np.int64)
    return Inverters(
        no_ids,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        np.empty(0, dtype=np.bool_),
        none,
        start,
        none,
        none,
        start,
        none,
        none,
        none,
        none,
    )
