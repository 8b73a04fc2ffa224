"""The page of a comparison: figures side by side, differences to the first run, who gains and who loses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from heptagrid.foundation.output_file import write_text
from heptagrid.report.charts import bars
from heptagrid.report.page import document, section
from heptagrid.report.tables import table
from heptagrid.report.value_headline import caveat, troubles, worst
from heptagrid.report.verdict import digits_of, shares
from heptagrid.report.words import DOMAIN_TITLES, number, plain, signed, text

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
    sections = [
        _top(content),
        section("figures", "Figures side by side", _figures(content)),
        section("domains", "Who gains and who loses", _domains(content)),
        section("settings", "What differs", _settings(content)),
        section("reading", "What the figures are", _meanings(content)),
    ]
    return document("heptagrid: " + ", ".join(one["label"] for one in content["runs"]), sections)


def _top(content: Content) -> str:
    first, *others = content["runs"]
    said, *more = lines(content)
    sentences = f"<h1>{text(said)}</h1>" + "".join(f"<p class='lead'>{text(one)}</p>" for one in more)
    unlike = [words for key, words in SAME.items() if any(one[key] != first[key] for one in others)]
    banner = ""
    if unlike:
        banner = (
            f'<p class="banner">The runs differ in more than their settings ({text(", ".join(unlike))}): part of a difference may '
            "come from that.</p>"
        )
    dates = first["dates"]
    when = dates[0] if len(dates) == 1 else f"{len(dates)} days, {dates[0]} to {dates[-1]}"
    return (
        f'<header><p class="eyebrow">heptagrid compare · {text(when)} · seed {first["seed"]} · steps of {first["step_s"]} s</p>'
        f"{sentences}{banner}</header>"
    )


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


def _figures(content: Content) -> str:
    first, *others = content["runs"]
    rows = []
    for name, one in content["figures"].items():
        if all(run["figures"][name] is None for run in content["runs"]):
            continue
        rows.append(
            [
                f"<b>{_heading(one)}</b>",
                *(number(run["figures"][name], one["digits"]) for run in content["runs"]),
                *(signed(run["less_first"][name], one["digits"]) for run in others),
            ]
        )
    head = ["", *(text(run["label"]) for run in content["runs"])]
    head += [f"{text(run['label'])} less {text(first['label'])}" for run in others]
    return table(head, rows, style="numbers")


def _domains(content: Content) -> str:
    first, *others = content["runs"]
    parts = []
    for name, total in WITH_STATE.items():
        meaning = content["figures"][name]
        if any(run["figures"][name] is None for run in content["runs"]):
            continue
        drawn = [
            bars(
                f"{meaning['title']}: {run['label']} less {first['label']}",
                meaning["unit"],
                [
                    *(
                        (DOMAIN_TITLES[k], run["less_first"][f"{name}.{part}"])
                        for k, part in enumerate(meaning["parts"])
                    ),
                    ("The state", run["less_first"][total] - run["less_first"][name]),
                ],
            )
            for run in others
        ]
        rows = [
            [f"<b>{DOMAIN_TITLES[k]}</b>", *(signed(run["figures"][f"{name}.{part}"]) for run in content["runs"])]
            for k, part in enumerate(meaning["parts"])
        ]
        states = [run["figures"][total] - run["figures"][name] for run in content["runs"]]
        rows.append(["<b>The state</b>", *map(signed, states)])
        rows.append(["<b>all together</b>", *(f"<b>{signed(run['figures'][total])}</b>" for run in content["runs"])])
        head = (_heading(meaning), *(text(run["label"]) for run in content["runs"]))
        parts.append(f'<div class="charts">{"".join(drawn)}</div>{table(head, rows, style="numbers")}')
    return "".join(parts)


def _settings(content: Content) -> str:
    first, *others = content["runs"]
    rows = [
        [f"<code>{text(key)}</code>", text(run["label"]), _set(here), _set(there)]
        for run in others
        for key, (here, there) in run["settings"].items()
    ]
    if not rows:
        return "<p>No setting differs.</p>"
    return table(("key", "in", "is", f"in {text(first['label'])}"), rows, style="left4")


def _set(value: object) -> str:
    return "not set" if value is None else text(plain(value))


def _heading(meaning: Content) -> str:
    return text(meaning["title"] + (f", {meaning['unit']}" if meaning["unit"] else ""))


def _meanings(content: Content) -> str:
    items = "".join(
        f"<dt>{_heading(one)}</dt><dd>{text(one['definition'])}</dd>"
        for name, one in content["figures"].items()
        if any(run["figures"][name] is not None for run in content["runs"])
    )
    note = ""
    if any(run["figures"]["npv_eur"] is None for run in content["runs"]):
        note = (
            "<p><b>Not annualised</b>: a net present value needs a year; compare with <code>--typical</code>. Money is that of the "
            "days run, operation only.</p>"
        )
    return (
        "<p>A net benefit is the difference between the arms (smart minus conventional) within one run; a difference between runs is a difference of net benefits.</p>"
        f"{note}<dl class='meanings'>{items}</dl>"
    )
