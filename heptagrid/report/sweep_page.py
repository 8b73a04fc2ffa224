"""The page of a sweep: what messages were worth, as curves against what was varied, and every figure in tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from heptagrid.foundation.output_file import write_text
from heptagrid.report.charts import bars
from heptagrid.report.curves import Curve, curve_chart
from heptagrid.report.page import document, section
from heptagrid.report.sweep_requirements import FIGURE as REQUIREMENTS
from heptagrid.report.sweep_requirements import choices_table
from heptagrid.report.tables import table
from heptagrid.report.value_headline import headline, money_figures
from heptagrid.report.words import DOMAIN_TITLES, kind_words, number, plain, signed, text

Content = Mapping[str, Any]
Points = Sequence[Content]

MOST_CURVES = 6  # of other varied quantities in one chart
MOST_BESIDE = 6  # points in the tables of figures


def write_page(folder: Path) -> Path:
    """Write `sweep.html` into a sweep's folder from its `sweep.json`."""
    content = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))
    path = folder / "sweep.html"
    write_text(path, page(content))
    return path


def page(content: Content) -> str:
    """The whole page as text."""
    sections = [_top(content)]
    for k, varied in enumerate(content["varied"]):
        if len(varied["values"]) < 2 and len(content["points"]) > 1:
            continue
        title = f"{varied['key']}: {varied['info']}"
        body = _curves(content, varied) if varied["is_number"] else _choices(content, varied)
        sections.append(section(f"varied-{k}", title, body))
    sections.append(section("figures", "All figures", _all_figures(content)))
    sections.append(section("reading", "What the figures are", _meanings(content)))
    return document(f"heptagrid sweep: {content['scenario']}", sections)


def _top(content: Content) -> str:
    dates, seeds = content["dates"], content["seeds"]
    when = (
        dates[0]
        if len(dates) == 1
        else f"{len(dates)} {'typical ' if content['typical'] else ''}days, {dates[0]} to {dates[-1]}"
    )
    seed = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    banners = ""
    held = [point["label"] for point in content["points"] if any(run["held_feeders"] for run in point["by_seed"])]
    if held:
        banners += (
            f'<p class="banner">At {len(held)} of {len(content["points"])} points (first {text(held[0])}) feeders did not '
            "converge in some steps; their nodes were held at their last solution.</p>"
        )
    if any(point["unresolved"] for point in content["points"]):
        banners += (
            '<p class="banner">Hatched values are <b>not resolved</b>: actors act at the end of a coupling step '
            f"({content['step_s']} s), so a latency shorter than ten steps has effects that the coupling resolves poorly. The "
            "curves mean nothing there; a smaller step resolves more.</p>"
        )
    return (
        f'<header><p class="eyebrow">heptagrid sweep · {text(content["scenario"])} · {text(when)} · {text(seed)}</p>'
        f"{headline(content, _domains(content))}{banners}"
        f'<p class="small">{len(content["points"])} points, steps of {content["step_s"]} s. Every point is run with and '
        "without the smart grid, with the same people, weather and random numbers.</p></header>"
    )


def _domains(content: Content) -> Sequence[str]:
    names: Sequence[str] = content["figures"]["net_benefit_eur"]["parts"]
    return names


def _curves(content: Content, varied: Content) -> str:
    """The curves against one varied number."""
    groups = list(_groups(content, varied))
    note = ""
    if len(groups) > MOST_CURVES:
        groups = groups[:1]
        note = f"<p>The other varied quantities are held at {text(groups[0][0])}; the table below has all combinations.</p>"
    if len(groups) == 1:
        charts = _single_curves(content, varied, groups[0][1])
    else:
        charts = _several_curves(content, varied, groups)
        note = "<p>One curve for each combination of the other varied quantities.</p>"
    spread = (
        ""
        if len(content["seeds"]) == 1
        else "<p>Lines are means over the seeds, bands reach from the least to the greatest.</p>"
    )
    return f'{note}{spread}<div class="charts">{"".join(charts)}</div>{_not_drawn(content)}'


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
    charts = [
        _chart(content, varied, points, "peak_kw", _both("peak_kw", "peak_conventional_kw"), 1e-3, "MW", False),
        _chart(
            *(content, varied, points, "violation_customer_minutes"),
            _both("violation_customer_minutes", "violation_conventional_customer_minutes"),
        ),
        _chart(
            *(content, varied, points, "customers_min_pu"),
            _both("customers_min_pu", "customers_min_conventional_pu"),
            from_zero=False,
        ),
        _chart(content, varied, points, "transformer_pct", _both("transformer_pct", "transformer_conventional_pct")),
        _chart(content, varied, points, "line_pct", _both("line_pct", "line_conventional_pct")),
        _chart(content, varied, points, "missed_pct", missed),
        _chart(content, varied, points, REQUIREMENTS, [("of all applications", "smart", REQUIREMENTS)]),
        _chart(content, varied, points, "estimated_pct", [("all meters", "smart", "estimated_pct")]),
    ]
    for figure, with_state in _money_figures(content):
        parts = [
            (DOMAIN_TITLES[k], f"c{k}", f"{figure}.{name}")
            for k, name in enumerate(_domains(content))
            if any(_value(one, f"{figure}.{name}") for one in points)
        ]
        charts.append(_chart(content, varied, points, with_state, [("seven domains and the state", "c0", with_state)]))
        lines = [("seven domains in sum", "c7", figure), *parts]
        charts.append(_chart(content, varied, points, figure, lines, suffix=", by domain"))
    return charts


