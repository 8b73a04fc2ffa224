"""Puts a communication network together: nodes, links, shared media; and makes the kernel's tables of it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.bare_room import bare_room
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.media import Medium
from heptagrid.planes.messages.tables import Floats, Ints, Net

BEYOND_M = 1e150  # farther than all; its square is a number
MOST_IN_RING = 1 << 16  # places of a buffer that are kept for it; what is larger is kept as it fills
GAP_BITS = 96.0  # between frames of plain carrier sense (IEEE 802.3), if nothing else is said


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


class _Ports(NamedTuple):
    """Ports that were added at once, as little as says what they are.

    same: (PORT,) the row of the first; varies: (columns,) those in which others differ from it; rest: (ports, columns) what stands there. rate_bps, loss, far_end:
    (ports,), or one number for all.
    """

    ports: int
    same: Ints
    varies: Ints
    rest: npt.NDArray[np.integer[Any]]
    rate_bps: Floats
    loss: Floats
    far_end: Ints


class NetworkBuilder:
    """A network in the making.

    Parameters
    ----------
    nodes : how many; they are numbered from 0.
    xy_m : (nodes, 2) their places; all at one point if not given.
    """

    def __init__(self, nodes: int, xy_m: Floats | None = None) -> None:
        self.nodes = nodes
        self.xy_m = np.zeros((nodes, t.PLACE)) if xy_m is None else np.asarray(xy_m, dtype=np.float64)
        self.ports = 0
        self.media = 0
        self._port: list[_Ports] = []
        self._medium: list[Ints] = []
        self._reach: list[Floats] = []
        self._members: list[tuple[int, int]] = []  # the first port of each medium, and how many
        self._members_count = 0
        self._preambles = 1
        self._lists = 0
        self._rings = 0

    def links(
        self,
        source: npt.ArrayLike,
        destination: npt.ArrayLike,
        *,
        rate_bps: Any,
        delay_ns: Any = 0,
        loss: Any = 0.0,
        retries: Any = 0,
        priorities: Any = 1,
        queue_packets: Any = -1,
        link_class: Any = 0,
        header_bytes: Any = 0,
        payload_bytes: Any = 0,
        queued: bool = False,
        stores: bool = False,
        shared: bool = False,
    ) -> Ints:
        """Add (n,) links in one direction each; their ports. `source` is -1 for one shared by several nodes.

        priorities: classes. queue_packets: -1 for unbounded. queued: the link keeps a queue of events even with one
        class, so that an outage can take back what waits. stores: what waits survives an outage. shared: links with the same
        ends share their load and back each other up; such links keep a queue as well.
        """
        rates = np.atleast_1d(np.asarray(rate_bps, dtype=np.float64))
        sources = np.atleast_1d(np.asarray(source, dtype=np.int64))
        count = max(len(rates), len(sources))
        port = np.zeros((count, t.PORT), dtype=np.int64)
        port[:, t.P_MEDIUM] = -1
        port[:, t.P_NODE] = sources
        port[:, t.P_DELAY] = delay_ns
        port[:, t.P_RETRIES] = retries
        port[:, t.P_LINK_CLASS] = link_class
        if shared:
            port[:, t.P_NEXT] = _next_parallel(sources, np.asarray(destination, dtype=np.int64), self.ports)
        has_queue = (
            queued | (port[:, t.P_NEXT] > 0) | (np.asarray(priorities) > 1) | (np.asarray(queue_packets) > MOST_IN_RING)
        )
        port[:, t.P_CLASSES] = np.where(has_queue, priorities, 0)
        port[:, t.P_BUFFER] = queue_packets
        port[:, t.P_HEADER] = header_bytes
        port[:, t.P_PAYLOAD] = payload_bytes
        port[:, t.P_STORES] = int(stores)
        in_ring = (port[:, t.P_CLASSES] == 0) & (port[:, t.P_BUFFER] >= 0)
        sizes = np.where(in_ring, port[:, t.P_BUFFER], 0)
        port[:, t.P_RING_AT] = self._rings + np.cumsum(sizes) - sizes
        self._rings += int(sizes.sum())
        return self._add(port, np.broadcast_to(rates, (count,)), loss, destination)

    def medium(
        self,
        members: npt.ArrayLike,
        settings: Medium,
        *,
        rate_bps: Any,
        delay_ns: Any = 0,
        loss: Any = 0.0,
        retries: Any = 0,
        priorities: int = 1,
        queue_packets: Any = -1,
        link_class: Any = 0,
        payload_bytes: Any = None,
        spreading: Any = None,
        second_payload_bytes: int = 0,
        base: int | None = None,
        stores: Any = 0,
    ) -> Ints:
        """Add a medium that `members` (n,) share; their ports.

        base: which member is the base station or gateway. spreading: (n,) spreading factors of a class A network;
        second_payload_bytes: most payload of a frame in a second window of its devices, 0 for any.
        """
        nodes = np.asarray(members, dtype=np.int64)
        count = len(nodes)
        port = np.zeros((count, t.PORT), dtype=np.int64)
        port[:, t.P_MEDIUM] = self.media
        port[:, t.P_NODE] = nodes
        port[:, t.P_DELAY] = delay_ns
        port[:, t.P_RETRIES] = retries
        port[:, t.P_LINK_CLASS] = link_class
        port[:, t.P_CLASSES] = priorities
        port[:, t.P_BUFFER] = queue_packets
        port[:, t.P_STORES] = stores
        port[:, t.P_HEADER] = settings.header_bytes
        port[:, t.P_PAYLOAD] = settings.payload_bytes if payload_bytes is None else payload_bytes
        port[:, t.P_FRAME] = _ns(settings.frame_s) if spreading is None else spreading
        port[:, t.P_SLOT] = np.arange(count)
        port[:, t.P_READY] = -1 if settings.method == t.CELLULAR else 0
        port[:, t.P_COUNTER] = -1 if settings.method == t.DCF else 0
        if settings.method == t.CLASS_A and base is not None:
            port[base, t.P_CLASSES] = 2 * count  # for each device a line for its answer and one for all else
        rates = np.broadcast_to(np.asarray(rate_bps, dtype=np.float64), (count,))
        if settings.access == "csma" and settings.gap_s == 0.0:
            settings = replace(settings, gap_s=GAP_BITS / float(rates[0]))
        row = _constants(settings, second_payload_bytes).copy()
        row[t.M_MEMBERS_AT], row[t.M_MEMBERS] = self._members_count, count
        row[t.M_BASE] = -1 if base is None else self.ports + base
        self._medium.append(row)
        reach_m = (min(settings.sense_m, BEYOND_M), min(settings.interfere_m, BEYOND_M))
        self._reach.append(np.array([reach_m[0] ** 2, reach_m[1] ** 2, settings.capture_ratio]))
        self._members.append((self.ports, count))
        self._members_count += count
        self._preambles = max(self._preambles, settings.preambles)
        self.media += 1
        return self._add(port, rates, loss, -1)

    def _add(self, port: Ints, rate_bps: Floats, loss: Any, far_end: npt.ArrayLike) -> Ints:
        count = len(port)
        lines = port[:, t.P_CLASSES]
        port[:, t.P_LISTS_AT] = self._lists + np.cumsum(lines) - lines
        self._lists += int(lines.sum())
        varies = np.flatnonzero((port != port[:1]).any(axis=0))
        rest = port[:, varies]
        is_small = bool(len(varies)) and int(np.abs(rest).max()) < 1 << 31
        self._port.append(
            _Ports(
                ports=count,
                same=port[0].copy() if count else np.zeros(t.PORT, dtype=np.int64),
                varies=varies,
                rest=rest.astype(np.int32) if is_small else rest,
                rate_bps=_once(np.asarray(rate_bps, dtype=np.float64)),
                loss=_once(np.asarray(loss, dtype=np.float64)),
                far_end=_once(np.asarray(far_end, dtype=np.int64)),
            )
        )
        first = self.ports
        self.ports += count
        return np.arange(first, first + count)

    def net(self, break_loss: tuple[float, ...] = (0.0, 0.0, 0.0)) -> Net:
        """The tables, without paths and with room for no waiting copy yet (`with_room`)."""
        # A column of one row counts as contiguous, another type, for which the kernels would be compiled again: hence two rows at least.
        table = aligned_room(max(2, self.ports), t.PORT)
        port, numbers = table[: self.ports], table.view(np.float64)
        first = 0
        for part in self._port:
            own = port[first : first + part.ports]
            own[:] = part.same
            own[:, part.varies] = part.rest
            numbers[first : first + part.ports, t.P_RATE] = part.rate_bps
            numbers[first : first + part.ports, t.P_LOSS] = part.loss
            first += part.ports
        media = len(self._medium)
        ports_at, ports_of = self._ports_by_node(port)
        return Net(
            port=port,
            rate_bps=numbers[:, t.P_RATE],
            loss=numbers[:, t.P_LOSS],
            lists=np.zeros((max(1, self._lists), t.LIST), dtype=np.int64),
            queue=np.zeros((1, t.WAITING), dtype=np.int64),
            rings=np.zeros(max(1, self._rings), dtype=np.int64),
            medium=aligned(np.array(self._medium, dtype=np.int64).reshape(media, t.MEDIUM)),
            reach=np.array(self._reach, dtype=np.float64).reshape(media, t.REACH),
            air=np.zeros((max(1, self._members_count), t.AIR), dtype=np.int64),
            members=_joined([first + np.arange(count) for first, count in self._members], (0,)),
            preambles=np.full((media, self._preambles, 2), -1, dtype=np.int64),
            xy_m=self.xy_m,
            node=np.zeros((self.nodes, t.NODE), dtype=np.int64),
            node_ports_at=ports_at,
            node_ports=ports_of,
            path=np.zeros(1, dtype=t.HOP),
            break_loss=np.array(break_loss, dtype=np.float64),
            outages=False,
        )

    def _ports_by_node(self, port: Ints) -> tuple[Ints, Ints]:
        """The ports of each node and the links into it: (nodes + 1,) where they begin, and the ports."""
        own = port[:, t.P_NODE]
        far = _joined([np.broadcast_to(part.far_end, (part.ports,)) for part in self._port], (0,))
        ends = np.concatenate([own, np.where(far == own, -1, far)])
        ports = np.concatenate([np.arange(len(port)), np.arange(len(port))])[ends >= 0]
        ends = ends[ends >= 0]
        order = np.argsort(ends, kind="stable")
        return np.searchsorted(ends[order], np.arange(self.nodes + 1)), ports[order]


@lru_cache(maxsize=64)
def _constants(settings: Medium, second_payload_bytes: int) -> Ints:
    """The row of a medium but for its members and its base station: the same for all of a technology, and never changed in place."""
    row = np.zeros(t.MEDIUM, dtype=np.int64)
    for column, value in (
        (t.M_METHOD, settings.method),
        (t.M_SLOT, max(1, _ns(settings.slot_s))),
        (t.M_LEAST_EXPONENT, settings.exponents[0]),
        (t.M_MOST_EXPONENT, settings.exponents[1]),
        (t.M_MOST_BACK_OFFS, settings.back_offs),
        (t.M_CCA, _ns(settings.sense_s)),
        (t.M_TURNAROUND, _ns(settings.turnaround_s)),
        (t.M_ACK, _ns(settings.ack_s)),
        (t.M_ACK_WAIT, _ns(settings.ack_wait_s)),
        (t.M_GAP, _ns(settings.gap_s)),
        (t.M_COLLISION_GAP, _ns(settings.collision_gap_s)),
        (t.M_CHANNELS, settings.channels),
        (t.M_DWELL, _ns(settings.dwell_s)),
        (t.M_BROADCAST, _ns(settings.broadcast_interval_s)),
        (t.M_BROADCAST_DWELL, _ns(settings.broadcast_dwell_s)),
        (t.M_STACK, _ns(settings.stack_s)),
        (t.M_DUTY_PPM, round(settings.duty_cycle * 1e6)),
        (t.M_RECEIVE_DELAY, _ns(settings.receive_delay_s)),
        (t.M_SECOND_FACTOR, settings.second_spreading),
        (t.M_SECOND_DUTY_PPM, round(settings.second_duty_cycle * 1e6)),
        (t.M_SECOND_PAYLOAD, second_payload_bytes),
        (t.M_OPPORTUNITY, max(1, _ns(settings.opportunity_s))),
        (t.M_PREAMBLES, settings.preambles),
        (t.M_RESPONSE, _ns(settings.response_s)),
        (t.M_SETUP, _ns(settings.setup_s)),
        (t.M_GRANT, _ns(settings.grant_s)),
        (t.M_INACTIVITY, _ns(settings.inactivity_s)),
        (t.M_PAGING, _ns(settings.paging_s)),
        (t.M_ACTIVE, _ns(settings.active_s)),
        (t.M_UPDATE, max(1, _ns(settings.update_s))),
        (t.M_WINDOW, round(settings.window_s) if settings.access == "csma" else _ns(settings.window_s)),
    ):
        row[column] = value
    return row


def _once(values: Any) -> Any:
    """One number where all are the same."""
    return values.reshape(-1)[0].copy() if values.size and (values == values.reshape(-1)[0]).all() else values


def _next_parallel(source: Ints, destination: Ints, first_port: int) -> Ints:
    """(n,) the port + 1 of the next link with the same ends, from the last to the first again; 0 without another."""
    order = np.lexsort((destination, source))
    ends = np.column_stack([source, destination])[order]
    begins = np.flatnonzero(np.append(True, (ends[1:] != ends[:-1]).any(axis=1)))
    sizes = np.diff(np.append(begins, len(order)))
    following = np.arange(1, len(order) + 1)
    following[begins + sizes - 1] = begins
    chained = np.empty(len(order), dtype=np.int64)
    chained[order] = np.where(np.repeat(sizes, sizes) > 1, first_port + order[following] + 1, 0)
    return chained


def with_room(net: Net, slots: int) -> Net:
    """The same network with a queue of `slots` places; waiting copies stay where they are."""
    used = np.flatnonzero(net.queue.any(axis=1))
    old = int(used[-1]) + 1 if len(used) else 0
    queue = bare_room(slots + 1, t.WAITING)
    queue[:old] = net.queue[:old]
    queue[0, 2] = max(1, queue[0, 2])
    return net._replace(queue=queue)


def _joined(parts: list[Any], empty: tuple[int, ...], dtype: Any = np.int64) -> Any:
    return np.concatenate(parts) if parts else np.zeros(empty, dtype=dtype)


def aligned(table: Ints) -> Ints:
    """A copy whose rows begin at the beginning of cache lines."""
    room = aligned_room(*table.shape)
    room[:] = table
    return room


def aligned_room(rows: int, columns: int) -> Ints:
    """(rows, columns) whose rows begin at the beginning of cache lines, and in which nothing has been written yet."""
    line = 8
    room = np.empty(rows * columns + line, dtype=np.int64)
    skip = -(room.ctypes.data // 8) % line
    return room[skip : skip + rows * columns].reshape(rows, columns)
