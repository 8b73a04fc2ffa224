"""The built-in VENs at the devices: what the desk's events ask of them becomes orders that cross the modelled network.

A device has one order at a time, so all events that concern it are laid over one another; an order reaches to the next gap, and the next one is sent
when that is over. An order that is lost is sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import flexibility
from heptagrid.contracts.flexibility import LOCAL_UNITS
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.crossing import Outgoing
from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import DeviceClass
from heptagrid.live.protocols.openadr import schedule
from heptagrid.live.protocols.openadr.limits import Limiter
from heptagrid.live.protocols.openadr.schedule import Part
from heptagrid.live.protocols.openadr.store import Object, Store
from heptagrid.live.protocols.openadr.targets import BUILT_IN, Targets
from heptagrid.live.protocols.openadr.timing import intervals_of, start_ns
from heptagrid.live.protocols.openadr.waves import sent

Ints = npt.NDArray[np.int64]

RETRY_NS = 60 * NS_PER_S
"""How long a built-in VEN waits before it sends again what was lost: assumption."""
_NEVER = 1 << 62
_OWN_STATE = ("DISPATCH_SETPOINT_RELATIVE", "CHARGE_STATE_SETPOINT")


class Dispatcher:
    """Turns events into orders. played: names of devices that a program outside stands for; events do not order them."""

    def __init__(
        self, grid: LiveGrid, store: Store, targets: Targets, shares: Mapping[int, float], period_s: int
    ) -> None:
        self.grid, self.store, self.targets = grid, store, targets
        self.played: set[str] = set()
        self.limiter = Limiter(grid, targets, shares, period_s, self.forget)
        self._is_stale, self._due_ns = True, _NEVER
        self._signatures: dict[tuple[Part, ...], int] = {}
        self._ends_ns = [0]
        self._sent = {name: np.zeros(len(of), dtype=np.int64) for name, of in targets.classes.items()}
        self._tasks: set[asyncio.Task[None]] = set()
        store.changed.append(self._note)

    def _played(self) -> set[str]:
        names = [one["resourceName"] for one in self.store.all("RESOURCE") if one["clientID"] != BUILT_IN]
        names += [one["venName"] for one in self.store.all("VEN") if one["clientID"] != BUILT_IN]
        return {name for name in names if self.targets.device(name) is not None}

    def forget(self, name: str, rows: Ints) -> None:
        """Devices, (k,) of a class, no longer do what they were ordered: order them again."""
        self._sent[name][rows] = 0
        self._is_stale = True

    def tick(self) -> None:
        """Send what has become due."""
        now_ns = self.grid.now_ns
        if self._is_stale or now_ns >= self._due_ns:
            self._is_stale, self._due_ns = False, _NEVER
            events = self.events()
            played = self.played = self._played()
            for name, of in self.targets.classes.items():
                self._plan(name, of, events, played, now_ns)
        if self.limiter.is_due(now_ns):
            self._spawn(self.limiter.hold(self.events(), self.played, now_ns))

    async def stop(self) -> None:
        """End what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def events(self) -> list[Object]:
        """The desk's events, the one that goes before all others last."""
        return sorted((one for one in self.store.all("EVENT") if not one.get("isBuiltIn")), key=schedule.rank)

    def _note(self, operation: str, kind: str, one: Object) -> None:
        if kind in ("EVENT", "PROGRAM", "VEN", "RESOURCE") and not one.get("isBuiltIn"):
            self._is_stale = True
            self.limiter.is_stale = True

    def _plan(self, name: str, of: DeviceClass, events: list[Object], played: set[str], now_ns: int) -> None:
        """Order the devices of a class what has changed for them."""
        layers = [(parts, rows) for parts, rows in self._layers(events, name)]
        concerns = np.zeros((len(layers), len(of)), dtype=np.bool_)
        for k, (_, rows) in enumerate(layers):
            concerns[k, rows] = True
        concerns[
            :, [device.row for one in played if (device := self.targets.device(one)) and device.of.name == name]
        ] = False
        groups, group_of = (
            np.unique(concerns, axis=1, return_inverse=True)
            if layers
            else (concerns[:, :1], np.zeros(len(of), np.int64))
        )
        for k in range(groups.shape[1]):
            rows = np.flatnonzero(group_of.ravel() == k)
            parts = schedule.painted([parts for (parts, _), holds in zip(layers, groups[:, k], strict=True) if holds])
            block = schedule.next_block(parts, now_ns)
            if block:
                self._due_ns = min(self._due_ns, block[-1].end_ns)
            self._order(name, of, rows, block, now_ns)

    def _layers(self, events: Iterable[Object], name: str) -> Iterable[tuple[list[Part], Ints]]:
        """The set-points of each event that concerns a class, and its devices."""
        for event in events:
            program = self.store.get("PROGRAM", event["programID"])
            intervals = intervals_of(event, start_ns(event["createdDateTime"]) or 0)
            parts = schedule.parts_of(intervals, schedule.SETPOINTS, schedule.units_of(event, program))
            rows = self.targets.rows(targets_of(event, program)).get(name) if parts else None
            if rows is not None:
                yield parts, rows

    def _order(self, name: str, of: DeviceClass, rows: Ints, block: list[Part], now_ns: int) -> None:
        signature = self._signature(tuple(block))
        sent = self._sent[name]
        ends_ns = np.array(self._ends_ns)
        over = rows[(sent[rows] != 0) & (ends_ns[sent[rows]] <= now_ns)]
        sent[over] = 0
        changed = rows[sent[rows] != signature]
        if not len(changed):
            return
        sent[changed] = signature
        if not block:
            self._spawn(self._send(name, of, changed, [(now_ns, 0.0)], now_ns, now_ns, signature))
            return
        until_ns = block[-1].end_ns
        drawn_kw = self.grid.state.devices[name].power_kw if name != LOCAL_UNITS else -self.grid.state.unit_kw
        is_own = any(part.kind in _OWN_STATE or part.unit == "PERCENT" for part in block)
        for some in changed[:, np.newaxis] if is_own else (changed,):
            row = int(some[0])
            stored = self._store_of(name, row)
            found = schedule.powers(block, now_ns, float(of.rated_kw[row]), float(drawn_kw[row]), stored)
            if found:
                self._spawn(self._send(name, of, some, found, until_ns, now_ns, signature))

    def _store_of(self, name: str, row: int) -> schedule.Store | None:
        """What a device holds, from the scenario's section of its class."""
        section = self.grid.scenario.sections.get(name)
        capacity_kwh = getattr(section, "battery_kwh", getattr(section, "capacity_kwh", None))
        if capacity_kwh is None:
            return None
        efficiency = getattr(section, "one_way_efficiency", getattr(section, "efficiency", 1.0))
        return schedule.Store(float(self.grid.state.devices[name].content_kwh[row]), capacity_kwh, efficiency)

    async def _send(
        self,
        name: str,
        of: DeviceClass,
        rows: Ints,
        found: list[tuple[int, float]],
        until_ns: int,
        now_ns: int,
        signature: int,
    ) -> None:
        """Send one order to devices, (k,)."""
        highest_kw = of.rated_kw[rows].max()
        power_kw = np.array([power for _, power in found])
        if name == LOCAL_UNITS:  # an order of theirs is the highest output
            power_kw = np.maximum(-power_kw, 0.0)
        power_kw = np.clip(power_kw, 0.0 if name in ("vehicles", "heat_pumps") else -highest_kw, highest_kw)
        begins = np.array([begin for begin, _ in found], dtype=np.int64)
        payload = flexibility.Order(begins, power_kw, until_ns, rows)
        source = self.limiter.aggregators(of.point[rows])
        lost = await sent(self.grid, Outgoing(flexibility.order(name), payload, source, of.endpoint[rows]))
        if lost.any():
            again = rows[lost & (self._sent[name][rows] == signature)]
            self._sent[name][again] = -1 if signature == 0 else 0
            self._due_ns = min(self._due_ns, self.grid.now_ns + RETRY_NS)

    def _signature(self, block: tuple[Part, ...]) -> int:
        """A number for what is ordered; 0 for nothing."""
        if not block:
            return 0
        if block not in self._signatures:
            self._signatures[block] = len(self._ends_ns)
            self._ends_ns.append(block[-1].end_ns)
        return self._signatures[block]

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def targets_of(event: Object, program: Object | None) -> list[tuple[str, str]]:
    """Whom an event is for: its own targets, else its program's."""
    return event.get("targets") or (program or {}).get("targets") or []
