"""What a plan of sites may ask of them: the section `plan`."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.parameters import parameter

OWN = -1.0
"""The value that leaves a parameter to the technology, as 0 does where 0 would mean nothing."""


@dataclass(frozen=True)
class Parameters:
    """Where sites may stand, whom one may serve, and how radio and power-line signals fade."""

    most_transmissions: float = parameter(
        4.0,
        info="expected transmissions of a frame and its acknowledgement over one hop, at most",
        low=1.0,
        high=100.0,
        source="limit of a link in RFC 6719 (MRHOF, MAX_LINK_METRIC 512 in units of 1/128)",
    )
    most_hops: int = parameter(
        6,
        info="hops from a meter to its site at most, where meters relay for each other",
        low=1,
        high=64,
        source="assumption: each hop of a Wi-SUN mesh adds some 0.1 s to a round trip (TI SWRA714A, table 8)",
    )
    meters_per_site: int = parameter(
        0,
        info="meters that one site serves at most; 0 for the technology's own",
        low=0,
        high=1_000_000,
        source="members_per_site in the technology's file; 500 for Wi-SUN",
    )
    fewest_meters: int = parameter(
        0,
        info="meters for which a site is built at least; 0: as many as make it cheaper than a modem for each of them",
        low=0,
        high=1_000_000,
        source="present value of both by the sections telecom and business",
    )
    heard_by: int = parameter(
        1,
        info="sites that hear each meter where possible; only where meters do not relay",
        low=1,
        high=8,
        source="assumption: one; two or three where a message that one gateway loses another may hear",
    )
    poor: str = parameter(
        "modem",
        info="what becomes of meters that no site serves: each gets a cellular modem, or is left uncovered",
        choices=("modem", "uncovered"),
        source="assumption: utilities fill gaps so",
    )
    modem: str = parameter(
        "lte-m",
        info="technology of these modems",
        choices=("lte", "lte-m", "nb-iot"),
        source="assumption: one of the public networks",
    )
    candidates: str = parameter(
        "own",
        info="where sites may stand: at substations, or at every bus of the network as on poles; own: at substations "
        "for power lines, cells and gateways, at buses for radio meshes",
        choices=("own", "substations", "buses"),
        source="assumption: concentrators stand at substations, mesh collectors on poles",
    )
    spacing_m: float = parameter(
        0.0,
        info="least distance between places where a site may stand; 0 for a quarter of the technology's range",
        unit="m",
        low=0.0,
        high=100_000.0,
        source="assumption: closer places differ little",
    )
    farthest_m: float = parameter(
        0.0,
        info="distance beyond which no hop is looked for; 0 for one and a half times the technology's range",
        unit="m",
        low=0.0,
        high=100_000.0,
        source="assumption: what is farther and in reach by luck is not planned with",
    )
    shadowing_db: float = parameter(
        OWN,
        info="standard deviation of log-normal shadowing; -1 for 7.8 (radio at street level), 6 (cells and gateways), 6 (power line)",
        unit="dB",
        low=OWN,
        high=30.0,
        source="3GPP TR 38.901 table 7.4.1-1, without line of sight: street canyon 7.82, macro cell 6 (source not read); "
        "power line: assumption",
    )
    path_loss: str = parameter(
        "technology",
        info="path loss: by the technology's own budget, or Hata's formula, of cells and gateways above the roofs",
        choices=("technology", "hata"),
        source="Hata, IEEE Transactions on Vehicular Technology 29 (1980); above 1500 MHz COST 231 final report (1999), chapter 4 (sources not read)",
    )
    clutter: str = parameter(
        "suburban",
        info="surroundings, for Hata's formula",
        choices=("open", "suburban", "urban"),
        source="assumption: the town's",
    )
    frequency_mhz: float = parameter(
        868.0,
        info="carrier frequency, for Hata's formula",
        unit="MHz",
        low=150.0,
        high=2000.0,
        source="assumption: the European band of short-range devices; LTE's band 20 is near",
    )
    antenna_m: float = parameter(
        30.0,
        info="height of a site's antenna, for Hata's formula",
        unit="m",
        low=30.0,
        high=200.0,
        source="assumption: a mast; the formula holds from 30 m",
    )
    penetration_db: float = parameter(
        0.0,
        info="loss into the building where the meter hangs, on top of the path loss",
        unit="dB",
        low=0.0,
        high=60.0,
        source="assumption: none, for the technologies' exponents are of the street level; 10 to 20 dB are usual for cellars",
    )
    reading_s: float = parameter(
        900.0,
        info="time between a meter's readings, for the load of channels",
        unit="s",
        low=1.0,
        high=86_400.0 * 31,
        source="assumption: quarter hours",
    )
