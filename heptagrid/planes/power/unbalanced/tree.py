"""Orders a circuit as a tree of conductor groups, for the sweeps.

A *group* is a set of conductors that some element couples at one place: mostly a bus, or one phase of it. Lines and transformers
join two groups each. Groups stand depth-first, parents before children, the conductors of a group together; before all of
them stand the ideal voltages of the sources.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.planes.power.connectivity import NONE, connected_parts, depth_first
from heptagrid.planes.power.unbalanced.network import Network
from heptagrid.world.circuit.circuit import Bools, Circuit, Ints


class NotATree(Exception):
    """Why a circuit is none, in a phrase."""


@dataclass(frozen=True)
class Places:
    """Where each node of the network stands: group and position in it, and conductor; -1 where none. size: (groups,)."""

    group: Ints
    position: Ints
    conductor: Ints
    size: Ints


@dataclass(frozen=True)
class Joints:
    """Lines, then transformers, as what joins groups. groups: (elements, 2) of both sides; -1: nothing there."""

    groups: Ints
    is_series: Bools  # a line that can be kept as an impedance


@dataclass(frozen=True)
class Layout:
    """The order of the tree: parent: (groups,) -1 for the roots; root: (sources,) the group below each.

    lower: (elements,) the group that hangs by the line or transformer; -1: it joins no two groups, or closes a loop.
    """

    places: Places
    joints: Joints
    parent: Ints
    root: Ints
    lower: Ints
    is_closing: Bools


def layout_of(network: Network, most_loops: int) -> Layout:
    """Groups in depth-first order; at most `most_loops` lines beside the tree.

    Raises NotATree when there are more loops, loops of transformers alone, or parts that several sources feed.
    """
    group_of = _groups(network)
    joints = _joints(network, group_of)
    is_edge = (joints.groups >= 0).all(axis=1) & (joints.groups[:, 0] != joints.groups[:, 1])
    roots = _roots(network, group_of)
    order, parent, is_closing = _spanning(joints, is_edge, int(group_of.max()) + 1, roots, most_loops)
    rank = np.full(int(group_of.max()) + 2, NONE)
    rank[order] = np.arange(len(order))
    lower = np.where(is_edge & ~is_closing, rank[joints.groups].max(axis=1), NONE)
    places = _places(rank[group_of], len(order), len(network.circuit.sources.emf_v))
    return Layout(places, joints, parent, rank[roots], lower, is_closing)


def _groups(network: Network) -> Ints:
    """(nodes,) the group of each; -1 for dead nodes."""
    circuit, nodes = network.circuit, network.nodes
    lines = circuit.lines
    windings, winding_at = circuit.transformers.windings, circuit.transformers.winding_at
    pairs = [
        _chain(lines.from_node, lines.node_at, lines.from_closed),
        _chain(lines.to_node, lines.node_at, lines.to_closed),
        _chain(windings.node, np.unique(np.concatenate([_first_windings(circuit), windings.conductor_at[winding_at]]))),
        _chain(circuit.shunts.node, circuit.shunts.node_at),
        _chain(circuit.sources.to_node, circuit.sources.node_at),
        np.stack([circuit.devices.circuit_from, circuit.devices.circuit_to], axis=1),
        np.stack([circuit.capacitors.circuit_from, circuit.capacitors.circuit_to], axis=1),
    ]
    joined = np.concatenate(pairs)
    part = connected_parts(joined[(joined >= 0).all(axis=1)], nodes)
    group = np.full(nodes, NONE)
    group[network.is_live] = np.unique(part[network.is_live], return_inverse=True)[1]
    return group


def _first_windings(circuit: Circuit) -> Ints:
    """Where the conductors of each transformer's first winding end."""
    return np.asarray(circuit.transformers.windings.conductor_at[circuit.transformers.winding_at[:-1] + 1])


def _chain(node: Ints, at: Ints, counts: Bools | None = None) -> Ints:
    """Pairs that connect all nodes of each row; those that do not count, and the ground, left out."""
    row = np.repeat(np.arange(len(at) - 1), np.diff(at))
    kept = node >= 0 if counts is None else (node >= 0) & counts
    row, node = row[kept], node[kept]
    same = row[1:] == row[:-1]
    return np.stack([node[:-1][same], node[1:][same]], axis=1)


