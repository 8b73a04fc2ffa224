"""How much memory a process took, as the operating system counts it."""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def peak_rss_mb() -> float:
    """This process's greatest resident memory so far, in 10^6 bytes.

    Linux says so of the program in its status; what `getrusage` tells is the memory of the process that started it, where that had more.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(float(one.split()[1]) for one in lines if one.startswith("VmHWM:")) * 1024 / 1e6
    except (OSError, StopIteration, ValueError, IndexError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
