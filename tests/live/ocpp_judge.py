"""npm's ocpp-rpc in strict mode, in a process of its own, as the other end."""

from __future__ import annotations

import asyncio
import fcntl
import itertools
import json
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

VERSION = "2.2.1"
_PATIENCE_S = 30.0


def module() -> str:
    """Where ocpp-rpc lies; it is installed once for all tests of this machine."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("not run: node and npm are missing, with which ocpp-rpc judges our frames")
    folder = Path(tempfile.gettempdir()) / f"heptagrid-ocpp-rpc-{VERSION}"
    folder.mkdir(exist_ok=True)
    found = folder / "node_modules" / "ocpp-rpc"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.exists():
            command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"ocpp-rpc@{VERSION}"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
            if done.returncode:
                pytest.skip(f"not run: npm cannot install ocpp-rpc {VERSION}: {done.stderr.strip()[-200:]}")
    return str(found)


class Judge:
    """The process. said: all lines that it wrote, of `waiting` for the next that fits."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.said: list[dict[str, Any]] = []
        self._process = process
        self._numbers = itertools.count(1)
        self._more = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            async with self._more:
                self.said.append(json.loads(line))
                self._more.notify_all()

    async def waiting(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first line that fits, as soon as it is there."""

        def found() -> dict[str, Any] | None:
            return next((one for one in self.said if fits(one)), None)

        async with self._more:
            async with asyncio.timeout(_PATIENCE_S):
                await self._more.wait_for(lambda: found() is not None)
            line = found()
            assert line is not None
            return line

    async def call(self, action: str, payload: dict[str, Any], identity: str = "") -> dict[str, Any]:
        """Let it call the other end; the line with its result or error."""
        id = next(self._numbers)
        assert self._process.stdin is not None
        line = {"id": id, "identity": identity, "action": action, "payload": payload}
        self._process.stdin.write(json.dumps(line).encode() + b"\n")
        await self._process.stdin.drain()
        return await self.waiting(lambda one: one.get("id") == id)

    async def heard(self, action: str, identity: str, **values: Any) -> dict[str, Any]:
        """The payload of the first call of an action from a station in which these values stand."""

        def fits(one: dict[str, Any]) -> bool:
            payload = one.get("payload", {})
            is_it = one.get("call") == action and one.get("identity") == identity
            return is_it and all(payload.get(name) == value for name, value in values.items())

        return dict((await self.waiting(fits))["payload"])

    @property
    def violations(self) -> list[dict[str, Any]]:
        """What it found wrong with what it was told."""
        return [one for one in self.said if "violation" in one]

    async def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reading


@asynccontextmanager
async def judge(role: str, **options: Any) -> AsyncIterator[Judge]:
    """ocpp-rpc as "csms" or "station"."""
    script = Path(__file__).with_name("ocpp_judge.js")
    process = await asyncio.create_subprocess_exec(
        *("node", str(script), module(), role, json.dumps(options)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**22,
    )
    one = Judge(process)
    try:
        yield one
    finally:
        await one.end()
