"""One queue for all members of a network and both directions: nobody collides, nobody waits in vain.

No technology, but a yardstick: what a medium of that rate could do at best, if a scheduler knew everything. It was
the town's access network before the others were modelled.
"""

from heptagrid.planes.messages.media import Medium
from heptagrid.planes.messages.technology import NS_PER_KM_RADIO, Costs, Technology

SHARED_QUEUE = Technology(
    name="shared-queue",
    title="One shared queue, 50 kbit/s (a yardstick)",
    networks=("access",),
    medium=Medium(access="queue"),
    uplink_bps=50_000.0,
    downlink_bps=50_000.0,
    layers=(),
    payload_bytes=1_000_000,
    fragments=True,
    delay_s=0.01,
    retries=3,
    ns_per_km=NS_PER_KM_RADIO,
    range_m=5000.0,
    budget=None,
    loss=0.02,
    multi_hop=False,
    members_per_site=500,
    costs=Costs(12.0, 0.5, 800.0, 100.0),
    sources={
        "networks": "assumption: an access network",
        "medium": "assumption: half duplex, first come, first served",
        "uplink_bps": "Wi-SUN FAN, IEEE 802.15.4g FSK mode 1 (TI SimpleLink Wi-SUN user guide, PHY table)",
        "downlink_bps": "the same",
        "layers": "assumption: the rate is what is left for messages",
        "payload_bytes": "assumption: any",
        "fragments": "assumption: none needed",
        "delay_s": "assumption: turnaround and processing of one hop of an IEEE 802.15.4g radio",
        "retries": "IEEE 802.15.4: macMaxFrameRetries default 3",
        "ns_per_km": "speed of light",
        "range_m": "assumption: one hop to every member",
        "budget": "assumption: independent of distance",
        "loss": "assumption: a planned radio mesh; RFC 8036 asks for 98 % of packets within their limit",
        "multi_hop": "assumption: one hop",
        "members_per_site": "assumption: as the mesh that it stands for",
        "costs": "as the Wi-SUN mesh",
    },
    not_modelled="contention, hops, and everything else that makes a medium slower than its rate",
)
