"""How commands that have crossed the network and that stations have accepted change the grid: as a message of their contract within the station, or as a change of the grid."""

from __future__ import annotations

from typing import Any

import numpy as np

from heptagrid.contracts import control
from heptagrid.foundation.contract import Contract
from heptagrid.foundation.errors import HeptagridError
from heptagrid.live.crossing import Outgoing
from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import Device
from heptagrid.live.stations.points import POWER, REGULATE, SWITCH, TAP, TARGET


async def carry_out(grid: LiveGrid, device: Device, action: str, value: float, size_bytes: int, by: str) -> bool:
    """Do what a command says at a station; whether it was done.

    value: of a set-point in its control's unit; of others 1 for raise, on or close, 0 for lower, off or open. size_bytes: of the command. by: the protocol.
    """
    is_on = value == 1
    try:
        if action == TARGET:
            network = grid.inventory.world.network
            kv = float(network.v_base_kv[network.busbars[device.row]])
            payload = control.BusbarVoltage(np.array([device.row]), np.array([value / kv]))
            await _send(grid, control.BUSBAR, payload, device, size_bytes)
        elif action == POWER:
            target = control.Target(np.array([device.row]), np.array([value]))
            await _send(grid, control.SET_POINT, target, device, size_bytes)
        elif action == TAP:
            await grid.change("tap", {"town": device.row, "steps": 1 if is_on else -1}, by=by)
        elif action == REGULATE:
            await grid.change("regulate", {"town": device.row, "automatic": is_on}, by=by)
        elif action == SWITCH:
            await grid.change("close" if is_on else "open", {"where": f"substation {device.row}"}, by=by)
    except HeptagridError as problem:
        grid.count(f"{by}: {action} not carried out: {problem}")
        return False
    return True


async def _send(grid: LiveGrid, contract: Contract[Any], payload: Any, device: Device, size_bytes: int) -> None:
    """Hand a message on at the station that the command has reached."""
    here = np.array([device.endpoint])
    await grid.send(Outgoing(contract, payload, here, here, size_bytes=size_bytes))
