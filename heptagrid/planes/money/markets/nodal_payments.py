"""Who pays and who gets what at prices by bus: buyers at theirs, units at theirs, and what lies between.

Every MWh that a buyer takes comes from all units alike, which get for it the mean of their buses' prices by what they give. What the buyer's bus lies above
that mean is its part of the congestion rent; where it lies below, the buyer is paid. What all buyers pay together is never less than nothing: it
is what the binding limits earn (Hogan, "Contract Networks for Electric Power Transmission", J. Regulatory Economics 4 (1992) 211, source not read), for
their energy as they take it.

Losses that are foreseen as a share are charged to nobody. With marginal losses a buyer's MWh comes with its part of what is lost, by energy, for which units are paid too. Buyers
pay for what one MWh more would lose, which is about twice what is lost in the mean: what is left is the loss surplus. Both parts of what is left are counted from where losses lie
(the mean price at which they are bought), so that neither hangs on the bus that is chosen as the reference: all rents together are what
the limits earn, and the surplus is the losses at that mean price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.sums import weighted_columns
from heptagrid.planes.money.markets.two_settlement import make_whole, shared

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_LEAST_MW = 1e-6


@dataclass(frozen=True)
class Lost:
    """Marginal losses of a day: price_eur_per_mwh: (hours, buses) the part of prices that is for losses; mw: (hours,) of them; share: (hours, buses) where they lie."""

    price_eur_per_mwh: Floats
    mw: Floats
    share: Floats

    @staticmethod
    def nothing(hours: int, buses: int) -> Lost:
        """Losses that prices have no part for."""
        none = np.zeros((hours, buses))
        return Lost(none, np.zeros(hours), none)


@dataclass(frozen=True)
class Paid:
    """What a MWh costs, hour by hour, and what units lack.

    town_eur_per_mwh: (hours, towns) what is paid there. rest_eur_per_mwh: (hours,) what the other loads pay. unit_eur_per_mwh: (hours,) what units get
    for a MWh that is bought, in the mean, with what is lost on its way. town_loss_eur_per_mwh, rest_loss_eur_per_mwh: of what is paid beyond that, the loss surplus.
    revenue_eur, make_whole_eur: (units,) of the day's schedule, and what it lacks of its cost.
    """

    town_eur_per_mwh: Floats
    rest_eur_per_mwh: Floats
    unit_eur_per_mwh: Floats
    town_loss_eur_per_mwh: Floats
    rest_loss_eur_per_mwh: Floats
    revenue_eur: Floats
    make_whole_eur: Floats

    def congestion_eur(self, rest_mw: Floats, towns_mw: Floats) -> float:
        """What buyers pay beyond what units get, the loss surplus apart: the other loads, (hours, buses), and the towns, (hours, towns)."""
        others = (self.rest_eur_per_mwh - self.unit_eur_per_mwh) * rest_mw.sum(axis=1)
        towns = (self.town_eur_per_mwh - self.unit_eur_per_mwh[:, np.newaxis]) * towns_mw
        return float(others.sum() + towns.sum()) - self.loss_surplus_eur(rest_mw, towns_mw)

    def loss_surplus_eur(self, rest_mw: Floats, towns_mw: Floats) -> float:
        """What buyers pay for losses beyond what units get for them; shapes as `congestion_eur`."""
        others = self.rest_loss_eur_per_mwh * rest_mw.sum(axis=1)
        return float(others.sum() + (self.town_loss_eur_per_mwh * towns_mw).sum())


def paid_at_buses(
    price: Floats,
    p_mw: Floats,
    unit_bus: Ints,
    cost_eur: Floats,
    rest_mw: Floats,
    town_bus: Ints,
    lost: Lost | None = None,
    reserve_eur: Floats | None = None,
) -> Paid:
    """What is paid at prices by bus, (hours, buses).

    Parameters
    ----------
    p_mw : (hours, units) the schedule; below 0 of a storage that takes.
    unit_bus, town_bus : (units,), (towns,).
    cost_eur : (units,) what the day's schedule costs each, starts included.
    rest_mw : (hours, buses) what the other loads take.
    lost : marginal losses; without them prices have no part for losses.
    reserve_eur : (units,) what each gets for reserve in the day, before it is made whole; nothing.
    """
    lost = Lost.nothing(*price.shape) if lost is None else lost
    of_units = p_mw * price[:, unit_bus]
    revenue = of_units.sum(axis=0)
    with_losses = 1.0 + lost.mw / np.maximum(p_mw.sum(axis=1) - lost.mw, _LEAST_MW)
    # Counted from where losses lie, what a MWh at each bus costs for losses; of a MWh that is bought, less what units get for them.
    for_losses = lost.price_eur_per_mwh - (lost.share * lost.price_eur_per_mwh).sum(axis=1, keepdims=True)
    bought = (lost.share * price).sum(axis=1)
    of_units_too = with_losses * _mean(for_losses[:, unit_bus], p_mw) + (with_losses - 1.0) * bought
    return Paid(
        town_eur_per_mwh=price[:, town_bus],
        rest_eur_per_mwh=_mean(price, rest_mw),
        unit_eur_per_mwh=with_losses * _mean(price[:, unit_bus], p_mw),
        town_loss_eur_per_mwh=for_losses[:, town_bus] - of_units_too[:, np.newaxis],
        rest_loss_eur_per_mwh=_mean(for_losses, rest_mw) - of_units_too,
        revenue_eur=revenue,
        make_whole_eur=make_whole(
            cost_eur, revenue if reserve_eur is None else revenue + reserve_eur, np.ones(len(revenue), dtype=np.bool_)
        ),
    )


def paid_in_zone(price: Floats, p_mw: Floats, towns: int) -> Paid:
    """What is paid at one price, (hours,): everybody pays and gets that, and nobody is made whole."""
    towns_price = np.repeat(price[:, np.newaxis], towns, axis=1)
    no_loss = np.zeros_like(towns_price), np.zeros_like(price)
    return Paid(towns_price, price, price, *no_loss, weighted_columns(price, p_mw), np.zeros(p_mw.shape[1]))


def make_whole_charges(make_whole_eur: float, taken_mwh: Floats, rest_mwh: float) -> Floats:
    """(buyers,) what each pays of what makes units whole, by what it took of all energy; who fed in pays nothing."""
    taken = np.maximum(np.append(taken_mwh, rest_mwh), 0.0)
    return shared(make_whole_eur, taken)[:-1]


def _mean(price: Floats, mw: Floats) -> Floats:
    """(hours,) mean of prices by energy; where there is none, of all alike."""
    total = mw.sum(axis=1)
    has_energy = np.abs(total) > _LEAST_MW
    weighted = (price * mw).sum(axis=1) / np.where(has_energy, total, 1.0)
    return np.asarray(np.where(has_energy, weighted, price.mean(axis=1)))
