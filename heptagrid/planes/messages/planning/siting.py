"""Plans the sites of an access network: where collectors, gateways or base stations stand, whom each serves, and how loaded their channels are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heptagrid.foundation.errors import UsageError
from heptagrid.planes.messages.planning.cover import Cover, Limits, cover
from heptagrid.planes.messages.planning.hops import (
    Fading,
    Hops,
    fading,
    hops_over_air,
    hops_over_lines,
    margins_over_air,
    margins_over_lines,
)
from heptagrid.planes.messages.planning.path_loss import budget_of, is_line, shadowing_db
from heptagrid.planes.messages.planning.section import Parameters
from heptagrid.planes.messages.planning.site_loads import SiteLoads, site_loads
from heptagrid.planes.messages.tables import Floats, Ints
from heptagrid.planes.messages.technologies.lorawan import star_at
from heptagrid.planes.messages.technology import LinkBudget, Technology, technologies

FARTHEST = 1.5
"""Of a technology's range, where no more is said."""


@dataclass(frozen=True)
class Lines:
    """The low-voltage lines as a forest: (nodes,) parent, -1 at a substation, parents first; metres to the root, and the root; (places,) node of each."""

    parent: Ints
    depth_m: Floats
    root: Ints
    node: Ints


@dataclass(frozen=True)
class Places:
    """Meters, then places where a site may stand: (places, 2) metres, (places,) ids that no others of the city have; `meters` of them.

    lines: what signals on power lines travel along.
    """

    xy_m: Floats
    ids: Ints
    meters: int
    lines: Lines


@dataclass(frozen=True)
class SitePlan:
    """Sites and what they serve.

    place: (sites,) of `places`. error: (meters,) probability that a frame is lost over the hop to the parent. margin_db: (meters,) of that hop
    above the sensitivity. heard: (meters,) sites that hear each.
    """

    facts: Technology
    budget: LinkBudget
    fade: Fading
    places: Places
    cover: Cover
    place: Ints
    error: Floats
    margin_db: Floats
    heard: Ints
    loads: SiteLoads

    @property
    def served(self) -> Ints:
        """The meters that a site serves."""
        return np.flatnonzero(self.cover.site >= 0)

    @property
    def unserved(self) -> Ints:
        """Those that none does."""
        return np.flatnonzero(self.cover.site < 0)

    @property
    def meters_of(self) -> Ints:
        """(sites,) meters that each serves."""
        return np.bincount(self.cover.site[self.served], minlength=len(self.place))


def plannable() -> dict[str, Technology]:
    """Technologies whose sites can be planned: for access, on a shared medium, with a budget."""
    return {
        name: one
        for name, one in technologies().items()
        if "access" in one.networks and one.medium is not None and one.budget is not None
    }


def planned_technology(name: str) -> Technology:
    """The technology of a plan.

    Raises
    ------
    UsageError
        For one that is unknown, or has no sites to be planned.
    """
    known = plannable()
    if name in known:
        return known[name]
    what = "has no reach by which sites could be planned" if name in technologies() else "is unknown"
    raise UsageError(f"technology {name!r} {what}; a plan takes {', '.join(known)}")


def plan_sites(
    places: Places, facts: Technology, given: Parameters, fewest_meters: int, reading_bytes: tuple[int, int], seed: int
) -> SitePlan:
    """Plan the sites for a technology. reading_bytes: of a reading and of its acknowledgement, on the wire."""
    assert facts.medium is not None
    budget = budget_of(facts, given)
    fade = fading(budget, shadowing_db(facts, given), given.most_transmissions, seed)
    farthest_m = given.farthest_m or FARTHEST * facts.range_m
    hops = _hops(places, facts, fade, farthest_m)
    limits = Limits(
        most_hops=given.most_hops if facts.multi_hop else 1,
        most_meters=given.meters_per_site or facts.members_per_site,
        fewest_meters=max(1, fewest_meters),
        heard_by=1 if facts.multi_hop else given.heard_by,
    )
    found = cover(hops, places.meters, limits)
    place = places.meters + found.candidate
    served = np.flatnonzero(found.site >= 0)
    to = np.where(found.parent[served] >= 0, found.parent[served], place[found.site[served]])
    margin_db, error = np.zeros(places.meters), np.zeros(places.meters)
    margin_db[served] = _margins_db(places, facts, fade, served, to)
    own = star_at(margin_db[served]).frame_error if facts.medium.access == "class-a" else None
    error[served] = budget.error_at(margin_db[served]) if own is None else own
    return SitePlan(
        facts=facts,
        budget=budget,
        fade=fade,
        places=places,
        cover=found,
        place=place,
        error=error,
        margin_db=margin_db,
        heard=_heard(hops, place, places.meters),
        loads=site_loads(places.xy_m, places.ids, place, found, margin_db, facts, fade, given.reading_s, reading_bytes),
    )


def _hops(places: Places, facts: Technology, fade: Fading, farthest_m: float) -> Hops:
    if not is_line(facts):
        return hops_over_air(places.xy_m, places.ids, places.meters, facts.multi_hop, farthest_m, fade)
    lines = places.lines
    return hops_over_lines(
        lines.parent, lines.depth_m, lines.root, lines.node, places.ids, places.meters, farthest_m, fade
    )


def _margins_db(places: Places, facts: Technology, fade: Fading, ones: Ints, others: Ints) -> Floats:
    if is_line(facts):
        lines = places.lines
        found = margins_over_lines(lines.parent, lines.depth_m, lines.node, places.ids, ones, others, fade)
    else:
        found = margins_over_air(places.xy_m, places.ids, ones, others, fade)
    return np.asarray(found)


def _heard(hops: Hops, place: Ints, meters: int) -> Ints:
    """(meters,) sites at different places that hear each."""
    heard = np.zeros(meters, dtype=np.int64)
    for one in np.unique(place).tolist():
        heard[hops.to[hops.at[one] : hops.at[one + 1]]] += 1
    return heard
