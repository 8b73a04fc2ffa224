"""One process at a time writes into a folder; the operating system drops the lock of a process that is gone."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from heptagrid.foundation.errors import OutputError
from heptagrid.foundation.output_file import TEMPORARY

LOCK = f"{TEMPORARY}lock"
_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Hold a folder's lock; its file says who holds it, and goes with the lock.

    Raises
    ------
    OutputError
        If another process, or another thread of this one, holds it; with the number of the process.
    """
    path = folder / LOCK
    file = _locked(path, folder)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(file)


def _locked(path: Path, folder: Path) -> int:
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _take(file)
            if _is_still(path, file):
                os.ftruncate(file, 0)
                os.pwrite(file, str(os.getpid()).encode(), 0)
                return file
        except OSError as problem:
            holder = os.pread(file, 20, 0).decode(errors="replace").strip()
            os.close(file)
            if problem.errno not in _HELD:
                raise
            raise OutputError(
                f"{folder} is in use by another heptagrid (process {holder or 'unknown'}); wait for its end, or choose another --out"
            ) from None
        os.close(file)


def _is_still(path: Path, file: int) -> bool:
    """Whether the locked file is the one that stands there: who held it before us may have taken it away."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _take(file: int) -> None:
        """Lock the file; raises OSError if it is locked."""
        os.lseek(file, 1 << 20, os.SEEK_SET)  # behind the number, which others read
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(file: int) -> None:
        """Lock the file; raises OSError if it is locked."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            if problem.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                raise  # a file system without locks is written to without
