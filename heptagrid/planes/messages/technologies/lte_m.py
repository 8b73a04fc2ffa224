"""LTE-M (Cat-M1): a narrow LTE carrier for machines, 1.4 MHz wide, half duplex."""

from heptagrid.planes.messages.media import Medium
from heptagrid.planes.messages.technology import NS_PER_KM_RADIO, Costs, LinkBudget, Technology

LTE_M = Technology(
    name="lte-m",
    title="LTE-M (Cat-M1)",
    networks=("access", "backhaul"),
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
    uplink_bps=375_000.0,
    downlink_bps=300_000.0,
    layers=(("PDCP, RLC and MAC", 6), ("IPv4", 20), ("UDP", 8)),
    payload_bytes=1472,
    fragments=True,
    delay_s=0.03,
    retries=3,
    ns_per_km=NS_PER_KM_RADIO,
    range_m=1000.0,
    budget=LinkBudget(sent_dbm=23.0, sensitivity_dbm=-118.0, loss_1m_db=31.3, exponent=3.5),
    loss=0.01,
    multi_hop=False,
    members_per_site=1000,
    costs=Costs(15.0, 12.0, 0.0, 0.0),
    sources={
        "networks": "assumption: wherever a public cell reaches",
        "medium": "3GPP TR 37.868 table 6.2.2.1.1 (preambles, opportunity, window, back-off; source not read); inactivity "
        "timer 10 s and DRX cycle 1.28 s: usual settings, assumption",
        "uplink_bps": "half duplex about 375 kbit/s (Pycom LTE documentation)",
        "downlink_bps": "half duplex about 300 kbit/s (assumption after the same)",
        "layers": "RFC 791, RFC 768; PDCP 1, RLC 2, MAC 3 bytes: assumption after 3GPP TS 36.321 to 36.323",
        "payload_bytes": "IP MTU 1500 less 28",
        "fragments": "RLC segments",
        "delay_s": "50 to 100 ms quoted in all (Arduino Portenta Cat-M1 tutorial): what is left besides set-up and grant",
        "retries": "hybrid ARQ, at most four transmissions: 3GPP TS 36.321, source not read",
        "ns_per_km": "speed of light",
        "range_m": "about 1 km urban, 10 km rural (AWS whitepaper Implementing LPWAN solutions)",
        "budget": "23 dBm; maximum coupling loss 141 dB without coverage enhancement: assumption (with it 3GPP aims at 155.7 dB for a "
        "device of 20 dBm: Coverage Analysis of LTE-M Category-M1, white paper, 2017); urban exponent 3.5: assumption",
        "loss": "first-transmission block error rate that link adaptation aims at is 10 %; 1 % left: assumption",
        "multi_hop": "every device speaks to the base station",
        "members_per_site": "assumption: a cell among other users",
        "costs": "module 15 EUR, subscription 1 EUR a month: assumption between the LoRaWAN and NB-IoT worked examples of "
        "IoT Class (2024); the operator owns the sites",
    },
    not_modelled="other users of the cell; interference from neighbouring cells",
)
