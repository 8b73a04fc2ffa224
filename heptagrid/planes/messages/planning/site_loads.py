"""How loaded the channels of planned sites are by readings, and what each hears of its neighbours' meters.

A load is a share of time. Each reading crosses every hop of its path, and its acknowledgement comes back; each transmission counts as often as it
is expected to be sent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import prange

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.messages.access.radio import lora_airtime_ns
from heptagrid.planes.messages.planning.cover import Cover
from heptagrid.planes.messages.planning.hops import Fading, margin_db
from heptagrid.planes.messages.planning.path_loss import is_line
from heptagrid.planes.messages.tables import Floats, Ints
from heptagrid.planes.messages.technologies.lorawan import SPREADING, factors_at
from heptagrid.planes.messages.technology import Technology

_LOW = 0.05  # of a site's meters have less than the margin that is told
_OFTEN = 0.01  # of the time the level of neighbours is exceeded that is told
_LOWEST_DB, _LEVELS = -100, 300  # powers above the sensitivity in steps of 1 dB


@dataclass(frozen=True)
class SiteLoads:
    """Loads by readings, (sites,) each.

    own: of each of the site's channels, by all its meters. radio: of the site's own radio, by the last hops, where meters relay; else as own.
    neighbours: of each channel, by what is heard of other sites' meters. margin_db: received power of the site's weakest meters (a twentieth
    have less) above what of neighbours' meters is exceeded there for a hundredth of the time, less the ratio that captures; infinite
    where they send less. spreading: (meters,) LoRaWAN factor, 0 of others.
    """

    own: Floats
    radio: Floats
    neighbours: Floats
    margin_db: Floats
    spreading: Ints


def site_loads(
    xy_m: Floats,
    ids: Ints,
    place: Ints,
    found: Cover,
    margin: Floats,
    facts: Technology,
    fade: Fading,
    reading_s: float,
    reading_bytes: tuple[int, int],
) -> SiteLoads:
    """Loads by a reading of each meter every `reading_s`."""
    medium = facts.medium
    assert medium is not None
    served = np.flatnonzero(found.site >= 0)
    spreading = np.zeros(len(found.site), dtype=np.int64)
    if medium.access == "class-a":
        spreading[served] = factors_at(margin[served])
    airtime_s = _airtime_s(facts, spreading, reading_bytes)
    per_hop = found.over * airtime_s * _carried(found) / reading_s
    own, radio = np.zeros(len(place)), np.zeros(len(place))
    np.add.at(own, found.site[served], per_hop[served])
    last = served[found.parent[served] < 0]
    np.add.at(radio, found.site[last], per_hop[last])
    own /= medium.channels
    neighbours, level_db = np.zeros(len(place)), np.full(len(place), -np.inf)
    if not is_line(facts):
        _overheard(xy_m, ids, place, found.site, per_hop / medium.channels, fade, neighbours, level_db)
    return SiteLoads(
        own=own,
        radio=radio if facts.multi_hop else own,
        neighbours=neighbours,
        margin_db=_margins_db(found, margin, level_db, medium.capture_db),
        spreading=spreading,
    )


def _airtime_s(facts: Technology, spreading: Ints, reading_bytes: tuple[int, int]) -> Floats:
    """(meters,) time on the air of a reading and its acknowledgement over one hop, with what the link layer answers."""
    up, down = reading_bytes
    medium = facts.medium
    assert medium is not None
    if medium.access != "class-a":
        frames = sum(-(-size // facts.payload_bytes) for size in reading_bytes)
        both_s = facts.airtime_s(up) + facts.airtime_s(down, down=True) + frames * medium.ack_s
        return np.full(len(spreading), both_s)
    found = np.zeros(len(spreading))
    for factor, row in SPREADING.items():
        whole, rest = divmod(up, row.payload_bytes)
        sizes = [row.payload_bytes] * whole + [rest] * (rest > 0)
        found[spreading == factor] = 1e-9 * sum(
            lora_airtime_ns(size + facts.header_bytes, factor, False) for size in sizes
        )
    return found


def _carried(found: Cover) -> Ints:
    """(meters,) readings that each meter's hop carries: its own and those that it relays."""
    carried = (found.site >= 0).astype(np.int64)
    for depth in range(int(found.hops.max(initial=0)), 1, -1):
        at = np.flatnonzero((found.hops == depth) & (found.site >= 0))
        np.add.at(carried, found.parent[at], carried[at])
    return carried


def _margins_db(found: Cover, margin: Floats, level_db: Floats, capture_db: float) -> Floats:
    """(sites,) margin of the weakest last hops above a level of the neighbours; both are above the sensitivity."""
    above = np.full(len(level_db), np.inf)
    needed_db = capture_db if np.isfinite(capture_db) else 0.0
    last = np.flatnonzero((found.site >= 0) & (found.parent < 0))
    order = last[np.lexsort((margin[last], found.site[last]))]
    starts = np.searchsorted(found.site[order], np.arange(len(level_db) + 1))
    for k in np.flatnonzero(np.isfinite(level_db) & (np.diff(starts) > 0)).tolist():
        weakest = order[starts[k] + int(_LOW * (starts[k + 1] - starts[k]))]
        above[k] = margin[weakest] - level_db[k] - needed_db
    return above


@kernel(parallel=True)
def _overheard(xy_m, ids, place, site, share, fade, neighbours, level_db):  # type: ignore[no-untyped-def]
    """For each site the time that others' meters are heard, and the power above the sensitivity that they exceed for `_OFTEN` of it."""
    for k in prange(len(place)):
        of_level = np.zeros(_LEVELS)
        for one in range(len(site)):
            if site[one] < 0 or site[one] == k or share[one] == 0.0:
                continue
            x, y = xy_m[place[k], 0] - xy_m[one, 0], xy_m[place[k], 1] - xy_m[one, 1]
            margin = margin_db(fade, np.sqrt(x * x + y * y), ids[place[k]], ids[one])
            of_level[min(_LEVELS - 1, max(0, int(margin) - _LOWEST_DB))] += share[one]
        so_far = 0.0
        for level in range(_LEVELS - 1, 0, -1):
            before = so_far
            so_far += of_level[level]
            if before <= _OFTEN < so_far:
                level_db[k] = level + _LOWEST_DB
            if level + _LOWEST_DB >= 0:
                neighbours[k] = so_far
