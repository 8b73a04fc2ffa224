"""The event kernel on several shards at once: networks that meet only in a hub, over links with a delay.

Shard 0 is the hub; every other shard talks to it alone. What happens in a leaf can reach the hub no sooner than the
delay of its link up, and come back no sooner than that of a link down: so leaves and hub advance side by side, each as far
as nothing can reach it any more from where the others are (`turns`). The result is that of one global event queue,
message by message, however many threads there are.
"""

from __future__ import annotations

import threading
import time

import numba
import numpy as np

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.kernel import kernel as one
from heptagrid.planes.messages.kernel import shard_scheduler as turns
from heptagrid.planes.messages.kernel.event_queue import Outcome
from heptagrid.planes.messages.kernel.kernel import (
    BINS,
    CROSSING,
    NOTE,
    S_ANSWERED,
    S_ARRIVED,
    S_CURSOR,
    S_EVENTS,
    S_LIMIT,
    S_LOST,
    S_NEXT,
    S_VACANT,
    SCALARS,
)
from heptagrid.planes.messages.planning.network_builder import aligned
from heptagrid.planes.messages.routing.paths import Paths
from heptagrid.planes.messages.statistics import KINDS, Counts
from heptagrid.planes.messages.tables import COUNTERS, ID, N_SHARD, NEVER, OVER, SENT, SOURCE, Ints, Net


