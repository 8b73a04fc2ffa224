"""XML of IEEE 2030.5: written in the schema's order, and read without what makes XML dangerous.

Source: IEEE 2030.5-2018, annex with the schema; namespace `urn:ieee:std:2030.5:ns`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

NAMESPACE = "urn:ieee:std:2030.5:ns"
MEDIA_TYPE = "application/sep+xml"
_DEEPEST = 16
_MOST = 20_000


class MalformedError(ValueError):
    """A body that is no XML of this standard."""


@dataclass
class Element:
    """An element of the standard's namespace. text: of one without children."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def find(self, *path: str) -> Element | None:
        """The first element down a path of tags."""
        found: Element | None = self
        for tag in path:
            found = next((one for one in found.children if one.tag == tag), None) if found is not None else None
        return found

    def all(self, tag: str) -> Iterator[Element]:
        """Its children of a tag."""
        return (one for one in self.children if one.tag == tag)

    def value(self, *path: str) -> str | None:
        """The text down a path of tags."""
        found = self.find(*path)
        return None if found is None else found.text.strip()

    def whole(self, *path: str) -> int | None:
        """The whole number down a path of tags; None: it is not there.

        Raises
        ------
        MalformedError
            If it is no number of 64 bits.
        """
        text = self.value(*path)
        if text is None:
            return None
        digits = text[1:] if text[:1] in "+-" and text else text
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= 18):
            raise MalformedError(f"{path[-1]}: {text[:40]!r} is no whole number")
        return int(text)

    def boolean(self, *path: str) -> bool | None:
        """True or false down a path of tags; None: it is not there.

        Raises
        ------
        MalformedError
        """
        text = self.value(*path)
        if text is None:
            return None
        if text not in ("true", "false", "1", "0"):
            raise MalformedError(f"{path[-1]}: {text[:40]!r} is neither true nor false")
        return text in ("true", "1")


def of(tag: str, *children: Element | None, **attributes: object) -> Element:
    """An element with those children that are not None; attributes without a value are left out."""
    found = {name: _text(value) for name, value in attributes.items() if value is not None}
    return Element(tag, found, [one for one in children if one is not None])


def leaf(tag: str, value: object) -> Element:
    """An element with a text."""
    return Element(tag, text=_text(value))


def link(tag: str, href: str, count: int | None = None) -> Element:
    """A link to a resource, or with a count to a list."""
    return of(tag, href=href, all=count)


def written(element: Element) -> bytes:
    """A document, with the standard's namespace as the default one."""
    return b'<?xml version="1.0" encoding="UTF-8"?>' + _written(element, f' xmlns="{NAMESPACE}"').encode()


def _written(element: Element, namespace: str = "") -> str:
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in element.attributes.items())
    if not element.children and not element.text:
        return f"<{element.tag}{namespace}{attributes}/>"
    inner = "".join(_written(one) for one in element.children) or escape(element.text)
    return f"<{element.tag}{namespace}{attributes}>{inner}</{element.tag}>"


def read(body: bytes) -> Element:
    """The root of a document. Declarations of types and entities are refused, and so is what is too deep or too long.

    Raises
    ------
    MalformedError
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    parser.StartElementHandler, parser.EndElementHandler = reader.begin, reader.end
    parser.CharacterDataHandler = reader.said
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as problem:
        raise MalformedError(f"no XML of IEEE 2030.5: {problem}"[:200]) from None
    assert reader.root is not None, "expat lets no document without an element pass"
    return reader.root


class _Reader:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._count = 0

    def refuse(self, *_: object) -> None:
        raise MalformedError("declarations of types and entities are refused")

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, tag = name.rpartition(" ")
        self._count += 1
        if len(self._open) >= _DEEPEST or self._count > _MOST:
            raise MalformedError("too deep, or too long")
        made = Element(tag if namespace == NAMESPACE else f"{{{namespace}}}{tag}", attributes)
        if self._open:
            self._open[-1].children.append(made)
        elif namespace != NAMESPACE:
            raise MalformedError(f"the namespace {NAMESPACE} is expected, and not {namespace[:80]!r}")
        else:
            self.root = made
        self._open.append(made)

    def end(self, name: str) -> None:
        self._open.pop()

    def said(self, text: str) -> None:
        if self._open:
            self._open[-1].text += text


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
