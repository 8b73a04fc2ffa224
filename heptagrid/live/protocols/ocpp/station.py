"""A charge point without its socket: what its vehicle's state, calls of its CSMS and time make of it, whatever the version of OCPP.

Instants that come in and go out are simulated ones. The station's own clock is set by the answer to its BootNotification and runs with them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from heptagrid.foundation.time import NS_PER_MINUTE, NS_PER_S
from heptagrid.live.protocols.ocpp.charging import (
    LAPSE_NS,
    Seen,
    SetPoint,
    activity,
    barred,
    following,
    readings,
    unbound,
    written,
)
from heptagrid.live.protocols.ocpp.outbox import Outbox, Request, Transaction
from heptagrid.live.protocols.ocpp.profiles import (
    MAX,
    TRANSACTION,
    Interval,
    Profile,
    ProfileBook,
    instant_ns,
    instant_text,
    profile_of,
    shifted,
)
from heptagrid.live.protocols.ocpp.settings import HIGHEST_LEVEL, PERIODS, PROFILES, Settings
from heptagrid.live.protocols.ocpp.wire import CallProblem, Version

VENDOR, MODEL, FIRMWARE = "heptagrid", "simulated", "1.0"

Handler = Callable[[dict[str, Any], int], dict[str, Any]]


@dataclass
class RemoteStart:
    """A start that the CSMS asked for; it waits until then for a vehicle. number: of 2.0.1."""

    tag: str
    profile: dict[str, Any] | None = None
    number: int | None = None
    until_ns: int = 0


class Station(ABC):
    """One charge point with one connector.

    tag: who pays for its vehicle. revision: changes when what may be drawn may have changed. reset: why it is to start anew; empty: it is not.
    """

    version: ClassVar[Version]

    def __init__(self, identity: str, tag: str, rated_kw: float, ahead_ns: int) -> None:
        """Set up; ahead_ns: how far its clock is ahead of the simulated time until a CSMS sets it."""
        self.identity, self.tag, self.rated_kw, self.ahead_ns = identity, tag, rated_kw, ahead_ns
        self.settings, self.book = Settings(), ProfileBook()
        self.outbox = Outbox(self.settings)
        self.seen: Seen | None = None
        self.transaction: Transaction | None = None
        self.remote: RemoteStart | None = None
        self.is_operative = True
        self.boot_reason, self.reset, self.revision = "PowerUp", "", 0
        self.is_held = False
        """Whether the vehicle is plugged in and may not draw: its transaction was stopped, or nobody pays."""
        self._asks_after_ns: int | None = 0  # when it may ask again who pays; None while it does
        self._goes_out = False  # of service, after the transaction
        self._status = ""
        self._ticked_ns = 0
        self._handlers = self.handlers()

    @abstractmethod
    def handlers(self) -> dict[str, Handler]:
        """The calls of a CSMS that it does, by action."""

    @abstractmethod
    def boot(self) -> Request:
        """What registers it."""

    @abstractmethod
    def authorize(self, tag: str) -> Request:
        """What asks whether a tag is good."""

    @abstractmethod
    def report_status(self, status: str, now_ns: int, *, is_first: bool) -> None:
        """Queue the connector's status. is_first: after registering."""

    @abstractmethod
    def started(self, transaction: Transaction, now_ns: int) -> None:
        """Queue what tells that a transaction has begun."""

    @abstractmethod
    def ended(self, transaction: Transaction, reason: str, now_ns: int) -> None:
        """Queue what tells that it is over."""

    @abstractmethod
    def changed(self, transaction: Transaction, now_ns: int) -> None:
        """Queue what tells that it charges or waits, its `state`."""

    @abstractmethod
    def metered(self, context: str, measurands: list[str], now_ns: int) -> None:
        """Queue readings of the connector."""

    @abstractmethod
    def tag_status(self, payload: dict[str, Any]) -> str:
        """What an answer says of a tag: "Accepted", or why not."""

    def ready(self, request: Request) -> bool:
        """Make a call ready to be sent; whether it still makes sense."""
        return True

    # The connection

    def next_request(self, wall_s: float) -> Request | None:
        """The call that may be sent now."""
        while (request := self.outbox.next(self.boot, wall_s)) is not None:
            if self.ready(request):
                return request
            self.outbox.drop(request)
        return None

    def answered(self, request: Request, payload: dict[str, Any] | None, now_ns: int, wall_s: float) -> None:
        """A call was answered; None: with an error, or not in time."""
        if request.action == "BootNotification":
            self.outbox.drop(request)
            if payload is not None:
                self._registered(payload, now_ns, wall_s)
            return
        if request.action == "Authorize":
            self._authorized(payload, now_ns)
        if payload is None:
            self.outbox.failed(request, wall_s)
            return
        self.outbox.drop(request)
        transaction = request.transaction
        if transaction is not None and transaction is self.transaction and self.tag_status(payload) != "Accepted":
            if self.settings.is_on("StopTransactionOnInvalidId"):
                self.end_transaction("DeAuthorized", now_ns)
            self.is_held = True
            self.revision += 1

    def _registered(self, payload: dict[str, Any], now_ns: int, wall_s: float) -> None:
        with suppress(KeyError, ValueError, OverflowError):
            self.ahead_ns = instant_ns(str(payload["currentTime"])) - now_ns
        interval_s = payload.get("interval")
        seconds = float(interval_s) if isinstance(interval_s, int | float) else 0.0
        self.outbox.registered(str(payload.get("status", "Rejected")), seconds, wall_s)
        self.revision += 1
        self._status = ""
        self._tell(now_ns)

    def lost_power(self, now_ns: int) -> None:
        """Its supply fails: what it did is over."""
        self.end_transaction("PowerLoss", now_ns)
        self.start_anew("PowerUp")

    def start_anew(self, reason: str) -> None:
        """It boots: what was only in its memory is gone."""
        self.outbox.forget()
        self.boot_reason, self.reset, self._status = reason, "", ""
        self.is_held, self.remote, self._asks_after_ns = False, None, 0
        self.revision += 1

    # The vehicle

    def observe(self, seen: Seen, now_ns: int) -> None:
        """A new state of the grid."""
        before, self.seen = self.seen, seen
        if before is not None and before.is_home and not seen.is_home:
            self.end_transaction("EVDisconnected", now_ns)
            self.is_held, self._asks_after_ns = False, 0
            self.revision += 1
        if self.remote is not None and now_ns >= self.remote.until_ns and not seen.is_home:
            self.remote = None
        if seen.is_home and self.transaction is None and not self.is_held and self.is_operative:
            self._begin(now_ns)
        self._tell(now_ns)

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for something that may happen while its vehicle does the same as before."""
        return self.remote is not None or (self.has_vehicle and self.transaction is None and not self.is_held)

    @property
    def has_vehicle(self) -> bool:
        return self.seen is not None and self.seen.is_home

    def _begin(self, now_ns: int) -> None:
        """A vehicle is there: ask who pays, or take it as known while offline."""
        tag = self.remote.tag if self.remote else self.tag
        if self.remote and not self.settings.is_on("AuthorizeRemoteTxRequests"):
            self._start(tag, now_ns)
        elif self.outbox.is_online:
            if self.outbox.is_registered and self._asks_after_ns is not None and now_ns >= self._asks_after_ns:
                self._asks_after_ns = None
                self.outbox.put(self.authorize(tag))
        elif self.outbox.is_cut_off and self.settings.is_on("LocalAuthorizeOffline"):
            self._start(tag, now_ns)

    def _authorized(self, payload: dict[str, Any] | None, now_ns: int) -> None:
        """It is known who pays; without an answer it is asked again after a minute."""
        self._asks_after_ns = now_ns + NS_PER_MINUTE
        if payload is None or not self.has_vehicle or self.transaction is not None:
            return
        if self.tag_status(payload) == "Accepted":
            self._start(self.remote.tag if self.remote else self.tag, now_ns)
        else:
            self.is_held, self.remote = True, None
            self.revision += 1
        self._tell(now_ns)

    def _start(self, tag: str, now_ns: int) -> None:
        remote, self.remote = self.remote, None
        transaction = self.transaction = Transaction(tag, now_ns, remote_start=remote.number if remote else None)
        self.is_held, self._asks_after_ns = False, 0
        if remote is not None and remote.profile is not None:
            self.install(remote.profile, 1, now_ns)
        self.revision += 1
        transaction.state = self._activity(now_ns)
        self.started(transaction, now_ns)

    def end_transaction(self, reason: str, now_ns: int, *, hold: bool = False) -> None:
        """End the transaction, if there is one. hold: the vehicle stays, and may not draw."""
        transaction, self.transaction = self.transaction, None
        if transaction is not None:
            self.ended(transaction, reason, now_ns)
            self.book.end_transaction()
        self.is_held = self.is_held or hold
        self.revision += 1
        if self._goes_out:
            self._goes_out = self.is_operative = False

    def tick(self, now_ns: int, wall_s: float) -> None:
        """Time goes on: queue readings and heartbeats that are due."""
        if self.seen is None:
            return
        last_ns, self._ticked_ns = self._ticked_ns or now_ns, now_ns
        periodic = ("MeterValueSampleInterval", "MeterValuesSampledData", "Sample.Periodic")
        aligned = ("ClockAlignedDataInterval", "MeterValuesAlignedData", "Sample.Clock")
        began_ns = self.transaction.began_ns if self.transaction else None
        for base_ns, (interval, measurands, context) in ((began_ns, periodic), (-self.ahead_ns, aligned)):
            every_ns = self.settings.number(interval) * NS_PER_S
            if base_ns is not None and every_ns and (now_ns - base_ns) // every_ns > (last_ns - base_ns) // every_ns:
                self.metered(context, self.settings.measurands(measurands), now_ns)
        self.outbox.beat(wall_s)

    # Calls of the CSMS that both versions share

    def handle(self, action: str, payload: dict[str, Any], now_ns: int) -> dict[str, Any]:
        """Do a call that has been checked, and return the answer.

        Raises
        ------
        CallProblem
        """
        handler = self._handlers.get(action)
        if handler is None:
            raise CallProblem("unsupported action", f"this station does not do {action[:50]}")
        return handler(payload, now_ns)

    def install(self, given: dict[str, Any], evse: int, now_ns: int) -> bool:
        """Take a charging profile; whether it was taken."""
        try:
            profile = profile_of(given, evse, self.clock_ns(now_ns))
        except (KeyError, OverflowError, TypeError, ValueError):
            return False
        if not 0 <= profile.stack_level <= HIGHEST_LEVEL or len(profile.periods) > PERIODS or evse not in (0, 1):
            return False
        if (profile.purpose == MAX and evse != 0) or (profile.purpose == TRANSACTION and not self._concerns(profile)):
            return False
        before = self.book.held
        self.book.put(profile)
        if len(self.book.held) > max(len(before), PROFILES):
            self.book.held = before
            return False
        self.revision += 1
        return True

    def _concerns(self, profile: Profile) -> bool:
        """Whether a profile is for the present transaction."""
        present = self.transaction
        if present is None or profile.evse != 1:
            return False
        return not profile.transaction or present.id is None or profile.transaction == str(present.id)

    def clear(self, matching: list[Profile]) -> bool:
        """Give up profiles; whether there were any."""
        self.revision += 1
        return self.book.clear(matching)

    def request_start(self, remote: RemoteStart, evse: int, now_ns: int) -> bool:
        """Start a transaction now, or when a vehicle comes soon; whether it will."""
        if self.transaction or not self.is_operative or evse != 1 or not self.outbox.is_registered:
            return False
        if remote.profile is not None and remote.profile.get("chargingProfilePurpose") != "TxProfile":
            return False
        remote.until_ns = now_ns + self.settings.number("ConnectionTimeOut") * NS_PER_S
        self.remote, self.is_held, self._asks_after_ns = remote, False, 0
        self.revision += 1
        if self.has_vehicle:
            self._begin(now_ns)
        self._tell(now_ns)
        return True

    def set_operative(self, is_operative: bool, now_ns: int) -> str:
        """Take the connector into service or out of it; what to answer."""
        if not is_operative and self.transaction is not None:
            self._goes_out = True
            return "Scheduled"
        self._goes_out, self.is_operative = False, is_operative
        self.revision += 1
        self._tell(now_ns)
        return "Accepted"

    # What may be drawn, and what is

    def set_point(self, now_ns: int) -> SetPoint:
        """What is to be ordered of the vehicle as things stand."""
        if not self.has_vehicle:
            return unbound(now_ns)
        if self.is_held or not self.is_operative:
            return barred(now_ns)
        return following(self.limits(now_ns, now_ns + LAPSE_NS), self.rated_kw, now_ns)

    def limits(self, begin_ns: int, end_ns: int, *, whole_station: bool = False) -> list[Interval]:
        """The composite schedule."""
        ahead_ns = self.ahead_ns
        began_ns = self.transaction.began_ns + ahead_ns if self.transaction else None
        found = self.book.schedule(begin_ns + ahead_ns, end_ns + ahead_ns, began_ns, whole_station=whole_station)
        return shifted(found, -ahead_ns)

    def composite(self, evse: int, duration_s: int, unit: str, now_ns: int) -> list[dict[str, Any]]:
        """The periods of the composite schedule from now on, for an answer."""
        until_ns = now_ns + max(min(duration_s, 366 * 86_400), 1) * NS_PER_S
        limits = self.limits(now_ns, until_ns, whole_station=evse == 0)
        return written(limits, self.rated_kw, unit, now_ns)

    def readings(self, measurands: list[str], now_ns: int) -> dict[str, tuple[float, str]]:
        """Value and unit by measurand; empty before the grid was seen."""
        if self.seen is None:
            return {}
        limit_kw = 0.0 if self.is_held else self.limits(now_ns, now_ns + 1)[0].limit_kw
        return readings(self.seen, self.rated_kw if limit_kw is None else min(limit_kw, self.rated_kw), measurands)

    @property
    def meter_wh(self) -> int:
        return self.seen.meter_wh if self.seen else 0

    def clock_ns(self, now_ns: int) -> int:
        """An instant by the station's clock."""
        return now_ns + self.ahead_ns

    def stamp(self, now_ns: int) -> str:
        """The same as text."""
        return instant_text(self.clock_ns(now_ns))

    def status(self, now_ns: int) -> str:
        """Of the connector, in the words of 1.6."""
        if not self.is_operative:
            return "Unavailable"
        if not self.has_vehicle:
            return "Preparing" if self.remote else "Available"
        if self.transaction is None:
            return "Finishing" if self.is_held else "Preparing"
        return self._activity(now_ns)

    def _activity(self, now_ns: int) -> str:
        return activity(self.seen, self.limits(now_ns, now_ns + 1)[0].limit_kw) if self.seen else "SuspendedEV"

    def _tell(self, now_ns: int) -> None:
        """Queue what is new of connector and transaction."""
        status = self.status(now_ns)
        if status != self._status and self.outbox.is_registered and self.outbox.is_online:
            is_first, self._status = not self._status, status
            self.report_status(status, now_ns, is_first=is_first)
        if self.transaction is not None and (state := self._activity(now_ns)) != self.transaction.state:
            self.transaction.state = state
            self.changed(self.transaction, now_ns)
