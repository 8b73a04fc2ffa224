"""The lines that connect a well-known client, on the pages of the protocols, run as written against the town; but for the ports, which are free ones."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.documents.pages import DOCS, blocks
from tests.live.serving import serving

pytestmark = pytest.mark.long

PAGES = {
    "api.md": ("http", 8080, "heptagrid"),
    "c37118.md": ("c37118", 4712, "pyc37"),
    "dnp3.md": ("dnp3", 20000, "dnp3"),
    "iec104.md": ("iec104", 2404, "c104"),
    "mms.md": ("mms", 10102, "pyiec61850"),
    "modbus.md": ("modbus", 1502, "sunspec2"),
    "openadr.md": ("openadr20b", 8181, "openleadr"),
}
"""The protocol of each page, its default port, and the package of its client."""

OTHERS = ("dlms", "mqtt", "ocpp")
"""Protocols that are served beside them."""


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """The town at noon in July, live at speed 1: the port of each protocol."""
    names = [name for name, _, _ in PAGES.values() if name != "http"]
    folder = tmp_path_factory.mktemp("served")
    with serving(folder, [*names, *OTHERS], "--at", "2016-07-04T12:00") as served:
        yield dict(served.ports)


@pytest.mark.parametrize("page", PAGES)
def test_the_lines_of_a_page_connect(page: str, ports: dict[str, int], tmp_path: Path) -> None:
    name, default, package = PAGES[page]
    if find_spec(package) is None:
        pytest.skip(f"not run: the client {package} is not installed")
    text = next(one for one in blocks(DOCS / "live" / page, "python") if package in one)
    assert str(default) in text
    script = tmp_path / "lines.py"
    script.write_text(text.replace(str(default), str(ports[name])), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=120.0, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), "it says what it has read"


def test_every_protocol_takes_a_connection_in_the_loop_that_serve_runs(ports: dict[str, int]) -> None:
    """What is said is no frame of any of them: each closes, or waits for more; the log of the whole must hold no traceback."""
    for port in ports.values():
        with socket.create_connection(("127.0.0.1", port), timeout=10.0) as link:
            link.sendall(b"\x10\x04nobody")
            link.settimeout(0.3)
            with suppress(TimeoutError, ConnectionError):
                link.recv(100)
