"""What a communication technology is: its facts in one record, and the table of all of them by name.

A technology is one file in `technologies`, found through the entry point group `heptagrid.technologies`, so that
one can live in another package.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any

import numpy as np

from heptagrid.foundation.errors import UsageError
from heptagrid.planes.messages.media import Medium

Array = Any


@dataclass(frozen=True)
class LinkBudget:
    """How the error rate of a frame grows with distance.

    sensitivity_dbm: received power at which a frame is lost with probability `reference_error`. Loss of the
    path in dB: loss_1m_db + 10 exponent log10(d) + db_per_km d / 1000. An excess margin of `waterfall_db` divides the
    error rate by ten.
    """

    sent_dbm: float
    sensitivity_dbm: float
    loss_1m_db: float
    exponent: float
    db_per_km: float = 0.0
    waterfall_db: float = 3.0
    reference_error: float = 0.1

    def margin_db(self, distance_m: Array) -> Array:
        """Received power above the sensitivity."""
        d = np.maximum(1.0, np.asarray(distance_m, dtype=np.float64))
        loss = self.loss_1m_db + 10.0 * self.exponent * np.log10(d) + self.db_per_km * d / 1000.0
        return self.sent_dbm - loss - self.sensitivity_dbm

    def frame_error(self, distance_m: Array) -> Array:
        """Probability that one frame is lost to noise, 0 to 1."""
        return self.error_at(self.margin_db(distance_m))

    def error_at(self, margin_db: Array) -> Array:
        """The same, by the margin above the sensitivity."""
        odds = (1.0 / self.reference_error - 1.0) * 10.0 ** (np.asarray(margin_db) / self.waterfall_db)
        return 1.0 / (1.0 + odds)

    def reach_m(self, margin_db: float = 0.0) -> float:
        """The distance at which the margin has fallen to `margin_db`."""
        low, high = 1.0, 1e7
        for _ in range(80):
            middle = math.sqrt(low * high)
            low, high = (middle, high) if float(self.margin_db(middle)) > margin_db else (low, middle)
        return low


@dataclass(frozen=True)
class Costs:
    """What a technology costs: per device, per site (gateway, base station, concentrator), per km of line."""

    device_capex_eur: float
    device_opex_eur_per_year: float
    site_capex_eur: float
    site_opex_eur_per_year: float
    line_capex_eur_per_km: float = 0.0


@dataclass(frozen=True)
class Technology:
    """The facts of a communication technology.

    networks: where a utility uses it, of "home", "access", "backhaul", "wan". medium: how members share it; None for a
    link of its own, full duplex. uplink_bps, downlink_bps: rates on the air or wire. layers: (protocol layer, bytes) that
    every frame carries on top of the message. payload_bytes: of the message that one frame can carry. fragments: whether
    a longer message is cut; else it is refused. delay_s: processing and scheduling of a hop on top of what
    is modelled. retries: of the link layer. ns_per_km: propagation. range_m: of a hop, or of the cell. budget: error by
    distance; None where it does not depend on it; `loss` is what is lost besides. multi_hop: members relay for each
    other. members_per_site: planned size of one network. sources: of every fact, by field. not_modelled: in words.
    """

    name: str
    title: str
    networks: tuple[str, ...]
    medium: Medium | None
    uplink_bps: float
    downlink_bps: float
    layers: tuple[tuple[str, int], ...]
    payload_bytes: int
    fragments: bool
    delay_s: float
    retries: int
    ns_per_km: float
    range_m: float
    budget: LinkBudget | None
    loss: float
    multi_hop: bool
    members_per_site: int
    costs: Costs
    sources: Mapping[str, str] = field(repr=False)
    not_modelled: str = field(repr=False)

    @property
    def header_bytes(self) -> int:
        """What every frame adds, all layers together."""
        return sum(size for _, size in self.layers)

    def airtime_s(self, message_bytes: int, *, down: bool = False) -> float:
        """Time on the air or wire of all frames of a message, without waiting, acknowledgements or repetition."""
        rate = self.downlink_bps if down else self.uplink_bps
        frames = max(1, math.ceil(message_bytes / self.payload_bytes))
        lead = self.medium.frame_s if self.medium else 0.0
        return frames * lead + 8.0 * (message_bytes + frames * self.header_bytes) / rate


NS_PER_KM_FIBRE = 4897.0
"""Speed of light over a group index of 1.468 (ITU-T G.652 fibre at 1550 nm)."""
NS_PER_KM_RADIO = 3336.0
"""Speed of light."""


@lru_cache(maxsize=1)
def technologies() -> dict[str, Technology]:
    """All known technologies by name, in alphabetical order."""
    found = [each.load() for each in entry_points(group="heptagrid.technologies")]
    return {each.name: each for each in sorted(found, key=lambda one: str(one.name))}


def technology(name: str) -> Technology:
    """The technology of that name.

    Raises
    ------
    UsageError
        If there is none; names those that there are.
    """
    known = technologies()
    if name not in known:
        raise UsageError(f"there is no technology {name!r}; those known are {', '.join(known)}")
    return known[name]
