"""Which technology suits which application: verdicts of the literature against those of a simulated neighbourhood.

One row for each verdict; 1 is met, 0 is missed. Where the two differ, `Verdict.why` says for what reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from heptagrid.contracts.requirements import requirement
from heptagrid.studies.neighbourhood import outcome
from heptagrid.validate.case import Finding, case

KUZLU = "Kuzlu, Pipattanasomporn and Rahman, Computer Networks 67, 2014 (source not read)"
SENDIN = "Sendin, Peña and Angueira, Energies 7(4), 2014 (abstract read)"
MEKKI = "Mekki et al., ICT Express 5(1), 2019 (source not read)"
AMI = "RFC 8036 sections 4.2 and 7 (class read; that meshes of 802.15.4g carry it, source not read)"
LULEA = "Energies 18(16) 4387, 2025 (abstract read): 5G takes 8.5 ms on average"
CIGRE = "CIGRE D2-11436, 2026 (summary read): private 5G stays above what fast protection asks for"
PROTECTION = "RFC 8578 section 3.1 (read): 5 ms one way; public networks offer no such thing (source not read)"


@dataclass(frozen=True)
class Verdict:
    """What the literature says of an application over a technology. why: the reason where ours differs."""

    application: str
    technology: str
    suits: bool
    source: str
    why: str = ""


LITERATURE = (
    Verdict("home automation", "wi-fi", True, KUZLU),
    Verdict("home automation", "ieee-802.15.4", True, KUZLU),
    Verdict("recurrent meter reading", "wi-sun-50k", True, AMI),
    Verdict("alarms and emergency messages", "wi-sun-50k", True, AMI),
    Verdict("Volt/VAR command", "wi-sun-50k", True, KUZLU),
    Verdict("recurrent meter reading", "g3-plc", True, SENDIN),
    Verdict("recurrent meter reading", "prime", True, SENDIN),
    Verdict(
        "Volt/VAR command",
        "g3-plc",
        False,
        "common view, source not read: narrow-band power line reads meters, and is too slow and uncertain for automation at scale; but "
        "Energies 8(12), 2015 (abstract read) shows remote control over it",
        "Every home is one hop from its substation: distance is as the crow flies, the noise does not follow the mains period, and "
        "no concentrator polls its meters one after another. Real commands wait behind polls and relays.",
    ),
    Verdict("Volt/VAR command", "lorawan", False, MEKKI),
    Verdict("direct load control", "lorawan", False, MEKKI),
    Verdict(
        "recurrent meter reading",
        "lorawan",
        True,
        MEKKI,
        "Each reading here is acknowledged and carries a signature and DTLS, 96 bytes: 496 bytes are three frames, sent once each. "
        "The gateway may speak 1 % of the time in first windows, a twelfth of what the acknowledgements need, and those of 116 bytes do "
        "not fit the second window's frames of 51; so most are dropped, and meters repeat what has arrived and collide. Operators send 20 to 50 bytes, unacknowledged: so sent, 96 to 98 % of the readings of 500 meters reach one gateway "
        "here, which tests hold.",
    ),
    Verdict("recurrent meter reading", "nb-iot", True, MEKKI),
    Verdict(
        "Volt/VAR command",
        "nb-iot",
        False,
        "RFC 8376 (draft text read): reports within 10 s; paging cycles of 20 s and more (source not read)",
    ),
    Verdict("distribution monitoring", "lte", True, KUZLU),
    Verdict("Volt/VAR command", "lte", True, KUZLU),
    Verdict(
        "FLISR peer or central control",
        "satellite-geo",
        False,
        "physics: 0.24 s up and down, against 80 ms of RFC 8578",
    ),
    Verdict("meter reading bulk transfer", "satellite-geo", True, KUZLU),
    Verdict("current differential protection", "fibre", True, "usual practice of teleprotection (source not read)"),
    Verdict(
        "current differential protection",
        "mpls",
        True,
        "RFC 8578: utilities migrate teleprotection to it (source not read)",
    ),
    Verdict("current differential protection", "lte", False, PROTECTION),
    Verdict("current differential protection", "nb-iot", False, PROTECTION),
    Verdict("current differential protection", "5g", False, LULEA),
    Verdict(
        "current differential protection",
        "5g-urllc",
        False,
        CIGRE,
        "The record is what ITU-R M.2410 asks of ultra-reliable 5G, 1 ms with one loss in 100,000, with the server at the cell and "
        "each device holding its grant. Networks that are built today do not come to that; set messages.*.delay_s to what yours does.",
    ),
)


@case("verdicts", plane="messages", kind="band", source="published verdicts; see docs/verdicts.md")
def verdicts(live: bool) -> Iterator[Finding]:
    """Each verdict of the literature, and ours."""
    for one in LITERATURE:
        ours = outcome(requirement(one.application), one.technology)
        quantity = f"{one.application} over {one.technology}"
        yield Finding(quantity, float(one.suits), float(ours.met), 0.0, source=one.source)
