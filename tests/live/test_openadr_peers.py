"""Independent clients, each a program of its own, at the VTN of a live grid."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path

import pytest

from heptagrid.live.protocols.openadr.adapter import OpenAdr
from heptagrid.scenario.schema import Scenario
from tests.documents.pages import DOCS, blocks
from tests.live.harness import live_grid

JUDGES = Path(__file__).parent / "judges"


@pytest.mark.long
@pytest.mark.parametrize(
    ("package", "script"), [("toadr3", "toadr3_peer.py"), ("openadr3_client", "openadr3_client_peer.py")]
)
def test_a_client_of_others_is_served(lane: Scenario, package: str, script: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"not run: {package} is not installed")

    async def drive() -> None:
        async with live_grid(lane, {"openadr": None}) as harness:
            (vtn,) = [one for one in harness.run.protocols if isinstance(one, OpenAdr)]
            secrets = [vtn.access.clients[name].secret for name in ("bl", "ven")]
            base = f"http://127.0.0.1:{vtn.listens_on}"
            said = blocks(DOCS / "live/openadr.md", "python")[:1] if package == "openadr3_client" else []
            peer = await asyncio.create_subprocess_exec(
                *(sys.executable, str(JUDGES / script), base, *secrets, *said),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            told, _ = await asyncio.wait_for(peer.communicate(), 120.0)
            assert peer.returncode == 0, told.decode()[-3000:]
            assert "judged" in told.decode()

    asyncio.run(drive())
