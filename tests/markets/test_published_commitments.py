"""Unit commitment against published cases: what the day costs is what the sources say, to the dollar that they print.

Sources: Wood and Wollenberg, Power Generation, Operation and Control, chapter 5: example 5A (three units, its table as in B. Zhang's
lecture slides, University of Washington) and example 5D, case 3 (four units, eight hours; data as in the programs "DP_v8" and
Unit-Commitment-FDP-Method); Kirschen and Strbac, Fundamentals of Power System Economics, unit commitment (three periods); PyPSA,
test/test_lopf_unit_commitment.py and test/test_stand_by_cost.py (their expected status, dispatch and objective).
"""

from __future__ import annotations

import pytest

from heptagrid.planes.money.markets.commitment_search import search
from heptagrid.planes.money.markets.unit_commitment import Settings, commit
from heptagrid.world.commitment_case import CommittedUnits
from tests.markets.fleets import FREE, case_of, units_of

EXACT = Settings(gap=1e-9, with_network=False, with_reserves=False)
THREE = units_of(
    *([600, 400, 500], [150, 100, 50], [7.92, 7.85, 9.564], [0.001562, 0.00194, 0.005784]), cost_0=[561, 310, 93.6]
)


@pytest.mark.parametrize(
    ("load_mw", "on", "usd"), [(550.0, [1, 0, 0], 5389.5), (600.0, [1, 0, 0], None), (1000.0, [1, 1, 0], None)]
)
def test_three_units_of_wood_and_wollenberg(load_mw: float, on: list[int], usd: float | None) -> None:
    """5A: at 550 MW one unit alone costs 5,389 $/h, units 1 and 2 together 5,471, units 2 and 3 5,418."""
    found = commit(case_of(THREE, [load_mw]), EXACT)
    assert found.on.astype(int).tolist() == [on]
    if usd is not None:
        assert found.cost == pytest.approx(usd, abs=0.5)
    searched = search(case_of(THREE, [load_mw]))
    assert searched.bound <= found.cost + 1e-6 <= searched.cost + 1e-3 <= 1.02 * found.cost


def coal_and_gas(
    coal_min: float, gas_min: float, gas_max: float, on_h: list[int], **given: list[float]
) -> CommittedUnits:
    return units_of([10_000, gas_max], [coal_min, gas_min], [20, 70], on_h=on_h, **given)


FOUR_LOAD = [450.0, 530.0, 600.0, 540.0, 400.0, 280.0, 290.0, 500.0]
FOUR = units_of(
    *([80, 250, 300, 60], [25, 60, 75, 20], [20.88, 18.0, 17.46, 23.8]),
    on_h=[-5, 8, 8, -6],
    cost_0=[213.0, 585.62, 684.74, 252.0],
    start=[350.0, 400.0, 1100.0, 0.02],
    min_up_h=[4, 5, 5, 1],
    min_down_h=[2, 3, 4, 1],
)
KIRSCHEN = units_of(
    *([250, 100, 50], [150, 50, 10], [10, 12, 20]),
    **{"on_h": [3, -3, -3], "start": [1000, 600, 100], "min_up_h": [3, 2, 1], "min_down_h": [3, 1, 1]},
)


@pytest.mark.parametrize(
    ("units", "load_mw", "usd"),
    [
        pytest.param(FOUR, FOUR_LOAD, 74_110.0, id="Wood and Wollenberg 5D"),
        pytest.param(KIRSCHEN, [150, 300, 200], 7_100.0, id="Kirschen and Strbac"),
        pytest.param(
            *(coal_and_gas(3000, 100, 1000, [FREE, FREE], cost_0=[0, 10]), [4000, 6000, 5000, 800], 356_010.0),
            id="PyPSA: stand-by cost",
        ),
        pytest.param(
            *(coal_and_gas(3000, 100, 1000, [FREE, -FREE], min_up_h=[0, 3]), [4000, 800, 5000, 3000], 306_000.0),
            id="PyPSA: minimum up time",
        ),
        pytest.param(
            *(coal_and_gas(3000, 100, 1000, [FREE, 1], min_up_h=[0, 4]), [4000, 800, 5000, 3000], 306_000.0),
            id="PyPSA: minimum up time, on before",
        ),
        pytest.param(
            *(coal_and_gas(3000, 400, 4000, [-1, FREE], min_down_h=[2, 0]), [3000, 800, 3000, 8000], 486_000.0),
            id="PyPSA: minimum down time",
        ),
        pytest.param(
            *(coal_and_gas(1000, 0, 10_000, [-FREE, 1], start=[3000, 1000]), [4000, 6000, 5000, 800], 359_000.0),
            id="PyPSA: start-up costs",
        ),
    ],
)  # fmt: skip
def test_a_published_day_costs_what_its_source_says(units: CommittedUnits, load_mw: list[float], usd: float) -> None:
    case = case_of(units, load_mw)
    found = commit(case, EXACT)
    assert found.cost is not None and found.unserved_mwh == pytest.approx(0.0, abs=1e-6)
    assert found.cost == pytest.approx(usd, abs=0.5)
    searched = search(case)
    assert searched.bound <= usd + 0.5 <= searched.cost + 1.0, "the bound lies below, the schedule is one"
