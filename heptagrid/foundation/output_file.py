"""Files that a user names for results: whole or absent, and never in the place of what was read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from heptagrid.foundation.errors import OutputError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to; `path` gets what was written there once all of it is.

    A link is followed. What is no plain file (a pipe, a terminal, a device) is written to as it stands: it must not be replaced.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    if is_no_plain_file(path):
        target = partial = path
    else:
        target = path.resolve()
        partial = target.with_name(target.name + ".partial")
    try:
        yield partial
        if partial is not target:
            partial.replace(target)
    except OSError as problem:
        if partial is not target:
            partial.unlink(missing_ok=True)
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
