"""Whether a solution balances, and what rounding leaves of the losses of branches with very small impedances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from heptagrid.foundation.errors import NetworkError
from heptagrid.studies.flow.snapshot import Totals
from heptagrid.world.balanced.network import BalancedNetwork, Floats

if TYPE_CHECKING:
    from heptagrid.planes.power.balanced.bus_flow import BalancedFlow
    from heptagrid.planes.power.unbalanced.flow import CircuitFlow

_IMBALANCE = 1e-6  # of all that is fed in, drawn and lost
_CHANGES = 1e3  # by what the voltages still change where a part nearly floats
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
    drawn_kw = abs(totals.loads_kw) + abs(totals.shunts_kw) + abs(totals.losses_kw)
    scale_kw = 1e3 * float(np.abs(flow.p_mw).sum()) + drawn_kw
    _refuse(network.name, totals, _IMBALANCE * scale_kw + float(rounding.sum()))


def check_circuit(flow: CircuitFlow, totals: Totals) -> None:
    """As `check`, of a circuit of conductors.

    Raises
    ------
    NetworkError
        With the figures.
    """
    circuit, network = flow.network.circuit, flow.network
    parts_kva = (flow.sources_kva, flow.devices_kva, flow.shunts_kva, flow.capacitors_kva, flow.lines_kva)
    scale_kw = circuit.alike_phases * sum(float(np.abs(part).sum()) for part in parts_kva)
    v_square = np.append(np.abs(flow.v) ** 2, 0.0)
    tables = (network.lines, network.transformers, network.shunts, network.sources, network.capacitors)
    rounding_kw = sum(_DIGITS / 1e3 * float(v_square.max() * np.abs(table.y_s).sum()) for table in tables)
    left_open = _IMBALANCE + _CHANGES * flow.last_change_pu
    _refuse(circuit.name, totals, left_open * scale_kw + circuit.alike_phases * rounding_kw)


def _refuse(name: str, totals: Totals, left_open_kw: float) -> None:
    drawn_kw = totals.taken_back_kw + totals.loads_kw + totals.shunts_kw + totals.losses_kw
    is_known = np.isfinite([totals.fed_in_kw, drawn_kw, totals.fed_in_kvar, left_open_kw]).all()
    if not is_known or not abs(totals.fed_in_kw - drawn_kw) <= left_open_kw:
        raise NetworkError(
            f"{name}: the solution does not balance: {totals.fed_in_kw:g} kW are fed in, {drawn_kw:g} kW drawn "
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
