"""The distributed coordination function of IEEE 802.11: slots counted down while the medium is idle.

All members hear each other. Whoever has something to send draws a number of slots; the counters fall together while
the medium has been idle for DIFS, and stand still while it is busy. Those that reach zero in the same slot collide, and
each doubles its window. The station that finds the medium idle for DIFS sends at once. Compare Bianchi,
IEEE JSAC 18 (2000) 535.
"""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.kernel import kernel
from heptagrid.planes.messages.events import push_lost, push_port
from heptagrid.planes.messages.ports import (
    draw,
    is_broken,
    is_lost,
    path_at,
    push_next,
    take_next,
    transmission_ns,
    wire_bytes,
)
from heptagrid.planes.messages.tables import (
    BY_BREAK,
    BY_COLLISION,
    BY_LINK,
    BY_OUTAGE,
    E_END,
    E_TICK,
    M_ACK,
    M_BUSY_UNTIL,
    M_COLLISION_GAP,
    M_GAP,
    M_IDLE_FROM,
    M_JAMMED_UNTIL,
    M_LEAST_EXPONENT,
    M_MEMBERS,
    M_MEMBERS_AT,
    M_MOST_EXPONENT,
    M_SLOT,
    M_TURNAROUND,
    M_VERSION,
    N_DOWN,
    NEVER,
    P_BUSY,
    P_COLLIDED,
    P_COUNTER,
    P_DELAY,
    P_EPOCH,
    P_EXPONENT,
    P_FRAME,
    P_KEY,
    P_MEDIUM,
    P_RETRIES,
    P_TRY,
    P_WHAT,
)

NOT_CONTENDING = np.int64(-1)


