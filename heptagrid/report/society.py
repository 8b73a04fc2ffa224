"""The section "What society gains, and who": the appraisal of a run that stands for a year, and its uncertainty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from heptagrid.report.charts import Line, line_chart
from heptagrid.report.rendering import render
from heptagrid.report.tornado import Bar, tornado
from heptagrid.report.towns import towns_of
from heptagrid.report.words import DOMAIN_TITLES, kind_of_places, number, signed

PARTY_TITLES = (*DOMAIN_TITLES, "The state (taxes and levies)", "Others: users elsewhere, the climate")
MOST_PARTS = 3  # of the costs and of the benefits that a sentence names
LEAST_PART = 0.005  # of their sum; what is less is not named
WIDEST = 8  # bars of the tornado


def society_section(summary: Mapping[str, Any]) -> str:
    """The section's body; empty where the run has no appraisal."""
    business = summary["business"]
    if not business or "appraisal" not in business:
        return ""
    found = business["appraisal"]
    society = found["society"]
    parties = list(found["npv_eur_by_party"])
    drawn = found["monte_carlo"]
    return render(
        "run/society.html",
        {
            "part": kind_of_places(towns_of(summary)),
            "years": business["horizon_years"],
            "rate_pct": 100.0 * business["discount_rate"],
            "society": society,
            "ratio": number(society["benefit_cost_ratio"], 2),
            "internal_rate": "none"
            if society["internal_rate"] is None
            else f"{number(100.0 * society['internal_rate'], 1)} %",
            "payback": "not within these years"
            if society["payback_years"] is None
            else f"{society['payback_years']:.1f} years",
            "parties": [
                {
                    "title": title,
                    "resources": found["resources_eur_by_party"][name],
                    "transfers": found["npv_eur_by_party"][name]
                    - found["resources_eur_by_party"][name]
                    - found["regulation_eur_by_party"][name],
                    "regulation": found["regulation_eur_by_party"][name],
                    "npv": found["npv_eur_by_party"][name],
                    "range": _range(drawn["npv_eur"].get(name)),
                }
                for title, name in zip(PARTY_TITLES, parties, strict=True)
            ],
            "range": _range(drawn["npv_eur"].get("society_total")),
            "resources": sum(found["resources_eur_by_party"].values()),
            "drawn": drawn,
            "parts": found["parts"],
            "left_out": [{**one, "words": _worth(one)} for one in found["left_out"]],
            "reset_fees": found["reset_fees"],
            "charts": [_cumulated(society["cash_eur"]), _tornado(found, society["npv_eur"])],
            "break_even": [
                {
                    **one,
                    "info": _plain(one["info"]),
                    "at": f"{one['at']:,.4g} {_unit(one)}".strip(),
                    "now": f"{one['value']:,.4g}",
                    "word": "from" if one["gains_above"] else "up to",
                }
                for one in found["break_even"]
            ],
            "communication": communication_sentence(summary),
        },
    )


def society_verdict(summary: Mapping[str, Any]) -> str:
    """Whether it pays for society, which costs stand against which benefits, and which assumption would have to be how different."""
    business = summary["business"]
    found = business["appraisal"]
    costs = [(one["title"], -one["npv_eur"]) for one in found["parts"] if one["is_cost"]]
    gains = [(one["title"], one["npv_eur"]) for one in found["parts"] if not one["is_cost"]]
    pays = found["society"]["pays"]
    return (
        f"For society it {'pays' if pays else 'does not pay'}: over {business['horizon_years']:g} years costs of {_made_of(costs)} stand against "
        f"benefits of {_made_of(gains)}, a net present value of {signed(found['society']['npv_eur'])} EUR. {_nearest(found, pays)}"
    )


def _made_of(parts: list[tuple[str, float]]) -> str:
    """A sum in EUR, and its largest parts."""
    total_eur = sum(eur for _, eur in parts)
    notable = (one for one in parts if abs(one[1]) > LEAST_PART * abs(total_eur))
    largest = sorted(notable, key=lambda one: -abs(one[1]))[:MOST_PARTS]
    said = f"{number(total_eur)} EUR"
    return said + (f" ({', '.join(f'{title} {number(eur)}' for title, eur in largest)})" if largest else "")


