"""The [[route]] tables of a network file: static routes, which must follow links and lead to their destination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from heptagrid.planes.messages.planning.graph import Graph, GraphRouter, NoPathError, RoutingLoopError
from heptagrid.studies.carry.table_rows import NetworkChecks, TableRow

ROUTE_KEYS = {"at", "to", "next"}

Route = tuple[int, int, int]
"""Where, to which node, and by way of which."""


def route(row: TableRow) -> Route:
    """The nodes that a route names."""
    at, to, following = row.node("at"), row.node("to"), row.node("next")
    if at == to >= 0:
        row.problem(f"at and to are both {row.cells['at']!r}, where messages have arrived; name two nodes")
    return at, to, following


def with_routes(graph: Graph, ways: Sequence[Route], checks: NetworkChecks) -> Graph:
    """The graph with its static routes; each must follow a link, stand alone, reach its end, and not lead round in a loop."""
    names = list(checks.number)
    routes: dict[tuple[int, int], tuple[int, ...]] = {}
    rows: dict[tuple[int, int], str] = {}
    for k, (at, to, following) in enumerate(ways, start=1):
        where = f"[[route]] {k}"
        edges = graph.edges_to(at, following)
        if not edges:
            checks.problems.append(f"{where}: there is no link from {names[at]!r} to {names[following]!r}; add one")
        elif (at, to) in routes:
            checks.problems.append(
                f"{where}: {rows[at, to]} already says where {names[at]!r} sends what is for {names[to]!r}; keep one"
            )
        else:
            routes[at, to], rows[at, to] = edges, where
    graph = replace(graph, routes=routes)
    router = GraphRouter(graph)
    loops = set()
    for at, to in routes:
        try:
            router.find(np.array([at]), np.array([to]))
        except NoPathError:
            checks.problems.append(f"{rows[at, to]}: no links lead on to {names[to]!r}; choose another next")
        except RoutingLoopError as problem:
            first = problem.nodes.index(min(problem.nodes))
            ring = problem.nodes[first:] + problem.nodes[:first]
            if (to, *ring) in loops:
                continue
            loops.add((to, *ring))
            those = " and ".join(rows[node, to] for node in ring if (node, to) in rows)
            round_trip = " -> ".join(names[node] for node in [*ring, ring[0]])
            checks.problems.append(
                f"{those}: a routing loop: what is for {names[to]!r} goes {round_trip}; choose another next"
            )
    checks.raise_problems()
    return graph
