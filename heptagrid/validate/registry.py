"""The cases there are, and the choice among them."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from importlib import import_module

from heptagrid.foundation.errors import UsageError
from heptagrid.validate.case import PLANES, Case

MODULES = (
    "power_radial",
    "power_town",
    "power_bulk",
    "power_frequency",
    "power_feeders",
    "power_positive_sequence",
    "power_inverters",
    "power_reactive",
    "power_meshed",
    "power_simbench",
    "messages_queues",
    "messages_aloha",
    "messages_csma_ca",
    "messages_dcf",
    "messages_hidden",
    "messages_lorawan",
    "messages_power_line",
    "messages_ns3",
    "messages_bus",
    "messages_lr_wpan",
    "messages_wi_sun",
    "messages_plan",
    "messages_loops",
    "messages_neighbourhood",
    "money_dispatch",
    "money_appraisal",
    "money_commitment",
    "money_rts_gmlc",
    "money_bulk_market",
    "money_networks",
    "money_losses",
    "gridlabd_houses",
    "gridlabd_water_heater",
    "photovoltaics",
    "vehicles",
    "clouds",
    "populations",
    "grid_day",
)


def all_cases() -> list[Case]:
    """Every case of the registered modules, single or in tuples, in the order in which they stand there."""
    modules = [import_module(f"heptagrid.validate.{name}") for name in MODULES]
    named = [value for module in modules for value in vars(module).values()]
    several = [value if isinstance(value, tuple) else (value,) for value in named]
    return [one for values in several for one in values if isinstance(one, Case)]


def choose(words: Sequence[str], cases: Sequence[Case]) -> list[Case]:
    """The cases that any of the words names: by name, plane, beginning of a name, or pattern; all without words.

    Raises
    ------
    UsageError
        If a word names none.
    """
    if not words:
        return list(cases)
    chosen: set[str] = set()
    for word in words:
        named = [one.name for one in cases if one.name == word]
        named = named or [one.name for one in cases if one.plane == word]
        named = named or [one.name for one in cases if one.name.startswith(word) or fnmatchcase(one.name, word)]
        if not named:
            raise UsageError(f"no validation case is called {word!r}; {_closest(word, cases)}")
        chosen.update(named)
    return [one for one in cases if one.name in chosen]


def _closest(word: str, cases: Sequence[Case]) -> str:
    near = get_close_matches(word, [*(one.name for one in cases), *PLANES], n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else "heptagrid validate --list names them all"
