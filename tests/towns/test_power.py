"""Each town's power: its own infeed, its own busbar and tap changer, its own peak."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from heptagrid import Simulation
from heptagrid.foundation.time import NS_PER_HOUR
from heptagrid.recording.results import Run
from heptagrid.scenario.load import DATA, load
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation.simulation import fingerprint_of
from heptagrid.validate.peers.power_grid_model import Peer
from heptagrid.world.balanced.radial_network import RadialNetwork

pytestmark = pytest.mark.long


def test_energy_messages_and_money_are_conserved(two_towns_day: Run) -> None:
    for name in ("conventional", "smart"):
        arm = two_towns_day.summary["arms"][name]
        through = arm["energy_mwh"]["imported"] + arm["energy_mwh"]["generated"]
        assert abs(arm["energy_mwh"]["residual"]) < 1e-6 * through
        assert arm["messages"]["residual"] == 0
        assert arm["money_eur"]["sum"] == 0


def test_the_towns_sum_up_to_the_whole(two_towns_day: Run) -> None:
    for name in ("conventional", "smart"):
        arm = two_towns_day.summary["arms"][name]
        east, west = arm["towns"]
        assert [east["name"], west["name"]] == ["east", "west"]
        for key, whole in (("imported_mwh", "imported"), ("exported_mwh", "exported"), ("lost_mwh", "lost")):
            assert east[key] + west[key] == pytest.approx(arm["energy_mwh"][whole], rel=1e-9)
        assert east["customers"] + west["customers"] == two_towns_day.summary["customers"]
        assert (
            max(east["peak_kw"], west["peak_kw"])
            < arm["loading"]["primary_peak_kw"]
            <= east["peak_kw"] + west["peak_kw"]
        )
        minutes = east["violation_customer_minutes"] + west["violation_customer_minutes"]
        assert minutes == pytest.approx(arm["voltage"]["violation_customer_minutes"])


def test_the_infeeds_table_holds_what_each_town_draws(two_towns_day: Run) -> None:
    table = two_towns_day.table("infeeds").filter(pl.col("arm") == "smart")
    east = table.filter(pl.col("town") == 0)
    assert len(table) == 2 * len(east) == 2 * 96
    summary = two_towns_day.summary["arms"]["smart"]["towns"][0]
    assert float(east["p_kw"].max()) == pytest.approx(summary["peak_kw"], rel=1e-6)
    assert table["busbar_pu"].is_between(0.95, 1.1).all()


def test_each_towns_voltages_are_those_of_power_grid_model(two_towns: Scenario) -> None:
    """Two towns at other voltages of their infeeds and other taps, each against the peer on its own network."""
    simulation = Simulation(two_towns, "conventional")
    simulation.begin()
    for _ in range(96 + 70):
        simulation.step()
    grid = simulation.grid
    world, terminals = grid.world, grid.terminals
    taps_of: list[int] = []
    for _ in range(3):  # operations asks for 1.025 pu once an hour
        terminals.infeed_v_pu[:] = infeed_v_pu = np.array([1.01, 1.04])
        taps_of = [grid.distribution.lines.of(k).tap_changer.tap for k in range(2)]  # type: ignore[attr-defined]
        assert simulation.step()
    flow = grid.distribution.flow
    assert flow is not None
    assert taps_of[0] != taps_of[1]
    p_kw, q_kvar = np.zeros(world.network.nodes), np.zeros(world.network.nodes)
    np.add.at(p_kw, world.point_node, terminals.point_p_kw)
    np.add.at(q_kvar, world.point_node, terminals.point_q_kvar)
    for k, town in enumerate(world.towns):
        network = town.network
        assert isinstance(network, RadialNetwork)
        own = grid.distribution.lines.flows[k]
        taps = town.grid.transformers.tap_pos.copy()
        taps[town.grid.transformers.has_controller] = taps_of[k]
        peer = Peer(town.grid, network, taps, float(infeed_v_pu[k]))
        v_pu, losses_kw = peer.solve(p_kw[town.nodes][np.newaxis], q_kvar[town.nodes][np.newaxis])
        assert np.abs(flow.v_pu[town.nodes][network.node_of_bus] - v_pu[0]).max() < 1e-6
        assert own.losses_kw == pytest.approx(losses_kw[0], rel=1e-6)
        assert terminals.infeed_p_kw[k] == pytest.approx(p_kw[town.nodes].sum() + losses_kw[0], rel=1e-6)


def test_a_towns_tap_changer_hears_of_its_own_substations_alone(two_towns: Scenario) -> None:
    """West's substations report 1.0799 pu: operations lowers the target of west's busbar and leaves east's."""
    simulation = Simulation(two_towns, "smart")
    simulation.begin()
    simulation.step()
    operations = simulation.grid.operations
    assert operations.scada is not None
    before = operations.busbar_pu.copy()
    west = simulation.world.towns[1].substations
    simulation.step()
    operations.scada.v_pu[:] = 1.0
    operations.scada.v_pu[west] = 1.0799
    assert operations.scada.wanted_busbar_pu(0, before[0]) == before[0]
    assert operations.scada.wanted_busbar_pu(1, before[1]) == pytest.approx(before[1] - 0.02)


def test_a_blackout_of_one_town_leaves_the_other_its_supply(tmp_path: Path) -> None:
    text = (DATA / "two-towns.toml").read_text(encoding="utf-8")
    event = '[[events]]\nkind = "blackout"\nbegin = 3600.0\nwhere = "west"\nduration_s = 1800.0\n'
    (tmp_path / "dark.toml").write_text(f"{text}\n{event}", encoding="utf-8")
    simulation = Simulation(load(tmp_path / "dark.toml", ["run.step_s=900"]), "conventional")
    simulation.begin()
    while simulation.step():
        step = simulation.last_step
        assert step is not None
        if simulation.phase.name == "COUNTED" and step.end_ns - step.day_start_ns == int(1.25 * NS_PER_HOUR):
            break
    world, terminals = simulation.world, simulation.grid.terminals
    assert not terminals.point_is_supplied[world.town_of == 1].any()
    assert terminals.point_is_supplied[world.town_of == 0].all()
    assert abs(terminals.infeed_p_kw[1]) < 200.0 < terminals.infeed_p_kw[0]


def test_a_checkpoint_of_two_towns_is_the_same_wherever_their_networks_stand(
    two_towns: Scenario, tmp_path: Path
) -> None:
    copied = tmp_path / "elsewhere"
    shutil.copytree(two_towns.folder, copied)
    moved = replace(two_towns, towns=tuple(replace(town, folder=copied) for town in two_towns.towns))
    assert fingerprint_of(moved) != fingerprint_of(replace(two_towns, retailers=two_towns.retailers[:1]))
    simulation = Simulation(two_towns, "smart")
    simulation.begin()
    for _ in range(30):
        simulation.step()
    simulation.save(tmp_path / "checkpoint")
    again = Simulation.restore(tmp_path / "checkpoint", scenario=two_towns)
    for one in (simulation, again):
        for _ in range(6):
            one.step()
    np.testing.assert_array_equal(simulation.grid.terminals.infeed_p_kw, again.grid.terminals.infeed_p_kw)
    np.testing.assert_array_equal(simulation.grid.operations.busbar_pu, again.grid.operations.busbar_pu)
