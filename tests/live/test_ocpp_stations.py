"""A charge point without a socket, against a CSMS that checks every word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.protocols.ocpp.charging import LAPSE_NS, Seen
from heptagrid.live.protocols.ocpp.profiles import instant_ns, instant_text
from heptagrid.live.protocols.ocpp.station import Station
from heptagrid.live.protocols.ocpp.station_16 import Station16
from heptagrid.live.protocols.ocpp.station_201 import Station201
from heptagrid.live.protocols.ocpp.wire import CallProblem, check

START = instant_ns("2016-07-04T18:00:00Z")
CSMS_CLOCK = instant_ns("2026-08-04T12:00:00Z")
MINUTE, HOUR = 60 * NS_PER_S, 3600 * NS_PER_S
HOME = Seen(is_home=True, power_kw=11.0, soc_pct=50.0, energy_kwh=100.0)
AWAY = Seen(is_home=False, power_kw=0.0, soc_pct=50.0, energy_kwh=100.0)


class Table:
    """A station and its CSMS at one table; what either says is checked against the schemas.

    said: the station's calls. answers: what the CSMS answers by action; None: nothing.
    """

    def __init__(self, version: str) -> None:
        kind: Callable[..., Station] = Station16 if version == "1.6" else Station201
        self.station = kind("vehicles-17", "EV000017", 11.0, 0)
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.now_ns, self.wall_s = START, 0.0
        self.tag_status = "Accepted"
        self.answers: dict[str, Any] = {}
        self._numbers = 0

    def connect(self) -> None:
        self.station.outbox.connected(self.wall_s)
        self.talk()

    def see(self, seen: Seen, minutes: float = 0.0) -> None:
        """Time goes on, and the grid shows this."""
        self.now_ns += round(minutes * MINUTE)
        self.wall_s += minutes * 60.0
        self.station.observe(seen, self.now_ns)
        self.station.tick(self.now_ns, self.wall_s)
        self.talk()

    def talk(self) -> None:
        """Let the station say all that it has to say."""
        while self.station.outbox.is_online and (request := self.station.next_request(self.wall_s)) is not None:
            check(self.station.version, request.action, request.payload)
            self.said.append((request.action, dict(request.payload)))
            answer = self.answers.get(request.action, self._usual(request.action))
            if answer is not None:
                check(self.station.version, request.action, answer, is_answer=True)
            self.station.answered(request, answer, self.now_ns, self.wall_s)

    def ask(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """A call of the CSMS."""
        check(self.station.version, action, payload)
        answer = self.station.handle(action, payload, self.now_ns)
        check(self.station.version, action, answer, is_answer=True)
        self.talk()
        return answer

    def heard(self, action: str) -> list[dict[str, Any]]:
        """The payloads of an action so far."""
        return [payload for name, payload in self.said if name == action]

    def _usual(self, action: str) -> dict[str, Any]:
        info = {"idTagInfo" if self.station.version == "1.6" else "idTokenInfo": {"status": self.tag_status}}
        if action == "StartTransaction":
            self._numbers += 1
            return {"transactionId": 40 + self._numbers} | info
        return {
            "BootNotification": {
                "status": "Accepted",
                "interval": 300,
                "currentTime": instant_text(CSMS_CLOCK + self.now_ns - START),
            },
            "Heartbeat": {"currentTime": instant_text(CSMS_CLOCK)},
            "Authorize": info,
        }.get(action, {})


def set_profile(
    table: Table, limits: dict[int, float], *, unit: str = "W", purpose: str = "TxDefaultProfile", **more: Any
) -> str:
    """Set a charging profile on connector 1, or the whole station, and return the answer's status."""
    schedule: dict[str, Any] = {
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [{"startPeriod": start, "limit": limit} for start, limit in limits.items()],
    }
    for name in ("duration", "startSchedule"):
        if name in more:
            schedule[name] = more.pop(name)
    evse, id = more.pop("evse", 1), more.pop("id", 1)
    profile = {"stackLevel": 0, "chargingProfilePurpose": purpose, "chargingProfileKind": "Absolute"} | more
    if table.station.version == "1.6":
        profile |= {"chargingProfileId": id, "chargingSchedule": schedule}
        return str(table.ask("SetChargingProfile", {"connectorId": evse, "csChargingProfiles": profile})["status"])
    profile |= {"id": id, "chargingSchedule": [{"id": 1} | schedule]}
    return str(table.ask("SetChargingProfile", {"evseId": evse, "chargingProfile": profile})["status"])


