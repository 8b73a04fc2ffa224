"""Balanced networks of any shape: laws that every solution keeps, sweeps against Newton, reactive limits, collapse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.balanced.bus_flow import BalancedFlow, choice, solve
from heptagrid.world.balanced.network import (
    BalancedBranches,
    BalancedBuses,
    BalancedGenerators,
    BalancedNetwork,
    BalancedNodes,
    BusKind,
)


def network(seed: int, buses: int = 30, loops: int = 0, pv: int = 0, constant_current: bool = False) -> BalancedNetwork:
    """A random tree with taps and phase shifts, fed at bus 0, some of whose buses are joined once more without a ratio."""
    rng = np.random.default_rng(seed)
    parent = np.array([rng.integers(max(0, k - 4), k) for k in range(1, buses)])
    up = rng.random(buses - 1) < 0.3
    one, other = np.where(up, np.arange(1, buses), parent), np.where(up, parent, np.arange(1, buses))
    # Ratios in front of the last third only, so that loops among the first two thirds have none.
    split = 2 * buses // 3
    has_ratio = np.arange(1, buses) >= split
    angle = np.where(has_ratio, rng.choice([0.0, -150.0, 30.0], buses - 1), 0.0)
    ratio = np.where(has_ratio, rng.uniform(0.95, 1.05, buses - 1), 1.0) * np.exp(1j * np.deg2rad(angle))
    f = np.concatenate([one, rng.integers(0, split, loops)])
    t = np.concatenate([other, rng.integers(0, split, loops)])
    t = np.where(f == t, (t + 1) % split, t)
    count = len(f)
    z = rng.uniform(0.001, 0.01, count) + 1j * rng.uniform(0.002, 0.02, count)
    y = rng.uniform(0.0, 0.001, count) + 1j * rng.uniform(0.0, 0.01, count)
    names = np.arange(buses).astype(str)
    kind = np.full(buses, BusKind.PQ, dtype=np.int64)
    kind[0] = BusKind.SLACK
    held = rng.choice(np.arange(1, buses), pv, replace=False)
    kind[held] = BusKind.PV
    p, q = rng.uniform(-0.5, 2.0, buses), rng.uniform(-0.2, 0.8, buses)
    current = rng.uniform(0.0, 0.5, buses) * constant_current
    nothing = np.zeros(buses)
    fed = np.concatenate([[0], held])
    return BalancedNetwork(
        name="random",
        base_mva=100.0,
        nodes=BalancedNodes(names, np.arange(buses)),
        buses=BalancedBuses(
            *(names, kind, np.full(buses, 110.0), p, q, current, 0.3 * current, rng.uniform(0.0, 0.1, buses)),
            *(
                rng.uniform(-0.3, 0.3, buses),
                np.full(buses, np.nan),
                np.where(kind == BusKind.SLACK, 7.0, np.nan),
                nothing,
                nothing,
            ),
        ),
        branches=BalancedBranches(
            *(np.arange(count).astype(str), np.full(count, "line"), f, t, names[f], names[t], z, z, y, 0.5 * y),
            *(np.concatenate([ratio, np.ones(loops)]), np.ones(count, dtype=bool), np.full(count, np.nan)),
        ),
        generators=BalancedGenerators(
            *(names[fed], fed, np.where(fed == 0, 0.0, 1.0), np.zeros(len(fed)), np.full(len(fed), 1.02)),
            *(np.full(len(fed), -np.inf), np.full(len(fed), np.inf), np.ones(len(fed), dtype=bool)),
        ),
    )


def imbalance_mva(case: BalancedNetwork, flow: BalancedFlow) -> float:
    """What does not add up at the worst bus, from the branches' currents."""
    buses, branches, generators = case.buses, case.branches, case.generators
    v = np.abs(flow.v)
    into = -(buses.p_mw + buses.current_p_mw * v + buses.shunt_p_mw * v**2).astype(complex)
    into -= 1j * (buses.q_mvar + buses.current_q_mvar * v + buses.shunt_q_mvar * v**2)
    np.add.at(into, generators.bus, flow.p_mw + 1j * flow.q_mvar)
    for bus, current in ((branches.from_bus, flow.current_from_pu), (branches.to_bus, flow.current_to_pu)):
        np.subtract.at(into, bus, flow.v[bus] * current.conj() * case.base_mva)
    return float(np.abs(into).max())


def newton(case: BalancedNetwork) -> BalancedNetwork:
    """The same network with a constant current too small to count, which the sweeps do not take."""
    return replace(case, buses=replace(case.buses, current_p_mw=np.full(len(case.buses.kind), 1e-30)))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 4), st.integers(0, 4), st.booleans())
def test_power_adds_up_at_every_bus(seed: int, loops: int, pv: int, constant_current: bool) -> None:
    case = network(seed, loops=loops, pv=pv, constant_current=constant_current)
    flow = solve(case)
    assert flow.converged
    assert imbalance_mva(case, flow) < 1e-7
    assert np.abs(flow.v[0]) == pytest.approx(1.02, abs=1e-12) and np.rad2deg(np.angle(flow.v[0])) == pytest.approx(7.0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 4))
