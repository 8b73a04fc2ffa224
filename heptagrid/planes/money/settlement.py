"""What domains owe one another for a day's energy, networks and services: amounts, from quantities.

The energy at the infeed is bought in three parts at the hour's day-ahead price: each retailer's
day-ahead position; its imbalance, what its own customers used beyond that; and the network's losses, whatever
the infeed took that no meter reading explains (a wrong estimate of a reading lands there, as in the
difference balancing group of a German network operator). So the three always make up the whole infeed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.quarter_rows import DayValues
from heptagrid.foundation.sums import dot, weighted_columns
from heptagrid.planes.money.cents import CENT_PER_EUR, cents
from heptagrid.planes.money.tariffs import billing_rules, network_fees

Floats = npt.NDArray[np.float64]

QUARTER_H = 0.25


@dataclass(frozen=True)
class Beyond:
    """What a MWh costs beyond what units get for its energy.

    congestion_eur_per_mwh, loss_eur_per_mwh: (slots, retailers and distribution), of the latter the loss surplus. reserve_eur_per_mwh: (slots,) for reserve, and
    not_held_eur_per_mwh what of that comes back.
    """

    congestion_eur_per_mwh: Floats
    loss_eur_per_mwh: Floats
    reserve_eur_per_mwh: Floats
    not_held_eur_per_mwh: Floats

    @staticmethod
    def nothing(slots: int, retailers: int) -> Beyond:
        """A zone's price alone."""
        none = np.zeros((slots, retailers + 1))
        return Beyond(none, none, np.zeros(slots), np.zeros(slots))


@dataclass(frozen=True)
class Wholesale:
    """What the energy costs in the market; negative where more was sold than bought.

    energy_eur, imbalance_eur: (retailers,) each retailer's. losses_eur: distribution's. All that goes to generation; congestion_eur and loss_surplus_eur:
    (retailers and distribution,) go to transmission, with nodal prices. reserve_eur, not_held_eur: (retailers and distribution,) for reserve as it was bought, to
    generation, and what of it generation pays back.
    """

    energy_eur: Floats
    imbalance_eur: Floats
    losses_eur: float
    congestion_eur: Floats
    loss_surplus_eur: Floats
    reserve_eur: Floats
    not_held_eur: Floats

    @property
    def total_eur(self) -> float:
        """What generation gets."""
        return float(self.energy_eur.sum()) + float(self.imbalance_eur.sum()) + self.losses_eur

    @property
    def beyond_eur(self) -> Floats:
        """(retailers and distribution,) what each pays beyond what units get for its energy."""
        return self.congestion_eur + self.loss_surplus_eur + self.reserve_eur - self.not_held_eur

    def __sub__(self, other: Wholesale) -> Wholesale:
        return Wholesale(
            self.energy_eur - other.energy_eur,
            self.imbalance_eur - other.imbalance_eur,
            self.losses_eur - other.losses_eur,
            self.congestion_eur - other.congestion_eur,
            self.loss_surplus_eur - other.loss_surplus_eur,
            self.reserve_eur - other.reserve_eur,
            self.not_held_eur - other.not_held_eur,
        )


def net_use_mwh(import_kwh: DayValues, export_kwh: DayValues) -> Floats:
    """What points used less what they fed in, (slots,), from their energies, (slots, points)."""
    net_kwh = import_kwh.sum(axis=1, dtype=np.float64) - export_kwh.sum(axis=1, dtype=np.float64)
    return np.asarray(net_kwh / 1000.0)


