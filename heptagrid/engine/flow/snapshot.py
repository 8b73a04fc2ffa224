"""What a power flow of a file comes to: rows of nodes and branches, totals, remarks; the same for every format and solver."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import NetworkError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class NodeRows:
    """node: names as in the file. phase: a, b, c, a number, or 0 for a balanced network. v_pu, angle_deg: NaN where nothing flows."""

    node: list[str]
    phase: list[str]
    v_pu: Floats
    angle_deg: Floats


@dataclass(frozen=True)
class BranchRows:
    """A row for each branch and phase. Currents into each end and powers into it; losses: what does not come out again.

    from_node, to_node: empty where an end is not connected to a node. NaN where a figure is not known.
    """

    branch: list[str]
    kind: list[str]
    from_node: list[str]
    to_node: list[str]
    phase: list[str]
    i_from_a: Floats
    i_to_a: Floats
    p_from_kw: Floats
    q_from_kvar: Floats
    p_to_kw: Floats
    q_to_kvar: Floats
    losses_kw: Floats
    losses_kvar: Floats


@dataclass(frozen=True)
class Totals:
    """Of the whole network: fed in = drawn by loads + drawn by shunts + lost."""

    fed_in_kw: float
    fed_in_kvar: float
    loads_kw: float
    loads_kvar: float
    shunts_kw: float
    shunts_kvar: float
    losses_kw: float
    losses_kvar: float


@dataclass(frozen=True)
class Snapshot:
    """One power flow. format: of the file, in words. solver: which was picked, and why. seconds: of solving.

    remarks: what was left out and what is worth saying, a line each. trouble: why it did not converge.
    """

    source: str
    format: str
    solver: str
    converged: bool
    iterations: int
    seconds: float
    nodes: NodeRows
    branches: BranchRows
    totals: Totals
    remarks: tuple[str, ...] = field(default=())
    trouble: str = ""

    def summary(self) -> dict[str, object]:
        """The figures of the whole; what is not known is None."""
        v_pu = self.nodes.v_pu
        known = np.flatnonzero(np.isfinite(v_pu))
        extremes: dict[str, object] = {}
        for word, pick in (("least", np.argmin), ("greatest", np.argmax)):
            k = int(known[pick(v_pu[known])]) if len(known) else -1
            extremes[f"{word}_v_pu"] = float(v_pu[k]) if k >= 0 else None
            extremes[f"{word}_v_node"] = self.nodes.node[k] if k >= 0 else None
            extremes[f"{word}_v_phase"] = self.nodes.phase[k] if k >= 0 else None
        return {
            "source": self.source,
            "format": self.format,
            "solver": self.solver,
            "converged": self.converged,
            "iterations": self.iterations,
            **{name: value if math.isfinite(value) else None for name, value in vars(self.totals).items()},
            **extremes,
            "nodes": len(v_pu),
            "branches": len(self.branches.branch),
            "seconds": self.seconds,
        }

    def check(self) -> None:
        """Refuse one that did not converge.

        Raises
        ------
        NetworkError
            Saying what is known of the reason.
        """
        if not self.converged:
            raise NetworkError(f"{self.source}: {self.trouble}")
