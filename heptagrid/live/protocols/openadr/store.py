"""The VTN's objects in memory: made, changed, deleted and searched; names are unique where the Definition says so."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from heptagrid.live.protocols.openadr.objects import KINDS
from heptagrid.live.protocols.openadr.timing import date_time

Object = dict[str, Any]
Changed = Callable[[str, str, Object], None]

MOST_OBJECTS = 100_000
"""Of a kind; more are refused."""
_NAMES = {"PROGRAM": "programName", "VEN": "venName"}


class TakenError(Exception):
    """A name is taken, or there is no room; its text is the answer's detail."""


@dataclass
class Store:
    """Objects by kind and id, in the order in which they were made. now_ns: the time that is written; changed: told (operation, kind, object) after each change."""

    now_ns: Callable[[], int]
    changed: list[Changed] = field(default_factory=list)
    _objects: dict[str, dict[str, Object]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    _named: dict[tuple[str, str], str] = field(default_factory=dict)
    _of_client: dict[tuple[str, str], dict[str, Object]] = field(default_factory=dict)

    def all(self, kind: str) -> Iterator[Object]:
        """All of a kind, oldest first."""
        return iter(self._objects[kind].values())

    def get(self, kind: str, id: str) -> Object | None:
        """The one with an id."""
        return self._objects[kind].get(id)

    def named(self, kind: str, name: str) -> Object | None:
        """The program or ven of a name."""
        id = self._named.get((kind, name))
        return None if id is None else self._objects[kind][id]

    def of_client(self, kind: str, client: str) -> list[Object]:
        """What belongs to a client."""
        return list(self._of_client.get((kind, client), {}).values())

    def add(self, kind: str, content: Mapping[str, Any], id: str = "", *, quietly: bool = False) -> Object:
        """Make one. quietly: nobody is told.

        Raises
        ------
        TakenError
        """
        if len(self._objects[kind]) >= MOST_OBJECTS:
            raise TakenError(f"there is no room for more than {MOST_OBJECTS} of {kind}")
        self._refuse_taken(kind, content, "")
        now = date_time(self.now_ns())
        made = {
            "id": id or secrets.token_hex(8),
            "createdDateTime": now,
            "modificationDateTime": now,
            "objectType": kind,
            **content,
        }
        self._enter(kind, made)
        if not quietly:
            self._tell("CREATE", kind, made)
        return made

    def replace(self, kind: str, id: str, content: Mapping[str, Any]) -> Object:
        """Put other content into one.

        Raises
        ------
        TakenError
        """
        self._refuse_taken(kind, content, id)
        old = self._objects[kind][id]
        kept = {name: old[name] for name in ("id", "createdDateTime", "objectType")}
        made = {**kept, "modificationDateTime": date_time(self.now_ns()), **content}
        self._leave(kind, old)
        self._objects[kind][id] = made  # in the place of the old one, so that lists keep their order
        self._enter(kind, made)
        self._tell("UPDATE", kind, made)
        return made

    def delete(self, kind: str, id: str) -> Object:
        """Delete one, and what cannot be without it: a program's events, a ven's resources."""
        for of, field_name in (("EVENT", "programID"), ("RESOURCE", "venID")):
            if (kind, of) in (("PROGRAM", "EVENT"), ("VEN", "RESOURCE")):
                for one in [one["id"] for one in self.all(of) if one[field_name] == id]:
                    self.delete(of, one)
        gone = self._objects[kind].pop(id)
        self._leave(kind, gone)
        self._tell("DELETE", kind, gone)
        return gone

    def _tell(self, operation: str, kind: str, one: Object) -> None:
        for told in self.changed:
            told(operation, kind, one)

    def _refuse_taken(self, kind: str, content: Mapping[str, Any], but: str) -> None:
        name = self._name_of(kind, content)
        if name is not None and self._named.get((kind, name), but) != but:
            raise TakenError(
                f"{_NAMES.get(kind, 'resourceName')} {content.get(_NAMES.get(kind, 'resourceName'))!r} is taken"
            )

    def _enter(self, kind: str, one: Object) -> None:
        self._objects[kind][one["id"]] = one
        name = self._name_of(kind, one)
        if name is not None:
            self._named[kind, name] = one["id"]
        if "clientID" in one:
            self._of_client.setdefault((kind, one["clientID"]), {})[one["id"]] = one

    def _leave(self, kind: str, one: Object) -> None:
        name = self._name_of(kind, one)
        if name is not None:
            self._named.pop((kind, name), None)
        if "clientID" in one:
            self._of_client[kind, one["clientID"]].pop(one["id"], None)

    def _name_of(self, kind: str, content: Mapping[str, Any]) -> str | None:
        """The name that must be unique; a resource's within its ven."""
        if kind == "RESOURCE":
            return f"{content['venID']}/{content['resourceName']}"
        return str(content[_NAMES[kind]]) if kind in _NAMES else None
