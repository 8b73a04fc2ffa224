"""The event kernel: every copy of every message, hop by hop, in exact integer nanoseconds.

Events are taken in the order of time, and at one and the same nanosecond: ends of transmissions first, then
arrivals in the order of their message's index (acknowledgements after their message, an earlier copy before a later
one), then time-outs. Acknowledgements and transport retries happen here, at their exact times, and never wait for
a step.
"""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.compiled.array_shapes import line, rows
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.compiled.prefetch import prefetch
from heptagrid.planes.messages.access import carrier_sense, cellular, class_a, contention, dcf, link, tdma
from heptagrid.planes.messages.kernel.events import drop_first, push, push_lost, push_port, wait_last
from heptagrid.planes.messages.kernel.timeouts import first_timeout_ns
from heptagrid.planes.messages.routing.ports import fetch, fetch_medium, fetch_next, of_known_shape, take_next
from heptagrid.planes.messages.tables import (
    ACK_AT,
    ACK_COPIES,
    ACK_HOPS,
    ACK_PATH,
    ACK_SENT,
    ACKED,
    ACKNOWLEDGED,
    BY_BUFFER,
    BY_OUTAGE,
    CARRIER_SENSE,
    CAUSE_AT,
    CAUSE_OF_END,
    CELLULAR,
    CLASS_A,
    COPIES,
    COPY_AT,
    COUNTED,
    DATA_COPIES,
    DCF,
    DEADLINE,
    DELIVERED,
    DESTINATION,
    E_ATTEMPT,
    E_END,
    E_RESPONSE,
    E_SENSE,
    E_START,
    END_AT,
    EPOCHS,
    EVENT,
    FACTS,
    GROUP,
    HOP_AT,
    HOP_OF_END,
    HOPS,
    ID,
    KIND,
    LAST_END,
    LATE_CLASS,
    LATEST_END,
    LOST_BIT,
    M_BASE,
    M_METHOD,
    N_DELIVERED,
    N_DOWN,
    N_LATE,
    N_LOST,
    N_SENT,
    NEVER,
    NODE_BIT,
    NOTHING,
    ONE_HOP,
    OVER,
    P_ACTIVE,
    P_BUFFER,
    P_CLASSES,
    P_COLLIDED,
    P_EPOCH,
    P_KEY,
    P_LISTS_AT,
    P_MEDIUM,
    P_NEXT,
    P_NODE,
    P_READY,
    P_STORES,
    P_WAITING,
    P_WHAT,
    PAIR,
    PATH,
    PENDING,
    PORT,
    PORT_BIT,
    PRIORITY,
    READY_BIT,
    RETRIES,
    SENT,
    SOURCE,
    STATE,
    TDMA,
    TIMEOUT,
    TIMER,
    TIMER_BIT,
)

ACK_KIND = 9
BINS_PER_E = 1000  # histogram bins per factor e of delay: 0.1 % wide
BINS = 27_700  # from 1 microsecond over eleven decades

# The queue's own numbers. S_FULL: whether it stopped for want of places in the heap; S_LIMIT: events in the heap, beyond which one more event
# might make more than it holds; S_CHANGED: when a watched port changed, and time stood still with it; NEVER: none did.
(S_HEAP, S_VACANT, S_ARRIVED, S_ANSWERED, S_LOST, S_EVENTS, S_CURSOR, S_NEXT, S_FULL, S_LIMIT, S_CHANGED) = range(11)
SCALARS = 11
OF_ONE_CALL = [S_ARRIVED, S_ANSWERED, S_LOST, S_EVENTS, S_CURSOR]  # those that begin at zero in each call

UP_AT = 40  # of a node's or link's event: it comes up; and the next bit: it is a link


@kernel(allocates=False)
def _bin(delay_ns):  # type: ignore[no-untyped-def]
    if delay_ns < 1000:
        return 0
    return min(BINS - 1, 1 + int(np.log(delay_ns / 1000.0) * BINS_PER_E))


