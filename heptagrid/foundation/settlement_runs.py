"""When a day is settled: the day after at first, again at a stated age, and for the last time; what comes later changes nothing.

Real markets settle a day several times, because data keep coming: Great Britain about 16 working days after it (SF), then after 39 (R1), 84 (R2), 154 (R3)
and 292 (RF); ERCOT after 5 days, after 55 (final), and after 180 (true-up) (both: source not read). Here the same is pressed into a few days.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from heptagrid.foundation.parameters import parameter

_PRESSED = (
    "assumption: real schedules pressed so that a run of three days reaches all (ERCOT settles a day after 5, 55 and 180 days, Great Britain's Balancing and "
    "Settlement Code after 16 to 292 working days; source not read)"
)


class SettlementRun(IntEnum):
    """Which time a day is settled."""

    FIRST = 1
    SECOND = 2
    FINAL = 3


RUN_NAMES = {one: one.name.lower() for one in SettlementRun}


@dataclass(frozen=True)
class Parameters:
    """At which age a day is settled again, and for the last time; the first run is the day after."""

    second_days: int = parameter(
        2, info="days from a day to the day of its second settlement run", unit="d", low=2, high=59, source=_PRESSED
    )
    final_days: int = parameter(
        3,
        info="days from a day to the day of its final settlement run; reads that come later change nothing",
        unit="d",
        low=3,
        high=60,
        source=_PRESSED,
    )

    def age_days(self, run: SettlementRun) -> int:
        """How many days after a day the run is."""
        return {SettlementRun.FIRST: 1, SettlementRun.SECOND: self.second_days, SettlementRun.FINAL: self.final_days}[
            run
        ]
