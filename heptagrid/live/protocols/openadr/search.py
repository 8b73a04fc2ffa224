"""What a client finds in a list: filters, targets, skip and limit, in the order in which objects were made.

All filters must match. Targets in 3.1 must all be the object's; of 3.0.1's values one is enough. A VEN finds programs and events without targets, and those
with targets that it was granted and, in 3.1, asks for. Source: OpenADR 3.1 Definition, sections "Response Filtering" and "Object Privacy".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from heptagrid.live.protocols.openadr.access import BL, Client
from heptagrid.live.protocols.openadr.objects import V301
from heptagrid.live.protocols.openadr.timing import intervals_of, start_ns

MOST = 50
"""The highest `limit`, as the specification says."""
_EQUAL = {
    "EVENT": ("programID",),
    "REPORT": ("programID", "eventID", "clientName"),
    "SUBSCRIPTION": ("programID", "clientName"),
    "VEN": ("venName",),
    "RESOURCE": ("venID", "resourceName"),
}

Query = Mapping[str, Sequence[str]]


def found(
    kind: str,
    objects: Iterable[Mapping[str, Any]],
    query: Query,
    version: str,
    client: Client,
    own: set[str] | None,
    now_ns: int,
) -> list[tuple[Any, set[str] | None]]:
    """What a client finds, and of each the targets that it may know, None: all. own: the targets that a VEN was granted, None for business logic.

    Raises
    ------
    ValueError
        For a parameter that cannot be read.
    """
    skip, limit = _count(query, "skip", None), _count(query, "limit", MOST)
    asked = _asked(query, version)
    is_by_target = kind in ("PROGRAM", "EVENT")
    usable = asked & own if own is not None and version != V301 else asked if own is None or asked else own

    def is_hit(one: Mapping[str, Any]) -> bool:
        if any(query.get(name) and str(one.get(name)) not in query[name] for name in _EQUAL.get(kind, ())):
            return False
        targets = {value for _, value in one.get("targets", ())}
        if client.role != BL and not is_by_target and one.get("clientID") != client.id:
            return False
        if client.role != BL and is_by_target and targets and not targets & usable & (own or set()):
            return False
        if asked and version == V301 and not targets & asked:
            return False
        if asked and version != V301 and not (usable and usable <= targets):
            return False
        return _has_objects(kind, one, query) and _is_active(kind, one, query, now_ns)

    hits = (one for one in objects if is_hit(one))
    chosen = islice(hits, skip, None if limit is None else skip + limit)
    return [(one, usable if own is not None and is_by_target else None) for one in chosen]


def _asked(query: Query, version: str) -> set[str]:
    """The targets that a query names."""
    if version != V301:
        return set(query.get("targets", ()))
    kinds, values = query.get("targetType", ()), query.get("targetValues", ())
    if bool(kinds) != bool(values):
        raise ValueError("targetType and targetValues go together")
    return set(values)


def _count(query: Query, name: str, most: int | None) -> Any:
    """Skip or limit; 0 and None where they are not given."""
    given = query.get(name)
    if not given:
        return None if most else 0
    text = given[0]
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) <= (most or 2**31 - 1)):
        raise ValueError(f"{name}: a whole number from 0 to {most or 2**31 - 1} is expected")
    return int(text)


def _has_objects(kind: str, one: Mapping[str, Any], query: Query) -> bool:
    """Whether a subscription is to one of the kinds that are asked for."""
    wanted = query.get("objects")
    if kind != "SUBSCRIPTION" or not wanted:
        return True
    return any(set(wanted) & set(operation["objects"]) for operation in one["objectOperations"])


def _is_active(kind: str, one: Mapping[str, Any], query: Query, now_ns: int) -> bool:
    """Whether an event is not over, where that is asked for."""
    given = query.get("active")
    if kind != "EVENT" or not given:
        return True
    if given[0].lower() not in ("true", "false"):
        raise ValueError("active: true or false is expected")
    intervals = intervals_of(one, start_ns(one["createdDateTime"]) or now_ns)
    return given[0].lower() == "false" or any(each.end_ns > now_ns for each in intervals)
