"""How a declaration reads: its range, its unit and what kind of value it takes."""

from __future__ import annotations

from typing import Any

from heptagrid.foundation.parameters import Declaration

_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", tuple: "a list of numbers"}


def span(declaration: Declaration) -> str:
    """The range in a few words, such as "0 to 1" or "at least 0"; empty where there is none."""
    low, high = declaration.low, declaration.high
    if declaration.least is not None and high is not None:
        return f"0, or {_plain(declaration.least)} to {_plain(high)}"
    if low is None:
        return "" if high is None else f"at most {_plain(high)}"
    return f"at least {_plain(low)}" if high is None else f"{_plain(low)} to {_plain(high)}"


def likely(declaration: Declaration) -> str:
    """The likely range of an uncertain value in a few words; empty where it is not uncertain."""
    return f"likely {_plain(declaration.likely[0])} to {_plain(declaration.likely[1])}" if declaration.likely else ""


def allowed(declaration: Declaration) -> str:
    """What a number must do, after the word "must"."""
    words = span(declaration)
    if not words:
        return f"be finite{_unit(declaration)}"
    return (
        f"be {words}{_unit(declaration)}"
        if words.startswith(("at ", "0, or"))
        else f"lie from {words}{_unit(declaration)}"
    )


def expected(default: Any, declaration: Declaration) -> str:
    """The kind of value that a key takes, with its unit."""
    is_of_texts = isinstance(default, tuple) and isinstance(default[0], str)
    return ("a list of texts" if is_of_texts else _KINDS[type(default)]) + _unit(declaration)


def _unit(declaration: Declaration) -> str:
    return f" in {declaration.unit}" if declaration.unit not in ("", "1") else ""


def _plain(bound: float) -> str:
    """A bound without a trailing ".0", and in powers of ten where it is long."""
    return f"{bound:g}" if abs(bound) >= 1e7 else f"{bound:.7g}"
