"""Lines of an unbalanced circuit: every conductor solved, its own regulators and capacitors at work.

Customers draw constant power, or what follows the voltage by the scenario's own shares, as they do everywhere in a run; the file's load models do not count.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from heptagrid.domains.distribution.lines import SolvedFlow
from heptagrid.foundation.errors import NetworkError
from heptagrid.foundation.time import NS_PER_S, Step
from heptagrid.planes.power.controls.control import Controlled
from heptagrid.planes.power.unbalanced.conductors import Conductors, conductors_of
from heptagrid.planes.power.unbalanced.flow import CircuitFlow
from heptagrid.planes.power.unbalanced.solver import UnbalancedSolver
from heptagrid.world.balanced.radial_network import BASE_KVA
from heptagrid.world.circuit.circuit import GROUND, Circuit, Complex, Devices, Model
from heptagrid.world.circuit.controls import no_inverters
from heptagrid.world.circuit.tree import CircuitTree
from heptagrid.world.inverter_bank import PointInverters
from heptagrid.world.point_demand import PointDemand

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LOWEST_PU, HIGHEST_PU = 0.5, 2.0
"""Of the voltage that there is when nothing is drawn: beyond these nobody draws the power that he says, and the circuit counts as not solved."""
_SHOWN = 6


class CircuitLines:
    """A circuit as the distribution domain works it."""

    def __init__(
        self,
        circuit: Circuit,
        tree: CircuitTree,
        rated_infeed_pu: float = 1.0,
        rated_target_pu: float = 1.0,
        conductors: Conductors | None = None,
    ) -> None:
        """Set up; at an infeed of `rated_infeed_pu` the circuit's sources, at a target of `rated_target_pu` its regulators, hold the
        voltages of their file. conductors: of the circuit, by default found here."""
        conductors = conductors or conductors_of(UnbalancedSolver(circuit))
        self.nodes = tree.nodes
        self.terminals = len(circuit.devices.names)
        self._tree = tree
        self._whole = _as_customers_draw(circuit, conductors)
        self._view = _View(circuit, tree, conductors)
        self._rated_v = circuit.devices.v_rated_v
        self._controlled = Controlled(self._whole)
        self._has_begun = False
        self._rated_infeed_pu, self._rated_target_pu = rated_infeed_pu, rated_target_pu
        self._infeed_v_pu = rated_infeed_pu
        self._is_off = np.zeros(tree.nodes, dtype=np.bool_)
        self._last: SolvedFlow | None = None
        self._inverters: PointInverters | None = None
        self._demand: PointDemand | None = None

    def solve(self, p_kw: Floats, q_kvar: Floats, infeed_v_pu: float, step: Step) -> SolvedFlow:
        """What flows at the end of a step in which the devices draw this, (devices,) kW and kvar.

        Raises
        ------
        NetworkError
            If there is no solution in which customers draw what they say, and none to fall back on.
        """
        controlled = self._controlled
        if not self._has_begun:
            controlled.now_s = (step.start_ns - step.day_start_ns) / NS_PER_S
            self._has_begun = True
        if infeed_v_pu != self._infeed_v_pu:
            self._infeed_v_pu = infeed_v_pu
            controlled.solver.set_sources(self._emf_v())
        try:
            flow = controlled.advance(step.dt_s, p_kw, q_kvar)
            _refuse_other_draws(flow)
        except NetworkError:
            if self._last is None:
                raise
            return replace(self._last, held=np.arange(1, len(self._tree.feeder_start)))
        self._last = replace(self._view.of(flow), hunting=controlled.hunting)
        return self._last

    def let_in(self, inverters: PointInverters | None, demand: PointDemand | None, point_terminal: Ints) -> bool:
        if inverters is not self._inverters:
            self._inverters = inverters
            answering = PointInverters(point_terminal[inverters.point], inverters.bank) if inverters else None
            v_base_v = self._rated_v[answering.point] if answering else self._rated_v[:0]
            self._controlled.let_in(answering, v_base_v)
        if demand is not self._demand:
            self._demand = demand
            at_devices = replace(demand, point=point_terminal[demand.point]) if demand else None
            self._controlled.follow(at_devices, self._rated_v)
        return True

    def regulate(self, dt_s: float) -> None:
        """Its controls act within the step, each at its own second."""

    def aim(self, target_pu: float) -> None:
        self._controlled.aim(target_pu / self._rated_target_pu)

    @property
    def changer(self) -> None:
        """Its controls are its own."""

    def remember(self) -> None:
        """A solution that is found is remembered anyway."""

    def switch_off(self, is_off: Bools) -> None:
        """From the next solve on these nodes, (nodes,), are cut off: what joins them to anything is open."""
        if not np.array_equal(is_off, self._is_off):
            self._is_off = is_off.copy()
            self._rewire()

    def _rewire(self) -> None:
        """Solve another circuit from now on; its controls keep their state."""
        off = np.zeros(len(self._whole.nodes.bus), dtype=np.bool_)
        off[self._tree.circuit_node[self._is_off]] = True
        circuit = without(self._whole, off) if off.any() else self._whole
        circuit = replace(circuit, sources=replace(circuit.sources, emf_v=self._emf_v()))
        controlled = self._controlled
        controlled.solver = UnbalancedSolver(circuit, tap_pu=controlled.tap_pu, is_closed=controlled.is_closed)

    def _emf_v(self) -> Complex:
        return np.asarray(self._whole.sources.emf_v * (self._infeed_v_pu / self._rated_infeed_pu))


class _View:
    """Looks at a circuit's flow from the tree: where each thing stands in the flow's packing is looked up once."""

    def __init__(self, circuit: Circuit, tree: CircuitTree, conductors: Conductors) -> None:
        self._tree = tree
        self._circuit, self._conductors = circuit, conductors
        transformers, devices = circuit.transformers, circuit.devices
        windings = transformers.windings
        node = tree.circuit_node
        base_v = 1000.0 * circuit.buses.v_base_kv[circuit.nodes.bus[node]]
        self._base_a = 1000.0 * BASE_KVA / 3.0 / base_v
        self._line_row, self._line_at = _in_lines(circuit, tree)
        self._unit_row, self._unit_at = _in_transformers(circuit, tree)
        phases = np.repeat(transformers.phases, np.diff(transformers.winding_at))
        rated_a = windings.kva / windings.kv / np.where(phases == 1, 1.0, np.sqrt(3.0))
        winding = np.repeat(np.arange(len(windings.kv)), np.diff(windings.conductor_at))
        place = np.arange(len(windings.node)) - windings.conductor_at[winding]
        self._rated_a = np.where(place < phases[winding], rated_a[winding], np.inf)  # a neutral is not rated
        of_winding = np.repeat(np.arange(len(transformers.names)), np.diff(transformers.winding_at))
        self._unit = of_winding[winding]
        self._is_low = winding > transformers.winding_at[self._unit]
        self._conductor = windings.node
        self._units = len(transformers.names)
        self._device = np.repeat(np.arange(len(devices.names)), np.diff(devices.circuit_at))
        self._ends = devices.circuit_from, devices.circuit_to
        self._per_v = 1.0 / (devices.v_rated_v * np.diff(devices.circuit_at))[self._device]
        self._devices = len(devices.names)

    def of(self, flow: CircuitFlow) -> SolvedFlow:
        """A flow conductor by conductor in the tree's order.

        v_pu is of energised phases, to the neutral where their bus has one; 0, no supply's voltage, at neutrals and de-energised nodes. Currents go
        into the conductor from the line or transformer above it. What capacitors and reactors draw counts as lost. A transformer's loading is that
        of its most loaded winding and phase, its power that out of its low windings.
        """
        above_ground = np.append(flow.v, 0.0)
        tree, into = self._tree, np.zeros(self._tree.nodes, dtype=np.complex128)
        into[self._line_row] -= flow.lines_a[self._line_at]
        np.subtract.at(into, self._unit_row, flow.transformers_a[self._unit_at])
        current = into / self._base_a
        across = np.abs(above_ground[self._ends[0]] - above_ground[self._ends[1]])
        loading = np.zeros(self._units)
        np.maximum.at(loading, self._unit, 100.0 * np.abs(flow.transformers_a) / self._rated_a)
        out_kva = -above_ground[self._conductor] * flow.transformers_a.conj() / 1000.0
        infeed_kva = complex(flow.sources_kva.sum())
        return SolvedFlow(
            v_pu=np.where(self._conductors.is_phase, self._conductors.v_pu(self._circuit, flow.v), 0.0)[
                tree.circuit_node
            ],
            terminal_v_pu=_summed(self._device, across * self._per_v, self._devices),
            current_re=np.ascontiguousarray(current.real),
            current_im=np.ascontiguousarray(current.imag),
            losses_kw=flow.losses_kw + float((flow.capacitors_kva.sum() + flow.shunts_kva.sum()).real),
            infeed_p_kw=infeed_kva.real,
            infeed_q_kvar=infeed_kva.imag,
            transformer_loading_pct=loading,
            transformer_p_kw=_summed(self._unit, np.where(self._is_low, out_kva.real, 0.0), self._units),
            iterations=flow.iterations,
            held=np.empty(0, dtype=np.int64),
        )


def _summed(group: Ints, values: Floats, groups: int) -> Floats:
    return np.asarray(np.bincount(group, values, groups), dtype=np.float64)


def _in_lines(circuit: Circuit, tree: CircuitTree) -> tuple[Ints, Ints]:
    """Nodes with a line above them, and where its current into that end stands in a flow's `lines_a`."""
    lines = circuit.lines
    rows, at = [], []
    for k in np.flatnonzero(tree.line_of_node >= 0):
        line, node = int(tree.line_of_node[k]), tree.circuit_node[k]
        first, last = int(lines.node_at[line]), int(lines.node_at[line + 1])
        ends = np.concatenate([lines.from_node[first:last], lines.to_node[first:last]])
        for place in np.flatnonzero(ends == node)[:1]:
            rows.append(k)
            at.append(2 * first + int(place))
    return np.array(rows, dtype=np.int64), np.array(at, dtype=np.int64)


