"""How much memory a run took, as the operating system counts it."""

from __future__ import annotations

import os
import resource
import sys


def peak_rss_mb() -> float:
    """This process's greatest resident memory so far, in 10^6 bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def peak_of_process() -> tuple[int, float]:
    """This process's id and `peak_rss_mb`."""
    return os.getpid(), peak_rss_mb()


def tree_peak_rss_mb(workers: dict[int, float]) -> float:
    """An upper bound for this process and its workers together: the sum of their peaks, by process id."""
    others = sum(peak for process, peak in workers.items() if process != os.getpid())
    return peak_rss_mb() + others
