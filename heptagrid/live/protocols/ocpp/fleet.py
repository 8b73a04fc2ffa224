"""The vehicles' charge points, connected to a CSMS outside."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from heptagrid.foundation.errors import HeptagridError
from heptagrid.foundation.time import NS_PER_MINUTE
from heptagrid.live.grid import LiveGrid, Peer
from heptagrid.live.inventory import Device
from heptagrid.live.protocols.ocpp.charging import DRAWS_KW, FULL_PCT, Seen, SetPoint
from heptagrid.live.protocols.ocpp.link import Link, address_of, socket_options
from heptagrid.live.protocols.ocpp.parameters import Parameters
from heptagrid.live.protocols.ocpp.profiles import VOLTAGE_V
from heptagrid.live.protocols.ocpp.security import BASIC, MUTUAL, TLS, basic, client_context
from heptagrid.live.protocols.ocpp.sliced import sliced
from heptagrid.live.protocols.ocpp.station import Station
from heptagrid.live.protocols.ocpp.station_16 import Station16
from heptagrid.live.protocols.ocpp.station_201 import Station201
from heptagrid.live.protocols.ocpp.wire import SUBPROTOCOLS
from heptagrid.live.state import State

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

LOOKED_S = 0.2
"""Of the wall clock: how often the grid's state is looked at for all stations."""
_AT_ONCE = 20  # connections that are opened at the same time
_FIRST_WAIT_S, _LONGEST_WAIT_S = (
    1.0,
    60.0,
)  # between attempts to connect, doubled each time (OCPP 2.0.1 part 4 section 5.3)
_STATIONS = {"1.6": Station16, "2.0.1": Station201}


@dataclass
class _Place:
    """A station with its vehicle and, if there is one, its connection."""

    station: Station
    device: Device
    news: asyncio.Event = field(default_factory=asyncio.Event)
    socket: ClientConnection | None = None
    is_supplied: bool = True
    ordered: int = -1
    again_ns: int = 0
    ordered_until_ns: int = 0
    ordering: asyncio.Task[None] | None = None


