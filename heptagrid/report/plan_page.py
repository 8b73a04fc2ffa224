"""The page of a plan: for each technology a map of its sites with the trees that reach their meters, and all figures side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.foundation.output_file import write_text
from heptagrid.report.map_layout import MARGIN, Floats, fit
from heptagrid.report.plan_text import overloads, rows
from heptagrid.report.rendering import document
from heptagrid.report.words import text
from heptagrid.studies.plan.api import Planned, Plans
from heptagrid.studies.plan.folder import PAGE

SIZE = 1100
_MANY = 20_000  # meters of a map whose strokes are in whole pixels
# After Okabe and Ito (2008): distinct in hue and in brightness; neighbours may share one, as on any map of six colours.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
_POOR = "#b00020"


def write_page(folder: Path, found: Plans) -> Path:
    """Write `plan.html` into a folder of plans."""
    path = folder / PAGE
    write_text(path, page(found))
    return path


def page(found: Plans) -> str:
    """The whole page as text."""
    content = found.summary()
    plans = content["plans"]
    return document(
        "plan.html",
        f"heptagrid plan: {content['scenario']}",
        {
            "content": content,
            "headline": [_sentence(one) for one in plans],
            "overloads": overloads(plans),
            "maps": [
                {"name": one.facts.name, "title": one.facts.title, "map": site_map(one), "poor": len(one.plan.unserved)}
                for one in found.planned
            ],
            "names": [one["technology"] for one in plans],
            "figures": [(title, [figure(one) for one in plans]) for title, figure in rows(plans)],
            "not_modelled": [(one.facts.title, one.facts.not_modelled) for one in found.planned],
        },
    )


def _sentence(one: Mapping[str, Any]) -> str:
    left = one["modems"] + one["uncovered"]
    rest = f"; {left:,} get a modem" if one["modems"] else f"; {left:,} stay uncovered" if left else ""
    carried = one["carried"]
    told = f" Of the readings of {carried['hours']:g} h {carried['delivered_pct']:.2f} % arrive." if carried else ""
    return (
        f"{one['title']}: {one['sites']:,} sites reach {one['covered']:,} of {one['meters']:,} meters ({one['covered_pct']:.1f} %){rest}, "
        f"for {one['investment_eur']:,.0f} EUR and {one['yearly_eur']:,.0f} EUR a year.{told}"
    )


def site_map(one: Planned) -> str:
    """The map of a plan as SVG: each site's hops in a colour, sites as squares, meters that none reaches as crosses."""
    plan, found = one.plan, one.plan.cover
    places = plan.places
    at = places.xy_m[np.concatenate([np.arange(places.meters), plan.place])]
    x, y, width, height = fit(at[:, 0], at[:, 1], SIZE, SIZE)
    digits = 1 if places.meters <= _MANY else 0
    served = plan.served
    to = np.where(found.parent[served] >= 0, found.parent[served], places.meters + found.site[served])
    parts = []
    for k, colour in enumerate(_COLOURS):
        mine = found.site[served] % len(_COLOURS) == k
        if mine.any():
            strokes = _strokes(x, y, served[mine], to[mine], digits)
            parts.append(f'<path stroke="{colour}" d="{strokes}"/>')
    crosses = "".join(f"M{x[k] - 4:.0f} {y[k] - 4:.0f}l8 8m0-8l-8 8" for k in plan.unserved.tolist())
    squares = "".join(
        f'<rect x="{x[places.meters + k] - 5:.0f}" y="{y[places.meters + k] - 5:.0f}" width="10" height="10">'
        f"<title>{text(f'site {k + 1}: {meters:,} meters')}</title></rect>"
        for k, meters in enumerate(plan.meters_of.tolist())
    )
    scale_m = _scale_m(float(np.ptp(at[:, 0])))
    bar = scale_m * (width - 2 * MARGIN) / max(1.0, float(np.ptp(at[:, 0])))
    return (
        f'<svg class="map" viewBox="0 0 {width:.0f} {height + 24:.0f}" role="img" aria-label="{text(f"map of sites: {one.facts.title}")}">'
        f'<g fill="none" stroke-width="{1.2 if digits else 0.7}">{"".join(parts)}<path stroke="{_POOR}" stroke-width="2.5" d="{crosses}"/></g>'
        f'<g fill="#111" stroke="#fff" stroke-width="2">{squares}</g>'
        f'<path d="M{MARGIN} {height + 6:.0f}h{bar:.0f}" stroke="currentColor" stroke-width="3"/>'
        f'<text x="{MARGIN + bar + 8:.0f}" y="{height + 11:.0f}" font-size="16" fill="currentColor">{scale_m:,.0f} m</text></svg>'
    )


def _strokes(x: Floats, y: Floats, ones: Any, others: Any, digits: int) -> str:
    ends = zip(x[ones].tolist(), y[ones].tolist(), x[others].tolist(), y[others].tolist(), strict=True)
    return "".join(f"M{a:.{digits}f} {b:.{digits}f}L{c:.{digits}f} {d:.{digits}f}" for a, b, c, d in ends)


def _scale_m(span_m: float) -> float:
    """A round length of about a fifth of the map."""
    fifth = max(1.0, span_m / 5.0)
    step = 10.0 ** np.floor(np.log10(fifth))
    return float(max(one for one in (1.0, 2.0, 5.0) if one * step <= fifth) * step)
