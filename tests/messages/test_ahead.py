"""Messages that travel on a thread of their own come to what they come to otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.errors import ContractError
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.tables import N_SENT
from tests.messages.test_plane import STEP_NS, WAYS, S, facts_with, random_tree, traffic

STEPS = 8


def outcomes(case: int, threads: int) -> list[np.ndarray]:
    """What became known step by step in a random tree where some places fail, with waves sent at each step's end."""
    rng = np.random.default_rng(case)
    gateways, concentrators = int(rng.integers(2, 12)), int(rng.integers(1, 4))
    topology = random_tree(rng, gateways, concentrators)
    plane = MessagePlane(topology, case, facts=facts_with(timeout_s=5.0, retries=2), threads=threads)
    waves = traffic(rng, gateways, concentrators, 40)
    known: list[np.ndarray] = []
    for step in range(STEPS):
        end_ns = (step + 1) * STEP_NS
        plane.begin(end_ns - 1)
        if step < 3:
            kind, source, destination, sent_ns = waves[step]
            sender, receiver = WAYS[kind]
            plane.send(kind, source, destination, end_ns + sent_ns // 1000 * 1000, sender=sender, receiver=receiver)
        plane.advance(end_ns)
        known += [plane.arrived, plane.answered, plane.lost]
    counts = plane.counts()
    assert counts.residual == 0
    return [*known, counts.counters, counts.pairs, counts.histogram, plane.counts_by_place(), plane.busy_s()]


@pytest.mark.parametrize("case", range(20))
def test_a_thread_of_their_own_changes_nothing(case: int) -> None:
    for ours, theirs in zip(outcomes(case, 2), outcomes(case, 1), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def plane_of_two_threads() -> tuple[MessagePlane, int]:
    """A plane, and its operations' place."""
    return MessagePlane(random_tree(np.random.default_rng(1), 4, 2), 1, threads=2), 7


def readings(plane: MessagePlane, operations: int, sent_ns: int) -> None:
    source, destination = np.arange(4), np.full(4, operations)
    way = {"sender": Domain.CUSTOMERS, "receiver": Domain.OPERATIONS}
    plane.send(Kind.METER_READING, source, destination, np.full(4, sent_ns), **way)


def test_what_leaves_at_an_instant_that_has_been_passed_is_refused() -> None:
    plane, operations = plane_of_two_threads()
    readings(plane, operations, 0)
    plane.begin(60 * S - 1)
    with pytest.raises(ContractError, match="customers sends a meter_reading that leaves before the step's end"):
        readings(plane, operations, 60 * S - 1)
    readings(plane, operations, 60 * S)
    plane.advance(60 * S)
    assert plane.counts().counters[N_SENT, Kind.METER_READING] == 8


def test_a_change_of_the_network_on_the_way_is_not_passed() -> None:
    plane, operations = plane_of_two_threads()
    plane.fail(np.array([4]), 30 * S, 50 * S)
    plane.begin(60 * S - 1)
    readings(plane, operations, 59 * S)  # nothing has begun, so this is in time
    plane.advance(60 * S)


def test_what_fails_on_the_thread_is_raised_by_who_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    plane, operations = plane_of_two_threads()
    readings(plane, operations, 0)

    def break_down(*_: object) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(plane._queue, "advance", break_down)
    plane.begin(S)
    with pytest.raises(MemoryError, match="no room"):
        plane.advance(2 * S)
