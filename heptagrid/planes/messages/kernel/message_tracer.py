"""A watch on single messages: the event queue is stopped whenever something happens to one that lives, and looked at.

A copy on its way has its next event in the queue: nothing happens to it before. What waits at a port, or is in its hand, is seen
whenever that port changes. So the stops are those of the message itself and of the ports where it waits, however long it
lives and whatever the others do. Stopping a queue changes nothing: a watched run is the same run. What is seen: where each copy is,
since when, and what its port has done for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.access.radio import NS_PER_M
from heptagrid.planes.messages.kernel.event_queue import EventQueue, Outcome
from heptagrid.planes.messages.kernel.timeouts import first_timeout_ns
from heptagrid.planes.messages.routing.ports import chance_of_loss, draw_attempts, path_at, wire_bytes
from heptagrid.planes.messages.statistics import Counts
from heptagrid.planes.messages.tables import Ints

_LINK = -1  # a link of its own has no method of access
_FRAME_BY_FRAME = (t.CSMA_CA, t.SLOTTED_CSMA_CA, t.ALOHA, t.SLOTTED_ALOHA, t.CLASS_A, t.DCF)
_ROW = 0xFFFFFFFF


@dataclass
class Leg:
    """One hop of one copy; times in nanoseconds, None for what has not come to pass.

    node_from, node_to: places. method: of access (`tables.CARRIER_SENSE` ...), -1 on a link of its own.
    arrived_ns: at the port. begin_ns: taken in hand, after the copies before it. air_ns: being sent, all attempts
    together. sent: how many times. back_offs: looks at a busy medium, or calls for a grant. out_ns: at the far end.
    lost: the cause's number.
    """

    port: int
    node_from: int
    node_to: int
    link_class: int
    method: int
    rate_bps: float
    arrived_ns: int
    begin_ns: int | None = None
    air_ns: int = 0
    sent: int = 0
    back_offs: int = 0
    travel_ns: int = 0
    out_ns: int | None = None
    lost: int | None = None

    @property
    def queue_ns(self) -> int | None:
        """How long it waited behind others."""
        return None if self.begin_ns is None else self.begin_ns - self.arrived_ns

    @property
    def access_ns(self) -> int | None:
        """How long it was in hand and not being sent: contention, back-off, waiting for a slot or a grant."""
        if self.begin_ns is None or self.out_ns is None:
            return None
        return self.out_ns - self.travel_ns - self.air_ns - self.begin_ns


@dataclass
class Copy:
    """One copy of a message, or of its acknowledgement; `is_duplicate`: another had arrived before."""

    number: int
    is_ack: bool
    sent_ns: int
    legs: list[Leg] = field(default_factory=list)
    arrived_ns: int | None = None
    lost_ns: int | None = None
    lost: int | None = None
    is_duplicate: bool = False
    hop: int = 0
    due_ns: int = 0


@dataclass
class Journey:
    """What became of a watched message; `lost` is the cause's number."""

    id: int
    source: int
    destination: int
    kind: int
    bytes: int
    ack_bytes: int
    number: int
    sent_ns: int
    deadline_ns: int
    timeout_ns: int
    retries: int
    is_acknowledged: bool
    copies: list[Copy] = field(default_factory=list)
    delivered_ns: int | None = None
    acknowledged_ns: int | None = None
    lost: int | None = None
    is_over: bool = False


