"""The built-in VENs at the devices: what the desk's events ask of them becomes orders that cross the modelled network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from heptagrid.live.grid import LiveGrid
from heptagrid.live.ordering import NEVER, Layer, Ordering
from heptagrid.live.protocols.openadr import schedule
from heptagrid.live.protocols.openadr.limits import Limiter
from heptagrid.live.protocols.openadr.store import Object, Store
from heptagrid.live.protocols.openadr.targets import BUILT_IN, Targets
from heptagrid.live.protocols.openadr.timing import intervals_of, start_ns

Ints = npt.NDArray[np.int64]


class Dispatcher:
    """Turns events into orders. played: names of devices that a program outside stands for; events do not order them."""

    def __init__(
        self, grid: LiveGrid, store: Store, targets: Targets, shares: Mapping[int, float], period_s: int
    ) -> None:
        self.grid, self.store, self.targets = grid, store, targets
        self.played: set[str] = set()
        self.ordering = Ordering(grid, targets)
        self.limiter = Limiter(grid, targets, shares, period_s, self._freed)
        self._is_stale = True
        store.changed.append(self._note)

    def tick(self) -> None:
        """Send what has become due."""
        now_ns = self.grid.now_ns
        if self._is_stale or now_ns >= self.ordering.due_ns:
            self._is_stale, self.ordering.due_ns = False, NEVER
            events = self.events()
            self.played = self._played()
            devices = [self.targets.device(name) for name in self.played]
            for name in self.targets.classes:
                rows = [one.row for one in devices if one is not None and one.of.name == name]
                self.ordering.plan(name, list(self._layers(events, name)), np.array(rows, dtype=np.int64), now_ns)
        if self.limiter.is_due(now_ns):
            self.ordering.spawn(self.limiter.hold(self.events(), self.played, now_ns))

    async def stop(self) -> None:
        """End what is under way."""
        await self.ordering.stop()

    def events(self) -> list[Object]:
        """The desk's events but for tests, the one that goes before all others last."""
        meant = [one for one in self.store.all("EVENT") if not one.get("isBuiltIn") and not schedule.is_test(one)]
        return sorted(meant, key=schedule.rank)

    def _freed(self, name: str, rows: Ints) -> None:
        self.ordering.forget(name, rows)
        self._is_stale = True

    def _played(self) -> set[str]:
        names = [one["resourceName"] for one in self.store.all("RESOURCE") if one["clientID"] != BUILT_IN]
        names += [one["venName"] for one in self.store.all("VEN") if one["clientID"] != BUILT_IN]
        return {name for name in names if self.targets.device(name) is not None}

    def _note(self, operation: str, kind: str, one: Object) -> None:
        if kind in ("EVENT", "PROGRAM", "VEN", "RESOURCE") and not one.get("isBuiltIn"):
            self._is_stale = True
            self.limiter.is_stale = True

    def _layers(self, events: Iterable[Object], name: str) -> Iterator[Layer]:
        """The set-points of each event that concerns a class, and its devices."""
        for event in events:
            program = self.store.get("PROGRAM", event["programID"])
            intervals = intervals_of(event, start_ns(event["createdDateTime"]) or 0)
            parts = schedule.parts_of(intervals, schedule.SETPOINTS, schedule.units_of(event, program))
            rows = self.targets.rows(targets_of(event, program)).get(name) if parts else None
            if rows is not None:
                yield parts, rows


def targets_of(event: Object, program: Object | None) -> list[tuple[str, str]]:
    """Whom an event is for: its own targets, else its program's."""
    return event.get("targets") or (program or {}).get("targets") or []
