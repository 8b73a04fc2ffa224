"""Numbers and names as people read them."""

from __future__ import annotations

from html import escape

from heptagrid.foundation.printable import printable

DOMAIN_TITLES = (
    *("Bulk generation", "Transmission", "Distribution", "Customers"),
    *("Operations", "Markets", "Service providers"),
)
ARM_TITLES = {"conventional": "conventional", "smart": "smart", "intact": "smart, links intact"}


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
