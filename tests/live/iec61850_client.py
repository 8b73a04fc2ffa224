"""A program of its own over iec61850, a client written in Rust: `python iec61850_client.py HOST PORT DEVICE CONTROL`; prints JSON.

DEVICE: a logical device. CONTROL: a switch with enhanced security that is opened, then opened again.
"""

import asyncio
import json
import sys
from typing import Any

from iec61850 import FC, ControlModel, IedConnection, RcbWriteMask, TriggerOptions


async def main(address: str, device: str, control: str) -> dict[str, Any]:
    client = await IedConnection.connect(address, timeout_ms=60_000, request_timeout_ms=60_000, local_max_pdu_size=2000)
    model = await client.get_device_model()
    found: dict[str, Any] = {"devices": {one["name"]: one["variables"] for one in model["logical_devices"]}}
    found["directory"] = await client.get_logical_device_directory(device)
    found["type"] = await client.get_variable_specification(f"{device}/MMXU1.TotW", FC.MX)
    found["power"] = await client.read_float(f"{device}/MMXU1.TotW.mag.f", FC.MX)
    found["quality"] = str((await client.read_quality(f"{device}/MMXU1.TotW.q", FC.MX)).validity)
    found["instant"] = (await client.read_timestamp(f"{device}/MMXU1.TotW.t", FC.MX)).timestamp()
    wanted = [(f"{device}/XSWI1.Pos.stVal", FC.ST), (f"{device}/MMXU1.Missing", FC.MX)]
    found["several"] = [str(one) for one in await client.read_multiple(wanted, strict=False)]
    found["members"] = str(await client.get_data_set_directory(f"{device}/LLN0.Measurements"))
    found["values"] = len(await client.get_data_set_values(f"{device}/LLN0.Measurements"))
    found["reports"] = await watched(client, f"{device}/LLN0.RP.Measurements01")
    switch = client.create_control_object(control, ControlModel.DIRECT_ENHANCED)
    outcomes = [await switch.operate(False), await switch.operate(False)]
    found["outcomes"] = [(one.success, one.add_cause and str(one.add_cause)) for one in outcomes]
    await client.disconnect()
    return found


async def watched(client: IedConnection, block: str) -> list[str]:
    """What two interrogations of a block bring."""
    heard: list[str] = []
    handle = await client.get_rcb_values(block)
    await client.install_report_handler(block, lambda report: heard.append(str(report)), rpt_id=handle.rpt_id)
    dispatcher = client.spawn_report_dispatcher(50)
    handle.trigger_options = TriggerOptions(general_interrogation=True)
    handle.rpt_ena = True
    await client.set_rcb_values(handle, RcbWriteMask.fields("trigger_options", "rpt_ena"))
    for count in (1, 2):
        await client.trigger_gi(block)
        async with asyncio.timeout(60.0):
            while len(heard) < count:
                await asyncio.sleep(0.02)
    await dispatcher.aclose()
    return heard


if __name__ == "__main__":
    host, port, *given = sys.argv[1:]
    print(json.dumps(asyncio.run(main(f"{host}:{port}", *given)), default=str))
