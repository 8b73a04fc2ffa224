"""The first sentences of a sweep, on its page and in the terminal; plain text.

The rule. First stands the worst that any point came to, each finding with the point where it is worst, in the order of
`_WORST`; of several points that are equally bad, the first. Then what changes along the first varied key: from its first value to its last where the
values are numbers, from the value that misses least to the one that misses most where they are words (applications that missed, then messages
lost or late). Where more keys are varied, the sentences say at which of their values this is. Money comes last, and who loses before who gains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from heptagrid.report import sweep_requirements
from heptagrid.report.findings import ESTIMATED, MOST, RATED_PCT, capital, listed, percent
from heptagrid.report.words import DOMAIN_TITLES, number, plain, signed, text

Content = Mapping[str, Any]
Points = Sequence[Content]

# Figure, greatest value that is no trouble, and how a greater one is told.
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
    first, *others = sentences(content, names)
    return f"<h1>{text(first)}</h1>" + "".join(f"<p class='lead'>{text(one)}</p>" for one in others)


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
    found, points = troubles(content), content["points"]
    if found:
        return capital(listed(found[:MOST])) + "."
    where = "the grid holds" if len(points) == 1 else f"at all {len(points)} points the grid holds"
    return capital(f"{where}, and no application missed its requirement.")


def troubles(content: Content) -> list[str]:
    """What goes beyond its limit at any point, the worst first, each where it is worst."""
    points = content["points"]
    found = []
    for figure, limit, say in _WORST:
        values = [_greatest(point, figure) for point in points]
        most = max(values)
        if most > limit:
            found.append(say(most) + ("" if len(points) == 1 else f" (at {points[values.index(most)]['label']})"))
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
    peaks = [_mean(point, "peak_kw") for point in (first, last)]
    missed = [_mean(point, "missed_pct") for point in (first, last)]
    loads = [number(one / 1000.0, 2) for one in peaks]
    peak = (
        f"stays at {loads[0]} MW" if abs(peaks[0] - peaks[1]) < 0.5 else f"{_moves(peaks)} {loads[0]} to {loads[1]} MW"
    )
    return (
        f"{span}, the smart grid's peak import {peak}, and the share of messages lost or late {_moves(missed, 0.005)} "
        f"{number(missed[0], 2)} to {number(missed[1], 2)}\u202f%."
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
    figure, total, unit, over = money_figures(content)
    sums = [_mean(point, figure) for point in (first, last)]
    totals = [_mean(point, total) for point in (first, last)]
    changes = [_mean(last, f"{figure}.{name}") - _mean(first, f"{figure}.{name}") for name in names]
    order = sorted(range(len(names)), key=lambda k: changes[k])
    loser, winner = order[0], order[-1]
    who = []
    state = totals[1] - totals[0] - sums[1] + sums[0]
    if state <= -0.5:
        who.append(f"{signed(-state)} of it what the state goes without, mostly taxes on bills")
    if changes[loser] <= -0.5:
        who.append(f"most lost by {DOMAIN_TITLES[loser].lower()}, {signed(changes[loser])}")
    if changes[winner] >= 0.5:
        who.append(f"most gained by {DOMAIN_TITLES[winner].lower()}, {signed(changes[winner])}")
    years = ""
    if all(point["figures"]["npv_eur"] for point in (first, last)):
        values = [_mean(point, "total_npv_eur") / 1e6 for point in (first, last)]
        years = (
            f" Over {content['horizon_years']:g} years the net present value, with the state, goes from {number(values[0], 2)} to "
            f"{number(values[1], 2)} million EUR."
        )
    details = f" ({'; '.join(who)})" if who else ""
    alone = f"; to the seven domains alone it is {signed(sums[1] - sums[0])} {unit}{details}"
    return (
        f"Between these two the smart grid's net benefit to the seven domains and the state, over {over}, goes from {signed(totals[0])} "
        f"to {signed(totals[1])} {unit}, a change of {signed(totals[1] - totals[0])} {unit}{alone}.{years}"
    )


def _single(content: Content) -> list[str]:
    (point,) = content["points"]
    _, total, unit, over = money_figures(content)
    return [
        f"At {point['label']} the smart grid's peak import is {number(_mean(point, 'peak_kw') / 1000, 2)} MW, "
        f"{number(_mean(point, 'missed_pct'), 2)}\u202f% of the messages are lost or late, and the net benefit to the seven domains and "
        f"the state over {over} is {signed(_mean(point, total))} {unit}.",
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


def _moves(ends: Sequence[float], least: float = 0.5) -> str:
    before, after = ends
    return "rises from" if after - before >= least else "falls from" if before - after >= least else "stays at about"


def _mean(point: Content, figure: str) -> float:
    return float((point["figures"].get(figure) or {"mean": 0.0})["mean"])


def _greatest(point: Content, figure: str) -> float:
    return float((point["figures"].get(figure) or {"max": 0.0})["max"])
