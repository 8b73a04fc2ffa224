"""Which applications met their published requirement along a sweep: a sentence for its head, and verdicts by choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from heptagrid.report.words import kind_words, plain

FIGURE = "requirements_missed"

Content = Mapping[str, Any]


def sentence(content: Content, points: Sequence[Content]) -> str:
    """In plain text, from where to where along the first varied quantity all applications meet their requirement, and who misses it elsewhere."""
    key, is_number = content["varied"][0]["key"], content["varied"][0]["is_number"]
    missed = [(plain(point["at"][key]), _missed(content, point)) for point in points]
    if not any(names for _, names in missed):
        return "No application misses its published requirement" + (
            " at any of these points." if len(points) > 1 else "."
        )
    parts = []
    shown = f"{key}=" if is_number else ""
    for names, group in groupby(missed, key=lambda one: one[1]):
        values = [value for value, _ in group]
        where = f"{values[0]} to {values[-1]}" if is_number and len(values) > 2 else ", ".join(values)
        what = f"these kinds of messages missed it: {', '.join(names)}" if names else "none missed it"
        parts.append(f"{'at' if is_number else 'with'} {shown}{where} {what}")
    return f"Published requirements of the applications: {'; '.join(parts)}."


def by_choice(content: Content, points: Sequence[Content]) -> list[tuple[str, list[tuple[str, str] | None]]]:
    """Each kind of message that was sent, and at each point the style and the words of its verdict; None where it was not sent."""
    return [
        (name, [_verdict(point["figures"][f"{FIGURE}.{name}"]) for point in points])
        for name in content["figures"][FIGURE]["parts"]
        if any(point["figures"][f"{FIGURE}.{name}"] is not None for point in points)
    ]


def _missed(content: Content, point: Content) -> tuple[str, ...]:
    """The kinds of message whose application missed its requirement, with any seed."""
    figures = point["figures"]
    parts = content["figures"][FIGURE]["parts"]
    return tuple(kind_words(name) for name in parts if (figures[f"{FIGURE}.{name}"] or {"max": 0.0})["max"] > 0.0)


def _verdict(one: Content | None) -> tuple[str, str] | None:
    if one is None:
        return None
    if one["min"] < one["max"]:
        return "bad", "missed with some seeds"
    return ("bad", "missed") if one["max"] else ("good", "not missed")
