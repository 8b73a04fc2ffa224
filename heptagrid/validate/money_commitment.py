"""Unit commitment against published optima: a small case by hand, MATPOWER's MOST, and Egret's test cases."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from heptagrid.importers.egret_uc import egret_case
from heptagrid.planes.money.formulations.branch_limits import BranchLimits
from heptagrid.planes.money.formulations.day import add_day
from heptagrid.planes.money.formulations.program import INFINITE, Program
from heptagrid.planes.money.markets.unit_commitment import Settings, commit
from heptagrid.validate.case import DATA, Finding, case, farthest
from heptagrid.world.commitment_case import (
    BranchNetwork,
    CommitmentCase,
    CommittedUnits,
    Reserves,
    Reservoirs,
    Sources,
    Storages,
)

Floats = npt.NDArray[np.float64]

LONG_H = 1000


def bare_case(
    name: str,
    load_mw: Floats,
    units: CommittedUnits,
    sources: Sources | None = None,
    network: BranchNetwork | None = None,
    reserve_mw: Floats | None = None,
) -> CommitmentCase:
    """A case without storages; reserve_mw: (periods,) of one product within the ramps."""
    periods = len(load_mw)
    given = sources if sources is not None else Sources.none(periods)
    products = 0 if reserve_mw is None else 1
    required = np.zeros((periods, 0)) if reserve_mw is None else reserve_mw[:, np.newaxis]
    yes = np.ones(products, dtype=np.bool_)
    return CommitmentCase(
        name=name,
        bus_names=np.arange(1, load_mw.shape[1] + 1).astype(np.str_),
        load_mw=load_mw,
        units=units,
        sources=given,
        storages=Storages.none(),
        reservoirs=Reservoirs.none(periods),
        reserves=Reserves(
            names=np.array(["reserve"][:products], dtype=np.str_),
            required_mw=required,
            within_min=np.full(products, 60.0),
            is_up=yes,
            units=np.ones((products, len(units)), dtype=np.bool_),
            sources=np.zeros((products, len(given)), dtype=np.bool_),
            in_ramp=yes,
        ),
        network=network,
    )


@case("unit-commitment-by-hand", plane="money", kind="exact", source="by hand: 180,000 + 50 + 105,000 + 200 + 80,000")
def unit_commitment_by_hand(live: bool) -> Iterator[Finding]:
    """Coal cannot run below 3,000 MW, so it stops for its two hours; PyPSA's users asked what the prices then are."""
    units = CommittedUnits(
        names=np.array(["coal", "gas"]),
        bus=np.zeros(2, dtype=np.int64),
        p_min_mw=np.array([3000.0, 100.0]),
        p_max_mw=np.array([10_000.0, 1000.0]),
        block_mw=np.array([[7000.0], [900.0]]),
        block_cost=np.array([[20.0], [70.0]]),
        no_load=np.array([60_000.0, 7000.0]),
        starts=np.array([[200.0], [50.0]]),
        cold_after_h=np.zeros((2, 1)),
        min_up_h=np.array([3, 1]),
        min_down_h=np.array([2, 1]),
        ramp_mw_per_h=np.full(2, 1e5),
        on_h=np.array([1, -LONG_H]),
        before_mw=np.full(2, np.nan),
    )
    load_mw = np.array([[4000.0], [5000.0], [700.0], [800.0], [4000.0]])
    found = commit(bare_case("unit commitment price", load_mw, units), Settings(gap=1e-9))
    yield Finding("cost", 365_250.0, found.cost or 0.0, 1e-6, relative=True, unit="USD")
    on = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 0]])
    yield farthest("who is on", on, found.on, 0.0)
    yield farthest("price", [20.0, 20.0, 70.0, 70.0, 20.0], found.price[:, 0], 1e-6, unit="USD/MWh")


MOST_LOAD_MW = np.array([440, 480, 540, 525, 500, 450, 400, 350, 300, 325, 375, 425]) - 1e-3
MOST_WIND_MW = np.array([80, 65, 60, 82, 100, 70, 50, 85, 100, 110, 106, 95], dtype=np.float64)
MOST_USD_PER_MWH = 1000.0
MOST_SOURCE = "MATPOWER/MOST, t_most_uc (ex_case3b, ex_wind_uc, ex_wind_profile_d, ex_load_profile, ex_xgd_uc)"


