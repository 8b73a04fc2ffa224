"""What the interface answers when something is wrong: problem details (RFC 9457), with the field and the remedy."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"

TITLES = {
    400: "this cannot be understood",
    401: "a token is missing or wrong",
    403: "this is not allowed",
    404: "there is no such thing",
    405: "this method does nothing here",
    408: "this comes too slowly",
    409: "this cannot be done now",
    413: "this is too large",
    415: "only JSON is understood",
    431: "this is too large",
    500: "a defect in heptagrid",
    501: "this is not understood",
    503: "the grid does not answer",
}


class Problem(msgspec.Struct, omit_defaults=True):
    """What is wrong. detail: in words; field: which field of what was sent, if it is one; remedy: what to do."""

    title: str
    status: int
    detail: str
    field: str | None = None
    remedy: str | None = None


class ProblemError(Exception):
    """Ends a request with a problem."""

    def __init__(self, status: int, detail: str, field: str | None = None, remedy: str | None = None) -> None:
        super().__init__(detail)
        self.problem = Problem(TITLES[status], status, detail[:2000], field, remedy)


def answer(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """A problem as a response."""
    return Response(msgspec.json.encode(problem), problem.status, headers, MEDIA_TYPE)


def refused(status: int, detail: str, remedy: str, headers: dict[str, str] | None = None) -> Response:
    """A problem as a response, of a request that no endpoint sees."""
    return answer(ProblemError(status, detail, None, remedy).problem, headers)


def misunderstood(error: msgspec.MsgspecError | UnicodeError, kind: type[Any], where: str) -> ProblemError:
    """What is wrong with a body, a path or a query of a type."""
    said = str(error).replace("`", "")
    if not isinstance(error, msgspec.ValidationError):
        return ProblemError(400, f"the {where} is no JSON: {said}", None, "send one JSON object in UTF-8")
    words, _, place = said.partition(" - at $.")
    named = re.search(r"field (\S+)$", words)
    field = place or (named[1] if named else None)
    fields = properties(kind)
    if field is None:
        return ProblemError(400, f"the {where}: {words}", None, "send one JSON object")
    if "unknown field" in words:
        return ProblemError(
            400, f"the {where} has no field {field!r}", field, f"fields are {', '.join(fields) or 'none'}"
        )
    return ProblemError(400, f"the {where}: {words}", field, _expected(kind, re.split(r"[.\[]", field)[0]))


def properties(kind: type[Any]) -> dict[str, dict[str, Any]]:
    """The schema of each field of a type; made once."""
    if kind.__qualname__ not in _KNOWN:
        _KNOWN[kind.__qualname__] = msgspec.json.schema(kind)["$defs"][kind.__name__].get("properties", {})
    return _KNOWN[kind.__qualname__]


_KNOWN: dict[str, dict[str, dict[str, Any]]] = {}


def _expected(kind: type[Any], field: str) -> str:
    """What a field of a type must be, from its declaration."""
    schema = properties(kind).get(field, {})
    one = next((each for each in schema.get("anyOf", []) if each.get("type") != "null"), schema)
    description = schema.get("description") or one.get("description", "")
    bounds = [f"{word} {one[key]:g}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in one]
    said = " ".join(filter(None, [str(one.get("type", "")), *bounds]))
    if "enum" in one:
        said = f"one of {', '.join(map(str, one['enum']))}"
    return f"{field}: {said}{f' ({description})' if description else ''}".strip()
