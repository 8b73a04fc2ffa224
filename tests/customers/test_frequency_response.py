"""Inverters under a frequency that is not nominal: droop by the standard's table, curves, response times, and what stands behind them bounds it."""

from __future__ import annotations

import pickle
from datetime import date

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptagrid.contracts.flexibility import LOCAL_UNITS
from heptagrid.contracts.inverters import Function, Mode
from heptagrid.domains.customers.batteries import Batteries
from heptagrid.domains.customers.batteries import Parameters as BatteryParameters
from heptagrid.domains.customers.frequency_response import Frequency
from heptagrid.domains.customers.inverters import Inverters, Rows
from heptagrid.domains.customers.standing_function import Parameters
from heptagrid.foundation.time import NS_PER_MINUTE, NS_PER_S, Step
from heptagrid.planes.power.controls.inverters import feed
from tests.customers.test_inverters import POINTS, SUPPLIED, UNITS, inverters, step

Floats = npt.NDArray[np.float64]

OFFERED_KW = np.array([6.0, 6.0, 1.0, 2.0, -3.0])
DROOP_50_5 = (0.5 - 0.036) / (50.0 * 0.05)
"""Of the rated power at 0.5 Hz above or below 50, by table 23 with the defaults of table 24."""


def fed_kw(one: Inverters, hz: float, offered_kw: Floats = OFFERED_KW, minute: int = 0, seconds: int = 60) -> Floats:
    """(inverters,) after a step; batteries could be charged and discharged with their 5 kW, units give what they offer."""
    least = np.where(np.arange(POINTS) < UNITS, 0.0, -5.0)
    most = np.where(np.arange(POINTS) < UNITS, offered_kw, 5.0)
    p_kw, q_kvar = -offered_kw, np.zeros(POINTS)
    one.offer(step(minute, seconds), offered_kw, SUPPLIED, p_kw, Frequency(hz, least, most))
    if one.at_points is not None:
        feed(one.at_points.bank)
    less_kw = one.feed(p_kw, q_kvar)
    assert less_kw is None or offered_kw - less_kw == pytest.approx(-p_kw), "what is not given is told"
    return -p_kw


def curve(
    mode: Mode, x: tuple[float, ...], y: tuple[float, ...], value: float = 0.0, response_s: float = 0.0
) -> Function:
    first, device = np.zeros(1, dtype=np.int64), np.arange(UNITS)
    return Function(
        int(mode), first, np.array([value]), np.array(x), np.array(y), response_s, 0, 10 * NS_PER_MINUTE, device
    )


def test_above_the_dead_band_power_falls_by_the_droop() -> None:
    less_kw = DROOP_50_5 * np.array([10.0, 10.0, 10.0, 5.0, 5.0])
    wanted = np.maximum(OFFERED_KW - less_kw, [0.0, 0.0, 0.0, -5.0, -5.0])
    assert fed_kw(inverters(frequency_droop=True), 50.5) == pytest.approx(wanted, abs=1e-9)


def test_below_the_dead_band_only_what_has_something_behind_it_gives_more() -> None:
    more_kw = DROOP_50_5 * 5.0
    assert fed_kw(inverters(frequency_droop=True), 49.5) == pytest.approx(
        [6.0, 6.0, 1.0, 2.0 + more_kw, -3.0 + more_kw]
    )


@pytest.mark.parametrize("hz", [50.0, 50.036, 49.964])
def test_within_the_dead_band_nothing_happens(hz: float) -> None:
    assert fed_kw(inverters(frequency_droop=True), hz).tolist() == OFFERED_KW.tolist()


def test_the_power_before_the_disturbance_counts_and_what_is_there_bounds_it() -> None:
    one = inverters(frequency_droop=True)
    fed_kw(one, 50.0, minute=0)
    fed_kw(one, 50.5, minute=1)
    brighter, darker = OFFERED_KW.copy(), OFFERED_KW.copy()
    brighter[0], darker[0] = 9.0, 2.0
    assert fed_kw(one, 50.5, brighter, minute=2)[0] == pytest.approx(6.0 - 10.0 * DROOP_50_5)
    assert fed_kw(one, 50.5, darker, minute=3)[0] == pytest.approx(2.0)
    assert fed_kw(one, 50.0, brighter, minute=4)[0] == pytest.approx(9.0), "all of it again within the dead band"


def test_an_answer_is_reached_to_nine_tenths_in_its_response_time() -> None:
    one = inverters(frequency_droop=True)
    fed_kw(one, 50.0)
    first = fed_kw(one, 50.5, minute=1, seconds=5)[0]
    second = fed_kw(one, 50.5, minute=2, seconds=5)[0]
    assert (first, second) == pytest.approx((6.0 - 9.0 * DROOP_50_5, 6.0 - 9.9 * DROOP_50_5))
    back = fed_kw(one, 50.0, minute=3, seconds=5)[0]
    assert back == pytest.approx(6.0 - 0.99 * DROOP_50_5)


