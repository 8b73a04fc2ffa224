"""The message plane: takes what is sent, lets time pass, and says what arrived and when."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.domains import Domain, Kind
from heptagrid.planes.messages import kernel, policy
from heptagrid.planes.messages.kinds import ENVELOPE_BYTES, FACTS, KindFacts
from heptagrid.planes.messages.statistics import KINDS, Counts
from heptagrid.planes.messages.topology import Topology

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class MessagePlane:
    """All messages of one arm.

    Parameters
    ----------
    topology : places and servers.
    seed : of the random numbers; a loss is a pure function of (seed, link, sender, kind, number, attempt).
    break_loss : probability by link class that a crossing is lost after all link retries.
    facts : of the kinds; other than the declared ones in tests.
    """

    def __init__(
        self,
        topology: Topology,
        seed: int,
        break_loss: tuple[float, float, float] = (0.0, 0.0, 0.0),
        facts: dict[Kind, KindFacts] = FACTS,
    ) -> None:
        if 2 * int(topology.depth.max(initial=0)) > kernel.MOST_HOPS:
            raise ValueError(f"the communication tree is too deep: a path may have {kernel.MOST_HOPS} hops at most")
        self.topology = topology
        self.hop_events = 0
        self._seed = seed
        self._break_loss = np.array(break_loss, dtype=np.float64)
        self._facts = _fact_table(facts)
        self._sizes = np.array([facts[kind].payload_bytes for kind in Kind], dtype=np.int64)
        self._tree = (topology.parent, topology.depth, topology.up, topology.down)
        self._network = (
            *(topology.rate_bps.astype(np.float64), topology.delay_ns, topology.loss.astype(np.float64)),
            *(topology.retries.astype(np.int64), topology.link_class.astype(np.int64)),
        )
        servers = len(topology.rate_bps)
        self.free_ns = np.zeros(servers, dtype=np.int64)
        self.busy_ns = np.zeros(servers, dtype=np.int64)
        self._next_id = 0
        self._numbers = np.zeros((KINDS, topology.places), dtype=np.int64)
        self._waves: list[Ints] = []
        self._copies = 2 * (1 + int(self._facts[:, kernel.RETRIES].max())) + 1
        self._state = np.empty((0, kernel.STATE), dtype=np.int64)
        self._routes = np.empty((0, 2, kernel.MOST_HOPS), dtype=np.int64)
        self._vacant = np.empty(0, dtype=np.int64)
        self._vacant_size = 0
        self._heap = np.empty((0, 3), dtype=np.int64)
        self._heap_size = 0
        self._timers = np.empty((KINDS, 1, 3), dtype=np.int64)
        self._timer_head = np.zeros(KINDS, dtype=np.int64)
        self._timer_size = np.zeros(KINDS, dtype=np.int64)
        self._counts = Counts.none()
        groups = topology.groups + 1
        self._quarter = np.zeros((KINDS, groups, 4), dtype=np.int64)
        self._worst_ns = np.zeros((KINDS, groups), dtype=np.int64)
        self.answered = np.empty((0, 2), dtype=np.int64)

    def send(
        self,
        kind: Kind,
        source: Ints,
        destination: Ints,
        sent_ns: Ints,
        *,
        sender: Domain,
        receiver: Domain,
        payload_bytes: int | None = None,
    ) -> int:
        """Take (n,) messages of one kind; each leaves at its `sent_ns`. Returns the first one's index.

        Raises
        ------
        PolicyError
            If `sender` may not send `kind` to `receiver`.
        """
        policy.check(kind, sender, receiver)
        count = len(source)
        fresh = np.empty((count, kernel.PENDING), dtype=np.int64)
        first = self._next_id
        self._next_id += count
        fresh[:, kernel.ID] = first + np.arange(count)
        fresh[:, kernel.SOURCE] = source
        fresh[:, kernel.DESTINATION] = destination
        fresh[:, kernel.KIND] = kind
        fresh[:, kernel.BYTES] = ENVELOPE_BYTES + (self._sizes[kind] if payload_bytes is None else payload_bytes)
        fresh[:, kernel.SENT] = sent_ns
        fresh[:, kernel.PAIR] = 7 * sender + receiver
        fresh[:, kernel.GROUP] = np.maximum(self.topology.group[source], self.topology.group[destination])
        if count > 1 and (sent_ns[1:] < sent_ns[:-1]).any():
            fresh = fresh[np.argsort(sent_ns, kind="stable")]
        distinct = count > 1 and bool((source[1:] > source[:-1]).all())
        fresh[:, kernel.NUMBER] = self._numbered(kind, fresh[:, kernel.SOURCE], distinct)
        if count:
            self._waves.append(fresh)
        return first

    def advance(self, until_ns: int) -> tuple[Ints, Ints]:
        """Let time pass to `until_ns`: indices and times of the messages that arrived, in order of time."""
        due = self._take_due(until_ns)
        self._make_room(len(due))
        under_way = len(self._state) - self._vacant_size + len(due)
        arrived = np.empty((under_way, 2), dtype=np.int64)
        answered = np.empty((under_way, 2), dtype=np.int64)
        counts = self._counts
        self._heap_size, self._vacant_size, arrivals, answers, events = kernel.advance(
            *(until_ns, due, self._heap, self._heap_size, self._timers, self._timer_head, self._timer_size),
            *(self._state, self._routes),
            *(self._vacant, self._vacant_size, self._facts, self._tree, self._network, self._break_loss, self._seed),
            *(self.free_ns, self.busy_ns, counts.counters, counts.pairs, counts.histogram),
            *(self._quarter, self._worst_ns, arrived, answered),
        )
        self.hop_events += events
        self.answered = answered[:answers]
        return arrived[:arrivals, 0], arrived[:arrivals, 1]

    def oldest_under_way(self) -> int:
        """The least index of a message that may still arrive; all before it are done."""
        alive = self._state[self._state[:, kernel.OVER] == 0, kernel.ID]
        waiting = [int(wave[:, kernel.ID].min()) for wave in self._waves]
        return min([self._next_id, *waiting, *([int(alive.min())] if len(alive) else [])])

    def begin_counting(self) -> None:
        """Count from here; what is under way now is not counted."""
        self._counts = Counts.none()
        self._quarter[:] = 0
        self._worst_ns[:] = 0
        self._state[:, kernel.COUNTED] = 0

    def counts(self) -> Counts:
        """Counts since `begin_counting`; what is in flight is counted among the messages under way."""
        state = self._state[(self._state[:, kernel.COUNTED] == 1) & (self._state[:, kernel.OVER] == 0)]
        flying = state[state[:, kernel.DELIVERED] < 0]
        in_flight = np.bincount(flying[:, kernel.KIND], minlength=KINDS)
        in_flight[Kind.ACK] = np.sum((state[:, kernel.ACK_SENT] > 0) & (state[:, kernel.ACKNOWLEDGED] < 0))
        counts = self._counts
        return Counts(counts.counters.copy(), in_flight, counts.pairs.copy(), counts.histogram.copy())

    def take_quarter(self) -> dict[str, np.ndarray]:
        """Counts by kind and access network since the last call, as columns; only rows with any."""
        kind, group = np.nonzero(self._quarter.any(axis=2))
        counts = self._quarter[kind, group]
        columns: dict[str, np.ndarray] = {
            "kind": kind,
            "concentrator": (group - 1).astype(np.int32),
            **{name: counts[:, k].astype(np.int32) for k, name in enumerate(("sent", "delivered", "lost", "late"))},
            "worst_s": (self._worst_ns[kind, group] * 1e-9).astype(np.float32),
        }
        self._quarter[:] = 0
        self._worst_ns[:] = 0
        return columns

    def _take_due(self, until_ns: int) -> Ints:
        """Take the messages whose time comes by `until_ns` out of the waiting waves, by time and index."""
        parts, waiting = [], []
        for wave in self._waves:
            count = int(np.searchsorted(wave[:, kernel.SENT], until_ns, side="right"))
            if count:
                parts.append(wave[:count])
            if count < len(wave):
                waiting.append(wave[count:])
        self._waves = waiting
        if not parts:
            return np.empty((0, kernel.PENDING), dtype=np.int64)
        if len(parts) == 1:
            return parts[0]
        due = np.concatenate(parts)
        return np.asarray(due[np.lexsort((due[:, kernel.ID], due[:, kernel.SENT]))])

    def _numbered(self, kind: Kind, sources: Ints, distinct: bool) -> Ints:
        """Each sender's own running number of the kind, in order of sending."""
        numbers = self._numbers[kind]
        if distinct:
            given = numbers[sources]
            numbers[sources] += 1
            return np.asarray(given)
        if len(sources) and (sources == sources[0]).all():
            start = numbers[sources[0]]
            numbers[sources[0]] += len(sources)
            return np.asarray(start + np.arange(len(sources)))
        order = np.argsort(sources, kind="stable")
        ordered = sources[order]
        new = np.concatenate([[True], ordered[1:] != ordered[:-1]]) if len(sources) else np.empty(0, dtype=bool)
        first = np.maximum.accumulate(np.where(new, np.arange(len(sources)), 0))
        within = np.empty(len(sources), dtype=np.int64)
        within[order] = np.arange(len(sources)) - first
        given = numbers[sources] + within
        np.add.at(numbers, sources, 1)
        return np.asarray(given)

    def _make_room(self, due: int) -> None:
        """Grow the tables so that `due` more messages find room."""
        if due <= self._vacant_size:
            return
        old = len(self._state)
        size = max(1024, 2 * old, old + due)
        self._state = np.concatenate([self._state, np.zeros((size - old, kernel.STATE), dtype=np.int64)])
        self._routes = np.concatenate([self._routes, np.zeros((size - old, 2, kernel.MOST_HOPS), dtype=np.int64)])
        vacant = np.empty(size, dtype=np.int64)
        fresh = size - old
        vacant[: self._vacant_size] = self._vacant[: self._vacant_size]
        vacant[self._vacant_size : self._vacant_size + fresh] = np.arange(size - 1, old - 1, -1)
        self._vacant, self._vacant_size = vacant, self._vacant_size + fresh
        self._state[old:, kernel.OVER] = 2
        heap = np.empty((size * self._copies, 3), dtype=np.int64)
        heap[: self._heap_size] = self._heap[: self._heap_size]
        self._heap = heap
        timers = np.empty((KINDS, size, 3), dtype=np.int64)
        for kind in range(KINDS):
            there = (self._timer_head[kind] + np.arange(self._timer_size[kind])) % self._timers.shape[1]
            timers[kind, : len(there)] = self._timers[kind, there]
        self._timers = timers
        self._timer_head[:] = 0


def _fact_table(facts: dict[Kind, KindFacts]) -> Ints:
    """(kinds, 5) deadline (ns), acknowledged, time-out (ns), retries, bytes of an acknowledgement."""
    ack_bytes = facts[Kind.ACK].payload_bytes + ENVELOPE_BYTES
    return np.array(
        [
            (
                *(round(facts[kind].deadline_s * 1e9), int(facts[kind].acknowledged)),
                *(round(facts[kind].timeout_s * 1e9), facts[kind].retries, ack_bytes),
            )
            for kind in Kind
        ],
        dtype=np.int64,
    )
