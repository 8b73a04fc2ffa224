"""Reports of the built-in VENs: what their devices drew in the intervals of an event that asks for it.

Each device's part crosses the modelled network to the desk; one that is lost is not in the report. Powers are added up from the states that are solved.
Source: OpenADR 3.1 Definition, "Report Enumerations" and `reportDescriptor`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.flexibility import LOCAL_UNITS
from heptagrid.foundation.errors import HeptagridError
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_S
from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import Device
from heptagrid.live.orderable import name_of
from heptagrid.live.protocols.openadr.dispatch import targets_of
from heptagrid.live.protocols.openadr.store import Object, Store, TakenError
from heptagrid.live.protocols.openadr.targets import BUILT_IN, Targets
from heptagrid.live.protocols.openadr.timing import Interval, date_time, intervals_of, start_ns

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_AT_ONCE = 200
_BYTES, _BYTES_A_VALUE = 180, 90
"""Of a device's part of a report, by its JSON: assumption."""
_SCALE = {"W": 1000.0, "KW": 1.0, "MW": 0.001, "WH": 1000.0, "KWH": 1.0, "MWH": 0.001}
_DEFAULT_UNITS = {"USAGE": "KWH", "DEMAND": "KW", "POWER": "KW", "STORAGE_CHARGE_LEVEL": "PERCENT", "SETPOINT": "KW"}


@dataclass
class Watch:
    """An event that asks for reports: its intervals, its devices by class, and what was measured in the intervals that are over."""

    event: Object
    intervals: list[Interval]
    rows: dict[str, Ints]
    begun: dict[str, Floats] = field(default_factory=dict)
    values: list[dict[str, dict[str, Floats]]] = field(default_factory=list)


