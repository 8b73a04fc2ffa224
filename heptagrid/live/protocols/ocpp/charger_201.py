"""Our CSMS towards a charger of OCPP 2.0.1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from heptagrid.live.protocols.ocpp.charger import LIMIT_ID, LIMIT_LEVEL, Charger, Handler, Record, ToTell
from heptagrid.live.protocols.ocpp.profiles import instant_text


class Charger201(Charger):
    """One charger of 2.0.1."""

    version = "2.0.1"

    def handlers(self) -> dict[str, Handler]:
        nothing: Handler = lambda given, now_ns: {}  # noqa: E731
        return {
            "Authorize": lambda given, now_ns: {"idTokenInfo": {"status": "Accepted"}},
            "BootNotification": self._boot,
            "ClearedChargingLimit": nothing,
            "DataTransfer": lambda given, now_ns: {"status": "UnknownVendorId"},
            "FirmwareStatusNotification": nothing,
            "Heartbeat": self.heartbeat,
            "LogStatusNotification": nothing,
            "MeterValues": self._meter_values,
            "NotifyChargingLimit": nothing,
            "NotifyEVChargingNeeds": lambda given, now_ns: {"status": "Processing"},
            "NotifyEVChargingSchedule": lambda given, now_ns: {"status": "Accepted"},
            "NotifyEvent": nothing,
            "NotifyMonitoringReport": nothing,
            "NotifyReport": nothing,
            "ReportChargingProfiles": nothing,
            "SecurityEventNotification": nothing,
            "StatusNotification": self._status,
            "TransactionEvent": self._transaction_event,
        }

    def limited(self, starts_s: Sequence[int], limits_kw: Sequence[float], lasts_s: int, now_ns: int) -> ToTell:
        periods = [
            {"startPeriod": start, "limit": round(kw * 1000.0, 1)}
            for start, kw in zip(starts_s, limits_kw, strict=True)
        ]
        schedule = {
            "id": LIMIT_ID,
            "duration": lasts_s,
            "startSchedule": instant_text(now_ns),
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": periods,
        }
        profile = {
            "id": LIMIT_ID,
            "stackLevel": LIMIT_LEVEL,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": [schedule],
        }
        return "SetChargingProfile", {"evseId": 0, "chargingProfile": profile}

    def unlimited(self) -> ToTell:
        return "ClearChargingProfile", {"chargingProfileId": LIMIT_ID}

    def _boot(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        self.records.clear()  # it may begin its numbers anew
        entries = [
            {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": name}, "attributeValue": value}
            for name, value in (
                ("TxUpdatedInterval", str(self._sampled_s)),
                ("TxUpdatedMeasurands", "Power.Active.Import,Energy.Active.Import.Register"),
            )
        ]
        return self.booted(now_ns, [("SetVariables", {"setVariableData": entries})])

    def _status(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        status = str(given.get("connectorStatus", ""))
        self.take_status(int(given.get("evseId", 0)), status, given.get("timestamp"), now_ns)
        return {}

    def _meter_values(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        if given.get("evseId", 0) > 0:  # 0 is the main meter of the site
            self.take_readings(given["evseId"], given.get("meterValue"), now_ns)
        return {}

    def _transaction_event(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        about = given["transactionInfo"]
        id, sequence = str(about["transactionId"]), int(given["seqNo"])
        record = self.records.get(id)
        if record is None:
            evse = given.get("evse") or {}
            record = self.remember(id, Record(int(evse.get("id", 1))))
        if record.has_ended or sequence <= record.sequence:
            self.count("stale event")  # once more from its queue, or out of its order
            return self._taken(given)
        record.sequence = sequence
        if given["eventType"] == "Ended":
            self.end(record)
            return self._taken(given)
        if given.get("offline"):
            self.count("stale reading")  # it happened, but not now
            return self._taken(given)
        if about.get("chargingState") not in (None, "Charging"):
            self.idle(record.connector)
        self.take_readings(record.connector, given.get("meterValue"), now_ns)
        return self._taken(given)

    def _taken(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"idTokenInfo": {"status": "Accepted"}} if "idToken" in given else {}
