"""Frequency with secondary control by messages: intact, late, and lost; relays; the same whatever the sub-step."""

from __future__ import annotations

import numpy as np
import pytest

from heptagrid.domains.generation.swing import Trip
from heptagrid.domains.operations.agc import Parameters as AgcParameters
from heptagrid.foundation.time import NS_PER_S
from heptagrid.planes.messages.links import Wan
from heptagrid.planes.power.dynamics.frequency import Turbine
from heptagrid.planes.power.dynamics.load_shedding import Parameters as SheddingParameters
from tests.domains.bulk_alone import START_NS, BulkAlone, rts, same_units

pytestmark = pytest.mark.long

AT_ONCE = {"steam": Turbine("without any lag", "a test")}
"""Turbines that follow at once, so that what is left is the controller."""

LOSS = Trip(START_NS + 60 * NS_PER_S, START_NS + 36_000 * NS_PER_S, None)
OUTPUTS = [50.0, 50.0, 50.0, 50.0, 30.0, 60.0]  # the last is the largest
DROOP_HZ = -60.0 / (5 * 100.0 / (0.05 * 50.0) + 290.0 / 50.0)
"""What the five units that are left, and the loads, settle at without secondary control."""


def after_the_loss(
    agc: AgcParameters | None, duration_s: float, wan: Wan | None = None, substep_s: float = 0.1
) -> np.ndarray:
    alone = BulkAlone(
        same_units(rts(), 6, "steam"), OUTPUTS, trips=[LOSS], turbines=AT_ONCE, agc=agc, wan=wan, substep_s=substep_s
    )
    assert np.abs(alone.walk(60.0)[:, 1]).max() < 1e-12, "at rest until then"
    series = alone.walk(duration_s)
    return np.column_stack([series[:, 0] - 60.0, series[:, 1]])


def plain(agc: AgcParameters, duration_s: float, there_s: float, back_s: float) -> np.ndarray:
    """The same by a plain Euler integration with delays, which knows no messages: (n, 2), every 0.1 s."""
    h = 0.002
    mass = 5 * 2.0 * 4.0 * 100.0 / 50.0
    stiffness = 5 * 100.0 / (0.05 * 50.0)
    per_hz = 290.0 / 50.0
    deviation, regulation = 0.0, 0.0
    measured: list[tuple[float, float]] = []
    commands: list[tuple[float, float]] = [(-1.0, 0.0)]
    held, known, asked_by = 0.0, 0.0, -1
    found = []
    for n in range(round(duration_s / h)):
        t = n * h
        while commands and commands[0][0] <= t + 1e-9:
            held = commands.pop(0)[1]
        if measured and measured[0][0] <= t + 1e-9:
            known = measured.pop(0)[1]
        cycle = int((t + 1e-9) // agc.period_s)
        if cycle > asked_by:  # a sample leaves as control decides on what it knew before
            asked_by = cycle
            measured.append((t + there_s, deviation))
            if there_s < 0.1:
                known = deviation
            bias = stiffness + per_hz * 290.0 / 290.0
            regulation -= bias * known * agc.period_s / agc.time_constant_s
            commands.append((t + back_s, regulation))
        deviation += h / mass * (held - stiffness * deviation - per_hz * deviation - 60.0)
        if round((n + 1) * h / 0.1, 6).is_integer():
            found.append((t + h, deviation))
    return np.array(found)


def test_without_secondary_control_frequency_settles_at_the_droop() -> None:
    series = after_the_loss(None, 30.0)
    assert series[-1, 1] == pytest.approx(DROOP_HZ, rel=1e-6)


def test_with_intact_messages_it_returns_with_the_time_constant() -> None:
    series = after_the_loss(AgcParameters(time_constant_s=60.0), 400.0)
    at = np.interp([60.0, 120.0, 180.0], series[:, 0], series[:, 1])
    assert at / DROOP_HZ == pytest.approx(np.exp([-1.0, -2.0, -3.0]), abs=0.02), "but for its cycles of 4 s"
    assert abs(series[-1, 1]) < 0.01 * abs(DROOP_HZ)


def test_with_all_commands_lost_it_stays_at_the_droop() -> None:
    series = after_the_loss(AgcParameters(time_constant_s=60.0), 120.0, Wan(loss=1.0))
    assert series[-1, 1] == pytest.approx(DROOP_HZ, rel=1e-6)


@pytest.mark.parametrize("delay_s", [5.0, 15.0])
def test_late_messages_make_it_what_a_delayed_integrator_does(delay_s: float) -> None:
    agc = AgcParameters(time_constant_s=40.0, stale_s=600.0)
    series = after_the_loss(agc, 300.0, Wan(delay_s=delay_s / 2.0))  # two hops each way
    expected = plain(agc, 300.0, delay_s, delay_s)
    apart = np.abs(series[:, 1] - expected[: len(series), 1])
    assert apart.max() < 0.05 * abs(DROOP_HZ)
    if delay_s == 15.0:
        assert series[:, 1].max() > 0.1 * abs(DROOP_HZ), "it overshoots"


def test_half_the_sub_step_changes_little() -> None:
    agc = AgcParameters(time_constant_s=60.0)
    coarse, fine = (after_the_loss(agc, 60.0, substep_s=length) for length in (0.1, 0.05))
    assert fine[1::2, 1] == pytest.approx(coarse[:, 1], abs=0.01 * abs(DROOP_HZ)), (
        "set-points act by half a tenth sooner"
    )


def test_relays_shed_load_until_the_frequency_holds() -> None:
    shedding = SheddingParameters(below_hz=(0.5, 0.8), share=(0.13, 0.1))
    alone = BulkAlone(same_units(rts(), 6, "steam"), [95.0] * 6, trips=[LOSS], turbines=AT_ONCE, shedding=shedding)
    alone.walk(60.0)
    series = alone.walk(20.0)
    # 95 MW are missing, 25 MW are to be had: one stage of 74 MW suffices.
    assert alone.transmission.relays.tripped_ns[1] < 0 < alone.transmission.relays.tripped_ns[0]
    assert alone.transmission.shed_mw == pytest.approx(0.13 * 570.0)
    crossed_s = series[np.flatnonzero(series[:, 1] <= -0.5)[0], 0]
    tripped_s = (alone.transmission.relays.tripped_ns[0] - START_NS) / NS_PER_S
    assert tripped_s - crossed_s == pytest.approx(0.1, abs=1e-6), "two looks, 0.1 s apart, make 0.15 s"
