"""Single devices' energy is counted while a grid runs."""

from __future__ import annotations

import asyncio

import numpy as np

from heptagrid.scenario.schema import Scenario
from tests.live.harness import live_grid


def test_energy_is_the_power_of_every_step(lane: Scenario) -> None:
    async def drive() -> None:
        async with live_grid(lane) as harness:
            grid = harness.run.grid
            await harness.advance(60.0)
            before = grid.state
            await harness.advance(1.0)
            now = grid.state
            np.testing.assert_allclose(
                now.energy.unit_kwh - before.energy.unit_kwh, now.unit_kw * (now.until_ns - now.at_ns) / 3.6e12
            )
            drawn = now.energy.drawn_kwh["vehicles"] - before.energy.drawn_kwh["vehicles"]
            np.testing.assert_allclose(drawn, now.devices["vehicles"].power_kw / 3600.0, atol=1e-12)
            assert (before.energy.unit_kwh > 0.0).any(), "the warm-up is counted as well"

    asyncio.run(drive())