@pytest.fixture(params=["1.6", "2.0.1"])
def table(request: pytest.FixtureRequest) -> Table:
    return Table(request.param)


def charging(table: Table) -> Table:
    """With a vehicle that charges."""
    table.connect()
    table.see(HOME)
    table.see(HOME, 0.1)
    assert table.station.transaction is not None
    return table


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


def test_what_happens_offline_is_told_later_in_its_order() -> None:
    table = Table("1.6")
    table.connect()
    table.see(AWAY)
    table.station.outbox.disconnected()
    table.said.clear()
    table.see(HOME, 10)
    table.see(HOME._replace(energy_kwh=105.0), 30)
    table.see(AWAY._replace(energy_kwh=110.0), 30)
    assert not table.said
    table.connect()
    told = [name for name, _ in table.said if name != "StatusNotification"]
    assert told[0] == "StartTransaction"
    assert told.index("MeterValues") < told.index("StopTransaction")
    assert "BootNotification" not in told, "it did not start anew"
    assert table.heard("StopTransaction")[0]["transactionId"] == 41, "never -1 (reported of EVerest/libocpp 495)"
    assert table.heard("StartTransaction")[0]["timestamp"] == "2026-08-04T12:10:00.000Z", "when it happened"


def test_events_that_happened_offline_say_so() -> None:
    table = Table("2.0.1")
    table.connect()
    table.see(AWAY)
    table.station.outbox.disconnected()
    table.see(HOME, 10)
    table.connect()
    assert table.heard("TransactionEvent")[0]["offline"] is True
    table.see(HOME, 2)
    assert table.heard("TransactionEvent")[-1]["offline"] is False


def test_a_message_of_a_transaction_is_tried_again_as_often_as_is_set() -> None:
    table = Table("1.6")
    table.answers["StartTransaction"] = None
    table.connect()
    for _ in range(12):
        table.see(HOME, 0.5)
    assert len(table.heard("StartTransaction")) == 3
    table.see(AWAY, 5)
    assert not table.heard("StopTransaction"), "it never began there"


def test_a_queue_does_not_grow_without_end(table: Table) -> None:
    charging(table)
    table.station.outbox.disconnected()
    for k in range(500):
        table.see(HOME._replace(power_kw=float(k % 2) * 11.0), 1)
    assert len(table.station.outbox.waiting) <= 101


def test_a_reset_ends_the_transaction_and_the_station_registers_anew(table: Table) -> None:
    charging(table)
    answer = table.ask("Reset", {"type": "Hard" if table.station.version == "1.6" else "Immediate"})
    assert answer == {"status": "Accepted"}
    assert table.station.reset
    table.station.outbox.disconnected()
    table.station.start_anew(table.station.reset)
    table.said.clear()
    table.connect()
    assert table.said[0][0] == "BootNotification"
    table.see(HOME, 0.1)
    table.see(HOME, 0.1)
    assert table.station.transaction is not None


def test_a_station_without_supply_ends_what_it_did(table: Table) -> None:
    charging(table)
    table.station.outbox.disconnected()
    table.station.lost_power(table.now_ns)
    table.said.clear()
    table.connect()
    assert table.said[0][0] == "BootNotification"
    told = [payload for name, payload in table.said if name in ("StopTransaction", "TransactionEvent")]
    reason = told[-1].get("reason") or told[-1]["transactionInfo"]["stoppedReason"]
    assert reason == "PowerLoss"


def test_configuration_of_1_6() -> None:
    table = charging(Table("1.6"))
    answer = table.ask("GetConfiguration", {"key": ["MeterValueSampleInterval", "Colour"]})
    assert answer == {
        "configurationKey": [{"key": "MeterValueSampleInterval", "readonly": False, "value": "60"}],
        "unknownKey": ["Colour"],
    }
    for key, value, status in (
        ("MeterValueSampleInterval", "10", "Accepted"),
        ("MeterValueSampleInterval", "often", "Rejected"),
        ("NumberOfConnectors", "2", "Rejected"),
        ("MeterValuesSampledData", "Power.Active.Import,Colour", "Rejected"),
        ("MeterValuesSampledData", "Power.Active.Import", "Accepted"),
        ("Colour", "red", "NotSupported"),
    ):
        assert table.ask("ChangeConfiguration", {"key": key, "value": value}) == {"status": status}
    table.said.clear()
    for _ in range(6):
        table.see(HOME, 1 / 6)
    readings = table.heard("MeterValues")
    assert len(readings) == 6
    assert [one["measurand"] for one in readings[-1]["meterValue"][0]["sampledValue"]] == ["Power.Active.Import"]


