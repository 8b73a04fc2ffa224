"""How flows become an appraisal: roll-out, regulation, and how many draws uncertainty takes."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.parameters import parameter


@dataclass(frozen=True)
class Rules:
    """Horizon and discount rate are those of the section `business`."""

    rollout_years: int = parameter(
        1,
        info="years over which meters are rolled out, the same number each year; 1: all at the start",
        unit="years",
        low=1,
        high=30,
        source="assumption: a town is fitted within a year; countries took 5 to 10",
    )
    reset_fees: bool = parameter(
        True,
        info="whether network fees are reset each year to the allowed revenue, with what was taken too much or too little carried over",
        source="German Incentive Regulation Ordinance (ARegV), section 5, regulatory account (source not read)",
    )
    draws: int = parameter(
        1000,
        info="draws over all uncertain parameters",
        low=0,
        high=100_000,
        source="assumption: the quantiles' second digit stands",
    )
