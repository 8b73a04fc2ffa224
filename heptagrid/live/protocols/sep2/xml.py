"""XML of IEEE 2030.5, written in the schema's order. Source: IEEE 2030.5-2018, annex with the schema; namespace `urn:ieee:std:2030.5:ns`."""

from __future__ import annotations

from heptagrid.live.xml import Element, MalformedError, Vocabulary, leaf, of

__all__ = ["MEDIA_TYPE", "NAMESPACE", "Element", "MalformedError", "leaf", "link", "of", "read", "written"]

NAMESPACE = "urn:ieee:std:2030.5:ns"
MEDIA_TYPE = "application/sep+xml"
_VOCABULARY = Vocabulary("IEEE 2030.5", {"": NAMESPACE})

written = _VOCABULARY.written
read = _VOCABULARY.read


def link(tag: str, href: str, count: int | None = None) -> Element:
    """A link to a resource, or with a count to a list."""
    return of(tag, href=href, all=count)
