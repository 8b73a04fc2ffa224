"""Inverters against the curves of IEEE 1547-2018, against exact roots on small feeders, and their own laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from heptagrid.foundation.errors import NetworkError, UsageError
from heptagrid.foundation.parameters import declarations
from heptagrid.planes.power.controls import inverters as power
from heptagrid.planes.power.controls.ieee1547 import (
    CAPABILITY,
    VOLT_VAR,
    VOLT_WATT,
    Category,
    VoltVar,
    VoltWatt,
    inverters_1547,
    volt_var_problems,
    volt_watt_problems,
)
from heptagrid.world.circuit.controls import Inverters

Floats = npt.NDArray[np.float64]


def rows(count: int, kva: float = 100.0, **settings: object) -> Inverters:
    """Inverters of so many kVA with as many kW of panels, at 230 V, category B unless said otherwise."""
    device, rated, v_base = np.arange(count), np.full(count, kva), np.full(count, 230.0)
    return inverters_1547(device, rated, rated, v_base, **settings)  # type: ignore[arg-type]


def answers(inverters: Inverters, v_pu: float, available_kw: float = 100.0) -> tuple[float, float]:
    bank = power.bank(inverters)
    bank.available_kw[:] = available_kw
    p_kw, q_kvar = power.output(bank, 0, v_pu)
    return float(p_kw), float(q_kvar)


# The curves


@pytest.mark.parametrize(
    ("category", "v_pu", "q_pu"),
    [
        *((Category.B, v, q) for v, q in ((0.80, 0.44), (0.92, 0.44), (0.95, 0.22), (0.98, 0.0), (1.0, 0.0))),
        *((Category.B, v, q) for v, q in ((1.02, 0.0), (1.05, -0.22), (1.08, -0.44), (1.3, -0.44))),
        *((Category.A, v, q) for v, q in ((0.9, 0.25), (0.95, 0.125), (1.0, 0.0), (1.05, -0.125), (1.1, -0.25))),
    ],
)
def test_volt_var_follows_table_8(category: Category, v_pu: float, q_pu: float) -> None:
    inverters = rows(1, category=category, volt_var=VOLT_VAR[category])
    assert answers(inverters, v_pu, available_kw=10.0) == pytest.approx((10.0, 100.0 * q_pu), abs=1e-9)


@pytest.mark.parametrize(("v_pu", "p_pu"), [(1.0, 1.0), (1.06, 1.0), (1.08, 0.5), (1.10, 0.0), (1.2, 0.0)])
def test_volt_watt_follows_table_10(v_pu: float, p_pu: float) -> None:
    inverters = rows(1, volt_watt=VOLT_WATT[Category.B])
    assert answers(inverters, v_pu)[0] == pytest.approx(100.0 * p_pu, abs=1e-9)
    # It limits; it does not scale what the panels offer.
    assert answers(inverters, v_pu, available_kw=40.0)[0] == pytest.approx(min(40.0, 100.0 * p_pu), abs=1e-9)


def test_a_unit_that_must_run_keeps_its_least_power() -> None:
    inverters = rows(1, volt_watt=VoltWatt(p2_pu=0.2))
    assert answers(inverters, 1.2)[0] == pytest.approx(20.0)


@pytest.mark.parametrize(("factor", "sign"), [(0.9, 1.0), (-0.9, -1.0)])
def test_a_power_factor_is_kept(factor: float, sign: float) -> None:
    p_kw, q_kvar = answers(rows(1, power_factor=factor), 1.0, available_kw=50.0)
    assert p_kw == 50.0
    assert np.sign(q_kvar) == sign
    assert p_kw / np.hypot(p_kw, q_kvar) == pytest.approx(0.9)


def test_vars_come_before_watts_at_the_rating_and_the_other_way_round() -> None:
    inverters = rows(1, volt_var=VOLT_VAR[Category.B])
    p_kw, q_kvar = answers(inverters, 1.08)
    assert (p_kw, q_kvar) == pytest.approx((100.0 * np.sqrt(1.0 - 0.44**2), -44.0))
    watts_first = replace(inverters, has_watt_priority=np.array([True]))
    assert answers(watts_first, 1.08) == pytest.approx((100.0, 0.0))
    assert answers(watts_first, 1.08, available_kw=95.0) == pytest.approx((95.0, -100.0 * np.sqrt(1.0 - 0.95**2)))


def test_a_curve_of_available_vars_uses_what_the_rating_leaves() -> None:
    inverters = replace(rows(1, volt_var=VOLT_VAR[Category.B]), q_base_kvar=np.array([np.nan]))
    assert answers(inverters, 1.08, available_kw=60.0) == pytest.approx((60.0, -0.44 * 80.0))


# What the standard allows


def test_the_defaults_of_both_categories_are_allowed() -> None:
    for category in Category:
        assert volt_var_problems(VOLT_VAR[category], category) == []
        assert volt_watt_problems(VOLT_WATT[category]) == []
        for settings in (VOLT_VAR[category], VOLT_WATT[category]):
            for name, _, _, declared in declarations(type(settings)):
                assert declared.low <= getattr(settings, name) <= declared.high  # type: ignore[operator]


def test_settings_outside_the_standard_are_all_named() -> None:
    with pytest.raises(UsageError, match=r"V1 is 0.97.*V4 is 1.3.*Q1 is 0.6"):
        rows(1, volt_var=VoltVar(v1_pu=0.97, v4_pu=1.3, q1_pu=0.6))
    with pytest.raises(UsageError, match=r"V2 is 1.06, outside 1.07 to 1.1"):
        rows(1, volt_watt=VoltWatt(v2_pu=1.06))
    with pytest.raises(UsageError, match="power factor is 0"):
        rows(1, power_factor=0.0)
    assert volt_var_problems(VOLT_VAR[Category.B], Category.A) != []  # A has no dead band, and less to absorb


def test_curves_that_go_backwards_are_refused() -> None:
    inverters = rows(2, volt_var=VOLT_VAR[Category.B])
    v_pu = inverters.volt_var_v_pu.copy()
    v_pu[7] = v_pu[6]
    with pytest.raises(NetworkError, match=r"volt-var curve of the inverter of device 1: its voltages do not rise"):
        power.bank(replace(inverters, volt_var_v_pu=v_pu))
    q_pu = inverters.volt_var_q_pu.copy()
    q_pu[3] = 0.1
    with pytest.raises(NetworkError, match=r"device 0: its power rises with the voltage"):
        power.bank(replace(inverters, volt_var_q_pu=q_pu))


# Laws


@given(
    st.floats(0.5, 1.5),
    st.floats(0.0, 200.0),
    st.booleans(),
    st.booleans(),
    st.sampled_from(list(Category)),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
)
def test_output_stays_within_rating_capability_and_panels(
    v_pu: float,
    available_kw: float,
    watts_first: bool,
    of_available: bool,
    category: Category,
    left: float,
    start: float,
) -> None:
    inverters = rows(1, category=category, volt_var=VOLT_VAR[category], volt_watt=VOLT_WATT[category])
    inverters = replace(inverters, has_watt_priority=np.array([watts_first]))
    if of_available:
        inverters = replace(inverters, q_base_kvar=np.array([np.nan]))
    bank = power.bank(inverters)
    bank.available_kw[:] = available_kw
    bank.q_left[:], bank.limit_left[:] = left, left
    bank.start_q_kvar[:], bank.start_limit_kw[:] = 200.0 * start - 100.0, 100.0 * start
    p_kw, q_kvar = power.output(bank, 0, v_pu)
    assert 0.0 <= p_kw <= available_kw + 1e-9
    assert -100.0 * CAPABILITY[category].absorb - 1e-9 <= q_kvar <= 100.0 * CAPABILITY[category].inject + 1e-9
    assert np.hypot(p_kw, q_kvar) <= 100.0 + 1e-9


@given(st.floats(0.5, 1.5), st.floats(0.0, 0.5), st.floats(0.0, 100.0), st.sampled_from(list(Category)))
def test_more_volts_never_bring_more_vars_nor_a_higher_limit(
    v_pu: float, more: float, available_kw: float, category: Category
) -> None:
    inverters = rows(1, category=category, volt_var=VOLT_VAR[category], volt_watt=VOLT_WATT[category])
    bank = power.bank(inverters)
    bank.available_kw[:] = available_kw
    low, high = power.output(bank, 0, v_pu), power.output(bank, 0, v_pu + more)
    assert high[1] <= low[1] + 1e-9
    assert power.limit_kw(bank, 0, v_pu + more) <= power.limit_kw(bank, 0, v_pu) + 1e-9


# Inside the solve: ladders of sections, solved by sweeps that renew the inverters in every iteration


def swept(
    bank: power.Bank, z_pu: npt.NDArray[np.complex128], base_kva: float = 100.0, most: int = 400, v_source: float = 1.0
) -> tuple[Floats, int]:
    """Voltages of a ladder with an inverter at each end of a section of impedance z_pu, and the iterations it took."""
    v = np.full(len(z_pu), v_source, dtype=complex)
    for iteration in range(1, most + 1):
        gap = power.renew(bank, np.abs(v))
        fed = np.conj((bank.p_kw + 1j * bank.q_kvar) / base_kva / v)
        current = np.cumsum(fed[::-1])[::-1]
        before = v
        v = v_source + np.cumsum(z_pu * current)
        if gap < 1e-10 and np.abs(v - before).max() < 1e-10:
            return np.abs(v), iteration
    return np.abs(v), most + 1


def probed(bank: power.Bank, z_pu: npt.NDArray[np.complex128], base_kva: float = 100.0) -> Floats:
    """How the ladder's voltages answer to the slopes of all inverters, (1, inverters)."""
    p_slope, q_slope = power.steepest(bank)
    little = 1e-5
    current = np.cumsum((little * (p_slope - 1j * q_slope) / base_kva)[::-1])[::-1]
    return ((np.abs(1.0 + np.cumsum(z_pu * current)) - 1.0) / little)[np.newaxis]


