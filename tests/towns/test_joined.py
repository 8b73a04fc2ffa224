"""Networks of several towns as one: what each town is by itself stays as it was."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from heptagrid.foundation.errors import NetworkError
from heptagrid.importers.extract import read_grid, read_profiles
from heptagrid.world.balanced.radial_network import radial_network
from heptagrid.world.grid import Profiles, local_transformers
from heptagrid.world.joined import (
    TownNetwork,
    joined_grid,
    joined_profiles,
    joined_tree,
    moved,
    placed,
)
from tests.power.test_radial import random_grid

SIZES = (12, 30, 7)


def towns() -> tuple[TownNetwork, ...]:
    grids = [random_grid(seed, size) for seed, size in enumerate(SIZES)]
    return placed([TownNetwork(f"t{k}", grid, radial_network(grid)) for k, grid in enumerate(grids)])


def test_one_town_is_what_it_is() -> None:
    town = placed(towns()[:1])
    assert joined_grid(town, [0]) is town[0].grid
    assert joined_tree(town) is town[0].network


def test_every_element_stands_at_its_towns_own_buses() -> None:
    several = towns()
    grid, first_bus = joined_grid(several, [0, 5, 9]), 0
    for k, town in enumerate(several):
        own, buses = town.grid, slice(first_bus, first_bus + len(town.grid.buses.names))
        np.testing.assert_array_equal(grid.buses.vn_kv[buses], own.buses.vn_kv)
        assert [name.split("/", 1)[1] for name in grid.buses.names[buses]] == own.buses.names.tolist()
        is_own = np.char.startswith(grid.lines.names, f"t{k}/")
        np.testing.assert_array_equal(grid.lines.from_bus[is_own] - first_bus, own.lines.from_bus)
        np.testing.assert_array_equal(grid.lines.r_ohm[is_own], own.lines.r_ohm)
        np.testing.assert_array_equal(grid.transformers.lv_bus[town.transformers] - first_bus, own.transformers.lv_bus)
        first_bus = buses.stop
    assert grid.stations is not None
    assert [len(local_transformers(town.grid)) for town in several] == [
        town.substations.stop - town.substations.start for town in several
    ]


def test_every_node_hangs_on_its_own_towns_nodes() -> None:
    several = towns()
    tree = joined_tree(several)
    for town in several:
        own, here = town.network, town.nodes
        np.testing.assert_array_equal(tree.parent[here][1:] - town.first_node, own.parent[1:])
        assert tree.parent[here][0] == -1
        np.testing.assert_array_equal(tree.v_base_kv[here], own.v_base_kv)
        assert (tree.feeder[here] > 0).sum() == (own.feeder > 0).sum()
    np.testing.assert_array_equal(tree.busbars, [town.network.busbars[0] + town.first_node for town in several])
    assert (tree.parent < np.arange(tree.nodes)).all(), "parents come first"


def test_feeders_are_numbered_on_from_town_to_town() -> None:
    several = towns()
    tree = joined_tree(several)
    feeders = sum(len(town.network.feeder_start) - 1 for town in several)
    assert sorted(set(tree.feeder[tree.feeder > 0].tolist())) == list(range(1, feeders + 1))
    for feeder in range(1, feeders + 1):
        assert tree.feeder[tree.feeder_start[feeder - 1]] == feeder


def test_profiles_of_one_table_stand_there_once_and_others_behind_them(town_folder: Path) -> None:
    one = read_profiles(town_folder)
    other = Profiles(np.array(["a", "b"]), np.full((len(one.millionths), 2), 7, dtype=np.int32), one.start_ns)
    same, begins = joined_profiles([one, one])
    assert same is one
    assert begins == [0, 0]
    both, begins = joined_profiles([one, other, one])
    assert begins == [0, len(one.names), 0]
    np.testing.assert_array_equal(both.at(one.start_ns)[-2:], [7e-6, 7e-6])
    np.testing.assert_array_equal(both.at(one.start_ns)[:-2], one.at(one.start_ns))
    with pytest.raises(NetworkError, match="the same time"):
        joined_profiles([one, replace(other, start_ns=0)])


def test_a_town_is_moved_by_kilometres_on_the_ground(town_folder: Path) -> None:
    """By the haversine formula on a sphere of 6371 km."""
    grid = read_grid(town_folder)
    there = moved(grid, -20.0, 5.0)
    a = np.radians([grid.buses.longitude_deg[0], grid.buses.latitude_deg[0]])
    b = np.radians([there.buses.longitude_deg[0], there.buses.latitude_deg[0]])
    half = np.sin((b[1] - a[1]) / 2) ** 2 + np.cos(a[1]) * np.cos(b[1]) * np.sin((b[0] - a[0]) / 2) ** 2
    assert 2 * 6371.0 * np.arcsin(np.sqrt(half)) == pytest.approx(np.hypot(20.0, 5.0), rel=1e-3)
    assert all(getattr(there, one.name) is getattr(grid, one.name) for one in fields(grid) if one.name != "buses")


def test_networks_of_different_frequency_share_no_transmission_network() -> None:
    several = list(towns())
    several[1] = replace(several[1], grid=replace(several[1].grid, frequency_hz=60.0))
    with pytest.raises(NetworkError, match=r"t1 60 Hz"):
        joined_grid(several, [0, 0, 0])
