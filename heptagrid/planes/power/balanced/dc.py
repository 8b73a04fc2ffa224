"""DC power flow of a meshed network: flows linear in injections, losses from the flows, distribution factors.

Source: the DC model of MATPOWER (Zimmerman et al. 2011, section 3.8): susceptance 1 / (x ratio), angles
small, voltages 1. Losses are sum r f^2 in per unit and are drawn half at each end of their branch. Distribution factors
as in Wood, Wollenberg and Sheblé, Power Generation, Operation and Control, 3rd edition 2013, section 7.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.errors import NetworkError
from heptagrid.foundation.sums import weighted_columns
from heptagrid.planes.power.connectivity import connected_parts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class DcFlow:
    """flow_mw: (branches,), from `from` to `to`. loss_mw: all branches' losses."""

    flow_mw: Floats
    loss_mw: float


class DcNetwork:
    """Factors of a network, (branches,) arrays; the distribution factors are computed once.

    Raises
    ------
    NetworkError
        If a branch has no reactance, or the branches do not connect all buses.
    """

    def __init__(
        self, buses: int, from_bus: Ints, to_bus: Ints, r_pu: Floats, x_pu: Floats, ratio: Floats, base_mva: float
    ) -> None:
        branches = len(from_bus)
        dead = np.flatnonzero(np.asarray(x_pu) * ratio == 0.0)
        if len(dead):
            raise NetworkError(
                f"branch {dead[0]} has no reactance, and a DC flow no way to share through it; merge its ends"
            )
        if _components(buses, from_bus, to_bus) > 1:
            raise NetworkError("the branches leave an island of buses; solve each island as a network of its own")
        susceptance = 1.0 / (x_pu * ratio)
        incidence = np.zeros((branches, buses))
        incidence[np.arange(branches), from_bus] = 1.0
        incidence[np.arange(branches), to_bus] = -1.0
        laplacian = incidence.T @ (susceptance[:, np.newaxis] * incidence)
        # The network takes up injections that sum to zero; the pseudo-inverse shares the slack among all buses.
        self.factors = susceptance[:, np.newaxis] * incidence @ np.linalg.pinv(laplacian)
        self._from_bus, self._to_bus = np.asarray(from_bus, dtype=np.int64), np.asarray(to_bus, dtype=np.int64)
        self._factors_by_bus = np.ascontiguousarray(self.factors.T)
        self._half_losses = 0.5 * np.abs(incidence)
        self._rad_per_mw = 1.0 / (susceptance * base_mva)
        self._loss_per_mw2 = r_pu / base_mva

    def solve(self, injection_mw: Floats) -> DcFlow:
        """Flows for net injections, (buses,); the losses are added to the draws in a second pass."""
        flow_mw = weighted_columns(injection_mw, self._factors_by_bus)
        losses = self._loss_per_mw2 * flow_mw**2
        flow_mw = weighted_columns(injection_mw - weighted_columns(losses, self._half_losses), self._factors_by_bus)
        losses = self._loss_per_mw2 * flow_mw**2
        return DcFlow(flow_mw, float(losses.sum()))

    def angles_rad(self, flow: DcFlow) -> Floats:
        """(buses,) the voltages' angles that go with a flow, 0 at the first bus: along a tree of branches, since around every loop they sum to nothing."""
        across = flow.flow_mw * self._rad_per_mw
        found = np.zeros(self.factors.shape[1])
        for bus, above, branch, sign in self._tree:
            found[bus] = found[above] - sign * across[branch]
        return found

    @cached_property
    def _tree(self) -> list[tuple[int, int, int, float]]:
        """Each bus but the first, behind one that comes before it: the bus, that one, the branch between them, and 1 if the branch leads to the bus."""
        around: dict[int, list[tuple[int, int, float]]] = {}
        for branch, (a, b) in enumerate(zip(self._from_bus.tolist(), self._to_bus.tolist(), strict=True)):
            around.setdefault(a, []).append((b, branch, 1.0))
            around.setdefault(b, []).append((a, branch, -1.0))
        order, met, found = [0], {0}, []
        for above in order:
            for bus, branch, sign in around.get(above, ()):
                if bus not in met:
                    met.add(bus)
                    order.append(bus)
                    found.append((bus, above, branch, sign))
        return found

    def ptdf(self, slack: int | Floats) -> Floats:
        """Power transfer distribution factors, (branches, buses): MW more on a branch per MW put in at a bus.

        slack: the bus that takes it out again, or (buses,) the shares in which the buses do; as `makePTDF` of MATPOWER.

        Raises
        ------
        NetworkError
            If the shares are not one per bus, or sum to zero.
        """
        buses = self.factors.shape[1]
        if isinstance(slack, int | np.integer):
            if not 0 <= slack < buses:
                raise NetworkError(f"the slack is bus {slack}, and the buses are 0 to {buses - 1}")
            return np.asarray(self.factors - self.factors[:, [slack]])
        share = np.asarray(slack, dtype=float)
        if share.shape != (buses,) or not share.sum():
            raise NetworkError(
                f"the slack's shares are {share.shape}, and must be {buses}, with a sum that is not zero"
            )
        return np.asarray(self.factors - (self.factors @ (share / share.sum()))[:, np.newaxis])

    @cached_property
    def bridges(self) -> Bools:
        """(branches,) whether the loss of a branch alone leaves an island: it has no parallel way."""
        return np.asarray(_bridges(self.factors.shape[1], self._from_bus, self._to_bus))

    @cached_property
    def lodf(self) -> Floats:
        """Line outage distribution factors, (branches, branches): column k is what becomes of branch k's flow.

        After the loss of branch k the flow of branch i is flow[i] + lodf[i, k] flow[k]; lodf[k, k] is -1. Columns of
        `bridges` are NaN: without such a branch there are two islands, and no flow that could find another way.
        """
        between = self.factors[:, self._from_bus] - self.factors[:, self._to_bus]
        own = np.where(self.bridges, np.nan, np.diagonal(between))
        factors = between / (1.0 - own)
        np.fill_diagonal(factors, np.where(self.bridges, np.nan, -1.0))
        return np.asarray(factors)

    def flow_without_mw(self, flow_mw: Floats, branch: int) -> Floats:
        """Flows, (branches,), after the loss of a branch, injections unchanged and losses aside.

        Raises
        ------
        NetworkError
            If its loss leaves an island.
        """
        if self.bridges[branch]:
            ends = f"{self._from_bus[branch]} to {self._to_bus[branch]}"
            raise NetworkError(f"branch {branch} (bus {ends}) has no parallel way: its loss leaves an island")
        return np.asarray(flow_mw + self.lodf[:, branch] * flow_mw[branch])