class WatchedQueue:
    """An event queue, and the journeys of the messages that are watched.

    Parameters
    ----------
    queue : what is watched from now on.
    ids : of messages that have not been sent yet.
    """

    def __init__(self, queue: EventQueue, ids: Iterable[int]) -> None:
        self._queue = queue
        self._wanted = np.array(sorted(ids), dtype=np.int64)
        self._rows: dict[int, int] = {}
        self.journeys: dict[int, Journey] = {}

    @property
    def net(self) -> t.Net:
        """The tables of what is watched."""
        return self._queue.net

    def switch(self, when_ns: int, k: int, *, up: bool, is_link: bool = False) -> None:
        """As `EventQueue.switch`."""
        self._queue.switch(when_ns, k, up=up, is_link=is_link)

    @property
    def is_done(self) -> bool:
        """Whether every watched message has come to its end."""
        return len(self.journeys) == len(self._wanted) and not self._rows

    def advance(self, due: Ints, until_ns: int) -> Outcome:
        """As `EventQueue.advance`, with the same result."""
        parts: list[Outcome] = []
        cursor = 0
        births = due[np.isin(due[:, t.ID], self._wanted), t.SENT]
        now = -1
        while now < until_ns:
            when = min([until_ns, *births[births > now][:1].tolist(), *self._own_events()])
            before = int(np.searchsorted(due[:, t.SENT], when, side="left"))
            watched = self._queue.as_seen(self._ports())
            parts.append(self._queue.advance(due[cursor:before], when - 1, watched))
            cursor += self._queue.taken
            now = when if self._queue.changed_ns is None else self._queue.changed_ns
            busy_ns = self._queue.net.port[:, t.P_BUSY].copy()
            busy_ns[watched[:, 0]] = watched[:, 1 + t.P_BUSY]
            last = int(np.searchsorted(due[:, t.SENT], now, side="right"))
            parts.append(self._queue.advance(due[cursor:last], now))
            born = due[cursor:last][np.isin(due[cursor:last, t.ID], self._wanted)]
            cursor = last
            for one in born:
                self._begin(one)
            for message in list(self._rows):
                self._look(self.journeys[message], now, busy_ns, parts[-1])
        return Outcome(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def _own_events(self) -> list[int]:
        """When something is to happen to watched messages that no port decides: copies on their way, and time-outs."""
        what = self._queue.heap[:, 2]
        is_own = np.isin(what & _ROW, list(self._rows.values())) & ((what & (t.NODE_BIT | t.PORT_BIT)) == 0)
        times: list[int] = self._queue.heap[is_own, 0].tolist()
        for message, row in self._rows.items():
            state = self._queue.state[row]
            if state[t.TIMER] == 1 and state[t.COPIES] == 1 and state[t.ACKNOWLEDGED] < 0:
                times.append(self.journeys[message].sent_ns + self.journeys[message].timeout_ns)
        return times

    def _ports(self) -> set[int]:
        """Where watched copies wait or are in hand: those that have no event of their own."""
        ports = set()
        for message, row in self._rows.items():
            events = self._events(row)
            for copy in self.journeys[message].copies:
                if _is_live(copy) and (copy.is_ack, copy.number) not in events:
                    ports.add(copy.legs[-1].port)
        return ports

    def _begin(self, pending: Ints) -> None:
        queue = self._queue
        facts = queue.facts[pending[t.KIND]]
        journey = Journey(
            id=int(pending[t.ID]),
            source=int(pending[t.SOURCE]),
            destination=int(pending[t.DESTINATION]),
            kind=int(pending[t.KIND]),
            bytes=int(pending[t.BYTES]),
            ack_bytes=int(facts[t.ACK_BYTES]),
            number=int(pending[t.NUMBER]),
            sent_ns=int(pending[t.SENT]),
            deadline_ns=int(facts[t.DEADLINE]),
            timeout_ns=int(first_timeout_ns(pending[None, :], 0, queue.facts, queue.seed)),
            retries=int(facts[t.RETRIES]) if facts[t.ACKED] else 0,
            is_acknowledged=bool(facts[t.ACKED]),
        )
        self.journeys[journey.id] = journey
        is_it = (queue.state[:, t.ID] == journey.id) & (queue.state[:, t.SENT] == journey.sent_ns)
        rows = np.flatnonzero(is_it)
        self._rows[journey.id] = int(rows[0]) if len(rows) else 0

    def _look(self, journey: Journey, now: int, busy_ns: Ints, outcome: Outcome) -> None:
        """See what has happened to a message at `now`."""
        row = self._rows[journey.id]
        state = self._queue.state[row]
        if state[t.ID] != journey.id:  # its row has been taken over within this very nanosecond
            self._end_unseen(journey, now, outcome)
            return
        events = self._events(row)
        for copy in [one for one in journey.copies if _is_live(one) and one.due_ns == now]:
            self._arrive(journey, copy, state, now)
        while sum(not one.is_ack for one in journey.copies) < state[t.COPIES]:
            number = sum(not one.is_ack for one in journey.copies)
            copy = Copy(number, False, now, due_ns=now)
            journey.copies.append(copy)
            self._arrive(journey, copy, state, now)
        for copy in journey.copies:
            if _is_live(copy) and copy.due_ns <= now:
                self._progress(journey, copy, row, state, now, busy_ns, events.get((copy.is_ack, copy.number)))
        journey.delivered_ns = _known(state[t.DELIVERED])
        journey.acknowledged_ns = _known(state[t.ACKNOWLEDGED])
        is_settled = state[t.TIMER] == 0 or state[t.ACKNOWLEDGED] >= 0
        if is_settled and not any(_is_live(one) for one in journey.copies):
            if journey.delivered_ns is None:
                journey.lost = int(state[t.LAST_END] & t.CAUSE_OF_END)
            journey.is_over = True
            del self._rows[journey.id]

    def _events(self, row: int) -> dict[tuple[bool, int], tuple[int, int]]:
        """When each copy's next event is due and what it is; copies in a port's hand or in its line have none."""
        queue = self._queue
        heap = queue.heap
        what = heap[:, 2]
        mine = heap[((what & _ROW) == row) & ((what & (t.NODE_BIT | t.PORT_BIT | t.TIMER_BIT)) == 0)]
        return {
            (bool((one[2] >> t.ACK_AT) & 1), int((one[2] >> t.COPY_AT) & 0xFF)): (int(one[0]), int(one[2]))
            for one in mine
        }

    def _arrive(self, journey: Journey, copy: Copy, state: Ints, now: int) -> None:
        """A copy has come to its next port, or to its end."""
        net = self._queue.net
        hops = int(state[t.ACK_HOPS if copy.is_ack else t.HOPS])
        begin, end = (journey.source, journey.destination)[:: -1 if copy.is_ack else 1]
        if copy.hop < hops:
            at = int(state[t.ACK_PATH if copy.is_ack else t.PATH]) + copy.hop
            port = int(net.path[at]["port"])
            medium = int(net.port[port, t.P_MEDIUM])
            leg = Leg(
                port=port,
                node_from=begin if copy.hop == 0 else int(net.path[at - 1]["node"]),
                node_to=int(net.path[at]["node"]),
                link_class=int(net.port[port, t.P_LINK_CLASS]),
                method=_LINK if medium < 0 else int(net.medium[medium, t.M_METHOD]),
                rate_bps=float(net.rate_bps[port]),
                arrived_ns=now,
            )
            copy.legs.append(leg)
        elif net.node[end, t.N_DOWN] > 0:
            copy.lost_ns, copy.lost = now, int(t.BY_OUTAGE)
        else:
            copy.is_duplicate = any(one.is_ack == copy.is_ack and one.arrived_ns is not None for one in journey.copies)
            copy.arrived_ns = now
            if journey.is_acknowledged and not copy.is_ack:
                answer = Copy(copy.number, True, now, due_ns=now)
                journey.copies.append(answer)
                self._arrive(journey, answer, state, now)

    def _progress(
        self,
        journey: Journey,
        copy: Copy,
        row: int,
        state: Ints,
        now: int,
        busy_ns: Ints,
        event: tuple[int, int] | None,
    ) -> None:
        """See what a port does for the copy that has come to it."""
        net = self._queue.net
        leg = copy.legs[-1]
        what = row | (copy.hop << t.HOP_AT) | (copy.number << t.COPY_AT) | (int(copy.is_ack) << t.ACK_AT)
        if self._has_moved_on(copy, what, state, now, event):  # without delay: within this very nanosecond
            leg.out_ns = now
            self._sum_up(leg, state, what, now)
            copy.hop += 1
            self._arrive(journey, copy, state, now)
            if _is_live(copy):
                self._progress(journey, copy, row, state, now, busy_ns, event)
            return
        port = net.port[leg.port]
        # A port may still show a copy that is on its way already, while it keeps the gap between frames.
        in_hand = event is None and port[t.P_CLASSES] > 0 and port[t.P_ACTIVE] == 1 and port[t.P_WHAT] == what
        if in_hand:
            self._follow(leg, port, int(busy_ns[leg.port]), now)
            return
        if event is None:
            if port[t.P_CLASSES] > 0 and self._waits(leg.port, what):
                return
            copy.lost_ns, copy.lost = now, int(state[t.LAST_END] & t.CAUSE_OF_END)
            leg.lost = copy.lost
            self._sum_up(leg, state, what, now)
            return
        when, happens = event
        if happens & t.LOST_BIT:
            leg.lost = copy.lost = int((happens >> t.CAUSE_AT) & 0xFF)
            copy.lost_ns = when
            self._sum_up(leg, state, what, when)
        elif (happens >> t.HOP_AT) & 0xFF == copy.hop + 1:
            leg.out_ns = when
            self._sum_up(leg, state, what, when)
            copy.hop += 1
            copy.due_ns = when
        # else it waits at the base station until its receiver has been paged

    def _has_moved_on(self, copy: Copy, what: int, state: Ints, now: int, event: tuple[int, int] | None) -> bool:
        """Whether a copy is already beyond the hop after the one where it was seen last."""
        net = self._queue.net
        if event is not None:
            return (event[1] >> t.HOP_AT) & 0xFF > copy.hop + (0 if event[1] & t.LOST_BIT else 1)
        if copy.hop + 1 == state[t.ACK_HOPS if copy.is_ack else t.HOPS]:
            return bool(state[t.ACKNOWLEDGED if copy.is_ack else t.DELIVERED] == now)
        p = int(net.path[int(state[t.ACK_PATH if copy.is_ack else t.PATH]) + copy.hop + 1]["port"])
        then = what + int(t.ONE_HOP)
        in_hand = net.port[p, t.P_ACTIVE] == 1 and net.port[p, t.P_WHAT] == then
        return bool(net.port[p, t.P_CLASSES] > 0 and (in_hand or self._waits(p, then)))

    def _follow(self, leg: Leg, port: Ints, busy_before_ns: int, now: int) -> None:
        if leg.begin_ns is None:
            leg.begin_ns = now
        more_ns = int(port[t.P_BUSY]) - busy_before_ns
        if more_ns > 0:
            leg.air_ns += more_ns
            leg.sent += 1
        looks = t.P_TRY if leg.method == t.CELLULAR else t.P_BACK_OFFS
        leg.back_offs = max(leg.back_offs, int(port[looks]))

    def _sum_up(self, leg: Leg, state: Ints, what: int, end_ns: int) -> None:
        """Fill in what follows from a hop's end: a link's attempts, when they began, and how far the way is."""
        net = self._queue.net
        port = net.port[leg.port]
        leg.travel_ns = 0 if leg.lost is not None else int(port[t.P_DELAY])
        if leg.method in _FRAME_BY_FRAME:
            # Frames of 802.11 the kernel lets arrive at once.
            if leg.method != t.DCF and leg.lost is None:
                far_m = float(np.hypot(*(net.xy_m[leg.node_from] - net.xy_m[leg.node_to])))
                leg.travel_ns += round(far_m * NS_PER_M)
            return
        size = int(wire_bytes(net.port, leg.port, what, self._queue.state, self._queue.facts))
        airtime_ns = round(size * 8e9 / leg.rate_bps)
        if leg.method in (t.TDMA, t.CELLULAR):
            airtime_ns += int(port[t.P_FRAME])
        if leg.air_ns > 0:  # seen while it was in hand
            leg.sent = max(1, round(leg.air_ns / max(airtime_ns, 1)))
            return
        if leg.lost in (t.BY_BUFFER, t.BY_OUTAGE, t.BY_ACCESS, t.BY_STALE):
            return
        there = float(net.path[int(path_at(what, self._queue.state))]["loss"])
        chance = float(chance_of_loss(float(net.loss[leg.port]), there))
        attempts, _ = draw_attempts(
            net.port, net.break_loss, leg.port, what, self._queue.state, chance, self._queue.seed
        )
        leg.sent, leg.air_ns = int(attempts), int(attempts) * airtime_ns
        if leg.method == _LINK:
            gone_ns = int(port[t.P_FREE]) if leg.lost is not None else end_ns - leg.travel_ns
            leg.begin_ns = max(leg.arrived_ns, gone_ns - leg.air_ns)
        elif leg.begin_ns is None:
            leg.begin_ns = leg.arrived_ns

    def _waits(self, p: int, what: int) -> bool:
        """Whether a copy stands in one of a port's lines."""
        net = self._queue.net
        first = int(net.port[p, t.P_LISTS_AT])
        for line in range(first, first + int(net.port[p, t.P_CLASSES])):
            slot = int(net.lists[line, 0])
            while slot:
                if net.queue[slot, 0] == what:
                    return True
                slot = int(net.queue[slot, 2])
        return False

    def _end_unseen(self, journey: Journey, now: int, outcome: Outcome) -> None:
        lost = outcome.lost[outcome.lost[:, 0] == journey.id]
        arrived = outcome.arrived[outcome.arrived[:, 0] == journey.id]
        answered = outcome.answered[outcome.answered[:, 0] == journey.id]
        if len(arrived):
            journey.delivered_ns = int(arrived[0, 1])
        if len(answered):
            journey.acknowledged_ns = int(answered[0, 1])
        if len(lost):
            journey.lost = int(lost[0, 2])
        for copy in journey.copies:
            if _is_live(copy) and (len(lost) == 0 or copy.due_ns == now):
                copy.arrived_ns = now
            elif _is_live(copy):
                copy.lost_ns, copy.lost = now, journey.lost
        journey.is_over = True
        del self._rows[journey.id]

    # The rest is the queue's own.

    @property
    def state(self) -> Ints:
        return self._queue.state

    @property
    def quarter(self) -> Ints:
        return self._queue.quarter

    @property
    def worst_ns(self) -> Ints:
        return self._queue.worst_ns

    @property
    def hop_events(self) -> int:
        return self._queue.hop_events

    def begin_counting(self) -> None:
        self._queue.begin_counting()

    def counts_now(self) -> Counts:
        return self._queue.counts_now()


def _is_live(copy: Copy) -> bool:
    return copy.arrived_ns is None and copy.lost_ns is None


def _known(ns: int) -> int | None:
    return None if ns < 0 else int(ns)
