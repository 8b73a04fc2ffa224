"""Functions of inverters: what they feed stays within their rating, whatever is asked and whatever the voltage is, and ends when it should."""

from __future__ import annotations

import pickle
from datetime import date

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptagrid.contracts.flexibility import LOCAL_UNITS
from heptagrid.contracts.inverters import Function, Mode, function
from heptagrid.contracts.policy import declared
from heptagrid.domains.customers.inverters import Inverters, Rows
from heptagrid.domains.customers.standing_function import Parameters, cos_phi_p
from heptagrid.foundation.time import NS_PER_MINUTE, NS_PER_S, Step
from heptagrid.planes.power.controls.ieee1547 import CAPABILITY
from heptagrid.planes.power.controls.inverters import feed

Floats = npt.NDArray[np.float64]

UNITS, BATTERIES = 3, 2
POINTS = UNITS + BATTERIES
SUPPLIED = np.ones(POINTS, dtype=np.bool_)
NOTHING = np.empty(0)


def inverters(**settings: object) -> Inverters:
    """Three units of 10 kW and two batteries of 5 kW, each at a point of its own."""
    classes = {
        LOCAL_UNITS: Rows(np.arange(UNITS), np.full(UNITS, 10.0), True),
        "batteries": Rows(np.arange(UNITS, POINTS), np.full(BATTERIES, 5.0), True),
    }
    return Inverters(Parameters(**settings), classes)  # type: ignore[arg-type]


def step(minute: int, seconds: int = 60) -> Step:
    begin_ns = minute * NS_PER_MINUTE
    return Step(begin_ns, begin_ns + seconds * NS_PER_S, date(1970, 1, 1), 0, 24 * 60 * NS_PER_MINUTE, minute)


def fed(one: Inverters, offered_kw: Floats, v_pu: float, minute: int = 0, seconds: int = 60) -> tuple[Floats, Floats]:
    """Net draws of the points, kW and kvar, after a step in which all inverters see one voltage and nothing else draws."""
    p_kw, q_kvar = -offered_kw, np.zeros(POINTS)
    one.offer(step(minute, seconds), offered_kw, SUPPLIED, p_kw)
    if one.at_points is not None:
        one.at_points.bank.seen_pu[:] = v_pu
        feed(one.at_points.bank)
    one.feed(p_kw, q_kvar)
    return p_kw, q_kvar


def order(mode: Mode, value: float = 0.0, until_minute: int = 10, device: int = 0, **curve: Floats) -> Function:
    return Function(
        *(int(mode), np.zeros(1, dtype=np.int64), np.array([value])),
        *(curve.get("x", NOTHING), curve.get("y", NOTHING), 0.0, 0, until_minute * NS_PER_MINUTE, np.array([device])),
    )


@given(
    mode=st.sampled_from(["unity", "power_factor", "var", "volt_var", "watt_var", "cos_phi_p"]),
    category=st.sampled_from(["A", "B"]),
    volt_watt=st.booleans(),
    watt_priority=st.booleans(),
    kva_per_kw=st.floats(1.0, 2.0),
    power_factor=st.floats(0.5, 1.0),
    var=st.floats(-1.0, 1.0),
    v_pu=st.floats(0.0, 1.5),
    share=st.lists(st.floats(0.0, 1.0), min_size=POINTS, max_size=POINTS),
)
def test_no_inverter_feeds_more_than_its_rating(
    mode: str, category: str, v_pu: float, share: list[float], **settings: object
) -> None:
    """Apparent power, vars by the category's capability, and watts by what there is; batteries charge in the second half of their share."""
    one = inverters(mode=mode, category=category, **settings)
    rated_kw = np.array([10.0] * UNITS + [5.0] * BATTERIES)
    offered_kw = rated_kw * np.where(np.arange(POINTS) < UNITS, share, 1.0 - 2.0 * np.array(share))
    fed(one, offered_kw, v_pu)
    most = CAPABILITY[one_category(category)]
    assert (np.hypot(one.p_kw, one.q_kvar) <= one.rated_kva * (1.0 + 1e-12)).all()
    assert (np.abs(one.p_kw) <= np.abs(offered_kw) * (1.0 + 1e-12)).all() and (one.p_kw * offered_kw >= 0.0).all()
    assert (one.q_kvar <= most.inject * one.rated_kva + 1e-12).all()
    assert (one.q_kvar >= -most.absorb * one.rated_kva - 1e-12).all()


def one_category(name: str):  # type: ignore[no-untyped-def]
    return Parameters(category=name).category_1547


def test_at_unity_nothing_of_inverters_takes_part() -> None:
    one = inverters()
    p_kw, q_kvar = fed(one, np.array([4.0, 5.0, 6.0, 1.0, -2.0]), 1.1)
    assert one.at_points is None
    assert p_kw.tolist() == [-4.0, -5.0, -6.0, -1.0, 2.0] and not q_kvar.any()


def test_an_ordered_function_takes_the_place_of_the_scenarios_until_it_ends() -> None:
    one, offered_kw = inverters(mode="power_factor", power_factor=0.9), np.full(POINTS, 4.0)
    one.take(LOCAL_UNITS, order(Mode.VAR, 0.2, until_minute=2))
    one.take("batteries", order(Mode.UNITY, until_minute=1))
    by_factor, ordered = 4.0 * np.tan(np.arccos(0.9)), -0.2 * 11.1
    assert fed(one, offered_kw, 1.0, 0)[1] == pytest.approx([ordered, by_factor, by_factor, 0.0, by_factor])
    assert fed(one, offered_kw, 1.0, 1)[1] == pytest.approx([ordered, *[by_factor] * 4])
    assert fed(one, offered_kw, 1.0, 2)[1] == pytest.approx([by_factor] * 5)