@kernel(allocates=False)
def begin(net, p, now, is_fresh, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The port has a new copy in hand and joins the countdown; `is_fresh` if it did not just send another."""
    port, medium, m = net.port, net.medium, net.port[p, P_MEDIUM]
    port[p, P_TRY] = 0
    port[p, P_EXPONENT] = medium[m, M_LEAST_EXPONENT]
    is_idle = now >= medium[m, M_IDLE_FROM] + medium[m, M_GAP]
    return _join(net, p, now, is_fresh and is_idle, heap, size, seed)


@kernel(allocates=False)
def _join(net, p, now, at_once, heap, size, seed):  # type: ignore[no-untyped-def]
    port, medium, m = net.port, net.medium, net.port[p, P_MEDIUM]
    _count_down(net, m, now)
    if at_once:
        # The grid of slots is that of the idle period; alone on it, the sender begins its own.
        alone = True
        for k in range(medium[m, M_MEMBERS]):
            alone = alone and port[net.members[medium[m, M_MEMBERS_AT] + k], P_COUNTER] < 0
        if alone:
            medium[m, M_IDLE_FROM] = now - medium[m, M_GAP]
        port[p, P_COUNTER] = 0 if alone else 1
    else:
        is_counting = now > medium[m, M_IDLE_FROM] + medium[m, M_GAP]
        port[p, P_COUNTER] = np.int64(draw(net, p, seed) * (1 << port[p, P_EXPONENT])) + is_counting
    return _schedule(net, m, heap, size)


@kernel(allocates=False)
def _count_down(net, m, now):  # type: ignore[no-untyped-def]
    """Let the counters fall by the slots that have passed."""
    port, medium = net.port, net.medium
    passed = (now - medium[m, M_IDLE_FROM] - medium[m, M_GAP]) // medium[m, M_SLOT]
    if passed <= 0:
        return
    for k in range(medium[m, M_MEMBERS]):
        p = net.members[medium[m, M_MEMBERS_AT] + k]
        if port[p, P_COUNTER] >= 0:
            port[p, P_COUNTER] = max(0, port[p, P_COUNTER] - passed)
    medium[m, M_IDLE_FROM] += passed * medium[m, M_SLOT]


@kernel(allocates=False)
def _least(net, m):  # type: ignore[no-untyped-def]
    port, medium = net.port, net.medium
    least = NEVER
    for k in range(medium[m, M_MEMBERS]):
        counter = port[net.members[medium[m, M_MEMBERS_AT] + k], P_COUNTER]
        if 0 <= counter < least:
            least = counter
    return least


@kernel(allocates=False)
def _schedule(net, m, heap, size):  # type: ignore[no-untyped-def]
    medium = net.medium
    least = _least(net, m)
    medium[m, M_VERSION] = (medium[m, M_VERSION] + 1) & 0xFF
    if least == NEVER:
        return size
    when = medium[m, M_IDLE_FROM] + medium[m, M_GAP] + least * medium[m, M_SLOT]
    return push_port(heap, size, when, E_TICK, net.members[medium[m, M_MEMBERS_AT]], medium[m, M_VERSION])


@kernel(allocates=False)
def leave(net, p, now, heap, size):  # type: ignore[no-untyped-def]
    """The port counts no longer; the others go on."""
    m = net.port[p, P_MEDIUM]
    _count_down(net, m, now)
    net.port[p, P_COUNTER] = NOT_CONTENDING
    return _schedule(net, m, heap, size)


@kernel(allocates=False)
def tick(net, m, version, now, heap, size, state, facts):  # type: ignore[no-untyped-def]
    """The least counters have reached zero: one member sends, or several collide."""
    port, medium = net.port, net.medium
    if version != medium[m, M_VERSION]:
        return size
    least = _least(net, m)
    if least == NEVER or now != medium[m, M_IDLE_FROM] + medium[m, M_GAP] + least * medium[m, M_SLOT]:
        return size  # one whose version has come round again
    longest, winners = np.int64(0), 0
    for k in range(medium[m, M_MEMBERS]):
        p = net.members[medium[m, M_MEMBERS_AT] + k]
        if port[p, P_COUNTER] == least:
            winners += 1
            frame_bytes = wire_bytes(port, p, port[p, P_WHAT], state, facts)
            airtime = port[p, P_FRAME] + transmission_ns(frame_bytes, net.rate_bps[p])
            longest = max(longest, airtime)
            port[p, P_BUSY] += airtime
    clash = winners > 1 or medium[m, M_JAMMED_UNTIL] > now
    tail = medium[m, M_COLLISION_GAP] if clash else medium[m, M_TURNAROUND] + medium[m, M_ACK]
    for k in range(medium[m, M_MEMBERS]):
        p = net.members[medium[m, M_MEMBERS_AT] + k]
        if port[p, P_COUNTER] == least:
            port[p, P_COUNTER] = NOT_CONTENDING
            port[p, P_COLLIDED] = 1 if clash else 0
            size = push_port(heap, size, now + longest + tail, E_END, p, port[p, P_EPOCH])
        elif port[p, P_COUNTER] >= 0:
            port[p, P_COUNTER] -= least
    medium[m, M_BUSY_UNTIL] = medium[m, M_IDLE_FROM] = now + longest + tail
    return _schedule(net, m, heap, size)


@kernel(allocates=False)
def end(net, p, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The sender knows what became of its frame: it is through, is tried again with a wider window, or is lost."""
    port, medium, m = net.port, net.medium, net.port[p, P_MEDIUM]
    what, key = port[p, P_WHAT], port[p, P_KEY]
    at = path_at(what, state)
    chance = 1.0 - (1.0 - net.loss[p]) * (1.0 - net.path[at].loss)
    cause = -1
    if net.node[net.path[at].node, N_DOWN] > 0:
        cause = BY_OUTAGE
    elif port[p, P_COLLIDED] == 1:
        cause = BY_COLLISION
    elif is_lost(p, what, state, 1 + port[p, P_TRY], chance, seed):
        cause = BY_LINK
    if cause >= 0 and (port[p, P_RETRIES] < 0 or port[p, P_TRY] < port[p, P_RETRIES]):
        port[p, P_TRY] += 1
        port[p, P_EXPONENT] = min(port[p, P_EXPONENT] + 1, medium[m, M_MOST_EXPONENT])
        return _join(net, p, now, False, heap, size, seed)
    if cause < 0 and is_broken(net, p, what, state, seed):
        cause = BY_BREAK
    if cause >= 0:
        size = push_lost(heap, size, now, key, what, cause)
    else:
        size = push_next(net, heap, size, now + port[p, P_DELAY], key, what, state)
    if take_next(net, p):
        size = begin(net, p, now, False, heap, size, state, facts, seed)
    return size
