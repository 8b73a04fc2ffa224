"""A scenario: which network, which days, which seed, and every declared parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from heptagrid.foundation.parameters import parameter

if TYPE_CHECKING:
    from heptagrid.scenario.events import Event
    from heptagrid.scenario.towns import Company, Town


@dataclass(frozen=True)
class RunParameters:
    """Which days are run, with which step and seed."""

    start: str = parameter(
        "2016-01-27",
        info="first local day",
        source="the day of the largest net import in SimBench's profiles: 11.84 MW at 17:45",
    )
    days: int = parameter(1, info="consecutive local days", low=1, high=366, source="assumption: a day shows it all")
    step_s: int = parameter(
        60,
        info="coupling step; divides 900 s",
        unit="s",
        low=1,
        high=900,
        source="assumption: power moves within minutes; messages keep exact times whatever the step",
    )
    seed: int = parameter(
        1, info="seed of all random numbers", low=0, high=2**62, source="assumption: any number will do"
    )
    zone: str = parameter("Europe/Berlin", info="IANA time zone of days, tariffs and gates", source="SimBench: Germany")


@dataclass(frozen=True)
class Scenario:
    """A scenario as resolved; `sections` holds one parameters object per section, `run` apart.

    towns: each with its network, the first one's is `folder`. retailers, aggregators: at least one each. typical_days: (date, how many days of
    the year it stands for). feeder: the file that the network in `folder` was made of.
    """

    name: str
    towns: tuple[Town, ...]
    retailers: tuple[Company, ...]
    aggregators: tuple[Company, ...]
    bulk_folder: Path
    start: date
    days: int
    step_s: int
    seed: int
    zone: ZoneInfo
    sections: Mapping[str, Any]
    typical_days: tuple[tuple[date, float], ...] = field(default=())
    events: tuple[Event, ...] = field(default=())
    feeder: str = ""

    @property
    def folder(self) -> Path:
        """The network of the first town."""
        return self.towns[0].folder
