"""G3-PLC meters carried plainly: unslotted CSMA/CA of IEEE 802.15.4-2006 (7.5.1.4), one event after another, each station heard no
farther than the line carries.

Constants: G3-PLC in the CENELEC A band (ST driver headers, Microchip G3 MAC documentation); 120 dBuV sent, 20 dB of coupling, 60 dB
a km, 57 dB to lose: as the technology's page states. Nothing here is shared with the program.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

SYMBOL_S = 695e-6
LEAD_S = 9.5 * 640e-6 + 13 * SYMBOL_S  # preamble and frame control
BACK_OFF_S, LOOK_S, TURN_S = 2 * SYMBOL_S, SYMBOL_S, SYMBOL_S
ACK_S, ACK_WAIT_S, GAP_S = LEAD_S + 7 * SYMBOL_S, LEAD_S + 16 * SYMBOL_S, 8 * SYMBOL_S
LEAST_EXPONENT, MOST_EXPONENT, MOST_BACK_OFFS, RETRIES = 3, 8, 50, 5
RATE_BPS, HEADER_BYTES, FORWARD_S = 24_300.0, 45, 0.02
HOP_M, NOISE_LOSS = 500.0, 0.01
HEARD_M = 1000.0 * (23.0 - 20.0 + 34.0) / 60.0  # 616.7 m


def frame_error(far_m: float) -> float:
    """One frame in ten at the sensitivity, ten times fewer for each 3 dB above it."""
    above_db = 23.0 - 20.0 - 60.0 * far_m / 1000.0 + 34.0
    return float(1.0 / (1.0 + 9.0 * 10.0 ** (above_db / 3.0)))


def relays(x_m: list[float]) -> list[int]:
    """Each station's next hop to station 0, by the fewest expected transmissions; of equal ones, the fewest hops."""
    best = {0: (0.0, 0)}
    after = [0] * len(x_m)
    heap = [(0.0, 0, 0)]
    while heap:
        cost, hops, to = heapq.heappop(heap)
        if (cost, hops) > best[to]:
            continue
        for k in range(1, len(x_m)):
            far_m = abs(x_m[k] - x_m[to])
            if far_m > HOP_M:
                continue
            found = (cost + 1.0 / (1.0 - frame_error(far_m)), hops + 1)
            if found < best.get(k, (float("inf"), 0)):
                best[k], after[k] = found, to
                heapq.heappush(heap, (*found, k))
    return after


@dataclass(eq=False)
class Frame:
    """A transmission of one station to another; the line is not silent again before its acknowledgement is over."""

    sender: int
    receiver: int
    begin_s: float
    end_s: float
    is_hit: bool = False
    is_acked: bool = False

    @property
    def silent_s(self) -> float:
        return self.end_s + TURN_S + ACK_S

    def deafens(self, other: Frame) -> bool:
        """Whether another frame comes to its receiver while that acknowledges it."""
        meets = other.begin_s < self.silent_s and other.end_s > self.end_s + TURN_S
        return self.is_acked and other.receiver == self.receiver and meets


class Line:
    """Stations at `x_m` along a line; station 0 is the concentrator, to which all messages go."""

    def __init__(self, x_m: list[float], seed: int, heard_m: float = HEARD_M) -> None:
        self.x_m, self.heard_m = x_m, heard_m
        self.after = relays(x_m)
        self.random = random.Random(seed)
        self.events: list[tuple[float, int, Callable[[float], None]]] = []
        self.numbers = count()
        self.waiting: list[deque[tuple[int, int]]] = [deque() for _ in x_m]
        self.ready_s = [0.0] * len(x_m)
        self.air: list[Frame] = []
        self.arrived_s: dict[int, float] = {}

    def carry(self, sent_s: list[float], source: list[int], size_bytes: int) -> dict[int, float]:
        """When each message, by its number, reaches the concentrator; those that never do are not there."""
        for number, (when_s, station) in enumerate(zip(sent_s, source, strict=True)):
            self._stands_later(when_s, station, (number, size_bytes))
        while self.events:
            now, _, happens = heapq.heappop(self.events)
            happens(now)
        return self.arrived_s

    def _at(self, when_s: float, happens: Callable[[float], None]) -> None:
        heapq.heappush(self.events, (when_s, next(self.numbers), happens))

    def _stands_later(self, when_s: float, station: int, message: tuple[int, int]) -> None:
        self._at(when_s, lambda now: self._stands(now, station, message))

    def _stands(self, now: float, station: int, message: tuple[int, int]) -> None:
        """A message stands at a station: it has arrived, or is sent when those before it have gone."""
        if station == 0:
            self.arrived_s[message[0]] = now
            return
        self.waiting[station].append(message)
        if len(self.waiting[station]) == 1:
            self._backs_off(now, station)

    def _backs_off(
        self, now: float, station: int, tries: int = 0, busy: int = 0, exponent: int = LEAST_EXPONENT
    ) -> None:
        """Wait a random number of back-off periods, then look."""
        wait_s = self.random.randrange(2**exponent) * BACK_OFF_S + LOOK_S
        self._at(max(now, self.ready_s[station]) + wait_s, lambda at: self._looks(at, station, tries, busy, exponent))

    def _looks(self, now: float, station: int, tries: int, busy: int, exponent: int) -> None:
        self.air = [one for one in self.air if one.silent_s > now]
        if not any(one.begin_s <= now and self._hears(station, one.sender) for one in self.air):
            self._at(now + TURN_S, lambda at: self._sends(at, station, tries))
        elif busy < MOST_BACK_OFFS:
            self._backs_off(now, station, tries, busy + 1, min(exponent + 1, MOST_EXPONENT))
        else:
            self._next(now, station)

    def _sends(self, now: float, station: int, tries: int) -> None:
        """A frame is hit if its receiver hears another one in the meantime, or sends itself, be it an acknowledgement."""
        end_s = now + LEAD_S + 8.0 * (self.waiting[station][0][1] + HEADER_BYTES) / RATE_BPS
        mine = Frame(station, self.after[station], now, end_s)
        for other in self.air:
            mine.is_hit |= other.deafens(mine)
            if other.end_s > now:
                mine.is_hit |= self._hears(mine.receiver, other.sender)
                other.is_hit |= self._hears(other.receiver, station)
        self.air.append(mine)
        self._at(end_s, lambda at: self._ends(at, mine, tries))

    def _ends(self, now: float, frame: Frame, tries: int) -> None:
        station, far_m = frame.sender, abs(self.x_m[frame.sender] - self.x_m[frame.receiver])
        through = (1.0 - NOISE_LOSS) * (1.0 - frame_error(far_m))
        is_lost = frame.is_hit or self.random.random() > through
        if is_lost and tries < RETRIES:
            self.ready_s[station] = now + ACK_WAIT_S
            self._backs_off(now, station, tries + 1)
            return
        self.ready_s[station] = now + TURN_S + ACK_S + GAP_S
        frame.is_acked = not is_lost
        for other in self.air:
            other.is_hit |= other is not frame and frame.deafens(other)
        if not is_lost:
            self._stands_later(now + FORWARD_S, frame.receiver, self.waiting[station][0])
        self._next(now, station)

    def _next(self, now: float, station: int) -> None:
        self.waiting[station].popleft()
        if self.waiting[station]:
            self._backs_off(now, station)

    def _hears(self, station: int, sender: int) -> bool:
        return abs(self.x_m[station] - self.x_m[sender]) <= self.heard_m
