"""The unbalanced power flow: a fixed point over the devices' currents, on whatever linear solver the circuit's shape allows."""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.unbalanced.draws import phase_circuits
from heptagrid.planes.power.unbalanced.flow import Flow
from heptagrid.planes.power.unbalanced.network import network_of
from heptagrid.planes.power.unbalanced.sparse import SparseNetwork
from heptagrid.world.circuit import Bools, Circuit, Floats

TOLERANCE_PU = 1e-8
MOST_ITERATIONS = 100
_SHARES = (
    None,
    1.0,
)  # of the rated admittance in the matrix: what converges fastest, then what also converges at low voltage


class UnbalancedSolver:
    """Solves one circuit again and again.

    tap_pu: (windings,) and is_closed: (capacitor steps,) start as the circuit has them. `solver` says which linear solver was picked,
    `reason` why.
    """

    def __init__(
        self,
        circuit: Circuit,
        *,
        tap_pu: Floats | None = None,
        is_closed: Bools | None = None,
        tolerance_pu: float = TOLERANCE_PU,
    ) -> None:
        self.circuit = circuit
        self.tolerance_pu = tolerance_pu
        self.tap_pu = (circuit.transformers.windings.tap_pu if tap_pu is None else tap_pu).copy()
        self.is_closed = (circuit.capacitors.is_closed if is_closed is None else is_closed).copy()
        self.solver, self.reason = "sparse", "the whole matrix is factorised"
        self._v_base_v = 1000.0 * circuit.buses.v_base_kv[circuit.nodes.bus]
        self._circuits = phase_circuits(circuit.devices)
        self._v = np.zeros(len(circuit.nodes.bus), dtype=np.complex128)
        self._is_warm = False
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
        self._linear = SparseNetwork(
            *(network.matrix(self._circuits), network.bonds, network.source_currents(), self._circuits, self._v_base_v)
        )

    def solve(self, p_kw: Floats | None = None, q_kvar: Floats | None = None) -> Flow:
        """The flow at rated draws of p_kw, q_kvar (devices,) in kW and kvar; by default those of the circuit.

        Starts from the solution before, if there is one. Raises NetworkError when no solution is found: the voltage collapses.
        """
        devices, circuits = self.circuit.devices, self._circuits
        p_w = 1000.0 * (devices.p_kw if p_kw is None else p_kw)[circuits.device] * circuits.share
        q_var = 1000.0 * (devices.q_kvar if q_kvar is None else q_kvar)[circuits.device] * circuits.share
        if not self._is_warm:
            self._v = self._linear.start()
        iterations, change = self._linear.iterate(p_w, q_var, self._v, self.tolerance_pu, MOST_ITERATIONS)
        self._is_warm = iterations <= MOST_ITERATIONS
        if not self._is_warm:
            raise NetworkError(
                f"{self.circuit.name}: no solution within {MOST_ITERATIONS} iterations (last change {change:.3g} pu): "
                "the voltage collapses under this load; draw less, or look for an impedance or a rated voltage that is wrong"
            )
        return Flow(self._network, circuits, p_w, q_var, self._v.copy(), iterations)
