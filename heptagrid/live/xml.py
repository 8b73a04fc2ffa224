"""XML of protocols: written with the prefixes of a standard's namespaces, and read without what makes XML dangerous.

Declarations of types are refused, and with them entities of any kind; so is what is too deep or too long. Whatever prefixes a client writes, an element is called
here by its standard's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

_DEEPEST = 16
_MOST = 20_000
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class MalformedError(ValueError):
    """A body that is no XML of a standard."""


@dataclass
class Element:
    """An element; its tag has the prefix of its namespace, none for that without one. text: of one without children. ready: how it is written and which prefixes it uses, where that has been worked out."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    text: str = ""
    ready: tuple[str, frozenset[str]] | None = None

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


def ready(element: Element) -> Element:
    """The same element, written once for all documents that it will be part of; it is not to be changed any more."""
    worked_out = (_written(element), frozenset(_prefixes(element)))
    return Element(element.tag, element.attributes, element.children, element.text, worked_out)


@dataclass(frozen=True)
class Vocabulary:
    """The namespaces of a standard by prefix, "" for that which is written without one. title: of the standard."""

    title: str
    namespaces: Mapping[str, str]

    def written(self, element: Element) -> bytes:
        """A document that declares the namespaces which it uses. A character that XML has not is written as U+FFFD."""
        used = _prefixes(element)
        declared = "".join(
            f' xmlns{":" if prefix else ""}{prefix}="{uri}"'
            for prefix, uri in self.namespaces.items()
            if prefix in used
        )
        return b'<?xml version="1.0" encoding="UTF-8"?>' + _written(element, declared).encode()

    def read(self, body: bytes) -> Element:
        """The root of a document.

        Raises
        ------
        MalformedError
        """
        reader = _Reader(self)
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = reader.refuse
        parser.EntityDeclHandler = reader.refuse
        parser.StartElementHandler, parser.EndElementHandler = reader.begin, reader.end
        parser.CharacterDataHandler = reader.said
        try:
            parser.Parse(body, True)
        except (expat.ExpatError, ValueError, LookupError) as problem:
            raise MalformedError(f"no XML of {self.title}: {problem}"[:200]) from None
        assert reader.root is not None, "expat lets no document without an element pass"
        return reader.root


class _Reader:
    def __init__(self, vocabulary: Vocabulary) -> None:
        self.root: Element | None = None
        self._vocabulary = vocabulary
        self._prefix_of = {uri: f"{prefix}:" if prefix else "" for prefix, uri in vocabulary.namespaces.items()}
        self._open: list[Element] = []
        self._count = 0

    def refuse(self, *_: object) -> None:
        raise MalformedError("declarations of types and entities are refused")

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        namespace = name.rpartition(" ")[0]
        self._count += 1
        if len(self._open) >= _DEEPEST or self._count > _MOST:
            raise MalformedError("too deep, or too long")
        if not self._open and namespace not in self._prefix_of:
            wanted = " or ".join(self._vocabulary.namespaces.values())
            raise MalformedError(f"the namespace {wanted} is expected, and not {namespace[:80]!r}")
        given = {self._named(one) if " " in one else one: value for one, value in attributes.items()}
        made = Element(self._named(name), given)
        if self._open:
            self._open[-1].children.append(made)
        else:
            self.root = made
        self._open.append(made)

    def end(self, name: str) -> None:
        self._open.pop()

    def said(self, text: str) -> None:
        if self._open:
            self._open[-1].text += text

    def _named(self, name: str) -> str:
        """A name with the prefix of its namespace, or with its namespace in braces if that is not the standard's."""
        namespace, _, tag = name.rpartition(" ")
        prefix = self._prefix_of.get(namespace)
        return f"{{{namespace}}}{tag}" if prefix is None else f"{prefix}{tag}"


def _prefixes(element: Element) -> set[str] | frozenset[str]:
    """The prefixes of all names in an element."""
    if element.ready is not None:
        return element.ready[1]
    found = {element.tag.rpartition(":")[0]} | {one.rpartition(":")[0] for one in element.attributes if ":" in one}
    return found.union(*(_prefixes(one) for one in element.children))


def _written(element: Element, namespaces: str = "") -> str:
    if element.ready is not None and not namespaces:
        return element.ready[0]
    attributes = "".join(f" {name}={quoteattr(_clean(value))}" for name, value in element.attributes.items())
    if not element.children and not element.text:
        return f"<{element.tag}{namespaces}{attributes}/>"
    inner = "".join(_written(one) for one in element.children) or escape(_clean(element.text))
    return f"<{element.tag}{namespaces}{attributes}>{inner}</{element.tag}>"


def _clean(text: str) -> str:
    return _NO_CHARACTER.sub("\ufffd", text)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
