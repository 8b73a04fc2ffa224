"""When the intervals of an OpenADR event begin and end.

Source: OpenADR 3.1 User Guide, sections "Event and Interval Timing" and "Looping intervals"; 3.0.1 says the same but for `event.duration`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from heptagrid.foundation.time import NS_PER_S

FOREVER_NS = 100 * 366 * 86_400 * NS_PER_S
"""What stands for P9999Y: a hundred years, so that an instant and a duration can be added in 64 bits."""
LAST_NS = 2 * FOREVER_NS
"""Nothing of an event counts beyond it, in the year 2170: nanoseconds since 1970 have 64 bits elsewhere, which end in 2262."""
_BEGINNING_OF_TIME = ("0001-01-01", "0000-00-00", "0000-01-01")
_DURATION = re.compile(
    r"(?P<sign>-?)P(?=\d|T\d)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
    re.ASCII,
)
_START = re.compile(
    r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:?\d\d)?)?(?:[Zz])?", re.ASCII
)
_UNIT_S = {
    "years": 365 * 86_400,
    "months": 30 * 86_400,
    "weeks": 7 * 86_400,
    "days": 86_400,
    "hours": 3600,
    "minutes": 60,
}
_LONGEST = 64
_LOOPED = 10_000


@dataclass(frozen=True)
class Interval:
    """One interval of an event as it happens. number: its `id`; values: by type of payload; begin_ns: inclusive, end_ns: exclusive."""

    begin_ns: int
    end_ns: int
    number: int
    values: Mapping[str, Sequence[Any]]

    @property
    def is_endless(self) -> bool:
        """Whether it has no end."""
        return self.end_ns - self.begin_ns >= FOREVER_NS


def duration_ns(text: str) -> int:
    """Nanoseconds of an ISO 8601 duration; a century or more is `FOREVER_NS`. A year has 365 days, a month 30.

    Raises
    ------
    ValueError
    """
    found = _DURATION.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        raise ValueError(f"{text[:_LONGEST]!r} is no duration such as PT15M")
    total_ns = sum(int(found[name] or 0) * seconds for name, seconds in _UNIT_S.items()) * NS_PER_S
    total_ns += round(float(found["seconds"] or 0.0) * NS_PER_S)
    total_ns = min(total_ns, FOREVER_NS)
    return -total_ns if found["sign"] else total_ns


def start_ns(text: str) -> int | None:
    """Nanoseconds since 1970 of a start, without a zone in UTC; None: it is the beginning of time, which stands for now.

    Raises
    ------
    ValueError
    """
    if len(text) > _LONGEST or not _START.fullmatch(text):
        raise ValueError(f"{text[:_LONGEST]!r} is no date and time such as 2016-01-27T17:00:00Z")
    if text.startswith(_BEGINNING_OF_TIME):
        return None
    moment = datetime.fromisoformat(text.upper())
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    whole_ns = (since.days * 86_400 + since.seconds) * NS_PER_S + since.microseconds * 1000
    if not abs(whole_ns) < FOREVER_NS * 20:
        raise ValueError(f"{text!r} is too far away")
    return whole_ns


def date_time(ns: int) -> str:
    """An instant as OpenADR writes it."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ns // 1000)
    return moment.isoformat(timespec="microseconds" if ns // 1000 % 1_000_000 else "seconds").replace("+00:00", "Z")


def intervals_of(event: Mapping[str, Any], made_ns: int) -> list[Interval]:
    """The intervals of a valid event in their order; made_ns: when it was made, which is what "now" means.

    The n-th interval without a period of its own begins n durations after the event's start. One with a period of its own takes it. Payloads of several
    values divide their interval. `duration` of the event cuts the list off or repeats it. What lies more than a century before 1970, or beyond `LAST_NS`, is left out.
    """
    default = event.get("intervalPeriod")
    default_ns = _length_ns(default)
    first_ns = _begin_ns(default)
    at_ns = made_ns if first_ns is None else first_ns
    found: list[Interval] = []
    for one in event.get("intervals") or ():
        own = one.get("intervalPeriod")
        begin_ns = _begin_ns(own)
        begin_ns = at_ns if begin_ns is None else begin_ns
        long_ns = _length_ns(own) if own and own.get("duration") is not None else default_ns
        end_ns = begin_ns + (FOREVER_NS if long_ns is None else long_ns)
        found.extend(_divided(begin_ns, end_ns, int(one["id"]), one.get("payloads") or ()))
        at_ns = end_ns
    return [
        one if one.end_ns <= LAST_NS else Interval(one.begin_ns, LAST_NS, one.number, one.values)
        for one in _lasting(found, event.get("duration"))
        if one.end_ns > -FOREVER_NS and one.begin_ns < LAST_NS
    ]


def _begin_ns(period: Mapping[str, Any] | None) -> int | None:
    return start_ns(period["start"]) if period and period.get("start") else None


def _length_ns(period: Mapping[str, Any] | None) -> int | None:
    """None: no duration was given."""
    given = period.get("duration") if period else None
    return None if given is None else max(duration_ns(given), 0)


def _divided(begin_ns: int, end_ns: int, number: int, payloads: Sequence[Mapping[str, Any]]) -> list[Interval]:
    """An interval, or where payloads list several values its parts."""
    values: dict[str, list[Any]] = {}
    for one in payloads:
        values.setdefault(one["type"], []).extend(one["values"])
    parts = max((len(one) for one in values.values()), default=1)
    if parts <= 1 or end_ns - begin_ns >= FOREVER_NS:
        return [Interval(begin_ns, end_ns, number, values)]
    edges = [begin_ns + (end_ns - begin_ns) * k // parts for k in range(parts + 1)]
    return [
        Interval(edges[k], edges[k + 1], number, {name: one[k : k + 1] or one[-1:] for name, one in values.items()})
        for k in range(parts)
    ]


def _lasting(found: list[Interval], duration: str | None) -> list[Interval]:
    """Cut off or repeated so that all together last as long as the event's duration, where it has one."""
    if duration is None or not found:
        return found
    begin_ns, whole_ns = found[0].begin_ns, found[-1].end_ns - found[0].begin_ns
    end_ns = begin_ns + duration_ns(duration)
    if end_ns <= begin_ns or whole_ns <= 0:
        return found if duration_ns(duration) == 0 else []
    repeated, turn_ns = list(found), whole_ns
    while begin_ns + turn_ns < end_ns and len(repeated) < _LOOPED:
        repeated.extend(Interval(one.begin_ns + turn_ns, one.end_ns + turn_ns, one.number, one.values) for one in found)
        turn_ns += whole_ns
    return [
        Interval(one.begin_ns, min(one.end_ns, end_ns), one.number, one.values)
        for one in repeated
        if one.begin_ns < end_ns
    ]
