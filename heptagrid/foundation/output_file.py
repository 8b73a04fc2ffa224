"""Files for results: whole or absent, under a temporary name of their own until then, and never in the place of what was read."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from heptagrid.foundation.errors import OutputError

TEMPORARY = ".heptagrid-"
"""What the name of every file begins with that stands only while something is written."""


@contextmanager
def replacing(path: Path, durable: bool = True) -> Iterator[Path]:
    """A new file beside `path` to write to, which takes its place once all is written, and `durable` on the disk.

    Whatever ends the writing before, Ctrl-C too, leaves `path` as it was and nothing else behind.
    """
    writing = path.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")
    try:
        yield writing
        if durable:
            with writing.open("rb") as file:
                os.fsync(file.fileno())
        writing.replace(path)
    except BaseException:
        with suppress(OSError):
            writing.unlink(missing_ok=True)
        raise


def write_text(path: Path, content: str) -> None:
    """Write a text file that is whole or absent, whatever kills the process or the machine."""
    with replacing(path) as writing:
        writing.write_text(content, encoding="utf-8")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file that is whole or absent, whatever kills the process or the machine."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to for a file that a user names; `path` gets what was written there once all of it is.

    A link is followed. What is no plain file (a pipe, a terminal, a device) is written to as it stands: it must not be replaced.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    try:
        if is_no_plain_file(path):
            yield path
        else:
            with replacing(path.resolve()) as writing:
                yield writing
    except OSError as problem:
        raise OutputError(f"{path} cannot be written: {problem.strerror or problem}; choose another place") from problem


def is_no_plain_file(path: Path) -> bool:
    """Whether something stands there that is not to be replaced; what is called by a name in /dev, such as /dev/stdout, never is."""
    return path.absolute().parts[1:2] == ("dev",) or (path.exists() and not path.is_file())


def refuse_overwriting(read: Collection[str | Path], written: Collection[str | Path | None]) -> None:
    """Refuse results that would take the place of what is read, or of one another; before any work is done.

    Raises
    ------
    OutputError
        Naming the file.
    """
    taken = {Path(one).resolve() for one in read}
    for one in written:
        if one is None or is_no_plain_file(Path(one)):
            continue
        place = Path(one).resolve()
        if place in taken:
            raise OutputError(f"{one} is to be written, but is read or written already; choose another name for it")
        taken.add(place)
