"""The columns of the tables that the event kernel works on; every table is an array of rows.

Times are integer nanoseconds. What an event is about is one integer: a copy of a message (its row, its next
hop, its number among the message's copies, whether it is the acknowledgement), or a port, or a node.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

NEVER = np.iinfo(np.int64).max

# The clock ends after 253 years: an event that would be later never comes, and its message stays under way. What is added to
# a time is bounded, so that no sum passes 2^63: one transmission lasts 13 days at most, all waiting and repeating of a
# frame nine years. The ranges of what a user sets keep below these.
HORIZON = np.int64(8_000_000_000_000_000_000)
LONGEST_TRANSMISSION = float(1 << 50)
LONGEST_WAIT = np.int64(1 << 58)

# A message that waits for its time.
(ID, SOURCE, DESTINATION, KIND, BYTES, SENT, NUMBER, PAIR, GROUP, PRIORITY, PATH, HOPS, ACK_PATH, ACK_HOPS) = range(14)
PENDING = 14

# A message under way. LAST_END: how the copy that was lost last was lost: nanoseconds after the message was sent, hops done
# and cause in one number.
(DELIVERED, ACKNOWLEDGED, DATA_COPIES, ACK_COPIES, COPIES, TIMER, LAST_END, ACK_SENT, OVER, COUNTED) = range(14, 24)
STATE = 24
# Of a message that is itself an answer, so that nothing acknowledges it: ACK_HOPS says so, and ANSWERED is the ID of what it answers.
ANSWERED, IS_ANSWER = ACK_PATH, np.int64(-1)
END_AT, HOP_OF_END, CAUSE_OF_END = 11, 3, 7
LATEST_END = (np.int64(1) << np.int64(52)) - 1  # nanoseconds that LAST_END holds: 52 days

# The facts of a kind.
(DEADLINE, ACKED, TIMEOUT, RETRIES, ACK_BYTES) = range(5)
FACTS = 5

# Why a copy was lost, and the counters by kind: sent, delivered, late, then lost by each cause.
(BY_LINK, BY_BREAK, BY_BUFFER, BY_COLLISION, BY_ACCESS, BY_OUTAGE, BY_STALE) = range(7)
CAUSES = ("link_loss", "break", "buffer", "collision", "access", "outage", "stale")
(N_SENT, N_DELIVERED, N_LATE, N_LOST) = range(4)
COUNTERS = N_LOST + len(CAUSES)

# A port: where copies wait to be sent, over a link of its own or over a medium shared with others. A row is four cache
# lines: what the way over a medium touches stands in the first three. P_CLASSES: 0 for one that needs no queue. P_RATE,
# P_LOSS: not whole numbers, but the bits of `Net.rate_bps` and `Net.loss`.
(P_MEDIUM, P_ACTIVE, P_NODE, P_WHAT, P_KEY, P_DRAWS, P_READY, P_EPOCH) = range(8)
(P_FRAME, P_LOSS, P_WAITING, P_TRY, P_BACK_OFFS, P_EXPONENT, P_FRAMES, P_COLLIDED) = range(8, 16)
(P_RATE, P_DELAY, P_RETRIES, P_LINK_CLASS, P_FREE, P_BUSY, P_HEADER, P_PAYLOAD) = range(16, 24)
(P_LISTS_AT, P_CLASSES, P_BUFFER, P_SLOT, P_COUNTER, P_CAUSE, P_STORES, P_PARTS) = range(24, 32)
P_RING_AT, P_RING_HEAD, P_DOWN = P_SLOT, P_COUNTER, P_COLLIDED  # a link has none of the three
# Of a class A device: until when it listens, and the message after whose frame it does; of its gateway: when it may send again in
# second windows, whether the frame on the air is in one, and the nanoseconds that it has sent in them.
P_LISTENS, P_ASKED = P_CAUSE, P_COUNTER
P_READY_SECOND, P_IN_SECOND, P_BUSY_SECOND = P_CAUSE, P_COUNTER, P_PARTS
# Of a station that counts slots: since when, or from when on, what it hears is idle.
P_IDLE_FROM = P_READY
# Of a link with parallel ones: the next of these + 1, from the last to the first again; 0: it has none; and the nanoseconds that
# what waits takes. Only media have the others.
P_NEXT, P_BACKLOG = P_PARTS, P_READY
PORT = 32

# A shared medium. Which of the columns matter depends on its method of access.
(M_METHOD, M_SLOT, M_LEAST_EXPONENT, M_MOST_EXPONENT, M_MOST_BACK_OFFS, M_CCA, M_TURNAROUND, M_ACK) = range(8)
(M_ACK_WAIT, M_GAP, M_CHANNELS, M_DWELL, M_DUTY_PPM, M_MEMBERS_AT, M_AIR_SIZE, M_JAMMED_UNTIL) = range(8, 16)
(M_COLLISION_GAP, M_STACK, M_RECEIVE_DELAY, M_OPPORTUNITY, M_PREAMBLES, M_RESPONSE, M_SETUP, M_INACTIVITY) = range(
    16, 24
)
(M_PAGING, M_GRANT, M_BUSY_UNTIL, M_MEMBERS, M_BASE, M_WINDOW, M_ACTIVE, M_UPDATE) = range(24, 32)
(M_BROADCAST, M_BROADCAST_DWELL, M_SECOND_FACTOR, M_SECOND_DUTY_PPM, M_SECOND_PAYLOAD) = range(32, 37)
MEDIUM = 40

# Methods of access: how members of a medium share it.
(CARRIER_SENSE, CSMA_CA, SLOTTED_CSMA_CA, DCF, ALOHA, SLOTTED_ALOHA, TDMA, CELLULAR, CLASS_A, SHARED_QUEUE) = range(10)

# Squared distances (m2) and ratios of a medium.
(R_SENSE, R_INTERFERE, R_CAPTURE) = range(3)
REACH = 3

# A transmission on the air; the last of each member at most, so that a medium has a row for each of its members. A_ACKED: whether
# its receiver acknowledges it, and so hears nothing else meanwhile.
(A_PORT, A_BEGIN, A_END, A_QUIET, A_LANE, A_FROM, A_TO, A_ACKED) = range(8)
AIR = 8

# A node: how many failures keep it down.
N_DOWN = 0
NODE = 1

# Columns of an event of the heap (time, key, what it is about), of a copy that waits (what, key, the next one), of a waiting
# line (first, last) and of a place (x, y).
EVENT, WAITING, LIST, PLACE = 3, 3, 2, 2

# A hop of a path: the port that sends, the node that receives, its port if the medium is shared, the loss of that pair.
HOP = np.dtype([("port", np.int32), ("node", np.int32), ("peer", np.int32), ("loss", np.float32)])

# What tells a port's events from those before its last outage: 12 bits of them.
EPOCHS = 0xFFF

# Kinds of port events, in the order in which they are taken at one and the same nanosecond.
(E_END, E_SENSE, E_START, E_ATTEMPT, E_RESPONSE) = range(5)

NOTHING = np.int64(-1)  # in a port's hand, in the gap after what it sent

# What an event is about.
HOP_AT, COPY_AT, ACK_AT = 32, 40, 48
ONE_HOP = np.int64(1) << np.int64(HOP_AT)
READY_BIT = np.int64(1) << np.int64(49)  # a copy whose receiver has been paged
CAUSE_AT = 50
EPOCH_AT = 50  # and the base station's epoch at that time
LOST_BIT = np.int64(1) << np.int64(58)
ASLEEP_BIT = np.int64(1) << np.int64(59)  # a copy whose receiver slept when it was looked for
NODE_BIT = np.int64(1) << np.int64(60)
PORT_BIT = np.int64(1) << np.int64(61)
TIMER_BIT = np.int64(1) << np.int64(62)
LATE_CLASS = np.int64(1) << np.int64(61)  # the key's bit that puts time-outs after arrivals at one nanosecond
EARLY_CLASS = -(np.int64(1) << np.int64(62))  # and what puts the ends of transmissions before them


class Net(NamedTuple):
    """Everything about the network that the kernel reads and writes.

    port: (ports, PORT). rate_bps, loss: (ports,), two at least, columns of the same table. lists: (lists, LIST) first and last of each waiting line.
    queue: (slots, WAITING) what, key and the next of each waiting copy; slot 0's next is the first vacant one,
    and a slot that was never used names none: after it comes the next.
    rings: begin times of the copies that wait at ports with a finite buffer. medium: (media, MEDIUM).
    reach: (media, REACH) squared distances. members: ports of media, one medium after another (M_MEMBERS_AT);
    air: (members, AIR) transmissions, likewise. preambles: (media, preambles, 2) time and port of the last use. xy_m: (nodes, PLACE).
    node: (nodes, NODE). path: (hops,) of all paths, one path after another.
    break_loss: (classes,). outages: whether a node or a link has been down.
    """

    port: Ints
    rate_bps: Floats
    loss: Floats
    lists: Ints
    queue: Ints
    rings: Ints
    medium: Ints
    reach: Floats
    air: Ints
    members: Ints
    preambles: Ints
    xy_m: Floats
    node: Ints
    node_ports_at: Ints
    node_ports: Ints
    path: npt.NDArray[np.void]
    break_loss: Floats
    outages: bool


class UnderWay(NamedTuple):
    """What is under way, and when something happens to it next.

    state: (rows, STATE) messages. vacant: (rows,) rows that are free. heap: (places, EVENT). timers: (kinds, rows, 3) first time-outs in the order in
    which they were set, a ring for each kind: time, row, ID; timer_head, timer_size: (kinds,) where each begins and how long it is.
    numbers: (SCALARS,) of `event_kernel`.
    """

    state: Ints
    vacant: Ints
    heap: Ints
    timers: Ints
    timer_head: Ints
    timer_size: Ints
    numbers: Ints


class Counters(NamedTuple):
    """What is counted: by_kind (COUNTERS, kinds), pairs (domains, domains) delivered, histogram (kinds, bins) of delays; since the last quarter hour
    quarter (kinds, access networks + 1, 4) sent, delivered, lost, late, and worst_ns (kinds, access networks + 1)."""

    by_kind: Ints
    pairs: Ints
    histogram: Ints
    quarter: Ints
    worst_ns: Ints


class Outcome(NamedTuple):
    """What became known in a span of time: arrived and answered (n, 2) id and time; lost (n, 4) id, time, cause, hops."""

    arrived: Ints
    answered: Ints
    lost: Ints
