"""Which members of a shared medium reach each other: no farther apart than the range, and not more than every second frame lost."""

from __future__ import annotations

import math
from collections.abc import Container
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.planes.messages.media import Medium
from heptagrid.planes.messages.tables import Floats, Ints
from heptagrid.planes.messages.technologies.lorawan import Star, star
from heptagrid.planes.messages.technology import Technology

Booleans = npt.NDArray[np.bool_]

_BLOCK = 256  # members whose distances to all others are in memory at once

WORST_ERROR = 0.5
"""A pair with a worse frame error is out of reach: as in a mesh of the town (`planes.messages.mesh`)."""


@dataclass(frozen=True)
class Reach:
    """Hops of a medium: (hops,) members at their ends, and the probability that noise loses a frame.

    is_whole: every member reaches every other, and the hops are not listed. star: of devices around a LoRaWAN gateway.
    """

    source: Ints
    destination: Ints
    error: Floats
    is_whole: bool = False
    star: Star | None = None


def reach_of(
    xy_m: Floats,
    facts: Technology | None,
    settings: Medium,
    base: int | None,
    range_m: float,
    written: Container[str],
    spreading: int | None,
) -> Reach:
    """The hops between members at `xy_m` (n, 2); with a base station those to and from it.

    The range is what the file has written, else, of members that relay, their technology's. The link budget of the technology
    counts as well, but where the file has written both range and loss; a written loss stands for the error of every hop.
    """
    count = len(xy_m)
    nobody = np.empty(0, dtype=np.int64)
    if facts is None and math.isinf(range_m) and base is None:
        return Reach(nobody, nobody, np.empty(0), is_whole=True)
    has_budget = facts is not None and facts.budget is not None
    limit_m = range_m
    if facts is not None and "range_m" not in written and base is None and (facts.multi_hop or not has_budget):
        limit_m = facts.range_m
    budget = None if facts is None else facts.budget

    def hops(at_m: Floats, devices: Star | None = None) -> tuple[Booleans, Floats]:
        """(places, members) which are in reach of each other, and the error of a frame."""
        far_m = np.hypot(*(at_m[:, None] - xy_m[None, :]).transpose(2, 0, 1))
        error = np.zeros_like(far_m)
        if devices is not None:
            error = devices.frame_error[None, :]
        elif budget is not None:
            error = np.asarray(budget.frame_error(far_m))
        near = far_m <= limit_m
        if not ("range_m" in written and "loss" in written):
            near &= error <= WORST_ERROR
        return near, np.zeros_like(far_m) if "loss" in written else error

    if base is None:
        ends: list[tuple[Ints, Ints, Floats]] = []
        for begin in range(0, count, _BLOCK):
            near, error = hops(xy_m[begin : begin + _BLOCK])
            own = np.arange(len(near))
            near[own, begin + own] = False
            a, b = np.nonzero(near)
            ends.append((begin + a, b, error[a, b]))
        sources, destinations, errors = (np.concatenate(column) for column in zip(*ends, strict=True))
        return Reach(sources, destinations, errors)
    devices = None
    if settings.access == "class-a":
        devices = star(np.hypot(*(xy_m - xy_m[base]).T), spreading)
    near, error = hops(xy_m[[base]], devices)
    near[0, base] = False
    device = np.flatnonzero(near[0])
    center = np.full(len(device), base)
    source, destination = np.concatenate([device, center]), np.concatenate([center, device])
    return Reach(source, destination, np.tile(error[0, device], 2), star=devices)
