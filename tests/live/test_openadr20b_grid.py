"""OpenADR 2.0b on a live grid: one desk for both versions, VENs over the modelled network, an independent VEN, and runs that can be made again."""

from __future__ import annotations

import asyncio
import importlib.util
import ssl
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
import pytest

from heptagrid.foundation.errors import UsageError
from heptagrid.live.access import AccessFiles
from heptagrid.live.again import replay
from heptagrid.live.certificates import Authority, Leaf
from heptagrid.live.protocol import Listening
from heptagrid.live.protocols.openadr.adapter import OpenAdr
from heptagrid.live.protocols.openadr.schedule import TEST_EVENT
from heptagrid.live.protocols.openadr20b.adapter import OpenAdr20b
from heptagrid.live.protocols.openadr20b.messages import opened
from heptagrid.live.serve import Options
from heptagrid.live.wire import WIRE, read_wire
from heptagrid.live.xml import Element
from heptagrid.scenario.schema import Scenario
from tests.live.harness import EVENING, Harness, live_grid
from tests.live.openadr20b_rig import READY, code, intervals, payload, request
from tests.live.test_openadr20b_reports import asked_of, offer, report

pytestmark = pytest.mark.long
JUDGE = Path(__file__).parent / "judges/openleadr_peer.py"
UNSTEERED = ("vehicles.share=1.0", "gateways.enrolled_share=0.0", "gateways.dynamic_tariff_share=0.0")
BOTH: dict[str, int | None] = {"openadr": None, "openadr20b": None}
T = TypeVar("T")


