"""LoRaWAN class A: uplinks are ALOHA under a duty cycle; a downlink waits for its device to speak.

After each uplink a device listens twice: RECEIVE_DELAY1 after it for a frame like its own, at its own rate, and a second later on a
channel and at a rate that are the same for all devices, in a band with a duty cycle of its own. One downlink goes out in the two:
in the first window if the gateway may send then, else in the second if the frame fits that rate. What has waited goes before an
answer, and waits for the next uplink if it could not go. An answer is worth something only in the windows of the uplink that it
answers: it is dropped when they have passed, as one is that is longer than a frame. While the gateway sends, in whichever window, it hears
nothing; a device neither speaks before its windows have passed nor while it receives. Uplinks do not disturb downlinks, whose
chirps are inverted (I and Q exchanged: iqInverted in LoRaMac-node's Radio.SetRxConfig), so that devices do not hear each other.

Source: LoRaWAN L2 1.0.4 section 3.3 (Semtech's course on it read); EU868 as in LoRaMac-node RegionEU868.h.
"""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.messages.access.contention import outcome
from heptagrid.planes.messages.access.radio import (
    flight_ns,
    frame_airtime_ns,
    lora_airtime_ns,
    part_bytes,
    silence_ns,
    transmit,
)
from heptagrid.planes.messages.kernel.events import push_lost, push_port, take_first, wait_first, wait_last
from heptagrid.planes.messages.routing.ports import copy_bytes, frames_of, is_broken, path_at, push_next, take_next
from heptagrid.planes.messages.tables import (
    ACK_AT,
    ACK_HOPS,
    ANSWERED,
    BY_BREAK,
    BY_BUFFER,
    BY_OUTAGE,
    BY_STALE,
    E_ATTEMPT,
    E_END,
    E_RESPONSE,
    ID,
    IS_ANSWER,
    M_BASE,
    M_DUTY_PPM,
    M_MEMBERS,
    M_RECEIVE_DELAY,
    M_SECOND_DUTY_PPM,
    M_SECOND_FACTOR,
    M_SECOND_PAYLOAD,
    N_DOWN,
    P_ACTIVE,
    P_ASKED,
    P_BUFFER,
    P_BUSY_SECOND,
    P_DELAY,
    P_EPOCH,
    P_FRAMES,
    P_FREE,
    P_HEADER,
    P_IN_SECOND,
    P_KEY,
    P_LISTENS,
    P_LISTS_AT,
    P_MEDIUM,
    P_NODE,
    P_PARTS,
    P_READY,
    P_READY_SECOND,
    P_SLOT,
    P_STORES,
    P_WAITING,
    P_WHAT,
)

BETWEEN_NS = np.int64(1_000_000_000)  # from the first window to the second
DOWN_LANE = np.int64(-1)  # chirps of downlinks are inverted: no uplink disturbs them


@kernel(inline=True, allocates=False)
def _asked_by(what, state):  # type: ignore[no-untyped-def]
    """The ID of the message that a copy answers; -1 if it answers none."""
    row = what & 0xFFFFFFFF
    if (what >> ACK_AT) & 1:
        return state[row, ID]
    return state[row, ANSWERED] if state[row, ACK_HOPS] == IS_ANSWER else np.int64(-1)


@kernel(inline=True, allocates=False)
def _line(net, base, device, is_answer):  # type: ignore[no-untyped-def]
    """Where copies for a device wait: the gateway has a line of each device for its answer, and one for all else."""
    port = net.port
    first = port[base, P_LISTS_AT] + port[device, P_SLOT]
    return first + net.medium[port[base, P_MEDIUM], M_MEMBERS] if is_answer else first


@kernel(allocates=False)
def offer_down(net, base, what, key, now, heap, size, state, facts):  # type: ignore[no-untyped-def]
    """The gateway has a copy for a device: it waits for the device's windows, an answer for those that are still to come."""
    port = net.port
    device = net.path[path_at(what, state)].peer
    asked = _asked_by(what, state)
    line = _line(net, base, device, asked >= 0)
    if asked >= 0:
        in_time = now < port[device, P_LISTENS] and asked == port[device, P_ASKED]
        fits = frames_of(port, device, copy_bytes(what, state, facts)) == 1
        if not in_time or not fits or net.lists[line, 0] != 0:
            return push_lost(heap, size, now, key, what, BY_STALE)
    if port[base, P_BUFFER] >= 0 and port[base, P_WAITING] >= port[base, P_BUFFER]:
        return push_lost(heap, size, now, key, what, BY_BUFFER)
    wait_last(net.lists, net.queue, line, what, key)
    port[base, P_WAITING] += 1
    return size


@kernel(allocates=False)
def interrupt(net, base, now, heap, size, state):  # type: ignore[no-untyped-def]
    """The gateway fails, or comes back: what it was sending waits again, or is lost with all that waits if nothing is stored."""
    port = net.port
    if port[base, P_ACTIVE] == 1:
        what, key = port[base, P_WHAT], port[base, P_KEY]
        device = net.path[path_at(what, state)].peer
        port[base, P_ACTIVE] = port[device, P_PARTS] = 0
        if port[base, P_STORES] == 1 and _asked_by(what, state) < 0:
            port[device, P_PARTS] = port[base, P_FRAMES]
            wait_first(net.lists, net.queue, _line(net, base, device, False), what, key)
        else:
            port[base, P_WAITING] -= 1
            size = push_lost(heap, size, now, key, what, BY_OUTAGE)
    while port[base, P_STORES] == 0 and take_next(net, base):
        port[net.path[path_at(port[base, P_WHAT], state)].peer, P_PARTS] = 0
        size = push_lost(heap, size, now, port[base, P_KEY], port[base, P_WHAT], BY_OUTAGE)
    return size


