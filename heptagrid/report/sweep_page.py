"""The page of a sweep: what messages were worth, as curves against what was varied, and every figure in tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from heptagrid.foundation.output_file import write_text
from heptagrid.report.charts import bars
from heptagrid.report.communication_page import FILE
from heptagrid.report.communication_words import communication_sentences
from heptagrid.report.curves import Curve, curve_chart
from heptagrid.report.rendering import document, render
from heptagrid.report.sweep_requirements import FIGURE as REQUIREMENTS
from heptagrid.report.sweep_requirements import by_choice
from heptagrid.report.value_headline import headline, money_figures
from heptagrid.report.words import DOMAIN_TITLES, kind_words, plain

Content = Mapping[str, Any]
Points = Sequence[Content]

MOST_CURVES = 6  # of other varied quantities in one chart
MOST_BESIDE = 6  # points in the tables of figures
_NOT_FROM_ZERO = ("peak_kw", "customers_min_pu")  # figures whose charts show the range of their values alone


def write_page(folder: Path) -> Path:
    """Write `sweep.html` into a sweep's folder from its `sweep.json`."""
    content = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))
    path = folder / "sweep.html"
    write_text(path, page(content))
    return path


def page(content: Content) -> str:
    """The whole page as text."""
    dates, points = content["dates"], content["points"]
    typical = "typical " if content["typical"] else ""
    seeds = content["seeds"]
    sections = [
        {"number": k, "key": varied["key"], "info": varied["info"], "body": _body(content, varied)}
        for k, varied in enumerate(content["varied"])
        if len(varied["values"]) > 1 or len(points) == 1
    ]
    known = {name: one for name, one in content["figures"].items() if _is_known(content, name)}
    return document(
        "sweep.html",
        f"heptagrid sweep: {content['scenario']}",
        {
            "content": content,
            "when": dates[0] if len(dates) == 1 else f"{len(dates)} {typical}days, {dates[0]} to {dates[-1]}",
            "seeds": f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}",
            "headline": headline(content, _domains(content)),
            "held": [point["label"] for point in points if any(run["held_feeders"] for run in point["by_seed"])],
            "communication": [communication_sentences(one)[0] for one in content["communication"][:1]],
            "communication_file": FILE,
            "has_unresolved": any(point["unresolved"] for point in points),
            "varied": sections,
            "figures": _all_figures(content, known),
            "not_annualised": "npv_eur" not in known,
            "meanings": list(known.values()),
        },
    )


def _body(content: Content, varied: Content) -> str:
    return _curves(content, varied) if varied["is_number"] else _choices(content, varied)


def _domains(content: Content) -> Sequence[str]:
    names: Sequence[str] = content["figures"]["net_benefit_eur"]["parts"]
    return names


def _curves(content: Content, varied: Content) -> str:
    """The curves against one varied number."""
    groups = list(_groups(content, varied))
    held_at = None
    if len(groups) > MOST_CURVES:
        groups = groups[:1]
        held_at = groups[0][0]
    is_single = len(groups) == 1
    return render(
        "sweep/curves.html",
        {
            "held_at": held_at,
            "has_several": not is_single,
            "has_spread": len(content["seeds"]) > 1,
            "charts": _single_curves(content, varied, groups[0][1])
            if is_single
            else _several_curves(content, varied, groups),
            "not_drawn": _not_drawn(content),
        },
    )


