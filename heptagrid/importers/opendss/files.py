"""The files that an OpenDSS script names: found whatever the case of their letters, decoded, and lent to the engine under names of ours."""

from __future__ import annotations

import codecs
import shutil
from contextlib import suppress
from pathlib import Path

from heptagrid.foundation.errors import FileError

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


STRAY = 0.01  # of a file's bytes: as many zeros some editors leave behind; a text in UTF-16 is half of them


def lines_of(path: Path) -> list[str]:
    """The lines of a script in UTF-8, UTF-16 with its mark, or else Latin-1, without stray zero bytes.

    Raises
    ------
    FileError
        If it cannot be read, or is no text.
    """
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise FileError(str(path), [f"cannot be read: {problem.strerror}"]) from None
    if data.startswith(UTF_16):
        try:
            return data.decode("utf-16").splitlines()
        except UnicodeDecodeError:
            raise FileError(str(path), ["begins like UTF-16 and is none; save it as UTF-8"]) from None
    if data.count(b"\0") > STRAY * len(data):
        raise FileError(str(path), ["holds zero bytes, so it is not text, or UTF-16 without a mark; save it as UTF-8"])
    data = data.replace(b"\0", b"")
    with suppress(UnicodeDecodeError):
        return data.decode("utf-8-sig").splitlines()
    return data.decode("latin-1").splitlines()


def existing(directory: Path, name: str) -> Path | None:
    """The file that a script means: with any case of its letters, as on the systems that scripts are written on."""
    for candidate in (name, f"{name}.dss"):
        path = directory
        for part in portable(candidate).parts:
            following = path / part
            if not following.exists() and path.is_dir():
                following = next((one for one in path.iterdir() if one.name.lower() == part.lower()), following)
            path = following
        if path.is_file():
            return path.resolve()
    return None


def portable(name: str) -> Path:
    """A path as it is written on other systems."""
    return Path(name.replace("\\", "/"))


class Lent:
    """Files of data under names of our own in one folder, so that the engine reads them and learns of no other place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name_of: dict[Path, str] = {}

    def name(self, path: Path) -> str:
        """The name in the folder of a file."""
        if path not in self._name_of:
            name = f"data{len(self._name_of) + 1}"
            try:
                (self._folder / name).symlink_to(path)
            except (OSError, NotImplementedError):
                shutil.copyfile(path, self._folder / name)
            self._name_of[path] = name
        return self._name_of[path]
