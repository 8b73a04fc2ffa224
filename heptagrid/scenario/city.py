"""The areas of a city as towns of its scenario; tables of the scenario may set what towns may set for themselves, such as `[towns.area-3.messages.access]`."""

from __future__ import annotations

import re
from typing import Any

from heptagrid.scenario.checks import Checks, Tables
from heptagrid.world.city.places import places

_AREA = re.compile(r"towns\.area-\d+")


def with_areas(checks: Checks, tables: Tables, city: Any, network: str) -> Tables:
    """The tables with one for each area; as they are where the scenario has no city."""
    if not city.customers:
        return tables
    others = {name: table for name, table in tables.items() if not _AREA.match(name)}
    if named := [name for name in others if name.startswith("towns.")]:
        checks.violations.append(f"[{named[0]}]: a scenario has towns or a city; leave out one, or city.customers")
    found = places(city.customers, city.seed)
    areas: Tables = {
        f"towns.area-{one.number + 1}": {
            "network": network,
            "customers": one.customers,
            "area": one.number,
            "east_km": round(one.east_km, 3),
            "north_km": round(one.north_km, 3),
        }
        for one in found
    }
    own = {name: table for name, table in tables.items() if _AREA.match(name) and _town(name) in areas}
    return (
        others
        | {name: own.get(name, {}) | table for name, table in areas.items()}
        | {name: own[name] for name in own if name not in areas}
    )


def _town(name: str) -> str:
    """The table of the town of which a table is."""
    return ".".join(name.split(".")[:2])