def _single_curves(content: Content, varied: Content, points: Points) -> list[str]:
    """Both arms, each kind of message, each domain."""
    kinds = [
        name
        for name in content["figures"]["missed_pct"]["parts"]
        if any(_value(one, f"missed_pct.{name}") for one in points)
    ]
    shown = sorted(kinds, key=lambda name: -max(_value(one, f"missed_pct.{name}") or 0.0 for one in points))[:6]
    missed = [("all kinds", "c7", "missed_pct")]
    missed += [(kind_words(name), f"c{k}", f"missed_pct.{name}") for k, name in enumerate(shown)]
    along = _Along(content, varied, points)
    charts = [
        _chart(along, "peak_kw", _both("peak_kw", "peak_conventional_kw")),
        _chart(
            along,
            "violation_customer_minutes",
            _both("violation_customer_minutes", "violation_conventional_customer_minutes"),
        ),
        _chart(along, "customers_min_pu", _both("customers_min_pu", "customers_min_conventional_pu")),
        _chart(along, "transformer_pct", _both("transformer_pct", "transformer_conventional_pct")),
        _chart(along, "line_pct", _both("line_pct", "line_conventional_pct")),
        _chart(along, "missed_pct", missed),
        _chart(along, REQUIREMENTS, [("of all applications", "smart", REQUIREMENTS)]),
        _chart(along, "estimated_pct", [("all meters", "smart", "estimated_pct")]),
    ]
    for figure, with_state in _money_figures(content):
        parts = [
            (DOMAIN_TITLES[k], f"c{k}", f"{figure}.{name}")
            for k, name in enumerate(_domains(content))
            if any(_value(one, f"{figure}.{name}") for one in points)
        ]
        charts.append(_chart(along, with_state, [("seven domains and the state", "c0", with_state)]))
        charts.append(_chart(along, figure, [("seven domains in sum", "c7", figure), *parts], suffix=", by domain"))
    return charts


def _several_curves(content: Content, varied: Content, groups: Sequence[tuple[str, Points]]) -> list[str]:
    """One curve for each combination of the other quantities, of the smart arm."""
    along = _Along(content, varied, groups[0][1])
    return [
        _chart(
            along,
            figure,
            [(label, f"c{k}", figure) for k, (label, _) in enumerate(groups)],
            points_of=[points for _, points in groups],
        )
        for figure in (
            *("peak_kw", "violation_customer_minutes", "customers_min_pu", "transformer_pct", "line_pct"),
            *("missed_pct", REQUIREMENTS),
            *(with_state for _, with_state in _money_figures(content)),
        )
    ]


def _both(smart: str, conventional: str) -> list[tuple[str, str, str]]:
    return [("smart", "smart", smart), ("conventional", "conventional", conventional)]


class _Along(NamedTuple):
    """A sweep's points along one varied quantity."""

    content: Content
    varied: Content
    points: Points


def _chart(
    along: _Along,
    figure: str,
    lines: Sequence[tuple[str, str, str]],
    suffix: str = "",
    points_of: Sequence[Points] | None = None,
) -> str:
    """One chart; `lines` are (label, style, figure), each of the points or of its own; none of what is zero at every point of the sweep."""
    content, varied, points = along
    meaning = content["figures"][figure]
    if not any(_value(point, name) for _, _, name in lines for point in content["points"]):
        return ""
    scale, unit, least_digits = (1e-3, "MW", 2) if figure == "peak_kw" else (1.0, meaning["unit"], 0)
    curves = [
        Curve(label, style, *_columns(points if points_of is None else points_of[k], name, scale))
        for k, (label, style, name) in enumerate(lines)
    ]
    in_unit = f", {varied['unit']}" if varied["unit"] not in ("", "1") else ""
    return curve_chart(
        meaning["title"] + suffix,
        unit,
        varied["key"] + in_unit,
        [point["at"][varied["key"]] for point in points],
        curves,
        unresolved=[varied["key"] in point["unresolved"] for point in points],
        digits=max(meaning["digits"], least_digits),
        from_zero=figure not in _NOT_FROM_ZERO,
    )


def _columns(points: Points, figure: str, scale: float) -> Iterator[list[float | None]]:
    """Mean, least and greatest along the points."""
    for what in ("mean", "min", "max"):
        found = [point["figures"][figure] for point in points]
        yield [None if one is None else scale * one[what] for one in found]


def _money_figures(content: Content) -> list[tuple[str, str]]:
    """The benefit of the domains and with the state, and the net present value if it is known."""
    figure, with_state, _, _ = money_figures(content)
    years = [("npv_eur", "total_npv_eur")] if figure == "operating_eur_per_year" else []
    return [(figure, with_state), *years]


