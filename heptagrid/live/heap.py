"""The C library's heap of a process that lasts for days: what is free goes back to the system."""

from __future__ import annotations

import ctypes
import sys

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
