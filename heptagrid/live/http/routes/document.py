"""The interface's own description."""

from __future__ import annotations

from starlette.responses import Response

from heptagrid.live.http.endpoint import Routes
from heptagrid.live.http.interface import Interface

ROUTES = Routes("description")


@ROUTES.get("/openapi.json", media_type="application/vnd.oai.openapi+json;version=3.1")
async def document(interface: Interface) -> Response:
    """Describe all endpoints (OpenAPI 3.1)."""
    from heptagrid.live.http.openapi import DOCUMENT_TYPE, document_bytes

    return Response(document_bytes(), 200, None, DOCUMENT_TYPE)
