"""The OpenAPI document, made from the endpoints' declarations."""

from __future__ import annotations

import inspect
from functools import cache
from importlib.metadata import version
from typing import Any

import msgspec

from heptagrid.live.http.endpoint import Endpoint
from heptagrid.live.http.problems import MEDIA_TYPE, TITLES, Problem

DOCUMENT_TYPE = "application/vnd.oai.openapi+json;version=3.1"
_TEMPLATE = "#/components/schemas/{name}"
_EVERYWHERE = (400, 401, 403, 503)
_STREAMED = {"application/x-ndjson": ("application/x-ndjson", "text/event-stream")}


@cache
def document_bytes() -> bytes:
    """The document as JSON."""
    from heptagrid.live.http.routes import ENDPOINTS

    return msgspec.json.format(msgspec.json.encode(document(ENDPOINTS)), indent=1)


def document(endpoints: list[Endpoint]) -> dict[str, Any]:
    """The document of some endpoints (OpenAPI 3.1)."""
    types: list[Any] = [Problem]
    for one in endpoints:
        types += [kind for kind in (one.body, one.answer) if _has_schema(kind)]
    schemas, components = msgspec.json.schema_components(types, ref_template=_TEMPLATE)
    of = {repr(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for one in endpoints:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "heptagrid",
            "version": version("heptagrid"),
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
            "description": "A live grid: its state, its devices, its messages, its money, its clock, and what is done to it. Times are nanoseconds since 1970 UTC, simulated.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
        "tags": [{"name": name} for name in dict.fromkeys(one.subject for one in endpoints)],
    }


def _operation(one: Endpoint, of: dict[str, Any]) -> dict[str, Any]:
    words = inspect.cleandoc(one.handle.__doc__ or "")
    summary, _, rest = words.partition("\n\n")
    found: dict[str, Any] = {
        "operationId": one.handle.__name__,
        "tags": [one.subject],
        "summary": summary.split(": ")[0].rstrip("."),
        "description": summary + (f"\n\n{rest}" if rest else ""),
    }
    parameters = [*_parameters(one.path_type, "path"), *_parameters(one.query, "query")]
    if parameters:
        found["parameters"] = parameters
    if one.body is not None:
        found["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": of[repr(one.body)]}},
        }
    found["responses"] = {
        **{str(status): _answer(one, status, of) for status in one.statuses},
        **{
            str(status): {
                "description": TITLES[status],
                "content": {MEDIA_TYPE: {"schema": of[repr(Problem)]}},
            }
            for status in sorted({*_EVERYWHERE, *one.problems})
        },
    }
    return found


def _answer(one: Endpoint, status: int, of: dict[str, Any]) -> dict[str, Any]:
    schema = of[repr(one.answer)] if _has_schema(one.answer) else {}
    return {
        "description": "under way" if status == 202 else "what was asked for",
        "content": {name: {"schema": schema} for name in _STREAMED.get(one.media_type, (one.media_type,))},
    }


def _parameters(kind: type[Any] | None, where: str) -> list[dict[str, Any]]:
    """A path's or a query's fields; their schemas stand in the document itself."""
    if kind is None:
        return []
    (_,), components = msgspec.json.schema_components([kind], ref_template=_TEMPLATE)
    schema = components[kind.__name__]
    found = []
    for name, one in schema["properties"].items():
        plain = {key: value for key, value in one.items() if key != "description"}
        if any(each == {"type": "null"} for each in plain.get("anyOf", [])):
            plain = next(each for each in plain["anyOf"] if each != {"type": "null"})
            plain = {key: value for key, value in plain.items() if key != "description"}
        described = one.get("description") or next(
            (each["description"] for each in one.get("anyOf", []) if "description" in each), None
        )
        parameter = {"name": name, "in": where, "required": name in schema.get("required", []), "schema": plain}
        found.append(parameter | ({"description": described} if described else {}))
    return found


def _has_schema(kind: Any) -> bool:
    from starlette.responses import Response

    return kind is not None and not (isinstance(kind, type) and issubclass(kind, Response))