def _in_transformers(circuit: Circuit, tree: CircuitTree) -> tuple[Ints, Ints]:
    """Nodes with a transformer above them, and where its conductors stand in a flow's `transformers_a`; a node may have several."""
    units, windings = circuit.transformers, circuit.transformers.windings
    rows, at = [], []
    for k in np.flatnonzero(tree.transformer_of_node >= 0):
        unit, node = int(tree.transformer_of_node[k]), tree.circuit_node[k]
        first = int(windings.conductor_at[units.winding_at[unit]])
        last = int(windings.conductor_at[units.winding_at[unit + 1]])
        for place in np.flatnonzero(windings.node[first:last] == node):
            rows.append(k)
            at.append(first + int(place))
    return np.array(rows, dtype=np.int64), np.array(at, dtype=np.int64)


def _refuse_other_draws(flow: CircuitFlow) -> None:
    """Raise NetworkError, with names, where devices draw other than they say, since their voltage is far from what it is when nothing is drawn."""
    circuits, v = flow.circuits, np.abs(flow.circuits_v)
    least, most = circuits.limits_v[:, 2], circuits.limits_v[:, 3]
    is_beyond = (v > 0.0) & ((v <= least) | (v > most)) & ((flow.p_w != 0.0) | (flow.q_var != 0.0))
    if not is_beyond.any():
        return
    circuit = flow.network.circuit
    names = circuit.devices.names[np.unique(circuits.device[is_beyond])].tolist()
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    raise NetworkError(
        f"circuit {circuit.name!r}: the voltage at {', '.join(names[:_SHOWN])}{more} is below {LOWEST_PU:g} or above {HIGHEST_PU:g} of what it is when "
        "nothing is drawn, where no power can be held; draw less there, or look for an impedance that is wrong"
    )


