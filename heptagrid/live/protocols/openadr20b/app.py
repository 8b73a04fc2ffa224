"""The VTN of OpenADR 2.0b over HTTP: a message in each POST; those of VENs that stand for devices cross the modelled network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heptagrid.live.grid import LiveGrid
from heptagrid.live.http.listener import certificate_of
from heptagrid.live.protocols.openadr.visitors import HEADER_BYTES, MOST_BYTES, Visitors, body_of, size_of
from heptagrid.live.protocols.openadr20b.messages import MEDIA_TYPE, OK
from heptagrid.live.protocols.openadr20b.vens import Caller
from heptagrid.live.protocols.openadr20b.vtn import Request, Vtn20b

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request as HttpRequest
    from starlette.responses import Response

PREFIX = "/OpenADR2/Simple/2.0b"


class Gateway20b:
    """Takes HTTP requests to the VTN."""

    def __init__(self, grid: LiveGrid, vtn: Vtn20b) -> None:
        self.grid, self.vtn = grid, vtn
        self.visitors = Visitors(grid, "openadr20b")

    def app(self) -> Starlette:
        """The application."""
        from starlette.applications import Starlette
        from starlette.routing import Route

        return Starlette(routes=[Route(f"{PREFIX}/{{service}}", self._serve, methods=["POST"])])

    async def _serve(self, http: HttpRequest) -> Response:
        if "origin" in http.headers:
            self.grid.count("openadr20b: 403")
            return _response(403, b"pages of browsers are no VENs")
        body = await body_of(http)
        if body is None:
            self.grid.count("openadr20b: 413")
            return _response(413, f"a body has at most {MOST_BYTES} bytes".encode())
        service, caller = str(http.path_params["service"]), Caller.of(certificate_of(http.scope))
        asked = self.vtn.read(Request(service, body, caller))
        address = f"{http.client.host}:{http.client.port}" if http.client else ""
        ven = self.vtn.vens.get(asked.ven)
        peer = self.visitors.seen(ven.id, address, "device" if asked.device else "VEN", asked.device) if ven else None
        size_bytes = size_of(http, body)
        delay_s = await self.visitors.cross(asked.device, size_bytes, is_inward=True)
        self.visitors.log(peer, size_bytes, f"{service} {asked.what}"[:120], delay_s, is_inward=True)
        if delay_s is None:
            return _response(504, b"the request was lost on the modelled network")
        reply = self.vtn.answer(asked)
        if reply.code != OK and peer is not None:
            peer.refused += 1
        size_bytes = len(reply.body) + HEADER_BYTES
        delay_s = await self.visitors.cross(asked.device, size_bytes, is_inward=False)
        self.visitors.log(peer, size_bytes, f"{reply.status} {reply.code}", delay_s, is_inward=False)
        if delay_s is None:
            return _response(504, b"the answer was lost on the modelled network")
        reply.arrived()
        return _response(reply.status, reply.body)


def _response(status: int, body: bytes) -> Response:
    from starlette.responses import Response

    return Response(body, status, media_type=MEDIA_TYPE if status == OK else "text/plain")
