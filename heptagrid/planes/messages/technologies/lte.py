"""LTE: mobile broadband of a public operator; Cat-1 for machines that send little, Cat-4 for gateways."""

from dataclasses import replace

from heptagrid.planes.messages.media import Medium
from heptagrid.planes.messages.technology import NS_PER_KM_RADIO, Costs, LinkBudget, Technology

LTE = Technology(
    name="lte",
    title="LTE Cat-1",
    networks=("access", "backhaul", "wan"),
    medium=Medium(
        access="cellular",
        opportunity_s=0.005,
        preambles=54,
        response_s=0.005,
        back_offs=10,
        window_s=0.02,
        setup_s=0.05,
        grant_s=0.01,
        inactivity_s=10.0,
        paging_s=1.28,
    ),
    uplink_bps=5_160_000.0,
    downlink_bps=10_296_000.0,
    layers=(("PDCP, RLC and MAC", 6), ("IPv4", 20), ("UDP", 8)),
    payload_bytes=1472,
    fragments=True,
    delay_s=0.015,
    retries=3,
    ns_per_km=NS_PER_KM_RADIO,
    range_m=1000.0,
    budget=LinkBudget(sent_dbm=23.0, sensitivity_dbm=-117.0, loss_1m_db=31.3, exponent=3.5),
    loss=0.01,
    multi_hop=False,
    members_per_site=500,
    costs=Costs(25.0, 24.0, 0.0, 0.0),
    sources={
        "networks": "assumption: wherever a public cell reaches",
        "medium": "3GPP TR 37.868 table 6.2.2.1.1 (preambles, opportunity, window, back-off; source not read); idle to active "
        "below 0.1 s (3GPP TR 25.913, source not read): 50 ms besides the preamble; grant one request and answer, inactivity "
        "timer 10 s and DRX cycle 1.28 s: usual settings, assumption",
        "uplink_bps": "Cat-1 peak 5.160 Mbit/s (category table after 3GPP TS 36.306)",
        "downlink_bps": "Cat-1 peak 10.296 Mbit/s (the same)",
        "layers": "RFC 791, RFC 768; PDCP 1, RLC 2, MAC 3 bytes: assumption after 3GPP TS 36.321 to 36.323",
        "payload_bytes": "IP MTU 1500 less 28",
        "fragments": "RLC segments",
        "delay_s": "5 ms one way on the radio (3GPP TR 25.913, source not read); 10 ms through the core: assumption",
        "retries": "hybrid ARQ, at most four transmissions: 3GPP TS 36.321, source not read",
        "ns_per_km": "speed of light",
        "range_m": "assumption: an urban cell, as for LTE-M (AWS whitepaper Implementing LPWAN solutions: about 1 km)",
        "budget": "23 dBm; maximum coupling loss 140 dB, source not read; urban exponent 3.5: assumption",
        "loss": "first-transmission block error rate that link adaptation aims at is 10 %; 1 % left: assumption",
        "multi_hop": "every device speaks to the base station",
        "members_per_site": "assumption: a cell among other users",
        "costs": "assumption: module 25 EUR, subscription 2 EUR a month; the operator owns the sites",
    },
    not_modelled="other users of the cell; that one random-access response can grant only so many preambles; "
    "interference from neighbouring cells; rates below the peak far from the mast",
)

LTE_CAT_4 = replace(
    LTE,
    name="lte-cat-4",
    title="LTE Cat-4",
    networks=("backhaul", "wan"),
    uplink_bps=51_024_000.0,
    downlink_bps=150_752_000.0,
    members_per_site=100,
    costs=Costs(45.0, 60.0, 0.0, 0.0),
    sources=dict(LTE.sources)
    | {
        "uplink_bps": "Cat-4 peak 51.024 Mbit/s (category table after 3GPP TS 36.306)",
        "downlink_bps": "Cat-4 peak 150.752 Mbit/s (the same)",
        "costs": "assumption: module 45 EUR, subscription 5 EUR a month; the operator owns the sites",
    },
)
