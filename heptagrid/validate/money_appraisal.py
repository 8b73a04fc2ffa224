"""Published cost-benefit results, recomputed from their drivers by the benefits and costs of the business case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.registry import benefits
from heptagrid.planes.money import business
from heptagrid.planes.money.appraisal.appraise import Appraisal, Plan, appraise
from heptagrid.planes.money.appraisal.rules import Rules
from heptagrid.planes.money.benefits.observed import ArmYear, Observed, Outage
from heptagrid.validate.case import Finding, case, farthest

PRIMER = (
    "EPRI 1008810, Energy Storage Technology Valuation Primer, the storage example, as computed anew in public by "
    "github.com/mwfrost/Energy_Storage_Valuation (project-valuation.md); the primer itself not read"
)

# Nominal values and their uncertainties, a share of each: tables 3-3 and 3-4.
NOMINAL = {
    "on_peak_usd_per_mwh": 80.0,
    "off_peak_usd_per_mwh": 20.0,
    "demand_charge_usd_per_kw_month": 5.0,
    "capacity_mw": 5.0,
    "hours": 10.0,
    "periods": 250.0,
    "usd_per_sag": 100_000.0,
    "sags": 2.0,
}
UNCERTAINTY = dict(zip(NOMINAL, (0.2, 0.2, 0.2, 0.03, 0.1, 0.1, 0.2, 0.5), strict=True))

ON_PEAK_USD_PER_MWH, HOURS = (50.0, 60.0, 70.0, 80.0, 90.0, 100.0), (8.0, 9.0, 10.0, 11.0)
# Total annual benefits in thousand USD, a row for each on-peak price, a column for each duration.
TABLE_5_MW = (
    *((800.0, 837.5, 875.0, 912.5), (900.0, 950.0, 1000.0, 1050.0), (1000.0, 1062.5, 1125.0, 1187.5)),
    *((1100.0, 1175.0, 1250.0, 1325.0), (1200.0, 1287.5, 1375.0, 1462.5), (1300.0, 1400.0, 1500.0, 1600.0)),
)
TABLE_10_MW = (
    *((1400.0, 1475.0, 1550.0, 1625.0), (1600.0, 1700.0, 1800.0, 1900.0), (1800.0, 1925.0, 2050.0, 2175.0)),
    *((2000.0, 2150.0, 2300.0, 2450.0), (2200.0, 2375.0, 2550.0, 2725.0), (2400.0, 2600.0, 2800.0, 3000.0)),
)


@case("epri-storage", plane="money", kind="exact", source=PRIMER)
def epri_storage(live: bool) -> Iterator[Finding]:
    """A store's annual benefits from its drivers: shifted energy, a lower peak, avoided sags; and how uncertain they are."""
    for size_mw, published in ((5.0, TABLE_5_MW), (10.0, TABLE_10_MW)):
        ours = [
            [
                1e-3 * _annual_usd(NOMINAL | {"capacity_mw": size_mw, "on_peak_usd_per_mwh": price, "hours": hours})
                for hours in HOURS
            ]
            for price in ON_PEAK_USD_PER_MWH
        ]
        yield farthest(f"annual benefits, {size_mw:g} MW", published, ours, 1e-6, relative=True, unit="thousand USD")
    yield Finding("total uncertainty", 264_466.0, _uncertainty_usd(UNCERTAINTY), 0.5, unit="USD")
    halved = UNCERTAINTY | {"on_peak_usd_per_mwh": 0.1}
    yield Finding("with half the price's", 199_856.0, _uncertainty_usd(halved), 0.5, unit="USD")


def _annual_usd(drivers: Mapping[str, float]) -> float:
    """Society's gain in a year by `energy`, `capacity` and `outages`; USD stand for EUR."""
    shifted_mwh = drivers["capacity_mw"] * drivers["hours"] * drivers["periods"]
    without = ArmYear(
        fuel_eur=shifted_mwh * drivers["on_peak_usd_per_mwh"],
        system_peak_mw=drivers["capacity_mw"],
        outages=(Outage("others", 1.0, 1, 1.0, 1.0),),
    )
    with_store = replace(
        without, fuel_eur=shifted_mwh * drivers["off_peak_usd_per_mwh"], system_peak_mw=0.0, outages=()
    )
    keys: dict[str, dict[str, float | bool]] = {
        "energy": {},
        "capacity": {"eur_per_kw_year": 12.0 * drivers["demand_charge_usd_per_kw_month"]},
        "outages": {"others_eur_per_mwh": drivers["usd_per_sag"], "events_per_year": drivers["sags"]},
    }
    return _appraised(without, with_store, keys).society_npv_eur


def _uncertainty_usd(shares: Mapping[str, float]) -> float:
    """Root of the sum of squares of what each driver's uncertainty moves to either side of the nominal value."""
    halves = [
        0.5
        * (
            _annual_usd(NOMINAL | {name: (1.0 + share) * NOMINAL[name]})
            - _annual_usd(NOMINAL | {name: (1.0 - share) * NOMINAL[name]})
        )
        for name, share in shares.items()
    ]
    return float(np.sqrt(np.square(halves).sum()))


