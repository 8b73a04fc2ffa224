"""Waves whose messages have not all left: what is left of each, by time and index.

A wave of many is kept as what tells its messages from those of the wave that is remembered of it; their rows are made when their time has come.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.familiar_waves import Familiar
from heptagrid.planes.messages.tables import Ints


class WaitingWave(Protocol):
    """Messages that wait for their time."""

    @property
    def least_id(self) -> int:
        """The least index among them."""
        ...

    def due(self, until_ns: int) -> int:
        """How many leave by then."""
        ...

    def rows(self, count: int | None = None) -> Ints:
        """The rows of the next so many, (n, PENDING); of all by default."""
        ...

    def after(self, count: int) -> WaitingWave | None:
        """What waits when the next so many have left; None if nothing does."""
        ...


class WaitingRows:
    """Messages whose rows, (n, PENDING), stand there already."""

    def __init__(self, rows: Ints) -> None:
        self._rows = rows

    @property
    def least_id(self) -> int:
        return int(self._rows[:, t.ID].min())

    def due(self, until_ns: int) -> int:
        return int(np.searchsorted(self._rows[:, t.SENT], until_ns, side="right"))

    def rows(self, count: int | None = None) -> Ints:
        return self._rows[:count]

    def after(self, count: int) -> WaitingWave | None:
        return WaitingRows(self._rows[count:]) if count < len(self._rows) else None


class WaitingFamiliar:
    """Messages of a familiar wave, from the one at `begin` on. first_id: of the whole wave; sent_ns: (n,) its times, never changed from now on."""

    def __init__(self, wave: Familiar, first_id: int, sent_ns: Ints, numbers: Ints) -> None:
        """numbers: (places,) how many messages of the kind each place has sent, counted on."""
        self._wave, self._first_id = wave, first_id
        self._sent_ns = np.ascontiguousarray(sent_ns)
        self._order, self._numbers = wave.numbered(self._sent_ns, numbers)
        self._begin = 0

    @property
    def least_id(self) -> int:
        return self._first_id + int(self._order[self._begin :].min())

    def due(self, until_ns: int) -> int:
        return int(_first_after(self._order, self._sent_ns, self._begin, until_ns)) - self._begin

    def rows(self, count: int | None = None) -> Ints:
        end = len(self._order) if count is None else self._begin + count
        own = slice(self._begin, end)
        return self._wave.rows(self._order[own], self._numbers[own], self._first_id, self._sent_ns)

    def after(self, count: int) -> WaitingWave | None:
        if self._begin + count == len(self._order):
            return None
        rest = object.__new__(WaitingFamiliar)
        vars(rest).update(vars(self) | {"_begin": self._begin + count})
        return rest


@kernel(allocates=False)
def _first_after(order, sent_ns, begin, until_ns):  # type: ignore[no-untyped-def]
    """The first place of the order, none before `begin`, whose message leaves after a time."""
    low, high = begin, len(order)
    while low < high:
        middle = (low + high) // 2
        if sent_ns[order[middle]] <= until_ns:
            low = middle + 1
        else:
            high = middle
    return low
