"""Marginal losses in prices, against the multipliers of optimal power flows with voltages and reactive power.

Ours knows losses at 1 pu and no reactive power; where voltages are held at 1.05 to 1.1 pu less is lost, which is most of what lies between.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from heptagrid.planes.money.markets.unit_commitment import Commitment, Settings, dispatch
from heptagrid.validate.case import Finding, case
from heptagrid.world.commitment_case import (
    BranchNetwork,
    CommitmentCase,
    CommittedUnits,
    Floats,
    Ints,
    Reserves,
    Reservoirs,
    Sources,
    Storages,
)

LOSSES = Settings(with_reserves=False, with_losses=True)
_PIECES = 200  # of a quadratic cost
_ANY_MW = 1e6

# MATPOWER's case14 (IEEE 14 bus): from, to, r, x, tap.
_BRANCHES_14 = """
1 2 0.01938 0.05917 1, 1 5 0.05403 0.22304 1, 2 3 0.04699 0.19797 1, 2 4 0.05811 0.17632 1, 2 5 0.05695 0.17388 1, 3 4 0.06701 0.17103 1, 4 5 0.01335 0.04211 1,
4 7 0 0.20912 0.978, 4 9 0 0.55618 0.969, 5 6 0 0.25202 0.932, 6 11 0.09498 0.1989 1, 6 12 0.12291 0.25581 1, 6 13 0.06615 0.13027 1, 7 8 0 0.17615 1,
7 9 0 0.11001 1, 9 10 0.03181 0.0845 1, 9 14 0.12711 0.27038 1, 10 11 0.08205 0.19207 1, 12 13 0.22092 0.19988 1, 13 14 0.17093 0.34802 1
"""
_LOAD_14 = "0 21.7 94.2 47.8 7.6 11.2 0 0 29.5 9 3.5 6.1 13.5 14.9"
_PRICES_14 = "36.724 38.360 40.575 40.190 39.661 39.734 40.172 40.170 40.166 40.318 40.155 40.379 40.575 41.198"
# MATPOWER's case9, and its test t_case9_opf, whose bus 30 is 3 here.
_BRANCHES_9 = """
1 4 0 0.0576 1, 4 5 0.017 0.092 1, 5 6 0.039 0.17 1, 3 6 0 0.0586 1, 6 7 0.0119 0.1008 1, 7 8 0.0085 0.072 1, 8 2 0 0.0625 1, 8 9 0.032 0.161 1, 9 4 0.01 0.085 1
"""
_LOAD_9 = "0 0 0 0 90 0 100 0 125"
_PRICES_9 = "24.756 24.035 24.076 24.756 24.998 24.076 24.254 24.035 24.999"
_PRICES_9_FULL = "20.2699 24.035 15.0 20.2699 18.7971 15.0 25.552 24.0378 22.0182"


@case(
    "marginal-losses-ac",
    plane="money",
    kind="exact",
    source="PYPOWER 5.1.18, runopf of MATPOWER's case14 and case9: prices are the multipliers of the AC optimal power flow; no limit binds",
)
def marginal_losses_ac(live: bool) -> Iterator[Finding]:
    """The price of each bus to that of the first, which losses alone set apart: up to 12 % on 14 buses and 3 % on nine, each to 0.6 %."""
    for name, branches, load, prices, fleet in (
        ("14 buses", _BRANCHES_14, _LOAD_14, _PRICES_14, _units_14()),
        ("9 buses", _BRANCHES_9, _LOAD_9, _PRICES_9, _units_9()),
    ):
        expected, ours = _numbers(prices), _dispatched(branches, load, fleet).price[0]
        apart = np.abs(ours / ours[0] - expected / expected[0])
        worst = int(np.argmax(apart))
        quantity = f"{name}: price at bus {worst + 1} to that at bus 1, the farthest"
        published, found = (float(one[worst] / one[0]) for one in (expected, ours))
        yield Finding(quantity, published, found, tolerance=0.006)
        yield Finding(f"{name}: mean price", float(expected.mean()), float(ours.mean()), 0.01, True, "USD/MWh")


@case(
    "marginal-losses-ac-full-line",
    plane="money",
    kind="exact",
    source="MATPOWER's published solution of its test t_case9_opf (soln9_opf.mat): the AC optimal power flow with the line from bus 6 to 7 full",
)
def marginal_losses_ac_full_line(live: bool) -> Iterator[Finding]:
    """Prices from 15 to 25.6 USD/MWh, congestion and losses together; the line's rating is of apparent power there, of active power here."""
    found = _dispatched(_BRANCHES_9, _LOAD_9, _units_9_full(), full=(4, 40.0))
    for bus, (expected, ours) in enumerate(zip(_numbers(_PRICES_9_FULL), found.price[0], strict=True), start=1):
        yield Finding(f"price at bus {bus}", float(expected), float(ours), 0.01, True, "USD/MWh")


