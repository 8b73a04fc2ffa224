"""Transmissions in the air: who hears whom, what collides, what is captured, and how long a frame takes.

Two frames that overlap at a receiver which hears both are lost, unless one is stronger by the capture ratio: power
falls with distance, so that is a ratio of distances. A node that sends hears nothing, be it a frame or an
acknowledgement. Interference is judged between pairs of frames, not summed; a link-layer acknowledgement keeps the
medium busy and its sender deaf, but is itself never lost.
Frames in different lanes (channels, spreading factors) do not meet. Networks on other media do not interfere.
"""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.random import Stream, bits
from heptagrid.planes.messages.routing.ports import draw, frames_of, path_at, transmission_ns
from heptagrid.planes.messages.tables import (
    A_ACKED,
    A_BEGIN,
    A_END,
    A_FROM,
    A_LANE,
    A_PORT,
    A_QUIET,
    A_TO,
    AIR,
    ALOHA,
    CLASS_A,
    LONGEST_WAIT,
    M_ACK,
    M_AIR_SIZE,
    M_BASE,
    M_CHANNELS,
    M_DWELL,
    M_JAMMED_UNTIL,
    M_MEMBERS_AT,
    M_METHOD,
    M_TURNAROUND,
    P_BUSY,
    P_COLLIDED,
    P_FRAME,
    P_FRAMES,
    P_FREE,
    P_HEADER,
    P_MEDIUM,
    P_NODE,
    P_PAYLOAD,
    P_WHAT,
    R_CAPTURE,
    R_INTERFERE,
    R_SENSE,
    SLOTTED_ALOHA,
)

NS_PER_M = 3.336  # speed of light

_HOPPING = int(Stream.BACK_OFF)


@kernel(inline=True, allocates=False)
def distance_m2(xy_m, a, b):  # type: ignore[no-untyped-def]
    """Squared distance between two nodes."""
    return (xy_m[a, 0] - xy_m[b, 0]) ** 2 + (xy_m[a, 1] - xy_m[b, 1]) ** 2


@kernel(inline=True, allocates=False)
def flight_ns(net, p, what, state):  # type: ignore[no-untyped-def]
    """How long the copy in hand takes from a port to its next node through the air."""
    far_m = np.sqrt(distance_m2(net.xy_m, net.port[p, P_NODE], net.path[path_at(what, state)].node))
    return np.int64(np.rint(far_m * NS_PER_M))


