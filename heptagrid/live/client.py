"""A typed client of a live grid's interface, on the standard library alone.

from heptagrid.live.client import Client

grid = Client("http://localhost:8080")
grid.order("vehicles/3", power_kw=3.7, for_s=3600)
grid.advance(60)
print(grid.state().v_min_pu)
"""

from __future__ import annotations

import json
import ssl
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from urllib.parse import urlencode, urlsplit

from heptagrid.foundation.errors import HeptagridError, UsageError
from heptagrid.live import answers

T = TypeVar("T")


class ProblemError(HeptagridError):
    """The grid refused something. status: of HTTP; field: which one of what was sent; remedy: what to do."""

    def __init__(self, status: int, detail: str, field: str | None, remedy: str | None) -> None:
        self.status, self.detail, self.field, self.remedy = status, detail, field, remedy
        super().__init__(f"{detail}{f'; {remedy}' if remedy else ''}")


class UnreachableError(HeptagridError):
    """There is no grid at the address, or it went away."""


class Client:
    """Asks one grid, over a connection that is kept; one client is for one thread.

    Every method raises `ProblemError` for what the grid refuses, and `UnreachableError` if there is none.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        *,
        token: str | None = None,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = 660.0,
    ) -> None:
        """Set up; nothing is asked yet. token: where the grid wants one; tls: which certificates to trust, None those of the system.

        Raises
        ------
        UsageError
            For an address that is none.
        """
        at = urlsplit(url)
        if at.scheme not in ("http", "https") or not at.hostname or at.path.strip("/"):
            raise UsageError(f"{url}: write an address such as http://127.0.0.1:8080")
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._at, self._tls, self._timeout_s = at, tls, timeout_s
        self._kept: HTTPConnection | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next question opens another."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def clock(self) -> answers.Clock:
        """The clock."""
        return self._ask("GET", "/clock", answers.Clock)

    def pause(self) -> answers.Clock:
        """Let time stand still."""
        return self._clock(pause=True)

    def go(self, speed: float | Literal["max"] | None = None) -> answers.Clock:
        """Let time run by itself, at a speed if one is given."""
        return self._clock(go=True, speed=speed)

    def set_step(self, step_s: int | None) -> answers.Clock:
        """Make steps so long: 1 to 6, 10, 12, 15, 20, 30 or 60 s; None: as the speed says."""
        return self._clock(step_s=step_s or 0)

    def advance(self, seconds: float) -> answers.Clock:
        """Let time go on by so much, as fast as it can, wait until it has, and let it stand still there."""
        return self._clock(advance_s=seconds)

    def advance_to(self, until: str) -> answers.Clock:
        """Let time go on to an instant (ISO 8601, in the scenario's zone), wait until it has come, and let it stand still there."""
        return self._clock(until=until)

    def _clock(self, **given: Any) -> answers.Clock:
        return self._ask("POST", "/clock", answers.Clock, body=_given(given))

    def state(self) -> answers.Figures:
        """The whole in figures."""
        return self._ask("GET", "/state", answers.Figures)

    def nodes(self, first: int = 0, count: int = 20_000) -> answers.Nodes:
        """A range of the network's nodes."""
        return self._ask("GET", "/nodes", answers.Nodes, {"first": first, "count": count})

    def points(self, first: int = 0, count: int = 20_000) -> answers.Points:
        """A range of the metering points."""
        return self._ask("GET", "/points", answers.Points, {"first": first, "count": count})

    def substations(self, first: int = 0, count: int = 20_000) -> answers.Substations:
        """A range of the substations."""
        return self._ask("GET", "/substations", answers.Substations, {"first": first, "count": count})

    def plants(self, first: int = 0, count: int = 20_000) -> answers.Plants:
        """A range of the bulk system's units."""
        return self._ask("GET", "/plants", answers.Plants, {"first": first, "count": count})

    def classes(self) -> list[answers.DeviceClassShown]:
        """The classes of devices and sites."""
        return self._ask("GET", "/classes", list[answers.DeviceClassShown])

    def devices(
        self, device_class: str | None = None, *, point: int | None = None, substation: int | None = None
    ) -> list[answers.DeviceShown]:
        """All devices that fit."""
        wanted = {"class": device_class, "point": point, "substation": substation}
        found: list[answers.DeviceShown] = []
        first: int | None = 0
        while first is not None:
            page = self._ask("GET", "/devices", answers.DevicesShown, wanted | {"first": first, "count": 2000})
            found += page.devices
            first = page.next_first
        return found

    def device(self, name: str) -> answers.DeviceShown:
        """A device, such as "vehicles/3"."""
        return self._ask("GET", f"/devices/{_path(name)}", answers.DeviceShown)

    def order(
        self, name: str, power_kw: float, for_s: float, *, in_s: float = 0.0, by: str = "client", wait_s: float = 0.0
    ) -> answers.ActionTold:
        """Order a device's power over the modelled network; `action` tells when it arrives. wait_s: of the wall clock, for its arrival."""
        body = {"power_kw": power_kw, "for_s": for_s, "in_s": in_s, "by": by, "wait_s": wait_s}
        return self._ask("POST", f"/devices/{_path(name)}/order", answers.ActionTold, body=body)

    def withdraw(self, name: str, *, by: str = "client", wait_s: float = 0.0) -> answers.ActionTold:
        """Take back what a device is ordered to do."""
        body = {"by": by, "wait_s": wait_s}
        return self._ask("POST", f"/devices/{_path(name)}/withdraw", answers.ActionTold, body=body)

    def set_busbar(self, target_pu: float, town: int = 0, *, by: str = "client") -> answers.ActionTold:
        """Set the voltage of a town's busbar."""
        body = {"target_pu": target_pu, "town": town, "by": by}
        return self._ask("POST", "/set-points/busbar", answers.ActionTold, body=body)

    def set_plant(self, unit: int, target_mw: float, *, by: str = "client") -> answers.ActionTold:
        """Set what a unit of the bulk system gives."""
        body = {"unit": unit, "target_mw": target_mw, "by": by}
        return self._ask("POST", "/set-points/plant", answers.ActionTold, body=body)

    def set_infeed(self, infeed_v_pu: float, town: int = 0, *, by: str = "client") -> answers.ActionTold:
        """Set the voltage of a town's infeed."""
        body = {"infeed_v_pu": infeed_v_pu, "town": town, "by": by}
        return self._ask("POST", "/set-points/infeed", answers.ActionTold, body=body)

    def action(self, number: int) -> answers.ActionTold:
        """What became of something that was asked for."""
        return self._ask("GET", f"/actions/{number}", answers.ActionTold)

    def actions(self, count: int = 100) -> list[answers.ActionTold]:
        """The last things that were asked for, the youngest first."""
        return self._ask("GET", "/actions", answers.ActionsTold, {"count": count}).actions

    def changes(self) -> list[answers.ChangeShown]:
        """The changes that can be made."""
        return self._ask("GET", "/changes", answers.ChangesShown).changes

    def change(self, what: str, *, by: str = "client", wait_s: float = 2.0, **given: Any) -> answers.ActionTold:
        """Change the grid before its next step, such as `change("jam", where="substation 2", duration_s=600.0)`."""
        body = {"what": what, "given": given, "by": by, "wait_s": wait_s}
        return self._ask("POST", "/changes", answers.ActionTold, body=body)

    def messages(self, **wanted: Any) -> list[answers.EventTold]:
        """The last events of messages: `event`, `kind`, `topic`, `sender`, `receiver`, `device`, `each` filter them."""
        return self._ask("GET", "/messages", answers.MessagesTold, wanted).events

    @contextmanager
    def stream(self, **wanted: Any) -> Iterator[Iterator[answers.EventTold | answers.Dropped]]:
        """Events of messages as they come, until the context is left; filtered as by `messages`."""
        connection = self._connection()
        try:
            answer = self._answer(connection, "GET", "/messages/stream", wanted, None)
            yield _events(answer)
        finally:
            connection.close()

    def peers(self) -> answers.PeersShown:
        """Who is connected over which protocol."""
        return self._ask("GET", "/peers", answers.PeersShown)

    def frames(self, **wanted: Any) -> list[answers.FrameShown]:
        """The last frames, the youngest first: `protocol`, `device`, `address`, `count` filter them."""
        return self._ask("GET", "/frames", answers.FramesShown, wanted).frames

    def roles(self) -> list[answers.RoleShown]:
        """Who plays whom."""
        return self._ask("GET", "/roles", answers.RolesShown).roles

    def play(self, role: str, player: str) -> list[answers.RoleShown]:
        """Declare that a program plays a desk."""
        return self._ask("POST", "/roles", answers.RolesShown, body={"role": role, "player": player}).roles

    def alive(self, role: str) -> list[answers.RoleShown]:
        """Give a sign of life of whoever plays a desk."""
        return self._ask("POST", f"/roles/{_path(role)}/alive", answers.RolesShown).roles

    def release(self, role: str) -> list[answers.RoleShown]:
        """Give a desk back to the built-in one."""
        return self._ask("DELETE", f"/roles/{_path(role)}", answers.RolesShown).roles

    def money(self) -> answers.Money:
        """The ledger so far, by domain and reason."""
        return self._ask("GET", "/money", answers.Money)

    def bill(self, point: int) -> answers.Bill:
        """A customer's bill so far."""
        return self._ask("GET", f"/money/bills/{point}", answers.Bill)

    def _ask(
        self,
        method: str,
        path: str,
        kind: type[T],
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> T:
        """The answer to a question; one that a connection closed meanwhile did not take is asked again, if it changes nothing."""
        is_kept = self._kept is not None
        connection = self._kept = self._kept or self._connection()
        try:
            answer = self._answer(connection, method, path, query, body)
            content = answer.read()
        except ProblemError:
            raise
        except UnreachableError:
            self.close()
            if not is_kept or method != "GET":
                raise
            return self._ask(method, path, kind, query, body)
        except (OSError, HTTPException) as problem:
            self.close()
            raise UnreachableError(f"{self.url} went away: {problem}") from problem
        return cast(T, _made(kind, json.loads(content)))

    def _answer(
        self,
        connection: HTTPConnection,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
    ) -> HTTPResponse:
        written = {
            name: str(one).lower() if isinstance(one, bool) else one for name, one in _given(query or {}).items()
        }
        target = path + (f"?{urlencode(written)}" if written else "")
        headers, content = dict(self._headers), None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body, allow_nan=False).encode()
        try:
            connection.request(method, target, content, headers)
            answer = connection.getresponse()
            if answer.status < 300:
                return answer
            said = answer.read()
        except (OSError, HTTPException) as problem:
            raise UnreachableError(
                f"{self.url} does not answer: {problem or type(problem).__name__}; start it with: heptagrid serve"
            ) from problem
        raise _problem(answer.status, said)

    def _connection(self) -> HTTPConnection:
        host, port = cast(str, self._at.hostname), self._at.port
        if self._at.scheme == "http":
            return HTTPConnection(host, port, timeout=self._timeout_s)
        return HTTPSConnection(host, port, timeout=self._timeout_s, context=self._tls)


def _problem(status: int, said: bytes) -> ProblemError:
    try:
        found = json.loads(said)
        return ProblemError(status, found["detail"], found.get("field"), found.get("remedy"))
    except (ValueError, KeyError, TypeError):
        return ProblemError(status, f"HTTP {status}: {said[:200].decode(errors='replace')}", None, None)


def _events(answer: HTTPResponse) -> Iterator[answers.EventTold | answers.Dropped]:
    while line := answer.readline():
        if line.strip():
            found = json.loads(line)
            yield _made(answers.Dropped if "dropped" in found else answers.EventTold, found)


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that are given."""
    return {name: value for name, value in fields.items() if value is not None}


def _path(name: str) -> str:
    """A name in a path; one that would lead elsewhere is refused.

    Raises
    ------
    UsageError
    """
    if not all(part.replace("_", "").replace("-", "").isalnum() for part in name.split("/")):
        raise UsageError(f"{name!r} is no name; write one such as vehicles/3")
    return name


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _made(kind: Any, value: Any) -> Any:
    """A value of JSON as a type says; fields that a later grid adds are left out."""
    if is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        return kind(**{one.name: _made(hints[one.name], value[one.name]) for one in fields(kind) if one.name in value})
    of, inner = get_origin(kind), get_args(kind)
    if of is list:
        return [_made(inner[0], one) for one in value]
    if of is dict:
        return {name: _made(inner[1], one) for name, one in value.items()}
    if of is tuple:
        return tuple(_made(each, one) for each, one in zip(inner, value, strict=True))
    if of in (Union, types.UnionType) and value is not None:
        return next((_made(one, value) for one in inner if is_dataclass(one)), value)
    return value