STEEP = VoltVar(v1_pu=0.96, v2_pu=0.98, v3_pu=1.02, v4_pu=1.04)  # 22 pu of vars for each pu of volts


def test_a_steep_curve_on_a_weak_feeder_hunts_if_the_whole_gap_is_closed_and_else_does_not() -> None:
    z_pu = np.array([0.10 + 0.15j])
    naive = power.bank(rows(1, volt_var=STEEP))
    assert swept(naive, z_pu)[1] > 400

    bank = power.bank(rows(1, volt_var=STEEP))
    bank.share[:] = power.shares(probed(bank, z_pu))
    v_pu, iterations = swept(bank, z_pu)
    assert iterations < 60

    def mismatch(v: float) -> float:
        """|E|^2 of the source behind the section for a terminal voltage v: the exact equation of two buses."""
        p_kw, q_kvar = power.output(bank, 0, v)
        return float(abs(v - z_pu[0] * (p_kw - 1j * q_kvar) / 100.0 / v) - 1.0)

    root = brentq(mismatch, 0.8, 1.3, xtol=1e-13)
    assert v_pu[0] == pytest.approx(root, abs=1e-9)
    assert 1.02 < root < 1.04  # on the steep part


@given(
    st.integers(1, 12),
    st.floats(0.01, 0.12),
    st.floats(0.2, 3.0),
    st.booleans(),
    st.floats(0.97, 1.06),
    st.integers(0, 2**31),
)
def test_many_inverters_never_hunt(
    count: int, x_pu: float, r_over_x: float, with_watts: bool, v_source: float, seed: int
) -> None:
    """Curves as steep as the standard allows, anywhere on a ladder as weak as a feeder that could still carry them."""
    rng = np.random.default_rng(seed)
    z_pu = rng.uniform(0.5, 1.5, count) * x_pu / count * (r_over_x + 1j) / max(1.0, r_over_x)
    inverters = rows(count, 100.0 / count, volt_var=STEEP, volt_watt=VoltWatt(v1_pu=1.09) if with_watts else None)
    bank = power.bank(inverters)
    bank.available_kw[:] = rng.uniform(0.0, 100.0, count) / count
    bank.share[:] = power.shares(probed(bank, z_pu))
    v_pu, iterations = swept(bank, z_pu, v_source=v_source)
    assert iterations <= 400
    exact = [power.output(bank, k, v_pu[k]) for k in range(count)]
    np.testing.assert_allclose(bank.p_kw, [p for p, _ in exact], atol=1e-5)
    np.testing.assert_allclose(bank.q_kvar, [q for _, q in exact], atol=1e-5)


