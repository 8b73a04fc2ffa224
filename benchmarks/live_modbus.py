"""Thousands of Modbus connections to one process, each to another device: memory, requests a second, latencies.

A second process keeps a rate of requests, one connection after the other; latency counts from when each was due to leave. The grid runs in the loop of `serve`
and writes its journal. What makes the longest latencies is shown: how long after its instant of the modelled network a frame is handed on, how long the network stands still
while a step ends and the next is solved, and how long collections of garbage take.

python benchmarks/live_modbus.py [--connections N] [--rate R] [--seconds S] [--profile]
"""

from __future__ import annotations

import argparse
import array
import asyncio
import cProfile
import gc
import json
import pstats
import selectors
import socket
import struct
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.processes import resident_mb
from heptagrid.live.crossing import Fate, Told
from heptagrid.live.inventory import Device
from heptagrid.live.listening import NUMBERS, Addresses
from heptagrid.live.protocols.modbus.codec import framed
from heptagrid.live.protocols.modbus.layout import BASE
from heptagrid.live.serve import LiveRun, Options, loop_factory
from heptagrid.scenario.load import load
from heptagrid.simulation.journal import JOURNAL, Journal

READ = struct.pack(">BHH", 3, BASE + 70, 50)
"""What each is asked for: a model's measurements."""
FAST = tuple(f"messages.{part}.technology=fibre" for part in ("access", "backhaul", "wan"))
"""A network that is not the limit."""


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--connections", type=int, default=10_000)
    options.add_argument("--rate", type=float, default=5000.0)
    options.add_argument("--seconds", type=float, default=20.0)
    options.add_argument("--only", choices=("ideal", "modelled", "own"))
    options.add_argument("--profile", action="store_true")
    options.add_argument("--client", nargs=4)
    given = options.parse_args()
    if given.client:
        ask(given.client[0], int(given.client[1]), float(given.client[2]), float(given.client[3]))
        return
    cases: dict[str, tuple[bool, tuple[str, ...], float]] = {
        "ideal": (True, (), given.rate),
        "modelled": (False, FAST, given.rate),
        "own": (False, (), 20.0),
    }
    for name, (is_ideal, settings, rate) in cases.items():
        if given.only in (None, name):
            serve(name, is_ideal, settings, given.connections, rate, given.seconds, given.profile)


def serve(
    name: str, is_ideal: bool, settings: tuple[str, ...], connections: int, rate: float, seconds: float, profile: bool
) -> None:
    """Serve the town, and have a second process ask it."""
    ports = {"modbus": 0}
    options = Options(speed=1.0, at="2016-07-04T13:00", ports=ports, http_port=None, is_ideal=is_ideal)
    run = LiveRun(load("town", list(settings)), options)
    with tempfile.TemporaryDirectory() as folder, run.prepared(), asyncio.Runner(loop_factory=loop_factory()) as runner:
        run.engine.journal = Journal(Path(folder, JOURNAL))
        runner.run(asked(name, run, connections, rate, seconds, profile))