def _numbers(text: str) -> Floats:
    return np.array(text.split(), dtype=np.float64)


def _dispatched(branches: str, load: str, fleet: CommittedUnits, full: tuple[int, float] | None = None) -> Commitment:
    """full: a branch and its rating."""
    rows = np.array([one.split() for one in branches.strip().split(",")], dtype=np.float64)
    load_mw, rating = _numbers(load)[np.newaxis], np.full(len(rows), _ANY_MW)
    if full is not None:
        rating[full[0]] = full[1]
    network = BranchNetwork(
        names=np.arange(len(rows)).astype(np.str_),
        from_bus=rows[:, 0].astype(np.int64) - 1,
        to_bus=rows[:, 1].astype(np.int64) - 1,
        susceptance_pu=1.0 / (rows[:, 3] * rows[:, 4]),
        rating_mw=rating,
        emergency_mw=rating,
        loss_mw_per_mw2=rows[:, 2] / 100.0,
    )
    one = CommitmentCase(
        name="an hour",
        bus_names=np.arange(1, load_mw.shape[1] + 1).astype(np.str_),
        load_mw=load_mw,
        units=fleet,
        sources=Sources.none(1),
        storages=Storages.none(),
        reservoirs=Reservoirs.none(1),
        reserves=Reserves.none(1, len(fleet), 0),
        network=network,
    )
    return dispatch(one, np.ones((1, len(fleet)), dtype=np.bool_), LOSSES)


def _units_14() -> CommittedUnits:
    square, slope = np.array([0.0430293, 0.25, 0.01, 0.01, 0.01]), np.array([20.0, 20.0, 40.0, 40.0, 40.0])
    return _bent(np.array([0, 1, 2, 5, 7]), np.zeros(5), np.array([332.4, 140.0, 100.0, 100.0, 100.0]), square, slope)


def _units_9() -> CommittedUnits:
    square, slope = np.array([0.11, 0.085, 0.1225]), np.array([5.0, 1.2, 1.0])
    return _bent(np.arange(3), np.full(3, 10.0), np.array([250.0, 300.0, 270.0]), square, slope)


def _units_9_full() -> CommittedUnits:
    """Its units 1 and 30 cost 25, 30 and 35, and 15 and 20 USD/MWh in pieces, its unit 2 24.035; the first gives 90 MW at least, the others 10."""
    block_mw = np.array([[10.0, 100.0, 50.0], [290.0, 0.0, 0.0], [190.0, 70.0, 0.0]])
    block_cost = np.array([[25.0, 30.0, 35.0], [24.035, 0.0, 0.0], [15.0, 20.0, 0.0]])
    low = np.array([90.0, 10.0, 10.0])
    return _units(np.arange(3), low, block_mw, block_cost)


def _bent(bus: Ints, low: Floats, high: Floats, square: Floats, slope: Floats) -> CommittedUnits:
    """Quadratic costs in pieces; what the minimum costs changes no price."""
    edges = low[:, np.newaxis] + (high - low)[:, np.newaxis] * np.linspace(0.0, 1.0, _PIECES + 1)
    cost = slope[:, np.newaxis] + square[:, np.newaxis] * (edges[:, 1:] + edges[:, :-1])
    return _units(bus, low, np.diff(edges, axis=1), cost)


def _units(bus: Ints, low: Floats, block_mw: Floats, block_cost: Floats) -> CommittedUnits:
    count = len(bus)
    always, free = np.ones(count, dtype=np.int64), np.full(count, _ANY_MW)
    return CommittedUnits(
        names=bus.astype(np.str_),
        bus=bus.astype(np.int64),
        p_min_mw=low,
        p_max_mw=low + block_mw.sum(axis=1),
        block_mw=block_mw,
        block_cost=block_cost,
        no_load=np.zeros(count),
        starts=np.zeros((count, 1)),
        cold_after_h=np.zeros((count, 1)),
        min_up_h=always,
        min_down_h=always,
        ramp_mw_per_h=free,
        on_h=np.full(count, 10_000, dtype=np.int64),
        before_mw=np.full(count, np.nan),
    )