@kernel(allocates=False)
def lora_airtime_ns(size_bytes, spreading, is_down):  # type: ignore[no-untyped-def]
    """Time on air of a LoRaWAN frame: 125 kHz, coding rate 4/5, 8 symbols of preamble, header; a checksum on the way up only.

    Source: Semtech AN1200.13, with the low data rate optimisation at spreading factors 11 and 12; LoRaMac-node listens for
    downlinks without a checksum of the payload (Radio.SetRxConfig of its regions, crcOn false).
    """
    slow = 1 if spreading >= 11 else 0
    bits_of_frame = 8 * size_bytes + 28 + (0 if is_down else 16)
    blocks = max(0, -((4 * spreading - bits_of_frame) // (4 * (spreading - 2 * slow))))
    symbol_ns = np.int64(1 << spreading) * 8000
    return (49 * symbol_ns) // 4 + (8 + blocks * 5) * symbol_ns


@kernel(inline=True, allocates=False)
def part_bytes(port, p, rate_of, size_bytes):  # type: ignore[no-untyped-def]
    """What the next frame carries of a copy of `size_bytes`, cut for the rate of port `rate_of`."""
    payload = port[rate_of, P_PAYLOAD]
    if payload <= 0:
        return size_bytes
    if port[p, P_FRAMES] <= 1:
        return size_bytes - (frames_of(port, rate_of, size_bytes) - 1) * payload
    return payload


@kernel(inline=True, allocates=False)
def frame_airtime_ns(net, p, rate_of, size_bytes):  # type: ignore[no-untyped-def]
    """Time on air of the next frame of a copy of `size_bytes`, at the rate of port `rate_of`."""
    port, medium = net.port, net.medium
    m = port[p, P_MEDIUM]
    part = part_bytes(port, p, rate_of, size_bytes)
    if medium[m, M_METHOD] == CLASS_A:
        return lora_airtime_ns(part + port[p, P_HEADER], port[rate_of, P_FRAME], p == medium[m, M_BASE])
    return port[p, P_FRAME] + transmission_ns(part + port[p, P_HEADER], net.rate_bps[rate_of])


@kernel(inline=True, allocates=False)
def silence_ns(airtime_ns, duty_ppm):  # type: ignore[no-untyped-def]
    """How long a sender must be silent after a frame, so that it sends that share of the time (0: any)."""
    if duty_ppm <= 0:
        return np.int64(0)
    whole, rest = airtime_ns // duty_ppm, airtime_ns % duty_ppm
    silent_ppm = 1_000_000 - duty_ppm
    return min(whole, LONGEST_WAIT >> 20) * silent_ppm + rest * silent_ppm // duty_ppm


@kernel(inline=True, allocates=False)
def lane_of(net, p, to, now, seed):  # type: ignore[no-untyped-def]
    """The channel of a frame: by the receiver's hopping sequence, or drawn; and its spreading factor."""
    medium = net.medium
    m = net.port[p, P_MEDIUM]
    channels = medium[m, M_CHANNELS]
    lane = np.int64(0)
    if channels > 1:
        if medium[m, M_DWELL] > 0:
            lane = np.int64(bits(seed, _HOPPING, -1 - to, now // medium[m, M_DWELL]) % np.uint64(channels))
        else:
            lane = np.int64(draw(net, p, seed) * channels)
    if medium[m, M_METHOD] == CLASS_A:
        lane = lane * 16 + net.port[p, P_FRAME]
    return lane


@kernel(inline=True, allocates=False)
def clear_air(net, m, now):  # type: ignore[no-untyped-def]
    """Forget what is over."""
    air, at = net.air, net.medium[m, M_MEMBERS_AT]
    k, end = at, at + net.medium[m, M_AIR_SIZE]
    while k < end:
        if air[k, A_QUIET] <= now:
            end -= 1
            for column in range(AIR):
                air[k, column] = air[end, column]
        else:
            k += 1
    net.medium[m, M_AIR_SIZE] = end - at


@kernel(inline=True, allocates=False)
def receives_until(net, p, now):  # type: ignore[no-untyped-def]
    """When what a hopping port is receiving has come and is acknowledged; it leaves no reception to send elsewhere."""
    m, node = net.port[p, P_MEDIUM], net.port[p, P_NODE]
    until = now
    if net.medium[m, M_DWELL] > 0:
        air, at = net.air, net.medium[m, M_MEMBERS_AT]
        for k in range(at, at + net.medium[m, M_AIR_SIZE]):
            if air[k, A_TO] == node and air[k, A_BEGIN] <= now:
                until = max(until, air[k, A_QUIET])
    return until


@kernel(inline=True, allocates=False)
def is_idle(net, p, to, now, seed):  # type: ignore[no-untyped-def]
    """Whether a port hears nothing on the receiver's channel."""
    m = net.port[p, P_MEDIUM]
    if net.medium[m, M_JAMMED_UNTIL] > now:
        return False
    clear_air(net, m, now)
    if net.medium[m, M_AIR_SIZE] == 0:
        return True
    air, at = net.air, net.medium[m, M_MEMBERS_AT]
    node = net.port[p, P_NODE]
    lane = lane_of(net, p, to, now, seed) if net.medium[m, M_DWELL] > 0 else np.int64(0)
    for k in range(at, at + net.medium[m, M_AIR_SIZE]):
        begun = air[k, A_BEGIN] <= now
        if begun and air[k, A_LANE] == lane and distance_m2(net.xy_m, node, air[k, A_FROM]) <= net.reach[m, R_SENSE]:
            return False
    return True


@kernel(inline=True, allocates=False)
def _drowns(net, m, noise, source, receiver):  # type: ignore[no-untyped-def]
    """Whether a frame from `source` is lost at `receiver` to one that `noise` sends."""
    far = distance_m2(net.xy_m, noise, receiver)
    if far > net.reach[m, R_INTERFERE]:
        return False
    capture = net.reach[m, R_CAPTURE]
    return capture <= 0.0 or far < capture * distance_m2(net.xy_m, source, receiver)


@kernel(inline=True, allocates=False)
def transmit(net, p, airtime, lane, begin, state):  # type: ignore[no-untyped-def]
    """Put the next frame of the copy in hand on the air; when it ends. Marks what collides."""
    port, medium = net.port, net.medium
    m = port[p, P_MEDIUM]
    if medium[m, M_METHOD] in (ALOHA, SLOTTED_ALOHA, CLASS_A):
        clear_air(net, m, begin)  # who senses first has done so in `is_idle`
    what = port[p, P_WHAT]
    node, to = port[p, P_NODE], net.path[path_at(what, state)].node
    end = begin + airtime
    quiet = end + medium[m, M_TURNAROUND] + medium[m, M_ACK] if medium[m, M_ACK] > 0 else end
    port[p, P_COLLIDED] = 1 if medium[m, M_JAMMED_UNTIL] > begin else 0
    port[p, P_BUSY] += airtime
    port[p, P_FREE] = begin
    air, at = net.air, medium[m, M_MEMBERS_AT]
    own = new = at + medium[m, M_AIR_SIZE]
    for k in range(at, new):
        if air[k, A_PORT] == p:
            own = k
        acks = air[k, A_ACKED] == 1 and air[k, A_TO] == to
        if acks and begin < air[k, A_QUIET] < end + medium[m, M_ACK]:
            port[p, P_COLLIDED] = 1
        if air[k, A_END] <= begin or air[k, A_BEGIN] >= end:
            continue
        other, source, receiver = air[k, A_PORT], air[k, A_FROM], air[k, A_TO]
        if source == to or (air[k, A_LANE] == lane and _drowns(net, m, source, node, to)):
            port[p, P_COLLIDED] = 1
        if receiver == node or (air[k, A_LANE] == lane and _drowns(net, m, node, source, receiver)):
            port[other, P_COLLIDED] = 1
    if own == new:
        medium[m, M_AIR_SIZE] += 1
    else:  # its last frame has ended, and the acknowledgement of that has not
        quiet = max(quiet, air[own, A_QUIET])
    air[own, A_PORT], air[own, A_BEGIN], air[own, A_END], air[own, A_QUIET] = p, begin, end, quiet
    air[own, A_LANE], air[own, A_FROM], air[own, A_TO], air[own, A_ACKED] = lane, node, to, 0
    return end


@kernel(inline=True, allocates=False)
def acknowledge(net, p, now):  # type: ignore[no-untyped-def]
    """The receiver of the frame that a port has sent acknowledges it, and loses what comes to it meanwhile."""
    port, medium, air = net.port, net.medium, net.air
    m = port[p, P_MEDIUM]
    begin = now + medium[m, M_TURNAROUND]
    end = begin + medium[m, M_ACK]
    first, last = medium[m, M_MEMBERS_AT], medium[m, M_MEMBERS_AT] + medium[m, M_AIR_SIZE]
    receiver = np.int64(-1)
    for k in range(first, last):
        if air[k, A_PORT] == p:
            air[k, A_ACKED], receiver = 1, air[k, A_TO]
    for k in range(first, last):
        meets = air[k, A_BEGIN] < end and air[k, A_END] > begin
        if meets and air[k, A_TO] == receiver and air[k, A_PORT] != p:
            port[air[k, A_PORT], P_COLLIDED] = 1
