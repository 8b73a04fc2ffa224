"""A server's end of one connection: transport, session, presentation and the begin and end of an MMS association. It owns no socket."""

from __future__ import annotations

from collections.abc import Callable

from heptagrid.live.protocols.mms import pdu as mms
from heptagrid.live.protocols.mms import presentation, transport
from heptagrid.live.protocols.mms.ber import MalformedError, one
from heptagrid.live.protocols.mms.presentation import Contexts, Kind
from heptagrid.live.protocols.mms.transport import Code

LARGEST_PDU = 65_000
_LARGEST_MESSAGE = LARGEST_PDU + 1024
_REFERENCE = 1


class Association:
    """One association. on_pdu: called with each confirmed request, `on_frame` with each frame that is to be sent. closed: why it has ended; None: it has not."""

    def __init__(
        self, outstanding: int, on_pdu: Callable[[mms.Request], None], on_frame: Callable[[bytes, bytes | None], None]
    ) -> None:
        self._outstanding, self._on_pdu, self._on_frame = outstanding, on_pdu, on_frame
        self._largest_unit = 0
        self._message = bytearray()
        self._contexts = Contexts()
        self.agreed: mms.Agreed | None = None
        self.closed: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether requests are taken."""
        return self.agreed is not None and self.closed is None

    def receive(self, frame: bytes) -> None:
        """Take a frame.

        Raises
        ------
        MalformedError
            If it is none, or one that may not come now.
        """
        unit = transport.decode(frame)
        if unit.code == Code.REQUEST:
            if self._largest_unit:
                raise MalformedError("a second connection request")
            answer, self._largest_unit = transport.confirmed(unit, _REFERENCE)
            self._on_frame(answer, None)
        elif unit.code != Code.DATA:
            self.closed = "the transport connection is ended"
        elif not self._largest_unit:
            raise MalformedError("data before a connection request")
        else:
            self._message += unit.content
            if len(self._message) > _LARGEST_MESSAGE:
                raise MalformedError(f"a message of more than {_LARGEST_MESSAGE} bytes")
            if unit.is_last:
                message, self._message = bytes(self._message), bytearray()
                self._take(message)

    def send(self, pdu: bytes) -> None:
        """Send an MMS PDU."""
        if self.is_open:
            self._say(presentation.data(self._contexts, pdu), pdu)

    def _say(self, message: bytes, pdu: bytes | None) -> None:
        frames = transport.segments(message, self._largest_unit)
        for frame in frames[:-1]:
            self._on_frame(frame, None)
        self._on_frame(frames[-1], pdu)

    def _take(self, raw: bytes) -> None:
        message = presentation.decode(raw, self._contexts)
        if message.kind is Kind.ABORT:
            self.closed = "the association is aborted"
        elif message.kind is Kind.CONNECT:
            if self.agreed is not None:
                raise MalformedError("a second association")
            answer, agreed = mms.initiated(message.content, LARGEST_PDU, self._outstanding)
            self._contexts, self.agreed = message.contexts, agreed
            self._say(presentation.accepted(message, answer), answer)
        elif not self.is_open:
            raise MalformedError("data before an association")
        elif message.kind is Kind.FINISH:
            self._say(presentation.disconnected(self._contexts), None)
            self.closed = "the association is released"
        else:
            self._take_pdu(message.content)

    def _take_pdu(self, pdu: bytes) -> None:
        given = one(pdu)
        if given.tag == mms.REQUEST:
            self._on_pdu(mms.request(given.content))
        elif given.tag == mms.CONCLUDE:
            self.send(mms.concluded())
        elif given.tag not in (mms.REJECT, mms.ERROR, mms.CANCEL, mms.UNCONFIRMED):
            raise MalformedError(f"a PDU {given.tag:#04x} that a server does not take")
