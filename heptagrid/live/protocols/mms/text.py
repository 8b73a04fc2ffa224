"""What MMS PDUs say, as a person reads it in a log."""

from __future__ import annotations

from heptagrid.live.protocols.mms import pdu as mms
from heptagrid.live.protocols.mms.ber import MalformedError, elements, integer_of, one, parts, text_of
from heptagrid.live.protocols.mms.pdu import Name, Request, Service
from heptagrid.live.protocols.mms.services import accessed, named

_WORDS = {
    mms.INITIATED: "initiate response",
    mms.CONCLUDED: "conclude response",
    mms.REJECT: "reject",
}
_MOST_NAMES = 3


def text_of_request(request: Request) -> str:
    """What a request says."""
    try:
        service = Service(request.given.tag)
    except ValueError:
        return f"{request.invoked}: service {request.given.tag:#x}"
    try:
        return f"{request.invoked}: {service.name.lower().replace('_', ' ')}{_asked(request)}"
    except MalformedError as problem:
        return f"{request.invoked}: malformed: {problem}"


def text_of_answer(pdu: bytes) -> str:
    """What a server's PDU says."""
    given = one(pdu)
    if given.tag == mms.UNCONFIRMED:
        return f"information report {_reported(given.content)}"
    if given.tag in _WORDS:
        return _WORDS[given.tag]
    found = list(elements(given.content))
    invoked = integer_of(found[0].content)
    if given.tag == mms.ERROR:
        return f"{invoked}: error"
    service = found[1].tag
    words = next(
        (one.name.lower().replace("_", " ") for one in Service if service in (one, one | 0x20)), f"{service:#x}"
    )
    return f"{invoked}: {words} response, {len(found[1].content)} bytes"


def _asked(request: Request) -> str:
    given = request.given
    if given.tag in (Service.READ, Service.WRITE):
        asked = accessed(given)
        names: list[Name | None] = [asked.list] if asked.list is not None else list(asked.names)
        shown = ", ".join("?" if each is None else each.text for each in names[:_MOST_NAMES])
        return f" {shown}" + (f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else "")
    if given.tag == Service.ATTRIBUTES:
        return f" {mms.name_of(named(given)).text}"
    if given.tag == Service.LIST_ATTRIBUTES:
        return f" {mms.name_of(one(given.content)).text}"
    return ""


def _reported(content: bytes) -> str:
    report = parts(content)[0xA0]
    names, values = elements(report)
    if names.tag == 0xA1:
        first = next(elements(values.content))
        return text_of(first.content)
    return ", ".join(mms.name_of(one(one(each.content).content)).text for each in elements(names.content))
