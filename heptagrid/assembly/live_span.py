"""A span whose steps are as long as whoever paces it says: the warm-up day, then from midnight on until it is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Protocol

from heptagrid.assembly.span import Phase, Span
from heptagrid.foundation.time import NS_PER_QUARTER, NS_PER_S, Step, clock_shift_ns, midnight_ns

SERIES_S = 60
"""How often a live run notes its series."""


class Lengths(Protocol):
    """Says how long a step is that begins at an instant, in seconds that divide 900."""

    def __call__(self, start_ns: int) -> int: ...


@dataclass(frozen=True)
class RecordedLengths:
    """Lengths as they were: from each instant on, (ns, s), ascending."""

    changes: tuple[tuple[int, int], ...]

    def __call__(self, start_ns: int) -> int:
        return next(step_s for from_ns, step_s in reversed(self.changes) if from_ns <= start_ns)


@dataclass(frozen=True)
class LiveSpan(Span):
    """Consecutive local days without a last one that matters; a live run is stopped in one of them.

    lengths: of the steps from the first day's midnight on.
    """

    lengths: Lengths = field(default=RecordedLengths(((0, 60),)))

    def is_noted(self, step: Step) -> bool:
        """Whether the series are noted at the end of a step."""
        return step.end_ns % (SERIES_S * NS_PER_S) == 0

    def steps(self) -> Iterator[tuple[Phase, Step]]:
        """Every step in order; the length of each is asked for when it begins, and ends with its quarter hour at the latest."""
        index = 0
        before = self.first - timedelta(days=1)
        start, end = midnight_ns(before, self.zone), midnight_ns(self.first, self.zone)
        for at in range(start, end, self.warm_up_step_s * NS_PER_S):
            until = at + self.warm_up_step_s * NS_PER_S
            yield Phase.WARM_UP, Step(at, until, before, start, end, index, clock_shift_ns(before, self.zone))
            index += 1
        for k in range(self.days):
            day = self.first + timedelta(days=k)
            start, end = midnight_ns(day, self.zone), midnight_ns(day + timedelta(days=1), self.zone)
            shift_ns, at = clock_shift_ns(day, self.zone), start
            while at < end:
                length_ns = self.lengths(at) * NS_PER_S
                until = min((at // length_ns + 1) * length_ns, (at // NS_PER_QUARTER + 1) * NS_PER_QUARTER)
                yield Phase.COUNTED, Step(at, until, day, start, end, index, shift_ns)
                index, at = index + 1, until


def mapped_day(today: date, first: date, last: date) -> date:
    """The day of the data's year that stands for a date: the same weekday, nearest in the calendar; within a week of the data's end, a week before it."""
    near = date(last.year, today.month, min(today.day, 28)) + timedelta(days=max(today.day - 28, 0))
    day = near + timedelta(days=(today.weekday() - near.weekday() + 3) % 7 - 3)
    while day > last - timedelta(days=6):
        day -= timedelta(weeks=1)
    while day < first:
        day += timedelta(weeks=1)
    return day
