"""A live grid as a process of its own, and what processes have taken: memory and processor time."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def resident_mb(pid: int | str = "self") -> float:
    """Of a process, now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_of(pid: int | str) -> float:
    """Seconds of processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int | str = "self") -> tuple[float, float]:
    """Of a process, now: all that is resident, and of it what is its own and no page of a file."""
    words = [line.split() for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()]
    kb = {one[0]: int(one[1]) for one in words if one[0] in ("VmRSS:", "RssAnon:")}
    return kb["VmRSS:"] * 1024 / 1e6, kb["RssAnon:"] * 1024 / 1e6


def raise_files() -> None:
    """Let this process hold as many files and sockets as the system allows it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextmanager
def serving(scenario: str, protocol: str, mark: str) -> Iterator[tuple[int, int]]:
    """Serve one protocol without the modelled network: the process, and the port at the end of the line of its greeting that holds `mark`."""
    raise_files()
    with tempfile.TemporaryDirectory() as folder:
        words = ["serve", scenario, "--protocols", f"{protocol}=0", "--network", "ideal", "--http", "0"]
        command = [sys.executable, "-m", "heptagrid", *words, "--out", folder, "--force"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            port = 0
            for line in server.stdout:
                if mark in line:
                    port = int(line.rsplit(":", 1)[1])
                if "Ctrl-C" in line:
                    break
            yield server.pid, port
        finally:
            server.send_signal(signal.SIGINT)
            server.communicate()
