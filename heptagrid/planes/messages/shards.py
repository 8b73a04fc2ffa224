"""The event kernel on several shards at once: networks that meet only in a hub, over links with a delay.

Shard 0 is the hub; every other shard talks to it alone. What happens in a leaf can reach the hub no sooner than the
delay of its link up, and come back no sooner than that of a link down: so the leaves advance together, in parallel,
by the sum of both, then the hub catches up. The result is that of one global event queue, message by message,
however many threads there are.
"""

from __future__ import annotations

import itertools

import numba
import numpy as np

from heptagrid.foundation.kernel import kernel
from heptagrid.planes.messages import kernel as one
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.event_queue import Outcome
from heptagrid.planes.messages.events import push
from heptagrid.planes.messages.kernel import (
    BINS,
    CROSSING,
    NOTE,
    S_ANSWERED,
    S_ARRIVED,
    S_CROSSED,
    S_CURSOR,
    S_EVENTS,
    S_HEAP,
    S_LOST,
    S_NEXT,
    S_NOTES,
    S_VACANT,
    SCALARS,
    _finish,
)
from heptagrid.planes.messages.paths import Paths
from heptagrid.planes.messages.statistics import KINDS, Counts
from heptagrid.planes.messages.tables import (
    ACK_COPIES,
    CAUSE,
    COUNTERS,
    DATA_COPIES,
    ID,
    N_SHARD,
    NEVER,
    OVER,
    SENT,
    SOURCE,
    TIMER,
    Ints,
    Net,
)

