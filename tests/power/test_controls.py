"""Regulators, capacitors and inverters on a small feeder: bands, delays, limits, compensation, dead time, and no hunting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.controls import regulators as regulator_kernels
from heptagrid.planes.power.controls.control import Acts, Controlled, settled_circuit
from heptagrid.planes.power.controls.ieee1547 import VOLT_VAR, VOLT_WATT, Category, VoltVar, VoltWatt, inverters_1547
from heptagrid.planes.power.controls.inverters import output
from heptagrid.planes.power.unbalanced.flow import CircuitFlow
from heptagrid.world.circuit.circuit import Circuit, Floats
from heptagrid.world.circuit.controls import CapacitorControl, Inverters
from tests.power.controlled_feeder import VOLTS, capacitor_controls, feeder, ints, regulators

AFTER, END = 2, 3
TAP = 0.00625
IDLE_KW = 0.001


def idle(**settings: object) -> Circuit:
    return feeder(load_kw=IDLE_KW, load_kvar=0.0, **settings)  # type: ignore[arg-type]


def secondary_v(flow: CircuitFlow, node: int = AFTER) -> float:
    return float(abs(flow.v[node]) / 60.0)


def loads(kw: float, kvar: float = 0.0) -> tuple[Floats, Floats]:
    return np.array([kw, 0.0]), np.array([kvar, 0.0])


def tap(controlled: Controlled) -> int:
    return int(controlled.tap_positions[0])


# Regulators


def test_a_regulator_ends_within_its_band() -> None:
    controlled = Controlled(feeder(source_pu=0.95, regulator=regulators()))
    flow = controlled.snapshot()
    assert abs(secondary_v(flow) - 120.0) <= 1.0
    assert flow.v_pu[AFTER] / flow.v_pu[1] == pytest.approx(1.0 + TAP * tap(controlled), rel=2e-3)


def test_a_static_action_goes_most_of_the_way_and_then_looks_again() -> None:
    """5 % low is 8 taps, of which 70 % are 5; 3 are left, of which 2; the last is needed too, by a hundredth of a volt."""
    settings = regulator_kernels.settings_of(idle(regulator=regulators()))
    state, readings = regulator_kernels.at_rest(1), regulator_kernels.readings(1)
    tap_pu = np.ones(2)
    moved = []
    for _ in range(4):
        readings.v[:] = 0.95 * 120.0 * tap_pu[1]
        regulator_kernels.sample(settings, state, readings, 0.0, tap_pu)
        regulator_kernels.act(settings, state, 30.0, True, tap_pu)
        moved.append(int(state.taps_moved[0]))
    assert moved == [5, 7, 8, 8]


def test_taps_stop_at_their_limits() -> None:
    for source_pu, position, v_pu in ((0.80, 16, 0.80 * 1.1), (1.25, -16, 1.25 * 0.9)):
        controlled = Controlled(idle(source_pu=source_pu, regulator=regulators()))
        flow = controlled.snapshot()
        assert tap(controlled) == position
        assert flow.v_pu[AFTER] == pytest.approx(v_pu, rel=1e-4)


def test_a_regulator_without_taps_for_an_action_stays() -> None:
    controlled = Controlled(feeder(source_pu=0.9, regulator=regulators(max_taps=0)))
    controlled.snapshot()
    assert tap(controlled) == 0


def test_a_regulator_waits_its_delay_then_goes_tap_by_tap() -> None:
    controlled = Controlled(idle(source_pu=0.96, regulator=regulators()))
    seen = []
    for _ in range(40):
        controlled.advance(1.0)
        seen.append(tap(controlled))
    # Out of band from the first second: the first tap at 30 s, the others 2 s apart, until 119 V are reached.
    assert seen[28:37] == [0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert seen[-1] == 6


def test_the_length_of_the_step_does_not_change_when_taps_move() -> None:
    whole, seconds = (Controlled(idle(source_pu=0.96, regulator=regulators())) for _ in range(2))
    whole.advance(33.0)
    for _ in range(33):
        seconds.advance(1.0)
    assert tap(whole) == tap(seconds) == 2
    assert whole.regulators.due_s[0] == seconds.regulators.due_s[0] == 34.0


def test_at_step_ends_a_regulator_moves_one_tap_a_minute() -> None:
    controlled = Controlled(idle(source_pu=0.96, regulator=regulators()))
    seen = []
    for _ in range(5):
        controlled.advance(60.0, acts=Acts.AT_STEP_ENDS)
        seen.append(tap(controlled))
    assert seen == [0, 1, 2, 3, 4]


def test_at_step_ends_a_tap_under_way_is_not_forgotten() -> None:
    """As in OpenDSS's queue: the voltage comes back, falls again, and the tap is done at once instead of after the delay."""
    settings = regulators(remote_from=END, remote_to=-1, v_set=119.0, tap_delay_s=90.0)
    controlled = Controlled(feeder(regulator=settings))
    seen = []
    for kw, kvar in ((1000.0, 500.0), (1000.0, 500.0), (IDLE_KW, 0.0), (1000.0, 500.0)):
        controlled.advance(60.0, *loads(kw, kvar), acts=Acts.AT_STEP_ENDS)
        seen.append(tap(controlled))
    assert seen == [0, 1, 1, 2]


