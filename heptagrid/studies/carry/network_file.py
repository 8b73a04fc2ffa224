"""Reads a communication network from TOML: nodes, links, shared media, outages; every problem is listed at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.foundation.errors import FileError
from heptagrid.foundation.input_files import UnreadableError, read_toml
from heptagrid.planes.messages.planning.network_builder import NetworkBuilder
from heptagrid.planes.messages.tables import Floats
from heptagrid.studies.carry.hop_rows import HOP_KEYS, listed_hops
from heptagrid.studies.carry.link_rows import LINK_KEYS, add_links, link_names
from heptagrid.studies.carry.medium_rows import MEDIUM_KEYS, MediumReader
from heptagrid.studies.carry.network import CarryNetwork, EdgeList
from heptagrid.studies.carry.outage_rows import OUTAGE_KEYS, check_counts, outage
from heptagrid.studies.carry.route_rows import ROUTE_KEYS, route, with_routes
from heptagrid.studies.carry.table_rows import NetworkChecks, TableRow, same_form

TABLES = {
    "node": {"name", "x_m", "y_m"},
    "link": LINK_KEYS,
    "medium": MEDIUM_KEYS,
    "hop": HOP_KEYS,
    "outage": OUTAGE_KEYS,
    "route": ROUTE_KEYS,
    "group": {"name", "members"},
}
"""The tables of a network file and the keys of each."""

_MOST_BYTES = 1 << 30  # of the file: ten million nodes


def read_network(path: Path) -> CarryNetwork:
    """Read NETWORK.toml.

    Raises
    ------
    FileError
        With every problem: unknown keys and technologies, values out of range, names that do not exist.
    """
    try:
        content = read_toml(path, _MOST_BYTES)
    except UnreadableError as problem:
        raise FileError(str(path), [str(problem)]) from problem
    return build_network(content, str(path))


def build_network(content: Mapping[str, Any], origin: str) -> CarryNetwork:
    """A network from tables as they stand in NETWORK.toml; `origin` names them in errors.

    Raises
    ------
    FileError
        As `read_network`.
    """
    checks = NetworkChecks(origin)
    rows = _rows(content, checks)
    xy_m = _nodes(rows["node"], checks)
    wiring, edges, has_outages = NetworkBuilder(len(checks.number), xy_m), EdgeList(), bool(rows["outage"])
    named = link_names(rows["link"])
    ports, limits = add_links(rows["link"], xy_m, checks, wiring, edges, queued=has_outages)
    hops = listed_hops(rows["hop"], rows["medium"])
    media = MediumReader(wiring, edges, xy_m, limits, hops, queued=has_outages)
    for row in rows["medium"]:
        media.add(row)
    outages = [one for row in rows["outage"] for one in outage(row, ports, named)]
    ways = [route(row) for row in rows["route"]]
    groups = _groups(rows["group"], checks)
    failover_s = TableRow("at the top", content, checks).value("failover_s", 0.0, 0.0, 1e6)
    check_counts(outages, checks)
    checks.raise_problems()
    nodes = len(checks.number)
    return CarryNetwork(
        names=list(checks.number),
        wiring=wiring,
        graph=with_routes(edges.graph(nodes), ways, checks),
        mtu_bytes=np.array(media.mtu_bytes, dtype=np.int64),
        outages=outages,
        failover_ns=round(failover_s * 1e9),
        joined=media.joined.with_all(edges).graph(nodes),
        medium=np.array(media.medium, dtype=np.int64),
        relays=tuple(media.relays),
        media=tuple(media.names),
        groups=groups,
    )


def _rows(content: Mapping[str, Any], checks: NetworkChecks) -> dict[str, list[TableRow]]:
    """The rows of each table; unknown tables and keys are noted."""
    for key in content:
        if key not in {*TABLES, "failover_s"}:
            checks.problems.append(f"[[{key}]] is unknown{checks.near(key, TABLES)}")
    tables: dict[str, list[TableRow]] = {}
    for name, keys in TABLES.items():
        found = content.get(name, [])
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            checks.problems.append(f"{name} must be written as [[{name}]], one for each")
            found = []
        rows = [TableRow(f"[[{name}]] {k}", row, checks) for k, row in enumerate(found, start=1)]
        for row in rows:
            # The hints of one row are looked for before its problems are noted.
            checks.problems += [
                f"{row.where}: {key} is unknown{checks.near(key, keys)}" for key in row.cells if key not in keys
            ]
        tables[name] = rows
    if not tables["node"]:
        checks.problems.append("has no [[node]]; write one for each, with its name")
    return tables


def _nodes(rows: Sequence[TableRow], checks: NetworkChecks) -> Floats:
    """Number the nodes by their names; (nodes, 2) their places."""
    xy_m = np.zeros((len(rows), 2))
    for k, row in enumerate(rows, start=1):
        name = row.cells.get("name")
        name = same_form(name) if isinstance(name, str) else ""
        if not name:
            row.problem("name is missing; write a text")
            name = f"\x00{k}"
        if name in checks.number:
            row.problem(f"name {name!r} is taken by another node")
            name = f"\x00{k}"
        checks.number[name] = k - 1
        xy_m[k - 1] = [row.value(axis, 0.0, -1e9, 1e9) for axis in ("x_m", "y_m")]
    return xy_m


def _groups(rows: Sequence[TableRow], checks: NetworkChecks) -> dict[str, tuple[int, ...]]:
    """The nodes of each group, by its name."""
    groups: dict[str, tuple[int, ...]] = {}
    for row in rows:
        name = row.cells.get("name")
        name = same_form(name) if isinstance(name, str) else ""
        if not name:
            row.problem("name is missing; write a text")
        elif name in groups or name in checks.number:
            row.problem(f"name {name!r} is taken by another group or a node")
        else:
            groups[name] = tuple(row.members())
    return groups
