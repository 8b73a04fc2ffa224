"""A circuit under its controls: regulators, capacitors and inverters, in a snapshot and in time.

A snapshot follows OpenDSS's static control mode: solve, let every control look, do the actions whose delay is shortest, solve again, until nothing
waits. In time, controls have real clocks: what was started in one step goes on in the next, and the circuit is solved again at the very second of
every action. Inverters are inside the solve (see `inverters`) and need no clock but their response times.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

import numpy as np

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.controls import capacitors, demand_at_voltage, regulators
from heptagrid.planes.power.controls import inverters as smart
from heptagrid.planes.power.controls.common_voltage import GAP_PU, probe, settle
from heptagrid.planes.power.controls.opendss_queue import Leftovers
from heptagrid.planes.power.unbalanced.flow import CircuitFlow
from heptagrid.planes.power.unbalanced.solver import UnbalancedSolver
from heptagrid.world.circuit.circuit import Bools, Circuit, Complex, Floats, Ints
from heptagrid.world.circuit.controls import Monitored
from heptagrid.world.inverter_bank import Bank, PointInverters
from heptagrid.world.point_demand import PointDemand

MOST_PASSES = 100  # of a snapshot or a step; far beyond what controls that settle need
SECONDS_A_DAY = 86400.0


class HuntingError(NetworkError):
    """Controls that do not settle; `names` are those still at work."""

    def __init__(self, circuit: str, names: tuple[str, ...], passes: int) -> None:
        self.names = names
        super().__init__(
            f"{circuit}: controls have not settled after {passes} solutions; still at work: {', '.join(names)}. "
            "Their bands may be narrower than a tap or a capacitor's step."
        )


class Acts(Enum):
    """When controls act within a step."""

    WHEN_DUE = "when due"  # at the second their delay ends, as in the field
    AT_STEP_ENDS = "at step ends"  # OpenDSS's time mode: those that are due when a step is solved, before inverters have answered to it


class Controlled:
    """A circuit, its solver, and the state of its controls, which carries on from call to call.

    `tap_pu` (windings,) and `is_closed` (capacitor steps,) are where the controls have brought them; `now_s` is the clock, in seconds from
    the beginning of a day. `hunting` names the controls that did not settle in the last step.
    """

    def __init__(self, circuit: Circuit, solver: UnbalancedSolver | None = None, *, now_s: float = 0.0) -> None:
        self.circuit = circuit
        self.solver = solver or UnbalancedSolver(circuit)
        self.now_s = now_s
        self.tap_pu = self.solver.tap_pu.copy()
        self.is_closed = self.solver.is_closed.copy()
        self.regulators = regulators.at_rest(len(circuit.regulators.names))
        self.capacitors = capacitors.at_rest(len(circuit.capacitor_controls.names))
        self.leftovers = Leftovers()
        self.hunting: tuple[str, ...] = ()
        inverters = circuit.inverters
        self._own = PointInverters(inverters.device, smart.bank(inverters), is_probed=len(inverters.device) == 0)
        self._answering, self._v_base_v = self._own, inverters.v_base_v
        self._regulator_settings = regulators.settings_of(circuit)
        self._capacitor_settings = capacitors.settings_of(circuit)
        self._terminals = capacitors.terminals_of(circuit)
        self._regulator_readings = regulators.readings(len(circuit.regulators.names))
        self._capacitor_readings = capacitors.readings(len(circuit.capacitor_controls.names))
        self._seen_pu = np.ones(len(inverters.device))
        self._demand: PointDemand | None = None

    @property
    def bank(self) -> Bank:
        """The inverters that answer."""
        return self._answering.bank

    def let_in(self, inverters: PointInverters | None, v_base_v: Floats) -> None:
        """From now on these inverters answer, at the device `point` beside what it draws, or again the circuit's own; v_base_v: (inverters,) 1 pu of one phase circuit.

        Their functions' approach to the curves from step to step is theirs.
        """
        self._answering, self._v_base_v = (
            inverters or self._own,
            v_base_v if inverters else self.circuit.inverters.v_base_v,
        )
        self._seen_pu = np.ones(len(self._answering.point))

    def follow(self, demand: PointDemand | None, v_base_v: Floats) -> None:
        """From now on this demand follows the voltage, at the device `point` beside what it draws; v_base_v: (devices,) 1 pu of one phase circuit."""
        self._demand = demand
        self._demand_base_v = v_base_v if demand is None else v_base_v[demand.point]

    @property
    def tap_positions(self) -> Floats:
        """(regulators,) taps from the middle of their range, up positive."""
        settings = self._regulator_settings
        middle = (settings.lowest_tap + settings.highest_tap) / 2.0
        return np.rint((self.tap_pu[settings.winding] - middle) / settings.tap_step)

    def aim(self, share: float) -> None:
        """From now on the regulators hold this share of the voltages that the circuit sets them to."""
        self._regulator_settings.v_set[:] = share * self.circuit.regulators.v_set

    def place_taps(self, positions: Floats) -> None:
        """Put the regulators' taps at positions, (regulators,) as in `tap_positions`."""
        settings = self._regulator_settings
        middle = (settings.lowest_tap + settings.highest_tap) / 2.0
        self.tap_pu[settings.winding] = middle + positions * settings.tap_step

    def snapshot(
        self,
        p_kw: Floats | None = None,
        q_kvar: Floats | None = None,
        available_kw: Floats | None = None,
        most_passes: int = MOST_PASSES,
    ) -> CircuitFlow:
        """Let the controls settle at the present draws, (devices,), and what inverters could feed, (inverters,); time stands still.

        Raises
        ------
        HuntingError
            If the controls have not settled after `most_passes` solutions: their settings make them hunt.
        """
        self._offer(available_kw)
        for _ in range(most_passes):
            flow = self._solve(p_kw, q_kvar)
            self._look(flow)
            due_s = self._next_due_s()
            if np.isinf(due_s):
                return flow
            self._act(due_s, at_once=True)
        raise self._hunting(p_kw, q_kvar, most_passes)

    def advance(
        self,
        step_s: float,
        p_kw: Floats | None = None,
        q_kvar: Floats | None = None,
        available_kw: Floats | None = None,
        acts: Acts = Acts.WHEN_DUE,
        most_passes: int = MOST_PASSES,
    ) -> CircuitFlow:
        """Go a step of `step_s` seconds with these draws, (devices,), and offers of inverters, (inverters,); the flow at its end.

        The draws hold from the beginning of the step. In a step in which controls hunt, all stay where they stood before it: see `hunting`.
        Raises NetworkError if the circuit has no solution.
        """
        before = self.tap_pu.copy(), self.is_closed.copy()
        self.hunting = ()
        self._offer(available_kw)
        if self._answering is self._own:
            smart.begin_step(self.bank, self.circuit.inverters, step_s)
        end_s = self.now_s + step_s
        act = self._act_at if acts is Acts.AT_STEP_ENDS else self._act_until
        try:
            flow = act(end_s, p_kw, q_kvar, most_passes)
        except HuntingError as problem:
            self.hunting = problem.names
            self.now_s = end_s
            self._stand(*before)
            flow = self._solve(p_kw, q_kvar)
        if self._answering is self._own:
            smart.end_step(self.bank)
        return flow

    def _act_until(self, end_s: float, p_kw: Floats | None, q_kvar: Floats | None, most_passes: int) -> CircuitFlow:
        """Go from action to action, each at its second."""
        for _ in range(most_passes):
            flow = self._solve(p_kw, q_kvar)
            self._look(flow)
            due_s = self._next_due_s()
            if due_s > end_s:
                self.now_s = end_s
                return flow
            self.now_s = max(self.now_s, due_s)
            self._act(self.now_s, at_once=False)
        raise self._hunting(p_kw, q_kvar, most_passes)

    def _act_at(self, end_s: float, p_kw: Floats | None, q_kvar: Floats | None, most_passes: int) -> CircuitFlow:
        """Go to the end and solve there as OpenDSS does: at first the inverters feed as before, what is due acts, and then they answer."""
        self.now_s = end_s
        inverters_answer = not len(self._answering.point)
        for _ in range(most_passes):
            flow = self._solve(p_kw, q_kvar) if inverters_answer else self._solve_held(p_kw, q_kvar)
            waited_s = self.regulators.due_s.copy()
            self._look(flow)
            self.leftovers.keep(waited_s, self.regulators)
            if self._act_all():
                continue
            if inverters_answer:
                return flow
            inverters_answer = True
        raise self._hunting(p_kw, q_kvar, most_passes)

    def _offer(self, available_kw: Floats | None) -> None:
        if available_kw is not None:
            self.bank.available_kw[:] = available_kw

    def _beside(self, p_kw: Floats | None, q_kvar: Floats | None) -> tuple[Floats, Floats]:
        """What devices draw beside the inverters, (devices,)."""
        devices, own = self.circuit.devices, self._own.point
        p_kw, q_kvar = (
            (devices.p_kw if p_kw is None else p_kw).copy(),
            (devices.q_kvar if q_kvar is None else q_kvar).copy(),
        )
        p_kw[own] = q_kvar[own] = 0.0
        return p_kw, q_kvar

    def _with(self, beside: tuple[Floats, Floats], fed_kw: Floats, fed_kvar: Floats) -> CircuitFlow:
        """The flow in which the inverters feed this."""
        (p_kw, q_kvar), at = beside, self._answering.point
        return self._drawn(p_kw - np.bincount(at, fed_kw, len(p_kw)), q_kvar - np.bincount(at, fed_kvar, len(q_kvar)))

    def _drawn(self, p_kw: Floats, q_kvar: Floats) -> CircuitFlow:
        """The flow in which devices draw this, and what follows the voltage what it does at its own."""
        if self._demand is None:
            return self.solver.solve(p_kw, q_kvar)
        flow: CircuitFlow | None = None
        at, v_base_v, devices = self._demand.point, self._demand_base_v, self.circuit.devices
        seen_pu = np.empty(len(at))

        def look(drawn_kw: Floats, drawn_kvar: Floats) -> Floats:
            nonlocal flow
            more = (np.bincount(at, drawn_kw, len(p_kw)), np.bincount(at, drawn_kvar, len(q_kvar)))
            flow = self.solver.solve(p_kw + more[0], q_kvar + more[1])
            ends = devices.circuit_at, devices.circuit_from, devices.circuit_to
            smart.terminal_pu(at, v_base_v, *ends, flow.v, seen_pu)
            return seen_pu

        is_settled = demand_at_voltage.settle(self._demand, look, max(GAP_PU, self.solver.tolerance_pu))
        if not is_settled or flow is None:
            raise NetworkError(
                f"{self.circuit.name}: demand that follows the voltage and the network find no common one"
            )
        return flow

    def _solve_held(self, p_kw: Floats | None, q_kvar: Floats | None) -> CircuitFlow:
        """The flow before the inverters have looked at it."""
        self.solver.set_taps(self.tap_pu)
        self.solver.set_capacitors(self.is_closed)
        smart.hold(self.bank)
        return self._with(self._beside(p_kw, q_kvar), self.bank.p_kw, self.bank.q_kvar)

    def _solve(self, p_kw: Floats | None, q_kvar: Floats | None) -> CircuitFlow:
        self.solver.set_taps(self.tap_pu)
        self.solver.set_capacitors(self.is_closed)
        beside, answering, bank = self._beside(p_kw, q_kvar), self._answering, self.bank
        if not len(answering.point):
            return self._drawn(*beside)
        flow: CircuitFlow | None = None

        def look(fed_kw: Floats, fed_kvar: Floats) -> Floats:
            nonlocal flow
            flow = self._with(beside, fed_kw, fed_kvar)
            self._see(flow.v)
            return np.where(bank.is_on, self._seen_pu, bank.seen_pu)

        if not answering.is_probed:
            probe(bank, look, self._phases())
            answering.is_probed = True
        if not settle(bank, look, max(GAP_PU, self.solver.tolerance_pu)) or flow is None:
            raise NetworkError(f"{self.circuit.name}: the inverters' curves and the network find no common voltage")
        return flow

    def _phases(self) -> Ints:
        """(inverters,) the phase of those on one, 0 of others: voltages of phases move against each other."""
        devices, nodes, device = self.circuit.devices, self.circuit.nodes, self._answering.point
        is_single = np.diff(devices.circuit_at)[device] == 1
        return np.where(is_single, nodes.number[devices.circuit_from[devices.circuit_at[device]]], 0)

    def _see(self, v_v: Complex) -> None:
        devices = self.circuit.devices
        smart.terminal_pu(
            self._answering.point,
            self._v_base_v,
            devices.circuit_at,
            devices.circuit_from,
            devices.circuit_to,
            v_v,
            self._seen_pu,
        )

    def _look(self, flow: CircuitFlow) -> None:
        """Measure, and start, renew or drop actions."""
        if len(self.regulators.pending):
            node = self.circuit.transformers.windings.node
            regulators.measure(
                self._regulator_settings,
                self.regulators.is_reversed,
                node,
                flow.v,
                flow.transformers_a,
                self._regulator_readings,
            )
            regulators.sample(
                self._regulator_settings, self.regulators, self._regulator_readings, self.now_s, self.tap_pu
            )
        if len(self.capacitors.pending):
            currents_a = {
                int(Monitored.CAPACITOR): flow.capacitors_a,
                int(Monitored.LINE): flow.lines_a,
                int(Monitored.TRANSFORMER): flow.transformers_a,
            }
            capacitors.measure(self._terminals, flow.v, currents_a, self._capacitor_readings)
            hour = self.now_s % SECONDS_A_DAY / 3600.0
            capacitors.sample(
                self._capacitor_settings,
                self.capacitors,
                self._capacitor_readings,
                self.now_s,
                hour,
                self.is_closed,
            )

    def _next_due_s(self) -> float:
        waiting = (self.regulators.due_s, self.regulators.reverse_due_s, self.capacitors.due_s)
        return float(min(due_s.min(initial=np.inf) for due_s in waiting))

    def _act(self, now_s: float, at_once: bool) -> None:
        regulators.act(self._regulator_settings, self.regulators, now_s, at_once, self.tap_pu)
        capacitors.act(self._capacitor_settings, self.capacitors, now_s, self.is_closed)

    def _act_all(self) -> bool:
        """Do all that is due, taps without a delay between them at once; whether there was any."""
        if min(self._next_due_s(), self.leftovers.next_due_s) > self.now_s:
            return False
        while min(self._next_due_s(), self.leftovers.next_due_s) <= self.now_s:
            self._act(self.now_s, at_once=False)
            self.leftovers.act(self._regulator_settings, self.regulators, self.now_s, self.tap_pu)
        return True

    def _stand(self, tap_pu: Floats, is_closed: Bools) -> None:
        """Put taps and capacitors somewhere, with nothing on its way."""
        self.tap_pu[:], self.is_closed[:] = tap_pu, is_closed
        for state in (self.regulators, self.capacitors):
            state.pending[:] = 0
            state.due_s[:] = np.inf
        self.regulators.is_under_way[:] = False
        self.leftovers = Leftovers()

    def _hunting(self, p_kw: Floats | None, q_kvar: Floats | None, passes: int) -> HuntingError:
        self._look(self._solve(p_kw, q_kvar))
        waiting = self.circuit.regulators.names[np.isfinite(self.regulators.due_s)].tolist()
        waiting += self.circuit.capacitor_controls.names[np.isfinite(self.capacitors.due_s)].tolist()
        return HuntingError(self.circuit.name, tuple(waiting), passes)


def settled_circuit(controlled: Controlled) -> Circuit:
    """The circuit with taps and capacitors as the controls have left them."""
    circuit = controlled.circuit
    windings = replace(circuit.transformers.windings, tap_pu=controlled.tap_pu.copy())
    return replace(
        circuit,
        transformers=replace(circuit.transformers, windings=windings),
        capacitors=replace(circuit.capacitors, is_closed=controlled.is_closed.copy()),
    )
