"""A charge point without a socket, against a CSMS that checks every word: transactions, profiles, remote starts and stops."""

from __future__ import annotations

from typing import Any

import pytest

from heptagrid.live.protocols.ocpp.charging import LAPSE_NS
from heptagrid.live.protocols.ocpp.profiles import instant_text
from tests.live.ocpp_table import AWAY, CSMS_CLOCK, HOME, HOUR, MINUTE, Table, charging, set_profile


@pytest.fixture(params=["1.6", "2.0.1"])
def table(request: pytest.FixtureRequest) -> Table:
    return Table(request.param)


def test_a_charge_of_1_6_from_coming_to_leaving() -> None:
    table = Table("1.6")
    table.connect()
    table.see(AWAY)
    table.see(HOME, 1)
    table.see(HOME, 1.5)
    table.see(HOME._replace(power_kw=0.0, soc_pct=100.0, energy_kwh=110.0), 60)
    table.see(AWAY._replace(energy_kwh=110.0), 60)
    statuses = [one["status"] for one in table.heard("StatusNotification") if one["connectorId"] == 1]
    assert statuses == ["Available", "Preparing", "Charging", "SuspendedEV", "Available"]
    assert table.heard("StartTransaction") == [
        {"connectorId": 1, "idTag": "EV000017", "meterStart": 100_000, "timestamp": "2026-08-04T12:01:00.000Z"}
    ]
    (stop,) = table.heard("StopTransaction")
    assert (stop["transactionId"], stop["meterStop"], stop["reason"]) == (41, 110_000, "EVDisconnected")
    readings = table.heard("MeterValues")
    assert readings, "each minute, or as often as the grid shows something"
    assert {one["transactionId"] for one in readings} == {41}
    values = {one["measurand"]: one["value"] for one in readings[0]["meterValue"][0]["sampledValue"]}
    assert values == {
        "Energy.Active.Import.Register": "100000.0",
        "Power.Active.Import": "11000",
        "SoC": "50",
        "Voltage": "230",
    }


def test_a_charge_of_2_0_1_from_coming_to_leaving() -> None:
    table = Table("2.0.1")
    table.connect()
    table.see(AWAY)
    table.see(HOME, 1)
    table.see(HOME, 1.5)
    table.see(HOME._replace(power_kw=0.0, soc_pct=100.0), 60)
    table.see(AWAY, 60)
    assert [one["connectorStatus"] for one in table.heard("StatusNotification")] == [
        "Available",
        "Occupied",
        "Available",
    ]
    events = table.heard("TransactionEvent")
    assert [one["seqNo"] for one in events] == list(range(len(events))), "without a gap"
    assert [one["eventType"] for one in events if one["eventType"] != "Updated"] == ["Started", "Ended"]
    assert ["evse" in one for one in events] == [True] + [False] * (len(events) - 1), "E01.FR.16"
    assert len({one["transactionInfo"]["transactionId"] for one in events}) == 1
    assert "SuspendedEV" in [one["transactionInfo"]["chargingState"] for one in events]
    assert events[-1]["transactionInfo"]["stoppedReason"] == "EVDisconnected"


def test_nothing_is_said_before_the_csms_takes_it(table: Table) -> None:
    """Pending and rejected stations only register again, after the interval (reported of EVerest/libocpp 478)."""
    table.answers["BootNotification"] = {"status": "Pending", "interval": 30, "currentTime": instant_text(CSMS_CLOCK)}
    table.connect()
    for _ in range(5):
        table.see(HOME, 0.2)
    assert {name for name, _ in table.said} == {"BootNotification"}
    assert len(table.said) == 2
    configuration = (
        table.ask("GetConfiguration", {"key": []})["configurationKey"]
        if table.station.version == "1.6"
        else table.ask("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"})
    )
    assert configuration, "its configuration can be read"
    del table.answers["BootNotification"]
    table.see(HOME, 1)
    table.see(HOME, 0.1)
    assert table.station.transaction is not None


def test_the_station_goes_by_the_clock_of_its_csms(table: Table) -> None:
    charging(table)
    stamps = [payload["timestamp"] for name, payload in table.said if name == "StatusNotification"]
    assert stamps[0] == "2026-08-04T12:00:00.000Z"


