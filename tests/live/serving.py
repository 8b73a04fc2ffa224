"""`heptagrid serve` as a user starts it: a process of its own, on free ports, ended by Ctrl-C."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

READY_S = 300.0


@dataclass(frozen=True)
class Serving:
    """The process and its ports: of each protocol, and "http"."""

    process: subprocess.Popen[bytes]
    ports: Mapping[str, int]


@contextmanager
def serving(folder: Path, protocols: Iterable[str], *options: str) -> Iterator[Serving]:
    """Serve the town once it is ready; its log must tell of no fault, and its run is in `folder`/run."""
    ports = {name: free_port() for name in (*protocols, "http")}
    chosen = ",".join(f"{name}={port}" for name, port in ports.items() if name != "http")
    command = [sys.executable, "-m", "heptagrid", "serve", "--protocols", chosen, "--http", str(ports["http"])]
    told = folder / "log"
    with told.open("w", encoding="utf-8") as log:
        process = subprocess.Popen([*command, *options, "--out", str(folder / "run")], stdout=log, stderr=log)
        try:
            until = time.monotonic() + READY_S
            while "Ctrl-C ends it" not in told.read_text(encoding="utf-8"):
                assert process.poll() is None and time.monotonic() < until, told.read_text(encoding="utf-8")
                time.sleep(0.2)
            yield Serving(process, ports)
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(120.0)
    text = told.read_text(encoding="utf-8")
    assert code == 0 and "Traceback" not in text, text


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
