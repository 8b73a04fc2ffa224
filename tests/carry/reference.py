"""A plain second `heptagrid carry` with simpy: one process and one priority store per link; slow, and easy to check.

At one and the same nanosecond simpy takes events by their priority: ends of transmissions, then what links begin with,
then arrivals in the order of rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import simpy

from heptagrid.foundation.random import Stream, uniform

ENDS, ARRIVES = 0, 10  # simpy's own events, such as a store's, have priority 1


@dataclass(frozen=True)
class Link:
    """One direction; `queue_packets` is None if the buffer is unbounded, `rate_bps` a whole number."""

    source: int
    destination: int
    rate_bps: int
    delay_ns: int = 0
    loss: float = 0.0
    retries: int = 0
    priorities: int = 1
    queue_packets: int | None = None

    def transmission_ns(self, size_bytes: int) -> int:
        """To the nearest nanosecond, in exact arithmetic; of two equally near, the even one."""
        return round(Fraction(8 * 10**9 * size_bytes, self.rate_bps))


@dataclass
class Message:
    row: int
    sent_ns: int
    source: int
    destination: int
    size_bytes: int
    priority: int = 0
    number: int = 0
    delivered_ns: int = -1
    status: str = "waiting"
    hops: int = 0


class Reference:
    """Carries messages over links; the results stand in the messages."""

    def __init__(self, links: list[Link], messages: list[Message], seed: int) -> None:
        self.links = links
        self.seed = seed
        self.transmissions = 0
        sent: dict[int, int] = {}
        for message in sorted(messages, key=lambda each: (each.sent_ns, each.row)):
            message.number = sent.get(message.source, 0)
            sent[message.source] = message.number + 1
        self.world = simpy.Environment()
        self.stores = [simpy.PriorityStore(self.world) for _ in links]
        self.free_ns = [0] * len(links)
        self.between: dict[tuple[int, int], list[int]] = {}
        for number, link in enumerate(links):
            self.between.setdefault((link.source, link.destination), []).append(number)
        self.turns = 0
        for number in range(len(links)):
            self.world.process(self.serve(number))
        for message in messages:
            self.arrival(message, shortest_path(links, message.source, message.destination), message.sent_ns)
        self.world.run()

    def at(self, delay_ns: int, priority: int) -> simpy.Event:
        """An event after `delay_ns`, of that priority among those of its nanosecond."""
        event = simpy.Event(self.world)
        event._ok, event._value = True, None
        self.world.schedule(event, priority, delay_ns)
        return event

    def arrival(self, message: Message, path: list[int], delay_ns: int) -> None:
        """After `delay_ns` the message stands before the first link of what is left of its path."""
        event = self.at(delay_ns, ARRIVES + message.row)
        event.callbacks.append(lambda _: self.arrive(message, path))

    def arrive(self, message: Message, path: list[int]) -> None:
        if not path:
            message.status, message.delivered_ns = "delivered", int(self.world.now)
            return
        path = [self.soonest(path[0], message), *path[1:]]
        link, store = self.links[path[0]], self.stores[path[0]]
        if self.is_full(path[0]):
            message.status = "dropped"
            return
        self.turns += 1
        urgency = min(message.priority, link.priorities - 1)
        store.put(simpy.PriorityItem((urgency, self.turns), (message, path)))

    def is_full(self, number: int) -> bool:
        link, store = self.links[number], self.stores[number]
        is_idle = bool(store.get_queue)
        return not is_idle and link.queue_packets is not None and len(store.items) >= link.queue_packets

    def soonest(self, number: int, message: Message) -> int:
        """Of parallel links that are not full, the one over which the message would be there first; of equal ones the first."""
        ends = self.links[number].source, self.links[number].destination
        parallel = self.between[ends]
        if len(parallel) == 1:
            return number
        found: list[tuple[int, int]] = []
        for k in parallel:
            link = self.links[k]
            if not self.is_full(k):
                once = link.transmission_ns(message.size_bytes)
                takes = min(round(once / (1.0 - link.loss)), 1 << 58) if link.loss < 1.0 else 1 << 58
                waits = sum(link.transmission_ns(each.item[0].size_bytes) for each in self.stores[k].items)
                found.append((max(0, self.free_ns[k] - int(self.world.now)) + waits + takes + link.delay_ns, k))
        return min(found)[1] if found else number

    def serve(self, number: int) -> Iterator[simpy.Event]:
        """A link: one message after another, each again until it is through or may not be sent again."""
        link = self.links[number]
        while True:
            item = yield self.stores[number].get()
            message, path = item.item
            tries = [attempt for attempt in range(1, link.retries + 2) if not self.is_lost(number, message, attempt)]
            attempts = tries[0] if tries else link.retries + 1
            self.free_ns[number] = int(self.world.now) + attempts * link.transmission_ns(message.size_bytes)
            for attempt in range(1, link.retries + 2):
                self.transmissions += 1
                yield self.at(link.transmission_ns(message.size_bytes), ENDS)
                if not self.is_lost(number, message, attempt):
                    message.hops += 1
                    self.arrival(message, path[1:], link.delay_ns)
                    break
            else:
                message.status = "lost"

    def is_lost(self, number: int, message: Message, attempt: int) -> bool:
        """The documented random number of this attempt of this message of this sender on this link."""
        entity, occasion = (number << 40) | (message.source << 8), (message.number << 16) | attempt
        return uniform(self.seed, int(Stream.LINK_LOSS), entity, occasion) < self.links[number].loss


def shortest_path(links: list[Link], source: int, destination: int) -> list[int]:
    """Least (delay, hops, links in the file's order), found by trying every link until nothing improves."""
    best: dict[int, tuple[float, int, list[int]]] = {source: (0, 0, [])}
    improved = True
    while improved:
        improved = False
        for number, link in enumerate(links):
            if link.source not in best:
                continue
            delay, hops, path = best[link.source]
            found = (delay + link.delay_ns, hops + 1, [*path, number])
            if found < best.get(link.destination, (math.inf, 0, [])):
                best[link.destination] = found
                improved = True
    return best[destination][2]
