"""The messages of a live grid as a stream: each wave as it is sent, and what of it arrives, is lost or refused, step by step.

The engine's thread notes; subscribers are served in the event loop from bounded queues. One that does not keep up loses the oldest, and is told how many.
"""

from __future__ import annotations

import asyncio
import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.kinds import FACTS
from heptagrid.foundation.contract import Contract, Delivery, Wave
from heptagrid.foundation.transport import Listener
from heptagrid.live.answers import Event

Ints = npt.NDArray[np.int64]

RECENT = 500
"""Events that whoever comes later can still read."""
QUEUED = 2_000
"""Events that wait for a subscriber before the oldest are dropped."""
_GATHERED = 512  # waves between two looks at what is done


class Sent(NamedTuple):
    """A wave without its payload. first: its first message's index, -1 if it was refused."""

    first: int
    contract: Contract[Any]
    source: Ints
    destination: Ints
    sent_ns: Ints
    size_bytes: int


@dataclass(frozen=True)
class WaveEvent:
    """What happened to messages of a wave, (n,) each. rows: positions in the wave. at_ns: when each was sent, arrived or was lost. causes: why each was lost, of `planes.messages.tables.CAUSES`.

    number: of the event, counted from the start.
    """

    number: int
    event: Event
    wave: Sent
    rows: Ints
    at_ns: Ints
    causes: Ints | None = None

    @property
    def ids(self) -> Ints:
        return self.wave.first + self.rows if self.wave.first >= 0 else np.full(len(self.rows), -1)

    @property
    def source(self) -> Ints:
        return self.wave.source[self.rows]

    @property
    def destination(self) -> Ints:
        return self.wave.destination[self.rows]

    @property
    def delay_s(self) -> npt.NDArray[np.float64]:
        """Seconds since each was sent."""
        return (self.at_ns - self.wave.sent_ns[self.rows]) / 1e9

    def only(self, which: npt.NDArray[np.bool_]) -> WaveEvent | None:
        """What happened to some of the messages, (n,); None if there are none."""
        if which.all():
            return self
        if not which.any():
            return None
        causes = None if self.causes is None else self.causes[which]
        return replace(self, rows=self.rows[which], at_ns=self.at_ns[which], causes=causes)


Wanted = Callable[[WaveEvent], WaveEvent | None]


class Subscription:
    """A queue of events for one who reads them; used by the event loop's thread alone. dropped: how many were, since it was last asked."""

    def __init__(self, wanted: Wanted) -> None:
        self.dropped = 0
        self.is_over = False
        self._wanted = wanted
        self._waiting: deque[WaveEvent] = deque()
        self._is_there = asyncio.Event()

    def offer(self, event: WaveEvent) -> None:
        """Queue an event, if it is wanted."""
        wanted = self._wanted(event)
        if wanted is None:
            return
        if len(self._waiting) >= QUEUED:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(wanted)
        self._is_there.set()

    async def take(self, most: int = 200) -> tuple[list[WaveEvent], int]:
        """The next events, at least one unless it is over, and how many were dropped before them."""
        while not self._waiting and not self.is_over:
            self._is_there.clear()
            await self._is_there.wait()
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        dropped, self.dropped = self.dropped, 0
        return taken, dropped

    def end(self) -> None:
        """Nothing more comes."""
        self.is_over = True
        self._is_there.set()


