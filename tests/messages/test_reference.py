"""The message plane where many things happen at once: a second reference that keeps the documented order of ties.

All times are whole milliseconds and many messages leave together, so copies meet at servers at one and the same
nanosecond. Then the documented order decides: arrivals by the message's index, an acknowledgement after its message,
time-outs last, by index too.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import numpy as np
import pytest

from heptagrid.contracts.kinds import ENVELOPE_BYTES, FACTS, KindFacts
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.random import Stream, uniform
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.topology import Topology
from tests.messages.reference import first_timeout_ns

MS = 1_000_000
SIZE = 250  # bytes of each data message on the wire; with the rates below a copy takes whole milliseconds
WAYS = {
    Kind.METER_READING: (Domain.CUSTOMERS, Domain.OPERATIONS),
    Kind.SETPOINT: (Domain.PROVIDERS, Domain.CUSTOMERS),
    Kind.TELEMETRY: (Domain.DISTRIBUTION, Domain.OPERATIONS),
}


@dataclass
class Sent:
    kind: Kind
    source: int
    destination: int
    sent_ns: int
    number: int
    copies: int = 0
    delivered_ns: int | None = None
    acknowledged_ns: int | None = None


@dataclass
class OrderedReference:
    """A list of events in the order (time, time-outs last, index, acknowledgement last, first come)."""

    topology: Topology
    facts: dict[Kind, KindFacts]
    seed: int
    messages: list[Sent]
    events: list[tuple[int, int, int, int, int, int, int]] = field(default_factory=list)

    def run(self) -> None:
        self.free_ns = [0] * len(self.topology.rate_bps)
        self.count = 0
        for index, message in enumerate(self.messages):
            self.launch(message.sent_ns, index)
        while self.events:
            now, timeout, index, is_ack, _, copy, hop = heapq.heappop(self.events)
            if timeout:
                if self.messages[index].acknowledged_ns is None:
                    self.launch(now, index)
            else:
                self.arrive(now, index, is_ack, copy, hop)

    def put(self, when: int, timeout: int, index: int, is_ack: int, copy: int, hop: int) -> None:
        self.count += 1
        heapq.heappush(self.events, (when, timeout, index, is_ack, self.count, copy, hop))

    def launch(self, now: int, index: int) -> None:
        message, facts = self.messages[index], self.facts[self.messages[index].kind]
        copy = message.copies
        message.copies += 1
        self.put(now, 0, index, 0, copy, 0)
        if facts.acknowledged and copy < facts.retries:
            wait_ns = first_timeout_ns(self.seed, message.kind, message.source, message.number, facts.timeout_s)
            self.put(now + (wait_ns << copy), 1, index, 0, copy, 0)

    def arrive(self, now: int, index: int, is_ack: int, copy: int, hop: int) -> None:
        message = self.messages[index]
        ends = (message.destination, message.source) if is_ack else (message.source, message.destination)
        path = servers(self.topology, *ends)
        if hop < len(path):
            when = self.cross(now, path[hop], message, is_ack, copy)
            if when is not None:
                self.put(when, 0, index, is_ack, copy, hop + 1)
        elif is_ack:
            message.acknowledged_ns = now if message.acknowledged_ns is None else message.acknowledged_ns
        else:
            message.delivered_ns = now if message.delivered_ns is None else message.delivered_ns
            if self.facts[message.kind].acknowledged:
                self.put(now, 0, index, 1, copy, 0)

    def cross(self, now: int, server: int, message: Sent, is_ack: int, copy: int) -> int | None:
        """When the copy is through, or None; a lost one holds the server all the same."""
        topology = self.topology
        size = self.facts[Kind.ACK].payload_bytes + ENVELOPE_BYTES if is_ack else SIZE
        entity = (server << 40) | (message.source << 8) | (int(message.kind) + 16 * is_ack)
        for attempt in range(1, int(topology.retries[server]) + 2):
            self.free_ns[server] = max(now, self.free_ns[server]) + round(size * 8e9 / topology.rate_bps[server])
            occasion = (message.number << 16) | (copy << 8) | attempt
            if uniform(self.seed, int(Stream.LINK_LOSS), entity, occasion) >= topology.loss[server]:
                return self.free_ns[server] + int(topology.delay_ns[server])
        return None


def servers(topology: Topology, source: int, destination: int) -> list[int]:
    """Up to the nearest common place and down again."""
    climbed = [source]
    while topology.parent[climbed[-1]] >= 0:
        climbed.append(int(topology.parent[climbed[-1]]))
    path: list[int] = []
    while destination not in climbed:
        path.insert(0, int(topology.down[destination]))
        destination = int(topology.parent[destination])
    return [int(topology.up[place]) for place in climbed[: climbed.index(destination)]] + path


def chained_tree(rng: np.random.Generator, places: int) -> Topology:
    """Any tree of at most five levels; some links are half duplex; all copies take whole milliseconds."""
    parent, depth = np.full(places, -1), np.zeros(places, dtype=np.int64)
    for place in range(1, places):
        parent[place] = rng.choice(np.flatnonzero(depth[:place] < 5))
        depth[place] = depth[parent[place]] + 1
    half_duplex = rng.random(places) < 0.4
    up, down = np.full(places, -1), np.full(places, -1)
    count = 0
    for place in range(1, places):
        up[place], down[place] = count, count if half_duplex[place] else count + 1
        count = int(down[place]) + 1
    return Topology(
        parent=parent,
        up=up,
        down=down,
        depth=depth,
        rate_bps=rng.choice([1e6, 5e5, 2e6], count),
        delay_ns=rng.integers(0, 4, count) * MS,
        loss=rng.choice([0.0, 0.1, 0.4], count),
        retries=rng.integers(0, 3, count),
        link_class=np.zeros(count, dtype=np.int64),
        group=np.full(places, -1),
        groups=0,
    )


def tied_facts(timeout_s: float, retries: int) -> dict[Kind, KindFacts]:
    facts = dict(FACTS)
    for kind, acknowledged in ((Kind.METER_READING, True), (Kind.SETPOINT, True), (Kind.TELEMETRY, False)):
        own = (timeout_s, retries) if acknowledged else (0.0, 0)
        facts[kind] = KindFacts(SIZE - ENVELOPE_BYTES, 60.0, acknowledged, *own, 0, "test")
    facts[Kind.ACK] = KindFacts(125 - ENVELOPE_BYTES, 60.0, False, 0.0, 0, 0, "test")
    return facts


def tied_traffic(rng: np.random.Generator, places: int) -> list[tuple[Kind, np.ndarray, np.ndarray, np.ndarray]]:
    """Nine waves, handed over at once; within two hundred milliseconds, so that many leave together."""
    waves = []
    for kind in list(WAYS) * 3:
        count = int(rng.integers(1, 40))
        sent_ns = np.sort(rng.integers(0, 200, count)) * MS
        waves.append((kind, rng.integers(0, places, count), rng.integers(0, places, count), sent_ns))
    return waves


@pytest.mark.parametrize("case", range(40))
def test_ties_are_served_in_the_documented_order(case: int) -> None:
    rng = np.random.default_rng(1000 + case)
    places = int(rng.integers(3, 14))
    topology = chained_tree(rng, places)
    facts = tied_facts(float(rng.choice([0.003, 0.02, 0.2, 3.0])), int(rng.integers(0, 4)))
    waves = tied_traffic(rng, places)
    messages: list[Sent] = []
    numbers: dict[tuple[Kind, int], int] = {}
    for kind, source, destination, sent_ns in waves:
        for k in range(len(source)):
            lane = (kind, int(source[k]))
            numbers[lane] = numbers.get(lane, -1) + 1
            messages.append(Sent(kind, int(source[k]), int(destination[k]), int(sent_ns[k]), numbers[lane]))
    OrderedReference(topology, facts, case, messages).run()

    plane = MessagePlane(topology, case, facts=facts)
    for kind, source, destination, sent_ns in waves:
        sender, receiver = WAYS[kind]
        plane.send(kind, source, destination, sent_ns, sender=sender, receiver=receiver)
    delivered: dict[int, int] = {}
    acknowledged: dict[int, int] = {}
    until = 0
    while until < 120_000 * MS:
        until += int(rng.integers(1, 50)) * MS if until < 500 * MS else 10_000 * MS
        ids, times = plane.advance(until)
        assert not set(ids.tolist()) & set(delivered), "delivered once"
        delivered |= dict(zip(ids.tolist(), times.tolist(), strict=True))
        acknowledged |= {int(i): int(t) for i, t in plane.answered}
        counts = plane.counts()
        for name in ("METER_READING", "SETPOINT", "TELEMETRY", "ACK"):
            kind = Kind[name]
            sent, got = counts.counters[0, kind], counts.counters[1, kind]
            assert sent == got + counts.lost[kind] + counts.in_flight[kind]
    assert [delivered.get(k) for k in range(len(messages))] == [m.delivered_ns for m in messages]
    assert [acknowledged.get(k) for k in range(len(messages))] == [m.acknowledged_ns for m in messages]


def test_windows_change_no_acknowledgement() -> None:
    rng = np.random.default_rng(77)
    topology, facts = chained_tree(rng, 9), tied_facts(0.01, 3)
    waves = tied_traffic(rng, 9)

    def answered(step_ns: int) -> list[tuple[int, int]]:
        plane = MessagePlane(topology, 3, facts=facts)
        for kind, source, destination, sent_ns in waves:
            plane.send(kind, source, destination, sent_ns, sender=WAYS[kind][0], receiver=WAYS[kind][1])
        pairs = []
        for until in range(step_ns, 6_000 * MS + 1, step_ns):
            plane.advance(until)
            pairs += [(int(i), int(t)) for i, t in plane.answered]
        return pairs

    whole = answered(6_000 * MS)
    assert len(whole) > 30
    assert answered(MS) == answered(3 * MS) == answered(500 * MS) == whole