class ShardedQueue:
    """All messages under way on a network that is divided into a hub and leaves.

    Parameters
    ----------
    net : the network's tables; its nodes' column N_SHARD says where they belong.
    paths : of the messages.
    facts : (kinds, 5) of `fact_table`.
    rows_each : messages that may be under way in one shard.
    """

    def __init__(self, net: Net, paths: Paths, facts: Ints, seed: int, shards: int, rows_each: int) -> None:
        self._paths = paths
        self._facts = facts
        self._seed = seed
        self._rows = rows_each
        self.shards = shards
        self.hop_events = 0
        self.net = net
        copies = rows_each * (2 * (1 + int(facts[:, t.RETRIES].max())) + 1)  # of a shard's own messages
        self._guests = copies  # of others' messages, in one shard
        self.state = aligned(np.zeros((shards * rows_each, t.STATE), dtype=np.int64))
        self.state[:, t.OVER] = 2
        self._vacant = np.arange(shards * rows_each).reshape(shards, rows_each)[:, ::-1].copy()
        room = copies + self._guests + 4 * len(net.port) // shards + 1024
        self._heap = np.zeros((shards, room, t.EVENT), dtype=np.int64)
        waiting = copies + self._guests
        self._queue = np.zeros((shards, waiting + 1, t.WAITING), dtype=np.int64)
        self._queue[:, :-1, 2] = np.arange(1, waiting + 1)
        self._timers = np.zeros((shards, KINDS, rows_each, 3), dtype=np.int64)
        self._timer_head = np.zeros((shards, KINDS), dtype=np.int64)
        self._timer_size = np.zeros((shards, KINDS), dtype=np.int64)
        self._numbers = aligned(np.zeros((shards, SCALARS), dtype=np.int64))
        self._numbers[:, S_VACANT] = rows_each
        self._numbers[:, S_NEXT] = NEVER
        self._numbers[:, S_LIMIT] = room
        self._counters = np.zeros((shards, COUNTERS, KINDS), dtype=np.int64)
        self._pairs = np.zeros((shards, 7, 7), dtype=np.int64)
        self._histogram = np.zeros((shards, KINDS, BINS), dtype=np.int64)
        self._quarter = np.zeros((shards, KINDS, 1, 4), dtype=np.int64)
        self._worst = np.zeros((shards, KINDS, 1), dtype=np.int64)
        self._threads = 0
        self._copies = copies
        self._crossed = self._notes = np.empty((0, 0, 0), dtype=np.int64)
        self._plan, self._control, self._mail = turns.tables(shards, 2 * shards * copies)
        # Messages divided by shard, and what became known, last to the end of a call; the room for them stays.
        self._due = np.empty((0, t.PENDING), dtype=np.int64)
        self._arrived = np.empty((shards, 0, 2), dtype=np.int64)
        self._answered = np.empty((shards, 0, 2), dtype=np.int64)
        self._lost = np.empty((shards, 0, 4), dtype=np.int64)
        self._up_ns, self._down_ns = self._delays()

    def advance(self, due: Ints, until_ns: int) -> Outcome:
        """Let time pass to `until_ns`; `due` (n, PENDING) leave by then, in any order.

        What became known comes shard by shard, in the order of time within each as far as the shard itself learnt it.

        Raises
        ------
        MemoryError
            If more messages are under way in a shard than it has rows for; the queue is of no use any more.
        """
        due = due if _is_in_order(due) else due[np.lexsort((due[:, t.ID], due[:, SENT]))]
        if len(self._due) < len(due):
            self._due = np.empty_like(due)
        cuts = _by_shard(due, self.net.node, self.shards, self._due)
        due = self._due[: len(due)]
        room = int(np.diff(cuts).max(initial=0)) + self._rows
        self._arrived = _with_room(self._arrived, len(due) + self._rows)
        self._answered = _with_room(self._answered, room)
        self._lost = _with_room(self._lost, room)
        numbers = self._numbers
        numbers[:, [S_CURSOR, S_ARRIVED, S_ANSWERED, S_LOST, S_EVENTS]] = 0
        first = np.full(self.shards, NEVER)
        first[np.diff(cuts) > 0] = due[cuts[:-1][np.diff(cuts) > 0], SENT]
        numbers[:, S_NEXT] = np.minimum(numbers[:, S_NEXT], first)
        self.net = self.net._replace(path=self._paths.table)
        if not self._control[turns.FULL]:
            self._work(due, cuts, until_ns)
        if self._control[turns.FULL]:
            raise MemoryError(f"more than {self._rows} messages are under way in one shard; give it more rows")
        self.hop_events += int(numbers[:, S_EVENTS].sum())
        return Outcome(
            _joined(self._arrived, numbers[:, S_ARRIVED]),
            _joined(self._answered, numbers[:, S_ANSWERED]),
            _joined(self._lost, numbers[:, S_LOST]),
        )

    def _work(self, due: Ints, cuts: Ints, until_ns: int) -> None:
        """Have all threads advance the shards."""
        threads = min(numba.get_num_threads(), self.shards)
        if threads > self._threads:
            self._threads = threads
            self._crossed = np.zeros((threads, self._copies + self._guests, CROSSING), dtype=np.int64)
            self._notes = np.zeros((threads, self._copies + self._guests, NOTE), dtype=np.int64)
        turns.begin(self._control, self._plan, self._numbers)

        def work(worker: int) -> None:
            while not turns.work(
                *(worker, threads, until_ns, self._up_ns, self._down_ns, self._rows, self._guests, due, cuts),
                *(self._heap, self._queue, self._timers, self._timer_head, self._timer_size, self.state, self._vacant),
                *(self._facts, self.net, self._seed, self._numbers, self._counters, self._pairs, self._histogram),
                *(self._quarter, self._worst, self._arrived, self._answered, self._lost),
                *(self._crossed[worker], self._notes[worker], self._plan, self._control, self._mail),
            ):
                time.sleep(0)  # long without a turn: others may need the processor

        others = [threading.Thread(target=work, args=(worker,), daemon=True) for worker in range(1, threads)]
        for other in others:
            other.start()
        try:
            work(0)
        finally:  # an interrupted call, too, leaves nobody at work on the tables
            for other in others:
                other.join()
        turns.read_last(
            *(self._rows, self._guests, self._heap, self.state, self._vacant, self._numbers, self._counters),
            *(self._quarter, self._lost, self.net, self._plan, self._control, self._mail),
        )

    def counts(self) -> Counts:
        """Counts so far, all shards together."""
        state = self.state[self.state[:, OVER] == 0]
        in_flight = np.bincount(state[state[:, t.DELIVERED] < 0, t.KIND], minlength=KINDS)
        in_flight[one.ACK_KIND] = np.sum((state[:, t.ACK_SENT] > 0) & (state[:, t.ACKNOWLEDGED] < 0))
        return Counts(self._counters.sum(axis=0), in_flight, self._pairs.sum(axis=0), self._histogram.sum(axis=0))

    def _delays(self) -> tuple[int, int]:
        """The least delay of the links from leaves to the hub, and of those back."""
        port, node = self.net.port, self.net.node
        far = np.full(len(port), -1, dtype=np.int64)
        at = self.net.node_ports_at
        owner = np.repeat(np.arange(len(at) - 1), np.diff(at))
        foreign = port[self.net.node_ports, t.P_NODE] != owner
        far[self.net.node_ports[foreign]] = owner[foreign]
        links = np.flatnonzero((far >= 0) & (port[:, t.P_NODE] >= 0))
        near_shard, far_shard = node[port[links, t.P_NODE], t.N_SHARD], node[far[links], t.N_SHARD]
        across = near_shard != far_shard
        if (near_shard[across] * far_shard[across] != 0).any():
            raise ValueError("a link leads from leaf to leaf; leaves may meet in the hub (shard 0) alone")
        up = port[links[across & (far_shard == 0)], t.P_DELAY].min(initial=NEVER // 4)
        down = port[links[across & (near_shard == 0)], t.P_DELAY].min(initial=NEVER // 4)
        if min(up, down) <= 0:
            raise ValueError("a link between a leaf and the hub has no delay; they cannot be taken apart")
        return int(up), int(down)


def _with_room(parts: Ints, room: int) -> Ints:
    """The shards' lists if they have that much room each, else new ones."""
    if parts.shape[1] >= room:
        return parts
    return np.empty((parts.shape[0], room, parts.shape[2]), dtype=np.int64)


def _joined(parts: Ints, sizes: Ints) -> Ints:
    """The shards' lists, one after another."""
    return np.concatenate([part[:size] for part, size in zip(parts, sizes, strict=True)])


@kernel
def _is_in_order(due):  # type: ignore[no-untyped-def]
    """Whether messages are in the order of time and index."""
    for k in range(1, due.shape[0]):
        if due[k, SENT] < due[k - 1, SENT] or (due[k, SENT] == due[k - 1, SENT] and due[k, ID] < due[k - 1, ID]):
            return False
    return True


@kernel
def _by_shard(due, node, shards, divided):  # type: ignore[no-untyped-def]
    """Fill `divided` with the messages of one shard after those of another, otherwise in their order; where each begins."""
    cuts = np.zeros(shards + 1, dtype=np.int64)
    shard = np.empty(due.shape[0], dtype=np.int32)
    for k in range(due.shape[0]):
        shard[k] = node[due[k, SOURCE], N_SHARD]
        cuts[shard[k] + 1] += 1
    cuts = np.cumsum(cuts)
    at = cuts.copy()
    for k in range(due.shape[0]):
        s = shard[k]
        for column in range(due.shape[1]):
            divided[at[s], column] = due[k, column]
        at[s] += 1
    return cuts
