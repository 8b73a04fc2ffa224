"""The VTN without sockets: a request of a client in, an answer out.

Paths are those after the version's prefix, such as `/events/e1`. Source: OpenADR 3.0.1 and 3.1.0, OpenAPI specification and Definition.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from heptagrid.live.protocols.openadr.access import BL, NEEDED_TO_WRITE, VEN, Access, Client, bearer, granted
from heptagrid.live.protocols.openadr.objects import KINDS, V301, V310, faults, kept, pairs, rendered
from heptagrid.live.protocols.openadr.search import found
from heptagrid.live.protocols.openadr.store import Object, Store, TakenError

_PATHS = {f"{kind.lower()}s": kind for kind in KINDS}
_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    504: "Gateway Timeout",
}
_RESOURCES_IN_VEN = 50
"""Resources that 3.0.1 lists within their ven; of one with more they are asked for by themselves."""
_LISTED_FAULTS = 10


@dataclass(frozen=True)
class Request:
    """What a client asks. query: all values of each parameter; body: as it came."""

    method: str
    path: str
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    body: bytes = b""
    authorization: str = ""
    version: str = V310


@dataclass(frozen=True)
class Answer:
    """What it is told. body: to be written as JSON."""

    status: int
    body: Any


class Refused(Exception):
    """A request that is not served: its status, and what is wrong."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


def problem(status: int, detail: str) -> Answer:
    """A problem as RFC 9457 writes it."""
    return Answer(
        status, {"type": "about:blank", "title": _TITLES.get(status, "Error"), "status": status, "detail": detail}
    )


