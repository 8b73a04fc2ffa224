"""A city's figures for a terminal."""

from __future__ import annotations

from heptagrid.studies.city import CityFigures, Figure


def city_text(found: CityFigures) -> str:
    """Counts, then each figure beside what is published."""
    of = ", ".join(f"{count} {character}" for character, count in found.characters.items())
    lines = [f"{found.customers:,} customers in {found.areas} areas of primary substations: {of}", ""]
    for one in found.figures:
        lines += _lines(one)
    return "\n".join(lines)


def _lines(one: Figure) -> list[str]:
    value = f"{one.name:48} {one.value:8.2f} {one.unit}".rstrip()
    if one.published is None:
        return [value]
    low, high = one.published
    note = f"; {one.note}" if one.note else ""
    beside = f"beside {low:g}" if low == high else f"{'within' if one.is_within else 'outside'} {low:g} to {high:g}"
    return [value, f"    {beside}: {one.source}{note}"]
