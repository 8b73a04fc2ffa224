"""Notifications: what changed is told to the callback of each subscription that is to it.

Source: OpenADR 3.0.1, whose operations are HTTP's words, and 3.1, whose are CREATE, UPDATE and DELETE.
"""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from heptagrid.live.access import is_loopback
from heptagrid.live.protocols.openadr.access import BL, Access, granted
from heptagrid.live.protocols.openadr.objects import V301, rendered, targets_in
from heptagrid.live.protocols.openadr.store import Object, Store

MOST_WAITING = 1000
"""Notifications that wait to be sent; more are dropped, and counted."""
TIMEOUT_S = 5.0
_IN_301 = {"CREATE": "POST", "UPDATE": "PUT", "DELETE": "DELETE"}


@dataclass(frozen=True)
class Notification:
    """One to be sent. client: whose the subscription is."""

    url: str
    token: str
    body: bytes
    client: str


def notifications(operation: str, kind: str, one: Object, store: Store, access: Access) -> list[Notification]:
    """What a change has to be told to whom."""
    found = []
    for subscription in store.all("SUBSCRIPTION"):
        if not _concerns(subscription, kind, one, store, access):
            continue
        version = subscription["version"]
        words = {operation, _IN_301[operation]}
        body = {
            "objectType": kind,
            "operation": _IN_301[operation] if version == V301 else operation,
            "object": rendered(kind, one, version),
        }
        if one.get("targets"):
            body["targets"] = targets_in(one["targets"], version)
        content = json.dumps(body).encode()
        for wanted in subscription["objectOperations"]:
            if kind in wanted["objects"] and words & set(wanted["operations"]):
                token = wanted.get("bearerToken") or ""
                found.append(Notification(wanted["callbackUrl"], token, content, subscription["clientID"]))
    return found


def _concerns(subscription: Object, kind: str, one: Object, store: Store, access: Access) -> bool:
    """Whether a subscription is to an object, and its client may see it."""
    program = subscription.get("programID")
    if program is not None and program != (one["id"] if kind == "PROGRAM" else one.get("programID", program)):
        return False
    targets = {value for _, value in one.get("targets", ())}
    asked = {value for _, value in subscription.get("targets", ())}
    if asked and not asked & targets:
        return False
    id = subscription["clientID"]
    client = access.clients.get(id)
    if client is not None and client.role == BL:
        return True
    if kind not in ("PROGRAM", "EVENT"):
        return bool(one.get("clientID") == id)
    own = granted([*store.of_client("VEN", id), *store.of_client("RESOURCE", id)])
    return not targets or bool(targets & own)


class Notifier:
    """Sends notifications, one after the other. is_local: only to this machine, as long as nobody else can subscribe. crossing: awaited with (client, bytes) before each is sent; count: of what failed."""

    def __init__(
        self, store: Store, access: Access, crossing: Callable[[str, int], Any], count: Callable[[str], None]
    ) -> None:
        self._store, self._access, self._crossing, self._count = store, access, crossing, count
        self._waiting: asyncio.Queue[Notification] = asyncio.Queue(MOST_WAITING)
        self.sent, self.is_local = 0, True
        store.changed.append(self._note)

    async def run(self) -> None:
        """Send until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            one = await self._waiting.get()
            if self.is_local and not is_loopback(urlsplit(one.url).hostname or ""):
                self._count("openadr: callback beyond this machine")
                continue
            try:
                if await self._crossing(one.client, len(one.body)):
                    await loop.run_in_executor(None, post, one)
                    self.sent += 1
            except OSError:
                self._count("openadr: callback failed")

    def _note(self, operation: str, kind: str, one: Object) -> None:
        for made in notifications(operation, kind, one, self._store, self._access):
            try:
                self._waiting.put_nowait(made)
            except asyncio.QueueFull:
                self._count("openadr: notification dropped")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A callback is where it says; nobody is led elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


def post(one: Notification) -> None:
    """Send a notification.

    Raises
    ------
    OSError
        If it is not taken.
    """
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {one.token}"} if one.token else {})
    request = urllib.request.Request(one.url, one.body, headers, method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
    try:
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            answer.read(4096)
    except urllib.error.HTTPError as problem:
        problem.close()
        raise OSError(f"{one.url} answered {problem.code}") from None
    except ValueError as problem:
        raise OSError(f"{one.url} cannot be called: {problem}") from None
