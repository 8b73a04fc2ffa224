"""The auction of local markets: the same as the double auction where bids are steps, and its own laws where they fall in proportion."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptagrid.planes.money.markets.curves import cross
from heptagrid.planes.money.markets.local_auction import SIDES, Clearing, Grid, Orders, clear, taken
from tests.clear.test_gridlabd_scenes import SCENES, orders

CAP = 1.0
Device = tuple[float, float, float, float, float, float]
"""must, buy, full, none, sell, its price."""


def market(
    devices: list[Device], load_kw: float, capacity_kw: float, sells_at: float = 0.1, takes_at: float = 0.09
) -> tuple[Clearing, Orders]:
    """One market of these devices, cleared."""
    columns = np.array(devices, dtype=np.float64).reshape(-1, 6).T
    bids = Orders(np.zeros(len(devices), dtype=np.int64), *columns)
    one = (np.array([each]) for each in (sells_at, takes_at, capacity_kw, load_kw))
    return clear(bids, Grid(*one), CAP), bids


def given_to(clearing: Clearing, bids: Orders) -> tuple[np.ndarray, np.ndarray]:
    at = bids.market
    return taken(bids, clearing.price[at], clearing.buy_share[at], clearing.sell_share[at], CAP)


def step(price: float, kw: float) -> Device:
    return 0.0, kw, price, price, 0.0, 0.0


def test_three_devices_by_hand() -> None:
    """30 kW of load and 40 kW of capacity leave 10: the vehicle at 0.3 takes its 6, the one at 0.2 gets 4 of 8 and sets the price, the one at 0.15 nothing."""
    clearing, bids = market([step(0.3, 6.0), step(0.2, 8.0), step(0.15, 5.0)], 30.0, 40.0)
    assert clearing.price[0] == 0.2 and SIDES[clearing.side[0]] == "buyer"
    assert given_to(clearing, bids)[0].tolist() == [6.0, 4.0, 0.0]
    assert clearing.import_kw[0] == clearing.volume_kw[0] == 40.0


def test_a_battery_sells_before_demand_goes_without() -> None:
    """The same with a battery that sells 7 kW from 0.17 on: the bid at 0.2 gets its 8, the bid at 0.15 nothing, the battery gives 4 of its 7."""
    battery: Device = (0.0, 0.0, 0.0, 0.0, 7.0, 0.17)
    clearing, bids = market([step(0.3, 6.0), step(0.2, 8.0), step(0.15, 5.0), battery], 30.0, 40.0)
    assert clearing.price[0] == 0.17 and SIDES[clearing.side[0]] == "seller"
    buys, sells = given_to(clearing, bids)
    assert buys.tolist() == [6.0, 8.0, 0.0, 0.0] and sells[3] == pytest.approx(4.0)


def test_without_congestion_the_grid_sets_the_price() -> None:
    clearing, _ = market([step(0.3, 6.0), step(0.05, 6.0)], 30.0, 400.0)
    assert (
        clearing.price[0] == 0.1 and SIDES[clearing.side[0]] == "grid" and clearing.import_kw[0] == pytest.approx(36.0)
    )


def test_surplus_is_taken_back_at_the_grids_price() -> None:
    """20 kW of generation, 6 of which a bid above the price takes; the grid takes 14."""
    clearing, _ = market([step(0.3, 6.0), step(0.05, 6.0)], -20.0, 400.0)
    assert clearing.price[0] == 0.09 and clearing.import_kw[0] == pytest.approx(-14.0)


def test_with_too_little_for_those_who_must_the_price_is_the_cap() -> None:
    clearing, bids = market([(10.0, 0.0, 0.0, 0.0, 0.0, 0.0), step(0.4, 5.0)], 50.0, 45.0)
    assert clearing.price[0] == CAP and clearing.buy_share[0] == pytest.approx(45.0 / 60.0)
    assert given_to(clearing, bids)[0].tolist() == pytest.approx([7.5, 0.0])


def test_bids_that_fall_in_proportion_meet_supply_exactly() -> None:
    """Two heat pumps of 4 kW whose bids fall from 0.2 to 0.4 share 4 kW: each takes half, at the middle, 0.3."""
    sloped: Device = (0.0, 4.0, 0.2, 0.4, 0.0, 0.0)
    clearing, bids = market([sloped, sloped], 30.0, 34.0)
    assert clearing.price[0] == pytest.approx(0.3) and given_to(clearing, bids)[0] == pytest.approx([2.0, 2.0])


prices = st.sampled_from([-0.2, 0.0, 0.05, 0.09, 0.1, 0.15, 0.2, 0.3, 0.5])
quantities = st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.5, 11.0])


@st.composite
def devices(draw: st.DrawFn, has_slopes: bool = True) -> Device:
    full, sell = draw(prices), draw(prices)
    none = full + (draw(st.sampled_from([0.0, 0.1, 0.25])) if has_slopes else 0.0)
    must, buy, give = (draw(quantities) for _ in range(3))
    return must, buy, full, none, give, sell


@given(
    st.lists(devices(has_slopes=False), min_size=1, max_size=8),
    st.sampled_from([-12.0, -3.0, 0.0, 2.0, 20.0]),
    quantities,
)
def test_steps_clear_as_in_the_double_auction(some: list[Device], load_kw: float, capacity_kw: float) -> None:
    clearing, bids = market(some, load_kw, capacity_kw)
    must_kw = float(bids.must_kw.sum())
    price = [*bids.full, CAP, 0.09, *bids.sell, -CAP, 0.1]
    kw = [*bids.buy_kw, max(load_kw, 0.0) + must_kw, capacity_kw, *bids.sell_kw, max(-load_kw, 0.0), capacity_kw]
    is_sale = np.arange(len(price)) >= len(some) + 2
    theirs = cross(np.array(price), np.array(kw), is_sale)
    if theirs.volume == 0.0:
        return
    assert clearing.price[0] == pytest.approx(theirs.price, abs=1e-12)
    assert clearing.volume_kw[0] == pytest.approx(theirs.volume)
    buys_kw, sells_kw = given_to(clearing, bids)
    n = len(some)
    assert buys_kw.sum() + max(load_kw, 0.0) * theirs.taken[n] / max(kw[n], 1e-9) == pytest.approx(
        theirs.taken[: n + 1].sum(), abs=1e-9
    )
    assert sells_kw == pytest.approx(theirs.taken[n + 2 : 2 * n + 2])


@given(st.lists(devices(), min_size=1, max_size=8), st.sampled_from([-12.0, 0.0, 2.0, 20.0]), quantities)
def test_what_is_given_is_what_is_taken(some: list[Device], load_kw: float, capacity_kw: float) -> None:
    """Of every market: purchases and the load are sales, generation and import, but for what the price cap leaves unserved."""
    clearing, bids = market(some, load_kw, capacity_kw)
    buys_kw, sells_kw = given_to(clearing, bids)
    price, import_kw = clearing.price[0], clearing.import_kw[0]
    served_kw = max(load_kw, 0.0) * (clearing.buy_share[0] if price == CAP else 1.0)
    generated_kw = max(-load_kw, 0.0) * (clearing.sell_share[0] if price == -CAP else 1.0)
    assert buys_kw.sum() + served_kw == pytest.approx(sells_kw.sum() + generated_kw + import_kw, abs=1e-6)
    assert abs(import_kw) <= capacity_kw + 1e-9


@given(st.lists(devices(), min_size=1, max_size=8), st.sampled_from([0.0, 2.0, 20.0]))
def test_more_capacity_never_raises_the_price_where_energy_is_imported(some: list[Device], load_kw: float) -> None:
    """Where the grid sells at 0.1 and takes back nothing: the price falls, or stays, with every kW of capacity."""
    found = [market(some, load_kw, kw, takes_at=-CAP)[0].price[0] for kw in (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0)]
    assert all(more <= less + 1e-12 for less, more in pairwise(found))


def test_many_markets_at_once_are_each_by_itself() -> None:
    rng = np.random.default_rng(3)
    of = np.sort(rng.integers(0, 50, 400))
    columns = [rng.uniform(0.0, 5.0, 400) for _ in range(2)]
    full = rng.uniform(0.0, 0.4, 400)
    bids = Orders(of, *columns, full, full + rng.uniform(0.0, 0.2, 400), rng.uniform(0.0, 2.0, 400), full + 0.2)
    grid = Grid(np.full(50, 0.1), np.full(50, 0.05), rng.uniform(0.0, 60.0, 50), rng.uniform(-10.0, 20.0, 50))
    all_at_once = clear(bids, grid, CAP)
    for m in range(50):
        mine = Orders(np.zeros(int((of == m).sum()), dtype=np.int64), *(one[of == m] for one in bids[1:]))
        alone = clear(mine, Grid(*(one[m : m + 1] for one in grid)), CAP)
        assert [one[m] for one in all_at_once] == [one[0] for one in alone]


@pytest.mark.parametrize("scene", SCENES, ids=[f"{one['file']} {one['time']}" for one in SCENES])
def test_a_scene_of_gridlabd_clears_at_the_same_price(scene: dict[str, str]) -> None:
    """Source and tolerance: as tests/clear/test_gridlabd_scenes.py; the grid has no part in them (capacity 0)."""
    if scene["relation"] != "same":
        return
    size = 1e4  # of their price cap
    buys, sells = orders(scene["bids"]), orders(scene["offers"])
    some: list[Device] = [(0.0, kw, price / size, price / size, 0.0, 0.0) for price, kw in buys]
    some += [(0.0, 0.0, 0.0, 0.0, kw, price / size) for price, kw in sells]
    clearing, _ = market(some, 0.0, 0.0, 0.0, 0.0)
    assert clearing.price[0] * size == pytest.approx(float(scene["price"]), abs=2e-4)
    if scene["quantity"]:
        assert clearing.volume_kw[0] == pytest.approx(float(scene["quantity"]))
