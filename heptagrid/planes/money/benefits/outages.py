"""Outages: energy not served, at the value of lost load of each class of customers.

A scenario's events are what one such event a year would do; without events nothing is simulated, and a published
shortening of outages may be counted instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.benefits.benefit import Benefit, Flow, gain
from heptagrid.planes.money.benefits.observed import Observed
from heptagrid.planes.money.prices import eur_2024

MINUTES_PER_YEAR = 525_600.0
_LONDON = "London Economics (2013) for Ofgem and DECC, peak winter weekday, as quoted in Utility Week"


@dataclass(frozen=True)
class Parameters:
    """What a MWh not served is worth, and how often outages happen."""

    counted: bool = parameter(
        True, info="whether outages count", source="assumption: the scenario's events are worth what they are"
    )
    households_eur_per_mwh: float = parameter(
        round(eur_2024(10_289.0, "GBP", 2013), 0),
        info="value of a MWh that households lack",
        unit="EUR/MWh",
        low=0.0,
        high=1e6,
        likely=(round(eur_2024(6957.0, "GBP", 2013), 0), round(eur_2024(11_820.0, "GBP", 2013), 0)),
        source=f"{_LONDON}: 10,289 GBP/MWh; range over time and season 6,957 to 11,820 (source not read)",
    )
    others_eur_per_mwh: float = parameter(
        round(eur_2024(35_488.0, "GBP", 2013), 0),
        info="value of a MWh that firms lack",
        unit="EUR/MWh",
        low=0.0,
        high=1e6,
        likely=(round(eur_2024(1400.0, "GBP", 2013), 0), round(eur_2024(44_149.0, "GBP", 2013), 0)),
        source=f"{_LONDON}: small and medium firms 35,488 GBP/MWh; range: industry and commerce by value at risk, 1,400, and the highest of "
        "firms over time and season, 44,149 (source not read)",
    )
    events_per_year: float = parameter(
        1.0,
        info="how often a year the scenario's events happen",
        unit="1/year",
        low=0.0,
        high=1000.0,
        likely=(0.2, 2.0),
        source="assumption: once",
    )
    minutes_without: float = parameter(
        0.0,
        info="minutes a year without supply that no event of the scenario shows, of which a share is saved",
        unit="min/year",
        low=0.0,
        high=10_000.0,
        source="not simulated: none; Germany's mean was about 12 minutes a year (source not read)",
    )
    share_saved: float = parameter(
        0.1,
        info="share of those minutes that the smart grid saves",
        unit="1",
        low=0.0,
        high=1.0,
        likely=(0.02, 0.43),
        source="range: projects of the United States' smart grid grants cut outage minutes by 2 to 43 % (DOE, December 2012, as summed "
        "up by Zpryme); the value in it is an assumption",
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """Energy not served in the conventional arm less the smart one's, and what else was asked for."""
    before, after = observed.conventional, observed.smart
    by_class = {"households": values.households_eur_per_mwh, "others": values.others_eur_per_mwh}
    events_eur = sum(
        eur_per_mwh * (before.not_served_mwh_of(name) - after.not_served_mwh_of(name))
        for name, eur_per_mwh in by_class.items()
    )
    other_mwh = values.share_saved * values.minutes_without / MINUTES_PER_YEAR * before.consumed_mwh
    return [
        gain("outages of the events", Domain.CUSTOMERS, values.events_per_year * events_eur),
        gain("other outages", Domain.CUSTOMERS, values.households_eur_per_mwh * other_mwh),
    ]


BENEFIT = Benefit("outages", "outage minutes", Parameters, flows, is_shown=lambda observed: observed.has_events)
