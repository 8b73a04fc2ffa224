"""Messages that are spared the way: they arrive at once, and only where the network would carry them all."""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.domains import Domain, Kind
from heptagrid.planes.messages.plane import MessagePlane
from tests.messages.test_plane import S, random_tree

METERS, CONCENTRATORS = 4, 2
OPERATIONS = METERS + CONCENTRATORS + 1
HOUR_NS = 3600 * S


def plane_of(break_loss: float = 0.0) -> MessagePlane:
    """A plane without losses of its own."""
    topology = random_tree(np.random.default_rng(1), METERS, CONCENTRATORS, lossy=False)
    return MessagePlane(topology, 1, (break_loss, 0.0, 0.0))


def read(plane: MessagePlane, sent_ns: int, kind: Kind = Kind.METER_READING) -> int:
    """All meters send at an instant; the first message's index."""
    source, destination = np.arange(METERS), np.full(METERS, OPERATIONS)
    way = {"sender": Domain.CUSTOMERS, "receiver": Domain.OPERATIONS}
    return plane.send(kind, source, destination, np.full(METERS, sent_ns), **way)


def delays_ns(plane: MessagePlane, sent_ns: int, kind: Kind = Kind.METER_READING) -> list[int]:
    """How long each message of a wave takes."""
    first = read(plane, sent_ns, kind)
    plane.advance(sent_ns + HOUR_NS)
    assert sorted(plane.arrived[:, 0].tolist()) == [*range(first, first + METERS)]
    return [int(each) - sent_ns for each in plane.arrived[:, 1]]


def test_what_is_spared_the_way_arrives_at_once_until_then() -> None:
    plane = plane_of()
    assert min(delays_ns(plane, 0)) > 0
    assert plane.spare(Kind.METER_READING, 2 * HOUR_NS)
    hops = plane.hop_events
    assert delays_ns(plane, HOUR_NS) == [0] * METERS
    assert plane.hop_events == hops
    assert min(delays_ns(plane, 2 * HOUR_NS)) > 0
    assert plane.counts().residual == 0


def test_other_kinds_go_their_way() -> None:
    plane = plane_of()
    delays_ns(plane, 0)
    assert plane.spare(Kind.METER_READING, 2 * HOUR_NS)
    assert min(delays_ns(plane, HOUR_NS, Kind.TELEMETRY)) > 0


def test_a_sender_counts_what_it_was_spared() -> None:
    plane = plane_of()
    delays_ns(plane, 0)
    assert plane.spare(Kind.METER_READING, 2 * HOUR_NS)
    delays_ns(plane, HOUR_NS)
    watched = plane.watch([read(plane, 2 * HOUR_NS)])
    plane.advance(3 * HOUR_NS)
    (trace,) = watched.traces.values()
    assert trace.number == 2


def test_a_trace_of_it_has_no_hops() -> None:
    plane = plane_of()
    delays_ns(plane, 0)
    assert plane.spare(Kind.METER_READING, 2 * HOUR_NS)
    watched = plane.watch([read(plane, HOUR_NS)])
    plane.advance(2 * HOUR_NS)
    (trace,) = watched.traces.values()
    assert (trace.delivered_ns, trace.is_over) == (HOUR_NS, True)
    assert [copy.hops for copy in trace.copies] == [[] for _ in trace.copies]


def test_nothing_is_spared_the_way_before_the_network_has_shown_what_it_carries() -> None:
    assert not plane_of().spare(Kind.METER_READING, HOUR_NS)


def test_nothing_is_spared_the_way_where_messages_are_lost_or_under_way() -> None:
    lossy = plane_of(break_loss=1.0)
    read(lossy, 0)
    lossy.advance(HOUR_NS)
    assert len(lossy.lost) > 0
    assert not lossy.spare(Kind.METER_READING, 2 * HOUR_NS)
    slow = plane_of()
    read(slow, 0)
    slow.advance(1)
    assert not slow.spare(Kind.METER_READING, 2 * HOUR_NS)


def test_nothing_is_spared_the_way_past_a_failure() -> None:
    plane = plane_of()
    delays_ns(plane, 0)
    plane.fail(np.array([METERS]), 2 * HOUR_NS, 3 * HOUR_NS)
    assert not plane.spare(Kind.METER_READING, 2 * HOUR_NS + 1)
    assert plane.spare(Kind.METER_READING, 2 * HOUR_NS)
