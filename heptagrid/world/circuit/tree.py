"""A circuit's conductors in the order in which power reaches them: a tree of nodes for reports, outages and places.

Loops are cut where the walk meets itself; the tree says what lies behind what, the circuit alone says what flows.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import NetworkError
from heptagrid.world.balanced.radial_network import Tree, feeders_below
from heptagrid.world.circuit.circuit import GROUND, Circuit, bus_edges, terminals_of
from heptagrid.world.grid import Grid

Ints = npt.NDArray[np.int64]
_SHOWN = 6


@dataclass(frozen=True)
class CircuitTree(Tree):
    """A tree whose nodes are a circuit's. circuit_node: (nodes,) each one's position in the circuit."""

    circuit_node: Ints


def circuit_tree(circuit: Circuit, grid: Grid) -> CircuitTree:
    """Walk a circuit from its first source, bus by bus, depth first; `grid` is its one-line description.

    Buses that nothing joins to the source stand beside it, as part of no feeder.

    Raises
    ------
    NetworkError
        Naming further sources of the tree, and customers that another source alone feeds: on whose account what they feed would go, nothing says;
        or if nothing joins any customer to the source.
    """
    buses = len(circuit.buses.names)
    near: list[list[tuple[int, int, int]]] = [[] for _ in range(buses)]
    for a, b, k, t in zip(*(column.tolist() for column in bus_edges(circuit)), strict=True):
        near[a].append((b, k, t))
        near[b].append((a, k, t))
    upper, above, order = _walk(near, grid.infeed_bus)
    _refuse_further_sources(circuit, grid.infeed_bus, upper)
    _refuse_islands(circuit, grid, upper, near)
    busbar_bus = _busbar(order, upper)
    heads_bus = [bus for bus in order if upper[bus] == busbar_bus]
    dead = [bus for bus in range(buses) if bus not in upper]
    upper |= dict.fromkeys(dead, order[0])
    above |= dict.fromkeys(dead, (-1, -1))
    order[1:1] = dead
    position, nodes = np.full(len(circuit.nodes.bus), -1, dtype=np.int64), 0
    chosen: list[int] = []
    for bus in order:
        for node in range(int(circuit.buses.node_at[bus]), int(circuit.buses.node_at[bus + 1])):
            position[node] = nodes
            nodes += 1
            chosen.append(node)
    circuit_node = np.array(chosen, dtype=np.int64)
    bus_of_node = circuit.nodes.bus[circuit_node]
    parent = np.array([_parent(circuit, node, upper, position) for node in chosen], dtype=np.int64)
    first = np.full(len(grid.buses.names), -1, dtype=np.int64)
    for bus in order:
        first[bus] = position[circuit.buses.node_at[bus]]
    home = _homes(circuit, grid)
    first[buses:] = position[home]
    line_of = np.array([above[int(bus)][0] for bus in bus_of_node], dtype=np.int64)
    transformer_of = np.array([above[int(bus)][1] for bus in bus_of_node], dtype=np.int64)
    busbar = int(position[circuit.buses.node_at[busbar_bus]])
    heads = np.array([position[circuit.buses.node_at[bus]] for bus in heads_bus], dtype=np.int64)
    feeder, feeder_start = feeders_below(heads, nodes)
    return CircuitTree(
        parent=parent,
        feeder=feeder,
        feeder_start=feeder_start,
        node_of_bus=first,
        bus_of_node=bus_of_node,
        v_base_kv=np.sqrt(3.0) * circuit.buses.v_base_kv[bus_of_node],
        line_of_node=line_of,
        transformer_of_node=transformer_of,
        node_of_line=_below(line_of, len(grid.lines.names)),
        node_of_transformer=first[grid.transformers.lv_bus],
        parallels=np.ones(nodes, dtype=np.int64),
        busbars=np.array([busbar]),
        circuit_node=circuit_node,
    )


def _walk(
    near: list[list[tuple[int, int, int]]], root: int
) -> tuple[dict[int, int], dict[int, tuple[int, int]], list[int]]:
    """Each bus's upper bus and the line or transformer to it, and the order, depth first.

    Who is whose parent is found breadth first, so that loops are cut far from the source.
    """
    upper, above = {root: -1}, {root: (-1, -1)}
    below: dict[int, list[int]] = {root: []}
    waiting = deque([root])
    while waiting:
        bus = waiting.popleft()
        for other, line, transformer in near[bus]:
            if other not in upper:
                upper[other], above[other] = bus, (line, transformer)
                below[other] = []
                below[bus].append(other)
                waiting.append(other)
    order, stack = [], [root]
    while stack:
        bus = stack.pop()
        order.append(bus)
        stack.extend(reversed(below[bus]))
    return upper, above, order


def _refuse_islands(
    circuit: Circuit, grid: Grid, upper: dict[int, int], near: list[list[tuple[int, int, int]]]
) -> None:
    """Refuse customers that another source alone feeds, and a circuit none of whose customers the infeed reaches."""
    customers = {int(bus) for bus in _bus_of_customers(circuit, grid)}
    sources = circuit.sources
    fed: set[int] = set()
    for bus in circuit.nodes.bus[sources.to_node[sources.node_at[:-1]]].tolist():
        if bus not in upper and bus not in fed:
            fed |= set(_walk(near, bus)[0])
    lost, words = sorted(customers & fed), "that another source feeds than the infeed"
    if not lost and not customers & set(upper):
        lost, words = sorted(customers), "that nothing joins to the source"
    if lost:
        names = ", ".join(str(circuit.buses.names[bus]) for bus in lost[:_SHOWN])
        more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
        raise NetworkError(
            f"circuit {circuit.name!r}: customers hang on {len(lost)} buses {words}: {names}{more}; close a switch, or take them out"
        )


def _refuse_further_sources(circuit: Circuit, infeed_bus: int, upper: dict[int, int]) -> None:
    sources = circuit.sources
    further = [
        f"{name} at {circuit.buses.names[bus]}"
        for name, bus in zip(sources.names, circuit.nodes.bus[sources.to_node[sources.node_at[:-1]]], strict=True)
        if int(bus) in upper and int(bus) != infeed_bus
    ]
    if further:
        raise NetworkError(
            f"circuit {circuit.name!r}: several sources feed one tree: {sources.names[0]} at {circuit.buses.names[infeed_bus]}, "
            f"{', '.join(further)}; a run has one infeed: switch the others off, or open what joins them"
        )


def _bus_of_customers(circuit: Circuit, grid: Grid) -> Ints:
    return np.asarray(circuit.nodes.bus[_homes(circuit, grid)])


def _homes(circuit: Circuit, grid: Grid) -> Ints:
    """The first conductor, as a circuit's node, of each bus of the grid beyond the circuit's own: those of devices."""
    devices = circuit.devices
    of_bus = np.full(len(grid.buses.names), -1, dtype=np.int64)
    rows = np.concatenate(terminals_of(circuit))
    begin, end = (column[devices.circuit_at[rows]] for column in (devices.circuit_from, devices.circuit_to))
    of_bus[np.concatenate([grid.loads.bus, grid.units.bus])] = np.where(begin != GROUND, begin, end)
    return of_bus[len(circuit.buses.names) :]


def _parent(circuit: Circuit, node: int, upper: dict[int, int], position: Ints) -> int:
    """The position of the same conductor of the upper bus, else of its first."""
    bus = upper[int(circuit.nodes.bus[node])]
    if bus < 0:
        return -1
    members = np.arange(circuit.buses.node_at[bus], circuit.buses.node_at[bus + 1])
    same = members[circuit.nodes.number[members] == circuit.nodes.number[node]]
    return int(position[same[0] if len(same) else members[0]])


def _busbar(order: list[int], upper: dict[int, int]) -> int:
    """The first bus with more than one below it."""
    count: dict[int, int] = {}
    for bus in order:
        count[upper[bus]] = count.get(upper[bus], 0) + 1
    return next((bus for bus in order if count.get(bus, 0) > 1), order[0])


def _below(of_node: Ints, elements: int) -> Ints:
    found = np.full(elements, -1, dtype=np.int64)
    nodes = np.flatnonzero(of_node >= 0)[::-1]
    found[of_node[nodes]] = nodes
    return found
