"""The towns of a scenario, each with its own primary substation, and the companies that supply them.

A scenario that names none has one town, whose network is the scenario's, with one retailer and one aggregator. Tables below a town or a company
hold settings of its own, such as `[towns.west.messages.access]`; what they do not set is as in the scenario.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heptagrid.foundation.parameters import declarations, parameter
from heptagrid.scenario.checks import Checks, Tables
from heptagrid.scenario.city import with_areas

EVERY_TOWN = "all"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}")


@dataclass(frozen=True)
class TownParameters:
    """A town: its network, the bus of the transmission network that feeds it, and where it lies."""

    network: str = parameter(
        "town",
        info="a folder with grid.npz, profiles.npy and weather.npy, or a built-in one",
        source="assumption: the built-in town",
    )
    bus: int = parameter(
        0,
        info="number of the bus to which the town's 110 kV infeed is connected; 0: that of `transmission.town_bus`",
        low=0,
        high=99999,
        source="assumption: as the scenario's only town",
    )
    east_km: float = parameter(
        0.0,
        info="how far its primary substation lies east of where its network's coordinates put it",
        unit="km",
        low=-1000.0,
        high=1000.0,
        source="assumption: where the coordinates are",
    )
    north_km: float = parameter(
        0.0,
        info="how far it lies north of there",
        unit="km",
        low=-1000.0,
        high=1000.0,
        source="assumption: where the coordinates are",
    )
    customers: int = parameter(
        0,
        info="customers of an area of a city, whose grid is made (section city); 0: the grid is the folder's",
        low=0,
        high=100_000,
        source="assumption: a town with a grid of its own",
    )
    area: int = parameter(
        0, info="its number in the city, from 0", low=0, high=99999, source="assumption: the first one"
    )


@dataclass(frozen=True)
class CompanyParameters:
    """A retailer or an aggregator: which part of the customers is its own, and where."""

    share: float = parameter(
        1.0,
        info="its part of the customers of its towns, relative to the parts of the others",
        low=0.0,
        high=1000.0,
        source="assumption: equal parts",
    )
    towns: tuple[str, ...] = parameter(
        (EVERY_TOWN,), info="names of the towns that it serves, or all", source="assumption: it serves all"
    )


@dataclass(frozen=True)
class Town:
    """A town as resolved. sections: those of the scenario, with the town's own settings on top. own: these settings as given."""

    name: str
    folder: Path
    entry: TownParameters
    sections: Mapping[str, Any]
    own: Tables


@dataclass(frozen=True)
class Company:
    """A retailer or an aggregator as resolved. sections, own: as of a town."""

    name: str
    entry: CompanyParameters
    sections: Mapping[str, Any]
    own: Tables

    def serves(self, town: str) -> bool:
        """Whether the town's customers can be its own."""
        return EVERY_TOWN in self.entry.towns or town in self.entry.towns


OWN_SECTIONS = {
    "towns": ("messages.access", "messages.backhaul", "tap_changer"),
    "retailers": ("retailer", "tariffs"),
    "aggregators": ("aggregator",),
}
"""Which sections each may set for itself."""


def is_of_several(section: str) -> bool:
    """Whether a table is of a town or a company, such as `towns.west`."""
    return section.split(".")[0] in OWN_SECTIONS


def kind_of(section: str, sections: Mapping[str, Any]) -> type | None:
    """The class of the parameters in a table of a scenario with these sections, such as `towns.west.messages.access`; None if there is no such table."""
    what, _, rest = section.partition(".")
    if what not in OWN_SECTIONS:
        return type(sections[section]) if section in sections else None
    _, _, own = rest.partition(".")
    if not own:
        return TownParameters if what == "towns" else CompanyParameters
    return type(sections[own]) if own in OWN_SECTIONS[what] else None


def read_towns(
    checks: Checks, tables: Tables, sections: Mapping[str, Any], network: str, folder_of: Callable[[str], Path]
) -> tuple[Town, ...]:
    """The towns of a scenario, or the areas of its city; `network` is that of the only one where none is named."""
    tables = with_areas(checks, tables, sections["city"], network)
    found = [
        Town(name, folder_of(str(entry.network)), entry, own_sections, own)
        for name, entry, own_sections, own in _entries(checks, tables, sections, "towns", TownParameters)
    ]
    return tuple(found) or (Town("", folder_of(network), TownParameters(network=network), sections, {}),)


def read_companies(
    checks: Checks, tables: Tables, sections: Mapping[str, Any], what: str, towns: Iterable[Town]
) -> tuple[Company, ...]:
    """The `retailers` or the `aggregators`; every town must be served by one of them."""
    names = [town.name for town in towns]
    found = [Company(*one) for one in _entries(checks, tables, sections, what, CompanyParameters)]
    for one in found:
        for name in one.entry.towns:
            if name != EVERY_TOWN and name not in names:
                near = difflib.get_close_matches(name, names, 1, 0.5)
                hint = (
                    f"did you mean {near[0]!r}?" if near else f"write {', '.join([EVERY_TOWN, *filter(None, names)])}"
                )
                checks.violations.append(f"{what}.{one.name}.towns: there is no town {name!r}; {hint}")
    for name in names:
        if found and not any(one.serves(name) and one.entry.share > 0.0 for one in found):
            words = f"town {name!r}" if name else "the town"
            checks.violations.append(
                f"[{what}]: none of them serves {words}; give one of them a share of its customers"
            )
    return tuple(found) or (Company("", CompanyParameters(), sections, {}),)


def _entries(
    checks: Checks, tables: Tables, sections: Mapping[str, Any], what: str, kind: type
) -> Iterable[tuple[str, Any, Mapping[str, Any], Tables]]:
    """Name, own parameters, sections with its settings on top, and these settings as given, of each entry below a table."""
    names = dict.fromkeys(section.split(".")[1] for section in tables if section.startswith(f"{what}."))
    if what in tables:
        checks.violations.append(f"[{what}]: give each a name, such as [{what}.west]")
    for name in names:
        if not _NAME.fullmatch(name):
            checks.violations.append(
                f"[{what}.{name}]: a name has up to 31 letters a to z, digits, '_' and '-', and begins with a letter"
            )
        if what == "towns" and name == EVERY_TOWN:
            checks.violations.append(f"[{what}.{name}]: {name} means every town; give this one another name")
        own = {
            section.removeprefix(f"{what}.{name}."): table
            for section, table in tables.items()
            if section.startswith(f"{what}.{name}.")
        }
        entry = _parameters(checks, f"{what}.{name}", kind, tables.get(f"{what}.{name}", {}))
        changed = dict(sections)
        for section, table in own.items():
            if section not in OWN_SECTIONS[what]:
                allowed = " and ".join(f"[{what}.{name}.{one}]" for one in OWN_SECTIONS[what])
                checks.violations.append(f"[{what}.{name}.{section}]: here one can set {allowed}")
                continue
            changed[section] = _parameters(
                checks, f"{what}.{name}.{section}", type(sections[section]), table, sections[section]
            )
        yield name, entry, changed, own


def _parameters(checks: Checks, section: str, kind: type, given: Mapping[str, Any], base: Any = None) -> Any:
    """Parameters of a kind from what is given, on top of others of the kind."""
    values = checks.values(section, kind, given)
    if base is not None:
        values = {key: values[key] if key in given else getattr(base, key) for key, *_ in declarations(kind)}
    return kind(**values)
