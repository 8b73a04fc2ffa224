"""Carries a file of traffic over a network: every message's time, exactly, and what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from heptagrid.foundation.errors import ConservationError, FileError
from heptagrid.foundation.output_file import refuse_overwriting
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.kernel.event_queue import EventQueue
from heptagrid.planes.messages.planning.graph import GraphRouter
from heptagrid.planes.messages.routing.downlinks import gateway_hops
from heptagrid.planes.messages.routing.paths import Paths
from heptagrid.planes.messages.statistics import KINDS
from heptagrid.planes.messages.tables import HORIZON, LONGEST_TRANSMISSION, NEVER, Ints
from heptagrid.studies.carry.coverage import Booleans, covered, uncovered_nodes
from heptagrid.studies.carry.detours import detoured
from heptagrid.studies.carry.legs import legs_of, with_fates
from heptagrid.studies.carry.loops import LoopRun, Ways, problems_of
from heptagrid.studies.carry.network import CarryNetwork
from heptagrid.studies.carry.network_file import read_network
from heptagrid.studies.carry.traffic_file import (
    UNCOVERED,
    WAITING,
    WORDS,
    Traffic,
    read_traffic,
    row_name,
    write_delivered,
)

_BATCH = 1 << 15  # messages handed to the kernel at once: their rows stay in cache

_MOST_HOPS = 255  # that a copy counts

_END_S = 7.9e9  # of the clock, a little before its horizon
_LONGEST_S = LONGEST_TRANSMISSION * 1e-9
_MOST_FRAMES = 65_535  # of one message

Progress = Callable[[int, int], object]


class _Rows(NamedTuple):
    """Messages of a file: which row of it each of them belongs to, (n,), and how errors name the file."""

    traffic: Traffic
    row_of: Ints
    origin: str

    def name(self, k: int) -> str:
        return row_name(int(self.row_of[k]))


@dataclass(frozen=True)
class Carried:
    """What became of each message, in the traffic's order: (n,) time (-1 if never), index of `WORDS`, hops done.

    network: that it was carried over. uncovered: the nodes that messages could not leave or reach, for they are out of reach on
    their medium.
    """

    network: CarryNetwork
    traffic: Traffic
    delivered_ns: Ints
    status: Ints
    hops: Ints
    hop_events: int
    seconds: float
    uncovered: tuple[str, ...] = ()

    def summary(self) -> dict[str, object]:
        """Counts, and the mean and percentiles of the delay of what was delivered."""
        come = self.status == 0
        delay_s = np.sort(self.delivered_ns[come] - self.traffic.sent_ns[come]) * 1e-9
        counts = np.bincount(self.status, minlength=len(WORDS))
        shares = {"p50_s": 0.5, "p95_s": 0.95, "p99_s": 0.99}
        at = {name: min(len(delay_s) - 1, int(np.ceil(share * len(delay_s))) - 1) for name, share in shares.items()}
        return {
            "sent": len(self.status),
            **{name: int(counts[k]) for k, name in enumerate(WORDS)},
            "mean_s": float(delay_s.mean()) if len(delay_s) else None,
            **{name: float(delay_s[k]) if len(delay_s) else None for name, k in at.items()},
            "uncovered_nodes": list(self.uncovered),
            "hop_events": self.hop_events,
            "kernel_s": self.seconds,
        }


def carry(
    network: str | Path,
    traffic: str | Path,
    out: str | Path | None = None,
    *,
    seed: int = 1,
    progress: Progress | None = None,
) -> Carried:
    """Carry TRAFFIC.csv over NETWORK.toml and write what became of it to `out`, if given.

    Raises
    ------
    FileError, OutputError
        For files that break rules, rows without a path or longer than a frame may be, an `out` that is unwritable or one of the files.
    """
    refuse_overwriting([network, traffic], [out])
    wires = read_network(Path(network))
    messages = read_traffic(Path(traffic), wires.names, list(wires.groups))
    carried = carry_messages(wires, messages, str(traffic), seed, progress)
    if out is not None:
        write_delivered(Path(out), carried.traffic, carried.delivered_ns, carried.status, carried.hops)
    return carried


def carry_messages(
    network: CarryNetwork, traffic: Traffic, origin: str, seed: int, progress: Progress | None = None
) -> Carried:
    """Carry messages in memory; `origin` names them in errors."""
    if traffic.loops is not None or (traffic.destination >= len(network.names)).any():
        return _carry_loops(network, traffic, origin, seed)
    count = len(traffic.sent_ns)
    router = GraphRouter(network.graph)
    paths = Paths(len(network.names), router)
    path_at, path_hops, is_covered = _paths(paths, router, network, _Rows(traffic, np.arange(count), origin))
    order = np.argsort(traffic.sent_ns, kind="stable")
    order = order[is_covered[order]]
    pending = np.zeros((len(order), t.PENDING), dtype=np.int64)
    for column, values in (
        *((t.ID, np.arange(count)), (t.SOURCE, traffic.source), (t.DESTINATION, traffic.destination)),
        *((t.BYTES, traffic.size_bytes), (t.SENT, traffic.sent_ns), (t.PRIORITY, traffic.priority)),
        *((t.PATH, path_at), (t.HOPS, path_hops)),
    ):
        pending[:, column] = values[order]
    pending[:, t.GROUP] = -1
    pending[:, t.NUMBER] = _running_numbers(pending[:, t.SOURCE])
    queue = EventQueue(network.wiring.net(), paths, np.zeros((KINDS, 5), dtype=np.int64), seed)
    for which, is_link, when_ns, up in network.outages:
        queue.switch(when_ns, which, up=up, is_link=is_link)
    delivered_ns = np.full(count, -1, dtype=np.int64)
    status = np.where(is_covered, WAITING, UNCOVERED)
    hops = np.zeros(count, dtype=np.int64)
    began = time.perf_counter()
    end, total = 0, len(order)
    while end < total:
        begin, end = end, min(total, end + _BATCH)
        end = int(np.searchsorted(pending[:, t.SENT], pending[end - 1, t.SENT], side="right"))
        outcome = queue.advance(pending[begin:end], int(pending[end, t.SENT]) - 1 if end < total else int(HORIZON) - 1)
        come = outcome.arrived[:, 0]
        delivered_ns[come], status[come], hops[come] = outcome.arrived[:, 1], 0, path_hops[come]
        gone = outcome.lost[:, 0]
        status[gone], hops[gone] = 1 + outcome.lost[:, 2], outcome.lost[:, 3]
        if progress is not None:
            progress(end, total)
    seconds = time.perf_counter() - began
    residual = queue.counts_now().residual
    if residual:
        raise ConservationError(f"{residual} messages are unaccounted for: a defect in heptagrid")
    uncovered = uncovered_nodes(network, traffic, ~is_covered)
    return Carried(network, traffic, delivered_ns, status, hops, queue.hop_events, seconds, uncovered)


def _carry_loops(network: CarryNetwork, traffic: Traffic, origin: str, seed: int) -> Carried:
    """Carry messages of which some cause others or go to a group; what comes back has a row for each destination."""
    legs, row_of = legs_of(traffic, network.groups, len(network.names))
    assert legs.loops is not None
    problems = problems_of(legs.loops, row_of, legs)
    if problems:
        raise FileError(origin, problems)
    router = GraphRouter(network.graph)
    paths = Paths(len(network.names), router)
    is_acked = (legs.loops.ack_bytes > 0) & (legs.loops.ack_timeout_ns > 0)
    ack_bytes = np.maximum(1, legs.loops.ack_bytes)
    back = replace(legs, source=legs.destination, destination=legs.source, size_bytes=ack_bytes)
    ways = Ways(*_paths(paths, router, network, _Rows(legs, row_of, origin), is_usual=True))
    ack_ways = ways
    if is_acked.any():
        ack_ways = Ways(*_paths(paths, router, network, _Rows(back, row_of, origin), is_usual=True))
    _check_limits(paths, network, legs, row_of, ways, origin)
    queue = EventQueue(network.wiring.net(), paths, np.zeros((KINDS, 5), dtype=np.int64), seed)
    for which, is_link, when_ns, up in network.outages:
        queue.switch(when_ns, which, up=up, is_link=is_link)

    def check(leg: int, size_bytes: int, at: int, hops: int) -> None:
        one = replace(legs.of(np.array([leg])), size_bytes=np.array([size_bytes]))
        _check_sizes(paths, network, _Rows(one, row_of[[leg]], origin), np.array([at]), np.array([hops]))

    run = LoopRun(network, paths, queue, legs, row_of, ways, ack_ways, check)
    began = time.perf_counter()
    run.run()
    seconds = time.perf_counter() - began
    residual = queue.counts_now().residual
    if residual:
        raise ConservationError(f"{residual} messages are unaccounted for: a defect in heptagrid")
    fates = run.fates
    receivers = [network.names[to] for to in legs.destination.tolist()] if traffic.groups else []
    told = with_fates(legs, fates.left_ns, fates.acknowledged_ns, fates.copies, fates.reason, receivers)
    uncovered = uncovered_nodes(network, legs, ~ways.is_covered)
    return Carried(network, told, fates.delivered_ns, fates.status, fates.hops, queue.hop_events, seconds, uncovered)


def _paths(
    paths: Paths, router: GraphRouter, network: CarryNetwork, rows: _Rows, *, is_usual: bool = False
) -> tuple[Ints, Ints, Booleans]:
    """Where the path of each message stands and its hops, (n,) each; and whether it has one.

    is_usual: the usual path, for the detour of a message is known when it leaves; else the one at the time that the file has.
    """
    nodes, names, traffic = len(network.names), network.names, rows.traffic
    pairs, place = np.unique(traffic.source * nodes + traffic.destination, return_inverse=True)
    source, destination = pairs // nodes, pairs % nodes
    is_covered, is_joined = covered(network, paths, router, source, destination)
    lost = np.flatnonzero(~is_joined[place])
    if len(lost):
        ends = [(k, names[traffic.source[k]], names[traffic.destination[k]]) for k in lost.tolist()]
        raise FileError(rows.origin, [f"{rows.name(k)}: no links lead from {a!r} to {b!r}" for k, a, b in ends])
    at, hops = np.zeros(len(pairs), dtype=np.int64), np.zeros(len(pairs), dtype=np.int64)
    at[is_covered], hops[is_covered] = paths.of(source[is_covered], destination[is_covered])
    path_at, path_hops = at[place], hops[place]
    if not is_usual:
        path_at, path_hops = detoured(network, paths, traffic, path_at, path_hops)
    _check_hops(network, rows, path_hops)
    _check_sizes(paths, network, rows, path_at, path_hops)
    _check_times(paths, network, rows, path_at, path_hops)
    return path_at, path_hops, is_covered[place]


def _check_limits(paths: Paths, network: CarryNetwork, legs: Traffic, row_of: Ints, ways: Ways, origin: str) -> None:
    """Refuse a limit to waiting for a LoRaWAN device of rows on whose way there is none."""
    assert legs.loops is not None
    net = network.wiring.net()._replace(path=paths.table)
    limited = np.flatnonzero((legs.loops.uplink_timeout_ns > 0) & ways.is_covered)
    served = {
        int(row_of[leg]) for leg in limited.tolist() if any(gateway_hops(net, int(ways.at[leg]), int(ways.hops[leg])))
    }
    problems = [
        f"{row_name(row)}: has uplink_timeout_s, but no LoRaWAN gateway sends it to its device; leave it empty"
        for row in np.unique(row_of[limited]).tolist()
        if row not in served
    ]
    if problems:
        raise FileError(origin, problems)


def _check_hops(network: CarryNetwork, rows: _Rows, path_hops: Ints) -> None:
    """Refuse messages whose path is longer than a message counts."""
    traffic = rows.traffic
    if path_hops.max(initial=0) > _MOST_HOPS:
        k = int(np.argmax(path_hops > _MOST_HOPS))
        source, destination = (network.names[ends[k]] for ends in (traffic.source, traffic.destination))
        way = f"the path from {source!r} to {destination!r} has {path_hops[k]} hops"
        raise FileError(rows.origin, [f"{rows.name(k)}: {way}; {_MOST_HOPS} at most"])


def _check_times(paths: Paths, network: CarryNetwork, rows: _Rows, path_at: Ints, path_hops: Ints) -> None:
    """Refuse traffic whose transmissions, one after another, would pass the end of the clock."""
    traffic, origin = rows.traffic, rows.origin
    if not len(path_hops):
        return
    net = network.wiring.net()
    payload, header = net.port[:, t.P_PAYLOAD], net.port[:, t.P_HEADER]
    once = 8.0 / net.rate_bps[: len(net.port)]
    per_byte = once * (1.0 + np.where(payload > 0, header / np.maximum(1, payload), 0.0))
    ends = (path_at, path_at + path_hops)

    def on_the_way_s(tries: Any) -> Any:
        costs = (_worst_parallel(net.port, cost) for cost in (per_byte * tries, once * header * tries))
        so_far = [np.append(0.0, np.cumsum(cost[paths.port])) for cost in costs]
        of_bytes, of_headers = (total[ends[1]] - total[ends[0]] for total in so_far)
        return traffic.size_bytes * of_bytes + of_headers

    once_s, taken_s = on_the_way_s(1.0), on_the_way_s(1.0 + net.port[:, t.P_RETRIES])
    if once_s.max() > _LONGEST_S:
        k = int(np.argmax(once_s))
        limit = f"{_LONGEST_S:.3g} s at most; choose faster links"
        raise FileError(origin, [f"{rows.name(k)}: is on the way for {once_s[k]:.3g} s without waiting; {limit}"])
    latest_s = float(traffic.sent_ns.max()) * 1e-9 + float(taken_s.sum())
    if latest_s + 1e-9 * float(net.port[:, t.P_DELAY].max()) * float(path_hops.max()) > _END_S:
        k = int(np.argmax(taken_s))
        raise FileError(
            origin,
            [
                f"{rows.name(k)}: is on the way for up to {taken_s[k]:.3g} s, and all rows together may last "
                f"{latest_s:.3g} s; the clock ends after {_END_S:.3g} s; choose faster links or fewer retries"
            ],
        )


def _worst_parallel(port: Ints, cost: Any) -> Any:
    """(ports,) the greatest cost of each port and the links parallel to it, which may be taken in its place."""
    worst, one = cost.copy(), np.flatnonzero((port[:, t.P_MEDIUM] < 0) & (port[:, t.P_NEXT] > 0))
    other = port[one, t.P_NEXT] - 1
    while len(one):
        worst[one] = np.maximum(worst[one], cost[other])
        goes_on = port[other, t.P_NEXT] - 1 != one
        one, other = one[goes_on], port[other[goes_on], t.P_NEXT] - 1
    return worst


def _check_sizes(paths: Paths, network: CarryNetwork, rows: _Rows, path_at: Ints, path_hops: Ints) -> None:
    """Refuse messages longer than a port on their path takes, or cut into more frames than it counts."""
    traffic, origin = rows.traffic, rows.origin
    payload = network.wiring.net().port[:, t.P_PAYLOAD]
    if not (network.mtu_bytes > 0).any() and not (payload > 0).any():
        return
    begins, first, which = np.unique(path_at, return_index=True, return_inverse=True)
    ends = begins + path_hops[first]

    def least(limits: Ints) -> Ints:
        """(n,) the least limit on the path of each message."""
        each = np.where(limits > 0, limits, NEVER)[paths.port]
        return np.array([each[a:b].min(initial=NEVER) for a, b in zip(begins, ends, strict=True)])[which]

    whole, part = least(network.mtu_bytes), least(payload)
    problems = [
        f"{rows.name(k)}: {traffic.size_bytes[k]} bytes are more than the {whole[k]} that a frame on its way carries, "
        "and nothing there cuts messages; send less, or set fragmentation = true"
        for k in np.flatnonzero(traffic.size_bytes > whole).tolist()
    ]
    problems += [
        f"{rows.name(k)}: {traffic.size_bytes[k]} bytes are cut into frames of {part[k]}, more than {_MOST_FRAMES}; send less"
        for k in np.flatnonzero((traffic.size_bytes - 1) // part >= _MOST_FRAMES).tolist()
    ]
    if problems:
        raise FileError(origin, problems)


def _running_numbers(sources: Ints) -> Ints:
    """Each sender's own running number, in order of sending."""
    order = np.argsort(sources, kind="stable")
    ordered = sources[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(sources) else np.empty(0, int)
    sizes = np.diff(np.append(starts, len(sources)))
    numbers = np.empty(len(sources), dtype=np.int64)
    numbers[order] = np.arange(len(sources)) - np.repeat(starts, sizes)
    return numbers
