"""Which part of society's benefit hangs on messages, and what carrying them costs: one table for points that differ in a technology."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from heptagrid.planes.money.appraisal.appraise import Plan
from heptagrid.planes.money.appraisal.worth import Worth
from heptagrid.scale.figures import spread


def worth_table(
    key: str, ats: Sequence[Mapping[str, Any]], worths: Sequence[Sequence[Worth]], plan: Plan
) -> dict[str, Any]:
    """An entry of `communication` in `sweep.json`: a row for each value of a technology's key.

    Parameters
    ----------
    ats : what was varied, at each point
    worths : at each point, of every seed
    plan : names the benefits
    """
    return {
        "key": key,
        "others": {name: value for name, value in ats[0].items() if name != key},
        "rows": [_row(at[key], of_seeds, plan) for at, of_seeds in zip(ats, worths, strict=True)],
    }


def _row(value: Any, of_seeds: Sequence[Worth], plan: Plan) -> dict[str, Any]:
    """Present values are means over the seeds; what is per customer and year has its least and greatest, too."""

    def mean(values: Sequence[float]) -> float:
        return sum(values) / len(values)

    first = of_seeds[0]
    yearly = {
        "cost": [one.cost_eur / one.customer_years for one in of_seeds],
        "break_even": [one.hanging_eur / one.customer_years for one in of_seeds],
        "whole_break_even": [one.whole_eur / one.customer_years for one in of_seeds],
        "npv": [one.npv_eur / one.customer_years for one in of_seeds],
    }
    return {
        "value": value,
        "cost_eur": mean([one.cost_eur for one in of_seeds]),
        "items_eur": {name: mean([one.items_eur[name] for one in of_seeds]) for name in first.items_eur},
        "hanging_eur": mean([one.hanging_eur for one in of_seeds]),
        "benefits": [
            {
                "name": name,
                "title": plan.benefits[name].title,
                "with_eur": mean([one.with_eur[name] for one in of_seeds]),
                "without_eur": mean([one.without_eur[name] for one in of_seeds]),
            }
            for name in first.with_eur
        ],
        "npv_eur": mean([one.npv_eur for one in of_seeds]),
        "npv_without_eur": mean([one.npv_without_eur for one in of_seeds]),
        "pays": mean([one.hanging_eur - one.cost_eur for one in of_seeds]) > 0.0,
        "eur_per_customer_year": {name: spread(values) for name, values in yearly.items()},
    }
