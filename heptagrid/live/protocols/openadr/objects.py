"""OpenADR's objects: which fields they have in which version, and what is wrong with one that was sent.

An object is kept in one form for both versions; `rendered` writes it in that of a version. Targets are kept as pairs of type and value, since 3.0.1 has
both and 3.1 has values alone. Source: OpenADR 3.0.1 and 3.1.0, OpenAPI specification.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from heptagrid.live.protocols.openadr.timing import duration_ns, start_ns

V301, V310 = "3.0.1", "3.1.0"
KINDS = ("PROGRAM", "EVENT", "REPORT", "SUBSCRIPTION", "VEN", "RESOURCE")
OPERATIONS = ("READ", "CREATE", "UPDATE", "DELETE")
LONGEST_LIST = 10_000
_ID = re.compile(r"[a-zA-Z0-9_-]{1,128}", re.ASCII)
_META = ("id", "createdDateTime", "modificationDateTime", "objectType")

Check = Callable[[Any, str], Iterable[str]]


@dataclass(frozen=True)
class Field:
    """A field of a kind of objects. check: yields what is wrong with a value; versions: in which it is; needed: in which it must be."""

    name: str
    check: Check
    versions: tuple[str, ...] = (V301, V310)
    needed: tuple[str, ...] = ()


def text(value: Any, at: str, longest: int = 128, least: int = 1) -> Iterable[str]:
    """A string."""
    if not isinstance(value, str) or not least <= len(value) <= longest or "\x00" in value:
        yield f"{at}: a text of {least} to {longest} characters is expected"


def words(value: Any, at: str) -> Iterable[str]:
    """A string that may be long or empty."""
    return text(value, at, 8000, 0)


def identifier(value: Any, at: str) -> Iterable[str]:
    """An object's id."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        yield f"{at}: an id of letters, digits, _ and - is expected"


def boolean(value: Any, at: str) -> Iterable[str]:
    if not isinstance(value, bool):
        yield f"{at}: true or false is expected"


def whole(value: Any, at: str, least: int = -(2**31)) -> Iterable[str]:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**31:
        yield f"{at}: a whole number from {least} on is expected"


def natural(value: Any, at: str) -> Iterable[str]:
    return whole(value, at, 0)


def number(value: Any, at: str) -> Iterable[str]:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        yield f"{at}: a number is expected"


def duration(value: Any, at: str) -> Iterable[str]:
    yield from _parsed(duration_ns, value, at)


def moment(value: Any, at: str) -> Iterable[str]:
    yield from _parsed(start_ns, value, at)


def url(value: Any, at: str) -> Iterable[str]:
    wrong = list(text(value, at, 8000, 2))
    if not wrong:
        try:
            parts = urlsplit(value)
            fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            fits = False
        if not fits:
            wrong = [f"{at}: an address that begins with http:// or https:// is expected"]
    return wrong


def target(value: Any, at: str) -> Iterable[str]:
    """A target in the form of either version."""
    return values_map(value, at) if isinstance(value, dict) else text(value, at)


def point(value: Any, at: str) -> Iterable[str]:
    yield from members((Field("x", number, needed=(V310,)), Field("y", number, needed=(V310,))))(value, at)


def payload_value(value: Any, at: str) -> Iterable[str]:
    if isinstance(value, dict):
        yield from point(value, at)
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{at}: a finite number is expected"
    elif not isinstance(value, str | int | float | bool) or (isinstance(value, str) and len(value) > 100_000):
        yield f"{at}: a number, a text, true, false or a point is expected"


def many(check: Check) -> Check:
    """A list of such values."""

    def checked(value: Any, at: str) -> Iterable[str]:
        if not isinstance(value, list) or len(value) > LONGEST_LIST:
            yield f"{at}: a list of at most {LONGEST_LIST} is expected"
            return
        for k, one in enumerate(value):
            yield from check(one, f"{at}[{k}]")

    return checked


def among(*allowed: str) -> Check:
    """One of some words."""

    def checked(value: Any, at: str) -> Iterable[str]:
        if value not in allowed:
            yield f"{at}: one of {', '.join(allowed)} is expected"

    return checked


def members(fields: tuple[Field, ...], version: str = V310) -> Check:
    """An object with such fields; others in it are let pass."""

    def checked(value: Any, at: str) -> Iterable[str]:
        if not isinstance(value, dict):
            yield f"{at}: an object is expected"
            return
        yield from violations(value, fields, version, at)

    return checked


def violations(given: Mapping[str, Any], fields: tuple[Field, ...], version: str, at: str = "") -> Iterable[str]:
    """All that is wrong with an object's fields; null counts as absent."""
    for field in fields:
        where = f"{at}.{field.name}" if at else field.name
        value = given.get(field.name)
        if value is None:
            if version in field.needed:
                yield f"{where}: it is missing"
        elif version in field.versions:
            yield from field.check(value, where)


def _parsed(parse: Callable[[str], Any], value: Any, at: str) -> Iterable[str]:
    if not isinstance(value, str):
        yield f"{at}: a text is expected"
        return
    try:
        parse(value)
    except (ValueError, OverflowError) as problem:
        yield f"{at}: {problem}"


