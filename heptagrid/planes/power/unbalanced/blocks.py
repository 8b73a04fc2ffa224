"""What joins the groups of a tree: a block of admittances or impedances for each group and its parent.

A block of lines is kept as its series impedance, so that it may be small or zero; any other block as admittances. What lies at a group
alone, half of its lines' charging included, is its shunt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from heptagrid.planes.power.connectivity import NONE
from heptagrid.planes.power.unbalanced.network import FLOATING_S, Network
from heptagrid.planes.power.unbalanced.primitives import (
    Primitives,
    by_size,
    capacitor_primitives,
    has_impedance,
    is_bond,
    members,
)
from heptagrid.planes.power.unbalanced.tree import Layout, NotATree, layout_of
from heptagrid.world.circuit.circuit import Bools, Complex, Ints, Lines

FIXED = -1


@dataclass(frozen=True)
class Loops:
    """Lines that close loops, conductor by conductor: from, to, and their series impedances z_ohm (conductors, conductors)."""

    from_conductor: Ints
    to_conductor: Ints
    z_ohm: Complex


@dataclass(frozen=True)
class Sums:
    """An array of admittances (or impedances): `fixed`, and what taps and capacitors move.

    cell: (entries,) where the entries of transformers and capacitors are added. source: (entries,) which these are, the transformers' first.
    """

    fixed: Complex
    cell: Ints
    source: Ints

    def of(self, network: Network) -> Complex:
        total = self.fixed.copy()
        moving = np.concatenate([network.transformers.y_s, network.capacitors.y_s])
        np.add.at(total, self.cell, moving[self.source])
        return total


@dataclass(frozen=True)
class GroupTree:
    """node: (conductors,) of the network; the sources' ideal voltages emf_v come first and have none (-1).

    conductor_at: (groups + 1,). parent: (groups,) -1 for the roots. up_at: (groups + 1,) into up, the conductors above that the
    block of each group meets. is_series: (groups,) whether the block is an impedance (n, n), one conductor above for each
    below, else an admittance of the conductors above, then those below. block_at: (groups + 1,) into block.
    shunt_at: (groups + 1,) into shunt_s, admittances (n, n) at each group. block_sums, shunt_sums: what both are made of.
    """

    node: Ints
    emf_v: Complex
    conductor_at: Ints
    parent: Ints
    up_at: Ints
    up: Ints
    is_series: Bools
    block_at: Ints
    block: Complex
    shunt_at: Ints
    shunt_s: Complex
    loops: Loops
    block_sums: Sums
    shunt_sums: Sums

    @property
    def groups(self) -> int:
        return len(self.parent)

    def moved(self, network: Network) -> GroupTree:
        """The tree of the same network with other taps and capacitor steps; see `Network.moved`."""
        return replace(self, block=self.block_sums.of(network), shunt_s=self.shunt_sums.of(network))


@dataclass(frozen=True)
class _Entries:
    """Matrix entries between nodes of the network, each in the block (or shunt) of a group.

    source: (entries,) of `Sums`, -1 for what neither taps nor capacitors move.
    """

    group: Ints
    row: Ints
    column: Ints
    y_s: Complex
    source: Ints

    def chosen(self, which: Bools) -> _Entries:
        return _Entries(self.group[which], self.row[which], self.column[which], self.y_s[which], self.source[which])

    def sums(self, fixed: Complex, cell: Ints) -> Sums:
        """With the entries at `cell` (entries,) added to `fixed`, in place, as far as they are fixed too."""
        moves = self.source >= 0
        np.add.at(fixed, cell[~moves], self.y_s[~moves])
        return Sums(fixed, cell[moves], self.source[moves])


def tree_of(network: Network, most_loops: int) -> GroupTree:
    """The network as a tree; at most `most_loops` lines beside it. Raises NotATree."""
    layout = layout_of(network, most_loops)
    places, emf_v = layout.places, network.circuit.sources.emf_v
    is_series = _series_groups(network, layout)
    up_at, up = _above(network, layout, is_series)
    block_at, block_sums = _blocks(network, layout, is_series, up_at, up)
    shunt_at, shunt_sums = _shunts(network, layout, is_series)
    node = np.full(len(emf_v) + int(places.size.sum()), NONE)
    placed = np.flatnonzero(places.conductor >= 0)
    node[places.conductor[placed]] = placed
    return GroupTree(
        node=node,
        emf_v=emf_v,
        conductor_at=len(emf_v) + np.concatenate([[0], np.cumsum(places.size)]),
        parent=layout.parent,
        up_at=up_at,
        up=up,
        is_series=is_series,
        block_at=block_at,
        block=block_sums.of(network),
        shunt_at=shunt_at,
        shunt_s=shunt_sums.of(network),
        loops=_loops(network, layout),
        block_sums=block_sums,
        shunt_sums=shunt_sums,
    )


def _ends(lines: Lines, layout: Layout) -> tuple[Ints, Ints, Ints]:
    """(line conductors,) the group that hangs by each conductor's line, and its nodes below and above."""
    group = np.repeat(layout.lower[: len(lines.names)], np.diff(lines.node_at))
    ends_there = np.append(layout.places.group, NONE)[lines.to_node] == group
    below = np.where(ends_there, lines.to_node, lines.from_node)
    return group, below, np.where(ends_there, lines.from_node, lines.to_node)


