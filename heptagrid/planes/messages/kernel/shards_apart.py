"""Some shards of the message plane by themselves, as they live in another process: with their own rows of the network's tables and no others.

Rows keep their numbers, on which random draws hang; what is not theirs is memory that is never touched and so takes no room.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from heptagrid.foundation.compiled.bare_room import bare_room
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.kernel.event_queue import EventQueue
from heptagrid.planes.messages.kernel.shards import Leaving, Shards
from heptagrid.planes.messages.tables import Counters, Ints, Net, Outcome

_ROWS = (
    "port",
    "lists",
    "rings",
    "medium",
    "reach",
    "air",
    "members",
    "preambles",
    "xy_m",
    "node",
    "node_ports_at",
    "node_ports",
)
"""The tables of a network of which each shard has rows of its own."""
_CHANGING = ("port", "lists", "rings", "medium", "air", "preambles", "node")
"""Those of them that change while messages travel."""
BUSY = (t.P_BUSY, t.P_BUSY_SECOND)


class Hops:
    """Hops of paths, at the places where the whole network's table has them."""

    def __init__(self) -> None:
        self.table = np.zeros(1, dtype=t.HOP)

    @property
    def size(self) -> int:
        """Room for so many."""
        return len(self.table)

    def learn(self, news: NewHops) -> None:
        """Take some more."""
        if news.size > len(self.table):
            grown = np.zeros(news.size, dtype=t.HOP)
            grown[: len(self.table)] = self.table
            self.table = grown
        self.table[news.at] = news.hops

    @property
    def all(self) -> NewHops:
        """All that are known; a hop of nothing but zeros is as one that is not."""
        is_known = np.zeros(len(self.table), dtype=np.bool_)
        for name in t.HOP.names or ():
            is_known |= self.table[name] != 0
        at = np.flatnonzero(is_known)
        return NewHops(len(self.table), at, self.table[at])


class NewHops(NamedTuple):
    """Hops (n,) that stand at places (n,) of a table of so many."""

    size: int
    at: Ints
    hops: np.ndarray


class _Packed(NamedTuple):
    """Shards as they travel. rows: by table its shape, which rows, and what stands there; shard_of: how many places, which lie in a shard but the first, and in which."""

    rows: dict[str, tuple[tuple[int, ...], Ints, np.ndarray]]
    break_loss: np.ndarray
    outages: bool
    shard_of: tuple[int, Ints, Ints]
    hops: NewHops
    queues: list[dict[str, Any]]
    settings: tuple[Ints, int, int]
    hop_events: int


class ShardsApart:
    """Shards of a whole that live apart, numbered anew from 0 in the order of their numbers there."""

    def __init__(self, whole: Shards, numbers: Ints) -> None:
        """The shards `numbers`, ascending, of a whole, as they stand there; they begin to live when they have been pickled and read again."""
        is_own = np.isin(whole.shard_of, numbers)
        self._which = rows_of(whole.net, is_own)
        local = np.where(is_own, np.searchsorted(numbers, whole.shard_of), 0)
        hops = np.flatnonzero(is_own[whole.paths.table["node"]])
        known = NewHops(len(whole.paths.table), hops, whole.paths.table[hops])
        queues = [whole.queue_of(int(k)) for k in numbers]
        self._packed = _pack(whole, self._which, local, known, queues)._replace(hop_events=0)

    def __getstate__(self) -> dict[str, Any]:
        packed = self._packed
        if "_shards" in vars(self):
            shards = self._shards
            packed = _pack(shards, self._which, shards.shard_of, self._hops.all, shards.queues)
        return {"_which": self._which, "_packed": packed}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._which, packed = state["_which"], state["_packed"]
        tables = {name: _rebuilt(name, *one) for name, one in packed.rows.items()}
        numbers = tables["port"].view(np.float64)
        net = Net(
            **tables,
            rate_bps=numbers[:, t.P_RATE],
            loss=numbers[:, t.P_LOSS],
            queue=np.zeros((1, t.WAITING), dtype=np.int64),
            path=np.zeros(1, dtype=t.HOP),
            break_loss=packed.break_loss,
            outages=packed.outages,
        )
        places, at, shard = packed.shard_of
        shard_of = np.zeros(places, dtype=np.int64)
        shard_of[at] = shard
        self._hops = Hops()
        self._hops.learn(packed.hops)
        facts, seed, groups = packed.settings
        self._shards = Shards(net, self._hops, facts, seed, groups, shard_of, len(packed.queues))
        self._shards.hop_events = packed.hop_events
        for queue, one in zip(self._shards.queues, packed.queues, strict=True):
            queue.unpack(one)
        self._packed = packed._replace(rows={}, queues=[])

    def pass_time(self, news: NewHops, rows: Ints, begins: Ints, until_ns: int) -> Outcome:
        """Let time pass to `until_ns`; rows, begins: what leaves by then, one shard's after another's."""
        self._hops.learn(news)
        return self._shards.advance(Leaving(rows, begins), until_ns)

    def switch(self, when_ns: int, k: int, up: bool, is_link: bool) -> None:
        """As `EventQueue.switch`, of one of these shards' nodes or links."""
        self._shards.switch(when_ns, k, up=up, is_link=is_link)

    def expect_outages(self) -> None:
        """Somewhere a node or a link will be switched."""
        self._shards.net = self._shards.net._replace(outages=True)

    def jam(self, media: Ints, until_ns: int) -> None:
        """Nothing gets through on media (n,), as far as they are these shards', until then."""
        jammed = self._shards.net.medium[:, t.M_JAMMED_UNTIL]
        jammed[media] = np.maximum(jammed[media], until_ns)

    def lose(self, link_class: int, share: float) -> None:
        """From now on each crossing of a link of a class is lost with this probability."""
        self._shards.net.break_loss[link_class] = share

    def begin_counting(self) -> None:
        """Count from here."""
        self._shards.begin_counting()

    def counted(self) -> Counters:
        """What has been counted since the last call."""
        counters = self._shards.tally.counters
        found = Counters(*(one.copy() for one in counters))
        for one in counters:
            one[:] = 0
        return found

    def in_flight(self) -> Ints:
        """(kinds,) messages under way that are counted."""
        return np.asarray(np.sum([queue.in_flight for queue in self._shards.queues], axis=0))

    def hop_events(self) -> int:
        """How many times a copy came to a port."""
        return self._shards.hop_events

    def busy(self) -> Ints:
        """(own ports, 2) nanoseconds that each has sent, and in second windows, since the beginning."""
        return self._shards.net.port[self._which["port"]][:, BUSY]

    def oldest(self) -> int:
        """The least index of a message that may still arrive; `NEVER` without any."""
        alive = [state[state[:, t.OVER] == 0, t.ID] for state in self._shards.states]
        return min((int(ids.min()) for ids in alive if len(ids)), default=int(t.NEVER))

    def resting(self) -> list[Ints]:
        """(n, STATE) of each shard: messages that wait for a time-out with no copy under way."""
        return [state[_rests(state)] for state in self._shards.states]

    def redirect(self, news: NewHops, resting: list[Ints]) -> None:
        """Give those that rest new paths, in the order of `resting`."""
        self._hops.learn(news)
        for state, rows in zip(self._shards.states, resting, strict=True):
            state[_rests(state)] = rows

    def put_back(self, whole: Shards, numbers: Ints) -> None:
        """Write how these shards stand into the whole, where they have these numbers."""
        for name in _CHANGING:
            which = self._which[name]
            getattr(whole.net, name)[which] = getattr(self._shards.net, name)[which]
        for queue, k in zip(self._shards.queues, numbers.tolist(), strict=True):
            whole.queue_of(k).unpack(queue.packed())


