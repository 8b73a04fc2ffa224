"""Weakly meshed networks in the sweeps: loops opened at break points, whose currents are injected at both ends.

With the currents that the nodes draw held, the voltages across the open break points are a linear function of the currents
through them. Its matrix, the Thevenin impedance between break points, follows from the impedances that their paths to the root
share, transformers' ratios included; so one small product after each pass up the tree closes all loops at once, and the
sweeps converge as fast as without loops.

Source: Shirmohammadi and others, IEEE Trans. Power Systems 3(2), 1988; Luo and Semlyen, IEEE Trans. Power Systems 5(4), 1990.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.errors import NetworkError
from heptagrid.world.balanced.radial_network import RadialNetwork

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Complex = npt.NDArray[np.complex128]
Bools = npt.NDArray[np.bool_]

_ILL_CONDITIONED = 1e12


class BreakPoints(NamedTuple):
    """The loops as the sweeps take them; see `Compensation`.

    from_node, to_node: (loops,) in the tree. trial: (skeleton,) room for voltages, then for currents.
    """

    from_node: Ints
    to_node: Ints
    nodes: Ints
    above: Ints
    ends: Ints
    inverse_ratio: Floats
    admittance: Complex
    is_closed: Bools
    current: Complex
    trial: Complex


class Compensation:
    """The break points of one network: the nodes above them, and the matrix that closes them.

    nodes: (skeleton,) positions of the root and of every node above a break point, in the tree's order. above: (skeleton,)
    where in `nodes` each one's parent stands. ends: (loops, 2) where the break points' two sides stand there.
    inverse_ratio: (loops,) of the branches through the break points. admittance: (loops, loops), 0 for loops that are held open
    or keep their current. current: (loops,) per unit, on the to-side.
    """

    def __init__(self, network: RadialNetwork) -> None:
        loops = network.loops
        met: set[int] = {0}
        for end in (*loops.from_node.tolist(), *loops.to_node.tolist()):
            node = end
            while node not in met:
                met.add(node)
                node = int(network.parent[node])
        self.network = network
        self.nodes = np.array(sorted(met), dtype=np.int64)
        self.above = np.searchsorted(self.nodes, np.maximum(network.parent[self.nodes], 0))
        self.ends = np.stack([np.searchsorted(self.nodes, ends) for ends in (loops.from_node, loops.to_node)], axis=1)
        self.inverse_ratio = np.ones(len(loops))
        self.is_closed = np.ones(len(loops), dtype=np.bool_)
        self.admittance = np.zeros((len(loops), len(loops)), dtype=np.complex128)
        self.current = np.zeros(len(loops), dtype=np.complex128)
        self.held_together = _groups(network)
        self._impedance = np.zeros_like(self.admittance)
        self._break_points = BreakPoints(
            from_node=loops.from_node,
            to_node=loops.to_node,
            nodes=self.nodes,
            above=self.above,
            ends=self.ends,
            inverse_ratio=self.inverse_ratio,
            admittance=self.admittance,
            is_closed=self.is_closed,
            current=self.current,
            trial=np.zeros(len(self.nodes), dtype=np.complex128),
        )

    @property
    def break_points(self) -> BreakPoints:
        """The loops as they stand, for the sweeps."""
        return self._break_points

    def set_ratios(self, inverse_ratio: Floats, of_loops: Floats) -> None:
        """Take the ratios of the branches above the nodes, (nodes,), and of those through the break points, (loops,).

        `close` comes next.

        Raises
        ------
        NetworkError
            If a loop has no impedance around it: nothing says how a current divides between its two ways.
        """
        self.inverse_ratio[:] = of_loops
        self._impedance = self._thevenin(inverse_ratio[self.nodes])
        if len(of_loops) and not np.linalg.cond(self._impedance) < _ILL_CONDITIONED:
            raise NetworkError(
                "a loop has no impedance around it, so its current is not determined; join the buses of its lines "
                "without impedance by a closed switch instead"
            )

    def close(self, is_closed: Bools) -> None:
        """Close these loops, (loops,); the others keep the current they have."""
        self.is_closed[:] = is_closed
        rows = np.flatnonzero(is_closed)
        self.admittance[:] = 0.0
        self.admittance[np.ix_(rows, rows)] = np.linalg.inv(self._impedance[np.ix_(rows, rows)])

    def _thevenin(self, inverse_ratio: Floats) -> Complex:
        """The impedance between break points: what a unit current through each changes along the skeleton, twice."""
        loops = np.arange(len(self.ends))
        share = np.zeros((len(self.nodes), len(loops)))
        np.add.at(share, (self.ends[:, 0], loops), self.inverse_ratio)
        np.add.at(share, (self.ends[:, 1], loops), -1.0)
        for k in range(len(self.nodes) - 1, 0, -1):
            share[self.above[k]] += share[k] * inverse_ratio[k]
        share[0] = 0.0
        z_pu = self.network.z_pu[self.nodes]
        return np.asarray(share.T @ (z_pu[:, np.newaxis] * share) + np.diag(self.network.loops.z_pu))


def _groups(network: RadialNetwork) -> Ints:
    """Which feeders loops tie together, (feeders,): the least of each group, counted from 0."""
    group = np.arange(len(network.feeder_start) - 1)
    feeder = network.feeder
    for a, b in zip(feeder[network.loops.from_node] - 1, feeder[network.loops.to_node] - 1, strict=True):
        if a >= 0 and b >= 0:
            group[group == max(group[a], group[b])] = min(group[a], group[b])
    return group


@kernel(allocates=False)
def close_loops(infeed_v_pu, loops, z, ratio_above, current):  # type: ignore[no-untyped-def]
    """Find the break points' currents for the present currents of the branches, and add them along the skeleton.

    loops: `BreakPoints`. Branch currents must hold nothing of the closed loops yet.
    """
    nodes, above, ends, trial = loops.nodes, loops.above, loops.ends, loops.trial
    trial[0] = infeed_v_pu
    for s in range(1, nodes.shape[0]):
        k = nodes[s]
        drop = complex(z[k, 0], z[k, 1]) * complex(current[k, 0], current[k, 1])
        trial[s] = trial[above[s]] * ratio_above[k] - drop

    for i in range(ends.shape[0]):
        if loops.is_closed[i]:
            total = 0.0j
            for j in range(ends.shape[0]):
                across = trial[ends[j, 0]] * loops.inverse_ratio[j] - trial[ends[j, 1]]
                total += loops.admittance[i, j] * across
            loops.current[i] = total

    trial[:] = 0.0
    for i in range(ends.shape[0]):
        if loops.is_closed[i]:
            trial[ends[i, 0]] += loops.current[i] * loops.inverse_ratio[i]
            trial[ends[i, 1]] -= loops.current[i]
    for s in range(nodes.shape[0] - 1, -1, -1):
        k = nodes[s]
        current[k, 0] += trial[s].real
        current[k, 1] += trial[s].imag
        if s > 0:
            trial[above[s]] += trial[s] * ratio_above[k]
