"""NB-IoT: a cellular carrier 180 kHz wide, half duplex, that reaches into cellars by saying everything often."""

from dataclasses import replace

from heptagrid.planes.messages.media import Medium
from heptagrid.planes.messages.technology import NS_PER_KM_RADIO, Costs, LinkBudget, Technology

MEDIUM = Medium(
    access="cellular",
    opportunity_s=0.16,
    preambles=48,
    response_s=0.04,
    back_offs=10,
    window_s=2.048,
    setup_s=0.5,
    grant_s=0.1,
    inactivity_s=10.0,
    paging_s=20.48,
    channels=12,
)

NB_IOT = Technology(
    name="nb-iot",
    title="NB-IoT (Cat-NB1), normal coverage",
    networks=("access", "backhaul"),
    medium=MEDIUM,
    uplink_bps=20_000.0,
    downlink_bps=25_000.0,
    layers=(("PDCP, RLC and MAC", 6), ("IPv4", 20), ("UDP", 8)),
    payload_bytes=1572,
    fragments=True,
    delay_s=0.1,
    retries=3,
    ns_per_km=NS_PER_KM_RADIO,
    range_m=1200.0,
    budget=LinkBudget(sent_dbm=23.0, sensitivity_dbm=-121.0, loss_1m_db=31.3, exponent=3.5),
    loss=0.01,
    multi_hop=False,
    members_per_site=2000,
    costs=Costs(20.0, 18.0, 0.0, 0.0),
    sources={
        "networks": "assumption: meters, and concentrators that send little",
        "medium": "48 subcarriers and a period of 40 to 2560 ms are among the values of the standard (RRC field values in "
        "OpenAirInterface and in a vendor's API); 160 ms, ten attempts, back-off up to 2.048 s, response after 40 ms, set-up "
        "0.5 s, grant 0.1 s, inactivity 10 s: assumption; extended paging cycle 20.48 s: least of 3GPP TS 24.008, source not read",
        "uplink_bps": "60 kbit/s peak (RFC 8376, draft text); one tone of 15 kHz about 20 kbit/s, of which a carrier has twelve side by "
        "side (3GPP TS 36.211, source not read)",
        "downlink_bps": "30 kbit/s peak (RFC 8376, draft text) less control: assumption",
        "layers": "RFC 791, RFC 768; PDCP 1, RLC 2, MAC 3 bytes: assumption after 3GPP TS 36.321 to 36.323",
        "payload_bytes": "MTU 1600 (RFC 8376, draft text) less 28",
        "fragments": "RLC segments",
        "delay_s": "assumption: scheduling gaps of half duplex, and the core",
        "retries": "hybrid ARQ, at most four transmissions: 3GPP TS 36.321, source not read",
        "ns_per_km": "speed of light",
        "range_m": "assumption: 144 dB coupling loss in a town",
        "budget": "23 dBm; coverage class 0 ends at a coupling loss of 144 dB (3GPP TR 45.820, source not read); urban exponent "
        "3.5: assumption",
        "loss": "1 % left after link adaptation: assumption",
        "multi_hop": "every device speaks to the base station",
        "members_per_site": "about 55,000 devices a cell possible (RFC 8376, draft text); 2000 planned: assumption",
        "costs": "device 20 EUR, 1.50 EUR a month (worked example of IoT Class, 2024; Mekki et al. 2019 give more than 20 EUR, "
        "source not read); the operator owns the sites",
    },
    not_modelled="other users of the carrier; several coverage classes in one cell: here each class is a technology "
    "of its own; power saving, in which a sleeping device hears no paging: that is the technology "
    "`nb-iot-power-saving`",
)

NB_IOT_EXTENDED = replace(
    NB_IOT,
    name="nb-iot-extended",
    title="NB-IoT (Cat-NB1), extended coverage",
    medium=replace(MEDIUM, opportunity_s=0.64, preambles=12, response_s=0.5, setup_s=4.0, grant_s=1.0),
    uplink_bps=20_000.0 / 64.0,
    downlink_bps=25_000.0 / 32.0,
    range_m=4000.0,
    budget=LinkBudget(sent_dbm=23.0, sensitivity_dbm=-141.0, loss_1m_db=31.3, exponent=3.5),
    members_per_site=500,
    sources=dict(NB_IOT.sources)
    | {
        "medium": "periods, subcarriers and 1 to 128 preamble repetitions are among the values of the standard (RRC field "
        "values in public code); 640 ms, 12 subcarriers, response 0.5 s, set-up 4 s, grant 1 s: assumption; an uplink report "
        "within 10 s at 164 dB is the design target (RFC 8376, draft text)",
        "uplink_bps": "64 repetitions (at most 128: 3GPP TS 36.213, source not read): assumption",
        "downlink_bps": "32 repetitions (at most 2048: IoT Class, NB-IoT and LTE-M compared): assumption",
        "range_m": "assumption: 164 dB coupling loss in a town",
        "budget": "maximum coupling loss 164 dB (RFC 8376, draft text); urban exponent 3.5: assumption",
        "members_per_site": "assumption: the few that cannot be reached otherwise",
    },
)

NB_IOT_POWER_SAVING = replace(
    NB_IOT,
    name="nb-iot-power-saving",
    title="NB-IoT (Cat-NB1), normal coverage, power saving mode",
    medium=replace(MEDIUM, paging_s=10.24, active_s=20.0),
    sources=dict(NB_IOT.sources)
    | {
        "medium": f"{NB_IOT.sources['medium'].rpartition(';')[0]}; paging each 10.24 s for 20 s after a connection (timer T3324), then "
        "none until the device has sent something or, once a day, tells where it is (timer T3412): 3GPP TS 23.682 and 24.008, source not read; the "
        "lengths are an assumption",
    },
    not_modelled="other users of the carrier; several coverage classes in one cell: here each class is a technology "
    "of its own; that the network sends what waits for a sleeping device as soon as it has woken: here it is sent at "
    "the next paging occasion, up to 10 s later",
)
