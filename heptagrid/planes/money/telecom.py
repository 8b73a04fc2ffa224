"""What meters, communication devices and links, and the computers behind them cost.

One row per item: what is counted, who pays, in which arm, how long it lasts; capital and yearly costs are
the parameters. Devices that only one arm has make the difference; what both have alike is left out
(control centre, the bulk system's own links).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.reasons import Reason
from heptagrid.planes.money.prices import eur_2024

_VISIT = "assumption: a fitter's visit of about 45 minutes with travel, 50 EUR"
_OWN = "the technology's file in planes/messages/technologies names the source"
OWN = -1.0
"""The value that leaves a cost to the technology."""


@dataclass(frozen=True)
class Parameters:
    """Capital cost of one piece with its installation, and what it costs a year."""

    smart_meter_capex_eur: float = parameter(
        round(eur_2024(90.0, "USD", 2010) + 50.0, 2),
        info="smart meter without its communication unit, installed",
        unit="EUR",
        low=0.0,
        high=2000.0,
        source=f"EPRI 1022519 (2011), residential meter 70 to 140 USD of 2010, middle (source not read), less 15 "
        f"for its communication unit (assumption); {_VISIT}",
    )
    smart_meter_opex_eur_per_year: float = parameter(
        round(eur_2024(400e6 / 5.3e6 / 15.0, "USD", 2008), 2),
        info="a smart meter's share of field work, replacement and data service",
        unit="EUR/year",
        low=0.0,
        high=200.0,
        source="Southern California Edison SmartConnect: 400 million USD of 2008 for 5.3 million meters (California "
        "Current, 22 August 2008), over 15 years (assumption)",
    )
    plain_meter_capex_eur: float = parameter(
        90.0,
        info="plain meter, installed",
        unit="EUR",
        low=0.0,
        high=1000.0,
        source=f"assumption: 40 EUR for the meter; {_VISIT}",
    )
    plain_meter_opex_eur_per_year: float = parameter(
        0.0,
        info="a plain meter's upkeep besides its reading",
        unit="EUR/year",
        low=0.0,
        high=100.0,
        source="assumption: none",
    )
    reading_visit_capex_eur: float = parameter(
        0.0,
        info="what must be bought to read a meter by visit",
        unit="EUR",
        low=0.0,
        high=100.0,
        source="assumption: nothing",
    )
    reading_visit_opex_eur_per_year: float = parameter(
        5.0,
        info="reading one meter by one visit a year",
        unit="EUR/year",
        low=0.0,
        high=100.0,
        source="assumption: eight readings an hour on a walking route, at 40 EUR an hour",
    )
    access_unit_capex_eur: float = parameter(
        OWN,
        info="communication unit in a meter; -1 for the technology's own",
        unit="EUR",
        low=OWN,
        high=1000.0,
        source=_OWN,
    )
    access_unit_opex_eur_per_year: float = parameter(
        OWN,
        info="a meter's subscription and data; -1 for the technology's own",
        unit="EUR/year",
        low=OWN,
        high=1000.0,
        source=_OWN,
    )
    access_site_capex_eur: float = parameter(
        OWN,
        info="data concentrator, gateway or base station; -1 for the technology's own",
        unit="EUR",
        low=OWN,
        high=1e6,
        source=_OWN,
    )
    access_site_opex_eur_per_year: float = parameter(
        OWN, info="such a site's upkeep; -1 for the technology's own", unit="EUR/year", low=OWN, high=1e6, source=_OWN
    )
    backhaul_capex_eur: float = parameter(
        OWN,
        info="end device of a substation's link to the hub; -1 for the technology's own",
        unit="EUR",
        low=OWN,
        high=50000.0,
        source=_OWN,
    )
    backhaul_opex_eur_per_year: float = parameter(
        OWN,
        info="a substation's link to the hub; -1 for the technology's own",
        unit="EUR/year",
        low=OWN,
        high=10000.0,
        source=_OWN,
    )
    wan_capex_eur: float = parameter(
        OWN,
        info="end devices of a link from the hub to a control centre, market or provider; -1 for the technology's own",
        unit="EUR",
        low=OWN,
        high=200000.0,
        source=_OWN,
    )
    wan_opex_eur_per_year: float = parameter(
        OWN,
        info="such a link's rent; -1 for the technology's own",
        unit="EUR/year",
        low=OWN,
        high=200000.0,
        source=_OWN,
    )
    line_m_capex_eur: float = parameter(
        OWN,
        info="a metre of line, where a technology needs one laid; -1 for the technology's own",
        unit="EUR",
        low=OWN,
        high=10000.0,
        source=_OWN,
    )
    line_m_opex_eur_per_year: float = parameter(
        0.0, info="a metre of line's upkeep", unit="EUR/year", low=0.0, high=100.0, source="assumption: none"
    )
    head_end_capex_eur: float = parameter(
        200000.0,
        info="head end and meter-data store, set up",
        unit="EUR",
        low=0.0,
        high=1e8,
        source="assumption: about 20 EUR a meter in a town of this size",
    )
    head_end_opex_eur_per_year: float = parameter(
        30000.0,
        info="licences, hosting and staff of the head end",
        unit="EUR/year",
        low=0.0,
        high=1e8,
        source="assumption: 15 % of its capital cost a year",
    )
    feeder_sensor_capex_eur: float = parameter(
        1500.0,
        info="measuring kit of a substation for the scan of feeders",
        unit="EUR",
        low=0.0,
        high=100000.0,
        source="assumption: current and voltage sensors with a logger, retrofitted",
    )
    feeder_sensor_opex_eur_per_year: float = parameter(
        50.0,
        info="a measuring kit's upkeep",
        unit="EUR/year",
        low=0.0,
        high=10000.0,
        source="assumption: about 3 % of its capital cost a year",
    )
    control_box_capex_eur: float = parameter(
        150.0,
        info="control box of an enrolled device, installed",
        unit="EUR",
        low=0.0,
        high=5000.0,
        source=f"assumption: 100 EUR for the box; {_VISIT}",
    )
    control_box_opex_eur_per_year: float = parameter(
        5.0,
        info="a control box's upkeep",
        unit="EUR/year",
        low=0.0,
        high=500.0,
        source="assumption: about 3 % of its capital cost a year",
    )


@dataclass(frozen=True)
class Item:
    """Something that is bought and run: who pays for it, for what reason, and how long it lasts."""

    payer: Domain
    reason: Reason
    lifetime_years: float


# Lifetimes: smart meters and their communication 15 years as in the British impact assessment of 2013 and
# inside the 8 to 20 years of the European assessments (SWD(2014)189), both sources not read; plain meters 16
# years, the German verification period of mechanical meters (source not read); sensors 20 years, the low end
# of the 20 to 30 of Suwannee Valley's feeder automation; head end, routers and boxes 10: assumption.
ITEMS = {
    "smart_meter": Item(Domain.OPERATIONS, Reason.DEVICE_UPKEEP, 15.0),
    "plain_meter": Item(Domain.OPERATIONS, Reason.DEVICE_UPKEEP, 16.0),
    "reading_visit": Item(Domain.OPERATIONS, Reason.METER_READING, 1.0),
    "access_unit": Item(Domain.OPERATIONS, Reason.TELECOM, 15.0),
    "access_site": Item(Domain.OPERATIONS, Reason.TELECOM, 15.0),
    "backhaul": Item(Domain.OPERATIONS, Reason.TELECOM, 10.0),
    "wan": Item(Domain.OPERATIONS, Reason.TELECOM, 10.0),
    "line_m": Item(Domain.OPERATIONS, Reason.TELECOM, 40.0),
    "head_end": Item(Domain.OPERATIONS, Reason.INFORMATION_TECHNOLOGY, 10.0),
    "feeder_sensor": Item(Domain.DISTRIBUTION, Reason.DEVICE_UPKEEP, 20.0),
    "control_box": Item(Domain.PROVIDERS, Reason.DEVICE_UPKEEP, 10.0),
}

Counts = Mapping[str, int]


@dataclass(frozen=True)
class Stock:
    """What is bought and run at the same prices: how many of which item."""

    counts: Counts
    prices: Parameters


def access_counts(*, meters: int, access_sites: int, backhaul_links: int, line_m: float) -> dict[str, int]:
    """What reaches a town's meters: every substation has its own backhaul link, and so has every gateway or collector of one's own, not an operator's base station."""
    return {
        "access_unit": meters,
        "access_site": access_sites,
        "backhaul": backhaul_links,
        "line_m": round(line_m),
    }


