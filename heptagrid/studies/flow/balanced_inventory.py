"""What is in a balanced network."""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.balanced.bus_flow import choice
from heptagrid.planes.power.balanced.bus_kinds import changed_slack, kinds_of, live_buses
from heptagrid.studies.flow.inventory import Count, Inventory, drawing, levels, loops
from heptagrid.world.balanced.network import BalancedNetwork, BusKind


def inventory(network: BalancedNetwork, source: str, format: str) -> Inventory:
    """Count, sum and draw a balanced network; nothing is solved."""
    buses, branches, generators = network.buses, network.branches, network.generators
    live, kind = live_buses(network), kinds_of(network)
    on = branches.in_service & live[branches.from_bus] & live[branches.to_bus]
    loads_kw, loads_kvar = 1e3 * (buses.p_mw + buses.current_p_mw), 1e3 * (buses.q_mvar + buses.current_q_mvar)
    shunts = (buses.shunt_p_mw != 0.0) | (buses.shunt_q_mvar != 0.0)
    draws = (loads_kw != 0.0) | (loads_kvar != 0.0)
    feeds = generators.in_service & live[generators.bus]
    slack = np.flatnonzero(kind == BusKind.SLACK)
    shown = np.flatnonzero(on)
    return Inventory(
        source=source,
        format=format,
        name=network.name,
        shape=_shape(network, on, live),
        solver=_solver(network),
        counts=[
            Count(
                "bus",
                len(network.nodes.bus),
                int(live[network.nodes.bus].sum()),
                f"{len(slack)} slack, {int((live & (kind == BusKind.PV)).sum())} hold their voltage",
            ),
            *(
                Count(kind, int((branches.kinds == kind).sum()), int((on & (branches.kinds == kind)).sum()))
                for kind in np.unique(branches.kinds).tolist()
            ),
            Count("generator", len(feeds), int(feeds.sum()), f"{1e3 * generators.p_mw[feeds].sum():,.6g} kW set"),
            Count("bus with load", int(draws.sum()), int((draws & live).sum()), f"{loads_kw[live].sum():,.6g} kW"),
            Count(
                "bus with shunt",
                int(shunts.sum()),
                int((shunts & live).sum()),
                f"{1e3 * buses.shunt_q_mvar[live].sum():,.6g} kvar at 1 pu",
            ),
        ],
        levels=levels(buses.v_base_kv, np.where(live, loads_kw, 0.0), network.nodes.bus),
        totals={
            "loads_kw": float(loads_kw[live].sum()),
            "loads_kvar": float(loads_kvar[live].sum()),
            "generation_kw": 1e3 * float(generators.p_mw[feeds].sum()),
        },
        drawing=drawing(
            network.nodes.names.tolist(),
            buses.x,
            buses.y,
            buses.v_base_kv,
            branches.from_bus[shown],
            branches.to_bus[shown],
            slack,
            network.nodes.bus,
            ~live,
        ),
        remarks=(*network.left_out, *changed_slack(network)),
    )


def _solver(network: BalancedNetwork) -> str:
    """Which solver the network gets, or why it gets none."""
    try:
        return choice(network)
    except NetworkError as problem:
        return f"none: {problem}"


def _shape(network: BalancedNetwork, on: np.ndarray, live: np.ndarray) -> str:
    branches = network.branches
    position = np.cumsum(live) - 1
    count, parts = loops(int(live.sum()), position[branches.from_bus[on]], position[branches.to_bus[on]])
    words = "radial" if count == 0 else f"meshed, {count} independent loop{'s' if count > 1 else ''}"
    return words if parts <= 1 else f"{words}, in {parts} parts"
