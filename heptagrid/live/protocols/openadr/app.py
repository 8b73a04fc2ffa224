"""The VTN over HTTP: requests of VENs that stand for devices cross the modelled network, tokens are given, bodies are bounded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from heptagrid.live.grid import LiveGrid, Peer
from heptagrid.live.inventory import Device
from heptagrid.live.protocols.openadr.access import BL, SCOPES, TOKEN_S, VEN, Client, basic_credentials, bearer
from heptagrid.live.protocols.openadr.built_in import device_of
from heptagrid.live.protocols.openadr.objects import V301, V310
from heptagrid.live.protocols.openadr.targets import Targets
from heptagrid.live.protocols.openadr.visitors import HEADER_BYTES, MOST_BYTES, Visitors, body_of, size_of
from heptagrid.live.protocols.openadr.vtn import Answer, Request, Vtn, problem

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request as HttpRequest
    from starlette.responses import Response

PREFIX = "/openadr3"


class Gateway:
    """Takes HTTP requests to the VTN."""

    def __init__(self, grid: LiveGrid, vtn: Vtn, targets: Targets) -> None:
        self.grid, self.vtn, self.targets = grid, vtn, targets
        self.visitors = Visitors(grid, "openadr")

    def app(self) -> Starlette:
        """The application."""
        from starlette.applications import Starlette
        from starlette.routing import Route

        methods = ["GET", "POST", "PUT", "DELETE"]
        return Starlette(routes=[Route("/{path:path}", self._serve, methods=methods)])

    async def crossing(self, client: str, size_bytes: int) -> bool:
        """A notification goes to a client; whether it arrives."""
        found = self.vtn.access.clients.get(client)
        device = self._device(found)
        return await self.visitors.cross(device, size_bytes, is_inward=False) is not None

    async def _serve(self, http: HttpRequest) -> Response:
        body = await body_of(http)
        path, version = _path(http.url.path)
        size_bytes = size_of(http, body or b"")
        if body is None:
            self.grid.count("openadr: 413")
            return _response(problem(413, f"a body has at most {MOST_BYTES} bytes"))
        authorization = http.headers.get("authorization", "")
        client = self.vtn.access.holder(bearer(authorization))
        device = self._device(client)
        peer = self._peer(http, client, device)
        delay_s = await self.visitors.cross(device, size_bytes, is_inward=True)
        self.visitors.log(peer, size_bytes, f"{http.method} {http.url.path}"[:120], delay_s, is_inward=True)
        if delay_s is None:
            return _response(problem(504, "the request was lost on the modelled network"))
        if path[:6] == "/auth/":
            answer = self._auth(http, path, body, authorization, client)
        else:
            query = (
                parse_qs(http.url.query, keep_blank_values=True, max_num_fields=200)
                if http.url.query.count("&") < 200
                else {}
            )
            answer = self.vtn.handle(Request(http.method, path, query, body, authorization, version))
        response = _response(answer)
        if answer.status in (401, 403) and peer is not None:
            peer.refused += 1
        size_bytes = len(response.body) + HEADER_BYTES
        delay_s = await self.visitors.cross(device, size_bytes, is_inward=False)
        self.visitors.log(peer, size_bytes, f"{answer.status}", delay_s, is_inward=False)
        return (
            response if delay_s is not None else _response(problem(504, "the answer was lost on the modelled network"))
        )

    def _device(self, client: Client | None) -> Device | None:
        """The device that a client stands for."""
        return device_of(client.id, self.vtn.store, self.targets) if client is not None and client.role == VEN else None

    def _auth(self, http: HttpRequest, path: str, body: bytes, authorization: str, asking: Client | None) -> Answer:
        """Tokens, where they are had, and credentials for VENs, which the desk gives."""
        if path == "/auth/server" and http.method == "GET":
            return Answer(200, {"tokenURL": f"{http.base_url}auth/token"})
        if http.method != "POST" or path not in ("/auth/token", "/auth/clients"):
            return problem(404, f"there is no {path[:80]}")
        given = _form(body, http.headers.get("content-type", ""))
        if path == "/auth/clients":
            return self._enrolled(given, asking)
        if given.get("grant_type") != "client_credentials":
            self.grid.count("openadr: 400 /auth/token")
            kind = "unsupported_grant_type" if given.get("grant_type") else "invalid_request"
            return Answer(400, {"error": kind, "error_description": "grant_type must be client_credentials"})
        id, secret = basic_credentials(authorization) or (given.get("client_id", ""), given.get("client_secret", ""))
        client = self.vtn.access.client_with(id, secret)
        if client is None:
            self.grid.count("openadr: 401 /auth/token")
            return Answer(401, {"error": "invalid_client", "error_description": "client id or secret is wrong"})
        token = self.vtn.access.token_for(client)
        scope = " ".join(SCOPES[client.role])
        return Answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_S, "scope": scope})

    def _enrolled(self, given: Mapping[str, str], asking: Client | None) -> Answer:
        """Credentials for a VEN, from the desk."""
        if asking is None or asking.role != BL:
            self.grid.count("openadr: 403 /auth/clients")
            return problem(403, "only business logic gives VENs credentials")
        id = given.get("client_id", "")
        known = self.vtn.access.clients.get(id)
        if not (id.isascii() and id.replace("-", "").replace("_", "").isalnum() and len(id) <= 128) or (
            known and known.role == BL
        ):
            return problem(400, "client_id: letters, digits, - and _ are expected, and none of business logic")
        client = self.vtn.access.enrol(id, VEN)
        return Answer(201, {"client_id": client.id, "client_secret": client.secret})

    def _peer(self, http: HttpRequest, client: Client | None, device: Device | None) -> Peer | None:
        """Who asks, on the list of those who are connected."""
        if client is None:
            return None
        address = f"{http.client.host}:{http.client.port}" if http.client else ""
        if client.role == BL and http.method != "GET":
            self.grid.roles.heard("aggregator", self.grid.now_ns)
        role = "desk" if client.role == BL else "device" if device else "VEN"
        return self.visitors.seen(client.id, address, role, device)


def _path(path: str) -> tuple[str, str]:
    """The path after the prefix, and the version that it names; 3.1 where it names none."""
    rest = path.removeprefix(PREFIX)
    for prefix, version in ((f"/{V301}", V301), (f"/{V310}", V310), ("/3.0", V301), ("/3.1", V310)):
        if rest == prefix or rest.startswith(f"{prefix}/"):
            return rest[len(prefix) :], version
    return rest, V310


def _form(body: bytes, content_type: str) -> dict[str, str]:
    """The fields of a form, or of a JSON object as some clients send it."""
    try:
        text = body.decode("utf-8")
        if "json" in content_type:
            given = json.loads(text)
            return {str(k): v for k, v in given.items() if isinstance(v, str)} if isinstance(given, dict) else {}
        return {name: values[0] for name, values in parse_qs(text, max_num_fields=50).items()}
    except (ValueError, RecursionError):
        return {}


def _response(answer: Answer) -> Response:
    from starlette.responses import Response

    headers: Mapping[str, str] = {"cache-control": "no-store"}
    kind = "application/problem+json" if answer.status >= 400 and "error" not in answer.body else "application/json"
    if answer.status == 401:
        headers = {**headers, "www-authenticate": "Bearer"}
    return Response(json.dumps(answer.body, allow_nan=False).encode(), answer.status, headers, kind)
