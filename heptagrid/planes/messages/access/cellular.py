"""A cell: contention for a random-access preamble, then scheduled service; paging on the way down.

A device that has been silent for the inactivity time has no connection. It picks a preamble at the next
opportunity; two that pick the same fail, and each backs off. Once connected it is granted the shared uplink in order of
request. What goes to a device without a connection waits for its next paging occasion; then, as what goes to any other, for
the downlink, the most urgent class first. A device that saves power hears no paging while it sleeps: what goes to it waits
until it has sent something, or wakes to tell where it is. Source of the procedure and its
constants: 3GPP TR 37.868 (preambles, opportunities, back-off indicator, detection probability 1 - exp(-i)).
"""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.random import Stream, bits
from heptagrid.planes.messages.kernel.events import push, push_lost, push_port, wait_last
from heptagrid.planes.messages.routing.ports import (
    chance_of_loss,
    draw,
    draw_attempts,
    path_at,
    push_next,
    take_next,
    transmission_ns,
    wire_bytes,
)
from heptagrid.planes.messages.tables import (
    A_END,
    ASLEEP_BIT,
    BY_ACCESS,
    BY_BUFFER,
    BY_COLLISION,
    BY_OUTAGE,
    E_ATTEMPT,
    E_END,
    E_RESPONSE,
    EPOCH_AT,
    HORIZON,
    M_ACTIVE,
    M_BASE,
    M_CHANNELS,
    M_GRANT,
    M_INACTIVITY,
    M_JAMMED_UNTIL,
    M_MEMBERS,
    M_MEMBERS_AT,
    M_MOST_BACK_OFFS,
    M_OPPORTUNITY,
    M_PAGING,
    M_PREAMBLES,
    M_RESPONSE,
    M_SETUP,
    M_UPDATE,
    M_WINDOW,
    N_DOWN,
    P_ACTIVE,
    P_BUFFER,
    P_BUSY,
    P_CAUSE,
    P_CLASSES,
    P_COLLIDED,
    P_DELAY,
    P_EPOCH,
    P_FRAME,
    P_KEY,
    P_LISTS_AT,
    P_MEDIUM,
    P_NODE,
    P_READY,
    P_STORES,
    P_TRY,
    P_WAITING,
    P_WHAT,
    PRIORITY,
    READY_BIT,
)

_PAGING = int(Stream.DEVICE_OFFSET)
AGAIN_NS = np.int64(10_000_000_000)  # a concentrator that finds no cell looks again: assumption


