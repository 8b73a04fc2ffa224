"""G3-PLC (ITU-T G.9903): narrow-band OFDM on the low-voltage line, a mesh with CSMA/CA, in two frequency bands."""

from dataclasses import replace

from heptagrid.planes.messages.media import Medium
from heptagrid.planes.messages.technology import Costs, LinkBudget, Technology

SYMBOL_S = 0.000695
LEAD_S = 9.5 * 0.00064 + 13 * SYMBOL_S
"""Preamble and frame control header; an acknowledgement is nothing else."""
FCC_SYMBOL_S = 0.000232
FCC_LEAD_S = 9.5 * 0.000213 + 13 * FCC_SYMBOL_S

BUDGET = LinkBudget(sent_dbm=23.0, sensitivity_dbm=-34.0, loss_1m_db=20.0, exponent=0.0, db_per_km=60.0)
FCC_BUDGET = LinkBudget(sent_dbm=23.0, sensitivity_dbm=-44.0, loss_1m_db=20.0, exponent=0.0, db_per_km=110.0)

MEDIUM = Medium(
    access="csma-ca",
    slot_s=2 * SYMBOL_S,
    exponents=(3, 8),
    back_offs=50,
    sense_s=SYMBOL_S,
    turnaround_s=SYMBOL_S,
    ack_s=7 * SYMBOL_S + LEAD_S,
    ack_wait_s=16 * SYMBOL_S + LEAD_S,
    gap_s=8 * SYMBOL_S,
    frame_s=LEAD_S,
    sense_m=BUDGET.reach_m(),
    interfere_m=BUDGET.reach_m(),
)

G3_PLC = Technology(
    name="g3-plc",
    title="G3-PLC, CENELEC A band",
    networks=("access",),
    medium=MEDIUM,
    uplink_bps=24_300.0,
    downlink_bps=24_300.0,
    layers=(("MAC with security", 24), ("6LoWPAN mesh, header and fragment", 17), ("UDP, compressed", 4)),
    payload_bytes=379,
    fragments=True,
    delay_s=0.02,
    retries=5,
    ns_per_km=6000.0,
    range_m=500.0,
    budget=BUDGET,
    loss=0.01,
    multi_hop=True,
    members_per_site=150,
    costs=Costs(8.0, 0.0, 800.0, 80.0),
    sources={
        "networks": "meters to the data concentrator at their substation (RFC 8036)",
        "medium": "symbol 695 us, preamble 9.5 symbols of 640 us, frame control 13 symbols, slot 2, both spaces 8 symbols (ST "
        "G3-PLC driver headers hi_mac_constants.h and PHY constants); macMinBE 3, macMaxBE 8, 50 back-offs (Microchip G3 MAC "
        "documentation); slot = sensing + turnaround: assumption; the response space stands in ack_s but for one symbol; a station "
        "senses and disturbs as far as its budget reaches (617 m): who needs a relay cannot be heard",
        "uplink_bps": "36 subcarriers, DBPSK, code rate 1/2 and Reed-Solomon 239/255 (source not read) each 695 us; up to "
        "44 kbit/s with D8PSK (Microchip MPLAB Harmony G3 stack)",
        "downlink_bps": "the same: one half-duplex medium",
        "layers": "IEEE 802.15.4 header with short addresses, segment control, security and checksum: assumption; RFC 6282, "
        "RFC 4944 and RFC 9354",
        "payload_bytes": "MAC payload 400 (RFC 9354 section 3.3; ST headers) less 21",
        "fragments": "6LoWPAN, RFC 4944",
        "delay_s": "assumption: forwarding in a relay",
        "retries": "macMaxFrameRetries 5 (Microchip G3 MAC documentation)",
        "ns_per_km": "assumption: half the speed of light in a cable",
        "range_m": "assumption: beyond it a relay helps",
        "budget": "1 V into 5 ohms (120 dBuV, EN 50065-1, source not read), 60 dBuV of noise in the band, 3 dB above it, 20 dB of "
        "coupling: assumption; 40 to 100 dB/km with taps on low-voltage lines below 95 kHz (Hooijen 1998, source not read)",
        "loss": "assumption: impulsive noise that repetition does not help against",
        "multi_hop": "mesh routing with LOADng, ITU-T G.9903, source not read",
        "members_per_site": "assumption: the customers of a European substation",
        "costs": "assumption: modem 8 EUR in the meter, concentrator 800 EUR and a tenth a year; the line is there",
    },
    not_modelled="the processing time of host and protocol stack at both ends; noise that follows the mains period; "
    "tone maps that adapt to the channel; the two contention windows, one for urgent and one for other frames; "
    "interference from neighbouring substations",
)

G3_PLC_FCC = replace(
    G3_PLC,
    name="g3-plc-fcc",
    title="G3-PLC, FCC band",
    medium=replace(
        MEDIUM,
        slot_s=2 * FCC_SYMBOL_S,
        sense_s=FCC_SYMBOL_S,
        turnaround_s=FCC_SYMBOL_S,
        ack_s=9 * FCC_SYMBOL_S + FCC_LEAD_S,
        ack_wait_s=20 * FCC_SYMBOL_S + FCC_LEAD_S,
        gap_s=10 * FCC_SYMBOL_S,
        frame_s=FCC_LEAD_S,
        sense_m=FCC_BUDGET.reach_m(),
        interfere_m=FCC_BUDGET.reach_m(),
    ),
    uplink_bps=145_000.0,
    downlink_bps=145_000.0,
    range_m=350.0,
    budget=FCC_BUDGET,
    sources=dict(G3_PLC.sources)
    | {
        "medium": "symbol 232 us, preamble 9.5 symbols of 213 us, frame control 13 symbols, slot 2, both spaces 10 symbols (ST "
        "G3-PLC driver headers); the rest as in CENELEC A; the budget reaches 427 m",
        "uplink_bps": "72 subcarriers (ST headers), DBPSK, code rate 1/2 and Reed-Solomon 239/255 (source not read) each 232 us; up to "
        "280 kbit/s (Microchip MPLAB Harmony G3 stack)",
        "range_m": "assumption: a line loses more at higher frequencies",
        "budget": "10 dB less noise and nearly twice the loss of CENELEC A: assumption",
    },
)