def test_a_regulator_forgets_when_the_voltage_comes_back() -> None:
    """It watches the end of the line, where a load comes and goes."""
    controlled = Controlled(feeder(regulator=regulators(remote_from=END, remote_to=-1, v_set=119.0)))
    controlled.advance(29.0, *loads(1000.0, 500.0))
    assert controlled.regulators.due_s[0] == 30.0
    controlled.advance(0.5, *loads(IDLE_KW))
    assert np.isinf(controlled.regulators.due_s[0])
    controlled.advance(29.5, *loads(1000.0, 500.0))
    assert controlled.regulators.taps_moved[0] == 0
    controlled.advance(1.0, *loads(1000.0, 500.0))
    assert controlled.regulators.taps_moved[0] == 1


def test_an_inverse_time_delay_shrinks_with_the_error() -> None:
    controlled = Controlled(idle(source_pu=0.96, regulator=regulators(is_inverse_time=True)))
    controlled.advance(1.0)
    error_in_half_bands = (120.0 - 0.96 * 120.0) / 1.0
    assert controlled.regulators.due_s[0] == pytest.approx(30.0 / error_in_half_bands, rel=1e-3)


def test_line_drop_compensation_holds_the_voltage_at_the_end_of_the_line() -> None:
    """Settings in volts at rated current that mirror the line: z * ct / pt, so the end itself is regulated."""
    z = 3.0 + 6.0j
    compensator = z * 100.0 / 60.0
    settings = regulators(r_v=compensator.real, x_v=compensator.imag)
    controlled = Controlled(feeder(source_pu=0.98, load_kw=800.0, load_kvar=300.0, regulator=settings))
    flow = controlled.snapshot()
    assert abs(secondary_v(flow, END) - 120.0) <= 1.0
    assert secondary_v(flow, AFTER) > 121.0

    current_a = np.conj((800e3 + 300e3j) / flow.v[END])
    by_hand = abs(flow.v[AFTER] / 60.0 - compensator * current_a / 100.0)
    readings = controlled._regulator_readings
    assert readings.v[0] == pytest.approx(by_hand, abs=1e-3)
    assert readings.forward_w[0] == pytest.approx((flow.v[AFTER] * np.conj(current_a)).real, rel=1e-4)


def test_compensation_by_magnitude_subtracts_volts_from_volts() -> None:
    controlled = Controlled(feeder(load_kw=800.0, load_kvar=300.0, regulator=regulators(z_v=4.0)))
    flow = controlled.snapshot()
    current_a = abs((800e3 + 300e3j) / flow.v[END])
    assert controlled._regulator_readings.v[0] == pytest.approx(secondary_v(flow) - 4.0 * current_a / 100.0, abs=1e-3)


def test_the_limit_at_the_regulator_itself_comes_first() -> None:
    settings = regulators(r_v=5.0, x_v=10.0, v_limit=122.0)
    controlled = Controlled(feeder(load_kw=800.0, load_kvar=300.0, regulator=settings))
    half_a_tap_v = 120.0 * TAP / 2.0
    assert secondary_v(controlled.snapshot()) <= 122.0 + half_a_tap_v
    free = Controlled(feeder(load_kw=800.0, load_kvar=300.0, regulator=regulators(r_v=5.0, x_v=10.0)))
    assert secondary_v(free.snapshot()) > 124.0


