"""Which bus of the transmission network feeds each town, and whose load the areas of a city take the place of.

A town is small beside the bulk system: it hangs at the bus that it names, beside the other loads. A city is not: its areas take the place of load at their bus. The first hang at the
scenario's bus, for as long as its own load is more than theirs, the next at the bus nearest to it, and so on; what the other loads take there is less by as much, hour by hour in proportion.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import ScenarioError
from heptagrid.scenario.schema import Scenario
from heptagrid.world.bulk import BulkSystem

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

AREA_KW = 1.75
"""What a customer of an area adds to its greatest import: of a million customers on a winter's day 1.74, smart arm. So much is planned of the bus's load."""
_log = logging.getLogger(__name__)


def town_buses(scenario: Scenario, bulk: BulkSystem) -> Ints:
    """(towns,) the position of the transmission bus that feeds each town.

    Raises
    ------
    ScenarioError
        For a town at a bus that the bulk system does not have; names the nearest numbers.
    """
    default = scenario.sections["transmission"].town_bus
    found, violations = [], []
    for town in scenario.towns:
        number = town.entry.bus or default
        at = np.flatnonzero(bulk.bus_numbers == number)
        key = f"towns.{town.name}.bus" if town.entry.bus else "transmission.town_bus"
        if len(at):
            found.append(int(at[0]))
            continue
        near = np.sort(bulk.bus_numbers[np.argsort(np.abs(bulk.bus_numbers - number), kind="stable")[:3]])
        violations.append(
            f"{key} = {number}: the bulk system has no such bus; it has {bulk.bus_numbers.min()} to {bulk.bus_numbers.max()}, "
            f"such as {', '.join(map(str, near))}"
        )
    if violations:
        raise ScenarioError(scenario.name, sorted(set(violations)))
    is_spread = np.array([town.entry.customers > 0 and town.entry.bus == 0 for town in scenario.towns])
    return _spread(bulk, np.array(found, dtype=np.int64), planned_mw(scenario), is_spread)


def planned_mw(scenario: Scenario) -> Floats:
    """(towns,) the load of others of which each takes the place: of areas of a city what they are planned to import at most, of other towns none."""
    return np.array([town.entry.customers * AREA_KW / 1000.0 for town in scenario.towns])


def without_what_areas_replace(bulk: BulkSystem, town_bus: Ints, planned: Floats) -> BulkSystem:
    """The bulk system whose other loads are less at the towns' buses; itself where nothing is replaced."""
    replaced = np.bincount(town_bus, planned, minlength=len(bulk.bus_numbers))
    if not replaced.any():
        return bulk
    own = _peak_mw(bulk)
    left = np.divide(own - replaced, own, out=np.zeros_like(own), where=own > 0.0)
    beyond = float((replaced - own).clip(0.0).sum())
    if beyond > 0.0:
        _log.warning(
            "the city is planned to draw %.0f MW more than the loads of the bulk system at its buses: it draws so much more than these did",
            beyond,
        )
    return replace(bulk, bus_share=bulk.bus_share * left.clip(0.0))


def _spread(bulk: BulkSystem, given: Ints, planned: Floats, is_spread: npt.NDArray[np.bool_]) -> Ints:
    """The buses, of those that are spread from the given one to others as its load is used up."""
    found = given.copy()
    room = _peak_mw(bulk) - np.bincount(given, np.where(is_spread, 0.0, planned), minlength=len(bulk.bus_numbers))
    for k in np.flatnonzero(is_spread):
        order = _by_distance(bulk, given[k])
        roomy = order[room[order] >= planned[k]]
        found[k] = roomy[0] if len(roomy) else order[np.argmax(room[order])]
        room[found[k]] -= planned[k]
    return found


def _peak_mw(bulk: BulkSystem) -> Floats:
    """(buses,) the most that the other loads take at each bus, before what roofs give."""
    return np.asarray(bulk.load_mw.max(axis=0).astype(np.float64)[bulk.bus_area] * bulk.bus_share)


def _by_distance(bulk: BulkSystem, bus: int) -> Ints:
    """All buses, the nearest to one first."""
    north = bulk.bus_latitude - bulk.bus_latitude[bus]
    east = (bulk.bus_longitude - bulk.bus_longitude[bus]) * np.cos(np.radians(bulk.bus_latitude[bus]))
    return np.argsort(np.hypot(north, east), kind="stable").astype(np.int64)
