"""How often a process that is heptagrid's own looks for objects that only refer to one another."""

from __future__ import annotations

import atexit
import gc


def collect_rarely() -> None:
    """Look once for every 50,000 new objects instead of every 700, and not when the process ends.

    What numba and polars make at their import is looked through again and again, and most thoroughly at the end, when the system takes all memory back
    anyway: 0.2 s of processor time in a run of an arm, and 0.3 s at its end. Not for a process of somebody else's, who imports heptagrid.
    """
    gc.set_threshold(50_000, 10, 10)
    atexit.register(gc.freeze)
