"""Whose turn it is: shards that advance side by side, none further than what the others may still send it.

A worker takes a shard that may advance, lets it, delivers what it sent to others, and looks for the next; what they agree
on is read and written behind one door. How far a shard may go follows from when each of the others has its next event
(conservative synchronisation: Chandy and Misra 1979; here all look at one table, so nobody has to ask).
"""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.atomic import load, lock, store, unlock
from heptagrid.foundation.compiled.array_shapes import rows
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.compiled.prefetch import prefetch
from heptagrid.planes.messages.kernel.events import push
from heptagrid.planes.messages.kernel.kernel import (
    S_CROSSED,
    S_FULL,
    S_HEAP,
    S_LOST,
    S_NEXT,
    S_NOTES,
    S_VACANT,
    advance,
    finish,
)
from heptagrid.planes.messages.planning.network_builder import aligned, aligned_room
from heptagrid.planes.messages.routing.ports import fetch, of_known_shape, path_at
from heptagrid.planes.messages.tables import (
    ACK_AT,
    ACK_COPIES,
    ACK_HOPS,
    DATA_COPIES,
    EVENT,
    HOP_AT,
    HOPS,
    LAST_END,
    NEVER,
    OVER,
    STATE,
    TIMER,
    Ints,
    Net,
)

HUB = 0  # its shard

# What stands behind the door about a shard: its next event as far as it knows, whether a worker has it, whether it waits for
# a row; its letters: the first and the last, and the earliest event in them; copies of others' messages that it holds or will read.
(NEXT, BUSY, STUCK, FIRST, LAST, EARLIEST, GUESTS) = range(7)
PLAN = 8

# What is common to all, each in a cache line of its own if threads wait for it.
(DOOR, TURNS, DONE, FULL, SPENT, VACANT) = (0, 8, 16, 17, 18, 19)
CONTROL = 24

# A letter: the next one to the same shard, whether it is a note, and its content.
(FOLLOWING, IS_NOTE, CONTENT) = range(3)
MAIL = 8

