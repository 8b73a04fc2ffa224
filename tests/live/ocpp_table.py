"""A charge point without a socket and a CSMS that checks every word, for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.protocols.ocpp.charging import Seen
from heptagrid.live.protocols.ocpp.profiles import instant_ns, instant_text
from heptagrid.live.protocols.ocpp.station import Station
from heptagrid.live.protocols.ocpp.station_16 import Station16
from heptagrid.live.protocols.ocpp.station_201 import Station201
from heptagrid.live.protocols.ocpp.wire import check

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


def charging(table: Table) -> Table:
    """With a vehicle that charges."""
    table.connect()
    table.see(HOME)
    table.see(HOME, 0.1)
    assert table.station.transaction is not None
    return table
