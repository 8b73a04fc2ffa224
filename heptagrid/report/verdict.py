"""The verdict of a run: does the grid hold, do the applications get what they need, does it pay and for whom.

The grid holds where no customer lost supply, no load was shed, every flow was found, every control of taps and capacitors settled, every
supply voltage stayed in the band and no transformer or line carried more than its rating. Money is of the seven domains and the state, whose
taxes are no cost to all together: per customer and year, of a run that stands for a year, and else per customer and day, of operation alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heptagrid.report import requirements
from heptagrid.report.findings import (
    ESTIMATED,
    capital,
    estimated_share,
    findings,
    is_of_the_grid,
    percent,
    yearly_eur_per_customer,
)
from heptagrid.report.society import society_verdict
from heptagrid.report.words import ARM_TITLES, DOMAIN_TITLES, number, signed

Summary = Mapping[str, Any]

_WHO = (*(title.lower() for title in DOMAIN_TITLES), "the state")


@dataclass(frozen=True)
class Answer:
    """An answer: is_good is None where there is none; reasons are sentences."""

    question: str
    word: str
    is_good: bool | None
    reasons: tuple[str, ...]

    @property
    def style(self) -> str:
        """The class of the word on a page."""
        return "unknown" if self.is_good is None else "good" if self.is_good else "bad"


def answers(summary: Summary) -> tuple[Answer, Answer, Answer]:
    """The three questions, answered."""
    return _grid(summary), _applications(summary), _money(summary)


def _grid(summary: Summary) -> Answer:
    troubles = [one for one in findings(summary) if is_of_the_grid(one)]
    arms = {name: arm for name, arm in summary["arms"].items() if name != "intact"}
    word, is_good = "yes", True
    if troubles:
        word, is_good = ("no", False) if troubles[0].is_smart else ("yes; the conventional grid does not", True)
    reasons = [capital(one.words) + "." for one in troubles]
    for name in sorted(arms, key=lambda one: one != "smart"):
        reasons.append(f"{capital(ARM_TITLES[name])} arm: {_condition(arms[name])}.")
    return Answer("Does the grid hold?", word, is_good, tuple(reasons))


def _condition(arm: Summary) -> str:
    """Voltages and loadings of an arm."""
    volts, loading = arm["voltage"], arm["loading"]
    if volts["customers_min_pu"] is None:
        return "no step was run"
    said = f"supply voltage {number(volts['customers_min_pu'], 3)} to {number(volts['customers_max_pu'], 3)} pu"
    for what in ("transformer", "line"):
        most = loading[f"max_{what}_pct"]
        if most is not None:
            said += f"; {what}s at most {percent(most)} ({loading[f'max_{what}']})"
    return said


def _applications(summary: Summary) -> Answer:
    question = "Do the applications get what they need?"
    arm = summary["arms"].get("smart") or summary["arms"]["conventional"]
    rows = arm["requirements"]
    verdicts = [one["verdict"] for one in rows if one["verdict"] != "not used"]
    if not verdicts:
        return Answer(question, "none is used", None, ("No application sent a message whose fate is known.",))
    is_good = "missed" not in verdicts
    in_places = any(one["by_place"]["missed"] for one in rows if one["verdict"] != "missed")
    word = (
        "no"
        if not is_good
        else "none missed over all"
        if in_places
        else "yes"
        if set(verdicts) == {"met"}
        else "none missed"
    )
    return Answer(question, word, is_good, (capital(requirements.sentence(rows)) + ".",))


def _money(summary: Summary) -> Answer:
    question = "Does it pay, and for whom?"
    arms = summary["arms"]
    if "smart" not in arms or "conventional" not in arms:
        return Answer(question, "not known", None, ("One arm alone has nothing to be compared with.",))
    yearly = yearly_eur_per_customer(summary)
    reasons = []
    share = estimated_share(arms["smart"])
    if share > ESTIMATED:
        reasons.append(
            f"{number(100.0 * share, 1)}\u202f% of the meter reads are estimates: part of what follows is money for energy that was "
            "not metered, and no gain."
        )
    if yearly is not None:
        business = summary["business"]
        each = [one["npv_eur"] / one["annuity_factor"] / summary["customers"] for one in business["rows"]]
        each.append(business["state_eur_per_year"] / summary["customers"])
        reasons.insert(
            0,
            f"The seven domains and the state together: {signed(yearly, 2)} EUR per customer and year, the net present value over "
            f"{business['horizon_years']:g} years as an annuity, with what must be bought.",
        )
        if "appraisal" in business:
            reasons.insert(1, society_verdict(summary))
        reasons.append(f"{capital(shares(each))} (EUR per customer and year).")
        return Answer(question, "yes" if yearly > 0.0 else "no", yearly > 0.0, tuple(reasons))
    if summary["partial"]:
        return Answer(question, "not known", None, ("The run was stopped before its end.",))
    per = summary["customers"] * summary["days"] or 1
    smart, conventional = (arms[name]["money_eur"] for name in ("smart", "conventional"))
    each = [(one - other) / per for one, other in zip(smart["by_domain"], conventional["by_domain"], strict=True)]
    each.append((smart["state"] - conventional["state"]) / per)
    reasons.insert(0, "This run stands for no year: run --typical for euros per customer and year.")
    reasons.append(
        f"Operation alone, without what must be bought, EUR per customer and day: {shares(each)}; together "
        f"{signed(sum(each), digits_of(each))}."
    )
    return Answer(question, "not known", None, tuple(reasons))


def shares(each: Sequence[float]) -> str:
    """Who of the seven domains and the state loses and gains, the greatest loss first; what rounds to nothing is left out."""
    order = sorted(range(len(each)), key=lambda k: each[k])
    said = [f"{_WHO[k]} {signed(each[k], digits_of(each))}" for k in order if round(each[k], digits_of(each))]
    return ", ".join(said) if said else "nobody gains or loses"


def digits_of(each: Sequence[float]) -> int:
    """Decimals of euros per customer, the same for all parts and their sum."""
    return 2 if max(map(abs, each), default=0.0) >= 1.0 else 3
