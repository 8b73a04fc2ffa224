"""Random access: pure and slotted ALOHA, and CSMA/CA with back-off, slotted or not.

CSMA/CA is that of IEEE 802.15.4-2006 section 7.5.1.4: wait a random number of back-off periods, look, and send
after the turnaround if the channel is clear; else double the range. What has not been acknowledged is sent again
up to macMaxFrameRetries times; a channel that is never clear fails the frame. Narrow-band power line (G3) and
Wi-SUN use the same method with other constants. ALOHA sends at once, and again after a random time.

A network may have a broadcast schedule (Wi-SUN FAN): for the dwell at the beginning of each interval all members listen to the
broadcast channel. A unicast frame that would not be over and acknowledged before it waits for its end, and backs off anew, as
`fhss_ws_check_tx_conditions_callback` of Arm's Wi-SUN stack (fhss_ws.c) has it.
"""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.compiled.prefetch import prefetch
from heptagrid.planes.messages.access.radio import (
    acknowledge,
    flight_ns,
    frame_airtime_ns,
    is_idle,
    lane_of,
    receives_until,
    silence_ns,
    transmit,
)
from heptagrid.planes.messages.kernel.events import push_lost, push_port
from heptagrid.planes.messages.routing.ports import (
    chance_of_loss,
    copy_bytes,
    draw,
    frames_of,
    is_broken,
    is_lost,
    path_at,
    push_next,
    take_next,
)
from heptagrid.planes.messages.tables import (
    ACK_AT,
    ACK_HOPS,
    ALOHA,
    BY_ACCESS,
    BY_BREAK,
    BY_COLLISION,
    BY_LINK,
    BY_OUTAGE,
    CLASS_A,
    E_END,
    E_SENSE,
    E_START,
    HOP_AT,
    HOPS,
    M_ACK,
    M_ACK_WAIT,
    M_BROADCAST,
    M_BROADCAST_DWELL,
    M_CCA,
    M_DUTY_PPM,
    M_GAP,
    M_LEAST_EXPONENT,
    M_MEMBERS_AT,
    M_METHOD,
    M_MOST_BACK_OFFS,
    M_MOST_EXPONENT,
    M_SLOT,
    M_STACK,
    M_TURNAROUND,
    M_WINDOW,
    N_DOWN,
    P_BACK_OFFS,
    P_COLLIDED,
    P_COUNTER,
    P_DELAY,
    P_EPOCH,
    P_EXPONENT,
    P_FRAMES,
    P_FREE,
    P_KEY,
    P_MEDIUM,
    P_NODE,
    P_READY,
    P_RETRIES,
    P_TRY,
    P_WHAT,
    SLOTTED_ALOHA,
    SLOTTED_CSMA_CA,
)


