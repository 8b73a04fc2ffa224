"""A charge point without a socket: what happens offline, resets, configuration and variables, triggers."""

from __future__ import annotations

from typing import Any

import pytest

from heptagrid.live.protocols.ocpp.wire import CallProblem
from tests.live.ocpp_table import AWAY, HOME, Table, charging, set_profile


@pytest.fixture(params=["1.6", "2.0.1"])
def table(request: pytest.FixtureRequest) -> Table:
    return Table(request.param)


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
