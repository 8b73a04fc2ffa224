"""The heap of events, earliest first, by key at one and the same nanosecond; and the waiting lines of ports.

Every event of the heap has four below it that are later: half as many levels as with two.
"""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.compiled.array_shapes import CHECKED, address, rows, rows_at
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.messages.tables import EARLY_CLASS, EVENT, HORIZON, LIST, LOST_BIT, PORT_BIT, WAITING


@kernel(inline=True, allocates=False)
def push(heap, size, when, key, what):  # type: ignore[no-untyped-def]
    """Add an event; the new size. One beyond the horizon never comes."""
    if CHECKED:
        heap[size, 0] = when
    return _push(address(heap), size, min(when, HORIZON), key, what)


@kernel(allocates=False)
def _push(place, size, when, key, what):  # type: ignore[no-untyped-def]
    heap = rows_at(place, EVENT)
    k = size
    while k > 0:
        up = (k - 1) >> 2
        if heap[up, 0] < when or (heap[up, 0] == when and heap[up, 1] <= key):
            break
        heap[k, 0], heap[k, 1], heap[k, 2] = heap[up, 0], heap[up, 1], heap[up, 2]
        k = up
    heap[k, 0], heap[k, 1], heap[k, 2] = when, key, what
    return size + 1


@kernel(inline=True, allocates=False)
def _earliest(heap, first, end):  # type: ignore[no-untyped-def]
    """The earliest of the events from `first` to before `end`."""
    low = first
    for k in range(first + 1, end):
        if heap[k, 0] < heap[low, 0] or (heap[k, 0] == heap[low, 0] and heap[k, 1] < heap[low, 1]):
            low = k
    return low


@kernel(inline=True, allocates=False)
def drop_first(heap, size):  # type: ignore[no-untyped-def]
    """Remove the earliest event; the new size."""
    return _drop_first(address(heap), size)


@kernel(allocates=False)
def _drop_first(place, size):  # type: ignore[no-untyped-def]
    heap = rows_at(place, EVENT)
    size -= 1
    when, key, what = heap[size, 0], heap[size, 1], heap[size, 2]
    k = np.int64(0)
    while True:
        low = 4 * k + 1
        if low + 3 < size:
            # Which of four is the earliest is as good as random: it is computed, for a branch would be guessed wrongly.
            a, b, c, d = heap[low, 0], heap[low + 1, 0], heap[low + 2, 0], heap[low + 3, 0]
            ab, cd = min(a, b), min(c, d)
            if a == b or c == d or ab == cd:
                low = _earliest(heap, low, low + 4)
            else:
                low += np.int64(b < a) if ab < cd else 2 + np.int64(d < c)
        elif low < size:
            low = _earliest(heap, low, size)
        else:
            break
        if when < heap[low, 0] or (when == heap[low, 0] and key <= heap[low, 1]):
            break
        heap[k, 0], heap[k, 1], heap[k, 2] = heap[low, 0], heap[low, 1], heap[low, 2]
        k = low
    heap[k, 0], heap[k, 1], heap[k, 2] = when, key, what
    return size


@kernel(inline=True, allocates=False)
def push_port(heap, size, when, kind, port, epoch):  # type: ignore[no-untyped-def]
    """Add an event of a port; the new size."""
    key = EARLY_CLASS + (kind << 40) + port
    return push(heap, size, when, key, PORT_BIT | (epoch << 48) | (kind << 40) | port)


@kernel(inline=True, allocates=False)
def push_lost(heap, size, when, key, what, cause):  # type: ignore[no-untyped-def]
    """The copy is lost at `when`; the new size."""
    return push(heap, size, when, key, what | LOST_BIT | (cause << 50))


@kernel(allocates=False)
def wait_last(lists, queue, line, what, key):  # type: ignore[no-untyped-def]
    """Put a copy at the end of a waiting line."""
    lists, queue = rows(lists, LIST), rows(queue, WAITING)
    slot = queue[0, 2]
    following = queue[slot, 2]
    queue[0, 2] = following if following > 0 else slot + 1  # after a slot that was never used comes the next
    queue[slot, 0], queue[slot, 1], queue[slot, 2] = what, key, 0
    if lists[line, 1] == 0:
        lists[line, 0] = slot
    else:
        queue[lists[line, 1], 2] = slot
    lists[line, 1] = slot


@kernel(allocates=False)
def wait_first(lists, queue, line, what, key):  # type: ignore[no-untyped-def]
    """Put a copy at the beginning of a waiting line."""
    lists, queue = rows(lists, LIST), rows(queue, WAITING)
    slot = queue[0, 2]
    following = queue[slot, 2]
    queue[0, 2] = following if following > 0 else slot + 1  # after a slot that was never used comes the next
    queue[slot, 0], queue[slot, 1], queue[slot, 2] = what, key, lists[line, 0]
    lists[line, 0] = slot
    if lists[line, 1] == 0:
        lists[line, 1] = slot


@kernel(allocates=False)
def take_first(lists, queue, line):  # type: ignore[no-untyped-def]
    """Take the first copy of a waiting line that is not empty: (what, key)."""
    lists, queue = rows(lists, LIST), rows(queue, WAITING)
    slot = lists[line, 0]
    lists[line, 0] = queue[slot, 2]
    if lists[line, 0] == 0:
        lists[line, 1] = 0
    what, key = queue[slot, 0], queue[slot, 1]
    queue[slot, 2] = queue[0, 2]
    queue[0, 2] = slot
    return what, key
