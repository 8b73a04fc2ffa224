"""Where sites stand: greedy cover of meters that relay for each other, or not, and the tree of each site's network.

The next site is the one that serves the most meters that no site serves yet (Chvátal, Mathematics of Operations Research 4, 1979, for sets
without a limit). What a site could serve only shrinks while others are built, so its last figure bounds it, and most are never counted again
(Minoux, Optimization Techniques, 1978). Meters relay within their own site's network only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.messages.kernel.events import drop_first, push
from heptagrid.planes.messages.planning.hops import Hops
from heptagrid.planes.messages.tables import Floats, Ints

_UNIT = 1 << 20  # of expected transmissions, in whole numbers
_PASSES = 8  # over all meters that may move to a better site


class Limits(NamedTuple):
    """most_hops: from a meter to its site. most_meters, fewest_meters: of a site. heard_by: sites that hear each meter."""

    most_hops: int
    most_meters: int
    fewest_meters: int
    heard_by: int


class Cover(NamedTuple):
    """Sites and whom they serve.

    candidate: (sites,) place of each, counted from the first candidate. site: (meters,) that serves each, -1 for none. parent: (meters,) meter
    that relays, -1 for the site itself. over: (meters,) expected transmissions of the hop to the parent; expected, hops: to the site.
    """

    candidate: Ints
    site: Ints
    parent: Ints
    over: Floats
    expected: Floats
    hops: Ints


class _Search(NamedTuple):
    """Room for a search: (meters,) token of the last one that has met each, its cost, parent and hops; those met, in order; a heap."""

    met: Ints
    cost: Floats
    over: Floats
    parent: Ints
    hops: Ints
    order: Ints
    heap: Ints


def cover(hops: Hops, meters: int, limits: Limits) -> Cover:
    """Sites at the places behind the first `meters`, most meters first, until the next would serve fewer than asked."""
    search = _Search(
        met=np.full(meters, -1, dtype=np.int64),
        cost=np.zeros(meters),
        over=np.zeros(meters),
        parent=np.full(meters, -1, dtype=np.int64),
        hops=np.zeros(meters, dtype=np.int64),
        order=np.zeros(meters, dtype=np.int64),
        heap=np.zeros((max(len(hops.at), len(hops.to) + 1), 3), dtype=np.int64),
    )
    wanted = np.full(meters, limits.heard_by, dtype=np.int64)
    chosen, site = _chosen(hops, meters, limits, search, wanted)
    if limits.most_hops == 1 and limits.heard_by == 1:
        chosen, site = _without_spare(hops, meters, limits, chosen, site)
    found = Cover(
        chosen,
        site,
        np.full(meters, -1, dtype=np.int64),
        np.zeros(meters),
        np.zeros(meters),
        np.zeros(meters, dtype=np.int64),
    )
    _grow_all(hops, meters, limits, search, found)
    for _ in range(_PASSES):
        if not _moved(hops, meters, limits, found):
            break
        _grow_all(hops, meters, limits, search, found)
    return found


@kernel
def _reached(hops, meters, place, limits, wanted, search, token, is_counted):  # type: ignore[no-untyped-def]
    """How many meters that still want a site a place would serve; if not `is_counted`, `search.order` tells which.

    Layer by layer, and of the last one those at the least cost, for all of it may be too many.
    """
    met, cost, order = search.met, search.cost, search.order
    begin, end = 0, 0
    for hop in range(limits.most_hops):
        first = end
        for k in range(begin - (hop == 0), first):
            node = place if hop == 0 else order[k]
            so_far = 0.0 if hop == 0 else cost[node]
            for e in range(hops.at[node], hops.at[node + 1]):
                other = hops.to[e]
                if wanted[other] <= 0:
                    continue
                reached = so_far + hops.transmissions[e]
                if met[other] != token:
                    met[other], cost[other] = token, reached
                    search.hops[other] = hop
                    order[end] = other
                    end += 1
                    if is_counted and end == limits.most_meters:
                        return end
                elif search.hops[other] == hop and reached < cost[other]:
                    cost[other] = reached
        if end > limits.most_meters:
            nearest = np.argsort(cost[order[first:end]], kind="mergesort")
            order[first:end] = order[first:end][nearest]
            return limits.most_meters
        if end == first:
            break
        begin = first
    return end


@kernel
def _chosen(hops, meters, limits, search, wanted):  # type: ignore[no-untyped-def]
    """Candidates with a site, in order, and the site of each meter."""
    places = len(hops.at) - 1
    site = np.full(meters, -1, dtype=np.int64)
    candidate = np.empty(meters * limits.heard_by, dtype=np.int64)
    sites, size, token = 0, 0, 0
    queue = np.empty((places - meters + 1, 3), dtype=np.int64)
    for place in range(meters, places):
        gain = _reached(hops, meters, place, limits, wanted, search, token, True)
        token += 1
        size = push(queue, size, -gain, place, place)
    while size > 0:
        bound, place = -queue[0, 0], queue[0, 2]
        if bound < limits.fewest_meters or bound <= 0:
            break
        size = drop_first(queue, size)
        gain = _reached(hops, meters, place, limits, wanted, search, token, True)
        token += 1
        if gain < bound:
            size = push(queue, size, -gain, place, place)
            continue
        gain = _reached(hops, meters, place, limits, wanted, search, token, False)
        token += 1
        for k in range(gain):
            one = search.order[k]
            if site[one] < 0:
                site[one] = sites
            wanted[one] -= 1
        candidate[sites] = place - meters
        sites += 1
        if limits.heard_by == 1:  # a second site may stand at the same place
            size = push(queue, size, -gain, place, place)
    return candidate[:sites].copy(), site


@kernel
def _without_spare(hops, meters, limits, candidate, site):  # type: ignore[no-untyped-def]
    """Candidates and the site of each meter, without sites whose meters others can take; those with few meters go first."""
    sites = len(candidate)
    begin = np.zeros(meters + 1, dtype=np.int64)
    for k in range(sites):
        for e in range(hops.at[meters + candidate[k]], hops.at[meters + candidate[k] + 1]):
            begin[hops.to[e] + 1] += 1
    begin = np.cumsum(begin)
    end, hearer = begin[:-1].copy(), np.empty(begin[-1], dtype=np.int64)
    members = np.zeros(sites, dtype=np.int64)
    for one in range(meters):
        if site[one] >= 0:
            members[site[one]] += 1
    for k in range(sites):
        for e in range(hops.at[meters + candidate[k]], hops.at[meters + candidate[k] + 1]):
            hearer[end[hops.to[e]]] = k
            end[hops.to[e]] += 1
    is_kept = np.ones(sites, dtype=np.bool_)
    for k in np.argsort(members, kind="mergesort"):
        moved_to = site.copy()
        room = limits.most_meters - members
        left = members[k]
        for member in np.flatnonzero(site == k):
            for h in range(begin[member], begin[member + 1]):
                other = hearer[h]
                if other != k and is_kept[other] and room[other] > 0:
                    moved_to[member] = other
                    room[other] -= 1
                    left -= 1
                    break
        if left == 0:
            site, is_kept[k] = moved_to, False
            members = limits.most_meters - room
            members[k] = 0
    number = np.cumsum(is_kept) - 1
    return candidate[is_kept], np.where(site >= 0, number[np.maximum(site, 0)], -1)


@kernel
def _grow_all(hops, meters, limits, search, found):  # type: ignore[no-untyped-def]
    """The tree of each site's network."""
    search.met[:] = -1
    for k in range(len(found.candidate)):
        if not _grow(hops, meters, k, limits.most_hops, search, found, True):
            _grow(hops, meters, k, limits.most_hops, search, found, False)


