"""Each protocol's bytes reach the wire log as they came."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

from heptagrid.live.wire import WIRE, read_wire
from heptagrid.scenario.schema import Scenario
from tests.live.harness import live_grid


def test_what_a_modbus_client_says_is_kept(lane: Scenario, tmp_path: Path) -> None:
    asked = struct.pack(">HHHBBHH", 7, 0, 6, 1, 3, 40000, 2)

    async def drive() -> None:
        async with live_grid(lane, {"modbus": None}, out=tmp_path / "live") as harness:
            _, writer = await asyncio.open_connection("127.0.0.1", harness.ports["modbus"])
            writer.write(asked)
            await writer.drain()
            await harness.advance(2.0)
            writer.close()
            await writer.wait_closed()

    asyncio.run(drive())
    pieces = list(read_wire(tmp_path / "live" / WIRE))
    assert [(one.protocol, one.data) for one in pieces] == [("modbus", asked)]
    assert pieces[0].address.startswith("127.0.0.1")
