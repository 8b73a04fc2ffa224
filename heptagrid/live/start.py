"""When a live run starts: the present mapped to the data's year, or what was asked for, and the lengths of its steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from heptagrid.assembly.live_span import LiveSpan, mapped_day
from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.time import NS_PER_S, from_ns, to_ns
from heptagrid.live.pace import Pace
from heptagrid.scenario.checks import FIRST_DAY, LAST_DAY
from heptagrid.simulation.journal import Journal

LONGEST_DAYS = 28
"""Days that a live run goes on at most: assumption, four weeks; the page would grow without end."""

_BEFORE = ((300, 3600), (60, 120))
"""Lengths of steps before the present, and how far from it they are taken, in seconds: so coarse as a warm-up, until the last hour."""


@dataclass(frozen=True)
class Beginning:
    """When a live run begins. ns: the instant. follows_ns: added to the wall clock's time it is the simulated one; None: it was chosen, and stays until time runs."""

    ns: int
    follows_ns: int | None
    zone: ZoneInfo

    @property
    def day(self) -> date:
        return from_ns(self.ns, self.zone).date()

    def present_ns(self) -> int:
        """The instant that is now."""
        if self.follows_ns is None:
            return self.ns
        return to_ns(datetime.now(self.zone)) + self.follows_ns

    @property
    def words(self) -> str:
        """How the simulated time follows from the present one."""
        local = from_ns(self.ns, self.zone)
        offset = local.utcoffset() or timedelta()
        said = f"{local:%A %Y-%m-%d %H:%M:%S} (UTC{offset.total_seconds() / 3600:+.0f})"
        if self.follows_ns is None:
            return f"{said}, as asked for"
        shift = -self.follows_ns // (86_400 * NS_PER_S)
        now = datetime.now(self.zone).utcoffset() or timedelta()
        summer = (
            ""
            if now == offset
            else "; clocks differ: the present day has another offset from UTC than the simulated one"
        )
        return f"{said}: today, {round(shift / 7)} weeks earlier, the same weekday and time of day{summer}"


def beginning(at: str | None, zone: ZoneInfo) -> Beginning:
    """When to begin. at: None: now; "18:30": at that time of today's mapped day; "2016-07-04" or "2016-07-04T18:30": then, in the scenario's zone.

    Raises
    ------
    UsageError
        For what is no time, or lies outside the data.
    """
    now = datetime.now(zone)
    day = mapped_day(now.date(), FIRST_DAY, LAST_DAY)
    if at is None:
        then = datetime.combine(day, now.time(), zone)
        return Beginning(to_ns(then), to_ns(then) - to_ns(now), zone)
    try:
        chosen = (
            datetime.combine(day, time.fromisoformat(at)) if ":" in at and "-" not in at else datetime.fromisoformat(at)
        )
    except ValueError:
        raise UsageError(f"--at {at}: write a time such as 18:30, 2016-07-04 or 2016-07-04T18:30") from None
    chosen = (chosen if chosen.tzinfo else chosen.replace(tzinfo=zone)).astimezone(zone)
    if not FIRST_DAY <= chosen.date() <= LAST_DAY:
        raise UsageError(f"--at {at}: the data are of {FIRST_DAY} to {LAST_DAY}")
    whole_ns = to_ns(chosen.replace(microsecond=0))
    return Beginning(whole_ns, None, zone)


@dataclass
class StepLengths:
    """Lengths of a live run's steps: shorter ones towards the present, then as its pace says; each change is noted in the journal."""

    pace: Pace
    present_ns: Callable[[], int]
    journal: Journal
    is_live: Callable[[], bool]
    _last: int = field(default=0)

    def __call__(self, start_ns: int) -> int:
        """The length of a step that begins at an instant, in seconds."""
        if self.is_live():
            length = self.pace(start_ns)
        else:
            left_s = (self.present_ns() - start_ns) // NS_PER_S
            length = next((one for one, enough_s in _BEFORE if left_s >= enough_s), 1)
        if length != self._last:
            self._last = length
            self.journal.length(start_ns, length)
        return length


def span_from(begins: Beginning, days: int, lengths: StepLengths) -> LiveSpan:
    """The span of a live run: from the midnight before, so many days or until the data end."""
    return LiveSpan(begins.day, days_from(begins, days), 60, 300, begins.zone, lengths=lengths)


def days_from(begins: Beginning, days: int) -> int:
    """So many days, or those that are left until the data end."""
    return min(days, (LAST_DAY - begins.day).days + 1)
