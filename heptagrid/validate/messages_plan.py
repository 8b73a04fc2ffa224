"""Plans of sites beside what utilities built, a maker's guideline, and the formula for the coverage of a cell."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from heptagrid.planes.messages.planning.hops import fading, hops_over_air
from heptagrid.planes.messages.technology import LinkBudget
from heptagrid.studies.plan.api import Planned, plan
from heptagrid.validate.case import Finding, case, within

JAKES = "Jakes, Microwave Mobile Communications (1974), section 2.5.3, as Rappaport's textbook gives it, section 4.9.2 (sources not read)"
STAR = (
    "Iberdrola's project STAR: 10.8 million meters at 90,000 transformation centres (iberdrola.com, STAR project); its first city, Castellón: over 100,000 "
    "meters at over 600 (Smart Energy International, 2 July 2010); Linky: 35 million meters, 700,000 concentrators (L'Usine digitale, 1 December 2015)"
)
LINKY_METERS = 35e6 / 0.7e6
CASTELLON_METERS = 100_000 / 600
SEMTECH = (
    "Semtech, LoRa developer portal, questions on geolocation: 1.5 km between gateways in most urban cases, so that four hear each device. "
    "The tolerance is ours, set with both figures known"
)
SEMTECH_M = 1500.0

_CELL = LinkBudget(sent_dbm=0.0, sensitivity_dbm=-100.0, loss_1m_db=0.0, exponent=4.0)
_DEVICES = 20_000
_CITY = "city.customers=40000"
_SQUARE_M = 250.0


def coverage_of_a_cell(exponent: float, shadowing_db: float, at_the_edge: float) -> float:
    """The share of a disc's area that is covered, if so much of its edge is."""
    from scipy.special import erf, erfinv

    a = erfinv(1.0 - 2.0 * at_the_edge)
    b = 10.0 * exponent * math.log10(math.e) / (shadowing_db * math.sqrt(2.0))
    return float(0.5 * (1.0 - erf(a) + math.exp((1.0 - 2.0 * a * b) / b**2) * (1.0 - erf((1.0 - a * b) / b))))


@case("plan-coverage-of-a-cell", plane="messages", kind="exact", source=JAKES)
def plan_coverage_of_a_cell(live: bool) -> Iterator[Finding]:
    """Devices at random in a disc around a site; the tolerance is four standard errors of so many."""
    from scipy.special import erfinv

    random = np.random.default_rng(1)
    for exponent, shadowing_db, at_the_edge in ((4.0, 8.0, 0.75), (2.0, 8.0, 0.75), (3.5, 6.0, 0.5), (3.0, 10.0, 0.9)):
        above_db = -math.sqrt(2.0) * shadowing_db * float(erfinv(1.0 - 2.0 * at_the_edge))
        budget = replace(_CELL, exponent=exponent, waterfall_db=1e-3)
        radius_m = budget.reach_m(above_db)
        apart_m, turn = radius_m * np.sqrt(random.uniform(size=_DEVICES)), 2.0 * np.pi * random.uniform(size=_DEVICES)
        xy_m = np.column_stack([apart_m * np.cos(turn), apart_m * np.sin(turn)])
        places = np.concatenate([xy_m, np.zeros((1, 2))])
        fade = fading(budget, shadowing_db, 4.0, 1)
        hops = hops_over_air(places, np.arange(len(places)), _DEVICES, False, 1.01 * radius_m, fade)
        expected = coverage_of_a_cell(exponent, shadowing_db, at_the_edge)
        tolerance = 4.0 * math.sqrt(expected * (1.0 - expected) / _DEVICES)
        name = f"exponent {exponent:g}, shadowing {shadowing_db:g} dB, {at_the_edge:.0%} of the edge: share of the area"
        yield Finding(name, expected, len(hops.to) / _DEVICES, tolerance)


@case("plan-concentrators", plane="messages", kind="band", source=STAR)
def plan_concentrators(live: bool) -> Iterator[Finding]:
    """Power-line concentrators at substations, from a whole country to a city's centre."""
    for name, scenario, settings in (("town", "town", []), ("city of 40,000", "city", [_CITY])):
        found = plan(scenario, ["g3-plc"], settings=settings).planned[0]
        yield within(
            f"{name}: meters for each concentrator",
            LINKY_METERS,
            CASTELLON_METERS,
            len(found.plan.served) / len(found.plan.place),
        )


@case("plan-lorawan-gateways", plane="messages", kind="band", source=SEMTECH)
def plan_lorawan_gateways(live: bool) -> Iterator[Finding]:
    """By coverage alone: four gateways hear each meter, and one serves as many as there are."""
    settings = ["plan.heard_by=4", "plan.meters_per_site=1000000", "plan.fewest_meters=1"]
    for name, scenario, more in (("town", "town", []), ("city of 40,000", "city", [_CITY])):
        found = plan(scenario, ["lorawan"], settings=[*settings, *more]).planned[0]
        yield Finding(f"{name}: between gateways", SEMTECH_M, _between_sites_m(found), 0.25, relative=True, unit="m")


def _between_sites_m(found: Planned) -> float:
    """Distance between neighbours on a triangular grid of so many sites on the land where meters are."""
    places = found.plan.places
    squares = np.unique(np.floor(places.xy_m[: places.meters] / _SQUARE_M), axis=0)
    land_m2 = len(squares) * _SQUARE_M**2
    return math.sqrt(2.0 / math.sqrt(3.0) * land_m2 / len(found.plan.place))
