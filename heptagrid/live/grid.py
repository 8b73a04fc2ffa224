"""A live grid as adapters and the interface see it: devices, the last state, messages that cross the modelled network, changes."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from heptagrid.contracts import flexibility, inverters
from heptagrid.contracts.desks import Role
from heptagrid.contracts.inverters import Function
from heptagrid.contracts.outside import FRAMES, Frame
from heptagrid.domains.customers.device import device_classes
from heptagrid.foundation.contract import Contract
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.errors import HeptagridError, UsageError
from heptagrid.live.crossing import Fate, LostError, Outgoing, RefusedError
from heptagrid.live.engine import Engine
from heptagrid.live.inventory import Device, Inventory
from heptagrid.live.mailbox import Mailbox
from heptagrid.live.places import Places
from heptagrid.live.roles import Roles, role_between
from heptagrid.live.state import State
from heptagrid.live.wire import WireLog
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation.journal import Entry
from heptagrid.world.endpoints import Endpoints

LOGGED = 2000
"""Frames that the log keeps."""
COUNTED = 1000
"""Words under which is counted; what comes beyond them counts as `OTHERS`, for a word may hold what somebody outside wrote."""
OTHERS = "others"


@dataclass(eq=False)
class Peer:
    """Somebody outside who is connected. protocol, address: how and from where; role: what it plays; device: which it speaks to or is, if one.

    frames, bytes: in both directions. since_ns: simulated. refused: what it was not allowed.
    """

    protocol: str
    address: str
    role: str
    device: str = ""
    since_ns: int = 0
    frames: int = 0
    bytes: int = 0
    refused: int = 0


class FrameRecord(NamedTuple):
    """A frame in the log. ns: simulated, when it was sent; text: decoded; is_inward: whether it came from outside. delay_s: that the network added, None if it was lost."""

    ns: int
    protocol: str
    address: str
    device: str
    is_inward: bool
    size_bytes: int
    text: str
    delay_s: float | None


@dataclass(frozen=True)
class Place:
    """An end of the communication network: a domain's endpoint."""

    domain: Domain
    endpoint: int


