"""Who gets no acknowledgement sends again after the waits of CoAP: dithered by sender and message, doubling, the same in any run."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from heptagrid.contracts.kinds import FACTS
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.topology import Topology

pytestmark = pytest.mark.long

S = 1_000_000_000
METERS = 200


def star(meters: int = METERS) -> Topology:
    """Meters around a head end, each with a line of its own in either direction."""
    parent = np.append(-1, np.zeros(meters, dtype=np.int64))
    up = np.append(-1, np.arange(meters))
    lines = 2 * meters
    return Topology(
        *(parent, up, np.append(-1, np.arange(meters, lines)), (parent >= 0).astype(np.int64)),
        rate_bps=np.full(lines, 1e6),
        delay_ns=np.full(lines, 1_000_000),
        loss=np.zeros(lines),
        retries=np.zeros(lines, dtype=np.int64),
        link_class=np.zeros(lines, dtype=np.int64),
        group=np.full(meters + 1, -1),
        groups=0,
    )


@lru_cache
def copies_ns(seed: int, meters: int = METERS) -> np.ndarray:
    """(messages, copies) when the copies of two alarms of each meter left, where nothing gets through."""
    plane = MessagePlane(star(meters), seed, (1.0, 0.0, 0.0))
    senders, to = np.arange(1, meters + 1), np.zeros(meters, dtype=np.int64)
    watched = plane.watch(range(2 * meters))
    for _ in range(2):
        at_ns = np.full(meters, S)
        plane.send(Kind.ALARM, senders, to, at_ns, sender=Domain.CUSTOMERS, receiver=Domain.OPERATIONS)
    plane.advance(100 * S)
    traces = [watched.traces[k] for k in range(2 * meters)]
    assert all(one.is_over for one in traces)
    data = [[copy.sent_ns for copy in one.copies if not copy.is_ack] for one in traces]
    assert [one.timeout_ns for one in traces] == [at[1] - at[0] for at in data]
    return np.array(data)


def test_the_first_wait_lies_evenly_between_the_time_out_and_half_as_much_again() -> None:
    waits_s = np.diff(copies_ns(1), axis=1) * 1e-9
    facts = FACTS[Kind.ALARM]
    assert waits_s.shape == (2 * METERS, facts.retries)
    share = waits_s[:, 0] / facts.timeout_s - 1.0
    assert 0.0 <= share.min() < 0.01 and 0.49 < share.max() <= 0.5
    assert abs(np.mean(share) - 0.25) < 0.03
    assert np.allclose(waits_s[:, 1:] / waits_s[:, :-1], 2.0), "each further wait is twice as long"


def test_who_sent_together_does_not_repeat_together() -> None:
    sent_ns = copies_ns(1)
    assert len(np.unique(sent_ns[:, 0])) == 1
    assert len(np.unique(sent_ns[:, 1])) == 2 * METERS, "nor does one sender with its next message"


def test_luck_is_the_seeds_alone() -> None:
    first, again, other = (copies_ns.__wrapped__(seed, 20) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_an_acknowledgement_between_the_shortest_and_the_own_time_out_stops_the_repeat() -> None:
    """Lines of 1.1 s: every acknowledgement comes after 2.2 s, later than some time-outs and earlier than others."""
    topology = star()
    topology.delay_ns[:] = 1_100_000_000
    plane = MessagePlane(topology, 1)
    watched = plane.watch(range(METERS))
    meters, to = np.arange(1, METERS + 1), np.zeros(METERS, dtype=np.int64)
    plane.send(Kind.ALARM, meters, to, np.full(METERS, S), sender=Domain.CUSTOMERS, receiver=Domain.OPERATIONS)
    ids, _ = plane.advance(100 * S)
    assert len(ids) == METERS
    for one in watched.traces.values():
        assert one.acknowledged_ns is not None
        copies = sum(not copy.is_ack for copy in one.copies)
        assert copies == (1 if one.acknowledged_ns <= one.sent_ns + one.timeout_ns else 2)
    assert 10 < sum(len(one.copies) > 2 for one in watched.traces.values()) < METERS - 10
