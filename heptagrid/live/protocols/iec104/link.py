"""The state machine of one connection (IEC 60870-5-104, clause 5): sequence numbers, k and w, t1 to t3, start and stop.

It owns no socket and no clock: it is given frames and the time of a monotonic clock, and holds what is to be sent and what has happened.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from heptagrid.live.protocols.iec104.apci import (
    MODULO,
    Function,
    Information,
    MalformedError,
    Supervisory,
    Unnumbered,
    decode,
    encode,
)


@dataclass(frozen=True)
class Timing:
    """The parameters of a connection, as in IEC 60870-5-104, 9.6; times in seconds.

    t1_s: until what was sent must be confirmed. t2_s: until what came is confirmed without data of one's own. t3_s: until an idle connection is tested. k: I-frames
    that may be under way unconfirmed. w: I-frames after which at the latest they are confirmed.
    """

    t1_s: float = 15.0
    t2_s: float = 10.0
    t3_s: float = 20.0
    k: int = 12
    w: int = 8


class Transfer(Enum):
    """Whether user data may be transferred (figures 15 to 18 of the standard)."""

    STOPPED = "stopped"
    STARTED = "started"
    STOPPING = "pending unconfirmed stopped"


class Happened(Enum):
    """What a station has to know of its connection."""

    STARTED = "started"
    STOPPED = "stopped"


@dataclass(slots=True)
class _Sent:
    number: int
    at: float
    asdu: bytes


class Link:
    """One end of a connection. is_controlled: whether it is a controlled station's end; else it is the controlling station's, which starts and stops.

    transfer: whether data flow. closed: why the connection is to be closed, None while it lives. on_asdu: called with each ASDU that comes; on_happened:
    with what a station has to know.
    """

    __slots__ = (
        "_acknowledged",
        "_asked",
        "_heard_at",
        "_out",
        "_received",
        "_sent",
        "_timing",
        "_unconfirmed_since",
        "_waiting",
        "closed",
        "is_controlled",
        "on_asdu",
        "on_happened",
        "transfer",
    )

    def __init__(self, timing: Timing, is_controlled: bool, now: float) -> None:
        self.is_controlled = is_controlled
        self.transfer = Transfer.STOPPED
        self.closed: str | None = None
        self.on_asdu: Callable[[bytes], None] = lambda raw: None
        self.on_happened: Callable[[Happened], None] = lambda what: None
        self._timing = timing
        self._out: list[bytes] = []
        self._sent = 0  # V(S)
        self._received = 0  # V(R)
        self._acknowledged = 0  # what the other end was last told of V(R)
        self._waiting: deque[_Sent] = deque()  # sent, and not confirmed
        self._asked: dict[Function, float] = {}  # acts that wait for their confirmation
        self._unconfirmed_since: float | None = None
        self._heard_at = now

    @property
    def room(self) -> int:
        """How many I-frames may be sent now."""
        return self._timing.k - len(self._waiting) if self.transfer is Transfer.STARTED and not self.closed else 0

    def take(self) -> list[bytes]:
        """The frames that are to be sent, in order; they are forgotten."""
        out, self._out = self._out, []
        return out

    def send(self, asdu: bytes, now: float) -> None:
        """Send an ASDU; there must be room."""
        assert self.room > 0, "there is no room for another I-frame"
        self._put(asdu, now)

    def _put(self, asdu: bytes, now: float) -> None:
        self._waiting.append(_Sent(self._sent, now, asdu))
        self._out.append(encode(Information(self._sent, self._received, asdu)))
        self._sent = (self._sent + 1) % MODULO
        self._acknowledged, self._unconfirmed_since = self._received, None

    def unconfirmed(self) -> list[bytes]:
        """The ASDUs that were sent and not confirmed; another connection may send them again."""
        return [one.asdu for one in self._waiting]

    def ask(self, function: Function, now: float) -> None:
        """Ask the other end to start, to stop or to show that it lives."""
        if function is Function.STOPDT_ACT:
            self._confirm()
            self.transfer = Transfer.STOPPING
        self._out.append(encode(Unnumbered(function)))
        self._asked[function] = now + self._timing.t1_s

    def set_aside(self) -> None:
        """Another connection of the group was started: this one carries no more data; what is under way may still be confirmed."""
        if self.transfer is Transfer.STARTED:
            self._confirm()
            self.transfer = Transfer.STOPPING if self._waiting else Transfer.STOPPED

    def receive(self, apdu: bytes, now: float) -> None:
        """Take a frame, start byte and length included."""
        if self.closed:
            return
        self._heard_at = now
        try:
            frame = decode(apdu)
        except MalformedError as problem:
            self.closed = f"malformed: {problem}"
            return
        if isinstance(frame, Unnumbered):
            self._take_unnumbered(frame.function, now)
        elif isinstance(frame, Supervisory):
            self._take_supervisory(frame.receive, now)
        else:
            self._take_information(frame, now)

    def _take_information(self, frame: Information, now: float) -> None:
        if self.transfer is Transfer.STOPPED or (self.transfer is Transfer.STOPPING and self.is_controlled):
            self.closed = "an I-frame came while data transfer is stopped"
        elif frame.send != self._received:
            self.closed = f"sequence: I-frame {frame.send} came, {self._received} is expected"
        elif self._confirmed(frame.receive, now):
            self._received = (self._received + 1) % MODULO
            if self._unconfirmed_since is None:
                self._unconfirmed_since = now
            self.on_asdu(frame.asdu)
            if (self._received - self._acknowledged) % MODULO >= self._timing.w:
                self._confirm()

    def _take_supervisory(self, number: int, now: float) -> None:
        if self.transfer is Transfer.STOPPED:
            self.closed = "an S-frame came while data transfer is stopped"
        elif self._confirmed(number, now) and self.transfer is Transfer.STOPPING and self.is_controlled:
            self._stop_if_confirmed()

    def _confirmed(self, number: int, now: float) -> bool:
        """Take a sequence number N(R): everything before it has come; whether it can be."""
        first = self._waiting[0].number if self._waiting else self._sent
        count = (number - first) % MODULO
        if count > len(self._waiting):
            self.closed = f"sequence: {number} is confirmed, {first} to {self._sent} can be"
            return False
        for _ in range(count):
            self._waiting.popleft()
        return True

    def _take_unnumbered(self, function: Function, now: float) -> None:
        if function is Function.TESTFR_ACT:
            self._out.append(encode(Unnumbered(Function.TESTFR_CON)))
        elif function is Function.STARTDT_ACT and self.is_controlled:
            self._out.append(encode(Unnumbered(Function.STARTDT_CON)))
            self._asked.pop(Function.STOPDT_CON, None)
            if self.transfer is not Transfer.STARTED:
                self.transfer = Transfer.STARTED
                self.on_happened(Happened.STARTED)
        elif function is Function.STOPDT_ACT and self.is_controlled:
            self._confirm()
            self._asked[Function.STOPDT_CON] = now  # it is owed
            if self.transfer is Transfer.STARTED:
                self.transfer = Transfer.STOPPING
            self._stop_if_confirmed()
        elif function is Function.STARTDT_CON and self._asked.pop(Function.STARTDT_ACT, None) is not None:
            self.transfer = Transfer.STARTED
            self.on_happened(Happened.STARTED)
        elif function is Function.STOPDT_CON and not self.is_controlled:
            if self._asked.pop(Function.STOPDT_ACT, None) is not None:
                self.transfer = Transfer.STOPPED
                self.on_happened(Happened.STOPPED)
        elif function is Function.TESTFR_CON:
            self._asked.pop(Function.TESTFR_ACT, None)

    def _stop_if_confirmed(self) -> None:
        """A controlled station confirms a stop when all that it sent has been confirmed."""
        if self._waiting:
            return
        was_owed = self._asked.pop(Function.STOPDT_CON, None) is not None
        if self.transfer is Transfer.STOPPING:
            self.transfer = Transfer.STOPPED
            self.on_happened(Happened.STOPPED)
        if was_owed:
            self._out.append(encode(Unnumbered(Function.STOPDT_CON)))

    def _confirm(self) -> None:
        """Tell the other end what has come, if it does not know."""
        if self._received != self._acknowledged:
            self._out.append(encode(Supervisory(self._received)))
            self._acknowledged = self._received
        self._unconfirmed_since = None

    def due(self) -> float:
        """When `tick` must be called at the latest."""
        timing = self._timing
        times = [at for function, at in self._asked.items() if function is not Function.STOPDT_CON]
        if Function.TESTFR_ACT not in self._asked:
            times.append(self._heard_at + timing.t3_s)
        if self._waiting:
            times.append(self._waiting[0].at + timing.t1_s)
        if self._unconfirmed_since is not None:
            times.append(self._unconfirmed_since + timing.t2_s)
        return min(times)

    def tick(self, now: float) -> None:
        """Do what is due: confirm, test, or give up."""
        if self.closed:
            return
        timing = self._timing
        if self._unconfirmed_since is not None and now >= self._unconfirmed_since + timing.t2_s:
            self._confirm()
        late = [one.name for one, at in self._asked.items() if one is not Function.STOPDT_CON and now >= at]
        if late:
            self.closed = f"t1: {late[0]} was not confirmed"
        elif self._waiting and now >= self._waiting[0].at + timing.t1_s:
            self.closed = f"t1: I-frame {self._waiting[0].number} was not confirmed"
        elif now >= self._heard_at + timing.t3_s and Function.TESTFR_ACT not in self._asked:
            self.ask(Function.TESTFR_ACT, now)
