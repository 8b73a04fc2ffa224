"""The business case: what the smart grid is worth to each domain against the conventional one.

Net present value = (what a domain earns a year more) times the annuity factor, less what it invests
more, plus what it need not invest. Real prices, no inflation, no loans, no income tax; the sign is
whatever comes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.domains import DOMAIN_NAMES, Domain
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.sums import weighted_columns
from heptagrid.planes.money import telecom
from heptagrid.planes.money.prices import eur_2024
from heptagrid.planes.money.settlement import peak_demand_over_year_eur
from heptagrid.planes.money.tariffs import network_fees

Floats = npt.NDArray[np.float64]

_TRANSFORMER_COST = (
    "dena-Verteilnetzstudie (2012), as used by eDisGo: 10,000 EUR for a 630 kVA station transformer and "
    "1,000,000 EUR for a 40 MVA one at 110 kV; in prices of 2024"
)


@dataclass(frozen=True)
class Parameters:
    """How the years ahead are valued."""

    horizon_years: float = parameter(
        15.0,
        info="years over which the case is made",
        unit="years",
        low=1.0,
        high=100.0,
        source="lifetime of smart meters in the British impact assessment of 2013 (source not read)",
    )
    discount_rate: float = parameter(
        0.035,
        info="real discount rate",
        unit="1/year",
        low=0.0,
        high=0.5,
        likely=(0.02, 0.07),
        source="HM Treasury Green Book, first 30 years: Review of discounting in the Green Book, terms of reference (2025), section 1; likely range: assumption",
    )
    plain_meter_due_share: float = parameter(
        0.5,
        info="share of the plain meters that would be bought anew at the start without smart ones",
        unit="1",
        low=0.0,
        high=1.0,
        source="assumption: their ages are spread evenly, so a replacement is on average half used up",
    )
    transformer_limit_pct: float = parameter(
        100.0,
        info="loading above which a transformer must be replaced by a larger one",
        unit="%",
        low=50.0,
        high=300.0,
        source="load factor 1.0 in eDisGo's rules for grid expansion",
    )
    station_transformer_eur_per_mva: float = parameter(
        round(eur_2024(10_000.0 / 0.63, "EUR", 2012), 0),
        info="a larger transformer between medium and low voltage, for each MVA of the one replaced",
        unit="EUR/MVA",
        low=0.0,
        high=1e7,
        source=_TRANSFORMER_COST,
    )
    primary_transformer_eur_per_mva: float = parameter(
        round(eur_2024(1_000_000.0 / 40.0, "EUR", 2012), 0),
        info="a larger transformer at 110 kV, for each MVA of the one replaced",
        unit="EUR/MVA",
        low=0.0,
        high=1e7,
        source=_TRANSFORMER_COST,
    )
    transformer_lifetime_years: float = parameter(
        40.0,
        info="how long a transformer lasts",
        unit="years",
        low=1.0,
        high=100.0,
        source="StromNEV annex 1, III 1.2, stations with transformers and switches: 35 to 45 years, middle (of high voltage; the entry of local stations, III 2.3: source not read)",
    )


@dataclass(frozen=True)
class Investment:
    """Something bought at the start by one domain, and again whenever it is worn out."""

    name: str
    payer: Domain
    amount_eur: float
    lifetime_years: float


def annuity_factor(rate: float, years: float) -> float:
    """The present value of 1 EUR at the end of each of `years` years."""
    if rate == 0.0:
        return years
    return float((1.0 - (1.0 + rate) ** -years) / rate)


def lifecycle_factor(lifetime_years: float, horizon_years: float, rate: float) -> float:
    """The present value of 1 EUR of investment, bought anew when worn out, less its residual value.

    What is left of the last purchase at the horizon is worth its unused share of the price (straight line).
    """
    purchases_years = np.arange(np.ceil(horizon_years / lifetime_years - 1e-9)) * lifetime_years
    unused_share = 1.0 - (horizon_years - purchases_years[-1]) / lifetime_years
    residual = unused_share * (1.0 + rate) ** -horizon_years
    return float(((1.0 + rate) ** -purchases_years).sum() - residual)


def device_investments(stocks: Iterable[telecom.Stock], parameters: Parameters) -> list[Investment]:
    """What an arm's meters and communication cost to buy; plain meters only as far as they are due."""
    due = {"plain_meter": parameters.plain_meter_due_share}
    return [
        Investment(name, telecom.ITEMS[name].payer, due.get(name, 1.0) * amount_eur, telecom.ITEMS[name].lifetime_years)
        for name, amount_eur in telecom.capex_eur(stocks).items()
        if amount_eur > 0.0
    ]


def yearly_eur(stocks: Sequence[telecom.Stock], parameters: Parameters) -> float:
    """What devices cost a year: to run, and the annuity of what they cost to buy over their lifetimes."""
    rate, items = parameters.discount_rate, telecom.ITEMS
    bought_eur = sum(
        amount_eur / annuity_factor(rate, items[name].lifetime_years)
        for name, amount_eur in telecom.capex_eur(stocks).items()
    )
    return bought_eur + sum(telecom.opex_eur(stocks, 1.0).values())


