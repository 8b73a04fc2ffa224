"""The server: who is connected, which device is meant, and how a request gets to it and back."""

from __future__ import annotations

import asyncio
from functools import partial

from heptagrid.contracts.flexibility import LOCAL_UNITS
from heptagrid.foundation.errors import HeptagridError
from heptagrid.live.crossing import Fate, LostError, RefusedError
from heptagrid.live.grid import FrameRecord, LiveGrid, Peer, Place
from heptagrid.live.inventory import METERS, SUBSTATIONS, Device
from heptagrid.live.listening import Addresses, DeviceListener
from heptagrid.live.protocols.modbus import codec
from heptagrid.live.protocols.modbus.codec import Code, ExceptionResponse, Frame
from heptagrid.live.protocols.modbus.connection import Connection, Exchange, Target, silenced
from heptagrid.live.protocols.modbus.fleet import Kind
from heptagrid.live.protocols.modbus.inverters import inverters
from heptagrid.live.protocols.modbus.meters import loads, meters, substations
from heptagrid.live.protocols.modbus.registers import Registers
from heptagrid.live.protocols.modbus.settings import Change
from heptagrid.live.protocols.modbus.storage import storage

STORAGE = "batteries"


class Server:
    """Serves all devices of a live grid. own_units: the units to which a device answers at an address of its own. unspoken: connections over which nothing has come yet, the oldest first."""

    def __init__(self, grid: LiveGrid, listener: DeviceListener, unit_id: int, efficiency: float) -> None:
        self.grid, self.listener = grid, listener
        # 0 and 255 mean "whoever is at this address" in Modbus TCP.
        self.own_units = frozenset({0, 255, unit_id})
        self.connections: set[Connection] = set()
        self.unspoken: dict[Connection, None] = {}
        self.places = grid.places.listener(self.connections)
        self._addresses = Addresses(grid.inventory)
        self._efficiency = efficiency
        self._registers: dict[str, Registers | None] = {}
        self._units: dict[int, Target | None] = {}
        self._writing: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def at_address(self, local: object) -> Target | None:
        """The device that is reached at the local end of a connection."""
        if not self.listener.tells_devices or not isinstance(local, tuple):
            return None
        device = self._addresses.at(local[0])
        return self._target(device) if device else None

    def at_unit(self, unit: int) -> Target | None:
        """The device that has a unit at 127.0.0.1."""
        if unit not in self._units:
            device = self._addresses.at_unit(unit)
            self._units[unit] = self._target(device) if device else None
        return self._units[unit]

    def _target(self, device: Device) -> Target | None:
        registers = self._registers_of(device.of.name)
        if registers is None:
            return None
        number = self.grid.aggregator_of(device) if registers.kind.desk == "aggregator" else 0
        desk = self.grid.desk(registers.kind.desk, number)
        return Target(device, Place(device.of.domain, device.endpoint), desk, registers)

    def _registers_of(self, name: str) -> Registers | None:
        if name not in self._registers:
            kind = self._kind_of(name)
            self._registers[name] = Registers(kind) if kind else None
        return self._registers[name]

    def _kind_of(self, name: str) -> Kind | None:
        grid, of = self.grid, self.grid.inventory.classes[name]
        if name == LOCAL_UNITS:
            return inverters(grid, of, self._efficiency)
        if name == METERS:
            return meters(grid, of)
        if name == SUBSTATIONS:
            return substations(grid, of)
        if name == STORAGE:
            return storage(grid, of, float(grid.scenario.sections[STORAGE].capacity_kwh))
        return loads(grid, of) if name in grid.state.devices else None

    def examples(self) -> list[tuple[str, str]]:
        """The first device of each class that is served, and its address."""
        firsts = [
            Device(of, 0) for name, of in self.grid.inventory.classes.items() if len(of) and self._registers_of(name)
        ]
        found = [(one.name, self._addresses.address_of(one)) for one in firsts]
        return [(name, address) for name, address in found if address]

    def greet(self, peer: object, target: Target | None, connection: Connection) -> Peer:
        """Somebody has connected."""
        address = f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else ""
        device, role = (target.device.name, target.registers.kind.desk) if target else ("", "")
        found = Peer("modbus", address, role, device, self.grid.now_ns)
        self.grid.peers.append(found)
        self.connections.add(connection)
        self.unspoken[connection] = None
        return found

    def leave(self, peer: Peer, connection: Connection) -> None:
        """Somebody has gone."""
        self.grid.peers.remove(peer)
        self.connections.discard(connection)
        self.unspoken.pop(connection, None)

    def launch(self, exchange: Exchange) -> None:
        """Let a request travel to its device."""
        exchange.sent_ns = self.grid.now_ns
        frame, target = exchange.frame, exchange.target
        if target is None:
            self._refused(exchange, "no such unit")
            exchange.end(codec.framed(frame.transaction, frame.unit, codec.refusal(frame.pdu, Code.TARGET_SILENT)))
            return
        if exchange.is_write:
            self._launch_write(exchange, target)
        else:
            self._carry_in(exchange, target)

    def _respond(self, exchange: Exchange, target: Target) -> bytes:
        """The response to a request that has arrived at its device."""
        if exchange.work is not None:
            return exchange.work()
        pdu = exchange.frame.pdu
        try:
            response = self._read(codec.request(pdu), target)
        except ExceptionResponse as refused:
            response = codec.refusal(pdu, refused.code)
        except HeptagridError:
            response = codec.refusal(pdu, Code.DEVICE_FAILURE)
        if response[0] & codec.EXCEPTION:
            self._refused(exchange, f"refused, {_words(Code(response[1]))}")
        return response

    def _refused(self, exchange: Exchange, why: str) -> None:
        self.grid.count(f"modbus: {why}")
        if exchange.connection.peer is not None:
            exchange.connection.peer.refused += 1

    def _read(self, asked: codec.Request, target: Target) -> bytes:
        row = target.device.row
        if isinstance(asked, codec.Read):
            state, now_ns = self.grid.state, self.grid.now_ns
            return asked.response(target.registers.read(row, asked.address, asked.count, state, now_ns))
        assert isinstance(asked, codec.Identify), "writes take another way"
        return codec.identification(asked, target.registers.kind.identity(row))

    def _launch_write(self, exchange: Exchange, target: Target) -> None:
        """A write is judged as it leaves; one that steers the device travels as an order, and holds from when that arrives."""
        pdu = exchange.frame.pdu
        try:
            asked = codec.request(pdu)
            assert isinstance(asked, codec.Write | codec.ReadWrite)
            change = self._judge(asked, target)
        except ExceptionResponse as refused:
            answer = codec.refusal(pdu, refused.code)
            self._refused(exchange, f"write refused, {_words(refused.code)}")
            exchange.work = lambda: answer
            self._carry_in(exchange, target)
            return
        if change.order is None and not change.functions:
            exchange.work = lambda: self._written(asked, target, change)
            self._carry_in(exchange, target)
            return
        self._writing.add(target.device.name)
        task = asyncio.ensure_future(self._order(exchange, target, asked, change))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(silenced)

    def _judge(self, asked: codec.Write | codec.ReadWrite, target: Target) -> Change:
        write = asked if isinstance(asked, codec.Write) else asked.write
        row, registers = target.device.row, target.registers
        if target.device.name in self._writing:
            raise ExceptionResponse(Code.DEVICE_BUSY)
        state, now_ns = self.grid.state, self.grid.now_ns
        if isinstance(asked, codec.ReadWrite):
            registers.read(
                row, asked.read.address, asked.read.count, state, now_ns
            )  # refused before anything is written
        return registers.change(row, write.address, write.registers, state, now_ns)

    def _written(self, asked: codec.Write | codec.ReadWrite, target: Target, change: Change) -> bytes:
        """Let a write hold; its response."""
        target.registers.commit(target.device.row, change)
        if isinstance(asked, codec.ReadWrite):
            return self._read(asked.read, target)
        return asked.response()

    async def _order(
        self, exchange: Exchange, target: Target, asked: codec.Write | codec.ReadWrite, change: Change
    ) -> None:
        """Send what a write orders; without it there is no answer."""
        try:
            arrived_ns = await self._sent(exchange, target, change)
            self._note(exchange, target, is_inward=True, delay_ns=arrived_ns - exchange.sent_ns)
            pdu = self._written(asked, target, change)
        except RefusedError:
            pdu = codec.refusal(exchange.frame.pdu, Code.DEVICE_FAILURE)
        except (LostError, HeptagridError):
            self._note(exchange, target, is_inward=True, delay_ns=None)
            exchange.end(b"")
            return
        finally:
            self._writing.discard(target.device.name)
        self._carry_out(exchange, target, pdu)

    async def _sent(self, exchange: Exchange, target: Target, change: Change) -> int:
        """When all that a write orders has arrived; the frame's size is the first message's, others are as long as their contract says."""
        size_bytes: int | None = codec.HEADER_BYTES + len(exchange.frame.pdu)
        arrived_ns = 0
        if change.order is not None:
            order = change.order
            arrived_ns = await self.grid.order(
                target.device, order.power_kw, order.begin_ns, order.until_ns, desk=target.desk, size_bytes=size_bytes
            )
            size_bytes = None
        for function in change.functions:
            given_ns = await self.grid.give(target.device, function, desk=target.desk, size_bytes=size_bytes)
            arrived_ns, size_bytes = max(arrived_ns, given_ns), None
        return arrived_ns

    def _carry_in(self, exchange: Exchange, target: Target) -> None:
        size_bytes = codec.HEADER_BYTES + len(exchange.frame.pdu)
        self.grid.carry(target.desk, target.place, size_bytes, partial(self._came_in, exchange, target))

    def _came_in(self, exchange: Exchange, target: Target, fate: Fate) -> None:
        """A request has arrived at its device, or never will."""
        self._note(exchange, target, is_inward=True, delay_ns=fate.ns - exchange.sent_ns if fate.arrived else None)
        if fate.arrived:
            self._carry_out(exchange, target, self._respond(exchange, target))
        else:
            exchange.end(b"")

    def _carry_out(self, exchange: Exchange, target: Target, response: bytes) -> None:
        exchange.response, exchange.sent_ns = response, self.grid.now_ns
        size_bytes = codec.HEADER_BYTES + len(response)
        self.grid.carry(target.place, target.desk, size_bytes, partial(self._went_out, exchange, target))

    def _went_out(self, exchange: Exchange, target: Target, fate: Fate) -> None:
        """A response has come back to the desk, or never will."""
        self._note(exchange, target, is_inward=False, delay_ns=fate.ns - exchange.sent_ns if fate.arrived else None)
        frame = exchange.frame
        exchange.end(codec.framed(frame.transaction, frame.unit, exchange.response) if fate.arrived else b"")

    def _note(self, exchange: Exchange, target: Target, *, is_inward: bool, delay_ns: int | None) -> None:
        """Keep a frame for the log. delay_ns: that the network added, None if it was lost."""
        peer = exchange.connection.peer
        shown = exchange.frame.pdu if is_inward else exchange.response
        self.grid.note(
            FrameRecord(
                exchange.sent_ns,
                "modbus",
                peer.address if peer else "",
                target.device.name,
                is_inward,
                codec.HEADER_BYTES + len(shown),
                described(exchange.frame, shown, is_inward),
                None if delay_ns is None else max(delay_ns, 0) / 1e9,
            )
        )

    async def stop(self) -> None:
        """Close all connections."""
        for connection in list(self.connections):
            connection.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the loop tells connections that they are over


def _words(code: Code) -> str:
    return code.name.lower().replace("_", " ")


def described(frame: Frame, pdu: bytes, is_inward: bool) -> str:
    """A frame in words, for the log."""
    function = pdu[0] & 0x7F
    if pdu[0] & 0x80 and not is_inward:
        return f"#{frame.transaction} function {function}: exception {pdu[1]}"
    if not is_inward or len(pdu) < 5:
        return f"#{frame.transaction} function {function}"
    return f"#{frame.transaction} function {function} at {pdu[1] << 8 | pdu[2]}: {pdu[3] << 8 | pdu[4]}"
