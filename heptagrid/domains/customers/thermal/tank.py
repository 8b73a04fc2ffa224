"""The tank of a water heater: one temperature while it is full of hot water, two layers, hot above cold, while more is drawn than the heater warms.

Source: the one- and two-node models of GridLAB-D's waterheater (residential/waterheater.cpp). In two layers the height of the hot one moves and its temperature
stays; the heater runs until all is hot again, and on to the upper end of the thermostat's deadband. Each layer's equation is linear, so its course within a step
and the time at which it ends are exact.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel

_NEARLY = 1e-9
_ALIKE_K = 0.01  # layers this close are one: GridLAB-D begins anew with such a tank


class Tank(NamedTuple):
    """What tanks of a kind are; kept: what an idle step leaves of a difference, exp(-loss/heat * seconds); passed_s: its integral; k_per_w: 1/loss."""

    heat_j_per_k: float
    loss_w_per_k: float
    heater_w: float
    inlet_c: float
    ambient_c: float
    deadband_k: float
    seconds: float
    kept: float
    passed_s: float
    k_per_w: float


class Filled(NamedTuple):
    """A tank after a step: temperature and part of the hot layer, whether the heater is on; J of heat that were put in, drawn with the water above the inlet's
    temperature, and lost."""

    hot_c: float
    part: float
    is_on: bool
    heated_j: float
    drawn_j: float
    lost_j: float


def tank_of(
    heat_j_per_k: float,
    loss_w_per_k: float,
    heater_w: float,
    inlet_c: float,
    ambient_c: float,
    deadband_k: float,
    seconds: float,
) -> Tank:
    """A kind of tank through steps of so many seconds."""
    kept = float(np.exp(-loss_w_per_k / heat_j_per_k * seconds))
    passed_s = (1.0 - kept) * heat_j_per_k / loss_w_per_k
    return Tank(
        heat_j_per_k,
        loss_w_per_k,
        heater_w,
        inlet_c,
        ambient_c,
        deadband_k,
        seconds,
        kept,
        passed_s,
        1.0 / loss_w_per_k,
    )


@kernel(inline=True, allocates=False)
def through(hot_c, part, is_on, flow_w_per_k, set_c, may_heat, tank):  # type: ignore[no-untyped-def]
    """A tank through a step, `Filled`. flow_w_per_k: heat capacity of the water drawn, by the second. set_c: middle of the thermostat's deadband."""
    low_c, high_c = set_c - 0.5 * tank.deadband_k, set_c + 0.5 * tank.deadband_k
    if part >= 1.0 and flow_w_per_k == 0.0:
        heats = (hot_c <= low_c + _NEARLY or (is_on and hot_c < high_c - _NEARLY)) and may_heat
        power_w = tank.heater_w if heats else 0.0
        rest = tank.ambient_c + power_w * tank.k_per_w
        end = rest + (hot_c - rest) * tank.kept
        if not (heats and end > high_c > hot_c) and not (not heats and may_heat and end < low_c < hot_c):
            above_k_s = (rest - tank.ambient_c) * tank.seconds + (hot_c - rest) * tank.passed_s
            return Filled(end, part, heats, power_w * tank.seconds, 0.0, tank.loss_w_per_k * above_k_s)
    return _with_acts(hot_c, part, is_on, flow_w_per_k, low_c, high_c, may_heat, tank)


@kernel(allocates=False)
def _with_acts(hot_c, part, is_on, flow_w_per_k, low_c, high_c, may_heat, tank):  # type: ignore[no-untyped-def]
    """The same where the heater may be switched or water is drawn."""
    heat, loss, inlet = tank.heat_j_per_k, tank.loss_w_per_k, tank.inlet_c
    heated_j = drawn_j = lost_j = 0.0
    left_s = tank.seconds
    while left_s > 0.0:
        above_k = hot_c - inlet
        if part >= 1.0:  # full: does it stay so with the heater on?
            most_w = (tank.heater_w if may_heat else 0.0) - loss * (hot_c - tank.ambient_c) - flow_w_per_k * above_k
            is_layered = flow_w_per_k > 0.0 and above_k > _ALIKE_K and most_w < 0.0
        else:
            is_layered = True
        if is_layered:
            is_on = may_heat
            power_w = tank.heater_w if may_heat else 0.0
            rate = loss / heat
            rest = (power_w + loss * (tank.ambient_c - inlet) - flow_w_per_k * above_k) / (loss * above_k)
            kept = tank.kept if left_s == tank.seconds else np.exp(-rate * left_s)
            end = rest + (part - rest) * kept
            span_s = left_s
            if end >= 1.0 and part < 1.0:
                span_s, kept, end = np.log((part - rest) / (1.0 - rest)) / rate, (1.0 - rest) / (part - rest), 1.0
            elif end <= 0.0:
                span_s, kept, end = np.log((part - rest) / -rest) / rate, -rest / (part - rest), 0.0
            part_s = rest * span_s + (part - rest) * (1.0 - kept) / rate
            heated_j += power_w * span_s
            drawn_j += flow_w_per_k * above_k * span_s
            lost_j += loss * (above_k * part_s + (inlet - tank.ambient_c) * span_s)
            part = end
            if part <= 0.0:  # all is cold
                part, hot_c = 1.0, inlet
        else:
            if hot_c <= low_c + _NEARLY:
                is_on = True
            elif hot_c >= high_c - _NEARLY:
                is_on = False
            is_on = is_on and may_heat
            power_w = tank.heater_w if is_on else 0.0
            rate = (loss + flow_w_per_k) / heat
            rest = (power_w + loss * tank.ambient_c + flow_w_per_k * inlet) / (loss + flow_w_per_k)
            kept = tank.kept if left_s == tank.seconds and flow_w_per_k == 0.0 else np.exp(-rate * left_s)
            end = rest + (hot_c - rest) * kept
            span_s = left_s
            if is_on and end > high_c > hot_c:
                span_s, kept, end = (
                    np.log((rest - hot_c) / (rest - high_c)) / rate,
                    (rest - high_c) / (rest - hot_c),
                    high_c,
                )
            elif not is_on and may_heat and end < low_c < hot_c:
                span_s, kept, end = (
                    np.log((hot_c - rest) / (low_c - rest)) / rate,
                    (low_c - rest) / (hot_c - rest),
                    low_c,
                )
            degree_s = rest * span_s + (hot_c - rest) * (1.0 - kept) / rate
            heated_j += power_w * span_s
            drawn_j += flow_w_per_k * (degree_s - inlet * span_s)
            lost_j += loss * (degree_s - tank.ambient_c * span_s)
            hot_c = end
        left_s = left_s - span_s if span_s < left_s else 0.0
    return Filled(hot_c, part, is_on, heated_j, drawn_j, lost_j)
