"""The appraisal's part of a summary's `business`: what society gains and who, its uncertainty, and what communications are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from heptagrid.assembly.world import World
from heptagrid.foundation.registry import benefits
from heptagrid.planes.money.appraisal.appraise import Appraisal, Plan, appraise, npv_by_party
from heptagrid.planes.money.appraisal.cash_flow import cash_flow, present_value
from heptagrid.planes.money.appraisal.uncertainty import (
    Uncertain,
    break_even,
    monte_carlo,
    tornado,
    uncertain_parameters,
)
from heptagrid.planes.money.benefits.benefit import PARTIES, Nature
from heptagrid.planes.money.benefits.observed import Observed, Outage
from heptagrid.recording.arm_result import ArmResult
from heptagrid.recording.observed_year import observed_year
from heptagrid.scenario.schema import Scenario

QUANTILES = (("p5", 0.05), ("median", 0.5), ("p95", 0.95))
COMMUNICATION = "communication"


def plan_of(sections: Mapping[str, Any]) -> Plan:
    """Every registered benefit and cost, with a scenario's sections."""
    found = benefits()
    return Plan(found, {name: sections[f"benefits.{name}"] for name in found}, sections["appraisal"])


def appraised(
    scenario: Scenario, world: World, typical: bool, results: Mapping[str, Sequence[ArmResult]]
) -> dict[str, Any]:
    """The entry that a run's results add to `business`: `appraisal`."""
    observed = observed_year(scenario, world, typical, results)
    return {"appraisal": appraisal_summary(observed, plan_of(scenario.sections), scenario.seed)}


def appraisal_summary(observed: Observed, plan: Plan, seed: int) -> dict[str, Any]:
    """The entry `business.appraisal`: EUR, present values unless a name says otherwise."""
    found = appraise(observed, plan)
    return {
        "rollout_years": plan.rules.rollout_years,
        "reset_fees": plan.rules.reset_fees,
        "society": {
            "pays": found.society_npv_eur > 0.0,
            "npv_eur": found.society_npv_eur,
            "benefit_cost_ratio": found.benefit_cost_ratio,
            "internal_rate": found.internal_rate,
            "payback_years": found.payback_years,
            "cash_eur": found.society_cash.tolist(),
        },
        "npv_eur_by_party": npv_by_party(found),
        "resources_eur_by_party": _by_party(found, sum(found.resources.values(), np.zeros_like(found.ledger))),
        "regulation_eur_by_party": _by_party(found, found.regulation),
        "parts": [
            _part(name, observed, found, plan)
            for name in plan.benefits
            if plan.benefits[name].counts(plan.values[name])
        ],
        "left_out": [
            _left_out(name, observed, plan, found.rate)
            for name in plan.benefits
            if not plan.benefits[name].counts(plan.values[name])
        ],
        "observed": _observed(observed),
        "communication": _communication(found, plan),
        **_uncertainty(observed, plan, seed),
    }


def _by_party(found: Appraisal, cash: Any) -> dict[str, float]:
    return dict(zip(PARTIES, present_value(cash, found.rate).tolist(), strict=True))


def _part(name: str, observed: Observed, found: Appraisal, plan: Plan) -> dict[str, Any]:
    """What a benefit or cost adds to society, and to each party by transfers too."""
    one = plan.benefits[name]
    return {
        "name": name,
        "title": one.title,
        "is_cost": one.is_cost,
        "is_shown": one.is_shown(observed),
        "npv_eur": found.npv_of(name),
        "by_party": _by_party(found, found.resources[name] + found.transfers[name]),
    }


def _left_out(name: str, observed: Observed, plan: Plan, rate: float) -> dict[str, Any]:
    """What is switched off: why, and what it would add to society, or move where it is a transfer."""
    one = plan.benefits[name]
    flows = one.if_counted(observed, plan.values[name])
    cash = cash_flow(flows, round(observed.rules.horizon_years), plan.rules.rollout_years)
    worth = present_value(cash, rate)
    return {
        "name": name,
        "title": one.title,
        "why": one.not_simulated,
        "npv_eur": float(worth.sum()),
        "moved_eur": float(np.maximum(worth, 0.0).sum()) if all(f.nature is Nature.TRANSFER for f in flows) else 0.0,
    }


def _observed(observed: Observed) -> dict[str, Any]:
    """What the values rest on, of both arms."""
    names = (
        *("consumed_mwh", "lost_mwh", "fuel_eur", "system_peak_mw", "coincident_mw", "system_peak_at", "highest_mw"),
        *("voltage_pu", "outage_customer_minutes", "not_served_mwh", "unbilled_mwh", "price_eur_per_mwh"),
    )
    arms = {"conventional": observed.conventional, "smart": observed.smart}
    return {
        arm: {name: getattr(year, name) for name in names} | {"outages": [_outage(one) for one in year.outages]}
        for arm, year in arms.items()
    }


def _outage(one: Outage) -> dict[str, Any]:
    """A row of outages; the longest class has no end."""
    return asdict(one) | {"up_to_h": one.up_to_h if np.isfinite(one.up_to_h) else None}


def _communication(found: Appraisal, plan: Plan) -> dict[str, float]:
    """What the communication system costs, and all benefits. What would be left of these without messages, no single run tells."""
    return {
        "cost_eur": -found.npv_of(COMMUNICATION) if COMMUNICATION in plan.benefits else 0.0,
        "benefit_eur": sum(found.npv_of(name) for name, one in plan.benefits.items() if not one.is_cost),
    }


def _uncertainty(observed: Observed, plan: Plan, seed: int) -> dict[str, Any]:
    swings = tornado(observed, plan)
    drawn = monte_carlo(observed, plan, seed)
    return {
        "tornado": [{**_named(one.of), "at_low_eur": one.at_low_eur, "at_high_eur": one.at_high_eur} for one in swings],
        "break_even": [
            {**_named(one), "at": found[0], "gains_above": found[1]}
            for one in uncertain_parameters(observed, plan)
            for found in (break_even(observed, plan, one),)
            if found is not None
        ],
        "monte_carlo": {
            "draws": len(drawn),
            "share_positive": float((drawn[:, 0] > 0.0).mean()) if len(drawn) else None,
            "npv_eur": {
                name: {key: float(np.quantile(drawn[:, k], share)) for key, share in QUANTILES}
                for k, name in enumerate(("society_total", *PARTIES))
            }
            if len(drawn)
            else {},
        },
    }


def _named(one: Uncertain) -> dict[str, Any]:
    declared = one.declaration
    return {
        "key": one.key,
        "info": declared.info,
        "unit": declared.unit,
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "source": declared.source,
    }
