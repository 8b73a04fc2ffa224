"""A circuit becomes a town: customers, places, a tree, and the file in which it is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("dss", reason="reading OpenDSS scripts needs dss-python")

from heptagrid.foundation.errors import FileError, NetworkError
from heptagrid.importers.circuit_file import read_circuit as read_circuit_file
from heptagrid.importers.circuit_file import write_circuit
from heptagrid.importers.extract import read_grid, read_profiles
from heptagrid.importers.feeder import grid_of, places_m, write_town
from heptagrid.importers.network_folder import read_network
from heptagrid.importers.opendss import read
from heptagrid.scenario.load import DATA
from heptagrid.world.circuit.circuit import Circuit
from heptagrid.world.circuit.tree import circuit_tree

LANE = Path(__file__).parents[1] / "cases/lane/lane.dss"
TOWN = DATA / "town"


@pytest.fixture(scope="module")
def lane() -> Circuit:
    return read(str(LANE))


def _names(circuit: Circuit) -> list[str]:
    return [str(name).lower() for name in circuit.buses.names]


def test_every_load_is_a_customer_and_every_panel_a_unit(lane: Circuit) -> None:
    grid = grid_of(lane, read_profiles(TOWN).names, seed=1)
    assert len(grid.loads.bus) == 17
    assert grid.units.p_kw.tolist() == pytest.approx([8.0, 6.0], rel=1e-6), "as rated, not at the file's irradiance"
    homes = np.char.startswith(grid.loads.profile_names, "H0")
    assert homes.sum() == 16 and not homes[grid.loads.p_kw > 100.0].any(), "the shop is no household"


def test_a_panel_on_the_conductors_of_a_home_belongs_to_it(lane: Circuit) -> None:
    grid = grid_of(lane, read_profiles(TOWN).names, seed=1)
    assert np.isin(grid.units.bus, grid.loads.bus).all()


def test_places_come_to_metres_by_the_lengths_of_the_lines(lane: Circuit) -> None:
    places = dict(zip(_names(lane), places_m(lane), strict=True))
    for a, b, length_m in (("start", "mill", 1500.0), ("mill", "pond", 1100.0), ("mill", "oak", 600.0)):
        assert np.hypot(*(places[a] - places[b])) == pytest.approx(length_m, rel=0.05)
    home = np.hypot(*(places["home1"] - places["oak_low"]))
    assert home == pytest.approx(30.0), "no coordinates: as far away as its line is long"


def test_places_do_without_any_coordinates(lane: Circuit) -> None:
    nowhere = np.full(len(lane.buses.names), np.nan)
    bare = replace(lane, buses=replace(lane.buses, x=nowhere, y=nowhere))
    places = dict(zip(_names(bare), places_m(bare), strict=True))
    assert np.hypot(*(places["start"] - places["mill"])) == pytest.approx(1500.0)
    assert len({tuple(place) for place in places.values()}) == len(places), "no two buses on one spot"


def test_the_tree_leads_from_the_source_to_every_conductor(lane: Circuit) -> None:
    grid = grid_of(lane, read_profiles(TOWN).names, seed=1)
    tree = circuit_tree(lane, grid)
    assert tree.nodes == len(lane.nodes.bus)
    assert sorted(tree.circuit_node.tolist()) == list(range(tree.nodes))
    assert (tree.parent < np.arange(tree.nodes)).all(), "parents come first"
    names = [str(lane.buses.names[bus]).lower() for bus in tree.bus_of_node]
    assert names[tree.busbars[0]] == "mill"
    heads = {names[node] for node in tree.feeder_start[:-1]}
    assert heads == {"pond", "oak", "elm"}
    home = names.index("home1")
    above = []
    while home >= 0:
        above.append(names[home])
        home = int(tree.parent[home])
    assert above == ["home1", "oak_low", "oak", "mill", "start", "head", "source"]


def test_a_conductor_hangs_on_the_same_conductor_above(lane: Circuit) -> None:
    tree = circuit_tree(lane, grid_of(lane, read_profiles(TOWN).names, seed=1))
    number, bus = lane.nodes.number[tree.circuit_node], tree.bus_of_node
    lines = np.flatnonzero(tree.line_of_node >= 0)
    assert (number[lines] == number[tree.parent[lines]]).all()
    assert (bus[lines] != bus[tree.parent[lines]]).all()


def test_customers_that_nothing_feeds_stand_beside_the_source_in_no_feeder(lane: Circuit) -> None:
    first = int(np.flatnonzero(np.char.lower(lane.lines.names) == "line.lane_b")[0])
    conductor = lane.lines.node_at[first]
    closed = lane.lines.to_closed.copy()
    closed[conductor] = False
    island = replace(lane, lines=replace(lane.lines, to_closed=closed))
    tree = circuit_tree(island, grid_of(island, read_profiles(TOWN).names, seed=1))
    joined = set(island.buses.names[np.unique(tree.bus_of_node[tree.feeder > 0])])
    assert "home5" not in joined and "home5" in set(lane.buses.names)
    beside = tree.node_of_bus[int(np.flatnonzero(island.buses.names == "home5")[0])]
    assert tree.feeder[beside] == 0 and tree.line_of_node[beside] == -1 and tree.bus_of_node[tree.parent[beside]] == 0
    another = replace(
        island,
        sources=replace(
            island.sources,
            names=np.append(island.sources.names, "vsource.island"),
            node_at=np.append(island.sources.node_at, island.sources.node_at[-1] + 1),
            from_node=np.append(island.sources.from_node, -1),
            to_node=np.append(
                island.sources.to_node, int(island.buses.node_at[island.buses.names.tolist().index("home5")])
            ),
        ),
    )
    with pytest.raises(NetworkError, match=r"4 buses that another source feeds than the infeed: .*home5"):
        circuit_tree(another, grid_of(another, read_profiles(TOWN).names, seed=1))


def test_two_sources_in_one_tree_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "two.dss"
    path.write_text(LANE.read_text() + "\nNew Vsource.mill bus1=pond basekv=12.47\n")
    two = read(str(path))
    with pytest.raises(
        NetworkError,
        match=r"several sources feed one tree: vsource.source at source, vsource.mill at pond; a run has one",
    ):
        circuit_tree(two, grid_of(two, read_profiles(TOWN).names, seed=1))


def test_a_circuit_without_loads_has_no_customers(lane: Circuit) -> None:
    empty = replace(lane, devices=replace(lane.devices, kinds=np.full(len(lane.devices.names), "storage")))
    with pytest.raises(NetworkError, match="no loads"):
        grid_of(empty, read_profiles(TOWN).names, seed=1)


def test_a_circuit_is_the_same_after_it_was_written(lane: Circuit, tmp_path: Path) -> None:
    write_circuit(lane, tmp_path / "circuit.npz")
    again = read_circuit_file(tmp_path / "circuit.npz")
    assert again.name == lane.name and again.frequency_hz == lane.frequency_hz
    np.testing.assert_array_equal(again.lines.z_ohm, lane.lines.z_ohm)
    np.testing.assert_array_equal(again.transformers.windings.node, lane.transformers.windings.node)
    np.testing.assert_array_equal(again.regulators.v_set, lane.regulators.v_set)


def test_a_broken_circuit_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "circuit.npz").write_bytes(b"no archive")
    with pytest.raises(FileError, match=r"circuit\.npz(.|\n)*cannot be read"):
        read_circuit_file(tmp_path / "circuit.npz")


def test_the_folder_of_a_feeder_is_a_network_like_the_towns(lane: Circuit, tmp_path: Path) -> None:
    write_town(tmp_path, lane, TOWN, seed=1)
    tree, circuit = read_network(tmp_path)
    assert circuit is not None and tree.nodes == len(circuit.nodes.bus)
    grid = read_grid(tmp_path)
    assert grid.frequency_hz == 60.0 and grid.stations is not None
    assert read_profiles(tmp_path).names.tolist() == read_profiles(TOWN).names.tolist()