def _groups(content: Content, varied: Content) -> Iterator[tuple[str, Points]]:
    """The points in groups that differ in nothing but one varied quantity, along its values."""
    groups: dict[str, list[Content]] = {}
    for point in content["points"]:
        others = ", ".join(f"{key}={plain(value)}" for key, value in point["at"].items() if key != varied["key"])
        groups.setdefault(others, []).append(point)
    for label, points in groups.items():
        ordered = points
        if varied["is_number"]:
            ordered = sorted(points, key=lambda point: float(point["at"][varied["key"]]))
        yield label, ordered


def _not_drawn(content: Content) -> list[str]:
    """What is zero at every point, of the figures that have a chart and of the domains."""
    figure, _, _, _ = money_figures(content)
    charted = ("violation_customer_minutes", "missed_pct", REQUIREMENTS, "estimated_pct")
    zero = [
        content["figures"][name]["title"].lower()
        for name in charted
        if not any(_value(point, name) for point in content["points"])
    ]
    return zero + [
        DOMAIN_TITLES[k].lower()
        for k, name in enumerate(_domains(content))
        if not any(_value(point, f"{figure}.{name}") for point in content["points"])
    ]


def _choices(content: Content, varied: Content) -> str:
    """Bars and the cheapest that keeps the benefit, for values that are words."""
    cheapest = [one for one in content["cheapest"] if one["key"] == varied["key"]]
    _, figure, unit, over = money_figures(content)
    title = f"Net benefit to the seven domains and the state, {over}"
    groups = []
    for k, (others, points) in enumerate(_groups(content, varied)):
        names = [plain(point["at"][varied["key"]]) for point in points]
        rows = [(name, _value(point, figure) or 0.0) for name, point in zip(names, points, strict=True)]
        groups.append(
            {
                "others": others,
                "chart": bars(title, unit, rows),
                "values_of": names,
                "requirements": by_choice(content, points),
                "cheapest": cheapest[k],
                **_how_chosen(cheapest[k]),
            }
        )
    return render("sweep/choices.html", {"groups": groups})


def _how_chosen(one: Content) -> dict[str, Any]:
    """The words of the rule by which the cheapest value is found, and the head of its table."""
    share = f"{100 * one['kept_share']:g}\u202f%"
    is_against_silence = one["against_silence"]
    head = [
        *("value", f"keeps {share}", "messages lost or late, %", "applications that missed"),
        "benefit before telecom cost, EUR",
        *(("worth of its messages, EUR",) if is_against_silence else ()),
        *("telecom cost, EUR", "net benefit, EUR"),
    ]
    return {
        "share": share,
        "over": "present values over the horizon" if one["over"] == "years" else "over the run",
        "benefit": "what the messages are worth" if is_against_silence else "the benefit",
        "head": head,
    }


def _all_figures(content: Content, figures: Content) -> dict[str, Any]:
    """A table of all the sums, and one for the parts of each."""
    parts = []
    for name, one in figures.items():
        if not one["parts"]:
            continue
        is_by_domain = len(one["parts"]) == len(DOMAIN_TITLES)
        titles = DOMAIN_TITLES if is_by_domain else [kind_words(part) for part in one["parts"]]
        of_parts = [(title, f"{name}.{part}", one["digits"]) for title, part in zip(titles, one["parts"], strict=True)]
        parts.append((one, _figure_table(content, of_parts)))
    sums = [
        (one["title"] + (f", {one['unit']}" if one["unit"] else ""), name, one["digits"])
        for name, one in figures.items()
    ]
    return {"sums": _figure_table(content, sums), "parts": parts}


def _figure_table(content: Content, figures: Sequence[tuple[str, str, int]]) -> str:
    """Figures, (title, name, digits) each, of every point."""
    points = [
        {
            "at": [(value, "*" if key in point["unresolved"] else "") for key, value in point["at"].items()],
            "figures": point["figures"],
        }
        for point in content["points"]
    ]
    return render(
        "sweep/figures.html",
        {
            "keys": [one["key"] for one in content["varied"]],
            "points": points,
            "figures": figures,
            "beside": len(points) <= MOST_BESIDE,
        },
    )


def _is_known(content: Content, figure: str) -> bool:
    return any(point["figures"][figure] is not None for point in content["points"])


def _value(point: Content, figure: str) -> float | None:
    one = point["figures"][figure]
    return None if one is None else float(one["mean"])
