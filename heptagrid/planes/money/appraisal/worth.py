"""What the messages of a smart grid are worth to society, beside what the communication system costs.

Three arms tell it: the conventional one, the smart one, and the smart one without messages: the same devices at the same cost, with all
messages lost. What a benefit comes to less with these is the part of it that hangs on messages. It is the price that society could at most pay for
communication once the devices are there: at that price, a smart grid with messages is worth as much as one without messages and without
the cost of carrying them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from heptagrid.planes.money.appraisal.appraise import Plan, appraise
from heptagrid.planes.money.appraisal.cash_flow import cash_flow, present_value
from heptagrid.planes.money.benefits.observed import Observed
from heptagrid.planes.money.business import annuity_factor

COMMUNICATION = "communication"


@dataclass(frozen=True)
class Worth:
    """Present values in EUR over the horizon.

    Attributes
    ----------
    items_eur : what the communication system costs, by item
    with_eur, without_eur : by benefit's name what society gains, with messages and without
    npv_eur, npv_without_eur : society's net present value, all costs paid, with messages and without
    customer_years : how many customers' years a present value is spread over, each year discounted
    """

    items_eur: Mapping[str, float]
    with_eur: Mapping[str, float]
    without_eur: Mapping[str, float]
    npv_eur: float
    npv_without_eur: float
    customer_years: float

    @property
    def cost_eur(self) -> float:
        """What the communication system costs."""
        return sum(self.items_eur.values())

    @property
    def hanging_eur(self) -> float:
        """The part of all benefits that would be lost without messages."""
        return sum(self.with_eur.values()) - sum(self.without_eur.values())

    @property
    def whole_eur(self) -> float:
        """Up to which cost of communication the smart grid as a whole pays for society; below zero: at no cost."""
        return self.npv_eur + self.cost_eur


def worth_of_messages(observed: Observed, silent: Observed, plan: Plan) -> Worth:
    """From the observed years of the smart grid, with messages and without, each against the same conventional arm."""
    found, without = appraise(observed, plan), appraise(silent, plan)
    horizon_years, rate = round(observed.rules.horizon_years), observed.rules.discount_rate
    items_eur: dict[str, float] = {}
    for flow in plan.benefits[COMMUNICATION].found(observed, plan.values[COMMUNICATION]):
        cash = cash_flow([flow], horizon_years, plan.rules.rollout_years).sum(axis=1)
        items_eur[flow.name] = items_eur.get(flow.name, 0.0) - float(present_value(cash, rate))
    gains = [name for name, one in plan.benefits.items() if not one.is_cost and one.counts(plan.values[name])]
    return Worth(
        items_eur,
        {name: found.npv_of(name) for name in gains},
        {name: without.npv_of(name) for name in gains},
        found.society_npv_eur,
        without.society_npv_eur,
        observed.customers * annuity_factor(rate, horizon_years),
    )
