"""Which nodes of a circuit are energised phase conductors, which are neutrals, and which are de-energised.

A node is energised where lines, transformers and other elements that deliver power join it to a source; loads and capacitors deliver none.
A neutral is a conductor beside energised ones that has no voltage when nothing is drawn, and that loads or windings return to. In a part that nothing
earths, such as behind a delta winding, voltages are measured between phases: those to ground depend on stray capacitances alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.connectivity import connected_parts
from heptagrid.planes.power.unbalanced.network import Network, fed_nodes, unearthed
from heptagrid.planes.power.unbalanced.solver import UnbalancedSolver
from heptagrid.world.circuit.circuit import GROUND, Bools, Circuit, Complex, Connection, Devices, Floats, Ints

EARTHED_PU = 0.1
"""Below this share of the voltage that a phase there has, with nothing drawn, a conductor is no phase."""
SILENT_V = 1.0
"""Where lines join no conductor to one of more than this, with nothing drawn, there is no phase: assumption, far below any grid's voltage."""
PHASES = 3
"""Nodes of a bus up to this number are phases by OpenDSS's custom."""


@dataclass(frozen=True)
class Conductors:
    """is_phase, is_neutral: (nodes,) energised; neither: de-energised. neutral: (nodes,) of the same bus, GROUND where it has none.

    next_phase: (nodes,) of a phase in a part that nothing earths the bus's next phase (b of a, c of b, a of c), else GROUND. idle_v: (nodes,)
    complex volts to ground when nothing is drawn; NaN where only what is drawn holds a part to the ground.
    """

    is_phase: Bools
    is_neutral: Bools
    neutral: Ints
    next_phase: Ints
    idle_v: Complex

    @property
    def is_dead(self) -> Bools:
        return ~(self.is_phase | self.is_neutral)

    def are_served(self, devices: Devices) -> Bools:
        """(phase circuits,) whether each lies between energised conductors, or such a conductor and the ground."""
        lives = ~np.append(self.is_dead, False)
        return np.asarray(lives[devices.circuit_from] & lives[devices.circuit_to])

    def served_share(self, devices: Devices) -> Floats:
        """(devices,) the share of each one's phase circuits that are served."""
        count = np.diff(devices.circuit_at)
        device = np.repeat(np.arange(len(count)), count)
        return np.asarray(np.bincount(device, self.are_served(devices), len(count)) / count, dtype=np.float64)

    def idle_across_v(self, devices: Devices) -> Floats:
        """(phase circuits,) volts across each when nothing is drawn; NaN where that is not known."""
        v = np.append(self.idle_v, 0.0)
        return np.asarray(np.abs(v[devices.circuit_from] - v[devices.circuit_to]), dtype=np.float64)

    def v_pu(self, circuit: Circuit, v: Complex) -> Floats:
        """(nodes,) from voltages v (nodes,) to ground, on the buses' base voltages.

        Of phases to their bus's neutral, or to the next phase where nothing earths them; of others to ground.
        """
        is_between = self.next_phase != GROUND
        other = np.where(is_between, self.next_phase, np.where(self.is_phase, self.neutral, GROUND))
        base_v = 1000.0 * circuit.buses.v_base_kv[circuit.nodes.bus] * np.where(is_between, np.sqrt(3.0), 1.0)
        return np.asarray(np.abs(v - np.append(v, 0.0)[other]) / base_v, dtype=np.float64)


def conductors_of(solver: UnbalancedSolver) -> Conductors:
    """The conductors of a solver's circuit at its taps and capacitor steps; it solves the circuit without any device."""
    network = solver.network
    circuit = network.circuit
    is_fed, is_earthed = fed_and_earthed(network)
    try:
        idle_v = solver.without_devices()
        has_voltage = np.abs(idle_v) > EARTHED_PU * _of_phases_v(circuit, np.abs(idle_v))
    except NetworkError:  # a part floats that devices hold; then the numbers of the nodes must do
        idle_v = np.full(len(circuit.nodes.bus), complex(np.nan, np.nan))
        has_voltage = circuit.nodes.number <= PHASES
    is_phase = is_fed & has_voltage
    is_neutral = (is_fed | is_earthed) & ~has_voltage & _returns(circuit)
    of_bus = np.zeros(
        (2, len(circuit.buses.names)), dtype=np.bool_
    )  # whether it has a phase, and whether it has other conductors than neutrals
    of_bus[0, circuit.nodes.bus[is_phase]] = True
    of_bus[1, circuit.nodes.bus[~is_neutral]] = True
    is_neutral &= (of_bus[0] | ~of_bus[1])[circuit.nodes.bus]
    next_phase = _next_phase(circuit, is_phase & unearthed(network))
    return Conductors(is_phase, is_neutral, _neutral_of(circuit, is_neutral), next_phase, idle_v)


