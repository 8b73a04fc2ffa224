"""The interface's routes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from heptagrid.foundation.errors import HeptagridError
from heptagrid.foundation.time import NS_PER_S, from_ns
from heptagrid.live.grid import LiveGrid

if TYPE_CHECKING:
    from heptagrid.live.serve import LiveRun


def app_of(run: LiveRun) -> Starlette:
    """The application over a live grid."""
    grid = run.grid

    async def clock(request: Request) -> Response:
        if request.method == "POST":
            given: dict[str, Any] = await request.json()
            if "speed" in given:
                grid.engine.pace.set_speed(None if given["speed"] == "max" else float(given["speed"]))
            if given.get("pause"):
                grid.engine.pace.pause()
            if given.get("go"):
                grid.engine.pace.go()
            if "advance_s" in given:
                until = grid.engine.pace.step(float(given["advance_s"]))
                await grid.loop.run_in_executor(None, grid.engine.pace.wait_for, until, 600.0)
        state = grid.engine.pace.state
        return JSONResponse(asdict(state) | {"local": from_ns(state.ns, grid.scenario.zone).isoformat()})

    async def state(request: Request) -> Response:
        return JSONResponse(_figures(grid))

    async def device(request: Request) -> Response:
        one = grid.inventory.device(f"{request.path_params['name']}/{request.path_params['row']}")
        if request.method == "POST":
            given = await request.json()
            until_ns = grid.now_ns + round(float(given["for_s"]) * NS_PER_S)
            arrived = await grid.order(one, [float(given["power_kw"])], None, until_ns)
            return JSONResponse({"arrived_ns": arrived})
        found = grid.state.devices.get(one.of.name)
        return JSONResponse(
            {"name": one.name, "point": one.point, "power_kw": found and float(found.power_kw[one.row])}
        )

    async def problem(request: Request, error: Exception) -> Response:
        return JSONResponse({"error": str(error)}, status_code=400)

    return Starlette(
        routes=[
            Route("/clock", clock, methods=["GET", "POST"]),
            Route("/state", state),
            Route("/devices/{name}/{row}", device, methods=["GET", "POST"]),
        ],
        exception_handlers={HeptagridError: problem},
    )


def _figures(grid: LiveGrid) -> dict[str, Any]:
    state = grid.state
    return {
        "at": from_ns(state.at_ns, grid.scenario.zone).isoformat(),
        "age_s": state.age_s,
        "infeed_kw": state.infeed_kw.tolist(),
        "generated_kw": state.generated_kw,
        "losses_kw": state.losses_kw,
        "v_min_pu": float(state.node_v_pu.min()),
        "v_max_pu": float(state.node_v_pu.max()),
        "transformer_max_pct": float(state.transformer_pct.max()),
        "price_eur_per_mwh": state.price_eur_per_mwh,
        "devices_kw": {name: float(one.power_kw.sum()) for name, one in state.devices.items()},
    }
