"""The control room: its page, what the page is told once, and its stream of frames."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from heptagrid.assembly.place_names import Places
from heptagrid.contracts import control
from heptagrid.foundation.errors import HeptagridError, UsageError
from heptagrid.foundation.time import NS_PER_S, from_ns
from heptagrid.live.alarms import SHELVED_MIN, Alarms
from heptagrid.live.crossing import Outgoing
from heptagrid.live.grid import LiveGrid
from heptagrid.live.history import History, figures_of
from heptagrid.live.http.endpoint import body_of
from heptagrid.live.http.problems import ProblemError, answer, refused
from heptagrid.live.http.room_frames import StateFrames, framed
from heptagrid.live.http.room_house import house
from heptagrid.live.http.room_scene import scene_of
from heptagrid.live.state import State

FOLDER = Path(__file__).parent.parent / "room"
KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
Handler = Callable[[Request], Awaitable[Response]]

FRAMES_PER_S = 10.0
UNANSWERED = 3
"""Frames under way to a page: assumption, enough to be on time over a slow line, too few to be old."""
LOOKS_PER_S = 2.0
"""How often alarms are looked for, of the wall clock: assumption, faster than a person reacts."""


class Room:
    """What all who have the page open share. frames: a header and the arrays of the last state."""

    def __init__(self, grid: LiveGrid) -> None:
        self.grid = grid
        self.alarms = Alarms(grid.inventory.world)
        self.history = History()
        self.places = Places(grid.inventory.world)
        self._scene: bytes | None = None
        self._frames = StateFrames(grid)
        self._state: State | None = None
        self._number = 0
        self._arrays: tuple[int, bytes] = (-1, b"")
        self._figures: dict[str, float] = {}
        self._looked_s = 0.0
        self._is_due = False
        grid.engine.on_state.append(self._told)
        if grid.engine.state is not None:
            self._take(grid.engine.state)
        grid.loop.run_in_executor(None, lambda: self.scene)  # ready before somebody asks

    def _told(self, state: State) -> None:
        """A state was published, by the engine's thread."""
        if not self._is_due:
            self._is_due = True
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self.grid.loop.call_soon_threadsafe(self._take_last)

    def _take_last(self) -> None:
        self._is_due = False
        self._take(self.grid.state)

    def _take(self, state: State) -> None:
        self._state, self._number = state, self._number + 1
        self._figures = figures_of(state)
        self.history.take(state, self._figures)
        now_s = time.monotonic()
        if now_s - self._looked_s >= 1.0 / LOOKS_PER_S or not self.grid.engine.pace.is_free:
            self._looked_s = now_s
            self.alarms.look(state, self.grid.engine.pace.state.lag_s, self.grid.counts)

    @property
    def scene(self) -> bytes:
        """The scene as compressed JSON."""
        if self._scene is None:
            self._scene = gzip.compress(json.dumps(scene_of(self.grid)).encode(), 5)
        return self._scene

    def frame(self, known: int) -> tuple[bytes, int]:
        """A frame for one who knows a state's number, and the number that is known with it."""
        state = self._state
        if state is None or known == self._number:
            return framed(self._header(state), None), known
        if self._arrays[0] != self._number:
            self._arrays = self._number, self._frames.arrays(state)
        return framed(self._header(state), self._arrays[1]), self._number

    def _header(self, state: State | None) -> dict[str, Any]:
        """Clock, figures, and what else has changed."""
        grid, clock = self.grid, self.grid.engine.pace.state
        header: dict[str, Any] = {
            "clock": asdict(clock) | {"local": from_ns(clock.ns, grid.scenario.zone).isoformat()},
            "running": grid.engine.is_running,
            "alarms": self.alarms.version,
            "alarm_counts": self.alarms.counts(),
            "peers": len(grid.peers),
            "refused": sum(grid.counts.values()),
        }
        if state is not None:
            header |= {
                "state": self._number,
                "at_ns": state.at_ns,
                "until_ns": state.until_ns,
                "age_s": round(state.age_s, 3),
                "figures": {name: value if math.isfinite(value) else None for name, value in self._figures.items()},
                "under_way": state.traffic.under_way,
                "since_ns": state.money.since_ns,
                "devices_kw": {name: float(one.power_kw.sum()) for name, one in state.devices.items()},
            }
        return header

    async def stream(self, socket: WebSocket, answered: asyncio.Semaphore) -> None:
        """Push frames until the other end goes; each takes of `answered`, so that who is slow sees few frames, and no old ones."""
        known, due = -1, time.monotonic()
        while True:
            await answered.acquire()
            frame, known = self.frame(known)
            await socket.send_bytes(frame)
            due = max(due + 1.0 / FRAMES_PER_S, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    async def do(self, given: dict[str, Any]) -> dict[str, Any]:
        """What somebody at the page commands: a device's power, or a busbar's voltage; when it arrived.

        Raises
        ------
        UsageError, LostError, RefusedError
        """
        grid, what = self.grid, given.get("what")
        if what == "order":
            device = grid.inventory.device(str(given.get("device", "")))
            power_kw, minutes = _number(given, "power_kw", -1e4, 1e4), _number(given, "minutes", 0.01, 1440.0)
            until_ns = grid.now_ns + round(minutes * 60.0 * NS_PER_S)
            return {"arrived_ns": await grid.order(device, [power_kw], None, until_ns)}
        if what == "busbar":
            town = int(_number(given, "town", 0, len(grid.inventory.world.towns) - 1))
            target = control.BusbarVoltage(np.array([town]), np.array([_number(given, "target_pu", 0.9, 1.1)]))
            ends = np.array([grid.endpoints.operations]), np.array([int(grid.endpoints.hubs[town])])
            fate = await grid.send(Outgoing(control.BUSBAR, target, *ends))
            return {"arrived_ns": fate.ns}
        raise UsageError(f"there is no command {what!r}; there are order and busbar")

    def note_alarm(self, given: dict[str, Any]) -> None:
        """Acknowledge or silence an alarm, or all of a kind, or all.

        Raises
        ------
        UsageError
        """
        id, kind, what = given.get("id"), given.get("kind"), given.get("do")
        if id is not None and not isinstance(id, int):
            raise UsageError(f"id is the number of an alarm, not {id!r}")
        if what == "acknowledge":
            self.alarms.acknowledge(id, self.grid.now_ns, kind)
        elif what == "silence":
            minutes = _number({"minutes": SHELVED_MIN} | given, "minutes", 0.0, 1440.0)
            self.alarms.silence(id, minutes, kind)
        else:
            raise UsageError(f"an alarm can be told to acknowledge or silence, not {what!r}")


def room_routes(grid: LiveGrid) -> list[BaseRoute]:
    """The routes of the page and of what it asks for."""
    room = Room(grid)

    async def page(request: Request) -> Response:
        return _file(FOLDER / "index.html", request)

    async def file(request: Request) -> Response:
        path = (FOLDER / request.path_params["path"]).resolve()
        if FOLDER not in path.parents or path.suffix not in KINDS or not path.is_file():
            return Response(status_code=404, headers=HEADERS)
        return _file(path, request)

    async def scene(request: Request) -> Response:
        body = await asyncio.to_thread(lambda: room.scene)
        return Response(body, media_type="application/json", headers=HEADERS | {"Content-Encoding": "gzip"})

    async def series(request: Request) -> Response:
        return JSONResponse(room.history.columns(), headers=HEADERS)

    async def alarms(request: Request) -> Response:
        if request.method == "POST":
            room.note_alarm(await _given(request))
        found = {"version": room.alarms.version, "alarms": [one.told() for one in room.alarms.all()]}
        return JSONResponse(found, headers=HEADERS)

    async def point(request: Request) -> Response:
        return JSONResponse(house(grid, room.places, int(request.path_params["point"])), headers=HEADERS)

    async def peers(request: Request) -> Response:
        found = {
            "roles": grid.roles.from_outside(),
            "peers": [asdict(one) for one in grid.peers],
            "frames": [one._asdict() for one in list(grid.frames)[-200:]],
            "counts": grid.counts,
        }
        return JSONResponse(found, headers=HEADERS)

    async def do(request: Request) -> Response:
        return JSONResponse(await room.do(await _given(request)), headers=HEADERS)

    async def live(socket: WebSocket) -> None:
        if not _is_own(socket):
            await socket.close(4403)
            return
        await socket.accept()
        answered = asyncio.Semaphore(UNANSWERED)
        pushing = asyncio.create_task(room.stream(socket, answered))
        while (await socket.receive())["type"] != "websocket.disconnect":
            answered.release()
        pushing.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError, OSError):
            await pushing

    return [
        Route("/", page),
        Route("/room/scene.json", scene),
        Route("/room/series.json", series),
        Route("/room/alarms", _explained(alarms), methods=["GET", "POST"]),
        Route("/room/points/{point:int}", _explained(point)),
        Route("/room/peers", peers),
        Route("/room/do", _explained(do), methods=["POST"]),
        WebSocketRoute("/room/live", live),
        Route("/room/{path:path}", file),
    ]


