"""The lines of all towns: each is solved and regulated by itself, and the flows are seen as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.domains.distribution.lines import FeederFlow, RegulatedLines, SolvedFlow
from heptagrid.foundation.time import Step
from heptagrid.world.inverter_bank import PointInverters
from heptagrid.world.point_demand import PointDemand

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class TownLines:
    """A town's lines. name: empty for the only one. feeders: how many they have."""

    name: str
    lines: RegulatedLines
    feeders: int


class Towns:
    """Works the lines of all towns.

    nodes, terminals: of all. flows: of the last solve, each town's own. p_kw, q_kvar: (towns,) what each drew from transmission in it.
    """

    def __init__(self, towns: Sequence[TownLines]) -> None:
        self.flows: list[FeederFlow] = []
        self.p_kw, self.q_kvar = np.zeros(len(towns)), np.zeros(len(towns))
        self._towns = towns
        self._node_at = np.cumsum([0, *(town.lines.nodes for town in towns)])
        self._terminal_at = np.cumsum([0, *(town.lines.terminals for town in towns)])
        self._feeder_at = np.cumsum([0, *(town.feeders for town in towns)])
        self.nodes, self.terminals = int(self._node_at[-1]), int(self._terminal_at[-1])

    def __len__(self) -> int:
        return len(self._towns)

    def of(self, town: int) -> RegulatedLines:
        """The lines of one town."""
        return self._towns[town].lines

    def solve(self, p_kw: Floats, q_kvar: Floats, infeed_v_pu: Floats, step: Step) -> FeederFlow:
        """What flows in a step in which the terminals draw this, (terminals,), at these voltages of the infeeds, (towns,)."""
        at = self._terminal_at
        self.flows = [
            town.lines.solve(p_kw[at[k] : at[k + 1]], q_kvar[at[k] : at[k + 1]], float(infeed_v_pu[k]), step)
            for k, town in enumerate(self._towns)
        ]
        for k, flow in enumerate(self.flows):
            self.p_kw[k], self.q_kvar[k] = flow.infeed_p_kw, flow.infeed_q_kvar
        return self.flows[0] if len(self.flows) == 1 else self._joined()

    def let_in(self, inverters: PointInverters | None, demand: PointDemand | None, point_terminal: Ints) -> bool:
        """Whether `solve` itself finds the voltage in common with inverters and demand, as an only town's lines may (`RegulatedLines.let_in`)."""
        return len(self._towns) == 1 and self._towns[0].lines.let_in(inverters, demand, point_terminal)

    def regulate(self, dt_s: float) -> None:
        """Let slower regulators look at the last solution for `dt_s` seconds."""
        for town in self._towns:
            town.lines.regulate(dt_s)

    def aim(self, towns: Ints, target_pu: Floats) -> None:
        """Give the regulators of some towns new targets, (k,) each; of several for one town the last holds."""
        for town, target in zip(towns, target_pu, strict=True):
            self._towns[int(town)].lines.aim(float(target))

    def switch_off(self, is_off: Bools) -> None:
        """From the next solve on these nodes, (nodes,), and what lies behind them are cut off."""
        at = self._node_at
        for k, town in enumerate(self._towns):
            town.lines.switch_off(is_off[at[k] : at[k + 1]])

    def remember(self) -> None:
        """Take the last solution as the one to fall back on."""
        for town in self._towns:
            town.lines.remember()

    def _joined(self) -> SolvedFlow:
        """The flows as one: nodes, terminals, transformers and feeders one town after another, powers in all."""
        flows = self.flows
        held = [flow.held + at for flow, at in zip(flows, self._feeder_at, strict=False)]
        hunting = [f"{town.name}/{one}" for town, flow in zip(self._towns, flows, strict=True) for one in flow.hunting]
        return SolvedFlow(
            v_pu=np.concatenate([flow.v_pu for flow in flows]),
            terminal_v_pu=np.concatenate([flow.terminal_v_pu for flow in flows]),
            current_re=np.concatenate([flow.current_re for flow in flows]),
            current_im=np.concatenate([flow.current_im for flow in flows]),
            losses_kw=sum(flow.losses_kw for flow in flows),
            infeed_p_kw=float(self.p_kw.sum()),
            infeed_q_kvar=float(self.q_kvar.sum()),
            transformer_loading_pct=np.concatenate([flow.transformer_loading_pct for flow in flows]),
            transformer_p_kw=np.concatenate([flow.transformer_p_kw for flow in flows]),
            iterations=max(flow.iterations for flow in flows),
            held=np.concatenate(held),
            hunting=tuple(hunting),
        )
