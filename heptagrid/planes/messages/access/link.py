"""A link of its own: first come, first served within a class, the most urgent class first, never interrupted.

A link with one class and an unbounded buffer needs no events of its own: a copy that arrives at time t leaves at
max(t, free) + its transmissions, where `free` is when the copies that arrived earlier have gone. With a finite
buffer the begin times of those that still wait are kept in a ring.

Parallel links share their load and back each other up: a copy takes the one over which it would be there first, and what waits
at one that goes down takes another that is up. Such links keep a queue of events.
"""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.messages.kernel.events import push, push_lost, push_port
from heptagrid.planes.messages.routing.ports import (
    chance_of_loss,
    draw_attempts,
    path_at,
    push_next,
    take_next,
    transmission_ns,
    wire_bytes,
)
from heptagrid.planes.messages.tables import (
    BY_BUFFER,
    BY_OUTAGE,
    E_END,
    EPOCHS,
    HORIZON,
    LONGEST_WAIT,
    NEVER,
    P_ACTIVE,
    P_BACKLOG,
    P_BUFFER,
    P_BUSY,
    P_CAUSE,
    P_DELAY,
    P_DOWN,
    P_EPOCH,
    P_FREE,
    P_KEY,
    P_NEXT,
    P_RING_AT,
    P_RING_HEAD,
    P_STORES,
    P_WAITING,
    P_WHAT,
)


@kernel(inline=True, allocates=False)
def cross(net, p, there, what, now, state, facts, seed):  # type: ignore[no-untyped-def]
    """Send a copy over a link that keeps no queue of events: (when it is out, why it is lost or -1).

    there: the loss of the pair of nodes, where several share the link.
    """
    port, rings = net.port, net.rings
    capacity = port[p, P_BUFFER]
    if capacity >= 0:
        at, head, waiting = port[p, P_RING_AT], port[p, P_RING_HEAD], port[p, P_WAITING]
        while waiting > 0 and rings[at + head] <= now:
            head = head + 1 if head + 1 < capacity else 0
            waiting -= 1
        port[p, P_RING_HEAD] = head
        if port[p, P_FREE] > now:
            if waiting >= capacity:
                port[p, P_WAITING] = waiting
                return now, BY_BUFFER
            last = head + waiting
            rings[at + (last if last < capacity else last - capacity)] = port[p, P_FREE]
            waiting += 1
        port[p, P_WAITING] = waiting
    transmission = transmission_ns(wire_bytes(port, p, what, state, facts), net.rate_bps[p])
    chance = chance_of_loss(net.loss[p], there)
    attempts, cause = draw_attempts(port, net.break_loss, p, what, state, chance, seed)
    begin = max(now, port[p, P_FREE])
    port[p, P_FREE] = min(begin + attempts * transmission, HORIZON)
    port[p, P_BUSY] += port[p, P_FREE] - begin
    return port[p, P_FREE] + port[p, P_DELAY], cause


@kernel(allocates=False)
def soonest(net, p, what, now, state, facts):  # type: ignore[no-untyped-def]
    """Of the links parallel to `p`, the one over which a copy would be there first; one that is down or full only if all are.

    Counted are what is being sent until it is through, what waits once, the copy as often as the loss makes it on average, and the
    delay; of equal ones it is the first.
    """
    port = net.port
    chosen, least, q = p, NEVER, p
    while True:
        is_full = port[q, P_ACTIVE] == 1 and port[q, P_BUFFER] >= 0 and port[q, P_WAITING] >= port[q, P_BUFFER]
        if port[q, P_DOWN] == 0 and not is_full:
            once = transmission_ns(wire_bytes(port, q, what, state, facts), net.rate_bps[q])
            takes = np.rint(once / (1.0 - net.loss[q])) if net.loss[q] < 1.0 else np.inf
            after = np.int64(min(takes, np.float64(LONGEST_WAIT))) + port[q, P_BACKLOG] + port[q, P_DELAY]
            if port[q, P_ACTIVE] == 1:
                after += port[q, P_FREE] - now
            if after < least or (after == least and q < chosen):
                chosen, least = q, after
        q = port[q, P_NEXT] - 1
        if q == p:
            return chosen


@kernel(inline=True, allocates=False)
def count_waiting(net, p, what, sign, state, facts):  # type: ignore[no-untyped-def]
    """A copy begins (+1) or ends (-1) to wait at a link."""
    if net.port[p, P_NEXT] > 0:
        taken = transmission_ns(wire_bytes(net.port, p, what, state, facts), net.rate_bps[p])
        net.port[p, P_BACKLOG] += sign * taken


@kernel(inline=True, allocates=False)
def _take(net, p, state, facts):  # type: ignore[no-untyped-def]
    """Take the next copy in hand; whether there was one."""
    if not take_next(net, p):
        return False
    count_waiting(net, p, net.port[p, P_WHAT], -1, state, facts)
    return True


@kernel(allocates=False)
def _another_is_up(port, p):  # type: ignore[no-untyped-def]
    q = port[p, P_NEXT] - 1
    while q >= 0 and q != p:
        if port[q, P_DOWN] == 0:
            return True
        q = port[q, P_NEXT] - 1
    return False


@kernel(inline=True, allocates=False)
def begin(net, p, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """Begin with the copy in hand."""
    port = net.port
    if port[p, P_DOWN] > 0:
        if port[p, P_STORES] == 1:
            return size  # it waits in hand until the link is up again
        size = push_lost(heap, size, now, port[p, P_KEY], port[p, P_WHAT], BY_OUTAGE)
        goes_over = _another_is_up(port, p)
        while _take(net, p, state, facts):
            if goes_over:
                size = push(heap, size, now, port[p, P_KEY], port[p, P_WHAT])
            else:
                size = push_lost(heap, size, now, port[p, P_KEY], port[p, P_WHAT], BY_OUTAGE)
        return size
    what = port[p, P_WHAT]
    transmission = transmission_ns(wire_bytes(port, p, what, state, facts), net.rate_bps[p])
    chance = chance_of_loss(net.loss[p], net.path[path_at(what, state)].loss)
    attempts, cause = draw_attempts(port, net.break_loss, p, what, state, chance, seed)
    port[p, P_CAUSE] = cause
    port[p, P_FREE] = now + attempts * transmission
    port[p, P_BUSY] += attempts * transmission
    return push_port(heap, size, port[p, P_FREE], E_END, p, port[p, P_EPOCH])


@kernel(inline=True, allocates=False)
def end(net, p, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The copy in hand has gone; the next begins."""
    port = net.port
    if port[p, P_CAUSE] < 0:
        size = push_next(net, heap, size, now + port[p, P_DELAY], port[p, P_KEY], port[p, P_WHAT], state)
    else:
        size = push_lost(heap, size, now, port[p, P_KEY], port[p, P_WHAT], port[p, P_CAUSE])
    if _take(net, p, state, facts):
        size = begin(net, p, now, heap, size, state, facts, seed)
    return size


@kernel(allocates=False)
def switch(net, p, up, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The link goes down or comes up; what is being sent when it goes down is sent again, or lost."""
    port = net.port
    port[p, P_DOWN] += -1 if up else 1
    if port[p, P_DOWN] == (0 if up else 1) and port[p, P_ACTIVE] == 1:
        port[p, P_EPOCH] = (port[p, P_EPOCH] + 1) & EPOCHS
        if not up and port[p, P_FREE] > now:
            port[p, P_BUSY] -= port[p, P_FREE] - now
            port[p, P_FREE] = now
        size = begin(net, p, now, heap, size, state, facts, seed)
    return size