def test_variables_of_2_0_1() -> None:
    table = charging(Table("2.0.1"))

    def entry(component: str, variable: str, **more: str) -> dict[str, Any]:
        return {"component": {"name": component}, "variable": {"name": variable}, **more}

    answer = table.ask(
        "SetVariables",
        {
            "setVariableData": [
                entry("SampledDataCtrlr", "TxUpdatedInterval", attributeValue="10"),
                entry("SampledDataCtrlr", "TxUpdatedInterval", attributeValue="often"),
                entry("SampledDataCtrlr", "Colour", attributeValue="red"),
                entry("Colour", "Red", attributeValue="red"),
            ]
        },
    )
    statuses = [one["attributeStatus"] for one in answer["setVariableResult"]]
    assert statuses == ["Accepted", "Rejected", "UnknownVariable", "UnknownComponent"]
    asked = [entry("SampledDataCtrlr", "TxUpdatedInterval"), entry("ClockCtrlr", "TimeSource", attributeType="MaxSet")]
    answer = table.ask("GetVariables", {"getVariableData": asked})
    assert answer["getVariableResult"][0]["attributeValue"] == "10"
    assert answer["getVariableResult"][1]["attributeStatus"] == "NotSupportedAttributeType"
    assert table.ask("GetBaseReport", {"requestId": 7, "reportBase": "FullInventory"}) == {"status": "Accepted"}
    pages = table.heard("NotifyReport")
    assert [one["seqNo"] for one in pages] == list(range(len(pages)))
    assert [one["tbc"] for one in pages] == [True] * (len(pages) - 1) + [False]


def test_messages_come_when_they_are_triggered(table: Table) -> None:
    charging(table)
    wanted = ["Heartbeat", "MeterValues", "StatusNotification"]
    wanted.append("BootNotification" if table.station.version == "1.6" else "TransactionEvent")
    for action in wanted:
        table.said.clear()
        assert table.ask("TriggerMessage", {"requestedMessage": action}) == {"status": "Accepted"}
        assert table.said[0][0] == action
    assert table.ask("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})["status"] == "NotImplemented"


def test_the_status_of_the_whole_station_can_be_triggered() -> None:
    """Connector 0 is the station itself (reported of steve-community/steve 832)."""
    table = charging(Table("1.6"))
    table.said.clear()
    table.ask("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 0})
    assert table.heard("StatusNotification")[0]["connectorId"] == 0


def test_a_transaction_of_2_0_1_can_be_asked_for() -> None:
    table = charging(Table("2.0.1"))
    assert table.station.transaction is not None
    id = table.station.transaction.id
    answer = table.ask("GetTransactionStatus", {"transactionId": id})
    assert answer == {"ongoingIndicator": True, "messagesInQueue": False}
    set_profile(table, {0: 7000.0})
    asked: dict[str, Any] = {"requestId": 1, "chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}}
    assert table.ask("GetChargingProfiles", asked) == {"status": "Accepted"}
    assert table.heard("ReportChargingProfiles")[0]["chargingProfile"][0]["id"] == 1
    asked["chargingProfile"] = {"chargingProfilePurpose": "TxProfile"}
    assert table.ask("GetChargingProfiles", asked) == {"status": "NoProfiles"}


def test_the_rest_of_the_calls(table: Table) -> None:
    charging(table)
    assert table.ask("ClearCache", {}) == {"status": "Accepted"}
    assert table.ask("DataTransfer", {"vendorId": "com.example"}) == {"status": "UnknownVendorId"}
    if table.station.version == "1.6":
        assert table.ask("UnlockConnector", {"connectorId": 1}) == {"status": "Unlocked"}
        assert table.heard("StopTransaction")[0]["reason"] == "UnlockCommand"
    else:
        unlock = {"evseId": 1, "connectorId": 1}
        assert table.ask("UnlockConnector", unlock) == {"status": "OngoingAuthorizedTransaction"}
    with pytest.raises(CallProblem, match="does not do"):
        table.station.handle("GetLocalListVersion", {}, table.now_ns)
