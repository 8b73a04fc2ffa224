"""The process beside an arm that is alone: it clears markets, reckons a day's fuel, and writes tables and the page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from heptagrid.foundation import beside
from heptagrid.report.writing import prepare_page

MODULES = (
    *("heptagrid.planes.money.markets.day_ahead", "heptagrid.planes.money.markets.cost_of_towns", "highspy"),
    *("scipy.sparse", "heptagrid.recording.tables", "polars", "scipy.special"),
)
"""What it needs, in the order of the day."""


@contextmanager
def beside_arm(jobs: int, threads: int | None) -> Iterator[None]:
    """Keep a process beside one job that has more threads than its messages take; none where there is one already, or another job."""
    if jobs > 1 or beside.is_there() or (threads or os.cpu_count() or 1) < 2:
        yield
        return
    with beside.process(MODULES):
        beside.begin(prepare_page)
        yield
