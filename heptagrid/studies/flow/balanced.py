"""The snapshot of a balanced network: solved, and told in the file's names."""

from __future__ import annotations

import time

import numpy as np

from heptagrid.planes.power.balanced.bus_flow import BalancedFlow, solve
from heptagrid.planes.power.balanced.bus_kinds import changed_slack
from heptagrid.studies.flow import balance
from heptagrid.studies.flow.snapshot import (
    DE_ENERGISED,
    PHASE,
    BranchRows,
    NodeRows,
    NotServed,
    Snapshot,
    Totals,
    fed_and_taken,
)
from heptagrid.world.balanced.network import WARD, BalancedNetwork, Complex, Floats, in_complex

_SHOWN = 20
_BEYOND_MVAR = 1e-3  # a deviation below this is rounding


def snapshot(network: BalancedNetwork, source: str, format: str, *, q_limits: bool = False) -> Snapshot:
    """Solve a balanced network.

    Raises
    ------
    NetworkError
        As `heptagrid.planes.power.balanced.bus_flow.solve`; for a solution that does not balance.
    """
    began = time.perf_counter()
    flow = solve(network, q_limits=q_limits)
    seconds = time.perf_counter() - began
    totals, rounding = _totals(network, flow), balance.rounding_kw(network, flow)
    if flow.converged:
        balance.check(network, flow, totals, rounding)
    return Snapshot(
        source=source,
        format=format,
        solver=flow.solver,
        converged=flow.converged,
        iterations=flow.iterations,
        seconds=seconds,
        nodes=_nodes(network, flow),
        branches=_branches(network, flow),
        totals=totals,
        not_served=_not_served(network, flow),
        remarks=(
            *network.left_out,
            *changed_slack(network),
            *_dead(network, flow),
            *_at_limit(network, flow),
            *balance.below_rounding(network, flow, rounding),
        ),
        trouble=flow.trouble,
    )


def _nodes(network: BalancedNetwork, flow: BalancedFlow) -> NodeRows:
    nodes = network.nodes
    v, is_live = flow.v[nodes.bus], flow.is_live[nodes.bus]
    return NodeRows(
        node=nodes.names.tolist(),
        phase=["0"] * len(v),
        v_pu=np.abs(v),
        angle_deg=np.rad2deg(np.angle(v)),
        conductor=np.where(is_live, PHASE, DE_ENERGISED).tolist(),
        v_to_neutral_pu=np.abs(v),
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
    buses, live = network.buses, flow.is_live
    v_pu = np.abs(flow.v)

    # What is lost inside an extended ward is part of what it draws.
    in_wards = network.branches.kinds == WARD
    drawn, lost = (1e3 * complex(flow.losses_mva[mine].sum()) for mine in (in_wards, ~in_wards))
    fed_in, taken_back = fed_and_taken(1e3 * in_complex(flow.p_mw, flow.q_mvar))

    def kilo(of_buses: Floats) -> float:
        return 1e3 * float(of_buses[live].sum())

    return Totals(
        fed_in_kw=fed_in.real,
        fed_in_kvar=fed_in.imag,
        taken_back_kw=taken_back.real,
        taken_back_kvar=taken_back.imag,
        loads_kw=kilo(buses.p_mw + buses.current_p_mw * v_pu) + drawn.real,
        loads_kvar=kilo(buses.q_mvar + buses.current_q_mvar * v_pu) + drawn.imag,
        shunts_kw=kilo(buses.shunt_p_mw * v_pu**2),
        shunts_kvar=kilo(buses.shunt_q_mvar * v_pu**2),
        losses_kw=lost.real,
        losses_kvar=lost.imag,
    )


def _unserved_mva(network: BalancedNetwork, flow: BalancedFlow) -> Complex:
    """(buses,) what would be drawn at 1 pu at de-energised buses; not what would be fed in, as a negative load is."""
    buses = network.buses
    drawn = buses.p_mw + buses.current_p_mw + 1j * (buses.q_mvar + buses.current_q_mvar)
    return np.where(flow.is_live | (drawn.real < 0.0), 0.0, drawn)


def _not_served(network: BalancedNetwork, flow: BalancedFlow) -> NotServed:
    """Loads at de-energised buses, by their bus."""
    unserved = _unserved_mva(network, flow)
    total = 1e3 * complex(unserved.sum())
    return NotServed(network.buses.names[unserved != 0.0].tolist(), total.real, total.imag)


def _dead(network: BalancedNetwork, flow: BalancedFlow) -> list[str]:
    """De-energised nodes: a line for each with a load, which is not served, and one for all others."""
    names, nodes, unserved = network.buses.names, network.nodes, _unserved_mva(network, flow)
    found = [
        f"bus {names[k]} is de-energised; its load of {unserved[k].real:g} MW and {unserved[k].imag:g} Mvar is not served"
        for k in np.flatnonzero(unserved)
    ]
    others = nodes.names[(~flow.is_live & (unserved == 0.0))[nodes.bus]].tolist()
    if others:
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        found.append(f"de-energised, without load: {', '.join(others[:_SHOWN])}{more}")
    return found


def _at_limit(network: BalancedNetwork, flow: BalancedFlow) -> list[str]:
    """Generators that gave up their voltage at a reactive limit, and a line for those that are beyond one."""
    generators = network.generators
    found = [
        f"generator {generators.names[k]} is at its {'most' if flow.at_limit[k] > 0 else 'least'} reactive power, {flow.q_mvar[k]:g} Mvar"
        for k in np.flatnonzero(flow.at_limit)
    ]
    beyond_mvar = np.maximum(flow.q_mvar - generators.q_max_mvar, generators.q_min_mvar - flow.q_mvar)
    beyond_mvar[~(generators.in_service & flow.is_live[generators.bus]) | (flow.at_limit != 0)] = 0.0
    count = int((beyond_mvar > _BEYOND_MVAR).sum())
    if count:
        farthest = int(beyond_mvar.argmax())
        found.append(
            f"{count} generator{'s are' if count > 1 else ' is'} beyond {'their' if count > 1 else 'its'} reactive limits (farthest: "
            f"{generators.names[farthest]}, by {beyond_mvar[farthest]:,.4g} Mvar); --q-limits holds all but the slack's"
        )
    return found