def _series_groups(network: Network, layout: Layout) -> Bools:
    """(groups,) whether lines alone lead to the group (or a source), one conductor to each of its conductors."""
    lines, sources, size = network.circuit.lines, network.circuit.sources, layout.places.size
    group, below, _ = _ends(lines, layout)
    group = np.concatenate([group, np.repeat(layout.root, np.diff(sources.node_at))])
    below = np.concatenate([below, sources.to_node])[group >= 0]
    ends = np.bincount(group[group >= 0], minlength=len(size))
    different = np.bincount(layout.places.group[np.unique(below)], minlength=len(size))
    others = np.zeros(len(size), dtype=np.bool_)
    others[layout.lower[(layout.lower >= 0) & ~layout.joints.is_series]] = True
    others[layout.root[~has_impedance(sources)]] = True
    is_series = ~others & (ends == size) & (different == size)
    bonds = layout.lower[np.flatnonzero(is_bond(lines))]
    if (~is_series[bonds[bonds >= 0]]).any():
        raise NotATree("a line without impedance lies beside other elements")
    return np.asarray(is_series)


def _above(network: Network, layout: Layout, is_series: Bools) -> tuple[Ints, Ints]:
    """up_at and up of the tree."""
    sources, places = network.circuit.sources, layout.places
    conductor = np.append(places.conductor, NONE)
    group, below, above = _ends(network.circuit.lines, layout)
    straight = (group >= 0) & is_series[group]
    series = np.stack([group[straight], places.position[below[straight]], conductor[above[straight]]], axis=1)
    root = np.repeat(layout.root, np.diff(sources.node_at))
    emf = np.arange(len(root))
    hung = np.stack([root, np.where(is_series[root], places.position[sources.to_node], emf), emf], axis=1)
    entries = _block_entries(network, layout, is_series)
    met = entries.chosen(places.group[entries.row] != entries.group)
    others = np.unique(np.stack([met.group, conductor[met.row], conductor[met.row]], axis=1), axis=0)
    table = np.concatenate([series, hung, others])
    table = table[np.lexsort((table[:, 1], table[:, 0]))]
    counts = np.bincount(table[:, 0], minlength=len(places.size))
    return np.concatenate([[0], np.cumsum(counts)]), table[:, 2].copy()


def _block_entries(network: Network, layout: Layout, is_series: Bools) -> _Entries:
    """What lines and transformers put into the blocks of admittances."""
    lines = network.lines.elements
    parts = []
    for table, lower, first in (
        (network.lines, layout.lower[:lines], FIXED),
        (network.transformers, layout.lower[lines:], 0),
    ):
        parts.append(_entries(table, np.where((lower >= 0) & ~is_series[lower], lower, NONE), first))
    return _joined(parts)


def _entries(table: Primitives, group: Ints, first: int = FIXED, there: Bools | None = None) -> _Entries:
    """The entries of elements that have a group (elements,), -1 left out; without zeros and the ground.

    first: the source of the table's first entry, FIXED if they do not move. there: (entries,) by default those that are not zero now.
    """
    parts = []
    there = table.y_s != 0.0 if there is None else there
    for alike in by_size(table.node_at):
        alike = alike[group[alike] >= 0]
        if len(alike):
            node = table.node[members(table.node_at, alike)]
            n = node.shape[1]
            at = members(table.matrix_at, alike).ravel()
            entries = _Entries(
                np.repeat(group[alike], n * n),
                np.repeat(node, n, axis=1).ravel(),
                np.tile(node, (1, n)).ravel(),
                table.y_s[at],
                first + at if first >= 0 else np.full(len(at), FIXED),
            )
            parts.append(entries.chosen((entries.row >= 0) & (entries.column >= 0) & there[at]))
    return _joined(parts)


def _joined(parts: list[_Entries]) -> _Entries:
    none = np.empty(0, dtype=np.int64)
    parts = [_Entries(none, none, none, np.empty(0, dtype=np.complex128), none), *parts]
    return _Entries(
        np.concatenate([part.group for part in parts]),
        np.concatenate([part.row for part in parts]),
        np.concatenate([part.column for part in parts]),
        np.concatenate([part.y_s for part in parts]),
        np.concatenate([part.source for part in parts]),
    )


