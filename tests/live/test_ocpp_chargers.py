"""What our CSMS makes of real chargers' messages, with the faults that were reported of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.protocols.ocpp.charger import Charger
from heptagrid.live.protocols.ocpp.charger_16 import Charger16
from heptagrid.live.protocols.ocpp.charger_201 import Charger201
from heptagrid.live.protocols.ocpp.dialogue import Dialogue
from heptagrid.live.protocols.ocpp.metering import power_kw
from heptagrid.live.protocols.ocpp.profiles import instant_ns, instant_text
from heptagrid.live.protocols.ocpp.wire import check

NOW = instant_ns("2026-08-04T12:00:00Z")
MINUTE = 60 * NS_PER_S


class Bench:
    """A charger that speaks to our CSMS."""

    def __init__(self, version: str, lenient: bool = True) -> None:
        self.counted: list[str] = []
        kind: Any = Charger16 if version == "1.6" else Charger201
        self.charger: Charger = kind("GARAGE", 30, self.counted.append)
        self.now_ns = NOW
        self._numbers = 0
        self.dialogue = Dialogue(
            self.charger.version,
            lenient,
            lambda action, payload: self.charger.handle(action, payload, self.now_ns),
            self.counted.append,
        )

    def say(self, action: str, payload: dict[str, Any]) -> Any:
        """Send a call; the answer, which is checked."""
        self._numbers += 1
        text = self.dialogue.receive(json.dumps([2, str(self._numbers), action, payload]))
        assert text is not None
        answer = json.loads(text)
        if answer[0] == 3:
            check(self.charger.version, action, answer[2], is_answer=True)
        return answer[2]

    def start(self, tag: str = "CARD", minutes: float = 0.0) -> int:
        """Start a transaction of 1.6; its number."""
        self.now_ns += round(minutes * MINUTE)
        given = {"connectorId": 1, "idTag": tag, "meterStart": 0, "timestamp": instant_text(self.now_ns)}
        return int(self.say("StartTransaction", given)["transactionId"])

    def read(self, watts: float, minutes: float = 1.0, at_ns: int | None = None, **more: Any) -> Any:
        """Send a reading of 1.6, some time later."""
        self.now_ns += round(minutes * MINUTE)
        sampled = [{"value": str(watts), "measurand": "Power.Active.Import", "unit": "W"}]
        stamp = instant_text(self.now_ns if at_ns is None else at_ns)
        values = [{"timestamp": stamp, "sampledValue": sampled}]
        return self.say("MeterValues", {"connectorId": 1, "meterValue": values, **more})

    def event(self, kind: str, sequence: int, watts: float | None = None, **more: Any) -> Any:
        """Send an event of 2.0.1."""
        self.now_ns += MINUTE
        info = {"transactionId": more.pop("transaction", "t1")}
        given = {
            "eventType": kind,
            "timestamp": instant_text(self.now_ns),
            "triggerReason": "MeterValuePeriodic",
            "seqNo": sequence,
            "transactionInfo": info | more.pop("info", {}),
        } | more
        if watts is not None:
            sampled = [{"value": watts, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "W"}}]
            given["meterValue"] = [{"timestamp": instant_text(self.now_ns), "sampledValue": sampled}]
        return self.say("TransactionEvent", given)


def sample(value: Any, measurand: str = "Power.Active.Import", **more: Any) -> dict[str, Any]:
    return {"value": value, "measurand": measurand, **more}


@pytest.mark.parametrize(
    ("sampled", "kw"),
    [
        ([sample("3600", unit="W")], 3.6),
        ([sample("3.6", unit="kW")], 3.6),
        ([sample(3.6, unitOfMeasure={"unit": "W", "multiplier": 3})], 3.6),
        ([sample("1000", phase="L1"), sample("1200", phase="L2"), sample("1400", phase="L3")], 3.6),
        ([sample("3600"), sample("1200", phase="L1"), sample("1200", phase="L2")], 3.6),
        ([sample("3600"), sample("600", "Power.Active.Export")], 3.0),
        ([sample("10", "Current.Import", phase=one, unit="A") for one in ("L1", "L2", "L3")], 6.9),
        ([sample("10", "Current.Import", phase="L1"), sample("240", "Voltage", phase="L1-N")], 2.4),
        ([sample("10", "Current.Import", phase="L1"), sample("9", "Current.Import", phase="N")], 2.3),
        ([sample("10", "Current.Import", phase="L1"), sample("400", "Voltage", phase="L1-L2")], 2.3094),
        ([sample("")], None),  # evcc 17836: readings without a value
        ([sample("NaN")], None),
        ([sample("1e300")], None),
        ([{"value": "139955", "unit": "Wh"}], None),
        ([], None),
    ],
)
def test_power_as_chargers_report_it(sampled: list[dict[str, Any]], kw: float | None) -> None:
    assert power_kw(sampled) == (None if kw is None else pytest.approx(kw, rel=1e-4))


def test_a_charge_of_1_6() -> None:
    bench = Bench("1.6")
    answer = bench.say("BootNotification", {"chargePointModel": "X", "chargePointVendor": "Y"})
    assert (answer["status"], answer["currentTime"]) == ("Accepted", "2026-08-04T12:00:00.000Z")
    asked = [action for action, _ in bench.charger.to_tell]
    assert asked == ["ChangeConfiguration", "ChangeConfiguration", "TriggerMessage"]
    assert bench.charger.drawn_kw is None
    number = bench.start()
    bench.read(3600, transactionId=number)
    assert bench.charger.drawn_kw == 3.6
    stop = {"transactionId": number, "meterStop": 60, "timestamp": instant_text(bench.now_ns), "idTag": "CARD"}
    assert bench.say("StopTransaction", stop) == {"idTagInfo": {"status": "Accepted"}}
    assert bench.charger.drawn_kw == 0.0


def test_two_connectors_draw_together() -> None:
    bench = Bench("1.6")
    bench.read(3600)
    bench.read(2000, connectorId=2)
    assert bench.charger.drawn_kw == 5.6
    bench.say("StatusNotification", {"connectorId": 2, "errorCode": "NoError", "status": "Available"})
    assert bench.charger.drawn_kw == 3.6


def test_an_end_with_number_minus_one_after_an_offline_start() -> None:
    """Reported of EVerest/libocpp 495: the start had no answer, so the end does not know its number."""
    bench = Bench("1.6")
    bench.start("CARD")
    bench.read(3600)
    stop = {"transactionId": -1, "meterStop": 60, "timestamp": instant_text(bench.now_ns), "idTag": "CARD"}
    assert bench.say("StopTransaction", stop) == {"idTagInfo": {"status": "Accepted"}}
    assert bench.charger.drawn_kw == 0.0
    assert not bench.charger.has_transaction
    assert "end of an unknown transaction" in bench.counted


def test_an_end_of_an_unknown_transaction_is_answered() -> None:
    """Reported of steve-community/steve 156: without an answer the charger sends it for ever."""
    stop = {"transactionId": 0, "meterStop": 140, "timestamp": "2019-07-02T09:44:21.530Z", "reason": "PowerLoss"}
    assert Bench("1.6").say("StopTransaction", stop) == {}


def test_an_end_without_a_number() -> None:
    """Reported of dallmann-consulting/OCPP.Core 29: `"transactionId": null`."""
    bench = Bench("1.6")
    bench.start("CARD")
    stop = {"transactionId": None, "meterStop": 60, "timestamp": instant_text(bench.now_ns), "idTag": "CARD"}
    assert bench.say("StopTransaction", stop) == {"idTagInfo": {"status": "Accepted"}}
    assert not bench.charger.has_transaction


def test_a_start_that_is_sent_again_keeps_its_number() -> None:
    bench = Bench("1.6")
    assert bench.start() == bench.start()


def test_a_second_start_on_a_connector_ends_the_first() -> None:
    """Reported of steve-community/steve 1295: two transactions at once on one connector."""
    bench = Bench("1.6")
    first, second = bench.start(), bench.start(minutes=5.0)
    assert first != second
    assert [one.has_ended for one in bench.charger.records.values()] == [True, False]
    bench.read(3600, transactionId=second)
    bench.read(9999, transactionId=first)
    assert bench.charger.drawn_kw == 3.6


def test_a_tag_with_signs_behind_it_is_that_tag() -> None:
    """Reported of a charger (lbbrhzn/ocpp 2030): two control characters behind a tag of 20."""
    bench = Bench("1.6")
    bench.start("BA86I250X5G6MOD5DLKD")
    bench.read(3600)
    stop = {"transactionId": -1, "meterStop": 1, "timestamp": instant_text(bench.now_ns)}
    answer = bench.say("StopTransaction", stop | {"idTag": "BA86I250X5G6MOD5DLKD\x10\x0e"})
    assert answer == {"idTagInfo": {"status": "Accepted"}}
    assert bench.charger.drawn_kw == 0.0


def test_readings_from_a_queue_change_nothing_of_now() -> None:
    """Reported of a charger (lbbrhzn/ocpp 361): it sends all that it could not send before."""
    bench = Bench("1.6")
    status = {"connectorId": 1, "errorCode": "NoError", "status": "Charging", "timestamp": instant_text(bench.now_ns)}
    bench.say("StatusNotification", status)
    bench.read(11_000, at_ns=NOW - 180 * MINUTE)
    assert bench.charger.drawn_kw is None
    bench.read(3600)
    bench.read(9999, at_ns=bench.now_ns - 5 * MINUTE)
    assert bench.charger.drawn_kw == 3.6
    assert bench.counted.count("stale reading") == 2


def test_a_clock_of_another_zone_is_no_queue() -> None:
    """Reported of a charger (steve-community/steve 136): local time that is marked as UTC."""
    bench = Bench("1.6")
    bench.read(3600, at_ns=bench.now_ns - 120 * MINUTE)
    bench.read(7200, at_ns=bench.now_ns - 119 * MINUTE)
    assert bench.charger.drawn_kw == 7.2


def test_a_charger_that_only_tells_its_register() -> None:
    bench = Bench("1.6")
    for minute, wh in ((0, 1000), (1, 1060), (2, 1120)):
        bench.now_ns = NOW + minute * MINUTE
        values = [{"timestamp": instant_text(bench.now_ns), "sampledValue": [{"value": str(wh)}]}]
        bench.say("MeterValues", {"connectorId": 1, "meterValue": values})
    assert bench.charger.drawn_kw == pytest.approx(3.6)


def test_a_charge_of_2_0_1() -> None:
    bench = Bench("2.0.1")
    station = {"model": "X", "vendorName": "Y"}
    assert bench.say("BootNotification", {"reason": "PowerUp", "chargingStation": station})["status"] == "Accepted"
    token = {"idToken": "CARD", "type": "ISO14443"}
    started = bench.event("Started", 0, evse={"id": 1}, idToken=token)
    assert started == {"idTokenInfo": {"status": "Accepted"}}
    bench.event("Updated", 1, 7200)
    assert bench.charger.drawn_kw == 7.2
    bench.event("Updated", 2, info={"chargingState": "SuspendedEVSE"})
    assert bench.charger.drawn_kw == 0.0
    bench.event("Updated", 3, 3600, info={"chargingState": "Charging"})
    bench.event("Ended", 4)
    assert bench.charger.drawn_kw == 0.0


def test_stale_events_and_a_replayed_queue_change_nothing() -> None:
    """Reported of lbbrhzn/ocpp 2135: an old event moves the meter back, and a replayed queue revives what has ended."""
    bench = Bench("2.0.1")
    bench.event("Started", 0, evse={"id": 1})
    bench.event("Updated", 5, 7200)
    for sequence in (5, 4, 1):
        assert bench.event("Updated", sequence, 1000) == {}, "it is answered, and the charger forgets it"
    assert bench.charger.drawn_kw == 7.2
    bench.event("Ended", 6)
    for sequence, kind in ((0, "Started"), (5, "Updated"), (9, "Updated")):
        bench.event(kind, sequence, 7200)
    assert bench.charger.drawn_kw == 0.0
    assert not bench.charger.has_transaction
    assert bench.counted.count("stale event") == 6
    bench.event("Started", 0, 3600, transaction="t2", evse={"id": 1})
    assert bench.charger.drawn_kw == 3.6


def test_events_that_happened_offline_are_not_of_now() -> None:
    bench = Bench("2.0.1")
    bench.event("Started", 0, 7200, evse={"id": 1}, offline=True)
    bench.event("Updated", 1, 7200, offline=True)
    assert bench.charger.drawn_kw is None
    bench.event("Updated", 2, 3600)
    assert bench.charger.drawn_kw == 3.6


def test_a_charger_that_boots_may_begin_its_numbers_anew() -> None:
    bench = Bench("2.0.1")
    bench.event("Started", 0, evse={"id": 1})
    bench.event("Updated", 5, 7200)
    bench.say("BootNotification", {"reason": "PowerUp", "chargingStation": {"model": "X", "vendorName": "Y"}})
    bench.event("Started", 0, 3600, evse={"id": 1})
    assert bench.charger.drawn_kw == 3.6


def test_what_is_remembered_of_transactions_is_bounded() -> None:
    bench = Bench("2.0.1")
    for k in range(1200):
        bench.event("Started", 0, transaction=f"t{k}", evse={"id": 1})
    assert len(bench.charger.records) == 1024


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_limits_are_told_as_the_standard_says(version: str) -> None:
    charger = Bench(version).charger
    for action, payload in (charger.limited([0, 900], [7.04, 3.51], 1800, NOW), charger.unlimited()):
        check(charger.version, action, payload)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_what_it_asks_of_a_new_charger_is_valid(version: str) -> None:
    bench = Bench(version)
    given: dict[str, Any] = {"chargePointModel": "X", "chargePointVendor": "Y"}
    if version == "2.0.1":
        given = {"reason": "PowerUp", "chargingStation": {"model": "X", "vendorName": "Y"}}
    bench.say("BootNotification", given)
    assert bench.charger.to_tell
    for action, payload in bench.charger.to_tell:
        check(bench.charger.version, action, payload)


def test_a_boot_without_a_model_is_refused_or_understood() -> None:
    """Reported of steve-community/steve 1099: it was accepted without a word."""
    bench = Bench("1.6", lenient=False)
    text = bench.dialogue.receive('[2,"7","BootNotification",{}]')
    assert text is not None
    assert json.loads(text)[:3] == [4, "7", "OccurenceConstraintViolation"]
    bench = Bench("1.6", lenient=True)
    assert bench.say("BootNotification", {})["status"] == "Accepted"
    assert bench.counted == ["malformed: missing, understood"]