def test_power_that_flows_back_turns_a_regulator_round_after_its_delay() -> None:
    settings = regulators(is_reversible=True, reverse_v_set=118.0, reverse_delay_s=50.0)
    controlled = Controlled(feeder(source_pu=1.0, regulator=settings))
    for _ in range(49):
        controlled.advance(1.0, *loads(-900.0))
    assert not controlled.regulators.is_reversed[0]
    for _ in range(200):
        flow = controlled.advance(1.0, *loads(-900.0))
    assert controlled.regulators.is_reversed[0]
    # Backwards it works on the other side's voltage, which its own taps hardly move against this source: it runs to a limit.
    assert abs(tap(controlled)) == 16
    assert abs(secondary_v(flow, 1) - 120.0) < 1.0
    for _ in range(300):
        flow = controlled.advance(1.0, *loads(900.0))
    assert not controlled.regulators.is_reversed[0]
    assert abs(secondary_v(flow) - 120.0) <= 1.0


def test_a_short_reversal_changes_nothing() -> None:
    controlled = Controlled(feeder(regulator=regulators(is_reversible=True, reverse_delay_s=50.0)))
    controlled.advance(40.0, *loads(-900.0))
    controlled.advance(20.0, *loads(900.0))
    controlled.advance(40.0, *loads(-900.0))
    assert not controlled.regulators.is_reversed[0]
    assert np.isfinite(controlled.regulators.reverse_due_s[0])


def test_reversed_to_neutral_a_regulator_goes_to_the_middle() -> None:
    settings = regulators(is_reversible=True, reverse_is_neutral=True, reverse_delay_s=10.0)
    controlled = Controlled(feeder(source_pu=0.95, regulator=settings))
    for _ in range(60):
        controlled.advance(1.0, *loads(900.0))
    assert tap(controlled) > 3
    for _ in range(90):
        controlled.advance(1.0, *loads(-900.0))
    assert tap(controlled) == 0


def test_with_cogeneration_a_regulator_keeps_its_side_to_the_reverse_settings() -> None:
    settings = regulators(is_cogeneration=True, reverse_v_set=117.0, reverse_delay_s=10.0)
    controlled = Controlled(feeder(regulator=settings))
    for _ in range(120):
        flow = controlled.advance(1.0, *loads(-900.0))
    assert abs(secondary_v(flow) - 117.0) <= 1.0


# Capacitors


def test_a_capacitor_closes_on_low_voltage_and_opens_on_high_after_their_delays() -> None:
    controlled = Controlled(feeder(capacitor_control=capacitor_controls(delay_on_s=15.0, delay_off_s=20.0)))
    controlled.advance(14.0, *loads(700.0, 300.0))
    assert not controlled.is_closed[0]
    controlled.advance(1.0, *loads(700.0, 300.0))
    assert controlled.is_closed[0]
    controlled.advance(19.0, *loads(-1500.0, -500.0))
    assert controlled.is_closed[0]
    controlled.advance(1.0, *loads(-1500.0, -500.0))
    assert not controlled.is_closed[0]


def test_a_capacitor_stays_open_for_its_dead_time() -> None:
    controlled = Controlled(feeder(is_closed=True, capacitor_control=capacitor_controls(dead_time_s=100.0)))
    controlled.advance(15.0, *loads(-1500.0, -500.0))
    assert not controlled.is_closed[0]
    controlled.advance(99.0, *loads(700.0, 300.0))  # asked for at 15 s: 100 s after opening, and then its delay
    assert not controlled.is_closed[0]
    controlled.advance(15.9, *loads(700.0, 300.0))
    assert not controlled.is_closed[0]
    controlled.advance(0.2, *loads(700.0, 300.0))
    assert controlled.is_closed[0]


def test_a_capacitor_forgets_when_the_reading_comes_back() -> None:
    controlled = Controlled(feeder(capacitor_control=capacitor_controls()))
    controlled.advance(14.0, *loads(700.0, 300.0))
    controlled.advance(5.0, *loads(100.0))
    controlled.advance(14.0, *loads(700.0, 300.0))
    assert not controlled.is_closed[0]


def test_banks_of_several_steps_close_and_open_one_by_one() -> None:
    control = capacitor_controls(kind=int(CapacitorControl.KVAR), on=50.0, off=-100.0, monitored_terminal=0)
    controlled = Controlled(feeder(capacitor_kvar=(100.0, 100.0, 100.0), capacitor_control=control))
    controlled.snapshot(*loads(100.0, 360.0))
    assert controlled.is_closed.tolist() == [True, True, True]
    controlled.snapshot(*loads(100.0, 120.0))
    assert controlled.is_closed.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("kind", "on", "off", "light", "heavy"),
    [
        (CapacitorControl.CURRENT, 2.0, 1.0, loads(200.0), loads(1200.0, 200.0)),  # amperes at a ratio of 60
        (CapacitorControl.KVAR, 250.0, -200.0, loads(500.0, 0.0), loads(500.0, 400.0)),
        (CapacitorControl.POWER_FACTOR, 0.9, 1.02, loads(500.0, -100.0), loads(500.0, 400.0)),
    ],
)
def test_each_kind_closes_under_heavy_load_and_opens_under_light(
    kind: CapacitorControl, on: float, off: float, light: tuple[Floats, Floats], heavy: tuple[Floats, Floats]
) -> None:
    control = capacitor_controls(kind=int(kind), on=on, off=off, monitored_terminal=0, dead_time_s=0.0)
    controlled = Controlled(feeder(capacitor_control=control))
    for draws, is_closed in ((light, False), (heavy, True), (light, False)):
        controlled.snapshot(*draws)
        assert bool(controlled.is_closed[0]) is is_closed