@kernel(allocates=False)
def _earliest_timer(timers, timer_head, timer_size):  # type: ignore[no-untyped-def]
    """The kind whose oldest first time-out is the earliest of all, its time, and its message."""
    which, when, key = 0, NEVER, NEVER
    for kind in range(timer_size.shape[0]):
        if timer_size[kind] > 0:
            head = timer_head[kind]
            at = timers[kind, head, 0]
            if at < when or (at == when and timers[kind, head, 2] < key):
                which, when, key = kind, at, timers[kind, head, 2]
    return which, when, key


@kernel(inline=True, allocates=False)
def _begin(net, p, now, is_fresh, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """A port begins with the copy in hand, by its medium's method."""
    m = net.port[p, P_MEDIUM]
    if m < 0:
        return link.begin(net, p, now, heap, size, state, facts, seed)
    method = net.medium[m, M_METHOD]
    if method == CARRIER_SENSE:
        return carrier_sense.begin(net, p, now, heap, size, state, facts, seed)
    if method == DCF:
        return dcf.begin(net, p, now, is_fresh, heap, size, state, facts, seed)
    if method == TDMA:
        return tdma.begin(net, p, now, heap, size, state, facts, seed)
    if method == CELLULAR:
        if net.medium[m, M_BASE] == p:
            return cellular.start_down(net, p, now, heap, size, state, facts, seed)
        return cellular.begin(net, p, now, heap, size, state, facts, seed)
    return contention.begin(net, p, now, heap, size, state, facts, seed)


@kernel(inline=True, allocates=False)
def _offer(net, p, what, key, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """A copy arrives at a port that keeps a queue: it is taken in hand, waits, or finds no room."""
    port = net.port
    m = port[p, P_MEDIUM]
    if m >= 0:
        method = net.medium[m, M_METHOD]
        if method == CELLULAR and net.medium[m, M_BASE] == p:
            return cellular.offer_down(net, p, what, key, now, heap, size, state, facts, seed)
        if method == CLASS_A and net.medium[m, M_BASE] == p:
            return class_a.offer_down(net, p, what, key, now, heap, size, state, facts)
    elif port[p, P_NEXT] > 0:
        p = link.soonest(net, p, what, now, state, facts)
    if port[p, P_ACTIVE] == 1:
        if port[p, P_BUFFER] >= 0 and port[p, P_WAITING] >= port[p, P_BUFFER]:
            return push_lost(heap, size, now, key, what, BY_BUFFER)
        urgency = min(state[what & 0xFFFFFFFF, PRIORITY], port[p, P_CLASSES] - 1)
        wait_last(net.lists, net.queue, port[p, P_LISTS_AT] + urgency, what, key)
        port[p, P_WAITING] += 1
        if m < 0:
            link.count_waiting(net, p, what, 1, state, facts)
        return size
    port[p, P_ACTIVE], port[p, P_WHAT], port[p, P_KEY] = 1, what, key
    return _begin(net, p, now, True, heap, size, state, facts, seed)


@kernel(inline=True, allocates=False)
def _port_event(net, what, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """What a port or a medium does at its time."""
    p, kind, epoch = what & 0xFFFFFFFF, (what >> 40) & 0xFF, (what >> 48) & EPOCHS
    port = net.port
    m = port[p, P_MEDIUM]
    if epoch != port[p, P_EPOCH]:
        return size
    if m < 0:
        return link.end(net, p, now, heap, size, state, facts, seed)
    method = net.medium[m, M_METHOD]
    if method == CARRIER_SENSE:
        if kind == E_END:
            return carrier_sense.end(net, p, now, heap, size, state)
        if kind == E_START:
            return carrier_sense.ready(net, p, now, heap, size, state, facts, seed)
        return carrier_sense.attempt(net, p, now, heap, size, state, facts, seed)
    if method == DCF:
        if kind == E_END:
            return dcf.end(net, p, now, heap, size, state, seed)
        if kind == E_START:
            dcf.answer(net, p, now, state)
            return size
        if kind == E_RESPONSE:
            return dcf.response(net, p, now, heap, size, state, facts, seed)
        return dcf.attempt(net, p, now, heap, size, state, facts)
    if method == TDMA:
        return tdma.end(net, p, now, heap, size, state, facts, seed)
    if method == CELLULAR:
        if net.medium[m, M_BASE] == p:
            return cellular.end_down(net, p, now, heap, size, state, facts, seed)
        if kind == E_END:
            return cellular.end(net, p, now, heap, size, state, facts, seed)
        if kind == E_RESPONSE:
            return cellular.response(net, p, now, heap, size, state, facts, seed)
        return cellular.attempt(net, p, now, heap, size, seed)
    if kind == E_SENSE:
        return contention.sense(net, p, now, heap, size, state, facts, seed)
    if method == CLASS_A:
        base = net.medium[m, M_BASE]
        if p == base:
            return class_a.end_down(net, p, now, heap, size, state, seed)
        if kind == E_END:
            sent = port[p, P_WHAT]
            size = contention.end(net, p, now, heap, size, state, facts, seed)
            return class_a.open_windows(net, p, sent, now, heap, size, state)
        if kind in (E_ATTEMPT, E_RESPONSE):
            return class_a.listen(net, base, p, kind == E_ATTEMPT, now, heap, size, state, facts)
        if port[p, P_READY] > now:
            return push_port(heap, size, port[p, P_READY], E_START, p, epoch)
    if kind == E_END:
        return contention.end(net, p, now, heap, size, state, facts, seed)
    return contention.start(net, p, now, heap, size, state, facts, seed)


@kernel(allocates=False)
def _switch_port(net, p, up, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The node of a port on a medium loses its supply or gets it back."""
    port = net.port
    m = port[p, P_MEDIUM]
    port[p, P_EPOCH] = (port[p, P_EPOCH] + 1) & EPOCHS
    if net.medium[m, M_METHOD] == CLASS_A:
        if net.medium[m, M_BASE] == p:
            return class_a.interrupt(net, p, now, heap, size, state)
        size = class_a.close_windows(net, p, now, heap, size)
    if port[p, P_ACTIVE] == 0:
        if port[p, P_STORES] == 0:
            port[p, P_WAITING] = 0  # of a base station that was paging
        return size
    if net.medium[m, M_METHOD] == DCF and not up:
        dcf.leave(net, p)
    in_hand = port[p, P_WHAT] != NOTHING
    if up:
        if in_hand or take_next(net, p):
            size = _begin(net, p, now, True, heap, size, state, facts, seed)
        return size
    port[p, P_COLLIDED] = 1
    if port[p, P_STORES] == 0:
        while in_hand or take_next(net, p):
            size = push_lost(heap, size, now, port[p, P_KEY], port[p, P_WHAT], BY_OUTAGE)
            in_hand = False
        port[p, P_WAITING] = 0
    return size


@kernel(allocates=False)
def _switch(net, what, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """A node or a link goes down or comes up; a node that fails twice must come up twice."""
    up, is_link, k = (what >> UP_AT) & 1, (what >> (UP_AT + 1)) & 1, what & 0xFFFFFFFF
    if is_link:
        return link.switch(net, k, up == 1, now, heap, size, state, facts, seed)
    before = net.node[k, N_DOWN]
    net.node[k, N_DOWN] = before + (-1 if up else 1)
    if before > 1 or (before == 1 and not up):
        return size
    for j in range(net.node_ports_at[k], net.node_ports_at[k + 1]):
        p = net.node_ports[j]
        if net.port[p, P_MEDIUM] < 0:
            size = link.switch(net, p, up == 1, now, heap, size, state, facts, seed)
        else:
            size = _switch_port(net, p, up == 1, now, heap, size, state, facts, seed)
    return size


@kernel(inline=True, allocates=False)
def _end_of(state, row, hop, now, cause):  # type: ignore[no-untyped-def]
    """How a copy was lost in one number, which is greater the later it was."""
    return (min(now - state[row, SENT], LATEST_END) << END_AT) | (hop << HOP_OF_END) | cause


@kernel(inline=True, allocates=False)
def _finish(state, row, counters, quarter, lost, lost_size):  # type: ignore[no-untyped-def]
    """Close a message of which nothing travels any more and nothing can start another copy; the losses listed."""
    state = rows(state, STATE)
    if state[row, DATA_COPIES] != 0 or state[row, ACK_COPIES] != 0 or state[row, OVER] != 0:
        return lost_size
    if state[row, TIMER] == 1 and state[row, ACKNOWLEDGED] < 0:
        return lost_size
    state[row, OVER] = 1
    kind, group, counted = state[row, KIND], state[row, GROUP] + 1, state[row, COUNTED]
    end = state[row, LAST_END]
    cause = end & CAUSE_OF_END
    if state[row, DELIVERED] < 0:
        counters[N_LOST + cause, kind] += counted
        quarter[kind, group, 2] += counted
        if lost_size < lost.shape[0]:
            lost[lost_size, 0], lost[lost_size, 1] = state[row, ID], state[row, SENT] + (end >> END_AT)
            lost[lost_size, 2], lost[lost_size, 3] = cause, (end >> HOP_OF_END) & 0xFF
            lost_size += 1
    if state[row, ACK_SENT] > 0 and state[row, ACKNOWLEDGED] < 0:
        counters[N_LOST + cause, ACK_KIND] += counted
        quarter[ACK_KIND, group, 2] += counted
    return lost_size


@kernel(inline=True, allocates=False)
def _has_changed(port, watched):  # type: ignore[no-untyped-def]
    """Whether a port is no longer as it was: a row of `watched` is a port and its row at that time."""
    for k in range(watched.shape[0]):
        p = watched[k, 0]
        for column in range(PORT):
            if port[p, column] != watched[k, 1 + column]:
                return True
    return False


@kernel(allocates=False)
def advance(  # type: ignore[no-untyped-def]
    until, pending, under_way, net, facts, seed, counted, known, watched
):
    """Process the events up to and including `until`; `pending` are the messages that leave by then.

    An event waits in one of three places: the one just made is kept in hand, for it is often the next; the earliest
    moments of a kind's first time-outs come in the order in which they were set, so a ring for each kind holds them; the
    rest is in the heap, and with it the dithered time-out of who still waits at that moment. Fills `known` with first deliveries, first
    acknowledgements and losses; how many is in `numbers`. Stops before `until` right after the event that changes a port of `watched`.
    """
    numbers, arrived, answered, lost = under_way.numbers, known.arrived, known.answered, known.lost
    timers, timer_head, timer_size = under_way.timers, under_way.timer_head, under_way.timer_size
    counters, pairs, histogram = counted.by_kind, counted.pairs, counted.histogram
    quarter, worst = counted.quarter, counted.worst_ns
    heap_size, vacant_size, cursor = numbers[S_HEAP], numbers[S_VACANT], numbers[S_CURSOR]
    arrivals, answers, lost_size = numbers[S_ARRIVED], numbers[S_ANSWERED], numbers[S_LOST]
    hop_events, heap_limit = numbers[S_EVENTS], numbers[S_LIMIT]
    net = of_known_shape(net)
    due = pending.shape[0]
    heap, state, vacant = rows(under_way.heap, EVENT), rows(under_way.state, STATE), line(under_way.vacant)
    pending, facts = rows(pending, PENDING), rows(facts, FACTS)
    port, path, node = net.port, net.path, net.node
    ring = timers.shape[1]
    hand_when, hand_key, hand_what = NEVER, NEVER, np.int64(0)
    timer_kind, next_timer, timer_id = _earliest_timer(timers, timer_head, timer_size)
    is_watched, now = watched.shape[0] > 0, until
    while True:
        if is_watched and _has_changed(port, watched):
            numbers[S_NEXT] = numbers[S_CHANGED] = now
            break
        # The earliest of hand and heap, then of those and the time-outs (last at one nanosecond), then of all.
        if heap_size > 0 and (heap[0, 0] < hand_when or (heap[0, 0] == hand_when and heap[0, 1] < hand_key)):
            if hand_when != NEVER:
                heap_size = push(heap, heap_size, hand_when, hand_key, hand_what)
            hand_when = NEVER
        in_hand = hand_when != NEVER
        next_event = hand_when if in_hand else (heap[0, 0] if heap_size > 0 else NEVER)
        next_key = hand_key if in_hand else (heap[0, 1] if heap_size > 0 else NEVER)
        next_pending = pending[cursor, SENT] if cursor < due else NEVER
        if min(next_pending, next_event, next_timer) > until:
            numbers[S_NEXT] = min(next_pending, next_event, next_timer)
            break
        if heap_size > heap_limit:
            numbers[S_NEXT], numbers[S_FULL] = min(next_pending, next_event, next_timer), 1
            break

        if next_pending <= next_timer and (
            next_pending < next_event or (next_pending == next_event and pending[cursor, ID] << 9 < next_key)
        ):
            # A message's time has come: it takes a row, and its first copy arrives at the first port.
            if in_hand:
                heap_size = push(heap, heap_size, hand_when, hand_key, hand_what)
            vacant_size -= 1
            row = vacant[vacant_size]
            state[row] = 0
            for column in range(PENDING):
                state[row, column] = pending[cursor, column]
            cursor += 1
            if cursor + 16 < due:
                prefetch(pending, (cursor + 16, 0))
                prefetch(pending, (cursor + 16, 8))
                prefetch(path, (pending[cursor + 8, PATH],))
                prefetch(path, (pending[cursor + 8, PATH] + 4,))
                if pending[cursor + 4, HOPS] > 0:
                    fetch(net, pending[cursor + 4, PATH])
                if pending[cursor + 2, HOPS] > 0:
                    fetch_medium(net, pending[cursor + 2, PATH])
            state[row, DELIVERED] = state[row, ACKNOWLEDGED] = -1
            kind = state[row, KIND]
            counters[N_SENT, kind] += 1
            quarter[kind, state[row, GROUP] + 1, 0] += 1
            state[row, DATA_COPIES] = state[row, COPIES] = state[row, COUNTED] = 1
            hand_when, hand_key, hand_what = next_pending, state[row, ID] << 9, np.int64(row)
            if facts[kind, ACKED] == 1 and facts[kind, RETRIES] > 0:
                state[row, TIMER] = 1
                slot = (timer_head[kind] + timer_size[kind]) % ring
                timers[kind, slot, 0] = next_pending + facts[kind, TIMEOUT]
                timers[kind, slot, 1] = row
                timers[kind, slot, 2] = state[row, ID]
                timer_size[kind] += 1
                if timers[kind, slot, 0] < next_timer or (
                    timers[kind, slot, 0] == next_timer and state[row, ID] < timer_id
                ):
                    timer_kind, next_timer, timer_id = kind, timers[kind, slot, 0], state[row, ID]
            continue

        if next_event < next_timer or (next_event == next_timer and next_key < (LATE_CLASS | (timer_id << 9))):
            now = next_event
            if in_hand:
                what = hand_what
                hand_when = NEVER
            else:
                what = heap[0, 2]
                heap_size = drop_first(heap, heap_size)
                _fetch_event(net, state, heap[0, 2])
        else:
            now = next_timer
            head = timer_head[timer_kind]
            timer_head[timer_kind] = (head + 1) % ring
            timer_size[timer_kind] -= 1
            row = timers[timer_kind, head, 1]
            what = row | TIMER_BIT
            prefetch(state, (timers[timer_kind, (head + 8) % ring, 1], ACKNOWLEDGED))
            timer_kind, next_timer, timer_id = _earliest_timer(timers, timer_head, timer_size)
            if state[row, ACKNOWLEDGED] < 0:
                timeout = state[row, SENT] + first_timeout_ns(state, row, facts, seed)
                late_key = LATE_CLASS | (state[row, ID] << 9)
                heap_size = push(heap, heap_size, timeout, late_key, what)
                continue

        if what & PORT_BIT:
            heap_size = _port_event(net, what, now, heap, heap_size, state, facts, seed)
            continue
        if what & NODE_BIT:
            heap_size = _switch(net, what, now, heap, heap_size, state, facts, seed)
            continue

        row = what & 0xFFFFFFFF
        hop = (what >> HOP_AT) & 0xFF
        copy = (what >> COPY_AT) & 0xFF
        is_ack = (what >> ACK_AT) & 1
        kind = state[row, KIND]
        key = (state[row, ID] << 9) | (is_ack << 8) | copy
        data_change = ack_change = 0
        cause = np.int64(-1)

        if what & TIMER_BIT:
            # The sender's time-out: another copy, unless the acknowledgement has come.
            state[row, TIMER] = 0
            if state[row, ACKNOWLEDGED] < 0:
                copy = state[row, COPIES]
                state[row, COPIES] += 1
                data_change = 1
                heap_size = push(heap, heap_size, now, (state[row, ID] << 9) | copy, row | (copy << COPY_AT))
                if copy < facts[kind, RETRIES]:
                    state[row, TIMER] = 1
                    timeout = now + (first_timeout_ns(state, row, facts, seed) << copy)
                    late_key = LATE_CLASS | (state[row, ID] << 9)
                    heap_size = push(heap, heap_size, timeout, late_key, row | TIMER_BIT)
        elif what & LOST_BIT:
            cause = np.int64((what >> CAUSE_AT) & 0xFF)
        elif hop < state[row, ACK_HOPS if is_ack else HOPS]:
            # A copy at a port. What is at a place without supply is lost.
            at = state[row, ACK_PATH if is_ack else PATH] + hop
            p = path[at].port
            if net.outages and _is_dark(net, state, row, hop, is_ack, at):
                cause = np.int64(BY_OUTAGE)
            elif port[p, P_MEDIUM] < 0 and port[p, P_CLASSES] == 0:
                hop_events += 1
                out, cause = link.cross(net, p, path[at].loss, what, now, state, facts, seed)
                if cause < 0:
                    if hand_when != NEVER:
                        heap_size = push(heap, heap_size, hand_when, hand_key, hand_what)
                    fetch_next(net, what, state)
                    hand_when, hand_key, hand_what = out, key, what + ONE_HOP
            else:
                hop_events += what & READY_BIT == 0
                heap_size = _offer(net, p, what, key, now, heap, heap_size, state, facts, seed)
            if cause < 0:
                continue
        elif net.outages and node[state[row, SOURCE if is_ack else DESTINATION], N_DOWN] > 0:
            cause = np.int64(BY_OUTAGE)
        elif is_ack:
            ack_change = -1
            if state[row, ACKNOWLEDGED] < 0:
                state[row, ACKNOWLEDGED] = now
                answered[answers, 0], answered[answers, 1] = state[row, ID], now
                answers += 1
                counted = state[row, COUNTED]
                counters[N_DELIVERED, ACK_KIND] += counted
                pairs[state[row, PAIR] % 7, state[row, PAIR] // 7] += counted
                took = now - state[row, ACK_SENT]
                histogram[ACK_KIND, _bin(took)] += counted
                quarter[ACK_KIND, state[row, GROUP] + 1, 1] += counted
                worst[ACK_KIND, state[row, GROUP] + 1] = max(worst[ACK_KIND, state[row, GROUP] + 1], took)
                if took > facts[ACK_KIND, DEADLINE]:
                    counters[N_LATE, ACK_KIND] += counted
                    quarter[ACK_KIND, state[row, GROUP] + 1, 3] += counted
        else:
            data_change = -1
            counted = state[row, COUNTED]
            if state[row, DELIVERED] < 0:
                state[row, DELIVERED] = now
                arrived[arrivals, 0], arrived[arrivals, 1] = state[row, ID], now
                arrivals += 1
                counters[N_DELIVERED, kind] += counted
                pairs[state[row, PAIR] // 7, state[row, PAIR] % 7] += counted
                took = now - state[row, SENT]
                histogram[kind, _bin(took)] += counted
                quarter[kind, state[row, GROUP] + 1, 1] += counted
                worst[kind, state[row, GROUP] + 1] = max(worst[kind, state[row, GROUP] + 1], took)
                if took > facts[kind, DEADLINE]:
                    counters[N_LATE, kind] += counted
                    quarter[kind, state[row, GROUP] + 1, 3] += counted
            if facts[kind, ACKED] == 1:
                if state[row, ACK_SENT] == 0:
                    state[row, ACK_SENT] = now
                    counters[N_SENT, ACK_KIND] += counted
                    quarter[ACK_KIND, state[row, GROUP] + 1, 0] += counted
                ack_change = 1
                if hand_when != NEVER:
                    heap_size = push(heap, heap_size, hand_when, hand_key, hand_what)
                hand_when, hand_key = now, (state[row, ID] << 9) | 256 | copy
                hand_what = row | (copy << COPY_AT) | (np.int64(1) << ACK_AT)

        if cause >= 0:
            data_change, ack_change = (0, -1) if is_ack else (-1, 0)
        state[row, DATA_COPIES] += data_change
        state[row, ACK_COPIES] += ack_change
        if cause >= 0:
            state[row, LAST_END] = max(state[row, LAST_END], _end_of(state, row, hop, now, cause))
        lost_size = _finish(state, row, counters, quarter, lost, lost_size)
        if state[row, OVER] == 1 and state[row, TIMER] == 0:
            state[row, OVER] = 2
            vacant[vacant_size] = row
            vacant_size += 1
    if hand_when != NEVER:
        heap_size = push(heap, heap_size, hand_when, hand_key, hand_what)
    numbers[S_HEAP], numbers[S_VACANT], numbers[S_CURSOR] = heap_size, vacant_size, cursor
    numbers[S_ARRIVED], numbers[S_ANSWERED], numbers[S_LOST] = arrivals, answers, lost_size
    numbers[S_EVENTS] = hop_events


@kernel(inline=True, allocates=False)
def _fetch_event(net, state, what):  # type: ignore[no-untyped-def]
    """Fetch what an event will touch first."""
    k = what & 0xFFFFFFFF
    if what & PORT_BIT:
        prefetch(net.port, (k, 0))
        prefetch(net.port, (k, 8))
        prefetch(net.port, (k, 16))
    elif not what & NODE_BIT:
        prefetch(state, (k, 0))
        prefetch(state, (k, 8))
        prefetch(state, (k, 16))


@kernel(allocates=False)
def _is_dark(net, state, row, hop, is_ack, at):  # type: ignore[no-untyped-def]
    """Whether the place of a copy has no supply and its port, the next of its path, forgets what it has."""
    p = net.path[at].port
    k = net.port[p, P_NODE]
    if k >= 0:
        return net.node[k, N_DOWN] > 0 and net.port[p, P_STORES] == 0
    before = net.path[at - 1].node if hop > 0 else state[row, DESTINATION if is_ack else SOURCE]
    return net.node[before, N_DOWN] > 0
