"""Our CSMS: a server to which real chargers connect, each in the place of a simulated vehicle."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from heptagrid.foundation.errors import HeptagridError, UsageError
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_S, S_PER_QUARTER, from_ns
from heptagrid.live.grid import LiveGrid, Peer
from heptagrid.live.inventory import Device
from heptagrid.live.protocol import Listening
from heptagrid.live.protocols.ocpp.charger import Charger
from heptagrid.live.protocols.ocpp.charger_16 import Charger16
from heptagrid.live.protocols.ocpp.charger_201 import Charger201
from heptagrid.live.protocols.ocpp.charging import LAPSE_NS, RENEWED_NS
from heptagrid.live.protocols.ocpp.link import Link, address_of, socket_options
from heptagrid.live.protocols.ocpp.parameters import Parameters
from heptagrid.live.protocols.ocpp.security import (
    BASIC,
    MUTUAL,
    TLS,
    common_name,
    is_password_of,
    server_context,
)
from heptagrid.live.protocols.ocpp.sliced import sliced
from heptagrid.live.protocols.ocpp.steering import MORE_H, Limit, Plan, constant, planned
from heptagrid.live.protocols.ocpp.wire import SUBPROTOCOLS, Version, actions
from heptagrid.live.state import State
from heptagrid.live.tls import counted

if TYPE_CHECKING:
    from websockets.asyncio.server import Server, ServerConnection
    from websockets.http11 import Request as Handshake
    from websockets.http11 import Response

LARGEST_KW = 43.5
"""What a charger at a house can draw: 63 A on three phases of 230 V, the largest usual fuse (VDE-AR-N 4100)."""
_NOT_TAKEN = ("Rejected", "NotSupported", "Unknown")  # statuses of answers to charging profiles, in both versions
_CHANGED_KW = 0.02  # a report that differs by less changes nothing
_LOOKED_S = 0.2
_KINDS: dict[Version, type[Charger]] = {"1.6": Charger16, "2.0.1": Charger201}


@dataclass
class _Seat:
    """A charger in the place of a vehicle. ordered: (power, until) that stand for what it reports. foreign: that somebody else ordered. limit: that it was told, None: none. plan, planned_with: what follows from
    the aggregator's signal that begins with that quarter hour. before_kwh: drawn before the transaction.
    """

    device: Device
    charger: Charger
    link: Link | None = None
    is_in_place: bool = False
    heard_ns: int = 0
    reported_kw: float | None = None
    until_ns: int = 0
    ordered: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=32))
    foreign: tuple[float, int] | None = None
    limit: Limit | None = None
    plan: Limit | None = None
    planned_with: int | None = None
    before_kwh: float = 0.0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    ordering: asyncio.Task[None] | None = None


class Csms:
    """The server. seats: chargers that were here, by identity. listens_on, is_tls: its port, and whether over TLS, from `start` on."""

    def __init__(self, grid: LiveGrid, parameters: Parameters) -> None:
        """Set up.

        Raises
        ------
        UsageError
            For a charger whose vehicle there is none.
        """
        self.grid, self.parameters = grid, parameters
        self._enrolled = self._enrolled_points()
        self.named = named_devices(grid, parameters)
        self.seats: dict[str, _Seat] = {}
        self.listens_on, self.is_tls = 0, False
        self._connections: set[ServerConnection] = set()
        self.places = grid.places.listener(self._connections)
        self._news = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def start(self, listening: Listening) -> None:
        """Listen.

        Raises
        ------
        UsageError
        """
        from websockets.asyncio.server import ServerConnection, serve

        actions("1.6")  # the library takes a tenth of a second to load: now, and not while the first charger waits
        given = self.parameters
        context = server_context(given.profile, given.certificate, given.key, given.authority, listening.tls)
        self.is_tls = context is not None
        if context is not None and context is not listening.tls:
            counted(context, self.grid.count, "ocpp")
        if given.profile in (BASIC, TLS) and not given.password:
            raise UsageError("live.ocpp.password: security profiles 1 and 2 need one")
        names: Any = list(SUBPROTOCOLS)
        try:
            self._server: Server = await serve(
                self._accept,
                listening.host,
                listening.port,
                ssl=context,
                subprotocols=names,
                select_subprotocol=self._subprotocol,
                process_request=self._admit,
                create_connection=sliced(ServerConnection),
                **socket_options(given.strict),
            )
        except OSError as problem:
            raise UsageError(
                f"ocpp: {listening.host} port {listening.port} cannot be listened on: {problem.strerror}; "
                "choose another, such as --protocols ocpp=9001"
            ) from problem
        self.listens_on = next(iter(self._server.sockets)).getsockname()[1]
        self.grid.engine.on_state.append(self._published)
        self._looking = asyncio.create_task(self._keep_looking())

    async def stop(self) -> None:
        """Close all connections."""
        if self._looking is None:
            return
        self.grid.engine.on_state.remove(self._published)
        orders = [one.ordering for one in self.seats.values() if one.ordering]
        for task in (self._looking, *orders):
            task.cancel()
        await asyncio.gather(self._looking, *orders, return_exceptions=True)
        self._server.close()
        await self._server.wait_closed()

    def _enrolled_points(self) -> frozenset[int]:
        """Metering points whose vehicles the first aggregator plans."""
        world = self.grid.inventory.world
        points = world.owned.enrolled_owners("vehicles")
        return frozenset(points[world.companies.aggregator_of[points] == 0].tolist())

    # Who may connect

    def _admit(self, socket: ServerConnection, request: Handshake) -> Response | None:
        """Let a charger in, or answer why not."""
        if self.places.is_full:
            return self._refused(socket, HTTPStatus.SERVICE_UNAVAILABLE, "too many connections")
        given, identity = self.parameters, _identity(request.path)
        password = request.headers.get("Authorization")
        if given.profile in (BASIC, TLS) and not is_password_of(password, identity, given.password):
            return self._refused(socket, HTTPStatus.UNAUTHORIZED, "wrong password")
        certificate = socket.transport.get_extra_info("peercert")
        if given.profile == MUTUAL and common_name(certificate) != identity:
            return self._refused(socket, HTTPStatus.FORBIDDEN, "certificate of another station")
        if self._device(identity) is None:
            return self._refused(socket, HTTPStatus.NOT_FOUND, "unknown station")
        return None

    def _refused(self, socket: ServerConnection, status: HTTPStatus, why: str) -> Response:
        self.grid.count(f"ocpp refused: {why}")
        response = socket.respond(status, f"{why}\n")
        if status is HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = 'Basic realm="OCPP"'
        return response

    def _subprotocol(self, socket: ServerConnection, offered: Any) -> Any:
        """The version that both speak; who names none speaks 1.6, if that may be."""
        from websockets.exceptions import NegotiationError

        for name in SUBPROTOCOLS:
            if name in offered:
                return name
        if offered or self.parameters.strict:
            self.grid.count("ocpp refused: no version of OCPP that we speak")
            raise NegotiationError(f"none of {', '.join(SUBPROTOCOLS)} is offered")
        self.grid.count("ocpp malformed: no subprotocol, understood")
        return None

    def _device(self, identity: str) -> Device | None:
        name = self.named.get(identity) or identity.replace("-", "/", 1)
        with contextlib.suppress(UsageError):
            device = self.grid.inventory.device(name)
            return device if device.of.name == "vehicles" else None
        return None

    # A connection

    async def _accept(self, socket: ServerConnection) -> None:
        request = socket.request
        assert request is not None
        identity = _identity(request.path)
        device = self._device(identity)
        assert device is not None
        version = SUBPROTOCOLS[socket.subprotocol or "ocpp1.6"]
        seat = self._seat(identity, device, version)
        peer = Peer("ocpp", address_of(socket), "charger", device.name, self.grid.now_ns)
        before = seat.link
        link = Link(
            self.grid,
            socket,
            device,
            peer,
            version,
            False,
            not self.parameters.strict,
            lambda action, payload: seat.charger.handle(action, payload, time.time_ns()),
            lambda: self._heard(seat),
        )
        seat.link = link
        self._connections.add(socket)
        self.grid.peers.append(peer)
        if before is not None:  # it comes anew before the old connection was found dead
            self.grid.count("ocpp connected anew")
            await before.socket.close(1012)
        telling = asyncio.create_task(self._tell(seat, link))
        try:
            await link.read()
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            if seat.link is link:
                seat.link = None
            self._connections.discard(socket)
            self.grid.peers.remove(peer)

    def _seat(self, identity: str, device: Device, version: Version) -> _Seat:
        """The charger's seat, with what is known of it from before."""
        seat = self.seats.get(identity)
        if seat is None or seat.charger.version != version:
            count = lambda what: self.grid.count(f"ocpp {what}")  # noqa: E731
            charger = _KINDS[version](identity, self.parameters.sampled_s, count)
            seat = self.seats[identity] = _Seat(device, charger)
        return seat

    def _heard(self, seat: _Seat) -> None:
        seat.heard_ns = self.grid.now_ns
        self._report(seat)
        seat.news.set()

    async def _tell(self, seat: _Seat, link: Link) -> None:
        """Send the charger what it is to be told, one call after the other."""
        while True:
            if not seat.charger.to_tell:
                seat.news.clear()
                await seat.news.wait()
                continue
            action, payload = seat.charger.to_tell.popleft()
            answer = await link.call(action, payload)
            if action in ("SetChargingProfile", "ClearChargingProfile"):
                status = "" if answer is None else str(answer.get("status", ""))
                if status != "Accepted":
                    known = status if status in _NOT_TAKEN else "another status" if status else "no answer"
                    self.grid.count(f"ocpp {action}: {known}")

    # The grid

    def _published(self, state: State) -> None:
        self.grid.loop.call_soon_threadsafe(self._news.set)

    async def _keep_looking(self) -> None:
        """Tell chargers their limits, renew what they report, and give the place back of those that have gone."""
        while True:
            await self._news.wait()
            self._news.clear()
            state = self.grid.state
            for seat in self.seats.values():
                self._limit(seat, state)
                self._report(seat)
            await asyncio.sleep(_LOOKED_S)

    def _report(self, seat: _Seat) -> None:
        """Make what the charger draws the vehicle's power, as long as it was heard of late."""
        now_ns = self.grid.now_ns
        if seat.ordering is not None:
            return
        if seat.link is None and now_ns >= seat.heard_ns + LAPSE_NS:
            if seat.is_in_place:
                seat.ordering = asyncio.create_task(self._leave(seat))
            return
        kw = seat.charger.drawn_kw
        if kw is None:
            return
        kw = min(max(kw, -LARGEST_KW), LARGEST_KW)
        is_new = seat.reported_kw is None or abs(kw - seat.reported_kw) > _CHANGED_KW
        is_due = seat.link is not None and seat.until_ns - now_ns < LAPSE_NS - RENEWED_NS
        if is_new or is_due:
            seat.reported_kw, seat.until_ns = kw, now_ns + LAPSE_NS
            seat.ordering = asyncio.create_task(self._order(seat, kw, seat.until_ns))

    async def _order(self, seat: _Seat, kw: float, until_ns: int) -> None:
        """The vehicle draws what its charger reports."""
        try:
            if not seat.is_in_place:
                await self.grid.change("charger", {"vehicle": seat.device.row, "outside": True}, "ocpp")
                seat.is_in_place = True
            seat.ordered.append((kw, until_ns))
            await self.grid.order(seat.device, [kw], None, until_ns, desk=self.grid.at(seat.device))
        except HeptagridError:
            self.grid.count("ocpp report lost")
            seat.reported_kw = None  # with the next look once more
        finally:
            seat.ordering = None

    async def _leave(self, seat: _Seat) -> None:
        """The charger has been silent for long: the simulated vehicle is back."""
        try:
            await self.grid.change("charger", {"vehicle": seat.device.row, "outside": False}, "ocpp")
            seat.is_in_place, seat.reported_kw = False, None
        finally:
            seat.ordering = None

    def _limit(self, seat: _Seat, state: State) -> None:
        """Tell a charger what the grid asks of its vehicle."""
        if seat.link is None:
            seat.limit = None  # it is told again when it is back
            return
        wanted = self._wanted(seat, state)
        if wanted == seat.limit:
            return
        seat.limit = wanted
        if wanted is None:
            seat.charger.to_tell.append(seat.charger.unlimited())
        else:
            now_ns, per_s = self.grid.now_ns, NS_PER_S * (self.grid.engine.pace.state.speed or 1.0)
            starts_s = [max(round((one - now_ns) / per_s), 0) for one in wanted.begin_ns]
            lasts_s = max(round((wanted.until_ns - now_ns) / per_s), starts_s[-1] + 1)
            seat.charger.to_tell.append(seat.charger.limited(starts_s, wanted.kw, lasts_s, time.time_ns()))
        seat.news.set()

    def _wanted(self, seat: _Seat, state: State) -> Limit | None:
        """Relief and set-points that somebody else ordered go before the aggregator's plan."""
        vehicles, row, now_ns = state.devices["vehicles"], seat.device.row, self.grid.now_ns
        ordered = float(vehicles.ordered_kw[row]), int(vehicles.ordered_until_ns[row])
        if ordered[1] > now_ns and ordered not in seat.ordered and ordered != seat.foreign:
            seat.foreign = ordered
            seat.reported_kw = None  # what the charger draws is what it reports, whatever was ordered
        limits = [one for one in (seat.foreign,) if one is not None and one[1] > now_ns]
        if int(vehicles.cap_until_ns[row]) > now_ns:
            limits.append((float(vehicles.cap_kw[row]), int(vehicles.cap_until_ns[row])))
        if limits:
            kw, until_ns = min(limits)
            same = seat.limit is not None and (seat.limit.kw, seat.limit.until_ns) == ((max(kw, 0.0),), until_ns)
            return seat.limit if same else constant(max(kw, 0.0), now_ns, until_ns)
        return self._planned(seat, state)

    def _planned(self, seat: _Seat, state: State) -> Limit | None:
        """The plan of the first aggregator for a charger with a transaction whose customer is enrolled with it; made anew when the plan is."""
        first, signals = state.signals
        if not seat.charger.has_transaction or "vehicles" not in signals or seat.device.point not in self._enrolled:
            seat.planned_with = None
            return None
        drawn_kwh = float(state.energy.drawn_kwh["vehicles"][seat.device.row])
        if seat.planned_with is None:
            seat.before_kwh = drawn_kwh
        elif seat.planned_with == first and seat.plan is not None and self.grid.now_ns < seat.plan.until_ns:
            return seat.plan
        seat.planned_with = first
        sections, now_ns = self.grid.scenario.sections, self.grid.now_ns
        usual, rated_kw = sections["vehicles"], seat.device.rated_kw
        foreseen_kwh = usual.foreseen_kwh_per_day - (drawn_kwh - seat.before_kwh)
        local = from_ns(now_ns, self.grid.scenario.zone)
        until_h = (usual.plugged_to_h - local.hour - local.minute / 60.0) % 24.0
        plan = Plan(first, signals["vehicles"], -(-sections["aggregator"].valid_s // S_PER_QUARTER))
        leaves_ns = now_ns + round(until_h * NS_PER_HOUR)
        seat.plan = planned(plan, now_ns, leaves_ns, max(foreseen_kwh, MORE_H * rated_kw), rated_kw)
        return seat.plan


def named_devices(grid: LiveGrid, parameters: Parameters) -> Mapping[str, str]:
    """Identities of chargers and the vehicles whose place they take.

    Raises
    ------
    UsageError
        For an entry that is none, or a vehicle that is none.
    """
    found = {}
    for entry in filter(None, (one.strip() for one in parameters.chargers.split(","))):
        identity, equals, name = (part.strip() for part in entry.partition("="))
        if not equals or not identity or not name.startswith("vehicles/"):
            raise UsageError(f"live.ocpp.chargers: {entry!r}: write IDENTITY=vehicles/NUMBER")
        found[identity] = grid.inventory.device(name).name
    return found


def _identity(path: str) -> str:
    """The last part of a URL's path."""
    return unquote(path.split("?")[0].rstrip("/").rsplit("/", 1)[-1])
