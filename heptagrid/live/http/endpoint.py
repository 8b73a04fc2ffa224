"""Endpoints: a handler's annotations declare what it takes and answers; checks and the OpenAPI document are made from them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_type_hints

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from heptagrid.foundation.errors import HeptagridError, UsageError
from heptagrid.live.http.interface import Interface
from heptagrid.live.http.problems import ProblemError, misunderstood, properties
from heptagrid.live.http.problems import answer as problem_answer

LARGEST_BODY = 64 * 1024
"""Bytes of a request's body: assumption, a hundred times what the longest one takes."""

Handler = Callable[..., Awaitable[Any]]
H = TypeVar("H", bound=Handler)


class Taken(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Base of what a path, a query or a body carries: what it does not declare is refused."""


@dataclass(frozen=True)
class Endpoint:
    """One method of one path.

    path_type, query, body: what the handler's parameters of these names are declared as, None without. answer: what it returns; a `Response` of its own
    is declared by `media_type`. problems: statuses that it ends with beside 400, 401, 403 and 503.
    """

    method: str
    path: str
    subject: str
    handle: Handler
    path_type: type[Taken] | None
    query: type[Taken] | None
    body: type[Taken] | None
    answer: Any
    problems: tuple[int, ...]
    media_type: str = "application/json"

    @property
    def statuses(self) -> tuple[int, ...]:
        """With which it answers when all is well."""
        return getattr(self.answer, "STATUSES", (200,))

    async def respond(self, interface: Interface, request: Request) -> Response:
        """Answer a request."""
        given: dict[str, Any] = {}
        if self.path_type is not None:
            given["path"] = _converted(dict(request.path_params), self.path_type, "path", 404)
        given |= {"query": _query(request, self.query)} if self.query is not None else _no_query(request)
        if self.body is not None:
            given["body"] = await _body(request, self.body)
        try:
            answer = await self.handle(interface, **given)
        except UsageError as problem:
            raise ProblemError(400, str(problem)) from problem
        except HeptagridError as problem:
            raise ProblemError(503, str(problem), None, "wait until the grid is ready, or start it again") from problem
        if isinstance(answer, Response):
            return answer
        return Response(msgspec.json.encode(answer), getattr(answer, "http_status", 200), None, self.media_type)


@dataclass
class Routes:
    """The endpoints of one subject, in the order in which they are declared."""

    subject: str
    endpoints: list[Endpoint] = field(default_factory=list)

    def get(self, path: str, *problems: int, media_type: str = "application/json") -> Callable[[H], H]:
        """Declare what GET does."""
        return self._declared("GET", path, problems, media_type)

    def post(self, path: str, *problems: int) -> Callable[[H], H]:
        """Declare what POST does."""
        return self._declared("POST", path, problems, "application/json")

    def delete(self, path: str, *problems: int) -> Callable[[H], H]:
        """Declare what DELETE does."""
        return self._declared("DELETE", path, problems, "application/json")

    def _declared(self, method: str, path: str, problems: tuple[int, ...], media_type: str) -> Callable[[H], H]:
        def declare(handle: H) -> H:
            hints = get_type_hints(handle, include_extras=True)
            path_type, query, body = (hints.get(name) for name in ("path", "query", "body"))
            ends = (*problems, *((413, 415) if body is not None else ()))
            self.endpoints.append(
                Endpoint(method, path, self.subject, handle, path_type, query, body, hints["return"], ends, media_type)
            )
            return handle

        return declare


def routes_of(interface: Interface, endpoints: list[Endpoint]) -> list[Route]:
    """Starlette's routes, one a path; a method that a path does not have is answered by 405 with those that it has."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for one in endpoints:
        by_path.setdefault(one.path, {})[one.method] = one
    return [Route(path, _dispatch(interface, methods), methods=_ALL) for path, methods in by_path.items()]


_ALL = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"]


def _dispatch(interface: Interface, methods: dict[str, Endpoint]) -> Callable[[Request], Awaitable[Response]]:
    allowed = ", ".join(sorted({*methods, *(["HEAD"] if "GET" in methods else [])}))

    async def answer(request: Request) -> Response:
        one = methods.get("GET" if request.method == "HEAD" else request.method)
        if one is None:
            problem = ProblemError(405, f"{request.method} does nothing here", None, f"use {allowed}")
            return problem_answer(problem.problem, {"Allow": allowed})
        try:
            return await one.respond(interface, request)
        except ProblemError as problem:
            return problem_answer(problem.problem)

    return answer


def _no_query(request: Request) -> dict[str, Any]:
    for name in request.query_params:
        raise ProblemError(400, f"the query has no field {name!r}", name, "leave it out")
    return {}


def _query(request: Request, kind: type[Taken]) -> Taken:
    pairs = request.query_params.multi_items()
    given = dict(pairs)
    if len(given) != len(pairs):
        twice = next(name for name in given if sum(name == other for other, _ in pairs) > 1)
        raise ProblemError(400, f"the query gives {twice!r} twice", twice, "give it once")
    for name, value in given.items():
        if value.lower() == "null" and not _takes_text(
            kind, name
        ):  # or it would be taken for a field that is not given
            raise ProblemError(400, f"the query: {name} is {value!r}", name, "leave it out")
    return _converted(given, kind, "query", 400)


def _takes_text(kind: type[Taken], name: str) -> bool:
    """Whether a field takes any text."""
    schema = properties(kind).get(name, {})
    return any(one.get("type") == "string" and "enum" not in one for one in (schema, *schema.get("anyOf", ())))


def _converted(given: dict[str, str], kind: type[Taken], where: str, status: int) -> Taken:
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        problem = misunderstood(error, kind, where)
        if status != 400:
            raise ProblemError(status, problem.problem.detail, problem.problem.field, problem.problem.remedy) from error
        raise problem from error


async def body_of(request: Request) -> bytes:
    """A request's body.

    Raises
    ------
    ProblemError
        If it is longer than `LARGEST_BODY`.
    """
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > LARGEST_BODY:
            raise ProblemError(
                413, f"the body has more than {LARGEST_BODY} bytes", None, f"send {LARGEST_BODY} bytes at most"
            )
    return bytes(read)


async def _body(request: Request, kind: type[Taken]) -> Taken:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise ProblemError(
            415, f"the body is {media_type or 'of no type'}", None, "send the header Content-Type: application/json"
        )
    read = await body_of(request)
    try:
        return msgspec.json.decode(read, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        if isinstance(error, RecursionError):
            raise ProblemError(400, "the body is nested too deeply", None, "send one JSON object") from error
        raise misunderstood(error, kind, "body") from error
