"""Reads the entries `[[events]]` of a scenario, and checks each against the network, the technologies and the days of the run."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from heptagrid.foundation.errors import HeptagridError
from heptagrid.foundation.parameters import declarations
from heptagrid.foundation.time import midnight_ns
from heptagrid.importers.extract import read_grid
from heptagrid.importers.network_folder import read_network
from heptagrid.importers.rts import read_bulk
from heptagrid.planes.messages.technology import Technology, technology
from heptagrid.scenario.checks import Checks
from heptagrid.scenario.events import CLASSES, KINDS, Entry, Event, Firmware, ReadAll, UnitTrip
from heptagrid.scenario.towns import Company, Town
from heptagrid.world.grid import local_transformers

_GIVEN = ("where", "duration_s")  # keys without a default that would make sense
_LATEST_S = 1e9  # of a begin in seconds; a run has at most a year
_YEARS = range(1970, 2200)  # of a begin as a date


class Surroundings(NamedTuple):
    """What the events of a scenario refer to: the bulk system's folder, the days, the towns and the companies."""

    bulk: Path
    start: date
    days: int
    zone: ZoneInfo
    towns: Sequence[Town]
    retailers: Sequence[Company]
    aggregators: Sequence[Company]

    @property
    def sites(self) -> dict[str, str]:
        """Where the wide-area network can be cut, by what it may be called: `hub east`, or `hub` of the only one, and so on."""
        found: dict[str, str] = {}
        for what, those in (
            ("hub", [one.name for one in self.towns]),
            ("operations", [""]),
            ("market", [""]),
            ("retailer", [one.name for one in self.retailers]),
            ("aggregator", [one.name for one in self.aggregators]),
        ):
            names = [f"{what} {name}".rstrip() for name in those]
            found |= dict(zip(names, names, strict=True))
            if len(names) == 1:
                found[what] = names[0]
        return found

    @property
    def town_names(self) -> tuple[str, ...]:
        """Names of several towns; none of the only one."""
        return tuple(town.name for town in self.towns) if len(self.towns) > 1 else ()


def read_events(checks: Checks, given: Any, around: Surroundings) -> tuple[Event, ...]:
    """The events of a scenario; everything wrong with them is added to the violations of `checks`."""
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        checks.violations.append("events: write [[events]], in two brackets, above the keys of each event")
        return ()
    found = []
    for number, entry in enumerate(given, start=1):
        before = len(checks.violations)
        event = _Reader(checks, f"events[{number}]", around).read(entry)
        if event is not None and len(checks.violations) == before:
            found.append(event)
    return tuple(found)


