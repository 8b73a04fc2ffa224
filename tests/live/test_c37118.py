"""IEEE C37.118.2-2011: units on a live grid answer commands and send data at simulated instants; several frames in a segment, commands in pieces."""

from __future__ import annotations

import asyncio
import cmath
import math
import random
import struct
from binascii import crc_hqx
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.listening import Addresses
from heptagrid.live.protocols.c37118 import frames
from heptagrid.live.protocols.c37118.frames import (
    Asked,
    Command,
    Configuration,
    FrameType,
    MalformedError,
    Measurement,
    Splitter,
)
from heptagrid.live.protocols.c37118.units import Rotation
from heptagrid.live.serve import Options
from heptagrid.planes.power.balanced.dc import DcNetwork
from heptagrid.scenario.schema import Scenario
from tests.live.capture import dissected, write_capture
from tests.live.harness import Harness, live_grid
from tests.live.wire_client import WireClient

NIGHT = "2016-07-04T00:20"
LOCK_STEP = Options(at=NIGHT, paused=True, http_port=None, is_ideal=True)
TOWN, BUS = 1, 50_001


class Client(WireClient):
    """One connection; frames: that came, with `packets` as they came."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        self.frames: list[bytes] = []
        self.packets: list[tuple[bool, bytes]] = []
        self.on_bytes = lambda is_answer, data: self.packets.append((is_answer, data))
        self._splitter = Splitter()

    def received(self, data: bytes) -> None:
        self.frames += self._splitter.feed(data)

    def ask(self, id: int, code: int) -> None:
        self.write(frames.command(id, code, 0))

    def of(self, kind: FrameType) -> list[bytes]:
        return [one for one in self.frames if one[1] >> 4 & 7 == kind]


@asynccontextmanager
async def unit(
    scenario: Scenario, device: str | None, options: Options = LOCK_STEP, settings: tuple[str, ...] = ()
) -> AsyncIterator[tuple[Harness, Client]]:
    """A grid, and a connection to a device's unit; None: to that of all."""
    async with live_grid(scenario, {"c37118": None}, options=options, settings=settings) as harness:
        inventory = harness.run.grid.inventory
        host = Addresses(inventory).address_of(inventory.device(device)) if device else "127.0.0.1"
        client = Client(*await asyncio.open_connection(host, harness.ports["c37118"]))
        try:
            yield harness, client
        finally:
            await client.close()


def _ns(frame: bytes) -> int:
    seconds, fraction = struct.unpack_from(">II", frame, 6)
    return int(seconds) * NS_PER_S + (fraction & 0xFFFFFF) * 1000


def _is_whole(frame: bytes) -> bool:
    return crc_hqx(frame[:-2], 0xFFFF) == int.from_bytes(frame[-2:], "big") and int.from_bytes(
        frame[2:4], "big"
    ) == len(frame)


def test_a_unit_answers_commands_and_sends_a_frame_at_each_instant(lane: Scenario) -> None:
    async def drive() -> None:
        async with unit(lane, "primary_substations/0") as (harness, client):
            for code, kind in (
                (Command.SEND_HEADER, FrameType.HEADER),
                (Command.SEND_CONFIGURATION_1, FrameType.CONFIGURATION_1),
                (Command.SEND_CONFIGURATION_2, FrameType.CONFIGURATION_2),
            ):
                client.ask(TOWN, code)
                await client.until(lambda kind=kind: client.of(kind))
            assert not client.of(FrameType.DATA), "data flow when they are asked for"
            client.ask(TOWN, Command.DATA_ON)
            await asyncio.sleep(0.1)
            await harness.advance(3.0)
            rate = round(harness.run.grid.inventory.world.grid.frequency_hz)
            await client.until(lambda: len(client.of(FrameType.DATA)) >= 2 * rate)
            instants = np.array([_ns(one) for one in client.of(FrameType.DATA)])
            due = np.round(instants * (rate / NS_PER_S)) * (NS_PER_S / rate)
            assert np.abs(instants - due).max() <= 1000.0, "instants are whole parts of a second, to the microsecond"
            assert (np.diff(instants) > 0).all() and np.diff(instants).max() <= 1.6 * NS_PER_S / rate
            assert all(map(_is_whole, client.frames))
            assert max(len(data) for is_answer, data in client.packets if is_answer) > 2 * len(client.frames[-1])
            client.ask(TOWN, Command.DATA_OFF)
            await asyncio.sleep(0.1)
            counted = len(client.frames)
            await harness.advance(1.0)
            await asyncio.sleep(0.1)
            assert len(client.frames) == counted

    asyncio.run(drive())


