"""Ethernet over single-mode fibre: a link of its own, full duplex, at a gigabit or a tenth of it."""

from dataclasses import replace

from heptagrid.planes.messages.technology import NS_PER_KM_FIBRE, Costs, LinkBudget, Technology

FIBRE = Technology(
    name="fibre",
    title="Gigabit Ethernet over fibre (1000BASE-LX10)",
    networks=("access", "backhaul", "wan"),
    medium=None,
    uplink_bps=1e9,
    downlink_bps=1e9,
    layers=(("Ethernet preamble and gap", 20), ("Ethernet header and checksum", 18), ("IPv4", 20), ("UDP", 8)),
    payload_bytes=1472,
    fragments=True,
    delay_s=20e-6,
    retries=0,
    ns_per_km=NS_PER_KM_FIBRE,
    range_m=10_000.0,
    budget=LinkBudget(
        sent_dbm=-9.0,
        sensitivity_dbm=-19.5,
        loss_1m_db=2.0,
        exponent=0.0,
        db_per_km=0.4,
        waterfall_db=0.5,
        reference_error=1.2e-8,
    ),
    loss=1e-6,
    multi_hop=False,
    members_per_site=24,
    costs=Costs(150.0, 10.0, 1500.0, 150.0, 49_300.0),
    sources={
        "networks": "assumption: where a utility lays fibre",
        "medium": "full duplex, switched: IEEE 802.3",
        "uplink_bps": "IEEE 802.3 clauses 38 and 59, source not read",
        "downlink_bps": "the same",
        "layers": "IEEE 802.3 clause 3: preamble 8, gap 12, header 14, checksum 4 (source not read); RFC 791, RFC 768",
        "payload_bytes": "IP MTU 1500 less 28",
        "fragments": "IPv4, RFC 791",
        "delay_s": "assumption: store and forward in two switches",
        "retries": "Ethernet sends nothing again",
        "ns_per_km": "group index 1.468, ITU-T G.652 fibre, source not read",
        "range_m": "1000BASE-LX 5 km, 1000BASE-LX10 10 km: IEEE 802.3 clauses 38 and 59, source not read",
        "budget": "1000BASE-LX10 launches at least -9 dBm and receives -19.5 dBm at a bit error rate of 1e-12, a frame of "
        "12,000 bits then 1.2e-8 (IEEE 802.3 clause 59, source not read); 0.4 dB/km at 1310 nm and 2 dB of connectors: assumption",
        "loss": "assumption: a switch drops a packet in a million",
        "multi_hop": "a link joins two places",
        "members_per_site": "assumption: a switch with 24 ports",
        "costs": "line: 16.25 USD per foot underground, median of 2023 (Fiber Broadband Association and Cartesian, Fiber "
        "Deployment Cost Annual Report 2023) at 0.925 EUR per USD; transceiver 150 EUR, switch 1500 EUR, a tenth of each a "
        "year: assumption",
    },
    not_modelled="protection switching; that fibres to several places can share a cable and its trench: each is "
    "paid for its whole length",
)

ETHERNET_100M = replace(
    FIBRE,
    name="ethernet-100m",
    title="Fast Ethernet over fibre (100BASE-LX10)",
    uplink_bps=1e8,
    downlink_bps=1e8,
    budget=LinkBudget(
        sent_dbm=-15.0,
        sensitivity_dbm=-25.0,
        loss_1m_db=2.0,
        exponent=0.0,
        db_per_km=0.4,
        waterfall_db=0.5,
        reference_error=1.2e-8,
    ),
    costs=Costs(80.0, 8.0, 800.0, 80.0, 49_300.0),
    sources=dict(FIBRE.sources)
    | {
        "uplink_bps": "IEEE 802.3 clauses 25 and 58, source not read",
        "range_m": "10 km of 100BASE-LX (the same, table 10-35); over copper (100BASE-TX) 100 m",
        "budget": "100BASE-LX10 launches at least -15 dBm and receives -25 dBm (IEEE 802.3 as quoted in Alcatel-Lucent's 1850 TSS-5 specifications, tables 10-33 and 10-34); fibre and "
        "connectors as at a gigabit",
        "costs": "line as at a gigabit; transceiver 80 EUR, switch 800 EUR, a tenth of each a year: assumption",
    },
)