@pytest.mark.parametrize(
    ("on", "off", "closed_hours"), [(6.0, 20.0, range(6, 20)), (20.0, 6.0, (20, 21, 22, 23, 0, 1, 2, 3, 4, 5))]
)
def test_a_clock_closes_and_opens_a_capacitor(on: float, off: float, closed_hours: range) -> None:
    control = capacitor_controls(kind=int(CapacitorControl.TIME), on=on, off=off, dead_time_s=0.0)
    controlled = Controlled(feeder(capacitor_control=control), now_s=12.0 * 3600.0)
    for hour in (*range(12, 24), *range(24)):
        controlled.now_s = hour * 3600.0
        controlled.snapshot()
        assert bool(controlled.is_closed[0]) == (hour in closed_hours), hour


def test_a_voltage_override_comes_before_the_kind() -> None:
    kvar = {"kind": int(CapacitorControl.KVAR), "on": 900.0, "off": -900.0, "monitored_terminal": 0}
    without = Controlled(feeder(capacitor_control=capacitor_controls(**kvar)))
    without.snapshot(*loads(700.0, 300.0))
    assert not without.is_closed[0]
    # The reading asks for nothing, the voltage at the end is low; then it is high.
    control = capacitor_controls(v_min=118.0, v_max=122.0, override_bus=END, **kvar)
    controlled = Controlled(feeder(capacitor_control=control))
    controlled.snapshot(*loads(700.0, 300.0))
    assert controlled.is_closed[0]
    controlled.snapshot(*loads(-1500.0, -500.0))
    assert not controlled.is_closed[0]


def test_controls_that_hunt_are_named() -> None:
    control = capacitor_controls(on=119.99, off=120.01, dead_time_s=0.0)
    with pytest.raises(NetworkError, match=r"not settled after 100 solutions; still at work: switch 0\. Their bands"):
        Controlled(idle(capacitor_kvar=(900.0,), source_pu=0.999, capacitor_control=control)).snapshot()


def test_in_a_step_in_which_controls_hunt_they_stay_where_they_stood() -> None:
    control = capacitor_controls(on=119.99, off=120.01, dead_time_s=0.0)
    circuit = idle(capacitor_kvar=(900.0,), source_pu=0.999, capacitor_control=control)
    controlled = Controlled(circuit)
    flow = controlled.advance(86400.0)
    assert controlled.hunting == ("switch 0",) and controlled.now_s == 86400.0
    assert not controlled.is_closed[0]
    np.testing.assert_allclose(
        np.abs(flow.v), 0.999 * VOLTS, rtol=1e-6
    )  # nothing draws, so every node is at the source's voltage
    controlled.advance(1.0)  # shorter than its delay
    assert controlled.hunting == ()


# Inverters inside the solve


def unit(
    category: Category = Category.B, volt_var: VoltVar | None = None, volt_watt: VoltWatt | None = None
) -> Inverters:
    """One of 1,000 kVA at the end of the feeder."""
    rated = np.array([1000.0])
    return inverters_1547(ints(1), rated, rated, np.array([VOLTS]), category, volt_var, volt_watt)


@pytest.mark.parametrize("category", list(Category))
def test_an_inverter_ends_on_its_curves(category: Category) -> None:
    inverters = unit(category, VOLT_VAR[category], VOLT_WATT[category])
    controlled = Controlled(feeder(source_pu=1.03, load_kw=50.0, load_kvar=0.0, inverters=inverters))
    flow = controlled.snapshot()
    drawn = flow.devices_kva[1]
    p_kw, q_kvar = output(controlled.bank, 0, flow.v_pu[END])
    assert -drawn.real == pytest.approx(p_kw, abs=1e-3)
    assert -drawn.imag == pytest.approx(q_kvar, abs=1e-3)
    assert q_kvar < -50.0
    assert abs(flow.residual) < 1e-6  # energy is kept whatever is cut


