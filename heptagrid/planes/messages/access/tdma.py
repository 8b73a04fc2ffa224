"""Time division: each member owns one slot of every frame, and sends nothing outside it."""

from __future__ import annotations

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.messages.kernel.events import push_lost, push_port
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
    BY_OUTAGE,
    E_END,
    LONGEST_WAIT,
    M_MEMBERS,
    M_SLOT,
    N_DOWN,
    P_BUSY,
    P_CAUSE,
    P_DELAY,
    P_EPOCH,
    P_FRAME,
    P_KEY,
    P_MEDIUM,
    P_SLOT,
    P_WHAT,
)


@kernel(allocates=False)
def begin(net, p, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The copy in hand takes as many of its port's slots as it needs, from the next one on."""
    port, medium, m = net.port, net.medium, net.port[p, P_MEDIUM]
    what = port[p, P_WHAT]
    slot = medium[m, M_SLOT]
    frame = slot * medium[m, M_MEMBERS]
    airtime = port[p, P_FRAME] + transmission_ns(wire_bytes(port, p, what, state, facts), net.rate_bps[p])
    at = path_at(what, state)
    chance = chance_of_loss(net.loss[p], net.path[at].loss)
    attempts, cause = draw_attempts(port, net.break_loss, p, what, state, chance, seed)
    port[p, P_CAUSE] = BY_OUTAGE if net.node[net.path[at].node, N_DOWN] > 0 else cause
    own = port[p, P_SLOT] * slot
    first = now + (own - now) % frame
    slots_each = max(1, -(-airtime // slot))
    slots = attempts * slots_each
    last_part = airtime - (slots_each - 1) * slot
    port[p, P_BUSY] += attempts * airtime
    between = LONGEST_WAIT if slots > LONGEST_WAIT // frame else (slots - 1) * frame
    return push_port(heap, size, first + between + last_part, E_END, p, port[p, P_EPOCH])


@kernel(allocates=False)
def end(net, p, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The copy in hand is through or lost; the next waits for its slot."""
    port = net.port
    if port[p, P_CAUSE] < 0:
        size = push_next(net, heap, size, now + port[p, P_DELAY], port[p, P_KEY], port[p, P_WHAT], state)
    else:
        size = push_lost(heap, size, now, port[p, P_KEY], port[p, P_WHAT], port[p, P_CAUSE])
    if take_next(net, p):
        size = begin(net, p, now, heap, size, state, facts, seed)
    return size
