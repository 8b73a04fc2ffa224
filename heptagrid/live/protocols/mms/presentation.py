"""Session (ISO/IEC 8327), presentation (ISO/IEC 8823) and association control (ISO/IEC 8650): how an MMS association begins, carries data and ends.

Of these layers only what IEC 61850-8-1 needs is here: the session's kernel with duplex, one presentation context for association control and one for MMS. Selectors of any
length and value are taken, since a server has but one user.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from heptagrid.live.protocols.mms.ber import (
    EXTERNAL,
    INTEGER,
    OBJECT,
    SEQUENCE,
    SET,
    MalformedError,
    elements,
    encoded,
    integer,
    integer_of,
    one,
    part,
    parts,
)

_CONNECT, _ACCEPT, _DATA, _FINISH, _DISCONNECT, _ABORT = 0x0D, 0x0E, 0x01, 0x09, 0x0A, 0x19
_CALLING, _CALLED, _USER_DATA, _EXTENDED = 0x33, 0x34, 0xC1, 0xC2
_ITEM, _OPTIONS, _VERSION, _REQUIREMENTS, _RESPONDING = 0x05, 0x13, 0x16, 0x14, 0x34
_DUPLEX = b"\x00\x02"
_ACSE = bytes((0x52, 0x01, 0x00, 0x01))
_MMS = bytes((0x28, 0xCA, 0x22, 0x02, 0x01))
_MMS_CONTEXT = bytes((0x28, 0xCA, 0x22, 0x02, 0x03))
_BASIC_ENCODING = bytes((0x51, 0x01))
_NORMAL_MODE = bytes((0x80, 0x01, 0x01))
_USER, _SINGLE = 0x61, 0xA0
_REQUEST, _RESPONSE, _RELEASE, _RELEASED = 0x60, 0x61, 0x62, 0x63
_DATA_HEADER = bytes((_DATA, 0, _DATA, 0))


class Kind(Enum):
    """What a message is to an association."""

    CONNECT = "connect"
    DATA = "data"
    FINISH = "finish"
    ABORT = "abort"


@dataclass(frozen=True)
class Contexts:
    """By which numbers a client knows association control and MMS. all: that it has proposed, with whether each is one of these two in the basic encoding."""

    control: int = 1
    mms: int = 3
    all: tuple[tuple[int, bool], ...] = ((1, True), (3, True))


@dataclass(frozen=True)
class Message:
    """What came. content: an MMS PDU. contexts, called: of a connect; called: the selector of the presentation by which this end is known."""

    kind: Kind
    content: bytes = b""
    contexts: Contexts = Contexts()
    called: bytes | None = None
    session_called: bytes | None = None


def decode(message: bytes, contexts: Contexts) -> Message:
    """What a message of the transport layer is; contexts: those that were agreed on.

    Raises
    ------
    MalformedError
        If it is none, or one that is not served.
    """
    if message.startswith(_DATA_HEADER):
        number, content = _user_data(message[len(_DATA_HEADER) :])
        if number != contexts.mms:
            raise MalformedError(f"data of the presentation context {number}, which was not agreed on")
        return Message(Kind.DATA, content)
    if not message:
        raise MalformedError("an empty message")
    kind, given = message[0], _session(message)
    if kind == _CONNECT:
        return _connect(given)
    if kind == _FINISH:
        return Message(Kind.FINISH)
    if kind == _ABORT:
        return Message(Kind.ABORT)
    raise MalformedError(f"a session unit {kind:#04x} is not served")


def _session(message: bytes) -> dict[int, bytes]:
    """The parameters of a session unit, by code."""
    length, at = _length(message, 1)
    if at + length != len(message):
        raise MalformedError("a session unit has another length than it says")
    return _fields(message[at:])


def _fields(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        code = data[at]
        length, at = _length(data, at + 1)
        if at + length > len(data):
            raise MalformedError("a parameter of a session unit is cut off")
        found.setdefault(code, data[at : at + length])
        at += length
    return found


def _length(data: bytes, at: int) -> tuple[int, int]:
    """A length of the session layer, and where what it counts begins."""
    if at >= len(data) or (data[at] == 0xFF and at + 3 > len(data)):
        raise MalformedError("a session unit is cut off")
    return (int.from_bytes(data[at + 1 : at + 3], "big"), at + 3) if data[at] == 0xFF else (data[at], at + 1)


def _connect(given: dict[int, bytes]) -> Message:
    """The begin of an association: its contexts, and the MMS PDU in it."""
    normal = parts(part(parts(one(part(given, _USER_DATA), SET).content), 0xA2))
    contexts = _contexts(part(normal, 0xA4))
    number, request = _user_data(encoded(_USER, part(normal, _USER)))
    if number != contexts.control:
        raise MalformedError("an association is not asked for in the context of association control")
    asked = parts(one(request, _REQUEST).content)
    if one(part(asked, 0xA1), OBJECT).content != _MMS_CONTEXT:
        raise MalformedError("an association for another application than MMS")
    external = parts(one(part(asked, 0xBE), EXTERNAL).content)
    if integer_of(part(external, INTEGER)) != contexts.mms:
        raise MalformedError("the begin of MMS is in another context than that of MMS")
    return Message(Kind.CONNECT, part(external, _SINGLE), contexts, normal.get(0x82), given.get(_CALLED))


def _contexts(proposed: bytes) -> Contexts:
    found: dict[bytes, int] = {}
    every: list[tuple[int, bool]] = []
    for item in elements(proposed):
        given = parts(item.content)
        number, syntax = integer_of(part(given, INTEGER)), part(given, OBJECT)
        is_basic = any(each == (OBJECT, _BASIC_ENCODING) for each in elements(part(given, SEQUENCE)))
        is_taken = is_basic and syntax in (_ACSE, _MMS) and syntax not in found
        if is_taken:
            found[syntax] = number
        every.append((number, is_taken))
    if _ACSE not in found or _MMS not in found:
        raise MalformedError("no presentation context is proposed for association control, or none for MMS")
    return Contexts(found[_ACSE], found[_MMS], tuple(every))


def _user_data(data: bytes) -> tuple[int, bytes]:
    """The context and the value of fully encoded user data."""
    given = parts(one(one(data, _USER).content, SEQUENCE).content)
    return integer_of(part(given, INTEGER)), part(given, _SINGLE)


def data(contexts: Contexts, pdu: bytes) -> bytes:
    """An MMS PDU on its way."""
    return _DATA_HEADER + _carried(contexts.mms, pdu)


def accepted(asked: Message, initiated: bytes) -> bytes:
    """An association that is agreed to; initiated: the answer of MMS."""
    contexts = asked.contexts
    response = encoded(
        _RESPONSE,
        encoded(0xA1, encoded(OBJECT, _MMS_CONTEXT)),
        encoded(0xA2, integer(INTEGER, 0)),
        encoded(0xA3, encoded(0xA1, integer(INTEGER, 0))),
        encoded(0xBE, encoded(EXTERNAL, integer(INTEGER, contexts.mms), encoded(_SINGLE, initiated))),
    )
    results = b"".join(
        encoded(SEQUENCE, integer(0x80, 0), encoded(0x81, _BASIC_ENCODING))
        if is_taken
        else encoded(SEQUENCE, integer(0x80, 2), integer(0x82, 1))  # provider rejection: abstract syntax not supported
        for _, is_taken in contexts.all
    )
    normal = [] if asked.called is None else [encoded(0x83, asked.called)]
    normal += [encoded(0xA5, results), _carried(contexts.control, response)]
    body = encoded(SET, encoded(0xA0, _NORMAL_MODE), encoded(0xA2, *normal))
    item = _field(_ITEM, _field(_OPTIONS, b"\x00") + _field(_VERSION, b"\x02"))
    selector = b"" if asked.session_called is None else _field(_RESPONDING, asked.session_called)
    return _field(_ACCEPT, item + _field(_REQUIREMENTS, _DUPLEX) + selector + _field(_USER_DATA, body))


def disconnected(contexts: Contexts) -> bytes:
    """An association that is released."""
    released = encoded(_RELEASED, integer(0x80, 0))
    return _field(_DISCONNECT, _field(_USER_DATA, _carried(contexts.control, released)))


def _carried(context: int, value: bytes) -> bytes:
    return encoded(_USER, encoded(SEQUENCE, integer(INTEGER, context), encoded(_SINGLE, value)))


def _field(code: int, content: bytes) -> bytes:
    length = len(content)
    return bytes((code,)) + (bytes((length,)) if length < 0xFF else b"\xff" + length.to_bytes(2, "big")) + content
