"""What controls mean for built-in devices, and what devices of outside clients do: orders over the modelled network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from heptagrid.contracts.flexibility import LOCAL_UNITS
from heptagrid.contracts.inverters import Mode
from heptagrid.foundation.errors import HeptagridError
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.function_ordering import FunctionOrdering
from heptagrid.live.grid import LiveGrid
from heptagrid.live.order_parts import Part
from heptagrid.live.orderable import Orderable
from heptagrid.live.ordering import NEVER, Layer, Ordering
from heptagrid.live.protocols.sep2.model import EndDevice, Program, power_w
from heptagrid.live.protocols.sep2.server import Sep2Server
from heptagrid.live.protocols.sep2.xml import Element

AREA = "substation-"
_FOREVER_S = 10 * 366 * 86_400
_OFF, _CONNECTED = 1, 1


PartOf = Callable[[Element, Mapping[int, Element], int, int], Part | None]
"""What a `DERControlBase` asks for from an instant to another, with the curves of its programme."""


class Controls:
    """Keeps the orders of built-in devices to the server's controls."""

    def __init__(self, grid: LiveGrid, server: Sep2Server, orderable: Orderable) -> None:
        self.grid, self.server, self.orderable = grid, server, orderable
        self.ordering = Ordering(grid, orderable)
        self.vars = FunctionOrdering(grid, orderable, Mode.UNITY)
        self.drawn = FunctionOrdering(grid, orderable, Mode.POWER_FACTOR_DRAWING)
        self.limits = FunctionOrdering(grid, orderable, Mode.VOLT_WATT)
        self.answers = FunctionOrdering(grid, orderable, Mode.FREQUENCY_DROOP)
        self.is_stale = False

    def tick(self) -> None:
        """Send what has become due."""
        now_ns = self.grid.now_ns
        if not self.is_stale and now_ns < min(one.due_ns for one in self._every):
            return
        self.is_stale = False
        for one in self._every:
            one.due_ns = NEVER
        played = [one.device for one in self.server.devices.values() if one.device is not None]
        programs = sorted(self.server.programs.values(), key=lambda one: -one.primacy)
        for name in self.orderable.classes:
            rows = [device.row for device in played if device.of.name == name]
            excluded = np.array(rows, dtype=np.int64)
            self.ordering.plan(name, self._layers(programs, name, _powers(name)), excluded, now_ns)
            if name in self.grid.inverters:
                functions = self.server.functions
                self.vars.plan(name, self._layers(programs, name, functions.vars_of), excluded, now_ns)
                self.drawn.plan(name, self._layers(programs, name, functions.drawn_of), excluded, now_ns)
                self.limits.plan(name, self._layers(programs, name, functions.limit_of), excluded, now_ns)
                self.answers.plan(name, self._layers(programs, name, functions.frequency_of), excluded, now_ns)

    async def stop(self) -> None:
        """End what is under way."""
        for one in self._every:
            await one.stop()

    @property
    def _every(self) -> tuple[Ordering, ...]:
        return self.ordering, self.vars, self.drawn, self.limits, self.answers

    def _layers(self, programs: Sequence[Program], name: str, make: PartOf) -> list[Layer]:
        """What programmes ask of a class, as `make` makes it of a control."""
        return [layer for one in programs for layer in self._layers_of(one, name, make)]

    def _layers_of(self, program: Program, name: str, make: PartOf) -> Iterator[Layer]:
        """What a programme asks of a class: its default, and over it its controls, the younger ones last."""
        begin_ns = program.default_s * NS_PER_S
        bases = [(program.default, begin_ns, begin_ns + _FOREVER_S * NS_PER_S)] if program.default is not None else []
        for one in sorted(program.controls.values(), key=lambda each: (each.made_s, each.number)):
            if one.cancelled_s is None:
                bases.append((one.base, one.begin_s * NS_PER_S, one.end_s * NS_PER_S))
        rows = self._rows(program, name) if bases else np.empty(0, dtype=np.int64)
        if not len(rows):
            return
        for base, from_ns, until_ns in bases:
            part = make(base, program.curves, from_ns, until_ns)
            if part is not None:
                yield [part], rows

    def _rows(self, program: Program, name: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        of = self.orderable.classes[name]
        if program.of is not None:
            return np.empty(0, dtype=np.int64)
        if not program.targets or name.upper() in program.targets:
            return np.arange(len(of), dtype=np.int64)
        numbers = [int(one.removeprefix(AREA)) for one in program.targets if one.startswith(AREA)]
        return np.flatnonzero(np.isin(self.orderable.substation_of[of.point], numbers)).astype(np.int64)


def _powers(name: str) -> PartOf:
    return lambda base, curves, begin_ns, end_ns: part_of(base, name, begin_ns, end_ns)


def part_of(base: Element, name: str, begin_ns: int, end_ns: int) -> Part | None:
    """What a `DERControlBase` orders of a class; positive is drawn, while the standard's set-points are given to the grid. None: nothing of active power.

    A highest output (`opModMaxLimW`) is for local units; what batteries and vehicles draw it does not limit. `rampTms` says in which time it is reached.
    """
    ramp_s = (base.whole("rampTms") or 0) / 100.0
    fixed, limit, target = base.whole("opModFixedW"), base.whole("opModMaxLimW"), power_w(base.find("opModTargetW"))
    if base.boolean("opModConnect") is False or base.boolean("opModEnergize") is False:
        return Part(begin_ns, end_ns, "DISPATCH_SETPOINT", 0.0, "KW", ramp_s=ramp_s)
    if fixed is not None:
        return Part(begin_ns, end_ns, "DISPATCH_SETPOINT", -fixed / 100.0, "PERCENT", ramp_s=ramp_s)
    if target is not None:
        return Part(begin_ns, end_ns, "DISPATCH_SETPOINT", -target, "W", ramp_s=ramp_s)
    if limit is not None and name == LOCAL_UNITS:
        return Part(begin_ns, end_ns, "DISPATCH_SETPOINT", -limit / 100.0, "PERCENT", ramp_s=ramp_s)
    return None


class PlayedDevices:
    """What outside clients tell of their devices becomes what these do. hold_s: how long it holds."""

    def __init__(self, grid: LiveGrid, ordering: Ordering, hold_s: int) -> None:
        self._grid, self._ordering, self._hold_ns = grid, ordering, hold_s * NS_PER_S

    def read(self, one: EndDevice, watts: float) -> None:
        """A client has posted a power, positive drawn."""
        if one.device is not None:
            self._ordering.spawn(self._order(one, watts / 1000.0))

    def put(self, one: EndDevice, what: str, given: Element) -> None:
        """A client has put something; a status that says off or not connected stops its device."""
        if one.device is None or what != "ders":
            return
        mode = given.whole("operationalModeStatus", "value")
        connected = [given.value(tag, "value") for tag in ("genConnectStatus", "storConnectStatus")]
        flags = [int(text, 16) for text in connected if text and len(text) <= 2 and text.isalnum() and _is_hex(text)]
        if mode == _OFF or (flags and not any(flag & _CONNECTED for flag in flags)):
            self._ordering.spawn(self._order(one, 0.0))

    async def _order(self, one: EndDevice, power_kw: float) -> None:
        device = one.device
        assert device is not None
        if device.of.name == LOCAL_UNITS:
            power_kw = max(-power_kw, 0.0)
        power_kw = min(max(power_kw, -device.rated_kw), device.rated_kw)
        try:
            until_ns = self._grid.now_ns + self._hold_ns
            await self._grid.order(device, [power_kw], None, until_ns, desk=self._grid.at(device))
        except HeptagridError:
            self._grid.count("lost order")


def _is_hex(text: str) -> bool:
    return all(one in "0123456789abcdefABCDEF" for one in text)
