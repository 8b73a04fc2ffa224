"""The lines of the distribution domain: what they carry, and what regulates their voltage by itself.

Metering points hang on *terminals*: the nodes of a balanced network, the phase circuits' devices of an unbalanced one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from heptagrid.domains.distribution.tap_changer import TapChanger
from heptagrid.foundation.time import Step
from heptagrid.planes.power.balanced.radial import RadialFlow, RadialSolver
from heptagrid.world.inverter_bank import PointInverters
from heptagrid.world.point_demand import PointDemand

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class FeederFlow(Protocol):
    """One solution of the lines, as a balanced network's `RadialFlow` has it."""

    v_pu: Floats
    current_re: Floats
    current_im: Floats
    losses_kw: float
    infeed_p_kw: float
    infeed_q_kvar: float
    transformer_loading_pct: Floats
    transformer_p_kw: Floats
    iterations: int
    held: Ints
    hunting: tuple[str, ...]

    @property
    def terminal_v_pu(self) -> Floats:
        """(terminals,) voltages where metering points hang."""


@dataclass
class SolvedFlow:
    """A solution that is nobody's own working memory; what is not told here is as in `planes.power.balanced.radial.RadialFlow`.

    current_re, current_im: (nodes,) per unit. held: every feeder of a circuit when no solution was found and the last one stands in. hunting:
    controls that did not settle, so that all stayed where they stood before the step.
    """

    v_pu: Floats
    terminal_v_pu: Floats
    current_re: Floats
    current_im: Floats
    losses_kw: float
    infeed_p_kw: float
    infeed_q_kvar: float
    transformer_loading_pct: Floats
    transformer_p_kw: Floats
    iterations: int
    held: Ints
    hunting: tuple[str, ...] = ()


class RegulatedLines(Protocol):
    """Lines with their regulators: solved at every step, then regulated for the next.

    nodes: of the network, for voltages and outages. terminals: where metering points may hang.
    """

    nodes: int
    terminals: int

    def solve(self, p_kw: Floats, q_kvar: Floats, infeed_v_pu: float, step: Step) -> FeederFlow:
        """What flows in a step in which the terminals draw this, (terminals,); regulators that act within it have acted."""

    def let_in(self, inverters: PointInverters | None, demand: PointDemand | None, point_terminal: Ints) -> bool:
        """Whether `solve` itself finds the voltage that lines, inverters and demand have in common, from now on with these, beside what terminals draw; point_terminal: (points,)."""

    def regulate(self, dt_s: float) -> None:
        """Let slower regulators look at the last solution for `dt_s` seconds; what they do holds from the next solve on."""

    def aim(self, target_pu: float) -> None:
        """Give the regulators a new target."""

    @property
    def changer(self) -> TapChanger | None:
        """The tap changer of the primary substation, for who moves it by hand; None where controls of a circuit do all."""

    def switch_off(self, is_off: Bools) -> None:
        """From the next solve on these nodes, (nodes,), and what lies behind them are cut off."""

    def remember(self) -> None:
        """Take the last solution as the one to fall back on."""


class BusbarRegulatedLines:
    """A balanced radial network whose primary substation holds the busbar's voltage."""

    def __init__(
        self, solver: RadialSolver, tap_changer: TapChanger, busbar_node: int, regulated: Ints, taps: Ints
    ) -> None:
        """Set up from parts; `regulated` are the transformers that the tap changer moves, `taps` all positions."""
        self.nodes = self.terminals = solver.network.nodes
        self.tap_changer = tap_changer
        self._solver = solver
        self._busbar_node = busbar_node
        self._regulated = regulated
        self._taps = taps.copy()
        self._busbar_v_pu = 1.0

    def solve(self, p_kw: Floats, q_kvar: Floats, infeed_v_pu: float, step: Step) -> RadialFlow:
        self._taps[self._regulated] = self.tap_changer.tap
        flow = self._solver.solve(p_kw, q_kvar, infeed_v_pu, self._taps)
        self._busbar_v_pu = float(flow.v_pu[self._busbar_node])
        return flow

    def let_in(self, inverters: PointInverters | None, demand: PointDemand | None, point_terminal: Ints) -> bool:
        """They are solved again and again instead, all towns together: a solution takes no time of theirs."""
        return False

    def regulate(self, dt_s: float) -> None:
        self.tap_changer.regulate(self._busbar_v_pu, dt_s)

    def aim(self, target_pu: float) -> None:
        self.tap_changer.target_pu = target_pu

    @property
    def changer(self) -> TapChanger:
        return self.tap_changer

    def switch_off(self, is_off: Bools) -> None:
        self._solver.switch_off(is_off)

    def remember(self) -> None:
        self._solver.remember()


class RestingLines:
    """Lines of a town that takes no part: nothing flows, and all voltages are nominal."""

    changer = None

    def __init__(self, nodes: int, transformers: int) -> None:
        self.nodes = self.terminals = nodes
        nothing = np.zeros(nodes)
        self._flow = SolvedFlow(
            v_pu=np.ones(nodes),
            terminal_v_pu=np.ones(nodes),
            current_re=nothing,
            current_im=nothing,
            losses_kw=0.0,
            infeed_p_kw=0.0,
            infeed_q_kvar=0.0,
            transformer_loading_pct=np.zeros(transformers),
            transformer_p_kw=np.zeros(transformers),
            iterations=0,
            held=np.empty(0, dtype=np.int64),
        )

    def solve(self, p_kw: Floats, q_kvar: Floats, infeed_v_pu: float, step: Step) -> SolvedFlow:
        return self._flow

    def let_in(self, inverters: PointInverters | None, demand: PointDemand | None, point_terminal: Ints) -> bool:
        """There are none."""
        return False

    def regulate(self, dt_s: float) -> None:
        """Nothing moves."""

    def aim(self, target_pu: float) -> None:
        """Nothing moves."""

    def switch_off(self, is_off: Bools) -> None:
        """Nothing flows in any case."""

    def remember(self) -> None:
        """There is one solution."""