def rows_of(net: Net, is_own: np.ndarray) -> dict[str, Ints]:
    """Which rows of each table belong to nodes, (nodes,) whether they do."""
    nodes = np.flatnonzero(is_own)
    ports = np.flatnonzero(is_own[net.port[:, t.P_NODE]])
    port = net.port[ports]
    media = np.unique(port[:, t.P_MEDIUM])
    media = media[media >= 0]
    medium = net.medium[media]
    members = _ranges(medium[:, t.M_MEMBERS_AT], medium[:, t.M_MEMBERS])
    in_ring = (port[:, t.P_CLASSES] == 0) & (port[:, t.P_BUFFER] >= 0)
    return {
        "port": ports,
        "lists": _ranges(port[:, t.P_LISTS_AT], port[:, t.P_CLASSES]),
        "rings": _ranges(port[in_ring, t.P_RING_AT], port[in_ring, t.P_BUFFER]),
        "medium": media,
        "reach": media,
        "air": members,
        "members": members,
        "preambles": media,
        "xy_m": nodes,
        "node": nodes,
        "node_ports_at": np.unique(np.concatenate([nodes, nodes + 1])),
        "node_ports": _ranges(net.node_ports_at[nodes], np.diff(net.node_ports_at)[nodes]),
    }


def _rests(state: Ints) -> np.ndarray:
    return np.asarray((state[:, t.OVER] == 0) & (state[:, t.DATA_COPIES] == 0) & (state[:, t.ACK_COPIES] == 0))


def _pack(shards: Shards, which: dict[str, Ints], local: Ints, hops: NewHops, queues: Sequence[EventQueue]) -> _Packed:
    net = shards.net
    rows = {name: (getattr(net, name).shape, which[name], getattr(net, name)[which[name]]) for name in _ROWS}
    later = np.flatnonzero(local)
    places = len(local), later, local[later]
    settings = shards.facts, shards.seed, shards.groups
    packed = [one.packed() for one in queues]
    return _Packed(rows, net.break_loss.copy(), net.outages, places, hops, packed, settings, shards.hop_events)


def _rebuilt(name: str, shape: tuple[int, ...], which: Ints, values: np.ndarray) -> np.ndarray:
    """A table of that shape with these rows, and zeros that take no memory."""
    rows = (max(2, shape[0]), *shape[1:]) if name == "port" else shape
    table = bare_room(*rows) if values.dtype == np.int64 else np.zeros(rows, dtype=values.dtype)
    table[which] = values
    return table


def _ranges(begins: Ints, counts: Ints) -> Ints:
    """The numbers from each begin on, so many."""
    total = int(counts.sum())
    return np.repeat(begins - (np.cumsum(counts) - counts), counts) + np.arange(total)
