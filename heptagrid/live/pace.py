"""The pace of a live simulation: how far its time may go by now, in what steps, and how far it lags behind."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.time import NS_PER_S

_LENGTHS_S = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60)
STEPS_PER_S = 4.0
"""Steps in a second of the wall clock that are aimed at, above speed 1: assumption, four pictures a second look alive."""
FORCED_LAG_S = 2.0
"""Of the wall clock: above this lag a step is made longer, with a warning."""


@dataclass(frozen=True)
class ClockState:
    """What the page and the interface show of the clock.

    ns: the simulated instant. speed: None as fast as it can. is_paused: time stands still. until_ns: how far it was let go, None without a
    limit. step_s: length of the present step. lag_s: how late the last step was, in seconds of the wall clock. forced: how many steps were made longer to catch up.
    """

    ns: int
    speed: float | None
    is_paused: bool
    until_ns: int | None
    step_s: int
    lag_s: float
    forced: int


class Pace:
    """Simulated time against a monotonic clock; it may be asked and set from any thread.

    Due instants are counted from an anchor that only a change of speed or a pause moves, so that there is no lasting drift: a step that comes late makes the
    next ones come early, without waiting.
    """

    def __init__(self, start_ns: int, speed: float | None = 1.0) -> None:
        """Set up; time stands still at `start_ns` until `go` is called. speed: simulated by real seconds; None: as fast as it can."""
        self.changed = threading.Condition()
        self.lag_s = 0.0
        self.forced = 0
        self.has_ended = False
        self._speed = speed
        self._limit_ns: int | None = start_ns
        self._anchor = (time.monotonic(), start_ns)
        self._at_ns = start_ns
        self._step_s = 60
        self._chosen_s: int | None = None
        self._waiting: list[tuple[int, int, Callable[[bool], None]]] = []
        self._numbers = itertools.count()

    def go(self, now_ns: int | None = None) -> None:
        """Let time run from now on; now_ns: the instant that is now, None: that to which it has come."""
        with self.changed:
            self._limit_ns = None
            self._anchor = (time.monotonic(), self._at_ns if now_ns is None else now_ns)
            self.changed.notify_all()

    def pause(self) -> int:
        """Let time stand still from now on; the instant at which it does."""
        with self.changed:
            now_ns = self._due_ns()
            self._limit_ns = self._at_ns if now_ns is None else max(now_ns, self._at_ns)
            self.changed.notify_all()
            return self._limit_ns

    def step(self, seconds: float) -> int:
        """Let time go on by so much from where it stands, as fast as it can, and stand still there; that instant."""
        with self.changed:
            from_ns = self._limit_ns if self._limit_ns is not None else self._at_ns
            self._limit_ns = from_ns + round(seconds * NS_PER_S)
            self.changed.notify_all()
            return self._limit_ns

    def run_to(self, ns: int) -> int:
        """Let time go on to an instant, as fast as it can, and stand still there, or where it stands if that is later; that instant."""
        with self.changed:
            from_ns = self._limit_ns if self._limit_ns is not None else self._at_ns
            self._limit_ns = max(from_ns, ns)
            self.changed.notify_all()
            return self._limit_ns

    def set_step(self, seconds: int | None) -> None:
        """Make steps so long from the next one on; None: as the speed says.

        Raises
        ------
        UsageError
            For a length that does not divide a minute.
        """
        if seconds is not None and seconds not in _LENGTHS_S:
            raise UsageError(f"a step of {seconds} s: there are steps of {', '.join(map(str, _LENGTHS_S))} s")
        with self.changed:
            self._chosen_s = seconds

    def set_speed(self, speed: float | None) -> None:
        """Go on at another speed, from the present instant on."""
        with self.changed:
            now_ns = self._due_ns()
            self._anchor = (time.monotonic(), self._at_ns if now_ns is None else now_ns)
            self._speed = speed
            self.changed.notify_all()

    def due_ns(self) -> int | None:
        """How far time may go by now; None: as far as it can."""
        with self.changed:
            return self._due_ns()

    def _due_ns(self) -> int | None:
        if self._limit_ns is not None:
            return self._limit_ns
        if self._speed is None:
            return None
        return self._anchor[1] + int((time.monotonic() - self._anchor[0]) * self._speed * NS_PER_S)

    @property
    def is_free(self) -> bool:
        """Whether time runs by itself, and not as somebody lets it go step by step."""
        return self._limit_ns is None

    @property
    def is_paced(self) -> bool:
        """Whether instants are due by the wall clock; if not, what others send leaves at once, for they are not late."""
        return self._limit_ns is None and self._speed is not None

    def end(self) -> None:
        """Nothing will be reached any more; who waits for it is woken."""
        with self.changed:
            self.has_ended = True
            waiting, self._waiting = self._waiting, []
            self.changed.notify_all()
        for _, _, told in waiting:
            told(False)

    def wait_for(self, ns: int, timeout_s: float | None = None) -> bool:
        """Wait until time has come to an instant; whether it has."""
        with self.changed:
            self.changed.wait_for(lambda: self._at_ns >= ns or self.has_ended, timeout_s)
            return self._at_ns >= ns

    def seconds_until(self, ns: int) -> float:
        """Of the wall clock until an instant is due, as things stand; infinite while time stands still before it."""
        with self.changed:
            due = self._due_ns()
            if due is None or due >= ns:
                return 0.0
            if self._limit_ns is not None or self._speed is None:
                return float("inf")
            return (ns - due) / NS_PER_S / self._speed

    def reached(self, ns: int) -> None:
        """Time has come to this instant."""
        with self.changed:
            self._at_ns = ns
            due = []
            while self._waiting and self._waiting[0][0] <= ns:
                due.append(heapq.heappop(self._waiting)[2])
            self.changed.notify_all()
        for told in due:
            told(True)

    def when(self, ns: int, told: Callable[[bool], None]) -> None:
        """Call `told`, from any thread, when time has come to an instant; with False if it ends before."""
        with self.changed:
            is_due = self._at_ns >= ns
            if not is_due and not self.has_ended:
                heapq.heappush(self._waiting, (ns, next(self._numbers), told))
                return
        told(is_due)

    def late(self, end_ns: int) -> None:
        """A step that ends then is done: note how late."""
        with self.changed:
            self.lag_s = 0.0
            if self._limit_ns is None and self._speed is not None and (due := self._due_ns()) is not None:
                self.lag_s = max(due - end_ns, 0) / NS_PER_S / self._speed

    def __call__(self, start_ns: int) -> int:
        """The length of a step that begins at an instant, in seconds (`heptagrid.assembly.live_span.Lengths`)."""
        with self.changed:
            if self._chosen_s is not None:
                self._step_s = self._chosen_s
                return self._step_s
            if self._speed is None:
                wanted = 60.0
            else:
                wanted = 1.0 if self._speed <= 1.0 else self._speed / STEPS_PER_S
            self._step_s = next((one for one in _LENGTHS_S if one >= wanted), _LENGTHS_S[-1])
            if self.lag_s > FORCED_LAG_S and self._step_s < _LENGTHS_S[-1]:
                self.forced += 1
                behind = self.lag_s * (self._speed or 1.0)
                self._step_s = next((one for one in _LENGTHS_S if one >= max(behind, self._step_s)), _LENGTHS_S[-1])
            return self._step_s

    @property
    def now_ns(self) -> int:
        """The instant that `state` says, for those who ask thousands of times a second: without waiting for who changes the clock."""
        anchor, speed = self._anchor, self._speed
        if self._limit_ns is not None or speed is None:
            return self._at_ns
        return max(anchor[1] + int((time.monotonic() - anchor[0]) * speed * NS_PER_S), self._at_ns)

    @property
    def state(self) -> ClockState:
        """As it is now."""
        with self.changed:
            due = self._due_ns()
            now_ns = self._at_ns if due is None else max(due, self._at_ns) if self._limit_ns is None else self._at_ns
            return ClockState(
                now_ns, self._speed, self._limit_ns is not None, self._limit_ns, self._step_s, self.lag_s, self.forced
            )
