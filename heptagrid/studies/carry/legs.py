"""Rows of traffic as legs: one for each destination of a row, and what became of them as columns of its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from heptagrid.planes.messages.tables import Ints
from heptagrid.studies.carry.traffic_file import Loops, Traffic


def legs_of(traffic: Traffic, groups: Mapping[str, Sequence[int]], nodes: int) -> tuple[Traffic, Ints]:
    """The traffic with a row for each destination, and (legs,) which row of the file each belongs to.

    The members of a group, without the sender, in the network's order.
    """
    members = [np.array(groups[name], dtype=np.int64) for name in traffic.groups]
    row_of: list[int] = []
    destination: list[int] = []
    for row, to in enumerate(traffic.destination.tolist()):
        ends = [to] if to < nodes else [one for one in members[to - nodes].tolist() if one != traffic.source[row]]
        row_of += [row] * len(ends)
        destination += ends
    rows = np.array(row_of, dtype=np.int64)
    loops = traffic.loops or Loops.none(len(traffic.sent_ns))
    return (
        Traffic(
            sent_ns=traffic.sent_ns[rows],
            source=traffic.source[rows],
            destination=np.array(destination, dtype=np.int64),
            size_bytes=traffic.size_bytes[rows],
            priority=traffic.priority[rows],
            table=None if traffic.table is None else traffic.table[rows],
            loops=loops.of(rows),
        ),
        rows,
    )


def with_fates(
    legs: Traffic, left_ns: Ints, acknowledged_ns: Ints, copies: Ints, reason: Sequence[str], receivers: Sequence[str]
) -> Traffic:
    """Legs with their true time of leaving, and columns that say it: `left_s`, `copies`,
    `acknowledged_s`, `reason`, and `receiver` if any are given."""
    sent_ns = np.where(left_ns >= 0, left_ns, legs.sent_ns)
    if legs.table is None:
        return replace(legs, sent_ns=sent_ns)
    import polars as pl

    columns = [
        pl.Series("left_s", [_seconds(each) for each in left_ns.tolist()], dtype=pl.String),
        pl.Series("copies", copies),
        pl.Series("acknowledged_s", [_seconds(each) for each in acknowledged_ns.tolist()], dtype=pl.String),
        pl.Series("reason", [each or None for each in reason], dtype=pl.String),
    ]
    if receivers:
        columns.insert(0, pl.Series("receiver", receivers))
    return replace(legs, sent_ns=sent_ns, table=legs.table.with_columns(columns))


def _seconds(ns: int) -> str | None:
    return None if ns < 0 else f"{ns // 10**9}.{ns % 10**9:09d}"
