"""The [[link]] tables of a network file, and what links and shared media have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from heptagrid.planes.messages.planning.network_builder import NetworkBuilder
from heptagrid.planes.messages.tables import Floats
from heptagrid.planes.messages.technology import Technology
from heptagrid.studies.carry.network import EdgeList
from heptagrid.studies.carry.table_rows import NetworkChecks, TableRow, same_form

SENDING_KEYS = {
    *("rate_bps", "delay_s", "loss", "retries", "priorities", "queue_packets", "technology"),
    *("mtu_bytes", "header_bytes", "fragmentation"),
}
LINK_KEYS = SENDING_KEYS | {"from", "to", "name"}

PortsByEnds = dict[tuple[int, int], list[int]]
"""The ports of the links between two nodes, in one direction."""


def link_names(rows: Sequence[TableRow]) -> dict[str, int]:
    """The number, from 0, of each link that has a name."""
    numbers: dict[str, int] = {}
    for k, row in enumerate(rows):
        name = row.cells.get("name", "")
        if not isinstance(name, str) or ("name" in row.cells and not name):
            row.problem(f"name is {name!r}; write a text")
        elif same_form(name) in numbers:
            row.problem(f"name {name!r} is taken by another link")
        elif name:
            numbers[same_form(name)] = k
    return numbers


def add_links(
    rows: Sequence[TableRow],
    xy_m: Floats,
    checks: NetworkChecks,
    wiring: NetworkBuilder,
    edges: EdgeList,
    *,
    queued: bool,
) -> tuple[PortsByEnds, list[int]]:
    """Add the links to the wiring and the edges, if all is well so far; their ports, and the longest message of each port.

    queued: each keeps a queue of events, so that an outage can take back what waits.
    """
    pairs: PortsByEnds = {}
    good = [link for link in [_link(row, xy_m) for row in rows] if link is not None]
    if not good or checks.problems:
        return pairs, []
    columns: dict[str, Any] = {name: [link[name] for link in good] for name in good[0]}
    ends = columns.pop("from"), columns.pop("to")
    limits = columns.pop("mtu_bytes")
    ports = wiring.links(*ends, **columns, queued=queued, shared=True)
    edges.add(*ends, ports, -1, 0.0, columns["delay_ns"])
    for pair, port in zip(zip(*ends, strict=True), ports, strict=True):
        pairs.setdefault(pair, []).append(int(port))
    _refuse_unlike(pairs, limits, checks)
    return pairs, limits


def _link(row: TableRow, xy_m: Floats) -> dict[str, Any] | None:
    before = len(row.checks.problems)
    ends = row.node("from"), row.node("to")
    if ends[0] == ends[1] and ends[0] >= 0:
        row.problem(f"leads from {row.cells['from']!r} to itself: a loop; name two nodes")
    facts = row.technology()
    sending = sending_of(row, facts)
    if len(row.checks.problems) > before:
        return None
    far_m = float(np.hypot(*(xy_m[ends[0]] - xy_m[ends[1]])))
    delay_ns = sending.pop("delay_ns")
    if facts is not None:
        if "delay_s" not in row.cells:
            delay_ns += round(far_m / 1000.0 * facts.ns_per_km)
        if facts.budget is not None and "loss" not in row.cells:
            sending["loss"] = 1.0 - (1.0 - sending["loss"]) * (1.0 - float(facts.budget.frame_error(far_m)))
    return {"from": ends[0], "to": ends[1], "delay_ns": delay_ns, **sending}


def _refuse_unlike(pairs: Mapping[tuple[int, int], list[int]], mtu_bytes: Sequence[int], checks: NetworkChecks) -> None:
    """Refuse parallel links of which one does not take every message that the other takes."""
    for (a, b), ports in pairs.items():
        if len({mtu_bytes[port] for port in ports}) > 1:
            names = list(checks.number)
            which = ", ".join(str(1 + port) for port in ports)
            checks.problems.append(
                f"[[link]] {which}: parallel links from {names[a]!r} to {names[b]!r} share their load, so that each must take "
                "every message; give them the same mtu_bytes, or fragmentation = true"
            )


def sending_of(row: TableRow, facts: Technology | None) -> dict[str, Any]:
    """What links and media have in common: rate, delay, loss, queue, and the sizes of packets."""
    if "technology" not in row.cells and "rate_bps" not in row.cells:
        row.problem("rate_bps is missing; give it, or a technology")
    rate = row.value("rate_bps", facts.uplink_bps if facts else 1.0, 1.0, 1e15)
    delay = row.value("delay_s", facts.delay_s if facts else 0.0, 0.0, 1e6)
    loss = row.value("loss", facts.loss if facts else 0.0, 0.0, 1.0)
    retries = row.whole("retries", facts.retries if facts else 0, 0, 200)
    classes = row.whole("priorities", 1, 1, 1000)
    queue = row.whole("queue_packets", -1, 0, 10**9)
    header = row.whole("header_bytes", facts.header_bytes if facts else 0, 0, 10**6)
    longest = row.whole("mtu_bytes", facts.payload_bytes if facts else 0, 1, 10**9)
    cut = row.cells.get("fragmentation", facts.fragments if facts else False)
    if not isinstance(cut, bool):
        row.problem(f"fragmentation is {cut!r}; write true or false")
    return {
        "rate_bps": rate,
        "delay_ns": round(delay * 1e9) if math.isfinite(delay) else 0,
        "loss": loss,
        "retries": retries,
        "priorities": classes,
        "queue_packets": queue,
        "header_bytes": header,
        "payload_bytes": longest if cut else 0,
        "mtu_bytes": 0 if cut else longest,
    }
