"""Stations of IEEE 802.11 carried plainly: the distributed coordination function, one event after another, each station heard no
farther than `heard_m`; they send to station 0.

A station that has something to send waits until what it hears has been idle for DIFS, then a random number of slots, which it counts
only while that lasts; it hears a frame one slot after its beginning. Nothing here is shared with the program.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count


@dataclass(frozen=True)
class Channel:
    """Times in nanoseconds. windows: slots of the first attempt and the most; retries: further attempts of a frame."""

    frame_ns: int
    slot_ns: int = 9_000
    sifs_ns: int = 16_000
    difs_ns: int = 34_000
    ack_ns: int = 28_000
    after_collision_ns: int = 44_000
    windows: tuple[int, int] = (16, 1024)
    retries: int = 7


@dataclass(eq=False)
class Sound:
    """What a station sends: a frame, or an acknowledgement. Others who hear the frame stay silent until its acknowledgement is over."""

    sender: int
    begin_ns: int
    end_ns: int
    is_hit: bool = False


@dataclass
class Station:
    """A station: what waits, the window, the slots left (None: it does not count) and since when it counts them."""

    waiting: deque[int] = field(default_factory=deque)
    tries: int = 0
    slots: int | None = None
    from_ns: int = 0
    version: int = 0


class Cell:
    """Stations at `x_m` along a line, and the channel that they share."""

    def __init__(self, x_m: list[float], heard_m: float, channel: Channel, seed: int) -> None:
        self.channel = channel
        self.hears = [[abs(a - b) <= heard_m for b in x_m] for a in x_m]
        self.random = random.Random(seed)
        self.stations = [Station() for _ in x_m]
        self.sounds: list[Sound] = []
        self.events: list[tuple[int, int, int, Callable[[int], None]]] = []
        self.numbers = count()
        self.arrived_ns: dict[int, int] = {}
        self.silent_ns = [0] * len(x_m)  # until when a station hears something, or leaves room for an acknowledgement

    def carry(self, sent_ns: list[int], source: list[int]) -> dict[int, int]:
        """When each message, by its number, has come to station 0; those that never do are not there."""
        for number, (when, station) in enumerate(zip(sent_ns, source, strict=True)):
            self._at(when, 1, self._stands(station, number))
        while self.events:
            now, _, _, happens = heapq.heappop(self.events)
            happens(now)
        return self.arrived_ns

    def _at(self, when: int, order: int, happens: Callable[[int], None]) -> None:
        heapq.heappush(self.events, (when, order, next(self.numbers), happens))

    def _stands(self, k: int, number: int) -> Callable[[int], None]:
        def happens(now: int) -> None:
            self.stations[k].waiting.append(number)
            if len(self.stations[k].waiting) == 1:
                self._finds(now, k)

        return happens

    def _finds(self, now: int, k: int) -> None:
        """Something to send has come to a station that had nothing: it sends at once, or in the next slot of those who count."""
        station = self.stations[k]
        if now < self.silent_ns[k] + self.channel.difs_ns:
            self._draws(now, k)
            return
        others = any(self.hears[k][j] and other.slots is not None for j, other in enumerate(self.stations))
        station.slots, station.from_ns = 0, self._next_slot_ns(now + 1, k) if others else now
        self._plan(k)

    def _draws(self, now: int, k: int) -> None:
        station, channel = self.stations[k], self.channel
        station.slots = self.random.randrange(min(channel.windows[0] << station.tries, channel.windows[1]))
        station.from_ns = self._next_slot_ns(now, k)
        self._plan(k)

    def _next_slot_ns(self, now: int, k: int) -> int:
        """The first slot that begins at `now` or later, of those since what station `k` hears has been idle for DIFS."""
        first = self.silent_ns[k] + self.channel.difs_ns
        return first + max(0, -((first - now) // self.channel.slot_ns)) * self.channel.slot_ns

    def _plan(self, k: int) -> None:
        station = self.stations[k]
        station.version += 1
        version = station.version

        def happens(now: int) -> None:
            if version == station.version:
                self._sends(now, k)

        assert station.slots is not None
        self._at(station.from_ns + station.slots * self.channel.slot_ns, 2, happens)

    def _silence(self, k: int, begin: int, heard: int, until: int) -> None:
        """Station `k` hears something from `begin` on, knows it at `heard`, and does not count before `until` and DIFS."""
        station, channel = self.stations[k], self.channel
        if station.slots is not None:
            due = station.from_ns + station.slots * channel.slot_ns
            if due < heard:
                return
            station.slots -= max(0, begin - station.from_ns) // channel.slot_ns
            station.from_ns = max(until, self.silent_ns[k]) + channel.difs_ns
            self.silent_ns[k] = max(until, self.silent_ns[k])
            self._plan(k)
        self.silent_ns[k] = max(until, self.silent_ns[k])

    def _sends(self, now: int, k: int) -> None:
        station, channel = self.stations[k], self.channel
        station.slots = None
        station.version += 1
        mine = Sound(k, now, now + channel.frame_ns)
        self.sounds = [one for one in self.sounds if one.end_ns > now - channel.frame_ns]
        for other in self.sounds:
            if other.begin_ns < mine.end_ns and other.end_ns > now:
                if other.sender == 0 or self.hears[0][other.sender]:
                    mine.is_hit = True
                other.is_hit = True
                if self.hears[k][other.sender]:
                    self.silent_ns[k] = max(self.silent_ns[k], other.end_ns)
        self.sounds.append(mine)
        for j in range(len(self.stations)):
            if self.hears[j][k]:
                self._silence(j, now, now + channel.slot_ns, mine.end_ns)
        self._at(mine.end_ns, 0, lambda at: self._ends(at, mine))

    def _ends(self, now: int, frame: Sound) -> None:
        k, channel = frame.sender, self.channel
        tail = channel.after_collision_ns
        if not frame.is_hit:
            tail = channel.sifs_ns + channel.ack_ns
            ack = Sound(0, now + channel.sifs_ns, now + tail)
            for other in self.sounds:
                if other.begin_ns < ack.end_ns and other.end_ns > ack.begin_ns and other is not frame:
                    other.is_hit = True
            self.sounds.append(ack)
            for j in range(len(self.stations)):
                if self.hears[j][0] and not self.hears[j][k]:
                    self._acknowledges(j, ack)
            self.arrived_ns[self.stations[k].waiting[0]] = now
        for j in range(len(self.stations)):
            if self.hears[j][k]:
                self._silence(j, now, now, now + tail)
        self._at(now + tail, 3, lambda at: self._knows(at, k, not frame.is_hit))

    def _acknowledges(self, j: int, ack: Sound) -> None:
        heard = ack.begin_ns + self.channel.slot_ns
        self._at(ack.begin_ns, 0, lambda at: self._silence(j, at, heard, ack.end_ns))

    def _knows(self, now: int, k: int, is_through: bool) -> None:
        station = self.stations[k]
        station.tries += 1
        if is_through or station.tries > self.channel.retries:
            station.waiting.popleft()
            station.tries = 0
        if station.waiting:
            self._draws(now, k)
