"""How commands that stations have accepted change the grid: over the network by contract, or as a change of the grid."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from heptagrid.contracts import control
from heptagrid.foundation.contract import Contract
from heptagrid.foundation.errors import HeptagridError
from heptagrid.live.crossing import Outgoing
from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import Device
from heptagrid.live.protocols.iec104.points import POWER, REGULATE, SWITCH, TAP, TARGET
from heptagrid.live.protocols.iec104.station import Command
from heptagrid.live.stream import carried


async def carry_out(grid: LiveGrid, device: Device, command: Command) -> bool:
    """Do what a command says at a station; whether it was done."""
    action, value = command.control.action, float(command.value)
    try:
        if action == TARGET:
            network = grid.inventory.world.network
            kv = float(network.v_base_kv[network.busbars[device.row]])
            payload = control.BusbarVoltage(np.array([device.row]), np.array([value / kv]))
            await _send(grid, control.BUSBAR, payload, device, len(command.raw))
        elif action == POWER:
            target = control.Target(np.array([device.row]), np.array([value]))
            await _send(grid, control.SET_POINT, target, device, len(command.raw))
        elif action == TAP:
            await grid.change("tap", {"town": device.row, "steps": 1 if value == 2 else -1}, by="iec104")
        elif action == REGULATE:
            await grid.change("regulate", {"town": device.row, "automatic": value == 2}, by="iec104")
        elif action == SWITCH:
            await grid.change("close" if value == 2 else "open", {"where": f"substation {device.row}"}, by="iec104")
    except HeptagridError as problem:
        grid.count(f"iec104: {action} not carried out: {problem}")
        return False
    return True


async def _send(grid: LiveGrid, contract: Contract[Any], payload: Any, device: Device, size_bytes: int) -> None:
    """Send a message from operations to a station until it arrives."""
    source, destination = np.array([grid.endpoints.operations]), np.array([device.endpoint])
    message = Outgoing(contract, payload, source, destination, size_bytes=size_bytes)
    await carried(partial(_once, grid, message), grid.now_ns)


async def _once(grid: LiveGrid, message: Outgoing, at_ns: int | None) -> int:
    return (await grid.send(replace(message, at_ns=at_ns))).ns