def wholesale(
    day_ahead_eur_per_mwh: Floats,
    position_mwh: Floats,
    settled_mwh: Floats,
    infeed_mwh: Floats,
    fees: network_fees.Parameters,
    beyond: Beyond | None = None,
) -> Wholesale:
    """Settle a span.

    Parameters
    ----------
    day_ahead_eur_per_mwh : (slots,) the market's price; with nodal prices what units get for a MWh
    position_mwh : (slots, retailers) what each retailer bought day ahead
    settled_mwh : (slots, retailers) its customers' use less their feed-in, as metered or estimated
    infeed_mwh : (slots,) what was taken from the transmission network, negative where it was fed back
    beyond : what each pays beyond that price; nothing
    """
    imbalance_mwh = settled_mwh - position_mwh
    lost_mwh = infeed_mwh - settled_mwh.sum(axis=1)
    taken_mwh = np.column_stack([settled_mwh, lost_mwh])
    beyond = Beyond.nothing(*settled_mwh.shape) if beyond is None else beyond
    each_mwh = np.ones(len(lost_mwh))
    spread_eur = fees.imbalance_spread_eur_per_mwh * np.abs(imbalance_mwh)
    return Wholesale(
        energy_eur=weighted_columns(day_ahead_eur_per_mwh, position_mwh),
        imbalance_eur=weighted_columns(day_ahead_eur_per_mwh, imbalance_mwh) + spread_eur.T.copy().sum(axis=1),
        losses_eur=dot(day_ahead_eur_per_mwh, lost_mwh),
        congestion_eur=weighted_columns(each_mwh, beyond.congestion_eur_per_mwh * taken_mwh),
        loss_surplus_eur=weighted_columns(each_mwh, beyond.loss_eur_per_mwh * taken_mwh),
        reserve_eur=weighted_columns(beyond.reserve_eur_per_mwh, taken_mwh),
        not_held_eur=weighted_columns(beyond.not_held_eur_per_mwh, taken_mwh),
    )


def traded_mwh(position_mwh: Floats, settled_mwh: Floats) -> dict[str, float]:
    """What customers used less their feed-in, how much of it was bought day ahead, and by how much retailers were short and over, from (slots, retailers)."""
    imbalance_mwh = settled_mwh - position_mwh
    return {
        "used": float(settled_mwh.sum()),
        "day_ahead": float(position_mwh.sum()),
        "short": float(np.maximum(imbalance_mwh, 0.0).sum()),
        "over": float(np.maximum(-imbalance_mwh, 0.0).sum()),
    }


def use_of_system_eur(infeed_mwh: Floats, fees: network_fees.Parameters) -> float:
    """What distribution owes transmission for the energy taken at each infeed, (quarters, infeeds); feeding back is free."""
    taken_mwh = sum(float(np.maximum(of_one, 0.0).sum()) for of_one in infeed_mwh.T)
    return taken_mwh * fees.use_of_system_eur_per_mwh


def metered_peak_kw(infeed_mwh: Floats) -> Floats:
    """The peaks that are charged for, (infeeds,): the highest mean power of a quarter hour at each, as meters record it; 0 if it took nothing.

    infeed_mwh: (quarters, infeeds) taken at each infeed, negative where it was fed back.
    """
    return np.asarray(np.maximum(infeed_mwh.max(axis=0), 0.0) * 1000.0 / QUARTER_H)


def peak_demand_eur(peaks_kw: Floats, years: float, fees: network_fees.Parameters) -> float:
    """A span's part of the year's charge, as if its own peaks, (infeeds,), were the year's; `over_year` puts that right."""
    return float(np.maximum(peaks_kw, 0.0).sum()) * fees.peak_demand_eur_per_kw_year * years


def peak_demand_over_year_eur(peaks_kw: Floats, weights: Floats, fees: network_fees.Parameters) -> float:
    """What a year's true peak charge lies above the sum of its days' parts.

    peaks_kw: (days, infeeds) each day's `metered_peak_kw`; weights: (days,) how many days of the year each stands for.
    """
    peaks_kw = np.maximum(peaks_kw, 0.0)
    missing_kw = sum(float(one.max()) - dot(one, weights) / float(weights.sum()) for one in peaks_kw.T)
    return missing_kw * fees.peak_demand_eur_per_kw_year


def flexibility_eur(moved_kwh: Floats, parameters: billing_rules.Parameters) -> Floats:
    """What each point earns for the energy its devices moved on request, (points,), in whole cents."""
    return np.asarray(cents(moved_kwh * parameters.flexibility_ct_per_kwh * billing_rules.EUR_PER_CT) / CENT_PER_EUR)


def relief_eur(relieved_kwh: float, fees: network_fees.Parameters) -> float:
    """What distribution owes an aggregator for kW given up times hours, behind overloaded transformers."""
    return relieved_kwh * fees.relief_ct_per_kwh * billing_rules.EUR_PER_CT


def smart_metering_eur(meters: int, years: float, fees: network_fees.Parameters) -> float:
    """What distribution owes operations for smart meters, besides what customers pay."""
    return meters * years * fees.smart_metering_eur_per_year


def stored_value_eur(stored_kwh: float, mean_price_eur_per_mwh: float) -> float:
    """What a change in stored energy over a run is worth, at the mean price."""
    return stored_kwh / 1000.0 * mean_price_eur_per_mwh
