"""Cash flow by year: what is bought cohort by cohort and again when worn out, what flows grow to as the roll-out proceeds.

A cohort is a year's share of the roll-out. It is bought at the beginning of its year and works from then on; a year's flows fall
at the year's end. What is left of a purchase at the horizon is worth its unused share (straight line).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.benefits.benefit import PARTIES, Flow

Floats = npt.NDArray[np.float64]


def working_share(horizon_years: int, rollout_years: int) -> Floats:
    """Which share of the roll-out works in each year, (horizon + 1,); nothing flows at time 0."""
    share = np.minimum(np.arange(horizon_years + 1) / rollout_years, 1.0)
    share[0] = 0.0
    return share


@lru_cache(maxsize=1024)
def purchases(horizon_years: int, rollout_years: int, lifetime_years: float) -> Floats:
    """How many times over all is bought at each year's beginning, less what is left at the horizon, (horizon + 1,)."""
    bought = np.zeros(horizon_years + 1)
    for cohort in range(min(rollout_years, horizon_years)):
        at = float(cohort)
        while at < horizon_years - 1e-9:
            bought[round(at)] += 1.0 / rollout_years
            last, at = at, at + lifetime_years
        unused_share = 1.0 - (horizon_years - last) / lifetime_years if np.isfinite(lifetime_years) else 0.0
        bought[horizon_years] -= unused_share / rollout_years
    bought.flags.writeable = False
    return bought


def cash_flow(flows: Iterable[Flow], horizon_years: int, rollout_years: int) -> Floats:
    """What each party gains at the end of each year, (horizon + 1, parties); time 0 is the start."""
    total = np.zeros((horizon_years + 1, len(PARTIES)))
    share = working_share(horizon_years, rollout_years)
    for one in flows:
        if one.eur_per_year.any():
            total += share[:, np.newaxis] * one.eur_per_year
        if one.once_eur.any():
            total += purchases(horizon_years, rollout_years, one.lifetime_years)[:, np.newaxis] * one.once_eur
    return total


def present_value(cash: Floats, rate: float) -> Floats:
    """The value at time 0 of flows at the ends of years, (horizon + 1, ...): (...)."""
    discount = (1.0 + rate) ** -np.arange(cash.shape[0])
    value: Floats = (cash.T * discount).sum(axis=-1).T
    return value


def internal_rate(cash: Floats) -> float | None:
    """The rate at which a cash flow, (horizon + 1,), is worth nothing; None if there is none between -90 % and 1000 %."""
    low, high = -0.9, 10.0
    at_low, at_high = (float(present_value(cash, rate)) for rate in (low, high))
    if at_low * at_high >= 0.0:
        return None
    for _ in range(200):
        middle = 0.5 * (low + high)
        if float(present_value(cash, middle)) * at_low > 0.0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def payback_years(cash: Floats) -> float | None:
    """When the sum of a cash flow, (horizon + 1,), stays at or above zero from then on, undiscounted; None if it ends below."""
    cumulated = np.cumsum(cash)
    below = np.flatnonzero(cumulated < -1e-9)
    if not len(below):
        return 0.0
    last = int(below[-1])
    if last == len(cash) - 1:
        return None
    return last + float(-cumulated[last] / (cumulated[last + 1] - cumulated[last]))
