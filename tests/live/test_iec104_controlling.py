"""The desk as a controlling station of IEC 60870-5-104: one live grid asks another, which stands for an outside plant."""

from __future__ import annotations

import asyncio
import socket

import pytest

from heptagrid.foundation.errors import UsageError
from heptagrid.live.protocols.iec104.adapter import Iec104
from heptagrid.live.protocols.iec104.controlling import outside_stations
from heptagrid.live.protocols.iec104.elements import NOT_TOPICAL, Type
from heptagrid.live.serve import Options
from heptagrid.scenario.schema import Scenario
from tests.live.harness import live_grid

OPTIONS = Options(at="2016-07-04T00:20", speed=None, paused=True, http_port=None, is_ideal=True)


async def _until(holds: object, within_s: float = 60.0) -> None:
    assert callable(holds)
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.01)


def test_the_desk_keeps_what_an_outside_station_tells_with_its_age_and_quality(lane: Scenario) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    setting = (f"live.iec104.outstations='127.0.0.1:{port}/1001, 127.0.0.1:{port}/999'",)

    async def drive() -> None:
        async with live_grid(lane, {"iec104": None}, settings=setting, options=OPTIONS) as harness:
            [adapter] = harness.run.protocols
            assert isinstance(adapter, Iec104)
            known, unknown = adapter.outside.values()
            await asyncio.sleep(0.1)
            assert not known.is_connected
            with pytest.raises(UsageError, match="not connected"):
                await known.interrogate()
            async with live_grid(lane, {"iec104": port}, options=OPTIONS) as outside:
                await _until(lambda: known.is_interrogated and 301 in known.values)
                state = outside.run.grid.state
                assert known.values[2].value == pytest.approx(state.substation_pct[0], rel=1e-6)
                assert known.quality(2) == 0 and 0.0 <= known.age_s(2) < 10.0
                assert not unknown.is_interrogated and not unknown.values
                shown = [one for one in harness.run.grid.peers if one.role == "controlled station"]
                assert len(shown) == 2 and shown[0].frames > 5
                await outside.advance_in_minutes(3600.0)
                await _until(lambda: known.values[2].type == Type.M_ME_TF_1 or known.values[3].type == Type.M_ME_TF_1)
                assert not await known.command(Type.C_SE_NC_1, 1001, 1.0), "it has no set-point"
                assert await known.command(Type.C_DC_NA_1, 1003, 1, select=True)
                await outside.advance(120.0)
                await _until(lambda: known.values[101].value == 0)
            await _until(lambda: not known.is_connected)
            assert known.quality(2) & NOT_TOPICAL and known.values[2].quality == 0

    asyncio.run(drive())


@pytest.mark.parametrize("words", ["somewhere", "host/1", "host:2404", "host:0/1", "host:2404/65535", "host:2404/x"])
def test_what_is_no_station_is_refused(words: str) -> None:
    with pytest.raises(UsageError, match="COMMON ADDRESS"):
        outside_stations(words)
    assert [one.name for one in outside_stations("a:1/2,[::1]:2404/7")] == ["a:1/2", "::1:2404/7"]