def transformer_investments(
    peak_pct: Floats,
    rated_mva: Floats,
    primary_kv: Floats,
    parameters: Parameters,
    other_peak_pct: Floats | None = None,
) -> list[Investment]:
    """What distribution must spend on transformers that an arm overloads.

    Parameters
    ----------
    peak_pct, rated_mva, primary_kv : (transformers,), highest loading, rating, voltage of the upper side
    other_peak_pct : (transformers,), highest loading in the other arm; a transformer that both overload
        is then left out (it would count against one arm and for the other, and cancel)
    """
    limit_pct = parameters.transformer_limit_pct
    only_here = peak_pct > limit_pct
    if other_peak_pct is not None:
        only_here &= ~(other_peak_pct > limit_pct)
    is_primary = primary_kv > 60.0  # where high voltage begins in German network levels (72.5 kV equipment)
    return [
        Investment(
            name,
            Domain.DISTRIBUTION,
            float(rated_mva[only_here & at_level].sum()) * eur_per_mva,
            parameters.transformer_lifetime_years,
        )
        for name, at_level, eur_per_mva in (
            ("station_transformers", ~is_primary, parameters.station_transformer_eur_per_mva),
            ("primary_transformers", is_primary, parameters.primary_transformer_eur_per_mva),
        )
    ]


def operating_eur_per_year(
    by_domain_eur: Floats, weights: Floats, peaks_kw: Floats, fees: network_fees.Parameters
) -> Floats:
    """What each domain receives less what it pays in a year, (7,), from days that stand for the year.

    The peak charge of each day was a day's part as if its peak were the year's; here it becomes the
    charge for the highest of all days.

    Parameters
    ----------
    by_domain_eur : (days, 7), each day's result
    weights : (days,), how many days of the year each stands for; together a year
    peaks_kw : (days, infeeds), each day's highest import at each infeed

    Raises
    ------
    ValueError
        If the weights do not make up a year.
    """
    if not 364.5 < weights.sum() < 366.5:
        raise ValueError(f"the days' weights make up {weights.sum():g} days and not a year: nothing to annualise")
    yearly: Floats = weighted_columns(weights, by_domain_eur)
    missing_eur = peak_demand_over_year_eur(peaks_kw, weights, fees)
    yearly[Domain.DISTRIBUTION] -= missing_eur
    yearly[Domain.TRANSMISSION] += missing_eur
    return yearly


@dataclass(frozen=True)
class Case:
    """The business case by domain, (7,) in EUR each: present values but for `operating_eur_per_year`.

    investments: (name, domain, present value) of everything bought in the smart arm (positive) and of
    what the conventional one would have bought (negative).
    """

    horizon_years: float
    discount_rate: float
    annuity_factor: float
    operating_eur_per_year: Floats
    investment_eur: Floats
    avoided_investment_eur: Floats
    investments: tuple[tuple[str, str, float], ...]

    @property
    def operating_eur(self) -> Floats:
        """The present value of what each domain earns more."""
        return self.operating_eur_per_year * self.annuity_factor

    @property
    def npv_eur(self) -> Floats:
        """Net present value of smart against conventional."""
        return self.operating_eur - self.investment_eur + self.avoided_investment_eur

    def summary(self, weights_sum: float) -> dict[str, object]:
        """The `business` entry of a run's summary."""
        return {
            "horizon_years": self.horizon_years,
            "discount_rate": self.discount_rate,
            "weights_sum": weights_sum,
            "rows": [
                {
                    "domain": name,
                    "operating_eur_per_year": float(self.operating_eur_per_year[k]),
                    "annuity_factor": self.annuity_factor,
                    "operating_pv_eur": float(self.operating_eur[k]),
                    "investment_eur": float(self.investment_eur[k]),
                    "avoided_investment_eur": float(self.avoided_investment_eur[k]),
                    "npv_eur": float(self.npv_eur[k]),
                }
                for k, name in enumerate(DOMAIN_NAMES)
            ],
            "investments": [
                {"name": name, "domain": domain, "present_value_eur": value} for name, domain, value in self.investments
            ],
        }


def business_case(
    smart_eur_per_year: Floats,
    conventional_eur_per_year: Floats,
    smart_investments: Iterable[Investment],
    conventional_investments: Iterable[Investment],
    parameters: Parameters,
) -> Case:
    """Weigh the two arms; the yearly results are (7,), from `operating_eur_per_year`.

    What the smart arm buys counts as investment, what only the conventional one would buy as avoided.
    """
    horizon_years, rate = parameters.horizon_years, parameters.discount_rate
    spent, avoided = np.zeros(len(Domain)), np.zeros(len(Domain))
    items = []
    for sign, sums, investments in ((1.0, spent, smart_investments), (-1.0, avoided, conventional_investments)):
        for one in investments:
            value_eur = one.amount_eur * lifecycle_factor(one.lifetime_years, horizon_years, rate)
            sums[one.payer] += value_eur
            items.append((one.name, DOMAIN_NAMES[one.payer], sign * value_eur))
    return Case(
        horizon_years=horizon_years,
        discount_rate=rate,
        annuity_factor=annuity_factor(rate, horizon_years),
        operating_eur_per_year=smart_eur_per_year - conventional_eur_per_year,
        investment_eur=spent,
        avoided_investment_eur=avoided,
        investments=tuple(items),
    )
