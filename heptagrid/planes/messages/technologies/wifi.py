"""Wi-Fi (IEEE 802.11a and g): OFDM at 20 MHz in the home, stations that count down slots."""

from dataclasses import replace

from heptagrid.planes.messages.media import DCF_OFDM
from heptagrid.planes.messages.technology import NS_PER_KM_RADIO, Costs, LinkBudget, Technology

BUDGET = LinkBudget(sent_dbm=20.0, sensitivity_dbm=-74.0, loss_1m_db=40.0, exponent=3.5)
HEARD_M = replace(BUDGET, sensitivity_dbm=-82.0).reach_m()

WIFI = Technology(
    name="wi-fi",
    title="Wi-Fi (IEEE 802.11g at 24 Mbit/s)",
    networks=("home",),
    medium=replace(DCF_OFDM, ack_s=28e-6, collision_gap_s=44e-6, sense_m=HEARD_M, interfere_m=HEARD_M),
    uplink_bps=24e6,
    downlink_bps=24e6,
    layers=(("802.11 header and checksum", 30), ("CCMP", 16), ("LLC", 8), ("IPv4", 20), ("UDP", 8)),
    payload_bytes=1472,
    fragments=True,
    delay_s=0.001,
    retries=7,
    ns_per_km=NS_PER_KM_RADIO,
    range_m=30.0,
    budget=BUDGET,
    loss=0.01,
    multi_hop=False,
    members_per_site=10,
    costs=Costs(5.0, 0.0, 60.0, 5.0),
    sources={
        "networks": "assumption: the home; the street is out of its range",
        "medium": "slot 9 us, SIFS 16 us, DIFS 34 us, 16 to 1024 slots (ns-3 wifi-standard-constants.h, Bianchi11a.m, "
        "wifi-mac.cc); an acknowledgement of 14 bytes at 24 Mbit/s takes 28 us: computed; a station senses a preamble of -82 dBm "
        "(ns-3 threshold-preamble-detection-model.h) as far as 59 m by the budget, and disturbs so far: assumption",
        "uplink_bps": "6 to 54 Mbit/s (ns-3 wifi-bianchi.cc); 24 Mbit/s, the highest mandatory rate: assumption",
        "downlink_bps": "the same: one half-duplex medium",
        "layers": "IEEE 802.11: header 26 with quality of service, checksum 4, CCMP 16, LLC 8, source not read; RFC 791, RFC 768",
        "payload_bytes": "IP MTU 1500 less 28 (MSDU at most 2304: ns-3 wifi-standard-constants.h)",
        "fragments": "IPv4, RFC 791",
        "delay_s": "assumption: forwarding in the access point",
        "retries": "dot11ShortRetryLimit default 7 (Microsoft, OID_DOT11_SHORT_RETRY_LIMIT)",
        "ns_per_km": "speed of light",
        "range_m": "assumption: through a few walls",
        "budget": "100 mW at 2.4 GHz (ETSI EN 300 328 V2.2.2 as summarised by testxchange); least sensitivity at 24 Mbit/s -74 dBm (IEEE 802.11 clause "
        "17, source not read); indoor exponent 3.5: assumption",
        "loss": "assumption: microwave ovens and neighbours",
        "multi_hop": "stations speak to the access point",
        "members_per_site": "assumption: the devices of a household",
        "costs": "assumption: module 5 EUR, access point 60 EUR; most homes have one",
    },
    not_modelled="RTS and CTS; neighbours on the same channel; rate adaptation; traffic that is not the grid's; sleeping stations",
)
