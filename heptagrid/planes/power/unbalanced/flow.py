"""A solution of the unbalanced power flow: voltages, and what follows from them element by element."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.power.unbalanced.draws import PhaseCircuits, drawn
from heptagrid.planes.power.unbalanced.network import Network
from heptagrid.planes.power.unbalanced.primitives import Primitives, currents, is_bond
from heptagrid.world.circuit.circuit import Complex, Floats, Ints


@dataclass
class CircuitFlow:
    """v: (nodes,) complex volts to ground; 0 where no source feeds the node. iterations: of the fixed point.

    last_change_pu: of a voltage, in the last of them.

    Everything else is computed from the voltages when it is asked for.
    """

    network: Network
    circuits: PhaseCircuits
    p_w: Floats
    q_var: Floats
    v: Complex
    iterations: int
    last_change_pu: float = 0.0

    @cached_property
    def v_pu(self) -> Floats:
        """(nodes,) magnitudes to ground on the buses' base voltages."""
        circuit = self.network.circuit
        base_v = 1000.0 * circuit.buses.v_base_kv[circuit.nodes.bus]
        return np.asarray(np.abs(self.v) / base_v, dtype=np.float64)

    @cached_property
    def lines_a(self) -> Complex:
        """Currents into the lines, packed as `network.lines.node`: a line's from-conductors, then its to-conductors.

        Those of lines without impedance are what Kirchhoff's law leaves at their ends.
        """
        network = self.network
        into_a = currents(network.lines, self.v)
        if len(network.bonds):
            from_end, to_end = _bond_ends(network)
            through_a = _bond_currents(network.bonds, -self._lack(into_a))
            into_a[from_end] += through_a
            into_a[to_end] -= through_a
        return into_a

    def _node_sums(self, lines_a: Complex) -> Complex:
        """(nodes,) what flows out of each node into all elements."""
        network, circuits = self.network, self.circuits
        sums = np.zeros(network.nodes + 1, dtype=np.complex128)
        for table, into_a in (
            (network.lines, lines_a),
            (network.transformers, self.transformers_a),
            (network.capacitors, self.capacitors_a),
            (network.shunts, currents(network.shunts, self.v)),
        ):
            np.add.at(sums, table.node, into_a)
        np.add.at(sums, circuits.from_node, self.circuits_a)
        np.add.at(sums, circuits.to_node, -self.circuits_a)
        return sums[:-1]

    def _lack(self, lines_a: Complex) -> Complex:
        """(nodes,) what Kirchhoff's law lacks at each node with these currents of lines."""
        sources = self.network.sources
        sums = np.append(self._node_sums(lines_a) - self.network.source_currents(), 0.0)
        np.add.at(sums, sources.node, currents(sources, self.v))
        return sums[:-1]

    @cached_property
    def imbalance_a(self) -> Complex:
        """(nodes,) what Kirchhoff's law lacks at each node."""
        return self._lack(self.lines_a)

    @cached_property
    def transformers_a(self) -> Complex:
        """Currents into the transformers' conductors, packed as `windings.node`."""
        return currents(self.network.transformers, self.v)

    @cached_property
    def capacitors_a(self) -> Complex:
        return currents(self.network.capacitors, self.v)

    @cached_property
    def capacitors_kva(self) -> Complex:
        """(capacitors,) what each draws."""
        return _absorbed_kva(self.network.capacitors, self.v, self.capacitors_a)

    @cached_property
    def shunts_kva(self) -> Complex:
        """(shunts,) what each draws."""
        return _absorbed_kva(self.network.shunts, self.v, currents(self.network.shunts, self.v))

    @cached_property
    def lines_kva(self) -> Complex:
        """(lines,) complex losses, charging included."""
        return _absorbed_kva(self.network.lines, self.v, self.lines_a)

    @cached_property
    def transformers_kva(self) -> Complex:
        """(transformers,) complex losses, those without load included."""
        return _absorbed_kva(self.network.transformers, self.v, self.transformers_a)

    @cached_property
    def losses_kw(self) -> float:
        """Of lines, transformers, capacitors and the shunts that count as such; from currents."""
        lost = self.shunts_kva[self.network.circuit.shunts.counts_as_loss].sum() + self.capacitors_kva.sum()
        return float((self.lines_kva.sum() + self.transformers_kva.sum() + lost).real)

    @cached_property
    def sources_kva(self) -> Complex:
        """(sources,) what each source delivers at its terminals, its own impedance left out.

        Of one of hardly any impedance what the other elements at its nodes take, since the voltage across so little has too few digits.
        """
        sources = self.network.circuit.sources
        above_ground = np.append(self.v, 0.0)
        delivered = np.zeros(len(sources.names), dtype=np.complex128)
        for k in range(len(delivered)):
            rows = slice(sources.node_at[k], sources.node_at[k + 1])
            n = sources.node_at[k + 1] - sources.node_at[k]
            across = above_ground[sources.to_node[rows]] - above_ground[sources.from_node[rows]]
            out_a = self.network.sources.matrix(k)[:n, :n] @ (sources.emf_v[rows] - across)
            if self.network.stiff_sources[k]:
                out_a = np.append(self._node_sums(self.lines_a), 0.0)[sources.to_node[rows]]
            delivered[k] = np.sum(across * out_a.conj()) / 1000.0
        return delivered

    @cached_property
    def circuits_a(self) -> Complex:
        """(phase circuits,) the current that each takes, from its first node to its second."""
        out = np.zeros(len(self.circuits.device), dtype=np.complex128)
        _device_currents(self.circuits.models, self.p_w, self.q_var, self.v, out)
        return out

    @cached_property
    def circuits_v(self) -> Complex:
        """(phase circuits,) the voltage across each."""
        above_ground = np.append(self.v, 0.0)
        return np.asarray(above_ground[self.circuits.from_node] - above_ground[self.circuits.to_node])

    @cached_property
    def devices_kva(self) -> Complex:
        """(devices,) what each draws at its voltage."""
        products = self.circuits_v * self.circuits_a.conj() / 1000.0
        n = len(self.network.circuit.devices.names)
        device = self.circuits.device
        return np.bincount(device, products.real, n) + 1j * np.bincount(device, products.imag, n)

    @cached_property
    def residual(self) -> float:
        """Active power delivered less that drawn and lost, as a share of the apparent power that sources and generators deliver."""
        delivered = self.sources_kva.sum()
        used = ~self.network.circuit.shunts.counts_as_loss
        drawn_kva = np.concatenate([self.devices_kva, self.shunts_kva[used]])
        turned_over = float(abs(delivered) + np.abs(drawn_kva[drawn_kva.real < 0.0]).sum())
        return float(delivered.real - drawn_kva.real.sum() - self.losses_kw) / max(turned_over, 1e-9)


