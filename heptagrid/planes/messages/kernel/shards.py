"""The event queues of a network whose parts, its shards, do not touch one another: one for each, all of which time passes at once.

A message stays within the shard of its source. What becomes known is what one queue for all would say; what arrives at one and the same nanosecond is told shard by
shard, and so is what was acknowledged and what was lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.kernel import event_kernel
from heptagrid.planes.messages.kernel import shards_kernel as s
from heptagrid.planes.messages.kernel.ahead import Ahead, Beside
from heptagrid.planes.messages.kernel.event_queue import NO_PORTS, EventQueue
from heptagrid.planes.messages.kernel.message_tracer import WatchedQueue
from heptagrid.planes.messages.kernel.tally import Tally
from heptagrid.planes.messages.kernel.traces import MessageTrace
from heptagrid.planes.messages.routing.paths import KnownHops
from heptagrid.planes.messages.statistics import Counts
from heptagrid.planes.messages.tables import Ints, Net, Outcome


class Shards:
    """All messages under way on a network that consists of shards.

    Parameters
    ----------
    net, paths, facts, seed, groups : as of an `EventQueue`.
    shard_of : (nodes,) the shard of each, from 0; no path leads from one to another.
    count : how many there are; None: as many as nodes have.
    at_rest : shards whose messages leave and are not carried; what becomes of them is not told.
    """

    def __init__(
        self,
        net: Net,
        paths: KnownHops,
        facts: Ints,
        seed: int,
        groups: int,
        shard_of: Ints,
        count: int | None = None,
        at_rest: Ints | None = None,
    ) -> None:
        self.net = net
        self.shard_of = shard_of
        self.facts = facts
        self.seed = seed
        self.hop_events = 0
        self.paths = paths
        self.groups = groups
        self._tallies = [Tally(groups)]
        count = int(shard_of.max()) + 1 if count is None else count
        ports = np.bincount(shard_of[net.port[:, t.P_NODE]], minlength=count)
        self._numbers = np.zeros((count, event_kernel.SCALARS), dtype=np.int64)
        self._queues = [
            EventQueue(net, paths, facts, seed, numbers=self._numbers[k], tally=self._tallies[0], ports=int(ports[k]))
            for k in range(count)
        ]
        self._places: Ints | None = None  # of the queues' tables in memory
        self._watched: list[WatchedQueue] = []
        self._rests = np.isin(np.arange(count), at_rest) if at_rest is not None and len(at_rest) else None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_places": None}

    @property
    def queues(self) -> Sequence[EventQueue]:
        """The queue of each shard."""
        return self._queues

    def queue_of(self, shard: int) -> EventQueue:
        """A shard's queue, of which more may be changed than time changes."""
        self._places = None
        return self._queues[shard]

    def gathered(self, parts: list[Ints]) -> Leaving:
        """Messages of several waves, (n, PENDING) each, by time and index: by shard, and within one by time and index."""
        if self._rests is not None:
            parts = [rows[~self._rests[self.shard_of[rows[:, t.SOURCE]]]] for rows in parts]
        begins = np.zeros(len(self._queues) + 1, dtype=np.int64)
        for rows in parts:
            s.count_by_shard(rows, self.shard_of, begins[1:])
        np.cumsum(begins, out=begins)
        together = np.empty((int(begins[-1]), t.PENDING), dtype=np.int64)
        place = begins[:-1].copy()
        for rows in parts:
            s.place_by_shard(rows, self.shard_of, place, together)
        if len(parts) > 1:
            s.sort_in_shards(together, begins)
        return Leaving(together, begins)

    def begin(self, due: Leaving, until_ns: int, threads: int, then: Sequence[Callable[[], object]] = ()) -> Ahead:
        """Let time pass to `until_ns` beside the caller's other work, and do `then`; its `outcome` waits for it, and helps. `due` as of `advance`."""
        while len(self._tallies) < threads:
            self._tallies.append(Tally(self.groups))
        span = self._span(due, until_ns)
        # One thread does `then`, before its messages: the caller helps with those.
        helpers = [
            Beside(partial(self._work, span, tally), first=() if k else then)
            for k, tally in enumerate(self._tallies[1:threads])
        ]
        return Ahead(until_ns, partial(self._finished, span, helpers))

    def advance(self, due: Leaving, until_ns: int) -> Outcome:
        """Let time pass to `until_ns`; `due` are the messages that leave by then."""
        if self._watched:
            parts = [
                queue.advance(due.rows[begin:end], until_ns)
                for queue, begin, end in zip(self._watched, due.begins, due.begins[1:], strict=False)
            ]
            return in_order(Outcome(*(np.concatenate(columns) for columns in zip(*parts, strict=True))))
        return self._finished(self._span(due, until_ns), [])

    def _span(self, due: Leaving, until_ns: int) -> _Work:
        """What is to be done in a span; the queues have room for it."""
        numbers = self._numbers
        leaving = np.diff(due.begins)
        is_full = numbers[:, event_kernel.S_HEAP] >= numbers[:, event_kernel.S_LIMIT]
        for k in np.flatnonzero((leaving > numbers[:, event_kernel.S_VACANT]) | is_full).tolist():
            self._queues[k].make_room(int(leaving[k]))
            self._note(k)
        if self._places is None:
            self._places = np.empty((len(self._queues), s.SHARD), dtype=np.int64)
            for k in range(len(self._queues)):
                self._note(k)
        under_way = self._places[:, s.ROWS] - numbers[:, event_kernel.S_VACANT] + leaving
        room = np.concatenate([[0], np.cumsum(under_way)])
        known = Outcome(*(np.empty((int(room[-1]), width), dtype=np.int64) for width in (2, 2, 4)))
        numbers[:, event_kernel.OF_ONE_CALL] = 0
        numbers[:, event_kernel.S_CHANGED] = t.NEVER
        net = self.net._replace(path=self.paths.table)
        todo = np.argsort(-under_way, kind="stable")  # the longest first, so that threads come to their ends together
        return _Work(until_ns, due, room, known, self._places, todo, np.zeros(1, dtype=np.int64), net)

    def _work(self, work: _Work, tally: Tally) -> None:
        """Take shards that nobody has taken, until none is left."""
        known = (work.net, self.facts, self.seed, tally.counters, work.known, NO_PORTS)
        s.advance_shards(
            work.until_ns, work.due.rows, work.due.begins, work.room, work.places, work.todo, work.taken, *known
        )

    def _finished(self, work: _Work, helpers: list[Beside[None]]) -> Outcome:
        self._work(work, self._tallies[0])
        for one in helpers:
            one.outcome()
        numbers = self._numbers
        while numbers[:, event_kernel.S_FULL].any():
            full = np.flatnonzero(numbers[:, event_kernel.S_FULL])
            for k in full.tolist():
                self._queues[k].widen()
                self._note(k)
            assert self._places is not None
            work = replace(work, todo=full, taken=np.zeros(1, dtype=np.int64), places=self._places)
            self._work(work, self._tallies[0])
        self.hop_events += int(numbers[:, event_kernel.S_EVENTS].sum())
        counts = (event_kernel.S_ARRIVED, event_kernel.S_ANSWERED, event_kernel.S_LOST)
        columns = (s.of_all(rows, work.room, numbers[:, count]) for rows, count in zip(work.known, counts, strict=True))
        return in_order(Outcome(*columns))

    def _note(self, k: int) -> None:
        """Where the tables of a queue stand now."""
        if self._places is not None:
            self._places[k] = self._queues[k].places

    def switch(self, when_ns: int, k: int, *, up: bool, is_link: bool = False) -> None:
        """As `EventQueue.switch`."""
        node = int(self.net.port[k, t.P_NODE]) if is_link else k
        shard = int(self.shard_of[node])
        self._queues[shard].switch(when_ns, k, up=up, is_link=is_link)
        self.net = self.net._replace(outages=True)
        self._note(shard)

    def watch(self, ids: Iterable[int]) -> Watches:
        """Follow these messages hop by hop from now on; nothing else changes."""
        wanted = list(ids)
        self._watched = [WatchedQueue(queue, wanted) for queue in self._queues]
        return Watches(self._watched, len(set(wanted)))

    @property
    def is_watched(self) -> bool:
        """Whether messages are followed."""
        return bool(self._watched)

    @property
    def states(self) -> list[Ints]:
        """The messages under way, (rows, STATE) of each shard."""
        return [queue.state for queue in self._queues]

    @property
    def tally(self) -> Tally:
        """What all threads have counted; from now on the first one's."""
        first = self._tallies[0]
        for other in self._tallies[1:]:
            first.take(other)
        return first

    def begin_counting(self) -> None:
        """Count from here; what is under way now is not counted."""
        for tally in self._tallies:
            tally.begin()
        for state in self.states:
            state[:, t.COUNTED] = 0

    def counts_now(self) -> Counts:
        """Counts since `begin_counting`; what is in flight is counted among the messages under way."""
        counts = self.tally.counts
        in_flight = np.sum([queue.in_flight for queue in self._queues], axis=0)
        return Counts(counts.counters.copy(), in_flight, counts.pairs.copy(), counts.histogram.copy())


@dataclass(frozen=True)
class Leaving:
    """Messages that leave, (n, PENDING), one shard's after another's; begins: (shards + 1,) where each shard's do."""

    rows: Ints
    begins: Ints


@dataclass(frozen=True)
class _Work:
    """What threads share of a span: as `shards_kernel.advance_shards` takes it."""

    until_ns: int
    due: Leaving
    room: Ints
    known: Outcome
    places: Ints
    todo: Ints
    taken: Ints
    net: Net


class Watches:
    """The traces of the messages that are watched, wherever they travel."""

    def __init__(self, queues: list[WatchedQueue], wanted: int) -> None:
        self._queues = queues
        self._wanted = wanted

    @property
    def traces(self) -> dict[int, MessageTrace]:
        """By message, from when it has left."""
        return {message: trace for queue in self._queues for message, trace in queue.traces.items()}

    @property
    def is_done(self) -> bool:
        """Whether every watched message has come to its end."""
        traces = self.traces
        return len(traces) == self._wanted and all(trace.is_over for trace in traces.values())


def in_order(outcome: Outcome) -> Outcome:
    """By time what arrived; the rest one shard's after another's."""
    return outcome._replace(arrived=outcome.arrived[np.argsort(outcome.arrived[:, 1], kind="stable")])
