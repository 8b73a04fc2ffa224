"""Our CSMS towards a charger of OCPP 1.6."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from heptagrid.live.protocols.ocpp.charger import LIMIT_ID, LIMIT_LEVEL, Charger, Handler, Record, ToTell
from heptagrid.live.protocols.ocpp.profiles import instant_text

_NUMBERS = itertools.count(1)  # of transactions, over all chargers


class Charger16(Charger):
    """One charger of 1.6."""

    version = "1.6"

    def handlers(self) -> dict[str, Handler]:
        nothing: Handler = lambda given, now_ns: {}  # noqa: E731
        return {
            "Authorize": lambda given, now_ns: {"idTagInfo": {"status": "Accepted"}},
            "BootNotification": self._boot,
            "DataTransfer": lambda given, now_ns: {"status": "UnknownVendorId"},
            "DiagnosticsStatusNotification": nothing,
            "FirmwareStatusNotification": nothing,
            "Heartbeat": self.heartbeat,
            "LogStatusNotification": nothing,
            "MeterValues": self._meter_values,
            "SecurityEventNotification": nothing,
            "SignedFirmwareStatusNotification": nothing,
            "StartTransaction": self._start,
            "StatusNotification": self._status,
            "StopTransaction": self._stop,
        }

    def limited(self, starts_s: Sequence[int], limits_kw: Sequence[float], lasts_s: int, now_ns: int) -> ToTell:
        periods = [
            {"startPeriod": start, "limit": round(kw * 1000.0, 1)}
            for start, kw in zip(starts_s, limits_kw, strict=True)
        ]
        schedule = {
            "duration": lasts_s,
            "startSchedule": instant_text(now_ns),
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": periods,
        }
        profile = {
            "chargingProfileId": LIMIT_ID,
            "stackLevel": LIMIT_LEVEL,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": schedule,
        }
        return "SetChargingProfile", {"connectorId": 0, "csChargingProfiles": profile}

    def unlimited(self) -> ToTell:
        return "ClearChargingProfile", {"id": LIMIT_ID}

    def _boot(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        wanted: list[ToTell] = [
            ("ChangeConfiguration", {"key": key, "value": value})
            for key, value in (
                ("MeterValueSampleInterval", str(self._sampled_s)),
                ("MeterValuesSampledData", "Power.Active.Import,Energy.Active.Import.Register"),
            )
        ]
        return self.booted(now_ns, [*wanted, ("TriggerMessage", {"requestedMessage": "StatusNotification"})])

    def _status(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        connector = _whole(given.get("connectorId"), 0)
        self.take_status(connector, str(given.get("status", "")), given.get("timestamp"), now_ns)
        return {}

    def _meter_values(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        connector = _whole(given.get("connectorId"), 1)
        record = self.records.get(_whole(given.get("transactionId"), -1))
        if record is not None and record.has_ended:
            self.count("stale reading")  # of a transaction that is over: replayed from a queue
        elif connector > 0 or not self._kw:
            self.take_readings(connector, given.get("meterValue"), now_ns)
        return {}

    def _start(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        connector, tag = _whole(given.get("connectorId"), 1), _tag(given)
        begun = given.get("timestamp"), given.get("meterStart")
        for id, record in self.records.items():
            if (record.connector, record.tag, record.begun) == (connector, tag, begun):
                return {"transactionId": id, "idTagInfo": {"status": "Accepted"}}  # sent once more
        for record in list(self.records.values()):
            if record.connector == connector and not record.has_ended:
                self.count("transaction without an end")
                record.has_ended = True
        number = next(_NUMBERS)
        self.remember(number, Record(connector, tag, begun))
        return {"transactionId": number, "idTagInfo": {"status": "Accepted"}}

    def _stop(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        record = self.records.get(_whole(given.get("transactionId"), -1))
        if record is None:  # one that it began offline, before it had a number (OCPP 1.6 section 4.10: it is answered)
            self.count("end of an unknown transaction")
            open_now = [one for one in self.records.values() if not one.has_ended]
            mine = [one for one in open_now if one.tag == _tag(given)] or open_now
            record = mine[0] if len(mine) == 1 else None
        if record is None and not self.has_transaction:
            for connector in self._kw:
                self.idle(connector)
        self.end(record)
        return {"idTagInfo": {"status": "Accepted"}} if "idTag" in given else {}


def _whole(value: Any, otherwise: int) -> int:
    """A whole number, also one that was written as a text."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return otherwise


def _tag(given: dict[str, Any]) -> str:
    """A tag without what chargers append to it (20 characters, those that can be printed)."""
    return "".join(one for one in str(given.get("idTag", "")) if one.isprintable())[:20].strip().lower()
