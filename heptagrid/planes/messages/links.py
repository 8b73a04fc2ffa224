"""The three link classes of the town's communication system, as declared parameters.

Each class is of one technology; the other parameters change what that technology's facts say, or add to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.parameters import parameter
from heptagrid.planes.messages.technology import technologies

ACCESS, BACKHAUL, WAN = range(3)
CLASS_NAMES = ("access", "backhaul", "wan")

OWN = -1
"""The value of a parameter that leaves the technology's own."""

_FACTS = "its file in planes/messages/technologies names the source of each fact"


def _technology(default: str, network: str, info: str) -> str:
    names = tuple(name for name, each in technologies().items() if network in each.networks)
    chosen: str = parameter(default, info=info, choices=names, source=f"assumption: usual there; {_FACTS}")
    return chosen


def _rate() -> float:
    rate: float = parameter(
        0.0,
        info="rate on the air or wire; 0 for the technology's own",
        unit="bit/s",
        low=0.0,
        high=1e12,
        least=1.0,
        source=_FACTS,
    )
    return rate


def _delay() -> float:
    delay: float = parameter(
        0.0,
        info="delay of every hop on top of the technology's own",
        unit="s",
        low=0.0,
        high=86400.0,
        source="assumption: none",
    )
    return delay


def _loss() -> float:
    loss: float = parameter(
        0.0,
        info="probability that one transmission attempt is lost, on top of the technology's own errors and collisions",
        low=0.0,
        high=1.0,
        source="assumption: none",
    )
    return loss


def _retries() -> int:
    retries: int = parameter(
        OWN,
        info="further attempts by the link layer after a lost one; -1 for the technology's own",
        low=-1,
        high=15,
        source=_FACTS,
    )
    return retries


def _queue() -> int:
    queue: int = parameter(
        1000,
        info="messages that wait at a sender; what finds no room is dropped",
        low=0,
        high=10**6,
        source="assumption: some hundred kilobytes of memory",
    )
    return queue


@dataclass(frozen=True)
class Access:
    """The network between gateways and the data concentrator at their substation, or the cell that replaces it."""

    technology: str = _technology("wi-sun-50k", "access", "technology of the access networks")
    rate_bps: float = _rate()
    delay_s: float = _delay()
    loss: float = _loss()
    retries: int = _retries()
    queue_packets: int = _queue()
    plan: str = parameter(
        "",
        info="folder of a plan for this technology, such as myplan/wi-sun-50k: its sites, whom each serves, and over which hops; none: concentrators at substations, cells by a rule",
        source="assumption: none; heptagrid plan --out writes one",
    )
    last_gasp_s: float = parameter(
        60.0,
        info="how long a meter without supply can still send, its hold-off included",
        unit="s",
        low=0.0,
        high=3600.0,
        source="assumption: a supercapacitor; RFC 8036 section 4.2 counts outage messages among the most urgent",
    )
    reparent_s: float = parameter(
        60.0,
        info="how long after a relay has died, or is back, the members of its mesh have chosen their parents anew",
        unit="s",
        low=0.0,
        high=86400.0,
        source="assumption: some missed keep-alives and a repair of the RPL tree (RFC 6550); it differs by minutes",
    )


@dataclass(frozen=True)
class Backhaul:
    """The links between data concentrators and the primary substation."""

    technology: str = _technology(
        "lte", "backhaul", "technology of the links between concentrators and the primary substation"
    )
    rate_bps: float = _rate()
    delay_s: float = _delay()
    loss: float = _loss()
    retries: int = _retries()
    queue_packets: int = _queue()
    battery_s: float = parameter(
        14400.0,
        info="how long a concentrator runs without supply",
        unit="s",
        low=0.0,
        high=1e7,
        source="assumption: a small battery of four hours",
    )


@dataclass(frozen=True)
class Wan:
    """The links of the wide-area network: hub, operations, providers, market, plants, substations to its core."""

    technology: str = _technology("mpls", "wan", "technology of the wide-area network")
    rate_bps: float = _rate()
    delay_s: float = _delay()
    loss: float = _loss()
    retries: int = _retries()
    failover_s: float = parameter(
        0.05,
        info="how long after a cut traffic takes the way over the second router",
        unit="s",
        low=0.0,
        high=86400.0,
        source="MPLS fast reroute, RFC 4090: tens of milliseconds; 50 ms as SONET rings: assumption",
    )
