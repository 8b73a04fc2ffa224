"""Who may ask: the checks of host, origin and token before a request or a WebSocket reaches an endpoint."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from heptagrid.live.access import Access
from heptagrid.live.grid import LiveGrid
from heptagrid.live.http.problems import refused

COOKIE = "heptagrid_token"
OPEN_METHODS = ("GET", "HEAD", "OPTIONS")


class Guard:
    """An application behind the checks of `Access`.

    A browser that was led here by a name of another site (DNS rebinding) is refused by the host that it names; a page of another site by its origin; whoever
    has no token where one is needed by 401. A browser brings the token once, as `?token=`, and keeps it in a cookie that no script reads.
    """

    def __init__(self, application: ASGIApp, access: Access, grid: LiveGrid) -> None:
        self._application, self._access, self._grid = application, access, grid

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] not in ("http", "websocket"):
            await self._application(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._application(scope, receive, send)
        elif scope["type"] == "http":
            await refusal(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: HTTP 403

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if len(headers.getlist("host")) != 1 or not self._access.knows_host(host):
            return self._counted(
                "host",
                403,
                f"this is not the host {host[:100]!r}",
                f"ask for {self._access.address}, or serve with --name",
            )
        if origin is not None and not self._access.knows_origin(origin, host):
            return self._counted(
                "origin", 403, f"pages of {origin[:100]!r} may not ask", "open the page that the grid serves itself"
            )
        if not self._access.needs_token:
            return None
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        in_query = next((value for name, value in query if name == "token"), None)
        if self._access.is_token(_bearer(headers)) or self._access.is_token(_cookie(headers)):
            return None
        if in_query is not None and self._access.is_token(in_query):
            if scope["type"] == "websocket":
                return None
            if scope["method"] in OPEN_METHODS:
                return self._kept(scope, in_query, query)
        return self._counted(
            "token",
            401,
            "no valid token came with this",
            "send the header Authorization: Bearer TOKEN, or open the page with ?token=TOKEN; serve prints it",
            {"WWW-Authenticate": 'Bearer realm="heptagrid"'},
        )

    def _kept(self, scope: Scope, token: str, query: list[tuple[str, str]]) -> Response:
        """Lead a browser to the same page without the token in its address, which stays in a cookie."""
        rest = urlencode([one for one in query if one[0] != "token"])
        path = "/" + quote(scope["path"].lstrip("/"))  # one slash: `//host` would lead to another site
        response = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
        response.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=self._access.is_tls, path="/")
        return response

    def _counted(
        self, what: str, status: int, detail: str, remedy: str, headers: dict[str, str] | None = None
    ) -> Response:
        self._grid.count(f"interface: refused by {what}")
        return refused(status, detail, remedy, headers)


def _bearer(headers: Headers) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _cookie(headers: Headers) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return found.value if found else None