HUB = 0  # its shard


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
        copies = 2 * (1 + int(facts[:, t.RETRIES].max())) + 1
        self.state = np.zeros((shards * rows_each, t.STATE), dtype=np.int64)
        self.state[:, t.OVER] = 2
        self._vacant = np.arange(shards * rows_each).reshape(shards, rows_each)[:, ::-1].copy()
        room = rows_each * copies + 4 * len(net.port) // shards + 1024
        self._heap = np.zeros((shards, room, 3), dtype=np.int64)
        self._queue = np.zeros((shards, rows_each * copies + 1, 3), dtype=np.int64)
        self._queue[:, :-1, 2] = np.arange(1, rows_each * copies + 1)
        self._timers = np.zeros((shards, KINDS, rows_each, 3), dtype=np.int64)
        self._timer_head = np.zeros((shards, KINDS), dtype=np.int64)
        self._timer_size = np.zeros((shards, KINDS), dtype=np.int64)
        self._numbers = np.zeros((shards, SCALARS), dtype=np.int64)
        self._numbers[:, S_VACANT] = rows_each
        self._numbers[:, S_NEXT] = NEVER
        self._counters = np.zeros((shards, COUNTERS, KINDS), dtype=np.int64)
        self._pairs = np.zeros((shards, 7, 7), dtype=np.int64)
        self._histogram = np.zeros((shards, KINDS, BINS), dtype=np.int64)
        self._quarter = np.zeros((shards, KINDS, 1, 4), dtype=np.int64)
        self._worst = np.zeros((shards, KINDS, 1), dtype=np.int64)
        self._crossed = np.zeros((shards, rows_each * copies, CROSSING), dtype=np.int64)
        self._notes = np.zeros((shards, rows_each * copies, NOTE), dtype=np.int64)
        # What became known lasts to the end of a call; the room for it stays.
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
            If more messages are under way in a shard than it has rows for.
        """
        due = due if _is_in_order(due) else due[np.lexsort((due[:, t.ID], due[:, SENT]))]
        due, cuts = _by_shard(due, self.net.node, self.shards)
        room = int(np.diff(cuts).max(initial=0)) + self._rows
        self._arrived = _with_room(self._arrived, len(due) + self._rows)
        self._answered = _with_room(self._answered, room)
        self._lost = _with_room(self._lost, room)
        arrived, answered, lost = self._arrived, self._answered, self._lost
        numbers = self._numbers
        numbers[:, [S_CURSOR, S_ARRIVED, S_ANSWERED, S_LOST, S_EVENTS]] = 0
        first = np.array([due[a, SENT] if b > a else NEVER for a, b in itertools.pairwise(cuts)])
        numbers[:, S_NEXT] = np.minimum(numbers[:, S_NEXT], first)
        paths = self._paths
        self.net = self.net._replace(path=paths.table)
        full = _advance_shards(
            *(until_ns, self._up_ns, self._down_ns, HUB, self._rows, due, cuts, self._heap, self._queue, self._timers),
            *(self._timer_head, self._timer_size, self.state, self._vacant, self._facts, self.net, self._seed, numbers),
            *(self._counters, self._pairs, self._histogram, self._quarter, self._worst, arrived, answered, lost),
            *(self._crossed, self._notes),
        )
        if full:
            raise MemoryError(f"more than {self._rows} messages are under way in one shard; give it more rows")
        self.hop_events += int(numbers[:, S_EVENTS].sum())
        return Outcome(
            *(_joined(arrived, numbers[:, S_ARRIVED]), _joined(answered, numbers[:, S_ANSWERED])),
            _joined(lost, numbers[:, S_LOST]),
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
def _by_shard(due, node, shards):  # type: ignore[no-untyped-def]
    """The messages of one shard after those of another, otherwise in their order; (shards + 1,) where each begins."""
    cuts = np.zeros(shards + 1, dtype=np.int64)
    for k in range(due.shape[0]):
        cuts[node[due[k, SOURCE], N_SHARD] + 1] += 1
    cuts = np.cumsum(cuts)
    at = cuts.copy()
    divided = np.empty_like(due)
    for k in range(due.shape[0]):
        s = node[due[k, SOURCE], N_SHARD]
        divided[at[s]] = due[k]
        at[s] += 1
    return divided, cuts


@kernel(parallel=True)
def _advance_shards(  # type: ignore[no-untyped-def]
    until, up_ns, down_ns, hub, rows_each, due, cuts, heap, queue, timers, timer_head, timer_size, state, vacant, facts,
    net, seed, numbers, counters, pairs, histogram, quarter, worst, arrived, answered, lost, crossed, notes,
):  # fmt: skip
    """Advance all shards to `until`, window by window; whether one of them ran out of rows."""
    shards = heap.shape[0]
    full = False
    while not full:
        first_leaf = NEVER
        for s in range(1, shards):
            first_leaf = min(first_leaf, numbers[s, S_NEXT])
        first_hub = numbers[hub, S_NEXT]
        if min(first_leaf, first_hub) > until:
            break
        leaf_limit = min(until, min(first_hub, first_leaf + up_ns) + down_ns - 1)
        if first_leaf <= leaf_limit:
            for s in numba.prange(1, shards):
                if numbers[s, S_NEXT] <= leaf_limit:
                    _advance_one(
                        leaf_limit, np.int64(s), rows_each, due, cuts, heap, queue, timers, timer_head, timer_size, state, vacant,
                        facts, net, seed, numbers, counters, pairs, histogram, quarter, worst, arrived, answered, lost,
                        crossed, notes,
                    )  # fmt: skip
            for s in range(1, shards):
                _hand_over(s, rows_each, heap, state, vacant, numbers, counters, quarter, lost, crossed, notes)
        first_leaf = NEVER
        for s in range(1, shards):
            first_leaf = min(first_leaf, numbers[s, S_NEXT])
        hub_limit = until if first_leaf == NEVER else min(until, first_leaf + up_ns - 1)
        if numbers[hub, S_NEXT] <= hub_limit:
            _advance_one(
                hub_limit, hub, rows_each, due, cuts, heap, queue, timers, timer_head, timer_size, state, vacant, facts, net,
                seed, numbers, counters, pairs, histogram, quarter, worst, arrived, answered, lost, crossed, notes,
            )  # fmt: skip
            _hand_over(hub, rows_each, heap, state, vacant, numbers, counters, quarter, lost, crossed, notes)
        for s in range(shards):
            waiting = cuts[s + 1] - cuts[s] - numbers[s, S_CURSOR]
            full = full or (waiting > 0 and numbers[s, S_VACANT] < rows_each // 8)
    return full


@kernel(allocates=False)
def _advance_one(  # type: ignore[no-untyped-def]
    limit, s, rows_each, due, cuts, heap, queue, timers, timer_head, timer_size, state, vacant, facts, net, seed,
    numbers, counters, pairs, histogram, quarter, worst, arrived, answered, lost, crossed, notes,
):  # fmt: skip
    own = Net(
        net.port, net.rate_bps, net.loss, net.lists, queue[s], net.rings, net.medium, net.reach, net.air, net.members,
        net.preambles, net.xy_m, net.node, net.node_ports_at, net.node_ports, net.path, net.break_loss,
        net.outages,
    )  # fmt: skip
    one.advance(
        limit, s, rows_each, due[cuts[s] : cuts[s + 1]], heap[s], timers[s], timer_head[s], timer_size[s], state,
        vacant[s], facts, own, seed, numbers[s], counters[s], pairs[s], histogram[s], quarter[s], worst[s],
        arrived[s], answered[s], lost[s], crossed[s], notes[s],
    )  # fmt: skip


@kernel(allocates=False)
def _hand_over(s, rows_each, heap, state, vacant, numbers, counters, quarter, lost, crossed, notes):  # type: ignore[no-untyped-def]
    """Give what crossed a border to the other side, and what a shard learnt of another's messages to their owner."""
    for k in range(numbers[s, S_CROSSED]):
        to = crossed[s, k, 3]
        numbers[to, S_HEAP] = push(heap[to], numbers[to, S_HEAP], crossed[s, k, 0], crossed[s, k, 1], crossed[s, k, 2])
        numbers[to, S_NEXT] = min(numbers[to, S_NEXT], crossed[s, k, 0])
    for k in range(numbers[s, S_NOTES]):
        row = notes[s, k, 0]
        home = row // rows_each
        state[row, DATA_COPIES] += notes[s, k, 1]
        state[row, ACK_COPIES] += notes[s, k, 2]
        if notes[s, k, 3] >= 0:
            state[row, CAUSE] = notes[s, k, 3]
        numbers[home, S_LOST] = _finish(
            *(
                state,
                row,
                counters[home],
                quarter[home],
                lost[home],
                numbers[home, S_LOST],
                notes[s, k, 4],
                notes[s, k, 5],
            )
        )
        if state[row, OVER] == 1 and state[row, TIMER] == 0:
            state[row, OVER] = 2
            vacant[home, numbers[home, S_VACANT]] = row
            numbers[home, S_VACANT] += 1
    numbers[s, S_CROSSED] = numbers[s, S_NOTES] = 0
