"""Which applications met their published requirement: the table of an arm, what it leaves out, and a line for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from heptagrid.report.tables import table
from heptagrid.report.words import duration, number, text

INTERFERENCE = (
    "Neighbouring networks do not disturb each other here: interference between access networks on the same channel is not "
    "modelled, so a dense town may do worse than this table."
)


def requirement_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """One row for each application: what it asks for and who says so, what happened, and where."""
    cells = [
        [
            f"<b>{text(one['application'])}</b><br><span class='small'>{text(one['kind'].replace('_', ' '))}</span>",
            f"{_share(one['reliability'])} within {duration(one['latency_s'])}<br><span class='small'>{text(_source(one))}</span>",
            _happened(one),
            _verdict(one["met"]),
            _places(one["by_place"]),
            text(", ".join(one["technologies"].values()) or "–"),
        ]
        for one in rows
    ]
    head = ("application", "asks for", "what happened", "requirement", "met in access networks", "over")
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
    """How many applications met their requirement, and which did not."""
    used = [one for one in rows if one["met"] is not None]
    missed = [one for one in used if not one["met"]]
    local = [one for one in used if one["met"] and one["by_place"]["missed"]]
    said = f"{len(used) - len(missed)} of {len(used)} applications met their requirement"
    if missed:
        each = (f"{one['application']} ({_share(one['share_in_time'])} in time)" for one in missed)
        said += f"; missed: {', '.join(each)}"
    if local:
        each = (f"{one['application']} (in {number(one['by_place']['missed'])} access networks)" for one in local)
        said += f"; missed in places: {', '.join(each)}"
    return said


def _source(one: Mapping[str, Any]) -> str:
    assumed = {"latency_s", "reliability"} & set(one["assumed"])
    said = str(one["source"]) + ("" if one["read"] or one["source"].startswith("assumption") else ", from memory")
    partly = bool(assumed) and not one["source"].startswith("assumption")
    return said + (f"; {' and '.join(sorted(assumed))} assumed" if partly else "")


def _happened(one: Mapping[str, Any]) -> str:
    if one["met"] is None:
        return "–"
    under_way = f", {number(one['in_flight'])} under way" if one["in_flight"] else ""
    return (
        f"<b>{_share(one['share_in_time'])}</b> in time<br><span class='small'>of {number(one['sent'])}{under_way}; 95\u202f% "
        f"within {duration(one['p95_s'])}</span>"
    )


def _share(share: float) -> str:
    """A share in percent with as many digits as it needs to differ from the whole; never rounded up to it."""
    percent = 100.0 * share
    digits = next((k for k in (1, 2, 3) if share >= 1.0 or round(percent, k) < 100.0), 4)
    return f"{number(percent, 0 if share >= 1.0 else digits)}\u202f%"


def _verdict(is_met: bool | None) -> str:
    if is_met is None:
        return "not used"
    return '<span class="good">met</span>' if is_met else '<span class="bad">missed</span>'


def _places(counted: Mapping[str, int]) -> str:
    used = counted["met"] + counted["missed"]
    return f"{number(counted['met'])} of {number(used)}" if used else "–"