def _several_curves(content: Content, varied: Content, groups: Sequence[tuple[str, Points]]) -> list[str]:
    """One curve for each combination of the other quantities, of the smart arm."""
    return [
        _chart(
            *(content, varied, groups[0][1], figure),
            [(label, f"c{k}", figure) for k, (label, _) in enumerate(groups)],
            *((1e-3, "MW", False) if figure == "peak_kw" else (1.0, "", figure != "customers_min_pu")),
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


def _chart(
    content: Content,
    varied: Content,
    points: Points,
    figure: str,
    lines: Sequence[tuple[str, str, str]],
    scale: float = 1.0,
    unit: str = "",
    from_zero: bool = True,
    suffix: str = "",
    points_of: Sequence[Points] | None = None,
) -> str:
    """One chart; `lines` are (label, style, figure), each of `points` or of its own; none of what is zero at every point of the sweep."""
    meaning = content["figures"][figure]
    if not any(_value(point, name) for _, _, name in lines for point in content["points"]):
        return ""
    curves = [
        Curve(label, style, *_columns(points if points_of is None else points_of[k], name, scale))
        for k, (label, style, name) in enumerate(lines)
    ]
    in_unit = f", {varied['unit']}" if varied["unit"] not in ("", "1") else ""
    return curve_chart(
        *(meaning["title"] + suffix, unit or meaning["unit"], varied["key"] + in_unit),
        [point["at"][varied["key"]] for point in points],
        curves,
        [varied["key"] in point["unresolved"] for point in points],
        max(meaning["digits"], 2 if scale != 1.0 else 0),
        from_zero,
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


def _not_drawn(content: Content) -> str:
    """What is zero at every point, of the figures that have a chart and of the domains."""
    figure, _, _, _ = money_figures(content)
    charted = ("violation_customer_minutes", "missed_pct", REQUIREMENTS, "estimated_pct")
    zero = [
        content["figures"][name]["title"].lower()
        for name in charted
        if not any(_value(point, name) for point in content["points"])
    ]
    silent = zero + [
        DOMAIN_TITLES[k].lower()
        for k, name in enumerate(_domains(content))
        if not any(_value(point, f"{figure}.{name}") for point in content["points"])
    ]
    return f'<p class="small">Zero at every point and not drawn: {text("; ".join(silent))}.</p>' if silent else ""


def _choices(content: Content, varied: Content) -> str:
    """Bars and the cheapest that keeps the benefit, for values that are words."""
    parts = []
    _, figure, unit, over = money_figures(content)
    for k, (others, points) in enumerate(_groups(content, varied)):
        if others:
            parts.append(f"<h3>{text(others)}</h3>")
        names = [plain(point["at"][varied["key"]]) for point in points]
        rows = [(name, _value(point, figure) or 0.0) for name, point in zip(names, points, strict=True)]
        title = f"Net benefit to the seven domains and the state, {over}"
        parts.append(f'<div class="charts">{bars(title, unit, rows)}</div>')
        parts.append(choices_table(content, varied["key"], points))
        mine = [one for one in content["cheapest"] if one["key"] == varied["key"]]
        parts.append(_cheapest(mine[k]))
    return "".join(parts)


def _cheapest(one: Content) -> str:
    """The verdict and how it was come to."""
    share = f"{100 * one['kept_share']:g}\u202f%"
    over = "present values over the horizon" if one["over"] == "years" else "over the run"
    is_against_silence = one["silent_eur"] is not None
    benefit = "what the messages are worth" if is_against_silence else "the benefit"
    against = (
        f"; what the messages are worth is this less the same with these links dead, {number(one['silent_eur'])} EUR"
        if is_against_silence
        else ""
    )
    rows = [
        [
            f"<b>{text(plain(row['value']))}</b>",
            "yes" if row["keeps"] else "no",
            number(row["missed_pct"], 2),
            number(row["requirements_missed"]),
            number(row["benefit_before_telecom_eur"]),
            *([number(row["worth_eur"])] if is_against_silence else []),
            number(row["telecom_eur"], 2),
            signed(row["net_benefit_eur"]),
        ]
        for row in one["rows"]
    ]
    verdict = (
        f"<b>{text(plain(one['chosen']))}</b> is the cheapest that keeps {share} of {benefit}."
        if one["chosen"] is not None
        else f"With no value {benefit} is above zero before telecom cost, so there is none to keep and none is chosen."
    )
    verdict += (
        f" <b>{text(plain(one['chosen_meeting']))}</b> is the cheapest with which every application meets its requirement."
        if one["chosen_meeting"] is not None
        else " With none of them every application meets its requirement."
    )
    head = (
        "value",
        f"keeps {share}",
        "messages lost or late, %",
        "applications that missed",
        "benefit before telecom cost, EUR",
        *(("worth of its messages, EUR",) if is_against_silence else ()),
        "telecom cost, EUR",
        "net benefit, EUR",
    )
    return (
        f"<p>{verdict} How it is found: the benefit before telecom cost is the net benefit of the seven domains and the state, plus "
        f"the telecom cost ({over}, means over the seeds){against}; a value keeps the benefit if it reaches at least {share} of the best value's; "
        f"of those that do, the one with the lowest telecom cost is chosen.</p>{table(head, rows, style='numbers')}"
    )


def _all_figures(content: Content) -> str:
    """A table of all the sums, and one, folded, for the parts of each."""
    figures = {name: one for name, one in content["figures"].items() if _is_known(content, name)}
    parts = [_figure_table(content, [(_heading(one), name, one["digits"]) for name, one in figures.items()])]
    for name, one in figures.items():
        if not one["parts"]:
            continue
        titles = (
            DOMAIN_TITLES if len(one["parts"]) == len(DOMAIN_TITLES) else [kind_words(part) for part in one["parts"]]
        )
        of_parts = [(title, f"{name}.{part}", one["digits"]) for title, part in zip(titles, one["parts"], strict=True)]
        parts.append(f"<details><summary>{_heading(one)}</summary>{_figure_table(content, of_parts)}</details>")
    spread = "Means over the seeds; in brackets the least and the greatest. " if len(content["seeds"]) > 1 else ""
    return f"<p>{spread}The same figures, seed by seed, are in <code>sweep.json</code>.</p>{''.join(parts)}"


def _figure_table(content: Content, figures: Sequence[tuple[str, str, int]]) -> str:
    """Figures, (title, name, digits) each, of every point: points stand side by side where they are few, below one another where not."""
    keys = [text(one["key"]).replace(".", ".<wbr>") for one in content["varied"]]  # a long key may break at its dots
    columns = [[title, *(_cell(point, name, digits) for point in content["points"])] for title, name, digits in figures]
    places = [_place(point) for point in content["points"]]
    if len(places) <= MOST_BESIDE:
        return table([", ".join(keys), *(", ".join(one) for one in places)], columns, style="numbers")
    head = [*keys, *(title for title, *_ in columns)]
    return table(
        head, [[*one, *(column[k + 1] for column in columns)] for k, one in enumerate(places)], style="numbers"
    )


def _is_known(content: Content, figure: str) -> bool:
    return any(point["figures"][figure] is not None for point in content["points"])


def _heading(meaning: Content) -> str:
    unit = f", {meaning['unit']}" if meaning["unit"] else ""
    return text(meaning["title"] + unit)


def _place(point: Content) -> list[str]:
    return [text(plain(value)) + ("*" if key in point["unresolved"] else "") for key, value in point["at"].items()]


def _cell(point: Content, figure: str, digits: int) -> str:
    one = point["figures"][figure]
    if one is None:
        return "–"
    if one["min"] == one["max"]:
        return number(one["mean"], digits)
    return f"{number(one['mean'], digits)} <span class='unit'>({number(one['min'], digits)} to {number(one['max'], digits)})</span>"


def _value(point: Content, figure: str) -> float | None:
    one = point["figures"][figure]
    return None if one is None else float(one["mean"])


def _meanings(content: Content) -> str:
    items = "".join(
        f"<dt>{_heading(one)}</dt><dd>{text(one['definition'])}</dd>"
        for name, one in content["figures"].items()
        if _is_known(content, name)
    )
    varied = "".join(
        f"<dt><code>{text(one['key'])}</code></dt><dd>{text(one['info'])}</dd>" for one in content["varied"]
    )
    note = ""
    if not _is_known(content, "npv_eur"):
        note = (
            "<p><b>Not annualised</b>: a net present value needs a year; sweep with <code>--typical</code>. Money is that of the "
            "days run, operation only, without the cost of buying meters and links.</p>"
        )
    if any(point["unresolved"] for point in content["points"]):
        note += "<p>* not resolved: a latency shorter than ten coupling steps.</p>"
    return (
        "<p>The same town is run with and without the smart grid at every point. Random numbers are the same at all points, so "
        "that a difference between two points comes from the varied keys alone.</p>"
        f"{note}<dl class='meanings'>{items}{varied}</dl>"
    )