def _as_customers_draw(circuit: Circuit, conductors: Conductors) -> Circuit:
    """The circuit with constant power at every device, whatever voltage its file rates it for.

    Inverters feed what customers say, and the fed phases of a device carry all of it.
    """
    devices = _on_fed_phases(circuit.devices, conductors)
    count = len(devices.names)
    constant = replace(
        devices,
        v_rated_v=_offered_v(devices, conductors),
        model=np.full(count, int(Model.CONSTANT_POWER)),
        v_min_pu=np.full(count, LOWEST_PU),
        v_low_pu=np.full(count, np.nan),
        v_max_pu=np.full(count, HIGHEST_PU),
    )
    return replace(circuit, devices=constant, inverters=no_inverters())


def _offered_v(devices: Devices, conductors: Conductors) -> Floats:
    """(devices,) the mean voltage across the phase circuits of each when nothing is drawn; the rated one where there is none, or it is not known."""
    count = np.diff(devices.circuit_at)
    device = np.repeat(np.arange(len(count)), count)
    mean = _summed(device, conductors.idle_across_v(devices), len(count)) / count
    return np.where(mean > 0.0, mean, devices.v_rated_v)


def _on_fed_phases(devices: Devices, conductors: Conductors) -> Devices:
    """The devices with each phase circuit that no source feeds moved to the first one of its device that is fed, if there is any."""
    served = conductors.are_served(devices)
    count = np.diff(devices.circuit_at)
    device = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(device))
    first = np.full(len(count), len(device), dtype=np.int64)
    np.minimum.at(first, device[served], place[served])
    moves = ~served & (first[device] < len(device))
    taken = np.where(moves, first[device], place)
    return replace(devices, circuit_from=devices.circuit_from[taken], circuit_to=devices.circuit_to[taken])


def without(circuit: Circuit, is_off: Bools) -> Circuit:
    """The circuit with nodes (nodes,) cut off: lines that touch one are open at both ends, transformers and devices hang on nothing."""
    lines, devices = circuit.lines, circuit.devices
    units, windings = circuit.transformers, circuit.transformers.windings
    off = np.append(is_off, False)  # the ground is never off
    cut = off[devices.circuit_from] | off[devices.circuit_to]
    line = np.repeat(np.arange(len(lines.names)), np.diff(lines.node_at))
    touched = np.zeros(len(lines.names), dtype=np.bool_)
    np.logical_or.at(touched, line, off[lines.from_node] | off[lines.to_node])
    winding = np.repeat(np.arange(len(windings.kv)), np.diff(windings.conductor_at))
    unit = np.repeat(np.arange(len(units.names)), np.diff(units.winding_at))[winding]
    idle = np.zeros(len(units.names), dtype=np.bool_)
    np.logical_or.at(idle, unit, off[windings.node])
    return replace(
        circuit,
        devices=replace(
            devices,
            circuit_from=np.where(cut, GROUND, devices.circuit_from),
            circuit_to=np.where(cut, GROUND, devices.circuit_to),
        ),
        lines=replace(
            lines, from_closed=lines.from_closed & ~touched[line], to_closed=lines.to_closed & ~touched[line]
        ),
        transformers=replace(units, windings=replace(windings, node=np.where(idle[unit], GROUND, windings.node))),
    )
