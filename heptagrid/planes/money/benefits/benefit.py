"""What a benefit is: one file that says what a run's observed year is worth, to whom, found through the entry point `heptagrid.benefits`.

A flow is of a resource (fuel, a fitter's time, a transformer), which society as a whole gains or loses, or a transfer, which
one party gains and another loses. Society's total is the sum over all parties, so transfers leave it unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.domains import DOMAIN_NAMES, Domain
from heptagrid.planes.money.benefits.observed import Observed

Floats = npt.NDArray[np.float64]

STATE, SOCIETY = len(Domain), len(Domain) + 1
PARTIES = (*DOMAIN_NAMES, "state", "society")
"""Who gains and loses: the seven domains, the state, and everybody else ("society": other users of the network, the climate)."""


class Nature(StrEnum):
    """What a flow is of."""

    RESOURCE = "resource"
    TRANSFER = "transfer"


@dataclass(frozen=True)
class Flow:
    """What the smart grid changes for each party once it is rolled out.

    Attributes
    ----------
    eur_per_year, once_eur : (parties,), a gain is positive; what is bought once is bought again after `lifetime_years`
    reasons : reasons of the ledger behind a transfer, by name; empty for what no ledger has
    """

    name: str
    nature: Nature
    eur_per_year: Floats
    once_eur: Floats = field(default_factory=lambda: np.zeros(len(PARTIES)))
    lifetime_years: float = np.inf
    reasons: frozenset[str] = frozenset()


def gain(
    name: str, party: int, eur_per_year: float = 0.0, once_eur: float = 0.0, lifetime_years: float = np.inf
) -> Flow:
    """A saved resource (or, negative, one used up): EUR a year, and EUR once for each `lifetime_years`."""
    return Flow(name, Nature.RESOURCE, _of(party, eur_per_year), _of(party, once_eur), lifetime_years)


def transfer(name: str, payer: int, payee: int, eur_per_year: float) -> Flow:
    """Money that one party pays another each year."""
    return Flow(name, Nature.TRANSFER, _of(payee, eur_per_year) - _of(payer, eur_per_year))


def _of(party: int, amount_eur: float) -> Floats:
    amounts = np.zeros(len(PARTIES))
    amounts[party] = amount_eur
    return amounts


@dataclass(frozen=True)
class Benefit:
    """One benefit or cost.

    Attributes
    ----------
    name : as the entry point's; the scenario's section is `benefits.NAME`
    parameters : the dataclass that declares the section's keys
    flows : from an observed year and the section's values
    is_cost : whether its flows stand below the line of the benefit-cost ratio
    not_simulated : why no run shows it; then it counts only where the section's `counted` is set
    is_shown : whether a run like the observed one can show it
    """

    name: str
    title: str
    parameters: type
    flows: Callable[[Observed, Any], Sequence[Flow]]
    is_cost: bool = False
    not_simulated: str = ""
    is_shown: Callable[[Observed], bool] = lambda observed: True

    def counts(self, values: Any) -> bool:
        """Whether a section's values have it counted."""
        return bool(getattr(values, "counted", True))

    def if_counted(self, observed: Observed, values: Any) -> Sequence[Flow]:
        """Its flows, counted or not."""
        return self.flows(observed, replace(values, counted=True) if hasattr(values, "counted") else values)

    def found(self, observed: Observed, values: Any) -> Sequence[Flow]:
        """Its flows, none where it is switched off."""
        return self.flows(observed, values) if self.counts(values) else ()


def switch(info: str) -> dict[str, Any]:
    """The words of the key `counted` of what no run shows: off by default."""
    return {"info": info, "source": "assumption: what is not simulated does not count unless asked for"}
