"""One global event queue over a network: holds the kernel's tables, makes room in them, and lets time pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from heptagrid.contracts.kinds import ENVELOPE_BYTES, KindFacts
from heptagrid.foundation.compiled.bare_room import bare_room
from heptagrid.foundation.domains import Kind
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.kernel import event_kernel
from heptagrid.planes.messages.kernel.ahead import Ahead, Beside
from heptagrid.planes.messages.kernel.events import push, push_lost
from heptagrid.planes.messages.kernel.tally import Tally
from heptagrid.planes.messages.planning.network_builder import with_room
from heptagrid.planes.messages.routing.downlinks import take_waiting
from heptagrid.planes.messages.routing.paths import KnownHops
from heptagrid.planes.messages.statistics import KINDS, Counts
from heptagrid.planes.messages.tables import Ints, Net, Outcome, UnderWay

NO_PORTS = np.empty((0, 1 + t.PORT), dtype=np.int64)
"""Nothing is watched."""


class EventQueue:
    """All messages under way on a network.

    Parameters
    ----------
    net : the network's tables, without room for waiting copies.
    paths : of the messages; may grow between calls.
    facts : (kinds, 5) of `fact_table`.
    groups : access networks that are counted apart.
    numbers, tally, ports : of a shard: where its own numbers stand, who counts, how many of the net's ports it uses.
    """

    def __init__(
        self,
        net: Net,
        paths: KnownHops,
        facts: Ints,
        seed: int,
        groups: int = 0,
        *,
        numbers: Ints | None = None,
        tally: Tally | None = None,
        ports: int | None = None,
    ) -> None:
        self.net = net
        self.hop_events = 0
        self.tally = Tally(groups) if tally is None else tally
        self._ports = len(net.port) if ports is None else ports
        self._paths = paths
        self.facts = facts
        self.seed = seed
        self._copies = 2 * (1 + int(facts[:, t.RETRIES].max())) + 1
        self._switches = 0
        self._under_way = UnderWay(
            state=np.empty((0, t.STATE), dtype=np.int64),
            vacant=np.empty(0, dtype=np.int64),
            heap=np.empty((0, t.EVENT), dtype=np.int64),
            timers=np.empty((KINDS, 1, 3), dtype=np.int64),
            timer_head=np.zeros(KINDS, dtype=np.int64),
            timer_size=np.zeros(KINDS, dtype=np.int64),
            numbers=np.zeros(event_kernel.SCALARS, dtype=np.int64) if numbers is None else numbers,
        )

    @staticmethod
    def gathered(parts: list[Ints]) -> Ints:
        """Messages of several waves, (n, PENDING) each, by time and index: as one, by time and index."""
        if len(parts) == 1:
            return parts[0]
        due = np.concatenate([np.empty((0, t.PENDING), dtype=np.int64), *parts])
        return np.asarray(due[np.argsort(due[:, t.SENT], kind="stable")])

    def advance(self, due: Ints, until_ns: int, watched: Ints = NO_PORTS) -> Outcome:
        """Let time pass to `until_ns`; `due` (n, PENDING) are the messages that leave by then, by time and index.

        Time stops sooner, at `changed_ns`, right after the event that changes a port of `watched`; of `due`, `taken` have
        left by then.
        """
        self.make_room(len(due))
        numbers = self._numbers
        under_way = len(self.state) - int(numbers[event_kernel.S_VACANT]) + len(due)
        known = Outcome(
            arrived=np.empty((under_way, 2), dtype=np.int64),
            answered=np.empty((under_way, 2), dtype=np.int64),
            lost=np.empty((under_way, 4), dtype=np.int64),
        )
        numbers[event_kernel.OF_ONE_CALL] = 0
        numbers[event_kernel.S_CHANGED] = t.NEVER
        self.net = self.net._replace(path=self._paths.table)
        while True:
            event_kernel.advance(
                until_ns, due, self._under_way, self.net, self.facts, self.seed, self.tally.counters, known, watched
            )
            if not numbers[event_kernel.S_FULL]:
                break
            self.widen()
        self.hop_events += int(numbers[event_kernel.S_EVENTS])
        # Copies: what is kept of a span is what happened in it, not room for all that is under way.
        return Outcome(
            known.arrived[: numbers[event_kernel.S_ARRIVED]].copy(),
            known.answered[: numbers[event_kernel.S_ANSWERED]].copy(),
            known.lost[: numbers[event_kernel.S_LOST]].copy(),
        )

    def begin(self, due: Ints, until_ns: int, threads: int, then: Sequence[Callable[[], object]] = ()) -> Ahead:
        """As `advance`, beside the caller's other work: on a thread, of which one is enough; `then` follows there."""
        return Ahead(until_ns, Beside(partial(self.advance, due, until_ns), then).outcome)

    def as_seen(self, ports: Iterable[int]) -> Ints:
        """Ports and what they are doing now, (ports, 1 + PORT), to be watched by `advance`."""
        numbers = np.fromiter(ports, dtype=np.int64)
        return np.column_stack([numbers, self.net.port[numbers]])

    @property
    def state(self) -> Ints:
        """The messages under way, (rows, STATE)."""
        return self._under_way.state

    @property
    def states(self) -> list[Ints]:
        """As `state`, of all shards: this is the only one."""
        return [self.state]

    @property
    def _numbers(self) -> Ints:
        return self._under_way.numbers

    @property
    def changed_ns(self) -> int | None:
        """When a watched port changed and stopped the last `advance`; None if none did."""
        changed = int(self._numbers[event_kernel.S_CHANGED])
        return None if changed == t.NEVER else changed

    @property
    def taken(self) -> int:
        """How many of its messages the last `advance` let leave."""
        return int(self._numbers[event_kernel.S_CURSOR])

    @property
    def heap(self) -> Ints:
        """The events that wait, (events, 3): time, key and what; in the heap's order."""
        return self._under_way.heap[: self._numbers[event_kernel.S_HEAP]]

    @property
    def next_ns(self) -> int:
        """When the next event is due, as known after the last `advance`."""
        return int(self._numbers[event_kernel.S_NEXT])

    def switch(self, when_ns: int, k: int, *, up: bool, is_link: bool = False) -> None:
        """Node (or link) `k` loses its supply, or gets it back, at `when_ns`."""
        self.net = self.net._replace(outages=True)
        self._switches += 1
        self.make_room(0)
        what = int(t.NODE_BIT) | (int(up) << event_kernel.UP_AT) | (int(is_link) << (event_kernel.UP_AT + 1)) | k
        key = int(t.EARLY_CLASS) - self._switches
        self._numbers[event_kernel.S_HEAP] = push(
            self._under_way.heap, self._numbers[event_kernel.S_HEAP], when_ns, key, what
        )

    def drop(self, message: int, when_ns: int) -> bool:
        """Drop a message, by its ID, as stale at `when_ns` if it waits at a LoRaWAN gateway for its device; whether it did."""
        row = np.flatnonzero((self.state[:, t.ID] == message) & (self.state[:, t.OVER] == 0))
        taken = take_waiting(self.net, self.state, int(row[0])) if len(row) else None
        if taken is None:
            return False
        what, key = taken
        size = self._numbers[event_kernel.S_HEAP]
        self._numbers[event_kernel.S_HEAP] = push_lost(self._under_way.heap, size, when_ns, key, what, t.BY_STALE)
        return True

    def begin_counting(self) -> None:
        """Count from here; what is under way now is not counted."""
        self.tally.begin()
        self.state[:, t.COUNTED] = 0

    def counts_now(self) -> Counts:
        """Counts since `begin_counting`; what is in flight is counted among the messages under way."""
        counts = self.tally.counts
        return Counts(counts.counters.copy(), self.in_flight, counts.pairs.copy(), counts.histogram.copy())

    @property
    def in_flight(self) -> Ints:
        """(kinds,) messages under way that are counted."""
        state = self.state[(self.state[:, t.COUNTED] == 1) & (self.state[:, t.OVER] == 0)]
        flying = state[state[:, t.DELIVERED] < 0]
        in_flight = np.bincount(flying[:, t.KIND], minlength=KINDS)
        in_flight[Kind.ACK] = np.sum((state[:, t.ACK_SENT] > 0) & (state[:, t.ACKNOWLEDGED] < 0))
        return in_flight

    @property
    def places(self) -> list[int]:
        """Where its tables stand in memory and how long they are, as `shards_kernel` wants to know it; until room is made."""
        own, queue = self._under_way, self.net.queue
        tables = (own.state, own.vacant, own.heap, own.timers, own.timer_head, own.timer_size, own.numbers, queue)
        rows = (len(own.state), len(own.heap), own.timers.shape[1], len(queue), len(own.timers))
        return [*(table.ctypes.data for table in tables), *rows]

    @property
    def _burst(self) -> int:
        """How many events one event may make: every copy that waits is lost, and every port begins."""
        return len(self.state) * self._copies + 2 * self._ports + 64

    def _make_heap(self, places: int) -> None:
        """A heap of so many places; the events in it stay where they are.

        Each copy stands in it once and each port about once, but what a port had planned before an outage stays until its time.
        """
        heap = bare_room(places, t.EVENT)  # for the burst, which hardly ever comes
        heap[: len(self.heap)] = self.heap
        self._under_way = self._under_way._replace(heap=heap)
        self._numbers[event_kernel.S_LIMIT] = places - self._burst

    def widen(self) -> None:
        """Make a heap that was full twice as large."""
        self._numbers[event_kernel.S_FULL] = 0
        self._make_heap(2 * len(self._under_way.heap))

    def packed(self) -> dict[str, Any]:
        """Its own tables and numbers, without those that it shares, for `unpack` in another process."""
        own, slots = self._under_way, np.flatnonzero(self.net.queue.any(axis=1))
        return {
            "tables": (own.state, own.vacant, own.timers, own.timer_head, own.timer_size, own.numbers),
            "heap": (len(own.heap), self.heap),
            "queue": (len(self.net.queue), self.net.queue[: slots[-1] + 1 if len(slots) else 0]),
            "others": (self.net.outages, self._switches, self._ports),
        }

    def unpack(self, packed: dict[str, Any]) -> None:
        """Go on from what another queue has packed."""
        numbers = self._numbers
        state, vacant, timers, head, size, numbers[:] = packed["tables"]
        heap, queue = (_with_rest(*packed[name]) for name in ("heap", "queue"))
        self._under_way = UnderWay(state, vacant, heap, timers, head, size, numbers)
        outages, self._switches, self._ports = packed["others"]
        self.net = self.net._replace(queue=queue, outages=outages)

    def make_room(self, due: int) -> None:
        """Grow the tables so that `due` more messages find room."""
        vacant_size = int(self._numbers[event_kernel.S_VACANT])
        if due <= vacant_size and self._numbers[event_kernel.S_HEAP] < self._numbers[event_kernel.S_LIMIT]:
            return
        before = self._under_way
        old = len(before.state)
        size = old if due <= vacant_size else max(1024, old + old // 4, old + due - vacant_size)
        state = np.zeros((size, t.STATE), dtype=np.int64)
        state[:old] = before.state
        state[old:, t.OVER] = 2
        vacant = np.empty(size, dtype=np.int64)
        vacant[:vacant_size] = before.vacant[:vacant_size]
        vacant[vacant_size : vacant_size + size - old] = np.arange(size - 1, old - 1, -1)
        self._numbers[event_kernel.S_VACANT] = vacant_size + size - old
        timers = bare_room(KINDS, max(1, size), 3)  # most kinds have few or no time-outs
        for kind in range(KINDS):
            there = (before.timer_head[kind] + np.arange(before.timer_size[kind])) % before.timers.shape[1]
            timers[kind, : len(there)] = before.timers[kind, there]
        before.timer_head[:] = 0
        self._under_way = before._replace(state=state, vacant=vacant, timers=timers)
        self._make_heap(2 * (self._burst + self._switches))
        if self.net.port.size and self.net.port[:, t.P_CLASSES].any():
            self.net = with_room(self.net, size * self._copies)


def _with_rest(rows: int, used: Ints) -> Ints:
    """A table of so many rows that begins with those in use."""
    table = bare_room(rows, used.shape[1])
    table[: len(used)] = used
    return table


def fact_table(facts: dict[Kind, KindFacts]) -> Ints:
    """(kinds, 5) deadline (ns), acknowledged, time-out (ns), retries, bytes of an acknowledgement."""
    ack_bytes = facts[Kind.ACK].payload_bytes + ENVELOPE_BYTES
    table = np.zeros((len(facts), t.FACTS), dtype=np.int64)
    for kind, one in facts.items():
        table[kind, t.DEADLINE], table[kind, t.ACKED] = round(one.deadline_s * 1e9), one.acknowledged
        table[kind, t.TIMEOUT], table[kind, t.RETRIES] = round(one.timeout_s * 1e9), one.retries
        table[kind, t.ACK_BYTES] = ack_bytes
    return table