class Fleet:
    """All charge points; `start` connects them, `stop` disconnects them."""

    def __init__(self, grid: LiveGrid, parameters: Parameters, vehicles: list[Device]) -> None:
        """Set up; vehicles: those whose charge points connect."""
        self.grid, self.parameters = grid, parameters
        ahead_ns = time.time_ns() - grid.now_ns
        kind = _STATIONS[parameters.version]
        self.places = [
            _Place(kind(f"{parameters.prefix}{one.row}", f"EV{one.row:06d}", one.rated_kw, ahead_ns), one)
            for one in vehicles
        ]
        self._rows = np.array([one.row for one in vehicles], dtype=np.int64)
        self._points = np.array([one.point for one in vehicles], dtype=np.int64)
        self._doing = np.full(len(vehicles), -1)
        self._shared = self._context("") if parameters.csms_profile != MUTUAL else None
        self._battery_kwh = grid.scenario.sections["vehicles"].battery_kwh
        self._news = asyncio.Event()
        self._opening = asyncio.Semaphore(_AT_ONCE)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to connect."""
        self.grid.engine.on_state.append(self._published)
        self._look(self.grid.state)
        self._tasks = [asyncio.create_task(self._keep_looking())]
        self._tasks += [asyncio.create_task(self._keep_connected(one)) for one in self.places]

    async def stop(self) -> None:
        """Close all connections."""
        self.grid.engine.on_state.remove(self._published)
        tasks = [*self._tasks, *(one.ordering for one in self.places if one.ordering)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def connected(self) -> int:
        return sum(one.socket is not None for one in self.places)

    # The grid

    def _published(self, state: State) -> None:
        self.grid.loop.call_soon_threadsafe(self._news.set)

    async def _keep_looking(self) -> None:
        """Show each new state to all stations, a few times a second."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), 1.0)
            self._news.clear()
            self._look(self.grid.state)
            await asyncio.sleep(LOOKED_S)

    def _look(self, state: State) -> None:
        """Show a state to all stations: at once to those whose vehicle does something else, to the others what their meters read."""
        vehicles, now_ns, wall_s = state.devices["vehicles"], self.grid.now_ns, time.monotonic()
        rows = self._rows
        power_kw, is_home = vehicles.power_kw[rows], vehicles.is_home[rows]
        soc_pct = np.clip(vehicles.content_kwh[rows] / self._battery_kwh * 100.0, 0.0, 100.0)
        voltage_v = state.point_v_pu[self._points] * VOLTAGE_V
        doing = is_home + 2 * (power_kw > DRAWS_KW) + 4 * (soc_pct >= FULL_PCT)
        changed = (doing != self._doing).tolist()
        self._doing = doing
        seen = zip(
            is_home.tolist(),
            power_kw.tolist(),
            soc_pct.tolist(),
            state.energy.drawn_kwh["vehicles"][rows].tolist(),
            voltage_v.tolist(),
            strict=True,
        )
        supplied = state.point_is_supplied[self._points].tolist()
        for one, is_new, is_supplied, shown in zip(self.places, changed, supplied, seen, strict=True):
            station = one.station
            if is_supplied != one.is_supplied:
                self._supply(one, is_supplied, now_ns)
            if not is_supplied:
                continue
            if is_new or station.revision != one.ordered or station.is_waiting:
                station.observe(Seen(*shown), now_ns)
            else:
                station.seen = Seen(*shown)
            station.tick(now_ns, wall_s)
            self._follow(one, now_ns)
            if station.outbox.waiting or not station.outbox.is_registered:
                one.news.set()

    def _supply(self, one: _Place, is_supplied: bool, now_ns: int) -> None:
        """A station without supply is silent."""
        one.is_supplied = is_supplied
        if not is_supplied:
            one.station.outbox.disconnected()
            one.station.lost_power(now_ns)
            if one.socket is not None:
                one.socket.transport.abort()

    def _follow(self, one: _Place, now_ns: int) -> None:
        """Order what the station's limits make of its vehicle's power, as long as its CSMS is there; afterwards the last order lapses."""
        station = one.station
        if one.ordering is not None or one.socket is None:
            return
        if station.revision == one.ordered and now_ns < one.again_ns:
            return
        one.ordered = station.revision
        wanted = station.set_point(now_ns)
        one.again_ns = wanted.again_ns
        if wanted.begin_ns or (now_ns < one.ordered_until_ns and station.has_vehicle):
            one.ordering = asyncio.create_task(self._order(one, wanted))

    async def _order(self, one: _Place, wanted: SetPoint) -> None:
        """Let the vehicle follow its charger, which its CSMS's call has reached; if that is refused, it is tried again after a minute."""
        # An order for no time at all takes back the one before.
        power_kw, begin_ns = (wanted.power_kw, wanted.begin_ns) if wanted.begin_ns else ([0.0], [wanted.until_ns])
        one.ordered_until_ns = max(one.ordered_until_ns, wanted.until_ns)
        try:
            await self.grid.order(one.device, power_kw, begin_ns, wanted.until_ns, desk=self.grid.at(one.device))
            one.ordered_until_ns = wanted.until_ns
        except HeptagridError:
            self.grid.count("ocpp set-point lost")
            one.again_ns = self.grid.now_ns + NS_PER_MINUTE
        finally:
            one.ordering = None

    # Connections

    async def _keep_connected(self, one: _Place) -> None:
        wait_s = _FIRST_WAIT_S
        while True:
            began_s = time.monotonic()
            if one.is_supplied:
                await self._connect(one)
            wait_s = _FIRST_WAIT_S if time.monotonic() - began_s > _LONGEST_WAIT_S or one.station.reset else wait_s
            if one.station.reset:
                one.station.start_anew(one.station.reset)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2.0, _LONGEST_WAIT_S)

    async def _connect(self, one: _Place) -> None:
        """Connect once, and speak until the connection ends."""
        from websockets.exceptions import WebSocketException

        try:
            async with self._opening:
                socket = await self._opened(one)
        except (OSError, TimeoutError, WebSocketException, HeptagridError) as problem:
            self.grid.count(f"ocpp no connection: {type(problem).__name__}")
            one.station.outbox.disconnected()
            return
        try:
            await self._speak(one, socket)
        finally:
            await socket.close(1001)  # it goes away

    async def _opened(self, one: _Place) -> ClientConnection:
        from websockets.asyncio.client import ClientConnection, connect

        given, identity = self.parameters, one.station.identity
        headers = {}
        if given.csms_profile in (BASIC, TLS):
            headers["Authorization"] = basic(identity, given.csms_password)
        names: Any = [name for name, version in SUBPROTOCOLS.items() if version == given.version]
        address = f"{given.csms.rstrip('/')}/{identity}"
        secure: dict[str, Any] = {"ssl": self._shared or self._context(identity)} if address.startswith("wss:") else {}
        return await connect(
            address,
            subprotocols=names,
            additional_headers=headers,
            proxy=None,
            create_connection=sliced(ClientConnection),
            **secure,
            **socket_options(True),
        )

    def _context(self, identity: str) -> ssl.SSLContext | None:
        given = self.parameters
        if not given.csms.startswith("wss:"):
            return None
        own, key = (Path(given.csms_certificates) / f"{identity}{suffix}" for suffix in (".pem", ".key"))
        files = (str(own), str(key) if key.exists() else "")
        return client_context(given.csms_profile, *files, given.csms_authority)

    async def _speak(self, one: _Place, socket: ClientConnection) -> None:
        station, given = one.station, self.parameters
        if socket.subprotocol is None and given.strict:
            self.grid.count("ocpp no connection: no subprotocol")
            return
        peer = Peer("ocpp", address_of(socket), "CSMS", one.device.name, self.grid.now_ns)
        handle, version = self._handler(one), station.version
        link = Link(self.grid, socket, one.device, peer, version, True, not given.strict, handle, one.news.set)
        self.grid.peers.append(peer)
        one.socket = socket
        station.outbox.connected(time.monotonic())
        asking = asyncio.create_task(self._ask(one, link))
        try:
            await link.read()
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            station.outbox.disconnected()
            one.socket = None
            self.grid.peers.remove(peer)

    def _handler(self, one: _Place) -> Any:
        def handle(action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
            if one.station.outbox.registration == "Rejected":
                return None  # OCPP 1.6 section 4.2: a rejected station does not answer
            answer = one.station.handle(action, payload, self.grid.now_ns)
            self._follow(one, self.grid.now_ns)
            return answer

        return handle

    async def _ask(self, one: _Place, link: Link) -> None:
        """Send what the station has to say, one call after the other; end when it is to start anew."""
        station = one.station
        while True:
            if station.reset and not link.is_answering:
                await link.socket.close(1001)
                return
            request = None if station.reset else station.next_request(time.monotonic())
            if request is None:
                one.news.clear()
                await one.news.wait()
                continue
            answer = await link.call(request.action, request.payload)
            station.answered(request, answer, self.grid.now_ns, time.monotonic())
            self._follow(one, self.grid.now_ns)
