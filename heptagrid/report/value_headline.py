"""The first two sentences of a sweep's page: what changed from one end of the varied quantity to the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from heptagrid.report import sweep_requirements
from heptagrid.report.words import DOMAIN_TITLES, number, plain, signed, text


def headline(content: Mapping[str, Any], names: Sequence[str]) -> str:
    """Two sentences with numbers, an engineer's and an economist's; `names` are the domains' keys."""
    points = content["points"]
    if len(points) == 1:
        return _single(content)
    along = _along(content)
    first, last = along[0], along[-1]
    varied = content["varied"][0]
    span = f"{text(varied['key'])} goes from {text(plain(first['at'][varied['key']]))} to {text(plain(last['at'][varied['key']]))}"
    if not varied["is_number"]:
        names_of = [text(plain(point["at"][varied["key"]])) for point in (first, last)]
        span = f"{names_of[0]} is replaced by {names_of[1]} ({text(varied['key'])})"
    peaks = [_mean(point, "peak_kw") for point in (first, last)]
    missed = [_mean(point, "missed_pct") for point in (first, last)]
    engineer = (
        f"When {span}, the smart grid's peak import {_moves(peaks)} {number(peaks[0] / 1000, 2)} to "
        f"{number(peaks[1] / 1000, 2)} MW, and the share of messages lost or late {_moves(missed, 0.005)} {number(missed[0], 2)} to "
        f"{number(missed[1], 2)}\u202f%."
    )
    if abs(peaks[0] - peaks[1]) < 0.5:
        engineer = (
            f"When {span}, the smart grid's peak import stays at {number(peaks[0] / 1000, 2)} MW; the share of messages lost or late "
            f"{_moves(missed, 0.005)} {number(missed[0], 2)} to {number(missed[1], 2)}\u202f%."
        )
    requirements = sweep_requirements.sentence(content, along)
    return f"<h1>{engineer}</h1><p class='lead'>{requirements}</p><p class='lead'>{_economist(content, first, last, names)}</p>"


def money_figures(content: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """The domains' net benefit, that with the state, their unit, and over what: years if they are known."""
    if all(point["figures"]["operating_eur_per_year"] for point in content["points"]):
        return "operating_eur_per_year", "total_eur_per_year", "EUR a year", "a year of operation"
    days = len(content["dates"])
    return "net_benefit_eur", "total_benefit_eur", "EUR", "the day run" if days == 1 else f"the {days} days run"


def _economist(
    content: Mapping[str, Any], first: Mapping[str, Any], last: Mapping[str, Any], names: Sequence[str]
) -> str:
    figure, total, unit, over = money_figures(content)
    sums = [_mean(point, figure) for point in (first, last)]
    totals = [_mean(point, total) for point in (first, last)]
    changes = [_mean(last, f"{figure}.{name}") - _mean(first, f"{figure}.{name}") for name in names]
    order = sorted(range(len(names)), key=lambda k: changes[k])
    loser, winner = order[0], order[-1]
    who = []
    if changes[winner] >= 0.5:
        who.append(f"most gained by {DOMAIN_TITLES[winner].lower()}, {signed(changes[winner])}")
    if changes[loser] <= -0.5:
        who.append(f"most lost by {DOMAIN_TITLES[loser].lower()}, {signed(changes[loser])}")
    years = ""
    if all(point["figures"]["npv_eur"] for point in (first, last)):
        values = [_mean(point, "total_npv_eur") / 1e6 for point in (first, last)]
        years = (
            f" Over {content['horizon_years']:g} years the net present value, with the state, goes from {number(values[0], 2)} to "
            f"{number(values[1], 2)} million EUR."
        )
    state = totals[1] - totals[0] - sums[1] + sums[0]
    if state <= -0.5:
        who.insert(0, f"{signed(-state)} of it what the state goes without, mostly taxes on bills")
    details = f" ({'; '.join(who)})" if who else ""
    alone = f"; to the seven domains alone it is {signed(sums[1] - sums[0])} {unit}{details}"
    return (
        f"On the way the smart grid's net benefit to the seven domains and the state, over {over}, goes from {signed(totals[0])} "
        f"to {signed(totals[1])} {unit}, a change of <b>{signed(totals[1] - totals[0])} {unit}</b>{alone}.{years}"
    )


def _single(content: Mapping[str, Any]) -> str:
    (point,) = content["points"]
    _, total, unit, over = money_figures(content)
    return (
        f"<h1>At {text(point['label'])} the smart grid's peak import is {number(_mean(point, 'peak_kw') / 1000, 2)} MW.</h1>"
        f"<p class='lead'>{number(_mean(point, 'missed_pct'), 2)}\u202f% of the messages are lost or late, and the net benefit to "
        f"the seven domains and the state over {over} is {signed(_mean(point, total))} {unit}. "
        f"{sweep_requirements.sentence(content, [point])}</p>"
    )


def _along(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The points along the first varied key, all others at their first value."""
    varied = content["varied"]
    return [
        point for point in content["points"] if all(point["at"][one["key"]] == one["values"][0] for one in varied[1:])
    ]


def _moves(ends: Sequence[float], least: float = 0.5) -> str:
    before, after = ends
    return "rises from" if after - before >= least else "falls from" if before - after >= least else "stays at about"


def _mean(point: Mapping[str, Any], figure: str) -> float:
    return float((point["figures"][figure] or {"mean": 0.0})["mean"])
