"""The page of a comparison: figures side by side, differences to the first run, who gains and who loses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from heptagrid.foundation.output_file import write_text
from heptagrid.report.charts import bars
from heptagrid.report.rendering import document
from heptagrid.report.value_headline import caveat, troubles, worst
from heptagrid.report.verdict import digits_of, shares
from heptagrid.report.words import DOMAIN_TITLES, number

Content = Mapping[str, Any]

SAME = {"dates": "days", "step_s": "coupling step", "seed": "seed", "typical_days": "weights of the days"}

WITH_STATE = {
    "npv_eur": "total_npv_eur",
    "operating_eur_per_year": "total_eur_per_year",
    "net_benefit_eur": "total_benefit_eur",
}
"""Money of the seven domains, and the same with what the state received more."""


def write_page(folder: Path) -> Path:
    """Write `compare.html` into a comparison's folder from its `compare.json`."""
    content = json.loads((folder / "compare.json").read_text(encoding="utf-8"))
    path = folder / "compare.html"
    write_text(path, page(content))
    return path


def page(content: Content) -> str:
    """The whole page as text."""
    runs = content["runs"]
    first, *others = runs
    dates = first["dates"]
    known = {
        name: one for name, one in content["figures"].items() if any(run["figures"][name] is not None for run in runs)
    }
    return document(
        "compare.html",
        "heptagrid: " + ", ".join(one["label"] for one in runs),
        {
            "first": first,
            "when": dates[0] if len(dates) == 1 else f"{len(dates)} days, {dates[0]} to {dates[-1]}",
            "lines": lines(content),
            "unlike": [words for key, words in SAME.items() if any(one[key] != first[key] for one in others)],
            "labels": [run["label"] for run in runs],
            "lesses": [f"{run['label']} less {first['label']}" for run in others],
            "figures": [
                {
                    "meaning": one,
                    "of_runs": [run["figures"][name] for run in runs],
                    "less_first": [run["less_first"][name] for run in others],
                }
                for name, one in known.items()
            ],
            "money": [
                _money(content, name, total)
                for name, total in WITH_STATE.items()
                if all(run["figures"][name] is not None for run in runs)
            ],
            "settings": [
                (key, run["label"], here, there) for run in others for key, (here, there) in run["settings"].items()
            ],
            "not_annualised": any(run["figures"]["npv_eur"] is None for run in runs),
        },
    )


def _money(content: Content, name: str, total: str) -> dict[str, Any]:
    """A figure of money by domain, of each run and less the first; `total` is the same with the state."""
    meaning, runs = content["figures"][name], content["runs"]
    charts = []
    for run in runs[1:]:
        less = run["less_first"]
        parts = [(DOMAIN_TITLES[k], less[f"{name}.{part}"]) for k, part in enumerate(meaning["parts"])]
        title = f"{meaning['title']}: {run['label']} less {runs[0]['label']}"
        charts.append(bars(title, meaning["unit"], [*parts, ("The state", less[total] - less[name])]))
    figures = [run["figures"] for run in runs]
    rows = [(DOMAIN_TITLES[k], [each[f"{name}.{part}"] for each in figures]) for k, part in enumerate(meaning["parts"])]
    rows.append(("The state", [each[total] - each[name] for each in figures]))
    return {"meaning": meaning, "charts": charts, "rows": rows, "together": [each[total] for each in figures]}


def lines(content: Content) -> list[str]:
    """The sentences of the page as plain text: of each run the worst that its smart arm came to, those in trouble first, and against the first what changed."""
    first, *others = content["runs"]
    runs = sorted(content["runs"], key=lambda run: not troubles(_as_point(run)))
    said = [f"{run['label']}: {_within(worst(_as_point(run)))}" for run in runs]
    for other in others:
        said += [*_sentences(first, other, content)]
    return said


def _within(sentence: str) -> str:
    """A sentence after a colon."""
    return sentence[:1].lower() + sentence[1:]


def _as_point(run: Content) -> Content:
    """A run as a sweep of one point, for the rule that sweeps have."""
    figures = {name: None if value is None else {"mean": value, "max": value} for name, value in run["figures"].items()}
    return {"points": [{"label": "it", "figures": figures}]}


def _sentences(first: Content, other: Content, content: Content) -> tuple[str, str]:
    names = content["figures"]["net_benefit_eur"]["parts"]
    years = all(run["figures"]["npv_eur"] is not None and run["annuity_factor"] for run in (first, other))
    figure, total = ("npv_eur", "total_npv_eur") if years else ("net_benefit_eur", "total_benefit_eur")
    unit = "EUR per customer and year" if years else "EUR per customer and day"
    what = "net present value as an annuity, with what must be bought" if years else "operation alone"
    parts = [f"{figure}.{name}" for name in names]
    changes = [_per_customer(other, key, years) - _per_customer(first, key, years) for key in (*parts, total)]
    change = changes.pop()
    changes.append(change - sum(changes))  # the state's
    digits = digits_of([change, *changes])
    return (
        f"{other['label']} against {first['label']}: the smart grid's peak import is "
        f"{_by(other['less_first']['peak_kw'] / 1000, 2, 'MW')}, and what it is worth to the seven domains and the state is "
        f"{_by(change, digits, unit)} ({what}).",
        f"By domain, {unit}: {shares(changes)}."
        + caveat([(run["label"], run["figures"]["estimated_pct"] or 0.0) for run in (first, other)]),
    )


def _per_customer(run: Content, figure: str, years: bool) -> float:
    """A run's EUR per customer and year, of a present value, or per customer and day."""
    per = run["annuity_factor"] if years else len(run["dates"])
    return float((run["figures"][figure] or 0.0) / per / run["customers"])


def _by(change: float, digits: int, unit: str) -> str:
    amount = number(abs(change), digits)
    if float(f"{change:.{digits}f}") == 0.0:
        return "the same"
    return f"{amount} {unit} {'higher' if change > 0 else 'lower'}"
