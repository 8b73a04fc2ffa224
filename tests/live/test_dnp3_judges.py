"""Other programs judge DNP3: masters on dnp3py and on opendnp3, each in a process of its own, and tshark's dissector."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from heptagrid.live.protocols.dnp3.application import Function
from heptagrid.live.protocols.dnp3.link import LinkFrame, Primary, SecondaryLink, Splitter, decode, encode
from heptagrid.live.protocols.dnp3.transport import Reassembly, Segments
from tests.live.capture import dissected, write_capture
from tests.live.dnp3_master import CLOSE, EVENTS, INTEGRITY, TRIP, master_at, relay, set_point
from tests.live.test_dnp3_outstation import CLEAR_RESTART, Rig

ADDRESS = 1


class End(asyncio.Protocol):
    """An outstation behind a socket, without a grid."""

    def __init__(self, rig: Rig) -> None:
        self._rig, self._splitter, self._link = rig, Splitter(), SecondaryLink()
        self._parts, self._segments, self._master = Reassembly(), Segments(), 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        for raw in self._splitter.feed(data):
            frame = decode(raw)
            self._master = frame.source
            answer, is_new = self._link.receive(frame) if frame.is_primary else (None, False)
            if answer is not None:
                self._transport.write(encode(LinkFrame(answer, frame.source, ADDRESS, is_primary=False)))
            fragment = self._parts.feed(frame.data) if is_new else None
            if fragment is not None:
                self._rig.session.receive(fragment, self._rig.now)
        self.flush()
        for order in self._rig.orders:
            self._rig.outstation.selections.end(order.output.control.action)

    def flush(self) -> None:
        for fragment in self._rig.session.take():
            for segment in self._segments.of(fragment):
                self._transport.write(encode(LinkFrame(Primary.DATA, self._master, ADDRESS, segment)))


@asynccontextmanager
async def served(rig: Rig) -> AsyncIterator[tuple[int, list[End]]]:
    """The rig on a port, and its connections."""
    ends: list[End] = []

    def end() -> End:
        ends.append(End(rig))
        return ends[-1]

    server = await asyncio.get_running_loop().create_server(end, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], ends


async def _judged(program: str, *words: str, meanwhile: Callable[[], None] = lambda: None) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name(program)),
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said = asyncio.create_task(process.communicate())
    async with asyncio.timeout(120.0):
        while not said.done():
            meanwhile()
            await asyncio.sleep(0.05)
    out, err = said.result()
    assert process.returncode == 0, (out, err)
    found: dict[str, Any] = json.loads(out.decode().splitlines()[-1])
    return found


def test_a_master_on_dnp3py_polls_and_operates() -> None:
    if importlib.util.find_spec("dnp3") is None:
        pytest.skip("not run: dnp3py is not installed (pip install 'heptagrid[peers]')")

    async def drive() -> None:
        rig = Rig()
        rig.move(30, 1, 5.5)
        async with served(rig) as (port, _):
            found = await _judged("dnp3py_client.py", "127.0.0.1", str(port), str(ADDRESS), "1")
        assert found["restart"] and found["null"] and found["whole"]
        assert found["analogs"] == {str(k): rig.values[30, k] for k in range(7)}
        assert found["binaries"] == {"0": True} and found["counters"] == {"0": 20, "1": 21}
        assert found["outputs"] == {"0": False, "1": False}
        assert [(one.output.index, one.value) for one in rig.orders] == [(1, 0.0)]

    asyncio.run(drive())


def test_a_master_on_opendnp3_starts_up_listens_and_operates() -> None:
    if importlib.util.find_spec("opendnp3") is None:
        pytest.skip("not run: yadnp3 is not installed (pip install 'heptagrid[peers]')")

    async def drive() -> None:
        rig = Rig()
        async with served(rig) as (port, ends):
            moved: list[float] = []

            def meanwhile() -> None:
                if len(rig.orders) >= 3 and not moved:
                    moved.append(1.0)
                    rig.values[30, 2] = 9.0
                    point = next(one for one in rig.outstation.inputs if (one.group, one.index) == (30, 2))
                    event = rig.outstation.event(point, rig.ms)
                    assert event is not None
                    rig.session.tell([event], rig.now)
                    ends[-1].flush()

            found = await _judged("opendnp3_client.py", str(port), str(ADDRESS), meanwhile=meanwhile)
        assert all(result == "SUCCESS" for _, result in found["tasks"]), found["tasks"]
        assert found["unsolicited"] >= 1 and not len(rig.session.events), "it is told unasked, and confirmed"
        assert found["commands"] == {
            "tap": ["SUCCESS"],
            "latch": ["SUCCESS"],
            "target": ["SUCCESS"],
            "too high": ["OUT_OF_RANGE"],
            "missing": ["NOT_SUPPORTED"],
        }
        orders = [(one.output.control.action, one.value) for one in rig.orders]
        assert orders == [("tap", 1.0), ("regulate", 1.0), ("target", 20.5)]
        assert found["values"]["Group32Var7"]["2"] == 9.0

    asyncio.run(drive())


def test_tshark_dissects_all_frames(tmp_path: Path) -> None:
    packets: list[tuple[bool, bytes]] = []

    async def drive() -> int:
        rig = Rig()
        for k in range(300):
            rig.move(30, 1, float(k))
        async with served(rig) as (port, _), master_at(port) as master:
            master.on_bytes = lambda is_answer, data: packets.append((is_answer, data))
            await master.ask(ADDRESS, Function.WRITE, CLEAR_RESTART)
            await master.ask(ADDRESS, Function.READ, INTEGRITY)
            await master.until(lambda: [one for _, one in master.answers if one.is_final and not one.is_first])
            for function, objects in (
                (Function.ENABLE_UNSOLICITED, EVENTS),
                (Function.SELECT, relay(0, CLOSE)),
                (Function.OPERATE, relay(0, CLOSE)),
                (Function.DIRECT_OPERATE, relay(0, TRIP)),
                (Function.DIRECT_OPERATE, set_point(0, 20.0)),
                (Function.WRITE, bytes((50, 1, 7, 1)) + bytes(6)),
                (Function.IMMED_FREEZE, bytes((20, 0, 6))),
                (Function.READ, bytes((21, 5, 6, 30, 1, 6, 40, 4, 6, 10, 1, 6))),
                (Function.DELAY_MEASURE, b""),
                (Function.DISABLE_UNSOLICITED, EVENTS),
                (Function.COLD_RESTART, b""),
            ):
                await master.ask(ADDRESS, function, objects)
            master.link(Primary.REQUEST_STATUS, ADDRESS)
            await master.until(lambda: master.links)
        return port

    port = asyncio.run(drive())
    write_capture(tmp_path / "dnp3.pcap", port, packets)
    fields = ("dnp3.al.func", "dnp3.al.obj", "_ws.malformed", "_ws.expert.message", "dnp3.ctl.prifunc")
    rows = dissected(tmp_path / "dnp3.pcap", port, "dnp3", *fields)
    functions = {one for row in rows for one in row[0].split(",") if one}
    assert {"0", "1", "2", "3", "4", "5", "7", "13", "20", "21", "23", "129", "130"} <= functions, functions
    assert not any(row[2] for row in rows), [row for row in rows if row[2]]
    assert not any("CRC" in row[3] or "alformed" in row[3] for row in rows), [row[3] for row in rows if row[3]]
