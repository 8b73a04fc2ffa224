"""The last solved state: figures of the whole, and arrays by node, metering point, substation and plant, in pages."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from heptagrid.live.answers import Figures, Nodes, Plants, Points, Substations
from heptagrid.live.http.endpoint import Routes, Taken
from heptagrid.live.http.interface import Interface
from heptagrid.live.http.problems import ProblemError

ROUTES = Routes("state")


class Page(Taken):
    """Which part of a list."""

    first: Annotated[int, Meta(ge=0, le=2**31 - 1, description="number of the first one")] = 0
    count: Annotated[int, Meta(ge=1, le=20_000, description="how many at most")] = 1000


@ROUTES.get("/state")
async def state(interface: Interface) -> Figures:
    """Show the whole in figures."""
    grid = interface.grid
    now = grid.state
    supplied = now.node_v_pu[now.node_v_pu > 0.0]
    return Figures(
        ns=now.at_ns,
        until_ns=now.until_ns,
        local=interface.local(now.at_ns),
        age_s=now.age_s,
        infeed_kw=now.infeed_kw.tolist(),
        infeed_kvar=now.infeed_kvar.tolist(),
        busbar_v_pu=now.busbar_v_pu.tolist(),
        customers_kw=float(now.point_p_kw.sum()),
        generated_kw=now.generated_kw,
        losses_kw=now.losses_kw,
        v_min_pu=float(supplied.min()) if len(supplied) else None,
        v_max_pu=float(supplied.max()) if len(supplied) else None,
        transformer_max_pct=float(now.transformer_pct.max()) if len(now.transformer_pct) else None,
        line_max_pct=now.line_pct,
        points=len(now.point_v_pu),
        points_supplied=int(now.point_is_supplied.sum()),
        frequency_hz=now.frequency_hz,
        price_eur_per_mwh=now.price_eur_per_mwh,
        bulk_mw=float(now.bulk_mw.sum()),
        devices_kw={name: float(one.power_kw.sum()) for name, one in now.devices.items()},
    )


@ROUTES.get("/nodes")
async def nodes(interface: Interface, query: Page) -> Nodes:
    """Show a range of the network's nodes."""
    now = interface.grid.state
    total, of = _range(query, len(now.node_v_pu))
    return Nodes(
        now.at_ns,
        total,
        query.first,
        now.node_v_pu[of].tolist(),
        np.where(now.is_line, now.branch_pct, np.nan)[of].tolist(),
    )


@ROUTES.get("/points")
async def points(interface: Interface, query: Page) -> Points:
    """Show a range of the metering points."""
    now = interface.grid.state
    total, of = _range(query, len(now.point_v_pu))
    columns: tuple[Any, ...] = (
        now.point_p_kw,
        now.point_q_kvar,
        now.point_v_pu,
        now.point_is_supplied,
        now.import_kwh,
        now.export_kwh,
        interface.grid.inventory.world.substation_of,
    )
    return Points(now.at_ns, total, query.first, *(np.asarray(one)[of].tolist() for one in columns))


@ROUTES.get("/substations")
async def substations(interface: Interface, query: Page) -> Substations:
    """Show a range of the substations."""
    now, world = interface.grid.state, interface.grid.inventory.world
    total, of = _range(query, len(now.substation_v_pu))
    transformer = world.substations.transformer[of]
    units = world.grid.transformers
    return Substations(
        now.at_ns,
        total,
        query.first,
        [str(units.names[k]) for k in transformer],
        (units.sn_mva[transformer] * 1000.0).tolist(),
        now.substation_v_pu[of].tolist(),
        now.substation_pct[of].tolist(),
        now.substation_kw[of].tolist(),
    )


@ROUTES.get("/plants")
async def plants(interface: Interface, query: Page) -> Plants:
    """Show a range of the bulk system's units."""
    now = interface.grid.state
    total, of = _range(query, len(now.bulk_mw))
    rated = interface.grid.inventory.world.bulk.units.p_max_mw
    return Plants(now.at_ns, total, query.first, now.bulk_mw[of].tolist(), now.bulk_on[of].tolist(), rated[of].tolist())


def _range(query: Page, total: int) -> tuple[int, slice]:
    if query.first and query.first >= total:
        raise ProblemError(
            400, f"the list ends before number {query.first}", "first", f"write a number from 0 to {max(total - 1, 0)}"
        )
    return total, slice(query.first, query.first + query.count)
