"""Reports of the grid's devices: they cross the modelled network, then they are published; commands go back the same way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from math import isfinite

import numpy as np

from heptagrid.foundation.errors import HeptagridError
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.crossing import Fate, LostError, RefusedError
from heptagrid.live.grid import LiveGrid, Place
from heptagrid.live.inventory import METERS, SUBSTATIONS, Device, DeviceClass
from heptagrid.live.protocols.mqtt import packets
from heptagrid.live.protocols.mqtt.edge import EdgeNode, Rebirth, SetPoint
from heptagrid.live.protocols.mqtt.packets import MalformedError, Message
from heptagrid.live.protocols.mqtt.reports import (
    Bools,
    Ints,
    Rule,
    Values,
    Watch,
    changed,
    metrics_of,
    text_of,
    values_of,
)
from heptagrid.live.protocols.mqtt.section import Parameters
from heptagrid.live.protocols.mqtt.uplinks import Client, Uplink

LOOKED_S = 0.25
"""How often devices look whether they have something to report, of the wall clock."""
MOST_ORDERS = 1000
"""Set-points on their way; further ones are refused."""
_MOST_KW = 1e6
_NS_PER_MS = 1_000_000
_MOST_BUDGET_S = 2.0
"""Reports that were not needed are saved up for so long."""


class Publisher:
    """What devices publish, and what they are told. watch: of them all, edge nodes first."""

    def __init__(self, grid: LiveGrid, parameters: Parameters, uplink_for: Callable[[Client], Uplink]) -> None:
        self._grid, self._parameters = grid, parameters
        classes = grid.inventory.classes
        chosen = [classes[SUBSTATIONS], *(classes[name] for name in parameters.class_names if name != SUBSTATIONS)]
        longest_ns = round(parameters.longest_s * NS_PER_S)
        self.watch = Watch(chosen, Rule(parameters.deadband_kw, parameters.deadband_pct, longest_ns))
        self.nodes = [EdgeNode(parameters.group, f"substation-{row}") for row in range(len(classes[SUBSTATIONS]))]
        self._substation_of = grid.inventory.world.substation_of
        self._node_of = _nodes(self._substation_of, chosen)
        self._uplink_for = uplink_for
        self._uplinks: list[Uplink] = []
        self._last: dict[int, Values] = {}
        self._may = np.zeros(len(self.watch), dtype=np.bool_)
        self._budget = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Connect the edge nodes, or one client for all without Sparkplug."""
        plain = (f"{self._parameters.prefix}/+/+/set",) if self._parameters.plain else ()
        if not self._parameters.sparkplug:
            self._uplinks = [self._uplink_for(Client("heptagrid", plain, None, self._told, lambda: None))]
        else:
            for number, node in enumerate(self.nodes):
                filters = (*node.filters, *(plain if number == 0 else ()))
                will = lambda node=node: node.will(self._now_ms())  # noqa: E731
                told = lambda message, number=number: self._commanded(number, message)  # noqa: E731
                up = lambda number=number: self._forget_node(number)  # noqa: E731
                client = Client(f"heptagrid-{self._parameters.group}-{node.name}", filters, will, told, up)
                self._uplinks.append(self._uplink_for(client))
        for one in self._uplinks:
            one.start()

    async def stop(self) -> None:
        """The edge nodes say that they end."""
        farewells = [node.death(self._now_ms()) if node.is_born else None for node in self.nodes]
        await asyncio.gather(
            *(one.stop(farewells[k] if self._parameters.sparkplug else None) for k, one in enumerate(self._uplinks))
        )
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def look(self, passed_s: float) -> None:
        """Let devices report that have something to report, so many as may by now."""
        rate = self._parameters.messages_per_s
        self._budget = min(self._budget + passed_s * rate, max(rate * _MOST_BUDGET_S, 1.0))
        most = int(self._budget)
        if not most:
            return
        state = self._grid.state
        numbers = self.watch.due(state, self._grid.now_ns, self._allowed(), most)
        self._budget -= len(numbers)
        for number in numbers:
            self._report(number)

    def _allowed(self) -> Bools:
        """Whose way is up: edge nodes, and devices whose node is born."""
        may = self._may
        if not self._parameters.sparkplug:
            may[:] = self._uplinks[0].is_up
            return may
        is_up = np.array([one.is_up for one in self._uplinks])
        is_born = np.array([one.is_born for one in self.nodes]) & is_up
        may[: len(is_up)] = is_up
        may[len(is_up) :] = is_born[self._node_of[len(is_up) :]]
        return may

    def _report(self, number: int) -> None:
        """A device sends a report: a birth with all, or what has changed."""
        device, node = self.watch.device(number), int(self._node_of[number])
        values = values_of(self._grid.state, device)
        size = sum(len(packets.publish(one)) for one in self._messages(number, device, values, for_size=True))
        desk = self._desk(device)
        self.watch.is_under_way[number] = True
        self._grid.carry(
            Place(device.of.domain, device.endpoint),
            desk,
            size,
            lambda fate: self._arrived(number, device, node, values, fate),
        )

    def _arrived(self, number: int, device: Device, node: int, values: Values, fate: Fate) -> None:
        """A report has come, or was lost; then it is sent again when it is its turn."""
        self.watch.is_under_way[number] = False
        uplink = self._uplinks[node if self._parameters.sparkplug else 0]
        is_node = device.of.name == SUBSTATIONS
        if (
            not fate.arrived
            or not uplink.is_up
            or (self._parameters.sparkplug and not is_node and not self.nodes[node].is_born)
        ):
            self._grid.count("mqtt: lost")
            self.watch.forget(number)
            return
        messages = self._messages(number, device, values)
        self._last[number] = values
        if self._parameters.sparkplug and is_node and messages[0].topic.split("/")[2] == "NBIRTH":
            self._forget_devices(node)
        for one in messages:
            uplink.publish(one)

    def _messages(self, number: int, device: Device, values: Values, for_size: bool = False) -> list[Message]:
        """What a report is published as; for_size: only to know its size, so that nothing is counted."""
        news = changed(self._last.get(number), values) or {"power_kw": values["power_kw"]}
        found = []
        if self._parameters.sparkplug:
            found.append(self._sparkplug(number, device, values, news, for_size))
        if self._parameters.plain:
            topic = f"{self._parameters.prefix}/{device.name}"
            found += [Message(f"{topic}/{name}", text_of(value), retain=True) for name, value in news.items()]
        return found

    def _sparkplug(self, number: int, device: Device, values: Values, news: Values, for_size: bool) -> Message:
        node, at_ms = self.nodes[int(self._node_of[number])], self._now_ms()
        name = f"{device.of.name}-{device.row}"
        if for_size:
            probe = EdgeNode(self._parameters.group, node.name)
            is_known = node.is_born if device.of.name == SUBSTATIONS else name in node.born
            return probe.device_data(name, metrics_of(news if is_known else values), at_ms)
        if device.of.name == SUBSTATIONS:
            return node.data(metrics_of(news), at_ms) if node.is_born else node.birth(metrics_of(values), at_ms)
        if name in node.born:
            return node.device_data(name, metrics_of(news), at_ms)
        return node.device_birth(name, metrics_of(values), at_ms)

    def _forget_node(self, node: int) -> None:
        """A node and all its devices are to be born."""
        self.nodes[node].is_born = False
        self.nodes[node].born.clear()
        self.watch.forget(np.flatnonzero(self._node_of == node))

    def _forget_devices(self, node: int) -> None:
        mine = np.flatnonzero(self._node_of == node)
        self.watch.forget(mine[mine >= len(self.nodes)])

    def _commanded(self, node: int, message: Message) -> None:
        """A command has come for a node or one of its devices, or a plain one."""
        if not message.topic.startswith("spBv1.0/"):
            self._told(message)
            return
        try:
            command = self.nodes[node].commanded(message)
        except MalformedError:
            self._grid.count("mqtt: malformed")
            return
        if isinstance(command, Rebirth):
            self._forget_node(node)
        elif isinstance(command, SetPoint):
            of, _, row = command.device.rpartition("-")
            self._order(f"{of}/{row}", command.power_kw, command.for_s, len(message.payload), node)
        else:
            self._grid.count("mqtt: unknown command")

    def _told(self, message: Message) -> None:
        """A plain command: {"power_kw": 1.5, "for_s": 600} to PREFIX/vehicles/17/set."""
        name = "/".join(message.topic.split("/")[-3:-1])
        try:
            given = json.loads(message.payload)
            power_kw, for_s = float(given["power_kw"]), given.get("for_s")
            self._order(name, power_kw, None if for_s is None else float(for_s), len(message.payload), None)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self._grid.count("mqtt: malformed")

    def _order(self, name: str, power_kw: float, for_s: float | None, size: int, node: int | None) -> None:
        """Order a device's power, if it is one that takes orders."""
        seconds = self._parameters.order_s if for_s is None else for_s
        try:
            device = self._grid.inventory.device(name)
        except HeptagridError:
            self._grid.count("mqtt: no such device")
            return
        takes_orders = device.of.name not in (METERS, SUBSTATIONS) and device.point >= 0
        is_its_own = node is None or self._substation_of[device.point] == node
        is_sane = isfinite(power_kw) and abs(power_kw) <= _MOST_KW and 0.0 < seconds <= 86_400.0
        if not (takes_orders and is_its_own and is_sane):
            self._grid.count("mqtt: refused command")
            return
        if len(self._tasks) >= MOST_ORDERS:
            self._grid.count("mqtt: too many orders")
            return
        task = self._grid.loop.create_task(self._ordered(device, power_kw, seconds, size))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ordered(self, device: Device, power_kw: float, seconds: float, size: int) -> None:
        until_ns = self._grid.now_ns + round(seconds * NS_PER_S)
        try:
            await self._grid.order(device, [power_kw], None, until_ns, size_bytes=size)
        except (LostError, RefusedError):
            self._grid.count("mqtt: lost")

    def _desk(self, device: Device) -> Place:
        """To whom a device reports: meters and substations to operations, others to their aggregator."""
        if device.of.name in (METERS, SUBSTATIONS):
            return self._grid.desk("operations")
        return self._grid.desk("aggregator", self._grid.aggregator_of(device))

    def _now_ms(self) -> int:
        return self._grid.now_ns // _NS_PER_MS


def _nodes(substation_of: Ints, classes: list[DeviceClass]) -> Ints:
    """The edge node of each device, by the substation of its metering point."""
    return np.concatenate([np.arange(len(classes[0])), *(substation_of[one.point] for one in classes[1:])])
