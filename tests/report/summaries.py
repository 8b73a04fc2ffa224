"""Summaries of runs that never were: an uneventful pair of arms, to be changed by a test."""

from __future__ import annotations

import copy
from typing import Any

from heptagrid.foundation.domains import DOMAIN_NAMES

ARM: dict[str, Any] = {
    "voltage": {
        "min_pu": 0.97,
        "max_pu": 1.03,
        "customers_min_pu": 0.97,
        "customers_max_pu": 1.03,
        "customers_outside": 0,
        "violation_customer_minutes": 0.0,
        "band_pu": [0.9, 1.1],
    },
    "devices": {"vehicles": 3, "heat_pumps": 2, "batteries": 1, "local_units": 4},
    "interruptions": {"customers": 0.0, "customer_minutes": 0.0, "energy_not_served_mwh": 0.0},
    "frequency": None,
    "loading": {
        "primary_peak_kw": 5000.0,
        "max_transformer_pct": 80.0,
        "max_transformer": "T1",
        "overloaded_transformers": 0,
        "max_line_pct": 60.0,
        "max_line": "L1",
        "overloaded_lines": 0,
    },
    "requirements": [],
    "metering": {},
    "messages": {"delivered": 1000},
    "money_eur": {"by_domain": [0.0] * 7, "state": 0.0},
    "bills": {"mean_bill_eur": 2.0},
    "comfort": {},
    "energy_mwh": {"lost": 1.0},
}


def application(
    name: str, verdict: str, share: float | None = 1.0, places_missed: int = 0, reliability: float = 0.98
) -> dict[str, Any]:
    """A row of an arm's requirements, as far as sentences need it."""
    return {
        "application": name,
        "verdict": verdict,
        "share_in_time": share,
        "reliability": reliability,
        "by_place": {"met": 100 - places_missed, "not_refuted": 0, "missed": places_missed},
    }


def summary(*arms: str) -> dict[str, Any]:
    """A summary in which nothing went wrong; a conventional and a smart arm unless others are named."""
    names = arms or ("conventional", "smart")
    both = {"conventional", "smart"} <= set(names)
    made: dict[str, Any] = {
        "customers": 1000,
        "enrolled_customers": 5,
        "days": 1,
        "partial": False,
        "unconverged": [],
        "hunting": [],
        "events": [],
        "arms": {name: copy.deepcopy(ARM) for name in names},
        "business": None,
        "break": None,
        "difference": None,
    }
    if "smart" in made["arms"]:
        made["arms"]["smart"]["requirements"] = [
            application("meter reading", "met"),
            application("alarms", "not used", None),
        ]
        made["arms"]["smart"]["metering"] = {"expected": 96_000, "estimated": 0}
    if both:
        made["difference"] = {
            "primary_peak_kw": -500.0,
            "energy_lost_mwh": -0.1,
            "violation_customer_minutes": 0.0,
            "mean_bill_eur": -0.5,
        }
    return made


def with_business(
    made: dict[str, Any], npv_eur: list[float], annuity_factor: float = 10.0, state_eur_per_year: float = 0.0
) -> dict[str, Any]:
    """The same, standing for a year."""
    made["business"] = {
        "horizon_years": 15.0,
        "state_eur_per_year": state_eur_per_year,
        "rows": [
            {
                "domain": name,
                "operating_eur_per_year": one / annuity_factor,
                "operating_pv_eur": one,
                "investment_eur": 0.0,
                "avoided_investment_eur": 0.0,
                "npv_eur": one,
                "annuity_factor": annuity_factor,
            }
            for name, one in zip(DOMAIN_NAMES, npv_eur, strict=True)
        ],
    }
    return made
