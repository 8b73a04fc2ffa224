"""The message plane: takes what is sent, lets time pass, and says what arrived and when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.kinds import ENVELOPE_BYTES, FACTS, KindFacts
from heptagrid.foundation.away import Away
from heptagrid.foundation.compiled.bare_room import bare_room
from heptagrid.foundation.domains import DOMAIN_NAMES, KIND_NAMES, Domain, Kind
from heptagrid.foundation.errors import ContractError
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.familiar_waves import Common, FamiliarWaves
from heptagrid.planes.messages.kernel.ahead import Ahead
from heptagrid.planes.messages.kernel.event_queue import EventQueue, fact_table
from heptagrid.planes.messages.kernel.message_tracer import WatchedQueue
from heptagrid.planes.messages.kernel.shards import Shards, Watches
from heptagrid.planes.messages.kernel.shards_apart import ShardsApart
from heptagrid.planes.messages.kernel.spread_shards import SpreadShards
from heptagrid.planes.messages.links import CLASS_NAMES
from heptagrid.planes.messages.planning.planned_network import PlannedNetwork
from heptagrid.planes.messages.routing.paths import Paths, TreeRouter
from heptagrid.planes.messages.small_waves import FEW, Shared, small_wave
from heptagrid.planes.messages.statistics import KINDS, Counts
from heptagrid.planes.messages.topology import Topology
from heptagrid.planes.messages.waiting_waves import WaitingFamiliar, WaitingRows, WaitingWave

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Change:
    """Something that changes the network at a time: places are known to be dead or cut off, or media are jammed."""

    when_ns: int
    what: str
    which: Ints
    up: bool = False
    until_ns: int = 0


class MessagePlane:
    """All messages of one arm.

    Parameters
    ----------
    topology : places and servers.
    seed : of the random numbers; a loss is a pure function of (seed, link, sender, kind, number, attempt).
    break_loss : probability by link class that a crossing is lost after all link retries.
    facts : of the kinds; other than the declared ones in tests.
    threads : with two or more, messages may travel beside the caller's other work (`begin`); nothing depends on it.

    Attributes: `crossed` (kinds, link classes), whether messages of a kind went over links of a class.
    """

    def __init__(
        self,
        topology: Topology | PlannedNetwork,
        seed: int,
        break_loss: tuple[float, float, float] = (0.0, 0.0, 0.0),
        facts: dict[Kind, KindFacts] = FACTS,
        threads: int = 1,
    ) -> None:
        self.topology = topology
        self.threads = threads
        self._ahead: Ahead | None = None
        self._sizes = [facts[kind].payload_bytes for kind in Kind]
        self._acknowledged = [facts[kind].acknowledged for kind in Kind]
        self._urgency = [facts[kind].priority for kind in Kind]
        self._paths = Paths(topology.places, TreeRouter(topology.edges))
        self._familiar = FamiliarWaves(self._make)
        given = (topology.wiring.net(break_loss), self._paths, fact_table(facts), seed, topology.groups)
        areas = self._areas = topology.areas
        self._queue: EventQueue | Shards | SpreadShards | WatchedQueue
        self._queue = EventQueue(*given) if areas is None else Shards(*given, areas.shard_of, None, areas.at_rest)
        self._next_id = 0
        self._numbers = bare_room(KINDS, topology.places)  # most kinds leave from few places
        self._taken = np.zeros_like(self._queue.tally.quarter)
        self._busy_before_ns = self._busy_ns()
        self.crossed = np.zeros((KINDS, len(CLASS_NAMES)), dtype=bool)
        self._spared_until_ns = [0] * KINDS
        self._waves: list[WaitingWave] = []
        self._changes: list[_Change] = []
        self._dead = np.zeros(topology.places, dtype=np.int64)
        self._cut = np.zeros(topology.places, dtype=np.int64)
        self.answered = self.arrived = np.empty((0, 2), dtype=np.int64)
        self.lost = np.empty((0, 4), dtype=np.int64)

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
        ContractError
            If `sender` sends at an instant that `begin` was told nobody would.
        """
        count = len(source)
        if self._ahead is not None and count and int(sent_ns.min()) <= self._ahead.until_ns:
            raise ContractError(
                f"{DOMAIN_NAMES[sender]} sends a {KIND_NAMES[kind]} that leaves before the step's end, and had not said that it might "
                "(`EarlySender`)"
            )
        first = self._next_id
        if count == 0:
            return first
        self._next_id += count
        size_bytes = ENVELOPE_BYTES + (self._sizes[kind] if payload_bytes is None else payload_bytes)
        is_spared = bool(self._spared_until_ns[kind] and sent_ns.max() < self._spared_until_ns[kind])
        if count <= FEW:
            ends_and_times = np.array([*self._ends(source, destination), sent_ns], dtype=np.int64)
            shared = (int(size_bytes), 7 * int(sender) + int(receiver), self._urgency[kind], is_spared)
            rows = self._small(ends_and_times, first, Shared(int(kind), *shared, self._acknowledged[kind]))
            self._waves.append(WaitingRows(rows))
            return first
        common = Common(int(kind), int(size_bytes), 7 * sender + receiver, self._urgency[kind], is_spared)
        familiar = self._familiar.of(source, destination, common)
        self._waves.append(WaitingFamiliar(familiar, first, sent_ns, self._numbers[kind]))
        return first

    def _small(self, ends_and_times: Ints, first: int, shared: Shared) -> Ints:
        """The rows (n, PENDING) of a wave of few messages, by time and index."""
        given = (ends_and_times, first, shared, self.topology.group, self._numbers[shared.kind])
        rows, at, hops, is_known = small_wave(*given, self._paths.known)
        if not is_known:
            self._paths.of(ends_and_times[0], ends_and_times[1])
            if shared.is_acknowledged:
                self._paths.of(ends_and_times[1], ends_and_times[0])
            rows, at, hops, _ = small_wave(*given, self._paths.known)
        if not shared.is_spared:
            self._note_links(Kind(shared.kind), at, hops)
        return np.asarray(rows)

    def _ends(self, source: Ints, destination: Ints) -> tuple[Ints, Ints]:
        """Where messages begin and end: in an area a control centre is met at its front end there."""
        return (source, destination) if self._areas is None else self._areas.ends(source, destination)

    def _make(self, source: Ints, destination: Ints, common: Common) -> Ints:
        """The rows (n, PENDING) of a wave that is met for the first time, without indices, times and numbers."""
        source, destination = self._ends(source, destination)
        rows = np.zeros((len(source), t.PENDING), dtype=np.int64)
        rows[:, t.SOURCE], rows[:, t.DESTINATION] = source, destination
        rows[:, t.KIND], rows[:, t.BYTES] = common.kind, common.size_bytes
        rows[:, t.PAIR], rows[:, t.PRIORITY] = common.pair, common.priority
        group = self.topology.group
        rows[:, t.GROUP] = np.maximum(group[source], group[destination])
        if not common.is_spared:
            rows[:, t.PATH], rows[:, t.HOPS] = self._paths.of(source, destination)
            if self._acknowledged[common.kind]:
                rows[:, t.ACK_PATH], rows[:, t.ACK_HOPS] = self._paths.of(destination, source)
            longest = rows[rows[:, t.HOPS].argmax()]
            self._note_links(Kind(common.kind), longest[t.PATH], longest[t.HOPS])
        return rows

    def spare(self, kind: Kind, until_ns: int) -> bool:
        """Spare messages of a kind the way from now on: a wave that leaves before `until_ns` arrives at once, over no link. Whether they are.

        They are only if the network would carry them all: those that have left have all arrived, and nothing changes till then.
        """
        sent, delivered = self._queue.tally.counts.counters[[t.N_SENT, t.N_DELIVERED], kind].tolist()
        if 0 < sent == delivered and not any(change.when_ns < until_ns for change in self._changes):
            self._spared_until_ns[kind] = until_ns
        return self._spared_until_ns[kind] == until_ns

    def begin(self, until_ns: int, then: Sequence[Callable[[], object]] = ()) -> None:
        """Nobody will send anything more that leaves by `until_ns`: let messages travel till then beside the caller's other work.

        then: what is done there after it; it touches nothing that the caller uses meanwhile. Until the next `advance`, which waits for them, messages that leave later may be sent, and nothing else be asked of the plane. Does
        nothing on one thread, while a message is watched, and where the network changes on the way.
        """
        is_changing = bool(self._changes) and self._changes[0].when_ns <= until_ns
        is_alone = self.threads < 2 and not isinstance(self._queue, SpreadShards)
        if not (is_alone or is_changing or isinstance(self._queue, WatchedQueue)):
            self._ahead = self._queue.begin(self._take_due(until_ns), until_ns, self.threads, then)

    def advance(self, until_ns: int) -> tuple[Ints, Ints]:
        """Let time pass to `until_ns`: indices and times of the messages that arrived, in order of time."""
        outcomes = []
        if self._ahead is not None:
            ahead, self._ahead = self._ahead, None
            outcomes.append(ahead.outcome())
        while self._changes and self._changes[0].when_ns <= until_ns:
            change = self._changes.pop(0)
            outcomes.append(self._queue.advance(self._take_due(change.when_ns), change.when_ns))
            self._begin(change)
        outcomes.append(self._queue.advance(self._take_due(until_ns), until_ns))
        self.arrived, self.answered, self.lost = (
            parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in zip(*outcomes, strict=True)
        )
        return self.arrived[:, 0], self.arrived[:, 1]

    def fail(self, places: Ints, begin_ns: int, end_ns: int, notice_ns: int = 0) -> None:
        """Places (n,) lose their supply for a time; `notice_ns` later their neighbours look for other ways.

        A place that fails several times at once comes up when the last of its failures is over.
        """
        self.fall_silent(places, begin_ns, notice_ns)
        self.wake(places, end_ns, notice_ns)

    def fall_silent(self, places: Ints, at_ns: int, notice_ns: int = 0) -> None:
        """Places (n,) lose their supply at a time, until they `wake`."""
        self._turn(places, at_ns, notice_ns, up=False)

    def wake(self, places: Ints, at_ns: int, notice_ns: int = 0) -> None:
        """Places (n,) that fell silent have supply again."""
        self._turn(places, at_ns, notice_ns, up=True)

    def _turn(self, places: Ints, at_ns: int, notice_ns: int, *, up: bool) -> None:
        for place in places:
            self._queue.switch(at_ns, int(place), up=up)
        self._expect(_Change(at_ns + notice_ns, "dead", places, up=up))

    def lose(self, link_class: int, share: float) -> None:
        """From now on each crossing of a link of a class is lost with this probability, after all link retries."""
        self._queue.net.break_loss[link_class] = share
        if isinstance(self._queue, SpreadShards):
            self._queue.lose(link_class, share)

    def cut(self, places: Ints, begin_ns: int, end_ns: int, notice_ns: int = 0) -> None:
        """The links of places (n,) to their parents are cut, in both directions; none of a shared medium can be."""
        edges = self.topology.edges
        for when_ns, up in ((begin_ns, False), (end_ns, True)):
            for port in np.concatenate([edges.up_port[places], edges.down_port[places]]):
                self._queue.switch(when_ns, int(port), up=up, is_link=True)
            self._expect(_Change(when_ns + notice_ns, "cut", places, up=up))

    def jam(self, media: Ints, begin_ns: int, end_ns: int) -> None:
        """Nothing gets through on these media (n,) for a time, and who listens finds them busy."""
        self._expect(_Change(begin_ns, "jam", media, until_ns=end_ns))

    def media_of(self, places: Ints) -> Ints:
        """The shared media that places (n,) send on towards their parents."""
        medium = self._queue.net.port[self.topology.edges.up_port[places], t.P_MEDIUM]
        return np.unique(medium[medium >= 0])

    def _expect(self, change: _Change) -> None:
        self._changes.append(change)
        self._changes.sort(key=lambda one: one.when_ns)

    def _begin(self, change: _Change) -> None:
        """A jam begins, or who is near a failure has noticed it and the paths change."""
        if change.what == "jam":
            jammed = self._queue.net.medium[:, t.M_JAMMED_UNTIL]
            jammed[change.which] = np.maximum(jammed[change.which], change.until_ns)
            if isinstance(self._queue, SpreadShards):
                self._queue.jam(change.which, change.until_ns)
            return
        count = self._dead if change.what == "dead" else self._cut
        count[change.which] += -1 if change.up else 1
        if isinstance(self.topology, PlannedNetwork):
            self._paths.reroute(TreeRouter(self.topology.edges_without(self._dead > 0, self._cut > 0)))
            self._familiar.forget()
            self._reroute()

    def _reroute(self) -> None:
        """New paths for what has not left yet, and for what waits for its time-out with no copy under way."""
        for k, wave in enumerate(self._waves):
            rows = wave.rows()
            self._write_paths(rows)
            self._waves[k] = WaitingRows(rows)
        if isinstance(self._queue, SpreadShards):
            self._queue.redirect(self._write_paths)
            return
        for state in self._queue.states:
            rests = (state[:, t.OVER] == 0) & (state[:, t.DATA_COPIES] == 0) & (state[:, t.ACK_COPIES] == 0)
            if rests.any():
                resting = state[rests]
                self._write_paths(resting)
                state[rests] = resting

    def _write_paths(self, rows: Ints) -> None:
        """Write the paths of messages, (n, PENDING) or more columns."""
        source, destination = rows[:, t.SOURCE], rows[:, t.DESTINATION]
        rows[:, t.PATH], rows[:, t.HOPS] = self._paths.of(source, destination)
        rows[:, t.ACK_PATH], rows[:, t.ACK_HOPS] = self._paths.of(destination, source)

    @property
    def hop_events(self) -> int:
        """How many times a copy came to a port."""
        return self._queue.hop_events

    @property
    def areas(self) -> int:
        """How many areas the network consists of whose messages can travel in processes of their own; 0: it hangs together."""
        return 0 if self._areas is None else int(self._areas.shard_of.max())

    def spread(self, processes: Sequence[Callable[[ShardsApart], Away]]) -> None:
        """Let the messages of areas travel in processes from now on; what is carried is the same. Each takes some areas, at least one."""
        assert isinstance(self._queue, Shards), "a network of areas is spread once"
        self._queue = SpreadShards(self._queue, processes)

    def end_processes(self) -> None:
        """End the processes in which messages travel, if there are any."""
        if isinstance(self._queue, SpreadShards):
            self._queue.end()

    def watch(self, ids: Iterable[int]) -> WatchedQueue | Watches:
        """Follow these messages hop by hop from now on; nothing else changes."""
        if isinstance(self._queue, Shards):
            return self._queue.watch(ids)
        assert isinstance(self._queue, EventQueue), "one watch at a time"
        self._queue = watched = WatchedQueue(self._queue, ids)
        return watched

    def oldest_under_way(self) -> int:
        """The least index of a message that may still arrive; all before it are done."""
        waiting = [self._next_id, *(wave.least_id for wave in self._waves)]
        if isinstance(self._queue, SpreadShards):
            return min(self._queue.oldest(), *waiting)
        alive = [state[state[:, t.OVER] == 0, t.ID] for state in self._queue.states]
        return min([*waiting, *(int(ids.min()) for ids in alive if len(ids))])

    def begin_counting(self) -> None:
        """Count from here; what is under way now is not counted."""
        self._queue.begin_counting()
        self._taken[:] = 0
        self._busy_before_ns = self._busy_ns()

    def counts(self) -> Counts:
        """Counts since `begin_counting`; what is in flight is counted among the messages under way."""
        return self._queue.counts_now()

    def take_quarter(self) -> dict[str, np.ndarray]:
        """Counts by kind and access network since the last call, as columns; only rows with any."""
        tally = self._queue.tally
        quarter, worst_ns = tally.quarter, tally.worst_ns
        kind, group = np.nonzero(quarter.any(axis=2))
        counts = quarter[kind, group]
        columns: dict[str, np.ndarray] = {
            "kind": kind,
            "concentrator": (group - 1).astype(np.int32),
            **{name: counts[:, k].astype(np.int32) for k, name in enumerate(("sent", "delivered", "lost", "late"))},
            "worst_s": (worst_ns[kind, group] * 1e-9).astype(np.float32),
        }
        self._taken += quarter
        tally.forget_quarter()
        return columns

    def busy_s(self) -> Floats:
        """(2, ports) seconds that each port has sent since `begin_counting`, with what was sent in vain.

        The second row is what LoRaWAN gateways have sent in second windows, in a band of its own; the first is all else.
        """
        return np.asarray((self._busy_ns() - self._busy_before_ns) * 1e-9)

    def _busy_ns(self) -> Ints:
        """(2, ports) as `busy_s`, since the beginning."""
        net = self._queue.read_busy() if isinstance(self._queue, SpreadShards) else self._queue.net
        of_class_a = net.medium[net.medium[:, t.M_METHOD] == t.CLASS_A, t.M_BASE]
        second = np.zeros(len(net.port), dtype=np.int64)
        second[of_class_a] = net.port[of_class_a, t.P_BUSY_SECOND]
        return np.stack([net.port[:, t.P_BUSY] - second, second])

    def counts_by_place(self) -> Ints:
        """(kinds, 1 + access networks, 4) sent, delivered, lost, late since `begin_counting`.

        The first row is of messages that have to do with no access network.
        """
        return np.asarray(self._taken + self._queue.tally.quarter)

    def _note_links(self, kind: Kind, at: int, hops: int) -> None:
        """Which link classes the longest path of a wave crosses."""
        if self.crossed[kind].all() and (self.crossed[Kind.ACK].all() or not self._acknowledged[kind]):
            return
        classes = self._queue.net.port[self._paths.port[at : at + hops], t.P_LINK_CLASS]
        self.crossed[kind, classes] = True
        if self._acknowledged[kind]:
            self.crossed[Kind.ACK, classes] = True

    def _take_due(self, until_ns: int) -> Any:
        """Take the messages whose time comes by `until_ns` out of the waiting waves, as the queue wants them."""
        parts: list[Ints] = []
        waiting: list[WaitingWave] = []
        for wave in self._waves:
            count = wave.due(until_ns)
            if count:
                parts.append(wave.rows(count))
            rest = wave.after(count) if count else wave
            if rest is not None:
                waiting.append(rest)
        self._waves = waiting
        # Each wave is in the order of time and index, and waves follow one another in that of their indices.
        return self._queue.gathered(parts)
