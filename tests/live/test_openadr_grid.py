"""OpenADR on a live grid: the desk's events steer devices, VENs outside play them, all over the modelled network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from heptagrid.live.again import replay
from heptagrid.live.protocols.openadr.adapter import OpenAdr
from heptagrid.live.protocols.openadr.timing import date_time, start_ns
from heptagrid.scenario.schema import Scenario
from tests.live.harness import Harness, live_grid

pytestmark = pytest.mark.long

UNSTEERED = ("vehicles.share=1.0", "gateways.enrolled_share=0.0", "gateways.dynamic_tariff_share=0.0")
MINUTE_NS, HOUR_NS = 60 * 10**9, 3600 * 10**9


class Desk:
    """A VTN on a live grid with clients of it."""

    def __init__(self, harness: Harness, http: httpx.AsyncClient) -> None:
        self.harness, self.http = harness, http
        self.grid = harness.run.grid
        (self.vtn,) = [one for one in harness.run.protocols if isinstance(one, OpenAdr)]

    async def token(self, client: str, secret: str) -> dict[str, str]:
        form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
        answer = await self.http.post("/auth/token", data=form)
        assert answer.status_code == 200, answer.text
        return {"authorization": f"Bearer {answer.json()['access_token']}"}

    async def bl(self) -> dict[str, str]:
        return await self.token("bl", self.vtn.access.clients["bl"].secret)

    async def ven(self, client: str) -> dict[str, str]:
        """The token of a VEN that the desk has enrolled."""
        made = await self.http.post("/auth/clients", data={"client_id": client}, headers=await self.bl())
        assert made.status_code == 201, made.text
        asking = asyncio.create_task(self.token(client, made.json()["client_secret"]))
        return await asking

    async def event(self, **content: Any) -> str:
        given = {"programID": "aggregator-dispatch", **content}
        answer = await self.http.post("/openadr3/3.1.0/events", json=given, headers=await self.bl())
        assert answer.status_code == 201, answer.text
        await asyncio.sleep(0.15)
        return str(answer.json()["id"])

    async def while_time_goes(self, work: Coroutine[Any, Any, httpx.Response]) -> httpx.Response:
        """Let time go until a request that crosses the network is answered."""
        task = asyncio.create_task(work)
        for _ in range(100):
            await asyncio.sleep(0.01)
            if task.done():
                break
            await self.harness.advance(2.0)
        return await task


@asynccontextmanager
async def desk(scenario: Scenario, *settings: str) -> AsyncIterator[Desk]:
    async with live_grid(scenario, {"openadr": None}, settings=settings or UNSTEERED) as harness:
        base = f"http://127.0.0.1:{harness.ports['openadr']}"
        async with httpx.AsyncClient(base_url=base, timeout=20.0) as http:
            yield Desk(harness, http)


def drive(scenario: Scenario, what: Callable[[Desk], Coroutine[Any, Any, None]], *settings: str) -> None:
    async def run() -> None:
        async with desk(scenario, *settings) as one:
            await what(one)

    asyncio.run(run())


def now(one: Desk, plus_ns: int = 0) -> str:
    return date_time(one.grid.now_ns + plus_ns)


def hungry(one: Desk) -> np.ndarray[Any, Any]:
    """Vehicles that charge and will for an hour, the emptiest first."""
    state = one.grid.state.devices["vehicles"]
    order = np.argsort(state.content_kwh)
    return order[(state.power_kw[order] > 5.0) & (state.content_kwh[order] < 50.0)]


def setpoint(kind: str, *values: float) -> list[dict[str, Any]]:
    return [{"id": k, "payloads": [{"type": kind, "values": [value]}]} for k, value in enumerate(values)]


def test_an_event_sets_vehicles_interval_by_interval(lane: Scenario) -> None:
    async def what(one: Desk) -> None:
        await one.harness.advance(60.0)
        home = hungry(one)
        assert len(home)
        await one.event(
            targets=["VEHICLES"],
            intervalPeriod={"start": now(one), "duration": "PT10M"},
            intervals=setpoint("DISPATCH_SETPOINT", 2.0, 3.0),
        )
        await one.harness.advance(180.0)
        assert one.grid.state.devices["vehicles"].power_kw[home] == pytest.approx(2.0)
        await one.harness.advance(600.0)
        assert one.grid.state.devices["vehicles"].power_kw[home] == pytest.approx(3.0)
        await one.harness.advance(600.0)
        assert one.grid.state.devices["vehicles"].power_kw[home].max() > 5.0, "after the event they work by themselves"

    drive(lane, what)


def test_a_deleted_event_lets_go(lane: Scenario) -> None:
    async def what(one: Desk) -> None:
        await one.harness.advance(60.0)
        home = np.flatnonzero(one.grid.state.devices["vehicles"].power_kw > 5.0)
        home = home[np.argsort(one.grid.state.devices["vehicles"].content_kwh[home])]
        id = await one.event(
            targets=[f"vehicles-{home[0]}"],
            intervalPeriod={"start": "0001-01-01", "duration": "P9999Y"},
            intervals=setpoint("DISPATCH_SETPOINT", 0.0),
        )
        await one.harness.advance(120.0)
        assert one.grid.state.devices["vehicles"].power_kw[home[0]] == 0.0
        assert (one.grid.state.devices["vehicles"].power_kw[home[1:]] > 5.0).any(), "nobody else is held"
        gone = await one.http.delete(f"/openadr3/3.1.0/events/{id}", headers=await one.bl())
        assert gone.status_code == 200
        await asyncio.sleep(0.15)
        await one.harness.advance(120.0)
        assert one.grid.state.devices["vehicles"].power_kw[home[0]] > 5.0

    drive(lane, what)


def test_the_lower_priority_number_goes_before(lane: Scenario) -> None:
    async def what(one: Desk) -> None:
        await one.harness.advance(60.0)
        home = hungry(one)
        period = {"start": now(one), "duration": "PT1H"}
        await one.event(
            priority=1, targets=["VEHICLES"], intervalPeriod=period, intervals=setpoint("DISPATCH_SETPOINT", 4.0)
        )
        await one.event(
            priority=9, targets=["VEHICLES"], intervalPeriod=period, intervals=setpoint("DISPATCH_SETPOINT", 1.0)
        )
        await one.harness.advance(180.0)
        assert one.grid.state.devices["vehicles"].power_kw[home] == pytest.approx(4.0)

    drive(lane, what)


def test_events_of_other_millennia_disturb_nobody(lane: Scenario) -> None:
    async def what(one: Desk) -> None:
        await one.harness.advance(60.0)
        home = hungry(one)
        for period in (
            {"start": "3500-01-01T00:00:00Z", "duration": "PT1H"},
            {"start": now(one, HOUR_NS), "duration": "P99Y"},
        ):
            for kind in ("DISPATCH_SETPOINT", "SIMPLE", "IMPORT_CAPACITY_LIMIT"):
                await one.event(priority=9, intervalPeriod=period, intervals=setpoint(kind, *([1.0] * 5)))
        period = {"start": now(one), "duration": "PT30M"}
        await one.event(intervalPeriod=period, priority=1, intervals=setpoint("DISPATCH_SETPOINT", 2.0))
        await one.harness.advance(120.0)
        assert one.grid.state.devices["vehicles"].power_kw[home] == pytest.approx(2.0)

    drive(lane, what)


def test_an_import_limit_of_a_site_caps_its_vehicle(lane: Scenario) -> None:
    async def what(one: Desk) -> None:
        await one.harness.advance(60.0)
        of = one.grid.inventory.classes["vehicles"]
        home = hungry(one)
        point = int(of.point[home[0]])
        await one.event(
            targets=[f"point-{point}"],
            intervalPeriod={"start": now(one), "duration": "PT1H"},
            intervals=setpoint("IMPORT_CAPACITY_LIMIT", 5.0),
            payloadDescriptors=[
                {"payloadType": "IMPORT_CAPACITY_LIMIT", "units": "KW", "objectType": "EVENT_PAYLOAD_DESCRIPTOR"}
            ],
        )
        for _ in range(4):
            await one.harness.advance(60.0)
            await asyncio.sleep(0.1)
        assert one.grid.state.point_p_kw[point] == pytest.approx(5.0, abs=0.5)
        assert one.grid.state.devices["vehicles"].power_kw[home[0]] > 1.0

    drive(lane, what)


def test_a_level_of_demand_response_leaves_a_share(lane: Scenario) -> None:
    async def what(one: Desk) -> None:
        await one.harness.advance(60.0)
        await one.event(intervalPeriod={"start": now(one), "duration": "PT1H"}, intervals=setpoint("SIMPLE", 3))
        await one.harness.advance(120.0)
        assert one.grid.state.devices["vehicles"].power_kw.max() == 0.0

    drive(lane, what)


def test_a_charge_is_reached_and_held(lane: Scenario) -> None:
    async def what(one: Desk) -> None:
        await one.harness.advance(60.0)
        state = one.grid.state.devices["vehicles"]
        home = int(hungry(one)[0])
        percent = 100.0 * state.content_kwh[home] / 60.0 + 2.0
        await one.event(
            targets=[f"vehicles-{home}"],
            intervalPeriod={"start": now(one), "duration": "PT2H"},
            intervals=setpoint("CHARGE_STATE_SETPOINT", percent),
        )
        await one.harness.advance(1200.0)
        reached = one.grid.state.devices["vehicles"]
        assert reached.power_kw[home] == 0.0
        assert 100.0 * reached.content_kwh[home] / 60.0 == pytest.approx(percent, abs=0.5)

    drive(lane, what)


def test_built_in_vens_report_what_they_drew(lane: Scenario) -> None:
    async def what(one: Desk) -> None:
        await one.harness.advance(60.0)
        home = int(hungry(one)[0])
        id = await one.event(
            targets=[f"vehicles-{home}"],
            intervalPeriod={"start": now(one), "duration": "PT15M"},
            intervals=setpoint("DISPATCH_SETPOINT", 4.0),
            reportDescriptors=[
                {"payloadType": "USAGE"},
                {"payloadType": "DEMAND", "units": "W"},
                {"payloadType": "STORAGE_CHARGE_LEVEL"},
            ],
        )
        for _ in range(18):
            await one.harness.advance(60.0)
            await asyncio.sleep(0.06)
        found = (await one.http.get(f"/openadr3/3.1.0/reports?eventID={id}", headers=await one.bl())).json()
        assert len(found) == 1
        (resource,) = found[0]["resources"]
        assert resource["resourceName"] == f"vehicles-{home}"
        values = {one["type"]: one["values"][0] for one in resource["intervals"][0]["payloads"]}
        assert values["USAGE"] == pytest.approx(1.0, rel=0.12), (
            "4 kW for a quarter hour, and 11 kW until the order was there"
        )
        assert values["DEMAND"] == pytest.approx(values["USAGE"] * 4000.0, rel=1e-5)
        assert 0.0 < values["STORAGE_CHARGE_LEVEL"] < 100.0

    drive(lane, what)


def test_a_ven_outside_plays_a_device(lane: Scenario) -> None:
    async def what(one: Desk) -> None:
        await one.harness.advance(60.0)
        home = int(hungry(one)[0])
        name = f"vehicles-{home}"
        event = await one.event(
            targets=["VEHICLES"],
            intervalPeriod={"start": now(one), "duration": "PT4H"},
            intervals=setpoint("DISPATCH_SETPOINT", 2.0),
        )
        made = await one.http.post("/auth/clients", data={"client_id": name}, headers=await one.bl())
        headers = await one.token(name, made.json()["client_secret"])
        before_ns = one.grid.now_ns
        ven = await one.while_time_goes(
            one.http.post(
                "/openadr3/3.1.0/vens", json={"objectType": "VEN_VEN_REQUEST", "venName": name}, headers=headers
            )
        )
        assert ven.status_code == 201, ven.text
        assert one.grid.now_ns > before_ns, "it crossed the network"
        assert "VEHICLES" in ven.json()["targets"]
        seen = await one.while_time_goes(one.http.get("/openadr3/3.1.0/events?targets=VEHICLES", headers=headers))
        assert event in [each["id"] for each in seen.json()]
        report = {
            "eventID": event,
            "clientName": name,
            "resources": [
                {
                    "resourceName": name,
                    "intervals": [
                        {
                            "id": 0,
                            "intervalPeriod": {"start": now(one), "duration": "PT1H"},
                            "payloads": [{"type": "DEMAND", "values": [7.0]}],
                        }
                    ],
                }
            ],
        }
        told = await one.while_time_goes(one.http.post("/openadr3/3.1.0/reports", json=report, headers=headers))
        assert told.status_code == 201, told.text
        await one.harness.advance(180.0)
        assert one.grid.state.devices["vehicles"].power_kw[home] == pytest.approx(7.0), (
            "what it reports is what the device draws"
        )
        (peer,) = [each for each in one.grid.peers if each.device == f"vehicles/{home}"]
        assert peer.protocol == "openadr" and peer.role == "device" and peer.frames >= 6

    drive(lane, what)


def test_prices_of_the_day_are_there_for_everybody(lane: Scenario) -> None:
    async def what(one: Desk) -> None:
        headers = await one.ven("pool-pump")
        found = (await one.http.get("/openadr3/3.1.0/events?programID=dynamic-tariff", headers=headers)).json()
        assert found and all(len(each["intervals"]) in (23, 24, 25) for each in found)
        first = found[0]
        assert first["objectType"] == "EVENT" and first["createdDateTime"].endswith("Z")
        assert first["intervalPeriod"]["duration"] == "PT1H"
        state = one.grid.state
        (today,) = [each for each in found if each["id"] == "prices-2016-07-04"]
        begins_ns = start_ns(today["intervalPeriod"]["start"])
        assert begins_ns is not None
        payload = today["intervals"][(state.at_ns - begins_ns) // HOUR_NS]["payloads"][0]
        assert payload["values"][0] == pytest.approx(state.price_eur_per_mwh / 1000.0, abs=1e-6)

    drive(lane, what)


def test_subscribers_are_called_back(lane: Scenario) -> None:
    async def what(one: Desk) -> None:
        calls: list[tuple[str, dict[str, Any]]] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(
                next(line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length"))
            )
            calls.append((head, json.loads(await reader.readexactly(length))))
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callback"
        for version, operations in (("3.1.0", ["CREATE", "DELETE"]), ("3.0.1", ["POST", "DELETE"])):
            asked = {
                "clientName": "watcher",
                "programID": "aggregator-dispatch",
                "objectOperations": [
                    {"objects": ["EVENT"], "operations": operations, "callbackUrl": url, "bearerToken": "mine"}
                ],
            }
            made = await one.http.post(f"/openadr3/{version}/subscriptions", json=asked, headers=await one.bl())
            assert made.status_code == 201, made.text
        id = await one.event(
            targets=["vehicles-0"],
            intervals=setpoint("DISPATCH_SETPOINT", 1.0),
            intervalPeriod={"start": now(one, HOUR_NS), "duration": "PT1H"},
        )
        await one.http.delete(f"/openadr3/3.1.0/events/{id}", headers=await one.bl())
        for _ in range(100):
            if len(calls) == 4:
                break
            await asyncio.sleep(0.02)
        assert [body["operation"] for _, body in calls] == ["CREATE", "POST", "DELETE", "DELETE"]
        assert all(body["object"]["id"] == id and body["objectType"] == "EVENT" for _, body in calls)
        assert calls[0][1]["object"]["targets"] == ["vehicles-0"], "as 3.1 writes targets"
        assert calls[1][1]["object"]["targets"] == [{"type": "RESOURCE_NAME", "values": ["vehicles-0"]}] or calls[1][1][
            "object"
        ]["targets"][0]["values"] == ["vehicles-0"]
        assert all("authorization: bearer mine" in head.lower() for head, _ in calls)
        server.close()
        await server.wait_closed()

    drive(lane, what)


def test_a_day_with_a_desk_outside_can_be_run_again(lane: Scenario, tmp_path: Path) -> None:
    async def run() -> Harness:
        async with live_grid(lane, {"openadr": None}, settings=UNSTEERED, out=tmp_path / "live") as harness:
            base = f"http://127.0.0.1:{harness.ports['openadr']}"
            async with httpx.AsyncClient(base_url=base, timeout=20.0) as http:
                one = Desk(harness, http)
                period = {"start": now(one), "duration": "PT5M"}
                for kind, value in (("DISPATCH_SETPOINT", 2.0), ("IMPORT_CAPACITY_LIMIT", 3.0), ("SIMPLE", 1.0)):
                    await one.event(intervalPeriod=period, intervals=setpoint(kind, value, value + 1.0))
                    await harness.advance(60.0)
                    await asyncio.sleep(0.1)
                await harness.advance(300.0)
        return harness

    harness = asyncio.run(run())
    result = harness.run.result
    assert result.messages is not None and result.messages.residual == 0 and result.money.sum == 0
    assert replay(tmp_path / "live", out=tmp_path / "again").differing == []