def test_power_is_three_times_voltage_times_current(lane: Scenario) -> None:
    async def drive() -> None:
        async with unit(lane, "primary_substations/0") as (harness, client):
            client.ask(TOWN, Command.DATA_ON)
            await asyncio.sleep(0.1)
            await harness.advance(2.0)
            await client.until(lambda: client.of(FrameType.DATA))
            values = struct.unpack_from(">Hffffff", client.of(FrameType.DATA)[-1], 14)
            voltage, current = cmath.rect(*values[1:3]), cmath.rect(*values[3:5])
            state = harness.run.grid.state
            va = 3.0 * voltage * current.conjugate()
            assert va.real / 1000.0 == pytest.approx(state.infeed_kw[0], rel=1e-4)
            assert va.imag / 1000.0 == pytest.approx(state.infeed_kvar[0], rel=1e-3, abs=0.01)
            assert values[0] == 0 and values[5] == pytest.approx(state.frequency_hz, abs=1e-4)

    asyncio.run(drive())


def test_one_connection_may_have_several_units_by_their_id_codes(lane: Scenario) -> None:
    async def drive() -> None:
        async with unit(lane, None) as (harness, client):
            for id in (TOWN, BUS, BUS + 1, 40_000):
                client.ask(id, Command.SEND_CONFIGURATION_2)
                client.ask(id, Command.DATA_ON)
            await client.until(lambda: len(client.of(FrameType.CONFIGURATION_2)) == 3)
            await harness.advance(1.0)
            await client.until(lambda: len(client.of(FrameType.DATA)) >= 90)
            assert {int.from_bytes(one[4:6], "big") for one in client.of(FrameType.DATA)} == {TOWN, BUS, BUS + 1}
            assert harness.run.grid.counts["c37118: no such unit"] == 2

    asyncio.run(drive())


def test_commands_come_in_pieces_and_together(lane: Scenario) -> None:
    async def drive() -> None:
        async with unit(lane, "buses/0") as (_, client):
            asked = frames.command(BUS, Command.SEND_CONFIGURATION_2, 0)
            for byte in asked:
                client.write(bytes((byte,)))
                await asyncio.sleep(0.002)
            await client.until(lambda: client.of(FrameType.CONFIGURATION_2))
            client.write(asked + asked + frames.command(BUS, Command.SEND_HEADER, 0) + asked[:5])
            await client.until(lambda: len(client.of(FrameType.CONFIGURATION_2)) == 3 and client.of(FrameType.HEADER))
            client.write(asked[5:])
            await client.until(lambda: len(client.of(FrameType.CONFIGURATION_2)) == 4)

    asyncio.run(drive())


def test_what_is_wrong_is_counted_and_answered_with_nothing(lane: Scenario) -> None:
    async def drive() -> None:
        async with unit(lane, "buses/0") as (harness, client):
            good = frames.command(BUS, Command.SEND_HEADER, 0)
            client.write(good[:-1] + bytes((good[-1] ^ 1,)))
            client.ask(BUS + 1, Command.SEND_HEADER)
            client.ask(BUS, 77)
            client.write(frames.framed(FrameType.DATA, BUS, 0, b"\0\0"))
            client.write(good)
            await client.until(lambda: client.frames)
            counts = harness.run.grid.counts
            assert counts["c37118: malformed"] == 2
            assert counts["c37118: no such unit"] == 1 and counts["c37118: unknown command"] == 1
            assert len(client.frames) == 1
            client.write(b"GET / HTTP/1.1\r\n\r\n")
            await client.until(lambda: client.is_closed)
            assert not harness.run.grid.peers

    asyncio.run(drive())


def test_frames_cross_the_modelled_network_in_their_order(lane: Scenario) -> None:
    async def drive() -> None:
        async with unit(lane, "buses/0", Options(at=NIGHT, http_port=None)) as (harness, client):
            client.ask(BUS, Command.SEND_CONFIGURATION_2)
            client.ask(BUS, Command.DATA_ON)
            await client.until(lambda: len(client.of(FrameType.DATA)) > 60, 30.0)
            assert (np.diff([_ns(one) for one in client.of(FrameType.DATA)]) > 0).all()
            delays = [one.delay_s for one in harness.run.grid.frames]
            assert delays and all(one is not None and one > 0.0 for one in delays)

    asyncio.run(drive())


