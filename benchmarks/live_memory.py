"""Memory of a whole process with 10,000 devices: `heptagrid serve` over Modbus, a connection open to each device of the scenario, and each asked.

Resident is what the system counts for the process (VmRSS in /proc); of it a part is the process's own (RssAnon), the rest are pages of files, libraries' code above all. Read when
the grid is ready, once all connections are open, after every device has answered, and at the end.

python benchmarks/live_memory.py [SCENARIO] [--devices N] [--seconds S] [--speed X] [--network modelled|ideal]
"""

from __future__ import annotations

import argparse
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.processes import memory_mb, raise_files
from heptagrid.live.client import Client
from heptagrid.live.listening import NUMBERS
from heptagrid.live.protocols.modbus.codec import framed
from heptagrid.live.protocols.modbus.layout import BASE

MOST_MB = 300.0
"""What the whole process may have."""
READ = framed(1, 1, struct.pack(">BHH", 3, BASE, 70))
"""What each is asked for: the model that names it."""
ANSWER_BYTES = 149
ASKED_AT_ONCE = 100
LONGEST_S = 300.0
"""In which every device has answered, or its answer was lost on the network."""
CLASSES = ("meters", "local_units", "batteries", "vehicles", "heat_pumps", "substations")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("scenario", nargs="?", default="town")
    options.add_argument("--devices", type=int, default=10_000)
    options.add_argument("--seconds", type=float, default=20.0)
    options.add_argument("--speed", default="1")
    options.add_argument("--network", default="modelled")
    given = options.parse_args()
    raise_files()
    words = [given.scenario, "--speed", given.speed, "--network", given.network]
    with served(words) as (pid, modbus, http):
        resident(pid, "ready")
        links = [socket.create_connection((one, modbus)) for one in addresses(http, given.devices)]
        time.sleep(5.0)
        resident(pid, f"{len(links)} connections to as many devices")
        answered = asked(links)
        resident(pid, f"{answered} of {len(links)} have answered")
        time.sleep(given.seconds)
        with Client(http) as grid:
            held = sum(1 for one in grid.peers().peers if one.protocol == "modbus")
        mb = resident(pid, f"{given.seconds:g} s later, {held} connections held")
        print(f"{'within' if mb <= MOST_MB and held == given.devices else 'NOT within'} {MOST_MB:.0f} MB")


@contextmanager
def served(words: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """`heptagrid serve` with Modbus: the process, the protocol's port, and the address of the interface."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--protocols", "modbus=0", "--http", "0", "--out", folder, "--force"]
        command = [sys.executable, "-m", "heptagrid", "serve", *words, *options]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            port, http = 0, ""
            for line in server.stdout:
                if "Modbus" in line:
                    port = int(line.split("port ")[1].split(";")[0])
                if "interface: " in line:
                    http = line.split("interface: ")[1].strip().removesuffix("/openapi.json")
                if "Ctrl-C" in line:
                    break
            yield server.pid, port, http
        finally:
            server.send_signal(signal.SIGINT)
            server.communicate()


def resident(pid: int, when: str) -> float:
    """Say what a process has, in MB, and return it."""
    mb, own = memory_mb(pid)
    print(f"{when}: {mb:.0f} MB resident, {own:.0f} MB of them its own", flush=True)
    return mb


def addresses(http: str, count: int) -> Iterator[str]:
    """Where the first devices are reached, class by class.

    Raises
    ------
    SystemExit
        If there are not so many.
    """
    with Client(http) as grid:
        counts = {one.name: one.count for one in grid.classes()}
    rows = [(NUMBERS[name], row) for name in CLASSES for row in range(counts.get(name, 0))][:count]
    if len(rows) < count:
        raise SystemExit(f"there are {len(rows)} devices in this scenario; name a larger one or fewer --devices")
    for number, row in rows:
        yield f"127.{(number << 4) + (row >> 16)}.{row >> 8 & 255}.{row & 255}"


def asked(links: Sequence[socket.socket]) -> int:
    """Ask all devices, some at a time; how many have answered."""
    answered, until = 0, time.monotonic() + LONGEST_S
    with selectors.DefaultSelector() as waiting:
        rest, heard = iter(links), dict[socket.socket, int]()
        while time.monotonic() < until:
            while len(waiting.get_map()) < ASKED_AT_ONCE and (link := next(rest, None)) is not None:
                link.sendall(READ)
                waiting.register(link, selectors.EVENT_READ)
            if not waiting.get_map():
                break
            for key, _ in waiting.select(1.0):
                link = cast(socket.socket, key.fileobj)
                heard[link] = heard.get(link, 0) + len(link.recv(4096))
                if heard[link] >= ANSWER_BYTES:
                    waiting.unregister(link)
                    answered += 1
    return answered


if __name__ == "__main__":
    main()
