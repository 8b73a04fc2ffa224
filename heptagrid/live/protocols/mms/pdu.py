"""MMS protocol data units (ISO 9506-2): names, requests, answers, reports, and how an association of MMS begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from heptagrid.live.protocols.mms.ber import (
    INTEGER,
    SEQUENCE,
    VISIBLE,
    Element,
    MalformedError,
    bits,
    elements,
    encoded,
    integer,
    integer_of,
    one,
    part,
    parts,
    text,
    text_of,
)

REQUEST, RESPONSE, ERROR, UNCONFIRMED, REJECT = 0xA0, 0xA1, 0xA2, 0xA3, 0xA4
INITIATE, INITIATED, CONCLUDE, CONCLUDED = 0xA8, 0xA9, 0x8B, 0x8C
CANCEL, CANCELLED = 0x85, 0xA7
_MOST_INVOKED = (1 << 32) - 1
_LONGEST_NAME = 129


class Service(IntEnum):
    """Tags of confirmed services in requests."""

    STATUS = 0x80
    NAMES = 0xA1
    IDENTIFY = 0x82
    READ = 0xA4
    WRITE = 0xA5
    ATTRIBUTES = 0xA6
    LIST_ATTRIBUTES = 0xAC


class ErrorClass(IntEnum):
    """Classes of service errors."""

    DEFINITION = 2
    RESOURCE = 3
    SERVICE = 4
    ACCESS = 7


class ServiceError(Exception):
    """A service that fails as a whole. kind, code: by which a client is told so."""

    def __init__(self, kind: ErrorClass, code: int) -> None:
        super().__init__(f"{kind.name} {code}")
        self.kind, self.code = kind, code


TOO_LONG = ErrorClass.SERVICE, 3
NOT_REACHED = ErrorClass.RESOURCE, 4
NO_SUCH_OBJECT = ErrorClass.ACCESS, 2
UNSUPPORTED_ACCESS = ErrorClass.ACCESS, 1
_BEGIN_SERVICES = {0, 1, 2, 4, 5, 6, 12, 79, 83}
SERVICES = "".join("1" if place in _BEGIN_SERVICES else "0" for place in range(85))
"""Status, names, identify, read, write, attributes of variables and of lists, information report, conclude."""
FEATURES = "11100001000"
"""Arrays and structures of any depth, named variables and named lists of them."""
_VERSION = 1
_NESTING = 10
_SMALLEST_PDU, _DEFAULT_PDU = 500, 65_000


@dataclass(frozen=True)
class Name:
    """The name of an object. domain: in which it is; None: of the server as a whole, or of the association."""

    domain: str | None
    item: str

    @property
    def text(self) -> str:
        return self.item if self.domain is None else f"{self.domain}/{self.item}"


@dataclass(frozen=True)
class Request:
    """A confirmed request. invoked: its number; given: the service and what it is asked."""

    invoked: int
    given: Element


def request(content: bytes) -> Request:
    """A confirmed request by its content.

    Raises
    ------
    MalformedError
    """
    found = list(elements(content))
    if len(found) < 2 or found[0].tag != INTEGER:
        raise MalformedError("a confirmed request without its number or its service")
    invoked = integer_of(found[0].content)
    if not 0 <= invoked <= _MOST_INVOKED:
        raise MalformedError("a confirmed request with a number that it cannot have")
    return Request(invoked, found[1] if found[1].tag != SEQUENCE else found[-1])


def answered(invoked: int, service: int, *contents: bytes) -> bytes:
    """A confirmed answer."""
    return encoded(RESPONSE, integer(INTEGER, invoked), encoded(service, *contents))


def failed(invoked: int, kind: ErrorClass, code: int) -> bytes:
    """A service that has failed as a whole."""
    return encoded(ERROR, integer(0x80, invoked), encoded(0xA2, encoded(0xA0, integer(0x80 | kind, code))))


def rejected(invoked: int, reason: int = 1) -> bytes:
    """A confirmed request that is not served; reason: 1: its service is not known."""
    return encoded(REJECT, integer(0x80, invoked), integer(0x81, reason))


def information_report(names: bytes, values: Iterable[bytes]) -> bytes:
    """Values that are told unasked."""
    return encoded(UNCONFIRMED, encoded(0xA0, names, encoded(0xA0, *values)))


def named_by_server(name: str, *, is_list: bool = True) -> bytes:
    """An object of the server as a whole: a list of variables, or the name of one."""
    return encoded(0xA1, text(0x80, name)) if is_list else text(0x80, name)


def domain_name(domain: str, item: str) -> bytes:
    """The name of an object in a domain."""
    return encoded(0xA1, text(VISIBLE, domain), text(VISIBLE, item))


def listed(*names: bytes) -> bytes:
    """Variables by their names."""
    return encoded(0xA0, *(encoded(SEQUENCE, encoded(0xA0, name)) for name in names))


def name_of(given: Element) -> Name:
    """The name that an element is.

    Raises
    ------
    MalformedError
    """
    if given.tag in (0x80, 0x82):
        return Name(None, identifier(given.content))
    if given.tag != 0xA1:
        raise MalformedError("no name of an object")
    found = list(elements(given.content))
    if len(found) != 2 or any(each.tag != VISIBLE for each in found):
        raise MalformedError("the name of an object in a domain has two parts")
    return Name(identifier(found[0].content), identifier(found[1].content))


def identifier(content: bytes) -> str:
    """An identifier.

    Raises
    ------
    MalformedError
        If it is longer than one may be.
    """
    if len(content) > _LONGEST_NAME:
        raise MalformedError("an identifier is too long")
    return text_of(content)


@dataclass(frozen=True)
class Variables:
    """What is read or written. names: None stands for an access that is not by a name, or by a part of one. list: the name of a list, if it is one."""

    names: tuple[Name | None, ...] = ()
    list: Name | None = None


def variables(given: Element) -> Variables:
    """Which variables an access is for.

    Raises
    ------
    MalformedError
    """
    if given.tag == 0xA1:
        return Variables(list=name_of(one(given.content)))
    if given.tag != 0xA0:
        raise MalformedError("neither a list of variables nor the name of one")
    found: list[Name | None] = []
    for each in elements(given.content):
        if each.tag != SEQUENCE:
            raise MalformedError("a list holds something else than variables")
        inner = list(elements(each.content))
        if not inner:
            raise MalformedError("a variable without a name")
        is_named = len(inner) == 1 and inner[0].tag == 0xA0
        found.append(name_of(one(inner[0].content)) if is_named else None)
    return Variables(tuple(found))


@dataclass(frozen=True)
class Agreed:
    """What is agreed on at the begin. largest: bytes of a PDU; outstanding: requests that a client may have open."""

    largest: int
    outstanding: int


def initiated(pdu: bytes, largest: int, outstanding: int) -> tuple[bytes, Agreed]:
    """The answer to the begin of an association, and what is agreed on.

    Raises
    ------
    MalformedError
    """
    asked = parts(one(pdu, INITIATE).content)
    detail = parts(part(asked, 0xA4))
    part(detail, 0x81), part(detail, 0x82)
    wanted = integer_of(asked[0x80]) if 0x80 in asked else _DEFAULT_PDU
    calling, called = integer_of(part(asked, 0x81)), integer_of(part(asked, 0x82))
    nesting = integer_of(asked[0x83]) if 0x83 in asked else _NESTING
    if wanted < _SMALLEST_PDU or calling < 1 or called < 1 or nesting < 0:
        raise MalformedError(f"an association with PDUs of {wanted} bytes, or without requests, is of no use")
    agreed = Agreed(min(wanted, largest), min(calling, outstanding))
    answer = encoded(
        INITIATED,
        integer(0x80, agreed.largest),
        integer(0x81, agreed.outstanding),
        integer(0x82, min(called, outstanding)),
        integer(0x83, min(nesting, _NESTING)),
        encoded(0xA4, integer(0x80, _VERSION), bits(0x81, FEATURES), bits(0x82, SERVICES)),
    )
    return answer, agreed


def concluded() -> bytes:
    """The answer to the end of an association of MMS."""
    return encoded(CONCLUDED)
