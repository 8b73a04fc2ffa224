"""OCPP 1.6J and 2.0.1: the vehicles' charge points connect to a CSMS outside, and ours takes real chargers.

Source: Open Charge Alliance, OCPP 1.6 edition 2 with OCPP-J 1.6 and its security whitepaper edition 3, and OCPP 2.0.1 edition 3.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from heptagrid.foundation.errors import UsageError
from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import Device
from heptagrid.live.protocol import Listening, Protocol
from heptagrid.live.protocols.ocpp.csms import Csms
from heptagrid.live.protocols.ocpp.fleet import Fleet
from heptagrid.live.protocols.ocpp.parameters import Parameters
from heptagrid.live.protocols.ocpp.security import NONE, TLS


class Ocpp(Protocol):
    """Both roles. csms: our server. fleet: the charge points that connect elsewhere, None without an address."""

    name = "ocpp"
    title = "OCPP"
    port = 9000
    section = Parameters

    def __init__(self, grid: LiveGrid, parameters: Any) -> None:
        super().__init__(grid, parameters)
        self.csms = Csms(grid, parameters)
        self.fleet = Fleet(grid, parameters, self._vehicles()) if parameters.csms else None

    @property
    def authenticates(self) -> bool:  # type: ignore[override]
        """Whether our CSMS asks chargers who they are."""
        return bool(self.parameters.profile > NONE)

    async def start(self, listening: Listening) -> None:
        self._listening = listening
        await self.csms.start(listening)
        self.listens_on = self.csms.listens_on
        if self.fleet is not None:
            await self.fleet.start()

    async def stop(self) -> None:
        if self.fleet is not None:
            await self.fleet.stop()
        await self.csms.stop()

    def greeting(self) -> list[str]:
        scheme = "wss" if self.csms.is_tls else "ws"
        here = f"{scheme}://{self._listening.host}:{self.listens_on}"
        lines = [f"OCPP: {here}/vehicles-0 for a charger in the place of vehicle 0 (ocpp1.6, ocpp2.0.1)"]
        if self.fleet is not None:
            lines.append(f"OCPP: {len(self.fleet.places)} charge points connect to {self.parameters.csms}")
        return lines

    def _vehicles(self) -> list[Device]:
        """The vehicles whose charge points connect.

        Raises
        ------
        UsageError
            For an address that is none.
        """
        given = self.parameters
        parts = urlsplit(given.csms)
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            raise UsageError(f"live.ocpp.csms = {given.csms!r}: write ws://HOST:PORT/PATH or wss://HOST:PORT/PATH")
        if given.csms_profile >= TLS and parts.scheme != "wss":
            raise UsageError(f"live.ocpp.csms = {given.csms!r}: security profile {given.csms_profile} needs wss://")
        taken = set(self.csms.named.values())
        vehicles = self.grid.inventory.classes["vehicles"]
        found = [Device(vehicles, row) for row in range(len(vehicles))]
        return [one for one in found if one.name not in taken][: given.charge_points]
