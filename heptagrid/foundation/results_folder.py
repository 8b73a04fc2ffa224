"""Folders of results: known by what their mark says, held by one process, replaced when the new results are whole.

A folder's mark is a JSON file that says what kind of results it holds and in which version of the format. It is written first. New results
over earlier ones grow in a folder of their own inside, `unfinished`, and take the earlier ones' place at their end. Only files of the names
that heptagrid gives are ever removed or replaced; whatever else lies there stays.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from heptagrid.foundation.errors import OutputError
from heptagrid.foundation.folder_lock import LOCK, locked_folder
from heptagrid.foundation.output_file import TEMPORARY, write_json

FORMAT_VERSION = 4  # 2: events are called `events`; 3: several towns and companies; 4: settlement runs
UNFINISHED = "unfinished"
_FILES = "Allow more open files (ulimit -n), or run with fewer processes"
_REMEDIES = {errno.EMFILE: _FILES, errno.ENFILE: _FILES}


@dataclass(frozen=True)
class Kind:
    """A kind of results folder.

    name: in messages and in its mark. mark: the file that says so. files: the names it holds. folders: of each folder in it, how the names
    there end. nested: folders in it that hold results folders of a kind each.
    """

    name: str
    mark: str
    files: frozenset[str]
    folders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    nested: Mapping[str, Kind] = field(default_factory=dict)

    def format(self) -> dict[str, Any]:
        """What the mark says, beside whatever else it holds."""
        return {"format": f"heptagrid {self.name}", "format_version": FORMAT_VERSION}

    def is_marked(self, folder: Path) -> bool:
        """Whether a folder holds results of this kind, by what its mark says."""
        return bool(self.version_in(folder) == FORMAT_VERSION)

    def version_in(self, folder: Path) -> Any:
        """The version of the format of the results of this kind that a folder holds; None if it holds none."""
        try:
            content = json.loads((folder / self.mark).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        is_this = isinstance(content, dict) and content.get("format") == self.format()["format"]
        return content.get("format_version") if is_this else None

    def owned(self, folder: Path) -> list[Path]:
        """The files in a folder that heptagrid has written there, the mark last; no link to a folder is followed."""
        found = [one for one in _entries(folder) if one.name in self.files or one.name.startswith(TEMPORARY)]
        for name, endings in self.folders.items():
            inside = _entries(folder / name)
            found += [one for one in inside if one.name.endswith(endings) or one.name.startswith(TEMPORARY)]
        for name, kind in self.nested.items():
            for inner in _folders(folder / name):
                found += kind.owned(inner) if kind.is_marked(inner) else []
        return sorted((one for one in found if not one.is_dir()), key=lambda one: one == folder / self.mark)

    def remove(self, folder: Path, keep: str = "") -> None:
        """Remove what heptagrid has written, but for the lock and a file to keep, and the folders that this leaves empty."""
        for one in self.owned(folder):
            if one not in (folder / keep, folder / LOCK):
                one.unlink()
        for name in (*self.folders, *self.nested):
            for inner in (*_folders(folder / name, deep=True), folder / name):
                with suppress(OSError):  # what others put there stays
                    inner.rmdir()


@dataclass(frozen=True)
class Place:
    """Where results are written: `work` until they are whole, which is `folder` itself unless that holds earlier ones."""

    kind: Kind
    folder: Path
    work: Path

    @property
    def replaces(self) -> bool:
        """Whether earlier results stand until these are whole."""
        return self.work != self.folder

    def promote(self) -> None:
        """Put whole results in the place of the earlier ones. The mark goes first, so that it must not yet say that they are whole."""
        if not self.replaces:
            return
        write_json(self.folder / self.kind.mark, json.loads((self.work / self.kind.mark).read_text(encoding="utf-8")))
        self.kind.remove(self.folder, keep=self.kind.mark)
        self.move()

    def move(self) -> None:
        """Move the files of `work` to where they belong, the mark last, so that who is killed meanwhile can go on."""
        for one in self.kind.owned(self.work):
            if not one.name.startswith(TEMPORARY):
                target = self.folder / one.relative_to(self.work)
                target.parent.mkdir(parents=True, exist_ok=True)
                one.replace(target)
        self.kind.remove(self.work)


@contextmanager
def results_folder(folder: Path, kind: Kind, force: bool, goes_on: Mapping[str, Any] | None = None) -> Iterator[Place]:
    """Hold a folder to write results of a kind into.

    force: earlier results of the kind are to be replaced. goes_on: a mark; results with the very same are taken up.

    Raises
    ------
    OutputError
        If it holds results and `force` is not given, holds something else, is in use, or cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        real = folder.resolve()
    except OSError as problem:
        raise OutputError(f"the results folder {folder} cannot be made: {problem.strerror or problem}") from problem
    try:
        with locked_folder(real):
            place = _place(real, folder, kind, force, goes_on)
            try:
                yield place
            finally:
                if place.replaces:
                    with suppress(OSError):  # what was begun there stays
                        place.work.rmdir()
    except OSError as problem:
        is_something_kept = any(not one.name.startswith(TEMPORARY) for one in _entries(folder))
        raise (
            unwritable(folder, problem) if is_something_kept else unwritable(folder, problem, NOTHING_KEPT)
        ) from problem


