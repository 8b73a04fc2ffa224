"""Wholesale price effect: what all loads of the bulk system pay less because the price fell; a transfer, shown apart.

What the towns' own providers pay less stands in the ledger. What loads elsewhere pay less, generation elsewhere loses: no resource is saved.
"""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.benefits.benefit import SOCIETY, Benefit, Flow, switch, transfer
from heptagrid.planes.money.benefits.observed import Observed


@dataclass(frozen=True)
class Parameters:
    """Whether the effect elsewhere counts."""

    counted: bool = parameter(
        False, **switch("whether the price effect on loads elsewhere moves money between the parties")
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """Generation receives less from the loads beyond the towns, at the change of the mean price."""
    before, after = observed.conventional.price_eur_per_mwh, observed.smart.price_eur_per_mwh
    fall = before - after if before is not None and after is not None else 0.0
    return [transfer("price effect elsewhere", Domain.GENERATION, SOCIETY, fall * observed.smart.rest_mwh)]


BENEFIT = Benefit(
    "wholesale_price",
    "wholesale price effect",
    Parameters,
    flows,
    not_simulated="a transfer, shown apart: loads beyond the towns pay it to generation beyond them",
)