def test_an_order_has_values_by_intervals_and_can_be_taken_back() -> None:
    one, offered_kw = inverters(), np.full(POINTS, 4.0)
    begins = np.array([0, NS_PER_MINUTE, 3 * NS_PER_MINUTE])
    values = np.array([0.1, -0.2, 0.3])
    first = Function(int(Mode.VAR), begins, values, NOTHING, NOTHING, 0.0, 0, 9 * NS_PER_MINUTE, np.array([1]))
    one.take(LOCAL_UNITS, first)
    given_kvar = [-fed(one, offered_kw, 1.0, minute)[1][1] for minute in range(4)]
    assert given_kvar == pytest.approx([1.11, -2.22, -2.22, 3.33])
    none = np.empty(0, dtype=np.int64)
    one.take(LOCAL_UNITS, Function(int(Mode.UNITY), none, NOTHING, NOTHING, NOTHING, 0.0, 0, 0, np.array([1])))
    assert one.q_kvar.any() and not one.take_part(step(4))
    assert not one.q_kvar.any(), "what is told of it is nothing too"
    assert not fed(one, offered_kw, 1.0, 4)[1].any() and one.at_points is None


def test_vars_and_the_limit_of_watts_are_set_apart() -> None:
    one, offered_kw = inverters(), np.full(POINTS, 4.0)
    one.take(LOCAL_UNITS, order(Mode.VAR, -0.1))
    one.take(LOCAL_UNITS, order(Mode.VOLT_WATT, x=np.array([1.0, 1.1]), y=np.array([1.0, 0.0])))
    p_kw, q_kvar = fed(one, offered_kw, 1.08)
    assert (p_kw[0], q_kvar[0]) == pytest.approx((-2.0, 1.11))
    one.take(LOCAL_UNITS, order(Mode.UNITY))
    p_kw, q_kvar = fed(one, offered_kw, 1.08, 1)
    assert (p_kw[0], q_kvar[0]) == pytest.approx((-2.0, 0.0))


def test_power_factors_hold_in_their_own_direction_of_power() -> None:
    one, offered_kw = inverters(), np.array([4.0, 4.0, 4.0, 4.0, -4.0])
    one.take("batteries", order(Mode.POWER_FACTOR_GIVING, 0.9, device=0))
    one.take("batteries", order(Mode.POWER_FACTOR_GIVING, 0.9, device=1))
    giving, drawing = 4.0 * np.tan(np.arccos(0.9)), 4.0 * np.tan(np.arccos(0.95))
    assert -fed(one, offered_kw, 1.0, 0)[1][3:] == pytest.approx([giving, 0.0])
    one.take("batteries", order(Mode.POWER_FACTOR_DRAWING, -0.95, until_minute=3, device=1))
    assert -fed(one, offered_kw, 1.0, 1)[1][3:] == pytest.approx([giving, -drawing])
    assert -fed(one, offered_kw, 1.0, 3)[1][3:] == pytest.approx([giving, 0.0])


def test_a_power_factor_while_drawing_holds_beside_a_curve() -> None:
    one, offered_kw = inverters(mode="volt_var"), np.array([4.0, 4.0, 4.0, 4.0, -4.0])
    one.take("batteries", order(Mode.POWER_FACTOR_DRAWING, 0.95, device=1))
    q_kvar = -fed(one, offered_kw, 1.08)[1]
    assert q_kvar[3:] == pytest.approx([-0.44 * 5.55, 4.0 * np.tan(np.arccos(0.95))])


def test_a_curve_is_reached_to_nine_tenths_in_its_response_time() -> None:
    one, offered_kw = inverters(mode="volt_var"), np.full(POINTS, 1.0)
    fed(one, offered_kw, 1.0, 0)
    one_response = fed(one, offered_kw, 1.08, 1, seconds=5)[1][0]
    assert one_response == pytest.approx(0.9 * 0.44 * 11.1)
    assert fed(one, offered_kw, 1.08, 2, seconds=5)[1][0] == pytest.approx(0.99 * 0.44 * 11.1)


def test_cos_phi_p_is_that_of_vde_ar_n_4105() -> None:
    """1 up to half of the power, from there on falling with it to 0.90, vars absorbed."""
    curve = cos_phi_p(1.11)
    p = np.linspace(0.01, 1.0, 1000)
    q = np.interp(p, *curve) * 1.11
    wanted = -p * np.tan(np.arccos(np.where(p <= 0.5, 1.0, 1.0 - 0.2 * (p - 0.5))))
    assert q == pytest.approx(wanted, abs=1.2e-3)


def test_inverters_go_on_from_a_checkpoint_to_the_last_bit() -> None:
    one, offered_kw = inverters(mode="volt_var"), np.full(POINTS, 4.0)
    one.take("batteries", order(Mode.VAR, 0.3, until_minute=3))
    fed(one, offered_kw, 1.05, 0, seconds=5)
    other = pickle.loads(pickle.dumps(one))
    for minute in range(1, 5):
        ours, theirs = (fed(each, offered_kw, 1.07, minute, seconds=5) for each in (one, other))
        assert np.array_equal(ours[0], theirs[0]) and np.array_equal(ours[1], theirs[1])


def test_functions_of_inverters_are_declared_messages() -> None:
    assert {function(LOCAL_UNITS), function("batteries")} <= set(declared())
    assert function("vehicles") not in declared()