class _Reader:
    """Reads one entry."""

    def __init__(self, checks: Checks, name: str, around: Surroundings) -> None:
        self._checks, self._name, self._around = checks, name, around

    def read(self, entry: Mapping[str, Any]) -> Event | None:
        kind = entry.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            near = difflib.get_close_matches(str(kind), KINDS, 1, 0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"the kinds are {', '.join(KINDS)}"
            self._wrong(
                "kind",
                f"= {kind!r}: there is no such kind of event; {hint}" if "kind" in entry else f"is missing; {hint}",
            )
            return None
        values = self._values(KINDS[kind], {key: value for key, value in entry.items() if key not in ("kind", "begin")})
        begin = self._begin(entry)
        if values is None or begin is None:
            return None
        place: tuple[str, int | str] | None = ("", 0)
        if "where" in values:
            place = self._place(kind, values["where"])
        if place is None:
            return None
        event = Event(kind, begin, KINDS[kind](**values), place)
        self._inside_run(event)
        return event

    def _wrong(self, key: str, words: str) -> None:
        self._checks.violations.append(f"{self._name}.{key} {words}")

    def _values(self, kind: type[Entry], given: Mapping[str, Any]) -> dict[str, Any] | None:
        """The entry's own keys, None if one is wrong."""
        before = len(self._checks.violations)
        declared = {name: (default, one) for name, _, default, one in declarations(kind)}
        values = {name: default for name, (default, _) in declared.items()}
        for name, value in given.items():
            if name not in declared:
                near = difflib.get_close_matches(name, [*declared, "kind", "begin"], 1, 0.6)
                hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(['begin', *declared])}"
                self._wrong(f"{name}:", f"there is no such key; {hint}")
                continue
            if name == "where" and type(value) is int:
                value = f"unit {value}" if kind is UnitTrip else f"substation {value}"
            values[name] = self._checks.value(f"{self._name}.{name}", value, *declared[name])
        for name in _GIVEN:
            if name in declared and kind is not ReadAll and name not in given:
                self._wrong(name, f"is missing: {declared[name][1].info}")
        return values if len(self._checks.violations) == before else None

    def _begin(self, entry: Mapping[str, Any]) -> str | float | None:
        begin = entry.get("begin")
        if isinstance(begin, int | float) and not isinstance(begin, bool) and 0 <= begin <= _LATEST_S:
            return float(begin)
        try:
            when = datetime.fromisoformat(begin) if isinstance(begin, str) else begin
        except ValueError:
            when = None
        if isinstance(when, datetime) and when.tzinfo is None and when.year in _YEARS:
            return when.isoformat()
        words = "a local date-time is expected, such as 2016-01-27T17:00:00, or seconds since the run's first midnight"
        self._wrong("begin", f"= {begin!r}: {words}" if "begin" in entry else f"is missing: {words}")
        return None

    def _inside_run(self, event: Event) -> None:
        if any(one.startswith("run.") for one in self._checks.violations):
            return
        first = midnight_ns(self._around.start, self._around.zone)
        last = midnight_ns(self._around.start + timedelta(days=self._around.days), self._around.zone)
        begin = event.begin_ns(self._around.start, self._around.zone)
        span = f"the run's days, {self._around.start} to {self._around.start + timedelta(days=self._around.days - 1)}"
        if not first <= begin < last:
            self._wrong("begin", f"= {event.begin!r}: this is outside {span}")
        elif begin + event.duration_ns > last:
            which = "rate_bps" if isinstance(event.entry, Firmware) else "duration_s"
            self._wrong(
                which,
                f"= {getattr(event.entry, which):g}: the event ends {(begin + event.duration_ns - last) / 1e9:g} s after {span}",
            )

    def _place(self, kind: str, where: str) -> tuple[str, int | str] | None:
        """What `where` means; None if it means nothing here."""
        if kind == "unit_trip":
            return self._unit(where)
        around = self._around
        links = [_links(town) for town in around.towns]
        if kind == "blackout":
            for of_town in links:
                if of_town["access"].medium is not None and of_town["access"].medium.access == "queue":
                    name = of_town["access"].name
                    self._wrong(
                        "kind",
                        f"= 'blackout': the access technology {name!r} does not model single meters, which could lose their supply",
                    )
                    return None
            if where == "all":
                return "all", 0
            if where in around.town_names:
                return "town", where
        if kind == "cut" and where in around.sites:
            return ("site", around.sites[where]) if self._cuttable("wan", links[0]) else None
        if kind == "jam" and (named := [name for name in CLASSES if where in _words_for(name, links)]):
            jammed = [one for one in links if where in _words_for(named[0], [one])]
            return ("links", where) if all(self._jammable(named[0], one) for one in jammed) else None
        place = self._in_network(kind, where)
        if place is None or kind == "blackout" or place[0] != "substation":
            return place
        of_town = links[self._town_of(int(place[1]))]
        fits = self._cuttable("backhaul", of_town) if kind == "cut" else self._jammable("access", of_town)
        return place if fits else None

    def _town_of(self, substation: int) -> int:
        counts = [len(_places(str(town.folder))[0]) for town in self._around.towns]
        return int(np.searchsorted(np.cumsum(counts), substation, side="right"))

    def _unit(self, where: str) -> tuple[str, int | str] | None:
        """The unit of the bulk system that is meant."""
        count = _units(str(self._around.bulk))
        number = re.fullmatch(r"unit (\d+)", where)
        if where == "largest":
            return "unit", "largest"
        if number and int(number[1]) < count:
            return "unit", int(number[1])
        self._wrong("where", f"= {where!r}: there is no such unit; write 'largest', or 'unit 0' to 'unit {count - 1}'")
        return None

    def _in_network(self, kind: str, where: str) -> tuple[str, int | str] | None:
        names, feeders = self._named()
        feeder, substation = re.fullmatch(r"feeder (\d+)", where), re.fullmatch(r"(?:substation )?(\d+)", where)
        if feeder and kind == "blackout":
            if 1 <= int(feeder[1]) <= feeders:
                return "feeder", int(feeder[1])
            self._wrong("where", f"= {where!r}: there is no such feeder; they are numbered 1 to {feeders}")
            return None
        if substation:
            if int(substation[1]) < len(names):
                return "substation", int(substation[1])
            self._wrong("where", f"= {where!r}: there is no such substation; they are numbered 0 to {len(names) - 1}")
            return None
        if where in names:
            return "substation", names.index(where)
        towns = self._around.town_names
        words = {"blackout": ("all", *towns, "feeder 1"), "jam": CLASSES, "cut": self._around.sites}[kind]
        near = difflib.get_close_matches(where, [*words, "substation 1", *names], 1, 0.6)
        hint = f"did you mean {near[0]!r}?" if near else f"write a substation's number or name, {', '.join(words)}"
        self._wrong("where", f"= {where!r}: there is no such place; {hint}")
        return None

    def _named(self) -> tuple[list[str], int]:
        """Names of all substations, those of several towns behind their town's, and how many feeders there are."""
        of_each = [_places(str(town.folder)) for town in self._around.towns]
        if len(of_each) == 1:
            return of_each[0]
        pairs = zip(self._around.town_names, of_each, strict=True)
        return [f"{town}/{name}" for town, (names, _) in pairs for name in names], sum(count for _, count in of_each)

    def _cuttable(self, name: str, links: Mapping[str, Any]) -> Any:
        if links[name].medium is None:
            return True
        self._wrong(
            "where",
            f"is of the {name}, whose technology {links[name].name!r} is not a line, so it cannot be cut; write kind = 'jam'",
        )
        return None

    def _jammable(self, name: str, links: Mapping[str, Any]) -> Any:
        medium = links[name].medium
        if medium is not None and medium.access != "queue":
            return True
        self._wrong(
            "where",
            f"is of the {name}, whose technology {links[name].name!r} shares no medium, so it cannot be jammed; write kind = 'cut'",
        )
        return None


def _links(town: Town) -> dict[str, Technology]:
    """The technology of each link class in a town."""
    return {name: technology(town.sections[f"messages.{name}"].technology) for name in CLASSES}


def _words_for(name: str, links: Sequence[Mapping[str, Technology]]) -> set[str]:
    """What a link class is called: its name, and its technologies in the towns."""
    return {name, *(of_town[name].name for of_town in links)}


@lru_cache(maxsize=8)
def _places(folder: str) -> tuple[list[str], int]:
    """Names of the substations, and how many feeders there are; none if the network cannot be read."""
    try:
        grid = read_grid(Path(folder))
        feeders = len(read_network(Path(folder))[0].feeder_start) - 1
    except HeptagridError:
        return [], 0
    return [str(name) for name in grid.transformers.names[local_transformers(grid)]], feeders


@lru_cache(maxsize=4)
def _units(bulk_folder: str) -> int:
    """How many units the bulk system has; none if it cannot be read."""
    try:
        return len(read_bulk(Path(bulk_folder)).units.bus)
    except HeptagridError:
        return 0
