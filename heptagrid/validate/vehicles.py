"""A year of vehicles by travel diaries that nobody steers, under the town's weather, beside what trials and surveys measured.

Inputs of the model, which can only show that it draws what it was given: trips a day and their distances. Results: how often, when and how empty vehicles are plugged in, how long, the energy of a year and how
much of it at once. None was fitted to a figure here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

import heptagrid.scenario
from heptagrid.domains.customers.device import Surroundings
from heptagrid.domains.customers.mobility import driving
from heptagrid.domains.customers.mobility.diaries import km_of
from heptagrid.domains.customers.mobility.fleet import DiaryVehicles
from heptagrid.domains.customers.mobility.parameters import DIARIES, Parameters
from heptagrid.foundation.time import NS_PER_QUARTER, Step, midnight_ns
from heptagrid.importers.weather import read_weather
from heptagrid.validate.case import Finding, case, within

TOWN = Path(heptagrid.scenario.__file__).parent / "data/town"
VEHICLES, ZONE, FIRST = 1000, ZoneInfo("Europe/Berlin"), date(2015, 1, 5)
WEEKS, WARM_WEEKS, WINTER_WEEKS = 52, 4, 8

MID = "Mobilität in Deutschland 2002, quoted by Bundeszentrale für politische Bildung, M 04.07: mean 15 km, half below 6 km, a tenth 30 km or more (opened)"
ELECTRIC_NATION = "Electric Nation 2017-18, nearly 700 drivers of plug-in hybrids and electric cars: 3 times a week, over 12 h, from above half full; quoted by Utility Week and Green Car Guide, 2019 (opened; the report not)"
SAGEWELL = (
    "Sagewell, The basics of EV charging behavior: statistics of a charging programme in the United States (opened)"
)


@dataclass(frozen=True)
class Year:
    """counts: sums of a year, `driving.COUNTS`. kwh: drawn at home. winter_kw: (quarters, vehicles) of weeks of January and February."""

    counts: npt.NDArray[np.float64]
    kwh: float
    winter_kw: npt.NDArray[np.float32]


OURS = Parameters(behaviour=DIARIES)
THE_TRIALS = replace(
    OURS, small_battery_kwh=12.0, small_battery_share=0.5, battery_kwh=30.0, large_battery_kwh=75.0, large_battery_share=0.15,
    charger_3_7_share=0.5, charger_7_4_share=0.5, work_charger_share=0.0, public_share=1.0,
)  # fmt: skip
"""Batteries and chargers as in Electric Nation: assumption, half plug-in hybrids (whose engines are the public chargers here), chargers of 3.6 and 7 kW."""


@cache
def year(parameters: Parameters) -> Year:
    """Go through it once, for all the cases that look at it."""
    fleet = DiaryVehicles(parameters, np.arange(VEHICLES), Surroundings(read_weather(TOWN), ZONE, 1))
    before, kwh, winter = np.zeros(driving.COUNTS), 0.0, []
    p_kw = np.zeros(VEHICLES)
    for n in range(-7 * WARM_WEEKS, 7 * WEEKS):
        day = FIRST + timedelta(days=n)
        begin_ns, end_ns = midnight_ns(day, ZONE), midnight_ns(day + timedelta(days=1), ZONE)
        if n == 0:
            before = fleet.fleet.counts.copy()
        for k, start_ns in enumerate(range(begin_ns, end_ns, NS_PER_QUARTER)):
            p_kw[:] = 0.0
            fleet.advance(Step(start_ns, start_ns + NS_PER_QUARTER, day, begin_ns, end_ns, k), p_kw)
            kwh += 0.25 * fleet.total_kw if n >= 0 else 0.0
            if 0 <= n < 7 * WINTER_WEEKS:
                winter.append(p_kw.astype(np.float32))
    return Year(fleet.fleet.counts - before, kwh, np.array(winter))


def peak_kw(winter_kw: npt.NDArray[np.float32], group: int) -> float:
    """The mean, over groups of so many vehicles, of a vehicle's part of their highest quarter hour in eight weeks."""
    groups = winter_kw.shape[1] // group
    by_group = winter_kw[:, : groups * group].reshape(len(winter_kw), groups, group).mean(axis=2)
    return float(by_group.max(axis=0).mean())


@case("vehicles-trips", plane="grid", kind="band", source=MID)
def trips(live: bool) -> Iterator[Finding]:
    """An input: the table of distances, from emobpy, beside the older survey; a tenth of each figure."""
    km = np.array([km_of(u) for u in (np.arange(20_000) + 0.5) / 20_000])
    yield Finding("mean length of a trip (input)", 15.0, float(km.mean()), 0.1, relative=True, unit="km")
    yield Finding("median length of a trip (input)", 6.0, float(np.median(km)), 0.1, relative=True, unit="km")
    yield Finding(
        "length of the longest tenth (input)", 30.0, float(np.quantile(km, 0.9)), 0.1, relative=True, unit="km"
    )
    counts = year(OURS).counts
    driven_km = counts[driving.KM] / counts[driving.TRIPS]
    yield Finding("km driven on a trip, ways back and work among them", 15.0, driven_km, 0.1, relative=True, unit="km")


@case("vehicles-plug-in", plane="grid", kind="band", source=ELECTRIC_NATION)
def plug_in(live: bool) -> Iterator[Finding]:
    """How often and how empty vehicles are plugged in, and for how long, with our batteries and with those of the trial; the trial's "over" is read as up to twice as much."""
    for called, parameters in (("", OURS), (", batteries and chargers as in the trial", THE_TRIALS)):
        counts = year(parameters).counts
        yield Finding(f"plug-ins a vehicle and week{called}", 3.0, counts[driving.PLUG_INS] / VEHICLES / WEEKS, 0.5)
        hours = counts[driving.PLUGGED_H] / counts[driving.PLUG_INS]
        yield within(f"plugged in each time{called}", 12.0, 24.0, hours, "h")
        soc = counts[driving.SOC_AT_PLUG_IN] / counts[driving.PLUG_INS]
        yield within(f"state of charge at plug-in{called}", 0.5, 1.0, soc)


@case("vehicles-demand", plane="grid", kind="band", source=SAGEWELL)
def demand(live: bool) -> Iterator[Finding]:
    """Energy at home, and how much of it at once."""
    found = year(OURS)
    mean_day = found.winter_kw.reshape(-1, 96, VEHICLES).mean(axis=0)
    yield within("drawn at home by a vehicle in a year", 2400.0, 3000.0, found.kwh / VEHICLES * 52.18 / WEEKS, "kWh")
    yield within("highest quarter hour of the mean winter day", 1.0, 1.2, float(mean_day.mean(axis=1).max()), "kW")
    busy = (found.winter_kw > 0.0).reshape(-1, 96, VEHICLES).mean(axis=(0, 2))[17 * 4 : 21 * 4].mean()
    yield within("share that charges between 17 and 21 h", 0.15, 0.20, float(busy))


@case(
    "vehicles-coincidence",
    plane="grid",
    kind="band",
    source="British trials, 1 to 1.5 kW a vehicle after diversity (source not read)",
)
def coincidence(live: bool) -> Iterator[Finding]:
    """The highest quarter hour of eight winter weeks, a vehicle, of all and of groups."""
    winter_kw = year(OURS).winter_kw
    yield within("highest draw of 1,000 vehicles, each", 1.0, 1.5, peak_kw(winter_kw, VEHICLES), "kW")
    yield within("highest draw of 100 vehicles, each", 1.0, 1.5, peak_kw(winter_kw, 100), "kW")
