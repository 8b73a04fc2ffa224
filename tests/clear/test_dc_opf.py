"""Dispatch on networks: laws that hold for any network and any costs, held against arrays that the tests build by themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.money.markets.dc_opf import Dispatched, clear, dispatch_on
from heptagrid.planes.money.markets.shortage import shortages
from heptagrid.world.market_case import DirectLines, MarketBranches, MarketCase, MarketUnits


def random_case(seed: int, *, bent: bool = False, pieces: bool = False, direct: bool = False) -> MarketCase:
    """A connected network on which some dispatch keeps every limit: limits and bounds are drawn around a flow that there is."""
    rng = np.random.default_rng(seed)
    buses, units = int(rng.integers(2, 12)), int(rng.integers(1, 9))
    others = rng.integers(0, buses, (int(rng.integers(0, buses)), 2))
    tree = np.array([[rng.integers(0, k), k] for k in range(1, buses)])
    ends = np.vstack([tree, others[others[:, 0] != others[:, 1]]])
    count = len(ends)
    r_pu, x_pu = rng.uniform(0.0, 0.02, count), rng.uniform(0.01, 0.2, count)
    tap, shift = rng.uniform(0.9, 1.1, count), rng.choice([0.0, 0.0, 0.05], count)
    bus = rng.integers(0, buses, units)
    output = rng.uniform(0.0, 100.0, units)
    angle = rng.normal(0.0, 0.05, buses)
    flow = 100.0 * x_pu / (r_pu**2 + x_pu**2) * (angle[ends[:, 0]] - angle[ends[:, 1]])
    lines = 2 if direct else 0
    at = rng.integers(0, buses, (lines, 2))
    sent, share, lost = rng.uniform(0.0, 20.0, lines), np.full(lines, 0.02), np.full(lines, 0.5)
    load = np.bincount(bus, output, buses)
    for place, mw in (
        (ends[:, 0], -flow),
        (ends[:, 1], flow),
        (at[:, 0], -sent),
        (at[:, 1], sent * (1 - share) - lost),
    ):
        load += np.bincount(place, mw, buses)
    limit = np.where(rng.random(count) < 0.5, np.abs(flow) + rng.uniform(0.0, 10.0, count), np.inf)
    low_rad = np.where(rng.random(count) < 0.2, -np.abs(angle[ends[:, 0]] - angle[ends[:, 1]]) - 0.01, -np.inf)
    polynomial = np.column_stack([rng.uniform(0, 5, units), rng.uniform(5, 50, units)])
    if bent:
        square = np.where(rng.random(units) < 0.7, rng.uniform(0.001, 0.2, units), 0.0)
        polynomial = np.column_stack([polynomial, square])
    unit, slope, usd = np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0)
    if pieces:
        polynomial[0] = 0.0
        unit, slope = np.zeros(3, dtype=np.int64), np.sort(rng.uniform(5.0, 50.0, 3))
        usd = -np.array([0.0, slope[1] - slope[0], (slope[1] - slope[0]) + 2.0 * (slope[2] - slope[1])]) * 30.0
    names = MarketBranches(
        np.arange(count).astype(str),
        ends[:, 0],
        ends[:, 1],
        r_pu,
        x_pu,
        tap,
        shift,
        limit,
        low_rad,
        np.full(count, np.inf),
    )
    low = np.maximum(output - rng.uniform(0.0, 60.0, units), 0.0)
    high = output + rng.uniform(0.0, 60.0, units)
    return MarketCase(
        name="random",
        base_mva=100.0,
        bus_names=np.arange(buses).astype(str),
        load_mw=load,
        branches=names,
        direct_lines=DirectLines(np.arange(lines).astype(str), at[:, 0], at[:, 1], sent * 0, sent + 5.0, lost, share),
        units=MarketUnits(np.arange(units).astype(str), bus, low, high, polynomial, unit, slope, usd),
    )


def optimal(case: MarketCase, model: str = "powermodels") -> Dispatched:
    found = dispatch_on(case, model)  # type: ignore[arg-type]
    assert found.status == "optimal" and found.certificate is not None
    return found


def cost_of(units: MarketUnits, output: np.ndarray) -> np.ndarray:
    powers = output[:, np.newaxis] ** np.arange(units.polynomial.shape[1])
    cost = (units.polynomial * powers).sum(axis=1)
    for unit in np.unique(units.segment_unit):
        mine = units.segment_unit == unit
        cost[unit] += (units.segment_slope[mine] * output[unit] + units.segment_usd[mine]).max()
    return np.asarray(cost)


KINDS = [{}, {"bent": True}, {"pieces": True}, {"bent": True, "pieces": True, "direct": True}]


@pytest.mark.parametrize("kind", KINDS, ids=["straight", "bent", "pieces", "all"])
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_dispatch_satisfies_the_conditions_of_an_optimum(kind: dict[str, bool], seed: int) -> None:
    """Balance and limits; price between the slopes of every unit; congestion only where a limit binds; the two costs are one."""
    case = random_case(seed, **kind)
    found = optimal(case)
    units, on, lines = case.units, case.branches, case.direct_lines
    given_mw = np.bincount(units.bus, found.output_mw, len(case.load_mw))
    arrives = (1.0 - lines.loss_share) * found.direct_mw - lines.loss_mw
    for place, mw in (
        (on.from_bus, -found.flow_mw), (on.to_bus, found.flow_mw), (lines.from_bus, -found.direct_mw), (lines.to_bus, arrives)
    ):  # fmt: skip
        given_mw += np.bincount(place, mw, len(case.load_mw))
    np.testing.assert_allclose(given_mw, case.load_mw, atol=1e-6)
    assert (found.output_mw >= units.low_mw - 1e-6).all() and (found.output_mw <= units.high_mw + 1e-6).all()
    assert (np.abs(found.flow_mw) <= on.limit_mw + 1e-6).all()
    price = found.price[units.bus]
    step = 1e-5
    more = (cost_of(units, found.output_mw + step) - cost_of(units, found.output_mw)) / step
    less = (cost_of(units, found.output_mw) - cost_of(units, found.output_mw - step)) / step
    assert (price <= more + 1e-4)[found.output_mw < units.high_mw - 1e-4].all()
    assert (price >= less - 1e-4)[found.output_mw > units.low_mw + 1e-4].all()
    at_limit = (found.flow_mw >= found.network.high_mw - 1e-6) | (found.flow_mw <= found.network.low_mw + 1e-6)
    assert (np.abs(found.shadow_price) < 1e-6)[~at_limit].all()
    certificate = found.certificate
    assert certificate is not None and certificate.gap < 1e-9
    assert certificate.cost == pytest.approx(cost_of(units, found.output_mw).sum(), rel=1e-9, abs=1e-6)
    assert certificate.primal_residual < 1e-6 and certificate.complementarity < 1e-4


@pytest.mark.parametrize("model", ["powermodels", "matpower"])
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_loads_pay_is_what_units_get_and_the_congestion_rent(model: str, seed: int) -> None:
    case = random_case(seed, bent=True, direct=model == "powermodels")
    case = replace(case, branches=replace(case.branches, limit_mw=case.branches.limit_mw * 2.0))
    found = clear(case, dc_model=model)  # type: ignore[arg-type]
    if found.status != "optimal":  # another model, other flows
        assert model == "matpower" and found.reasons
        return
    payments, revenues, rent = (float(str(found.figures[name])) for name in ("payments", "revenues", "congestion_rent"))
    assert payments == pytest.approx(revenues + rent, rel=1e-7, abs=1e-3)
    uplift = np.asarray(found.quantities["uplift"])
    cost, revenue = np.asarray(found.quantities["cost"]), np.asarray(found.quantities["revenue"])
    assert (uplift >= 0.0).all() and (revenue + uplift >= cost - 1e-9).all()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_without_shifts_the_rent_is_what_binding_limits_are_worth(seed: int) -> None:
    found = optimal(random_case(seed))
    on = found.network.case.branches
    rent = ((found.price[on.to_bus] - found.price[on.from_bus]) * found.flow_mw).sum()
    assert rent == pytest.approx((found.shadow_price * found.flow_mw).sum(), rel=1e-6, abs=1e-3)
    assert rent >= -1e-6


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_network_never_makes_it_cheaper_and_a_price_is_what_one_more_costs(seed: int) -> None:
    case = random_case(seed, bent=True)
    found = optimal(case)
    free = clear(case, network="none")
    assert found.certificate is not None and free.total_cost is not None
    assert free.total_cost <= found.certificate.cost + 1e-6
    bus, more = seed % len(case.load_mw), 1e-4
    then = dispatch_on(replace(case, load_mw=case.load_mw + more * (np.arange(len(case.load_mw)) == bus)))
    if then.certificate is not None:
        rise = (then.certificate.cost - found.certificate.cost) / more
        assert rise >= found.price[bus] - 1e-2


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_cannot_be_served_is_short_somewhere(seed: int) -> None:
    case = random_case(seed)
    missing = case.units.high_mw.sum() - case.load_mw.sum() + 50.0
    found = clear(replace(case, load_mw=case.load_mw + missing / len(case.load_mw)))
    assert found.status == "infeasible" and found.total_cost is None and found.certificate is None
    assert "the units give" in found.reasons[0]
    assert any(" lacks " in reason for reason in found.reasons)


def test_islands_have_prices_of_their_own() -> None:
    case = random_case(3)
    nothing = np.zeros(0, dtype=np.int64)
    branches = MarketBranches(**{name: values[nothing] for name, values in vars(case.branches).items()})
    units = case.units
    mine = np.array([0, 1])
    bus_units = MarketUnits(
        np.array(["a", "b"]), mine, np.zeros(2), np.full(2, 100.0), np.array([[0.0, 10.0], [0.0, 20.0]]),
        units.segment_unit, units.segment_slope, units.segment_usd,
    )  # fmt: skip
    two = replace(
        case, bus_names=np.array(["1", "2"]), load_mw=np.array([50.0, 60.0]), branches=branches, units=bus_units
    )
    found = optimal(two)
    assert found.price.tolist() == pytest.approx([10.0, 20.0])
    short = dispatch_on(replace(two, load_mw=np.array([50.0, 160.0])))
    assert short.status == "infeasible"
    assert shortages(short.network)[0] == (
        "the part of the network with bus 2: 160 MW are needed, and the units give 100 MW at most"
    )


def test_limits_that_exclude_one_another_are_no_dispatch() -> None:
    case = random_case(5)
    on = case.branches
    low = np.where(np.arange(len(on.names)) == 0, 1.0, -np.inf)
    found = clear(replace(case, branches=replace(on, limit_mw=np.full(len(on.names), 1.0), angle_low_rad=low)))
    assert found.status == "infeasible" and "branch 0" in found.reasons[0]


def test_a_branch_without_reactance_has_no_flow_in_the_model_of_matpower() -> None:
    case = random_case(5)
    none = replace(case, branches=replace(case.branches, x_pu=case.branches.x_pu * 0.0))
    with pytest.raises(NetworkError, match="without reactance"):
        dispatch_on(none, "matpower")
