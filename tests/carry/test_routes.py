"""Static routes override the shortest path where they stand, and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.foundation.errors import FileError
from tests.carry.networks import carried, content, shape
from tests.carry.reference import Link, Message, shortest_path

pytestmark = pytest.mark.long


def follow(links: list[Link], routes: dict[tuple[int, int], int], source: int, to: int) -> list[int] | None:
    """The links that a message takes; None if it goes round."""
    path: list[int] = []
    node = source
    while node != to:
        if len(path) > len(links):
            return None
        if (node, to) in routes:
            ways = [k for k, each in enumerate(links) if (each.source, each.destination) == (node, routes[node, to])]
            path.append(min(ways, key=lambda k: (links[k].delay_ns, k)))
        else:
            path.append(shortest_path(links, node, to)[0])
        node = links[path[-1]].destination
    return path


@pytest.mark.parametrize("networks", [1, pytest.param(5, marks=pytest.mark.slow)])
@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**40))
def test_messages_follow_the_routes_or_the_loop_is_named(networks: int, seed: int) -> None:
    for number in range(networks):
        rng = np.random.default_rng(seed + number)
        nodes = int(rng.integers(3, 9))
        links = [Link(*ends, 10**6, int(rng.integers(0, 4)) * 10**6) for ends in shape(rng, nodes)]
        routes = {}
        for k in rng.integers(0, len(links), int(rng.integers(0, 5))).tolist():
            to = int(rng.integers(0, nodes))
            if to != links[k].source:
                routes[links[k].source, to] = links[k].destination
        tables: dict[str, Any] = content(nodes, links)
        tables["route"] = [{"at": f"n{at}", "to": f"n{to}", "next": f"n{via}"} for (at, to), via in routes.items()]
        pairs = [(a, b) for a in range(nodes) for b in range(nodes) if a != b]
        paths = [follow(links, routes, *pair) for pair in pairs]
        messages = [Message(k, k * 10**12, *pair, 125) for k, pair in enumerate(pairs)]
        if any(path is None for path in paths):
            with pytest.raises(FileError, match=r"\[\[route\]\].*a routing loop"):
                carried(tables, messages, 1)
            continue
        found = carried(tables, messages, 1)
        for k, path in enumerate(paths):
            assert path is not None
            assert found.hops[k] == len(path)
            took = sum(10**6 + links[each].delay_ns for each in path)
            assert found.delivered_ns[k] == messages[k].sent_ns + took


def test_a_route_may_lead_over_a_shared_medium() -> None:
    tables: dict[str, Any] = content(3, [Link(0, 2, 10**6)])
    tables["medium"] = [{"members": ["n0", "n1", "n2"], "access": "aloha", "rate_bps": 1e6, "delay_s": 1.0}]
    assert carried(tables, [Message(0, 0, 0, 2, 125)], 1).delivered_ns.tolist() == [10**6]
    tables["route"] = [{"at": "n0", "to": "n2", "next": "n1"}]
    found = carried(tables, [Message(0, 0, 0, 2, 125)], 1)
    assert (found.delivered_ns.tolist(), found.hops.tolist()) == ([2 * (10**9 + 10**6)], [2])
