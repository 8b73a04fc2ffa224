"""Distribution deferral: transformers that need no replacement because load behind them fell.

It counts only where local relief is shown: a transformer that one arm overloads and the other does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money import business
from heptagrid.planes.money.benefits.benefit import Benefit, Flow, gain
from heptagrid.planes.money.benefits.observed import Observed


@dataclass(frozen=True)
class Parameters:
    """How avoided transformers are valued."""

    factor: float = parameter(
        1.0,
        info="cost of a larger transformer with its works as a multiple of the prices in `business`",
        unit="1",
        low=0.0,
        high=10.0,
        likely=(0.7, 2.0),
        source="assumption: civil works and cables may double the price of the transformer",
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """By level: what only the conventional arm must buy, less what only the smart one must."""
    arms = (observed.conventional, observed.smart)
    found = []
    for sign, one, other in ((1.0, *arms), (-1.0, *arms[::-1])):
        for bought in business.transformer_investments(
            one.transformer_peak_pct,
            observed.transformer_mva,
            observed.transformer_kv,
            observed.rules,
            other.transformer_peak_pct,
        ):
            once_eur = sign * values.factor * bought.amount_eur
            found.append(gain(bought.name, Domain.DISTRIBUTION, 0.0, once_eur, bought.lifetime_years))
    return found


BENEFIT = Benefit("deferral", "distribution deferral", Parameters, flows)
