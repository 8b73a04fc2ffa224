"""Outages: energy not served, at the value of lost load.

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

_LONDON = "London Economics (2013) for Ofgem and DECC, peak winter weekday, as quoted in Utility Week"


@dataclass(frozen=True)
class Parameters:
    """What a MWh not served is worth, and how often outages happen."""

    counted: bool = parameter(
        True, info="whether outages count", source="assumption: the scenario's events are worth what they are"
    )
    value_of_lost_load_eur_per_mwh: float = parameter(
        round(eur_2024(16_940.0, "GBP", 2013), 0),
        info="value of lost load",
        unit="EUR/MWh",
        low=0.0,
        high=1e6,
        likely=(round(eur_2024(10_289.0, "GBP", 2013), 0), round(eur_2024(35_488.0, "GBP", 2013), 0)),
        source=f"{_LONDON}: 16,940 GBP/MWh, mean of homes and small firms; range: homes 10,289, small and medium firms 35,488",
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
    events_mwh = values.events_per_year * (observed.conventional.not_served_mwh - observed.smart.not_served_mwh)
    other_mwh = values.share_saved * values.minutes_without / 525_600.0 * observed.conventional.consumed_mwh
    eur_per_mwh = values.value_of_lost_load_eur_per_mwh
    return [
        gain("outages of the events", Domain.CUSTOMERS, eur_per_mwh * events_mwh),
        gain("other outages", Domain.CUSTOMERS, eur_per_mwh * other_mwh),
    ]


BENEFIT = Benefit("outages", "outage minutes", Parameters, flows, is_shown=lambda observed: observed.has_events)
