"""The distributed coordination function of IEEE 802.11: slots counted down while the medium is idle.

Whoever has something to send draws a number of slots; a station counts them down while what it hears has been idle for DIFS, and
stands still while it is busy. The station that finds the medium idle for DIFS sends at once. A station hears a frame in the slot
after that in which it begins, so those that reach zero within a slot of each other, and those too far apart to hear each other, may
collide; each then doubles its window. Whoever hears a frame also leaves room for its acknowledgement. Compare Bianchi, IEEE JSAC 18
(2000) 535, where all stations hear each other, and IEEE 802.11-2012, 9.3.
"""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.messages.access.radio import acknowledge, clear_air, distance_m2, transmit
from heptagrid.planes.messages.kernel.events import push_lost, push_port
from heptagrid.planes.messages.routing.ports import (
    chance_of_loss,
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
    A_END,
    A_FROM,
    BY_BREAK,
    BY_COLLISION,
    BY_LINK,
    BY_OUTAGE,
    E_ATTEMPT,
    E_END,
    E_RESPONSE,
    E_START,
    M_ACK,
    M_AIR_SIZE,
    M_COLLISION_GAP,
    M_GAP,
    M_LEAST_EXPONENT,
    M_MEMBERS,
    M_MEMBERS_AT,
    M_MOST_EXPONENT,
    M_SLOT,
    M_TURNAROUND,
    N_DOWN,
    P_CAUSE,
    P_COLLIDED,
    P_COUNTER,
    P_DELAY,
    P_EPOCH,
    P_EXPONENT,
    P_FRAME,
    P_IDLE_FROM,
    P_KEY,
    P_MEDIUM,
    P_NODE,
    P_RETRIES,
    P_TRY,
    P_WHAT,
    R_SENSE,
)

NOT_CONTENDING = np.int64(-1)
_LANE = np.int64(0)  # all share one channel


