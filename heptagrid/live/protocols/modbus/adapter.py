"""Modbus TCP with SunSpec models, as a protocol of a live grid."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from typing import ClassVar

from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.parameters import parameter
from heptagrid.live.listening import device_listener
from heptagrid.live.protocol import Listening, Protocol


@dataclass(frozen=True)
class Parameters:
    """How devices appear over Modbus."""

    unit_id: int = parameter(
        1,
        info="unit to which a device answers at an address of its own, beside 0 and 255",
        low=1,
        high=247,
        source="assumption: most inverters' own setting; SMA's is 126",
    )
    inverter_efficiency: float = parameter(
        0.97,
        info="efficiency of photovoltaic inverters, from which the power on their direct side is shown",
        low=0.5,
        high=1.0,
        source="assumption: European efficiency of string inverters, 0.96 to 0.985",
    )


class Modbus(Protocol):
    """Every inverter, battery, meter, substation, wallbox and heat pump as a Modbus TCP server with SunSpec models."""

    name: ClassVar[str] = "modbus"
    title: ClassVar[str] = "Modbus TCP with SunSpec"
    port: ClassVar[int] = 1502
    section: ClassVar[type | None] = Parameters

    async def start(self, listening: Listening) -> None:
        from heptagrid.live.protocols.modbus.connection import Connection
        from heptagrid.live.protocols.modbus.server import Server

        # Modbus/TCP Security is TLS with certificates on both sides; a plain TLS would let anybody in.
        tls = listening.tls if listening.tls is not None and listening.tls.verify_mode is ssl.CERT_REQUIRED else None
        if tls is None and not _is_loopback(listening.host):
            raise UsageError(
                f"Modbus has no authentication of its own, so that it is served at {listening.host} to clients with a certificate alone: give --tls-cert and --tls-ca, or leave modbus out of --protocols"
            )
        given: Parameters = self.parameters or Parameters()
        listener = device_listener(listening)
        self._server = server = Server(self.grid, listener, given.unit_id, given.inverter_efficiency)
        self._listening = await listener.serve(lambda: Connection(server), tls)
        self._tells_devices = listener.tells_devices
        self.listens_on = listener.port

    async def stop(self) -> None:
        self._listening.close()
        await self._server.stop()
        await self._listening.wait_closed()

    def greeting(self) -> list[str]:
        """One address of each class."""
        if not self._tells_devices:
            return [f"{self.title}: port {self.listens_on}, devices by unit (docs/live/modbus.md)"]
        shown = ", ".join(f"{address} is {name}" for name, address in self._server.examples())
        return [f"{self.title}: port {self.listens_on}; {shown}"]


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