def most_case(min_up_h: int = 1) -> CommitmentCase:
    """Three units, a wind farm and a load worth 1000 USD/MWh on three buses over twelve hours; starts and stops cost."""
    units = CommittedUnits(
        names=np.array(["1", "2", "3"]),
        bus=np.array([0, 0, 1]),
        p_min_mw=np.array([60.0, 65.0, 60.0]),
        p_max_mw=np.array([200.0, 200.0, 500.0]),
        block_mw=np.array([[140.0], [135.0], [440.0]]),
        block_cost=np.array([[25.0], [30.0], [40.0]]),
        no_load=np.array([60.0 * 25.0, 65.0 * 30.0, 60.0 * 40.0]),
        starts=np.array([[0.0], [200.0], [3000.0]]),
        cold_after_h=np.zeros((3, 1)),
        min_up_h=np.array([1, min_up_h, 1]),
        min_down_h=np.ones(3, dtype=np.int64),
        ramp_mw_per_h=np.full(3, 1e4),
        on_h=np.full(3, LONG_H),
        before_mw=np.array([125.0, 125.0, 200.0]),
        stop_cost=np.array([0.0, 200.0, 600.0]),
    )
    load_mw = np.zeros((12, 3))
    load_mw[:, 2] = MOST_LOAD_MW
    wind_mw = MOST_WIND_MW[:, np.newaxis]
    network = BranchNetwork(
        names=np.array(["1", "2", "3"]),
        from_bus=np.array([0, 0, 1]),
        to_bus=np.array([1, 2, 2]),
        susceptance_pu=np.full(3, 100.0),
        rating_mw=np.array([300.0, 240.0, 300.0]),
        emergency_mw=np.array([300.0, 240.0, 300.0]),
    )
    sources = Sources(np.array(["wind"]), np.array([1]), np.zeros((12, 1)), wind_mw)
    return replace(bare_case("MOST", load_mw, units, sources, network), unserved_cost=MOST_USD_PER_MWH)


def most_figure(one: CommitmentCase, *, with_network: bool = True) -> float:
    """MOST's objective: costs less what the served load is worth."""
    found = commit(one, Settings(gap=1e-9, with_network=with_network))
    return (found.cost or 0.0) + found.penalty - MOST_USD_PER_MWH * float(one.load_mw.sum())


def most_with_ramps_paid(one: CommitmentCase, paid: int, usd_per_mw: float) -> float:
    """The same, where each MW by which one unit's output changes is paid for, up or down."""
    program = Program()
    columns = add_day(program, one)
    assert one.network is not None
    periods, low_mw = one.periods, one.units.p_min_mw[paid]
    changed = program.columns(np.zeros((2, periods)), INFINITE, usd_per_mw)
    for sign, column in zip((1.0, -1.0), changed, strict=True):
        bound = np.zeros(periods)
        bound[0] = -sign * one.units.before_mw[paid]
        row = program.rows(bound, INFINITE)
        program.put(row, column, 1.0)
        for output, mw in ((columns.units.above[:, paid], 1.0), (columns.units.on[:, paid], low_mw)):
            program.put(row, output, -sign * mw)
            program.put(row[1:], output[:-1], sign * mw)
    grid = BranchLimits(one, one.network, columns, with_outages=False)
    found = program.solve(gap=1e-9)
    while grid.add_broken(program, found.x):
        found = program.solve(gap=1e-9)
    return (found.objective or 0.0) - MOST_USD_PER_MWH * float(one.load_mw.sum())


