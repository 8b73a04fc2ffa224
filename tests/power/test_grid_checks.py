"""What a grid may not hold is refused, by name, all at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.world.balanced.radial_network import radial_network
from heptagrid.world.grid import Grid
from tests.power.test_levels import levels
from tests.power.test_radial import random_grid


def put(values: np.ndarray, place: int, value: object) -> np.ndarray:
    changed = values.copy()
    changed[place] = value
    return changed


def line(column: str, value: object, place: int = 2) -> Callable[[Grid], Grid]:
    return lambda grid: replace(
        grid, lines=replace(grid.lines, **{column: put(getattr(grid.lines, column), place, value)})
    )


def transformer(column: str, value: object) -> Callable[[Grid], Grid]:
    t = column
    return lambda grid: replace(
        grid, transformers=replace(grid.transformers, **{t: put(getattr(grid.transformers, t), 1, value)})
    )


def bus(column: str, value: object) -> Callable[[Grid], Grid]:
    return lambda grid: replace(grid, buses=replace(grid.buses, **{column: put(getattr(grid.buses, column), 2, value)}))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (line("r_ohm", np.nan), "line 'line 2': r_ohm is nan; a finite number is expected"),
        (line("x_ohm", np.inf), "line 'line 2': x_ohm is inf"),
        (line("length_km", -0.4), "line 'line 2': length_km is -0.4; a length is not negative"),
        (line("r_ohm", -1.0), "resistance is not negative"),
        (line("c_nf", -1.0), "capacitance is not negative"),
        (line("names", "line 1"), "more than one line is called 'line 1'; give each a name of its own"),
        (line("from_bus", 999), "line 'line 2': bus number 999 does not exist"),
        (line("to_bus", -1), "line 'line 2': bus number -1 does not exist"),
        (line("to_bus", 0), "line 'line 2': joins buses of 20 and 110 kV; only a transformer does that"),
        (transformer("sn_mva", 0.0), "transformer 'trafo 1': sn_mva is 0; a rating is positive"),
        (transformer("vk_percent", np.nan), "transformer 'trafo 1': vk_percent is nan"),
        (transformer("vk_percent", 0.1), "vk_percent is 0.1; it cannot be below its resistive part"),
        (transformer("tap_pos", -99), "at this tap the ratio is not positive"),
        (bus("names", "bus 1"), "more than one bus is called 'bus 1'"),
        (bus("vn_kv", np.nan), "bus 'bus 2': vn_kv is nan"),
        (bus("vn_kv", 0.0), "bus 'bus 2': vn_kv is 0; a nominal voltage is positive"),
        (lambda grid: replace(grid, infeed_v_pu=np.nan), "the infeed holds nan pu"),
        (lambda grid: replace(grid, infeed_bus=10_000), "the infeed is at bus number 10000"),
    ],
)
def test_a_broken_rule_is_named(spoil: Callable[[Grid], Grid], words: str) -> None:
    with pytest.raises(NetworkError) as refused:
        radial_network(spoil(levels(3, 6)))
    assert words in str(refused.value)


def test_all_broken_rules_are_reported_at_once() -> None:
    grid = levels(3, 6)
    for spoil in (line("r_ohm", np.nan), line("length_km", -1.0), transformer("sn_mva", -1.0), line("c_nf", -5.0, 4)):
        grid = spoil(grid)
    with pytest.raises(NetworkError, match="the grid has 4 problems"):
        radial_network(grid)


def test_an_isolated_load_is_named() -> None:
    grid = random_grid(3, 8, open_ends=False)
    loads = replace(
        *(grid.loads,), names=np.array(["the baker"]), bus=np.array([7]), p_kw=np.ones(1), q_kvar=np.zeros(1)
    )
    feeds = np.flatnonzero(grid.lines.to_bus == 7)
    lines = replace(
        *(grid.lines,),
        from_closed=put(grid.lines.from_closed, feeds, False),
        to_closed=put(grid.lines.to_closed, feeds, False),
    )
    with pytest.raises(NetworkError, match=r"no path to the infeed 'bus 0': bus 7 \(with load the baker\)"):
        radial_network(replace(grid, lines=lines, loads=loads))


def test_a_line_without_impedance_is_a_joint() -> None:
    grid = random_grid(6, 8, open_ends=False)
    grid = replace(
        grid, lines=replace(grid.lines, r_ohm=put(grid.lines.r_ohm, 0, 0.0), x_ohm=put(grid.lines.x_ohm, 0, 0.0))
    )
    network = radial_network(grid)
    flow = RadialSolver(network, grid).solve(
        np.full(network.nodes, 3.0), np.ones(network.nodes), 1.0, grid.transformers.tap_pos
    )
    ends = network.node_of_bus[[grid.lines.from_bus[0], grid.lines.to_bus[0]]]
    assert flow.v_pu[ends[0]] == flow.v_pu[ends[1]]
    assert len(flow.held) == 0
