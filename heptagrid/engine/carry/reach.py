"""Which members of a shared medium reach each other: no farther apart than the range, and not more than every second frame lost."""

from __future__ import annotations

import math
from collections.abc import Container
from dataclasses import dataclass

import numpy as np

from heptagrid.planes.messages.media import Medium
from heptagrid.planes.messages.tables import Floats, Ints
from heptagrid.planes.messages.technologies.lorawan import Star, star
from heptagrid.planes.messages.technology import Technology

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
    at_m = xy_m[[base]] if base is not None else xy_m
    far_m = np.hypot(*(at_m[:, None] - xy_m[None, :]).transpose(2, 0, 1))
    devices = star(far_m[0], spreading) if settings.access == "class-a" else None
    error = np.zeros_like(far_m)
    if devices is not None:
        error = devices.frame_error[None, :]
    elif facts is not None and facts.budget is not None:
        error = np.asarray(facts.budget.frame_error(far_m))
    near = far_m <= limit_m
    if not ("range_m" in written and "loss" in written):
        near &= error <= WORST_ERROR
    if "loss" in written:
        error = np.zeros_like(far_m)
    if base is None:
        near &= ~np.eye(count, dtype=bool)
        a, b = np.nonzero(near)
        return Reach(a, b, error[a, b])
    near[0, base] = False
    device = np.flatnonzero(near[0])
    center = np.full(len(device), base)
    source, destination = np.concatenate([device, center]), np.concatenate([center, device])
    return Reach(source, destination, np.tile(error[0, device], 2), star=devices)
