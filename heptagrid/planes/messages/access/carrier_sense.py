"""Plain carrier sense on a bus without hidden nodes: `csma`.

Who finds the medium busy waits a random number of slots and looks again; the range doubles with every look.
The medium is taken the instant a transmission begins, so nothing collides, and stays taken until the last bit has
reached the far end. This is the model of ns-3's csma module (src/csma/model: backoff.cc, csma-channel.cc,
csma-net-device.cc), with its constants: slots of 1 microsecond, from 1 to below 2^looks - 1 of them,
1000 at most, 1000 looks, and a gap of 96 bit times after each frame.
"""

from __future__ import annotations

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.messages.kernel.events import push_lost, push_port
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
    BY_ACCESS,
    E_ATTEMPT,
    E_END,
    E_START,
    M_BUSY_UNTIL,
    M_GAP,
    M_MOST_BACK_OFFS,
    M_MOST_EXPONENT,
    M_SLOT,
    M_WINDOW,
    NOTHING,
    P_BACK_OFFS,
    P_BUSY,
    P_CAUSE,
    P_DELAY,
    P_EPOCH,
    P_KEY,
    P_MEDIUM,
    P_WHAT,
)


@kernel(inline=True, allocates=False)
def begin(net, p, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The port has a new copy in hand and looks at the medium."""
    net.port[p, P_BACK_OFFS] = 0
    return attempt(net, p, now, heap, size, state, facts, seed)


@kernel(inline=True, allocates=False)
def attempt(net, p, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """Look at the medium: send, or look again later.

    While the medium is known to be busy, further looks are drawn without an event for each.
    """
    port, medium = net.port, net.medium
    m = port[p, P_MEDIUM]
    busy_until = medium[m, M_BUSY_UNTIL]
    if now >= busy_until:
        what = port[p, P_WHAT]
        transmission = transmission_ns(wire_bytes(port, p, what, state, facts), net.rate_bps[p])
        chance = chance_of_loss(net.loss[p], net.path[path_at(what, state)].loss)
        attempts, cause = draw_attempts(port, net.break_loss, p, what, state, chance, seed)
        port[p, P_CAUSE] = cause
        port[p, P_BUSY] += attempts * transmission
        medium[m, M_BUSY_UNTIL] = now + attempts * transmission + port[p, P_DELAY]
        return push_port(heap, size, now + attempts * transmission, E_END, p, port[p, P_EPOCH])
    when = now
    while when < busy_until:
        if port[p, P_BACK_OFFS] >= medium[m, M_MOST_BACK_OFFS]:
            size = push_lost(heap, size, when, port[p, P_KEY], port[p, P_WHAT], BY_ACCESS)
            if not take_next(net, p):
                return size
            port[p, P_BACK_OFFS] = 0
            continue
        port[p, P_BACK_OFFS] += 1
        doubled = min(port[p, P_BACK_OFFS], medium[m, M_MOST_EXPONENT])
        most = max(1, min((1 << doubled) - 1, medium[m, M_WINDOW]))
        when += int(1.0 + draw(net, p, seed) * (most - 1)) * medium[m, M_SLOT]
    return push_port(heap, size, when, E_ATTEMPT, p, port[p, P_EPOCH])


@kernel(inline=True, allocates=False)
def end(net, p, now, heap, size, state):  # type: ignore[no-untyped-def]
    """The copy in hand is on its way; the port is silent for the gap between frames."""
    port = net.port
    if port[p, P_CAUSE] < 0:
        size = push_next(net, heap, size, now + port[p, P_DELAY], port[p, P_KEY], port[p, P_WHAT], state)
    else:
        size = push_lost(heap, size, now, port[p, P_KEY], port[p, P_WHAT], port[p, P_CAUSE])
    port[p, P_WHAT] = NOTHING
    return push_port(heap, size, now + net.medium[port[p, P_MEDIUM], M_GAP], E_START, p, port[p, P_EPOCH])


@kernel(inline=True, allocates=False)
def ready(net, p, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The gap is over; the next copy looks at the medium."""
    if take_next(net, p):
        size = begin(net, p, now, heap, size, state, facts, seed)
    return size