@kernel
def _grow(hops, meters, site, most_hops, search, found, by_transmissions):  # type: ignore[no-untyped-def]
    """Dijkstra's algorithm from a site over its meters, by expected transmissions, or by hops first; whether all are within the most hops."""
    heap, met, cost = search.heap, search.met, search.cost
    token = 2 * site + (0 if by_transmissions else 1)
    place = meters + found.candidate[site]
    size, deepest = 0, 0
    node, so_far, depth = place, 0.0, 0
    while True:
        for e in range(hops.at[node], hops.at[node + 1]):
            other = hops.to[e]
            if found.site[other] != site:
                continue
            reached = so_far + hops.transmissions[e]
            if met[other] == token:
                if found.hops[other] < 0:
                    continue  # its way is found
                is_worse = reached >= cost[other]
                if not by_transmissions:
                    is_worse = (depth + 1, reached) >= (search.hops[other], cost[other])
                if is_worse:
                    continue
            met[other], cost[other], search.hops[other] = token, reached, depth + 1
            search.parent[other] = node if node < meters else -1
            search.over[other] = hops.transmissions[e]
            found.hops[other] = 0
            when = np.int64(reached * _UNIT) if by_transmissions else np.int64(reached * _UNIT) + ((depth + 1) << 44)
            size = push(heap, size, when, other, other)
        node = -1
        while size > 0:
            one = heap[0, 2]
            size = drop_first(heap, size)
            if found.hops[one] >= 0:
                node = one
                break
        if node < 0:
            break
        found.hops[node] = -1 - search.hops[node]
        so_far, depth = cost[node], search.hops[node]
        deepest = max(deepest, depth)
    for one in range(meters):
        if found.site[one] == site:
            found.parent[one], found.over[one] = search.parent[one], search.over[one]
            found.expected[one], found.hops[one] = cost[one], search.hops[one]
    return deepest <= most_hops


