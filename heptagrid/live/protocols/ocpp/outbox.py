"""The calls that a charge point has for its CSMS: registration, order, patience. It knows no socket.

Instants are simulated ones, except for what keeps a connection alive: that is counted on the wall clock, in seconds.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from heptagrid.live.protocols.ocpp.settings import Settings

_WAITING = 100  # messages of transactions that wait while a station is offline: starts, ends, and the last readings
_ANSWER_S = 60.0  # until another BootNotification, if the first gets no answer
_LEAST_INTERVAL_S = 10.0  # between BootNotifications (assumption: a CSMS that says 0 leaves it to the station)


@dataclass
class Transaction:
    """A vehicle charges. id: the CSMS's number (1.6) or the station's text (2.0.1); None: not yet known. tag: who pays. sequence: of its next event."""

    tag: str
    began_ns: int
    id: int | str | None = None
    sequence: int = 0
    remote_start: int | None = None
    state: str = ""


@dataclass
class Request:
    """A call to the CSMS. is_kept: whether it waits while the station is offline and is tried again. transaction: of which it tells."""

    action: str
    payload: dict[str, Any]
    is_kept: bool = False
    transaction: Transaction | None = None
    attempts: int = 0
    not_before_s: float = 0.0

    @property
    def is_reading(self) -> bool:
        """Whether it only tells a reading, without which a transaction is still whole."""
        return self.action == "MeterValues" or self.payload.get("eventType") == "Updated"


class Outbox:
    """Calls that wait. registration: what the CSMS said to the last BootNotification, empty before. waiting: in their order. is_cut_off: whether the CSMS could not be reached."""

    def __init__(self, settings: Settings) -> None:
        self.waiting: deque[Request] = deque()
        self.registration = ""
        self.is_online = self.is_cut_off = False
        self._settings = settings
        self._boots_at_s = self._beats_at_s = 0.0

    @property
    def is_registered(self) -> bool:
        return self.registration == "Accepted"

    def connected(self, wall_s: float) -> None:
        """A connection is open; a station that had registered says no more than that it lives."""
        self.is_online, self.is_cut_off = True, False
        self._boots_at_s = self._beats_at_s = wall_s

    def disconnected(self) -> None:
        """There is no connection, or none any more; what tells of transactions waits for the next one."""
        self.is_online, self.is_cut_off = False, True
        self.waiting = deque(one for one in self.waiting if one.is_kept)

    def forget(self) -> None:
        """The station starts anew, and registers again."""
        self.registration = ""

    def boot_now(self) -> None:
        """The CSMS asks for a BootNotification."""
        self.registration, self._boots_at_s = "", 0.0

    def put(self, request: Request) -> None:
        """A call is to be sent; of readings that wait, the oldest give way."""
        if not request.is_kept and not self.is_online:
            return
        self.waiting.append(request)
        if len(self.waiting) > _WAITING:
            late = next((k for k, one in enumerate(itertools.islice(self.waiting, 1, None), 1) if one.is_reading), None)
            if late is not None:
                del self.waiting[late]

    def next(self, boot: Callable[[], Request], wall_s: float) -> Request | None:
        """The call that may be sent now; it stays until it was answered or given up."""
        if not self.is_registered:
            if wall_s < self._boots_at_s:
                return None
            self._boots_at_s = wall_s + _ANSWER_S
            return boot()
        first = self.waiting[0] if self.waiting else None
        if first is not None and first.not_before_s > wall_s:
            return next((one for one in self.waiting if not one.is_kept), None)
        return first

    def registered(self, status: str, interval_s: float, wall_s: float) -> None:
        """A BootNotification was answered: go on, or ask again after the interval."""
        self.registration = status
        if not self.is_registered:
            self._boots_at_s = wall_s + max(interval_s, _LEAST_INTERVAL_S)
            return
        if interval_s >= 1.0:
            self._settings.set_number("HeartbeatInterval", int(min(interval_s, 86_400.0)))
        self._beats_at_s = wall_s + self._settings.number("HeartbeatInterval")

    def beat(self, wall_s: float) -> None:
        """Queue a heartbeat if it is due."""
        every_s = self._settings.number("HeartbeatInterval")
        if self.is_online and self.is_registered and every_s and wall_s >= self._beats_at_s:
            self._beats_at_s = wall_s + every_s
            self.put(Request("Heartbeat", {}))

    def failed(self, request: Request, wall_s: float) -> None:
        """Try what tells of a transaction again later, as often as is set; give up the rest."""
        request.attempts += 1
        if request.is_kept and request.attempts < self._settings.number("TransactionMessageAttempts"):
            wait_s = self._settings.number("TransactionMessageRetryInterval") * request.attempts
            request.not_before_s = wall_s + wait_s
        else:
            self.drop(request)

    def drop(self, request: Request) -> None:
        """A call is done with."""
        for k, one in enumerate(self.waiting):
            if one is request:
                del self.waiting[k]
                return