NOTHING_KEPT = "nothing was written"


def unwritable(
    folder: Path, problem: OSError, kept: str = "what was written before is kept, marked partial"
) -> OutputError:
    """What to say when results cannot be written; kept: what became of those that were."""
    elsewhere = problem.filename and str(folder) not in str(problem.filename)
    where = f" ({problem.filename})" if elsewhere else ""
    what = f"the results cannot be written to {folder}: {problem.strerror or problem}{where}"
    return OutputError(f"{what}; {kept}. {remedy(problem)}")


def remedy(problem: OSError) -> str:
    """What to do about an error of the operating system."""
    return _REMEDIES.get(problem.errno or 0, "Make room, or write to another place")


def _place(folder: Path, given: Path, kind: Kind, force: bool, goes_on: Mapping[str, Any] | None) -> Place:
    """Where to write in `folder`, which messages call as it was `given`."""
    if not any(not one.name.startswith(TEMPORARY) for one in _entries(folder)):
        return Place(kind, folder, folder)
    version = kind.version_in(folder)
    if version is not None and version != FORMAT_VERSION:
        raise OutputError(
            f"{given} holds a {kind.name} in version {version} of the format of results, and this heptagrid writes version "
            f"{FORMAT_VERSION}; choose another --out, or remove the folder"
        )
    if not kind.is_marked(folder):
        raise OutputError(f"{given} is not empty and holds no {kind.name} of heptagrid; choose another --out")
    unfinished = Place(kind, folder, _unfinished(folder, kind))
    if goes_on is not None and _says(folder / kind.mark, goes_on):
        if _says(unfinished.work / kind.mark, goes_on):
            unfinished.move()
        return Place(kind, folder, folder)
    if not force:
        raise OutputError(
            f"{given} holds another {kind.name}; choose another --out, or --force to replace it when the new one is whole"
        )
    if goes_on is None or not _says(unfinished.work / kind.mark, goes_on):
        kind.remove(unfinished.work)
    unfinished.work.mkdir(exist_ok=True)
    return unfinished


def _unfinished(folder: Path, kind: Kind) -> Path:
    """Where new results grow: a folder that is not there, is empty, or holds what was not brought to its end."""
    count = 1
    while True:
        path = folder / (UNFINISHED if count == 1 else f"{UNFINISHED}-{count}")
        if not path.is_symlink() and (not path.exists() or (path.is_dir() and not _holds_others(path, kind))):
            return path
        count += 1


def _holds_others(folder: Path, kind: Kind) -> bool:
    return bool(_entries(folder)) and not kind.is_marked(folder)


def _says(mark: Path, content: Mapping[str, Any]) -> bool:
    try:
        return bool(json.loads(mark.read_text(encoding="utf-8")) == content)
    except (OSError, ValueError, RecursionError):
        return False


def _entries(folder: Path) -> list[Path]:
    """What is in a folder itself; nothing in one that is absent or a link."""
    return sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []


def _folders(folder: Path, deep: bool = False) -> list[Path]:
    """The folders in a folder, the innermost first if `deep`."""
    found = []
    for one in _entries(folder):
        if one.is_dir() and not one.is_symlink():
            found += [*(_folders(one, deep) if deep else []), one]
    return found
