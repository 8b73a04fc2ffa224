"""The event kernel: every copy of every message, hop by hop, in exact integer nanoseconds.

A server is a FIFO queue, so a copy that arrives at time t leaves it at max(t, free) + its transmissions,
where `free` is when the copies that arrived earlier have gone. One event per hop is enough: events are taken
in the order of time, and at one and the same nanosecond arrivals come in the order of their message's
index (acknowledgements after their message, an earlier copy before a later one), then time-outs. A server that frees at that nanosecond is free.

Acknowledgements and transport retries happen here, at their exact times, and never wait for a step.
"""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.kernel import kernel
from heptagrid.foundation.random import Stream, uniform

# Columns of a message's state, one row of int64 per message under way.
(ID, SOURCE, DESTINATION, KIND, BYTES, SENT, NUMBER, PAIR, GROUP) = range(9)
(DELIVERED, ACKNOWLEDGED, DATA_COPIES, ACK_COPIES, COPIES, TIMER, CAUSE, ACK_SENT, OVER, HOPS, COUNTED) = range(9, 20)
STATE = 20
MOST_HOPS = 12

# Columns of a message that waits for its time.
PENDING = 9

# Columns of the facts of a kind.
(DEADLINE, ACKED, TIMEOUT, RETRIES, ACK_BYTES) = range(5)

# Rows of the counters by kind.
(N_SENT, N_DELIVERED, N_LOST_LINK, N_LOST_BREAK, N_LATE) = range(5)
COUNTERS = 5

ACK_KIND = 9
BINS_PER_E = 1000  # histogram bins per factor e of delay: 0.1 % wide
BINS = 27_700  # from 1 microsecond over eleven decades
NEVER = np.iinfo(np.int64).max
LATE_CLASS = np.int64(1) << np.int64(61)  # the key's bit that puts time-outs after arrivals at one nanosecond

_LOSS = int(Stream.LINK_LOSS)
_BREAK = int(Stream.CLASS_BREAK)


@kernel
def _push(heap, size, when, key, what):  # type: ignore[no-untyped-def]
    k = size
    while k > 0:
        up = (k - 1) >> 1
        if heap[up, 0] < when or (heap[up, 0] == when and heap[up, 1] <= key):
            break
        heap[k, 0], heap[k, 1], heap[k, 2] = heap[up, 0], heap[up, 1], heap[up, 2]
        k = up
    heap[k, 0], heap[k, 1], heap[k, 2] = when, key, what
    return size + 1


@kernel
def _drop_first(heap, size):  # type: ignore[no-untyped-def]
    size -= 1
    when, key, what = heap[size, 0], heap[size, 1], heap[size, 2]
    k = 0
    while True:
        low = 2 * k + 1
        if low >= size:
            break
        high = low + 1
        if high < size and (
            heap[high, 0] < heap[low, 0] or (heap[high, 0] == heap[low, 0] and heap[high, 1] < heap[low, 1])
        ):
            low = high
        if when < heap[low, 0] or (when == heap[low, 0] and key <= heap[low, 1]):
            break
        heap[k, 0], heap[k, 1], heap[k, 2] = heap[low, 0], heap[low, 1], heap[low, 2]
        k = low
    heap[k, 0], heap[k, 1], heap[k, 2] = when, key, what
    return size


@kernel
def route(source, destination, parent, depth, up, down, servers):  # type: ignore[no-untyped-def]
    """Servers from place to place over their nearest common place, into `servers`; how many."""
    a, b = source, destination
    hops = 0
    falling = MOST_HOPS
    while a != b:
        if depth[a] >= depth[b]:
            servers[hops] = up[a]
            hops += 1
            a = parent[a]
        else:
            falling -= 1
            servers[falling] = down[b]
            b = parent[b]
    for k in range(falling, MOST_HOPS):
        servers[hops] = servers[k]
        hops += 1
    return hops