@kernel(inline=True, allocates=False)
def begin(net, p, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The port has a new copy in hand: its first frame."""
    port = net.port
    prefetch(net.air, (net.medium[port[p, P_MEDIUM], M_MEMBERS_AT], 0))
    prefetch(net.air, (net.medium[port[p, P_MEDIUM], M_MEMBERS_AT] + 1, 1))
    prefetch(net.xy_m, (port[p, P_NODE], 0))
    port[p, P_FRAMES] = frames_of(port, p, copy_bytes(port[p, P_WHAT], state, facts))
    port[p, P_TRY] = 0
    return attempt(net, p, now, heap, size, state, seed)


@kernel(inline=True, allocates=False)
def attempt(net, p, now, heap, size, state, seed):  # type: ignore[no-untyped-def]
    """A frame begins its access anew."""
    port, m = net.port, net.port[p, P_MEDIUM]
    port[p, P_BACK_OFFS] = 0
    port[p, P_EXPONENT] = net.medium[m, M_LEAST_EXPONENT]
    if net.medium[m, M_METHOD] == SLOTTED_CSMA_CA:
        port[p, P_COUNTER] = 2  # looks that it needs
    return _wait(net, p, now, heap, size, seed)


@kernel(inline=True, allocates=False)
def _wait(net, p, now, heap, size, seed):  # type: ignore[no-untyped-def]
    port, medium, m = net.port, net.medium, net.port[p, P_MEDIUM]
    method = medium[m, M_METHOD]
    when = max(now, port[p, P_READY])
    if method in (ALOHA, CLASS_A):
        return push_port(heap, size, when, E_START, p, port[p, P_EPOCH])
    slot = medium[m, M_SLOT]
    if method == SLOTTED_ALOHA:
        return push_port(heap, size, -(-when // slot) * slot, E_START, p, port[p, P_EPOCH])
    when += np.int64(draw(net, p, seed) * (1 << port[p, P_EXPONENT])) * slot
    if method == SLOTTED_CSMA_CA:
        when = -(-when // slot) * slot
    return push_port(heap, size, when + medium[m, M_CCA], E_SENSE, p, port[p, P_EPOCH])


@kernel(allocates=False)
def _after_broadcast(net, p, now, state, facts):  # type: ignore[no-untyped-def]
    """When the port may send after the broadcast dwell that its frame, with the acknowledgement, would meet; `now` if none."""
    medium, m = net.medium, net.port[p, P_MEDIUM]
    interval, dwell = medium[m, M_BROADCAST], medium[m, M_BROADCAST_DWELL]
    phase = now % interval
    if phase < dwell:
        return now - phase + dwell
    takes = medium[m, M_TURNAROUND] + frame_airtime_ns(net, p, p, copy_bytes(net.port[p, P_WHAT], state, facts))
    if medium[m, M_ACK] > 0:
        takes += medium[m, M_TURNAROUND] + medium[m, M_ACK]
    if interval - dwell >= takes > interval - phase:  # what fits between no two dwells need not look for a place
        return now - phase + interval + dwell
    return now


@kernel(inline=True, allocates=False)
def sense(net, p, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The port looks: it sends, or waits again, or gives up."""
    port, medium, m = net.port, net.medium, net.port[p, P_MEDIUM]
    slotted = medium[m, M_METHOD] == SLOTTED_CSMA_CA
    until = receives_until(net, p, now)
    if medium[m, M_BROADCAST] > 0:
        until = max(until, _after_broadcast(net, p, now, state, facts))
    if until > now:
        port[p, P_READY] = until
        return _wait(net, p, now, heap, size, seed)
    if not is_idle(net, p, net.path[path_at(port[p, P_WHAT], state)].node, now, seed):
        port[p, P_BACK_OFFS] += 1
        if slotted:
            port[p, P_COUNTER] = 2
        port[p, P_EXPONENT] = min(port[p, P_EXPONENT] + 1, medium[m, M_MOST_EXPONENT])
        if port[p, P_BACK_OFFS] > medium[m, M_MOST_BACK_OFFS]:
            size = push_lost(heap, size, now, port[p, P_KEY], port[p, P_WHAT], BY_ACCESS)
            return _next(net, p, now, heap, size, state, facts, seed)
        return _wait(net, p, now, heap, size, seed)
    if slotted and port[p, P_COUNTER] > 1:
        port[p, P_COUNTER] = 1
        return push_port(heap, size, now + medium[m, M_SLOT], E_SENSE, p, port[p, P_EPOCH])
    clear_at = now - medium[m, M_CCA] + medium[m, M_SLOT] if slotted else now + medium[m, M_TURNAROUND]
    return start(net, p, clear_at, heap, size, state, facts, seed)


@kernel(inline=True, allocates=False)
def start(net, p, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """A frame goes on the air."""
    what = net.port[p, P_WHAT]
    airtime = frame_airtime_ns(net, p, p, copy_bytes(what, state, facts))
    lane = lane_of(net, p, net.path[path_at(what, state)].node, now, seed)
    ends = transmit(net, p, airtime, lane, now, state)
    return push_port(heap, size, ends, E_END, p, net.port[p, P_EPOCH])


@kernel(inline=True, allocates=False)
def outcome(net, p, state, seed):  # type: ignore[no-untyped-def]
    """Why the frame that has just ended is lost (-1: it is not)."""
    port = net.port
    what = port[p, P_WHAT]
    at = path_at(what, state)
    if net.outages and (net.node[net.path[at].node, N_DOWN] > 0 or net.node[port[p, P_NODE], N_DOWN] > 0):
        return BY_OUTAGE
    if port[p, P_COLLIDED] == 1:
        return BY_COLLISION
    number = 1 + port[p, P_TRY] + ((port[p, P_FRAMES] - 1) << np.int64(52))
    chance = chance_of_loss(net.loss[p], net.path[at].loss)
    return BY_LINK if is_lost(p, what, state, number, chance, seed) else -1


@kernel(allocates=False)
def _leaves(net, m, what, state):  # type: ignore[no-untyped-def]
    """Whether the hop in hand is the last of a copy on medium `m`."""
    row = what & 0xFFFFFFFF
    hops = state[row, ACK_HOPS if (what >> ACK_AT) & 1 else HOPS]
    if ((what >> HOP_AT) & 0xFF) + 1 >= hops:
        return True
    return net.port[net.path[path_at(what, state) + 1].port, P_MEDIUM] != m


@kernel(inline=True, allocates=False)
def end(net, p, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """A frame has gone: the copy is through, or its next frame begins, or this one is tried again, or it is lost."""
    port, medium, m = net.port, net.medium, net.port[p, P_MEDIUM]
    acked = medium[m, M_ACK] > 0
    after = now + medium[m, M_TURNAROUND] + medium[m, M_ACK] if acked else now
    silent = now + silence_ns(now - port[p, P_FREE], medium[m, M_DUTY_PPM])
    cause = outcome(net, p, state, seed)
    if cause < 0 and acked:
        acknowledge(net, p, now)
    if cause >= 0 and acked and port[p, P_TRY] < port[p, P_RETRIES]:
        port[p, P_TRY] += 1
        again = now + medium[m, M_ACK_WAIT]
        if medium[m, M_WINDOW] > 0:
            again += np.int64(draw(net, p, seed) * medium[m, M_WINDOW])
        port[p, P_READY] = max(again, silent)
        return attempt(net, p, now, heap, size, state, seed)
    port[p, P_READY] = max(after + medium[m, M_GAP], silent)
    what, key = port[p, P_WHAT], port[p, P_KEY]
    if cause < 0 and is_broken(net, p, what, state, seed):
        cause = BY_BREAK
    if cause >= 0:
        size = push_lost(heap, size, now, key, what, cause)
        return _next(net, p, now, heap, size, state, facts, seed)
    port[p, P_FRAMES] -= 1
    if port[p, P_FRAMES] > 0:
        port[p, P_TRY] = 0
        return attempt(net, p, now, heap, size, state, seed)
    out = now + port[p, P_DELAY] + flight_ns(net, p, what, state)
    if medium[m, M_STACK] > 0 and _leaves(net, m, what, state):
        out += medium[m, M_STACK]
    size = push_next(net, heap, size, out, key, what, state)
    return _next(net, p, now, heap, size, state, facts, seed)


@kernel(inline=True, allocates=False)
def _next(net, p, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    if take_next(net, p):
        size = begin(net, p, now, heap, size, state, facts, seed)
    return size
