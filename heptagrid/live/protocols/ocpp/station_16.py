"""A charge point that speaks OCPP 1.6.

Source: Open Charge Point Protocol 1.6 edition 2 (2017), sections 4 to 6.
"""

from __future__ import annotations

from typing import Any

from heptagrid.live.protocols.ocpp.outbox import Request, Transaction
from heptagrid.live.protocols.ocpp.settings import BY_KEY
from heptagrid.live.protocols.ocpp.station import FIRMWARE, MODEL, VENDOR, Handler, RemoteStart, Station

_REASONS = {"DeAuthorized", "EVDisconnected", "HardReset", "PowerLoss", "Remote", "SoftReset", "UnlockCommand"}


class Station16(Station):
    """One charge point of 1.6."""

    version = "1.6"

    def handlers(self) -> dict[str, Handler]:
        return {
            "ChangeAvailability": self._change_availability,
            "ChangeConfiguration": self._change_configuration,
            "ClearCache": lambda given, now_ns: {"status": "Accepted"},
            "ClearChargingProfile": self._clear_profile,
            "DataTransfer": lambda given, now_ns: {"status": "UnknownVendorId"},
            "GetCompositeSchedule": self._composite_schedule,
            "GetConfiguration": self._get_configuration,
            "RemoteStartTransaction": self._remote_start,
            "RemoteStopTransaction": self._remote_stop,
            "Reset": self._reset,
            "SetChargingProfile": self._set_profile,
            "TriggerMessage": self._trigger,
            "UnlockConnector": self._unlock,
        }

    def boot(self) -> Request:
        payload = {
            "chargePointVendor": VENDOR,
            "chargePointModel": MODEL,
            "chargePointSerialNumber": self.identity[:25],
            "firmwareVersion": FIRMWARE,
        }
        return Request("BootNotification", payload)

    def authorize(self, tag: str) -> Request:
        return Request("Authorize", {"idTag": tag})

    def tag_status(self, payload: dict[str, Any]) -> str:
        info = payload.get("idTagInfo")
        return str(info.get("status", "")) if isinstance(info, dict) else "Accepted"

    def ready(self, request: Request) -> bool:
        """Give what tells of a transaction the number that the CSMS gave it; without one it never began there."""
        transaction = request.transaction
        if transaction is not None and request.action != "StartTransaction":
            if transaction.id is None:
                return False
            request.payload["transactionId"] = transaction.id
        return True

    def answered(self, request: Request, payload: dict[str, Any] | None, now_ns: int, wall_s: float) -> None:
        if request.action == "StartTransaction" and request.transaction is not None and payload is not None:
            request.transaction.id = payload.get("transactionId")
        super().answered(request, payload, now_ns, wall_s)

    def report_status(self, status: str, now_ns: int, *, is_first: bool) -> None:
        if is_first:
            self._put_status(0, "Available" if self.is_operative else "Unavailable", now_ns)
        self._put_status(1, status, now_ns)

    def _put_status(self, connector: int, status: str, now_ns: int) -> None:
        payload = {
            "connectorId": connector,
            "errorCode": "NoError",
            "status": status,
            "timestamp": self.stamp(now_ns),
        }
        self.outbox.put(Request("StatusNotification", payload))

    def started(self, transaction: Transaction, now_ns: int) -> None:
        payload = {
            "connectorId": 1,
            "idTag": transaction.tag,
            "meterStart": self.meter_wh,
            "timestamp": self.stamp(now_ns),
        }
        self.outbox.put(Request("StartTransaction", payload, True, transaction))

    def ended(self, transaction: Transaction, reason: str, now_ns: int) -> None:
        payload: dict[str, Any] = {
            "idTag": transaction.tag,
            "meterStop": self.meter_wh,
            "timestamp": self.stamp(now_ns),
            "reason": reason if reason in _REASONS else "Other",
        }
        values = self._values("Transaction.End", self.settings.measurands("StopTxnSampledData"), now_ns)
        if values:
            payload["transactionData"] = values
        self.outbox.put(Request("StopTransaction", payload, True, transaction))

    def changed(self, transaction: Transaction, now_ns: int) -> None:
        """Its connector's status says it."""

    def metered(self, context: str, measurands: list[str], now_ns: int) -> None:
        values = self._values(context, measurands, now_ns)
        if values:
            payload = {"connectorId": 1, "meterValue": values}
            self.outbox.put(Request("MeterValues", payload, self.transaction is not None, self.transaction))

    def _values(self, context: str, measurands: list[str], now_ns: int) -> list[dict[str, Any]]:
        sampled = [
            {
                "value": f"{value:g}" if abs(value) < 1e5 else f"{value:.1f}",
                "context": context,
                "measurand": name,
                "unit": unit,
            }
            for name, (value, unit) in self.readings(measurands, now_ns).items()
        ]
        return [{"timestamp": self.stamp(now_ns), "sampledValue": sampled}] if sampled else []

    # Calls of the CSMS

    def _change_availability(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        if given["connectorId"] not in (0, 1):
            return {"status": "Rejected"}
        return {"status": self.set_operative(given["type"] == "Operative", now_ns)}

    def _change_configuration(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        setting = BY_KEY.get(given["key"])
        if setting is None:
            return {"status": "NotSupported"}
        return {"status": "Accepted" if self.settings.change(setting, given["value"]) else "Rejected"}

    def _get_configuration(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        wanted = given.get("key") or []
        found = [
            {"key": one.key, "readonly": not one.mutable, "value": value}
            for one, value in self.settings.all_of(of_201=False)
            if not wanted or one.key in wanted
        ]
        answer: dict[str, Any] = {"configurationKey": found}
        if unknown := [key for key in wanted if key not in BY_KEY]:
            answer["unknownKey"] = unknown
        return answer

    def _remote_start(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        remote = RemoteStart(given["idTag"], given.get("chargingProfile"))
        taken = self.request_start(remote, given.get("connectorId", 1), now_ns)
        return {"status": "Accepted" if taken else "Rejected"}

    def _remote_stop(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        present = self.transaction
        if present is None or present.id != given["transactionId"]:
            return {"status": "Rejected"}
        self.end_transaction("Remote", now_ns, hold=True)
        self._tell(now_ns)
        return {"status": "Accepted"}

    def _reset(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        self.end_transaction(f"{given['type']}Reset", now_ns)
        self.reset = given["type"]
        return {"status": "Accepted"}

    def _unlock(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        if given["connectorId"] != 1:
            return {"status": "NotSupported"}
        self.end_transaction("UnlockCommand", now_ns, hold=True)
        self._tell(now_ns)
        return {"status": "Unlocked"}

    def _set_profile(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        taken = self.install(given["csChargingProfiles"], given["connectorId"], now_ns)
        return {"status": "Accepted" if taken else "Rejected"}

    def _clear_profile(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        matching = self.book.matching(
            given.get("id"), given.get("connectorId"), given.get("chargingProfilePurpose"), given.get("stackLevel")
        )
        return {"status": "Accepted" if self.clear(matching) else "Unknown"}

    def _composite_schedule(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        evse, unit = given["connectorId"], given.get("chargingRateUnit", "W")
        if evse not in (0, 1) or given["duration"] < 1:
            return {"status": "Rejected"}
        start = self.stamp(now_ns)
        schedule = {
            "duration": given["duration"],
            "startSchedule": start,
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": self.composite(evse, given["duration"], unit, now_ns),
        }
        return {"status": "Accepted", "connectorId": evse, "scheduleStart": start, "chargingSchedule": schedule}

    def _trigger(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        wanted = given["requestedMessage"]
        if given.get("connectorId", 0) not in (0, 1):
            return {"status": "Rejected"}
        if wanted == "BootNotification":
            self.outbox.boot_now()
        elif wanted == "Heartbeat":
            self.outbox.put(Request("Heartbeat", {}))
        elif wanted == "StatusNotification":
            if given.get("connectorId") == 0:
                self._put_status(0, "Available" if self.is_operative else "Unavailable", now_ns)
            else:
                self._put_status(1, self.status(now_ns), now_ns)
        elif wanted == "MeterValues":
            self.metered("Trigger", self.settings.measurands("MeterValuesSampledData"), now_ns)
        else:
            return {"status": "NotImplemented"}
        return {"status": "Accepted"}
