"""Waves that were sent before: who sends regularly sends the same to the same, so that all of a wave's rows but indices, times and numbers is remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.tables import Ints

REMEMBERED = 64
"""Waves that are remembered; of more the one that was not sent for longest is forgotten."""


class Common(NamedTuple):
    """What the messages of a wave share. pair: 7 times the sender plus the receiver. is_spared: whether they are spared the way."""

    kind: int
    size_bytes: int
    pair: int
    priority: int
    is_spared: bool


class Familiar:
    """A wave's rows (n, PENDING) as far as they are the same each time.

    Attributes: `is_distinct`, whether no two of its messages have the same sender; `rows`, in the wave's own order.
    """

    def __init__(self, rows: Ints) -> None:
        self.rows = rows
        self.is_distinct = len(np.unique(rows[:, t.SOURCE])) == len(rows)
        self._order = np.arange(len(rows))
        self._ordered = rows

    def sent(self, first_id: int, sent_ns: Ints) -> Ints:
        """The rows of the wave that leaves at these times, (n,), by time and index; `first_id` is its first message's index."""
        if len(sent_ns) == 1 or not (sent_ns[1:] < sent_ns[:-1]).any():
            rows = self.rows.copy()
            rows[:, t.ID] = np.arange(first_id, first_id + len(rows))
            rows[:, t.SENT] = sent_ns
            return rows
        times_ns = sent_ns[self._order]
        if not (times_ns[1:] > times_ns[:-1]).all():  # they leave in another order than the last time
            self._order = np.argsort(sent_ns, kind="stable")
            self._ordered = self.rows[self._order]
            times_ns = sent_ns[self._order]
        rows = self._ordered.copy()
        rows[:, t.ID] = first_id + self._order
        rows[:, t.SENT] = times_ns
        return rows


class FamiliarWaves:
    """Remembers waves; `make` fills the rows of one that is met for the first time, from sources, destinations and what its messages share."""

    def __init__(self, make: Callable[[Ints, Ints, Common], Ints]) -> None:
        self._make = make
        self._known: dict[tuple[Common, bytes, bytes], Familiar] = {}

    def of(self, sources: Ints, destinations: Ints, common: Common) -> Familiar:
        """The wave of these pairs, (n,) each."""
        key = (common, sources.tobytes(), destinations.tobytes())
        known = self._known.pop(key, None)
        if known is None:
            known = Familiar(self._make(sources, destinations, common))
            if len(self._known) >= REMEMBERED:
                del self._known[next(iter(self._known))]
        self._known[key] = known  # the last of the dictionary is the one that was sent last
        return known

    def forget(self) -> None:
        """The paths have changed: nothing is as it was."""
        self._known.clear()
