"""A thousand meters over DLMS/COSEM, or as many as there are: connections held at once, memory for each, and registers read in a second.

Frames bypass the modelled network, so that the adapter is measured. The clients are a process of their own, on the same machine.

Usage: dlms_meters.py [meters, default 1000] [seconds, default 20]
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.processes import resident_mb
from heptagrid.live.protocols.dlms.wrapper import HEADER, wrap
from heptagrid.live.serve import LiveRun, Options
from heptagrid.scenario.load import load
from tests.live.dlms_client import REGISTER, aarq

CLIENT, SERVER = 1, 1
AT_ONCE = 50
"""Reads that wait for their answer at the same time."""


def main() -> None:
    meters = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 20.0
    run = LiveRun(load("town"), Options(at="2016-07-04T17:00", ports={"dlms": 0}, http_port=None, is_ideal=True))
    with run.prepared():
        asyncio.run(served(run, meters, seconds))


async def served(run: LiveRun, meters: int, seconds: float) -> None:
    """Serve, and let the clients connect, then read."""
    await run.start()
    before_mb = resident_mb()
    ours, theirs = multiprocessing.Pipe()
    spawned = multiprocessing.get_context("spawn")
    clients = spawned.Process(target=read_all, args=(theirs, run.protocols[0].listens_on, meters, seconds))
    clients.start()
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, ours.recv)
    held_mb = resident_mb() - before_mb
    print(f"{meters} associations held: {held_mb:+.1f} MB, {held_mb / meters * 1024:.1f} KB each")
    ours.send("go")
    reads, p50_ms, p99_ms = await loop.run_in_executor(None, ours.recv)
    print(f"{reads / seconds:,.0f} registers read in a second; median {p50_ms:.1f} ms, p99 {p99_ms:.1f} ms")
    print(f"resident memory {resident_mb():.0f} MB; refused or malformed: {run.grid.counts or 'none'}")
    clients.join()
    await run.stop()


def read_all(pipe: Connection, port: int, meters: int, seconds: float) -> None:
    """The clients' process."""
    asyncio.run(_read_all(pipe, port, meters, seconds))


async def _read_all(pipe: Connection, port: int, meters: int, seconds: float) -> None:
    streams = []
    for row in range(meters):
        address = f"127.{16 + (row >> 16)}.{row >> 8 & 255}.{row & 255}"
        stream = await asyncio.open_connection(address, port)
        await exchange(stream, aarq())
        streams.append(stream)
    pipe.send("connected")
    pipe.recv()
    until, times_s = time.monotonic() + seconds, list[float]()

    async def work(own: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]) -> None:
        while time.monotonic() < until:
            for stream in own:
                began = time.monotonic()
                await exchange(stream, REGISTER)
                times_s.append(time.monotonic() - began)

    await asyncio.gather(*(work(streams[k::AT_ONCE]) for k in range(AT_ONCE)))
    pipe.send((len(times_s), *(float(one) * 1e3 for one in np.percentile(times_s, (50, 99)))))
    for _, writer in streams:
        writer.close()


async def exchange(stream: tuple[asyncio.StreamReader, asyncio.StreamWriter], apdu: bytes) -> bytes:
    reader, writer = stream
    writer.write(wrap(CLIENT, SERVER, apdu))
    header = await reader.readexactly(HEADER)
    return await reader.readexactly(int.from_bytes(header[6:], "big"))


if __name__ == "__main__":
    main()
