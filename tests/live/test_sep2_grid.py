"""IEEE 2030.5 on a live grid: mutual TLS, the operator's controls, and a client of others that stands for a device."""

from __future__ import annotations

import asyncio
import importlib.util
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from heptagrid.live.certificates import Authority, Leaf
from heptagrid.live.protocols.sep2.adapter import Sep2
from heptagrid.live.protocols.sep2.xml import NAMESPACE
from heptagrid.scenario.schema import Scenario
from tests.documents.pages import DOCS, blocks
from tests.live.harness import Harness, live_grid

pytestmark = pytest.mark.long
JUDGE = Path(__file__).parent / "judges/py20305_peer.py"
UNSTEERED = ("vehicles.share=1.0", "gateways.enrolled_share=0.0", "gateways.dynamic_tariff_share=0.0")


@asynccontextmanager
async def utility(scenario: Scenario, folder: Path, *clients: str) -> AsyncIterator[tuple[Harness, Sep2]]:
    """A live grid with a server, and certificates in a folder for the operator and other clients."""
    authority = Authority.of(folder)
    authority.sign(Leaf("localhost", "server", ("127.0.0.1",), True))
    for name in ("operator", *clients):
        authority.sign(Leaf(name, "client", (), True))
    settings = (*UNSTEERED, f'live.sep2.certificates="{folder}"')
    async with live_grid(scenario, {"sep2": None}, settings=settings) as harness:
        (server,) = [one for one in harness.run.protocols if isinstance(one, Sep2)]
        yield harness, server


def client_context(
    folder: Path, name: str | None, ciphers: str = "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0"
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers)
    context.load_verify_locations(folder / "ca.pem")
    if name is not None:
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


