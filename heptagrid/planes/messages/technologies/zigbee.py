"""IEEE 802.15.4 at 2.4 GHz, as ZigBee uses it in the home: 250 kbit/s, unslotted CSMA/CA, a small mesh."""

from dataclasses import replace

from heptagrid.planes.messages.media import IEEE_802_15_4
from heptagrid.planes.messages.technology import NS_PER_KM_RADIO, Costs, LinkBudget, Technology

ZIGBEE = Technology(
    name="ieee-802.15.4",
    title="IEEE 802.15.4 at 2.4 GHz (ZigBee)",
    networks=("home",),
    medium=replace(IEEE_802_15_4, frame_s=192e-6, sense_m=60.0, interfere_m=60.0, capture_db=3.0, path_exponent=3.5),
    uplink_bps=250_000.0,
    downlink_bps=250_000.0,
    layers=(
        ("802.15.4 MAC", 11),
        ("ZigBee network layer", 8),
        ("ZigBee security", 18),
        ("ZigBee application layer", 8),
    ),
    payload_bytes=82,
    fragments=True,
    delay_s=0.002,
    retries=3,
    ns_per_km=NS_PER_KM_RADIO,
    range_m=30.0,
    budget=LinkBudget(sent_dbm=4.0, sensitivity_dbm=-95.0, loss_1m_db=40.0, exponent=3.5),
    loss=0.01,
    multi_hop=True,
    members_per_site=20,
    costs=Costs(4.0, 0.0, 40.0, 2.0),
    sources={
        "networks": "IEEE 802.15.4-2006, scope",
        "medium": "back-off period 320 us, turnaround 192 us, macMinBE 3, macMaxBE 5, 4 back-offs, acknowledgement wait 864 us, "
        "preamble 12 symbols with length (ns-3 lr-wpan constants); sensing 8 symbols, source not read; reach twice the range, "
        "capture 3 dB: assumption",
        "uplink_bps": "62,500 symbols of 4 bits a second (ns-3 lr-wpan-phy.cc)",
        "downlink_bps": "the same: one half-duplex medium",
        "layers": "802.15.4 header 9 with short addresses, checksum 2; network 8, security 14 and 4, application 8: ZigBee "
        "specification, source not read",
        "payload_bytes": "PSDU 127 (ns-3 lr-wpan-constants.h) less 45",
        "fragments": "ZigBee application layer, source not read",
        "delay_s": "assumption: forwarding in a router",
        "retries": "macMaxFrameRetries default 3 (ns-3 lr-wpan-mac.cc)",
        "ns_per_km": "speed of light",
        "range_m": "assumption: through a few walls",
        "budget": "4 dBm and -95 dBm: common transceivers, assumption (the standard asks for -85 dBm, source not read); indoor "
        "exponent 3.5: assumption",
        "loss": "assumption: Wi-Fi in the same band",
        "multi_hop": "ZigBee routers relay, source not read",
        "members_per_site": "assumption: the devices of a household",
        "costs": "assumption: module 4 EUR, gateway 40 EUR",
    },
    not_modelled="the processing time of host and protocol stack at both ends; interference from Wi-Fi beyond the "
    "fixed loss; route discovery; sleeping devices that poll for their messages",
)
