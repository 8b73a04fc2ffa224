"""Where base stations and gateways of a technology stand, and whom each serves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.planes.messages.tables import Floats, Ints
from heptagrid.planes.messages.technology import Technology

EARTH_RADIUS_M = 6371000.0
REACH = 0.7
"""Part of its range at which what a base station is planned for may lie: assumption, so that cells overlap."""


@dataclass(frozen=True)
class AccessCells:
    """Base stations of the access networks: (sites, 2) degrees, (sites,) their substations, (gateways,) the site of each."""

    degrees: Floats
    station: Ints
    of_gateway: Ints


def access_cells(
    gateway_degrees: Floats, gateway_concentrator: Ints, concentrator_degrees: Floats, facts: Technology
) -> AccessCells:
    """Base stations at substations, and at gateways that lie beyond the range of all these; none without base stations.

    Who lies beyond the range of its substation's base station takes the nearest one in range. Of those that have none the
    first gets one, which serves its nearest neighbours too.
    """
    load = np.bincount(gateway_concentrator, minlength=len(concentrator_degrees))
    stands, cell_of = place_cells(load, concentrator_degrees, facts)
    site_of = cell_of[gateway_concentrator]
    if not len(stands):
        return AccessCells(np.empty((0, 2)), stands, site_of)
    xy_m = flat_m(np.concatenate([gateway_degrees, concentrator_degrees]))
    at_m, sites_m = xy_m[: len(gateway_degrees)], xy_m[len(gateway_degrees) :][stands]
    beyond = np.flatnonzero(np.hypot(*(at_m - sites_m[site_of]).T) > facts.range_m)
    far_m = np.hypot(*(at_m[beyond, np.newaxis] - sites_m).transpose(2, 0, 1))
    site_of[beyond] = far_m.argmin(axis=1)
    beyond = beyond[far_m.min(axis=1) > facts.range_m]
    new, new_of = place_cells(np.ones(len(beyond)), gateway_degrees[beyond], facts)
    site_of[beyond] = len(stands) + new_of
    return AccessCells(
        np.concatenate([concentrator_degrees[stands], gateway_degrees[beyond[new]]]),
        np.concatenate([stands, gateway_concentrator[beyond[new]]]),
        site_of,
    )


def place_cells(load: npt.ArrayLike, degrees: Floats, facts: Technology) -> tuple[Ints, Ints]:
    """At which of the places base stations stand, and the cell of each place; none without base stations.

    Greedy: the first place without a cell gets one, and with it its nearest neighbours in reach while there is room for
    their load.
    """
    cell_of = np.full(len(degrees), -1, dtype=np.int64)
    if facts.medium is None or not facts.medium.has_base or not len(degrees):
        return np.empty(0, dtype=np.int64), cell_of
    weight = np.asarray(load)
    xy_m = flat_m(degrees)
    stands: list[int] = []
    for k in range(len(degrees)):
        if cell_of[k] >= 0:
            continue
        far_m = np.hypot(*(xy_m - xy_m[k]).T)
        near = np.flatnonzero((cell_of < 0) & (far_m <= REACH * facts.range_m))
        near = near[np.argsort(far_m[near], kind="stable")]
        fits = np.cumsum(weight[near]) <= max(facts.members_per_site, weight[k])
        cell_of[near[fits]] = len(stands)
        stands.append(k)
    return np.array(stands, dtype=np.int64), cell_of


def flat_m(degrees: Floats) -> Floats:
    """Metres east and north of the first point's surroundings; a town is flat."""
    middle = np.radians(degrees.mean(axis=0))
    east = np.radians(degrees[:, 0]) - middle[0]
    north = np.radians(degrees[:, 1]) - middle[1]
    return EARTH_RADIUS_M * np.column_stack([east * np.cos(middle[1]), north])
