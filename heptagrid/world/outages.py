"""Which places are without supply when: spans of time over sets of ids, joined where they overlap.

A place may lie in several blackouts at once; its supply is back when the last of them is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Outage:
    """The places `ids` (n,), ascending, are without supply in [begin_ns, end_ns)."""

    begin_ns: int
    end_ns: int
    ids: Ints

    def covers(self, ns: int) -> bool:
        return self.begin_ns <= ns < self.end_ns


def joined(outages: Sequence[Outage]) -> list[Outage]:
    """The same outages with none that touches another of the same place, by their begin and their first place."""
    outages = [one for one in outages if len(one.ids)]
    if not outages:
        return []
    ids = np.unique(np.concatenate([one.ids for one in outages]))
    member = np.stack([np.isin(ids, one.ids) for one in outages], axis=1)
    alike, which = np.unique(member, axis=0, return_inverse=True)
    parts: dict[tuple[int, int], list[Ints]] = {}
    for k, row in enumerate(alike):
        spans = [(outages[j].begin_ns, outages[j].end_ns) for j in np.flatnonzero(row)]
        for begin_ns, end_ns in _joined_spans(spans):
            parts.setdefault((begin_ns, end_ns), []).append(ids[np.ravel(which) == k])
    return [Outage(begin, end, np.sort(np.concatenate(those))) for (begin, end), those in sorted(parts.items())]


def supplied_at(outages: Sequence[Outage], ns: int, count: int) -> Bools:
    """(count,) whether each place has supply at `ns`."""
    supplied = np.ones(count, dtype=np.bool_)
    for one in outages:
        if one.covers(ns):
            supplied[one.ids] = False
    return supplied


def _joined_spans(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found