@kernel
def _moved(hops, meters, limits, found):  # type: ignore[no-untyped-def]
    """Move meters that relay for nobody to a site where they take fewer transmissions, while there is room; whether any has moved."""
    relays = np.zeros(meters, dtype=np.int64)
    members = np.zeros(len(found.candidate), dtype=np.int64)
    for one in range(meters):
        if found.parent[one] >= 0:
            relays[found.parent[one]] += 1
        if found.site[one] >= 0:
            members[found.site[one]] += 1
    best = found.expected.copy()
    to_site, to_parent = np.full(meters, -1, dtype=np.int64), np.full(meters, -1, dtype=np.int64)
    over = np.zeros(meters)
    for k in range(len(found.candidate)):  # straight to a site
        place = meters + found.candidate[k]
        for e in range(hops.at[place], hops.at[place + 1]):
            one = hops.to[e]
            if found.site[one] >= 0 and k != found.site[one] and hops.transmissions[e] < best[one] - 1e-6:
                best[one], to_site[one], to_parent[one], over[one] = hops.transmissions[e], k, -1, hops.transmissions[e]
    if limits.most_hops > 1:
        for one in range(meters):
            if found.site[one] < 0 or relays[one] > 0:
                continue
            for e in range(hops.at[one], hops.at[one + 1]):
                other = hops.to[e]
                if found.site[other] < 0 or found.site[other] == found.site[one]:
                    continue
                reached = found.expected[other] + hops.transmissions[e]
                if found.hops[other] < limits.most_hops and reached < best[one] - 1e-6:
                    best[one], to_site[one], to_parent[one], over[one] = (
                        reached,
                        found.site[other],
                        other,
                        hops.transmissions[e],
                    )
    changed = False
    for one in range(meters):
        k, old = to_site[one], found.site[one]
        if k < 0 or relays[one] > 0 or members[k] >= limits.most_meters or members[old] <= limits.fewest_meters:
            continue
        parent = to_parent[one]
        if parent >= 0:
            if found.site[parent] != k or to_site[parent] == -2:
                continue
            relays[parent] += 1
        members[old] -= 1
        members[k] += 1
        if found.parent[one] >= 0:
            relays[found.parent[one]] -= 1
        found.site[one], found.parent[one], found.over[one] = k, parent, over[one]
        to_site[one] = -2
        changed = True
    return changed
