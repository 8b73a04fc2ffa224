"""The clock: what time it is, pause, speed, and lock-step, where time moves only when a client says so."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from heptagrid.foundation.time import NS_PER_S, to_ns
from heptagrid.live.answers import Clock
from heptagrid.live.http.endpoint import Routes, Taken
from heptagrid.live.http.interface import Interface
from heptagrid.live.http.problems import ProblemError

ROUTES = Routes("clock")

LONGEST_S = 7 * 86_400.0


class ClockChange(Taken):
    """What is to change; at least one field."""

    pause: Annotated[bool, Meta(description="true: time stands still from now on")] = False
    go: Annotated[bool, Meta(description="true: time runs by itself from now on")] = False
    speed: (
        Annotated[float, Meta(ge=0.01, le=100_000.0, description="simulated seconds in one of the wall clock")]
        | Literal["max"]
        | None
    ) = None
    step_s: (
        Annotated[
            int,
            Meta(ge=0, le=60, description="length of steps: 1 to 6, 10, 12, 15, 20, 30 or 60 s; 0 as the speed says"),
        ]
        | None
    ) = None
    advance_s: (
        Annotated[
            float,
            Meta(
                ge=0.0,
                le=LONGEST_S,
                description="let time go on by so many seconds, as fast as it can, and stand still there",
            ),
        ]
        | None
    ) = None
    until: (
        Annotated[
            str,
            Meta(
                max_length=40,
                description="let time go on to then (ISO 8601; in the scenario's zone unless it says another), and stand still there",
            ),
        ]
        | None
    ) = None
    wait_s: Annotated[float, Meta(ge=0.0, le=3600.0, description="how long to wait for that, of the wall clock")] = (
        600.0
    )


@ROUTES.get("/clock")
async def clock(interface: Interface) -> Clock:
    """Show the clock."""
    state = interface.grid.engine.pace.state
    return Clock(
        ns=state.ns,
        local=interface.local(state.ns),
        zone=interface.grid.scenario.zone.key,
        begins=interface.run.begins.words,
        speed="max" if state.speed is None else state.speed,
        is_paused=state.is_paused,
        until_ns=state.until_ns,
        step_s=state.step_s,
        lag_s=state.lag_s,
        forced=state.forced,
    )


@ROUTES.post("/clock", 409)
async def change_clock(interface: Interface, body: ClockChange) -> Clock:
    """Pause, go, change the speed or the length of steps, or let time go on to an instant and wait until it has come.

    Several clients may let time go on at once: each of their spans is added to the others', and each is answered when its own instant has come.
    """
    _refuse_contradictions(body)
    pace = interface.grid.engine.pace
    until_ns = None if body.until is None else _instant(interface, body.until)
    if body.step_s is not None:
        pace.set_step(body.step_s or None)
    if body.speed is not None:
        pace.set_speed(None if body.speed == "max" else body.speed)
    if body.pause:
        pace.pause()
    if body.go:
        pace.go()
    if body.advance_s is not None:
        await _come(interface, pace.step(body.advance_s), body.wait_s)
    if until_ns is not None:
        await _come(interface, pace.run_to(until_ns), body.wait_s)
    return await clock(interface)


def _refuse_contradictions(body: ClockChange) -> None:
    asked = [
        name
        for name, is_asked in (
            ("pause", body.pause),
            ("go", body.go),
            ("advance_s", body.advance_s is not None),
            ("until", body.until is not None),
        )
        if is_asked
    ]
    if len(asked) > 1:
        raise ProblemError(400, f"{' and '.join(asked)} contradict each other", asked[1], "give one of them")
    if not asked and body.speed is None and body.step_s is None:
        raise ProblemError(400, "nothing is to change", None, "give pause, go, speed, step_s, advance_s or until")


def _instant(interface: Interface, text: str) -> int:
    """An instant that lies ahead.

    Raises
    ------
    ProblemError
    """
    zone, now_ns = interface.grid.scenario.zone, interface.grid.now_ns
    try:
        moment = datetime.fromisoformat(text)
        ns = to_ns(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except (ValueError, OverflowError):
        raise ProblemError(400, f"{text!r} is no instant", "until", "write one such as 2016-07-04T18:30") from None
    if not now_ns <= ns <= now_ns + round(LONGEST_S * NS_PER_S):
        raise ProblemError(
            400,
            f"{text} is not within the next week; it is {interface.local(now_ns)}",
            "until",
            "write a later instant, at most a week ahead",
        )
    return ns


async def _come(interface: Interface, ns: int, wait_s: float) -> None:
    """Wait until time has come to an instant.

    Raises
    ------
    ProblemError
        If the grid stops before. Not when `wait_s` is over: the clock that is answered shows how far it is.
    """
    loop = asyncio.get_running_loop()
    come: asyncio.Future[bool] = loop.create_future()

    def settle(has_come: bool) -> None:
        if not come.done():
            come.set_result(has_come)

    def told(has_come: bool) -> None:
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, has_come)

    interface.grid.engine.pace.when(ns, told)
    await asyncio.wait({come}, timeout=wait_s)
    if come.done() and not come.result():
        raise ProblemError(409, "the grid stopped before that instant", None, "start it again")
