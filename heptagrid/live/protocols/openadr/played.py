"""Devices that programs outside stand for: what such a VEN reports to draw, its device draws."""

from __future__ import annotations

import asyncio
import math

from heptagrid.foundation.errors import HeptagridError
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_S
from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import Device
from heptagrid.live.protocols.openadr.schedule import units_of
from heptagrid.live.protocols.openadr.store import Object, Store
from heptagrid.live.protocols.openadr.targets import BUILT_IN, Targets
from heptagrid.live.protocols.openadr.timing import Interval, intervals_of

HELD_NS = 900 * NS_PER_S
"""How long a report without an interval holds: assumption, a metering interval."""
_POWER = {"DEMAND": 1.0, "POWER": 1.0, "SETPOINT": 1.0}
_SCALE = {"W": 0.001, "KW": 1.0, "MW": 1000.0, "WH": 0.001, "KWH": 1.0, "MWH": 1000.0}


class Played:
    """Follows the reports of VENs outside."""

    def __init__(self, grid: LiveGrid, store: Store, targets: Targets) -> None:
        self._grid, self._store, self._targets = grid, store, targets
        self._tasks: set[asyncio.Task[None]] = set()
        store.changed.append(self._note)

    async def stop(self) -> None:
        """End what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _note(self, operation: str, kind: str, one: Object) -> None:
        if kind != "REPORT" or operation == "DELETE" or one["clientID"] == BUILT_IN:
            return
        own = {one["clientID"]}
        own |= {each["venName"] for each in self._store.of_client("VEN", one["clientID"])}
        own |= {each["resourceName"] for each in self._store.of_client("RESOURCE", one["clientID"])}
        for resource in one["resources"]:
            device = self._targets.device(resource["resourceName"])
            if device is None:
                continue
            if resource["resourceName"] not in own:
                self._grid.count("openadr: report on another's device")
                continue
            steps = drawn(resource, units_of(one), self._grid.now_ns)
            if steps:
                task = asyncio.create_task(self._order(device, steps))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _order(self, device: Device, steps: list[tuple[int, int, float]]) -> None:
        highest_kw = device.rated_kw
        sign = -1.0 if device.of.name == "local_units" else 1.0
        power_kw = [min(max(sign * power, -highest_kw), highest_kw) for _, _, power in steps]
        try:
            begins_ns = [begin for begin, _, _ in steps]
            await self._grid.order(device, power_kw, begins_ns, steps[-1][1], desk=self._grid.at(device))
        except HeptagridError:
            self._grid.count("openadr: lost order")


def drawn(resource: Object, units: dict[str, str], now_ns: int) -> list[tuple[int, int, float]]:
    """What a part of a report says that its resource draws, as (begin_ns, end_ns, kW) that follow one another.

    Where an interval is over it holds on for as long again as it was: a report tells what a device has just done.
    """
    found: list[tuple[int, int, float]] = []
    for one in intervals_of(resource, now_ns):
        power_kw = _power_kw(one, units)
        if power_kw is None:
            continue
        begin_ns, end_ns = one.begin_ns, one.end_ns
        if one.is_endless and one.begin_ns <= now_ns:
            begin_ns, end_ns = now_ns, now_ns + HELD_NS
        elif end_ns <= now_ns:
            begin_ns, end_ns = now_ns, now_ns + max(end_ns - begin_ns, NS_PER_S)
        if found and begin_ns <= found[-1][0]:
            found.pop()
        found.append((begin_ns, end_ns, power_kw))
    return found


def _power_kw(one: Interval, units: dict[str, str]) -> float | None:
    """The power of an interval, from a power or an energy; None: it says nothing of it."""
    for kind, values in one.values.items():
        value = values[0] if values else None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            continue
        scale = _SCALE.get(units.get(kind, "").upper(), 1.0)
        if kind in _POWER:
            return float(value) * scale
        if kind == "USAGE" and not one.is_endless and one.end_ns > one.begin_ns:
            return float(value) * scale / ((one.end_ns - one.begin_ns) / NS_PER_HOUR)
    return None
