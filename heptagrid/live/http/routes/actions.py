"""Actions: set-points of the control centre, and what became of all that was asked for."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from heptagrid.contracts import control
from heptagrid.foundation.contract import Contract
from heptagrid.live.actions import Action
from heptagrid.live.answers import ActionsTold, ActionTold
from heptagrid.live.crossing import Outgoing
from heptagrid.live.http.endpoint import Routes, Taken
from heptagrid.live.http.interface import Interface
from heptagrid.live.http.problems import ProblemError

ROUTES = Routes("set-points and actions")

_BY = Annotated[str, Meta(max_length=100, description="who asks for it")]
_WAIT = Annotated[float, Meta(ge=0.0, le=60.0, description="how long to wait for it, of the wall clock")]
_NUMBER = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class ActionsWanted(Taken):
    """Which actions."""

    before: Annotated[int, Meta(ge=0, le=2**53, description="only with lower numbers")] | None = None
    count: Annotated[int, Meta(ge=1, le=1000, description="how many at most")] = 100


class ActionNamed(Taken):
    """Which action."""

    number: Annotated[int, Meta(ge=0, le=2**53, description="its number")]


class BusbarGiven(Taken):
    """The voltage that a tap changer shall hold at its busbar; operations' own target of the next quarter hour replaces it, unless the SCADA master is played from outside."""

    target_pu: Annotated[float, Meta(ge=0.9, le=1.1, description="pu")]
    town: Annotated[_NUMBER, Meta(description="number of the town")] = 0
    by: _BY = "interface"
    wait_s: _WAIT = 0.0


class PlantGiven(Taken):
    """What a unit of the bulk system shall give; operations' own target of the next five minutes replaces it, unless the SCADA master is played from outside."""

    unit: Annotated[_NUMBER, Meta(description="number of the unit")]
    target_mw: Annotated[float, Meta(ge=0.0, le=10_000.0, description="MW, limited by the unit")]
    by: _BY = "interface"
    wait_s: _WAIT = 0.0


class InfeedGiven(Taken):
    """The voltage that transmission shall hold at a town's infeed."""

    infeed_v_pu: Annotated[float, Meta(ge=0.9, le=1.1, description="pu")]
    town: Annotated[_NUMBER, Meta(description="number of the town")] = 0
    by: _BY = "interface"
    wait_s: _WAIT = 0.0


@ROUTES.get("/actions")
async def actions(interface: Interface, query: ActionsWanted) -> ActionsTold:
    """List what was asked for."""
    return ActionsTold([told(one) for one in interface.actions.page(query.before, query.count)])


@ROUTES.get("/actions/{number}", 404)
async def action(interface: Interface, path: ActionNamed) -> ActionTold:
    """Tell what became of something that was asked for."""
    found = interface.actions.get(path.number)
    if found is None:
        raise ProblemError(404, f"there is no action {path.number}, or it is forgotten", None, "see GET /actions")
    return told(found)


@ROUTES.post("/set-points/busbar", 404)
async def busbar(interface: Interface, body: BusbarGiven) -> ActionTold:
    """Set the voltage of a tap changer's busbar, over the modelled network."""
    hubs = interface.grid.endpoints.hubs
    endpoint = _nth(hubs.tolist(), body.town, "town")
    payload = control.BusbarVoltage(np.array([body.town]), np.array([body.target_pu]))
    what = f"busbar {body.town} to {body.target_pu:g} pu"
    return await _send(interface, control.BUSBAR, payload, endpoint, what, body.by, body.wait_s)


@ROUTES.post("/set-points/plant", 404)
async def plant(interface: Interface, body: PlantGiven) -> ActionTold:
    """Set what a unit of the bulk system gives, over the modelled network."""
    plants = interface.grid.endpoints.plants
    endpoint = _nth(plants.tolist(), body.unit, "unit")
    most_mw = float(interface.grid.inventory.world.bulk.units.p_max_mw[body.unit])
    if body.target_mw > most_mw:
        raise ProblemError(
            400,
            f"unit {body.unit} gives {most_mw:g} MW at most",
            "target_mw",
            f"write a number from 0 to {most_mw:g} (MW)",
        )
    payload = control.Target(np.array([body.unit]), np.array([body.target_mw]))
    what = f"plant {body.unit} to {body.target_mw:g} MW"
    return await _send(interface, control.SET_POINT, payload, endpoint, what, body.by, body.wait_s)


@ROUTES.post("/set-points/infeed", 404)
async def infeed(interface: Interface, body: InfeedGiven) -> ActionTold:
    """Set the voltage of a town's infeed, over the modelled network."""
    endpoint = _nth(interface.grid.endpoints.infeeds.tolist(), body.town, "town")
    payload = control.InfeedVoltage(np.array([body.town]), np.array([body.infeed_v_pu]))
    what = f"infeed {body.town} to {body.infeed_v_pu:g} pu"
    return await _send(interface, control.INFEED, payload, endpoint, what, body.by, body.wait_s)


def told(action: Action) -> ActionTold:
    """What is known of an action."""
    return ActionTold(
        action.number, action.what, action.by, action.asked_ns, action.fate, action.fate_ns, action.detail
    )


def _nth(endpoints: list[int], number: int, field: str) -> int:
    if number >= len(endpoints):
        raise ProblemError(
            404, f"there is no {field} {number}", field, f"write a number from 0 to {len(endpoints) - 1}"
        )
    return endpoints[number]


async def _send(
    interface: Interface,
    contract: Contract[Any],
    payload: Any,
    endpoint: int,
    what: str,
    by: str,
    wait_s: float,
) -> ActionTold:
    """Send from operations to one endpoint."""
    grid = interface.grid
    source = np.array([grid.desk("operations").endpoint])

    async def work() -> int:
        return (await grid.send(Outgoing(contract, payload, source, np.array([endpoint])))).ns

    return told(await interface.actions.begin(what, by, grid.now_ns, work, wait_s))
