"""The [[hop]] tables of a network file: hops of a medium as measured or planned, in place of those by distance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from heptagrid.planes.messages.tables import Floats, Ints
from heptagrid.planes.messages.technologies.lorawan import SPREADING, Star
from heptagrid.studies.carry.reach import WORST_ERROR, Reach
from heptagrid.studies.carry.table_rows import TableRow

HOP_KEYS = {"medium", "from", "to", "loss", "spreading"}


class ListedHops(NamedTuple):
    """Hops of one medium, each way alike: (hops,) the two nodes, the probability that a frame is lost, the LoRaWAN factor; and where each is written."""

    one: list[int]
    other: list[int]
    loss: list[float]
    spreading: list[int]
    rows: list[TableRow]


def listed_hops(rows: Sequence[TableRow], media: Sequence[TableRow]) -> dict[str, ListedHops]:
    """The hops of each medium that has any, by its name; notes names of none."""
    named = [str(row.cells["name"]) for row in media if "name" in row.cells]
    found: dict[str, ListedHops] = {}
    for row in rows:
        name = row.cells.get("medium")
        if not isinstance(name, str) or named.count(name) != 1:
            what = "is missing" if name is None else f"is {name!r}"
            row.problem(f"medium {what}; write the name of one [[medium]]{row.checks.near(str(name), named)}")
            continue
        one, other = row.node("from"), row.node("to")
        if one == other >= 0:
            row.problem(f"from and to are both {row.cells['from']!r}; name two nodes")
        hops = found.setdefault(name, ListedHops([], [], [], [], []))
        hops.one.append(one)
        hops.other.append(other)
        hops.loss.append(row.value("loss", 0.0, 0.0, WORST_ERROR))
        hops.spreading.append(row.whole("spreading", max(SPREADING), min(SPREADING), max(SPREADING)))
        hops.rows.append(row)
    return found


def listed_reach(hops: ListedHops, members: Sequence[int], base: int | None, method: str) -> Reach:
    """The reach of a medium's members that hops say; notes ends that are no members, and hops past the base station."""
    number: Mapping[int, int] = {node: k for k, node in enumerate(members)}
    for one, other, row in zip(hops.one, hops.other, hops.rows, strict=True):
        if one in number and other in number:
            if base is not None and base not in (number[one], number[other]):
                row.problem("neither end is the base station, and others do not talk to each other")
        elif one >= 0 and other >= 0:
            outside = row.cells["from" if one not in number else "to"]
            row.problem(f"{outside!r} is not among the members of {row.cells['medium']!r}")
        if "spreading" in row.cells and method != "class-a":
            row.problem(f"spreading is of LoRaWAN; {method} has no spreading factors")
    a, b = (np.array([number.get(node, 0) for node in ends], dtype=np.int64) for ends in (hops.one, hops.other))
    error = np.array(hops.loss)
    star = (
        None
        if method != "class-a" or base is None
        else _star(a + b - base, np.array(hops.spreading), error, len(members))
    )
    return Reach(np.concatenate([a, b]), np.concatenate([b, a]), np.tile(error, 2), star=star)


def _star(device: Ints, spreading: Ints, error: Floats, members: int) -> Star:
    """Devices around a gateway, each with the factor of its hop; those without one at the slowest."""
    factor, lost = np.full(members, max(SPREADING)), np.zeros(members)
    device = np.clip(device, 0, members - 1)
    factor[device], lost[device] = spreading, error
    return Star(factor, np.array([SPREADING[one].payload_bytes for one in factor.tolist()]), lost)
