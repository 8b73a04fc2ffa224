"""Broadband power line (IEEE 1901, HomePlug AV): OFDM above 1.8 MHz in the home or on the low-voltage line."""

from heptagrid.planes.messages.media import Medium
from heptagrid.planes.messages.technology import Costs, LinkBudget, Technology

SLOT_S = 35.84e-6
DELIMITER_S = 110.48e-6

BUDGET = LinkBudget(sent_dbm=19.0, sensitivity_dbm=-26.0, loss_1m_db=20.0, exponent=0.0, db_per_km=150.0)

BROADBAND_PLC = Technology(
    name="bpl",
    title="Broadband power line (IEEE 1901)",
    networks=("home", "access"),
    medium=Medium(
        access="dcf",
        slot_s=SLOT_S,
        exponents=(3, 6),
        turnaround_s=140e-6,
        ack_s=DELIMITER_S,
        gap_s=100e-6 + 2 * SLOT_S,
        collision_gap_s=140e-6 + DELIMITER_S,
        frame_s=DELIMITER_S,
        sense_m=BUDGET.reach_m(),
        interfere_m=BUDGET.reach_m(),
    ),
    uplink_bps=50e6,
    downlink_bps=50e6,
    layers=(("IEEE 1901 frame and blocks", 24), ("Ethernet header", 14), ("IPv4", 20), ("UDP", 8)),
    payload_bytes=1472,
    fragments=True,
    delay_s=0.003,
    retries=7,
    ns_per_km=6000.0,
    range_m=150.0,
    budget=BUDGET,
    loss=0.01,
    multi_hop=True,
    members_per_site=60,
    costs=Costs(35.0, 1.0, 900.0, 90.0),
    sources={
        "networks": "IEEE 1901-2010, scope, source not read",
        "medium": "slot 35.84 us, contention space 100 us, response space 140 us (table of IFS values of HomePlug AV, reproduced "
        "in a Zyxel PLA-470 guide); two priority slots and a delimiter of 110.48 us, windows of 8 to 64 slots: source not read; a "
        "station senses and disturbs as far as its budget reaches (167 m): who needs a repeater cannot be heard",
        "uplink_bps": "HomePlug AV 200 Mbit/s PHY (white paper, source not read); a quarter of it at the range: assumption",
        "downlink_bps": "the same: one half-duplex medium",
        "layers": "assumption: MAC frame header, block headers and checksums; IEEE 802.3, RFC 791, RFC 768",
        "payload_bytes": "IP MTU 1500 less 28",
        "fragments": "IPv4, RFC 791",
        "delay_s": "assumption: aggregation in the sender and forwarding",
        "retries": "assumption: as in 802.11",
        "ns_per_km": "assumption: half the speed of light in a cable",
        "range_m": "assumption: beyond it a repeater helps",
        "budget": "-55 dBm/Hz in 26 MHz, noise -105 dBm/Hz, 5 dB above it, 20 dB of coupling, 150 dB/km near 10 MHz: assumption",
        "loss": "assumption: impulsive noise; bad blocks are repeated selectively",
        "multi_hop": "assumption: stations repeat on the low-voltage line",
        "members_per_site": "assumption: the customers that one head end serves",
        "costs": "assumption: modem 35 EUR, head end 900 EUR and a tenth a year; the line is there",
    },
    not_modelled="the deferral counter, which widens the window without a collision; time division; frame aggregation",
)