def test_a_steep_curve_on_a_weak_line_settles() -> None:
    steep = VoltVar(v1_pu=0.96, v2_pu=0.98, v3_pu=1.02, v4_pu=1.04)
    controlled = Controlled(
        idle(source_pu=1.02, line_ohm=5.0 + 15.0j, inverters=unit(volt_var=steep)),
    )
    flow = controlled.snapshot(available_kw=np.array([600.0]))
    assert controlled.bank.share[0] < 0.4  # the whole gap would overshoot several times over
    assert -flow.devices_kva[1].imag == pytest.approx(output(controlled.bank, 0, flow.v_pu[END])[1], abs=1e-3)
    assert 1.02 < flow.v_pu[END] < 1.04


def test_at_step_ends_a_regulator_that_is_due_acts_before_the_inverters_answer() -> None:
    """A load goes, and the vars that held its voltage up are still there when the regulator looks; they alone would bring it back into the band."""
    circuit = feeder(regulator=regulators(remote_from=END, remote_to=-1), inverters=unit(volt_var=VOLT_VAR[Category.B]))
    controlled = Controlled(circuit)
    nothing = np.zeros(1)
    flow = controlled.advance(60.0, *loads(900.0, 400.0), nothing, acts=Acts.AT_STEP_ENDS)
    assert secondary_v(flow, END) < 119.0
    assert controlled.bank.q_kvar[0] > 200.0
    flow = controlled.advance(60.0, *loads(50.0), nothing, acts=Acts.AT_STEP_ENDS)
    assert tap(controlled) == -1
    assert controlled.bank.q_kvar[0] == pytest.approx(0.0, abs=1e-6)
    controlled.place_taps(np.zeros(1))
    assert abs(secondary_v(controlled.snapshot(*loads(50.0), nothing), END) - 120.0) < 1.0


def test_inverters_and_a_regulator_settle_together() -> None:
    inverters = unit(volt_var=VOLT_VAR[Category.B], volt_watt=VOLT_WATT[Category.B])
    controlled = Controlled(feeder(source_pu=1.04, regulator=regulators(band_v=1.5), inverters=inverters))
    flow = controlled.snapshot()
    assert abs(secondary_v(flow) - 120.0) <= 0.75
    assert -flow.devices_kva[1].real == pytest.approx(output(controlled.bank, 0, flow.v_pu[END])[0], abs=1e-3)


# Time


def day(controlled: Controlled, minutes: int = 40) -> tuple[Floats, Floats]:
    """A load that swells and clouds that pass: taps and voltages at every minute."""
    taps, v_pu = [], []
    for minute in range(minutes):
        swell = 1.0 + 0.8 * np.sin(minute / 6.0)
        offer = np.array([1000.0 if minute % 7 < 4 else 150.0])
        flow = controlled.advance(60.0, *loads(500.0 * swell, 200.0 * swell), available_kw=offer)
        taps.append(controlled.tap_positions.copy())
        v_pu.append(flow.v_pu.copy())
    return np.array(taps), np.array(v_pu)


def everything() -> Circuit:
    inverters = unit(volt_var=VOLT_VAR[Category.B], volt_watt=VOLT_WATT[Category.B])
    return feeder(
        source_pu=0.985,
        regulator=regulators(remote_from=END, remote_to=-1),
        capacitor_control=capacitor_controls(on=119.5, off=121.5),
        inverters=inverters,
    )


def test_a_run_of_minutes_is_the_same_to_the_last_bit() -> None:
    first, second = day(Controlled(everything())), day(Controlled(everything()))
    assert first[0].tobytes() == second[0].tobytes()
    assert first[1].tobytes() == second[1].tobytes()
    assert len(np.unique(first[0])) > 2


def test_a_circuit_keeps_what_the_controls_did() -> None:
    controlled = Controlled(feeder(source_pu=0.95, regulator=regulators(), capacitor_control=capacitor_controls()))
    flow = controlled.snapshot(*loads(900.0, 600.0))
    kept = settled_circuit(controlled)
    assert kept.transformers.windings.tap_pu[1] == controlled.tap_pu[1] != 1.0
    frozen = Controlled(replace(kept, regulators=regulators(0), capacitor_controls=capacitor_controls(0)))
    np.testing.assert_allclose(frozen.snapshot(*loads(900.0, 600.0)).v, flow.v, rtol=1e-7)
