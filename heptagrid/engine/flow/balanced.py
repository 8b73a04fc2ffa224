"""The snapshot of a balanced network: solved, and told in the file's names."""

from __future__ import annotations

import time

import numpy as np

from heptagrid.engine.flow.snapshot import BranchRows, NodeRows, Snapshot, Totals
from heptagrid.planes.power.balanced import BalancedFlow, solve
from heptagrid.world.balanced import WARD, BalancedNetwork, BusKind, Floats

_SHOWN = 20


def snapshot(network: BalancedNetwork, source: str, format: str, *, q_limits: bool = False) -> Snapshot:
    """Solve a balanced network.

    Raises
    ------
    NetworkError
        As `heptagrid.planes.power.balanced.solve`.
    """
    began = time.perf_counter()
    flow = solve(network, q_limits=q_limits)
    seconds = time.perf_counter() - began
    nodes = network.nodes
    v = flow.v[nodes.bus]
    return Snapshot(
        source=source,
        format=format,
        solver=flow.solver,
        converged=flow.converged,
        iterations=flow.iterations,
        seconds=seconds,
        nodes=NodeRows(nodes.names.tolist(), ["0"] * len(v), np.abs(v), np.rad2deg(np.angle(v))),
        branches=_branches(network, flow),
        totals=_totals(network, flow),
        remarks=(*network.left_out, *_isolated(network), *_at_limit(network, flow)),
        trouble=flow.trouble,
    )


def _branches(network: BalancedNetwork, flow: BalancedFlow) -> BranchRows:
    buses, branches, base_mva = network.buses, network.branches, network.base_mva
    on = branches.in_service & np.isfinite(flow.current_from_pu)
    s_from = np.where(on, flow.v[branches.from_bus] * flow.current_from_pu.conj(), 0.0) * base_mva
    s_to = np.where(on, flow.v[branches.to_bus] * flow.current_to_pu.conj(), 0.0) * base_mva

    def amperes(current_pu: np.ndarray, bus: np.ndarray) -> Floats:
        kv = buses.v_base_kv[bus]
        base_a = np.divide(base_mva * 1e3, np.sqrt(3.0) * kv, out=np.full(len(kv), np.nan), where=kv > 0.0)
        return np.asarray(np.abs(current_pu) * base_a, dtype=np.float64)

    return BranchRows(
        branch=branches.names.tolist(),
        kind=branches.kinds.tolist(),
        from_node=branches.from_names.tolist(),
        to_node=branches.to_names.tolist(),
        phase=["0"] * len(branches.names),
        i_from_a=amperes(flow.current_from_pu, branches.from_bus),
        i_to_a=amperes(flow.current_to_pu, branches.to_bus),
        p_from_kw=1e3 * s_from.real,
        q_from_kvar=1e3 * s_from.imag,
        p_to_kw=1e3 * s_to.real,
        q_to_kvar=1e3 * s_to.imag,
        losses_kw=1e3 * flow.losses_mva.real,
        losses_kvar=1e3 * flow.losses_mva.imag,
    )


def _totals(network: BalancedNetwork, flow: BalancedFlow) -> Totals:
    buses = network.buses
    live = buses.kind != BusKind.ISOLATED
    v_pu = np.abs(flow.v)

    # What is lost inside an extended ward is part of what it draws.
    in_wards = network.branches.kinds == WARD
    drawn, lost = (1e3 * complex(flow.losses_mva[mine].sum()) for mine in (in_wards, ~in_wards))

    def kilo(of_buses: Floats) -> float:
        return 1e3 * float(of_buses[live].sum())

    return Totals(
        fed_in_kw=1e3 * float(flow.p_mw.sum()),
        fed_in_kvar=1e3 * float(flow.q_mvar.sum()),
        loads_kw=kilo(buses.p_mw + buses.current_p_mw * v_pu) + drawn.real,
        loads_kvar=kilo(buses.q_mvar + buses.current_q_mvar * v_pu) + drawn.imag,
        shunts_kw=kilo(buses.shunt_p_mw * v_pu**2),
        shunts_kvar=kilo(buses.shunt_q_mvar * v_pu**2),
        losses_kw=lost.real,
        losses_kvar=lost.imag,
    )


def _isolated(network: BalancedNetwork) -> list[str]:
    """Nodes that nothing flows to: a line for each with a load, which is not served, and one for all others."""
    buses, nodes = network.buses, network.nodes
    p_mw, q_mvar = buses.p_mw + buses.current_p_mw, buses.q_mvar + buses.current_q_mvar
    isolated = buses.kind == BusKind.ISOLATED
    draws = isolated & ((p_mw != 0.0) | (q_mvar != 0.0))
    found = [
        f"bus {buses.names[k]} is isolated; its load of {p_mw[k]:g} MW and {q_mvar[k]:g} Mvar is not served"
        for k in np.flatnonzero(draws)
    ]
    others = nodes.names[(isolated & ~draws)[nodes.bus]].tolist()
    if others:
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        found.append(f"isolated, without load: {', '.join(others[:_SHOWN])}{more}")
    return found


def _at_limit(network: BalancedNetwork, flow: BalancedFlow) -> list[str]:
    """Generators that gave up their voltage at a reactive limit."""
    generators = network.generators
    return [
        f"generator {generators.names[k]} is at its {'most' if flow.at_limit[k] > 0 else 'least'} reactive power, {flow.q_mvar[k]:g} Mvar"
        for k in np.flatnonzero(flow.at_limit)
    ]