class Vtn:
    """Serves clients from a store. grants: the targets that a ven or resource has by its name; count: of what was refused."""

    def __init__(
        self,
        store: Store,
        access: Access,
        grants: Callable[[str], Sequence[Any]] = lambda name: (),
        count: Callable[[str], None] = lambda what: None,
    ) -> None:
        self.store, self.access, self.grants, self.count = store, access, grants, count

    def handle(self, request: Request) -> Answer:
        """Serve a request."""
        try:
            return self._served(request)
        except Refused as refused:
            self.count(f"openadr: {refused.status} {request.method} {_collection(request.path)}".rstrip())
            return problem(refused.status, refused.detail)

    def client_of(self, request: Request) -> Client:
        """Who asks.

        Raises
        ------
        Refused
            Without a token that is good.
        """
        token = bearer(request.authorization)
        client = self.access.holder(token) if token else None
        if client is None:
            raise Refused(401 if request.version == V310 else 403, "a bearer token from /auth/token is needed")
        return client

    def _served(self, request: Request) -> Answer:
        client = self.client_of(request)
        parts = [part for part in request.path.split("/") if part]
        if parts[:1] == ["notifiers"] and request.version == V310:
            if len(parts) == 1 and request.method == "GET":
                return Answer(200, {"WEBHOOK": True})
            raise Refused(404, "notifications are by webhook alone")
        within = ""
        if request.version == V301 and parts[:1] == ["vens"] and parts[2:3] == ["resources"]:
            within, parts = parts[1], parts[2:]
            self._object("VEN", within, client)
        kind = _PATHS.get(parts[0]) if parts else None
        if kind is None or len(parts) > 2 or (kind == "RESOURCE" and request.version == V301 and not within):
            raise Refused(404, f"there is no {_shown(request.path)}")
        if len(parts) == 1:
            if request.method == "GET":
                return Answer(200, self._listed(kind, request, client, within))
            if request.method == "POST":
                return Answer(201, self._made(kind, request, client, within))
        elif request.method in ("GET", "PUT", "DELETE"):
            return Answer(200, self._one(kind, parts[1], request, client, within))
        raise Refused(405, f"{request.method} is not for {_shown(request.path)}")

    def _listed(self, kind: str, request: Request, client: Client, within: str) -> list[Any]:
        visible = [one for one in self.store.all(kind) if not within or one["venID"] == within]
        own = self._granted(client) if client.role == VEN else None
        try:
            hits = found(kind, visible, request.query, request.version, client, own, self.store.now_ns())
        except ValueError as wrong:
            raise Refused(400, str(wrong)) from None
        return [self._shown_as(kind, one, request.version, shown) for one, shown in hits]

    def _made(self, kind: str, request: Request, client: Client, within: str) -> Any:
        content = self._content(kind, request, client, within, None)
        try:
            made = self.store.add(kind, content)
        except TakenError as taken:
            raise Refused(409, str(taken)) from None
        return self._shown_as(kind, made, request.version, None)

    def _one(self, kind: str, id: str, request: Request, client: Client, within: str) -> Any:
        one, shown = self._object(kind, id, client)
        if within and one["venID"] != within:
            raise Refused(404, f"ven {within} has no resource {id}")
        if request.method == "GET":
            return self._shown_as(kind, one, request.version, shown)
        self._refuse_writing(kind, client)
        if one.get("isBuiltIn"):
            self._refuse(403, f"{kind.lower()} {id} is built in; the desk that is served here keeps it")
        if request.method == "DELETE":
            return self._shown_as(kind, self.store.delete(kind, id), request.version, None)
        content = self._content(kind, request, client, within, one)
        try:
            made = self.store.replace(kind, id, content)
        except TakenError as taken:
            raise Refused(409, str(taken)) from None
        return self._shown_as(kind, made, request.version, None)

    def _granted(self, client: Client) -> set[str]:
        return granted([*self.store.of_client("VEN", client.id), *self.store.of_client("RESOURCE", client.id)])

    def _object(self, kind: str, id: str, client: Client) -> tuple[Object, set[str] | None]:
        """An object that a client may see, and which of its targets it may know, None: all.

        Raises
        ------
        Refused
        """
        one = self.store.get(kind, id)
        if one is None:
            raise Refused(404, f"there is no {kind.lower()} {_shown(id)}")
        if client.role == BL:
            return one, None
        if kind in ("PROGRAM", "EVENT"):
            own = self._granted(client)
            if one.get("targets") and not own.intersection(value for _, value in one["targets"]):
                raise Refused(404, f"there is no {kind.lower()} {_shown(id)}")
            return one, own
        if one.get("clientID") != client.id:
            self._refuse(403, f"{kind.lower()} {id} is another client's")
        return one, None

    def _content(self, kind: str, request: Request, client: Client, within: str, old: Object | None) -> Object:
        """The content that a client sent, as it is kept.

        Raises
        ------
        Refused
        """
        self._refuse_writing(kind, client)
        given = _parsed(request.body)
        if within and isinstance(given, dict):
            given = {**given, "venID": within}
        wrong = faults(kind, given, request.version)
        if wrong:
            raise Refused(400, "; ".join(wrong[:_LISTED_FAULTS]))
        content = kept(kind, given, request.version)
        if kind in ("VEN", "RESOURCE"):
            self._own(kind, content, given, client, old)
        elif kind in ("REPORT", "SUBSCRIPTION"):
            content["clientID"] = client.id if old is None else old["clientID"]
            content["version"] = request.version
        self._refer(kind, content)
        return content

    def _own(self, kind: str, content: Object, given: Mapping[str, Any], client: Client, old: Object | None) -> None:
        """Whose a ven or resource is, and which targets it has: a VEN's own, with the targets that its name gives it and that the desk gave before."""
        if client.role == VEN:
            content["clientID"] = client.id
            content["targets"] = list(old.get("targets", ())) if old else []
        else:
            content["clientID"] = str(given.get("clientID") or (old or {}).get("clientID") or "")
            content.setdefault("targets", [])
        if kind == "RESOURCE":
            ven = self.store.get("VEN", content["venID"])
            if ven is None:
                raise Refused(404, f"there is no ven {content['venID']}")
            if client.role == VEN and ven["clientID"] != client.id:
                self._refuse(403, f"ven {content['venID']} is another client's")
            content["clientID"] = ven["clientID"]
        elif not content["clientID"]:
            content["clientID"] = content["venName"]
        name = content["venName" if kind == "VEN" else "resourceName"]
        content["targets"] = list(dict.fromkeys([*content["targets"], *pairs(self.grants(name))]))

    def _refer(self, kind: str, content: Object) -> None:
        """Refuse what refers to something that is not there."""
        if kind == "REPORT":
            event = self.store.get("EVENT", content["eventID"])
            if event is None:
                raise Refused(400, f"there is no event {content['eventID']}")
            content["programID"] = event["programID"]
        elif "programID" in content and self.store.get("PROGRAM", content["programID"]) is None:
            raise Refused(400, f"there is no program {content['programID']}")

    def _refuse_writing(self, kind: str, client: Client) -> None:
        if not client.may(NEEDED_TO_WRITE[kind]):
            self._refuse(403, f"a {client.role} client may not write a {kind.lower()}")

    def _refuse(self, status: int, detail: str) -> NoReturn:
        raise Refused(status, detail)

    def _shown_as(self, kind: str, one: Object, version: str, known: set[str] | None) -> Any:
        """An object as a version writes it. known: the targets that may be told, None: all."""
        if known is not None and one.get("targets"):
            one = {**one, "targets": [pair for pair in one["targets"] if pair[1] in known]}
        shown = rendered(kind, one, version)
        if kind == "VEN" and version == V301 and not one.get("isBuiltIn"):
            resources = [each for each in self.store.all("RESOURCE") if each["venID"] == one["id"]]
            if 0 < len(resources) <= _RESOURCES_IN_VEN:
                shown["resources"] = [rendered("RESOURCE", each, version) for each in resources]
        return shown


def _parsed(body: bytes) -> Any:
    """The JSON of a body.

    Raises
    ------
    Refused
    """

    def no_number(text: str) -> NoReturn:
        raise ValueError(f"{text} is no number of JSON")

    try:
        return json.loads(body.decode("utf-8"), parse_constant=no_number)
    except (ValueError, RecursionError) as wrong:
        raise Refused(400, f"the body is no JSON: {wrong}"[:500]) from None


def _collection(path: str) -> str:
    """The collection that a path names, under which refusals are counted; empty if there is no such one."""
    first = path.lstrip("/").partition("/")[0]
    return f"/{first}" if first in _PATHS or first == "notifiers" else ""


def _shown(text: str) -> str:
    """A path or id as an answer repeats it."""
    return text[:80]