class Reporter:
    """Watches events that ask for reports, and makes them."""

    def __init__(self, grid: LiveGrid, store: Store, targets: Targets) -> None:
        self._grid, self._store, self._targets = grid, store, targets
        self._watches: dict[str, Watch] = {}
        self._energy_kwh = {name: np.zeros(len(of)) for name, of in targets.classes.items()}
        self._counted_ns = 0
        self._tasks: set[asyncio.Task[None]] = set()
        store.changed.append(self._note)

    def tick(self, played: set[str]) -> None:
        """Count energy, and report on intervals that are over."""
        if not self._watches:
            self._counted_ns = self._grid.state.until_ns
            return
        self._count()
        for id, watch in list(self._watches.items()):
            while len(watch.values) < len(watch.intervals) and self._measured(watch):
                self._report(watch, played)
            if len(watch.values) == len(watch.intervals):
                del self._watches[id]

    async def stop(self) -> None:
        """End what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _note(self, operation: str, kind: str, one: Object) -> None:
        if kind != "EVENT" or one.get("isBuiltIn"):
            return
        self._watches.pop(one["id"], None)
        if operation == "DELETE" or not one.get("reportDescriptors"):
            return
        intervals = intervals_of(one, start_ns(one["createdDateTime"]) or 0)
        rows = self._targets.rows(targets_of(one, self._store.get("PROGRAM", one["programID"])))
        coming = [each for each in intervals if each.end_ns > self._grid.now_ns]
        if coming and rows:
            self._watches[one["id"]] = Watch(one, coming, rows)

    def _count(self) -> None:
        """Add what was drawn since the last state that was counted."""
        state = self._grid.state
        hours = (state.until_ns - max(self._counted_ns, 0)) / NS_PER_HOUR if self._counted_ns else 0.0
        if hours > 0.0:
            for name, energy in self._energy_kwh.items():
                energy += self._power_kw(name) * hours
        self._counted_ns = state.until_ns

    def _power_kw(self, name: str) -> Floats:
        """What the devices of a class draw; local units give."""
        return -self._grid.state.unit_kw if name == LOCAL_UNITS else self._grid.state.devices[name].power_kw

    def _measured(self, watch: Watch) -> bool:
        """Whether the next interval is over, or is one without an end that has begun; then its values are there."""
        one, now_ns = watch.intervals[len(watch.values)], self._counted_ns
        if now_ns < one.begin_ns:
            return False
        if not watch.begun:
            watch.begun = {name: self._energy_kwh[name][rows].copy() for name, rows in watch.rows.items()}
        if now_ns < one.end_ns and not one.is_endless:
            return False
        hours = 0.0 if one.is_endless else (one.end_ns - one.begin_ns) / NS_PER_HOUR
        values = {}
        for name, rows in watch.rows.items():
            used_kwh = self._energy_kwh[name][rows] - watch.begun[name]
            now_kw = self._power_kw(name)[rows]
            demand_kw = used_kwh / hours if hours > 0.0 else now_kw
            values[name] = {"USAGE": used_kwh, "DEMAND": demand_kw, "POWER": demand_kw, "SETPOINT": now_kw}
            if (capacity_kwh := self._capacity_kwh(name)) is not None:
                values[name]["STORAGE_CHARGE_LEVEL"] = (
                    100.0 * self._grid.state.devices[name].content_kwh[rows] / capacity_kwh
                )
        watch.values.append(values)
        watch.begun = {}
        return True

    def _capacity_kwh(self, name: str) -> float | None:
        section = self._grid.scenario.sections.get(name)
        found = getattr(section, "battery_kwh", getattr(section, "capacity_kwh", None))
        return None if found is None else float(found)

    def _report(self, watch: Watch, played: set[str]) -> None:
        """Report what is due after the last interval that was measured."""
        done, whole = len(watch.values), len(watch.intervals)
        due: dict[int, list[Object]] = {}
        for descriptor in watch.event["reportDescriptors"]:
            every = descriptor.get("frequency", -1)
            every = whole if every is None or every < 1 else every
            if done % every == 0 or done == whole:
                due.setdefault(done - (done % every or every), []).append(descriptor)
        for first, descriptors in due.items():
            for name in watch.rows:
                task = asyncio.create_task(self._make(watch, name, descriptors, range(first, done), played))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _make(
        self, watch: Watch, name: str, descriptors: Sequence[Object], span: range, played: set[str]
    ) -> None:
        """Gather the parts of a class's devices, and make the report."""
        of, rows = self._targets.classes[name], watch.rows[name]
        size = _BYTES + _BYTES_A_VALUE * len(span) * len(descriptors)
        told: list[int] = []
        for at in range(0, len(rows), _AT_ONCE):
            some = [k for k in range(at, min(at + _AT_ONCE, len(rows))) if f"{name}-{rows[k]}" not in played]
            crossed = await asyncio.gather(*(self._cross(Device(of, int(rows[k])), size) for k in some))
            told += [k for k, has_arrived in zip(some, crossed, strict=True) if has_arrived]
        known = [one for one in descriptors if one["payloadType"] in watch.values[span[0]][name]]
        if not told or not known:
            return
        if all(one.get("aggregate") for one in known):
            resources = [self._resource("AGGREGATED_REPORT", watch, name, known, span, told)]
        else:
            resources = [self._resource(name_of(Device(of, int(rows[k]))), watch, name, known, span, [k]) for k in told]
        content = {
            "programID": watch.event["programID"],
            "eventID": watch.event["id"],
            "clientName": f"{BUILT_IN}-{name}".replace("_", "-"),
            "clientID": BUILT_IN,
            "reportName": f"{name} on {watch.event['id']}",
            "payloadDescriptors": [
                {
                    "objectType": "REPORT_PAYLOAD_DESCRIPTOR",
                    "payloadType": one["payloadType"],
                    "units": _units(one),
                    "readingType": "DIRECT_READ",
                }
                for one in known
            ],
            "resources": resources,
            "isBuiltIn": True,
        }
        if self._store.get("EVENT", watch.event["id"]) is not None:
            try:
                self._store.add("REPORT", content)
            except TakenError:
                self._grid.count("openadr: no room for a report")

    async def _cross(self, device: Device, size_bytes: int) -> bool:
        try:
            await self._grid.answer(device, self._grid.desk("aggregator", self._grid.aggregator_of(device)), size_bytes)
        except HeptagridError:
            self._grid.count("openadr: lost report")
            return False
        return True

    def _resource(
        self, title: str, watch: Watch, name: str, descriptors: Sequence[Object], span: range, told: list[int]
    ) -> Object:
        """The part of a report on a resource, or on several together."""
        intervals = []
        for number in span:
            one, values = watch.intervals[number], watch.values[number][name]
            long_s = (one.end_ns - one.begin_ns) // NS_PER_S
            period = {"start": date_time(one.begin_ns), "duration": "P9999Y" if one.is_endless else f"PT{long_s}S"}
            payloads: list[dict[str, Any]] = []
            for descriptor in descriptors:
                kind = descriptor["payloadType"]
                some = values[kind][told]
                value = some.mean() if kind == "STORAGE_CHARGE_LEVEL" else some.sum()
                payloads.append(
                    {"type": kind, "values": [round(float(value) * _SCALE.get(_units(descriptor), 1.0), 6)]}
                )
            intervals.append({"id": one.number, "intervalPeriod": period, "payloads": payloads})
        return {"resourceName": title, "intervals": intervals}


def _units(descriptor: Object) -> str:
    """The units of a report: those that were asked for, if they can be given."""
    asked, own = str(descriptor.get("units") or "").upper(), _DEFAULT_UNITS[descriptor["payloadType"]]
    return asked if asked in _SCALE and own in _SCALE and asked.endswith("H") == own.endswith("H") else own
