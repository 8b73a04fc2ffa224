"""Charging profiles of OCPP and the schedule that several of them make together.

Source: OCPP 1.6 section 3.13 and OCPP 2.0.1 part 2 K, smart charging: within a purpose the highest stack level that says something at an instant holds, a
profile of the transaction takes the place of the default one, and the lowest of the purposes is the limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from heptagrid.foundation.time import NS_PER_S

VOLTAGE_V = 230.0
"""Of a phase to neutral, by which a limit in amperes is one in watts (IEC 60038)."""
LEAST_A = 6.0
"""The lowest current of a phase that a charging station can signal; a lower limit stops the vehicle (IEC 61851-1 table A.8)."""
PHASES = 3
"""If a schedule does not say how many (OCPP 1.6 section 7.14)."""

MAX, EXTERNAL, DEFAULT, TRANSACTION = "max", "external", "default", "transaction"
_PURPOSES = {
    "ChargePointMaxProfile": MAX,
    "ChargingStationMaxProfile": MAX,
    "ChargingStationExternalConstraints": EXTERNAL,
    "TxDefaultProfile": DEFAULT,
    "TxProfile": TRANSACTION,
}
_REPEATS_NS = {"Daily": 86_400 * NS_PER_S, "Weekly": 7 * 86_400 * NS_PER_S}
_EARLIEST, _LATEST = -(2**62), 2**62


@dataclass(frozen=True)
class Period:
    """From so many nanoseconds after the schedule's start on, at most this power; phases: on how many."""

    start_ns: int
    limit_kw: float
    phases: int


@dataclass(frozen=True)
class Profile:
    """A charging profile; instants are the station's clock. evse: 0 the whole station. start_ns: None: relative, from the transaction's begin.

    given: as it was sent, for reports.
    """

    id: int
    evse: int
    stack_level: int
    purpose: str
    periods: tuple[Period, ...]
    start_ns: int | None
    duration_ns: int | None = None
    repeats_ns: int | None = None
    valid_from_ns: int = _EARLIEST
    valid_to_ns: int = _LATEST
    transaction: str = ""
    given: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Interval:
    """From `begin_ns` until the next one: at most this power, None without a limit."""

    begin_ns: int
    limit_kw: float | None


def instant_ns(text: str, *, lenient: bool = True) -> int:
    """An instant of RFC 3339 in nanoseconds since 1970; lenient: without a zone it is UTC.

    Raises
    ------
    ValueError
    """
    found = datetime.fromisoformat(text.strip())
    if found.tzinfo is None:
        if not lenient:
            raise ValueError(f"{text!r} has no time zone")
        found = found.replace(tzinfo=UTC)
    since = found - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * NS_PER_S + since.microseconds * 1000


def instant_text(ns: int) -> str:
    """The same as text, to the millisecond, in UTC."""
    seconds, rest = divmod(ns, NS_PER_S)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}Z"


def profile_of(given: dict[str, Any], evse: int, received_ns: int) -> Profile:
    """A profile as 1.6 or 2.0.1 sends it; received_ns: when, by the station's clock: an absolute schedule without a start begins then.

    Raises
    ------
    ValueError
        For what a schedule cannot be.
    """
    schedule = given["chargingSchedule"]
    if isinstance(schedule, list):  # 2.0.1: for ISO 15118 up to three, of which a station without it takes the first
        schedule = schedule[0]
    unit, kind = schedule["chargingRateUnit"], given["chargingProfileKind"]
    periods = tuple(_period(one, unit) for one in schedule["chargingSchedulePeriod"])
    if not periods or periods[0].start_ns != 0:
        raise ValueError("the first period of a schedule starts at 0")
    if any(after.start_ns <= before.start_ns for before, after in pairwise(periods)):
        raise ValueError("the periods of a schedule follow one another")
    start_ns = instant_ns(schedule["startSchedule"]) if schedule.get("startSchedule") else received_ns
    if kind == "Recurring" and given.get("recurrencyKind") not in _REPEATS_NS:
        raise ValueError("a recurring profile is daily or weekly")
    return Profile(
        id=int(given.get("chargingProfileId", given.get("id", 0))),
        evse=evse,
        stack_level=int(given["stackLevel"]),
        purpose=_PURPOSES[given["chargingProfilePurpose"]],
        periods=periods,
        start_ns=None if kind == "Relative" else start_ns,
        duration_ns=schedule["duration"] * NS_PER_S if "duration" in schedule else None,
        repeats_ns=_REPEATS_NS[given["recurrencyKind"]] if kind == "Recurring" else None,
        valid_from_ns=instant_ns(given["validFrom"]) if given.get("validFrom") else _EARLIEST,
        valid_to_ns=instant_ns(given["validTo"]) if given.get("validTo") else _LATEST,
        transaction=str(given.get("transactionId", "")),
        given=given,
    )


def _period(given: dict[str, Any], unit: str) -> Period:
    phases = int(given.get("numberPhases") or PHASES)
    if not 1 <= phases <= 3:
        raise ValueError(f"{phases} phases; 1 to 3 are expected")
    limit_kw = float(given["limit"]) * (VOLTAGE_V * phases / 1000.0 if unit == "A" else 0.001)
    if limit_kw < 0.0:
        raise ValueError("a limit is not below 0")
    return Period(int(given["startPeriod"]) * NS_PER_S, limit_kw, phases)


