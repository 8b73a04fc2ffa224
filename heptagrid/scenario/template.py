"""The text of a new scenario: every key as a comment, with its default, unit, range and source."""

from __future__ import annotations

import json
import shlex
from typing import Any

from heptagrid.foundation.parameters import Declaration, declarations
from heptagrid.foundation.registry import all_sections
from heptagrid.scenario.events import KINDS
from heptagrid.scenario.schema import RunParameters
from heptagrid.scenario.towns import OWN_SECTIONS, CompanyParameters, TownParameters
from heptagrid.scenario.words import likely, span

_HEAD = """# A scenario for heptagrid. Every key has its default value; to change one, remove the '#' and write another value.
# Run it with: heptagrid run {file}

name = {name}
description = "what this scenario is about"
network = "town"                 # a folder with grid.npz, profiles.npy and weather.npy, or a built-in one
# typical_days = "days.csv"      # columns date and weight, beside this file
"""


def template(name: str) -> str:
    """A commented scenario that loads as it stands."""
    lines = [_HEAD.format(file=shlex.quote(f"{name}.toml"), name=_toml(name))]
    for section, kind in {"run": RunParameters, **all_sections()}.items():
        lines += [f"\n[{section}]", f"# {_phrase(kind)}"]
        for key, _, default, declaration in declarations(kind):
            lines += [f"# {key} = {_toml(default)}", f"#   {_described(declaration)}"]
    return "\n".join([*lines, *_several(), *_events()]) + "\n"


def _several() -> list[str]:
    """An example of a town, a retailer and an aggregator, without a space after the '#' as those of events."""
    lines = ["\n# Several towns, retailers and aggregators, each with a name; without any there is one of each."]
    for what, kind in (("towns", TownParameters), ("retailers", CompanyParameters), ("aggregators", CompanyParameters)):
        lines += [f"\n# {_phrase(kind)}", f"#[{what}.north]"]
        for key, _, default, declaration in declarations(kind):
            lines += [f"#{key} = {_toml(default)}", f"#   {_described(declaration)}"]
        lines += [f"#   below it, settings of its own: [{what}.north.{section}]" for section in OWN_SECTIONS[what]]
    return lines


def _events() -> list[str]:
    """An example of each kind of event; without a space after the '#', so that nothing is taken in use by mistake."""
    lines = [
        "\n# Events: any number, each under [[events]] in two brackets. Remove the '#' in front of one example's lines."
    ]
    lines += [f"#   begin: local time, or seconds since the run's first midnight; kind: one of {', '.join(KINDS)}"]
    for name, kind in KINDS.items():
        lines += [f"\n# {_phrase(kind)}", "#[[events]]", f'#kind = "{name}"', "#begin = 2016-01-27T17:00:00"]
        for key, _, default, declaration in declarations(kind):
            lines += [f"#{key} = {_toml(default)}", f"#   {_described(declaration)}"]
    return lines


def _described(declaration: Declaration) -> str:
    unit = f" [{declaration.unit}]" if declaration.unit else ""
    limits = [words for words in (span(declaration), likely(declaration)) if words]
    choices = [f"one of {', '.join(declaration.choices)}"] if declaration.choices else []
    return "; ".join([f"{declaration.info}{unit}", *limits, *choices, f"source: {declaration.source}"])


def _phrase(kind: type) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


def _toml(value: Any) -> str:
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
