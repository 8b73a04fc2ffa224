"""The gateway in the control centre (IEC TR 61850-90-2): one server with the logical devices of all devices, to each of which it has a connection of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from heptagrid.live.inventory import Device
from heptagrid.live.stream import Stream

if TYPE_CHECKING:
    from heptagrid.live.protocols.mms.adapter import Mms

_AROUND_BYTES = 24
"""What is around an MMS PDU in a frame: TPKT 4, transport 3, session 4, presentation 13."""
Work = Callable[[float | None], None]
"""Takes the delay that the network added; None: a device is not reached."""


class Gateway:
    """Carries PDUs between the control centre and devices, in order for each device. under_way: what waits for them, by device and direction."""

    def __init__(self, adapter: Mms) -> None:
        self._adapter = adapter
        self._streams: dict[tuple[str, bool], Stream[Work]] = {}
        self.under_way: dict[tuple[str, bool], deque[Work]] = {}

    def ask(self, devices: Sequence[Device], size_bytes: int, then: Work) -> None:
        """A request goes to the devices of which it speaks; then: called once it is at all of them, or one is not reached."""
        self._carry(devices, size_bytes, then, is_inward=True)

    def answer(self, devices: Sequence[Device], size_bytes: int, then: Work) -> None:
        """What devices say comes back; then: called once all of it has, or one is not reached."""
        self._carry(devices, size_bytes, then, is_inward=False)

    def close(self) -> None:
        """End all connections to devices."""
        for one in self._streams.values():
            one.close()
        self._streams.clear()

    def _carry(self, devices: Sequence[Device], size_bytes: int, then: Work, *, is_inward: bool) -> None:
        """Each device is told, or tells, its share."""
        if not devices:
            then(0.0)
            return
        waited = len(devices)
        longest_s = 0.0

        def arrived(delay_s: float | None) -> None:
            nonlocal waited, longest_s
            if delay_s is None and waited > 0:
                waited = 0
                then(None)
            elif delay_s is not None and waited > 0:
                waited, longest_s = waited - 1, max(longest_s, delay_s)
                if not waited:
                    then(longest_s)

        share = -(-size_bytes // len(devices)) + _AROUND_BYTES
        for one in devices:
            stream = self._stream(one, is_inward)
            self.under_way[one.name, is_inward].append(arrived)
            stream.send(arrived, share)

    def _stream(self, device: Device, is_inward: bool) -> Stream[Work]:
        key = device.name, is_inward
        stream = self._streams.get(key)
        if stream is None:
            grid, desk = self._adapter.grid, self._adapter.desk
            under_way = self.under_way[key] = deque()
            stream = self._streams[key] = Stream(
                grid,
                (lambda size, at_ns: grid.ask(desk, device, size, at_ns))
                if is_inward
                else (lambda size, at_ns: grid.answer(device, desk, size, at_ns)),
                lambda work, delay_s: under_way.popleft()(delay_s),
                lambda why: self.broken(device),
            )
        return stream

    def broken(self, device: Device) -> None:
        """A device is not reached any more; the gateway connects anew when something is to be sent."""
        self._adapter.grid.count("mms: device not reached")
        for is_inward in (True, False):
            stream = self._streams.pop((device.name, is_inward), None)
            if stream is not None:
                stream.close()
                for work in self.under_way.pop((device.name, is_inward)):
                    work(None)
