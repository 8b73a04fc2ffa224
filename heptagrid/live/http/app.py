"""The interface as an ASGI application: its endpoints behind the checks of who asks."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from heptagrid.live.grid import LiveGrid
from heptagrid.live.http.endpoint import routes_of
from heptagrid.live.http.guard import Guard
from heptagrid.live.http.interface import Interface
from heptagrid.live.http.problems import ProblemError, answer
from heptagrid.live.http.room import room_routes
from heptagrid.live.http.routes import ENDPOINTS
from heptagrid.live.http.routes.messages import stream_to


def guarded(interface: Interface) -> ASGIApp:
    """The application over an interface."""

    async def messages(socket: WebSocket) -> None:
        await stream_to(interface, socket)

    async def missing(request: Request, error: Exception) -> Response:
        return answer(ProblemError(404, f"there is no {request.url.path}", None, "see GET /openapi.json").problem)

    async def defect(request: Request, error: Exception) -> Response:
        said = f"{type(error).__name__}: {error}"
        return answer(ProblemError(500, said, None, "report it with the command that made it").problem)

    routes = [
        *routes_of(interface, ENDPOINTS),
        WebSocketRoute("/messages/stream", messages),
        *room_routes(interface.grid),
    ]
    application = Starlette(routes=routes, exception_handlers={404: missing, 500: defect})
    application.router.redirect_slashes = False
    return Guard(_counted(application, interface.grid), interface.run.access, interface.grid)


def _counted(application: ASGIApp, grid: LiveGrid) -> ASGIApp:
    """The same application; each request that it refuses is counted under its status."""

    async def counting(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                grid.count(f"interface: {message['status']}")
            await send(message)

        await application(scope, receive, sending)

    return counting
