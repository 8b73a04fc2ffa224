"""Wi-SUN field area network: an IEEE 802.15.4g mesh in the sub-gigahertz band, at three rates."""

from dataclasses import replace

from heptagrid.planes.messages.media import Medium
from heptagrid.planes.messages.technology import NS_PER_KM_RADIO, Costs, LinkBudget, Technology

WI_SUN_50K = Technology(
    name="wi-sun-50k",
    title="Wi-SUN mesh, 50 kbit/s",
    networks=("access",),
    medium=Medium(
        access="csma-ca",
        slot_s=0.00113,
        exponents=(3, 5),
        back_offs=19,
        sense_s=0.00016,
        turnaround_s=0.001,
        ack_s=0.0048,
        ack_wait_s=0.008,
        gap_s=0.001,
        frame_s=0.00192,
        channels=69,
        dwell_s=0.255,
        broadcast_interval_s=1.02,
        broadcast_dwell_s=0.255,
        stack_s=0.109,
        sense_m=600.0,
        interfere_m=600.0,
        capture_db=10.0,
        path_exponent=3.5,
    ),
    uplink_bps=50_000.0,
    downlink_bps=50_000.0,
    layers=(("802.15.4 MAC with security", 37), ("6LoWPAN", 10), ("UDP, compressed", 4)),
    payload_bytes=1280,
    fragments=True,
    delay_s=0.005,
    retries=19,
    ns_per_km=NS_PER_KM_RADIO,
    range_m=300.0,
    budget=LinkBudget(sent_dbm=14.0, sensitivity_dbm=-104.0, loss_1m_db=31.2, exponent=3.5),
    loss=0.005,
    multi_hop=True,
    members_per_site=500,
    costs=Costs(12.0, 0.5, 800.0, 100.0),
    sources={
        "networks": "field area network: Wi-SUN FAN profile, source not read",
        "medium": "macMinBE 3, macMaxBE 5 (Arm's Wi-SUN stack, mac_mlme.c); turnaround 1 ms (IEEE 802.15.4-2015, source not read); 20 looks as that stack takes in five rounds (ws_config.h); back-off period "
        "= turnaround + 8 symbols of sensing: assumption after its clause 10.2.8; 69 channels of 100 kHz in 863 to 870 MHz: Wi-SUN FAN profile, source not read; capture "
        "10 dB: assumption; unicast dwell 255 ms, broadcast interval 1020 ms, broadcast dwell 255 ms: the defaults of TI's SDK "
        "(ti_wisunfan_network_config.syscfg.js) and of Arm's Wi-SUN stack (ws_config.h); no unicast frame into the broadcast dwell: Arm's "
        "fhss_ws.c; stack 109 ms a message: half of what the measured round trip of one hop, 373 ms (TI SWRA714A table 8), takes "
        "beyond the 155 ms of this model without it. Hops 2 to 5 of that table are then a test: see validation",
        "uplink_bps": "IEEE 802.15.4g FSK mode 1 (TI SimpleLink Wi-SUN user guide, PHY table)",
        "downlink_bps": "the same",
        "layers": "assumption: frame control, sequence, two 8-byte addresses, security and information elements; RFC 6282",
        "payload_bytes": "PHY payload 2047 bytes carries a 1280-byte IPv6 packet whole (RFC 8036 section 7.2.2)",
        "fragments": "6LoWPAN, RFC 4944",
        "delay_s": "assumption: forwarding in a relay",
        "retries": "Wi-SUN asks for at least 19 (Arm's Wi-SUN stack, ws_config.h)",
        "ns_per_km": "speed of light",
        "range_m": "assumption: street level with 14 dBm in a suburb",
        "budget": "ERC recommendation 70-03: 25 mW; sensitivity of common transceivers at 50 kbit/s about -104 dBm: "
        "assumption; exponent 3.5 at street level: assumption",
        "loss": "assumption: impulsive noise",
        "multi_hop": "mesh routing with RPL, Wi-SUN FAN profile, source not read",
        "members_per_site": "assumption: some hundred meters a border router",
        "costs": "module 12 EUR, border router 800 EUR: assumptions beside the LoRaWAN worked example of IoT Class (2024)",
    },
    not_modelled="interference from neighbouring meshes and from other users of the band; broadcasts; the mesh's "
    "own messages for routing and joining; source-routing headers, which grow with the number of hops; that Arm's "
    "stack sends and receives in alternating slots",
)

WI_SUN_150K = replace(
    WI_SUN_50K,
    name="wi-sun-150k",
    title="Wi-SUN mesh, 150 kbit/s",
    uplink_bps=150_000.0,
    downlink_bps=150_000.0,
    medium=replace(WI_SUN_50K.medium, ack_s=0.0016, ack_wait_s=0.005, frame_s=0.00064, channels=35),  # type: ignore[type-var]
    range_m=230.0,
    budget=replace(WI_SUN_50K.budget, sensitivity_dbm=-100.0),  # type: ignore[type-var]
    sources=dict(WI_SUN_50K.sources)
    | {
        "uplink_bps": "IEEE 802.15.4g FSK mode 3 (TI SimpleLink Wi-SUN user guide, PHY table)",
        "range_m": "assumption: 4 dB less sensitive than at 50 kbit/s",
    },
)

WI_SUN_300K = replace(
    WI_SUN_50K,
    name="wi-sun-300k",
    title="Wi-SUN mesh, 300 kbit/s",
    uplink_bps=300_000.0,
    downlink_bps=300_000.0,
    medium=replace(WI_SUN_50K.medium, ack_s=0.0008, ack_wait_s=0.004, frame_s=0.00032, channels=17),  # type: ignore[type-var]
    range_m=190.0,
    budget=replace(WI_SUN_50K.budget, sensitivity_dbm=-97.0),  # type: ignore[type-var]
    sources=dict(WI_SUN_50K.sources)
    | {
        "uplink_bps": "IEEE 802.15.4g FSK mode 5 (TI SimpleLink Wi-SUN user guide, PHY table)",
        "range_m": "assumption: 7 dB less sensitive than at 50 kbit/s",
    },
)
