"""The tables of a run's page: messages by kind, who pays whom, the business case, checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heptagrid.foundation.domains import DOMAIN_NAMES
from heptagrid.report.domain_picture import money_digits
from heptagrid.report.rendering import render
from heptagrid.report.words import DOMAIN_TITLES, energy_unit, number


def message_table(kinds: Mapping[str, Mapping[str, Any]]) -> str:
    """Latency and delivery of each kind against its deadline."""
    rows = [
        {
            **one,
            "name": name,
            "delivered_pct": 100.0 * one["delivered"] / one["sent"] if one["sent"] else None,
            "late_pct": 100.0 * one["late"] / one["delivered"] if one["delivered"] else None,
            "of_deadline": None if one["p99_s"] is None else one["p99_s"] / one["deadline_s"],
        }
        for name, one in kinds.items()
    ]
    return render("run/message_table.html", {"kinds": rows})


def money_table(arm: Mapping[str, Any]) -> str:
    """Who pays whom: rows pay, columns are paid, EUR."""
    money = arm["money_eur"]
    largest = max((value for row in money["matrix"] for value in row), default=1.0) or 1.0
    rows = [
        {
            "title": DOMAIN_TITLES[k],
            "cells": [(value, 0.0 if value <= 0 else 0.12 + 0.6 * (value / largest) ** 0.5) for value in row],
            "outside": money["outside_by_domain"][k],
            "balance": money["by_domain"][k],
        }
        for k, row in enumerate(money["matrix"])
    ]
    return render("run/money_table.html", {"titles": list(DOMAIN_TITLES), "rows": rows, "digits": money_digits(arm)})


def reason_table(arm: Mapping[str, Any]) -> str:
    """What was paid for."""
    rows = sorted(arm["money_eur"]["by_reason"], key=lambda one: -one["amount_eur"])
    return render("run/reasons.html", {"rows": rows})


def checks_table(arms: Mapping[str, Mapping[str, Any]]) -> str:
    """The three conservation laws in each arm."""
    rows = []
    for name, arm in arms.items():
        energy = arm["energy_mwh"]
        through = energy["generated"] + energy["imported"]
        unit, scale, digits = energy_unit(energy["lost"])
        rows.append(
            {
                "arm": name,
                "unit": unit,
                "energy": {
                    what: number(scale * (abs(value) if what == "stored" else value), digits)
                    for what, value in energy.items()
                },
                "from_store": energy["stored"] < 0,
                "energy_residual": f"{scale * energy['residual']:.1e}".replace("-", "\u2212"),
                "energy_holds": abs(energy["residual"]) <= 1e-6 * max(through, 1e-9),
                "messages": arm["messages"],
                "money_sum": arm["money_eur"]["sum"],
            }
        )
    return render("run/checks.html", {"arms": rows})


def business_table(business: Mapping[str, Any]) -> str:
    """The parts of each domain's net present value."""
    rows = business["rows"]
    domains = [
        {
            "title": DOMAIN_TITLES[k],
            "parts": [
                one["operating_eur_per_year"],
                one["operating_pv_eur"],
                -one["investment_eur"],
                one["avoided_investment_eur"],
            ],
            "npv": one["npv_eur"],
        }
        for k, one in enumerate(rows)
    ]
    total = [sum(one[key] for one in rows) for key in ("operating_eur_per_year", "operating_pv_eur")]
    total += [-sum(one["investment_eur"] for one in rows)]
    total += [sum(one[key] for one in rows) for key in ("avoided_investment_eur", "npv_eur")]
    yearly_eur = business["state_eur_per_year"]
    worth_eur = yearly_eur * rows[0]["annuity_factor"]
    return render(
        "run/business.html",
        {
            "domains": domains,
            "all_seven": total,
            "state": [yearly_eur, worth_eur, 0.0, 0.0, worth_eur],
            "together": [total[0] + yearly_eur, total[1] + worth_eur, total[2], total[3], total[4] + worth_eur],
        },
    )


BOUGHT = {
    "smart_meter": ("smart meters, without their communication units", False),
    "access_unit": ("communication units of the meters", True),
    "access_site": ("concentrators, gateways or base stations of the access networks", True),
    "backhaul": ("links of the substations to the hub", True),
    "wan": ("links of the hub to control centre, market and providers", True),
    "line_m": ("lines laid for communications", True),
    "head_end": ("head end and meter-data store", False),
    "feeder_sensor": ("measuring kits of the substations", False),
    "control_box": ("control boxes of the customers whose devices are controlled", False),
    "plain_meter": ("plain meters", False),
    "reading_visit": ("equipment for reading meters by visit", False),
    "station_transformers": ("transformers of overloaded substations", False),
    "primary_transformers": ("transformers of overloaded primary substations", False),
}
"""What a run may buy, by its name in the summary's investments: a title, and whether it serves communications."""


def investment_table(summary: Mapping[str, Any]) -> str:
    """What is bought and what need not be, over the years of the business case; and what communications cost of it and to run."""
    business = summary["business"]
    bought = [one for one in business["investments"] if one["present_value_eur"]]
    upkeep_eur = sum(
        one["amount_eur"] for one in summary["arms"]["smart"]["money_eur"]["by_reason"] if one["reason"] == "telecom"
    )
    npv_eur = sum(one["npv_eur"] for one in business["rows"])
    return render(
        "run/investments.html",
        {
            "bought": [
                {
                    "title": BOUGHT[one["name"]][0],
                    "domain": DOMAIN_TITLES[DOMAIN_NAMES.index(one["domain"])],
                    "present_value_eur": one["present_value_eur"],
                }
                for one in sorted(bought, key=lambda one: -one["present_value_eur"])
            ],
            "total_eur": sum(one["present_value_eur"] for one in bought),
            "links_eur": sum(one["present_value_eur"] for one in bought if BOUGHT[one["name"]][1]),
            "yearly_eur": upkeep_eur / summary["days"] * business["weights_sum"],
            "npv_eur_per_customer": npv_eur / summary["customers"],
        },
    )