SOLAR = (
    "California Public Utilities Commission, staff report on the California Solar Initiative (R.04-03-017, 2005), section "
    "Projected Benefits: docs.cpuc.ca.gov/published/RULINGS/47004-11.htm"
)
SOLAR_MWH = 450_000.0
"""What 300 MW generate in a year. The report prints "450" without its thousands, and does not say how it falls on the hours: evenly here."""
SUMMER_H_USD_PER_MWH = ((1325.0, 225.0), (1960.0, 78.0))
WINTER_H_USD_PER_MWH = ((1900.0, 72.0),)


@case("solar-initiative", plane="money", kind="exact", source=SOLAR)
def solar_initiative(live: bool) -> Iterator[Finding]:
    """What 300 MW of small solar plants avoid in energy: by season, in a year, and over their life."""
    all_h = sum(hours for hours, _ in (*SUMMER_H_USD_PER_MWH, *WINTER_H_USD_PER_MWH))

    def avoided_musd(hours: tuple[tuple[float, float], ...], years: float) -> float:
        fuel_usd = sum(SOLAR_MWH * share_h / all_h * usd_per_mwh for share_h, usd_per_mwh in hours)
        return 1e-6 * _appraised(ArmYear(fuel_eur=fuel_usd), ArmYear(), {"energy": {}}, years).society_npv_eur

    year = (*SUMMER_H_USD_PER_MWH, *WINTER_H_USD_PER_MWH)
    for name, hours, years, published, half_a_digit in (
        ("summer", SUMMER_H_USD_PER_MWH, 1.0, 39.0, 0.5),
        ("winter", WINTER_H_USD_PER_MWH, 1.0, 12.0, 0.5),
        ("a year", year, 1.0, 51.0, 0.5),
        ("20 years, undiscounted", year, 20.0, 1020.0, 10.0),  # 20 times the rounded year
    ):
        yield Finding(
            f"avoided energy, {name}", published, avoided_musd(hours, years), half_a_digit, unit="million USD"
        )


VOLT_VAR = (
    "Beckwith Electric, Economic Evaluation Model, revision 5 (26 September 2000), page 1, a utility's evaluation of its volt and VAr "
    "management: scribd.com/doc/262282201"
)
LOAD_MWH, LOSSES, IN_REACH, DONE = 35e6, 0.08, 0.01, 0.75
USD_PER_MWH = 50.0


@case("volt-var-losses", plane="money", kind="exact", source=VOLT_VAR)
def volt_var_losses(live: bool) -> Iterator[Finding]:
    """Losses that volt and VAr management saves, from a utility's load, losses and price of energy."""
    for name, share, published in (
        ("all losses", LOSSES, 140.0),
        ("in reach of capacitors on poles", IN_REACH, 17.5),
        ("saved by controls in place", IN_REACH * DONE, 13.125),
    ):
        without = ArmYear(fuel_eur=LOAD_MWH * (1.0 + LOSSES) * USD_PER_MWH)
        with_control = ArmYear(fuel_eur=LOAD_MWH * (1.0 + LOSSES - share) * USD_PER_MWH)
        ours = 1e-6 * _appraised(without, with_control, {"energy": {}}).society_npv_eur
        yield Finding(f"a year, {name}", published, ours, 1e-6, True, "million USD")


AUSTRIA = (
    "Capgemini for Oesterreichs Energie (2010), as told in energie-bau.at, Smart Meters: intelligent, aber zu teuer "
    "(strom-steuerung/491) and Verlustgeschaeft Smart Meter (582); the study itself not read"
)
HOUSEHOLD_MWH, HOUSEHOLD_BILL_EUR = 3.5, 650.0
SAVING_BY_HOUSEHOLDS = ((0.2, 0.05), (0.4, 0.02), (0.4, 0.0))
"""Shares of households and what they save; of the last the account that was read ends before it says so: taken to save nothing."""


@case("feedback-austria", plane="money", kind="exact", source=AUSTRIA)
def feedback_austria(live: bool) -> Iterator[Finding]:
    """What a household saves on its bill by what its meter tells it, from groups of households and their savings."""
    keys: dict[str, float | bool] = {
        "counted": True,
        "share": sum(households * saved for households, saved in SAVING_BY_HOUSEHOLDS),
        "energy_eur_per_mwh": HOUSEHOLD_BILL_EUR / HOUSEHOLD_MWH,
        "tax_eur_per_mwh": 0.0,
    }
    household = ArmYear(consumed_mwh=HOUSEHOLD_MWH)
    ours = _appraised(household, household, {"feedback": keys}).npv_eur[Domain.CUSTOMERS]
    yield Finding("a household's saving in a year", 12.0, float(ours), 0.5, unit="EUR")  # published in whole EUR


def _appraised(
    without: ArmYear, with_it: ArmYear, keys: Mapping[str, Mapping[str, float | bool]], years: float = 1.0
) -> Appraisal:
    """Two years as observed, appraised by the benefits named with their keys, undiscounted."""
    used = {name: benefits()[name] for name in keys}
    values = {name: one.parameters(**keys[name]) for name, one in used.items()}
    rules = business.Parameters(horizon_years=years, discount_rate=0.0)
    return appraise(Observed(without, with_it, customers=1, meters=1, rules=rules), Plan(used, values, Rules()))