class MessageFeed(Listener):
    """Notes what a transport does, and passes it on.

    oldest_under_way: the least index of a message that may still arrive.
    """

    def __init__(self, oldest_under_way: Callable[[], int]) -> None:
        self._oldest_under_way = oldest_under_way
        self._waves: list[Sent] = []
        self._forget_at = _GATHERED
        self._lock = threading.Lock()
        self._recent: deque[WaveEvent] = deque(maxlen=RECENT)
        self._fresh: deque[WaveEvent] = deque(maxlen=10 * QUEUED)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_called = False
        self._subscriptions: list[Subscription] = []
        self._watchers: tuple[Callable[[WaveEvent], None], ...] = ()
        self._events = 0

    def sent(self, first: int, wave: Wave) -> None:
        """A wave was taken."""
        kept = _without_payload(first, wave)
        self._waves.append(kept)
        self._tell("sent", kept, np.arange(len(wave.source)), kept.sent_ns)

    def refused(self, wave: Wave, reason: str) -> None:
        """A wave was refused, by policy."""
        kept = _without_payload(-1, wave)
        self._tell("refused", kept, np.arange(len(wave.source)), kept.sent_ns)

    def travelled(self, deliveries: Sequence[Delivery], lost: Ints) -> None:
        """A step's messages have travelled."""
        firsts = [wave.first for wave in self._waves]
        for one in deliveries:
            at = bisect_right(firsts, int(one.ids[0])) - 1
            if at >= 0:
                self._tell("delivered", self._waves[at], one.rows, one.delivered_ns)
        if len(lost):
            of = np.searchsorted(np.array(firsts, dtype=np.int64), lost[:, 0], side="right") - 1
            for at in np.unique(of[of >= 0]).tolist():
                mine, wave = lost[of == at], self._waves[at]
                self._tell("lost", wave, mine[:, 0] - wave.first, mine[:, 1], mine[:, 2])
        if len(self._waves) >= self._forget_at:
            done = bisect_right(firsts, self._oldest_under_way()) - 1
            if done > 0:
                del self._waves[:done]
            self._forget_at = len(self._waves) + _GATHERED

    def recent(self) -> list[WaveEvent]:
        """The last events, the oldest first."""
        with self._lock:
            return list(self._recent)

    def watch(self, told: Callable[[WaveEvent], None]) -> None:
        """Call `told` with each event from now on, by the engine's thread, which waits for it meanwhile."""
        with self._lock:
            self._watchers = (*self._watchers, told)

    def unwatch(self, told: Callable[[WaveEvent], None]) -> None:
        """Do not call it any more."""
        with self._lock:
            self._watchers = tuple(one for one in self._watchers if one != told)

    def subscribe(self, wanted: Wanted) -> Subscription:
        """A queue of what comes from now on; within an event loop."""
        subscription = Subscription(wanted)
        with self._lock:
            self._loop = asyncio.get_running_loop()
            self._subscriptions.append(subscription)
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """Give a queue up."""
        subscription.end()
        with self._lock, suppress(ValueError):
            self._subscriptions.remove(subscription)

    @property
    def subscribers(self) -> int:
        """How many read."""
        return len(self._subscriptions)

    def close(self) -> None:
        """End all queues; by the event loop's thread."""
        for one in list(self._subscriptions):
            self.leave(one)

    def _tell(self, event: Event, wave: Sent, rows: Ints, at_ns: Ints, causes: Ints | None = None) -> None:
        with self._lock:
            told = WaveEvent(self._events, event, wave, rows, at_ns, causes)
            self._events += 1
            self._recent.append(told)
            watchers = self._watchers
        for watcher in watchers:
            watcher(told)
        with self._lock:
            if not self._subscriptions or self._loop is None:
                return
            self._fresh.append(told)
            if self._is_called:
                return
            self._is_called = True
            loop = self._loop
        with suppress(RuntimeError):  # the loop has been closed: nobody reads any more
            loop.call_soon_threadsafe(self._distribute)

    def _distribute(self) -> None:
        with self._lock:
            fresh = list(self._fresh)
            self._fresh.clear()
            self._is_called = False
            subscriptions = list(self._subscriptions)
        for event in fresh:
            for one in subscriptions:
                one.offer(event)


def _without_payload(first: int, wave: Wave) -> Sent:
    size = FACTS[wave.kind].payload_bytes if wave.size is None else wave.size
    return Sent(first, wave.contract, wave.source, wave.destination, wave.sent_ns, size)
