"""How much memory a run took, over all its processes."""

from __future__ import annotations

import os

from heptagrid.foundation.memory import peak_rss_mb


def peak_of_process() -> tuple[int, float]:
    """This process's id and `peak_rss_mb`."""
    return os.getpid(), peak_rss_mb()


def tree_peak_rss_mb(workers: dict[int, float]) -> float:
    """An upper bound for this process and its workers together: the sum of their peaks, by process id."""
    others = sum(peak for process, peak in workers.items() if process != os.getpid())
    return peak_rss_mb() + others