class ProfileBook:
    """The profiles that a station holds."""

    def __init__(self) -> None:
        self.held: list[Profile] = []

    def put(self, profile: Profile) -> None:
        """Keep a profile; it takes the place of that with its id, and of that with its purpose, level and connector."""
        key = (profile.purpose, profile.stack_level, profile.evse, profile.transaction)
        self.held = [
            one
            for one in self.held
            if one.id != profile.id and (one.purpose, one.stack_level, one.evse, one.transaction) != key
        ]
        self.held.append(profile)

    def matching(
        self, id: int | None = None, evse: int | None = None, purpose: str | None = None, stack_level: int | None = None
    ) -> list[Profile]:
        """Those with an id, or with all that is given; a purpose is that of either version."""
        if id is not None:
            return [one for one in self.held if one.id == id]
        wanted = None if purpose is None else _PURPOSES.get(purpose, purpose)
        return [
            one
            for one in self.held
            if evse in (None, one.evse) and wanted in (None, one.purpose) and stack_level in (None, one.stack_level)
        ]

    def clear(self, profiles: Iterable[Profile]) -> bool:
        """Give up profiles; whether there were any."""
        gone = {id(one) for one in profiles}
        self.held = [one for one in self.held if id(one) not in gone]
        return bool(gone)

    def end_transaction(self) -> None:
        """A transaction is over, and with it its profiles."""
        self.held = [one for one in self.held if one.purpose != TRANSACTION]

    def schedule(
        self, begin_ns: int, end_ns: int, transaction_began_ns: int | None, *, whole_station: bool = False
    ) -> list[Interval]:
        """The limit over [begin_ns, end_ns) by intervals that follow one another; without a transaction only limits of the station hold.

        whole_station: only what limits the station, whatever its transactions.
        """
        if not self.held:
            return [Interval(begin_ns, None)]
        spoken = [(one, _stretches(one, begin_ns, end_ns, transaction_began_ns)) for one in self.held if one.periods]
        edges = {begin_ns, *(ns for _, found in spoken for begin, end, _ in found for ns in (begin, end))}
        intervals: list[Interval] = []
        for ns in sorted(one for one in edges if begin_ns <= one < end_ns):
            limit_kw = _limit_at(spoken, ns, transaction_began_ns is not None and not whole_station)
            if not intervals or intervals[-1].limit_kw != limit_kw:
                intervals.append(Interval(ns, limit_kw))
        return intervals


_Stretch = tuple[int, int, float]


def _stretches(profile: Profile, begin_ns: int, end_ns: int, transaction_began_ns: int | None) -> list[_Stretch]:
    """(begin, end, limit) of what a profile says within an interval."""
    first_ns = profile.start_ns
    if first_ns is None:
        first_ns = transaction_began_ns if transaction_began_ns is not None else begin_ns
    begin_ns, end_ns = max(begin_ns, profile.valid_from_ns), min(end_ns, profile.valid_to_ns)
    lasts_ns = profile.duration_ns if profile.duration_ns is not None else _LATEST
    if profile.repeats_ns is None:
        starts: Sequence[int] = (first_ns,)
    else:
        lasts_ns = min(lasts_ns, profile.repeats_ns)
        # What began before the start of a recurring schedule repeats backwards as well: only the time of day counts.
        before = first_ns + (begin_ns - first_ns) // profile.repeats_ns * profile.repeats_ns
        starts = range(before, max(end_ns, before + 1), profile.repeats_ns)
    found = []
    for start_ns in starts:
        ends = [*(start_ns + one.start_ns for one in profile.periods[1:]), start_ns + lasts_ns]
        for period, until_ns in zip(profile.periods, ends, strict=True):
            from_ns, to_ns = start_ns + period.start_ns, min(until_ns, start_ns + lasts_ns)
            if max(from_ns, begin_ns) < min(to_ns, end_ns):
                found.append((max(from_ns, begin_ns), min(to_ns, end_ns), _signalled_kw(period)))
    return found


def _signalled_kw(period: Period) -> float:
    """The power that the station lets a vehicle draw: nothing below the least current."""
    least_kw = LEAST_A * VOLTAGE_V * period.phases / 1000.0
    return period.limit_kw if period.limit_kw >= least_kw - 1e-9 else 0.0


def _limit_at(spoken: list[tuple[Profile, list[_Stretch]]], ns: int, with_transaction: bool) -> float | None:
    """The lowest of what the purposes say at an instant; None if none says anything."""
    leading: dict[tuple[str, bool], tuple[int, float]] = {}
    for profile, stretches in spoken:
        for begin, end, limit_kw in stretches:
            if begin <= ns < end:
                key = (profile.purpose, profile.evse > 0)
                if key not in leading or leading[key][0] < profile.stack_level:
                    leading[key] = (profile.stack_level, limit_kw)
    limits = [
        leading[purpose, own][1] for purpose in (MAX, EXTERNAL) for own in (False, True) if (purpose, own) in leading
    ]
    if with_transaction:
        for key in ((TRANSACTION, True), (TRANSACTION, False), (DEFAULT, True), (DEFAULT, False)):
            if key in leading:
                limits.append(leading[key][1])
                break
    return min(limits) if limits else None


def shifted(intervals: Iterable[Interval], by_ns: int) -> list[Interval]:
    """The same by another clock."""
    return [replace(one, begin_ns=one.begin_ns + by_ns) for one in intervals]
