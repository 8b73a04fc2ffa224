"""What all ports have in common: the copy in hand, the waiting lines, the size of a copy, the random draws of a link.

A large network's tables do not fit the cache, and a copy's next port is known long before the copy gets there: so its
rows are fetched meanwhile.
"""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.compiled.array_shapes import column, line, rows
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.compiled.prefetch import prefetch
from heptagrid.foundation.random import Stream, uniform
from heptagrid.planes.messages.kernel.events import push, take_first
from heptagrid.planes.messages.tables import (
    ACK_AT,
    ACK_BYTES,
    ACK_HOPS,
    ACK_PATH,
    AIR,
    BY_BREAK,
    BY_LINK,
    BYTES,
    COPY_AT,
    HOP_AT,
    HOPS,
    KIND,
    LIST,
    LONGEST_TRANSMISSION,
    M_MEMBERS_AT,
    MEDIUM,
    NODE,
    NUMBER,
    ONE_HOP,
    P_ACTIVE,
    P_CLASSES,
    P_DRAWS,
    P_HEADER,
    P_KEY,
    P_LINK_CLASS,
    P_LISTS_AT,
    P_MEDIUM,
    P_PAYLOAD,
    P_RETRIES,
    P_WAITING,
    P_WHAT,
    PATH,
    PLACE,
    PORT,
    REACH,
    SOURCE,
    WAITING,
    Net,
)

_LOSS = int(Stream.LINK_LOSS)
_BREAK = int(Stream.CLASS_BREAK)
_BACK_OFF = int(Stream.BACK_OFF)


@kernel(inline=True, allocates=False)
def of_known_shape(net):  # type: ignore[no-untyped-def]
    """The network's tables with the shapes that they always have."""
    return Net(
        rows(net.port, PORT), column(net.rate_bps, PORT), column(net.loss, PORT), rows(net.lists, LIST),
        rows(net.queue, WAITING), net.rings, rows(net.medium, MEDIUM), rows(net.reach, REACH),
        rows(net.air, AIR), net.members, net.preambles, rows(net.xy_m, PLACE), rows(net.node, NODE),
        net.node_ports_at, net.node_ports, line(net.path), net.break_loss, net.outages,
    )  # fmt: skip


@kernel(inline=True, allocates=False)
def take_next(net, p):  # type: ignore[no-untyped-def]
    """Take the first waiting copy of the most urgent class in hand; whether there was one."""
    port = net.port
    if port[p, P_WAITING] == 0:
        port[p, P_ACTIVE] = 0
        return False
    line = port[p, P_LISTS_AT]
    for _ in range(port[p, P_CLASSES]):
        if net.lists[line, 0] != 0:
            what, key = take_first(net.lists, net.queue, line)
            port[p, P_WHAT], port[p, P_KEY] = what, key
            port[p, P_WAITING] -= 1
            return True
        line += 1
    port[p, P_ACTIVE] = 0
    return False


@kernel(inline=True, allocates=False)
def copy_bytes(what, state, facts):  # type: ignore[no-untyped-def]
    """Bytes of a copy on the wire."""
    row = what & 0xFFFFFFFF
    return facts[state[row, KIND], ACK_BYTES] if (what >> ACK_AT) & 1 else state[row, BYTES]


@kernel(inline=True, allocates=False)
def frames_of(port, p, size_bytes):  # type: ignore[no-untyped-def]
    """How many frames a copy of `size_bytes` is cut into."""
    payload = port[p, P_PAYLOAD]
    return 1 if payload <= 0 or size_bytes <= payload else (size_bytes + payload - 1) // payload


@kernel(inline=True, allocates=False)
def wire_bytes(port, p, what, state, facts):  # type: ignore[no-untyped-def]
    """Bytes that a port sends for a copy: the copy's own, and a header for each of its frames."""
    size_bytes = copy_bytes(what, state, facts)
    header = port[p, P_HEADER]
    return size_bytes if header == 0 else size_bytes + header * frames_of(port, p, size_bytes)


@kernel(inline=True, allocates=False)
def transmission_ns(size_bytes, rate_bps):  # type: ignore[no-untyped-def]
    """How long bytes take at a rate."""
    return np.int64(min(np.rint(size_bytes * 8e9 / rate_bps), LONGEST_TRANSMISSION))


@kernel(inline=True, allocates=False)
def path_at(what, state):  # type: ignore[no-untyped-def]
    """Where in the table of paths a copy's next hop stands."""
    row = what & 0xFFFFFFFF
    return state[row, ACK_PATH if (what >> ACK_AT) & 1 else PATH] + ((what >> HOP_AT) & 0xFF)


