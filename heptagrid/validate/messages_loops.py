"""Closed loops with known times: a polling cycle, firmware one block at a time, one frame to many subscribers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from heptagrid.studies.carry.api import Carried, carry_messages
from heptagrid.studies.carry.network_file import build_network
from heptagrid.studies.carry.traffic_file import Loops, Traffic
from heptagrid.validate.case import Finding, case

_S = 1_000_000_000


def _links(*ways: tuple[str, str, float, float]) -> dict[str, Any]:
    """Tables of a network of links: from, to, bit/s, seconds of delay."""
    names = sorted({name for a, b, *_ in ways for name in (a, b)})
    links = [{"from": a, "to": b, "rate_bps": rate, "delay_s": delay} for a, b, rate, delay in ways]
    return {"node": [{"name": name} for name in names], "link": links}


def _carried(
    tables: Mapping[str, Any], rows: Sequence[tuple[float, str, str, int]], **loops: Sequence[float]
) -> Carried:
    """Carry rows of when, from, to and bytes; `loops` are columns of `Loops`, 0 where not given."""
    network = build_network(tables, "a validation case")
    names = [*network.names, *network.groups]
    source = np.array([names.index(row[1]) for row in rows], dtype=np.int64)
    destination = np.array([names.index(row[2]) for row in rows], dtype=np.int64)
    nothing = np.zeros(len(rows), dtype=np.int64)
    given = {name: np.array(value, dtype=np.int64) for name, value in loops.items()}
    traffic = Traffic(
        np.rint([row[0] * _S for row in rows]).astype(np.int64),
        source,
        destination,
        np.array([row[3] for row in rows], dtype=np.int64),
        nothing,
        table=None,
        loops=replace(Loops.none(len(rows)), **given),
        groups=tuple(network.groups),
    )
    return carry_messages(network, traffic, "a validation case", seed=1)


@case("modbus-poll", plane="messages", kind="exact", source="arithmetic; RuggedCom's rounded example says about 650 ms")
def modbus_poll(live: bool) -> Iterator[Finding]:
    """256 bytes each way at 9600 baud and 115,200 baud, 11-bit characters, 3 ms of network between, 100 ms to think."""
    lines = (
        ("master", "near", 115_200 * 8 / 11, 0.0),
        ("near", "far", 1e8, 0.003),
        ("far", "unit", 9600 * 8 / 11, 0.0),
    )
    tables = _links(*lines, *((b, a, rate, delay) for a, b, rate, delay in lines))
    rows = [(0.0, "master", "unit", 256), (0.0, "unit", "master", 256)]
    found = _carried(tables, rows, answers=[-1, 0], think_ns=[0, 0.1 * _S])
    yield Finding("a cycle of request and answer", 741.6, float(found.delivered_ns[1]) * 1e-6, 0.05, unit="ms")


@case(
    "stop-and-wait",
    plane="messages",
    kind="exact",
    source="Kurose and Ross, Computer Networking, 8th edition, figure 3.18 (a): 1000 bytes at 1 Gbit/s, 30 ms there and back: 0.027 %",
)
def stop_and_wait(live: bool) -> Iterator[Finding]:
    """A megabyte of firmware in blocks of 1000 bytes, each sent when the one before is acknowledged."""
    tables = _links(("head end", "meter", 1e9, 0.015), ("meter", "head end", 1e9, 0.015))
    blocks = 1000
    rows = [(0.0, "head end", "meter", 1000)] * blocks
    same = {"ack_timeout_ns": [_S] * blocks, "retries": [3] * blocks, "ack_bytes": [1] * blocks}
    found = _carried(tables, rows, answers=[k - 1 for k in range(blocks)], **same)
    each_s = float(found.delivered_ns[-1] - found.delivered_ns[0]) * 1e-9 / (blocks - 1)
    yield Finding("seconds a block", 0.030008, each_s, 1e-7, unit="s")
    yield Finding("share of the time that is sent", 0.00027, 8e-6 / each_s, 5e-6)


@case(
    "goose-multicast",
    plane="messages",
    kind="exact",
    source="IEEE 802.3 arithmetic: 148 bytes behind 1538 at 100 Mbit/s",
)
def goose_multicast(live: bool) -> Iterator[Finding]:
    """One frame to twenty subscribers of a switch, behind a frame of the greatest length on the way to one of them."""
    names = [f"subscriber {k}" for k in range(20)]
    tables = _links(
        ("device", "switch", 1e8, 0.0), ("other", "switch", 1e8, 0.0), *(("switch", name, 1e8, 0.0) for name in names)
    )
    tables["group"] = [{"name": "subscribers", "members": names}]
    rows = [(1.0 - 111.2e-6, "other", names[0], 1538), (1.0, "device", "subscribers", 148)]
    found = _carried(tables, rows)
    delay_us = (found.delivered_ns[1:] - _S) * 1e-3
    yield Finding("the subscriber behind that frame", 146.7, float(delay_us.max()), 0.05, unit="us")
    yield Finding("each other subscriber", 23.68, float(np.sort(delay_us)[:-1].max()), 0.001, unit="us")
    yield Finding("frames on the lines", 2.0 + 21.0, float(found.hop_events), 0.0)
