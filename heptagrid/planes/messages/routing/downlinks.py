"""What waits at a LoRaWAN gateway for a device to speak: found by its message, and taken out of its line.

The lines are those of `access.class_a`: two for each device, one for its answer and one for all else.
"""

from __future__ import annotations

from collections.abc import Iterator

from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.tables import CLASS_A, Ints, Net


def gateway_hops(net: Net, at: int, hops: int) -> Iterator[tuple[int, int]]:
    """Those of a path's hops that lead from a LoRaWAN gateway to a device: the port of each of the two."""
    for hop in net.path[at : at + hops]:
        base, device = int(hop["port"]), int(hop["peer"])
        medium = net.port[base, t.P_MEDIUM]
        if medium >= 0 and net.medium[medium, t.M_METHOD] == CLASS_A and net.medium[medium, t.M_BASE] == base:
            yield base, device


def take_waiting(net: Net, state: Ints, row: int) -> tuple[int, int] | None:
    """Take the copy of the message in that row of `state` out of the line in which it waits: (what, key); None if it waits in none."""
    port, lists, queue = net.port, net.lists, net.queue
    for base, device in gateway_hops(net, int(state[row, t.PATH]), int(state[row, t.HOPS])):
        commands = int(port[base, t.P_LISTS_AT] + port[device, t.P_SLOT])
        for line in (commands, commands + int(net.medium[port[base, t.P_MEDIUM], t.M_MEMBERS])):
            before, slot = 0, int(lists[line, 0])
            while slot != 0 and queue[slot, 0] & 0xFFFFFFFF != row:
                before, slot = slot, int(queue[slot, 2])
            if slot == 0:
                continue
            if before == 0:
                lists[line, 0] = queue[slot, 2]
            else:
                queue[before, 2] = queue[slot, 2]
            if lists[line, 1] == slot:
                lists[line, 1] = before
            if before == 0 and line == commands:
                port[device, t.P_PARTS] = 0  # frames of it that had not gone yet
            port[base, t.P_WAITING] -= 1
            what, key = int(queue[slot, 0]), int(queue[slot, 1])
            queue[slot, 2], queue[0, 2] = queue[0, 2], slot
            return what, key
    return None
