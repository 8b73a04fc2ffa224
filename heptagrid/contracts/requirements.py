"""What the applications of a grid ask of communication: size, rate, latency and reliability, as published.

A reliability is the share of messages that must arrive within the latency. RFC 8578 gives the availability of a path
beside its packet loss; here the share is one less the loss. Where a document gives a range, the least demanding
latency and reliability and the largest payload stand here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.beside import begin
from heptagrid.foundation.domains import Kind
from heptagrid.foundation.errors import UsageError

PRIORITIES = ("protection", "control", "telemetry", "price", "metering", "bulk")
"""Classes of messages, most urgent first, as the requirement tables order them; an acknowledgement has its message's."""

SURVEY = "Kuzlu, Pipattanasomporn and Rahman 2014 (Computer Networks 67), table of the network"
AMI = "RFC 8036 (2017) section 4.2 class "
UTILITY = "RFC 8578 (2019) section 3.1 table "
DEPARTMENT = "US DOE 2010, Communications requirements of smart grid technologies, summary table"


@dataclass(frozen=True)
class Requirement:
    """What one application asks for.

    sender, receiver: domains. payload_bytes: of a message. per_day: messages that one sender sends a day, for the
    load; an event's is an assumption. latency_s: of a message that counts as in time. reliability: share of messages
    that must be. priority: of `PRIORITIES`, ours. network: HAN (home), NAN (neighbourhood) or WAN. read: whether the
    figures were read in the source; if not, the document that is named could not be read. assumed: the fields that the source does not give as a number.
    """

    application: str
    sender: str
    receiver: str
    payload_bytes: int
    per_day: float
    latency_s: float
    reliability: float
    priority: str
    network: str
    source: str
    read: bool
    assumed: tuple[str, ...]

    @property
    def priority_class(self) -> int:
        """Where the priority stands in `PRIORITIES`; 0 first."""
        return PRIORITIES.index(self.priority)

    @property
    def interval_s(self) -> float:
        """Mean time between two messages of a sender."""
        return 86_400.0 / self.per_day