def _nearest(found: Mapping[str, Any], pays: bool) -> str:
    """The break-even that is nearest to its assumption, by the width of its likely range."""
    if not found["break_even"]:
        return f"No single assumption would make it {'fail' if pays else 'pay'} within what it accepts."
    one = min(found["break_even"], key=lambda one: abs(one["at"] - one["value"]) / (one["high"] - one["low"] or 1.0))
    is_likely = one["low"] <= one["at"] <= one["high"]
    unit = f" {_unit(one)}".rstrip()
    return (
        f"It {'pays' if pays else 'would pay'} if {_plain(one['info'])} {'is' if pays else 'were'} "
        f"{'at least' if one['gains_above'] else 'at most'} {one['at']:,.4g}{unit} (now {one['value']:,.4g}): the nearest break-even, "
        f"{'within' if is_likely else 'beyond'} its likely range of {one['low']:,.4g} to {one['high']:,.4g}."
    )


def communication_sentence(summary: Mapping[str, Any]) -> str:
    """What the communication system costs beside all benefits, and where to read what messages are worth."""
    one = summary["business"]["appraisal"]["communication"]
    benefit_eur = one["benefit_eur"]
    share = f", {number(100.0 * one['cost_eur'] / benefit_eur)}\u202f% of the benefits" if benefit_eur > 0.0 else ""
    return (
        f"The communication system costs {number(one['cost_eur'])} EUR over these years{share}; which part of the benefits would be lost without it, "
        "a sweep over technologies measures"
    )


def society_lines(summary: Mapping[str, Any]) -> Iterator[str]:
    """The appraisal in three lines; none where the run has none."""
    business = summary["business"]
    if not business or "appraisal" not in business:
        return
    found = business["appraisal"]
    society, drawn = found["society"], found["monte_carlo"]
    ratio = society["benefit_cost_ratio"]
    said = "" if ratio is None else f", benefits {number(ratio, 2)} times the costs"
    yield f"society over {business['horizon_years']:g} years: {signed(society['npv_eur'])} EUR net present value{said}"
    if drawn["draws"]:
        ends = _range(drawn["npv_eur"]["society_total"])
        yield f"uncertainty: 90 % of {drawn['draws']} draws lie from {ends} EUR; {100 * drawn['share_positive']:.0f} % gain"
    else:
        yield "uncertainty: not drawn"
    yield communication_sentence(summary)


def _range(quantiles: Mapping[str, float] | None) -> str:
    return f"{signed(quantiles['p5'])} to {signed(quantiles['p95'])}" if quantiles else "–"


def _unit(one: Mapping[str, Any]) -> str:
    return "" if one["unit"] == "1" else str(one["unit"])


def _worth(one: Mapping[str, Any]) -> str:
    if one["moved_eur"]:
        return f"moves {number(one['moved_eur'])} EUR between the parties"
    return f"{signed(one['npv_eur'])} EUR"


def _cumulated(cash_eur: list[float]) -> str:
    years = np.arange(len(cash_eur))
    line = Line("society", "smart", years.astype(float), np.cumsum(cash_eur) / 1000.0)
    ticks = [(float(year), str(year)) for year in years if year % 5 == 0]
    return line_chart(
        "Society's gain so far, by year, undiscounted", "thousand EUR", [line], ticks, [(0.0, "even")], from_zero=True
    )


def _plain(info: str) -> str:
    """A phrase of a declaration without the marks of code."""
    return info.replace("`", "")


def _tornado(found: Mapping[str, Any], npv_eur: float) -> str:
    shown = [
        Bar(
            f"{_plain(one['info'])}: {one['low']:,.4g} to {one['high']:,.4g} {_unit(one)}".strip(),
            one["at_low_eur"],
            one["at_high_eur"],
        )
        for one in found["tornado"][:WIDEST]
    ]
    return tornado("Society's net present value at both ends of each range", "EUR", shown, npv_eur)
