"""One listener serves every device: the address that is connected to says which."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.errors import UsageError
from heptagrid.live import listening
from heptagrid.live.inventory import Device, DeviceClass, Inventory
from heptagrid.live.listening import NUMBERS, Addresses, device_listener
from heptagrid.live.protocol import Listening
from heptagrid.live.serve import loop_factory

LOOPBACK = Listening("127.0.0.1", 0)
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="not run: only Linux binds a socket to an interface")


def devices(name: str, count: int) -> DeviceClass:
    nothing = np.zeros(count, dtype=np.int64)
    return DeviceClass(name, name, Domain.CUSTOMERS, nothing, nothing, np.zeros(count))


def addresses(**counts: int) -> Addresses:
    """Of an inventory with so many devices of each class."""
    classes = {name: devices(name, count) for name, count in counts.items()}
    return Addresses(cast(Inventory, SimpleNamespace(classes=classes)))


@pytest.mark.parametrize(
    ("name", "row", "address"),
    [
        ("meters", 0, "127.16.0.0"),
        ("meters", 65_536, "127.17.0.0"),
        ("local_units", 7, "127.32.0.7"),
        ("batteries", 300, "127.48.1.44"),
        ("buses", 1, "127.144.0.1"),
    ],
)
def test_the_address_of_a_device_is_what_the_documents_say(name: str, row: int, address: str) -> None:
    found = addresses(meters=100_000, local_units=10, batteries=400, buses=2)
    device = Device(found.inventory.classes[name], row)
    assert found.address_of(device) == address
    assert found.at(address) == device


def test_every_device_has_an_address_of_its_own_that_leads_back() -> None:
    found = addresses(**dict.fromkeys(NUMBERS, 5000), ovens=300, boilers=300)
    seen = set()
    for of in found.inventory.classes.values():
        for row in range(0, len(of), 37):
            address = found.address_of(Device(of, row))
            assert address is not None and address not in seen
            seen.add(address)
            assert found.at(address) == Device(of, row)


def test_classes_of_other_packages_follow_by_name_and_those_beyond_fifteen_have_no_address() -> None:
    found = addresses(meters=1, **{f"kind_{letter}": 1 for letter in "gfedcba"})
    assert [found.numbers.get(f"kind_{letter}") for letter in "abcdefg"] == [10, 11, 12, 13, 14, 15, None]
    assert found.address_of(Device(found.inventory.classes["kind_g"], 0)) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "127.16.0.1", "127.240.0.0", "127.255.255.255", "10.0.0.1"])
def test_no_device_is_at_an_address_that_is_nobodys(address: str) -> None:
    assert addresses(meters=1).at(address) is None


def test_units_name_the_first_devices_of_each_class() -> None:
    found = addresses(meters=20, local_units=20, batteries=1)
    meters = found.inventory.classes["meters"]
    assert [found.unit_of(Device(meters, row)) for row in (0, 1, 15, 16)] == [1, 17, 241, None]
    assert found.at_unit(17) == Device(meters, 1)
    assert found.at_unit(19) is None  # the second battery
    assert found.at_unit(0) is None and found.at_unit(257) is None


async def ends_of_a_connection(listener: listening.DeviceListener, address: str) -> tuple[Any, Any]:
    """Peer and local end, as the server sees them, of a client that connects to an address."""
    met: asyncio.Future[tuple[Any, Any]] = asyncio.get_running_loop().create_future()

    class Meeting(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            met.set_result((transport.get_extra_info("peername"), transport.get_extra_info("sockname")))
            transport.close()

    async with await listener.serve(Meeting, None):
        _, writer = await asyncio.open_connection(address, listener.port)
        ends = await met
        writer.close()
        await writer.wait_closed()
    return ends


@on_linux
@pytest.mark.parametrize("is_permitted", [True, False])
def test_any_loopback_address_reaches_the_one_listener(is_permitted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_permitted:
        bound = listening._bound

        def refusing(family: Any, at: Listening, host: str, device: bytes = b"") -> socket.socket:
            if device:
                raise PermissionError(1, "Operation not permitted")
            return bound(family, at, host)

        monkeypatch.setattr(listening, "_bound", refusing)
    listener = device_listener(LOOPBACK)
    assert listener.tells_devices and listener.is_guarded == is_permitted
    peer, local = asyncio.run(ends_of_a_connection(listener, "127.48.1.44"))
    assert local[0] == "127.48.1.44"
    assert listener.admits(peer, local)


@on_linux
def test_a_listener_that_is_not_bound_to_loopback_admits_nobody_from_elsewhere() -> None:
    with socket.socket() as anything:
        listener = listening.DeviceListener(anything, tells_devices=True, is_guarded=False)
        assert not listener.admits(("192.0.2.1", 4000), ("192.0.2.2", 502))
        assert not listener.admits(None, None)
        assert listener.admits(("127.0.0.1", 4000), ("127.16.0.1", 502))


@on_linux
def test_the_listener_is_bound_to_the_loopback_interface_alone() -> None:
    listener = device_listener(LOOPBACK)
    with listener.socket as bound:
        name = bound.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
        assert name.rstrip(b"\0") == b"lo"
        assert Path("/sys/class/net/lo").exists()


@on_linux
@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, loop_factory() or asyncio.new_event_loop])
def test_hundreds_may_connect_before_the_first_is_taken(make_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """A client whose request finds the queue full tries again after a second (RFC 6298, 2.1)."""

    async def connected_while_the_loop_is_busy() -> float:
        listener = device_listener(LOOPBACK)
        async with await listener.serve(asyncio.Protocol, None):
            began, clients = time.monotonic(), list[socket.socket]()
            for _ in range(400):
                clients.append(socket.create_connection(("127.48.1.44", listener.port), timeout=10.0))
            took_s = time.monotonic() - began
            for one in clients:
                one.close()
        return took_s

    with asyncio.Runner(loop_factory=make_loop) as runner:
        assert runner.run(connected_while_the_loop_is_busy()) < 0.9


def test_an_address_that_is_asked_for_is_the_only_one() -> None:
    listener = device_listener(Listening("::1", 0)) if socket.has_ipv6 else device_listener(LOOPBACK)
    with listener.socket:
        assert not listener.tells_devices or sys.platform == "linux"


def test_a_port_that_is_taken_is_an_error_with_the_remedy() -> None:
    first = device_listener(LOOPBACK)
    with first.socket, pytest.raises(UsageError, match="NAME=PORT"):
        device_listener(Listening("127.0.0.1", first.port))


@on_linux
def test_connections_notice_by_themselves_that_a_client_has_vanished() -> None:
    listener = device_listener(LOOPBACK)
    with listener.socket, socket.create_connection(("127.0.0.1", listener.port)):
        listener.socket.setblocking(True)
        taken, _ = listener.socket.accept()
        with taken:
            assert taken.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            wanted = (socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 9)
            assert all(taken.getsockopt(socket.IPPROTO_TCP, option) == value for option, value in wanted)