def _file(path: Path, request: Request) -> Response:
    """A file, compressed for those who take that."""
    takes_gzip = "gzip" in request.headers.get("accept-encoding", "")
    body = _compressed(path, path.stat().st_mtime_ns) if takes_gzip else path.read_bytes()
    encoding = {"Content-Encoding": "gzip"} if takes_gzip else {}
    return Response(body, media_type=KINDS[path.suffix], headers=HEADERS | {"Vary": "Accept-Encoding"} | encoding)


@lru_cache(maxsize=64)
def _compressed(path: Path, changed_ns: int) -> bytes:
    return gzip.compress(path.read_bytes(), 6)


def _explained(handle: Handler) -> Handler:
    """An endpoint that says what was wrong."""

    async def respond(request: Request) -> Response:
        try:
            return await handle(request)
        except ProblemError as problem:
            return answer(problem.problem, HEADERS)
        except UsageError as problem:
            return refused(400, str(problem), "load the page again, or see docs/live/control-room.md", HEADERS)
        except HeptagridError as problem:
            return refused(409, str(problem), "try it again", HEADERS)

    return respond


async def _given(request: Request) -> dict[str, Any]:
    """The JSON object that a request of our own page carries.

    Raises
    ------
    UsageError
    """
    if not _is_own(request) or not request.headers.get("content-type", "").startswith("application/json"):
        raise UsageError("this takes application/json, from the page itself or a program, not from another page")
    try:
        given = json.loads(await body_of(request))
    except (ValueError, RecursionError):
        raise UsageError("the body is no JSON") from None
    if not isinstance(given, dict):
        raise UsageError("the body is a JSON object")
    return given


def _is_own(connection: HTTPConnection) -> bool:
    """Whether it comes from our own page or from a program, and not from another page in the same browser."""
    origin = connection.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == connection.headers.get("host")


def _number(given: dict[str, Any], name: str, low: float, high: float) -> float:
    value = given.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise UsageError(f"{name} is a number from {low:g} to {high:g}, not {value!r}")
    return float(value)
