"""How thousands of devices are reached through one listener: the address that a client connects to says which device it means.

Every device of the inventory has an address of its own in 127.0.0.0/8. Its second octet begins with the number of its class, and the rest counts its
row: 127.(16 x class + row / 65536).(row / 256).(row mod 256), so that `batteries/300` is 127.48.1.44. The numbers of the built-in classes never change;
classes of other packages follow them in the order of their names. 127.0.0.1 is no device: there, and where a system has no other loopback address,
protocols tell devices apart by a unit (`unit_of`), which is the class's number + 16 x row.

On Linux the listener takes every local address and is bound to the loopback interface (`SO_BINDTODEVICE`), so that nothing comes from elsewhere; where that
is not permitted, `DeviceListener.admits` tells who may stay.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from heptagrid.contracts.flexibility import LOCAL_UNITS
from heptagrid.foundation.errors import UsageError
from heptagrid.live.inventory import BUSES, METERS, PLANTS, PRIMARIES, SUBSTATIONS, Device, Inventory
from heptagrid.live.places import raise_files
from heptagrid.live.protocol import Listening

NUMBERS = {
    METERS: 1,
    LOCAL_UNITS: 2,
    "batteries": 3,
    "vehicles": 4,
    "heat_pumps": 5,
    SUBSTATIONS: 6,
    PRIMARIES: 7,
    PLANTS: 8,
    BUSES: 9,
}
"""The number of each built-in class in addresses; those of other packages have 10 to 15."""
LAST_UNIT = 247
"""The highest unit of a Modbus line, and so of every protocol here that has units."""

BACKLOG = 4096
"""Connections that wait to be taken; of more the system drops the requests, and each such client tries again only after a second. Linux's own limit.

A server is told it when it begins to listen, for event loops ask for 100 otherwise, also for a socket that listens already."""
_ASKED_AFTER_S, _ASKED_AGAIN_S, _TIMES_ASKED = 60, 10, 9
"""TCP's keep-alive, which IEC 61850-8-1 counts on: whoever has vanished without a word is gone after two and a half minutes, with what is reserved for him.

Who is asked three times and not nine is taken for dead where thousands are silent: Linux asks them in the same instant, and its loopback drops what comes beyond a thousand packets."""
_CLASSES = 16
_ROWS = 1 << 20
_ALL = "0.0.0.0"


@dataclass(frozen=True)
class Addresses:
    """Which device of an inventory is reached at which address or unit."""

    inventory: Inventory

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each class; a class beyond the fifteenth has none, and no address."""
        others = sorted(self.inventory.classes.keys() - NUMBERS.keys())
        free = range(max(NUMBERS.values()) + 1, _CLASSES)
        return NUMBERS | dict(zip(others, free, strict=False))

    @cached_property
    def _names(self) -> dict[int, str]:
        return {number: name for name, number in self.numbers.items()}

    def address_of(self, device: Device) -> str | None:
        """The address at which a device is reached; None if its class or row has none."""
        number = self.numbers.get(device.of.name)
        if number is None or device.row >= _ROWS:
            return None
        return f"127.{(number << 4) + (device.row >> 16)}.{device.row >> 8 & 255}.{device.row & 255}"

    def at(self, address: str) -> Device | None:
        """The device that is reached at an address; None if there is none, as at 127.0.0.1."""
        first, *rest = (int(octet) for octet in address.split("."))
        if first != 127:
            return None
        return self._found(rest[0] >> 4, ((rest[0] & 15) << 16) + (rest[1] << 8) + rest[2])

    def unit_of(self, device: Device) -> int | None:
        """The unit by which a device is known at 127.0.0.1; None for those whose unit would be beyond `LAST_UNIT`."""
        number = self.numbers.get(device.of.name)
        unit = None if number is None else number + _CLASSES * device.row
        return unit if unit is not None and unit <= LAST_UNIT else None

    def at_unit(self, unit: int) -> Device | None:
        """The device that has a unit; None if there is none."""
        return self._found(unit % _CLASSES, unit // _CLASSES) if 0 < unit <= LAST_UNIT else None

    def _found(self, number: int, row: int) -> Device | None:
        of = self.inventory.classes.get(self._names.get(number, ""))
        return Device(of, row) if of is not None and row < len(of) else None


@dataclass(frozen=True)
class DeviceListener:
    """A listening socket. tells_devices: whether a connection's local address may be a device's. is_guarded: whether only this machine can connect."""

    socket: socket.socket
    tells_devices: bool
    is_guarded: bool

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    async def serve(self, protocol: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None) -> asyncio.Server:
        """Take connections in the running event loop, each with a protocol of its own."""
        loop = asyncio.get_running_loop()
        return await loop.create_server(protocol, sock=self.socket, ssl=tls, backlog=BACKLOG)

    def admits(self, transport_peer: object, transport_local: object) -> bool:
        """Whether a connection may stay, by both its ends (`get_extra_info`): one from another machine may not where the listener was meant for this one."""
        return self.is_guarded or (_is_loopback(transport_peer) and _is_loopback(transport_local))


def device_listener(listening: Listening) -> DeviceListener:
    """Listen for all devices at once on loopback, or at the one address that is asked for.

    Raises
    ------
    UsageError
        If the port is taken or not permitted, or the address is none of this machine.
    """
    raise_files()
    if _is_loopback((listening.host,)) and ":" not in listening.host and sys.platform == "linux":
        return _everywhere_on_loopback(listening)
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    return DeviceListener(_bound(family, listening, listening.host), tells_devices=False, is_guarded=True)


def _everywhere_on_loopback(listening: Listening) -> DeviceListener:
    try:
        return DeviceListener(
            _bound(socket.AF_INET, listening, _ALL, device=b"lo"), tells_devices=True, is_guarded=True
        )
    except PermissionError:
        return DeviceListener(_bound(socket.AF_INET, listening, _ALL), tells_devices=True, is_guarded=False)


def _bound(family: socket.AddressFamily, listening: Listening, host: str, device: bytes = b"") -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # or asyncio leaves Nagle on
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _notice_who_is_gone(listener)
        if device:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
        try:
            listener.bind((host, listening.port))
            listener.listen(BACKLOG)
        except OSError as problem:
            raise UsageError(
                f"{listening.host} port {listening.port} cannot be listened on: {problem.strerror}; choose another with NAME=PORT"
            ) from problem
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def _notice_who_is_gone(listener: socket.socket) -> None:
    """Let the system ask clients that are silent whether they are there, and break the connections of those that are not; a client's system answers, however long its program is silent."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # connections have what their listener has
    if sys.platform == "linux":
        for option, value in (
            (socket.TCP_KEEPIDLE, _ASKED_AFTER_S),
            (socket.TCP_KEEPINTVL, _ASKED_AGAIN_S),
            (socket.TCP_KEEPCNT, _TIMES_ASKED),
        ):
            listener.setsockopt(socket.IPPROTO_TCP, option, value)


def _is_loopback(end: object) -> bool:
    """Whether an end of a connection, (address, port, ...), is on this machine's loopback."""
    host = str(end[0]) if isinstance(end, tuple) and end else ""
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False
