"""A master on opendnp3 in a process of its own: python opendnp3_client.py PORT OUTSTATION; prints what it found as JSON.

It starts as masters in the field do: it forbids unsolicited responses, polls everything, clears the restart, and allows them.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import opendnp3 as dnp3

found: dict[str, Any] = {"values": {}, "unsolicited": 0, "tasks": [], "commands": {}}


class Seen(dnp3.ISOEHandler):  # type: ignore[misc]
    def BeginFragment(self, info: Any) -> None:
        found["unsolicited"] += bool(info.unsolicited)

    def EndFragment(self, info: Any) -> None:
        pass

    def Process(self, info: Any, values: Any) -> None:
        kind = str(info.gv).rpartition(".")[2]
        found["values"].setdefault(kind, {}).update({one.index: getattr(one.value, "value", None) for one in values})

    def OnDeviceAttribute(self, *given: Any) -> None:
        pass


class Tasks(dnp3.IMasterApplication):  # type: ignore[misc]
    def OnTaskComplete(self, info: Any) -> None:
        found["tasks"].append([str(info.type).rpartition(".")[2], str(info.result).rpartition(".")[2]])

    def OnTaskStart(self, *given: Any) -> None:
        pass

    def OnOpen(self) -> None:
        pass

    def OnClose(self) -> None:
        pass

    def OnReceiveIIN(self, iin: Any) -> None:
        pass

    def AssignClassDuringStartup(self) -> bool:
        return False


def wait(holds: Callable[[], object], within_s: float = 30.0) -> None:
    until = time.monotonic() + within_s
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)


def command(master: Any, word: str, how: str, order: Any, index: int) -> None:
    def told(result: Any) -> None:
        found["commands"][word] = [str(one.status).rpartition(".")[2] for one in result.to_list()]

    getattr(master, how)(order, index, told)
    wait(lambda: word in found["commands"])


def drive(port: int, outstation: int) -> None:
    manager = dnp3.DNP3Manager(1)
    retry = dnp3.ChannelRetry.Default()
    channel = manager.AddTCPClient("judge", dnp3.levels.NOTHING, retry, [dnp3.IPEndpoint("127.0.0.1", port)], "", None)
    config = dnp3.MasterStackConfig()
    config.link.LocalAddr, config.link.RemoteAddr = 1, outstation
    config.master.timeSyncMode = dnp3.TimeSyncMode.LAN
    master = channel.AddMaster("judge", Seen(), Tasks(), config)
    master.Enable()
    wait(lambda: len(found["tasks"]) >= 4)
    pulse = dnp3.ControlRelayOutputBlock(dnp3.OperationType.PULSE_ON, dnp3.TripCloseCode.CLOSE)
    command(master, "tap", "SelectAndOperate", pulse, 0)
    command(master, "latch", "DirectOperate", dnp3.ControlRelayOutputBlock(dnp3.OperationType.LATCH_ON), 1)
    command(master, "target", "SelectAndOperate", dnp3.AnalogOutputFloat32(20.5), 0)
    command(master, "too high", "DirectOperate", dnp3.AnalogOutputDouble64(50.0), 0)
    command(master, "missing", "DirectOperate", pulse, 7)
    wait(lambda: found["unsolicited"])
    channel.Shutdown()
    manager.Shutdown()


if __name__ == "__main__":
    drive(int(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps(found))
