"""AC power flow of the bulk system: what its units give and all loads take, with voltages, reactive power and real losses.

The buses at which a unit or a condenser runs hold their voltage within its reactive limits. What the units give together beyond loads and
losses, or short of them, is spread over them in proportion; what is left of it is the slack's, the bus of the largest unit that runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import NetworkError
from heptagrid.world.balanced.network import (
    BalancedBranches,
    BalancedBuses,
    BalancedGenerators,
    BalancedNetwork,
    BalancedNodes,
    BusKind,
)
from heptagrid.world.bulk import CONVERTER, GAS, BulkSystem

Floats = npt.NDArray[np.float64]

_SPREAD = 3  # solutions until the slack gives no more than its share, to 1e-6 of the load


@dataclass(frozen=True)
class AcFlow:
    """flow_mw: (branches,), the greater of both ends, from `from` to `to`. loss_mw: of all branches and shunts.

    v_pu, angle_deg: (buses,). at_limit: how many units and condensers are at a reactive limit.
    """

    flow_mw: Floats
    loss_mw: float
    v_pu: Floats
    angle_deg: Floats
    at_limit: int


class AcNetwork:
    """The bulk system as a balanced network; solved for outputs and loads."""

    def __init__(self, system: BulkSystem) -> None:
        self._system = system
        count, lines = len(system.bus_numbers), len(system.branch_from)
        names = system.bus_numbers.astype(str)
        none, unknown = np.zeros(count), np.full(count, np.nan)
        charging = np.asarray(0.5j * system.branch_b_pu, dtype=np.complex128)
        impedance = np.asarray(system.branch_r_pu + 1j * system.branch_x_pu, dtype=np.complex128)
        generators = len(system.units.bus) + len(system.condenser_bus)
        self._bus = np.concatenate([system.units.bus, system.condenser_bus])
        self._network = BalancedNetwork(
            "the bulk system",
            system.base_mva,
            BalancedNodes(names, np.arange(count)),
            BalancedBuses(
                names,
                kind=np.full(count, int(BusKind.PQ)),
                v_base_kv=system.bus_kv,
                p_mw=none,
                q_mvar=none,
                current_p_mw=none,
                current_q_mvar=none,
                shunt_p_mw=system.shunt_mw,
                shunt_q_mvar=system.shunt_mvar,
                v_pu=np.ones(count),
                angle_deg=none,
                x=unknown,
                y=unknown,
            ),
            BalancedBranches(
                names=np.arange(lines).astype(str),
                kinds=np.full(lines, "branch"),
                from_bus=system.branch_from,
                to_bus=system.branch_to,
                from_names=names[system.branch_from],
                to_names=names[system.branch_to],
                z_pu=impedance,
                z_back_pu=impedance,
                y_from_pu=charging,
                y_to_pu=charging,
                ratio=system.branch_ratio.astype(np.complex128),
                in_service=np.ones(lines, dtype=np.bool_),
                rated_mva=system.branch_rating_mw,
            ),
            BalancedGenerators(
                np.arange(generators).astype(str),
                self._bus,
                np.zeros(generators),
                np.zeros(generators),
                system.held_pu[self._bus],
                np.concatenate([system.units.q_min_mvar, system.condenser_q_min_mvar]),
                np.concatenate([system.units.q_max_mvar, system.condenser_q_max_mvar]),
                np.ones(generators, dtype=np.bool_),
            ),
        )
        self._loss_mw = 0.0
        self._v_pu, self._angle_deg = np.ones(count), none

    def solve(self, output_mw: Floats, load_mw: Floats, load_mvar: Floats) -> AcFlow:
        """Flow for outputs (units,) and loads (buses,); a machine that gives nothing is off.

        Raises
        ------
        NetworkError
            If no unit is on, or the network cannot carry its loads; says how much of them it can.
        """
        # It needs scipy, and most runs take the linear flow.
        from heptagrid.planes.power.balanced.bus_flow import solve

        system = self._system
        on = output_mw > 0.0
        if not on.any():
            raise NetworkError("no unit of the bulk system is on, so nothing holds its voltage")
        # Converters hold their voltage whether they give power or not, and so do gas turbines, which turn as condensers behind a clutch.
        holds = on | np.isin(system.units.turbine, (CONVERTER, GAS))
        running = np.concatenate([holds, np.ones(len(system.condenser_bus), dtype=np.bool_)])
        kind = np.full(len(load_mw), int(BusKind.PQ))
        kind[self._bus[running]] = int(BusKind.PV)
        kind[system.units.bus[int(np.argmax(system.units.p_max_mw * on))]] = int(BusKind.SLACK)
        network = self._network
        loss_mw, taken_mw = self._loss_mw, float(load_mw.sum())
        for _ in range(_SPREAD):
            given_mw = output_mw * ((taken_mw + loss_mw) / float(output_mw.sum()))
            p_mw = np.concatenate([given_mw, np.zeros(len(system.condenser_bus))])
            buses = replace(network.buses, kind=kind, p_mw=load_mw, q_mvar=load_mvar)
            buses = replace(buses, v_pu=self._v_pu, angle_deg=self._angle_deg)
            generators = replace(network.generators, p_mw=p_mw, in_service=running)
            flow = solve(replace(network, buses=buses, generators=generators), q_limits=True)
            if not flow.converged:
                raise NetworkError(f"the bulk system's AC flow: {flow.trouble}")
            self._v_pu, self._angle_deg = np.abs(flow.v), np.rad2deg(np.angle(flow.v))
            before_mw, loss_mw = loss_mw, float(flow.p_mw.sum()) - taken_mw
            if abs(loss_mw - before_mw) <= 1e-6 * taken_mw:
                break
        self._loss_mw = loss_mw
        into = (flow.v[system.branch_from] * flow.current_from_pu.conj()).real * system.base_mva
        out = (flow.v[system.branch_to] * flow.current_to_pu.conj()).real * system.base_mva
        greater = np.where(np.abs(into) >= np.abs(out), into, -out)
        return AcFlow(greater, loss_mw, self._v_pu, self._angle_deg, int((flow.at_limit != 0).sum()))
