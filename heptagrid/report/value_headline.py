"""The first sentences of a sweep, on its page and in the terminal; plain text.

The rule. First stands the worst that any point came to, each finding with the point where it is worst, in the order of
`_WORST`; of several points that are equally bad, the first. Then what changes along the first varied key: from its first value to its last where the
values are numbers, from the value that misses least to the one that misses most where they are words (applications that missed, then messages
lost or late). Where more keys are varied, the sentences say at which of their values this is. Money comes last, per customer as in a run's verdict, and
who loses before who gains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from heptagrid.planes.money.business import annuity_factor
from heptagrid.report import sweep_requirements
from heptagrid.report.findings import ESTIMATED, MOST, RATED_PCT, capital, listed, percent
from heptagrid.report.rendering import render
from heptagrid.report.verdict import digits_of, shares
from heptagrid.report.words import number, plain, signed

Content = Mapping[str, Any]
Points = Sequence[Content]

# Figure, greatest value that is within its limit, and the words for a greater one.
_WORST: tuple[tuple[str, float, Callable[[float], str]], ...] = (
    (
        "violation_customer_minutes",
        0.0,
        lambda value: f"voltage is outside the band for {number(value)} customer-minutes",
    ),
    ("transformer_pct", RATED_PCT, lambda value: f"a transformer carries {percent(value)} of its rating"),
    ("line_pct", RATED_PCT, lambda value: f"a line carries {percent(value)} of its continuous rating"),
    (
        "requirements_missed",
        0.0,
        lambda value: f"{number(value)} application{'' if value == 1 else 's'} missed their requirement",
    ),
    ("estimated_pct", 100.0 * ESTIMATED, lambda value: f"{number(value, 1)}\u202f% of the meter reads are estimated"),
)


def headline(content: Content, names: Sequence[str]) -> str:
    """The sentences as HTML; `names` are the domains' keys."""
    return render("sweep/headline.html", {"sentences": sentences(content, names)})


def sentences(content: Content, names: Sequence[str]) -> list[str]:
    """The worst of all points, then an engineer's, the applications' and an economist's sentence."""
    points = content["points"]
    if len(points) == 1:
        return [worst(content), *_single(content)]
    along = _along(content)
    first, last = _ends(content, along)
    requirements = sweep_requirements.sentence(content, along)
    return [
        worst(content),
        _engineer(content, along, first, last),
        requirements,
        _economist(content, first, last, names),
    ]


def worst(content: Content) -> str:
    """The worst that any point came to in its smart arm, with any seed."""
    found, points = troubles(content)[:MOST], content["points"]
    if found:
        places = {where for _, where in found}
        if len(points) == 1:
            return capital(listed([words for words, _ in found])) + "."
        if len(places) == 1:
            return f"At {min(places)} {listed([words for words, _ in found])}."
        return capital(listed([f"{words} (at {where})" for words, where in found])) + "."
    where = "the grid holds" if len(points) == 1 else f"at all {len(points)} points the grid holds"
    return capital(f"{where}, and no application missed its requirement.")


def troubles(content: Content) -> list[tuple[str, str]]:
    """What goes beyond its limit at any point, the worst first, each with the point where it is worst."""
    points = content["points"]
    found = []
    for figure, limit, say in _WORST:
        values = [_greatest(point, figure) for point in points]
        most = max(values)
        if most > limit:
            found.append((say(most), points[values.index(most)]["label"]))
    return found


def money_figures(content: Content) -> tuple[str, str, str, str]:
    """The domains' net benefit, that with the state, their unit, and over what: years if they are known."""
    if all(point["figures"]["operating_eur_per_year"] for point in content["points"]):
        return "operating_eur_per_year", "total_eur_per_year", "EUR a year", "a year of operation"
    days = len(content["dates"])
    return "net_benefit_eur", "total_benefit_eur", "EUR", "the day run" if days == 1 else f"the {days} days run"


def _engineer(content: Content, along: Points, first: Content, last: Content) -> str:
    varied = content["varied"][0]
    before, after = (plain(point["at"][varied["key"]]) for point in (first, last))
    if varied["is_number"]:
        span = f"When {varied['key']} goes from {before} to {after}"
    else:
        span = f"When {before} is replaced by {after} ({varied['key']}"
        span += f"; of {len(along)} the one that misses least, and the one that misses most)" if len(along) > 2 else ")"
    span += _elsewhere(content)
    peaks_mw = [_mean(point, "peak_kw") / 1000.0 for point in (first, last)]
    missed_pct = [_mean(point, "missed_pct") for point in (first, last)]
    return (
        f"{span}, the smart grid's peak import {_course(peaks_mw)} MW, and the share of messages lost or late "
        f"{_course(missed_pct)}\u202f%."
    )


