"""A balanced network of any shape as arrays, one phase standing for three: buses, branches, generators.

Source: the case format of MATPOWER (Zimmerman, Murillo-Sánchez, Thomas 2011, appendix B), with what pandapower adds to it:
conductance and unequal ends of branches, and loads that depend on the voltage.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Names = npt.NDArray[np.str_]


def in_complex(real: Floats, imaginary: Floats) -> Complex:
    """Real and imaginary parts as one array, infinite ones too, which arithmetic with 1j would turn into NaN."""
    whole = np.empty(len(real), dtype=np.complex128)
    whole.real, whole.imag = real, imaginary
    return whole


MOST = 1e9  # MW, Mvar or pu: a thousand times what all grids of the world carry together
LEAST_Z_PU = 1e-14
_BOUNDED = frozenset(
    {
        *("p_mw", "q_mvar", "current_p_mw", "current_q_mvar", "shunt_p_mw", "shunt_q_mvar", "v_base_kv"),
        *("y_from_pu", "y_to_pu", "ratio"),
    }
)

WARD = "ward"  # a kind of branch: the inside of an extended ward, whose losses are part of what the ward draws


class BusKind(IntEnum):
    """What is given at a bus; the numbers are MATPOWER's."""

    PQ = 1
    PV = 2
    SLACK = 3
    ISOLATED = 4


@dataclass(frozen=True)
class BalancedBuses:
    """Buses, (buses,) each.

    kind: of BusKind. v_base_kv: line to line, 0 where the file does not say. p_mw, q_mvar: drawn whatever the voltage.
    current_p_mw, current_q_mvar: drawn at 1 pu, in proportion to the voltage. shunt_p_mw, shunt_q_mvar: drawn at 1 pu, in proportion to
    its square (a capacitor's q is negative). v_pu, angle_deg: where the solution starts, NaN where it is not known; a slack bus keeps its angle.
    x, y: as drawn, NaN where unknown.
    """

    names: Names
    kind: Ints
    v_base_kv: Floats
    p_mw: Floats
    q_mvar: Floats
    current_p_mw: Floats
    current_q_mvar: Floats
    shunt_p_mw: Floats
    shunt_q_mvar: Floats
    v_pu: Floats
    angle_deg: Floats
    x: Floats
    y: Floats


@dataclass(frozen=True)
class BalancedBranches:
    """Pi-models behind an ideal transformer at their `from` end, (branches,) each.

    kinds: such as line, transformer. from_names, to_names: the nodes at their ends, empty within an element. z_pu: complex, in series; z_back_pu: the same seen from the `to` end, unequal only for a
    non-reciprocal impedance. y_from_pu, y_to_pu: complex, to ground inside the ideal transformer. ratio: complex, from over to; its angle is
    the phase shift. rated_mva: NaN where unknown.
    """

    names: Names
    kinds: Names
    from_bus: Ints
    to_bus: Ints
    from_names: Names
    to_names: Names
    z_pu: Complex
    z_back_pu: Complex
    y_from_pu: Complex
    y_to_pu: Complex
    ratio: Complex
    in_service: Bools
    rated_mva: Floats


@dataclass(frozen=True)
class BalancedGenerators:
    """What feeds in, (generators,) each. v_pu: held where the bus is PV or slack; of several at a bus the last one's counts.

    q_min_mvar, q_max_mvar: infinite without a limit.
    """

    names: Names
    bus: Ints
    p_mw: Floats
    q_mvar: Floats
    v_pu: Floats
    q_min_mvar: Floats
    q_max_mvar: Floats
    in_service: Bools


@dataclass(frozen=True)
class BalancedNodes:
    """What the file calls a bus, in its order: (nodes,) its name, and the bus it is part of (closed couplings join nodes)."""

    names: Names
    bus: Ints


@dataclass(frozen=True)
class BalancedNetwork:
    """All of it, in per unit of `base_mva` and of the buses' base voltages.

    A bus that is no node stands for the inside of an element or for the open end of a branch. A branch between two nodes of one bus has both
    its ends there. left_out: what the file holds beyond this, without effect on a snapshot, a line each.
    """

    name: str
    base_mva: float
    nodes: BalancedNodes
    buses: BalancedBuses
    branches: BalancedBranches
    generators: BalancedGenerators
    left_out: tuple[str, ...] = ()

    def violations(self) -> list[str]:
        """What no network can have, a line each: figures that are none, impedances of zero, ends that meet."""
        found: list[str] = []
        for table, kind, rows in (
            (self.buses, "bus", np.ones(len(self.buses.names), dtype=bool)),
            (self.branches, "branch", self.branches.in_service),
            (self.generators, "generator", self.generators.in_service),
        ):
            for field, values in vars(table).items():
                if field in ("x", "y", "rated_mva") or values.dtype.kind not in "fc":
                    continue
                if table is self.buses and field in ("v_pu", "angle_deg"):
                    continue
                wrong = np.isnan(values) if field.startswith("q_m") else ~np.isfinite(values)
                found += [f"{kind} {table.names[k]}: {field} is {values[k]}" for k in np.flatnonzero(wrong & rows)]
                if field in _BOUNDED:
                    beyond = np.isfinite(values) & (np.abs(values) > MOST) & rows
                    found += [
                        f"{kind} {table.names[k]}: {field} is {values[k]:g}; beyond {MOST:g} no power flow is meant"
                        for k in np.flatnonzero(beyond)
                    ]
        branches, generators = self.branches, self.generators
        for k in np.flatnonzero(branches.in_service):
            ends = f"branch {branches.names[k]} ({self.buses.names[branches.from_bus[k]]} to {self.buses.names[branches.to_bus[k]]})"
            if branches.z_pu[k] == 0 or branches.z_back_pu[k] == 0:
                found.append(f"{ends}: its impedance is zero; give it one, or make its two buses one")
            elif min(abs(branches.z_pu[k]), abs(branches.z_back_pu[k])) < LEAST_Z_PU:
                found.append(
                    f"{ends}: its impedance of {abs(branches.z_pu[k]):g} pu is none that figures of 16 digits can hold "
                    f"({LEAST_Z_PU:g} pu and more); make its two buses one"
                )
            if branches.ratio[k] == 0:
                found.append(f"{ends}: its ratio is zero")
            if branches.from_bus[k] == branches.to_bus[k] and branches.from_names[k] == branches.to_names[k]:
                found.append(f"{ends}: both ends are at the same bus")
        low = generators.in_service & (generators.q_min_mvar > generators.q_max_mvar)
        found += [
            f"generator {generators.names[k]}: its least reactive power is above its most" for k in np.flatnonzero(low)
        ]
        held = np.isin(self.buses.kind, (BusKind.PV, BusKind.SLACK))[generators.bus] & generators.in_service
        found += [
            f"generator {generators.names[k]}: holds a voltage of {generators.v_pu[k]:g} pu; it must be above zero"
            for k in np.flatnonzero(held & ~(generators.v_pu > 0.0))
        ]
        return found