_BOTH = (V301, V310)
values_map = members((Field("type", text, needed=(V310,)), Field("values", many(payload_value), needed=(V310,))))
period = members(
    (Field("start", moment, needed=(V310,)), Field("duration", duration), Field("randomizeStart", duration))
)
interval = members(
    (
        Field("id", whole, needed=(V310,)),
        Field("intervalPeriod", period),
        Field("payloads", many(values_map), needed=(V310,)),
    )
)
_DESCRIPTOR = (Field("payloadType", text, needed=(V310,)), Field("units", text), Field("readingType", text))
payload_descriptor = members(
    (*_DESCRIPTOR, Field("currency", text), Field("accuracy", number), Field("confidence", whole))
)
report_descriptor = members(
    (
        *_DESCRIPTOR,
        Field("targets", many(target)),
        Field("aggregate", boolean),
        *(Field(name, whole) for name in ("startInterval", "numIntervals", "frequency", "repeat")),
        Field("historical", boolean),
        Field("reportIntervals", among("INTERVALS", "SUB_INTERVALS", "OPEN_INTERVALS")),
    )
)
reported = members(
    (
        Field("resourceName", text, needed=_BOTH),
        Field("intervalPeriod", period),
        Field("intervals", many(interval), needed=_BOTH),
    )
)
operation = members(
    (
        Field("objects", many(among(*KINDS)), needed=_BOTH),
        Field("operations", many(among(*OPERATIONS, "GET", "POST", "PUT")), needed=_BOTH),
        Field("callbackUrl", url, needed=_BOTH),
        Field("bearerToken", words),
        Field("mechanism", among("WEBHOOK")),
    )
)
_TARGETS = Field("targets", many(target))
_ATTRIBUTES = Field("attributes", many(values_map))
FIELDS: dict[str, tuple[Field, ...]] = {
    "PROGRAM": (
        Field("programName", text, needed=_BOTH),
        *(
            Field(name, words, (V301,))
            for name in ("programLongName", "retailerName", "retailerLongName", "programType", "country")
        ),
        Field("principalSubdivision", words, (V301,)),
        Field("timeZoneOffset", duration, (V301,)),
        Field("bindingEvents", boolean, (V301,)),
        Field("localPrice", boolean, (V301,)),
        Field("intervalPeriod", period),
        Field("programDescriptions", many(members((Field("URL", url, needed=_BOTH),)))),
        Field("payloadDescriptors", many(payload_descriptor)),
        Field("attributes", many(values_map), (V310,)),
        _TARGETS,
    ),
    "EVENT": (
        Field("programID", identifier, needed=_BOTH),
        Field("eventName", words),
        Field("priority", natural),
        Field("duration", duration, (V310,)),
        _TARGETS,
        Field("reportDescriptors", many(report_descriptor)),
        Field("payloadDescriptors", many(payload_descriptor)),
        Field("intervalPeriod", period),
        Field("intervals", many(interval), needed=(V301,)),
    ),
    "REPORT": (
        Field("programID", identifier, (V301,), needed=(V301,)),
        Field("eventID", identifier, needed=_BOTH),
        Field("clientName", text, needed=_BOTH),
        Field("clientID", text, (V310,)),
        Field("reportName", words),
        Field("payloadDescriptors", many(payload_descriptor)),
        Field("resources", many(reported), needed=_BOTH),
    ),
    "SUBSCRIPTION": (
        Field("clientName", text, needed=_BOTH),
        Field("clientID", text, (V310,)),
        Field("programID", identifier, needed=(V301,)),
        Field("objectOperations", many(operation), needed=_BOTH),
        _TARGETS,
    ),
    "VEN": (
        Field("venName", text, needed=_BOTH),
        Field("clientID", text, (V310,)),
        _ATTRIBUTES,
        _TARGETS,
    ),
    "RESOURCE": (
        Field("resourceName", text, needed=_BOTH),
        Field("venID", identifier, needed=(V310,)),
        Field("clientID", text, (V310,)),
        _ATTRIBUTES,
        _TARGETS,
    ),
}


def faults(kind: str, given: Any, version: str) -> list[str]:
    """All that is wrong with an object that was sent, empty if nothing is."""
    if not isinstance(given, dict):
        return ["a JSON object is expected"]
    return list(violations(given, FIELDS[kind], version))


def kept(kind: str, given: Mapping[str, Any], version: str) -> dict[str, Any]:
    """What is kept of a valid object: the version's fields that are not null, targets as pairs of type and value."""
    found = {
        one.name: given[one.name] for one in FIELDS[kind] if version in one.versions and given.get(one.name) is not None
    }
    if "targets" in found:
        found["targets"] = pairs(found["targets"])
    return found


def pairs(targets: Iterable[Any]) -> list[tuple[str, str]]:
    """Targets of either version as pairs of type, empty for 3.1's, and value; each once."""
    found: dict[tuple[str, str], None] = {}
    for one in targets:
        if isinstance(one, str):
            found[("", one)] = None
        else:
            found.update({(str(one["type"]), str(value)): None for value in one["values"]})
    return list(found)


def rendered(kind: str, one: Mapping[str, Any], version: str) -> dict[str, Any]:
    """An object as a version writes it; fields without a value are left out, except lists that clients expect."""
    found = {name: one[name] for name in _META}
    for field in FIELDS[kind]:
        if version in field.versions and one.get(field.name) is not None:
            found[field.name] = one[field.name]
    if "targets" in found:
        found["targets"] = targets_in(found["targets"], version)
    return found


def targets_in(targets: Iterable[tuple[str, str]], version: str) -> list[Any]:
    """Targets as a version writes them: values, or values by type."""
    if version == V310:
        return list(dict.fromkeys(value for _, value in targets))
    by_type: dict[str, list[str]] = {}
    for kind, value in targets:
        by_type.setdefault(kind or "GROUP", []).append(value)
    return [{"type": kind, "values": values} for kind, values in by_type.items()]
