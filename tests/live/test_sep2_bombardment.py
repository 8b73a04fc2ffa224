"""Malformed requests of IEEE 2030.5 over mutual TLS, as `test_bombardment` has them of the protocols that are spoken without."""

from __future__ import annotations

import random
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest

from heptagrid.live.certificates import Authority, Leaf
from heptagrid.scenario.schema import Scenario
from tests.live.damage import damaged
from tests.live.malformed import Malformed
from tests.live.served import Served
from tests.live.test_bombardment import MOST_GROWN_MB, recorded, same, say
from tests.live.test_sep2_grid import client_context
from tests.live.test_sep2_server import MIRROR, READING, control, xml
from tests.live.unharmed import unharmed

pytestmark = pytest.mark.long
WHO = "nobody"
"""The name of a client that is no device, so that what it mirrors is nobody's power."""
READINGS = READING.format(value=1, multiplier=3, direction=1)
BODIES = (
    ("POST", "/derp/1/derc", control("<opModFixedW>1</opModFixedW>")),
    ("PUT", "/derp/1/dderc", control("<opModFixedW>1</opModFixedW>")),
    ("POST", "/mup", xml("MirrorUsagePoint", MIRROR.format(lfdi="33" * 20))),
    ("POST", "/mup/1", xml("MirrorMeterReading", READINGS)),
    ("PUT", "/edev/1/der/1/ders", xml("DERStatus", "<readingTime>1</readingTime>")),
    ("POST", "/edev", xml("EndDevice", f"<lFDI>{'44' * 20}</lFDI>")),
    ("POST", "/rsps/1/rsp", xml("Response", "<status>1</status>")),
)


def _request(draw: random.Random) -> bytes:
    """A request that is HTTP, with a body that is damaged."""
    method, path, sound = draw.choice(BODIES)
    body = damaged(draw, sound.encode())
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


PROBE = b"GET /dcap HTTP/1.1\r\nHost: localhost\r\n\r\n", b"</DeviceCapability>"
REQUESTS = Malformed(_request, lambda draw: damaged(draw, _request(draw)), 9, probe=PROBE)


def bombard(grid: Served, keys: Path, frames: int, seed: int) -> None:
    draw, context = random.Random(seed), client_context(keys, WHO)
    for k in range(frames // 10):
        many, last = [REQUESTS.made(draw) for _ in range(9)], REQUESTS.last(draw)
        with (
            socket.create_connection(("127.0.0.1", grid.ports["sep2"]), 30.0) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as link,
            suppress(ConnectionError),
        ):
            try:
                say(link, REQUESTS, many, last)
            except TimeoutError as problem:
                raise AssertionError(f"seed {seed}, connection {k} is not ended: {many} {last!r}") from problem


def bombarded(scenario: Scenario, folder: Path, first: int, frames: int) -> None:
    """A run that takes so many, and is as one that takes none."""
    keys = folder / "keys"
    authority = Authority.of(keys)
    authority.sign(Leaf("localhost", "server", ("127.0.0.1",), True))
    authority.sign(Leaf(WHO, "client", (), True))
    settings = f'live.sep2.certificates="{keys}"'
    with recorded(scenario, ["sep2"], folder / "undisturbed", settings):
        pass
    with recorded(scenario, ["sep2"], folder / "run", settings) as grid:
        bombard(grid, keys, first, 10)
        began = time.monotonic()
        with unharmed(grid, MOST_GROWN_MB) as before:
            bombard(grid, keys, frames, 11)
        print(f"sep2: {frames} in {time.monotonic() - began:.0f} s, {before.resident_mb:.0f} MB; {grid.grid.counts}")
        assert sum(grid.grid.counts.values()) > frames // 2
    same(folder / "undisturbed", folder / "run")


def test_2_000_malformed_requests_do_no_harm(lane: Scenario, tmp_path: Path) -> None:
    bombarded(lane, tmp_path, 500, 1_500)


@pytest.mark.slow
def test_100_000_malformed_requests_do_no_harm(lane: Scenario, tmp_path: Path) -> None:
    bombarded(lane, tmp_path, 20_000, 80_000)