_ROWS = (
    Requirement(
        "home automation", "customers", "customers", 100, 96.0, 10.0, 0.98, "telemetry", "HAN",
        SURVEY, False, ("per_day", "latency_s"),
    ),
    Requirement(
        "meter reading on demand", "customers", "operations", 100, 0.1, 15.0, 0.98, "metering", "NAN",
        SURVEY, False, ("per_day",),
    ),
    Requirement(
        "meter reading scheduled interval", "customers", "operations", 2400, 6.0, 14400.0, 0.98, "metering", "NAN",
        SURVEY, False, (),
    ),
    Requirement(
        "meter reading bulk transfer", "operations", "operations", 1_000_000, 4.0, 3600.0, 0.995, "bulk", "NAN",
        SURVEY, False, ("payload_bytes", "per_day"),
    ),
    Requirement(
        "pricing TOU broadcast", "operations", "customers", 100, 4 / 365.25, 60.0, 0.98, "price", "NAN",
        SURVEY, False, (),
    ),
    Requirement(
        "pricing RTP broadcast", "operations", "customers", 100, 6.0, 60.0, 0.98, "price", "NAN",
        SURVEY, False, (),
    ),
    Requirement(
        "pricing CPP broadcast", "operations", "customers", 100, 2 / 365.25, 60.0, 0.98, "price", "NAN",
        SURVEY, False, (),
    ),
    Requirement(
        "electric service prepayment", "operations", "customers", 150, 25 / 30, 30.0, 0.98, "metering", "NAN",
        SURVEY, False, (),
    ),
    Requirement(
        "direct load control", "operations", "customers", 100, 1.0, 60.0, 0.995, "control", "NAN",
        SURVEY, False, ("per_day",),
    ),
    Requirement(
        "service switch operation", "operations", "customers", 25, 0.002, 60.0, 0.98, "control", "NAN",
        SURVEY, False, (),
    ),
    Requirement(
        "distribution monitoring", "distribution", "operations", 1000, 24.0, 5.0, 0.995, "telemetry", "NAN",
        SURVEY, False, (),
    ),
    Requirement(
        "Volt/VAR command", "operations", "distribution", 250, 2.0, 5.0, 0.995, "control", "NAN",
        SURVEY, False, (),
    ),
    Requirement(
        "distribution demand response command", "operations", "distribution", 250, 12.0, 4.0, 0.995, "control", "NAN",
        SURVEY, False, ("per_day",),
    ),
    Requirement(
        "FLISR command", "operations", "distribution", 25, 0.01, 5.0, 0.995, "control", "NAN",
        SURVEY, False, ("per_day",),
    ),
    Requirement(
        "outage and restoration", "customers", "operations", 25, 0.005, 20.0, 0.98, "telemetry", "NAN",
        SURVEY, False, ("per_day",),
    ),
    Requirement(
        "customer storage command", "operations", "customers", 25, 6.0, 5.0, 0.995, "control", "NAN",
        SURVEY, False, (),
    ),
    Requirement(
        "vehicle charging price", "operations", "customers", 255, 0.5, 15.0, 0.98, "price", "NAN",
        SURVEY, False, (),
    ),
    Requirement(
        "vehicle charge status", "customers", "operations", 100, 4.0, 15.0, 0.98, "telemetry", "NAN",
        SURVEY, False, (),
    ),
    Requirement(
        "firmware update", "operations", "customers", 2_000_000, 0.005, 604_800.0, 0.98, "bulk", "NAN",
        SURVEY, False, ("per_day",),
    ),
    Requirement(
        "configuration update", "operations", "customers", 50000, 0.01, 259_200.0, 0.98, "bulk", "NAN",
        SURVEY, False, ("per_day",),
    ),
    Requirement(
        "customer information", "operations", "customers", 200, 0.1, 15.0, 0.99, "bulk", "NAN",
        SURVEY, False, ("per_day",),
    ),
    Requirement(
        "premises network administration", "operations", "customers", 25, 0.1, 20.0, 0.98, "control", "NAN",
        SURVEY, False, ("per_day",),
    ),
    Requirement(
        "adaptive islanding", "transmission", "operations", 157, 864_000.0, 0.1, 0.999, "protection", "WAN",
        SURVEY, False, (),
    ),
    Requirement(
        "under-frequency load shedding", "transmission", "operations", 157, 864_000.0, 0.1, 0.999, "protection", "WAN",
        SURVEY, False, (),
    ),
    Requirement(
        "wide-area voltage stability control", "operations", "transmission", 157, 17280.0, 5.0, 0.999, "control", "WAN",
        SURVEY, False, (),
    ),
    Requirement(
        "FACTS and HVDC control", "operations", "transmission", 157, 720.0, 120.0, 0.999, "control", "WAN",
        SURVEY, False, (),
    ),
    Requirement(
        "power oscillation damping", "operations", "transmission", 157, 864_000.0, 0.1, 0.999, "control", "WAN",
        SURVEY, False, (),
    ),
    Requirement(
        "state estimation from phasors", "transmission", "operations", 76, 864_000.0, 0.1, 0.999, "telemetry", "WAN",
        SURVEY, False, ("payload_bytes",),
    ),
    Requirement(
        "dynamic state estimation", "transmission", "operations", 76, 4_320_000.0, 0.1, 0.999, "telemetry", "WAN",
        SURVEY, False, ("payload_bytes",),
    ),

    Requirement(
        "alarms and emergency messages", "customers", "operations", 100, 0.01, 5.0, 0.98, "telemetry", "NAN",
        AMI + "C1", True, ("per_day",),
    ),
    Requirement(
        "power quality events and service switch", "operations", "customers", 150, 0.01, 10.0, 0.98, "control", "NAN",
        AMI + "C2", True, ("per_day",),
    ),
    Requirement(
        "system events", "customers", "operations", 200, 0.1, 30.0, 0.98, "telemetry", "NAN",
        AMI + "C3", True, ("per_day",),
    ),
    Requirement(
        "recurrent meter reading", "customers", "operations", 400, 6.0, 7200.0, 0.98, "metering", "NAN",
        AMI + "C4", True, (),
    ),
    Requirement(
        "firmware update to all devices", "operations", "customers", 1_000_000, 0.005, 604_800.0, 0.98, "bulk", "NAN",
        AMI + "C5", True, ("per_day",),
    ),

    Requirement(
        "current differential protection", "transmission", "transmission", 32, 21_600_000.0, 0.005, 0.999, "protection", "WAN",
        UTILITY + "3", True, ("payload_bytes", "per_day"),
    ),
    Requirement(
        "distance protection", "transmission", "transmission", 32, 1.0, 0.005, 0.999, "protection", "WAN",
        UTILITY + "4", True, ("payload_bytes", "per_day"),
    ),
    Requirement(
        "events between substations (GOOSE)", "transmission", "transmission", 200, 86400.0, 0.005, 0.99, "protection", "WAN",
        UTILITY + "5", True, ("payload_bytes", "per_day"),
    ),
    Requirement(
        "wide-area monitoring", "transmission", "operations", 76, 4_320_000.0, 0.05, 0.99, "telemetry", "WAN",
        UTILITY + "7", True, ("payload_bytes", "per_day"),
    ),
    Requirement(
        "automatic generation control", "operations", "generation", 100, 21600.0, 0.5, 0.99, "control", "WAN",
        UTILITY + "9", True, ("payload_bytes", "per_day"),
    ),
    Requirement(
        "wind turbine protection", "generation", "generation", 100, 1.0, 0.004, 1 - 1e-9, "protection", "WAN",
        UTILITY + "11", True, ("payload_bytes", "per_day"),
    ),
    Requirement(
        "wind turbine control", "operations", "generation", 100, 864_000.0, 0.016, 1 - 1e-9, "control", "WAN",
        UTILITY + "11", True, ("payload_bytes", "per_day"),
    ),
    Requirement(
        "wind turbine measurement", "generation", "operations", 100, 864_000.0, 0.016, 1 - 1e-6, "telemetry", "WAN",
        UTILITY + "11", True, ("payload_bytes", "per_day"),
    ),
    Requirement(
        "wind turbine reporting", "generation", "operations", 1000, 24.0, 1.0, 1 - 1e-6, "bulk", "WAN",
        UTILITY + "11", True, ("payload_bytes", "per_day"),
    ),
    Requirement(
        "FLISR peer or central control", "distribution", "operations", 200, 1.0, 0.08, 0.999, "control", "WAN",
        UTILITY + "12", True, ("payload_bytes", "per_day"),
    ),

    Requirement(
        "AMI", "customers", "operations", 100, 96.0, 15.0, 0.99, "metering", "NAN",
        DEPARTMENT, False, ("payload_bytes", "per_day"),
    ),
    Requirement(
        "demand response", "operations", "customers", 100, 24.0, 300.0, 0.99, "control", "NAN",
        DEPARTMENT, False, ("payload_bytes", "per_day", "latency_s"),
    ),
    Requirement(
        "wide-area situational awareness", "transmission", "operations", 76, 4_320_000.0, 0.2, 0.99999, "telemetry", "WAN",
        DEPARTMENT, False, ("payload_bytes", "per_day"),
    ),
    Requirement(
        "distributed energy and storage", "operations", "customers", 100, 96.0, 15.0, 0.99, "control", "NAN",
        DEPARTMENT, False, ("payload_bytes", "per_day"),
    ),
    Requirement(
        "electric transportation", "customers", "operations", 255, 4.0, 300.0, 0.99, "telemetry", "NAN",
        DEPARTMENT, False, ("payload_bytes", "per_day"),
    ),
    Requirement(
        "distribution grid management", "distribution", "operations", 1000, 1440.0, 2.0, 0.99, "control", "NAN",
        DEPARTMENT, False, ("payload_bytes", "per_day"),
    ),

    Requirement(
        "market bid", "providers", "markets", 1000, 24.0, 60.0, 0.999, "price", "WAN",
        "assumption: well before the gate closes", False, ("payload_bytes", "per_day", "latency_s", "reliability"),
    ),
    Requirement(
        "market schedule", "markets", "generation", 1000, 24.0, 60.0, 0.999, "price", "WAN",
        "assumption: well before delivery", False, ("payload_bytes", "per_day", "latency_s", "reliability"),
    ),
    Requirement(
        "bill", "providers", "customers", 2000, 1.0, 86400.0, 0.99, "bulk", "NAN",
        "assumption: any time within the day", False, ("payload_bytes", "per_day", "latency_s", "reliability"),
    ),
    Requirement(
        "acknowledgement", "customers", "operations", 20, 96.0, 60.0, 0.98, "control", "NAN",
        "assumption: as what it answers", False, ("payload_bytes", "per_day", "latency_s", "reliability"),
    ),
)  # fmt: skip