def test_sweeps_and_newton_agree(seed: int, loops: int) -> None:
    case = network(seed, loops=loops)
    assert "sweeps" in choice(case) and "Newton" in choice(newton(case))
    swept, solved = solve(case), solve(newton(case))
    assert "sweeps" in swept.solver and swept.converged
    assert np.abs(swept.v - solved.v).max() < 1e-8
    assert swept.losses_mva.sum() == pytest.approx(solved.losses_mva.sum(), abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 4), st.integers(0, 4))
def test_numbering_does_not_matter(seed: int, loops: int, pv: int) -> None:
    case = network(seed, loops=loops, pv=pv)
    order = np.random.default_rng(seed).permutation(len(case.buses.kind))
    place = np.argsort(order)
    buses = BalancedBuses(**{name: values[order] for name, values in vars(case.buses).items()})
    moved = replace(
        case,
        buses=buses,
        branches=replace(case.branches, from_bus=place[case.branches.from_bus], to_bus=place[case.branches.to_bus]),
        generators=replace(case.generators, bus=place[case.generators.bus]),
    )
    assert np.abs(solve(moved).v[place] - solve(case).v).max() < 1e-9


def test_the_solver_names_why_it_was_picked() -> None:
    assert choice(network(1)) == "forward and backward sweeps: a tree with one source"
    assert "with 3 loops" in choice(network(1, loops=3))
    assert "hold the voltage" in choice(network(1, pv=2))
    assert "constant current" in choice(network(1, constant_current=True))
    assert "loops" in choice(network(1, buses=200, loops=70)) and "Newton" in choice(network(1, buses=200, loops=70))


def test_a_loop_through_unequal_transformers_goes_to_newton() -> None:
    case = network(3, loops=1)
    ratio = case.branches.ratio.copy()
    ratio[-1] = 1.05
    unequal = replace(case, branches=replace(case.branches, ratio=ratio))
    assert "do not match" in choice(unequal)
    flow = solve(unequal)
    assert flow.converged and imbalance_mva(unequal, flow) < 1e-7


def test_a_generator_beyond_its_limit_gives_up_its_voltage() -> None:
    case = network(5, pv=3)
    free = solve(case)
    most = np.where(np.arange(4) == 1, free.q_mvar - 1.0, np.inf)
    limited = replace(case, generators=replace(case.generators, q_max_mvar=most))
    assert np.array_equal(solve(limited).v, free.v)
    bound = solve(limited, q_limits=True)
    bus = case.generators.bus[1]
    assert bound.at_limit.tolist() == [0, 1, 0, 0] and bound.q_mvar[1] == pytest.approx(most[1])
    assert abs(bound.v[bus]) < abs(free.v[bus]) and imbalance_mva(limited, bound) < 1e-7


def beside(case: BalancedNetwork, q_min: float, q_max: float, q_mvar: float = 0.0) -> BalancedNetwork:
    """With one more generator at the bus of generator 1."""
    generators = case.generators
    more = {"names": "beside", "p_mw": 0.0, "q_mvar": q_mvar, "q_min_mvar": q_min, "q_max_mvar": q_max}
    columns = {name: np.append(values, more.get(name, values[1])) for name, values in vars(generators).items()}
    return replace(case, generators=BalancedGenerators(**columns))


def with_limits(case: BalancedNetwork, generator: int, q_min: float, q_max: float) -> BalancedNetwork:
    low, high = case.generators.q_min_mvar.copy(), case.generators.q_max_mvar.copy()
    low[generator], high[generator] = q_min, q_max
    return replace(case, generators=replace(case.generators, q_min_mvar=low, q_max_mvar=high))


def test_a_generator_without_limits_holds_the_bus_whatever_the_one_beside_it_can_give() -> None:
    case = beside(network(5, pv=3), -0.1, 0.1)
    free = solve(case)
    assert abs(free.q_mvar[1]) > 0.2
    bound = solve(case, q_limits=True)
    assert not bound.at_limit.any() and np.array_equal(bound.v, free.v)
    assert abs(bound.q_mvar[-1]) <= 0.1


def test_a_generator_that_cannot_move_gives_at_its_bus_what_its_limits_say() -> None:
    case = network(5, pv=3)
    most = solve(case).q_mvar[1] - 2.0
    # What the file says of the one beside it, 7 Mvar, is beyond its limits of 0.5 to 0.5.
    both = beside(with_limits(case, 1, most - 10.0, most), 0.5, 0.5, q_mvar=7.0)
    bound = solve(both, q_limits=True)
    assert bound.at_limit.tolist() == [0, 1, 0, 0, 0]
    assert bound.q_mvar[[1, 4]] == pytest.approx([most, 0.5]) and imbalance_mva(both, bound) < 1e-7