@kernel(allocates=False)
def open_windows(net, device, sent, now, heap, size, state):  # type: ignore[no-untyped-def]
    """A device has sent a frame of the copy `sent`, and will listen twice before it speaks again."""
    port = net.port
    first = now + net.medium[port[device, P_MEDIUM], M_RECEIVE_DELAY]
    port[device, P_LISTENS] = first + BETWEEN_NS
    port[device, P_ASKED] = state[sent & 0xFFFFFFFF, ID]
    port[device, P_READY] = max(port[device, P_READY], port[device, P_LISTENS] + 1)
    return push_port(heap, size, first, E_ATTEMPT, device, port[device, P_EPOCH])


@kernel(allocates=False)
def close_windows(net, device, now, heap, size):  # type: ignore[no-untyped-def]
    """A device listens no more: an answer that waits for it is stale."""
    port = net.port
    base = net.medium[port[device, P_MEDIUM], M_BASE]
    line = _line(net, base, device, True)
    port[device, P_LISTENS] = now
    if net.lists[line, 0] != 0:
        what, key = take_first(net.lists, net.queue, line)
        port[base, P_WAITING] -= 1
        size = push_lost(heap, size, now, key, what, BY_STALE)
    return size


@kernel(allocates=False)
def _choose(net, base, device, is_first, now, state, facts):  # type: ignore[no-untyped-def]
    """The line of the copy that goes out in a window of a device, -1 if none may; notes how many of its frames are left."""
    port, m = net.port, net.port[base, P_MEDIUM]
    is_down = net.outages and net.node[port[base, P_NODE], N_DOWN] > 0
    if is_down or port[base, P_ACTIVE] == 1 or port[base, P_READY if is_first else P_READY_SECOND] > now:
        return np.int64(-1)
    most = np.int64(0) if is_first else net.medium[m, M_SECOND_PAYLOAD]
    for is_answer in (False, True):
        line = _line(net, base, device, is_answer)
        slot = net.lists[line, 0]
        if slot == 0:
            continue
        size_bytes = copy_bytes(net.queue[slot, 0], state, facts)
        left = np.int64(0) if is_answer else port[device, P_PARTS]
        port[base, P_FRAMES] = left if left > 0 else frames_of(port, device, size_bytes)
        if most <= 0 or part_bytes(port, base, device, size_bytes) <= most:
            return line
    return np.int64(-1)


@kernel(allocates=False)
def listen(net, base, device, is_first, now, heap, size, state, facts):  # type: ignore[no-untyped-def]
    """A device listens: the gateway sends what it has for it, if it may; an answer that did not go is stale."""
    port = net.port
    line = _choose(net, base, device, is_first, now, state, facts)
    if line < 0 and is_first:
        return push_port(heap, size, now + BETWEEN_NS, E_RESPONSE, device, port[device, P_EPOCH])
    if line >= 0:
        size = _send(net, base, device, line, is_first, now, heap, size, state, facts)
    return close_windows(net, device, now, heap, size)


@kernel(allocates=False)
def _send(net, base, device, line, is_first, now, heap, size, state, facts):  # type: ignore[no-untyped-def]
    """The gateway's frame goes on the air: at the device's rate in the band of the uplinks, or as all second windows are."""
    port, medium, m = net.port, net.medium, net.port[base, P_MEDIUM]
    what, key = take_first(net.lists, net.queue, line)
    size_bytes = copy_bytes(what, state, facts)
    port[base, P_WHAT], port[base, P_KEY], port[base, P_ACTIVE] = what, key, 1
    if is_first:
        airtime = frame_airtime_ns(net, base, device, size_bytes)
    else:
        frame_bytes = part_bytes(port, base, device, size_bytes) + port[base, P_HEADER]
        airtime = lora_airtime_ns(frame_bytes, medium[m, M_SECOND_FACTOR], True)
        port[base, P_BUSY_SECOND] += airtime
    port[base, P_IN_SECOND] = 0 if is_first else 1
    ends = transmit(net, base, airtime, DOWN_LANE, now, state)
    port[device, P_READY] = max(port[device, P_READY], ends)
    return push_port(heap, size, ends, E_END, base, port[base, P_EPOCH])


@kernel(allocates=False)
def end_down(net, base, now, heap, size, state, seed):  # type: ignore[no-untyped-def]
    """The gateway's frame has gone; the copy is through, or lost, or its next frame waits for the next uplink."""
    port, m = net.port, net.port[base, P_MEDIUM]
    what, key = port[base, P_WHAT], port[base, P_KEY]
    device = net.path[path_at(what, state)].peer
    if port[base, P_IN_SECOND] == 1:
        port[base, P_READY_SECOND] = now + silence_ns(now - port[base, P_FREE], net.medium[m, M_SECOND_DUTY_PPM])
    else:
        port[base, P_READY] = now + silence_ns(now - port[base, P_FREE], net.medium[m, M_DUTY_PPM])
    port[base, P_ACTIVE] = 0
    cause = outcome(net, base, state, seed)
    if cause < 0 and is_broken(net, base, what, state, seed):
        cause = BY_BREAK
    if _asked_by(what, state) < 0:
        port[device, P_PARTS] = 0
    if cause >= 0:
        port[base, P_WAITING] -= 1
        return push_lost(heap, size, now, key, what, cause)
    if port[base, P_FRAMES] > 1:
        port[device, P_PARTS] = port[base, P_FRAMES] - 1
        wait_first(net.lists, net.queue, _line(net, base, device, False), what, key)
        return size
    port[base, P_WAITING] -= 1
    return push_next(net, heap, size, now + port[base, P_DELAY] + flight_ns(net, base, what, state), key, what, state)