FAR = np.int64(NEVER // 4)  # later than all
PATIENCE = 200_000  # looks at the count of turns before a worker without one goes away


def tables(shards: int, letters: int) -> tuple[Ints, Ints, Ints]:
    """Plan of the shards, what is common to all, and room for letters; letter 0 is none."""
    plan = aligned(np.zeros((shards, PLAN), dtype=np.int64))
    plan[:, EARLIEST] = FAR
    return (
        plan,
        aligned(np.zeros((1, CONTROL), dtype=np.int64))[0],
        aligned_room(letters + 1, MAIL),
    )


def begin(control: Ints, plan: Ints, numbers: Ints) -> None:
    """Before the workers come."""
    control[DONE] = 0
    plan[:, NEXT] = numbers[:, S_NEXT]
    plan[:, STUCK] = 0


@kernel(allocates=False)
def work(  # type: ignore[no-untyped-def]
    worker, workers, until, up_ns, down_ns, rows_each, most_guests, due, cuts, heap, queue, timers, timer_head, timer_size,
    state, vacant, facts, net, seed, numbers, counters, pairs, histogram, quarter, worst, arrived, answered, lost,
    crossed, notes, plan, control, mail,
):  # fmt: skip
    """Take turns until all shards have come to `until`: True; or until there has long been none to take: False."""
    s = np.int64(-1)
    letter = np.int64(0)  # the first of those that the shard has read in this turn
    mail = rows(mail, MAIL)
    while True:
        lock(control, DOOR)
        if s >= 0:
            _give_back(s, letter, rows_each, crossed, notes, numbers, plan, control, mail)
        seen = control[TURNS]
        s, limit = np.int64(-1), np.int64(0)
        if control[DONE] == 0:
            s, limit = _choose(worker, workers, until, up_ns, down_ns, plan, control)
        if s >= 0:
            plan[s, BUSY], plan[s, STUCK] = 1, 0
            plan[s, NEXT] = min(plan[s, NEXT], plan[s, EARLIEST])
            letter = plan[s, FIRST]
            plan[s, FIRST] = plan[s, LAST] = 0
            plan[s, EARLIEST] = FAR
            if plan[s, GUESTS] > most_guests:
                control[DONE] = control[FULL] = 1
                store(control, TURNS, control[TURNS] + 1)
        is_done = control[DONE] == 1
        unlock(control, DOOR)
        if is_done:
            return True
        if s < 0:
            looks = 0
            while load(control, TURNS) == seen:
                looks += 1
                if looks > PATIENCE:
                    return False
            continue
        _read(s, letter, rows_each, heap[s], state, vacant, numbers, counters, quarter, lost, net, mail)
        own = Net(
            net.port, net.rate_bps, net.loss, net.lists, queue[s], net.rings, net.medium, net.reach, net.air, net.members,
            net.preambles, net.xy_m, net.node, net.node_ports_at, net.node_ports, net.path, net.break_loss,
            net.outages,
        )  # fmt: skip
        advance(
            limit, s, rows_each, due[cuts[s] : cuts[s + 1]], heap[s], timers[s], timer_head[s], timer_size[s], state,
            vacant[s], facts, own, seed, numbers[s], counters[s], pairs[s], histogram[s], quarter[s], worst[s],
            arrived[s], answered[s], lost[s], crossed, notes, mail[:0],  # nothing is watched
        )  # fmt: skip


@kernel(inline=True, allocates=False)
def _choose(worker, workers, until, up_ns, down_ns, plan, control):  # type: ignore[no-untyped-def]
    """A shard that may advance, and how far; -1 if there is none now. The hub is everybody's own. Sees when all is done."""
    shards = plan.shape[0]
    first_leaf = FAR
    for s in range(1, shards):
        first_leaf = min(first_leaf, plan[s, NEXT], plan[s, EARLIEST])
    own_hub = min(FAR, plan[HUB, NEXT], plan[HUB, EARLIEST])
    first_hub = min(own_hub, first_leaf + up_ns)
    leaf_limit = min(until, first_hub + down_ns - 1)
    hub_limit = min(until, min(first_leaf, first_hub + down_ns) + up_ns - 1)
    stride = (up_ns + down_ns) // 2
    chosen, when, is_own, is_idle = np.int64(-1), FAR, False, True
    for s in range(shards):
        if plan[s, BUSY] == 1:
            is_idle = False
            continue
        limit = hub_limit if s == HUB else leaf_limit
        first = min(plan[s, NEXT], plan[s, EARLIEST])
        if first > limit or (plan[s, STUCK] == 1 and plan[s, FIRST] == 0):
            continue
        own = s == HUB or (s - 1) % workers == worker
        if chosen < 0 or (own and not is_own) or (own == is_own and first < when):
            chosen, when, is_own = np.int64(s), first, own
    if chosen >= 0:
        return chosen, min(hub_limit if chosen == HUB else leaf_limit, when + stride)
    if is_idle:
        control[DONE] = 1
        control[FULL] = np.int64(min(first_leaf, own_hub) <= until)
        store(control, TURNS, control[TURNS] + 1)
    return chosen, np.int64(0)


@kernel(inline=True, allocates=False)
def _post(to, is_note, a, b, c, d, plan, control, mail):  # type: ignore[no-untyped-def]
    """Put a letter at the end of a shard's."""
    letter = control[VACANT]
    if letter == 0:
        control[SPENT] += 1
        letter = control[SPENT]
    else:
        control[VACANT] = mail[letter, FOLLOWING]
    mail[letter, FOLLOWING], mail[letter, IS_NOTE] = 0, is_note
    mail[letter, CONTENT], mail[letter, CONTENT + 1] = a, b
    mail[letter, CONTENT + 2], mail[letter, CONTENT + 3] = c, d
    if plan[to, FIRST] == 0:
        plan[to, FIRST] = letter
    else:
        mail[plan[to, LAST], FOLLOWING] = letter
    plan[to, LAST] = letter


@kernel(inline=True, allocates=False)
def _keep(letter, control, mail):  # type: ignore[no-untyped-def]
    """Letters that have been read can be written on again."""
    while letter != 0:
        following = mail[letter, FOLLOWING]
        mail[letter, FOLLOWING] = control[VACANT]
        control[VACANT] = letter
        letter = following


@kernel(inline=True, allocates=False)
def _give_back(s, letter, rows_each, crossed, notes, numbers, plan, control, mail):  # type: ignore[no-untyped-def]
    """The turn is over: what crossed a border, and what the shard learnt of others' messages, is posted."""
    _keep(letter, control, mail)
    for k in range(numbers[s, S_CROSSED]):
        to = crossed[k, 3]
        _post(to, 0, crossed[k, 0], crossed[k, 1], crossed[k, 2], 0, plan, control, mail)
        plan[to, EARLIEST] = min(plan[to, EARLIEST], crossed[k, 0])
        home = (crossed[k, 2] & 0xFFFFFFFF) // rows_each
        plan[s, GUESTS] -= home != s
        plan[to, GUESTS] += home != to
    for k in range(numbers[s, S_NOTES]):
        home = notes[k, 0] // rows_each
        _post(home, 1, notes[k, 0], notes[k, 1], notes[k, 2], notes[k, 3], plan, control, mail)
        plan[s, GUESTS] += notes[k, 1] + notes[k, 2]
    numbers[s, S_CROSSED] = numbers[s, S_NOTES] = 0
    plan[s, NEXT], plan[s, STUCK], plan[s, BUSY] = numbers[s, S_NEXT], numbers[s, S_FULL], 0
    numbers[s, S_FULL] = 0
    store(control, TURNS, control[TURNS] + 1)


@kernel(inline=True, allocates=False)
def _read(s, letter, rows_each, heap, state, vacant, numbers, counters, quarter, lost, net, mail):  # type: ignore[no-untyped-def]
    """Take in what others have sent: copies into the heap, and what became of the shard's own messages elsewhere.

    Three times over the letters, for what they are about was last written by another processor: all of it is asked for
    before any of it is used.
    """
    heap, state, mail = rows(heap, EVENT), rows(state, STATE), rows(mail, MAIL)
    net = of_known_shape(net, net.queue)
    next_letter = letter
    while next_letter != 0:
        row = mail[next_letter, CONTENT if mail[next_letter, IS_NOTE] else CONTENT + 2] & 0xFFFFFFFF
        prefetch(state, (row, 0))
        prefetch(state, (row, 8))
        prefetch(state, (row, 16))
        next_letter = mail[next_letter, FOLLOWING]
    next_letter = letter
    while next_letter != 0:
        if not mail[next_letter, IS_NOTE]:
            prefetch(net.path, (path_at(mail[next_letter, CONTENT + 2], state),))
        next_letter = mail[next_letter, FOLLOWING]
    next_letter = letter
    while next_letter != 0:
        a, b = mail[next_letter, CONTENT], mail[next_letter, CONTENT + 1]
        c, d = mail[next_letter, CONTENT + 2], mail[next_letter, CONTENT + 3]
        if mail[next_letter, IS_NOTE]:
            state[a, DATA_COPIES] += b
            state[a, ACK_COPIES] += c
            state[a, LAST_END] = max(state[a, LAST_END], d)
            numbers[s, S_LOST] = finish(state, a, counters[s], quarter[s], lost[s], numbers[s, S_LOST])
            if state[a, OVER] == 1 and state[a, TIMER] == 0:
                state[a, OVER] = 2
                vacant[s, numbers[s, S_VACANT]] = a
                numbers[s, S_VACANT] += 1
        else:
            numbers[s, S_HEAP] = push(heap, numbers[s, S_HEAP], a, b, c)
            numbers[s, S_NEXT] = min(numbers[s, S_NEXT], a)
            row = c & 0xFFFFFFFF
            if ((c >> HOP_AT) & 0xFF) < state[row, ACK_HOPS if (c >> ACK_AT) & 1 else HOPS]:
                fetch(net, path_at(c, state))
        next_letter = mail[next_letter, FOLLOWING]


@kernel(allocates=False)
def read_last(  # type: ignore[no-untyped-def]
    rows_each, most_guests, heap, state, vacant, numbers, counters, quarter, lost, net, plan, control, mail,
):  # fmt: skip
    """After the workers have gone: every shard reads what it was sent last, if it has room for that."""
    for s in range(plan.shape[0]):
        letter = plan[s, FIRST]
        plan[s, FIRST] = plan[s, LAST] = 0
        plan[s, EARLIEST] = FAR
        if plan[s, GUESTS] > most_guests:
            control[FULL] = 1
        if control[FULL] == 1:
            return
        _read(s, letter, rows_each, heap[s], state, vacant, numbers, counters, quarter, lost, net, mail)
        _keep(letter, control, mail)
