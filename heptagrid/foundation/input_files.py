"""Files from strangers: whether there is one, its text, and its TOML tables; else a sentence that says what is wrong."""

from __future__ import annotations

import codecs
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from heptagrid.foundation.printable import has_control

MOST_BYTES = 64 * 1024 * 1024
"""Of a text file that is read as a whole: assumption, a thousand times the largest scenario that we know."""
MOST_NETWORK_BYTES = 1024 * 1024 * 1024
"""Of a network: assumption, more than any public one that we know."""
MOST_NESTED = 24
"""Tables and lists within one another: assumption; ours need four."""
_TOLD_BY = 1024
"""So many first bytes tell whether a file is UTF-16 without its mark: half of those of plain text are zero."""
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class UnreadableError(ValueError):
    """What a file holds cannot be read; the message is the rest of a sentence that begins with the file."""


def is_file(path: Path) -> bool:
    """Whether there is a file of that name; no name is too long or too strange to ask."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def read_text(path: Path, most_bytes: int = MOST_BYTES, errors: str = "strict") -> str:
    """The text of a file in UTF-8, with or without its mark, or in UTF-16 with its mark.

    errors: as for `bytes.decode`, of bytes that are no UTF-8.

    Raises
    ------
    UnreadableError
        If there is none, it cannot be opened, is too large, or is no such text.
    """
    try:
        if path.stat().st_size > most_bytes:
            raise UnreadableError(f"is larger than {most_bytes // 2**20} MiB")
        content = path.read_bytes()
    except (OSError, ValueError) as problem:
        if isinstance(problem, UnreadableError):
            raise
        raise UnreadableError(f"cannot be read: {getattr(problem, 'strerror', None) or problem}") from None
    is_utf_16 = content.startswith(_UTF_16)
    if not is_utf_16 and content[:_TOLD_BY].count(0) * 4 > len(content[:_TOLD_BY]):
        raise UnreadableError("holds zero bytes, so it is not text, or UTF-16 without a mark; save it as UTF-8")
    try:
        return content.decode("utf-16") if is_utf_16 else content.decode("utf-8-sig", errors)
    except UnicodeDecodeError as problem:
        line = content[: problem.start].count(b"\n") + 1
        encoding = "UTF-16" if is_utf_16 else "UTF-8"
        raise UnreadableError(f"is not text in {encoding} (line {line}); save it as UTF-8") from None


def read_toml(path: Path, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises
    ------
    UnreadableError
        As `read_text` and `toml_of`.
    """
    return toml_of(read_text(path, most_bytes))


def toml_of(text: str) -> dict[str, Any]:
    """The tables of a TOML text: whole numbers of 64 bits, no control characters, nothing deeper than `MOST_NESTED`.

    Raises
    ------
    UnreadableError
        Where the text is no TOML, or no such one.
    """
    deep = f"is nested more than {MOST_NESTED} deep"
    try:
        content = tomllib.loads(text)
    except RecursionError:
        raise UnreadableError(deep) from None
    except ValueError as problem:  # tomllib's own, and integers of thousands of digits
        raise UnreadableError(f"is no TOML: {str(problem).split(';')[0]}") from None
    for key, value, depth in _values(content):
        if depth > MOST_NESTED:
            raise UnreadableError(deep)
        if type(value) is int and not -(2**63) <= value < 2**63:
            raise UnreadableError(f"holds a whole number beyond 64 bits, of {len(str(abs(value)))} digits, at {key}")
        if has_control(key) or (isinstance(value, str) and has_control(value)):
            raise UnreadableError(f"holds a control character at {key}")
    return content


def _values(content: dict[str, Any]) -> Iterator[tuple[str, Any, int]]:
    """Every value below a table, with its dotted key and how deep it stands; no recursion, however deep."""
    waiting: list[tuple[str, Any, int]] = [("", content, 0)]
    while waiting:
        key, value, depth = waiting.pop()
        yield key, value, depth
        if depth > MOST_NESTED:
            continue
        if isinstance(value, dict):
            waiting += [(f"{key}.{name}" if key else name, one, depth + 1) for name, one in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{key}[{k}]", one, depth + 1) for k, one in enumerate(value)]
