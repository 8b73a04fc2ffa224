"""Which applications met their published requirement: the table of an arm, what it leaves out, and a line for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from heptagrid.report.findings import places_missed
from heptagrid.report.tables import table
from heptagrid.report.words import duration, kind_words, number, text

INTERFERENCE = (
    "Neighbouring networks do not disturb each other here: interference between access networks on the same channel is not "
    "modelled, so a dense town may do worse than this table."
)


def requirement_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """One row for each application: what it asks for and who says so, what happened, and where."""
    cells = [
        [
            f"<b>{text(one['application'])}</b><br><span class='small'>{text(kind_words(one['kind']))}</span>",
            f"{_share(one['reliability'])} within {duration(one['latency_s'])}<br><span class='small'>{text(_source(one))}</span>",
            verdict_cell(one["verdict"]),
            _happened(one),
            _places(one["by_place"]),
            text(", ".join(one["technologies"].values())),
        ]
        for one in rows
    ]
    head = ("application", "asks for", "requirement", "what happened", "access networks", "over")
    return table(head, cells, style="requirements")


def not_modelled(technologies: Mapping[str, Mapping[str, str]]) -> str:
    """What the verdicts leave out, technology by technology."""
    titles = {one["name"]: one for one in technologies.values()}
    items = "".join(f"<li>{text(one['title'])}: {text(one['not_modelled'])}</li>" for one in titles.values())
    return (
        f"<p class='small'>{INTERFERENCE}</p><details><summary>Not modelled, by technology</summary>"
        f"<ul class='small'>{items}</ul></details>"
    )


def sentence(rows: Sequence[Mapping[str, Any]]) -> str:
    """How many applications missed their requirement and which, the worst news first; how many met it, and how many only did not miss it."""
    used = [one for one in rows if one["verdict"] != "not used"]
    by = {word: [one for one in used if one["verdict"] == word] for word in ("missed", "met", "not refuted")}
    local = [one for one in used if one["verdict"] != "missed" and one["by_place"]["missed"]]
    parts = []
    if by["missed"]:
        each = ", ".join(
            f"{one['application']} ({_share(one['share_in_time'], one['reliability'])} in time)" for one in by["missed"]
        )
        parts.append(f"missed: {each}")
    if local:
        each = ", ".join(f"{one['application']} (in {places_missed(one)} access networks)" for one in local)
        parts.append(f"missed in places: {each}")
    said = f"{len(by['met'])} of {len(used)} applications in use met their requirement"
    if by["not refuted"]:
        each = ", ".join(one["application"] for one in by["not refuted"])
        said += f"; not refuted, but too few messages to show it: {each}"
    return "; ".join([*parts, said])


def _source(one: Mapping[str, Any]) -> str:
    assumed = {"latency_s", "reliability"} & set(one["assumed"])
    said = str(one["source"]) + ("" if one["read"] or one["source"].startswith("assumption") else ", source not read")
    partly = bool(assumed) and not one["source"].startswith("assumption")
    return said + (f"; {' and '.join(sorted(assumed))} assumed" if partly else "")


def _happened(one: Mapping[str, Any]) -> str:
    if one["verdict"] == "not used":
        return ""
    under_way = f", {number(one['in_flight'])} under way" if one["in_flight"] else ""
    return (
        f"<b>{_share(one['share_in_time'], one['reliability'])}</b> in time<br><span class='small'>of {number(one['sent'])}{under_way}; 95\u202f% "
        f"within {duration(one['p95_s'])}</span>"
    )


def _share(share: float, asked: float = 1.0) -> str:
    """A share in percent with as many digits as it needs to differ from the whole, and from what is asked if it falls short of that."""
    percent = 100.0 * share
    below = [100.0 * limit for limit in (1.0, asked) if share < limit]
    digits = next((k for k in (1, 2, 3) if all(round(percent, k) < round(limit, 4) for limit in below)), 4)
    return f"{number(percent, 0 if share >= 1.0 else digits)}\u202f%"


def verdict_cell(verdict: str) -> str:
    """A verdict in its colour."""
    style = {"met": "good", "missed": "bad"}.get(verdict, "unknown")
    return f'<span class="{style}">{text(verdict)}</span>'


def _places(counted: Mapping[str, int]) -> str:
    """In how many access networks it was missed and met."""
    words = {"missed": "missed", "met": "met", "not_refuted": "not refuted"}
    return "<br>".join(f"{number(counted[name])} {said}" for name, said in words.items() if counted[name])