@kernel
def _cross(  # type: ignore[no-untyped-def]
    server, now, size, lane, sender, number, copy, seed, rate, delay, loss, retries, link_class, break_loss, free, busy
):
    """Send one copy over one server: when it comes out, and why it was lost (-1: it was not)."""
    transmission = np.int64(np.rint(size * 8e9 / rate[server]))
    entity = (np.int64(server) << np.int64(40)) | (np.int64(sender) << np.int64(8)) | np.int64(lane)
    occasion = (np.int64(number) << np.int64(16)) | (np.int64(copy) << np.int64(8))
    attempts = 1
    cause = -1
    if loss[server] > 0.0:
        while uniform(seed, _LOSS, entity, occasion + attempts) < loss[server]:
            if attempts > retries[server]:
                cause = 0
                break
            attempts += 1
    chance = break_loss[link_class[server]]
    if cause < 0 and chance > 0.0 and uniform(seed, _BREAK, entity, occasion) < chance:
        cause = 1
    begin = max(now, free[server])
    free[server] = begin + attempts * transmission
    busy[server] += attempts * transmission
    return free[server] + delay[server], cause


@kernel
def _bin(delay_ns):  # type: ignore[no-untyped-def]
    if delay_ns < 1000:
        return 0
    return min(BINS - 1, 1 + int(np.log(delay_ns / 1000.0) * BINS_PER_E))


@kernel
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


