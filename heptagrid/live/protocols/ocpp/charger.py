"""What our CSMS knows of a real charger, without its socket: what it answers, what the charger draws, what it is to be told.

Instants are of the wall clock, by which real chargers go.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.protocols.ocpp.metering import Freshness, power_kw, register_kwh
from heptagrid.live.protocols.ocpp.profiles import instant_text
from heptagrid.live.protocols.ocpp.wire import CallProblem, Version

HEARTBEAT_S = 60
"""How often a charger is to send a heartbeat: assumption, as most CSMS ask for."""
_REMEMBERED = 1024  # transactions of a charger
_IDLE = {"Available", "Faulted", "Finishing", "Preparing", "Reserved", "SuspendedEV", "SuspendedEVSE", "Unavailable"}
LIMIT_ID, LIMIT_LEVEL = 1, 1
"""Of the profile that tells a charger the aggregator's limit."""

Handler = Callable[[dict[str, Any], int], dict[str, Any]]
ToTell = tuple[str, dict[str, Any]]


@dataclass
class Record:
    """A transaction. begun: what its start said, by which one that is sent again is known. sequence: of the last event that counted, -1 before."""

    connector: int
    tag: str = ""
    begun: tuple[Any, Any] | None = None
    sequence: int = -1
    has_ended: bool = False


class Charger(ABC):
    """One charger. drawn_kw: what it reports that it draws; None before it has. to_tell: calls for it that wait. count: told what is odd."""

    version: ClassVar[Version]

    def __init__(self, identity: str, sampled_s: int, count: Callable[[str], None]) -> None:
        self.identity = identity
        self.to_tell: deque[ToTell] = deque()
        self.count = count
        self.records: OrderedDict[int | str, Record] = OrderedDict()
        self._sampled_s = sampled_s
        self._fresh = Freshness()
        self._kw: dict[int, float] = {}
        self._register: dict[int, tuple[int, float]] = {}
        self._handlers = self.handlers()

    @abstractmethod
    def handlers(self) -> dict[str, Handler]:
        """The calls of a charger that it does, by action."""

    @abstractmethod
    def limited(self, starts_s: Sequence[int], limits_kw: Sequence[float], lasts_s: int, now_ns: int) -> ToTell:
        """The call that tells a limit by periods, from now on."""

    @abstractmethod
    def unlimited(self) -> ToTell:
        """The call that takes it back."""

    def handle(self, action: str, payload: dict[str, Any], now_ns: int) -> dict[str, Any]:
        """Answer a call.

        Raises
        ------
        CallProblem
        """
        handler = self._handlers.get(action)
        if handler is None:
            raise CallProblem("unsupported action", f"this CSMS does not do {action[:50]}")
        return handler(payload, now_ns)

    @property
    def drawn_kw(self) -> float | None:
        return sum(self._kw.values()) if self._kw else None

    @property
    def has_transaction(self) -> bool:
        return any(not one.has_ended for one in self.records.values())

    def heartbeat(self, given: dict[str, Any], now_ns: int) -> dict[str, Any]:
        return {"currentTime": instant_text(now_ns)}

    def booted(self, now_ns: int, wanted: Sequence[ToTell]) -> dict[str, Any]:
        """A charger has started: it is taken, and asked to report."""
        self._fresh, self._register = Freshness(), {}
        self.to_tell = deque(wanted)
        return {"status": "Accepted", "currentTime": instant_text(now_ns), "interval": HEARTBEAT_S}

    def set_power(self, connector: int, kw: float) -> None:
        """What one connector draws now."""
        self._kw[connector] = kw

    def idle(self, connector: int) -> None:
        """A connector draws nothing."""
        self._kw[connector] = 0.0
        self._register.pop(connector, None)

    def take_status(self, connector: int, status: str, timestamp: Any, now_ns: int) -> None:
        """A connector's status: what waits or is empty draws nothing."""
        fresh = timestamp is None or self._fresh.heard(timestamp, now_ns)
        if fresh and connector > 0 and status in _IDLE:
            self.idle(connector)

    def take_readings(self, connector: int, values: Any, now_ns: int) -> None:
        """Readings of a connector; those of a queue change nothing of now."""
        for value in values if isinstance(values, list) else []:
            sampled = [one for one in value.get("sampledValue", ()) if isinstance(one, dict)]
            if not self._fresh.heard(value.get("timestamp"), now_ns):
                self.count("stale reading")
                continue
            kw = power_kw(sampled)
            kw = self._by_register(connector, register_kwh(sampled), now_ns) if kw is None else kw
            if kw is not None:
                self.set_power(connector, kw)

    def _by_register(self, connector: int, kwh: float | None, now_ns: int) -> float | None:
        """The mean power since the last reading, of a charger that only tells its register."""
        if kwh is None:
            return None
        before = self._register.get(connector)
        if before is not None and now_ns - before[0] < 5 * NS_PER_S:
            return None
        self._register[connector] = (now_ns, kwh)
        if before is None or kwh < before[1]:
            return None
        return (kwh - before[1]) / ((now_ns - before[0]) / NS_PER_S / 3600.0)

    def remember(self, id: int | str, record: Record) -> Record:
        """Keep a transaction; of many, the oldest that have ended are forgotten."""
        self.records[id] = record
        if len(self.records) > _REMEMBERED:
            gone = next((one for one, record in self.records.items() if record.has_ended), next(iter(self.records)))
            del self.records[gone]
        return record

    def end(self, record: Record | None) -> None:
        """A transaction is over."""
        if record is not None:
            record.has_ended = True
            if not any(one.connector == record.connector and not one.has_ended for one in self.records.values()):
                self.idle(record.connector)
