"""What events ask of devices: the parts of their intervals, and which event goes before another.

Of events that overlap the one with the lower priority number holds, then the later one. Source: OpenADR 3.1 Definition, "Event Enumerations".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from heptagrid.live.order_parts import Part
from heptagrid.live.protocols.openadr.timing import Interval

SETPOINTS = ("DISPATCH_SETPOINT", "DISPATCH_SETPOINT_RELATIVE", "CHARGE_STATE_SETPOINT")
LIMITS = ("IMPORT_CAPACITY_LIMIT", "EXPORT_CAPACITY_LIMIT", "SIMPLE")
TEST_EVENT = "X_HEPTAGRID_TEST_EVENT"
"""A payload type of ours: an event with it in any interval is a test; VENs are told, and no device moves."""
RESPONSE_REQUIRED = "X_HEPTAGRID_RESPONSE_REQUIRED"
"""A payload type of ours: with the value "never", VENs of 2.0b are not to answer."""
_LOWEST = 1 << 31


def parts_of(intervals: Sequence[Interval], kinds: Sequence[str], units: Mapping[str, str]) -> list[Part]:
    """The parts of an event with one of some kinds of payloads; a value that is no number is left out. units: by type of payload."""
    found = []
    for one in intervals:
        for kind in kinds:
            values = one.values.get(kind)
            if values and _is_number(values[0]) and one.end_ns > one.begin_ns:
                found.append(Part(one.begin_ns, one.end_ns, kind, float(values[0]), units.get(kind, "").upper()))
    return found


def units_of(*owners: Mapping[str, Any] | None) -> dict[str, str]:
    """The units of payload types; who comes first goes before: an event, then its program."""
    found: dict[str, str] = {}
    for owner in reversed(owners):
        for one in (owner or {}).get("payloadDescriptors") or ():
            if one.get("units"):
                found[one["payloadType"]] = one["units"]
    return found


def rank(event: Mapping[str, Any]) -> tuple[int, str, str]:
    """Events sorted by it come in the order in which the later one goes before."""
    priority = event.get("priority")
    return (-(_LOWEST if priority is None else priority), event["createdDateTime"], event["id"])


def said(event: Mapping[str, Any], kind: str) -> str:
    """The first value of a type of payload in an event's intervals, as lower-case text; empty: there is none."""
    for one in event.get("intervals") or ():
        for payload in one.get("payloads") or ():
            if payload["type"] == kind and payload["values"]:
                return str(payload["values"][0]).lower()
    return ""


def is_test(event: Mapping[str, Any]) -> bool:
    """Whether an event is a test."""
    return said(event, TEST_EVENT) not in ("", "false")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and abs(value) < 1e12
