"""The services of MMS at one device or several, each a domain: names, types, reading, writing, data sets."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from heptagrid.live.protocols.mms.ber import (
    VISIBLE,
    Element,
    MalformedError,
    elements,
    encoded,
    integer,
    integer_of,
    one,
    part,
    parts,
    text,
)
from heptagrid.live.protocols.mms.data import AccessError, Failure
from heptagrid.live.protocols.mms.ied import Client, Ied
from heptagrid.live.protocols.mms.nodes import Leaf, found
from heptagrid.live.protocols.mms.pdu import (
    NO_SUCH_OBJECT,
    TOO_LONG,
    UNSUPPORTED_ACCESS,
    Name,
    Request,
    Service,
    ServiceError,
    Variables,
    answered,
    domain_name,
    failed,
    identifier,
    listed,
    name_of,
    rejected,
    variables,
)
from heptagrid.live.protocols.mms.reports import NODE

_VARIABLES, _LISTS, _DOMAINS = 0, 2, 9
"""Classes of objects that have names here; of others there are none."""
_FRAME_BYTES = 32
_VENDOR, _MODEL, _REVISION = "heptagrid", "simulated grid", "1"


class Domains(Protocol):
    """The devices that an association reaches."""

    def names(self) -> Sequence[str]:
        """Of their domains, in alphabetical order."""

    def at(self, name: str) -> Ied | None:
        """The device that has a domain; None if none has."""


def concerned(given: Element) -> set[str]:
    """The domains of which a request speaks.

    Raises
    ------
    MalformedError
    """
    if given.tag in (Service.ATTRIBUTES, Service.LIST_ATTRIBUTES):
        name = name_of(named(given)) if given.tag == Service.ATTRIBUTES else name_of(one(given.content))
        return {name.domain} - {None}  # type: ignore[return-value]
    if given.tag == Service.NAMES:
        scope = one(part(parts(given.content), 0xA1))
        return {identifier(scope.content)} if scope.tag == 0x81 else set()
    if given.tag in (Service.READ, Service.WRITE):
        asked = accessed(given)
        names = [asked.list] if asked.list is not None else list(asked.names)
        return {each.domain for each in names if each is not None and each.domain is not None}
    return set()


def answer(domains: Domains, request: Request, client: Client) -> bytes:
    """The answer to a confirmed request.

    Raises
    ------
    MalformedError
        If what is asked is malformed.
    """
    handler = _HANDLERS.get(request.given.tag)
    if handler is None:
        client.was_refused()
        return rejected(request.invoked)
    try:
        body = handler(domains, request.given, client)
        if len(body) + _FRAME_BYTES > client.largest_pdu:
            raise ServiceError(*TOO_LONG)
    except ServiceError as problem:
        client.was_refused()
        return failed(request.invoked, problem.kind, problem.code)
    return answered(request.invoked, _ANSWERS[request.given.tag], body)


def _status(domains: Domains, given: Element, client: Client) -> bytes:
    return integer(0x80, 0) + integer(0x81, 0)


def _identify(domains: Domains, given: Element, client: Client) -> bytes:
    return text(0x80, _VENDOR) + text(0x81, _MODEL) + text(0x82, _REVISION)


def _names(domains: Domains, given: Element, client: Client) -> bytes:
    asked = parts(given.content)
    kind, scope = one(part(asked, 0xA0)), one(part(asked, 0xA1))
    if kind.tag != 0x80:
        raise ServiceError(*UNSUPPORTED_ACCESS)
    after = identifier(asked[0x82]) if 0x82 in asked else ""
    every = _all_names(domains, integer_of(kind.content), scope)
    room = client.largest_pdu - 2 * _FRAME_BYTES
    chosen: list[bytes] = []
    rest = every[bisect_right(every, after) :] if after else every
    for name in rest:
        item = text(VISIBLE, name)
        room -= len(item)
        if room < 0:
            break
        chosen.append(item)
    has_more = len(chosen) < len(rest)
    return encoded(0xA0, *chosen) + encoded(0x81, b"\xff" if has_more else b"\x00")


def _all_names(domains: Domains, kind: int, scope: Element) -> Sequence[str]:
    """All names of a kind, in alphabetical order."""
    if scope.tag != 0x81:
        return domains.names() if kind == _DOMAINS and scope.tag == 0x80 else []
    ied = domains.at(identifier(scope.content))
    if ied is None:
        raise ServiceError(*NO_SUCH_OBJECT)
    return ied.names if kind == _VARIABLES else ied.set_names if kind == _LISTS else []


def _attributes(domains: Domains, given: Element, client: Client) -> bytes:
    name = name_of(named(given))
    ied = domains.at(name.domain) if name.domain is not None else None
    node = found(ied.root, name.item) if ied is not None else None
    if node is None:
        raise ServiceError(*NO_SUCH_OBJECT)
    return encoded(0x80, b"\x00") + encoded(0xA2, node.type.described)


def named(given: Element) -> Element:
    """The name of the variable whose type is asked for.

    Raises
    ------
    MalformedError
    """
    return one(one(given.content, 0xA0).content)


def _list_attributes(domains: Domains, given: Element, client: Client) -> bytes:
    ied, members = _list(domains, name_of(one(given.content)))
    names = listed(*(domain_name(ied.domain, item) for item, _ in members))
    return encoded(0x80, b"\x00") + encoded(0xA1, one(names).content)


def _list(domains: Domains, name: Name) -> tuple[Ied, Sequence[tuple[str, str]]]:
    ied = domains.at(name.domain) if name.domain is not None else None
    node, _, set = name.item.partition("$")
    if ied is None or node != NODE or not ied.has_set(set):
        raise ServiceError(*NO_SUCH_OBJECT)
    return ied, ied.members_of(set)


def accessed(given: Element) -> Variables:
    """Which variables are to be read or written.

    Raises
    ------
    MalformedError
    """
    if given.tag == Service.READ:
        return variables(one(part(parts(given.content), 0xA1)))
    first = next(elements(given.content), None)
    if first is None:
        raise MalformedError("nothing is to be written")
    return variables(first)


def _read(domains: Domains, given: Element, client: Client) -> bytes:
    asked = accessed(given)
    echo = b""
    if asked.list is not None:
        ied, members = _list(domains, asked.list)
        names: Sequence[Name | None] = [Name(ied.domain, item) for item, _ in members]
        if parts(given.content).get(0x80, b"\x00") != b"\x00":
            echo = encoded(0xA0, part(parts(given.content), 0xA1))
    else:
        names = asked.names
    results, room = [], client.largest_pdu
    for name in names:
        results.append(_value(domains, name, client))
        room -= len(results[-1])
        if room < 0:
            raise ServiceError(*TOO_LONG)
    return echo + encoded(0xA1, *results)


def _value(domains: Domains, name: Name | None, client: Client) -> bytes:
    """What has a name, as data; or why there is nothing."""
    if name is None:
        return integer(0x80, Failure.UNSUPPORTED)
    ied = domains.at(name.domain) if name.domain is not None else None
    node = found(ied.root, name.item) if ied is not None else None
    if ied is None or node is None:
        return integer(0x80, Failure.NON_EXISTENT)
    if isinstance(node, Leaf) and node.select is not None:
        return node.type.encode(node.select(ied, client))
    return node.encode(ied)


def _write(domains: Domains, given: Element, client: Client) -> bytes:
    asked = accessed(given)
    found = list(elements(given.content))
    if len(found) != 2 or found[1].tag != 0xA0:
        raise MalformedError("what is to be written is missing")
    values = list(elements(found[1].content))
    names = asked.names
    if asked.list is not None:
        ied, members = _list(domains, asked.list)
        names = tuple(Name(ied.domain, item) for item, _ in members)
    if len(values) != len(names):
        raise MalformedError("as many values as variables are to be written")
    return b"".join(_written(domains, name, value, client) for name, value in zip(names, values, strict=True))


def _written(domains: Domains, name: Name | None, value: Element, client: Client) -> bytes:
    try:
        if name is None:
            raise AccessError(Failure.UNSUPPORTED)
        ied = domains.at(name.domain) if name.domain is not None else None
        node = found(ied.root, name.item) if ied is not None else None
        if ied is None or node is None:
            raise AccessError(Failure.NON_EXISTENT)
        node.take(ied, client, value)
    except AccessError as problem:
        return integer(0x80, problem.failure)
    return encoded(0x81)


_Handler = Callable[[Domains, Element, Client], bytes]
_HANDLERS: Mapping[int, _Handler] = {
    Service.STATUS: _status,
    Service.NAMES: _names,
    Service.IDENTIFY: _identify,
    Service.READ: _read,
    Service.WRITE: _write,
    Service.ATTRIBUTES: _attributes,
    Service.LIST_ATTRIBUTES: _list_attributes,
}
_ANSWERS: Mapping[int, int] = {kind: kind | 0x20 for kind in Service}
"""All answers are constructed, also those to requests that are not."""