def _absorbed_kva(primitives: Primitives, v: Complex, into_a: Complex) -> Complex:
    """(elements,) the power that flows into each and not out again."""
    products = np.append(v, 0.0)[primitives.node] * into_a.conj() / 1000.0
    element: Ints = np.repeat(np.arange(primitives.elements), np.diff(primitives.node_at))
    n = primitives.elements
    return np.bincount(element, products.real, n) + 1j * np.bincount(element, products.imag, n)


def _bond_ends(network: Network) -> tuple[Ints, Ints]:
    """Where the conductors of lines without impedance stand in `network.lines.node`: (bonds,) of both ends."""
    lines = network.circuit.lines
    n = np.diff(lines.node_at)
    is_bonded = np.repeat(is_bond(lines), n)
    from_end = np.arange(len(is_bonded)) + np.repeat(lines.node_at[:-1], n)
    return from_end[is_bonded], (from_end + np.repeat(n, n))[is_bonded]


def _bond_currents(bonds: Ints, lack_a: Complex) -> Complex:
    """(bonds,) currents from first to second node that make up what is lacking at the nodes; bonds form no loops."""
    import scipy.sparse.linalg

    pair, end = np.nonzero(bonds >= 0)
    sign = np.where(end == 0, 1.0, -1.0)
    out_of = scipy.sparse.csc_matrix((sign, (bonds[pair, end], pair)), shape=(len(lack_a), len(bonds)))
    normal = scipy.sparse.linalg.splu((out_of.T @ out_of).tocsc())
    right = out_of.T @ lack_a
    return np.asarray(normal.solve(right.real.copy()) + 1j * normal.solve(right.imag.copy()))


@kernel(allocates=False)
def _device_currents(circuits, p_w, q_var, v, out):  # type: ignore[no-untyped-def]
    from_node, to_node, model, limits_v, shape = circuits
    for k in range(from_node.shape[0]):
        a, b = from_node[k], to_node[k]
        across = (v[a] if a >= 0 else 0j) - (v[b] if b >= 0 else 0j)
        re, im = drawn(model[k], p_w[k], q_var[k], limits_v[k], shape[k], across.real, across.imag)
        out[k] = complex(re, im)