def test_tshark_dissects_all_frames(lane: Scenario, tmp_path: Path) -> None:
    found: list[tuple[int, list[tuple[bool, bytes]]]] = []

    async def drive() -> None:
        for settings in ((), ("live.c37118.phasors='rectangular'",)):
            async with unit(lane, "primary_substations/0", settings=settings) as (harness, client):
                for code in (
                    Command.SEND_HEADER,
                    Command.SEND_CONFIGURATION_1,
                    Command.SEND_CONFIGURATION_2,
                    Command.DATA_ON,
                ):
                    client.ask(TOWN, code)
                    await asyncio.sleep(0.05)
                await client.until(lambda client=client: client.of(FrameType.CONFIGURATION_2))
                await harness.advance(1.0)
                await client.until(lambda client=client: len(client.of(FrameType.DATA)) > 40)
                found.append((harness.ports["c37118"], client.packets))

    asyncio.run(drive())
    for port, packets in found:
        write_capture(tmp_path / "c37118.pcap", port, packets)
        fields = (
            "synphasor.frtype",
            "synphasor.conf.phasor_format",
            "synphasor.data.status",
            "_ws.malformed",
            "_ws.expert.message",
            "synphasor.checksum.status",
        )
        rows = dissected(tmp_path / "c37118.pcap", port, "synphasor", *fields)
        types = [one for row in rows for one in row[0].split(",") if one]
        assert {str(int(one, 0)) for one in types} == {"0", "1", "2", "3", "4"}
        assert not any(row[3] or row[4] for row in rows), rows
        assert (
            len(types) == len([1 for row in rows for one in row[0].split(",") if one]) and types.count(types[-1]) > 40
        )


def test_angles_give_the_flows_of_a_linear_network() -> None:
    source = np.random.default_rng(3)
    from_bus, to_bus = np.array([0, 1, 2, 3, 0, 1]), np.array([1, 2, 3, 0, 2, 4])
    x_pu, ratio = source.uniform(0.05, 0.2, 6), np.array([1.0, 1.0, 1.02, 1.0, 1.0, 0.98])
    network = DcNetwork(5, from_bus, to_bus, np.full(6, 0.01), x_pu, ratio, 100.0)
    flow = network.solve(np.array([50.0, -20.0, 30.0, -40.0, -20.0]))
    rad = network.angles_rad(flow)
    assert rad[0] == 0.0
    assert 100.0 * (rad[from_bus] - rad[to_bus]) / (x_pu * ratio) == pytest.approx(flow.flow_mw, abs=1e-9)


def test_phasors_turn_by_the_deviation_of_the_frequency() -> None:
    class Seen:
        def __init__(self, at_s: float, frequency_hz: float) -> None:
            self.at_ns, self.frequency_hz = round(at_s * NS_PER_S), frequency_hz

    rotation = Rotation(50.0)
    rotation.see(Seen(10.0, 50.1))  # type: ignore[arg-type]
    assert cmath.phase(rotation.at(11 * NS_PER_S)) == pytest.approx(0.2 * math.pi)
    rotation.see(Seen(11.0, 49.9))  # type: ignore[arg-type]
    assert rotation.rocof_hz_per_s == pytest.approx(-0.2)
    assert cmath.phase(rotation.at(12 * NS_PER_S)) == pytest.approx(0.0, abs=1e-9)


def damaged_frame(source: random.Random) -> bytes:
    """No frame, one with a bit turned, one cut off, or a sound one of any kind to anybody."""
    data = bytearray(frames.command(TOWN, Command.DATA_ON, 0))
    kind = source.randrange(4)
    if kind == 0:
        return source.randbytes(source.randrange(1, 60))
    if kind == 1:
        data[source.randrange(len(data))] ^= 1 << source.randrange(8)
        return bytes(data)
    if kind == 2:
        return bytes(data[: source.randrange(1, len(data))])
    body = source.randbytes(source.randrange(0, 40))
    return frames.framed(FrameType(source.randrange(5)), source.randrange(65536), 0, body)


def _fuzz(count: int, seed: int) -> None:
    source, splitter = random.Random(seed), Splitter()
    outcomes = {"taken": 0, "malformed": 0, "lost": 0}
    for _ in range(count):
        try:
            for one in splitter.feed(damaged_frame(source)):
                try:
                    assert isinstance(frames.asked(one), Asked)
                    outcomes["taken"] += 1
                except MalformedError:
                    outcomes["malformed"] += 1
        except MalformedError:
            outcomes["lost"] += 1
            splitter = Splitter()
    assert all(outcomes.values()), outcomes


def test_two_thousand_malformed_frames_do_no_harm() -> None:
    _fuzz(2000, 1)


@pytest.mark.slow
def test_a_hundred_thousand_malformed_frames_do_no_harm() -> None:
    _fuzz(100_000, 2)


def test_a_data_frame_has_the_bytes_of_the_standard() -> None:
    one = Configuration(7, "A", (("V", False),), ("P",), (("D", *([""] * 15)),), 50, 50)
    frame = frames.data(one, 1_500_000_000, Measurement(0, [3 + 4j], 50.02, 0.1, [1.5], [1]))
    assert frame[:14] == bytes.fromhex("aa01 0028 0007 00000001 0007a120")
    assert frame[14:-2] == struct.pack(">HfffffH", 0, 5.0, math.atan2(4, 3), 50.02, 0.1, 1.5, 1)
    assert frames.command(7, 2, 0)[:-2] == bytes.fromhex("aa41 0012 0007 00000000 00000000 0002")
