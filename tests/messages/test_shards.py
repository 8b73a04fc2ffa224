"""Shards around a hub give what one global event queue gives, message by message, however many threads there are.

The networks are the benchmarks' own, small: meshes, cells and a core; and plain links in a tree.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numba
import numpy as np
import pytest

from benchmarks.networks import Network, suburb, tree_of_links
from heptagrid.contracts.kinds import FACTS
from heptagrid.foundation.domains import Kind
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.kernel.event_queue import EventQueue, Outcome, fact_table
from heptagrid.planes.messages.kernel.shards import ShardedQueue
from heptagrid.planes.messages.statistics import Counts
from heptagrid.planes.messages.tables import Ints

S = 1_000_000_000
PERIOD_NS, ROUNDS, SEED, LEAVES = 20 * S, 3, 7, 4
PATIENCE = {Kind.METER_READING: replace(FACTS[Kind.METER_READING], timeout_s=1.5, retries=2)}
FACT_TABLE = fact_table(FACTS | PATIENCE)


def networks() -> dict[str, Network]:
    """A crowded suburb and a tree of links, whose cores lose a message in ten; meters report, or the hub writes to them."""
    suburban = suburb(240, LEAVES, period_ns=PERIOD_NS, members=20, collectors=3, core_loss=0.1)
    return {
        "suburb": suburban,
        "suburb, from the hub": turned_round(suburban),
        "tree": tree_of_links(400, LEAVES, period_ns=PERIOD_NS, members=50, core_loss=0.1),
    }


def turned_round(network: Network) -> Network:
    """The same network, whose messages go the other way."""
    rows = network.rows.copy()
    for one, other in ((t.SOURCE, t.DESTINATION), (t.PATH, t.ACK_PATH), (t.HOPS, t.ACK_HOPS)):
        rows[:, [one, other]] = rows[:, [other, one]]
    rows[:, t.NUMBER] = ROUNDS * np.arange(len(rows))  # they have one sender, so their luck hangs on their number
    return replace(network, rows=rows)


def carried(queue: EventQueue | ShardedQueue, network: Network) -> list[Ints]:
    """What became known in every step: three rounds of readings in uneven steps, then silence."""
    known: list[Outcome] = []
    for number in range(ROUNDS):
        rows = network.round(number, PERIOD_NS)
        cuts = [number * PERIOD_NS, number * PERIOD_NS + 7 * S + 1, (number + 1) * PERIOD_NS]
        for begin, end in itertools.pairwise(cuts):
            due = rows[(rows[:, t.SENT] >= begin) & (rows[:, t.SENT] < end)]
            known.append(queue.advance(due, end - 1))
    known.append(queue.advance(rows[:0], 100 * PERIOD_NS))
    return [each[np.lexsort((each[:, 0], each[:, 1]))] for outcome in known for each in outcome]


def counted(counts: Counts) -> list[Ints]:
    return [counts.counters, counts.in_flight, counts.pairs, counts.histogram]


@pytest.mark.parametrize("name", ["suburb", "suburb, from the hub", "tree"])
def test_shards_equal_one_queue_message_by_message(name: str) -> None:
    network = networks()[name]
    one = EventQueue(network.net, network.paths, FACT_TABLE, SEED)
    expected = carried(one, network)
    counts = one.counts_now()
    readings = int(counts.counters[t.N_SENT, Kind.METER_READING])
    assert readings == ROUNDS * len(network.rows)
    assert one.hop_events > 1.1 * float(np.sum(network.rows[:, [t.HOPS, t.ACK_HOPS]])) * ROUNDS, "some are sent again"
    assert 0 < counts.counters[t.N_LOST :].sum() < readings / 10

    threads = numba.get_num_threads()
    for used in sorted({1, min(2, threads)}):
        fresh = networks()[name]
        shards = ShardedQueue(fresh.net, fresh.paths, FACT_TABLE, SEED, LEAVES + 1, 512)
        numba.set_num_threads(used)
        try:
            got = carried(shards, fresh)
        finally:
            numba.set_num_threads(threads)
        for ours, theirs in zip(got, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        for ours, theirs in zip(counted(shards.counts()), counted(counts), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert shards.hop_events == one.hop_events
        assert shards.counts().residual == 0


def test_all_at_one_instant_and_too_few_rows() -> None:
    """Meters that all report at one nanosecond are carried if there are rows for them; else it is said, whatever the number."""
    network = networks()["tree"]
    network.rows[:, t.SENT] = S
    one = EventQueue(network.net, network.paths, FACT_TABLE, SEED)
    expected = [*one.advance(network.rows, 20 * PERIOD_NS)]
    fresh = networks()["tree"]
    shards = ShardedQueue(fresh.net, fresh.paths, FACT_TABLE, SEED, LEAVES + 1, 128)
    got = [*shards.advance(network.rows, 20 * PERIOD_NS)]
    for ours, theirs in zip(got, expected, strict=True):
        ours, theirs = (each[np.lexsort((each[:, 0], each[:, 1]))] for each in (ours, theirs))
        np.testing.assert_array_equal(ours, theirs)
    for rows_each in (1, 7, 60):
        fresh = networks()["tree"]
        shards = ShardedQueue(fresh.net, fresh.paths, FACT_TABLE, SEED, LEAVES + 1, rows_each)
        for rows in (network.rows, network.rows[:0]):  # and again, instead of going on without what could not leave
            with pytest.raises(MemoryError, match="give it more rows"):
                shards.advance(rows, 20 * PERIOD_NS)


def test_too_many_of_others_messages_in_one_shard() -> None:
    """A shard that has no room for what the others send it says so too."""
    network = networks()["suburb"]
    shards = ShardedQueue(network.net, network.paths, FACT_TABLE, SEED, LEAVES + 1, 512)
    shards._guests = 1
    with pytest.raises(MemoryError, match="give it more rows"):
        carried(shards, network)
