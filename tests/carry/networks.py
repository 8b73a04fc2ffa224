"""Random networks and traffic, as tables of NETWORK.toml and rows of TRAFFIC.csv, for `heptagrid carry` and its reference."""

from __future__ import annotations

from typing import Any

import numpy as np

from heptagrid.studies.carry.api import Carried, carry_messages
from heptagrid.studies.carry.network_file import build_network
from heptagrid.studies.carry.traffic_file import WORDS as WORDS
from heptagrid.studies.carry.traffic_file import Traffic
from tests.carry.reference import Link, Message

MS = 1_000_000


def content(nodes: int, links: list[Link]) -> dict[str, Any]:
    """The tables of NETWORK.toml."""
    rows: list[dict[str, Any]] = []
    for link in links:
        row: dict[str, Any] = {"from": f"n{link.source}", "to": f"n{link.destination}", "rate_bps": link.rate_bps}
        row |= {"delay_s": link.delay_ns * 1e-9, "loss": link.loss, "retries": link.retries}
        row["priorities"] = link.priorities
        if link.queue_packets is not None:
            row["queue_packets"] = link.queue_packets
        rows.append(row)
    return {"node": [{"name": f"n{k}"} for k in range(nodes)], "link": rows}


def traffic_of(messages: list[Message]) -> Traffic:
    """What `read_traffic` makes of the messages' rows."""
    table = np.array(
        [(m.sent_ns, m.source, m.destination, m.size_bytes, m.priority) for m in messages], dtype=np.int64
    ).reshape(-1, 5)
    return Traffic(*(np.ascontiguousarray(column) for column in table.T), table=None)


def carried(tables: dict[str, Any], messages: list[Message], seed: int) -> Carried:
    """Carry messages in memory."""
    return carry_messages(build_network(tables, "network"), traffic_of(messages), "traffic", seed)


def shape(rng: np.random.Generator, nodes: int) -> list[tuple[int, int]]:
    """The ends of the links, in no particular order: a tree, a ring, a mesh, or a mesh with parallel links."""
    kind = rng.choice(["tree", "ring", "one way", "mesh", "parallel"])
    if kind == "tree":
        pairs = [(int(rng.integers(0, k)), k) for k in range(1, nodes)]
    else:
        pairs = [(k, (k + 1) % nodes) for k in range(nodes)]
    ends = [*pairs, *((b, a) for a, b in pairs)] if kind != "one way" else pairs
    if kind in ("mesh", "parallel"):
        more = rng.integers(0, nodes, (2 * nodes, 2)).tolist()
        ends += [(a, b) for a, b in more if a != b and (kind == "parallel" or (a, b) not in ends)]
    return [ends[k] for k in rng.permutation(len(ends))]


def case(seed: int) -> tuple[int, list[Link], list[Message]]:
    """A random network and its traffic; in two of three, all times are whole milliseconds, so that many coincide."""
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(2, 9))
    is_tied = rng.random() < 0.67
    has_loss, has_buffers, has_classes = rng.random(3) < 0.5
    delays = rng.integers(0, 3, 100) * MS if is_tied else rng.integers(0, 3 * MS, 100)
    if rng.random() < 0.3:
        delays[:] = rng.choice([0, MS])  # hops and the file's order alone decide
    links = [
        Link(
            *ends,
            rate_bps=int(rng.choice([1_000_000, 2_000_000, 500_000])) if is_tied else int(rng.integers(10**5, 10**9)),
            delay_ns=int(rng.choice(delays)),
            loss=float(rng.choice([0.0, 0.2, 0.6, 1.0], p=[0.4, 0.3, 0.28, 0.02])) if has_loss else 0.0,
            retries=int(rng.integers(0, 4)),
            priorities=int(rng.integers(1, 4)) if has_classes else 1,
            queue_packets=[None, 0, 1, 2, 10][int(rng.integers(0, 5))] if has_buffers else None,
        )
        for ends in shape(rng, nodes)
    ]
    count = int(rng.integers(0, 50))
    bursts = rng.integers(0, 30, max(1, count // 8)) * MS
    messages = []
    for row in range(count):
        at = int(rng.choice(bursts)) if rng.random() < 0.5 else int(rng.integers(0, 40)) * MS
        if not is_tied:
            at += int(rng.integers(0, MS))
        source = int(rng.integers(0, nodes)) if rng.random() < 0.7 else 0
        to = int((source + rng.integers(1, nodes)) % nodes)
        size = int(rng.choice([125, 250, 500])) if is_tied else int(rng.integers(1, 1500))
        messages.append(Message(row, at, source, to, size, priority=int(rng.integers(0, 5))))
    if rng.random() < 0.5:
        messages.sort(key=lambda each: each.sent_ns)
        for row, message in enumerate(messages):
            message.row = row
    return nodes, links, messages
