"""A client's connection: its socket on one side, a device's end of the association or the gateway's on the other.

To a device's own address the whole connection crosses the modelled network, frame by frame and in order. At 127.0.0.1 it ends at a gateway in the control centre, and
only requests, answers and reports cross, on the gateway's own connections to the devices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heptagrid.live.device_server import DeviceConnection
from heptagrid.live.protocols.mms.association import LARGEST_PDU, Association
from heptagrid.live.protocols.mms.ber import MalformedError
from heptagrid.live.protocols.mms.ied import Ied
from heptagrid.live.protocols.mms.ieds import Alone
from heptagrid.live.protocols.mms.pdu import NOT_REACHED, Request, failed
from heptagrid.live.protocols.mms.services import Domains, answer, concerned
from heptagrid.live.protocols.mms.text import text_of_answer, text_of_request
from heptagrid.live.protocols.mms.transport import Splitter
from heptagrid.live.stream import Stream

if TYPE_CHECKING:
    from heptagrid.live.protocols.mms.adapter import Mms

MOST_UNDER_WAY = 64
"""Frames on their way to a device; beyond them nothing more is read, as with a full TCP window."""
_Outward = tuple[bytes, bytes | None, bool]
"""A frame, the PDU that it ends, if it does, and whether the connection ends with it."""


class Connection(DeviceConnection["Mms"]):
    """One connection. device: at whose address it was made; None: the gateway."""

    role = "client"
    all_devices = "all devices"

    def __init__(self, adapter: Mms) -> None:
        super().__init__(adapter)
        self._splitter = Splitter()
        self._inward: Stream[bytes] | None = None
        self._outward: Stream[_Outward] | None = None
        self._open = 0
        self._delay_s = 0.0

    def joined(self) -> None:
        self._association = Association(self.adapter.parameters.outstanding, self._take, self._emit)
        self._domains: Domains = self.adapter.ieds
        if self.device is not None:
            grid, desk, device = self.grid, self.adapter.desk, self.device
            self._domains = Alone(self.adapter.ieds.ied(device))
            self._inward = Stream(
                grid, lambda size, at_ns: grid.ask(desk, device, size, at_ns), self._arrived, self.close
            )
            self._outward = Stream(
                grid, lambda size, at_ns: grid.answer(device, desk, size, at_ns), self._deliver, self.close
            )

    @property
    def largest_pdu(self) -> int:
        """Bytes of a PDU that the client takes."""
        agreed = self._association.agreed
        return LARGEST_PDU if agreed is None else agreed.largest

    def received(self, data: bytes) -> None:
        try:
            frames = self._splitter.feed(data)
        except MalformedError as problem:
            self._malformed(problem)
            return
        for one in frames:
            self.peer.frames += 1
            if self._inward is not None:
                self._inward.send(one, len(one))
            else:
                self._arrived(one, 0.0)
        self._throttle()

    def inform(self, ied: Ied, pdu: bytes) -> None:
        """A device tells the client something unasked."""
        if self.device is not None:
            self._association.send(pdu)
        else:
            self.adapter.gateway.answer(
                [ied.device], len(pdu), lambda delay_s: None if delay_s is None else self._send(pdu, delay_s)
            )

    def was_refused(self) -> None:
        """A device has refused something."""
        self.grid.count("mms: refused")
        self.peer.refused += 1

    def _throttle(self) -> None:
        """Read nothing more while too much is under way."""
        waiting = self._open if self._inward is None else self._inward.under_way
        if waiting > MOST_UNDER_WAY:
            self.slices.hold()
        else:
            self.slices.go_on()

    def _arrived(self, frame: bytes, delay_s: float) -> None:
        """A frame has come to the association's own end."""
        if self.transport.is_closing():
            return
        self._throttle()
        self._delay_s = delay_s
        self._size = len(frame)
        try:
            self._association.receive(frame)
        except MalformedError as problem:
            self._malformed(problem)
            return
        if self._association.closed is not None:
            self._emit(b"", None)

    def _malformed(self, problem: MalformedError) -> None:
        self.grid.count("mms: malformed")
        self.close(f"malformed: {problem}")

    def _take(self, request: Request) -> None:
        """A confirmed request has come.

        Raises
        ------
        MalformedError
        """
        size = self._size
        if self.device is not None:
            self.note(text_of_request(request), size, is_inward=True, delay_s=self._delay_s)
            self._association.send(self._answer(request))
            self.adapter.ieds.answered()
            return
        devices = [
            device
            for name in sorted(concerned(request.given))
            if (device := self.adapter.ieds.device(name)) is not None
        ]
        of = devices[0].name if len(devices) == 1 else None
        self._open += 1

        def at_devices(delay_s: float | None) -> None:
            if not self.is_open:
                return
            self.note(text_of_request(request), size, is_inward=True, delay_s=delay_s, device=of)
            if delay_s is None:
                self._answered(failed(request.invoked, *NOT_REACHED), 0.0)
                return
            try:
                pdu = self._answer(request)
            except MalformedError as problem:
                self._malformed(problem)
                return
            lost = failed(request.invoked, *NOT_REACHED)
            self.adapter.gateway.answer(
                devices,
                len(pdu),
                lambda delay_s: self._answered(lost if delay_s is None else pdu, delay_s or 0.0),
            )
            self.adapter.ieds.answered()

        self.adapter.gateway.ask(devices, size, at_devices)

    def _answer(self, request: Request) -> bytes:
        self.adapter.ieds.look()
        return answer(self._domains, request, self)

    def _answered(self, pdu: bytes, delay_s: float) -> None:
        self._open -= 1
        self._send(pdu, delay_s)
        if self.is_open:
            self._throttle()

    def _send(self, pdu: bytes, delay_s: float) -> None:
        """A PDU has come back to the gateway."""
        if self.is_open:
            self._delay_s = delay_s
            self._association.send(pdu)

    def _emit(self, frame: bytes, pdu: bytes | None) -> None:
        """The association has a frame to send; an empty one: it has ended."""
        if self._outward is not None:
            self._outward.send((frame, pdu, not frame), len(frame) or 1)
        else:
            self._deliver((frame, pdu, not frame), self._delay_s)

    def _deliver(self, content: _Outward, delay_s: float) -> None:
        """A frame has come to the client's end."""
        frame, pdu, is_over = content
        if is_over:
            self.close(self._association.closed or "the association has ended")
        else:
            self.write(frame, None if pdu is None else text_of_answer(pdu), delay_s)

    def left(self) -> None:
        for stream in (self._inward, self._outward):
            if stream is not None:
                stream.close()
        self.adapter.ieds.left(self)
