"""OCPP calls a second on a live town, and what connections cost in memory: the other ends run in a process of their own.

python benchmarks/live_ocpp.py [--record]
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import multiprocessing
import os
import sys
import time
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import heptagrid
from heptagrid.live.protocols.ocpp.adapter import Ocpp
from heptagrid.live.serve import LiveRun, Options, loop_factory
from heptagrid.scenario.load import revised

CHARGERS = 200
STATIONS = 1000
MEASURED_S = 10.0
GOAL_PER_S = 2500.0
OPTIONS = Options(at="2016-07-04T18:00", http_port=None, is_ideal=True, ports={"ocpp": 0})
READING = {
    "connectorId": 1,
    "meterValue": [
        {
            "timestamp": "2026-08-04T12:00:00Z",
            "sampledValue": [
                {"value": "3600", "measurand": "Power.Active.Import", "unit": "W"},
                {"value": "120000", "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
            ],
        }
    ],
}


def main() -> None:
    here, there = multiprocessing.get_context("spawn").Pipe()
    peer = multiprocessing.get_context("spawn").Process(target=_peers, args=(there,), daemon=True)
    peer.start()
    port = here.recv()
    settings = [f'live.ocpp.csms="ws://127.0.0.1:{port}"', f"live.ocpp.charge_points={STATIONS}", "vehicles.share=0.5"]
    run = LiveRun(revised(heptagrid.load("town"), settings), replace(OPTIONS, out=None))
    with run.prepared(), asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_measure(run, here))
    peer.terminate()


async def _measure(run: LiveRun, peers: Connection) -> None:
    loop = asyncio.get_running_loop()
    _trim()
    before_mb = _resident_mb()
    await run.start()
    (adapter,) = run.protocols
    assert isinstance(adapter, Ocpp)
    assert adapter.fleet is not None
    began = time.perf_counter()
    while adapter.fleet.connected < STATIONS:
        await asyncio.sleep(0.1)
    took_s = time.perf_counter() - began
    await asyncio.sleep(5.0)
    _trim()
    held_mb = _resident_mb() - before_mb
    print(f"{STATIONS} charge points connected in {took_s:.1f} s; {held_mb:.0f} MB more than without")
    for words, order in (("to stations", ("stations", 0)), ("of chargers", ("chargers", adapter.listens_on))):
        cpu_s, loop_s, began = time.process_time(), time.thread_time(), time.perf_counter()
        peers.send(order)
        calls, p99_ms = await loop.run_in_executor(None, peers.recv)
        took_s = time.perf_counter() - began
        cores, per_core = (time.process_time() - cpu_s) / took_s, calls / (time.thread_time() - loop_s)
        print(
            f"calls {words}: {calls / MEASURED_S:.0f} a second (goal {GOAL_PER_S:.0f}), p99 {p99_ms:.0f} ms; the grid takes {cores:.2f} cores, "
            f"{per_core:.0f} calls in a second of its loop's processor time"
        )
    print(f"lag of the grid {run.pace.state.lag_s * 1000.0:.0f} ms; refused or malformed: {run.grid.counts}")
    await run.stop()


def _trim() -> None:
    """Give back to the system what Python has freed."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _peers(parent: Connection) -> None:
    """The other process: a CSMS for the stations, and chargers."""
    asyncio.run(_serve_peers(parent))


async def _serve_peers(parent: Connection) -> None:
    from websockets.asyncio.server import serve
    from websockets.exceptions import ConnectionClosed

    sockets: list[_Caller] = []
    names: Any = ["ocpp1.6"]

    async def csms(socket: Any) -> None:
        caller = _Caller(socket)
        sockets.append(caller)
        with suppress(ConnectionClosed):
            await caller.read()

    async with serve(csms, "127.0.0.1", 0, subprotocols=names, compression=None) as server:
        parent.send(next(iter(server.sockets)).getsockname()[1])
        loop = asyncio.get_running_loop()
        while True:
            kind, port = await loop.run_in_executor(None, parent.recv)
            parent.send(
                await (
                    _call_all(sockets[:CHARGERS], "GetConfiguration", {"key": ["HeartbeatInterval"]})
                    if kind == "stations"
                    else _chargers(port)
                )
            )


async def _chargers(port: int) -> tuple[int, float]:
    from websockets.asyncio.client import connect

    names: Any = ["ocpp1.6"]
    callers = []
    for k in range(CHARGERS):
        address = f"ws://127.0.0.1:{port}/vehicles-{STATIONS + k}"
        callers.append(_Caller(await connect(address, subprotocols=names, compression=None, proxy=None)))
    reading = [asyncio.create_task(one.read()) for one in callers]
    found = await _call_all(callers, "MeterValues", READING)
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    for one in callers:
        await one.socket.close()
    return found


async def _call_all(callers: list[_Caller], action: str, payload: dict[str, Any]) -> tuple[int, float]:
    """Calls on all connections, the next as soon as one is answered; how many were, and the 99th percentile of their times in ms."""
    ends = time.perf_counter() + MEASURED_S
    took_s: list[float] = []

    async def call(one: _Caller) -> None:
        while time.perf_counter() < ends:
            began = time.perf_counter()
            await one.call(action, payload)
            took_s.append(time.perf_counter() - began)

    await asyncio.gather(*(call(one) for one in callers))
    return len(took_s), sorted(took_s)[len(took_s) * 99 // 100] * 1000.0


class _Caller:
    """The least that speaks OCPP: it answers every call, and calls."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self._answered: asyncio.Future[None] | None = None

    async def call(self, action: str, payload: dict[str, Any]) -> None:
        self._answered = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps([2, "1", action, payload]).replace('"1"', f'"{time.perf_counter_ns()}"', 1))
        await self._answered

    async def read(self) -> None:
        async for text in self.socket:
            content = json.loads(text)
            if content[0] != 2:
                if self._answered is not None and not self._answered.done():
                    self._answered.set_result(None)
                continue
            answer: dict[str, Any] = {}
            if content[2] == "BootNotification":
                answer = {"status": "Accepted", "interval": 300, "currentTime": "2026-08-04T12:00:00Z"}
            elif content[2] in ("Authorize", "StartTransaction"):
                answer = {"idTagInfo": {"status": "Accepted"}}
                if content[2] == "StartTransaction":
                    answer["transactionId"] = 1
            elif content[2] in ("ChangeConfiguration", "TriggerMessage"):
                answer = {"status": "Accepted"}
            await self.socket.send(json.dumps([3, content[1], answer]))


if __name__ == "__main__":
    sys.exit(main())
