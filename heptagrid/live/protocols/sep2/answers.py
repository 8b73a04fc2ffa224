"""Requests and answers of the server, and what every resource refuses in the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from heptagrid.live.inventory import Device
from heptagrid.live.protocols.sep2 import resources
from heptagrid.live.protocols.sep2.model import EndDevice
from heptagrid.live.protocols.sep2.xml import Element

LONGEST_PAGE = 255
NOT_FOUND = "there is no such resource"


@dataclass(frozen=True)
class Request:
    """What a client asks. lfdi: from its certificate; name: the certificate's common name."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    lfdi: str
    name: str


@dataclass(frozen=True)
class Answer:
    """What it is told. content: None without a body; location: of what was made."""

    status: int
    content: Element | None = None
    location: str = ""
    allow: str = ""


class Refused(Exception):
    """A request that is not served."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


@dataclass
class Hooks:
    """Whom the server tells. device: the grid's device of a name; put: a device has put a status; read: it has posted a power in W, positive drawn; changed: controls have changed; count: of what was refused."""

    device: Callable[[str], Device | None] = lambda name: None
    area: Callable[[Device], str] = lambda device: ""
    put: Callable[[EndDevice, str, Element], None] = lambda one, what, element: None
    read: Callable[[EndDevice, float], None] = lambda one, watts: None
    changed: Callable[[], None] = lambda: None
    count: Callable[[str], None] = lambda what: None


def only(method: str, *allowed: str, at_end: bool = True) -> None:
    """Refuse a method that a resource has not."""
    if not at_end:
        raise Refused(404, NOT_FOUND)
    if method not in allowed:
        _refuse_method(allowed)


def _refuse_method(allowed: tuple[str, ...]) -> NoReturn:
    raise Refused(405, f"only {', '.join(allowed)}")


def page(tag: str, href: str, members: list[Element], request: Request, poll_s: int | None = None) -> Answer:
    query: dict[str, int] = {}
    for name in ("s", "l", "a"):
        text = request.query.get(name)
        if text is not None:
            if not (text.isascii() and text.isdecimal() and len(text) < 12):
                raise Refused(400, f"{name}: a whole number is expected")
            query[name] = int(text)
    query["l"] = min(query.get("l", 1), LONGEST_PAGE)
    return Answer(200, resources.listing(tag, href, members, query, poll_s))
