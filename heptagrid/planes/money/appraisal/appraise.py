"""The appraisal of an observed year: society's total of resources, each party's with transfers, and what each benefit adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.domains import Domain
from heptagrid.planes.money.appraisal.cash_flow import cash_flow, internal_rate, payback_years, present_value
from heptagrid.planes.money.appraisal.ledger_flows import fee_names, ledger_flows
from heptagrid.planes.money.appraisal.regulation import reset
from heptagrid.planes.money.appraisal.rules import Rules
from heptagrid.planes.money.benefits.benefit import PARTIES, Benefit, Flow, Nature
from heptagrid.planes.money.benefits.observed import Observed

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """What is counted and how: benefits by name, their sections' values, and the rules."""

    benefits: Mapping[str, Benefit]
    values: Mapping[str, Any]
    rules: Rules


@dataclass(frozen=True)
class Appraisal:
    """Cash flows in EUR at the ends of years, (horizon + 1, parties) each; gains are positive.

    resources, transfers : by benefit's name what it adds. ledger : what the ledger's transfers add. regulation : what resetting
    network fees adds.
    """

    rate: float
    resources: Mapping[str, Floats]
    transfers: Mapping[str, Floats]
    ledger: Floats
    regulation: Floats
    costs: frozenset[str]

    @cached_property
    def cash(self) -> Floats:
        """All flows together, (horizon + 1, parties)."""
        return sum((*self.resources.values(), *self.transfers.values(), self.ledger), self.regulation)

    @cached_property
    def society_cash(self) -> Floats:
        """What society gains each year, (horizon + 1,): resources alone."""
        return sum((one.sum(axis=1) for one in self.resources.values()), np.zeros(len(self.ledger)))

    @property
    def npv_eur(self) -> Floats:
        """Net present value of each party, (parties,)."""
        return present_value(self.cash, self.rate)

    @property
    def society_npv_eur(self) -> float:
        """Net present value of society: the sum over the parties, for transfers cancel."""
        return float(present_value(self.society_cash, self.rate))

    def npv_of(self, benefit: str) -> float:
        """What a benefit or cost adds to society's net present value."""
        return float(present_value(self.resources[benefit].sum(axis=1), self.rate))

    @property
    def benefit_cost_ratio(self) -> float | None:
        """Present value of all benefits by that of all costs; None without costs."""
        costs_eur = -sum(self.npv_of(name) for name in self.resources if name in self.costs)
        gains_eur = sum(self.npv_of(name) for name in self.resources if name not in self.costs)
        return gains_eur / costs_eur if costs_eur > 0.0 else None

    @property
    def internal_rate(self) -> float | None:
        """Society's internal rate of return."""
        return internal_rate(self.society_cash)

    @property
    def payback_years(self) -> float | None:
        """When society has its money back, undiscounted."""
        return payback_years(self.society_cash)


def town_share(observed: Observed) -> float:
    """The towns' part of the energy that the bulk system carries, without the smart grid."""
    town_mwh = observed.conventional.consumed_mwh + observed.conventional.lost_mwh
    through_mwh = town_mwh + observed.conventional.rest_mwh
    return town_mwh / through_mwh if through_mwh > 0.0 else 1.0


def appraise(observed: Observed, plan: Plan) -> Appraisal:
    """The flows of all benefits and costs that count, those of the ledger, and what the regulation of networks adds."""
    horizon_years, rate = round(observed.rules.horizon_years), observed.rules.discount_rate

    def over_years(flows: list[Flow]) -> Floats:
        return cash_flow(flows, horizon_years, plan.rules.rollout_years)

    found = {name: one.found(observed, plan.values[name]) for name, one in plan.benefits.items()}
    by_nature = {
        nature: {name: over_years([one for one in flows if one.nature is nature]) for name, flows in found.items()}
        for nature in Nature
    }
    paid = ledger_flows(observed)
    ledger = over_years(paid)
    regulation = np.zeros_like(ledger)
    if plan.rules.reset_fees:
        fees = over_years([one for one in paid if one.reasons & fee_names()])[:, Domain.TRANSMISSION]
        moved = sum(by_nature[Nature.TRANSFER].values(), ledger)
        regulation = reset(moved, fees, town_share(observed), rate)
    return Appraisal(
        rate,
        by_nature[Nature.RESOURCE],
        by_nature[Nature.TRANSFER],
        ledger,
        regulation,
        frozenset(name for name, one in plan.benefits.items() if one.is_cost),
    )


def npv_by_party(appraisal: Appraisal) -> dict[str, float]:
    """Net present value of each party by its name."""
    return dict(zip(PARTIES, appraisal.npv_eur.tolist(), strict=True))
