"""The clock: the steps of a run, day by local day, with a warm-up day before and an hour after.

A local day has 23, 24 or 25 hours. The warm-up day is not counted; the closing hour after the last day
moves messages and actors only, so that the last day's reads, bills and settlement find their way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_S, Step, clock_shift_ns, midnight_ns

CLOSING_NS = NS_PER_HOUR
CLOSING_STEP_S = 300  # nothing but messages and actors moves then, so it need not be finer
HEARD_NS = (
    NS_PER_HOUR  # of the warm-up day at each end, with all messages over the network: assumption, enough to judge it
)


class Phase(Enum):
    """What a step is for."""

    WARM_UP = "warm-up"
    COUNTED = "counted"
    CLOSING = "closing"


@dataclass(frozen=True)
class Span:
    """Consecutive local days run as one: a warm-up day, `days` counted days, a closing hour.

    cuts_ns: instants within the counted days at which a step ends early and another begins, ascending.
    """

    first: date
    days: int
    step_s: int
    warm_up_step_s: int
    zone: ZoneInfo
    cuts_ns: tuple[int, ...] = ()

    @cached_property
    def start_ns(self) -> int:
        """The first counted instant."""
        return midnight_ns(self.first, self.zone)

    @cached_property
    def end_ns(self) -> int:
        """The first instant that is not counted any more."""
        return midnight_ns(self.first + timedelta(days=self.days), self.zone)

    @cached_property
    def warm_up_ns(self) -> int:
        """The first instant of the warm-up day."""
        return midnight_ns(self.first - timedelta(days=1), self.zone)

    @property
    def spared_ns(self) -> tuple[int, int]:
        """When in the warm-up day what goes from and to customers needs no network that carries it all: (from, until)."""
        return self.warm_up_ns + HEARD_NS, self.start_ns - HEARD_NS

    @property
    def counted_steps(self) -> int:
        return (self.end_ns - self.start_ns) // (self.step_s * NS_PER_S)

    @property
    def all_steps(self) -> int:
        """Steps of the warm-up, the counted days and the closing hour."""
        warm_up = (self.start_ns - self.warm_up_ns) // (self.warm_up_step_s * NS_PER_S)
        return warm_up + self.counted_steps + len(self._inner_cuts_ns) + CLOSING_NS // (CLOSING_STEP_S * NS_PER_S)

    @property
    def _inner_cuts_ns(self) -> list[int]:
        """The cuts that do not fall on a step's boundary anyway."""
        step_ns = self.step_s * NS_PER_S
        inside = (one for one in self.cuts_ns if self.start_ns < one < self.end_ns)
        return [one for one in inside if (one - self.start_ns) % step_ns]

    @property
    def last_ns(self) -> int:
        """The end of the closing hour."""
        return self.end_ns + CLOSING_NS

    def is_noted(self, step: Step) -> bool:
        """Whether the series are noted at the end of a step."""
        return True

    def steps(self) -> Iterator[tuple[Phase, Step]]:
        """Every step in order, with its phase."""
        index = 0
        plan = [(Phase.WARM_UP, self.first - timedelta(days=1), self.warm_up_step_s)]
        plan += [(Phase.COUNTED, self.first + timedelta(days=k), self.step_s) for k in range(self.days)]
        for phase, day, step_s in plan:
            start, end = midnight_ns(day, self.zone), midnight_ns(day + timedelta(days=1), self.zone)
            bounds = list(range(start, end + 1, step_s * NS_PER_S))
            if phase is Phase.COUNTED:
                bounds = sorted({*bounds, *(one for one in self._inner_cuts_ns if start < one < end)})
            shift_ns = clock_shift_ns(day, self.zone)
            for at, until in pairwise(bounds):
                yield phase, Step(at, until, day, start, end, index, shift_ns)
                index += 1
        day = self.first + timedelta(days=self.days)
        start, end = midnight_ns(day, self.zone), midnight_ns(day + timedelta(days=1), self.zone)
        for at in range(start, start + CLOSING_NS, CLOSING_STEP_S * NS_PER_S):
            yield Phase.CLOSING, Step(at, at + CLOSING_STEP_S * NS_PER_S, day, start, end, index)
            index += 1
