"""An hour at speed 60, two and a half days of the town's time, with clients that come, ask and are cut off: no drift, no memory that grows."""

from __future__ import annotations

import os
import socket
import struct
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.client import Client
from heptagrid.live.protocols.modbus.codec import framed
from heptagrid.live.protocols.modbus.layout import BASE
from tests.live.serving import Serving, serving

SPEED = 60.0
HOUR_S = 3600.0
LOOKED_S = 5.0
MOST_GROWTH_MB = 25.0
"""Between the second sixth of the hour and its last."""
SAID = {
    "modbus": framed(1, 1, struct.pack(">BHH", 3, BASE, 2)),
    "iec104": bytes.fromhex("680407000000680e0000000064010600ffff00000014"),  # start, and interrogate all stations
    "c37118": b"",
    "dnp3": bytes.fromhex("0564"),
    "mms": bytes.fromhex("0300001611e00000000100c0010dc2020001c1020001"),  # a transport connection, and no association
    "mqtt": bytes.fromhex("100e00044d5154540402003c000268690000"),  # connect, and half a packet more
    "ocpp": b"GET /ocpp/nobody HTTP/1.1\r\nHost: localhost\r\n\r\n",
}
"""What a client of each protocol says before it is cut off."""


def ask(port: int, said: bytes, patience_s: float = 0.1) -> None:
    """Connect, ask, read what comes at once, and be cut off."""
    with socket.create_connection(("127.0.0.1", port), timeout=5.0) as link, suppress(TimeoutError):
        link.sendall(said)
        link.settimeout(patience_s)
        link.recv(65_536)


def _resident_mb(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.slow
def test_an_hour_at_speed_60_drifts_nowhere_and_keeps_its_memory(tmp_path: Path) -> None:
    with serving(tmp_path, SAID, "--speed", f"{SPEED:g}", "--at", "2016-07-04T12:00") as served:
        _soak(served)


def _soak(served: Serving) -> None:
    with Client(f"http://127.0.0.1:{served.ports['http']}") as grid:
        begun, from_ns = time.monotonic(), grid.clock().ns
        memory_mb, late_s, lags_s = [], [], []
        while (passed_s := time.monotonic() - begun) < HOUR_S:
            for name, said in SAID.items():
                ask(served.ports[name], said)
            clock = grid.clock()
            assert grid.state().until_ns >= clock.ns - round((clock.step_s + SPEED) * NS_PER_S), "the state is old"
            late_s.append((clock.ns - from_ns) / NS_PER_S - SPEED * (time.monotonic() - begun))
            lags_s.append(clock.lag_s)
            memory_mb.append(_resident_mb(served.process.pid))
            time.sleep(max(0.0, LOOKED_S - (time.monotonic() - begun - passed_s)))
        forced = grid.clock().forced
        time.sleep(LOOKED_S)
        assert not grid.peers().peers, "who was cut off is gone"
    print(
        f"{len(late_s)} looks; simulated time {min(late_s):+.2f} to {max(late_s):+.2f} s off; lag p99 {np.percentile(lags_s, 99):.3f} s, {forced} steps made longer"
    )
    by_minute = [float(np.median(part)) for part in np.array_split(np.array(memory_mb), round(HOUR_S / 60.0))]
    print(f"resident, every fifth minute: {', '.join(f'{one:.0f}' for one in by_minute[::5])} MB")
    assert forced == 0
    assert max(abs(one) for one in late_s) < SPEED, "simulated time is a second of the wall clock off"
    assert float(np.median(by_minute[-10:]) - np.median(by_minute[10:20])) < MOST_GROWTH_MB