def smart_counts(*, meters: int, substations: int, wan_links: int, control_boxes: int) -> dict[str, int]:
    """What the smart arm has besides: every substation with sensors, one head end."""
    return {
        "smart_meter": meters,
        "wan": wan_links,
        "head_end": 1,
        "feeder_sensor": substations,
        "control_box": control_boxes,
    }


def conventional_counts(meters: int) -> dict[str, int]:
    """What the conventional arm has: plain meters, each read once a year by visit."""
    return {"plain_meter": meters, "reading_visit": meters}


def capex_eur(stocks: Iterable[Stock]) -> dict[str, float]:
    """Capital cost of each item counted."""
    return _cost(stocks, "capex_eur", 1.0)


def opex_eur(stocks: Iterable[Stock], years: float) -> dict[str, float]:
    """Running cost of each item counted over a span of `years` (a day of 2016: 1 / 366)."""
    return _cost(stocks, "opex_eur_per_year", years)


def _cost(stocks: Iterable[Stock], price: str, times: float) -> dict[str, float]:
    """The cost of each item in all stocks, in the order of the items."""
    costs: dict[str, float] = {}
    for stock in stocks:
        for name, count in stock.counts.items():
            if name not in ITEMS:
                raise KeyError(f"no prices for {name}; there are prices for {', '.join(ITEMS)}")
            costs[name] = costs.get(name, 0.0) + times * count * float(getattr(stock.prices, f"{name}_{price}"))
    return {name: costs[name] for name in ITEMS if name in costs}
