"""The distribution domain at work: solves the feeders, regulates the busbars, reports from its substations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import control
from heptagrid.domains.distribution.charges import Charges
from heptagrid.domains.distribution.drawn_at_voltage import drawn
from heptagrid.domains.distribution.fed_by_inverters import solved
from heptagrid.domains.distribution.lines import FeederFlow
from heptagrid.domains.distribution.local_load import LocalLoad
from heptagrid.domains.distribution.sensors import Sensors
from heptagrid.domains.distribution.towns import Towns
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.contract import Delivery
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.time import Step
from heptagrid.world.outages import Outage, supplied_at
from heptagrid.world.terminals import Terminals

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Substations:
    """Where the sensors are: the transformer and the low-voltage node of each concentrator's substation."""

    transformer: Ints
    node: Ints


class Distribution:
    """The towns' networks as an actor; in the conventional arm its sensors and operations are silent."""

    domain = Domain.DISTRIBUTION

    def __init__(
        self,
        terminals: Terminals,
        lines: Towns,
        point_terminal: Ints,
        substations: Substations,
        sensors: Sensors | None,
        node_outages: Sequence[Outage] = (),
        point_outages: Sequence[Outage] = (),
        silences: Sequence[Outage] = (),
        dead_points: Ints | None = None,
        charges: Charges | None = None,
        local_load: LocalLoad | None = None,
    ) -> None:
        """Set up from parts; `point_terminal` is where each metering point hangs on the lines, (points,).

        node_outages, point_outages : when which nodes and which metering points are cut off. silences : when which
        substations can report nothing, their battery empty. dead_points : metering points that no source feeds at any time. local_load : what
        they tell local markets.
        """
        self.flow: FeederFlow | None = None
        self.lines = lines
        self._terminals = terminals
        self._point_terminal = point_terminal
        self._substations = substations
        self._sensors = sensors
        self._p_kw = np.zeros(lines.terminals)
        self._q_kvar = np.zeros(lines.terminals)
        self.charges, self._local_load = charges, local_load
        self._silences = list(silences)
        self._node_outages, self._point_outages = list(node_outages), list(point_outages)
        self._dead_points = np.empty(0, dtype=np.int64) if dead_points is None else dead_points
        terminals.point_is_supplied[self._dead_points] = False

    def advance(self, step: Step) -> None:
        """Lines and transformers have no state of their own."""

    def carry(self, step: Step) -> None:
        """Solve the feeders for what the customers draw."""
        terminals = self._terminals
        if self._node_outages:
            self.lines.switch_off(~supplied_at(self._node_outages, step.start_ns, self.lines.nodes))
        _gather(terminals.point_p_kw, terminals.point_q_kvar, self._point_terminal, self._p_kw, self._q_kvar)
        self.flow = flow = self._solve(step)
        np.take(flow.terminal_v_pu, self._point_terminal, out=terminals.point_v_pu)
        terminals.point_v_pu[~terminals.point_is_supplied] = 0.0
        terminals.infeed_p_kw[:] = self.lines.p_kw
        terminals.infeed_q_kvar[:] = self.lines.q_kvar

    def _solve(self, step: Step) -> FeederFlow:
        terminals, at = self._terminals, self._point_terminal
        inverters, demand = terminals.inverters, terminals.demand
        is_common = self.lines.let_in(inverters, demand, at)

        def solve(p_kw: Floats, q_kvar: Floats) -> FeederFlow:
            return self.lines.solve(p_kw, q_kvar, terminals.infeed_v_pu, step)

        def solve_drawn(p_kw: Floats, q_kvar: Floats) -> FeederFlow:
            return solve(p_kw, q_kvar) if demand is None or is_common else drawn(solve, p_kw, q_kvar, demand, at)

        if is_common or inverters is None:
            return solve_drawn(self._p_kw, self._q_kvar)
        return solved(solve_drawn, self._p_kw, self._q_kvar, inverters, at)

    def interrupt(self, nodes: Outage, points: Outage, silences: Sequence[Outage], now_ns: int) -> None:
        """Cut off nodes and metering points from now on, in outages that may have begun; silences: of the substations among them."""
        self._node_outages.append(nodes)
        self._point_outages.append(points)
        self._silences += silences
        self._supply(now_ns)

    def restore(self, now_ns: int, only: Sequence[Outage] | None = None) -> None:
        """End outages that are under way, all or only some of those that were given to `interrupt`; a silence that would begin later never does."""
        for outages in (self._node_outages, self._point_outages, self._silences):
            for k, one in enumerate(outages):
                if one.covers(now_ns) if only is None else any(one is each for each in only):
                    outages[k] = replace(one, end_ns=now_ns)
        self._supply(now_ns)

    def remember(self) -> None:
        """Keep the present solution to fall back on, should a feeder not converge."""
        self.lines.remember()

    def sense(self, step: Step, outbox: Outbox) -> None:
        """Meter the infeeds, and let the substations report."""
        if self.charges:
            self.charges.meter(step, self._terminals.infeed_p_kw)
        if self._sensors is None or self.flow is None:
            return
        rows, p_kw = self._substations, self.flow.transformer_p_kw[self._substations.transformer]
        awake = supplied_at(self._silences, step.end_ns, len(rows.node))
        self._sensors.report(
            step,
            self.flow.v_pu[rows.node],
            self.flow.transformer_loading_pct[rows.transformer],
            p_kw,
            outbox,
            awake,
        )
        if self._local_load:
            self._local_load.report(step, p_kw, awake, outbox)

    def act(self, step: Step, inbox: Sequence[Delivery], outbox: Outbox) -> None:
        """Take a new busbar target where one arrived, let what regulates the lines look at them, and work the switches."""
        for delivery in inbox:
            if delivery.contract is control.BUSBAR:
                target = control.BUSBAR.read(delivery)
                self.lines.aim(target.town, target.target_pu)
        if self.flow is not None:
            self.lines.regulate(step.dt_s)
        if self.charges:
            self.charges.work(step)
        if self._point_outages:
            self._supply(step.end_ns)

    def _supply(self, now_ns: int) -> None:
        """Say which metering points have supply."""
        supplied = supplied_at(self._point_outages, now_ns, len(self._point_terminal))
        self._terminals.point_is_supplied[:] = supplied
        self._terminals.point_is_supplied[self._dead_points] = False


@kernel
def _gather(point_p_kw, point_q_kvar, point_terminal, p_kw, q_kvar):  # type: ignore[no-untyped-def]
    p_kw[:] = 0.0
    q_kvar[:] = 0.0
    for k in range(point_terminal.shape[0]):
        p_kw[point_terminal[k]] += point_p_kw[k]
        q_kvar[point_terminal[k]] += point_q_kvar[k]
