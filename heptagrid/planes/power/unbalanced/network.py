"""A circuit in one state of its taps, capacitors and switches: its admittances, and which of its parts have a reference."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from heptagrid.planes.power.connectivity import connected_parts
from heptagrid.planes.power.unbalanced.primitives import (
    Primitives,
    capacitor_primitives,
    cells,
    is_bond,
    is_source_earthed,
    line_primitives,
    shunt_primitives,
    source_primitives,
)
from heptagrid.planes.power.unbalanced.transformers import tapped, transformer_primitives
from heptagrid.world.circuit.circuit import Bools, Circuit, Complex, Floats, Ints, Shunts, Sources

if TYPE_CHECKING:
    import scipy.sparse

FLOATING_S = 1e-9  # to ground at each node of a part without any other path to it
_STIFF = 10.0  # times the greatest admittance beside a source
_NO_COUPLING = 1e-9  # of a shunt's greatest admittance: below this what it couples is rounding


@dataclass(frozen=True)
class Network:
    """is_live: (nodes,) whether a source feeds the node. floating: (nodes,) parts that only tiny admittances hold to the ground."""

    circuit: Circuit
    tap_pu: Floats
    is_closed: Bools
    lines: Primitives
    transformers: Primitives
    capacitors: Primitives
    shunts: Primitives
    sources: Primitives
    bonds: Ints
    is_live: Bools
    is_floating: Bools

    @property
    def nodes(self) -> int:
        return len(self.circuit.nodes.bus)

    def moved(self, tap_pu: Floats, is_closed: Bools) -> Network | None:
        """The same with other taps (windings,) and capacitor steps (steps,): only what moves is computed anew.

        None where more than numbers would change: an admittance that comes or goes, a part that begins or ceases to float.
        """
        units, banks = self.circuit.transformers, self.circuit.capacitors
        transformers, capacitors = self.transformers, self.capacitors
        winding = np.flatnonzero(tap_pu != self.tap_pu)
        if len(winding):
            rows = np.unique(np.searchsorted(units.winding_at, winding, side="right") - 1)
            transformers = tapped(transformers, units, rows, tap_pu)
            if ((transformers.y_s == 0.0) != (self.transformers.y_s == 0.0)).any():
                return None
        if not np.array_equal(is_closed, self.is_closed):
            capacitors = capacitor_primitives(banks, is_closed)
            came_or_went = (capacitors.y_s == 0.0) != (self.capacitors.y_s == 0.0)
            if came_or_went.any() and (_floating(self.circuit, capacitors, self.bonds) != self.is_floating).any():
                return None
        return replace(self, tap_pu=tap_pu, is_closed=is_closed, transformers=transformers, capacitors=capacitors)

    def fed(self, emf_v: Complex) -> Network:
        """The same with other voltages behind the sources' impedances, (sources' conductors,)."""
        circuit = self.circuit
        return replace(self, circuit=replace(circuit, sources=replace(circuit.sources, emf_v=emf_v)))

    def delivering(self) -> Ints:
        """(pairs, 2) nodes, the ground -1, that closed lines, transformers, other linear elements and sources join.

        Impedances so great that they stand for none at all (above 1 / FLOATING_S) join nothing.
        """
        lines = self.circuit.lines
        greatest_ohm = np.maximum.reduceat(np.append(np.abs(lines.z_ohm), 0.0), lines.matrix_at[:-1])
        through = np.repeat(greatest_ohm * FLOATING_S < 1.0, np.diff(lines.node_at))
        through &= lines.from_closed & lines.to_closed
        row, column, y_s = cells([self.transformers, self.shunts, self.sources])
        places, which = np.unique(row * self.nodes + column, return_inverse=True)
        coupled = np.zeros(len(places), dtype=np.complex128)
        np.add.at(coupled, which, y_s)
        joined = places[np.abs(coupled) > FLOATING_S]
        return np.concatenate(
            [
                np.stack([lines.from_node[through], lines.to_node[through]], axis=1),
                np.stack(np.divmod(joined, self.nodes), axis=1),
            ]
        )

    def matrix(self) -> scipy.sparse.csc_matrix:
        """The whole admittance matrix (nodes, nodes) without the devices; dead nodes stand alone."""
        import scipy.sparse

        tables = [self.lines, self.transformers, self.capacitors, self.shunts, self.sources]
        alone = np.where(self.is_live, np.where(self.is_floating, FLOATING_S, 0.0), 1.0)
        row, column, y_s = cells(tables)
        y = scipy.sparse.csc_matrix((y_s, (row, column)), shape=(self.nodes, self.nodes), dtype=np.complex128)
        return y + scipy.sparse.diags(alone, format="csc")

    @cached_property
    def stiff_sources(self) -> Bools:
        """(sources,) whose admittance is so much greater than all else at their nodes that their current has fewer digits than what flows on."""
        others = np.zeros(self.nodes + 1)
        for table in (self.lines, self.transformers, self.capacitors, self.shunts):
            for k in _elements_at(table, self.circuit.sources.to_node).tolist():
                np.maximum.at(others, table.nodes(k), np.abs(table.matrix(k)).max(initial=0.0))
        others[-1] = 0.0
        sources, found = self.circuit.sources, np.zeros(len(self.circuit.sources.names), dtype=np.bool_)
        for k in range(len(found)):
            nodes = sources.to_node[sources.node_at[k] : sources.node_at[k + 1]]
            is_alone = (
                np.isin(sources.to_node, nodes).sum() == len(nodes) and not np.isin(sources.from_node, nodes).any()
            )
            found[k] = is_alone and np.abs(self.sources.matrix(k)).max() > _STIFF * others[nodes].max(initial=0.0)
        return found

    def source_currents(self) -> Complex:
        """(nodes,) what the sources drive into the short-circuited network."""
        sources = self.circuit.sources
        injected = np.zeros(self.nodes + 1, dtype=np.complex128)  # the last is the ground
        for k in range(self.sources.elements):
            first, last = sources.node_at[k], sources.node_at[k + 1]
            n = last - first
            y = self.sources.matrix(k)[:n, :n]
            current = y @ sources.emf_v[first:last]
            np.add.at(injected, sources.to_node[first:last], current)
            np.add.at(injected, sources.from_node[first:last], -current)
        return injected[:-1]


def network_of(circuit: Circuit, tap_pu: Floats, is_closed: Bools) -> Network:
    """tap_pu: (windings,). is_closed: (capacitor steps,)."""
    lines = line_primitives(circuit.lines)
    transformers = transformer_primitives(circuit.transformers, tap_pu)
    capacitors = capacitor_primitives(circuit.capacitors, is_closed)
    shunts, sources = shunt_primitives(circuit.shunts), source_primitives(circuit.sources)
    bonds = _bonds(circuit)
    tables = [lines, transformers, capacitors, shunts, sources]
    return Network(
        circuit=circuit,
        tap_pu=tap_pu,
        is_closed=is_closed,
        lines=lines,
        transformers=transformers,
        capacitors=capacitors,
        shunts=shunts,
        sources=sources,
        bonds=bonds,
        is_live=_live(circuit, tables, bonds),
        is_floating=_floating(circuit, capacitors, bonds),
    )


def fed_nodes(circuit: Circuit) -> Ints:
    """Nodes of sources that have a voltage."""
    sources = circuit.sources
    has_voltage = sources.emf_v != 0.0
    fed = np.concatenate([sources.from_node[has_voltage], sources.to_node[has_voltage]])
    return np.asarray(fed[fed >= 0])


def _bonds(circuit: Circuit) -> Ints:
    """(bonds, 2) pairs of nodes joined by lines without impedance."""
    lines = circuit.lines
    rows = np.repeat(is_bond(lines), np.diff(lines.node_at))
    return np.stack([lines.from_node[rows], lines.to_node[rows]], axis=1)


def _live(circuit: Circuit, tables: list[Primitives], bonds: Ints) -> Bools:
    """(nodes,) whether anything but the ground joins the node to a source with a voltage."""
    row, column, _ = cells(tables)
    devices = np.stack([circuit.devices.circuit_from, circuit.devices.circuit_to], axis=1)
    pairs = np.concatenate([np.stack([row, column], axis=1), bonds, devices])
    part = connected_parts(pairs[(pairs >= 0).all(axis=1)], len(circuit.nodes.bus))
    return np.asarray(np.isin(part, part[fed_nodes(circuit)]))


def nearly_floating(network: Network) -> Bools:
    """(nodes,) whether nothing but charging, capacitances and what keeps deltas from floating leads from the node to the ground."""
    return _floating(network.circuit, network.capacitors, network.bonds, but_for_little=True)


def unearthed(network: Network) -> Bools:
    """(nodes,) whether the node nearly floats and nothing in its part draws from a conductor to the ground: its voltage to ground says nothing."""
    devices = network.circuit.devices
    part = _parts(network.circuit, network.capacitors, network.bonds, but_for_little=True)
    ends = np.stack([devices.circuit_from, devices.circuit_to])
    drawn_from = ends.max(axis=0)[(ends < 0).any(axis=0)]
    return np.asarray(~np.isin(part[:-1], np.append(part[drawn_from], part[-1])))


def _floating(circuit: Circuit, capacitors: Primitives, bonds: Ints, but_for_little: bool = False) -> Bools:
    """(nodes,) whether no conductor, coil or capacitance leads from the node to the ground; `but_for_little`: see `nearly_floating`."""
    part = _parts(circuit, capacitors, bonds, but_for_little)
    return np.asarray(part[:-1] != part[-1])


def _parts(circuit: Circuit, capacitors: Primitives, bonds: Ints, but_for_little: bool) -> Ints:
    """(nodes + 1,) the part that conductors, coils and capacitances join each node to, the ground's last; `but_for_little`: see `nearly_floating`."""
    ground = nodes = len(circuit.nodes.bus)
    lines, transformers = circuit.lines, circuit.transformers
    windings = transformers.windings
    closed = lines.from_closed & lines.to_closed
    charged = np.repeat(
        np.add.reduceat(np.append(np.abs(lines.y_s), 0.0), lines.matrix_at[:-1]) > 0.0, np.diff(lines.node_at)
    )
    charging = np.concatenate([lines.from_node[charged & lines.from_closed], lines.to_node[charged & lines.to_closed]])
    of_winding = np.repeat(np.arange(len(windings.kv)), np.diff(windings.conductor_at))
    of_transformer = np.repeat(np.arange(len(transformers.phases)), np.diff(transformers.winding_at))
    held = ~np.isnan(windings.neutral_ohm.real)
    if not but_for_little:
        held |= transformers.antifloat_ppm[of_transformer] > 0.0
    sources = circuit.sources
    pairs = [
        np.stack([lines.from_node[closed], lines.to_node[closed]], axis=1),
        bonds,
        _with(charging[: 0 if but_for_little else len(charging)], -1),
        np.stack([windings.node, windings.node[windings.conductor_at[of_winding]]], axis=1),
        _with(windings.node[held[of_winding]], -1),
        _source_ends(sources),
        _shunt_ends(circuit.shunts),
        np.stack([circuit.capacitors.circuit_from, circuit.capacitors.circuit_to], axis=1)[
            np.repeat(
                np.add.reduceat(np.append(np.abs(capacitors.y_s), 0.0), capacitors.matrix_at[:-1]) > 0.0,
                np.diff(circuit.capacitors.circuit_at),
            )
        ],
    ]
    joined = np.concatenate(pairs)
    return connected_parts(np.where(joined < 0, ground, joined), nodes + 1)


