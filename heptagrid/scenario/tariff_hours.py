"""The hours of a scenario's tariffs: their periods make up every hour of the year once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.registry import registered_tariffs
from heptagrid.planes.money.rates.schedule import of_windows
from heptagrid.planes.money.tariffs.tariff import SECTION, Tariff
from heptagrid.scenario.checks import Checks


def check_tariff_hours(checks: Checks, sections: Mapping[str, Any]) -> None:
    """Add the hours that the periods of a tariff leave out, or cover twice, to the violations of `checks`."""
    for tariff in registered_tariffs():
        section = SECTION + tariff.name
        own = sections.get(section)
        if type(tariff).windows is Tariff.windows or own is None or _has_unlike_lists(checks, section, own):
            continue
        try:
            windows = tariff.windows(own)
            of_windows(windows, [f"entry {k + 1}" for k in range(len(windows))])
        except UsageError as problem:
            keys = [f"{section}.{one.name}" for one in fields(own) if one.name in ("from_h", "to_h")]
            checks.violations.append(f"{', '.join(keys) or section}: {problem}")


def _has_unlike_lists(checks: Checks, section: str, own: Any) -> bool:
    """Whether the lists of a section, entry k of which describe the same period, have different lengths."""
    lists = {one.name: getattr(own, one.name) for one in fields(own) if isinstance(getattr(own, one.name), tuple)}
    lengths = {name: len(entries) for name, entries in lists.items()}
    if len(set(lengths.values())) < 2:
        return False
    counts = ", ".join(f"{section}.{name} has {length}" for name, length in lengths.items())
    checks.violations.append(f"{counts} entries: give every period one entry in each of these lists")
    return True