def _of_phases_v(circuit: Circuit, idle_v: Floats) -> Floats:
    """(nodes,) what a phase there has to ground when nothing is drawn.

    The base voltage of its bus; less where that does not fit: the highest voltage that lines join to the bus.
    """
    lines, bus = circuit.lines, circuit.nodes.bus
    pairs = np.stack([lines.from_node, lines.to_node], axis=1)
    pairs = bus[pairs[(pairs >= 0).all(axis=1)]]
    part = connected_parts(pairs, len(circuit.buses.names))
    highest = np.zeros(part.max(initial=-1) + 1)
    np.maximum.at(highest, part[bus], idle_v)
    base_v = 1000.0 * circuit.buses.v_base_kv[bus]
    joined_v = highest[part[bus]]
    return np.asarray(np.where(joined_v > SILENT_V, np.minimum(base_v, joined_v), base_v))


def fed_and_earthed(network: Network) -> tuple[Bools, Bools]:
    """(nodes,) whether elements that deliver power join the node to a source with a voltage, and whether to the ground."""
    through = network.delivering()
    to_ground = (through < 0).any(axis=1)
    part = connected_parts(through[~to_ground], network.nodes)
    earthed = through[to_ground].max(axis=1)
    return np.isin(part, part[fed_nodes(network.circuit)]), np.isin(part, part[earthed[earthed >= 0]])


def _returns(circuit: Circuit) -> Bools:
    """(nodes,) whether a node has a number beyond those of phases, or closed lines join it to where a device or a wye winding ends."""
    lines, windings, ground = circuit.lines, circuit.transformers.windings, len(circuit.nodes.bus)
    last = windings.node[windings.conductor_at[1:] - 1][windings.connection == Connection.WYE]
    ends = np.concatenate([circuit.devices.circuit_to, last])
    closed = lines.from_closed & lines.to_closed
    pairs = np.stack([lines.from_node[closed], lines.to_node[closed]], axis=1)
    part = connected_parts(pairs[(pairs >= 0).all(axis=1)], ground)
    return np.asarray((circuit.nodes.number > PHASES) | np.isin(part, part[ends[ends >= 0]]))


def _neutral_of(circuit: Circuit, is_neutral: Bools) -> Ints:
    """(nodes,) the first neutral of each one's bus, GROUND if there is none."""
    of_bus = np.full(len(circuit.buses.names), GROUND, dtype=np.int64)
    nodes = np.flatnonzero(is_neutral)[::-1]
    of_bus[circuit.nodes.bus[nodes]] = nodes
    return np.asarray(of_bus[circuit.nodes.bus])


def _next_phase(circuit: Circuit, is_measured: Bools) -> Ints:
    """(nodes,) of those that are measured the next one of their bus, GROUND of one that is alone there."""
    found = np.full(len(circuit.nodes.bus), GROUND, dtype=np.int64)
    measured = np.flatnonzero(is_measured & (circuit.nodes.number <= PHASES))
    order = measured[np.lexsort((circuit.nodes.number[measured], circuit.nodes.bus[measured]))]
    bus = circuit.nodes.bus[order]
    first = np.flatnonzero(np.append(True, bus[1:] != bus[:-1])[: len(bus)])
    size = np.diff(np.append(first, len(bus)))
    place = np.arange(len(bus)) - np.repeat(first, size)
    following = np.repeat(first, size) + (place + 1) % np.repeat(size, size)
    several = np.repeat(size, size) > 1
    found[order[several]] = order[following[several]]
    return found
