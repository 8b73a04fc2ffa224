"""Unit commitment against published cases: what the day costs is what the sources say, to the dollar that they print.

Sources: Wood and Wollenberg, Power Generation, Operation and Control, chapter 5: example 5A (three units, its table as in B. Zhang's
lecture slides, University of Washington) and example 5D, case 3 (four units, eight hours; data as in the programs "DP_v8" and
Unit-Commitment-FDP-Method); Kirschen and Strbac, Fundamentals of Power System Economics, unit commitment (three periods); PyPSA,
test/test_lopf_unit_commitment.py and test/test_stand_by_cost.py (their expected status, dispatch and objective).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from heptagrid.planes.money.markets.commitment import commit
from heptagrid.planes.money.markets.dispatch import dispatch
from heptagrid.world.bulk import BulkUnits
from tests.markets.test_clearing import fleet

FREE = 10_000


def units_of(
    p_max: list[float],
    p_min: list[float],
    cost_1: list[float],
    cost_2: list[float] | None = None,
    **given: list[float],
) -> BulkUnits:
    """Units with `cost_0`, `start_usd`, `min_up_h` and `min_down_h` where they are given."""
    units = fleet(p_max, p_min, cost_1, cost_2 or [0.0] * len(p_max))
    return replace(units, **{name: np.array(values, dtype=float) for name, values in given.items()})


def day_usd(on: np.ndarray, load_mw: list[float], units: BulkUnits, before: list[bool]) -> float:
    """Fuel, no-load cost and starts of a schedule; every load must be met."""
    total = 0.0
    for hour, was_on in zip(range(len(load_mw)), [np.array(before), *on[:-1]], strict=True):
        low, high = np.where(on[hour], units.p_min_mw, 0.0), np.where(on[hour], units.p_max_mw, 0.0)
        assert low.sum() <= load_mw[hour] <= high.sum()
        p_mw, _ = dispatch(load_mw[hour], low, high, units.cost_1, units.cost_2)
        total += float((units.cost_2 * p_mw**2 + units.cost_1 * p_mw + np.where(on[hour], units.cost_0, 0.0)).sum())
        total += float(units.start_usd[on[hour] & ~was_on].sum())
    return total


THREE = units_of(
    *([600, 400, 500], [150, 100, 50], [7.92, 7.85, 9.564], [0.001562, 0.00194, 0.005784]), cost_0=[561, 310, 93.6]
)


@pytest.mark.parametrize(
    ("load_mw", "on", "usd"), [(550.0, [1, 0, 0], 5389.5), (600.0, [1, 0, 0], None), (1000.0, [1, 1, 0], None)]
)
def test_three_units_of_wood_and_wollenberg(load_mw: float, on: list[int], usd: float | None) -> None:
    """5A: at 550 MW one unit alone costs 5,389 $/h, units 1 and 2 together 5,471, units 2 and 3 5,418."""
    found = commit(np.array([load_mw]), THREE, np.ones(3, dtype=bool), 0.0)
    assert found.astype(int).tolist() == [on]
    if usd is not None:
        assert day_usd(found, [load_mw], THREE, [True] * 3) == pytest.approx(usd, abs=0.5)


def coal_and_gas(coal_min: float, gas_min: float, gas_max: float, **given: list[float]) -> BulkUnits:
    return units_of([10_000, gas_max], [coal_min, gas_min], [20, 70], **given)


FOUR_LOAD = [450.0, 530.0, 600.0, 540.0, 400.0, 280.0, 290.0, 500.0]
FOUR = units_of(
    *([80, 250, 300, 60], [25, 60, 75, 20], [20.88, 18.0, 17.46, 23.8]),
    cost_0=[213.0, 585.62, 684.74, 252.0],
    start_usd=[350.0, 400.0, 1100.0, 0.02],
    min_up_h=[4, 5, 5, 1],
    min_down_h=[2, 3, 4, 1],
)
KIRSCHEN = units_of(
    *([250, 100, 50], [150, 50, 10], [10, 12, 20]),
    **{"start_usd": [1000, 600, 100], "min_up_h": [3, 2, 1], "min_down_h": [3, 1, 1]},
)


@pytest.mark.parametrize(
    ("units", "load_mw", "before", "since_h", "usd"),
    [
        pytest.param(FOUR, FOUR_LOAD, [False, True, True, False], [5, 8, 8, 6], 74_110.0, id="Wood and Wollenberg 5D"),
        pytest.param(KIRSCHEN, [150, 300, 200], [True, False, False], [3, 3, 3], 7_100.0, id="Kirschen and Strbac"),
        pytest.param(
            *(coal_and_gas(3000, 100, 1000, cost_0=[0, 10]), [4000, 6000, 5000, 800], [True, True], [FREE] * 2, 356_010.0),
            id="PyPSA: stand-by cost",
        ),
        pytest.param(
            *(coal_and_gas(3000, 100, 1000, min_up_h=[0, 3]), [4000, 800, 5000, 3000], [True, False], [FREE] * 2, 306_000.0),
            id="PyPSA: minimum up time",
        ),
        pytest.param(
            *(coal_and_gas(3000, 100, 1000, min_up_h=[0, 4]), [4000, 800, 5000, 3000], [True, True], [FREE, 1], 306_000.0),
            id="PyPSA: minimum up time, on before",
        ),
        pytest.param(
            *(coal_and_gas(3000, 400, 4000, min_down_h=[2, 0]), [3000, 800, 3000, 8000], [False, True], [1, FREE], 486_000.0),
            id="PyPSA: minimum down time",
        ),
        pytest.param(
            *(coal_and_gas(1000, 0, 10_000, start_usd=[3000, 1000]), [4000, 6000, 5000, 800], [False, True], [FREE, 1], 359_000.0),
            id="PyPSA: start-up costs",
        ),
    ],
)  # fmt: skip
def test_a_published_day_costs_what_its_source_says(
    units: BulkUnits, load_mw: list[float], before: list[bool], since_h: list[int], usd: float
) -> None:
    on = commit(np.array(load_mw, dtype=float), units, np.array(before), 0.0, np.array(since_h))
    assert day_usd(on, load_mw, units, before) == pytest.approx(usd, abs=0.5)
