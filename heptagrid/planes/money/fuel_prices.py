"""The price basis of the wholesale market: what fuels and carbon dioxide cost in one place and year, and what units cost by it.

A basis prices heat by its higher heating value, as the units' heat rates count it (United States' custom). Prices per net heating value are brought to it:
coal 0.955, light oil 0.939, heavy oil 0.942 of the higher one (recalled, not read).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from heptagrid.foundation.errors import ScenarioError
from heptagrid.foundation.parameters import parameter
from heptagrid.world.bulk import BulkUnits, UnitCosts

OF_BASIS = -1.0
"""The value that leaves a price to the basis."""
OWN_BASIS = "own"


@dataclass(frozen=True)
class Basis:
    """What a million British thermal units of each fuel cost, and a tonne of carbon dioxide; `place` says where and when."""

    place: str
    source: str
    eur_per_mmbtu: Mapping[str, float]
    co2_eur_per_t: float


_EUR_PER_USD = 0.9239  # mean of 2024: 1.0824 USD per EUR (European Central Bank)

BASES: dict[str, Basis] = {
    "eu-2024": Basis(
        "Germany 2024",
        "means of 2024. Gas 34.80 EUR/MWh (day-ahead, Bundesnetzagentur's SMARD, topic article 215556); hard coal 112.13 USD/t of 6000 kcal/kg net "
        "(API2 front month, 258 days of a public file); gasoil about 735 and fuel oil of 1 % sulphur about 507 USD/t (estimates from quotations of three "
        "days and the mean of Brent, 15 % either way); nuclear fuel 6.12 EUR/MWh thermal (TYNDP 2024); carbon dioxide 65.00 EUR/t (German auctions, DEHSt)",
        {"gas": 10.20, "coal": 4.15, "light oil": 15.7, "heavy oil": 11.5, "nuclear": 1.79},
        65.0,
    ),
    "rts-gmlc": Basis(
        "RTS-GMLC 2020",
        "RTS-GMLC, SourceData/gen.csv, Fuel Price $/MMBTU, at 1.0824 USD per EUR; carbon dioxide costs nothing there",
        {
            "gas": 3.88722 * _EUR_PER_USD,
            "coal": 2.11399 * _EUR_PER_USD,
            "light oil": 10.3494 * _EUR_PER_USD,
            "heavy oil": 10.3494 * _EUR_PER_USD,
            "nuclear": 0.81035 * _EUR_PER_USD,
        },
        0.0,
    ),
}
FUELS = tuple(BASES["eu-2024"].eur_per_mmbtu)
_OF = "the basis's; -1 for it"


@dataclass(frozen=True)
class Parameters:
    """Prices of fuels and carbon dioxide from which the bulk units' costs follow."""

    basis: str = parameter(
        "eu-2024",
        info="place and year of all prices; `own` takes every price from the keys below",
        choices=(*BASES, OWN_BASIS),
        source="assumption: the scenario's town, its fees and its taxes are German, of 2024",
    )
    gas_eur_per_mmbtu: float = parameter(
        OF_BASIS,
        info="natural gas, by its higher heating value; -1 for the basis's",
        unit="EUR/MMBtu",
        low=OF_BASIS,
        high=1000.0,
        source=_OF,
    )
    coal_eur_per_mmbtu: float = parameter(
        OF_BASIS, info="hard coal, likewise", unit="EUR/MMBtu", low=OF_BASIS, high=1000.0, source=_OF
    )
    light_oil_eur_per_mmbtu: float = parameter(
        OF_BASIS, info="gasoil, likewise", unit="EUR/MMBtu", low=OF_BASIS, high=1000.0, source=_OF
    )
    heavy_oil_eur_per_mmbtu: float = parameter(
        OF_BASIS, info="fuel oil, likewise", unit="EUR/MMBtu", low=OF_BASIS, high=1000.0, source=_OF
    )
    nuclear_eur_per_mmbtu: float = parameter(
        OF_BASIS, info="nuclear fuel, by its heat", unit="EUR/MMBtu", low=OF_BASIS, high=1000.0, source=_OF
    )
    co2_eur_per_t: float = parameter(
        OF_BASIS,
        info="carbon dioxide that units emit; -1 for the basis's",
        unit="EUR/t",
        low=OF_BASIS,
        high=10000.0,
        source=_OF,
    )
    eur_per_usd: float = parameter(
        _EUR_PER_USD,
        info="what a dollar of a unit's costs beside fuel is in euros",
        unit="EUR/USD",
        low=0.1,
        high=10.0,
        source="European Central Bank's reference rate, mean of 2024: 1.0824 USD per EUR; the costs are taken at their nominal value",
    )


