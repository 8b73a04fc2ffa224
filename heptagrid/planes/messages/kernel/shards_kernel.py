"""Shards of the message plane: parts of a network between which nothing travels, so that each passes a span of time by itself.

What a shard has of its own (messages under way, heap, waiting lines) is small enough for a core's cache; ports, media and paths stand in tables that
all share, and no two shards touch the same rows. Threads take one shard after another until none is left. Which thread takes which decides
about nothing: each counts for itself, and whole numbers are added.
"""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.compiled.shared_work import claim, table_at
from heptagrid.planes.messages.kernel.event_kernel import SCALARS, advance
from heptagrid.planes.messages.tables import EVENT, PENDING, SENT, SOURCE, STATE, WAITING, Net, Outcome, UnderWay

# Where a shard's tables stand, and how many rows they have; those of a ring are for each kind.
(AT_STATE, AT_VACANT, AT_HEAP, AT_TIMERS, AT_TIMER_HEAD, AT_TIMER_SIZE, AT_NUMBERS, AT_QUEUE) = range(8)
(ROWS, PLACES, RING, SLOTS, KINDS) = range(8, 13)
SHARD = 13


@kernel(allocates=False)
def advance_shards(  # type: ignore[no-untyped-def]
    until, pending, begins, room_begins, shards, todo, next_of_todo, net, facts, seed, counted, known, watched
):
    """Process the events of the shards `todo` (n,), up to and including `until`, as `event_kernel.advance` does; several threads may at one time.

    pending: (messages, PENDING) that leave by then, one shard's after another's; begins: (shards + 1,) where each's do. known: room for what
    becomes known, likewise at room_begins (shards + 1,). shards: (shards, SHARD). next_of_todo: (1,) how many are taken, counted on. counted: this thread's.
    """
    while True:
        k = claim(next_of_todo)
        if k >= todo.shape[0]:
            break
        shard = todo[k]
        at, rows, kinds = shards[shard], shards[shard, ROWS], shards[shard, KINDS]
        under_way = UnderWay(
            table_at(at[AT_STATE], (rows, STATE)),
            table_at(at[AT_VACANT], (rows,)),
            table_at(at[AT_HEAP], (at[PLACES], EVENT)),
            table_at(at[AT_TIMERS], (kinds, at[RING], 3)),
            table_at(at[AT_TIMER_HEAD], (kinds,)),
            table_at(at[AT_TIMER_SIZE], (kinds,)),
            table_at(at[AT_NUMBERS], (SCALARS,)),
        )
        queue = table_at(at[AT_QUEUE], (at[SLOTS], WAITING))
        own = Net(
            net.port, net.rate_bps, net.loss, net.lists, queue, net.rings, net.medium, net.reach, net.air, net.members, net.preambles,
            net.xy_m, net.node, net.node_ports_at, net.node_ports, net.path, net.break_loss, net.outages,
        )  # fmt: skip
        begin, end = room_begins[shard], room_begins[shard + 1]
        outcome = Outcome(known.arrived[begin:end], known.answered[begin:end], known.lost[begin:end])
        due = pending[begins[shard] : begins[shard + 1]]
        advance(until, due, under_way, own, facts, seed, counted, outcome, watched)


@kernel
def count_by_shard(rows, shard_of, counts):  # type: ignore[no-untyped-def]
    """Add how many of the messages, (n, PENDING), leave in each shard; shard_of: (places,)."""
    for k in range(len(rows)):
        counts[shard_of[rows[k, SOURCE]]] += 1


@kernel
def place_by_shard(rows, shard_of, place, sorted_rows):  # type: ignore[no-untyped-def]
    """Put each message into its shard's part of `sorted_rows`, at `place` (shards,), which goes on."""
    for k in range(len(rows)):
        shard = shard_of[rows[k, SOURCE]]
        for column in range(PENDING):
            sorted_rows[place[shard], column] = rows[k, column]
        place[shard] += 1


@kernel
def sort_in_shards(rows, begins):  # type: ignore[no-untyped-def]
    """Bring each shard's messages, which begin at `begins` (shards + 1,), into the order of time; those of one time stay as they are."""
    for shard in range(len(begins) - 1):
        own = rows[begins[shard] : begins[shard + 1]]
        is_sorted = True
        for k in range(1, len(own)):
            is_sorted = is_sorted and own[k - 1, SENT] <= own[k, SENT]
        if is_sorted:
            continue
        order, before = np.argsort(own[:, SENT], kind="mergesort"), own.copy()
        for k in range(len(own)):
            for column in range(PENDING):
                own[k, column] = before[order[k], column]


@kernel
def of_all(rows, begins, counts):  # type: ignore[no-untyped-def]
    """The first counts[k] rows of those that begin at begins[k], (n, columns), for each k one after another."""
    found = np.empty((counts.sum(), rows.shape[1]), dtype=np.int64)
    place = 0
    for k in range(len(counts)):
        found[place : place + counts[k]] = rows[begins[k] : begins[k] + counts[k]]
        place += counts[k]
    return found
