"""The heap of events, earliest first, by key at one and the same nanosecond; and the waiting lines of ports."""

from __future__ import annotations

from heptagrid.foundation.kernel import kernel
from heptagrid.planes.messages.tables import EARLY_CLASS, LOST_BIT, PORT_BIT


@kernel(allocates=False)
def push(heap, size, when, key, what):  # type: ignore[no-untyped-def]
    """Add an event; the new size."""
    k = size
    while k > 0:
        up = (k - 1) >> 1
        if heap[up, 0] < when or (heap[up, 0] == when and heap[up, 1] <= key):
            break
        heap[k, 0], heap[k, 1], heap[k, 2] = heap[up, 0], heap[up, 1], heap[up, 2]
        k = up
    heap[k, 0], heap[k, 1], heap[k, 2] = when, key, what
    return size + 1


@kernel(allocates=False)
def drop_first(heap, size):  # type: ignore[no-untyped-def]
    """Remove the earliest event; the new size."""
    size -= 1
    when, key, what = heap[size, 0], heap[size, 1], heap[size, 2]
    k = 0
    while True:
        low = 2 * k + 1
        if low >= size:
            break
        high = low + 1
        if high < size and (
            heap[high, 0] < heap[low, 0] or (heap[high, 0] == heap[low, 0] and heap[high, 1] < heap[low, 1])
        ):
            low = high
        if when < heap[low, 0] or (when == heap[low, 0] and key <= heap[low, 1]):
            break
        heap[k, 0], heap[k, 1], heap[k, 2] = heap[low, 0], heap[low, 1], heap[low, 2]
        k = low
    heap[k, 0], heap[k, 1], heap[k, 2] = when, key, what
    return size


@kernel(allocates=False)
def push_port(heap, size, when, kind, port, epoch):  # type: ignore[no-untyped-def]
    """Add an event of a port; the new size."""
    key = EARLY_CLASS + (kind << 40) + port
    return push(heap, size, when, key, PORT_BIT | (epoch << 48) | (kind << 40) | port)


@kernel(allocates=False)
def push_lost(heap, size, when, key, what, cause):  # type: ignore[no-untyped-def]
    """The copy is lost at `when`; the new size."""
    return push(heap, size, when, key, what | LOST_BIT | (cause << 50))


@kernel(allocates=False)
def wait_last(lists, queue, line, what, key):  # type: ignore[no-untyped-def]
    """Put a copy at the end of a waiting line."""
    slot = queue[0, 2]
    queue[0, 2] = queue[slot, 2]
    queue[slot, 0], queue[slot, 1], queue[slot, 2] = what, key, 0
    if lists[line, 1] == 0:
        lists[line, 0] = slot
    else:
        queue[lists[line, 1], 2] = slot
    lists[line, 1] = slot


@kernel(allocates=False)
def take_first(lists, queue, line):  # type: ignore[no-untyped-def]
    """Take the first copy of a waiting line that is not empty: (what, key)."""
    slot = lists[line, 0]
    lists[line, 0] = queue[slot, 2]
    if lists[line, 0] == 0:
        lists[line, 1] = 0
    what, key = queue[slot, 0], queue[slot, 1]
    queue[slot, 2] = queue[0, 2]
    queue[0, 2] = slot
    return what, key
