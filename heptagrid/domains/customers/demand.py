"""Base demand: each customer's profile, varied from minute to minute around the quarter hour's energy; or what the people of each home do (`presence`).

The variation lives on a grid of absolute minutes, so that a finer or coarser step sees the same people;
the fifteen minutes of a quarter hour are normalised, so that its energy is the profile's, exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.load_model import CONSTANT_POWER, ZIP
from heptagrid.domains.customers.presence.homes import PresenceHomes
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.random import Stream, uniform
from heptagrid.foundation.time import NS_PER_MINUTE, NS_PER_QUARTER, Step
from heptagrid.world.grid import Profiles

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

PROFILE, PRESENCE = "profile", "presence"
_STREAM = int(Stream.BASE_DEMAND)


@dataclass(frozen=True)
class Parameters:
    """What customers draw besides their devices, and how much it varies within a quarter hour."""

    homes: str = parameter(
        PROFILE,
        info="what households draw: their profile, which all of a kind share, or what those at home do (presence), each with the energy of its own profile's year",
        choices=(PROFILE, PRESENCE),
        source="assumption: standard profiles; presence after Richardson et al. (2008, 2010)",
    )
    variation: float = parameter(
        0.5,
        info="part of the demand that is spread over the quarter hour's minutes at random (exponential shares)",
        low=0.0,
        high=1.0,
        source="assumption: half of a household's demand is switched within minutes, the other half runs on",
    )
    load_model: str = parameter(
        CONSTANT_POWER,
        info="whether demand is the same at any voltage, or follows it by shares of constant impedance, current and power (zip); devices draw what they do",
        choices=(CONSTANT_POWER, ZIP),
        source="constant power: assumption; zip: Bokhari et al. (2014), of New York's households and trade",
    )


class BaseDemand:
    """Active and reactive demand of all customers, step by step.

    unserved_kwh: (customers,) what those without supply would have drawn, since the start.
    """

    def __init__(
        self,
        parameters: Parameters,
        profiles: Profiles,
        ids: Ints,
        p_kw: Floats,
        q_kvar: Floats,
        p_profile: Ints,
        q_profile: Ints,
        seed: int,
        homes: PresenceHomes | None = None,
    ) -> None:
        """Set up from global ids, ratings and profile columns, (customers,) each; homes: the households that draw what their people do."""
        self.total_kw = 0.0
        self.unserved_kwh = np.zeros(len(ids))
        self._variation = parameters.variation
        self._profiles = profiles
        self._ids, self._p_kw, self._q_kvar = ids, p_kw, q_kvar
        self._p_profile, self._q_profile = p_profile, q_profile
        self._seed = seed
        self._quarter = -1
        self._homes = homes
        self._is_home = np.zeros(len(ids), dtype=np.bool_)
        if homes is not None:
            self._is_home[homes.row] = True
        self._weights = np.ones((len(ids), 15), dtype=np.float32)
        self._weighed = self._next_quarter = -1
        self._next_weights: npt.NDArray[np.float32] | None = None  # of the next quarter hour, of so many customers:
        self._next_customers = 0
        self._mean_p_kw, self._mean_q_kvar = np.zeros(len(ids)), np.zeros(len(ids))

    def ahead(self, step: Step) -> Iterator[Callable[[], object]]:
        """The weights of the next quarter hour, as many as the step's share of this one: what another thread may do beside the step.

        They stand apart until that quarter hour begins; until the step has ended they are the thread's alone.
        """
        if self._variation <= 0.0:
            return
        quarter = step.quarter + 1
        if quarter != self._next_quarter:
            self._take_up(step.quarter)
            self._next_quarter, self._next_customers = quarter, 0
            if self._next_weights is None:
                self._next_weights = np.empty_like(self._weights)
        share = (step.end_ns - step.quarter * NS_PER_QUARTER) / NS_PER_QUARTER
        yield partial(self._draw_ahead, int(np.ceil(min(share, 1.0) * len(self._ids))))

    def _draw_ahead(self, until: int) -> None:
        """Draw the next quarter hour's weights of the first so many customers."""
        assert self._next_weights is not None
        mine = slice(self._next_customers, until)
        self._weigh(self._next_quarter, mine, self._next_weights)
        self._next_customers = max(until, self._next_customers)

    def _weigh(self, quarter: int, customers: slice, weights: npt.NDArray[np.float32]) -> None:
        _weigh(
            self._seed,
            self._ids[customers],
            quarter * 15,
            self._variation,
            self._is_home[customers],
            weights[customers],
        )

    def _take_up(self, quarter: int) -> None:
        """Take the weights of a quarter hour: those that were drawn ahead, and what is left of them."""
        if quarter == self._weighed:
            return
        drawn = 0
        if quarter == self._next_quarter and self._next_weights is not None:
            self._weights, self._next_weights = self._next_weights, self._weights
            drawn = self._next_customers
        self._weigh(quarter, slice(drawn, None), self._weights)
        self._weighed = quarter

    def advance(self, step: Step, p_kw: Floats, q_kvar: Floats, supplied: Bools | None = None) -> None:
        """Write the step's mean demand into the first entries of `p_kw` and `q_kvar`; 0 for who has no supply."""
        if step.quarter != self._quarter:
            self._quarter = step.quarter
            relative = self._profiles.at(step.start_ns)
            np.multiply(self._p_kw, relative[self._p_profile], out=self._mean_p_kw)
            np.multiply(self._q_kvar, relative[self._q_profile], out=self._mean_q_kvar)
            if self._variation > 0.0:
                self._take_up(step.quarter)
            if self._homes is not None:
                self._homes.advance(step.quarter, self._mean_p_kw, self._mean_q_kvar, self._weights)
        since = step.start_ns - self._quarter * NS_PER_QUARTER
        begin = since / NS_PER_MINUTE
        end = begin + (step.end_ns - step.start_ns) / NS_PER_MINUTE
        self.total_kw = _spread(self._mean_p_kw, self._mean_q_kvar, self._weights, begin, end, p_kw, q_kvar)
        if supplied is not None and not supplied.all():
            hours = step.dt_s / 3600.0
            self.total_kw = _drop(supplied, hours, len(self._ids), p_kw, q_kvar, self.unserved_kwh)


