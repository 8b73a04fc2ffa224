"""What `serve` does when something is in its way."""

from __future__ import annotations

import asyncio
import gc
import socket
from dataclasses import replace

import pytest

from heptagrid.foundation.errors import UsageError
from heptagrid.live import serve as module
from heptagrid.live.serve import LiveRun, Options
from heptagrid.scenario.schema import Scenario
from tests.live.harness import EVENING

PAUSED = Options(at=EVENING, paused=True, http_port=None)


def _started(run: LiveRun) -> None:
    async def drive() -> None:
        await run.start()
        await run.stop()

    with run.prepared():
        asyncio.run(drive())


def test_a_port_that_is_taken_is_an_error_where_it_was_asked_for_and_a_line_where_not(
    lane: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=str(port)):
            _started(LiveRun(lane, replace(PAUSED, ports={"modbus": port})))
        modbus = module.protocols()["modbus"]
        monkeypatch.setattr(module, "protocols", lambda: {"modbus": type("Modbus", (modbus,), {"port": port})})
        said: list[str] = []
        _started(LiveRun(lane, PAUSED, said.append))
        assert [line for line in said if line.startswith("not served:") and str(port) in line]


def test_a_protocol_that_does_not_exist_is_refused_before_anything_is_built(lane: Scenario) -> None:
    with pytest.raises(UsageError, match="there is no such protocol; there are"):
        LiveRun(lane, replace(PAUSED, ports={"telepathy": None}))


def test_what_start_up_made_is_left_out_of_collections_until_the_end(lane: Scenario) -> None:
    thresholds, frozen = gc.get_threshold(), gc.get_freeze_count()
    with LiveRun(lane, PAUSED).prepared():
        assert gc.get_freeze_count() > 50_000 > 10 * len(gc.get_objects())
    assert (gc.get_threshold(), gc.get_freeze_count()) == (thresholds, frozen)