@dataclass
class LiveGrid:
    """What every adapter is given; all but `engine` is for the event loop's thread alone.

    is_ideal: whether frames bypass the modelled network. roles: who plays a desk from outside. peers: who is connected. frames: the last ones. counts: what was refused or malformed, by word. wire: all bytes that came in. places: for connections to devices. shared: what several protocols
    have together, by name.
    """

    scenario: Scenario
    engine: Engine
    inventory: Inventory
    loop: asyncio.AbstractEventLoop
    is_ideal: bool = False
    peers: list[Peer] = field(default_factory=list)
    frames: deque[FrameRecord] = field(default_factory=lambda: deque(maxlen=LOGGED))
    counts: dict[str, int] = field(default_factory=dict)
    wire: WireLog = field(default_factory=WireLog)
    places: Places = field(default_factory=Places)
    shared: dict[str, Any] = field(default_factory=dict)
    roles: Roles = field(init=False)
    _numbers: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self._mail = Mailbox(self.loop)
        self.engine.crossings.post = self._mail.post_all
        self.roles = Roles(self._silence)
        self.engine.on_state.append(lambda state: self._mail.post(self.roles.look, state.at_ns))

    @property
    def state(self) -> State:
        """The last solved state.

        Raises
        ------
        HeptagridError
            Before the first.
        """
        state = self.engine.state
        if state is None:
            raise HeptagridError("the grid is not ready yet")
        return state

    @cached_property
    def inverters(self) -> tuple[str, ...]:
        """The classes of devices with inverters."""
        classes = device_classes()
        return (flexibility.LOCAL_UNITS, *(name for name, one in classes.items() if one.has_inverter))

    @property
    def now_ns(self) -> int:
        """The simulated instant."""
        return self.engine.pace.now_ns

    @property
    def endpoints(self) -> Endpoints:
        """Where desks and devices are reached."""
        return self.inventory.world.endpoints

    def desk(self, role: str, number: int = 0) -> Place:
        """Where a desk sits: "operations" (head end, SCADA), "aggregator", "retailer" or "market"."""
        at = self.endpoints
        places: dict[str, tuple[Domain, Sequence[int]]] = {
            "operations": (Domain.OPERATIONS, [at.operations]),
            "aggregator": (Domain.PROVIDERS, at.aggregators.tolist()),
            "retailer": (Domain.PROVIDERS, at.retailers.tolist()),
            "market": (Domain.MARKETS, [at.market]),
        }
        if role not in places:
            raise UsageError(f"there is no role {role!r}; there are {', '.join(places)}")
        domain, endpoints = places[role]
        return Place(domain, int(endpoints[number]))

    @staticmethod
    def at(device: Device) -> Place:
        """A device's own place: from there a gateway beside it hands on what has crossed the network already, and nothing crosses twice."""
        return Place(device.of.domain, device.endpoint)

    async def ask(self, desk: Place, device: Device, size_bytes: int, at_ns: int | None = None) -> int:
        """A frame of so many bytes goes from a desk to a device; the simulated instant at which it arrives. at_ns: when it leaves, None: now.

        Raises
        ------
        LostError
            If it never does.
        """
        return await self._cross(desk, self.at(device), size_bytes, at_ns)

    async def answer(self, device: Device, desk: Place, size_bytes: int, at_ns: int | None = None) -> int:
        """A frame of so many bytes goes from a device to a desk; the simulated instant at which it arrives. at_ns: when it leaves, None: now.

        Raises
        ------
        LostError
            If it never does.
        """
        return await self._cross(self.at(device), desk, size_bytes, at_ns)

    async def _cross(self, source: Place, destination: Place, size_bytes: int, at_ns: int | None) -> int:
        if self.is_ideal:
            self._hear(source.domain, source.endpoint, destination.domain)
            return self.now_ns
        contract = FRAMES[source.domain, destination.domain]
        if at_ns is not None:
            number = Frame(np.array([next(self._numbers)]))
            ends = (np.array([source.endpoint]), np.array([destination.endpoint]))
            return (await self.send(Outgoing(contract, number, *ends, at_ns=at_ns, size_bytes=size_bytes))).ns
        self._hear(source.domain, source.endpoint, destination.domain)
        arrived: asyncio.Future[Fate] = self.loop.create_future()
        end_of = (next(self._numbers), source.endpoint, destination.endpoint)
        self.engine.crossings.hand_in_frame(contract, end_of, size_bytes, partial(_settle, arrived))
        return self._arrived(await arrived, contract).ns

    def carry(self, source: Place, destination: Place, size_bytes: int, then: Callable[[Fate], None]) -> None:
        """Let a frame cross, as `ask` and `answer` do; `then` is called in the event loop with its fate."""
        if self.roles.are_played:
            self._hear(source.domain, source.endpoint, destination.domain)
        if self.is_ideal:
            then(Fate(-1, self.now_ns, True))
            return
        contract = FRAMES[source.domain, destination.domain]
        ends = (next(self._numbers), source.endpoint, destination.endpoint)
        try:
            self.engine.crossings.hand_in_frame(contract, ends, size_bytes, then)
        except HeptagridError:
            then(Fate(-1, self.now_ns, False))

    async def order(
        self,
        device: Device,
        power_kw: Sequence[float],
        begin_ns: Sequence[int] | None,
        until_ns: int,
        *,
        desk: Place | None = None,
        size_bytes: int | None = None,
    ) -> int:
        """Order a device's power over the network, by intervals (`contracts.flexibility.Order`); the simulated instant at which the order arrives.

        begin_ns: when each interval begins; None: one, at once. desk: who orders; None: the device's aggregator; `at(device)`: what came there in a frame.

        Raises
        ------
        LostError, RefusedError
        """
        begins = np.array([self.now_ns] if begin_ns is None else begin_ns, dtype=np.int64)
        payload = flexibility.Order(begins, np.array(power_kw, dtype=np.float64), until_ns, np.array([device.row]))
        place = desk or self.desk("aggregator", self.aggregator_of(device))
        contract = flexibility.order(device.of.name)
        ends = (np.array([place.endpoint]), np.array([device.endpoint]))
        return (await self.send(Outgoing(contract, payload, *ends, size_bytes=size_bytes))).ns

    async def give(
        self, device: Device, function: Function, *, desk: Place | None = None, size_bytes: int | None = None
    ) -> int:
        """Give a device's inverter a function over the network, or take it back (`contracts.inverters.Function`, of which the device is put in); the simulated instant at which it arrives.

        Raises
        ------
        LostError, RefusedError
        """
        payload = replace(function, device=np.array([device.row]))
        place = desk or self.desk("aggregator", self.aggregator_of(device))
        ends = (np.array([place.endpoint]), np.array([device.endpoint]))
        return (await self.send(Outgoing(inverters.function(device.of.name), payload, *ends, size_bytes=size_bytes))).ns

    def aggregator_of(self, device: Device) -> int:
        """The number of the aggregator of the customer at whose metering point a device stands."""
        companies = self.inventory.world.companies
        return int(companies.aggregator_of[device.point]) if 0 <= device.point < len(companies.aggregator_of) else 0

    async def send(self, message: Outgoing) -> Fate:
        """Send one message of any contract over the modelled network, and wait until it arrives.

        Raises
        ------
        LostError, RefusedError
        """
        contract = message.contract
        if int(message.source[0]) != int(message.destination[0]):  # else the frame was heard that brought it
            self._hear(contract.sender, int(message.source[0]), contract.receiver)
        arrived: asyncio.Future[Fate] = self.loop.create_future()
        self.engine.crossings.hand_in(message, partial(_settle, arrived))
        return self._arrived(await arrived, contract)

    def _arrived(self, fate: Fate, contract: Contract[Any]) -> Fate:
        """The fate of a message if it has arrived.

        Raises
        ------
        LostError, RefusedError
        """
        if fate.was_refused:
            self.count(f"refused: {contract.name}")
            raise RefusedError(f"policy refuses a {contract.name}")
        if not fate.arrived:
            raise LostError(f"a {contract.name} was lost on its way")
        return fate

    def _hear(self, sender: Domain, endpoint: int, receiver: Domain) -> None:
        """Somebody outside speaks as a desk."""
        if not self.roles.are_played:
            return
        role = role_between(sender, receiver)
        if sender is Domain.PROVIDERS:
            role = "aggregator" if endpoint in self.endpoints.aggregators else "retailer"
        if role is not None:
            self.roles.heard(role, self.now_ns)

    def _silence(self, role: Role, is_silent: bool) -> None:
        """The built-in desk of a role sends nothing from the next step on, or sends again."""
        given = {"role": role, "silent": is_silent}
        self.engine.change(Entry("desk", given, self.roles.words()[role]), self._note_problem)

    async def send_wave(self, message: Outgoing) -> list[Fate]:
        """Send a wave over the modelled network, and wait until each of its messages has arrived or is lost; their fates in the order of the messages.

        Raises
        ------
        RefusedError
        """
        self._hear(message.contract.sender, int(message.source[0]), message.contract.receiver)
        count = len(message.source)
        all_told: asyncio.Future[list[Fate]] = self.loop.create_future()
        fates: list[Fate] = []

        def told(fate: Fate) -> None:
            fates.append(fate)
            if len(fates) == count:
                _settle(all_told, fates)

        self.engine.crossings.hand_in(message, told)
        if any(fate.was_refused for fate in await all_told):
            self.count(f"refused: {message.contract.name}")
            raise RefusedError(f"policy refuses a {message.contract.name}")
        return sorted(fates, key=lambda one: one.id)

    async def change(self, what: str, given: Mapping[str, Any], by: str = "") -> None:
        """Change the grid before the next step: a fault, a switch (`heptagrid.simulation.changes`).

        Raises
        ------
        UsageError
            With what is wrong with it.
        """
        done: asyncio.Future[str | None] = self.loop.create_future()
        self.engine.change(Entry(what, dict(given), by), partial(self._mail.post, _settle, done))
        problem = await done
        if problem is not None:
            raise UsageError(problem)

    def _note_problem(self, problem: str | None) -> None:
        if problem is not None:
            self._mail.post(self.count, f"a desk was not changed: {problem}")

    def heard(self, protocol: str, address: str, data: bytes) -> None:
        """Note bytes that came in from outside, as they came."""
        self.wire.write(self.now_ns, protocol, address, data)

    def note(self, record: FrameRecord) -> None:
        """Keep a frame for the log."""
        self.frames.append(record)

    def count(self, what: str) -> None:
        """One more of something that was refused or malformed."""
        if what not in self.counts and len(self.counts) >= COUNTED:
            what = OTHERS
        self.counts[what] = self.counts.get(what, 0) + 1


def _settle(future: asyncio.Future[Any], value: Any) -> None:
    """Give a future its value, unless nobody waits for it any more."""
    if not future.done():
        future.set_result(value)
