"""Which applications met their published requirement: the table of an arm, what it leaves out, and a line for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from heptagrid.report.findings import places_missed
from heptagrid.report.rendering import render
from heptagrid.report.words import number

INTERFERENCE = (
    "Neighbouring networks do not disturb each other here: interference between access networks on the same channel is not "
    "modelled, so a dense town may do worse than this table."
)
VERDICT_STYLES = {"met": "good", "missed": "bad"}


def requirement_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """One row for each application: what it asks for and who says so, what happened, and where."""
    shown = [
        {
            **one,
            "asked": _share(one["reliability"]),
            "source": _source(one),
            "style": VERDICT_STYLES.get(one["verdict"], "unknown"),
            "in_time": _share(one["share_in_time"], one["reliability"]) if one["verdict"] != "not used" else "",
            "places": _places(one["by_place"]),
            "technologies": list(one["technologies"].values()),
        }
        for one in rows
    ]
    return render("run/requirement_table.html", {"rows": shown})


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


def _share(share: float, asked: float = 1.0) -> str:
    """A share in percent with as many digits as it needs to differ from the whole, and from what is asked if it falls short of that."""
    percent = 100.0 * share
    below = [100.0 * limit for limit in (1.0, asked) if share < limit]
    digits = next((k for k in (1, 2, 3) if all(round(percent, k) < round(limit, 4) for limit in below)), 4)
    return f"{number(percent, 0 if share >= 1.0 else digits)}\u202f%"


def _places(counted: Mapping[str, int]) -> list[str]:
    """In how many access networks it was missed and met."""
    words = {"missed": "missed", "met": "met", "not_refuted": "not refuted"}
    return [f"{number(counted[name])} {said}" for name, said in words.items() if counted[name]]