def test_fewer_iterations_where_curves_are_flat_or_the_grid_is_stiff() -> None:
    bank = power.bank(rows(1, volt_var=VOLT_VAR[Category.B]))
    z_pu = np.array([0.002 + 0.004j])
    bank.share[:] = power.shares(probed(bank, z_pu))
    assert bank.share[0] > 0.98
    assert swept(bank, z_pu)[1] <= 8


def test_energy_is_kept_while_inverters_clip() -> None:
    z_pu = np.array([0.08 + 0.06j, 0.04 + 0.05j])
    bank = power.bank(rows(2, volt_var=VOLT_VAR[Category.B], volt_watt=VOLT_WATT[Category.B]))
    bank.share[:] = power.shares(probed(bank, z_pu))
    v_pu, iterations = swept(bank, z_pu, v_source=1.03)
    assert iterations <= 400
    assert (bank.p_kw < 99.0).all()  # cut by volt-watt, or by vars at the rating
    v = _angles(bank, z_pu, v_pu, 1.03)
    fed = np.conj((bank.p_kw + 1j * bank.q_kvar) / 100.0 / v)
    current = np.cumsum(fed[::-1])[::-1]
    lost = (np.abs(current) ** 2 * z_pu.real).sum()
    assert 1.03 * current[0].real + lost == pytest.approx(bank.p_kw.sum() / 100.0, abs=1e-8)


