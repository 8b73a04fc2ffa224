"""Whether a balanced network's solution balances, and what rounding leaves of its branches' losses."""

from __future__ import annotations

import numpy as np

from heptagrid.engine.flow.snapshot import Totals
from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.balanced import BalancedFlow
from heptagrid.world.balanced import BalancedNetwork, Floats

_IMBALANCE = 1e-6  # of all that is fed in, drawn and lost
_DIGITS = 64.0 * np.finfo(np.float64).eps
_SHOWN = 20
_SHOWN_KW = 1e-9


def rounding_kw(network: BalancedNetwork, flow: BalancedFlow) -> Floats:
    """What the last digits of the voltages at a branch's ends make of its power, (branches,): much where its impedance is very small."""
    branches = network.branches
    v_pu = np.maximum(np.abs(flow.v[branches.from_bus]), np.abs(flow.v[branches.to_bus]))
    z_pu = np.minimum(np.abs(branches.z_pu), np.abs(branches.z_back_pu))
    on = branches.in_service & np.isfinite(v_pu) & (z_pu > 0.0)
    ratio = np.divide(v_pu**2, z_pu, out=np.zeros(len(z_pu)), where=on)
    return np.asarray(1e3 * network.base_mva * _DIGITS * ratio, dtype=np.float64)


def check(network: BalancedNetwork, flow: BalancedFlow, totals: Totals, rounding: Floats) -> None:
    """Refuse a solution that feeds in other than it draws and loses, beyond what `rounding` kW of its branches leave open.

    Raises
    ------
    NetworkError
        With the figures.
    """
    drawn = (totals.loads_kw, totals.shunts_kw, totals.losses_kw)
    scale_kw = 1e3 * float(np.abs(flow.p_mw).sum()) + sum(map(abs, drawn))
    if not abs(totals.fed_in_kw - sum(drawn)) <= _IMBALANCE * scale_kw + float(rounding.sum()):
        raise NetworkError(
            f"{network.name}: the solution does not balance: {totals.fed_in_kw:g} kW are fed in, {sum(drawn):g} kW drawn "
            "and lost; the network holds figures too large or too small to compute with"
        )


def below_rounding(network: BalancedNetwork, flow: BalancedFlow, rounding: Floats) -> list[str]:
    """One line for branches whose losses come out below zero because their impedance is too small for the digits."""
    branches, losses_kw = network.branches, 1e3 * flow.losses_mva.real
    passive = (branches.z_pu.real >= 0.0) & (branches.z_pu == branches.z_back_pu)
    below = np.flatnonzero(passive & (losses_kw < -_SHOWN_KW) & (-losses_kw <= rounding))
    if not len(below):
        return []
    names = ", ".join(branches.names[below[:_SHOWN]].tolist()) + (", ..." if len(below) > _SHOWN else "")
    return [
        f"losses below zero are rounding: branch {names}, down to {losses_kw[below].min():.3g} kW; so small an impedance "
        "leaves currents few digits (voltages keep theirs); a closed switch in its place has none"
    ]