REQUIREMENTS: dict[str, Requirement] = {each.application: each for each in _ROWS}
"""All applications by name."""

FOR_KIND: dict[Kind, str] = {
    Kind.METER_READING: "recurrent meter reading",
    Kind.TELEMETRY: "distribution monitoring",
    Kind.DISPATCH: "Volt/VAR command",
    Kind.BID: "market bid",
    Kind.SCHEDULE: "market schedule",
    Kind.PRICE: "pricing RTP broadcast",
    Kind.SETPOINT: "direct load control",
    Kind.ALARM: "alarms and emergency messages",
    Kind.BILL: "bill",
    Kind.ACK: "acknowledgement",
    Kind.FIRMWARE: "firmware update",
}
"""The application whose requirement each kind of message must meet."""


def requirement(name: str) -> Requirement:
    """The requirement of that application.

    Raises
    ------
    UsageError
        If there is none; names those that there are.
    """
    if name not in REQUIREMENTS:
        raise UsageError(f"there is no requirement {name!r}; those known are {', '.join(sorted(REQUIREMENTS))}")
    return REQUIREMENTS[name]


def met(one: Requirement, delivered_in_time_share: float) -> bool:
    """Whether that share of messages, delivered within the requirement's latency, is enough: whether it is not missed."""
    return delivered_in_time_share >= one.reliability


