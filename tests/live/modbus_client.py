"""Clients of the Modbus server within tests: frames by hand, and points by their names."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from heptagrid.live.protocols.modbus.codec import framed
from heptagrid.live.protocols.modbus.inverters import Inverters
from heptagrid.live.protocols.modbus.layout import BASE, RegisterMap
from heptagrid.live.protocols.modbus.meters import Loads
from heptagrid.live.protocols.modbus.storage import Storage
from tests.live.served import Served

METER = "127.16.0.3"
MAPS = {one: RegisterMap(one.models, one.counts) for one in (Inverters, Storage, Loads)}


class Client:
    """A connection that sends bytes and takes frames."""

    def __init__(self, link: socket.socket) -> None:
        self.link, self._rest = link, b""

    def send(self, data: bytes) -> None:
        self.link.sendall(data)

    def take(self) -> tuple[int, int, bytes]:
        """The next frame: transaction, unit, protocol data unit."""
        while len(self._rest) < 6 or len(self._rest) < 6 + int.from_bytes(self._rest[4:6], "big"):
            more = self.link.recv(4096)
            if not more:
                raise ConnectionError("the connection has ended")
            self._rest += more
        transaction, protocol, length, unit = struct.unpack_from(">HHHB", self._rest)
        assert protocol == 0
        pdu, self._rest = self._rest[7 : 6 + length], self._rest[6 + length :]
        return transaction, unit, pdu

    def ask(self, pdu: bytes, unit: int = 1) -> bytes:
        """The response to one request."""
        self.send(framed(7, unit, pdu))
        transaction, answered, response = self.take()
        assert (transaction, answered) == (7, unit)
        return response

    def read(self, address: int, count: int, function: int = 3) -> bytes:
        """Registers."""
        response = self.ask(struct.pack(">BHH", function, address, count))
        assert response[:2] == bytes((function, 2 * count)), response
        return response[2:]


@contextmanager
def client(grid: Served, address: str = METER) -> Iterator[Client]:
    with socket.create_connection((address, grid.ports["modbus"]), 10.0) as link:
        yield Client(link)


class Driver:
    """Points of one device by their names, over its own connection, while time goes on."""

    def __init__(self, grid: Served, address: str, kind: type[Inverters | Storage | Loads]) -> None:
        self.grid, self.points = grid, MAPS[kind].points
        self._address = (address, grid.ports["modbus"])

    def raw(self, name: str) -> int:
        """What a point holds, unscaled."""
        point = self.points[name]
        pdu = struct.pack(">BHH", 3, BASE + point.at, point.registers)
        return int.from_bytes(self.ask(pdu)[2:], "big", signed=point.type.startswith("int"))

    def write(self, name: str, *raws: int) -> bytes:
        """Write points that follow each other from one on; the response."""
        at = self.points[name].at
        data, place = b"", at
        for raw in raws:
            point = next(one for one in self.points.values() if one.at == place)
            data += (raw & (1 << 16 * point.registers) - 1).to_bytes(2 * point.registers, "big")
            place += point.registers
        return self.ask(struct.pack(">BHHB", 16, BASE + at, len(data) // 2, len(data)) + data)

    def ask(self, pdu: bytes) -> bytes:
        def ask() -> bytes:
            with socket.create_connection(self._address, 60.0) as link:
                return Client(link).ask(pdu)

        return self.grid.while_time_goes_on(ask)


def power_kw(grid: Served, name: str, row: int = 0) -> float:
    state = grid.grid.state
    return float(state.unit_kw[row] if name == "local_units" else state.devices[name].power_kw[row])


def until(grid: Served, is_so: Callable[[], bool], within_s: float) -> bool:
    """Whether something comes to be so while time goes on."""
    passed_s = 0.0
    while not is_so() and passed_s < within_s:
        grid.advance(5.0)
        passed_s += 5.0
    return is_so()