def _joints(network: Network, group_of: Ints) -> Joints:
    circuit = network.circuit
    lines = circuit.lines
    of = np.append(group_of, NONE)  # of the ground: none
    sides = []
    for node, closed in ((lines.from_node, lines.from_closed), (lines.to_node, lines.to_closed)):
        sides.append(_greatest(np.where(closed, of[node], NONE), lines.node_at))
    whole = lines.from_closed & lines.to_closed & (lines.from_node >= 0) & (lines.to_node >= 0)
    is_series = np.zeros(network.lines.elements + network.transformers.elements, dtype=np.bool_)
    is_series[: network.lines.elements] = _greatest(np.where(whole, 0, 1), lines.node_at) == 0
    windings = circuit.transformers.windings
    ends = np.stack([_first_windings(circuit), windings.conductor_at[circuit.transformers.winding_at[1:]]], axis=1)
    bounds = np.concatenate([[0], ends.ravel()]).astype(np.int64)
    of_winding = _greatest(of[windings.node], bounds).reshape(-1, 2)
    return Joints(np.concatenate([np.stack(sides, axis=1), of_winding]), is_series)


def _greatest(values: Ints, at: Ints) -> Ints:
    """(rows,) the greatest value of each row; rows have at least one."""
    return np.asarray(np.maximum.reduceat(values, at[:-1])) if len(at) > 1 else np.empty(0, dtype=np.int64)


def _roots(network: Network, group_of: Ints) -> Ints:
    """(sources,) the group that each feeds."""
    sources = network.circuit.sources
    if (sources.from_node >= 0).any():
        raise NotATree("a source stands between two conductors")
    if (sources.to_node < 0).any():
        raise NotATree("a source has a conductor at the ground")
    return np.asarray(group_of[sources.to_node[sources.node_at[:-1]]])


def _spanning(joints: Joints, is_edge: Bools, groups: int, roots: Ints, most_loops: int) -> tuple[Ints, Ints, Bools]:
    """Groups depth-first, the rank of each one's parent, and which elements close loops."""
    pairs = np.sort(joints.groups[is_edge], axis=1)
    edges, which = np.unique(pairs, axis=0, return_inverse=True)
    which = which.reshape(-1)
    only_lines = np.ones(len(edges), dtype=np.int64)
    np.minimum.at(only_lines, which, joints.is_series[is_edge].astype(np.int64))
    part = connected_parts(edges, groups)
    if len(np.unique(part[roots])) < len(roots):
        raise NotATree("several sources feed one part")
    is_forest = len(edges) == groups - len(np.unique(part))
    kept = np.ones(len(edges), dtype=np.bool_) if is_forest else _least_spanning(edges, 1.0 + only_lines, groups)
    is_closing = np.zeros(len(joints.groups), dtype=np.bool_)
    is_closing[is_edge] = ~kept[which]
    if (is_closing & ~joints.is_series).any():
        raise NotATree("a loop leads through transformers alone")
    if is_closing.sum() > most_loops:
        raise NotATree(f"{is_closing.sum()} lines close loops")
    above = np.full(len(roots), groups)  # one more group, above all roots
    row, column = np.concatenate([edges[kept, 0], above]), np.concatenate([edges[kept, 1], roots])
    order, before = depth_first(np.stack([row, column], axis=1), groups + 1, groups)
    order = order[1:]
    rank = np.full(groups + 1, NONE)
    rank[order] = np.arange(len(order))
    return order, rank[before[order]], is_closing


def _least_spanning(edges: Ints, weights: npt.NDArray[np.floating], groups: int) -> Bools:
    """(edges,) those of the spanning trees of least weight; edges: (edges, 2) lower and higher group, sorted."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import minimum_spanning_tree

    weighted = coo_matrix((weights, (edges[:, 0], edges[:, 1])), shape=(groups + 1, groups + 1))
    spanning = minimum_spanning_tree(weighted.tocsr()).tocoo()
    kept = np.zeros(len(edges), dtype=np.bool_)
    key = edges[:, 0] * groups + edges[:, 1]
    low, high = np.minimum(spanning.row, spanning.col), np.maximum(spanning.row, spanning.col)
    kept[np.searchsorted(key, low.astype(np.int64) * groups + high)] = True
    return kept


def _places(group: Ints, groups: int, first: int) -> Places:
    by_group = np.argsort(np.where(group < 0, groups, group), kind="stable")
    placed = by_group[: int((group >= 0).sum())]
    size = np.bincount(group[placed], minlength=groups)
    conductor, position = np.full(len(group), NONE), np.full(len(group), NONE)
    conductor[placed] = first + np.arange(len(placed))
    position[placed] = np.arange(len(placed)) - np.repeat(np.cumsum(size) - size, size)
    return Places(group, position, conductor, size)
