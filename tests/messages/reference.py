"""A plain second message plane with simpy: one process per copy, one resource per server; slow, and easy to check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import simpy

from heptagrid.contracts.kinds import ENVELOPE_BYTES, KindFacts
from heptagrid.foundation.domains import Kind
from heptagrid.foundation.random import Stream, uniform
from heptagrid.planes.messages.topology import Topology


@dataclass
class Message:
    number: int
    kind: Kind
    source: int
    destination: int
    sent_ns: int
    size: int
    delivered_ns: int | None = None
    acknowledged_ns: int | None = None
    copies: int = 0


@dataclass
class Reference:
    """Feed it messages, run it, look at their times."""

    topology: Topology
    facts: dict[Kind, KindFacts]
    seed: int
    break_loss: tuple[float, float, float] = (0.0, 0.0, 0.0)
    messages: list[Message] = field(default_factory=list)

    def run(self) -> None:
        self.world = simpy.Environment()
        self.servers = [simpy.Resource(self.world, 1) for _ in self.topology.rate_bps]
        for message in self.messages:
            self.world.process(self.sender(message))
        self.world.run()

    def sender(self, message: Message) -> Iterator[simpy.Event]:
        facts = self.facts[message.kind]
        yield self.world.timeout(message.sent_ns)
        copies = 1 + (facts.retries if facts.acknowledged else 0)
        for copy in range(copies):
            if message.acknowledged_ns is not None:
                return
            message.copies += 1
            self.world.process(self.data(message, copy))
            if copy + 1 < copies:
                wait_ns = first_timeout_ns(self.seed, message.kind, message.source, message.number, facts.timeout_s)
                yield self.world.timeout(wait_ns << copy)

    def data(self, message: Message, copy: int) -> Iterator[simpy.Event]:
        for server in self.path(message.source, message.destination):
            arrived = yield from self.cross(server, message, copy, message.size, int(message.kind))
            if not arrived:
                return
        if message.delivered_ns is None:
            message.delivered_ns = self.world.now
        if self.facts[message.kind].acknowledged:
            self.world.process(self.answer(message, copy))

    def answer(self, message: Message, copy: int) -> Iterator[simpy.Event]:
        size = self.facts[Kind.ACK].payload_bytes + ENVELOPE_BYTES
        for server in self.path(message.destination, message.source):
            arrived = yield from self.cross(server, message, copy, size, int(message.kind) + 16)
            if not arrived:
                return
        if message.acknowledged_ns is None:
            message.acknowledged_ns = self.world.now

    def cross(self, server: int, message: Message, copy: int, size: int, lane: int) -> Iterator[simpy.Event]:
        """Wait in the queue, transmit until it works or the attempts are used up, then propagate."""
        entity = (server << 40) | (message.source << 8) | lane
        occasion = (message.number << 16) | (copy << 8)
        topology = self.topology
        with self.servers[server].request() as turn:
            yield turn
            lost = True
            for attempt in range(1, int(topology.retries[server]) + 2):
                yield self.world.timeout(int(np.rint(size * 8e9 / topology.rate_bps[server])))
                drawn = uniform(self.seed, int(Stream.LINK_LOSS), entity, occasion + attempt)
                if topology.loss[server] == 0.0 or drawn >= topology.loss[server]:
                    lost = False
                    break
        broken = self.break_loss[topology.link_class[server]]
        if broken > 0.0 and uniform(self.seed, int(Stream.CLASS_BREAK), entity, occasion) < broken:
            lost = True
        yield self.world.timeout(int(topology.delay_ns[server]))
        return not lost

    def path(self, source: int, destination: int) -> list[int]:
        """Up from both ends to the nearest common place."""
        ups = [source]
        while self.topology.parent[ups[-1]] >= 0:
            ups.append(int(self.topology.parent[ups[-1]]))
        downs = [destination]
        while downs[-1] not in ups:
            downs.append(int(self.topology.parent[downs[-1]]))
        meeting = downs[-1]
        up = [int(self.topology.up[place]) for place in ups[: ups.index(meeting)]]
        return up + [int(self.topology.down[place]) for place in reversed(downs[:-1])]


def first_timeout_ns(seed: int, kind: int, source: int, number: int, timeout_s: float) -> int:
    """One to one and a half times the kind's time-out: RFC 7252 section 4.2."""
    timeout_ns = round(timeout_s * 1e9)
    return timeout_ns + int(uniform(seed, int(Stream.TIME_OUT), (source << 8) | int(kind), number) * 0.5 * timeout_ns)
