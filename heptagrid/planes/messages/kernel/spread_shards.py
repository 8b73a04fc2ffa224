"""The shards of a message plane spread over processes: each passes time where it lives, and only what leaves and what became known goes to and fro.

The first shard, in which control centres, plants and substations meet, stays here. What becomes known is what `Shards` says, in the same order.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from heptagrid.foundation.away import Away
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.kernel.ahead import Ahead
from heptagrid.planes.messages.kernel.shards import Leaving, Shards, in_order
from heptagrid.planes.messages.kernel.shards_apart import BUSY, NewHops, ShardsApart
from heptagrid.planes.messages.kernel.tally import Tally
from heptagrid.planes.messages.statistics import Counts
from heptagrid.planes.messages.tables import Ints, Net, Outcome


@dataclass
class _Part:
    """Some shards of the whole. numbers: which, one after another; ports: theirs; hops_known: how far of the table of hops they know."""

    shards: Away | ShardsApart
    numbers: Ints
    ports: Ints
    hops_known: int

    def begin(self, method: str, *given: Any) -> Callable[[], Any]:
        """Begin a call where they live, or do it; what returns its result."""
        if isinstance(self.shards, Away):
            return self.shards.begin(method, *given).result
        found = getattr(self.shards, method)(*given)
        return lambda: found

    def call(self, method: str, *given: Any) -> Any:
        """Call where they live."""
        return self.begin(method, *given)()


class SpreadShards:
    """As `Shards`, of which all but the first live elsewhere. net: the whole's, whose changing rows are as old as the last `gather`."""

    def __init__(self, whole: Shards, processes: Sequence[Callable[[ShardsApart], Away]]) -> None:
        """Spread a whole; processes: each takes some shards, which follow one another."""
        self._whole = whole
        places = whole.shard_of
        bounds = [1 + (len(whole.queues) - 1) * k // len(processes) for k in range(len(processes) + 1)]
        which = [np.arange(1), *(np.arange(begin, end) for begin, end in pairwise(bounds))]
        node = whole.net.port[:, t.P_NODE]
        self._events_gathered = 0
        self._parts = []
        for k, numbers in enumerate(which):
            apart = ShardsApart(whole, numbers)
            held = processes[k - 1](apart) if k else pickle.loads(pickle.dumps(apart, protocol=5))
            ports = np.flatnonzero(np.isin(places[node], numbers))
            self._parts.append(_Part(held, numbers, ports, whole.paths.size))

    def __reduce__(self) -> tuple[Any, ...]:
        return _same, (self.gather(),)

    @property
    def net(self) -> Net:
        return self._whole.net

    def gathered(self, parts: list[Ints]) -> Leaving:
        """As `Shards.gathered`."""
        return self._whole.gathered(parts)

    def begin(self, due: Leaving, until_ns: int, threads: int, then: Sequence[Callable[[], object]] = ()) -> Ahead:
        """As `Shards.begin`; each process is a helper. What might be done then is left undone: no thread waits here."""
        results = []
        for part in reversed(self._parts):  # the one that lives here last
            first, last = int(part.numbers[0]), int(part.numbers[-1]) + 1
            begins = due.begins[first : last + 1]
            rows = due.rows[begins[0] : begins[-1]]
            results.append(part.begin("pass_time", self._news_for(part), rows, begins - begins[0], until_ns))
        return Ahead(until_ns, partial(_joined, results[::-1]))

    def advance(self, due: Leaving, until_ns: int) -> Outcome:
        """As `Shards.advance`."""
        return self.begin(due, until_ns, 1).outcome()

    def _news_for(self, part: _Part) -> NewHops:
        """The hops of its nodes that it does not know."""
        paths = self._whole.paths
        at = np.arange(part.hops_known, paths.size)
        part.hops_known = paths.size
        shard = self._whole.shard_of[paths.table["node"][at]]
        at = at[(shard >= part.numbers[0]) & (shard <= part.numbers[-1])]
        return NewHops(len(paths.table), at, paths.table[at])

    def switch(self, when_ns: int, k: int, *, up: bool, is_link: bool = False) -> None:
        """As `EventQueue.switch`."""
        node = int(self.net.port[k, t.P_NODE]) if is_link else k
        shard = int(self._whole.shard_of[node])
        if not self._whole.net.outages:
            self._whole.net = self._whole.net._replace(outages=True)
            self._tell("expect_outages")
        next(part for part in self._parts if shard <= part.numbers[-1]).call("switch", when_ns, k, up, is_link)

    def jam(self, media: Ints, until_ns: int) -> None:
        """Nothing gets through on media (n,) until then."""
        self._tell("jam", media, until_ns)

    def lose(self, link_class: int, share: float) -> None:
        """From now on each crossing of a link of a class is lost with this probability."""
        self._tell("lose", link_class, share)

    def _tell(self, method: str, *given: Any) -> list[Any]:
        return [result() for result in [part.begin(method, *given) for part in self._parts]]

    @property
    def tally(self) -> Tally:
        """What all have counted, told here from now on."""
        tally = self._whole.tally
        for counters in self._tell("counted"):
            tally.add(counters)
        return tally

    def begin_counting(self) -> None:
        """Count from here; what is under way now is not counted."""
        self._tell("begin_counting")
        self._whole.tally.begin()

    def counts_now(self) -> Counts:
        """Counts since `begin_counting`; what is in flight is counted among the messages under way."""
        counts, in_flight = self.tally.counts, np.sum(self._tell("in_flight"), axis=0)
        return Counts(counts.counters.copy(), in_flight, counts.pairs.copy(), counts.histogram.copy())

    @property
    def hop_events(self) -> int:
        """How many times a copy came to a port."""
        return int(self._whole.hop_events + sum(self._tell("hop_events")) - self._events_gathered)

    def read_busy(self) -> Net:
        """The whole's network, in which it stands how long each port has sent."""
        for part, busy in zip(self._parts, self._tell("busy"), strict=True):
            for column, mine in zip(BUSY, busy.T, strict=True):
                self.net.port[part.ports, column] = mine
        return self.net

    def oldest(self) -> int:
        """The least index of a message that may still arrive."""
        return int(min(self._tell("oldest")))

    def redirect(self, write_paths: Callable[[Ints], None]) -> None:
        """New paths for what waits for a time-out with no copy under way; write_paths: writes them into rows (n, STATE)."""
        for part in self._parts:
            resting = part.call("resting")
            for rows in resting:
                write_paths(rows)
            part.call("redirect", self._news_for(part), resting)

    @property
    def lost(self) -> int:
        """How many processes were lost so far."""
        return sum(part.shards.lost for part in self._parts if isinstance(part.shards, Away))

    def gather(self) -> Shards:
        """The whole, as it is now."""
        assert self.tally is self._whole.tally  # which has counted all by now
        events = 0
        for part in self._parts:
            one = part.shards.brought() if isinstance(part.shards, Away) else part.shards
            one.put_back(self._whole, part.numbers)
            events += one.hop_events()
        self._whole.hop_events += events - self._events_gathered
        self._events_gathered = events
        return self._whole

    def end(self) -> None:
        """End the processes."""
        for part in self._parts:
            if isinstance(part.shards, Away):
                part.shards.end()


def _joined(results: list[Callable[[], Outcome]]) -> Outcome:
    outcomes = [result() for result in results]
    return in_order(Outcome(*(np.concatenate(columns) for columns in zip(*outcomes, strict=True))))


def _same(whole: Shards) -> Shards:
    return whole