@kernel
def advance(  # type: ignore[no-untyped-def]
    until, pending, heap, heap_size, timers, timer_head, timer_size, state, routes, vacant, vacant_size, facts, tree,
    network, break_loss, seed, free, busy, counters, pairs, histogram, quarter, worst, arrived, answered,
):  # fmt: skip
    """Process every event up to and including `until`; `pending` are the messages that leave by then.

    An event waits in one of three places: the one just made is kept in hand, for it is often the next; first
    time-outs of a kind come in the order in which they were set, so a ring for each kind holds them; the
    rest is in the heap. Fills `arrived` and `answered` (id, time) with first deliveries and first
    acknowledgements; returns (heap size, vacant size, arrivals, answers, hop events).
    """
    parent, depth, up, down = tree
    rate, delay, loss, retries, link_class = network
    arrivals = answers = hop_events = cursor = 0
    ring = timers.shape[1]
    hand_when, hand_key, hand_what = NEVER, NEVER, np.int64(0)
    timer_kind, next_timer, timer_id = _earliest_timer(timers, timer_head, timer_size)
    while True:
        # The earliest of hand and heap, then of those and the time-outs (last at one nanosecond), then of all.
        if heap_size > 0 and (heap[0, 0] < hand_when or (heap[0, 0] == hand_when and heap[0, 1] < hand_key)):
            if hand_when != NEVER:
                heap_size = _push(heap, heap_size, hand_when, hand_key, hand_what)
            hand_when = NEVER
        in_hand = hand_when != NEVER
        next_event = hand_when if in_hand else (heap[0, 0] if heap_size > 0 else NEVER)
        next_key = hand_key if in_hand else (heap[0, 1] if heap_size > 0 else NEVER)
        next_pending = pending[cursor, SENT] if cursor < pending.shape[0] else NEVER
        if min(next_pending, next_event, next_timer) > until:
            break

        if next_pending <= next_timer and (
            next_pending < next_event or (next_pending == next_event and pending[cursor, ID] << 9 < next_key)
        ):
            # A message's time has come: it takes a row, and its first copy arrives at the first server.
            if in_hand:
                heap_size = _push(heap, heap_size, hand_when, hand_key, hand_what)
            vacant_size -= 1
            row = vacant[vacant_size]
            state[row] = 0
            for column in range(PENDING):
                state[row, column] = pending[cursor, column]
            cursor += 1
            state[row, DELIVERED] = state[row, ACKNOWLEDGED] = -1
            kind = state[row, KIND]
            hops = route(state[row, SOURCE], state[row, DESTINATION], parent, depth, up, down, routes[row, 0])
            state[row, HOPS] = hops
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
                heap_size = _drop_first(heap, heap_size)
        else:
            now = next_timer
            head = timer_head[timer_kind]
            what = timers[timer_kind, head, 1] | (np.int64(1) << 62)
            timer_head[timer_kind] = (head + 1) % ring
            timer_size[timer_kind] -= 1
            timer_kind, next_timer, timer_id = _earliest_timer(timers, timer_head, timer_size)
        row = what & 0xFFFFFFFF
        hop = (what >> 32) & 0xFF
        copy = (what >> 40) & 0xFF
        is_ack = (what >> 48) & 1
        kind = state[row, KIND]
        counted = state[row, COUNTED]
        key = (state[row, ID] << 9) | (is_ack << 8) | copy

        if (what >> 62) & 1:
            # The sender's time-out: another copy, unless the acknowledgement has come.
            state[row, TIMER] = 0
            if state[row, ACKNOWLEDGED] < 0:
                copy = state[row, COPIES]
                state[row, COPIES] += 1
                state[row, DATA_COPIES] += 1
                heap_size = _push(heap, heap_size, now, (state[row, ID] << 9) | copy, row | (copy << 40))
                if copy < facts[kind, RETRIES]:
                    state[row, TIMER] = 1
                    timeout = now + (facts[kind, TIMEOUT] << copy)
                    late_key = LATE_CLASS | (state[row, ID] << 9)
                    heap_size = _push(heap, heap_size, timeout, late_key, row | (np.int64(1) << 62))
        elif hop < state[row, HOPS]:
            # A copy at a server. An acknowledgement travels the message's route backwards.
            hop_events += 1
            size = facts[kind, ACK_BYTES] if is_ack else state[row, BYTES]
            lane = kind + 16 * is_ack
            out, cause = _cross(
                *(routes[row, is_ack, hop], now, size, lane, state[row, SOURCE], state[row, NUMBER], copy, seed),
                *(rate, delay, loss, retries, link_class, break_loss, free, busy),
            )
            if cause < 0:
                if hand_when != NEVER:
                    heap_size = _push(heap, heap_size, hand_when, hand_key, hand_what)
                hand_when, hand_key, hand_what = out, key, what + (np.int64(1) << 32)
            else:
                state[row, CAUSE] = cause
                if is_ack:
                    state[row, ACK_COPIES] -= 1
                else:
                    state[row, DATA_COPIES] -= 1
        elif is_ack:
            state[row, ACK_COPIES] -= 1
            if state[row, ACKNOWLEDGED] < 0:
                state[row, ACKNOWLEDGED] = now
                answered[answers, 0], answered[answers, 1] = state[row, ID], now
                answers += 1
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
            state[row, DATA_COPIES] -= 1
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
                    route(state[row, DESTINATION], state[row, SOURCE], parent, depth, up, down, routes[row, 1])
                state[row, ACK_COPIES] += 1
                if hand_when != NEVER:
                    heap_size = _push(heap, heap_size, hand_when, hand_key, hand_what)
                hand_when, hand_key = now, (state[row, ID] << 9) | 256 | copy
                hand_what = row | (copy << 40) | (np.int64(1) << 48)

        # A message is over when none of its copies travels and nothing can start another.
        if state[row, DATA_COPIES] == 0 and state[row, ACK_COPIES] == 0 and state[row, OVER] == 0:
            retry_due = state[row, TIMER] == 1 and state[row, ACKNOWLEDGED] < 0
            if not retry_due:
                state[row, OVER] = 1
                if state[row, DELIVERED] < 0:
                    counters[N_LOST_LINK + state[row, CAUSE], kind] += counted
                    quarter[kind, state[row, GROUP] + 1, 2] += counted
                if state[row, ACK_SENT] > 0 and state[row, ACKNOWLEDGED] < 0:
                    counters[N_LOST_LINK + state[row, CAUSE], ACK_KIND] += counted
                    quarter[ACK_KIND, state[row, GROUP] + 1, 2] += counted
        if state[row, OVER] == 1 and state[row, TIMER] == 0:
            state[row, OVER] = 2
            vacant[vacant_size] = row
            vacant_size += 1
    if hand_when != NEVER:
        heap_size = _push(heap, heap_size, hand_when, hand_key, hand_what)
    return heap_size, vacant_size, arrivals, answers, hop_events
