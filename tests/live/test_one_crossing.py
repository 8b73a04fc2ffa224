"""A set-point that has come to a device in a frame crosses the modelled network once: the message of its contract begins and ends at the device."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import numpy as np

from heptagrid.contracts.outside import Frame
from heptagrid.live.grid import LiveGrid
from heptagrid.live.serve import Options
from heptagrid.live.stations.orders import carry_out
from heptagrid.live.stations.points import POWER, TARGET
from heptagrid.scenario.schema import Scenario
from tests.live.harness import Harness, live_grid

MODELLED = Options(at="2016-07-04T00:20", paused=True, http_port=None)
WITHIN_NS = 1000


def _target(grid: LiveGrid) -> Coroutine[Any, Any, Any]:
    network = grid.inventory.world.network
    kv = float(network.v_base_kv[network.busbars[0]])
    return carry_out(grid, grid.inventory.device("primary_substations/0"), TARGET, 1.03 * kv, 16, "iec104")


def _power(grid: LiveGrid) -> Coroutine[Any, Any, Any]:
    return carry_out(grid, grid.inventory.device("plants/0"), POWER, 100.0, 16, "dnp3")


def _charging(grid: LiveGrid) -> Coroutine[Any, Any, Any]:
    device = grid.inventory.device("vehicles/0")
    return grid.order(device, [1.0], None, grid.now_ns + 10**12, desk=grid.at(device))


def test_what_is_at_a_device_already_takes_no_time(lane: Scenario) -> None:
    """Of stations (IEC 104, DNP3, MMS) and of charge points."""

    async def drive() -> None:
        async with live_grid(lane, {}, options=MODELLED) as harness:
            grid, sent, taken_ns = harness.run.grid, harness.run.grid.send, list[int]()

            async def noted(message: Any) -> Any:
                assert message.source.tolist() == message.destination.tolist()
                before_ns = grid.now_ns
                fate = await sent(message)
                taken_ns.append(fate.ns - before_ns)
                return fate

            grid.send = noted  # type: ignore[method-assign]
            for given in (_target, _power, _charging):
                task = asyncio.ensure_future(given(grid))
                await asyncio.sleep(0.05)
                await harness.advance(1.0)
                assert await asyncio.wait_for(task, 20.0) is not False
            assert len(taken_ns) == 3
            assert all(0 <= one <= WITHIN_NS for one in taken_ns)

    asyncio.run(drive())


def crossings(harness: Harness) -> list[tuple[str, list[int], list[int]]]:
    """From now on, what is handed to the network beside frames: contract, sources and destinations."""
    found: list[tuple[str, list[int], list[int]]] = []
    hand_in = harness.run.engine.crossings.hand_in

    def noted(message: Any, told: Any) -> None:
        if not isinstance(message.payload, Frame):
            ends = np.asarray(message.source).tolist(), np.asarray(message.destination).tolist()
            found.append((message.contract.name, *ends))
        hand_in(message, told)

    harness.run.engine.crossings.hand_in = noted  # type: ignore[method-assign]
    return found


def begun_at_devices(found: list[tuple[str, list[int], list[int]]]) -> bool:
    """Whether there were messages, and each began at the device at which it ended."""
    return bool(found) and all(source == destination for _, source, destination in found)
