"""A link class of the network as it is built: a technology with the scenario's changes on top."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.planes.messages.links import OWN, Access, Backhaul, Wan
from heptagrid.planes.messages.technology import Technology, technology


@dataclass(frozen=True)
class LinkClass:
    """A link class as it is built: its technology with the scenario's changes."""

    number: int
    facts: Technology
    rate_bps: float
    down_bps: float
    delay_ns: int
    loss: float
    retries: int
    queue_packets: int


def class_of(number: int, given: Access | Backhaul | Wan) -> LinkClass:
    """A technology with the scenario's changes on top."""
    facts = technology(given.technology)
    own = 1.0 if given.rate_bps == 0.0 else given.rate_bps / facts.uplink_bps
    return LinkClass(
        number=number,
        facts=facts,
        rate_bps=facts.uplink_bps * own,
        down_bps=facts.downlink_bps * own,
        delay_ns=round((facts.delay_s + given.delay_s) * 1e9),
        loss=1.0 - (1.0 - facts.loss) * (1.0 - given.loss),
        retries=facts.retries if given.retries == OWN else given.retries,
        queue_packets=-1 if isinstance(given, Wan) else given.queue_packets,
    )
