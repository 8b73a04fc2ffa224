"""Room for tables of which much is never used: a page takes memory once something is written to it, not before.

numpy asks for huge pages where an array has 4 MB or more, so that a table of which a fortieth is used stands in memory whole.
"""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

_LEAST_BYTES = 1 << 17
"""Of less it is not worth to ask the system for pages."""


def bare_room(*shape: int) -> npt.NDArray[np.int64]:
    """A table of zeros, whose pages take no memory yet."""
    size_bytes = 8 * int(np.prod(shape, dtype=np.int64))
    if size_bytes < _LEAST_BYTES:
        return np.zeros(shape, dtype=np.int64)
    # Not shared with processes that are forked; where there are no such flags, neither are there forks.
    flags: Any = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
    return np.frombuffer(mmap.mmap(-1, size_bytes, **flags), dtype=np.int64).reshape(shape)
