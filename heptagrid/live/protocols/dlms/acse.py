"""Association control (IEC 62056-5-3): the request, its answer, the release, and the initiation that travels within them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, IntFlag

from heptagrid.live.protocols.dlms.data import MalformedError, Reader, length

AARQ, AARE, RLRQ, RLRE = 0x60, 0x61, 0x62, 0x63
INITIATE_REQUEST, INITIATE_RESPONSE, CONFIRMED_SERVICE_ERROR = 1, 8, 14
OBJECT_IDENTIFIER = b"\x60\x85\x74\x05\x08"
"""Of DLMS: 2.16.756.5.8, before the context (1) or the mechanism (2) and its number."""
DLMS_VERSION = 6
SMALLEST_PDU = 12
"""Of a client: below it nothing could be answered."""
LONGEST_CHALLENGE, SHORTEST_CHALLENGE = 64, 8
_VAA_NAME = b"\x00\x07"
_CONFORMANCE = b"\x5f\x1f\x04\x00"


class Context(IntEnum):
    """Application contexts, by logical name."""

    PLAIN = 1
    CIPHERED = 3


class Mechanism(IntEnum):
    """How a client proves who it is."""

    NONE = 0
    PASSWORD = 1
    GMAC = 5


class Diagnostic(IntEnum):
    """Why an association was refused, as the user of the service."""

    NULL = 0
    NO_REASON = 1
    CONTEXT_NOT_SUPPORTED = 2
    TITLE_NOT_RECOGNISED = 3
    MECHANISM_NOT_RECOGNISED = 11
    MECHANISM_REQUIRED = 12
    AUTHENTICATION_FAILURE = 13
    AUTHENTICATION_REQUIRED = 14


class Refusal(IntEnum):
    """Why an initiation was refused."""

    OTHER = 0
    VERSION_TOO_LOW = 1
    INCOMPATIBLE_CONFORMANCE = 2
    PDU_TOO_SHORT = 3


class Conformance(IntFlag):
    """Services of 24 bits, the first the highest."""

    GENERAL_PROTECTION = 1 << 22
    PRIORITY = 1 << 14
    BLOCKS_WITH_GET = 1 << 12
    MULTIPLE_REFERENCES = 1 << 9
    GET = 1 << 4
    SET = 1 << 3
    SELECTIVE_ACCESS = 1 << 2
    ACTION = 1


@dataclass(frozen=True)
class AssociationRequest:
    """What a client asks for. context, mechanism: their numbers, known or not; None: named outside DLMS. title: its system title, empty if it told none. value: password or challenge. information: the initiation, perhaps ciphered."""

    context: int | None = None
    mechanism: int | None = 0
    title: bytes = b""
    value: bytes = b""
    information: bytes = b""


@dataclass(frozen=True)
class Initiation:
    """What a client proposes. longest: the longest unit that it takes, 0 for any."""

    dedicated_key: bytes
    version: int
    conformance: int
    longest: int


def association_request(apdu: bytes) -> AssociationRequest:
    """Read an association request, with lengths of one or several bytes.

    Raises
    ------
    MalformedError
        If it is none.
    """
    found = AssociationRequest()
    for tag, content in _fields(apdu, AARQ):
        inner = Reader(content)
        if tag == 0xA1:
            found = replace(found, context=_number(_inner(inner, 0x06), 1))
        elif tag == 0xA6:
            found = replace(found, title=_inner(inner, 0x04))
        elif tag == 0x8B:
            found = replace(found, mechanism=_number(content, 2))
        elif tag == 0xAC:
            found = replace(found, value=_inner(inner, 0x80))
        elif tag == 0xBE:
            found = replace(found, information=_inner(inner, 0x04))
    return found


def release_information(apdu: bytes) -> bytes:
    """The initiation that came with a release request, perhaps ciphered; empty without one.

    Raises
    ------
    MalformedError
        If it is no release request.
    """
    return next((_inner(Reader(content), 0x04) for tag, content in _fields(apdu, RLRQ) if tag == 0xBE), b"")


def association_response(
    context: int,
    diagnostic: Diagnostic,
    information: bytes,
    *,
    is_accepted: bool,
    title: bytes,
    mechanism: int,
    value: bytes,
) -> bytes:
    """The answer to an association request. title: of the meter, empty to leave it out; value: its challenge, likewise.

    Without a long challenge it stays below 128 bytes, so that clients that know lengths of one byte alone can read it.
    """
    parts = [
        _field(0xA1, _field(0x06, OBJECT_IDENTIFIER + bytes((1, context)))),
        _field(0xA2, _field(0x02, bytes((0 if is_accepted else 1,)))),
        _field(0xA3, _field(0xA1, _field(0x02, bytes((diagnostic,))))),
    ]
    if title:
        parts.append(_field(0xA4, _field(0x04, title)))
    if value:
        parts.append(_field(0x88, b"\x07\x80"))
        parts.append(_field(0x89, OBJECT_IDENTIFIER + bytes((2, mechanism))))
        parts.append(_field(0xAA, _field(0x80, value)))
    if information:
        parts.append(_field(0xBE, _field(0x04, information)))
    return _field(AARE, b"".join(parts))


def release_response(information: bytes) -> bytes:
    """The answer to a release request: normal."""
    return _field(RLRE, _field(0x80, b"\x00") + (_field(0xBE, _field(0x04, information)) if information else b""))


def initiation(plain: bytes) -> Initiation:
    """Read an initiation, deciphered.

    Raises
    ------
    MalformedError
        If it is none.
    """
    reader = Reader(plain)
    if reader.byte() != INITIATE_REQUEST:
        raise MalformedError("no initiation")
    key = reader.string() if reader.byte() else b""
    if reader.byte():  # whether a response is allowed, if that is said
        reader.byte()
    if reader.byte():  # quality of service
        reader.byte()
    version = reader.byte()
    if reader.take(4) != _CONFORMANCE:
        raise MalformedError("no conformance block of 24 bits")
    conformance, longest = reader.number(3), reader.number(2)
    reader.end()
    return Initiation(key, version, conformance, longest)


def initiation_response(conformance: int, longest: int) -> bytes:
    """What the meter agrees to: services, and the longest unit that it takes."""
    agreed = bytes((INITIATE_RESPONSE, 0, DLMS_VERSION)) + _CONFORMANCE + conformance.to_bytes(3, "big")
    return agreed + longest.to_bytes(2, "big") + _VAA_NAME


def initiation_error(why: Refusal) -> bytes:
    """That an initiation is refused, and why."""
    return bytes((CONFIRMED_SERVICE_ERROR, 1, 6, why))


def _field(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + length(len(content)) + content


def _fields(apdu: bytes, tag: int) -> list[tuple[int, bytes]]:
    """The fields of a unit."""
    whole = Reader(apdu)
    if whole.byte() != tag:
        raise MalformedError(f"no unit of tag {tag:#x}")
    reader = Reader(whole.string())
    whole.end()
    found = []
    while reader.at < len(reader.raw):
        found.append((reader.byte(), reader.string()))
    return found


def _inner(reader: Reader, tag: int) -> bytes:
    """The only field within one."""
    if reader.byte() != tag:
        raise MalformedError(f"a field of tag {tag:#x} is expected")
    content = reader.string()
    reader.end()
    return content


def _number(identifier: bytes, arc: int) -> int | None:
    """The number of a context (arc 1) or a mechanism (2); None if the identifier is not of DLMS."""
    if len(identifier) == 7 and identifier[:5] == OBJECT_IDENTIFIER and identifier[5] == arc:
        return identifier[6]
    return None