def _elsewhere(content: Content) -> str:
    """Where the other varied keys stand, if they are varied."""
    others = [one for one in content["varied"][1:] if len(one["values"]) > 1]
    if not others:
        return ""
    where = ", ".join(
        f"{one['key']}={plain(one['values'][0])}, the first of {len(one['values'])} values" for one in others
    )
    return f" (at {where})"


def _economist(content: Content, first: Content, last: Content, names: Sequence[str]) -> str:
    figure, total, unit, what = per_customer(content)
    before, after = ([worth_eur(content, point, f"{figure}.{name}") for name in names] for point in (first, last))
    totals = [worth_eur(content, point, total) for point in (first, last)]
    changes = [b - a for a, b in zip(before, after, strict=True)]
    changes.append(totals[1] - totals[0] - sum(changes))  # the state's
    digits = digits_of([*totals, *changes])
    varied = content["varied"][0]
    name = f"{varied['key']}=" if varied["is_number"] else ""
    ends = [f"{name}{plain(one['at'][varied['key']])}" for one in (first, last)]
    worth = [signed(one, digits) for one in totals]
    course = (
        f"stays at {worth[0]} {unit}"
        if worth[0] == worth[1]
        else f"goes from {worth[0]} to {worth[1]} {unit}, a change of {signed(totals[1] - totals[0], digits)}"
    )
    said = f"From {ends[0]} to {ends[1]} the smart grid's {what} {course}: {shares(changes)}."
    return said + caveat([(point["label"], _greatest(point, "estimated_pct")) for point in (first, last)])


def caveat(estimated: Sequence[tuple[str, float]]) -> str:
    """What is said of money where reads were estimated; (label, percent of the reads)."""
    many = [(label, pct) for label, pct in estimated if pct > 100.0 * ESTIMATED]
    if not many:
        return ""
    label, pct = max(many, key=lambda one: one[1])
    return (
        f" Part of this is money for energy that was not metered, and no gain: {number(pct, 1)}\u202f% of the meter reads are estimated "
        f"({label})."
    )


def per_customer(content: Content) -> tuple[str, str, str, str]:
    """By which figure of the domains, and with the state, money is reported; its unit per customer, and what it is."""
    if all(point["figures"]["npv_eur"] for point in content["points"]):
        what = "net present value for the seven domains and the state, as an annuity with what must be bought,"
        return "npv_eur", "total_npv_eur", "EUR per customer and year", what
    what = "net benefit to the seven domains and the state, operation alone,"
    return "net_benefit_eur", "total_benefit_eur", "EUR per customer and day", what


def worth_eur(content: Content, point: Content, figure: str) -> float:
    """A figure of `per_customer` in its unit, mean over the seeds."""
    if figure.partition(".")[0] in ("npv_eur", "total_npv_eur"):
        years, rate = (point["at"].get(f"business.{key}", content[key]) for key in ("horizon_years", "discount_rate"))
        return _mean(point, figure) / annuity_factor(rate, years) / float(content["customers"])
    return _mean(point, figure) / len(content["dates"]) / float(content["customers"])


def _single(content: Content) -> list[str]:
    (point,) = content["points"]
    _, total, unit, what = per_customer(content)
    eur = worth_eur(content, point, total)
    return [
        f"At {point['label']} the smart grid's peak import is {number(_mean(point, 'peak_kw') / 1000, 2)} MW, "
        f"{number(_mean(point, 'missed_pct'), 2)}\u202f% of the messages are lost or late, and the {what} is "
        f"{signed(eur, digits_of([eur]))} {unit}.{caveat([(point['label'], _greatest(point, 'estimated_pct'))])}",
        sweep_requirements.sentence(content, [point]),
    ]


def _along(content: Content) -> list[Content]:
    """The points along the first varied key, all others at their first value."""
    varied = content["varied"]
    return [
        point for point in content["points"] if all(point["at"][one["key"]] == one["values"][0] for one in varied[1:])
    ]


def _ends(content: Content, along: Points) -> tuple[Content, Content]:
    """First and last of numbers; of words, that which misses least and that which misses most."""
    if content["varied"][0]["is_number"]:
        return along[0], along[-1]
    ranked = sorted(along, key=lambda point: (_mean(point, "requirements_missed"), _mean(point, "missed_pct")))
    return ranked[0], ranked[-1]


def _course(ends: Sequence[float]) -> str:
    """What a figure does between two points, as far as two decimals show it."""
    before, after = (number(one, 2) for one in ends)
    if before == after:
        return f"stays at {before}"
    return f"{'rises' if ends[1] > ends[0] else 'falls'} from {before} to {after}"


def _mean(point: Content, figure: str) -> float:
    return float((point["figures"].get(figure) or {"mean": 0.0})["mean"])


def _greatest(point: Content, figure: str) -> float:
    return float((point["figures"].get(figure) or {"max": 0.0})["max"])
