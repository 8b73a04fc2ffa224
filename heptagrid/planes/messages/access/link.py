"""A link of its own: first come, first served within a class, the most urgent class first, never interrupted.

A link with one class and an unbounded buffer needs no events of its own: a copy that arrives at time t leaves at
max(t, free) + its transmissions, where `free` is when the copies that arrived earlier have gone. With a finite
buffer the begin times of those that still wait are kept in a ring.
"""

from __future__ import annotations

from heptagrid.foundation.kernel import kernel
from heptagrid.planes.messages.events import push_lost, push_port
from heptagrid.planes.messages.ports import draw_attempts, push_next, take_next, transmission_ns, wire_bytes
from heptagrid.planes.messages.tables import (
    BY_BUFFER,
    BY_OUTAGE,
    E_END,
    EPOCHS,
    HORIZON,
    P_ACTIVE,
    P_BUFFER,
    P_BUSY,
    P_CAUSE,
    P_DELAY,
    P_DOWN,
    P_EPOCH,
    P_FREE,
    P_KEY,
    P_RING_AT,
    P_RING_HEAD,
    P_STORES,
    P_WAITING,
    P_WHAT,
)


@kernel(inline=True, allocates=False)
def cross(  # type: ignore[no-untyped-def]
    port, rate_bps, loss, rings, break_loss, p, what, now, state, facts, seed
):
    """Send a copy over a link that keeps no queue of events: (when it is out, why it is lost or -1)."""
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
    transmission = transmission_ns(wire_bytes(port, p, what, state, facts), rate_bps[p])
    attempts, cause = draw_attempts(port, break_loss, p, what, state, loss[p], seed)
    begin = max(now, port[p, P_FREE])
    port[p, P_FREE] = min(begin + attempts * transmission, HORIZON)
    port[p, P_BUSY] += port[p, P_FREE] - begin
    return port[p, P_FREE] + port[p, P_DELAY], cause


@kernel(inline=True, allocates=False)
def begin(net, p, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """Begin with the copy in hand."""
    port = net.port
    if port[p, P_DOWN] > 0:
        if port[p, P_STORES] == 1:
            return size  # it waits in hand until the link is up again
        while True:
            size = push_lost(heap, size, now, port[p, P_KEY], port[p, P_WHAT], BY_OUTAGE)
            if not take_next(net, p):
                return size
    what = port[p, P_WHAT]
    transmission = transmission_ns(wire_bytes(port, p, what, state, facts), net.rate_bps[p])
    attempts, cause = draw_attempts(port, net.break_loss, p, what, state, net.loss[p], seed)
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
    if take_next(net, p):
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
