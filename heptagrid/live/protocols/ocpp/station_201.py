"""A charging station that speaks OCPP 2.0.1.

Source: OCPP 2.0.1 edition 3 part 2, blocks B, C, E to G, J and K.
"""

from __future__ import annotations

import uuid
from typing import Any

from heptagrid.live.protocols.ocpp.device_model import get_variables, report, set_variables
from heptagrid.live.protocols.ocpp.outbox import Request, Transaction
from heptagrid.live.protocols.ocpp.station import FIRMWARE, MODEL, VENDOR, Handler, RemoteStart, Station

_REASONS = {"DeAuthorized", "EVDisconnected", "ImmediateReset", "PowerLoss", "Remote"}
_TRIGGERS = {
    "DeAuthorized": "Deauthorized",
    "EVDisconnected": "EVCommunicationLost",
    "ImmediateReset": "ResetCommand",
    "PowerLoss": "AbnormalCondition",
    "Remote": "RemoteStop",
    "UnlockCommand": "UnlockCommand",
}
_CONTEXTS = {"Sample.Periodic": "MeterValuePeriodic", "Sample.Clock": "MeterValueClock", "Trigger": "Trigger"}


class Station201(Station):
    """One charging station of 2.0.1."""

    version = "2.0.1"
    _resets_when_idle = False

    def handlers(self) -> dict[str, Handler]:
        return {
            "ChangeAvailability": self._change_availability,
            "ClearCache": lambda given, now_ns: {"status": "Accepted"},
            "ClearChargingProfile": self._clear_profile,
            "DataTransfer": lambda given, now_ns: {"status": "UnknownVendorId"},
            "GetBaseReport": self._base_report,
            "GetChargingProfiles": self._get_profiles,
            "GetCompositeSchedule": self._composite_schedule,
            "GetTransactionStatus": self._transaction_status,
            "GetVariables": lambda given, now_ns: get_variables(self.settings, given),
            "RequestStartTransaction": self._request_start,
            "RequestStopTransaction": self._request_stop,
            "Reset": self._reset,
            "SetChargingProfile": self._set_profile,
            "SetVariables": lambda given, now_ns: set_variables(self.settings, given),
            "TriggerMessage": self._trigger,
            "UnlockConnector": self._unlock,
        }

    def boot(self) -> Request:
        station = {
            "vendorName": VENDOR,
            "model": MODEL,
            "serialNumber": self.identity[:25],
            "firmwareVersion": FIRMWARE,
        }
        return Request("BootNotification", {"reason": self.boot_reason, "chargingStation": station})

    def authorize(self, tag: str) -> Request:
        return Request("Authorize", {"idToken": _token(tag)})

    def tag_status(self, payload: dict[str, Any]) -> str:
        info = payload.get("idTokenInfo")
        return str(info.get("status", "")) if isinstance(info, dict) else "Accepted"

    def report_status(self, status: str, now_ns: int, *, is_first: bool) -> None:
        payload = {
            "timestamp": self.stamp(now_ns),
            "connectorStatus": status,
            "evseId": 1,
            "connectorId": 1,
        }
        self.outbox.put(Request("StatusNotification", payload))

    def status(self, now_ns: int) -> str:
        """Of a connector, 2.0.1 only tells whether something is plugged in."""
        if not self.is_operative:
            return "Unavailable"
        return "Occupied" if self.has_vehicle else "Available"

    def started(self, transaction: Transaction, now_ns: int) -> None:
        transaction.id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.identity}/{transaction.began_ns}"))
        more = {"evse": {"id": 1, "connectorId": 1}, "idToken": _token(transaction.tag)}
        trigger = "Authorized" if transaction.remote_start is None else "RemoteStart"
        self._event("Started", transaction, trigger, now_ns, "Transaction.Begin", more)

    def ended(self, transaction: Transaction, reason: str, now_ns: int) -> None:
        transaction.state = "EVConnected" if reason not in ("EVDisconnected", "PowerLoss") else "Idle"
        trigger = _TRIGGERS.get(reason, "AbnormalCondition")
        stopped = {"stoppedReason": reason if reason in _REASONS else "Other"}
        self._event("Ended", transaction, trigger, now_ns, "Transaction.End", {}, stopped)

    def changed(self, transaction: Transaction, now_ns: int) -> None:
        self._event("Updated", transaction, "ChargingStateChanged", now_ns, "", {})

    def metered(self, context: str, measurands: list[str], now_ns: int) -> None:
        if self.transaction is not None:
            self._event("Updated", self.transaction, _CONTEXTS[context], now_ns, context, {}, measurands=measurands)
        elif values := self._values(context, measurands, now_ns):
            self.outbox.put(Request("MeterValues", {"evseId": 1, "meterValue": values}))

    def _event(
        self,
        kind: str,
        transaction: Transaction,
        trigger: str,
        now_ns: int,
        context: str,
        more: dict[str, Any],
        info: dict[str, Any] | None = None,
        measurands: list[str] | None = None,
    ) -> None:
        """Queue an event of a transaction. context: of its readings, none if empty; more, info: what else it and its transaction say."""
        about: dict[str, Any] = {"transactionId": transaction.id, "chargingState": transaction.state} | (info or {})
        if kind == "Started" and transaction.remote_start is not None:
            about["remoteStartId"] = transaction.remote_start
        payload: dict[str, Any] = {
            "eventType": kind,
            "timestamp": self.stamp(now_ns),
            "triggerReason": trigger,
            "seqNo": transaction.sequence,
            "offline": not self.outbox.is_online,
            "transactionInfo": about,
        } | more
        wanted = self.settings.measurands("StopTxnSampledData") if measurands is None else measurands
        if context and (values := self._values(context, wanted, now_ns)):
            payload["meterValue"] = values
        transaction.sequence += 1
        self.outbox.put(Request("TransactionEvent", payload, True, transaction))

    def _values(self, context: str, measurands: list[str], now_ns: int) -> list[dict[str, Any]]:
        sampled = [
            {"value": value, "context": context, "measurand": name, "unitOfMeasure": {"unit": unit}}
            for name, (value, unit) in self.readings(measurands, now_ns).items()
        ]
        return [{"timestamp": self.stamp(now_ns), "sampledValue": sampled}] if sampled else []

    # Calls of the CSMS

    def _change_availability(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        if not _is_here(given.get("evse")):
            return {"status": "Rejected"}
        return {"status": self.set_operative(given["operationalStatus"] == "Operative", now_ns)}

    def _base_report(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        if given["reportBase"] == "SummaryInventory":
            return {"status": "NotSupported"}
        for payload in report(self.settings, given["requestId"], self.stamp(now_ns)):
            self.outbox.put(Request("NotifyReport", payload))
        return {"status": "Accepted"}

    def _transaction_status(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        wanted = given.get("transactionId")
        waiting = [one for one in self.outbox.waiting if one.is_kept]
        if wanted is None:
            return {"messagesInQueue": bool(waiting)}
        is_present = self.transaction is not None and self.transaction.id == wanted
        of_it = any(one.transaction is not None and one.transaction.id == wanted for one in waiting)
        return {"ongoingIndicator": is_present, "messagesInQueue": of_it}

    def _request_start(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        token = given["idToken"]["idToken"]
        remote = RemoteStart(token, given.get("chargingProfile"), given["remoteStartId"])
        taken = self.request_start(remote, given.get("evseId", 1), now_ns)
        answer = {"status": "Accepted" if taken else "Rejected"}
        if taken and self.transaction is not None:
            answer["transactionId"] = str(self.transaction.id)
        return answer

    def _request_stop(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        present = self.transaction
        if present is None or present.id != given["transactionId"]:
            return {"status": "Rejected"}
        self.end_transaction("Remote", now_ns, hold=True)
        self._tell(now_ns)
        return {"status": "Accepted"}

    def _reset(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        if "evseId" in given:
            return {"status": "Rejected"}
        if given["type"] == "OnIdle" and self.transaction is not None:
            self._resets_when_idle = True
            return {"status": "Scheduled"}
        self.end_transaction("ImmediateReset", now_ns)
        self.reset = "RemoteReset"
        return {"status": "Accepted"}

    def end_transaction(self, reason: str, now_ns: int, *, hold: bool = False) -> None:
        super().end_transaction(reason, now_ns, hold=hold)
        if self._resets_when_idle:
            self._resets_when_idle, self.reset = False, "ScheduledReset"

    def _unlock(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        if (given["evseId"], given["connectorId"]) != (1, 1):
            return {"status": "UnknownConnector"}
        return {"status": "OngoingAuthorizedTransaction" if self.transaction else "Unlocked"}

    def _set_profile(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        profile = given["chargingProfile"]
        if profile["chargingProfilePurpose"] == "ChargingStationExternalConstraints":
            return {"status": "Rejected", "statusInfo": {"reasonCode": "InvalidValue"}}
        taken = self.install(profile, given["evseId"], now_ns)
        return (
            {"status": "Accepted"} if taken else {"status": "Rejected", "statusInfo": {"reasonCode": "InvalidProfile"}}
        )

    def _clear_profile(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        criteria = given.get("chargingProfileCriteria", {})
        matching = self.book.matching(
            given.get("chargingProfileId"),
            criteria.get("evseId"),
            criteria.get("chargingProfilePurpose"),
            criteria.get("stackLevel"),
        )
        return {"status": "Accepted" if self.clear(matching) else "Unknown"}

    def _get_profiles(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        criterion = given["chargingProfile"]
        ids = criterion.get("chargingProfileId")
        matching = [
            one
            for one in self.book.matching(
                None, given.get("evseId"), criterion.get("chargingProfilePurpose"), criterion.get("stackLevel")
            )
            if ids is None or one.id in ids
        ]
        for k, one in enumerate(matching):
            payload = {
                "requestId": given["requestId"],
                "chargingLimitSource": "CSO",
                "evseId": one.evse,
                "chargingProfile": [one.given],
                "tbc": k + 1 < len(matching),
            }
            self.outbox.put(Request("ReportChargingProfiles", payload))
        return {"status": "Accepted" if matching else "NoProfiles"}

    def _composite_schedule(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        evse, unit = given["evseId"], given.get("chargingRateUnit", "W")
        if evse not in (0, 1) or given["duration"] < 1:
            return {"status": "Rejected"}
        schedule = {
            "evseId": evse,
            "duration": given["duration"],
            "scheduleStart": self.stamp(now_ns),
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": self.composite(evse, given["duration"], unit, now_ns),
        }
        return {"status": "Accepted", "schedule": schedule}

    def _trigger(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        wanted = given["requestedMessage"]
        if not _is_here(given.get("evse")):
            return {"status": "Rejected"}
        measurands = self.settings.measurands("MeterValuesSampledData")
        if wanted == "BootNotification":
            if self.outbox.is_registered:
                return {"status": "Rejected"}  # F06.FR.17: it was accepted already
            self.outbox.boot_now()
        elif wanted == "Heartbeat":
            self.outbox.put(Request("Heartbeat", {}))
        elif wanted == "StatusNotification":
            self.report_status(self.status(now_ns), now_ns, is_first=False)
        elif wanted == "MeterValues":
            if values := self._values("Trigger", measurands, now_ns):
                self.outbox.put(Request("MeterValues", {"evseId": 1, "meterValue": values}))
        elif wanted == "TransactionEvent":
            if self.transaction is None:
                return {"status": "Rejected"}
            self.metered("Trigger", measurands, now_ns)
        else:
            return {"status": "NotImplemented"}
        return {"status": "Accepted"}


def _token(tag: str) -> dict[str, str]:
    return {"idToken": tag, "type": "Central"}


def _is_here(evse: dict[str, Any] | None) -> bool:
    return evse is None or (evse["id"] in (0, 1) and evse.get("connectorId", 1) == 1)