def _components(buses: int, from_bus: Ints, to_bus: Ints) -> int:
    return int(connected_parts(np.stack([from_bus, to_bus], axis=1), buses).max(initial=-1)) + 1


@kernel
def _bridges(buses, from_bus, to_bus):  # type: ignore[no-untyped-def]
    """Tarjan's search (1974): an edge below which no other edge leads back above it."""
    branches = from_bus.shape[0]
    first = np.zeros(buses + 1, dtype=np.int64)
    for k in range(branches):
        first[from_bus[k] + 1] += 1
        first[to_bus[k] + 1] += 1
    for bus in range(buses):
        first[bus + 1] += first[bus]
    fill = first[:-1].copy()
    edge = np.empty(2 * branches, dtype=np.int64)
    for k in range(branches):
        for bus in (from_bus[k], to_bus[k]):
            edge[fill[bus]] = k
            fill[bus] += 1

    found = np.zeros(branches, dtype=np.bool_)
    order = np.full(buses, -1, dtype=np.int64)
    low = np.zeros(buses, dtype=np.int64)
    came_by = np.full(buses, -1, dtype=np.int64)
    at = first[:-1].copy()
    stack = np.empty(buses, dtype=np.int64)
    seen = 0
    for root in range(buses):
        if order[root] >= 0:
            continue
        depth = 0
        stack[0] = root
        order[root] = low[root] = seen
        seen += 1
        while depth >= 0:
            bus = stack[depth]
            if at[bus] == first[bus + 1]:
                depth -= 1
                if depth >= 0:
                    above = stack[depth]
                    low[above] = min(low[above], low[bus])
                    if low[bus] > order[above]:
                        found[came_by[bus]] = True
                continue
            k = edge[at[bus]]
            at[bus] += 1
            other = from_bus[k] + to_bus[k] - bus
            if k == came_by[bus] or other == bus:
                continue
            if order[other] >= 0:
                low[bus] = min(low[bus], order[other])
            else:
                came_by[other] = k
                order[other] = low[other] = seen
                seen += 1
                depth += 1
                stack[depth] = other
    return found
