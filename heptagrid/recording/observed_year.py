"""The observed year of both arms, from results whose days stand for a year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.stocks import stocks_of
from heptagrid.assembly.world import World
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.reasons import Reason
from heptagrid.foundation.time import from_ns
from heptagrid.planes.money import settlement
from heptagrid.planes.money.benefits.observed import ArmYear, Observed
from heptagrid.planes.money.fuel_prices import basis_of
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR
from heptagrid.planes.money.telecom import Stock
from heptagrid.recording.arm_result import ArmResult
from heptagrid.recording.outage_table import joined
from heptagrid.scenario.schema import Scenario
from heptagrid.world.accounts import OUTSIDE_COLUMN

Floats = npt.NDArray[np.float64]

YEAR_DAYS = (364.5, 366.5)  # weights that make up a year, leap or not


def stand_for_a_year(days: float) -> bool:
    """Whether the weights of a run's days, in sum, make up a year."""
    return YEAR_DAYS[0] < days < YEAR_DAYS[1]


def weights_of(scenario: Scenario, typical: bool, results: Sequence[ArmResult]) -> list[float]:
    """How many days of the year a day of each result stands for."""
    weight_of = dict(scenario.typical_days)
    return [float(weight_of[one.days[0].day]) if typical else 1.0 for one in results]


def observed_year(scenario: Scenario, world: World, typical: bool, arms: Mapping[str, Sequence[ArmResult]]) -> Observed:
    """Both arms' years; arms: the results of "smart" and "conventional" over all spans."""
    years = {name: arm_year(scenario, world, typical, arms[name]) for name in ("conventional", "smart")}
    return observed_of(scenario, world, years["conventional"], years["smart"])


def observed_of(scenario: Scenario, world: World, conventional: ArmYear, smart: ArmYear) -> Observed:
    """Two arms' years, and what they have in common."""
    transformers = world.grid.transformers
    return Observed(
        conventional=conventional,
        smart=smart,
        customers=world.customers_count,
        meters=world.points,
        transformer_mva=transformers.sn_mva,
        transformer_kv=transformers.vn_hv_kv,
        rules=scenario.sections["business"],
        has_events=bool(world.events),
        co2_eur_per_t=basis_of(scenario.sections["fuel_prices"]).co2_eur_per_t,
    )


def arm_year(scenario: Scenario, world: World, typical: bool, results: Sequence[ArmResult]) -> ArmYear:
    """One arm's year, from its results over all spans."""
    weights = weights_of(scenario, typical, results)

    def over_year(values: Sequence[float]) -> float:
        return float(sum(weight * value for weight, value in zip(weights, values, strict=True)))

    paid_eur = _paid_eur(scenario, weights, results)
    highest = max((one.system_peak for one in results), key=lambda one: one.system_mw)
    seconds = sum(one.system_peak.seconds for one in results)
    prices = [float(np.mean(one.price_eur_per_mwh)) for one in results if one.price_eur_per_mwh]
    fuel_eur = (
        paid_eur[Reason.FUEL, Domain.GENERATION, OUTSIDE_COLUMN]
        - paid_eur[Reason.FUEL, OUTSIDE_COLUMN, Domain.GENERATION]
    )
    return ArmYear(
        consumed_mwh=over_year([one.energy.consumed / 1000.0 for one in results]),
        lost_mwh=over_year([one.energy.lost / 1000.0 for one in results]),
        transmission_lost_mwh=over_year([one.energy.transmission_lost / 1000.0 for one in results]),
        rest_mwh=over_year([one.energy.rest / 1000.0 for one in results]),
        fuel_eur=float(fuel_eur),
        system_peak_mw=highest.system_mw,
        coincident_mw=highest.towns_mw,
        system_peak_at=from_ns(highest.begin_ns, scenario.zone).isoformat() if highest.begin_ns else None,
        highest_mw=max(one.extremes.peak_kw for one in results) / 1000.0,
        transformer_peak_pct=np.max([one.extremes.transformer_peak_pct for one in results], axis=0),
        voltage_pu=sum(one.system_peak.voltage_s for one in results) / seconds if seconds else None,
        outages=joined(one.outages for one in results),
        unbilled_mwh=over_year([one.metering.get("unread_energy_mwh", 0.0) for one in results]),
        price_eur_per_mwh=float(
            np.average(prices, weights=[w * len(one.days) for w, one in zip(weights, results, strict=True)])
        )
        if len(prices) == len(weights)
        else None,
        emissions_t=over_year([one.market.towns_t for one in results]),
        paid_eur=paid_eur,
        stocks=_stocks(scenario, world, results),
    )


def _stocks(scenario: Scenario, world: World, results: Sequence[ArmResult]) -> tuple[Stock, ...]:
    """The arm's meters and devices, and a visit a year for each smart meter of which no reading came on any day."""
    prices, is_smart = scenario.sections["telecom"], results[0].arm != "conventional"
    visits = int(np.logical_and.reduce([one.never_heard for one in results]).sum()) if is_smart else 0
    silent = [Stock({"reading_visit": visits}, prices)] if visits else []
    return (*stocks_of(world, is_smart, prices), *silent)


def _paid_eur(scenario: Scenario, weights: Sequence[float], results: Sequence[ArmResult]) -> Floats:
    """What was paid in a year, (reasons, columns, columns); the charge for the peak is that of the highest of all days."""
    paid = np.sum(
        [weight * one.money.paid / MILLICENT_PER_EUR for weight, one in zip(weights, results, strict=True)], axis=0
    )
    days = [day for one in results for day in one.days]
    of_days = [weight for weight, one in zip(weights, results, strict=True) for _ in one.days]
    missing_eur = settlement.peak_demand_over_year_eur(
        np.array([day.peaks_kw for day in days]), np.array(of_days), scenario.sections["network_fees"]
    )
    paid[Reason.PEAK_DEMAND, Domain.DISTRIBUTION, Domain.TRANSMISSION] += missing_eur
    return np.asarray(paid, dtype=np.float64)
