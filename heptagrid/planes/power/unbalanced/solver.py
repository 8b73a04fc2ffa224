"""The unbalanced power flow: a fixed point over the devices' currents, on the linear solver that the circuit's shape allows.

The devices' currents are taken linear around rated voltage first, as OpenDSS does, then, where that converges slowly, around the present
voltages (Newton's method); what is left of them is iterated.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.unbalanced.draws import phase_circuits, rated_linear, tangents
from heptagrid.planes.power.unbalanced.flow import Flow
from heptagrid.planes.power.unbalanced.network import network_of
from heptagrid.planes.power.unbalanced.radial_network import RadialNetwork
from heptagrid.planes.power.unbalanced.sparse import SparseNetwork
from heptagrid.planes.power.unbalanced.tree import NotATree
from heptagrid.world.circuit import Bools, Circuit, Floats

TOLERANCE_PU = 1e-8
MOST_ITERATIONS = 200
PATIENCE = 8  # iterations before the devices are linearised anew
MOST_LINEARISATIONS = 8
Method = Literal["sweeps", "sparse"]


class UnbalancedSolver:
    """Solves one circuit again and again.

    tap_pu: (windings,) and is_closed: (capacitor steps,) start as the circuit has them. method: by default what the circuit's shape
    allows; "sweeps" insists. Afterwards `method` says which was picked, `reason` why.

    Raises NetworkError if sweeps are wanted and the circuit is not radial enough.
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
        self._set()

    def set_taps(self, tap_pu: Floats) -> None:
        """From the next solve on; (windings,)."""
        if not np.array_equal(tap_pu, self.tap_pu):
            self.tap_pu = tap_pu.copy()
            self._set()

    def set_capacitors(self, is_closed: Bools) -> None:
        """From the next solve on; (capacitor steps,)."""
        if not np.array_equal(is_closed, self.is_closed):
            self.is_closed = is_closed.copy()
            self._set()

    def _set(self) -> None:
        network = self._network = network_of(self.circuit, self.tap_pu, self.is_closed)
        self._linear: RadialNetwork | SparseNetwork
        self._is_linear = False
        if self._wanted != "sparse":
            try:
                self._linear = RadialNetwork(network, self._circuits, self._v_base_v)
            except NotATree as not_a_tree:
                if self._wanted == "sweeps":
                    raise NetworkError(f"{self.circuit.name} cannot be solved by sweeps: {not_a_tree}") from not_a_tree
                self.method, self.reason = "sparse", str(not_a_tree)
            else:
                self.method, self.reason = "sweeps", self._linear.shape
                return
        else:
            self.method, self.reason = "sparse", "asked for"
        self._linear = SparseNetwork(network, self._circuits, self._v_base_v)

    def solve(self, p_kw: Floats | None = None, q_kvar: Floats | None = None) -> Flow:
        """The flow at rated draws of p_kw, q_kvar (devices,) in kW and kvar; by default those of the circuit.

        Starts from the solution before, if there is one. Raises NetworkError when no solution is found: the voltage collapses.
        """
        devices, circuits = self.circuit.devices, self._circuits
        p_w = 1000.0 * (devices.p_kw if p_kw is None else p_kw)[circuits.device] * circuits.share
        q_var = 1000.0 * (devices.q_kvar if q_kvar is None else q_kvar)[circuits.device] * circuits.share
        if not self._is_linear or not self._is_warm:
            self._linearise(p_w, q_var, around_present=self._is_warm)
        iterations, change = self._found(p_w, q_var)
        if not iterations:
            self._is_warm = False
            raise NetworkError(
                f"{self.circuit.name}: no solution found (last change {change:.3g} pu): "
                "the voltage collapses under this load; draw less, or look for an impedance or a rated voltage that is wrong"
            )
        self._is_warm = True
        return Flow(self._network, circuits, p_w, q_var, self._v.copy(), iterations)

    def _found(self, p_w: Floats, q_var: Floats) -> tuple[int, float]:
        """Iterations, 0 if there is no solution, and the last change."""
        spent = 0
        for _ in range(MOST_LINEARISATIONS):
            iterations, change = self._linear.iterate(p_w, q_var, self._v, self.tolerance_pu, PATIENCE)
            spent += min(iterations, PATIENCE)
            if iterations <= PATIENCE:
                return spent, change
            if not np.isfinite(change):
                break
            self._linearise(p_w, q_var, around_present=True)
        self._linearise(p_w, q_var, around_present=False)
        iterations, change = self._linear.iterate(p_w, q_var, self._v, self.tolerance_pu, MOST_ITERATIONS)
        return (spent + iterations if iterations <= MOST_ITERATIONS else 0), change

    def _linearise(self, p_w: Floats, q_var: Floats, around_present: bool) -> None:
        """Around the present voltages, or around rated ones, of which then the next solve starts anew."""
        circuits = self._circuits
        self._is_linear = True
        if around_present:
            fixed = circuits.from_node, circuits.to_node, circuits.model, circuits.limits_v, circuits.shape
            self._linear.linearise(tangents(*fixed, p_w, q_var, self._v))
        else:
            self._linear.linearise(rated_linear(circuits, p_w, q_var))
            self._v = self._linear.start()
