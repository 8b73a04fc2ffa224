"""Events: what fails, or is asked for all at once, at stated times of a run; the entries `[[events]]` of a scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.time import NS_PER_S, midnight_ns, to_ns

SITES = ("hub", "operations", "market", "retailer", "aggregator")
CLASSES = ("access", "backhaul", "wan")


def _where(example: str, info: str) -> str:
    where: str = parameter(example, info=info, source="an example; it must be given")
    return where


def _duration(info: str) -> float:
    duration: float = parameter(
        3600.0, info=info, unit="s", low=0.001, high=31_622_400.0, source="an example; it must be given"
    )
    return duration


@dataclass(frozen=True)
class Blackout:
    """Customers downstream have no supply."""

    where: str = _where(
        "substation 12",
        "a substation's number or transformer's name, `feeder` and its number, a town's name where there are several, or `all`",
    )
    duration_s: float = _duration("until supply is back")


@dataclass(frozen=True)
class ReadAll:
    """Operations reads the registers of every meter on demand; the answers are messages, the request is implied."""

    duration_s: float = parameter(
        0.0,
        info="time over which the meters are asked, one after another; 0 for all at once",
        unit="s",
        low=0.0,
        high=86400.0,
        source="assumption: the worst case",
    )


@dataclass(frozen=True)
class Firmware:
    """Operations sends a firmware image to meters, block by block, less urgent than anything else."""

    payload_bytes: int = parameter(
        400_000,
        info="size of the image",
        unit="bytes",
        low=1,
        high=10**8,
        source="firmware updates of 400 to 2000 kB, Kuzlu et al. 2014 (source not read)",
    )
    block_bytes: int = parameter(
        1024, info="size of each message", unit="bytes", low=16, high=65535, source="assumption: a kibibyte, as in CoAP"
    )
    rate_bps: float = parameter(
        200.0,
        info="at which blocks leave for each meter; the image's bits over it are the roll-out's duration",
        unit="bit/s",
        low=0.1,
        high=1e6,
        source="assumption: 80 meters of a substation take a third of a mesh of 50 kbit/s for four and a half hours",
    )
    share: float = parameter(
        1.0, info="share of the meters that get it, drawn at random", low=0.0, high=1.0, source="assumption: all"
    )


@dataclass(frozen=True)
class Jam:
    """A shared medium delivers nothing, and stations that sense it find it busy."""

    where: str = _where(
        "substation 12",
        "a substation's number or transformer's name, a link class (`access`, `backhaul`), or a technology",
    )
    duration_s: float = _duration("of the jam")


@dataclass(frozen=True)
class Cut:
    """A line is cut, in both directions: of a site to the wide-area network, or of a substation to the hub."""

    where: str = _where(
        "operations",
        f"{', '.join(SITES)} (with its name where there are several, as in `hub east`), or a substation's number or transformer's name",
    )
    duration_s: float = _duration("until it is repaired")


@dataclass(frozen=True)
class UnitTrip:
    """A unit of the bulk system fails; other units take over, and the frequency shows it where it is followed."""

    where: str = _where(
        "largest", "`largest`, the one that gives most at that moment, or `unit` and its number, from 0"
    )
    duration_s: float = _duration("until it can be used again; it starts when the schedule next says so")


Entry = Blackout | ReadAll | Firmware | Jam | Cut | UnitTrip
KINDS: dict[str, type[Entry]] = {
    "blackout": Blackout,
    "read_all": ReadAll,
    "firmware": Firmware,
    "jam": Jam,
    "cut": Cut,
    "unit_trip": UnitTrip,
}


@dataclass(frozen=True)
class Event:
    """One event as resolved.

    begin: local date-time as a text, or seconds since the start of the first counted day. place: what `where` means:
    ("all", 0), ("substation", number), ("feeder", number), ("site", name), ("links", class), ("unit", number or "largest"),
    or ("", 0).
    """

    kind: str
    begin: str | float
    entry: Entry
    place: tuple[str, int | str]

    def begin_ns(self, start: date, zone: ZoneInfo) -> int:
        """When it begins; a local time that occurs twice is the first."""
        if isinstance(self.begin, str):
            return to_ns(datetime.fromisoformat(self.begin).replace(tzinfo=zone))
        return midnight_ns(start, zone) + round(self.begin * NS_PER_S)

    @property
    def duration_ns(self) -> int:
        """How long it lasts; a roll-out until its last block has left."""
        if isinstance(self.entry, Firmware):
            return round(8e9 * self.entry.payload_bytes / self.entry.rate_bps)
        return round(self.entry.duration_s * NS_PER_S)

    @property
    def given(self) -> dict[str, Any]:
        """The entry as a scenario writes it."""
        return {"kind": self.kind, "begin": self.begin, **asdict(self.entry)}


def given_of(events: Sequence[Event]) -> list[dict[str, Any]]:
    """The entries as a scenario writes them."""
    return [event.given for event in events]