@kernel(allocates=False)
def begin(net, p, now, is_fresh, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The port has a new copy in hand and joins the countdown; `is_fresh` if it did not just send another."""
    port, medium, m = net.port, net.medium, net.port[p, P_MEDIUM]
    port[p, P_TRY] = 0
    port[p, P_EXPONENT] = medium[m, M_LEAST_EXPONENT]
    is_idle = now >= port[p, P_IDLE_FROM] + medium[m, M_GAP]
    return _join(net, p, now, is_fresh and is_idle, heap, size, seed)


@kernel(allocates=False)
def _join(net, p, now, at_once, heap, size, seed):  # type: ignore[no-untyped-def]
    port, medium, m = net.port, net.medium, net.port[p, P_MEDIUM]
    idle_for = now - port[p, P_IDLE_FROM] - medium[m, M_GAP]
    if idle_for > 0:  # its slots have been those of the idle period
        port[p, P_IDLE_FROM] += idle_for // medium[m, M_SLOT] * medium[m, M_SLOT]
    if at_once and _is_alone(net, m, p):
        port[p, P_IDLE_FROM] = now - medium[m, M_GAP]
        port[p, P_COUNTER] = 0
    elif at_once:
        port[p, P_COUNTER] = 1
    else:
        port[p, P_COUNTER] = np.int64(draw(net, p, seed) * (1 << port[p, P_EXPONENT])) + (idle_for > 0)
    return push_port(heap, size, _due(net, m, p), E_ATTEMPT, p, port[p, P_EPOCH])


@kernel(inline=True, allocates=False)
def _due(net, m, p):  # type: ignore[no-untyped-def]
    """When a port that counts has counted to zero, if the medium stays idle."""
    counted_ns = net.port[p, P_COUNTER] * net.medium[m, M_SLOT]
    return net.port[p, P_IDLE_FROM] + net.medium[m, M_GAP] + counted_ns


@kernel(inline=True, allocates=False)
def _hears(net, m, p, node):  # type: ignore[no-untyped-def]
    return distance_m2(net.xy_m, net.port[p, P_NODE], node) <= net.reach[m, R_SENSE]


@kernel(allocates=False)
def _is_alone(net, m, p):  # type: ignore[no-untyped-def]
    """Whether none counts of those that a port hears."""
    at = net.medium[m, M_MEMBERS_AT]
    for k in range(at, at + net.medium[m, M_MEMBERS]):
        q = net.members[k]
        if net.port[q, P_COUNTER] >= 0 and _hears(net, m, p, net.port[q, P_NODE]):
            return False
    return True


@kernel(allocates=False)
def _hold(net, m, source, begin, heard_from, until):  # type: ignore[no-untyped-def]
    """Whoever hears what `source` sends from `begin` to `until` counts no slots meanwhile; one due before `heard_from` begins."""
    port, medium = net.port, net.medium
    at = medium[m, M_MEMBERS_AT]
    for k in range(at, at + medium[m, M_MEMBERS]):
        q = net.members[k]
        if not _hears(net, m, q, source):
            continue
        if port[q, P_COUNTER] >= 0:
            if _due(net, m, q) < heard_from:
                continue
            idle_for = begin - port[q, P_IDLE_FROM] - medium[m, M_GAP]
            port[q, P_COUNTER] -= max(0, idle_for) // medium[m, M_SLOT]
        port[q, P_IDLE_FROM] = max(port[q, P_IDLE_FROM], until)


@kernel(allocates=False)
def leave(net, p):  # type: ignore[no-untyped-def]
    """The port counts no longer; the others go on."""
    net.port[p, P_COUNTER] = NOT_CONTENDING


@kernel(allocates=False)
def attempt(net, p, now, heap, size, state, facts):  # type: ignore[no-untyped-def]
    """The port sends if it has counted to zero; if it was held up, it comes again."""
    port, medium, m = net.port, net.medium, net.port[p, P_MEDIUM]
    due = _due(net, m, p)
    if due > now:
        return push_port(heap, size, due, E_ATTEMPT, p, port[p, P_EPOCH])
    port[p, P_COUNTER] = NOT_CONTENDING
    clear_air(net, m, now)
    frame_bytes = wire_bytes(port, p, port[p, P_WHAT], state, facts)
    ends = transmit(net, p, port[p, P_FRAME] + transmission_ns(frame_bytes, net.rate_bps[p]), _LANE, now, state)
    _hold(net, m, port[p, P_NODE], now, now + medium[m, M_SLOT], ends)
    at = medium[m, M_MEMBERS_AT]
    for k in range(at, at + medium[m, M_AIR_SIZE]):  # also what began less than a slot ago
        if _hears(net, m, p, net.air[k, A_FROM]):
            port[p, P_IDLE_FROM] = max(port[p, P_IDLE_FROM], net.air[k, A_END])
    return push_port(heap, size, ends, E_END, p, port[p, P_EPOCH])


@kernel(allocates=False)
def end(net, p, now, heap, size, state, seed):  # type: ignore[no-untyped-def]
    """A frame has gone: it is acknowledged if it came, and the medium stays free for that."""
    port, medium, m = net.port, net.medium, net.port[p, P_MEDIUM]
    what = port[p, P_WHAT]
    at = path_at(what, state)
    receiver = net.path[at].node
    chance = chance_of_loss(net.loss[p], net.path[at].loss)
    cause = -1
    if net.node[receiver, N_DOWN] > 0:
        cause = BY_OUTAGE
    elif port[p, P_COLLIDED] == 1:
        cause = BY_COLLISION
    elif is_lost(p, what, state, 1 + port[p, P_TRY], chance, seed):
        cause = BY_LINK
    port[p, P_CAUSE] = cause
    tail = medium[m, M_TURNAROUND] + medium[m, M_ACK]
    if cause < 0 and medium[m, M_ACK] > 0:
        acknowledge(net, p, now)
        size = push_port(heap, size, now + medium[m, M_TURNAROUND], E_START, p, port[p, P_EPOCH])
    elif port[p, P_COLLIDED] == 1:
        tail = medium[m, M_COLLISION_GAP]
    _hold(net, m, port[p, P_NODE], now, now, now + tail)
    return push_port(heap, size, now + tail, E_RESPONSE, p, port[p, P_EPOCH])


@kernel(allocates=False)
def answer(net, p, now, state):  # type: ignore[no-untyped-def]
    """The receiver of a frame begins its acknowledgement; some hear it who did not hear the frame."""
    medium, m = net.medium, net.port[p, P_MEDIUM]
    receiver = net.path[path_at(net.port[p, P_WHAT], state)].node
    _hold(net, m, receiver, now, now + medium[m, M_SLOT], now + medium[m, M_ACK])


@kernel(allocates=False)
def response(net, p, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The sender knows what became of its frame: it is through, is tried again with a wider window, or is lost."""
    port, medium, m = net.port, net.medium, net.port[p, P_MEDIUM]
    what, key, cause = port[p, P_WHAT], port[p, P_KEY], port[p, P_CAUSE]
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