def basis_of(parameters: Parameters) -> Basis:
    """The prices that hold: the basis's, but for those that are given.

    Raises
    ------
    ScenarioError
        For the basis `own` with a price that is not given, and for a price below 0 that is not -1.
    """
    given = {fuel: float(getattr(parameters, f"{fuel.replace(' ', '_')}_eur_per_mmbtu")) for fuel in FUELS}
    keys = {f"{fuel.replace(' ', '_')}_eur_per_mmbtu": price for fuel, price in given.items()}
    keys["co2_eur_per_t"] = parameters.co2_eur_per_t
    wrong = [key for key, price in keys.items() if OF_BASIS < price < 0.0]
    if wrong:
        words = [f"fuel_prices.{key} = {keys[key]}: write a price from 0 on, or -1 for the basis's" for key in wrong]
        raise ScenarioError("fuel_prices", words)
    basis = BASES.get(parameters.basis)
    if basis is None:
        lacking = [key for key, price in keys.items() if price < 0.0]
        if lacking:
            raise ScenarioError("fuel_prices", [f"fuel_prices.{key}: the basis 'own' needs it" for key in lacking])
        return Basis("own prices", "the scenario", given, parameters.co2_eur_per_t)
    prices = {fuel: price if price >= 0.0 else basis.eur_per_mmbtu[fuel] for fuel, price in given.items()}
    co2 = parameters.co2_eur_per_t if parameters.co2_eur_per_t >= 0.0 else basis.co2_eur_per_t
    return Basis(basis.place, basis.source, prices, co2)


def costs_of(units: BulkUnits, parameters: Parameters) -> UnitCosts:
    """What units cost: fuel and carbon dioxide of their heat, and what they cost beside. Sources, tanks and storages cost nothing."""
    heat, basis = units.heat, basis_of(parameters)
    t_per_mmbtu = heat.co2_kg_per_mmbtu / 1000.0
    fuel = np.array([basis.eur_per_mmbtu.get(str(one), 0.0) for one in heat.fuel])
    eur_per_mmbtu = fuel + t_per_mmbtu * basis.co2_eur_per_t
    vom_eur = heat.vom_usd_per_mwh * parameters.eur_per_usd
    is_block = heat.block_mw > 0.0
    block_eur = heat.block_mmbtu_per_mwh * eur_per_mmbtu[:, np.newaxis] + is_block * vom_eur[:, np.newaxis]
    low_mw = np.maximum(units.p_min_mw, 0.0)
    start_eur = heat.start_mmbtu * eur_per_mmbtu[:, np.newaxis] + heat.start_usd[:, np.newaxis] * parameters.eur_per_usd
    return UnitCosts(
        block_mw=heat.block_mw,
        block_eur=block_eur,
        block_t=heat.block_mmbtu_per_mwh * t_per_mmbtu[:, np.newaxis],
        no_load_eur_per_h=heat.no_load_mmbtu_per_h * eur_per_mmbtu + vom_eur * low_mw,
        no_load_t_per_h=heat.no_load_mmbtu_per_h * t_per_mmbtu,
        start_eur=start_eur,
        off_h=heat.off_h,
    )