def test_a_generator_that_holds_nothing_keeps_its_limits_too() -> None:
    case = network(5, pv=3)
    kind = case.buses.kind.copy()
    kind[case.generators.bus[1]] = BusKind.PQ
    generators = replace(case.generators, q_mvar=np.array([0.0, 3.0, 0.0, 0.0]))
    case = with_limits(replace(case, buses=replace(case.buses, kind=kind), generators=generators), 1, -2.0, 2.0)
    assert solve(case).q_mvar[1] == 3.0
    bound = solve(case, q_limits=True)
    assert bound.at_limit.tolist() == [0, 1, 0, 0] and bound.q_mvar[1] == 2.0


def test_a_branch_whose_ends_are_one_bus_is_its_shunt() -> None:
    case = network(7)
    branches = case.branches
    y = 0.002 + 0.03j
    more = {"from_bus": 4, "to_bus": 4, "to_names": "4'", "y_from_pu": y, "y_to_pu": y, "ratio": 1.0}
    columns = {name: np.append(values, more.get(name, values[3])) for name, values in vars(branches).items()}
    joined = replace(case, branches=BalancedBranches(**columns))
    assert not joined.violations() and "switches join" in choice(joined)
    shunt_p, shunt_q = case.buses.shunt_p_mw.copy(), case.buses.shunt_q_mvar.copy()
    shunt_p[4] += 2.0 * y.real * case.base_mva
    shunt_q[4] -= 2.0 * y.imag * case.base_mva
    plain = replace(case, buses=replace(case.buses, shunt_p_mw=shunt_p, shunt_q_mvar=shunt_q))
    flow = solve(joined)
    assert np.abs(flow.v - solve(plain).v).max() < 1e-9
    assert abs(flow.losses_mva[-1].real - 2.0 * y.real * case.base_mva * abs(flow.v[4]) ** 2) < 1e-9


def test_reactances_that_cancel_one_another_are_solved() -> None:
    case = newton(network(7))
    branches = case.branches
    z = branches.z_pu.copy()
    z[3] = 0.01 + 0.05j
    more = {"z_pu": z[3].conj(), "z_back_pu": z[3].conj(), "y_from_pu": 0.0, "y_to_pu": 0.0}
    columns = {name: np.append(values, more.get(name, values[3])) for name, values in vars(branches).items()}
    columns["z_pu"][3] = columns["z_back_pu"][3] = z[3]
    twice = replace(case, branches=BalancedBranches(**columns))
    flow = solve(twice)
    assert flow.converged and imbalance_mva(twice, flow) < 1e-7


@pytest.mark.parametrize("pv", [0, 2])
def test_voltage_collapse_is_told_with_the_loading_that_is_carried(pv: int) -> None:
    case = network(7, pv=pv)
    heavy = replace(case, buses=replace(case.buses, p_mw=np.abs(case.buses.p_mw) * 200.0))
    flow = solve(heavy)
    assert not flow.converged and "voltage collapse" in flow.trouble
    assert np.isnan(flow.v).all() and np.isnan(flow.losses_mva).all()
    share = float(flow.trouble.split("carries ")[1].split(" %")[0]) / 100.0
    assert 0.0 < share < 1.0
    buses = heavy.buses
    lighter = replace(buses, p_mw=buses.p_mw * share * 0.99, q_mvar=buses.q_mvar * share * 0.99)
    generators = replace(heavy.generators, p_mw=heavy.generators.p_mw * share * 0.99)
    assert solve(replace(heavy, buses=lighter, generators=generators)).converged


def test_a_network_without_slack_is_refused_by_name_and_an_island_has_no_voltage() -> None:
    case = network(9)
    kind = case.buses.kind.copy()
    kind[0] = BusKind.PQ
    with pytest.raises(NetworkError, match="no slack bus"):
        solve(replace(case, buses=replace(case.buses, kind=kind)))
    on = case.branches.in_service.copy()
    on[(case.branches.from_bus == 29) | (case.branches.to_bus == 29)] = False
    cut = solve(replace(case, branches=replace(case.branches, in_service=on)))
    assert cut.converged and np.flatnonzero(~cut.is_live).tolist() == [29] and cut.v[29] == 0.0
    running = np.zeros(1, dtype=bool)
    with pytest.raises(NetworkError, match="slack bus 0 has no generator in service"):
        solve(replace(case, generators=replace(case.generators, in_service=running)))


def test_two_slack_buses_both_hold() -> None:
    case = network(11, pv=1)
    kind = np.where(case.buses.kind == BusKind.PV, BusKind.SLACK, case.buses.kind)
    angle = np.where(kind == BusKind.SLACK, 0.0, np.nan)
    flow = solve(replace(case, buses=replace(case.buses, kind=kind, angle_deg=angle)))
    held = np.flatnonzero(kind == BusKind.SLACK)
    assert len(held) == 2 and flow.v[held] == pytest.approx(1.02)