def _blocks(network: Network, layout: Layout, is_series: Bools, up_at: Ints, up: Ints) -> tuple[Ints, Sums]:
    lines, sources, places = network.circuit.lines, network.circuit.sources, layout.places
    above = np.diff(up_at)
    width = np.where(is_series, places.size, places.size + above)
    block_at = np.concatenate([[0], np.cumsum(width**2)])
    block = np.zeros(int(block_at[-1]), dtype=np.complex128)
    _, below, _ = _ends(lines, layout)
    for rows in by_size(lines.node_at):
        group = layout.lower[rows]
        rows = rows[(group >= 0) & is_series[group]]
        if len(rows):
            position = places.position[below[members(lines.node_at, rows)]]
            group = layout.lower[rows][:, None, None]
            cell = block_at[group] + position[:, :, None] * width[group] + position[:, None, :]
            block[cell.reshape(len(rows), -1)] = lines.z_ohm[members(lines.matrix_at, rows)]

    entries = _block_entries(network, layout, is_series)
    key = (
        np.repeat(np.arange(len(above)), above) * (len(places.conductor) + len(up)) + up
    )  # sorted, series groups apart
    key[is_series[np.repeat(np.arange(len(above)), above)]] = NONE
    sorter = np.argsort(key, kind="stable")

    def position_of(node: Ints) -> Ints:
        wanted = entries.group * (len(places.conductor) + len(up)) + places.conductor[node]
        found = sorter[np.minimum(np.searchsorted(key, wanted, sorter=sorter), max(len(sorter) - 1, 0))]
        is_below = places.group[node] == entries.group
        return np.where(is_below, above[entries.group] + places.position[node], found - up_at[entries.group])

    cell = block_at[entries.group] + position_of(entries.row) * width[entries.group] + position_of(entries.column)

    for s, root in enumerate(layout.root.tolist()):
        ends = sources.to_node[sources.node_at[s] : sources.node_at[s + 1]]
        n = len(ends)
        if is_series[root]:
            inside = places.position[ends]
            matrix = np.linalg.inv(sources.y_s[sources.matrix_at[s] : sources.matrix_at[s + 1]].reshape(n, n))
        else:
            inside = np.concatenate([np.arange(n), n + places.position[ends]])
            matrix = network.sources.matrix(s)
        block[block_at[root] : block_at[root + 1]].reshape(width[root], -1)[np.ix_(inside, inside)] += matrix
    return block_at, entries.sums(block, cell)


def _shunts(network: Network, layout: Layout, is_series: Bools) -> tuple[Ints, Sums]:
    circuit, places = network.circuit, layout.places
    lines, group_of = circuit.lines, np.append(places.group, NONE)
    shunt_at = np.concatenate([[0], np.cumsum(places.size**2)])
    shunt_s = np.zeros(int(shunt_at[-1]), dtype=np.complex128)
    count = network.lines.elements
    kept_apart = (layout.lower[:count] >= 0) & is_series[layout.lower[:count]] | layout.is_closing[:count]
    half = np.where(np.repeat(kept_apart, np.diff(lines.matrix_at)), lines.y_s / 2.0, 0.0)
    at_one = layout.joints.groups.max(axis=1)
    alone = np.where((layout.lower < 0) & ~layout.is_closing, at_one, NONE)
    parts = [_entries(network.lines, alone[:count]), _entries(network.transformers, alone[count:], 0)]
    for node in (lines.from_node, lines.to_node):
        parts.append(_entries(Primitives(lines.node_at, node, lines.matrix_at, half), np.where(kept_apart, 0, NONE)))
    parts.append(_entries(network.shunts, np.zeros(network.shunts.elements, dtype=np.int64)))
    banks = circuit.capacitors
    ever = capacitor_primitives(banks, np.ones(len(banks.step_kvar), dtype=np.bool_)).y_s != 0.0
    every = np.zeros(network.capacitors.elements, dtype=np.int64)
    parts.append(_entries(network.capacitors, every, len(network.transformers.y_s), ever))
    floating = np.flatnonzero(network.is_live & network.is_floating)
    held = np.full(len(floating), FLOATING_S, dtype=np.complex128)
    nowhere = np.full(len(floating), FIXED)
    parts.append(_Entries(np.zeros(len(floating), dtype=np.int64), floating, floating, held, nowhere))
    entries = _joined(parts)
    group = group_of[entries.row]
    entries, group = entries.chosen(group >= 0), group[group >= 0]
    cell = shunt_at[group] + places.position[entries.row] * places.size[group] + places.position[entries.column]
    return shunt_at, entries.sums(shunt_s, cell)


def _loops(network: Network, layout: Layout) -> Loops:
    lines, conductor = network.circuit.lines, np.append(layout.places.conductor, NONE)
    closing = np.flatnonzero(layout.is_closing)
    at = [np.arange(lines.node_at[k], lines.node_at[k + 1]) for k in closing]
    every = np.concatenate([np.empty(0, dtype=np.int64), *at])
    z = np.zeros((len(every), len(every)), dtype=np.complex128)
    first = 0
    for k in closing:
        n = int(lines.node_at[k + 1] - lines.node_at[k])
        z[first : first + n, first : first + n] = lines.z_ohm[lines.matrix_at[k] : lines.matrix_at[k + 1]].reshape(n, n)
        first += n
    return Loops(conductor[lines.from_node[every]], conductor[lines.to_node[every]], z)
