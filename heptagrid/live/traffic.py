"""Messages of a live grid as they are counted while it runs: who sent to whom, what was lost, when each gateway was last heard, and the last ones of a place."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.contract import Contract, Delivery, Wave
from heptagrid.foundation.domains import KIND_NAMES, Domain
from heptagrid.foundation.time import NS_PER_S
from heptagrid.foundation.transport import Listener
from heptagrid.planes.messages.tables import CAUSES

Ints = npt.NDArray[np.int64]
Ends = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

KEPT = 200_000
"""Messages whose fate is kept: about five hours of the built-in town."""
WINDOW_NS = 60 * NS_PER_S
"""Over which rates are taken: assumption, the shortest over which thousands of meters' readings are even."""
DOMAINS = len(Domain)


@dataclass(frozen=True)
class TrafficState:
    """What has travelled by an instant, without acknowledgements.

    delivered, lost: (7, 7) since the start, sender by receiver. delivered_per_s, lost_per_s: (7, 7) of the last simulated minute. under_way: taken and not yet arrived.
    heard_ns: (points,) when the last message of each gateway arrived anywhere, 0 if none did.
    """

    delivered: Ints
    lost: Ints
    delivered_per_s: Floats
    lost_per_s: Floats
    under_way: int
    heard_ns: Ints


@dataclass(frozen=True)
class Passed:
    """A message and what became of it. fate: "delivered", "under way", or what it was lost to. at_ns: when, 0 while it is under way."""

    id: int
    kind: str
    topic: str
    source: int
    destination: int
    sent_ns: int
    fate: str
    at_ns: int


@dataclass
class _Kept:
    """A wave without its payload, and the fate of each of its messages, (n,): nanoseconds of arrival, 0 under way; cause: number of what lost it, -1 if nothing did."""

    first: int
    contract: Contract[Any]
    source: Ends
    destination: Ends
    sent_ns: Ints
    at_ns: Ints
    cause: npt.NDArray[np.int8]


class Traffic(Listener):
    """Counts and keeps; called by the simulation's thread, and asked from any."""

    def __init__(self, points: int) -> None:
        """Set up for so many gateways, whose endpoints are the first ones."""
        self._lock = threading.Lock()
        self._kept: list[_Kept] = []
        self._firsts: list[int] = []
        self._messages = 0
        self._pairs: dict[int, tuple[int, int]] = {}
        self._taken = 0
        self._delivered = np.zeros((DOMAINS, DOMAINS), dtype=np.int64)
        self._lost = np.zeros((DOMAINS, DOMAINS), dtype=np.int64)
        self._heard_ns = np.zeros(points, dtype=np.int64)
        self._past: deque[tuple[int, Ints, Ints]] = deque()

    def sent(self, first: int, wave: Wave) -> None:
        """Keep a wave; the oldest make room."""
        count = len(wave.source)
        with self._lock:
            self._taken += count
            ends = wave.source.astype(np.int32), wave.destination.astype(np.int32)
            fates = np.zeros(count, dtype=np.int64), np.full(count, -1, dtype=np.int8)
            self._kept.append(_Kept(first, wave.contract, *ends, wave.sent_ns, *fates))
            self._firsts.append(first)
            self._messages += count
            gone = 0
            while self._messages > KEPT and gone < len(self._kept) - 1:
                self._messages -= len(self._kept[gone].at_ns)
                gone += 1
            if gone:
                del self._kept[:gone], self._firsts[:gone]

    def travelled(self, deliveries: Sequence[Delivery], lost: Ints) -> None:
        """Note what became of a step's messages."""
        with self._lock:
            for one in deliveries:
                self._delivered[one.wave.sender, one.wave.receiver] += len(one.ids)
                if one.wave.sender == Domain.CUSTOMERS:
                    source = one.source
                    mine = source < len(self._heard_ns)
                    np.maximum.at(self._heard_ns, source[mine], one.delivered_ns[mine])
                kept = self._of(int(one.ids[0]) if len(one.ids) else -1)
                if kept is not None:
                    kept.at_ns[one.rows] = one.delivered_ns
            for id, ns, cause in lost[:, :3].tolist():
                kept = self._of(id)
                if kept is not None:
                    self._lost[kept.contract.sender, kept.contract.receiver] += 1
                    kept.at_ns[id - kept.first], kept.cause[id - kept.first] = ns, cause

    def _of(self, id: int) -> _Kept | None:
        """The wave of a message, if it is kept."""
        k = bisect_right(self._firsts, id) - 1
        if k < 0 or id - self._firsts[k] >= len(self._kept[k].at_ns):
            return None
        return self._kept[k]

    def state(self, at_ns: int) -> TrafficState:
        """What has travelled until the end of the last step, and how fast."""
        with self._lock:
            delivered, lost, heard_ns = self._delivered.copy(), self._lost.copy(), self._heard_ns.copy()
            under_way = self._taken - int(delivered.sum()) - int(lost.sum())
        past = self._past
        past.append((at_ns, delivered, lost))
        while len(past) > 2 and past[1][0] <= at_ns - WINDOW_NS:
            past.popleft()
        begin_ns, delivered_then, lost_then = past[0]
        seconds = max(at_ns - begin_ns, 1) / NS_PER_S
        rates = ((delivered - delivered_then) / seconds, (lost - lost_then) / seconds)
        return TrafficState(delivered, lost, *rates, under_way, heard_ns)

    def last_of(self, place: int, most: int, until_ns: int) -> list[Passed]:
        """The last messages from or to an endpoint that had left by an instant, the youngest first."""
        found: list[Passed] = []
        with self._lock:
            kept = list(self._kept)
        for one in reversed(kept):
            mine = np.flatnonzero(((one.source == place) | (one.destination == place)) & (one.sent_ns <= until_ns))
            for row in mine.tolist():
                cause, at_ns = int(one.cause[row]), int(one.at_ns[row])
                fate = CAUSES[cause] if cause >= 0 else "delivered" if at_ns else "under way"
                found.append(
                    Passed(
                        one.first + row,
                        KIND_NAMES[one.contract.kind],
                        one.contract.topic,
                        int(one.source[row]),
                        int(one.destination[row]),
                        int(one.sent_ns[row]),
                        fate,
                        at_ns,
                    )
                )
            if len(found) >= 4 * most:
                break
        return sorted(found, key=lambda one: -one.sent_ns)[:most]