@kernel(inline=True, allocates=False)
def begin(net, p, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The device has a new copy in hand: it asks for a grant, or for a connection first."""
    port, medium, m = net.port, net.medium, net.port[p, P_MEDIUM]
    if port[p, P_READY] >= now:
        return _serve(net, p, now + medium[m, M_GRANT], heap, size, state, facts, seed)
    port[p, P_TRY] = 0
    return _ask(net, p, now, heap, size)


@kernel(inline=True, allocates=False)
def _ask(net, p, now, heap, size):  # type: ignore[no-untyped-def]
    period = net.medium[net.port[p, P_MEDIUM], M_OPPORTUNITY]
    return push_port(heap, size, -(-now // period) * period, E_ATTEMPT, p, net.port[p, P_EPOCH])


@kernel(inline=True, allocates=False)
def attempt(net, p, now, heap, size, seed):  # type: ignore[no-untyped-def]
    """The device sends a preamble; whoever sends the same one now takes part in its failure."""
    port, medium, m = net.port, net.medium, net.port[p, P_MEDIUM]
    chosen = np.int64(draw(net, p, seed) * medium[m, M_PREAMBLES])
    port[p, P_COLLIDED] = 0
    if net.preambles[m, chosen, 0] == now:
        port[p, P_COLLIDED] = port[net.preambles[m, chosen, 1], P_COLLIDED] = 1
    net.preambles[m, chosen, 0], net.preambles[m, chosen, 1] = now, p
    return push_port(heap, size, now + medium[m, M_RESPONSE], E_RESPONSE, p, port[p, P_EPOCH])


@kernel(inline=True, allocates=False)
def response(net, p, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The response comes, or its window passes without one."""
    port, medium, m = net.port, net.medium, net.port[p, P_MEDIUM]
    port[p, P_TRY] += 1
    dead = net.outages and net.node[port[medium[m, M_BASE], P_NODE], N_DOWN] > 0
    unheard = draw(net, p, seed) >= 1.0 - np.exp(-float(port[p, P_TRY]))
    if port[p, P_COLLIDED] == 1 or unheard or dead or medium[m, M_JAMMED_UNTIL] > now:
        if dead and port[p, P_STORES] == 1:
            port[p, P_TRY] = 0
            return _ask(net, p, now + AGAIN_NS, heap, size)
        if port[p, P_TRY] >= medium[m, M_MOST_BACK_OFFS]:
            size = push_lost(heap, size, now, port[p, P_KEY], port[p, P_WHAT], BY_OUTAGE if dead else BY_ACCESS)
            if take_next(net, p):
                size = begin(net, p, now, heap, size, state, facts, seed)
            return size
        return _ask(net, p, now + np.int64(draw(net, p, seed) * medium[m, M_WINDOW]), heap, size)
    return _serve(net, p, now + medium[m, M_SETUP], heap, size, state, facts, seed)


@kernel(inline=True, allocates=False)
def _airtime_ns(port, rate_bps, p, what, state, facts):  # type: ignore[no-untyped-def]
    return port[p, P_FRAME] + transmission_ns(wire_bytes(port, p, what, state, facts), rate_bps[p])


@kernel(inline=True, allocates=False)
def _serve(net, p, ready, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The first tone of the uplink that is free takes the copy, each failed block again; most cells have one tone.

    More tones than there are members would never be in use.
    """
    port, medium, m = net.port, net.medium, net.port[p, P_MEDIUM]
    what = port[p, P_WHAT]
    chance = chance_of_loss(net.loss[p], net.path[path_at(what, state)].loss)
    attempts, port[p, P_CAUSE] = draw_attempts(port, net.break_loss, p, what, state, chance, seed)
    if net.outages and net.node[port[medium[m, M_BASE], P_NODE], N_DOWN] > 0:
        port[p, P_CAUSE] = BY_OUTAGE
    airtime = attempts * _airtime_ns(port, net.rate_bps, p, what, state, facts)
    port[p, P_BUSY] += airtime
    tones, at = net.air, medium[m, M_MEMBERS_AT]
    first = at
    for k in range(at + 1, at + min(medium[m, M_CHANNELS], medium[m, M_MEMBERS])):
        if tones[k, A_END] < tones[first, A_END]:
            first = k
    tones[first, A_END] = min(max(ready, tones[first, A_END]) + airtime, HORIZON)
    return push_port(heap, size, tones[first, A_END], E_END, p, port[p, P_EPOCH])


@kernel(inline=True, allocates=False)
def end(net, p, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The copy in hand is through or lost; the connection stays for the inactivity time."""
    port, m = net.port, net.port[p, P_MEDIUM]
    port[p, P_READY] = now + net.medium[m, M_INACTIVITY]
    if net.outages and net.node[port[net.medium[m, M_BASE], P_NODE], N_DOWN] > 0:
        if port[p, P_STORES] == 1:
            port[p, P_TRY] = 0
            return _ask(net, p, now + AGAIN_NS, heap, size)
        port[p, P_CAUSE] = BY_OUTAGE
    elif net.medium[m, M_JAMMED_UNTIL] > now:
        port[p, P_CAUSE] = BY_COLLISION
    if port[p, P_CAUSE] < 0:
        size = push_next(net, heap, size, now + port[p, P_DELAY], port[p, P_KEY], port[p, P_WHAT], state)
    else:
        size = push_lost(heap, size, now, port[p, P_KEY], port[p, P_WHAT], port[p, P_CAUSE])
    if take_next(net, p):
        size = begin(net, p, now, heap, size, state, facts, seed)
    return size


@kernel(inline=True, allocates=False)
def offer_down(net, base, what, key, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The base station has a copy for a device: it pages it if it has no connection; then the copy waits for its turn.

    What waits, for the device or for its turn, stands in the buffer. A copy that comes back from paging is marked, and
    knows the station's epoch: has that failed since, so has its buffer. For a device that sleeps it looks again at each of
    what would be its paging occasions.
    """
    port, medium, m = net.port, net.medium, net.port[base, P_MEDIUM]
    at = path_at(what, state)
    device = net.path[at].peer
    was_here, was_asleep = what & READY_BIT != 0, what & ASLEEP_BIT != 0
    if was_here:
        epoch = (what >> EPOCH_AT) & 0xFF
        what &= ~(READY_BIT | ASLEEP_BIT | (np.int64(0xFF) << EPOCH_AT))
        if epoch != port[base, P_EPOCH] & 0xFF and port[base, P_STORES] == 0:
            return push_lost(heap, size, now, key, what, BY_OUTAGE)
        port[base, P_WAITING] -= 1
    if net.outages and (net.node[port[base, P_NODE], N_DOWN] > 0 or net.node[net.path[at].node, N_DOWN] > 0):
        return push_lost(heap, size, now, key, what, BY_OUTAGE)
    must_page = (was_asleep or not was_here) and port[device, P_READY] < now
    must_wait = must_page or port[base, P_ACTIVE] == 1
    if must_wait and not was_here and port[base, P_BUFFER] >= 0 and port[base, P_WAITING] >= port[base, P_BUFFER]:
        return push_lost(heap, size, now, key, what, BY_BUFFER)
    if must_page:
        active = medium[m, M_ACTIVE]
        sleeps = active > 0 and (now - port[device, P_READY]) % medium[m, M_UPDATE] > active
        from_ns, period = now + sleeps, medium[m, M_PAGING]
        if sleeps and period == 0:
            period = AGAIN_NS
        occasion = from_ns
        if period > 0:
            phase = np.int64(bits(seed, _PAGING, device, 0) % np.uint64(period))
            occasion = from_ns + (phase - from_ns) % period
        port[base, P_WAITING] += 1
        marked = what | READY_BIT | ((port[base, P_EPOCH] & 0xFF) << EPOCH_AT)
        if sleeps:
            return push(heap, size, occasion, key, marked | ASLEEP_BIT)
        return push(heap, size, occasion + medium[m, M_SETUP], key, marked)
    port[device, P_READY] = max(port[device, P_READY], now + medium[m, M_INACTIVITY])
    if must_wait:
        urgency = min(state[what & 0xFFFFFFFF, PRIORITY], port[base, P_CLASSES] - 1)
        wait_last(net.lists, net.queue, port[base, P_LISTS_AT] + urgency, what, key)
        port[base, P_WAITING] += 1
        return size
    port[base, P_ACTIVE], port[base, P_WHAT], port[base, P_KEY] = 1, what, key
    return start_down(net, base, now, heap, size, state, facts, seed)


@kernel(inline=True, allocates=False)
def start_down(net, base, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The base station sends the copy in hand, each failed block again; its device stays connected."""
    port, what = net.port, net.port[base, P_WHAT]
    at = path_at(what, state)
    chance = chance_of_loss(net.loss[base], net.path[at].loss)
    attempts, port[base, P_CAUSE] = draw_attempts(port, net.break_loss, base, what, state, chance, seed)
    out = now + attempts * _airtime_ns(port, net.rate_bps, base, what, state, facts)
    port[base, P_BUSY] += out - now
    device = net.path[at].peer
    port[device, P_READY] = max(port[device, P_READY], out + net.medium[port[base, P_MEDIUM], M_INACTIVITY])
    return push_port(heap, size, out, E_END, base, port[base, P_EPOCH])


@kernel(inline=True, allocates=False)
def end_down(net, base, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The copy in hand is through or lost; the next one, of the most urgent class, begins."""
    port, what, key = net.port, net.port[base, P_WHAT], net.port[base, P_KEY]
    cause = port[base, P_CAUSE]
    if net.outages and net.node[net.path[path_at(what, state)].node, N_DOWN] > 0:
        cause = BY_OUTAGE
    elif net.medium[port[base, P_MEDIUM], M_JAMMED_UNTIL] > now:
        cause = BY_COLLISION
    if cause < 0:
        size = push_next(net, heap, size, now + port[base, P_DELAY], key, what, state)
    else:
        size = push_lost(heap, size, now, key, what, cause)
    if take_next(net, base):
        size = start_down(net, base, now, heap, size, state, facts, seed)
    return size
