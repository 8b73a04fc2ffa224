"""A watch on single messages: the event queue is stopped whenever something happens to one that lives, and looked at.

A copy on its way has its next event in the queue: nothing happens to it before. What waits at a port, or is in its hand, is seen
whenever that port changes. So the stops are those of the message itself and of the ports where it waits, however long it
lives and whatever the others do. Stopping a queue changes nothing: a watched run is the same run. What is seen: where each copy is,
since when, and what its port has done for it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.access.radio import NS_PER_M
from heptagrid.planes.messages.kernel.event_queue import EventQueue
from heptagrid.planes.messages.kernel.tally import Tally
from heptagrid.planes.messages.kernel.timeouts import first_timeout_ns
from heptagrid.planes.messages.kernel.traces import CopyTrace, HopTrace, MessageTrace
from heptagrid.planes.messages.routing.ports import chance_of_loss, draw_attempts, path_at, wire_bytes
from heptagrid.planes.messages.statistics import Counts
from heptagrid.planes.messages.tables import Ints, Outcome

_LINK = -1  # a link of its own has no method of access
_FRAME_BY_FRAME = (t.CSMA_CA, t.SLOTTED_CSMA_CA, t.ALOHA, t.SLOTTED_ALOHA, t.CLASS_A, t.DCF)
_ROW = 0xFFFFFFFF


class WatchedQueue:
    """An event queue, and the traces of the messages that are watched.

    Parameters
    ----------
    queue : what is watched from now on.
    ids : of messages that have not been sent yet.
    """

    def __init__(self, queue: EventQueue, ids: Iterable[int]) -> None:
        self._queue = queue
        self._wanted = np.array(sorted(ids), dtype=np.int64)
        self._rows: dict[int, int] = {}
        self.traces: dict[int, MessageTrace] = {}

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
        return len(self.traces) == len(self._wanted) and not self._rows

    def gathered(self, parts: list[Ints]) -> Ints:
        """As `EventQueue.gathered`."""
        return self._queue.gathered(parts)

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
                self._look(self.traces[message], now, busy_ns, parts[-1])
        return Outcome(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def _own_events(self) -> list[int]:
        """When something is to happen to watched messages that no port decides: copies on their way, and time-outs."""
        what = self._queue.heap[:, 2]
        is_own = np.isin(what & _ROW, list(self._rows.values())) & ((what & (t.NODE_BIT | t.PORT_BIT)) == 0)
        times: list[int] = self._queue.heap[is_own, 0].tolist()
        for message, row in self._rows.items():
            state = self._queue.state[row]
            if state[t.TIMER] == 1 and state[t.COPIES] == 1 and state[t.ACKNOWLEDGED] < 0:
                times.append(self.traces[message].sent_ns + self.traces[message].timeout_ns)
        return times

    def _ports(self) -> set[int]:
        """Where watched copies wait or are in hand: those that have no event of their own."""
        ports = set()
        for message, row in self._rows.items():
            events = self._events(row)
            for copy in self.traces[message].copies:
                if _is_live(copy) and (copy.is_ack, copy.number) not in events:
                    ports.add(copy.hops[-1].port)
        return ports

    def _begin(self, pending: Ints) -> None:
        queue = self._queue
        facts = queue.facts[pending[t.KIND]]
        trace = MessageTrace(
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
        self.traces[trace.id] = trace
        is_it = (queue.state[:, t.ID] == trace.id) & (queue.state[:, t.SENT] == trace.sent_ns)
        rows = np.flatnonzero(is_it)
        self._rows[trace.id] = int(rows[0]) if len(rows) else 0

    def _look(self, trace: MessageTrace, now: int, busy_ns: Ints, outcome: Outcome) -> None:
        """See what has happened to a message at `now`."""
        row = self._rows[trace.id]
        state = self._queue.state[row]
        if state[t.ID] != trace.id:  # its row has been taken over within this very nanosecond
            self._end_unseen(trace, now, outcome)
            return
        events = self._events(row)
        for copy in [one for one in trace.copies if _is_live(one) and one.due_ns == now]:
            self._arrive(trace, copy, state, now)
        while sum(not one.is_ack for one in trace.copies) < state[t.COPIES]:
            number = sum(not one.is_ack for one in trace.copies)
            copy = CopyTrace(number, False, now, due_ns=now)
            trace.copies.append(copy)
            self._arrive(trace, copy, state, now)
        for copy in trace.copies:
            if _is_live(copy) and copy.due_ns <= now:
                self._progress(trace, copy, row, state, now, busy_ns, events.get((copy.is_ack, copy.number)))
        trace.delivered_ns = _known(state[t.DELIVERED])
        trace.acknowledged_ns = _known(state[t.ACKNOWLEDGED])
        is_settled = state[t.TIMER] == 0 or state[t.ACKNOWLEDGED] >= 0
        if is_settled and not any(_is_live(one) for one in trace.copies):
            if trace.delivered_ns is None:
                trace.lost = int(state[t.LAST_END] & t.CAUSE_OF_END)
            trace.is_over = True
            del self._rows[trace.id]

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

    def _arrive(self, trace: MessageTrace, copy: CopyTrace, state: Ints, now: int) -> None:
        """A copy has come to its next port, or to its end."""
        net = self._queue.net
        hops = int(state[t.ACK_HOPS if copy.is_ack else t.HOPS])
        begin, end = (trace.source, trace.destination)[:: -1 if copy.is_ack else 1]
        if copy.hops_done < hops:
            at = int(state[t.ACK_PATH if copy.is_ack else t.PATH]) + copy.hops_done
            port = int(net.path[at]["port"])
            medium = int(net.port[port, t.P_MEDIUM])
            hop = HopTrace(
                port=port,
                node_from=begin if copy.hops_done == 0 else int(net.path[at - 1]["node"]),
                node_to=int(net.path[at]["node"]),
                link_class=int(net.port[port, t.P_LINK_CLASS]),
                method=_LINK if medium < 0 else int(net.medium[medium, t.M_METHOD]),
                rate_bps=float(net.rate_bps[port]),
                arrived_ns=now,
            )
            copy.hops.append(hop)
        elif net.node[end, t.N_DOWN] > 0:
            copy.lost_ns, copy.lost = now, int(t.BY_OUTAGE)
        else:
            copy.is_duplicate = any(one.is_ack == copy.is_ack and one.arrived_ns is not None for one in trace.copies)
            copy.arrived_ns = now
            if trace.is_acknowledged and not copy.is_ack:
                answer = CopyTrace(copy.number, True, now, due_ns=now)
                trace.copies.append(answer)
                self._arrive(trace, answer, state, now)

    def _progress(
        self,
        trace: MessageTrace,
        copy: CopyTrace,
        row: int,
        state: Ints,
        now: int,
        busy_ns: Ints,
        event: tuple[int, int] | None,
    ) -> None:
        """See what a port does for the copy that has come to it."""
        net = self._queue.net
        hop = copy.hops[-1]
        what = row | (copy.hops_done << t.HOP_AT) | (copy.number << t.COPY_AT) | (int(copy.is_ack) << t.ACK_AT)
        if self._has_moved_on(copy, what, state, now, event):  # without delay: within this very nanosecond
            hop.out_ns = now
            self._sum_up(hop, state, what, now)
            copy.hops_done += 1
            self._arrive(trace, copy, state, now)
            if _is_live(copy):
                self._progress(trace, copy, row, state, now, busy_ns, event)
            return
        port = net.port[hop.port]
        # A port may still show a copy that is on its way already, while it keeps the gap between frames.
        in_hand = event is None and port[t.P_CLASSES] > 0 and port[t.P_ACTIVE] == 1 and port[t.P_WHAT] == what
        if in_hand:
            self._follow(hop, port, int(busy_ns[hop.port]), now)
            return
        if event is None:
            if port[t.P_CLASSES] > 0 and self._waits(hop.port, what):
                return
            copy.lost_ns, copy.lost = now, int(state[t.LAST_END] & t.CAUSE_OF_END)
            hop.lost = copy.lost
            self._sum_up(hop, state, what, now)
            return
        when, happens = event
        if happens & t.LOST_BIT:
            hop.lost = copy.lost = int((happens >> t.CAUSE_AT) & 0xFF)
            copy.lost_ns = when
            self._sum_up(hop, state, what, when)
        elif (happens >> t.HOP_AT) & 0xFF == copy.hops_done + 1:
            hop.out_ns = when
            self._sum_up(hop, state, what, when)
            copy.hops_done += 1
            copy.due_ns = when
        # else it waits at the base station until its receiver has been paged

    def _has_moved_on(self, copy: CopyTrace, what: int, state: Ints, now: int, event: tuple[int, int] | None) -> bool:
        """Whether a copy is already beyond the hop after the one where it was seen last."""
        net = self._queue.net
        if event is not None:
            return (event[1] >> t.HOP_AT) & 0xFF > copy.hops_done + (0 if event[1] & t.LOST_BIT else 1)
        if copy.hops_done + 1 == state[t.ACK_HOPS if copy.is_ack else t.HOPS]:
            return bool(state[t.ACKNOWLEDGED if copy.is_ack else t.DELIVERED] == now)
        p = int(net.path[int(state[t.ACK_PATH if copy.is_ack else t.PATH]) + copy.hops_done + 1]["port"])
        then = what + int(t.ONE_HOP)
        in_hand = net.port[p, t.P_ACTIVE] == 1 and net.port[p, t.P_WHAT] == then
        return bool(net.port[p, t.P_CLASSES] > 0 and (in_hand or self._waits(p, then)))

    def _follow(self, hop: HopTrace, port: Ints, busy_before_ns: int, now: int) -> None:
        if hop.begin_ns is None:
            hop.begin_ns = now
        more_ns = int(port[t.P_BUSY]) - busy_before_ns
        if more_ns > 0:
            hop.air_ns += more_ns
            hop.sent += 1
        looks = t.P_TRY if hop.method == t.CELLULAR else t.P_BACK_OFFS
        hop.back_offs = max(hop.back_offs, int(port[looks]))

    def _sum_up(self, hop: HopTrace, state: Ints, what: int, end_ns: int) -> None:
        """Fill in what follows from a hop's end: a link's attempts, when they began, and how far the way is."""
        net = self._queue.net
        port = net.port[hop.port]
        hop.travel_ns = 0 if hop.lost is not None else int(port[t.P_DELAY])
        if hop.method in _FRAME_BY_FRAME:
            # Frames of 802.11 the kernel lets arrive at once.
            if hop.method != t.DCF and hop.lost is None:
                far_m = float(np.hypot(*(net.xy_m[hop.node_from] - net.xy_m[hop.node_to])))
                hop.travel_ns += round(far_m * NS_PER_M)
            return
        size = int(wire_bytes(net.port, hop.port, what, self._queue.state, self._queue.facts))
        airtime_ns = round(size * 8e9 / hop.rate_bps)
        if hop.method in (t.TDMA, t.CELLULAR):
            airtime_ns += int(port[t.P_FRAME])
        if hop.air_ns > 0:  # seen while it was in hand
            hop.sent = max(1, round(hop.air_ns / max(airtime_ns, 1)))
            return
        if hop.lost in (t.BY_BUFFER, t.BY_OUTAGE, t.BY_ACCESS, t.BY_STALE):
            return
        there = float(net.path[int(path_at(what, self._queue.state))]["loss"])
        chance = float(chance_of_loss(float(net.loss[hop.port]), there))
        attempts, _ = draw_attempts(
            net.port, net.break_loss, hop.port, what, self._queue.state, chance, self._queue.seed
        )
        hop.sent, hop.air_ns = int(attempts), int(attempts) * airtime_ns
        if hop.method == _LINK:
            gone_ns = int(port[t.P_FREE]) if hop.lost is not None else end_ns - hop.travel_ns
            hop.begin_ns = max(hop.arrived_ns, gone_ns - hop.air_ns)
        elif hop.begin_ns is None:
            hop.begin_ns = hop.arrived_ns

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

    def _end_unseen(self, trace: MessageTrace, now: int, outcome: Outcome) -> None:
        lost = outcome.lost[outcome.lost[:, 0] == trace.id]
        arrived = outcome.arrived[outcome.arrived[:, 0] == trace.id]
        answered = outcome.answered[outcome.answered[:, 0] == trace.id]
        if len(arrived):
            trace.delivered_ns = int(arrived[0, 1])
        if len(answered):
            trace.acknowledged_ns = int(answered[0, 1])
        if len(lost):
            trace.lost = int(lost[0, 2])
        for copy in trace.copies:
            if _is_live(copy) and (len(lost) == 0 or copy.due_ns == now):
                copy.arrived_ns = now
            elif _is_live(copy):
                copy.lost_ns, copy.lost = now, trace.lost
        trace.is_over = True
        del self._rows[trace.id]

    # The rest is the queue's own.

    @property
    def states(self) -> list[Ints]:
        return self._queue.states

    @property
    def tally(self) -> Tally:
        return self._queue.tally

    @property
    def hop_events(self) -> int:
        return self._queue.hop_events

    def begin_counting(self) -> None:
        self._queue.begin_counting()

    def counts_now(self) -> Counts:
        return self._queue.counts_now()


def _is_live(copy: CopyTrace) -> bool:
    return copy.arrived_ns is None and copy.lost_ns is None


def _known(ns: int) -> int | None:
    return None if ns < 0 else int(ns)
