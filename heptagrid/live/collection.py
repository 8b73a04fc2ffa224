"""The collector of reference cycles while a grid is live: it holds up all threads, so that what it looks through is kept small, and it seldom looks through all."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 5_000
"""Objects that are made between two collections of the youngest: a client that comes and goes leaves dozens that only refer to one another, and memory rises until they are looked for. A
process of ours would otherwise wait for ten times as many (`foundation/garbage.py`)."""
SELDOM = 100
"""Collections of younger objects before one of all that have been made since the start: a grid makes hardly any cycles, while thousands of frames that wait are looked through in vain."""


@contextmanager
def little_to_collect() -> Iterator[None]:
    """Leave what there is now out of every collection until the end: the built-in town's 160,000 objects take a tenth of a second and more to look through."""
    youngest, younger, all_of_them = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, younger, SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(youngest, younger, all_of_them)
        gc.unfreeze()
