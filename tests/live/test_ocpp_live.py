"""OCPP over sockets on a live grid, with npm's ocpp-rpc in strict mode at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import heptagrid
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.again import replay
from heptagrid.live.protocols.ocpp.adapter import Ocpp
from heptagrid.live.protocols.ocpp.charging import LAPSE_NS
from heptagrid.live.protocols.ocpp.profiles import instant_text
from heptagrid.live.serve import Options
from heptagrid.scenario.schema import Scenario
from tests.live.harness import EVENING, Harness, live_grid
from tests.live.ocpp_judge import Judge, judge
from tests.live.test_ocpp_frames import malformed_text
from tests.live.test_one_crossing import begun_at_devices, crossings

UNSTEERED = "gateways.enrolled_share=0.0"
IDEAL = Options(at=EVENING, paused=True, http_port=None, is_ideal=True)
WATTS = {"chargingRateUnit": "W"}


async def until(harness: Harness, holds: Callable[[], Any], seconds: float = 2.0, steps: int = 300) -> None:
    """Let time go on step by step until something holds."""
    for _ in range(steps):
        if holds():
            return
        await harness.advance(seconds)
        await asyncio.sleep(0.02)
    raise AssertionError("it does not come to hold")


async def during(harness: Harness, work: Any, seconds: float = 1.0) -> Any:
    """Let time go on while something is awaited; its result."""
    task = asyncio.ensure_future(work)
    while not task.done():
        await harness.advance(seconds)
        await asyncio.sleep(0.01)
    return task.result()


def adapter(harness: Harness) -> Ocpp:
    (one,) = harness.run.protocols
    assert isinstance(one, Ocpp)
    return one


def power_kw(harness: Harness, row: int) -> float:
    return float(harness.run.grid.state.devices["vehicles"].power_kw[row])


@asynccontextmanager
async def with_csms(
    lane: Scenario, version: str, *settings: str, options: Options = IDEAL, **judged: Any
) -> AsyncIterator[tuple[Harness, Judge]]:
    """A grid whose charge points connect to a CSMS of ocpp-rpc."""
    async with judge("csms", **judged) as csms:
        port = (await csms.waiting(lambda one: "port" in one))["port"]
        scheme = "wss" if "certificate" in judged else "ws"
        given = (
            f'live.ocpp.csms="{scheme}://127.0.0.1:{port}/ocpp"',
            f'live.ocpp.version="{version}"',
            UNSTEERED,
            *settings,
        )
        async with live_grid(lane, {"ocpp": None}, settings=given, options=options) as harness:
            yield harness, csms


def station_options(harness: Harness, **more: Any) -> dict[str, Any]:
    """Of a charge point of ocpp-rpc that connects to us."""
    usual = {"endpoint": f"ws://127.0.0.1:{harness.ports['ocpp']}", "identity": "vehicles-0", "protocol": "ocpp1.6"}
    return usual | more


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_strict_csms_steers_the_vehicles(lane: Scenario, version: str) -> None:
    async def drive() -> None:
        async with with_csms(lane, version) as (harness, csms):
            fleet = adapter(harness).fleet
            assert fleet is not None
            charging = _charging(harness)
            station = fleet.places[charging].station
            orders = crossings(harness)
            await until(harness, lambda: station.transaction is not None and station.transaction.id is not None)
            name = station.identity
            assert power_kw(harness, charging) == pytest.approx(11.0)
            now = instant_text(station.clock_ns(harness.run.grid.now_ns))
            periods = [{"startPeriod": 0, "limit": 4200.0}, {"startPeriod": 300, "limit": 7000.0}]
            schedule = WATTS | {"duration": 600, "startSchedule": now, "chargingSchedulePeriod": periods}
            answer = await csms.call(*_profile(version, schedule), name)
            assert answer["result"]["status"] == "Accepted"
            await harness.advance(5.0)
            assert power_kw(harness, charging) == pytest.approx(4.2)
            await harness.advance(320.0)
            assert power_kw(harness, charging) == pytest.approx(7.0)
            await harness.advance(300.0)
            await until(harness, lambda: power_kw(harness, charging) > 10.0)
            composite = {"duration": 3600, "connectorId" if version == "1.6" else "evseId": 1}
            assert (await csms.call("GetCompositeSchedule", composite, name))["result"]["status"] == "Accepted"
            stop = "RemoteStopTransaction" if version == "1.6" else "RequestStopTransaction"
            assert station.transaction is not None
            answer = await csms.call(stop, {"transactionId": station.transaction.id}, name)
            assert answer["result"] == {"status": "Accepted"}
            await until(harness, lambda: power_kw(harness, charging) == 0.0)
            assert (await csms.call("GetLocalListVersion", {}, name))["error"] == "NotSupported"
            ended = {"call": "StopTransaction"} if version == "1.6" else {"call": "TransactionEvent"}
            await csms.waiting(lambda one: ended.items() <= one.items() and "Remote" in str(one["payload"]))
            assert begun_at_devices(orders), "the call has crossed the network"
            assert csms.violations == []
            assert all(one.protocol == "ocpp" and one.frames > 5 for one in harness.run.grid.peers)
            assert any("SetChargingProfile" in one.text for one in harness.run.grid.frames)

    asyncio.run(drive())


def _charging(harness: Harness) -> int:
    """A vehicle that charges and will for an hour."""
    vehicles = harness.run.grid.state.devices["vehicles"]
    full_kwh = harness.run.scenario.sections["vehicles"].battery_kwh
    needs = (vehicles.power_kw > 10.0) & (vehicles.content_kwh < full_kwh - 8.0)
    found = [int(k) for k in needs.nonzero()[0]]
    assert found, "a vehicle charges in the evening"
    return found[0]


def _profile(version: str, schedule: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    profile: dict[str, Any] = {
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
    }
    if version == "1.6":
        profile |= {"chargingProfileId": 1, "chargingSchedule": schedule}
        return "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile}
    profile |= {"id": 1, "chargingSchedule": [{"id": 1} | schedule]}
    return "SetChargingProfile", {"evseId": 1, "chargingProfile": profile}


@pytest.mark.long
def test_a_silent_csms_loses_its_hold(lane: Scenario) -> None:
    """The limit holds for 75 minutes after the CSMS has gone, then the vehicle charges by itself."""

    async def drive() -> None:
        async with with_csms(lane, "1.6", "vehicles.trip_kwh=40.0") as (harness, csms):
            fleet = adapter(harness).fleet
            assert fleet is not None
            charging = _charging(harness)
            place = fleet.places[charging]
            await until(harness, lambda: place.station.transaction is not None)
            schedule = WATTS | {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": 2000.0}]}
            await csms.call(*_profile("1.6", schedule), place.station.identity)
            await until(harness, lambda: power_kw(harness, charging) == 0.0)
            await csms.call("close", {}, place.station.identity)
            await asyncio.sleep(0.2)
            place.station.settings.set_number("HeartbeatInterval", 0)
            for task in fleet._tasks[1:]:
                task.cancel()
            await asyncio.gather(*fleet._tasks[1:], return_exceptions=True)
            gone_ns = harness.run.grid.now_ns
            while harness.run.grid.now_ns < gone_ns + LAPSE_NS - 900 * NS_PER_S:
                await harness.advance_in_minutes(300.0)
                assert power_kw(harness, charging) == 0.0
            await harness.advance_in_minutes(960.0)
            assert power_kw(harness, charging) > 0.0

    asyncio.run(drive())


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_strict_charger_takes_a_vehicles_place(lane: Scenario, version: str) -> None:
    async def drive() -> None:
        async with live_grid(lane, {"ocpp": None}, settings=(UNSTEERED,), options=IDEAL) as harness:
            grid = harness.run.grid
            protocol, reports = f"ocpp{version}", crossings(harness)
            async with judge("station", **station_options(harness, protocol=protocol)) as charger:
                await charger.waiting(lambda one: one.get("protocol") == protocol)
                for action, payload in _charge(version, 7400):
                    assert "result" in await charger.call(action, payload)
                await until(harness, lambda: power_kw(harness, 0) == pytest.approx(7.4), 1.0)
                action, payload = _charge(version, 22_000)[-1]
                if version == "2.0.1":
                    payload |= {"seqNo": 2}
                await charger.call(action, payload)
                await until(harness, lambda: power_kw(harness, 0) == pytest.approx(22.0), 1.0)
                assert begun_at_devices(reports), "the report has crossed the network"
                grid_order = grid.order(
                    grid.inventory.device("vehicles/0"), [4.14], None, grid.now_ns + 1800 * NS_PER_S
                )
                await during(harness, grid_order)
                await until(harness, lambda: any(one.get("call") == "SetChargingProfile" for one in charger.said), 1.0)
                told = await charger.heard("SetChargingProfile", "vehicles-0")
                assert told["csChargingProfiles" if version == "1.6" else "chargingProfile"]
                assert "'limit': 4140" in str(told)
                assert charger.violations == []
                assert [one.role for one in grid.peers] == ["charger"]
            await harness.advance(10.0)
            assert power_kw(harness, 0) == pytest.approx(22.0), "what it said last holds for a while"
            await harness.advance_in_minutes(4800.0)
            await asyncio.sleep(0.5)
            await harness.advance(5.0)
            assert not adapter(harness).csms.seats["vehicles-0"].is_in_place
            assert grid.peers == []
            result = harness.run.engine.stop()
            assert abs(result.energy.residual) < 1e-3
            assert result.money.sum == 0

    asyncio.run(drive())


def _charge(version: str, watts: float) -> list[tuple[str, dict[str, Any]]]:
    """From boot to the first reading."""
    stamp = "2026-08-04T12:00:00Z"
    if version == "1.6":
        sampled = [{"value": str(watts), "measurand": "Power.Active.Import", "unit": "W"}]
        values = [{"timestamp": stamp, "sampledValue": sampled}]
        return [
            ("BootNotification", {"chargePointModel": "X", "chargePointVendor": "Y"}),
            ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Preparing"}),
            ("Authorize", {"idTag": "CARD"}),
            ("StartTransaction", {"connectorId": 1, "idTag": "CARD", "meterStart": 0, "timestamp": stamp}),
            ("MeterValues", {"connectorId": 1, "meterValue": values}),
        ]
    event = {"timestamp": stamp, "transactionInfo": {"transactionId": "t1"}}
    reading: dict[str, Any] = {
        "timestamp": stamp,
        "sampledValue": [{"value": watts, "measurand": "Power.Active.Import"}],
    }
    begun = {"eventType": "Started", "triggerReason": "CablePluggedIn", "seqNo": 0, "evse": {"id": 1}}
    later = {"eventType": "Updated", "triggerReason": "MeterValuePeriodic", "seqNo": 1, "meterValue": [reading]}
    return [
        ("BootNotification", {"reason": "PowerUp", "chargingStation": {"model": "X", "vendorName": "Y"}}),
        ("Authorize", {"idToken": {"idToken": "CARD", "type": "ISO14443"}}),
        ("TransactionEvent", event | begun),
        ("TransactionEvent", event | later),
    ]


@pytest.mark.long
def test_charge_points_without_supply_are_gone_and_register_anew(lane: Scenario) -> None:
    async def drive() -> None:
        async with with_csms(lane, "2.0.1", "live.ocpp.charge_points=1") as (harness, csms):
            fleet, grid = adapter(harness).fleet, harness.run.grid
            assert fleet is not None
            await until(harness, lambda: fleet.places[0].station.transaction is not None)
            await during(harness, grid.change("open", {"where": "all"}))
            await until(harness, lambda: fleet.connected == 0)
            await during(harness, grid.change("close", {}))
            await until(harness, lambda: fleet.connected == 1)
            await until(harness, lambda: sum(one.get("call") == "BootNotification" for one in csms.said) == 2)
            lost = {"eventType": "Ended", "triggerReason": "AbnormalCondition", "offline": True}
            ended = await csms.heard("TransactionEvent", "vehicles-0", **lost)
            assert ended["transactionInfo"]["stoppedReason"] == "PowerLoss"
            assert csms.violations == []

    asyncio.run(drive())


@pytest.mark.long
def test_the_aggregators_plan_goes_out_to_a_charger_with_a_transaction(lane: Scenario) -> None:
    async def drive() -> None:
        settings = ("gateways.enrolled_share=1.0",)
        async with (
            live_grid(lane, {"ocpp": None}, settings=settings, options=IDEAL) as harness,
            judge("station", **station_options(harness)) as charger,
        ):
            await charger.waiting(lambda one: "connected" in one)
            for action, payload in _charge("1.6", 7400):
                await charger.call(action, payload)
            told = ("call", "SetChargingProfile")
            await until(harness, lambda: any(told in one.items() for one in charger.said), 60.0)
            profile = (await charger.heard("SetChargingProfile", "vehicles-0"))["csChargingProfiles"]
            assert profile["chargingProfilePurpose"] == "TxDefaultProfile"
            assert 0 < profile["chargingSchedule"]["duration"] <= LAPSE_NS // NS_PER_S
            limits = [one["limit"] for one in profile["chargingSchedule"]["chargingSchedulePeriod"]]
            assert all(0.0 <= one <= 11_000.0 for one in limits)
            stop = {"transactionId": 1, "meterStop": 1, "timestamp": "2026-08-04T12:30:00Z", "idTag": "CARD"}
            await charger.call("StopTransaction", stop | {"transactionId": -1})
            await until(harness, lambda: any(one.get("call") == "ClearChargingProfile" for one in charger.said))
            assert charger.violations == []

    asyncio.run(drive())


@pytest.mark.long
def test_malformed_frames_over_a_socket_change_nothing(lane: Scenario) -> None:
    async def drive() -> None:
        from websockets.asyncio.client import connect

        async with live_grid(lane, {"ocpp": None}, settings=(UNSTEERED,), options=IDEAL) as harness:
            before = harness.run.grid.state.devices["vehicles"].power_kw.copy()
            address = f"ws://127.0.0.1:{harness.ports['ocpp']}/vehicles-0"
            names: Any = ["ocpp1.6"]
            async with connect(address, subprotocols=names, compression=None, proxy=None) as socket:
                for seed in range(300):
                    text = malformed_text(seed)
                    if b"MeterValues" not in (text if isinstance(text, bytes) else text.encode()):
                        await socket.send(text)
                await socket.send('[2,"end","Heartbeat",{}]')
                while '"end"' not in str(await socket.recv()):
                    pass
            await harness.advance(5.0)
            assert (harness.run.grid.state.devices["vehicles"].power_kw == before).all()
            assert any(name.startswith("ocpp malformed") for name in harness.run.grid.counts)
            async with connect(address, compression=None, proxy=None) as socket:
                await socket.send('[2,"1","Heartbeat",{}]')
                assert "currentTime" in str(await socket.recv()), "who names no version speaks 1.6"

    asyncio.run(drive())


@pytest.mark.long
def test_who_may_not_connect_is_refused_and_counted(lane: Scenario) -> None:
    async def drive() -> None:
        settings = (
            "live.ocpp.profile=1",
            'live.ocpp.password="0123456789abcdef"',
            'live.ocpp.chargers="GARAGE=vehicles/3"',
        )
        async with live_grid(lane, {"ocpp": None}, settings=settings, options=IDEAL) as harness:
            for more, refused in (
                ({"identity": "vehicles-0", "password": "0123456789abcdef"}, False),
                ({"identity": "GARAGE", "password": "0123456789abcdef"}, False),
                ({"identity": "vehicles-0", "password": "another password"}, True),
                ({"identity": "vehicles-0"}, True),
                ({"identity": "vehicles-9999", "password": "0123456789abcdef"}, True),
                ({"identity": "meters-0", "password": "0123456789abcdef"}, True),
            ):
                async with judge("station", **station_options(harness, **more)) as charger:
                    said = await charger.waiting(lambda one: "connected" in one or "refused" in one)
                    assert ("refused" in said) is refused, (more, said)
            counts = harness.run.grid.counts
            assert counts["ocpp refused: wrong password"] == 2
            assert counts["ocpp refused: unknown station"] == 2

    asyncio.run(drive())


@pytest.mark.long
def test_frames_take_the_time_of_the_network_and_what_it_loses_is_not_answered(lane: Scenario) -> None:
    async def drive() -> None:
        options = Options(at=EVENING, paused=True, http_port=None)
        async with (
            live_grid(lane, {"ocpp": None}, settings=(UNSTEERED,), options=options) as harness,
            judge("station", **station_options(harness)) as charger,
        ):
            await charger.waiting(lambda one: "connected" in one)
            asked = asyncio.create_task(charger.call("Heartbeat", {}))
            await asyncio.sleep(0.3)
            assert not asked.done(), "time stands still, and so does the frame"
            assert "result" in await during(harness, asked)
            delays = [one.delay_s for one in harness.run.grid.frames if one.delay_s is not None]
            assert delays
            assert min(delays) > 0.0
            await during(harness, harness.run.grid.change("fail", {"site": "meter", "number": _point(harness)}))
            await harness.advance(5.0)
            count = len(harness.run.grid.frames)
            asked = asyncio.create_task(charger.call("Heartbeat", {}))
            await until(harness, lambda: len(harness.run.grid.frames) > count, 30.0)
            assert harness.run.grid.frames[-1].delay_s is None
            await asyncio.sleep(0.1)
            assert not asked.done()
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)

    asyncio.run(drive())


def _point(harness: Harness) -> int:
    return harness.run.grid.inventory.device("vehicles/0").point


@pytest.mark.long
def test_a_day_with_a_charger_can_be_run_again_to_the_last_bit(lane: Scenario, tmp_path: Path) -> None:
    async def drive() -> None:
        settings = (UNSTEERED,)
        options = Options(at=EVENING, paused=True, http_port=None)
        async with (
            live_grid(lane, {"ocpp": None}, settings=settings, options=options, out=tmp_path / "live") as harness,
            judge("station", **station_options(harness)) as charger,
        ):
            await charger.waiting(lambda one: "connected" in one)
            for action, payload in _charge("1.6", 7400):
                await during(harness, charger.call(action, payload), 0.75)
            await until(harness, lambda: power_kw(harness, 0) == pytest.approx(7.4), 3.25)
            await harness.advance(100.0)

    asyncio.run(drive())
    assert not heptagrid.open_run(tmp_path / "live").partial
    again = replay(tmp_path / "live", out=tmp_path / "again")
    assert again.differing == [] and again.remarks == []
