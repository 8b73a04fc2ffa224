"""The data model of a device as a tree: structures of structures down to attributes, which are read, and some of which are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from heptagrid.live.protocols.mms.ber import Element, encoded
from heptagrid.live.protocols.mms.data import STRUCTURE, AccessError, Failure, Structure, Type

if TYPE_CHECKING:
    from heptagrid.live.protocols.mms.ied import Client, Ied

SEPARATOR = "$"
Read = Callable[["Ied"], Any]
Write = Callable[["Ied", "Client", Any], None]
"""Takes a value of an attribute from a client; raises AccessError."""


@dataclass(frozen=True, eq=False)
class Leaf:
    """An attribute. write: None: it is only read. select: what a client's reading of it alone, not among others, does first; returns the value."""

    type: Type
    read: Read
    write: Write | None = None
    select: Callable[[Ied, Client], Any] | None = None

    def encode(self, ied: Ied) -> bytes:
        return self.type.encode(self.read(ied))

    def take(self, ied: Ied, client: Client, given: Element) -> None:
        """A client writes it.

        Raises
        ------
        AccessError
        MalformedError
        """
        if self.write is None:
            raise AccessError(Failure.DENIED)
        self.write(ied, client, self.type.decode(given))


@dataclass(frozen=True, eq=False)
class Branch:
    """A structure. write: takes it as a whole; None: it is only read."""

    parts: Mapping[str, Node]
    write: Write | None = None

    @cached_property
    def type(self) -> Type:
        return Structure({name: one.type for name, one in self.parts.items()})

    def encode(self, ied: Ied) -> bytes:
        return encoded(STRUCTURE, *(one.encode(ied) for one in self.parts.values()))

    def take(self, ied: Ied, client: Client, given: Element) -> None:
        """A client writes it: as a whole, or its only part.

        Raises
        ------
        AccessError
        MalformedError
        """
        value = self.type.decode(given)
        if self.write is not None:
            self.write(ied, client, value)
            return
        only = next(iter(self.parts.values())) if len(self.parts) == 1 else None
        if not isinstance(only, Leaf) or only.write is None:
            raise AccessError(Failure.DENIED)
        (part,) = value.values()
        only.write(ied, client, part)


Node = Leaf | Branch
Constrained = Mapping[str, Mapping[str, Node]]
"""A data object: its attributes by functional constraint."""


def logical_node(objects: Mapping[str, Constrained], more: Mapping[str, Branch] | None = None) -> Branch:
    """A logical node of data objects; more: of what else it has by functional constraint, such as report control blocks."""
    by_constraint: dict[str, dict[str, Node]] = {}
    for name, constrained in objects.items():
        for constraint, attributes in constrained.items():
            by_constraint.setdefault(constraint, {})[name] = Branch(attributes)
    return Branch({name: Branch(found) for name, found in by_constraint.items()} | dict(more or {}))


def found(root: Branch, item: str) -> Node | None:
    """What has a name such as MMXU1$MX$TotW$mag$f; None if nothing has."""
    node: Node = root
    for word in item.split(SEPARATOR):
        if not isinstance(node, Branch) or word not in node.parts:
            return None
        node = node.parts[word]
    return node


def names(root: Branch, before: str = "") -> Iterator[str]:
    """The names of all that is in a tree."""
    for name, node in root.parts.items():
        full = f"{before}{name}"
        yield full
        if isinstance(node, Branch):
            yield from names(node, full + SEPARATOR)
