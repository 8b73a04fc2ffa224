"""Where compiled kernels are kept, and how they are read back: from this user's own folders only, and only what is whole.

A kernel's file is loaded as code. So a folder that others can write to is not used, and each file carries its own hash: what was cut or
changed is compiled anew.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba.core import caching as _caching
from numba.core import runtime as _runtime

caching: Any = _caching
runtime: Any = _runtime
_log = logging.getLogger(__name__)
_said: list[str] = []
_HASH_BYTES = hashlib.sha256().digest_size


def cache_folder() -> Path:
    """Where compiled kernels are kept; a temporary place of this user's own when the chosen one cannot be written.

    Raises
    ------
    OSError
        If there is none; the message says what to set.
    """
    chosen = os.environ.get("HEPTAGRID_CACHE_DIR")
    folder = Path(chosen) if chosen else _home() / "heptagrid"
    if _is_writable(folder):
        return folder
    temporary = _temporary_folder()
    if _is_writable(temporary, mode=0o700) and _is_own(temporary):
        return temporary
    raise OSError(
        f"no folder for compiled kernels: {folder} cannot be written, and {temporary} cannot be written or is open to others; "
        "set HEPTAGRID_CACHE_DIR to a folder of your own"
    )


def _home() -> Path:
    chosen = os.environ.get("XDG_CACHE_HOME")
    try:
        return Path(chosen) if chosen else Path.home() / ".cache"
    except RuntimeError:  # nobody knows this user's home
        return Path(os.devnull)


def _is_writable(folder: Path, mode: int = 0o777) -> bool:
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _temporary_folder() -> Path:
    return Path(tempfile.gettempdir()) / f"heptagrid-{os.getuid() if hasattr(os, 'getuid') else 'user'}"


def _is_own(folder: Path) -> bool:
    """Whether a folder, which is no link, belongs to this user, and nobody else can write to it."""
    if not hasattr(os, "getuid"):
        return True  # the system's temporary folder is the user's own there
    found = folder.lstat()
    others = stat.S_IWGRP | stat.S_IWOTH
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & others


def say_once(text: str) -> None:
    """Log that kernels are compiled; only the first such remark of a process is."""
    if not _said:
        _said.append(text)
        _log.info(text)


class CheckedCache(caching.FunctionCache):  # type: ignore[misc]
    """A compiled function's cache; it takes whole files only, and says it when a kernel has to be compiled."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._cache_file = _CheckedFiles(
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=self._impl.locator.get_source_stamp(),
        )

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """Load a compiled kernel, or None.

        numba loads all that it needs to compile first, 0.2 s at every start; what is compiled already needs its memory management alone.
        """
        runtime.rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            found = self._load_overload(signature, target_context)
        if found is None:
            say_once("kernels that are not compiled yet are compiled first; heptagrid compile does it for all")
        return found


class _CheckedFiles(caching.IndexDataCacheFile):  # type: ignore[misc]
    """numba's index and data files, each behind its hash."""

    def _load_index(self) -> dict[Any, str]:
        content = _whole(Path(self._index_path))
        if content is None:
            return {}
        version, stamp, overloads = pickle.loads(content)
        return overloads if (version, stamp) == (self._version, self._source_stamp) else {}

    def _save_index(self, overloads: dict[Any, str]) -> None:
        self._write(self._index_path, self._dump((self._version, self._source_stamp, overloads)))

    def _load_data(self, name: str) -> Any:
        content = _whole(Path(self._data_path(name)))
        if content is None:
            raise OSError(f"{name} is not whole")  # which numba takes for a kernel that is not there
        return pickle.loads(content)

    def _save_data(self, name: str, data: Any) -> None:
        self._write(self._data_path(name), self._dump(data))

    def _write(self, path: str, content: bytes) -> None:
        with self._open_for_write(path) as file:
            file.write(hashlib.sha256(content).digest() + content)


def _whole(path: Path) -> bytes | None:
    """What a file holds behind its hash; None if that is not the hash of it, or there is no file."""
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        return None
    content = found[_HASH_BYTES:]
    return content if hashlib.sha256(content).digest() == found[:_HASH_BYTES] else None