async def ask(server: Sep2, context: ssl.SSLContext, request: bytes) -> tuple[str, bytes]:
    """A request over a connection of its own; the suite, and all that comes back."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", server.listens_on, ssl=context, server_hostname="localhost"
    )
    try:
        suite = writer.get_extra_info("cipher")[0]
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(), 30.0)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return suite, answer


async def refused(server: Sep2, context: ssl.SSLContext) -> bool:
    """Whether a client gets no answer at all."""
    try:
        _, answer = await ask(server, context, http("GET", "/dcap"))
    except OSError:
        return True
    return answer == b""


def http(method: str, path: str, body: str = "") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()


def control(base: str) -> str:
    interval = "<interval><duration>1800</duration><start>0</start></interval>"
    return f'<DERControl xmlns="{NAMESPACE}">{interval}<DERControlBase>{base}</DERControlBase></DERControl>'


def program(server: Sep2, name: str) -> int:
    return next(one.number for one in server.server.programs.values() if one.name == name)


def test_the_operators_controls_reach_built_in_devices(lane: Scenario, tmp_path: Path) -> None:
    async def drive() -> None:
        async with utility(lane, tmp_path, "vehicles-0") as (harness, server):
            grid = harness.run.grid
            await harness.advance(60.0)
            home = np.flatnonzero(grid.state.devices["vehicles"].power_kw > 5.0)
            home = home[np.argsort(grid.state.devices["vehicles"].content_kwh[home])][:1]
            operator = client_context(tmp_path, "operator")
            path = f"/derp/{program(server, 'VEHICLES')}/derc"
            suite, answer = await ask(server, operator, http("POST", path, control("<opModFixedW>-2500</opModFixedW>")))
            assert suite == "ECDHE-ECDSA-AES128-CCM8"
            assert answer.startswith(b"HTTP/1.1 201") and b"location: " + path.encode() in answer
            await asyncio.sleep(0.15)
            await harness.advance(120.0)
            assert grid.state.devices["vehicles"].power_kw[home] == pytest.approx(0.25 * 11.0)
            _, gone = await ask(server, operator, http("DELETE", f"{path}/1"))
            assert gone.startswith(b"HTTP/1.1 204")
            await asyncio.sleep(0.15)
            await harness.advance(120.0)
            assert grid.state.devices["vehicles"].power_kw[home] > 5.0
            for torn in (
                b"\x00\x01\x02\r\n\r\n",
                b"GET /tm\r\n\r\n",
                b"POST /mup HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
            ):
                _, answer = await ask(server, operator, torn)
                assert answer.startswith(b"HTTP/1.1 400")
            assert grid.counts["sep2: malformed HTTP"] == 3
            _, long = await ask(server, operator, http("POST", "/mup", "x" * 300_000))
            assert long.startswith(b"HTTP/1.1 413")
            _, default = await ask(server, operator, http("GET", "/tm"))
            assert b"application/sep+xml" in default and NAMESPACE.encode() in default

    asyncio.run(drive())


def test_the_operators_controls_of_reactive_power_move_the_voltage(lane: Scenario, tmp_path: Path) -> None:
    points = "".join(
        f"<CurveData><xvalue>{x}</xvalue><yvalue>{y}</yvalue></CurveData>" for x, y in ((100, 0), (101, -100))
    )
    curve = f"<mRID>0A00006CC8</mRID><creationTime>1</creationTime>{points}<curveType>11</curveType><xMultiplier>0</xMultiplier><yMultiplier>0</yMultiplier><yRefType>2</yRefType>"
    fixed = "<opModFixedVar><refType>2</refType><value>-10000</value></opModFixedVar>"

    async def drive() -> None:
        async with utility(lane, tmp_path) as (harness, server):
            grid = harness.run.grid
            point = grid.inventory.classes["local_units"].point[0]
            most_kvar = 0.44 * 1.11 * float(grid.inventory.classes["local_units"].rated_kw[0])
            await harness.advance(60.0)
            before_pu = float(grid.state.point_v_pu[point])
            operator = client_context(tmp_path, "operator")
            at = f"/derp/{program(server, 'LOCAL_UNITS')}"
            await ask(server, operator, http("POST", f"{at}/derc", control(fixed)))
            await asyncio.sleep(0.15)
            await harness.advance(120.0)
            assert grid.state.unit_kvar[0] == pytest.approx(-most_kvar)
            assert grid.state.point_v_pu[point] < before_pu - 0.001
            await ask(server, operator, http("POST", f"{at}/dc", f'<DERCurve xmlns="{NAMESPACE}">{curve}</DERCurve>'))
            await ask(server, operator, http("POST", f"{at}/derc", control(f'<opModVoltVar href="{at}/dc/1"/>')))
            await asyncio.sleep(0.15)
            await harness.advance(120.0)
            by_curve = -most_kvar * np.clip((grid.state.point_v_pu[point] - 1.0) / 0.01, 0.0, 1.0)
            assert grid.state.unit_kvar[0] == pytest.approx(by_curve, abs=0.01 * most_kvar), "the younger one holds"
            for number in (1, 2):
                await ask(server, operator, http("DELETE", f"{at}/derc/{number}"))
            await asyncio.sleep(0.15)
            await harness.advance(120.0)
            assert grid.state.unit_kvar[0] == 0.0 and grid.state.point_v_pu[point] == pytest.approx(before_pu, abs=2e-3)

    asyncio.run(drive())


def test_the_operators_controls_let_power_answer_the_frequency(lane: Scenario, tmp_path: Path) -> None:
    droop = "<opModFreqDroop><dBOF>36</dBOF><dBUF>36</dBUF><kOF>50</kOF><kUF>50</kUF><openLoopTms>500</openLoopTms></opModFreqDroop>"
    points = "".join(
        f"<CurveData><xvalue>{x}</xvalue><yvalue>{y}</yvalue></CurveData>" for x, y in ((602, 100), (612, 0))
    )
    curve = f"<mRID>0A00006CC8</mRID><creationTime>1</creationTime>{points}<curveType>0</curveType><xMultiplier>-1</xMultiplier><yMultiplier>0</yMultiplier><yRefType>1</yRefType>"

    async def drive() -> None:
        async with utility(lane, tmp_path) as (harness, server):
            grid, terminals = harness.run.grid, harness.run.engine.simulation.grid.terminals
            rated_kw = float(grid.inventory.classes["local_units"].rated_kw[0])
            operator = client_context(tmp_path, "operator")
            at = f"/derp/{program(server, 'LOCAL_UNITS')}"
            await ask(server, operator, http("POST", f"{at}/derc", control(droop)))
            await asyncio.sleep(0.15)
            await harness.advance(60.0)
            before_kw = float(grid.state.unit_kw[0])
            terminals.deviation_hz = 0.2
            await harness.advance(60.0)
            less_kw = (0.2 - 0.036) / (60.0 * 0.05) * rated_kw
            assert grid.state.unit_kw[0] == pytest.approx(before_kw - less_kw, rel=0.02)
            await ask(server, operator, http("POST", f"{at}/dc", f'<DERCurve xmlns="{NAMESPACE}">{curve}</DERCurve>'))
            await ask(server, operator, http("POST", f"{at}/derc", control(f'<opModFreqWatt href="{at}/dc/1"/>')))
            terminals.deviation_hz = 1.1
            await asyncio.sleep(0.15)
            await harness.advance(60.0)
            assert grid.state.unit_kw[0] == pytest.approx(0.1 * rated_kw, rel=1e-3), "the younger one holds"
            terminals.deviation_hz = 0.0
            await harness.advance(60.0)
            assert grid.state.unit_kw[0] == pytest.approx(before_kw, rel=0.03)

    asyncio.run(drive())


def test_who_shows_no_certificate_of_the_authority_is_not_served(lane: Scenario, tmp_path: Path) -> None:
    async def drive() -> None:
        async with utility(lane, tmp_path / "ours") as (harness, server):
            stranger = Authority.of(tmp_path / "theirs")
            stranger.sign(Leaf("operator", "client", (), True))
            context = client_context(tmp_path / "ours", None)
            assert await refused(server, context)
            context.load_cert_chain(tmp_path / "theirs/operator.pem", tmp_path / "theirs/operator.key")
            assert await refused(server, context)
            assert not server.server.devices and not harness.run.grid.peers
            refusals = {name: n for name, n in harness.run.grid.counts.items() if name.startswith("sep2: TLS refused")}
            assert sum(refusals.values()) == 2 and "sep2: TLS refused, certificate verify failed" in refusals

    asyncio.run(drive())


def test_a_client_of_others_stands_for_a_device(lane: Scenario, tmp_path: Path) -> None:
    if importlib.util.find_spec("py20305") is None:
        pytest.skip("not run: py20305 is not installed")

    async def drive() -> None:
        async with utility(lane, tmp_path / "keys", *(f"vehicles-{k}" for k in range(17))) as (harness, server):
            grid = harness.run.grid
            await harness.advance(60.0)
            state = grid.state.devices["vehicles"]
            home = np.flatnonzero(state.power_kw > 5.0)
            row = int(home[np.argmin(state.content_kwh[home])])
            path = f"/derp/{program(server, 'VEHICLES')}/derc"
            await ask(
                server,
                client_context(tmp_path / "keys", "operator"),
                http("POST", path, control("<opModFixedW>-1000</opModFixedW>")),
            )
            base = f"https://localhost:{server.listens_on}"
            said = blocks(DOCS / "live/ieee2030-5.md", "python")
            peer = await asyncio.create_subprocess_exec(
                *(sys.executable, str(JUDGE), base, "keys", f"vehicles-{row}", "3300", *said),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                cwd=tmp_path,
            )
            saying = asyncio.create_task(peer.communicate())
            before_ns = grid.now_ns
            for _ in range(600):
                await asyncio.sleep(0.02)
                if saying.done():
                    break
                await harness.advance(1.0)
            told, _ = await saying
            assert peer.returncode == 0, told.decode()[-3000:]
            assert "judged" in told.decode() and grid.now_ns > before_ns
            await asyncio.sleep(0.15)
            await harness.advance(120.0)
            assert grid.state.devices["vehicles"].power_kw[row] == pytest.approx(3.3), (
                "what it mirrors is what its device draws"
            )
            crossed = [one for one in grid.frames if one.protocol == "sep2" and one.device == f"vehicles/{row}"]
            assert len(crossed) > 10 and all(one.delay_s is None or one.delay_s >= 0.0 for one in crossed)
            assert any(one.delay_s for one in crossed), "its requests cross the modelled network"

    asyncio.run(drive())