def _angles(
    bank: power.Bank, z_pu: npt.NDArray[np.complex128], v_pu: Floats, v_source: float
) -> npt.NDArray[np.complex128]:
    v = v_pu.astype(complex)
    for _ in range(200):
        current = np.cumsum(np.conj((bank.p_kw + 1j * bank.q_kvar) / 100.0 / v)[::-1])[::-1]
        v = v_source + np.cumsum(z_pu * current)
    return v


# In time


def test_an_answer_reaches_nine_tenths_of_a_step_in_its_response_time() -> None:
    inverters = rows(1, volt_var=VOLT_VAR[Category.B], volt_watt=VOLT_WATT[Category.B])
    bank = power.bank(inverters)
    bank.available_kw[:] = 80.0
    power.renew(bank, np.array([1.0]))
    power.end_step(bank)
    for _ in range(5):  # 5 s in steps of 1 s: volt-var's response time
        power.begin_step(bank, inverters, 1.0)
        power.renew(bank, np.array([1.08]))
        power.end_step(bank)
    assert bank.q_kvar[0] == pytest.approx(0.9 * -44.0)
    for _ in range(5):  # 10 s: volt-watt's; from 100 % to 50 % of the rated power
        power.begin_step(bank, inverters, 1.0)
        power.renew(bank, np.array([1.08]))
        power.end_step(bank)
    assert bank.p_kw[0] == pytest.approx(100.0 - 0.9 * 50.0)


def test_the_length_of_the_steps_does_not_change_the_answer() -> None:
    answers_kvar = []
    for step_s, count in ((0.5, 12), (6.0, 1)):
        inverters = rows(1, volt_var=VOLT_VAR[Category.B])
        bank = power.bank(inverters)
        bank.available_kw[:] = 10.0
        for _ in range(count):
            power.begin_step(bank, inverters, step_s)
            power.renew(bank, np.array([1.05]))
            power.end_step(bank)
        answers_kvar.append(bank.q_kvar[0])
    assert answers_kvar[0] == pytest.approx(answers_kvar[1], rel=1e-12)
