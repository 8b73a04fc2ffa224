"""The messages of OpenADR 2.0b: their namespaces, the envelope around them, and responses.

Source: OpenADR 2.0 Profile Specification, B Profile, and its schema `oadr_20b.xsd`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from heptagrid.live.protocols.openadr.timing import FOREVER_NS, date_time, duration_ns, start_ns
from heptagrid.live.xml import Element, MalformedError, Vocabulary, leaf, of

VOCABULARY = Vocabulary(
    "OpenADR 2.0b",
    {
        "oadr": "http://openadr.org/oadr-2.0b/2012/07",
        "ei": "http://docs.oasis-open.org/ns/energyinterop/201110",
        "pyld": "http://docs.oasis-open.org/ns/energyinterop/201110/payloads",
        "emix": "http://docs.oasis-open.org/ns/emix/2011/06",
        "power": "http://docs.oasis-open.org/ns/emix/2011/06/power",
        "scale": "http://docs.oasis-open.org/ns/emix/2011/06/siscale",
        "strm": "urn:ietf:params:xml:ns:icalendar-2.0:stream",
        "xcal": "urn:ietf:params:xml:ns:icalendar-2.0",
    },
)
SCHEMA_VERSION = "2.0b"
MEDIA_TYPE = "application/xml"

OK = 200
NOT_ALLOWED, INVALID_ID, NOT_RECOGNISED, INVALID_DATA = 451, 452, 453, 454
REPORT_NOT_SUPPORTED, NOT_REGISTERED = 461, 463
_WORDS = {
    OK: "OK",
    NOT_ALLOWED: "not allowed",
    INVALID_ID: "invalid ID",
    NOT_RECOGNISED: "not recognized",
    INVALID_DATA: "invalid data",
    REPORT_NOT_SUPPORTED: "report not supported",
    NOT_REGISTERED: "not registered or authorized",
}
_LONGEST_ID = 128


class Refused(Exception):
    """A message that is not served: the application's response code, and what is wrong."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True)
class Clock:
    """Times as messages write them. offset_ns: how far they are ahead of simulated ones."""

    offset_ns: int = 0

    def text(self, ns: int) -> str:
        """A simulated instant."""
        return date_time(ns + self.offset_ns)

    def ns(self, text: str) -> int:
        """The simulated instant of a text.

        Raises
        ------
        Refused
        """
        try:
            found = start_ns(text)
        except ValueError as wrong:
            raise Refused(INVALID_DATA, str(wrong)) from None
        if found is None:
            raise Refused(INVALID_DATA, f"{text[:40]} is no time")
        return found - self.offset_ns


def lasting(ns: int) -> str:
    """A duration; one without an end is of length 0 in this profile."""
    return "PT0S" if ns >= FOREVER_NS else f"PT{round(ns / 1e9)}S"


def length_ns(text: str | None) -> int:
    """Nanoseconds of a duration, none for one that is not there.

    Raises
    ------
    Refused
    """
    try:
        return max(duration_ns(text), 0) if text else 0
    except ValueError as wrong:
        raise Refused(INVALID_DATA, str(wrong)) from None


def duration(ns: int) -> Element:
    """The property `duration`."""
    return of("xcal:duration", leaf("xcal:duration", lasting(ns)))


def dtstart(text: str) -> Element:
    """The property `dtstart`."""
    return of("xcal:dtstart", leaf("xcal:date-time", text))


def message(tag: str, *children: Element | None) -> Element:
    """A message of the schema's version."""
    made = of(tag, *children)
    made.attributes["ei:schemaVersion"] = SCHEMA_VERSION
    return made


def response(code: int, detail: str, request_id: str) -> Element:
    """The `eiResponse` to a request; its ID is that of the request, empty where this had none."""
    return of(
        "ei:eiResponse",
        leaf("ei:responseCode", f"{code:03}"),
        leaf("ei:responseDescription", detail or _WORDS.get(code, "error")),
        leaf("pyld:requestID", request_id),
    )


def enveloped(inner: Element) -> bytes:
    """A message as it is sent."""
    return VOCABULARY.written(of("oadr:oadrPayload", of("oadr:oadrSignedObject", inner)))


def opened(body: bytes) -> Element:
    """The message in a body; a signature beside it is not looked at.

    Raises
    ------
    MalformedError
    """
    root = VOCABULARY.read(body)
    signed = root.find("oadr:oadrSignedObject")
    if root.tag != "oadr:oadrPayload" or signed is None or len(signed.children) != 1:
        raise MalformedError("an oadrPayload with an oadrSignedObject that holds one message is expected")
    return signed.children[0]


def text_of(inner: Element, *path: str, needed: bool = False) -> str:
    """A text down a path, empty if it is not there.

    Raises
    ------
    Refused
        If it is needed and not there, or too long for an ID.
    """
    found = inner.value(*path) or ""
    if needed and not found:
        raise Refused(INVALID_DATA, f"{path[-1]} is missing")
    if len(found) > _LONGEST_ID:
        raise Refused(INVALID_DATA, f"{path[-1]}: at most {_LONGEST_ID} characters are expected")
    return found


def new_id() -> str:
    """An ID that nobody has."""
    return secrets.token_hex(10)
