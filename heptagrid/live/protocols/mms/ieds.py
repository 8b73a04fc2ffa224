"""All devices of a grid: their names, what they show, and who listens to them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import Device
from heptagrid.live.protocols.mms.devices import LOGICAL_DEVICE, PREFIXES, Model, model_of
from heptagrid.live.protocols.mms.ied import INVALID, NOT_TOPICAL, Client, Ied
from heptagrid.live.protocols.mms.section import Parameters
from heptagrid.live.stations.image import Images
from heptagrid.live.stations.points import POINTS, Point, controls_of

Order = Callable[[Device, str, float, Callable[[bool], None]], None]


class Ieds:
    """Each is made when a client first asks for it. order: called with what one is to carry out, and whom to tell whether it was done."""

    def __init__(self, grid: LiveGrid, parameters: Parameters, order: Order) -> None:
        self._grid, self._parameters = grid, parameters
        self.order = order
        self._points = {name: {one.name: one for one in points} for name, points in POINTS.items()}
        self._images: Images[Point] = Images(grid, POINTS, parameters.topical_s, INVALID, NOT_TOPICAL)
        self._models: dict[str, Model] = {}
        self._made: dict[str, Ied] = {}
        self._listened: dict[str, list[int]] = {}
        self._after: deque[Callable[[], object]] = deque()
        self._told_ns = 0  # of the state whose changes are being told
        self.look = self._images.look

    def is_station(self, device: Device) -> bool:
        """Whether a device is one."""
        return device.of.name in PREFIXES

    @staticmethod
    def domain(device: Device) -> str:
        """The name of a device's logical device."""
        return f"{PREFIXES[device.of.name]}{device.row}{LOGICAL_DEVICE}"

    @cached_property
    def _devices(self) -> dict[str, Device]:
        classes = self._grid.inventory.classes
        every = (Device(classes[name], row) for name in PREFIXES for row in range(len(classes[name])))
        return {self.domain(one): one for one in every}

    @cached_property
    def _names(self) -> list[str]:
        return sorted(self._devices)

    def names(self) -> Sequence[str]:
        """The domains of all devices, in alphabetical order."""
        return self._names

    def device(self, domain: str) -> Device | None:
        """The device that has a domain; None if none has."""
        return self._devices.get(domain)

    def at(self, name: str) -> Ied | None:
        """The device that has a domain; None if none has."""
        device = self._devices.get(name)
        return None if device is None else self.ied(device)

    def ied(self, device: Device) -> Ied:
        """A device of the grid as one of MMS."""
        domain = self.domain(device)
        made = self._made.get(domain)
        if made is None:
            controls = {one.action: one for one in controls_of(self._grid.inventory.world, device.of.name, device.row)}
            made = self._made[domain] = Ied(
                device, domain, self._model(device.of.name), controls, self, self._parameters.rules
            )
        return made

    def _model(self, name: str) -> Model:
        found = self._models.get(name)
        if found is None:
            found = self._models[name] = model_of(name, self._parameters.rules.control_model, self._parameters.clients)
        return found

    def read(self, device: Device, point: str) -> tuple[float, int]:
        """A point's value, and bits of its quality."""
        return self._images.of(device).read(self._points[device.of.name][point], device.row)

    def instant(self) -> int:
        """Of the values, in simulated ns; below 0 once the simulation has ended."""
        state = self._grid.engine.state
        ns = self._told_ns or (self._grid.now_ns if state is None else state.at_ns)
        return ns if self._grid.engine.is_running else -ns

    def now(self) -> float:
        """Of the monotonic clock, in seconds."""
        return self._grid.loop.time()

    def after_answer(self, work: Callable[[], object]) -> None:
        """Have something done once what is being answered has been."""
        self._after.append(work)

    def answered(self) -> None:
        """What waits for the answer is done."""
        while self._after:
            self._after.popleft()()

    def begin_to_listen(self, device: Device) -> None:
        """Somebody listens to a device from now on: what changes is told."""
        rows = self._listened.setdefault(device.of.name, [])
        if device.row not in rows:
            rows.append(device.row)
            rows.sort()
            self._images.listened_to([device])

    def tell(self) -> None:
        """Let devices tell what has changed, and what is due."""
        now = self.now()
        for device, points, at_ns in self._images.changes(self._listened):
            self._told_ns = at_ns
            self.ied(device).changed([one.name for one in points], now)
        self._told_ns = 0
        for ied in list(self._listening()):
            ied.tick(now)
            if not ied.is_listened_to:
                self._listened[ied.device.of.name].remove(ied.device.row)

    def _listening(self) -> Iterator[Ied]:
        classes = self._grid.inventory.classes
        for name, rows in self._listened.items():
            yield from (self.ied(Device(classes[name], row)) for row in list(rows))

    def left(self, client: Client) -> None:
        """An association has ended."""
        for one in self._made.values():
            one.left(client)


class Alone:
    """One device, as who connects to its own address reaches it."""

    def __init__(self, ied: Ied) -> None:
        self._ied = ied

    def names(self) -> Sequence[str]:
        """Its domain."""
        return [self._ied.domain]

    def at(self, name: str) -> Ied | None:
        """The device, if it has this domain."""
        return self._ied if name == self._ied.domain else None
