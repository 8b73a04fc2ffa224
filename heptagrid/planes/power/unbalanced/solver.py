"""The unbalanced power flow: a fixed point over the devices' currents, on the linear solver that the circuit's shape allows.

The devices' currents are taken linear around rated voltage first, as OpenDSS does, then, where that converges slowly, around the present
voltages (Newton's method); what is left of them is iterated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.unbalanced.check import checked_network
from heptagrid.planes.power.unbalanced.draws import phase_circuits, rated_linear, tangents
from heptagrid.planes.power.unbalanced.flow import CircuitFlow
from heptagrid.planes.power.unbalanced.network import FLOATING_S, Network, nearly_floating, network_of
from heptagrid.planes.power.unbalanced.tree import NotATree
from heptagrid.planes.power.unbalanced.tree_sweeps import TreeSweeps
from heptagrid.world.circuit.circuit import Bools, Circuit, Complex, Floats

if TYPE_CHECKING:
    from heptagrid.planes.power.unbalanced.sparse import SparseNetwork

TOLERANCE_PU = 1e-8
MOST_ITERATIONS = 200
AT_REST_PU = 1e-7  # a change that gets no smaller is a part that nearly floats, not a collapse
PATIENCE = 8  # iterations before the devices are linearised anew
MOST_LINEARISATIONS = 8
UNBALANCED_SHARE = (
    1e-8  # of the greatest current, what sweeps may leave unbalanced at a node of a part that nearly floats
)
Method = Literal["sweeps", "sparse"]


class UnbalancedSolver:
    """Solves one circuit again and again.

    tap_pu: (windings,) and is_closed: (capacitor steps,) start as the circuit has them. method: by default what the circuit's shape
    allows; "sweeps" insists. Afterwards `method` says which was picked, `reason` why.

    Raises NetworkError with all that is wrong with the circuit (see `check.checked_network`), or if sweeps are wanted and it is not radial
    enough.
    """

    def __init__(
        self,
        circuit: Circuit,
        *,
        tap_pu: Floats | None = None,
        is_closed: Bools | None = None,
        method: Method | None = None,
        tolerance_pu: float = TOLERANCE_PU,
    ) -> None:
        self.circuit = circuit
        self.tolerance_pu = tolerance_pu
        self.tap_pu = (circuit.transformers.windings.tap_pu if tap_pu is None else tap_pu).copy()
        self.is_closed = (circuit.capacitors.is_closed if is_closed is None else is_closed).copy()
        self.method: Method = "sweeps"
        self.reason = ""
        self._wanted = method
        self._circuits = phase_circuits(circuit.devices)
        self._v_base_v = 1000.0 * circuit.buses.v_base_kv[circuit.nodes.bus]
        self._v = np.zeros(len(circuit.nodes.bus), dtype=np.complex128)
        self._is_warm = False
        self._is_linear = False
        self._network: Network
        self._set(checked_network(circuit, self.tap_pu, self.is_closed))

    @property
    def network(self) -> Network:
        """The circuit at the present taps and capacitor steps."""
        return self._network

    def without_devices(self) -> Complex:
        """(nodes,) voltages when no device draws or feeds, at the present taps and capacitor steps.

        Raises NetworkError where devices alone hold a part to the ground.
        """
        self._is_linear = False
        self._linear.linearise(np.zeros((len(self._circuits.device), 4)))
        return self._linear.start()

    def set_taps(self, tap_pu: Floats) -> None:
        """From the next solve on; (windings,)."""
        if not np.array_equal(tap_pu, self.tap_pu):
            self.tap_pu = tap_pu.copy()
            self._move()

    def set_capacitors(self, is_closed: Bools) -> None:
        """From the next solve on; (capacitor steps,)."""
        if not np.array_equal(is_closed, self.is_closed):
            self.is_closed = is_closed.copy()
            self._move()

    def set_sources(self, emf_v: Complex) -> None:
        """The voltages behind the sources' impedances from the next solve on; (sources' conductors,)."""
        self._network = self._network.fed(emf_v.copy())
        self.circuit = self._network.circuit
        self._linear.feed(self._network)

    def _set(self, network: Network) -> None:
        self._network = network
        self._nearly_floats = bool((network.is_live & nearly_floating(network)).any())
        self._linear: TreeSweeps | SparseNetwork
        self._is_linear = False
        if self._wanted != "sparse":
            try:
                self._linear = TreeSweeps(network, self._circuits, self._v_base_v)
            except NotATree as not_a_tree:
                if self._wanted == "sweeps":
                    raise NetworkError(f"{self.circuit.name} cannot be solved by sweeps: {not_a_tree}") from not_a_tree
                self.method, self.reason = "sparse", str(not_a_tree)
            else:
                self.method, self.reason = "sweeps", self._linear.shape
                return
        elif self.method != "sparse":
            self.method, self.reason = "sparse", "asked for"
        self._linear = self._sparse(network)

    def _sparse(self, network: Network) -> SparseNetwork:
        # It needs scipy, whose import takes longer than the sweeps of a small circuit.
        from heptagrid.planes.power.unbalanced.sparse import SparseNetwork

        return SparseNetwork(network, self._circuits, self._v_base_v)

    def _move(self) -> None:
        """Take taps and capacitors as they stand; what does not depend on them is kept."""
        moved = self._network.moved(self.tap_pu, self.is_closed)
        if moved is None:
            self._set(network_of(self.circuit, self.tap_pu, self.is_closed))
            return
        self._network, self._is_linear = moved, False
        if isinstance(self._linear, TreeSweeps):
            self._linear.move(moved)
        else:
            self._linear = self._sparse(moved)

    def solve(self, p_kw: Floats | None = None, q_kvar: Floats | None = None) -> CircuitFlow:
        """The flow at rated draws of p_kw, q_kvar (devices,) in kW and kvar; by default those of the circuit.

        Starts from the solution before, if there is one. Raises NetworkError when no solution is found, since the voltage collapses, or for a
        draw that is not a number.
        """
        devices, circuits = self.circuit.devices, self._circuits
        p_kw, q_kvar = devices.p_kw if p_kw is None else p_kw, devices.q_kvar if q_kvar is None else q_kvar
        bad = np.flatnonzero(~np.isfinite(p_kw + q_kvar))
        if len(bad):
            raise NetworkError(f"{self.circuit.name}: the power of {devices.names[bad[0]]} is not a number")
        p_w, q_var = (1000.0 * kw[circuits.device] * circuits.share for kw in (p_kw, q_kvar))
        iterations, change = self._attempt(p_w, q_var)
        if self.method == "sweeps" and self._wanted is None:
            reason = "" if iterations else "the sweeps found no solution"
            if iterations and self._nearly_floats and self._is_unbalanced(p_w, q_var):
                reason = "a part nearly floats, where the sweeps' rounding unbalances currents"
            if reason:
                self._leave_the_sweeps(reason)
                iterations, change = self._attempt(p_w, q_var)
        if not iterations and change < AT_REST_PU:
            iterations = MOST_ITERATIONS
        if not iterations:
            self._is_warm = False
            raise NetworkError(
                f"{self.circuit.name}: no solution found (last change {change:.3g} pu): "
                "the voltage collapses under this load; draw less, or look for an impedance or a rated voltage that is wrong"
            )
        self._is_warm = True
        return CircuitFlow(self._network, circuits, p_w, q_var, self._v.copy(), iterations, change)

    def _attempt(self, p_w: Floats, q_var: Floats) -> tuple[int, float]:
        """Iterations from the present voltages, or from the start, and the last change; 0 iterations if there is no solution."""
        try:
            if not self._is_warm or not (self._is_linear or self._linearise(p_w, q_var, around_present=True)):
                self._linearise(p_w, q_var, around_present=False)
            return self._found(p_w, q_var)
        except NetworkError:
            if self.method == "sparse" or self._wanted is not None:
                raise
            return 0, np.nan

    def _is_unbalanced(self, p_w: Floats, q_var: Floats) -> bool:
        """Whether the present voltages leave more than rounding of a whole matrix would.

        Where a hundred-millionth of the coupling between conductors holds them to the ground, the sweeps' inverses have as many digits less;
        how many amperes that is changes from one linearisation to the next, and no iteration makes it smaller.
        """
        flow = CircuitFlow(self._network, self._circuits, p_w, q_var, self._v, 0)
        currents_a = np.concatenate([flow.lines_a, flow.transformers_a])
        floats = self._network.is_live & self._network.is_floating
        lack_a = flow.imbalance_a + np.where(floats, FLOATING_S * self._v, 0.0)
        return bool(np.abs(lack_a).max() > UNBALANCED_SHARE * np.abs(currents_a).max(initial=0.0))

    def _leave_the_sweeps(self, reason: str) -> None:
        """The whole matrix pivots where the sweeps cannot, as in parts that nearly float."""
        self._wanted, self._is_warm = "sparse", False
        self._set(self._network)
        self.reason = reason

    def _found(self, p_w: Floats, q_var: Floats) -> tuple[int, float]:
        """Iterations, 0 if there is no solution, and the last change."""
        spent = 0
        for _ in range(MOST_LINEARISATIONS):
            iterations, change = self._linear.iterate(p_w, q_var, self._v, self.tolerance_pu, PATIENCE)
            spent += min(iterations, PATIENCE)
            if iterations <= PATIENCE:
                return spent, change
            if not np.isfinite(change) or not self._linearise(p_w, q_var, around_present=True):
                break
        self._linearise(p_w, q_var, around_present=False)
        iterations, change = self._linear.iterate(p_w, q_var, self._v, self.tolerance_pu, MOST_ITERATIONS)
        return (spent + iterations if iterations <= MOST_ITERATIONS else 0), change

    def _linearise(self, p_w: Floats, q_var: Floats, around_present: bool) -> bool:
        """Around the present voltages, where that is possible, or around rated ones, of which then the next solve starts anew."""
        circuits = self._circuits
        self._is_linear = True
        if not around_present:
            self._linear.linearise(rated_linear(circuits, p_w, q_var))
            self._v = self._linear.start()
            return True
        try:
            self._linear.linearise(tangents(circuits.models, p_w, q_var, self._v))
        except NetworkError:  # at the brink of a collapse
            return False
        return True
