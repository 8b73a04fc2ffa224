"""What people at home switch on: how many own each appliance, how often it runs, for how long, and at which hours.

The structure is that of Richardson, Thomson, Infield and Clifford (2010), "Domestic electricity use: a high-resolution energy demand model", Energy and
Buildings 42: an appliance starts while somebody is awake at home, more often at the hours of its activity. The figures are German ones; where no source
is named they are assumptions. By the German energy industry's survey of 2018 (BDEW, as reported in March 2020) heat of processes takes 30 %, cold 22 %, entertainment
and computers 17 %, light 8 % of all households' electricity, hot water 12 % and room heat 6 %, which are devices of their own here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Appliance(NamedTuple):
    """One kind. share: of homes with one. per_year: runs in a home of one person. power: of the number of persons by which runs grow. hours: the row of
    `HOURS`. first_kw, first_minutes, then_kw, then_minutes: the two parts of a run."""

    name: str
    share: float
    per_year: float
    power: float
    hours: str
    first_kw: float
    first_minutes: int
    then_kw: float = 0.0
    then_minutes: int = 0

    @property
    def minutes(self) -> int:
        """Length of a run."""
        return self.first_minutes + self.then_minutes

    @property
    def kwh(self) -> float:
        """Energy of a run."""
        return (self.first_kw * self.first_minutes + self.then_kw * self.then_minutes) / 60.0


# Runs a year of wet appliances: the average of 2 persons has 220 washes, 280 of dishes and 160 of drying (Regulations (EU) 1061/2010, 1059/2010, 392/2012).
# Television: 14.5 hours a week for each person (German time use survey 2012/13), half of it together. Shares of homes: assumption, about those of the
# income and expenditure survey.
APPLIANCES = (
    Appliance("kettle and coffee", 0.98, 900.0, 0.5, "any", 2.0, 3),
    Appliance("hob", 0.95, 240.0, 0.6, "cooking", 1.6, 20),
    Appliance("oven", 0.95, 70.0, 0.5, "cooking", 2.2, 12, 0.9, 28),
    Appliance("microwave and toaster", 0.85, 300.0, 0.5, "cooking", 1.1, 4),
    Appliance("washing machine", 0.96, 140.0, 0.65, "laundry", 2.0, 14, 0.2, 76),
    Appliance("tumble dryer", 0.42, 102.0, 0.65, "laundry", 1.2, 90),
    Appliance("dishwasher", 0.73, 185.0, 0.6, "dishes", 1.9, 24, 0.15, 86),
    Appliance("television", 0.96, 610.0, 0.5, "television", 0.1, 75),
    Appliance("computer", 0.9, 330.0, 0.6, "any", 0.08, 120),
    Appliance("vacuum cleaner and iron", 0.98, 90.0, 0.4, "cleaning", 1.0, 25),
    Appliance("hair dryer", 0.8, 120.0, 0.9, "morning", 1.4, 6),
    Appliance("chargers, music, tools", 1.0, 500.0, 0.6, "any", 0.15, 60),
)

# How likely an activity is while somebody is awake at home, relative, by the hour of the day: assumption.
_SPANS = {
    "any": ((0, 0.5), (5, 1.5), (9, 0.9), (14, 1.2), (17, 1.0), (21, 0.8)),
    "cooking": ((0, 0.1), (6, 0.5), (9, 0.3), (11, 1.5), (14, 0.4), (17, 2.2), (20, 0.5), (22, 0.2)),
    "laundry": ((0, 0.3), (8, 1.4), (12, 1.0), (18, 0.8), (21, 0.3)),
    "dishes": ((0, 0.3), (8, 0.6), (10, 0.4), (13, 1.3), (15, 0.4), (19, 1.8), (23, 0.6)),
    "television": ((0, 1.0), (2, 0.3), (9, 0.4), (17, 1.2), (20, 2.0), (23, 1.2)),
    "cleaning": ((0, 0.1), (9, 1.6), (12, 1.1), (18, 0.6), (20, 0.1)),
    "morning": ((0, 0.3), (5, 3.0), (9, 0.5), (18, 0.4)),
}
ACTIVITIES = tuple(_SPANS)

STANDBY_KW, STANDBY_POWER = 0.030, 0.3  # router, boxes, clocks and pumps of one person's home: assumption
COLD_KW = (0.10, 0.10)  # while they run; refrigerator with its compartment, freezer
COLD_SHARE = (1.0, 0.55)  # of homes: assumption
COLD_DUTY = 0.40
LIGHT_KW = 0.11  # what is lit in the dark where one person is awake: assumption
SHARED_LIGHT = np.array(
    [0.0, 1.0, 1.53, 1.69, 1.98, 2.09]
)  # by persons awake, as Richardson et al. (2009), from memory
DARK_BELOW_W_M2, BRIGHT_ABOVE_W_M2, ALWAYS_LIT = (
    40.0,
    160.0,
    0.08,
)  # global radiation outside: assumption around the 60 W/m2 of Richardson et al. (2009)


def by_quarter() -> Floats:
    """(activities, 96) how likely each activity is in the quarter hours of a day."""
    table = np.zeros((len(ACTIVITIES), 96))
    for row, spans in enumerate(_SPANS.values()):
        for hour, likely in spans:
            table[row, 4 * hour :] = likely
    return table


def darkness(radiation_w_m2: Floats) -> Floats:
    """The part of a home's lamps that people want lit, from 1 in the dark to those that are always."""
    span = BRIGHT_ABOVE_W_M2 - DARK_BELOW_W_M2
    return np.clip((BRIGHT_ABOVE_W_M2 - radiation_w_m2) / span, ALWAYS_LIT, 1.0)