def test_heartbeats_come_as_often_as_the_csms_asks(table: Table) -> None:
    table.connect()
    for _ in range(11):
        table.see(AWAY, 1)
    assert len(table.heard("Heartbeat")) == 2


def test_a_vehicle_of_whom_nobody_pays_may_not_draw(table: Table) -> None:
    table.tag_status = "Blocked"
    table.connect()
    table.see(HOME)
    table.see(HOME, 1)
    assert table.station.transaction is None
    point = table.station.set_point(table.now_ns)
    assert (point.power_kw, point.until_ns) == ([0.0], table.now_ns + LAPSE_NS)


def test_a_tag_that_is_refused_later_ends_the_transaction() -> None:
    table = Table("1.6")
    table.answers["StartTransaction"] = {"transactionId": 5, "idTagInfo": {"status": "Invalid"}}
    table.connect()
    table.see(HOME)
    table.see(HOME, 0.1)
    assert table.station.transaction is None
    assert table.heard("StopTransaction")[0]["reason"] == "DeAuthorized"
    assert table.station.set_point(table.now_ns).power_kw == [0.0]


def test_limits_become_a_set_point_and_its_end_gives_the_vehicle_back(table: Table) -> None:
    charging(table)
    assert not table.station.set_point(table.now_ns).begin_ns, "without a profile nothing is asked of it"
    assert set_profile(table, {0: 7000.0, 1800: 4200.0}, duration=3600) == "Accepted"
    point = table.station.set_point(table.now_ns)
    assert point.power_kw == [7.0, 4.2]
    assert [(one - table.now_ns) // MINUTE for one in (*point.begin_ns, point.until_ns)] == [0, 30, 60]
    assert not table.station.set_point(table.now_ns + HOUR).begin_ns


def test_a_set_point_lapses_unless_it_is_renewed(table: Table) -> None:
    charging(table)
    set_profile(table, {0: 7000.0})
    point = table.station.set_point(table.now_ns)
    assert point.until_ns == table.now_ns + LAPSE_NS
    assert point.again_ns < point.until_ns


def test_a_limit_above_the_rating_asks_for_the_rating(table: Table) -> None:
    charging(table)
    set_profile(table, {0: 32.0}, unit="A")
    assert table.station.set_point(table.now_ns).power_kw == [11.0]


def test_a_limit_that_bars_the_vehicle_shows(table: Table) -> None:
    charging(table)
    set_profile(table, {0: 0.0})
    table.see(HOME._replace(power_kw=0.0), 1)
    if table.station.version == "1.6":
        assert table.heard("StatusNotification")[-1]["status"] == "SuspendedEVSE"
    else:
        assert table.heard("TransactionEvent")[-1]["transactionInfo"]["chargingState"] == "SuspendedEVSE"


def test_profiles_of_a_transaction_need_one_and_end_with_it(table: Table) -> None:
    table.connect()
    table.see(AWAY)
    assert set_profile(table, {0: 7000.0}, purpose="TxProfile") == "Rejected"
    table.see(HOME, 1)
    table.see(HOME, 0.1)
    assert set_profile(table, {0: 7000.0}, purpose="TxProfile") == "Accepted"
    assert table.station.set_point(table.now_ns).power_kw == [7.0]
    table.see(AWAY, 60)
    assert not table.station.book.held


def test_profiles_are_cleared_by_what_they_have(table: Table) -> None:
    charging(table)
    set_profile(table, {0: 7000.0}, id=1)
    set_profile(table, {0: 6000.0}, id=2, stackLevel=3)
    by_level: dict[str, Any] = {"stackLevel": 3}
    by_id: dict[str, Any] = {"id": 1}
    if table.station.version == "2.0.1":
        by_level, by_id = {"chargingProfileCriteria": by_level}, {"chargingProfileId": 1}
    assert table.ask("ClearChargingProfile", by_level) == {"status": "Accepted"}
    assert table.station.set_point(table.now_ns).power_kw == [7.0]
    assert table.ask("ClearChargingProfile", by_id) == {"status": "Accepted"}
    assert table.ask("ClearChargingProfile", by_id) == {"status": "Unknown"}


def test_profiles_beyond_what_it_says_are_refused(table: Table) -> None:
    charging(table)
    assert set_profile(table, {0: 7000.0}, stackLevel=21) == "Rejected"
    assert set_profile(table, {k * 60: 7000.0 + k for k in range(101)}) == "Rejected"
    taken = [set_profile(table, {0: 7000.0}, id=k + 1, stackLevel=k) for k in range(21)]
    assert taken == ["Accepted"] * 20 + ["Rejected"]


def test_the_composite_schedule_is_what_is_followed(table: Table) -> None:
    charging(table)
    set_profile(table, {0: 7000.0, 1800: 4200.0}, duration=3600)
    asked: dict[str, Any] = {"duration": 7200, "chargingRateUnit": "W"}
    if table.station.version == "1.6":
        answer = table.ask("GetCompositeSchedule", asked | {"connectorId": 1})["chargingSchedule"]
    else:
        answer = table.ask("GetCompositeSchedule", asked | {"evseId": 1})["schedule"]
    periods = [(one["startPeriod"], one["limit"]) for one in answer["chargingSchedulePeriod"]]
    assert periods == [(0, 7000.0), (1800, 4200.0), (3600, 11000.0)]


def test_a_remote_stop_keeps_the_vehicle_from_drawing_until_a_remote_start(table: Table) -> None:
    charging(table)
    transaction = table.station.transaction
    assert transaction is not None
    if table.station.version == "1.6":
        stop, start = "RemoteStopTransaction", ("RemoteStartTransaction", {"idTag": "CARD"})
    else:
        token = {"idToken": "CARD", "type": "ISO14443"}
        stop, start = "RequestStopTransaction", ("RequestStartTransaction", {"remoteStartId": 3, "idToken": token})
    wrong: Any = 99999 if table.station.version == "1.6" else "another"
    assert table.ask(stop, {"transactionId": wrong}) == {"status": "Rejected"}
    assert table.ask(stop, {"transactionId": transaction.id}) == {"status": "Accepted"}
    table.see(HOME._replace(power_kw=0.0), 5)
    assert table.station.transaction is None
    assert table.station.set_point(table.now_ns).power_kw == [0.0]
    assert table.ask(*start)["status"] == "Accepted"
    assert table.station.transaction is not None
    assert not table.station.set_point(table.now_ns).begin_ns
    assert table.ask(*start)["status"] == "Rejected", "one is under way"


def test_a_remote_start_waits_for_the_vehicle_and_brings_a_profile() -> None:
    table = Table("1.6")
    table.connect()
    table.see(AWAY)
    schedule = {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 5000.0}]}
    profile = {
        "chargingProfileId": 9,
        "stackLevel": 1,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": schedule,
    }
    answer = table.ask("RemoteStartTransaction", {"connectorId": 1, "idTag": "CARD", "chargingProfile": profile})
    assert answer == {"status": "Accepted"}
    assert table.heard("StatusNotification")[-1]["status"] == "Preparing"
    table.see(HOME, 1)
    assert table.heard("StartTransaction")[0]["idTag"] == "CARD"
    assert table.station.set_point(table.now_ns).power_kw == [5.0]


def test_a_remote_start_is_forgotten_when_nobody_comes() -> None:
    table = Table("1.6")
    table.connect()
    table.see(AWAY)
    table.ask("RemoteStartTransaction", {"idTag": "CARD"})
    table.see(AWAY, 3)
    assert table.heard("StatusNotification")[-1]["status"] == "Available"


def test_out_of_service_after_the_transaction(table: Table) -> None:
    charging(table)
    if table.station.version == "1.6":
        out, back = ({"connectorId": 0, "type": one} for one in ("Inoperative", "Operative"))
    else:
        out, back = ({"operationalStatus": one} for one in ("Inoperative", "Operative"))
    assert table.ask("ChangeAvailability", out) == {"status": "Scheduled"}
    table.see(AWAY, 60)
    key = "status" if table.station.version == "1.6" else "connectorStatus"
    assert table.heard("StatusNotification")[-1][key] == "Unavailable"
    table.see(HOME, 60)
    assert table.station.transaction is None
    assert table.station.set_point(table.now_ns).power_kw == [0.0]
    assert table.ask("ChangeAvailability", back) == {"status": "Accepted"}
    table.see(HOME, 0.1)
    table.see(HOME, 0.1)
    assert table.station.transaction is not None
