"""Paths that are kept are those that are looked up pair by pair."""

from __future__ import annotations

import numpy as np

from heptagrid.planes.messages.routing.paths import Paths, TreeEdges, TreeRouter

PLACES, MESSAGES = 300, 128


def router(rng: np.random.Generator) -> TreeRouter:
    """Of a random tree, whose places have one port to their parent and one from it."""
    parent = np.array([-1, *(int(rng.integers(0, k)) for k in range(1, PLACES))])
    depth = np.zeros(PLACES, dtype=np.int64)
    for k in range(1, PLACES):
        depth[k] = depth[parent[k]] + 1
    own, none = np.arange(PLACES), np.full(PLACES, -1)
    return TreeRouter(TreeEdges(parent, depth, own, none, own + PLACES, none, np.zeros(PLACES)))


def ports(paths: Paths, sources: np.ndarray, destinations: np.ndarray) -> list[list[int]]:
    at, hops = paths.of(sources, destinations)
    return [paths.port[a : a + n].tolist() for a, n in zip(at, hops, strict=True)]


def test_a_wave_that_comes_again_takes_the_same_paths_until_they_change() -> None:
    rng = np.random.default_rng(1)
    first, second = router(rng), router(rng)
    waves = [rng.integers(0, PLACES, (2, MESSAGES)) for _ in range(3)]
    waves.append(waves[0].copy())
    waves[3][:, -1] = waves[3][::-1, -1]  # as the first but for its last pair
    paths = Paths(PLACES, first)
    for known in (first, second):
        if known is second:
            paths.reroute(second)
        for sources, destinations in (*waves, *waves):
            alone = Paths(PLACES, known)
            expected = [ports(alone, sources[[k]], destinations[[k]])[0] for k in range(len(sources))]
            assert ports(paths, sources, destinations) == expected
