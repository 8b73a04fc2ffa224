"""Generators that hold their voltage in an unbalanced circuit, by steps of their reactive power between solutions.

Newton's method in the reactive powers: how the held voltages answer to them is found once, by a trial solution for each holder, and kept; a
holder at a limit of its reactive power gives up its voltage until it would come back from there.
"""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.unbalanced.conductors import fed_and_earthed
from heptagrid.planes.power.unbalanced.flow import CircuitFlow
from heptagrid.planes.power.unbalanced.solver import UnbalancedSolver
from heptagrid.world.circuit.circuit import Bools, Circuit, Complex, Floats

HELD_PU = 1e-9
MOST_PASSES = 60
_TRIAL = 1e-3  # of a holder's range, the step of a trial


class HoldingSolver(UnbalancedSolver):
    """An UnbalancedSolver whose voltage holders hold their voltages; without any, the same."""

    def __init__(self, circuit: Circuit, *, tolerance_pu: float = 1e-10) -> None:
        super().__init__(circuit, tolerance_pu=tolerance_pu)
        self._feed_kvar = -circuit.devices.q_kvar[circuit.voltage_holders.device]
        self._volts_per_kvar: Floats | None = None

    def solve(self, p_kw: Floats | None = None, q_kvar: Floats | None = None) -> CircuitFlow:
        """As UnbalancedSolver's; the reactive draws of holders are found, whatever is given.

        Raises
        ------
        NetworkError
            Also when the holders do not come to their voltages.
        """
        holders = self.circuit.voltage_holders
        if not len(holders.device):
            return super().solve(p_kw, q_kvar)
        q_kvar = (self.circuit.devices.q_kvar if q_kvar is None else q_kvar).copy()
        least, most = holders.least_feed_kvar, holders.most_feed_kvar
        feed = np.clip(self._feed_kvar, least, most)
        flow = self._fed(p_kw, q_kvar, feed)
        is_fed = self._is_fed()
        for k in range(MOST_PASSES):
            short_v = holders.v_held_v - self._held_v(flow.v)
            free = is_fed & ~self._stuck(feed, short_v)
            if np.abs(short_v[free] / holders.v_held_v[free]).max(initial=0.0) <= HELD_PU:
                self._feed_kvar = feed
                return flow
            if self._volts_per_kvar is None or k % 10 == 9:
                self._volts_per_kvar = self._probed(p_kw, q_kvar, feed, flow)
            step = np.linalg.solve(self._volts_per_kvar[np.ix_(free, free)], short_v[free])
            feed = feed.copy()
            feed[free] = np.clip(feed[free] + step, least[free], most[free])
            flow = self._fed(p_kw, q_kvar, feed)
        names = ", ".join(self.circuit.devices.names[holders.device[free]])
        raise NetworkError(
            f"{self.circuit.name}: after {MOST_PASSES} steps these do not hold their voltage: {names}; their voltages or the limits of their "
            "reactive power contradict one another"
        )

    def _stuck(self, feed: Floats, short_v: Floats) -> Bools:
        """(holders,) whether each is at a limit and would go beyond."""
        holders = self.circuit.voltage_holders
        return ((feed >= holders.most_feed_kvar) & (short_v > 0.0)) | (
            (feed <= holders.least_feed_kvar) & (short_v < 0.0)
        )

    def _is_fed(self) -> Bools:
        """(holders,) whether a source feeds them; a de-energised holder has no voltage to hold."""
        devices = self.circuit.devices
        lives = np.append(fed_and_earthed(self.network)[0], True)
        first = devices.circuit_at[self.circuit.voltage_holders.device]
        return np.asarray(lives[devices.circuit_from[first]] & lives[devices.circuit_to[first]])

    def _fed(self, p_kw: Floats | None, q_kvar: Floats, feed_kvar: Floats) -> CircuitFlow:
        q_kvar[self.circuit.voltage_holders.device] = -feed_kvar
        return super().solve(p_kw, q_kvar)

    def _held_v(self, v: Complex) -> Floats:
        """(holders,) the mean voltage of each one's phase circuits."""
        devices, holders = self.circuit.devices, self.circuit.voltage_holders
        above_ground = np.append(v, 0.0)
        across = np.abs(above_ground[devices.circuit_from] - above_ground[devices.circuit_to])
        first, last = devices.circuit_at[holders.device], devices.circuit_at[holders.device + 1]
        summed = np.concatenate([[0.0], np.cumsum(across)])
        return np.asarray((summed[last] - summed[first]) / (last - first), dtype=np.float64)

    def _probed(self, p_kw: Floats | None, q_kvar: Floats, feed_kvar: Floats, flow: CircuitFlow) -> Floats:
        """(holders, holders) what one more kvar of each of the second does to the voltages of the first."""
        holders = self.circuit.voltage_holders
        before = self._held_v(flow.v)
        answers = np.empty((len(feed_kvar), len(feed_kvar)))
        for k in range(len(feed_kvar)):
            trial = _TRIAL * max(holders.most_feed_kvar[k] - holders.least_feed_kvar[k], 1.0)
            moved = feed_kvar.copy()
            moved[k] += trial
            answers[:, k] = (self._held_v(self._fed(p_kw, q_kvar, moved).v) - before) / trial
        return answers