@kernel(inline=True, allocates=False)
def fetch(net, at):  # type: ignore[no-untyped-def]
    """Fetch what a copy will touch when it takes the hop that stands at `at` in the table of paths."""
    p, to = net.path[at].port, net.path[at].node
    prefetch(net.port, (p, 0))
    prefetch(net.port, (p, 8))
    prefetch(net.port, (p, 16))
    prefetch(net.xy_m, (to, 0))


@kernel(inline=True, allocates=False)
def fetch_medium(net, at):  # type: ignore[no-untyped-def]
    """Fetch the medium of a port that has been fetched itself."""
    m = net.port[net.path[at].port, P_MEDIUM]
    if m >= 0:
        prefetch(net.medium, (m, 0))
        prefetch(net.medium, (m, 8))
        prefetch(net.air, (net.medium[m, M_MEMBERS_AT], 0))


@kernel(inline=True, allocates=False)
def fetch_next(net, what, state):  # type: ignore[no-untyped-def]
    """Fetch what comes after the hop that a copy takes now: its next port, or the path of the acknowledgement."""
    row, is_ack = what & 0xFFFFFFFF, (what >> ACK_AT) & 1
    following = ((what >> HOP_AT) & 0xFF) + 1
    if following < state[row, ACK_HOPS if is_ack else HOPS]:
        fetch(net, state[row, ACK_PATH if is_ack else PATH] + following)
    elif not is_ack:
        prefetch(net.path, (state[row, ACK_PATH],))
        prefetch(net.path, (state[row, ACK_PATH] + 4,))


@kernel(inline=True, allocates=False)
def push_next(net, heap, size, when, key, what, state):  # type: ignore[no-untyped-def]
    """The copy comes out of its hop at `when`; the new size of the heap."""
    fetch_next(net, what, state)
    return push(heap, size, when, key, what + ONE_HOP)


@kernel(inline=True, allocates=False)
def draw_keys(p, what, state):  # type: ignore[no-untyped-def]
    """(entity, occasion) of the random numbers of a copy's attempts at a port."""
    row = what & 0xFFFFFFFF
    lane = state[row, KIND] + 16 * ((what >> ACK_AT) & 1)
    entity = (np.int64(p) << np.int64(40)) | (state[row, SOURCE] << np.int64(8)) | lane
    return entity, (state[row, NUMBER] << np.int64(16)) | (((what >> COPY_AT) & 0xFF) << np.int64(8))


@kernel(inline=True, allocates=False)
def is_lost(p, what, state, attempt, chance, seed):  # type: ignore[no-untyped-def]
    """Whether an attempt (1, 2, ...) fails by chance."""
    if chance <= 0.0:
        return False
    entity, occasion = draw_keys(p, what, state)
    return uniform(seed, _LOSS, entity, occasion + attempt) < chance


@kernel(inline=True, allocates=False)
def is_broken(net, p, what, state, seed):  # type: ignore[no-untyped-def]
    """Whether the copy is lost to the break of its class of links."""
    broken = net.break_loss[net.port[p, P_LINK_CLASS]]
    if broken <= 0.0:
        return False
    entity, occasion = draw_keys(p, what, state)
    return uniform(seed, _BREAK, entity, occasion) < broken


@kernel(inline=True, allocates=False)
def draw_attempts(port, break_loss, p, what, state, chance, seed):  # type: ignore[no-untyped-def]
    """How many times a copy is sent over a link, and why it is lost all the same (-1: it is not)."""
    attempts, cause = 1, -1
    broken = break_loss[port[p, P_LINK_CLASS]]
    if chance > 0.0 or broken > 0.0:
        entity, occasion = draw_keys(p, what, state)
        if chance > 0.0:
            retries = port[p, P_RETRIES]
            while uniform(seed, _LOSS, entity, occasion + attempts) < chance:
                if attempts > retries:
                    cause = BY_LINK
                    break
                attempts += 1
        if cause < 0 and broken > 0.0 and uniform(seed, _BREAK, entity, occasion) < broken:
            cause = BY_BREAK
    return attempts, cause


@kernel(inline=True, allocates=False)
def chance_of_loss(loss, there):  # type: ignore[no-untyped-def]
    """Probability that one attempt fails: `loss` of the port, and `there` of the two places, by their distance."""
    return loss if there == 0.0 else 1.0 - (1.0 - loss) * (1.0 - there)


@kernel(inline=True, allocates=False)
def draw(net, p, seed):  # type: ignore[no-untyped-def]
    """The next random number of a port's own row, for its back-off."""
    net.port[p, P_DRAWS] += 1
    return uniform(seed, _BACK_OFF, p, net.port[p, P_DRAWS])
