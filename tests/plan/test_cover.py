"""Greedy cover: beside the exact minimum on small cases, within every limit, and the same for a part of the whole."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from heptagrid.planes.messages.planning.cover import Cover, Limits, cover
from heptagrid.planes.messages.planning.hops import Fading, Hops, fading, hops_over_air, hops_over_lines, shadows_db
from heptagrid.planes.messages.technology import technology

WI_SUN = technology("wi-sun-50k")
METERS, SITES = 400, 60


def _town(seed: int, relays: bool, side_m: float = 1500.0) -> Hops:
    xy_m = np.random.default_rng(seed).uniform(0.0, side_m, (METERS + SITES, 2))
    return hops_over_air(xy_m, np.arange(len(xy_m)), METERS, relays, 450.0, _fade(seed))


def _fade(seed: int) -> Fading:
    assert WI_SUN.budget is not None
    return fading(WI_SUN.budget, 7.8, 4.0, seed)


def _exact(hops: Hops) -> int:
    """The fewest sites that hear all meters that any hears, by HiGHS."""
    at = hops.at[METERS:] - hops.at[METERS]
    heard = csr_array((np.ones(at[-1]), hops.to[hops.at[METERS] :], at), shape=(SITES, METERS)).T
    covered = heard[np.flatnonzero(np.asarray(heard.sum(axis=1)).ravel() > 0)]
    found = milp(
        np.ones(SITES), constraints=LinearConstraint(covered, lb=1.0), integrality=np.ones(SITES), bounds=Bounds(0, 1)
    )
    assert found.success
    return round(found.fun)


@pytest.mark.long
def test_greedy_takes_at_most_a_fifth_more_sites_than_the_exact_minimum(
    record_property: Callable[[str, object], None],
) -> None:
    greedy, exact = [], []
    for seed in range(4):
        hops = _town(seed, relays=False)
        greedy.append(len(cover(hops, METERS, Limits(1, METERS, 1, 1)).candidate))
        exact.append(_exact(hops))
    record_property("greedy over exact", sum(greedy) / sum(exact))
    assert all(a >= b for a, b in zip(greedy, exact, strict=True))
    assert sum(greedy) <= 1.2 * sum(exact), (greedy, exact)


def test_every_limit_is_kept_and_every_meter_is_on_its_sites_tree() -> None:
    limits = Limits(3, 70, 10, 1)
    hops = _town(9, relays=True)
    found = cover(hops, METERS, limits)
    served = np.flatnonzero(found.site >= 0)
    members = np.bincount(found.site[served], minlength=len(found.candidate))
    assert members.max() <= limits.most_meters and members.min() >= limits.fewest_meters
    assert found.hops[served].max() <= limits.most_hops
    for one in served.tolist():
        parent = found.parent[one]
        row = parent if parent >= 0 else METERS + found.candidate[found.site[one]]
        way = np.flatnonzero(hops.to[hops.at[row] : hops.at[row + 1]] == one)
        assert hops.transmissions[hops.at[row] + way[0]] == pytest.approx(found.over[one])
        above = 0.0 if parent < 0 else found.expected[parent]
        assert found.expected[one] == pytest.approx(above + found.over[one])
        assert found.hops[one] == (1 if parent < 0 else found.hops[parent] + 1)
        assert parent < 0 or found.site[parent] == found.site[one]


def test_several_sites_hear_each_meter_where_asked() -> None:
    hops = _town(2, relays=False, side_m=700.0)
    found = cover(hops, METERS, Limits(1, METERS, 1, 3))
    heard = np.zeros(METERS, dtype=int)
    assert len(np.unique(found.candidate)) == len(found.candidate)
    for place in METERS + found.candidate:
        heard[hops.to[hops.at[place] : hops.at[place + 1]]] += 1
    could = np.bincount(hops.to[hops.at[METERS] :], minlength=METERS)
    assert (heard >= np.minimum(could, 3)).all()


def test_a_part_has_the_hops_of_the_whole() -> None:
    xy_m = np.random.default_rng(4).uniform(0.0, 1200.0, (300, 2))
    ids = np.arange(300) * 7
    whole = hops_over_air(xy_m, ids, 300, True, 450.0, _fade(1))
    part = np.flatnonzero(xy_m[:, 0] < 700.0)
    some = hops_over_air(xy_m[part], ids[part], len(part), True, 450.0, _fade(1))

    def pairs(hops: Hops, number: np.ndarray) -> dict[tuple[int, int], float]:
        rows = np.repeat(np.arange(len(number)), np.diff(hops.at))
        ends = zip(number[rows].tolist(), number[hops.to].tolist(), strict=True)
        return dict(zip(ends, hops.transmissions.tolist(), strict=True))

    inside = set(ids[part].tolist())
    assert pairs(some, ids[part]) == {ends: cost for ends, cost in pairs(whole, ids).items() if inside.issuperset(ends)}


def test_shadowing_is_normal_in_decibels_and_the_same_both_ways() -> None:
    ones, others = np.arange(100_000), np.arange(100_000) + 7
    drawn = shadows_db(3, 8.0, ones, others)
    assert np.array_equal(drawn, shadows_db(3, 8.0, others, ones))
    assert drawn.mean() == pytest.approx(0.0, abs=4.0 * 8.0 / np.sqrt(len(ones)))
    assert drawn.std() == pytest.approx(8.0, rel=0.01)


def test_on_power_lines_the_metres_of_line_count() -> None:
    """A line of three nodes 100 m apart, with a branch of 400 m at the second; the substation is the first node."""
    budget = technology("g3-plc").budget
    assert budget is not None
    parent, depth_m = np.array([-1, 0, 1, 1]), np.array([0.0, 100.0, 200.0, 500.0])
    node, ids = np.array([2, 3, 0]), np.arange(3)
    fade = fading(budget, 0.0, 4.0, 1)
    root = np.zeros(4, dtype=np.int64)
    hops = hops_over_lines(parent, depth_m, root, node, ids, 2, 1000.0, fade)
    far_m = {(0, 1): 500.0, (1, 0): 500.0, (2, 0): 200.0, (2, 1): 500.0}
    found = {
        (row, int(to)): float(cost)
        for row in range(3)
        for to, cost in zip(
            hops.to[hops.at[row] : hops.at[row + 1]], hops.transmissions[hops.at[row] : hops.at[row + 1]], strict=True
        )
    }
    assert found == pytest.approx({ends: (1.0 - budget.frame_error(far)) ** -2 for ends, far in far_m.items()})
    empty = cover(hops, 2, Limits(1, 1, 1, 1))
    assert isinstance(empty, Cover) and len(empty.candidate) == 2
