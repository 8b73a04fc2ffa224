"""The built-in VENs hold limits: of a site's import and export, and of the power that a level of demand response leaves.

A gateway shares what a limit leaves after the rest of its site among the devices that are meant, by their ratings, and looks again each period. Devices
that take caps are capped, others are ordered the power where they draw more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import flexibility
from heptagrid.contracts.flexibility import LOCAL_UNITS
from heptagrid.foundation.contract import Contract
from heptagrid.foundation.registry import devices
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.crossing import Outgoing
from heptagrid.live.grid import LiveGrid
from heptagrid.live.order_parts import Part, in_kw
from heptagrid.live.protocols.openadr import schedule
from heptagrid.live.protocols.openadr.store import Object
from heptagrid.live.protocols.openadr.targets import Targets
from heptagrid.live.protocols.openadr.timing import intervals_of, start_ns
from heptagrid.live.waves import sent

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_NOTICED_KW = 0.05
"""A limit that has moved by less is not sent again: assumption, half a percent of a charger's power."""


class Limiter:
    """Holds the limits of events. is_stale: whether events have changed since it looked."""

    def __init__(
        self,
        grid: LiveGrid,
        targets: Targets,
        shares: Mapping[int, float],
        period_s: int,
        freed: Callable[[str, Ints], None],
    ) -> None:
        """Set up; shares: of the rated power that each level of SIMPLE leaves. freed: told which devices a limit has let go, or taken from an order."""
        self.grid, self.targets, self._shares = grid, targets, shares
        self.is_stale = False
        self._period_ns, self._due_ns, self._freed = period_s * NS_PER_S, 0, freed
        self._held = {name: np.full(len(of), np.inf) for name, of in targets.classes.items()}
        self._until_ns = {name: np.zeros(len(of), dtype=np.int64) for name, of in targets.classes.items()}

    def is_due(self, now_ns: int) -> bool:
        """Whether it is time to look."""
        return self.is_stale or now_ns >= self._due_ns

    async def hold(self, events: Sequence[Object], played: set[str], now_ns: int) -> None:
        """Look what limits leave each device now, and send what has changed."""
        self.is_stale, self._due_ns = False, now_ns + self._period_ns
        allowed, until_ns = self._allowed(events, now_ns)
        for one in played:
            if device := self.targets.device(one):
                allowed[device.of.name][device.row] = np.inf
        for name, allowed_kw in allowed.items():
            await self._tell(name, allowed_kw, until_ns[name], now_ns)

    def _allowed(self, events: Sequence[Object], now_ns: int) -> tuple[dict[str, Floats], dict[str, Ints]]:
        """What each device may draw, or a local unit give, and until when; infinite where nothing limits it."""
        allowed = {name: np.full(len(of), np.inf) for name, of in self.targets.classes.items()}
        until_ns = {name: np.zeros(len(of), dtype=np.int64) for name, of in self.targets.classes.items()}
        for event in events:
            intervals = intervals_of(event, start_ns(event["createdDateTime"]) or now_ns)
            for part in schedule.parts_of(intervals, schedule.LIMITS, schedule.units_of(event)):
                if part.begin_ns <= now_ns < part.end_ns:
                    rows = self.targets.rows(event.get("targets") or ())
                    for name, own_kw in self._leaves(part, rows).items():
                        at = rows[name]
                        until_ns[name][at] = np.where(own_kw < allowed[name][at], part.end_ns, until_ns[name][at])
                        allowed[name][at] = np.minimum(allowed[name][at], own_kw)
                else:
                    edge_ns = part.begin_ns if part.begin_ns > now_ns else self._due_ns
                    self._due_ns = min(self._due_ns, edge_ns)
        return allowed, until_ns

    def _leaves(self, part: Part, rows: Mapping[str, Ints]) -> dict[str, Floats]:
        """What a limit leaves the devices that are meant, by class as `rows`."""
        state, classes = self.grid.state, self.targets.classes
        is_export = part.kind == "EXPORT_CAPACITY_LIMIT"
        meant = {name: at for name, at in rows.items() if (name == LOCAL_UNITS) == is_export}
        if part.kind == "SIMPLE":
            share = self._shares.get(int(part.value), 1.0)
            return {
                name: np.where(share < 1.0, share * classes[name].rated_kw[at], np.inf) for name, at in meant.items()
            }
        points = len(state.point_p_kw)
        rated_kw, own_kw = np.zeros(points), np.zeros(points)
        for name, at in meant.items():
            point = classes[name].point[at]
            drawn_kw = state.unit_kw[at] if is_export else np.maximum(state.devices[name].power_kw[at], 0.0)
            np.add.at(rated_kw, point, classes[name].rated_kw[at])
            np.add.at(own_kw, point, drawn_kw)
        rest_kw = -state.point_p_kw - own_kw if is_export else state.point_p_kw - own_kw
        left_kw = np.maximum(in_kw(part, 0.0) - rest_kw, 0.0)
        share_of = np.divide(left_kw, rated_kw, out=np.zeros(points), where=rated_kw > 0.0)
        return {name: classes[name].rated_kw[at] * share_of[classes[name].point[at]] for name, at in meant.items()}

    async def _tell(self, name: str, allowed_kw: Floats, until_ns: Ints, now_ns: int) -> None:
        """Send a class's devices what has changed of their limits."""
        of, held, known_ns = self.targets.classes[name], self._held[name], self._until_ns[name]
        takes_caps = name != LOCAL_UNITS and bool(devices()[name].is_capped)
        over = known_ns <= now_ns
        held[over] = np.inf
        is_free, was_free = np.isinf(allowed_kw), np.isinf(held)
        moved = np.zeros(len(of), dtype=np.bool_)
        both = ~is_free & ~was_free
        moved[both] = (np.abs(allowed_kw[both] - held[both]) > _NOTICED_KW) | (until_ns[both] != known_ns[both])
        limits = moved | (was_free & ~is_free)
        if not takes_caps and name != LOCAL_UNITS:
            limits &= ~was_free | (self.grid.state.devices[name].power_kw > allowed_kw + _NOTICED_KW)
        frees = is_free & ~was_free
        held[limits | frees], known_ns[limits | frees] = allowed_kw[limits | frees], until_ns[limits | frees]
        for rows, is_freed in ((np.flatnonzero(limits), False), (np.flatnonzero(frees), True)):
            if len(rows):
                await self._send(
                    name, rows, np.zeros(len(rows)) if is_freed else allowed_kw[rows], takes_caps, now_ns, is_freed
                )

    async def _send(self, name: str, rows: Ints, kw: Floats, takes_caps: bool, now_ns: int, is_freed: bool) -> None:
        of = self.targets.classes[name]
        until_ns = np.full(len(rows), now_ns, dtype=np.int64) if is_freed else self._until_ns[name][rows]
        source, destination = self.targets.aggregators(of.point[rows]), of.endpoint[rows]
        if takes_caps:
            contract: Contract[flexibility.Cap] = flexibility.CAP
            await sent(self.grid, Outgoing(contract, flexibility.Cap(kw, until_ns), source, destination))
            return
        # Devices that get the same order share a wave.
        keys, which = np.unique(np.column_stack([kw, until_ns.astype(np.float64)]), axis=0, return_inverse=True)
        for k in range(len(keys)):
            some = np.flatnonzero(which.ravel() == k)
            begin = np.array([now_ns], dtype=np.int64)
            payload = flexibility.Order(begin, np.array([kw[some[0]]]), int(until_ns[some[0]]), rows[some])
            await sent(self.grid, Outgoing(flexibility.order(name), payload, source[some], destination[some]))
        if is_freed:
            self._freed(name, rows)
