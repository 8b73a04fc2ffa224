"""What a power flow of a file comes to: rows of nodes and branches, totals, remarks; the same for every format and solver."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import NetworkError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Complex = npt.NDArray[np.complex128]

PHASE, NEUTRAL, DE_ENERGISED = "phase", "neutral", "de-energised"
_ROUNDING = 1e-9  # of all that sources deliver


@dataclass(frozen=True)
class NodeRows:
    """node: names as in the file. phase: a, b, c, a number, or 0 for a balanced network. v_pu: to ground, 0 where no source feeds the node.
    NaN without a solution.

    conductor: PHASE, NEUTRAL or DE_ENERGISED. v_to_neutral_pu: of a phase at a bus with a neutral the
    voltage between both; in a part that nothing earths that to the next phase, over the square root of 3; else v_pu.
    """

    node: list[str]
    phase: list[str]
    v_pu: Floats
    angle_deg: Floats
    conductor: list[str]
    v_to_neutral_pu: Floats

    def where(self, conductor: str) -> Ints:
        """The rows of one kind of conductor."""
        return np.flatnonzero(np.array(self.conductor, dtype=str) == conductor)


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
    """Of the whole network: fed in = taken back + drawn by loads + drawn by shunts + lost.

    fed_in: by the sources and generators that deliver active power. taken_back: by those that draw it, as a source does where more is generated
    than drawn. Whose active power is no more than rounding feeds in.
    """

    fed_in_kw: float
    fed_in_kvar: float
    taken_back_kw: float
    taken_back_kvar: float
    loads_kw: float
    loads_kvar: float
    shunts_kw: float
    shunts_kvar: float
    losses_kw: float
    losses_kvar: float


def fed_and_taken(s_kva: Complex) -> tuple[complex, complex]:
    """What sources that deliver s_kva (sources,) feed in, and what they take back."""
    takes = s_kva.real < -_ROUNDING * np.abs(s_kva).sum()
    return complex(s_kva[~takes].sum()), -complex(s_kva[takes].sum())


@dataclass(frozen=True)
class NotServed:
    """Loads that no source feeds. names: each one's name. kw, kvar: what they would draw; of a load that lacks some of its phases those."""

    names: list[str]
    kw: float
    kvar: float


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
    not_served: NotServed
    remarks: tuple[str, ...] = field(default=())
    trouble: str = ""

    def summary(self) -> dict[str, object]:
        """The figures of the whole; what is not known is None. Voltages are those of energised phase conductors."""
        nodes, v_pu = self.nodes, self.nodes.v_to_neutral_pu
        phases, neutrals = nodes.where(PHASE), nodes.where(NEUTRAL)
        known = phases[np.isfinite(v_pu[phases])]
        neutral_v_pu = nodes.v_pu[neutrals]
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
            "neutral_nodes": len(neutrals),
            "greatest_neutral_v_pu": float(neutral_v_pu.max()) if np.isfinite(neutral_v_pu).any() else None,
            "de_energised_nodes": len(nodes.where(DE_ENERGISED)),
            "loads_not_served": len(self.not_served.names),
            "not_served_kw": self.not_served.kw,
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