class Rig:
    """Both VTNs of a live grid, the desk's client of OpenADR 3, and a VEN's of 2.0b."""

    def __init__(self, harness: Harness, desk: httpx.AsyncClient, ven: httpx.AsyncClient) -> None:
        self.harness, self.desk, self.ven, self.grid = harness, desk, ven, harness.run.grid
        (self.adapter,) = [one for one in harness.run.protocols if isinstance(one, OpenAdr20b)]
        (self.old,) = [one for one in harness.run.protocols if isinstance(one, OpenAdr)]

    async def bl(self) -> dict[str, str]:
        form = {
            "grant_type": "client_credentials",
            "client_id": "bl",
            "client_secret": self.old.access.clients["bl"].secret,
        }
        answer = await self.desk.post("/auth/token", data=form)
        return {"authorization": f"Bearer {answer.json()['access_token']}"}

    async def event(self, kind: str, *values: float, **content: Any) -> str:
        given = {
            "programID": "aggregator-dispatch",
            "intervalPeriod": {"start": "0001-01-01", "duration": "PT4H"},
            "intervals": intervals(kind, *values),
            **content,
        }
        made = await self.desk.post("/openadr3/3.1.0/events", json=given, headers=await self.bl())
        assert made.status_code == 201, made.text
        await asyncio.sleep(0.15)
        return str(made.json()["id"])

    async def reports(self, event: str) -> list[dict[str, Any]]:
        found = await self.desk.get(f"/openadr3/3.1.0/reports?eventID={event}", headers=await self.bl())
        return list(found.json())

    async def ask(self, service: str, tag: str, inner: str) -> Element:
        """A message of a VEN, while time goes on until it is answered."""
        answer = await self.while_time_goes(self.ven.post(f"/{service}", content=payload(tag, inner)))
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/xml"
        return opened(answer.content)

    async def while_time_goes(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(work)
        for _ in range(6_000):
            await asyncio.sleep(0.01)
            if task.done():
                break
            await self.harness.advance(1.0)
        return await task

    async def change_once_answered(self, name: str, event: str, content: dict[str, Any]) -> None:
        """Change an event once a VEN has answered it, and delete it once that is answered too."""
        shown = self.adapter.desk.store.named("VEN", name)
        ven = self.adapter.vtn.vens.get(str(shown["id"])) if shown is not None else None
        told = ven.told.get(event) if ven is not None else None
        kept = self.adapter.desk.store.get("EVENT", event)
        if told is None or kept is None or told.answered != told.modification:
            return
        path, headers = f"/openadr3/3.1.0/events/{event}", await self.bl()
        if told.answered == 0 and kept["intervals"] == intervals("DISPATCH_SETPOINT", 2.0):
            given = {name: kept[name] for name in ("programID", "intervalPeriod")}
            changed = {**given, **content, "intervals": intervals("DISPATCH_SETPOINT", 3.0)}
            assert (await self.desk.put(path, json=changed, headers=headers)).status_code == 200
        elif told.answered == 1:
            assert (await self.desk.delete(path, headers=headers)).status_code == 200

    async def register(self, name: str) -> str:
        inner = f"{request('r')}{READY}<oadr:oadrVenName>{name}</oadr:oadrVenName>"
        made = await self.ask("EiRegisterParty", "oadrCreatePartyRegistration", inner)
        assert code(made) == "200", made
        return made.value("ei:venID") or ""

    def hungry(self) -> int:
        """A vehicle that charges, and will for an hour."""
        state = self.grid.state.devices["vehicles"]
        order = np.argsort(state.content_kwh)
        return int(order[(state.power_kw[order] > 5.0) & (state.content_kwh[order] < 50.0)][0])


@asynccontextmanager
async def rig(
    scenario: Scenario,
    *settings: str,
    options: Options | None = None,
    out: Path | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Rig]:
    async with live_grid(scenario, BOTH, settings=(*UNSTEERED, *settings), options=options, out=out) as harness:
        scheme, verify = ("https", tls) if tls is not None else ("http", True)
        desk = httpx.AsyncClient(
            base_url=f"{scheme}://localhost:{harness.ports['openadr']}", timeout=60.0, verify=verify
        )
        ven = httpx.AsyncClient(
            base_url=f"{scheme}://localhost:{harness.ports['openadr20b']}/OpenADR2/Simple/2.0b",
            timeout=60.0,
            verify=verify,
        )
        async with desk, ven:
            yield Rig(harness, desk, ven)


def options_with(folder: Path) -> Options:
    """A grid whose clients have to show certificates of the authority in a folder."""
    files = AccessFiles(tls_cert=folder / "localhost.pem", tls_key=folder / "localhost.key", tls_ca=folder / "ca.pem")
    return Options(at=EVENING, paused=True, http_port=None, access=files)


def certificates(folder: Path, *clients: str) -> None:
    authority = Authority.of(folder)
    authority.sign(Leaf("localhost", "server", ("127.0.0.1",), False))
    for name in clients:
        authority.sign(Leaf(name, "client", (), False))


def context(folder: Path, name: str) -> ssl.SSLContext:
    found = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    if name:
        found.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return found


def test_an_event_of_the_desk_reaches_a_ven_of_2_0b_and_its_reports_move_its_device(lane: Scenario) -> None:
    async def drive() -> None:
        async with rig(lane) as one:
            await one.harness.advance(60.0)
            home = one.hungry()
            name = f"vehicles-{home}"
            event = await one.event("DISPATCH_SETPOINT", 2.0, targets=["VEHICLES"])
            before_ns = one.grid.now_ns
            ven = await one.register(name)
            assert one.grid.now_ns > before_ns, "it crossed the network"
            made = await one.ask("OadrPoll", "oadrPoll", f"<ei:venID>{ven}</ei:venID>")
            told = [each.value("ei:eiEvent", "ei:eventDescriptor", "ei:eventID") for each in made.all("oadr:oadrEvent")]
            assert event in told and any(str(each).startswith("prices-") for each in told)
            offered = await one.ask("EiReport", "oadrRegisterReport", offer(ven, name))
            (asked,) = asked_of(offered)
            await one.ask("EiReport", "oadrUpdateReport", report(ven, asked, "7000", start="2016-07-04T16:00:00Z"))
            await one.harness.advance(50.0)
            assert one.grid.state.devices["vehicles"].power_kw[home] == pytest.approx(7.0), "what it reports it draws"
            others = np.delete(one.grid.state.devices["vehicles"].power_kw, home)
            assert others.max() == pytest.approx(2.0), "what is built in does what the event asks"
            (peer,) = [each for each in one.grid.peers if each.protocol == "openadr20b"]
            assert peer.role == "device" and peer.device == f"vehicles/{home}" and peer.frames >= 6
            crossed = [each for each in one.grid.frames if each.protocol == "openadr20b"]
            assert any(each.delay_s for each in crossed) and "oadrPoll" in "".join(each.text for each in crossed)
            refused = await one.ask(
                "EiOpt", "oadrCancelOpt", f"{request('q')}<ei:optID>x</ei:optID><ei:venID>{ven}</ei:venID>"
            )
            assert code(refused) == "452" and peer.refused == 1
            assert one.grid.counts["openadr20b: 452 oadrCancelOpt"] == 1

    asyncio.run(drive())


def test_a_test_event_moves_nothing(lane: Scenario) -> None:
    async def drive() -> None:
        async with rig(lane) as one:
            await one.harness.advance(60.0)
            home = one.hungry()
            test = {"type": TEST_EVENT, "values": [True]}
            for payloads in (
                [{"type": "DISPATCH_SETPOINT", "values": [1.0]}, test],
                [{"type": "SIMPLE", "values": [3]}, test],
            ):
                await one.event("SIMPLE", 3, intervals=[{"id": 0, "payloads": payloads}])
            await one.harness.advance(120.0)
            assert one.grid.state.devices["vehicles"].power_kw[home] > 5.0

    asyncio.run(drive())


def test_alone_it_has_the_prices_of_the_day(lane: Scenario) -> None:
    async def drive() -> None:
        async with live_grid(lane, {"openadr20b": None}, settings=UNSTEERED) as harness:
            base = f"http://127.0.0.1:{harness.ports['openadr20b']}/OpenADR2/Simple/2.0b"
            async with httpx.AsyncClient(base_url=base, timeout=20.0) as http:
                inner = f"{request('r')}{READY}<oadr:oadrVenName>pump</oadr:oadrVenName>"
                made = opened(
                    (await http.post("/EiRegisterParty", content=payload("oadrCreatePartyRegistration", inner))).content
                )
                poll = payload("oadrPoll", f"<ei:venID>{made.value('ei:venID')}</ei:venID>")
                told = opened((await http.post("/OadrPoll", content=poll)).content)
                first = told.find("oadr:oadrEvent", "ei:eiEvent", "ei:eiEventSignals", "ei:eiEventSignal")
                assert first is not None and first.value("ei:signalName") == "ELECTRICITY_PRICE"
                assert (await http.get("/OadrPoll")).status_code == 405
                assert (await http.post("/EiAvail", content=poll)).status_code == 404
                assert (await http.post("/OadrPoll", content="<x")).status_code == 400
                page = await http.post("/OadrPoll", content=poll, headers={"origin": "http://elsewhere.example"})
                assert page.status_code == 403, "a page in a browser is no VEN"
                assert (await http.post("/OadrPoll", content="x" * ((1 << 20) + 1))).status_code == 413

    asyncio.run(drive())


def test_certificates_say_who_a_ven_is(lane: Scenario, tmp_path: Path) -> None:
    certificates(tmp_path, "vehicles-1", "vehicles-2")

    async def drive() -> None:
        async with rig(lane, options=options_with(tmp_path), tls=context(tmp_path, "vehicles-1")) as one:
            ven = await one.register("vehicles-1")
            base, tls = str(one.ven.base_url), context(tmp_path, "vehicles-2")
            async with httpx.AsyncClient(base_url=base, verify=tls, timeout=60.0) as thief:
                poll = payload("oadrPoll", f"<ei:venID>{ven}</ei:venID>")
                answer = await one.while_time_goes(thief.post("/OadrPoll", content=poll))
                assert code(opened(answer.content)) == "463"
            async with httpx.AsyncClient(base_url=base, verify=context(tmp_path, ""), timeout=60.0) as nobody:
                with pytest.raises(httpx.TransportError):
                    await nobody.post("/OadrPoll", content=poll)

    asyncio.run(drive())


def test_beyond_this_machine_it_wants_certificates(lane: Scenario) -> None:
    async def drive() -> None:
        async with live_grid(lane, {}) as harness:
            with pytest.raises(UsageError, match="--tls-ca"):
                await OpenAdr20b(harness.run.grid, None).start(Listening("0.0.0.0", 0))

    asyncio.run(drive())


@pytest.mark.parametrize("is_secure", [False, True], ids=["plain", "tls"])
def test_openleadr_plays_a_vehicle(lane: Scenario, tmp_path: Path, is_secure: bool) -> None:
    if importlib.util.find_spec("openleadr") is None:
        pytest.skip("not run: openleadr is not installed (pip install 'heptagrid[peers]')")
    names = [f"vehicles-{k}" for k in range(17)]
    certificates(tmp_path, "desk", *names)
    offset_s = int(time.time()) - int(datetime.fromisoformat(f"{EVENING}+02:00").timestamp())
    settings = (f"live.openadr20b.clock_offset_s={offset_s}", "live.openadr20b.poll_s=1", "live.openadr20b.report_s=2")
    options = options_with(tmp_path) if is_secure else None

    async def drive() -> None:
        tls = context(tmp_path, "desk") if is_secure else None
        async with rig(lane, *settings, options=options, tls=tls) as one:
            await one.harness.advance(60.0)
            home = one.hungry()
            wanted: dict[str, Any] = {"targets": ["VEHICLES"], "reportDescriptors": [{"payloadType": "DEMAND"}]}
            event = await one.event("DISPATCH_SETPOINT", 2.0, **wanted)
            folder = [str(tmp_path)] if is_secure else []
            peer = await asyncio.create_subprocess_exec(
                *(sys.executable, str(JUDGE), str(one.ven.base_url).rstrip("/"), f"vehicles-{home}", event, *folder),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            drawn: list[float] = []
            saying = asyncio.create_task(peer.communicate())
            for _ in range(6_000):
                await asyncio.sleep(0.02)
                if saying.done():
                    break
                await one.harness.advance(1.0)
                await one.change_once_answered(f"vehicles-{home}", event, wanted)
                drawn.append(float(one.grid.state.devices["vehicles"].power_kw[home]))
            told, _ = await saying
            assert peer.returncode == 0 and "judged" in told.decode(), told.decode()[-3000:]
            assert pytest.approx(7.0) in drawn, "what it reports is what its car draws"
            found = {each["reportName"].partition(" ")[0]: each for each in await one.reports(event)}
            assert found["opt"]["resources"][0]["intervals"][0]["payloads"][0]["values"] == ["optIn"]
            assert found["TELEMETRY_USAGE"]["resources"][0]["intervals"][0]["payloads"][0]["values"] == [7.0]
            assert not [word for word in one.grid.counts if word.startswith("openadr20b: 4")], one.grid.counts

    asyncio.run(drive())


def test_a_day_with_vens_outside_can_be_run_again(lane: Scenario, tmp_path: Path) -> None:
    said: list[bytes] = []

    async def drive() -> Harness:
        async with rig(lane, out=tmp_path / "live") as one:
            await one.harness.advance(60.0)
            name = f"vehicles-{one.hungry()}"
            event = await one.event(
                "DISPATCH_SETPOINT", 2.0, 3.0, intervalPeriod={"start": "0001-01-01", "duration": "PT5M"}
            )
            ven = await one.register(name)
            await one.ask("OadrPoll", "oadrPoll", f"<ei:venID>{ven}</ei:venID>")
            (asked,) = asked_of(await one.ask("EiReport", "oadrRegisterReport", offer(ven, name)))
            told = report(ven, asked, "5000", start="2016-07-04T16:00:00Z")
            said.append(payload("oadrUpdateReport", told).encode())
            await one.ask("EiReport", "oadrUpdateReport", told)
            await one.harness.advance(120.0)
            await one.desk.delete(f"/openadr3/3.1.0/events/{event}", headers=await one.bl())
            await one.harness.advance(300.0)
            return one.harness

    harness = asyncio.run(drive())
    result = harness.run.result
    assert result.messages is not None and result.messages.residual == 0 and result.money.sum == 0
    pieces = [one.data for one in read_wire(tmp_path / "live" / WIRE) if one.protocol == "openadr20b"]
    assert said[0] in pieces and b"POST /OpenADR2/Simple/2.0b/OadrPoll\r\n" in pieces
    assert replay(tmp_path / "live", out=tmp_path / "again").differing == []
