"""PRIME (ITU-T G.9904): narrow-band OFDM on the low-voltage line, a tree of switches below one base node."""

from heptagrid.planes.messages.media import Medium
from heptagrid.planes.messages.technology import Costs, LinkBudget, Technology

SYMBOL_S = 0.00224
LEAD_S = 0.002048 + 2 * SYMBOL_S

BUDGET = LinkBudget(sent_dbm=23.0, sensitivity_dbm=-35.0, loss_1m_db=20.0, exponent=0.0, db_per_km=65.0)

PRIME = Technology(
    name="prime",
    title="PRIME 1.3.6, CENELEC A band",
    networks=("access",),
    medium=Medium(
        access="csma-ca",
        slot_s=SYMBOL_S,
        exponents=(3, 6),
        back_offs=5,
        sense_s=0.001,
        turnaround_s=0.001,
        ack_s=LEAD_S + SYMBOL_S,
        ack_wait_s=0.001 + LEAD_S + 2 * SYMBOL_S,
        gap_s=SYMBOL_S,
        frame_s=LEAD_S,
        sense_m=BUDGET.reach_m(),
        interfere_m=BUDGET.reach_m(),
    ),
    uplink_bps=21_400.0,
    downlink_bps=21_400.0,
    layers=(("MAC header and packet header", 9), ("checksum", 4), ("IEC 61334-4-32 convergence", 3)),
    payload_bytes=256,
    fragments=True,
    delay_s=0.02,
    retries=3,
    ns_per_km=6000.0,
    range_m=450.0,
    budget=BUDGET,
    loss=0.01,
    multi_hop=True,
    members_per_site=150,
    costs=Costs(7.0, 0.0, 800.0, 80.0),
    sources={
        "networks": "meters to the base node at their substation",
        "medium": "symbol 2.24 ms, preamble 2.048 ms, header two symbols, five attempts to send (PRIME specification 1.3.6, source "
        "not read; the parameter names in Microchip's header mac_pib.h); back-off range, sensing and turnaround: assumption; a "
        "station senses and disturbs as far as its budget reaches (585 m): who needs a switch cannot be heard",
        "uplink_bps": "DBPSK with coding (PRIME specification 1.3.6, table of rates, source not read)",
        "downlink_bps": "the same: one half-duplex medium",
        "layers": "generic header 3, packet header 6, checksum 4 (PRIME specification 1.3.6, source not read); convergence: assumption",
        "payload_bytes": "63 symbols of 48 bits hold 378 bytes (source not read); 256 used: assumption",
        "fragments": "segmentation and reassembly of the convergence layer, source not read",
        "delay_s": "assumption: forwarding in a switch",
        "retries": "assumption: window of the automatic repeat request",
        "ns_per_km": "assumption: half the speed of light in a cable",
        "range_m": "assumption: beyond it a switch helps",
        "budget": "as G3-PLC in the same band; 42 to 89 kHz lies higher in it, so 65 dB/km: assumption",
        "loss": "assumption: impulsive noise; one code alone, without the Reed-Solomon code of G3-PLC",
        "multi_hop": "service nodes become switches, PRIME specification 1.3.6, source not read",
        "members_per_site": "assumption: the customers of a European substation",
        "costs": "assumption: modem 7 EUR in the meter, base node 800 EUR and a tenth a year; the line is there",
    },
    not_modelled="the processing time of host and protocol stack at both ends; beacons and the contention-free "
    "period; acknowledgements from end to end of a connection: here each hop acknowledges; noise that follows the "
    "mains period",
)
