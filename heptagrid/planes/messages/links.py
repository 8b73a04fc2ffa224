"""The three link classes of the town's communication system, as declared parameters.

An access network is one half-duplex server shared by all its members; backhaul and WAN links are full
duplex, one server per direction.
"""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.parameters import parameter

ACCESS, BACKHAUL, WAN = range(3)
CLASS_NAMES = ("access", "backhaul", "wan")

_LOSS_INFO = "probability that one transmission attempt is lost"
_RETRIES_INFO = "further attempts by the link layer after a lost one"
_DELAY_INFO = "processing and access delay on top of propagation"


@dataclass(frozen=True)
class Access:
    """The network between gateways and the data concentrator at their substation."""

    rate_bps: float = parameter(
        50_000.0,
        info="net rate of the medium that all members and both directions share",
        unit="bit/s",
        low=100.0,
        high=1e10,
        source="Wi-SUN FAN, IEEE 802.15.4g FSK mode 1: 50 kbit/s (TI SimpleLink Wi-SUN user guide, PHY table)",
    )
    delay_s: float = parameter(
        0.01,
        info=_DELAY_INFO,
        unit="s",
        low=0.0,
        high=60.0,
        source="assumption: turnaround and processing of one hop of an IEEE 802.15.4g radio",
    )
    loss: float = parameter(
        0.02,
        info=_LOSS_INFO,
        low=0.0,
        high=1.0,
        source="assumption: a planned radio mesh; RFC 8036 asks for 98 % of packets within their limit",
    )
    retries: int = parameter(
        3,
        info=_RETRIES_INFO,
        low=0,
        high=15,
        source="IEEE 802.15.4: macMaxFrameRetries default 3",
    )


@dataclass(frozen=True)
class Backhaul:
    """The links between data concentrators and the primary substation."""

    rate_bps: float = parameter(
        1_000_000.0,
        info="rate of each link, in each direction",
        unit="bit/s",
        low=100.0,
        high=1e12,
        source="LTE-M (Cat-M1) peak 1 Mbit/s up and down (AWS whitepaper Implementing LPWAN solutions)",
    )
    delay_s: float = parameter(
        0.05,
        info=_DELAY_INFO,
        unit="s",
        low=0.0,
        high=60.0,
        source="LTE-M: 50 to 100 ms quoted (Arduino Portenta Cat-M1 tutorial), the lower end",
    )
    loss: float = parameter(
        0.005, info=_LOSS_INFO, low=0.0, high=1.0, source="assumption: what hybrid ARQ leaves over on a cellular link"
    )
    retries: int = parameter(
        2, info=_RETRIES_INFO, low=0, high=15, source="assumption: retransmissions of the radio link control layer"
    )


@dataclass(frozen=True)
class Wan:
    """The links of the wide-area network: hub, operations, providers, market, plants, substations to its core."""

    rate_bps: float = parameter(
        100_000_000.0,
        info="rate of each link, in each direction",
        unit="bit/s",
        low=100.0,
        high=1e12,
        source="IEEE 802.3 100BASE-X: 100 Mbit/s",
    )
    delay_s: float = parameter(
        0.002, info=_DELAY_INFO, unit="s", low=0.0, high=60.0, source="assumption: a few routers on the way"
    )
    loss: float = parameter(
        0.0001, info=_LOSS_INFO, low=0.0, high=1.0, source="assumption: 1e-4 packet loss of a managed IP/MPLS network"
    )
    retries: int = parameter(
        0, info=_RETRIES_INFO, low=0, high=15, source="Ethernet and IP retransmit nothing by themselves"
    )
