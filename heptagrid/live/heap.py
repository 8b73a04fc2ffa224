"""Memory of a process that lasts for days: what is free, or was needed to start, goes back to the system."""

from __future__ import annotations

import ctypes
import mmap
import sys
from pathlib import Path

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # parameters of glibc's mallopt(3)
LARGE_BYTES = 512 * 1024
"""From here on an array has pages of its own, which go back as soon as it does: a day's reads, not the arrays of a step."""
_FREE_BYTES = 1 << 20


def give_back() -> bool:
    """Have large arrays, and what is free at the end of the heap, given back to the system; whether the C library can be told, which is glibc alone.

    By itself glibc takes the size of the largest array that was ever freed, up to 32 MB, for what it keeps: the arrays of a midnight then lie among those that stay,
    and their place is never given back.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    values = {_MMAP_THRESHOLD: LARGE_BYTES, _TRIM_THRESHOLD: _FREE_BYTES, _ARENA_MAX: 1}
    taken = [mallopt(name, value) == 1 for name, value in values.items()]
    return all(taken)


def trim() -> None:
    """Have free pages within the heap given back too: what a solver freed lies between what stays."""
    if not sys.platform.startswith("linux"):
        return
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        return


def leave_code() -> None:
    """Have the pages of libraries' code taken out of this process's memory: most of them, the compiler's 50 MB among them, were needed to start, and what is called again comes back from the file by itself."""
    if not sys.platform.startswith("linux"):
        return
    try:
        madvise = ctypes.CDLL(None).madvise
        mappings = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    except (OSError, AttributeError):
        return
    for line in mappings:
        span, rights, _, _, _, *file = line.split(maxsplit=5)
        if rights == "r-xp" and file and file[0].startswith("/"):  # code is never written to: it is as the file has it
            begin, end = (int(one, 16) for one in span.split("-"))
            madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), mmap.MADV_DONTNEED)
