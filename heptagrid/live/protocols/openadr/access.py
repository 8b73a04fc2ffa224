"""Who may do what at the VTN: OAuth 2 clients, their tokens and roles, and which objects a VEN may see.

Source: OpenADR 3.1 Definition, section "Object Privacy"; RFC 6749 section 4.4, client credentials. 3.0.1 has no privacy; here its clients are held to the same.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

BL, VEN = "BL", "VEN"
SCOPES = {
    BL: ("read_all", "read_bl", "write_programs", "write_events", "write_subscriptions", "write_vens"),
    VEN: ("read_targets", "read_ven_objects", "write_reports", "write_subscriptions", "write_vens"),
}
"""What a role may do, in the words of the specification."""
NEEDED_TO_WRITE = {
    "PROGRAM": "write_programs",
    "EVENT": "write_events",
    "REPORT": "write_reports",
    "SUBSCRIPTION": "write_subscriptions",
    "VEN": "write_vens",
    "RESOURCE": "write_vens",
}
TOKEN_S = 3600
"""Seconds of the wall clock for which a token is good: assumption, as in the specification's example."""
MOST_TOKENS = 10_000


@dataclass(frozen=True)
class Client:
    """Somebody with credentials. role: `BL`, business logic of the desk, or `VEN`, an end node."""

    id: str
    secret: str
    role: str

    def may(self, scope: str) -> bool:
        """Whether its role has a scope."""
        return scope in SCOPES[self.role]


@dataclass
class Access:
    """Clients and the tokens that they hold."""

    clients: dict[str, Client] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    _tokens: dict[str, tuple[Client, float]] = field(default_factory=dict)

    def enrol(self, id: str, role: str, secret: str = "") -> Client:
        """Add a client, or give it a new secret; without one a random secret is made."""
        client = Client(id, secret or secrets.token_urlsafe(24), role)
        self.clients[id] = client
        self._tokens = {token: held for token, held in self._tokens.items() if held[0].id != id}
        return client

    def client_with(self, id: str, secret: str) -> Client | None:
        """The client with these credentials."""
        found = self.clients.get(id)
        fits = hmac.compare_digest((found.secret if found else "-").encode(), secret.encode("utf-8", "replace"))
        return found if fits else None

    def token_for(self, client: Client) -> str:
        """A new token of a client."""
        now = self.clock()
        if len(self._tokens) >= MOST_TOKENS:
            self._tokens = {token: held for token, held in self._tokens.items() if held[1] > now}
        if len(self._tokens) >= MOST_TOKENS:
            self._tokens.pop(next(iter(self._tokens)))
        token = secrets.token_urlsafe(24)
        self._tokens[token] = (client, now + TOKEN_S)
        return token

    def holder(self, token: str) -> Client | None:
        """Who holds a token that is still good."""
        held = self._tokens.get(token)
        if held is None or held[1] <= self.clock():
            self._tokens.pop(token, None)
            return None
        return held[0]


def basic_credentials(header: str) -> tuple[str, str] | None:
    """Client id and secret of an `Authorization: Basic` header, as RFC 6749 section 2.3.1 encodes them; None: there are none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    id, colon, secret = text.partition(":")
    return (unquote_plus(id), unquote_plus(secret)) if colon else None


def bearer(header: str) -> str:
    """The token of an `Authorization: Bearer` header; empty if there is none."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def granted(own: Iterable[Mapping[str, Any]]) -> set[str]:
    """The targets that a VEN was granted: those of its own ven objects and resources."""
    return {value for one in own for _, value in one.get("targets", ())}
