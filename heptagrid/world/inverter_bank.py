"""Inverters as kernels take them: how each answers the voltage at its terminals, and what it feeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Bank(NamedTuple):
    """Inverters, (inverters,) each unless said otherwise; those from `share` on change with every solve or step.

    As in `world.circuit.controls.Inverters`; without a volt-var curve vars follow the watt-var curve where there is one, else they are `q_per_kw` of the active
    power beside `q_set_kvar`. q_per_kw_drawn: vars for each kW that is drawn, whatever else sets vars; not a number where nothing is set for that. watt_var_p_pu: of rated_kw, rising; watt_var_q_pu: of rated_kva, positive injects. share: of the gap that closes in an iteration. is_on:
    whether it feeds anything. available_kw: below 0 a battery charges. seen_pu: the voltage that the curves see. p_kw, q_kvar: fed
    into the network. start_limit_kw, start_q_kvar: volt-watt's limit and volt-var's answer when the step began; limit_left, q_left: what a step
    leaves of the distance from there to the curve (0: the curve is followed at once).
    """

    rated_kw: Floats
    rated_kva: Floats
    most_inject_kvar: Floats
    most_absorb_kvar: Floats
    q_base_kvar: Floats
    q_per_kw: Floats
    q_per_kw_drawn: Floats
    q_set_kvar: Floats
    has_watt_priority: Bools
    volt_var_at: Ints
    volt_var_v_pu: Floats
    volt_var_q_pu: Floats
    volt_watt_at: Ints
    volt_watt_v_pu: Floats
    volt_watt_p_pu: Floats
    watt_var_at: Ints
    watt_var_p_pu: Floats
    watt_var_q_pu: Floats
    share: Floats
    is_on: Bools
    available_kw: Floats
    seen_pu: Floats
    p_kw: Floats
    q_kvar: Floats
    start_limit_kw: Floats
    start_q_kvar: Floats
    limit_left: Floats
    q_left: Floats


@dataclass
class PointInverters:
    """Those of a town. point: (inverters,) of each. is_probed: whether `bank.share` belongs to the bank's curves."""

    point: Ints
    bank: Bank
    is_probed: bool = False