def _source_ends(sources: Sources) -> Ints:
    """Pairs of nodes that a source joins: from conductor to conductor, and to its other side where a zero sequence has a path."""
    row = np.repeat(np.arange(len(sources.names)), np.diff(sources.node_at))
    earthed = is_source_earthed(sources)[row]
    same = row[1:] == row[:-1]
    return np.concatenate(
        [
            np.stack([sources.from_node[earthed], sources.to_node[earthed]], axis=1),
            np.stack([sources.to_node[:-1][same], sources.to_node[1:][same]], axis=1),
        ]
    )


def _shunt_ends(shunts: Shunts) -> Ints:
    """Pairs of nodes that a shunt couples: with one another, and with the ground where one voltage at all of them would drive a current."""
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for k in range(len(shunts.names)):
        nodes = shunts.node[shunts.node_at[k] : shunts.node_at[k + 1]]
        y_s = shunts.y_s[shunts.matrix_at[k] : shunts.matrix_at[k + 1]].reshape(len(nodes), len(nodes))
        least = _NO_COUPLING * np.abs(y_s).max(initial=0.0)
        row, column = np.nonzero(np.triu(np.abs(y_s) > least, 1))
        pairs.append(np.stack([nodes[row], nodes[column]], axis=1))
        pairs.append(_with(nodes[np.abs(y_s.sum(axis=1)) > least], -1))
    return np.concatenate(pairs)


def _elements_at(table: Primitives, nodes: Ints) -> Ints:
    """The elements of a table that touch any of these nodes."""
    element = np.repeat(np.arange(table.elements), np.diff(table.node_at))
    return np.unique(element[np.isin(table.node, nodes[nodes >= 0])])


def _with(nodes: Ints, other: int) -> Ints:
    return np.stack([nodes, np.full(len(nodes), other, dtype=np.int64)], axis=1)
