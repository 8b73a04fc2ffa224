"""A data concentrator of others, in a process of its own, judges IEEE C37.118."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from pathlib import Path

import pytest

from heptagrid.live.listening import Addresses
from heptagrid.live.serve import Options
from heptagrid.scenario.schema import Scenario
from tests.live.harness import live_grid


def test_a_concentrator_reads_configuration_and_data(lane: Scenario) -> None:
    if importlib.util.find_spec("pyc37") is None:
        pytest.skip("not run: pyc37 is not installed (pip install 'heptagrid[peers]')")

    async def drive() -> None:
        options = Options(at="2016-07-04T00:20", http_port=None)
        async with live_grid(lane, {"c37118": None}, options=options) as harness:
            inventory = harness.run.grid.inventory
            own = Addresses(inventory).address_of(inventory.device("primary_substations/0"))
            assert own is not None
            words = [str(Path(__file__).with_name("pyc37_client.py")), own, str(harness.ports["c37118"]), "1"]
            process = await asyncio.create_subprocess_exec(
                sys.executable, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
            )
            out, err = await asyncio.wait_for(process.communicate(), 90.0)
            assert process.returncode == 0, err.decode()
            found = json.loads(out.splitlines()[-1])
            nominal_hz = round(inventory.world.grid.frequency_hz)
            assert "primary_substations/0" in found["header"] and found["alike"]
            assert (found["rate"], found["nominal_hz"]) == (nominal_hz, nominal_hz)
            assert [one.strip() for one in found["channels"][:2]] == ["V1 INFEED", "I1 INFEED"]
            state = harness.run.grid.state
            town = inventory.world.towns[0]
            volts = state.infeed_v_pu[0] * town.grid.buses.vn_kv[town.grid.infeed_bus] * 1000.0 / 3**0.5
            told = found["told"]
            assert len(told) == 30
            for *_, status, phasors, frequency_hz, _, analogs, digitals in told:
                assert status == "ok" and phasors[0][0] == pytest.approx(volts, rel=0.02)
                assert frequency_hz == pytest.approx(nominal_hz, abs=0.5)
                assert analogs[0] == pytest.approx(state.infeed_kw[0] / 1000.0, abs=0.05) and digitals[0] == 1

    asyncio.run(drive())
