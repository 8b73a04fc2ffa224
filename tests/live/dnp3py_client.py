"""A master on dnp3py in a process of its own: python dnp3py_client.py HOST PORT OUTSTATION RELAY; prints what it found as JSON."""

from __future__ import annotations

import asyncio
import json
import sys

from dnp3.core.flags import IIN
from dnp3.master import DefaultSOEHandler, Master, MasterConfig, MasterTcpRunner


async def drive(host: str, port: int, outstation: int, relay: int) -> dict[str, object]:
    handler = DefaultSOEHandler()
    config = MasterConfig(address=2, outstation_address=outstation, response_timeout=20.0)
    master = Master(handler=handler, config=config)
    async with MasterTcpRunner(master=master, host=host, port=port) as runner:
        read = await runner.integrity_poll()
        enabled = await runner.enable_unsolicited()
        null = await runner.listen_unsolicited(timeout=20.0)
        disabled = await runner.disable_unsolicited()
        builder = master.command_builder()
        selected = await runner.request(master.build_select(builder.latch_off(relay).build_select()))
        operated = await runner.request(master.build_operate(builder.build_operate()))
        unknown = await runner.request(
            master.build_direct_operate(master.command_builder().latch_on(9).build_direct_operate())
        )
        ranged = await runner.request(master.build_range_poll(30, 6, 0, 2))
        classes = await runner.class_poll()
    told = [*read, *enabled, null, *disabled, *selected, *operated, *unknown, *ranged, *classes]
    return {
        "analogs": {k: one.value for k, one in handler.analog_inputs.items()},
        "binaries": {k: one.value for k, one in handler.binary_inputs.items()},
        "counters": {k: one.value for k, one in handler.counters.items()},
        "outputs": {k: one.value for k, one in handler.binary_outputs.items()},
        "null": null is not None and null.is_unsolicited,
        "restart": bool(read[0].iin & IIN.DEVICE_RESTART),
        "whole": all(one is not None and one.truncation is None for one in told),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(drive(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))))