class Delays:
    """What holds frames up, in milliseconds of the wall clock: handed_on, one frame of each batch after it has arrived; between_steps; collections."""

    def __init__(self, run: LiveRun) -> None:
        self._pace, self._engine = run.pace, run.engine
        self.handed_on, self.between_steps, self.collections = (array.array("d") for _ in range(3))
        self._post, self._meet = run.engine.crossings.post, run.engine.meet
        self._left = self._began = 0.0

    def watch(self) -> None:
        """From now on."""
        self._engine.crossings.post = self._posted  # type: ignore[method-assign]
        self._engine.meet = self._met  # type: ignore[method-assign]
        gc.callbacks.append(self._collected)

    def end(self) -> None:
        """Not any more."""
        gc.callbacks.remove(self._collected)

    def _posted(self, works: Any) -> None:
        told, given = works[-1]
        self._post([*works[:-1], (partial(self._hand_on, told), given)])

    def _hand_on(self, told: Told, fate: Fate) -> None:
        self.handed_on.append((self._pace.now_ns - fate.ns) / 1e6)
        told(fate)

    def _met(self, simulation: Any, step: Any) -> None:
        if self._left:
            self.between_steps.append(1e3 * (time.perf_counter() - self._left))
        self._meet(simulation, step)
        self._left = time.perf_counter()

    def _collected(self, phase: str, about: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self.collections.append(1e3 * (time.perf_counter() - self._began))


def words_of(ms: array.array[float]) -> str:
    """How many delays there were, and how long."""
    if not ms:
        return "none"
    ordered = sorted(ms)
    return f"{len(ms)}, median {ordered[len(ms) // 2]:.1f} ms, p99 {ordered[int(0.99 * len(ms))]:.1f} ms, most {ordered[-1]:.1f} ms"


async def asked(name: str, run: LiveRun, connections: int, rate: float, seconds: float, profile: bool) -> None:
    await run.start()
    await asyncio.sleep(2.0)
    (modbus,) = run.protocols
    addresses = Addresses(run.grid.inventory)
    devices = [
        Device(of, row)
        for name in list(NUMBERS)[:6]
        if (of := run.grid.inventory.classes.get(name))
        for row in range(len(of))
    ]
    found = [addresses.address_of(one) for one in devices][:connections]
    file = Path(f"/tmp/live_modbus_{modbus.listens_on}.json")
    file.write_text(json.dumps(found))
    gc.collect()
    before_mb, before_s = resident_mb(), time.process_time()
    words = [sys.executable, __file__, "--client", str(file), str(modbus.listens_on), str(rate), str(seconds)]
    client = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE)
    assert client.stdout is not None
    opened = json.loads(await client.stdout.readline())
    held_mb = resident_mb()
    delays = Delays(run)
    delays.watch()
    measured_s = time.process_time()
    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    result: dict[str, Any] = json.loads(await client.stdout.readline())
    profiler.disable()
    used_s = time.process_time() - measured_s
    delays.end()
    await client.wait()
    file.unlink()
    print(f"{name}: {opened['connections']} connections in {opened['seconds']:.1f} s")
    print(
        f"  memory: {before_mb:.0f} MB before, {held_mb - before_mb:+.0f} MB with connections, {resident_mb() - before_mb:+.0f} MB after requests"
    )
    print(
        f"  {result['answered'] / result['seconds']:.0f} answers/s of {rate:.0f} requests/s, {result['unanswered']} unanswered; "
        f"latency median {result['median_ms']:.1f} ms, p99 {result['p99_ms']:.1f} ms, most {result['most_ms']:.1f} ms"
    )
    print(
        f"  processor of the grid with its server: {used_s / seconds:.2f}; of the client {result['processor']:.2f}; lag {run.pace.state.lag_s * 1e3:.0f} ms"
    )
    print(f"  processor of the grid for a request and its answer: {1e6 * used_s / max(result['answered'], 1):.0f} us")
    for what, ms in (
        ("frames handed on after their instant, one of each batch", delays.handed_on),
        ("the network stands still between two steps", delays.between_steps),
        ("collections", delays.collections),
    ):
        print(f"  {what}: {words_of(ms)}")
    if profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(32)
    await run.stop()
    del before_s


def ask(file: str, port: int, rate: float, seconds: float) -> None:
    """The client: opens connections, and then asks one after the other at a rate."""
    began = time.monotonic()
    selector = selectors.DefaultSelector()
    links: list[socket.socket] = []
    for address in json.loads(Path(file).read_text()):
        link = socket.create_connection((address, port))
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.setblocking(False)
        selector.register(link, selectors.EVENT_READ, len(links))
        links.append(link)
    print(json.dumps({"connections": len(links), "seconds": time.monotonic() - began}), flush=True)
    time.sleep(2.0)
    processor = time.process_time()
    due: dict[int, dict[int, float]] = {k: {} for k in range(len(links))}
    latencies: list[float] = []
    began, sent, total = time.monotonic(), 0, int(rate * seconds)
    while (now := time.monotonic() - began) < seconds + 5.0:
        while sent < total and sent / rate <= now:
            k = sent % len(links)
            links[k].send(framed(sent & 0xFFFF, 1, READ))
            due[k][sent & 0xFFFF] = sent / rate
            sent += 1
        if sent == total and len(latencies) == total:
            break
        for key, _ in selector.select(0.001):
            data = links[key.data].recv(65_536)
            while data:
                length = 6 + int.from_bytes(data[4:6], "big")
                sent_s = due[key.data].pop(int.from_bytes(data[:2], "big"))
                latencies.append(time.monotonic() - began - sent_s)
                data = data[length:]
    ms = sorted(1000.0 * one for one in latencies)
    print(
        json.dumps(
            {
                "answered": len(ms),
                "unanswered": total - len(ms),
                "seconds": max(seconds, time.monotonic() - began if len(ms) == total else seconds),
                "median_ms": ms[len(ms) // 2],
                "p99_ms": ms[int(0.99 * len(ms))],
                "most_ms": ms[-1],
                "processor": (time.process_time() - processor) / seconds,
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    main()