@case("most-unit-commitment", plane="money", kind="exact", source=MOST_SOURCE)
def most_unit_commitment(live: bool) -> Iterator[Finding]:
    """MOST also pays 1e-6 USD for each MW by which any output changes, so the figures agree to a cent only."""
    full = most_case()
    free = replace(full, units=replace(full.units, starts=np.zeros((3, 1)), stop_cost=np.zeros(3)))
    for name, expected, ours in (
        ("no network", -4_996_528.353276, most_figure(free, with_network=False)),
        ("network", -4_985_948.467960, most_figure(free)),
        ("with starts and stops", -4_982_333.493032, most_figure(full)),
        ("with three hours on", -4_982_308.507952, most_figure(most_case(min_up_h=3))),
    ):
        yield Finding(name, expected, ours, 0.02, unit="USD")
    # 100 MW upwards and 250 downwards at most, a start and a stop included, at 10 USD each.
    units = most_case(min_up_h=3).units
    units = replace(
        units,
        ramp_mw_per_h=np.array([1e4, 1e4, 100.0]),
        ramp_down_mw_per_h=np.array([1e4, 1e4, 250.0]),
        start_mw=np.array([200.0, 200.0, 100.0]),
        stop_mw=np.array([200.0, 200.0, 250.0]),
    )
    ramped = most_with_ramps_paid(replace(most_case(), units=units), 2, 10.0)
    yield Finding("with ramps", -4_977_003.538585, ramped, 0.02, unit="USD")


EGRET_SOURCE = "Egret, egret/models/tests/test_unit_commitment.py (test_case_1 and 5: optima of commercial solvers)"
EGRET_GAP = 1e-4
EGRET_LOAD = np.array(
    [
        710,
        650,
        620,
        600,
        580,
        580,
        600,
        640,
        730,
        800,
        820,
        830,
        820,
        800,
        790,
        790,
        830,
        910,
        900,
        880,
        850,
        840,
        790,
        740,
    ]
)


def egret_data(number: int, peak_mw: float) -> dict[str, object]:
    """Egret's test case as its file has it: families of units whose copies are each a USD/MWh dearer, a day's load and 3 % of it as reserve."""
    generators = {}
    with (DATA / "commitment" / "egret_units.csv").open(encoding="utf-8", newline="") as file:
        families = list(csv.DictReader(file))
    for row in families:
        figure = {key: float(value) for key, value in row.items() if key != "family"}
        idle = 97.0 if (row["family"], number) == ("GEN2", 5) else figure["a"]
        for copy in range(int(row[f"in_case_{number}"])):
            generators[f"{row['family']}_{copy}"] = {
                "generator_type": "thermal",
                "bus": "all",
                **{key: figure[key] for key in ("p_min", "p_max", "initial_status", "initial_p_output")},
                **dict.fromkeys(("ramp_up_60min", "ramp_down_60min"), figure["ramp"]),
                **dict.fromkeys(("startup_capacity", "shutdown_capacity"), figure["p_min"]),
                **dict.fromkeys(("min_up_time", "min_down_time"), figure["hours"]),
                "startup_cost": [[figure["hours"], figure["hot"]], [figure["cold_from"], figure["cold"]]],
                "p_cost": {
                    "cost_curve_type": "polynomial",
                    "values": {"0": idle, "1": figure["b"] + copy, "2": figure["c"]},
                },
            }
    load_mw = EGRET_LOAD / EGRET_LOAD.max() * peak_mw
    return {
        "elements": {
            "bus": {"all": {}},
            "load": {"all": {"bus": "all", "p_load": load_mw.tolist()}},
            "generator": generators,
        },
        "system": {
            "time_keys": list(range(24)),
            "reserve_requirement": (0.03 * load_mw).tolist(),
            "load_mismatch_cost": 1000.0,
            "reserve_shortfall_cost": 100.0,
        },
    }


@case("egret-unit-commitment", plane="money", kind="exact", source=EGRET_SOURCE)
def egret_unit_commitment(live: bool) -> Iterator[Finding]:
    """Our cost is no lower than the optimum and within the gap of it; our bound is no higher."""
    for number, peak_mw, optimum in ((1, 9961.77, 4_201_915.017320504), (5, 13_936.65, 6_062_406.32677043)):
        one = egret_case(egret_data(number, peak_mw), f"test case {number}")
        found = commit(one, Settings(gap=EGRET_GAP))
        assert found.cost is not None and found.bound is not None
        cost = found.cost + found.penalty
        yield Finding(f"test case {number}: cost", optimum, cost, EGRET_GAP, relative=True, unit="USD")
        yield Finding(f"test case {number}: bound above it", 0.0, max(found.bound - optimum, 0.0), 1.0, unit="USD")
