"""Generation capacity: what the system's highest load falls by, times the price of capacity.

The gain is the providers', who must hold capacity for what their customers draw at the system's peak.
"""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.benefits.benefit import Benefit, Flow, gain
from heptagrid.planes.money.benefits.observed import Observed
from heptagrid.planes.money.prices import eur_2024


@dataclass(frozen=True)
class Parameters:
    """What a kW at the system's peak is worth."""

    eur_per_kw_year: float = parameter(
        round(eur_2024(65.0, "GBP", 2024), 1),
        info="price of capacity available at the system's peak",
        unit="EUR/kW/year",
        low=0.0,
        high=1000.0,
        likely=(round(eur_2024(28.92 * 0.365, "USD", 2022), 1), round(eur_2024(269.92 * 0.365, "USD", 2024), 1)),
        source="Great Britain's four-year-ahead auction for 2027/28, 65 GBP/kW (Energy Live News, 28 February 2024); range: PJM's base "
        "residual auctions for 2024/25 and 2025/26, 28.92 and 269.92 USD/MW/day (S&P Global, 30 July 2024)",
    )
    reserve_margin: float = parameter(
        0.0,
        info="capacity held beyond the highest load, as a share of it",
        unit="1",
        low=0.0,
        high=1.0,
        source="assumption: none; planning reserves of 15 % are usual in North America (source not read)",
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """The change of the system's highest hourly load."""
    kw = 1000.0 * (observed.conventional.system_peak_mw - observed.smart.system_peak_mw)
    return [gain("generation capacity", Domain.PROVIDERS, kw * (1.0 + values.reserve_margin) * values.eur_per_kw_year)]


BENEFIT = Benefit("capacity", "generation capacity", Parameters, flows)