CONFIDENCE = 0.95
"""With which a requirement must be shown before it counts as met."""


class Verdict(IntEnum):
    """What the messages of a run say of a requirement, and how it is written."""

    NOT_USED = 0
    MISSED = 1
    NOT_REFUTED = 2
    MET = 3

    @property
    def words(self) -> str:
        return self.name.lower().replace("_", " ")


def verdicts(reliability: npt.ArrayLike, in_time: npt.ArrayLike, known: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """The `Verdict` on each requirement, by how many of the messages whose fate is known came in time.

    Not used: no message. Missed: a smaller share than the reliability came in time. Met: the reliability is shown, that is, were a
    message missed with the greatest probability that the requirement allows, so few misses would occur with a probability of
    at most 1 - `CONFIDENCE` (exact binomial test; Clopper and Pearson 1934). Not refuted: enough came in time, but so few
    messages cannot show it. Without a miss it takes ln(0.05) / ln(reliability) messages, about 3 / (1 - reliability) ("rule of three").
    """
    asked, came, of = np.broadcast_arrays(reliability, np.asarray(in_time), np.asarray(known))
    misses = np.asarray(of - came, dtype=np.float64)
    by_chance = begin(_at_most, misses, np.maximum(of, 1).astype(np.int64), 1.0 - asked).result()
    enough = came / np.maximum(of, 1) >= asked
    found = np.where(enough, np.where(by_chance <= 1.0 - CONFIDENCE, Verdict.MET, Verdict.NOT_REFUTED), Verdict.MISSED)
    return np.asarray(np.where(of > 0, found, Verdict.NOT_USED), dtype=np.int64)


def _at_most(misses: npt.NDArray[np.float64], of: npt.NDArray[np.int64], probability: npt.NDArray[np.float64]) -> Any:
    """The probability of so many misses or fewer."""
    # Loaded here, since a run asks at its end alone; where there is a process beside it, that has loaded it.
    from scipy.special import bdtr

    return bdtr(misses, of, probability)


def verdict(one: Requirement, in_time: int, known: int) -> Verdict:
    """`verdicts` on one requirement."""
    return Verdict(int(verdicts(one.reliability, in_time, known)))