def test_a_minute_of_droop_is_that_of_opender() -> None:
    """EPRI's OpenDER 2.2.0 in steps of 10 ms, in W: 10 kW of photovoltaics at 60 Hz; at 10 s the frequency rises to 60.5, at 30 s falls to 60.2, at 50 s to 60 Hz; at 20 s the sun gives 7 kW instead of 6.

    Within 3 W: OpenDER's lag begins a step of 10 ms late and reaches 90 % in 1.15 / ln(10) x 2 of the response time.
    """
    opender = {10: 6000.0, 11: 5431.4, 12: 5070.8, 15: 4608.7, 19: 4478.0, 21: 4463.2, 29: 4453.6}
    opender |= {31: 4821.1, 33: 5201.4, 40: 5443.3, 51: 6021.9, 53: 6610.2, 57: 6938.1, 65: 7000.0}
    classes = {LOCAL_UNITS: Rows(np.array([0]), np.array([10.0]), True)}
    one = Inverters(Parameters(frequency_droop=True), classes, nominal_hz=60.0)
    for second in range(65):
        hz = 60.0 if second < 10 or second >= 50 else 60.5 if second < 30 else 60.2
        offered_kw = np.array([6.0 if second < 20 else 7.0])
        p_kw = -offered_kw
        begin_ns = second * NS_PER_S
        now = Step(begin_ns, begin_ns + NS_PER_S, date(1970, 1, 1), 0, 24 * 60 * NS_PER_MINUTE, second)
        one.offer(now, offered_kw, np.ones(1, dtype=np.bool_), p_kw, Frequency(hz, np.zeros(1), offered_kw))
        assert one.at_points is not None
        feed(one.at_points.bank)
        one.feed(p_kw, np.zeros(1))
        assert -1000.0 * p_kw[0] == pytest.approx(opender.get(second + 1, -1000.0 * p_kw[0]), abs=3.0), second


def test_a_curve_limits_power_by_the_frequency() -> None:
    one = inverters()
    one.take(LOCAL_UNITS, curve(Mode.FREQUENCY_WATT, (50.2, 51.2), (1.0, 0.0)))
    assert fed_kw(one, 50.7)[:3] == pytest.approx([5.0, 5.0, 1.0])
    assert fed_kw(one, 51.5, minute=1)[:3] == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)
    assert fed_kw(one, 50.0, minute=2)[:3] == pytest.approx(OFFERED_KW[:3])
    assert fed_kw(one, 50.7, minute=10).tolist() == OFFERED_KW.tolist() and one.at_points is None, "it has ended"


def test_a_least_power_is_kept_as_far_as_there_is_so_much() -> None:
    one = inverters()
    one.take(LOCAL_UNITS, curve(Mode.FREQUENCY_DROOP, (-0.036, 0.036), (0.05, 0.05), value=0.4))
    assert fed_kw(one, 52.0)[:3] == pytest.approx([4.0, 4.0, 1.0])


@given(
    hz=st.lists(st.floats(47.0, 53.0), min_size=1, max_size=6),
    offered=st.lists(st.floats(0.0, 1.0), min_size=POINTS, max_size=POINTS),
    seconds=st.integers(1, 60),
)
def test_no_inverter_gives_what_is_not_there(hz: list[float], offered: list[float], seconds: int) -> None:
    one = inverters(frequency_droop=True)
    is_unit = np.arange(POINTS) < UNITS
    offered_kw = np.where(is_unit, 10.0 * np.array(offered), 10.0 * np.array(offered) - 5.0)
    for minute, each in enumerate(hz):
        found = fed_kw(one, each, offered_kw, minute, seconds)
        assert (found <= np.where(is_unit, offered_kw, 5.0) + 1e-9).all()
        assert (found >= np.where(is_unit, 0.0, -5.0) - 1e-9).all()


def test_it_goes_on_from_a_checkpoint_to_the_last_bit() -> None:
    one = inverters(frequency_droop=True)
    fed_kw(one, 50.4, seconds=3)
    other = pickle.loads(pickle.dumps(one))
    for minute in range(1, 4):
        assert np.array_equal(*(fed_kw(each, 50.3, minute=minute, seconds=3) for each in (one, other)))


def test_a_battery_gives_no_more_than_it_holds_and_takes_no_more_than_it_has_room_for() -> None:
    parameters = BatteryParameters()
    batteries = Batteries(parameters, np.arange(3), None)  # type: ignore[arg-type]
    batteries.content_kwh[:] = batteries.baseline_kwh[:] = [0.01, 5.0, parameters.capacity_kwh - 0.01]
    hours, p_kw = 1.0 / 60.0, np.zeros(3)
    batteries.work(step(0), p_kw, np.ones(3, dtype=np.bool_))
    least, most = batteries.reach_kw(hours)
    assert most == pytest.approx([0.01 * 0.95 * 60.0, 4.5, 4.5]) and least == pytest.approx(
        [-4.5, -4.5, -0.01 / 0.95 * 60.0]
    )
    held_kwh, lost_kwh = batteries.content_kwh.sum(), batteries.losses_kwh
    batteries.give_less(-most, hours)
    assert batteries.content_kwh[0] == pytest.approx(0.0, abs=1e-12)
    assert held_kwh - batteries.content_kwh.sum() == pytest.approx(
        float(most.sum()) * hours + batteries.losses_kwh - lost_kwh
    )
