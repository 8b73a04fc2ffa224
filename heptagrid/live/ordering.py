"""Orders to the devices of a live grid by what is asked of them over time; they cross the modelled network.

A device has one order at a time, so all that concerns it is laid over one another; an order reaches to the next gap, and the next one is sent when that is over. An
order that is lost is sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import flexibility
from heptagrid.contracts.flexibility import LOCAL_UNITS
from heptagrid.foundation.contract import Contract
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live import order_parts
from heptagrid.live.crossing import Outgoing
from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import DeviceClass
from heptagrid.live.order_parts import Part
from heptagrid.live.orderable import Orderable
from heptagrid.live.waves import sent

Ints = npt.NDArray[np.int64]
Layer = tuple[Sequence[Part], Ints]
Message = tuple[Ints, Contract[Any], object]

RETRY_NS = 60 * NS_PER_S
"""After which an order that was lost is sent again: assumption."""
NEVER = 1 << 62
_OWN_STATE = ("DISPATCH_SETPOINT_RELATIVE", "CHARGE_STATE_SETPOINT")


class Ordering:
    """Sends the orders of one protocol. due_ns: when it has to be asked again."""

    def __init__(self, grid: LiveGrid, orderable: Orderable) -> None:
        self.grid, self.orderable = grid, orderable
        self.due_ns = NEVER
        self._signatures: dict[tuple[Part, ...], int] = {}
        self._ends_ns = [0]
        self._sent = {name: np.zeros(len(of), dtype=np.int64) for name, of in orderable.classes.items()}
        self._tasks: set[asyncio.Task[None]] = set()

    def forget(self, name: str, rows: Ints) -> None:
        """Devices, (k,) of a class, no longer do what they were ordered: order them again."""
        self._sent[name][rows] = 0

    async def stop(self) -> None:
        """End what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do some work beside."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def plan(self, name: str, layers: Sequence[Layer], excluded: Ints, now_ns: int) -> None:
        """Order the devices of a class what has changed for them. layers: parts and (k,) devices, the one that goes before all others last; excluded: (k,) devices that are left alone."""
        of = self.orderable.classes[name]
        concerns = np.zeros((len(layers), len(of)), dtype=np.bool_)
        for k, (_, rows) in enumerate(layers):
            concerns[k, rows] = True
        concerns[:, excluded] = False
        groups, group_of = concerns[:, :1], np.zeros(len(of), dtype=np.int64)
        if layers:
            groups, group_of = np.unique(concerns, axis=1, return_inverse=True)
        for k in range(groups.shape[1]):
            rows = np.flatnonzero(group_of.ravel() == k)
            held = [parts for (parts, _), holds in zip(layers, groups[:, k], strict=True) if holds]
            block = self._next(order_parts.painted(held), now_ns)
            if block:
                self.due_ns = min(self.due_ns, block[-1].end_ns)
            self._order(name, of, rows, block, now_ns)

    def _next(self, parts: Sequence[Part], now_ns: int) -> list[Part]:
        """What is ordered at once: up to the next gap."""
        return order_parts.next_block(parts, now_ns)

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
        for message in self._messages(name, of, changed, block, now_ns):
            self.spawn(self._send(name, of, *message, signature))

    def _messages(self, name: str, of: DeviceClass, rows: Ints, block: list[Part], now_ns: int) -> Iterator[Message]:
        """What is sent to devices, (k,), for a block; without parts they work by themselves again."""
        contract = flexibility.order(name)
        if not block:
            begins = np.array([now_ns])
            yield rows, contract, flexibility.Order(begins, np.zeros(1), now_ns, rows)
            return
        drawn_kw = self.grid.state.devices[name].power_kw if name != LOCAL_UNITS else -self.grid.state.unit_kw
        for some in _alike(of, rows, block):
            row = int(some[0])
            stored = self._store_of(name, row)
            rated_kw = float(of.rated_kw[row])
            from_kw = -rated_kw if name == LOCAL_UNITS else None  # theirs is the highest output: a ramp begins at all
            found = order_parts.powers(block, now_ns, rated_kw, float(drawn_kw[row]), stored, from_kw)
            if not found:
                continue
            highest_kw = of.rated_kw[some].max()
            power_kw = np.array([power for _, power in found])
            if name == LOCAL_UNITS:  # an order of theirs is the highest output
                power_kw = np.maximum(-power_kw, 0.0)
            least_kw = -highest_kw if name in self.grid.inverters else 0.0
            power_kw = np.clip(power_kw, least_kw, highest_kw)
            begins = np.array([begin for begin, _ in found], dtype=np.int64)
            yield some, contract, flexibility.Order(begins, power_kw, block[-1].end_ns, some)

    def _store_of(self, name: str, row: int) -> order_parts.Store | None:
        """What a device holds, from the scenario's section of its class."""
        section = self.grid.scenario.sections.get(name)
        capacity_kwh = getattr(section, "battery_kwh", getattr(section, "capacity_kwh", None))
        if capacity_kwh is None:
            return None
        efficiency = getattr(section, "one_way_efficiency", getattr(section, "efficiency", 1.0))
        return order_parts.Store(float(self.grid.state.devices[name].content_kwh[row]), capacity_kwh, efficiency)

    async def _send(
        self, name: str, of: DeviceClass, rows: Ints, contract: Contract[Any], payload: object, signature: int
    ) -> None:
        """Send one order to devices, (k,)."""
        source = self.orderable.aggregators(of.point[rows])
        lost = await sent(self.grid, Outgoing(contract, payload, source, of.endpoint[rows]))
        if lost.any():
            again = rows[lost & (self._sent[name][rows] == signature)]
            self._sent[name][again] = -1 if signature == 0 else 0
            self.due_ns = min(self.due_ns, self.grid.now_ns + RETRY_NS)

    def _signature(self, block: tuple[Part, ...]) -> int:
        """A number for what is ordered; 0 for nothing."""
        if not block:
            return 0
        if block not in self._signatures:
            self._signatures[block] = len(self._ends_ns)
            self._ends_ns.append(block[-1].end_ns)
        return self._signatures[block]


def _alike(of: DeviceClass, rows: Ints, block: Sequence[Part]) -> list[Ints]:
    """Devices, (k,), by what they can be ordered together: a state of their own counts by itself, a percentage by the rating."""
    ramps = any(part.ramp_s for part in block)
    if any(part.kind in _OWN_STATE for part in block) or (ramps and of.name != LOCAL_UNITS):
        return list(rows[:, np.newaxis])
    if ramps or any(part.unit == "PERCENT" for part in block):
        rated_kw = of.rated_kw[rows]
        return [rows[rated_kw == one] for one in np.unique(rated_kw)]
    return [rows]
