"""5G New Radio: broadband, and the ultra-reliable kind whose devices own their grants."""

from heptagrid.planes.messages.media import Medium
from heptagrid.planes.messages.technology import NS_PER_KM_RADIO, Costs, LinkBudget, Technology

YEAR_S = 31_557_600.0

BROADBAND = Technology(
    name="5g",
    title="5G New Radio, broadband",
    networks=("access", "backhaul", "wan"),
    medium=Medium(
        access="cellular",
        opportunity_s=0.01,
        preambles=54,
        response_s=0.005,
        back_offs=10,
        window_s=0.02,
        setup_s=0.02,
        grant_s=0.005,
        inactivity_s=10.0,
        paging_s=1.28,
    ),
    uplink_bps=50e6,
    downlink_bps=100e6,
    layers=(("SDAP, PDCP, RLC and MAC", 9), ("IPv4", 20), ("UDP", 8)),
    payload_bytes=1472,
    fragments=True,
    delay_s=0.009,
    retries=3,
    ns_per_km=NS_PER_KM_RADIO,
    range_m=500.0,
    budget=LinkBudget(sent_dbm=23.0, sensitivity_dbm=-117.0, loss_1m_db=43.3, exponent=3.5),
    loss=0.01,
    multi_hop=False,
    members_per_site=500,
    costs=Costs(100.0, 60.0, 0.0, 0.0),
    sources={
        "networks": "assumption: wherever a public cell reaches",
        "medium": "random access as in LTE (3GPP TR 37.868, source not read), an opportunity each 10 ms: assumption; set-up 20 ms: "
        "control-plane latency of ITU-R M.2410 (2017) as quoted in 5G Mobile Communications, table 9.1; grant, inactivity and paging: usual settings, assumption",
        "uplink_bps": "user-experienced rate 50 Mbit/s: ITU-R M.2410 (2017) as reported by Digital Watch",
        "downlink_bps": "user-experienced rate 100 Mbit/s: ITU-R M.2410 (2017) as reported by Digital Watch",
        "layers": "RFC 791, RFC 768; SDAP 1, PDCP 3, RLC 2, MAC 3 bytes: assumption after 3GPP TS 38.321 to 38.323 and 37.324",
        "payload_bytes": "IP MTU 1500 less 28",
        "fragments": "RLC segments",
        "delay_s": "4 ms one way on the radio (ITU-R M.2410 (2017) as quoted in 5G Mobile Communications, table 9.1); 5 ms through the core: assumption",
        "retries": "hybrid ARQ, four transmissions: assumption, as in LTE",
        "ns_per_km": "speed of light",
        "range_m": "assumption: an urban cell at 3.5 GHz",
        "budget": "23 dBm; maximum coupling loss 140 dB, as LTE: assumption; free space to 1 m at 3.5 GHz; exponent 3.5: "
        "assumption",
        "loss": "1 % left after link adaptation: assumption",
        "multi_hop": "every device speaks to the base station",
        "members_per_site": "assumption: a cell among other users",
        "costs": "assumption: module 100 EUR, subscription 5 EUR a month; the operator owns the sites",
    },
    not_modelled="other users of the cell; beams; interference from neighbouring cells",
)

URLLC = Technology(
    name="5g-urllc",
    title="5G New Radio, ultra-reliable and low latency",
    networks=("access", "backhaul", "wan"),
    medium=Medium(
        access="cellular",
        opportunity_s=0.01,
        preambles=54,
        response_s=0.005,
        back_offs=10,
        window_s=0.02,
        setup_s=0.02,
        grant_s=0.00025,
        inactivity_s=YEAR_S,
        paging_s=0.0,
    ),
    uplink_bps=10e6,
    downlink_bps=20e6,
    layers=(("SDAP, PDCP, RLC and MAC", 9), ("IPv4", 20), ("UDP", 8)),
    payload_bytes=1472,
    fragments=True,
    delay_s=0.0005,
    retries=1,
    ns_per_km=NS_PER_KM_RADIO,
    range_m=300.0,
    budget=LinkBudget(
        sent_dbm=23.0, sensitivity_dbm=-110.0, loss_1m_db=43.3, exponent=3.5, waterfall_db=1.0, reference_error=1e-5
    ),
    loss=1e-5,
    multi_hop=False,
    members_per_site=50,
    costs=Costs(300.0, 60.0, 30_000.0, 3000.0),
    sources={
        "networks": "assumption: a private network along the grid",
        "medium": "configured grant (3GPP TS 38.321, source not read): a device that has attached once owns an opportunity each "
        "0.5 ms and waits half of that; it stays connected for a year; random access as in broadband, for the first message",
        "uplink_bps": "assumption: robust coding in 20 MHz",
        "downlink_bps": "the same",
        "layers": "as in broadband",
        "payload_bytes": "IP MTU 1500 less 28; the reliability is stated for 32 bytes (ITU-R M.2410, source not read)",
        "fragments": "RLC segments",
        "delay_s": "1 ms one way on the radio (ITU-R M.2410 (2017) as quoted in 5G Mobile Communications, table 9.1), half of it in waiting and sending; the server "
        "stands at the cell: assumption",
        "retries": "assumption: one repetition fits within 1 ms",
        "ns_per_km": "speed of light",
        "range_m": "assumption: dense enough for the reliability",
        "budget": "as broadband, 7 dB less sensitive for the same power: assumption; at that power 1e-5 is lost, and errors "
        "fall fast because of diversity: assumption",
        "loss": "reliability 1 - 1e-5 within 1 ms (ITU-R M.2410 (2017) as quoted in 5G Mobile Communications, table 9.1)",
        "multi_hop": "every device speaks to the base station",
        "members_per_site": "assumption: configured grants take up their share whether used or not",
        "costs": "assumption: module 300 EUR, private cell 30,000 EUR and a tenth of that a year",
    },
    not_modelled="the capacity of the cell that configured grants take up while they are not used; redundant paths",
)
