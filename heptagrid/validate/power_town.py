"""The town's 96 quarter hours of 27 January 2016, its greatest net import, against power-grid-model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from heptagrid.importers.extract import read_grid, read_profiles
from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.scenario import load
from heptagrid.validate.case import DATA, Finding, case, farthest
from heptagrid.validate.peers import peer, run_now
from heptagrid.world.balanced.radial_network import RadialNetwork, radial_network
from heptagrid.world.grid import Grid, Profiles

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TOWN = load.DATA / "town"
ANSWERS = DATA / "town_day/answers.npz"
FIRST_QUARTER = 26 * 96
CONTROLLED_TAP = -1  # of the two transformers with a tap changer, held all day so that both solve one network


@case(
    "town-day",
    plane="power",
    kind="exact",
    source="power-grid-model 1.12 (Newton-Raphson, recorded), SimBench 1-MVLV-semiurb-all-0-sw, loads and local generation alone",
    same_reader=True,
)
def town_day(live: bool) -> Iterator[Finding]:
    """The recorded buses at every quarter hour, all buses' extremes, and the losses; live, all buses."""
    grid = read_grid(TOWN)
    network = radial_network(grid)
    p_kw, q_kvar = draws(grid, read_profiles(TOWN), network)
    taps, solver = held_taps(grid), RadialSolver(network, grid)
    v_pu, losses_kw = np.empty((len(p_kw), len(grid.buses.names))), np.empty(len(p_kw))
    for k in range(len(p_kw)):
        flow = solver.solve(p_kw[k], q_kvar[k], grid.infeed_v_pu, taps)
        v_pu[k], losses_kw[k] = flow.v_pu[network.node_of_bus], flow.losses_kw
    recorded = np.load(ANSWERS)
    buses = recorded["buses"]
    yield farthest(f"voltage, {len(buses)} buses", recorded["v_pu"], v_pu[:, buses], 1e-6, unit="pu")
    yield farthest("least voltage of all buses", recorded["least_v_pu"], v_pu.min(axis=1), 1e-6, unit="pu")
    yield farthest("greatest voltage of all buses", recorded["greatest_v_pu"], v_pu.max(axis=1), 1e-6, unit="pu")
    yield farthest("losses", recorded["losses_kw"], losses_kw, 1e-6, relative=True, unit="kW")
    if live:
        their_v_pu, their_losses_kw = theirs(grid, network, p_kw, q_kvar)
        source = run_now("power_grid_model")
        yield farthest("voltage of every bus, live", their_v_pu, v_pu, 1e-6, unit="pu", source=source)
        yield farthest("losses, live", their_losses_kw, losses_kw, 1e-6, relative=True, unit="kW", source=source)


def draws(grid: Grid, profiles: Profiles, network: RadialNetwork) -> tuple[Floats, Floats]:
    """What nodes draw in the day's quarter hours, in kW and kvar, (quarters, nodes) each."""
    loads, units = grid.loads, grid.units
    load_node, unit_node = network.node_of_bus[loads.bus], network.node_of_bus[units.bus]
    p_kw, q_kvar = np.zeros((96, network.nodes)), np.zeros((96, network.nodes))
    for k in range(96):
        relative = profiles.millionths[FIRST_QUARTER + k] * 1e-6
        np.add.at(p_kw[k], load_node, loads.p_kw * relative[loads.p_profile])
        np.add.at(q_kvar[k], load_node, loads.q_kvar * relative[loads.q_profile])
        np.subtract.at(p_kw[k], unit_node, units.p_kw * relative[units.profile])
    return p_kw, q_kvar


def held_taps(grid: Grid) -> Ints:
    """The taps at which both solve the day, (transformers,)."""
    return np.where(grid.transformers.has_controller, CONTROLLED_TAP, grid.transformers.tap_pos)


def theirs(grid: Grid, network: RadialNetwork, p_kw: Floats, q_kvar: Floats) -> tuple[Floats, Floats]:
    """power-grid-model's voltages (quarters, buses) and losses in kW (quarters,)."""
    module = peer("power_grid_model", "voltage of every bus, live")
    answers: tuple[Floats, Floats] = module.Peer(grid, network, held_taps(grid), grid.infeed_v_pu).solve(p_kw, q_kvar)
    return answers
