"""Stations of IEC 60870-5-104: the memory of a thousand connections, frames a second, and how long an answer takes; network ideal, so that only the server counts.

python benchmarks/live_iec104.py [SCENARIO] [--connections N] [--seconds S]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import deque
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.processes import cpu_of, resident_mb, serving
from heptagrid.live.protocols.iec104.apci import (
    Function,
    Information,
    Splitter,
    Supervisory,
    Unnumbered,
    decode,
    encode,
)
from heptagrid.live.protocols.iec104.asdu import Asdu, Cause, Object
from heptagrid.live.protocols.iec104.asdu import encode as asdu_bytes
from heptagrid.live.protocols.iec104.elements import Type

K, W = 12, 8
SUBSTATIONS = 1001


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("scenario", nargs="?", default="town")
    options.add_argument("--connections", type=int, default=1000)
    options.add_argument("--seconds", type=float, default=10.0)
    given = options.parse_args()
    with serving(given.scenario, "iec104", "substations/0 is 1001, and alone at") as (pid, port):
        asyncio.run(measured(pid, port, given.connections, given.seconds))


async def measured(pid: int, port: int, connections: int, seconds: float) -> None:
    before_mb = resident_mb(pid)
    clients = [await connected(port, k) for k in range(connections)]
    for one in clients:
        one.send(Type.C_IC_NA_1, 0, Cause.ACTIVATION, 20)
    await asyncio.sleep(3.0)
    grown_mb = resident_mb(pid) - before_mb
    print(
        f"{connections} stations connected, started and interrogated: {grown_mb:.1f} MB, {1e3 * grown_mb / connections:.0f} kB each"
    )
    assert all(one.is_interrogated for one in clients)
    frames, began, cpu_s = sum(one.frames for one in clients), time.perf_counter(), cpu_of(pid)
    loaded = clients[:50]
    for one in loaded:
        one.keeps_asking = True
        one.ask()
    await asyncio.sleep(seconds)
    took_s = time.perf_counter() - began
    frames = sum(one.frames for one in clients) - frames
    waits_ms = 1e3 * np.array([wait for one in loaded for wait in one.waits_s])
    used = (cpu_of(pid) - cpu_s) / took_s
    print(
        f"{frames / took_s:.0f} frames/s, {len(waits_ms) / took_s:.0f} points read a second; the server took {100 * used:.0f} % of a core"
    )
    print(
        f"answers with {K} reads under way on each of 50 connections: median {np.median(waits_ms):.1f} ms, p99 {np.percentile(waits_ms, 99):.1f} ms"
    )
    for one in clients:
        one.transport.close()


class Client(asyncio.Protocol):
    """Reads one point after another, twelve at a time. frames: sent and received. waits_s: from each question to its answer."""

    def __init__(self, station: int) -> None:
        self.station, self.frames, self.keeps_asking, self.is_interrogated = station, 0, False, False
        self.waits_s: list[float] = []
        self._asked: deque[float] = deque()
        self._splitter, self._sent, self._received, self._confirmed = Splitter(), 0, 0, 0
        self.started = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._write(encode(Unnumbered(Function.STARTDT_ACT)))

    def data_received(self, data: bytes) -> None:
        for apdu in self._splitter.feed(data):
            self.frames += 1
            frame = decode(apdu)
            if isinstance(frame, Information):
                self._received += 1
                self._take(frame.asdu)
            elif isinstance(frame, Unnumbered) and frame.function is Function.STARTDT_CON:
                self.started.set_result(None)
        if self.keeps_asking:
            self.ask()
        if self._received - self._confirmed >= W:
            self._confirmed = self._received
            self._write(encode(Supervisory(self._received % 32768)))

    def ask(self) -> None:
        while len(self._asked) < K:
            self._asked.append(time.perf_counter())
            self.send(Type.C_RD_NA_1, 1 + self._sent % 3, Cause.REQUEST, 0)

    def send(self, type: Type, address: int, cause: Cause, quality: int) -> None:
        raw = asdu_bytes(Asdu(type, cause, self.station, (Object(address, 0, quality),)))
        self._write(encode(Information(self._sent % 32768, self._received % 32768, raw)))
        self._sent += 1
        self._confirmed = self._received

    def _take(self, asdu: bytes) -> None:
        if asdu[2] == Cause.REQUEST and self._asked:
            self.waits_s.append(time.perf_counter() - self._asked.popleft())
        self.is_interrogated |= asdu[0] == Type.C_IC_NA_1 and asdu[2] == Cause.ACTIVATION_TERMINATION

    def _write(self, apdu: bytes) -> None:
        self.frames += 1
        self.transport.write(apdu)  # type: ignore[attr-defined]


async def connected(port: int, number: int) -> Client:
    """A client at a substation's own address; several share one where there are fewer stations."""
    row = number % 100
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: Client(SUBSTATIONS + row), f"127.96.0.{row}", port)
    await client.started
    return client


if __name__ == "__main__":
    main()
