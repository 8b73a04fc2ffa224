"""Numbers and names as people read them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from heptagrid.foundation.printable import printable

_AREA = re.compile(r"area-\d+")
DOMAIN_TITLES = (
    *("Bulk generation", "Transmission", "Distribution", "Customers"),
    *("Operations", "Markets", "Service providers"),
)
KIND_WORDS = {
    "meter_reading": "meter reading",
    "telemetry": "telemetry",
    "dispatch": "dispatch",
    "bid": "bid",
    "schedule": "schedule",
    "price": "price",
    "setpoint": "set-point",
    "alarm": "alarm",
    "bill": "bill",
    "ack": "acknowledgement",
    "firmware": "firmware",
}
"""Each kind of message in words; files, options and JSON keep the names."""
LOST_BY = {
    "link_loss": "on lossy links",
    "break": "to broken links",
    "buffer": "to full buffers",
    "collision": "to collisions",
    "access": "to media that were never free",
    "outage": "at places without supply and on cut lines",
    "stale": "to receivers whose windows had passed",
}
"""What messages are lost to, after a number of them."""
ARM_TITLES = {"conventional": "conventional", "smart": "smart", "intact": "smart, links intact"}


def listing(words: Sequence[str], last: str = "and") -> str:
    """Things one after another: "vehicles, heat pumps and batteries"."""
    *others, final = words or ("nothing",)
    return f"{', '.join(others)} {last} {final}" if others else final


def kind_of_places(names: Iterable[str]) -> str:
    """What a run's networks are called, by their names: the areas of a city, or towns."""
    named = list(names)
    return "area" if named and all(_AREA.fullmatch(name) for name in named) else "town"


def possessive(noun: str) -> str:
    """ "town's", "towns'"."""
    return f"{noun}'" if noun.endswith("s") else f"{noun}'s"


def kind_words(kind: str) -> str:
    """A kind of message, by its name in files and options, in words."""
    return KIND_WORDS.get(kind, kind.replace("_", " "))


def number(value: float | None, digits: int = 0) -> str:
    """A number with thin spaces between thousands and a true minus; a dash for what is not known."""
    if value is None:
        return "–"
    text = f"{value:,.{digits}f}".replace(",", "\u202f")
    if float(f"{value:.{digits}f}") == 0.0:
        text = text.replace("-", "")
    return text.replace("-", "\u2212")


def signed(value: float | None, digits: int = 0) -> str:
    """A difference, with its sign."""
    if value is None:
        return "–"
    text = number(value, digits)
    return text if text.startswith("\u2212") or float(f"{value:.{digits}f}") == 0.0 else f"+{text}"


def energy_unit(*mwh: float) -> tuple[str, float, int]:
    """The unit in which energies are written side by side, what an MWh is in it, and digits: kWh where all are below 1 MWh."""
    return ("MWh", 1.0, 2) if max(map(abs, mwh), default=0.0) >= 1.0 else ("kWh", 1000.0, 1)


def duration(seconds: float | None) -> str:
    """A time span in the unit that suits it."""
    if seconds is None:
        return "–"
    for limit, factor, unit in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (120.0, 1.0, "s"), (7200.0, 1 / 60, "min")):
        if seconds < limit:
            value = seconds * factor
            return f"{value:.{0 if value >= 100 else 1}f}\u202f{unit}"
    return f"{seconds / 3600:.1f}\u202fh"


def plain(value: object) -> str:
    """A setting as a person writes it, in a scenario or on the command line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ",".join(plain(one) for one in value) + "]"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def text(value: object) -> str:
    """Escaped for HTML."""
    return escape(printable(str(value)))
