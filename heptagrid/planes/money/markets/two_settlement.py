"""Two settlements: what was sold a day ahead is paid at its price, what was given beyond or short of that at the real-time price; and who is made whole.

As in PJM, ERCOT and other markets with nodal prices (their rules not read); the balance follows from the arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Settled:
    """What everybody gets, (who,), below 0 pays, and what is left: the rent of both settlements, which goes to whom it belongs to.

    make_whole: (units,) part of what units get. charge: (loads,) part of what loads pay, so that it covers make_whole.
    """

    units: Floats
    loads: Floats
    make_whole: Floats
    charge: Floats
    rent: float


def two_settlements(planned_mwh: Floats, planned_price: Floats, given_mwh: Floats, real_price: Floats) -> Floats:
    """(who,) revenue of quantities (periods, who), fed in above 0 and taken below, at prices (periods, who) of a MWh."""
    ahead = planned_mwh * planned_price
    return np.asarray((ahead + (given_mwh - planned_mwh) * real_price).sum(axis=0))


def make_whole(cost: Floats, revenue: Floats, has_followed: Bools) -> Floats:
    """(units,) what each that has followed its schedule lacks of its cost, over the day; the others get nothing."""
    return np.where(has_followed, np.maximum(cost - revenue, 0.0), 0.0)


def shared(amount: float, taken_mwh: Floats) -> Floats:
    """(loads,) an amount by what each has taken, (loads,); evenly, if nobody has."""
    total = float(taken_mwh.sum())
    weight = taken_mwh / total if total > 0.0 else np.full(len(taken_mwh), 1.0 / max(len(taken_mwh), 1))
    return np.asarray(amount * weight)


def settle(
    units: tuple[Floats, Floats],
    loads: tuple[Floats, Floats],
    prices: tuple[Floats, Floats, Floats, Floats],
    cost: Floats,
    has_followed: Bools,
) -> Settled:
    """Settle a day.

    Parameters
    ----------
    units, loads : planned and real MWh, (periods, units) and (periods, loads), none below 0.
    prices : planned and real prices of units, then of loads, shaped alike.
    cost : (units,) what the day has cost each.
    has_followed : (units,) whether each has given what it was told.
    """
    planned_price, real_price, planned_load_price, real_load_price = prices
    revenue = two_settlements(units[0], planned_price, units[1], real_price)
    payment = -two_settlements(-loads[0], planned_load_price, -loads[1], real_load_price)
    whole = make_whole(cost, revenue, has_followed)
    charge = shared(float(whole.sum()), loads[1].sum(axis=0))
    return Settled(
        units=revenue + whole,
        loads=-(payment + charge),
        make_whole=whole,
        charge=charge,
        rent=float(payment.sum() - revenue.sum()),
    )
