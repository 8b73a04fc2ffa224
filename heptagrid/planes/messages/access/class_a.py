"""LoRaWAN class A: uplinks are ALOHA under a duty cycle; a downlink waits for its device to speak.

After each uplink a device listens twice, after RECEIVE_DELAY1 (1 s) and RECEIVE_DELAY2 (2 s). What the gateway has for
the device by then goes out, so an answer that takes less than two seconds comes at once; it waits on for the next
uplink if the gateway is sending or must keep silent. While the gateway sends it hears nothing. Source: LoRaWAN 1.0.x, RP002 EU868 as coded in LoRaMac-node RegionEU868.h.
"""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.kernel import kernel
from heptagrid.planes.messages.access.contention import outcome
from heptagrid.planes.messages.access.radio import silence_ns, transmit
from heptagrid.planes.messages.events import push_lost, push_port, take_first, wait_last
from heptagrid.planes.messages.ports import copy_bytes, frames_of, is_broken, path_at, push_next, take_next
from heptagrid.planes.messages.tables import (
    BY_BREAK,
    BY_BUFFER,
    BY_OUTAGE,
    E_ATTEMPT,
    E_END,
    E_RESPONSE,
    M_DUTY_PPM,
    P_ACTIVE,
    P_BUFFER,
    P_DELAY,
    P_EPOCH,
    P_FRAMES,
    P_FREE,
    P_KEY,
    P_LISTENS,
    P_LISTS_AT,
    P_MEDIUM,
    P_PARTS,
    P_READY,
    P_SLOT,
    P_WAITING,
    P_WHAT,
)

FIRST_NS = np.int64(1_000_000_000)
SECOND_NS = np.int64(2_000_000_000)


@kernel(allocates=False)
def offer_down(net, base, what, key, now, heap, size, state):  # type: ignore[no-untyped-def]
    """The gateway has a copy for a device: it waits for the device's next uplink."""
    port = net.port
    if port[base, P_BUFFER] >= 0 and port[base, P_WAITING] >= port[base, P_BUFFER]:
        return push_lost(heap, size, now, key, what, BY_BUFFER)
    device = net.path[path_at(what, state)].peer
    wait_last(net.lists, net.queue, port[base, P_LISTS_AT] + port[device, P_SLOT], what, key)
    port[base, P_WAITING] += 1
    return size


@kernel(allocates=False)
def forget(net, base, now, heap, size):  # type: ignore[no-untyped-def]
    """The gateway fails, or comes back: what waits in it is lost."""
    port = net.port
    while take_next(net, base):
        size = push_lost(heap, size, now, port[base, P_KEY], port[base, P_WHAT], BY_OUTAGE)
    return size


@kernel(allocates=False)
def open_windows(net, device, now, heap, size):  # type: ignore[no-untyped-def]
    """A device has spoken and will listen, first after one second; no sooner than its last window has passed."""
    port = net.port
    if now < port[device, P_LISTENS]:
        return size
    port[device, P_LISTENS] = now + SECOND_NS
    return push_port(heap, size, now + FIRST_NS, E_ATTEMPT, device, port[device, P_EPOCH])


@kernel(allocates=False)
def listen(net, base, device, is_first, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """A device listens: the gateway sends what it has for it, at the device's own rate, if it may send."""
    port = net.port
    line = port[base, P_LISTS_AT] + port[device, P_SLOT]
    if net.lists[line, 0] == 0 or port[base, P_ACTIVE] == 1 or port[base, P_READY] > now:
        if not is_first:
            return size
        return push_port(heap, size, now + SECOND_NS - FIRST_NS, E_RESPONSE, device, port[device, P_EPOCH])
    what, key = take_first(net.lists, net.queue, line)
    port[base, P_WHAT], port[base, P_KEY], port[base, P_ACTIVE] = what, key, 1
    left = port[device, P_PARTS]
    port[base, P_FRAMES] = left if left > 0 else frames_of(port, device, copy_bytes(what, state, facts))
    return start_down(net, base, now, heap, size, state, facts, seed)


@kernel(allocates=False)
def start_down(net, base, now, heap, size, state, facts, seed):  # type: ignore[no-untyped-def]
    """The gateway's frame goes on the air, at the device's own rate."""
    device = net.path[path_at(net.port[base, P_WHAT], state)].peer
    ends = transmit(net, base, device, now, state, facts, seed)
    return push_port(heap, size, ends, E_END, base, net.port[base, P_EPOCH])


@kernel(allocates=False)
def end_down(net, base, now, heap, size, state, seed):  # type: ignore[no-untyped-def]
    """The gateway's frame has gone; the copy is through, or lost, or its next frame waits for the next uplink."""
    port, m = net.port, net.port[base, P_MEDIUM]
    what, key = port[base, P_WHAT], port[base, P_KEY]
    device = net.path[path_at(what, state)].peer
    port[base, P_READY] = now + silence_ns(now - port[base, P_FREE], net.medium[m, M_DUTY_PPM])
    port[base, P_ACTIVE] = 0
    cause = outcome(net, base, state, seed)
    if cause < 0 and is_broken(net, base, what, state, seed):
        cause = BY_BREAK
    port[device, P_PARTS] = 0
    if cause >= 0:
        port[base, P_WAITING] -= 1
        return push_lost(heap, size, now, key, what, cause)
    if port[base, P_FRAMES] > 1:
        port[device, P_PARTS] = port[base, P_FRAMES] - 1
        _wait_foremost(net.lists, net.queue, port[base, P_LISTS_AT] + port[device, P_SLOT], what, key)
        return size
    port[base, P_WAITING] -= 1
    return push_next(net, heap, size, now + port[base, P_DELAY], key, what, state)


@kernel(allocates=False)
def _wait_foremost(lists, queue, line, what, key):  # type: ignore[no-untyped-def]
    slot = queue[0, 2]
    queue[0, 2] = queue[slot, 2]
    queue[slot, 0], queue[slot, 1], queue[slot, 2] = what, key, lists[line, 0]
    lists[line, 0] = slot
    if lists[line, 1] == 0:
        lists[line, 1] = slot
