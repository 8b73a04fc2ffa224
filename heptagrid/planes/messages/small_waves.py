"""Waves of few messages: their rows are made anew each time, in one kernel, which takes less time than to look for them among waves that were sent before."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.messages import tables as t

FEW = 64
"""Messages of the largest small wave; of more, it pays to remember them (`familiar_waves`)."""


class Shared(NamedTuple):
    """What the messages of a wave share, as numbers: kind, bytes, pair of domains, priority; whether they are spared the way, and acknowledged."""

    kind: int
    size_bytes: int
    pair: int
    priority: int
    is_spared: bool
    is_acknowledged: bool


@kernel
def small_wave(ends_and_times, first_id, shared, group, numbers, paths):  # type: ignore[no-untyped-def]
    """The rows (n, PENDING) of a wave by time and index; where its longest path begins and its hops; whether all paths are known: if not, nothing was done.

    ends_and_times: (3, n) source, destination, and when each leaves. first_id: its first message's index. group: (places,) access networks. numbers: (places,) how many messages of the
    kind each place has sent, counted on. paths: a `KnownPaths`.
    """
    source, destination, sent_ns = ends_and_times[0], ends_and_times[1], ends_and_times[2]
    count = len(source)
    rows = np.zeros((count, t.PENDING), dtype=np.int64)
    path = np.zeros((count, 4), dtype=np.int64)
    longest = 0
    for k in range(count):
        if shared.is_spared:
            break
        for back in range(2 if shared.is_acknowledged else 1):
            begin, end = (destination[k], source[k]) if back else (source[k], destination[k])
            key = begin * paths.nodes + end
            place = _place(paths.keys, key)
            if place == len(paths.keys) or paths.keys[place] != key:
                return rows, 0, 0, False
            path[k, 2 * back], path[k, 2 * back + 1] = paths.at[place], paths.hops[place]
        if path[k, 1] > path[longest, 1]:
            longest = k

    order = np.arange(count)
    for k in range(1, count):  # by time and, since it stays behind its like, by index
        own, j = order[k], k
        while j > 0 and sent_ns[order[j - 1]] > sent_ns[own]:
            order[j] = order[j - 1]
            j -= 1
        order[j] = own

    for k in range(count):
        own = order[k]
        begin, end = source[own], destination[own]
        rows[k, t.ID], rows[k, t.SENT] = first_id + own, sent_ns[own]
        rows[k, t.SOURCE], rows[k, t.DESTINATION] = begin, end
        rows[k, t.KIND], rows[k, t.BYTES] = shared.kind, shared.size_bytes
        rows[k, t.PAIR], rows[k, t.PRIORITY] = shared.pair, shared.priority
        rows[k, t.GROUP] = max(group[begin], group[end])
        rows[k, t.PATH], rows[k, t.HOPS] = path[own, 0], path[own, 1]
        rows[k, t.ACK_PATH], rows[k, t.ACK_HOPS] = path[own, 2], path[own, 3]
        rows[k, t.NUMBER] = numbers[begin]
        numbers[begin] += 1
    return rows, path[longest, 0], path[longest, 1], True


@kernel
def _place(keys, key):  # type: ignore[no-untyped-def]
    """Where a key stands among ascending ones, or would; numpy's search would load scipy's linear algebra."""
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) // 2
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low
