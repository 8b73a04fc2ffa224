"""One master's line to one outstation: its frames cross the modelled network in order, and end at the outstation's link layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from heptagrid.live.grid import LiveGrid, Place
from heptagrid.live.inventory import Device
from heptagrid.live.protocols.dnp3.link import (
    BROADCASTS,
    LinkFrame,
    MalformedError,
    Primary,
    SecondaryLink,
    decode,
    encode,
)
from heptagrid.live.protocols.dnp3.session import Session
from heptagrid.live.protocols.dnp3.transport import Reassembly, Segments
from heptagrid.live.stream import Stream


class End(Protocol):
    """The connection at whose end the master is."""

    def came(self, line: Line, raw: bytes, delay_s: float) -> None:
        """A frame has come to the outstation."""

    def told(self, line: Line, raw: bytes, delay_s: float) -> None:
        """A frame has come back to the master."""

    def refused(self, line: Line, requests: int) -> None:
        """Requests were answered negatively."""


class Line:
    """A line. master, address: the addresses of the link; device: the outstation. session: None once another connection of the master has taken it over."""

    def __init__(
        self,
        grid: LiveGrid,
        desk: Place,
        device: Device,
        addresses: tuple[int, int],
        session: Session,
        end: End,
        broken: Callable[[Line, str], None],
    ) -> None:
        self.device, (self.master, self.address) = device, addresses
        self.session: Session | None = session
        self._grid, self._end = grid, end
        self._link, self._reassembly, self._segments = SecondaryLink(), Reassembly(), Segments()
        self._inward: Stream[bytes] = Stream(
            grid,
            lambda size, at_ns: grid.ask(desk, device, size, at_ns),
            self._arrived,
            lambda why: broken(self, why),
        )
        self._outward: Stream[bytes] = Stream(
            grid,
            lambda size, at_ns: grid.answer(device, desk, size, at_ns),
            lambda raw, delay_s: end.told(self, raw, delay_s),
            lambda why: broken(self, why),
        )
        session.connected()

    @property
    def under_way(self) -> int:
        """Frames on their way to the outstation."""
        return self._inward.under_way

    def send(self, raw: bytes) -> None:
        """A frame of the master sets out."""
        self._inward.send(raw, len(raw))

    def flush(self) -> None:
        """Send what the session has to send."""
        for fragment in self.session.take() if self.session is not None else ():
            for segment in self._segments.of(fragment):
                self._answer(LinkFrame(Primary.DATA, self.master, self.address, segment))

    def ask_status(self) -> None:
        """Ask the master whether it is still there."""
        self._answer(LinkFrame(Primary.REQUEST_STATUS, self.master, self.address))

    def close(self) -> None:
        """End the line; what is under way is lost."""
        self._inward.close()
        self._outward.close()
        if self.session is not None:
            self.session.left()
            self.session = None

    def _answer(self, frame: LinkFrame) -> None:
        raw = encode(frame)
        self._outward.send(raw, len(raw))

    def _arrived(self, raw: bytes, delay_s: float) -> None:
        self._end.came(self, raw, delay_s)
        try:
            self._take(decode(raw))
        except MalformedError:
            self._grid.count("dnp3: malformed")
        self.flush()

    def _take(self, frame: LinkFrame) -> None:
        """Take a frame at the outstation.

        Raises
        ------
        MalformedError
            If its data are nothing.
        """
        session = self.session
        if session is None or not frame.is_primary:
            return
        broadcast = frame.destination if frame.destination in BROADCASTS else None
        if broadcast is not None and frame.function != Primary.DATA:
            return
        answer, is_new = self._link.receive(frame)
        if answer is not None:
            self._answer(LinkFrame(answer, self.master, self.address, is_primary=False))
        fragment = self._reassembly.feed(frame.data) if is_new else None
        if fragment is not None:
            before, repeated = session.refused, session.repeated
            session.receive(fragment, self._grid.loop.time(), broadcast)
            if session.repeated > repeated:
                self._grid.count("dnp3: repeated request")
            if session.refused > before:
                self._end.refused(self, session.refused - before)
