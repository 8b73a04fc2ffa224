"""Smart inverters at the nodes of a radial network: what they feed is renewed with every sweep (see `inverters`).

Single-phase equivalent: each inverter sees its node's magnitude in pu of the node's own base voltage.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.power.controls.inverters import Bank, renew, shares, steepest

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LITTLE = 1e-3  # of the steepest slopes, to probe the network with


class Feeding(NamedTuple):
    """Inverters as the sweeps take them.

    node, is_off: (inverters,), (nodes,). given_p_kw, given_q_kvar: (nodes,) net draws without the inverters, p_kw and q_kvar with
    them. sees_pu: (inverters,) room.
    """

    bank: Bank
    node: Ints
    is_off: npt.NDArray[np.bool_]
    given_p_kw: Floats
    given_q_kvar: Floats
    p_kw: Floats
    q_kvar: Floats
    sees_pu: Floats


def set_shares(bank: Bank, v_pu: Callable[[Floats, Floats], Floats]) -> None:
    """Probe the network: `v_pu` gives the inverters' voltages for what they feed in kW and kvar, (inverters,) each."""
    p_slope, q_slope = steepest(bank)
    renew(bank, np.ones(len(bank.share)))
    before = v_pu(bank.p_kw, bank.q_kvar).copy()
    after = v_pu(bank.p_kw + LITTLE * p_slope, bank.q_kvar + LITTLE * q_slope)
    bank.share[:] = shares(((after - before) / LITTLE)[np.newaxis])


@kernel
def feed(feeding, v):  # type: ignore[no-untyped-def]
    """Renew what the inverters feed at the nodes' voltages, (nodes, 2), and the net draws; the greatest squared gap in pu."""
    for k in range(feeding.node.shape[0]):
        node = feeding.node[k]
        feeding.sees_pu[k] = np.sqrt(v[node, 0] ** 2 + v[node, 1] ** 2)
    gap = renew(feeding.bank, feeding.sees_pu)
    draw(feeding)
    return gap * gap


@kernel
def draw(feeding):  # type: ignore[no-untyped-def]
    """Net draws of the inverters' nodes from what they feed; nothing is fed where there is no supply."""
    for k in range(feeding.node.shape[0]):
        node = feeding.node[k]
        feeding.p_kw[node] = feeding.given_p_kw[node]
        feeding.q_kvar[node] = feeding.given_q_kvar[node]
    for k in range(feeding.node.shape[0]):
        node = feeding.node[k]
        if feeding.is_off[node]:
            feeding.bank.p_kw[k] = feeding.bank.q_kvar[k] = 0.0
        feeding.p_kw[node] -= feeding.bank.p_kw[k]
        feeding.q_kvar[node] -= feeding.bank.q_kvar[k]