@kernel
def _drop(supplied, hours, count, p_kw, q_kvar, unserved_kwh):  # type: ignore[no-untyped-def]
    """Take the demand of those without supply away; what is left."""
    total = 0.0
    for k in range(count):
        if not supplied[k]:
            unserved_kwh[k] += p_kw[k] * hours
            p_kw[k] = 0.0
            q_kvar[k] = 0.0
        total += p_kw[k]
    return total


@kernel
def _weigh(seed, ids, first_minute, variation, is_home, weights):  # type: ignore[no-untyped-def]
    """Weights of the 15 minutes of a quarter hour, of mean one for each customer that is no home of its own people."""
    drawn = np.empty(15)
    for k in range(ids.shape[0]):
        if is_home[k]:
            continue
        total = 0.0
        for m in range(15):
            drawn[m] = -np.log(uniform(seed, _STREAM, ids[k], first_minute + m))
            total += drawn[m]
        for m in range(15):
            weights[k, m] = (1.0 - variation) + variation * 15.0 * drawn[m] / total


@kernel
def _spread(mean_p, mean_q, weights, begin, end, p_kw, q_kvar):  # type: ignore[no-untyped-def]
    """Mean demand from minute `begin` to `end` of the quarter hour; a minute counts for what lies within."""
    first, last = int(np.floor(begin)), min(int(np.ceil(end)), 15)
    share = np.empty(15)
    for m in range(first, last):
        share[m] = (min(end, m + 1.0) - max(begin, float(m))) / (end - begin)
    total = 0.0
    for k in range(mean_p.shape[0]):
        weight = 0.0
        for m in range(first, last):
            weight += weights[k, m] * share[m]
        p_kw[k] = mean_p[k] * weight
        q_kvar[k] = mean_q[k] * weight
        total += p_kw[k]
    return total
