"""Sites of an access network as a plan has them, instead of concentrators at substations and cells by a rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heptagrid.planes.messages.planning.base_stations import AccessCells, flat_m
from heptagrid.planes.messages.tables import Floats, Ints

UNSERVED = -2


@dataclass(frozen=True)
class PlannedSites:
    """Sites (sites, 2) in degrees, and of each gateway of a town its site and its next hop.

    site: (gateways,) -1 of those that no site serves. following: (gateways,) the gateway that relays, -1 for the site itself, `UNSERVED`. error:
    (gateways,) probability that noise loses a frame over that hop. margin_db: (gateways,) above the sensitivity.
    """

    degrees: Floats
    site: Ints
    following: Ints
    error: Floats
    margin_db: Floats

    def cells(self, gateway_degrees: Floats, station_degrees: Floats) -> AccessCells:
        """The sites as base stations, each behind its nearest substation; who is unserved is put to its nearest site."""
        counts = len(gateway_degrees), len(self.degrees)
        xy_m = flat_m(np.concatenate([gateway_degrees, self.degrees, station_degrees]))
        at_m, sites_m, stations_m = np.split(xy_m, np.cumsum(counts))
        of_gateway = self.site.copy()
        lost = np.flatnonzero(of_gateway < 0)
        of_gateway[lost] = _nearest(at_m[lost], sites_m)
        return AccessCells(self.degrees, _nearest(sites_m, stations_m), of_gateway)


def _nearest(at_m: Floats, others_m: Floats) -> Ints:
    far_m2 = ((at_m[:, None] - others_m[None]) ** 2).sum(axis=2)
    return np.asarray(far_m2.argmin(axis=1), dtype=np.int64)
