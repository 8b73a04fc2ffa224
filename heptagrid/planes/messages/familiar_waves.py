"""Waves that were sent before: who sends regularly sends the same to the same, so that all of a wave's rows but indices, times and numbers is remembered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.tables import Ints

Ints32 = npt.NDArray[np.int32]

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
    """A wave's rows (n, PENDING) as far as they are the same each time, in the wave's own order; kept in a fifth of their memory."""

    def __init__(self, rows: Ints) -> None:
        self._same = rows[:1].copy()
        self._varying = rows[:, _VARYING].astype(np.int32)
        self._hops = rows[:, [t.HOPS, t.ACK_HOPS]].astype(np.uint8)
        self._order = np.arange(len(rows), dtype=np.int32)  # in which its messages left the last time

    def numbered(self, sent_ns: Ints, numbers: Ints) -> tuple[Ints32, Ints32]:
        """The order, (n,), in which the messages leave at these times, by time and index, and in this order the number of each.

        numbers: (places,) how many messages of the kind each place has sent, counted on.
        """
        if not _is_order(self._order, sent_ns):
            self._order = np.argsort(sent_ns, kind="stable").astype(np.int32)
        number = np.empty(len(self._order), dtype=np.int32)
        _count(number, self._varying, self._order, numbers)
        return self._order, number

    def rows(self, order: Ints32, number: Ints32, first_id: int, sent_ns: Ints) -> Ints:
        """The rows (n, PENDING) of some of the messages, in the order in which `numbered` told them; first_id, sent_ns: of the whole wave."""
        rows = np.empty((len(order), t.PENDING), dtype=np.int64)
        _dated(rows, self._same, self._varying, self._hops, order, number, first_id, sent_ns)
        return rows


_VARYING = [t.SOURCE, t.DESTINATION, t.GROUP, t.PATH, t.ACK_PATH]
"""Columns in which the messages of a wave differ; beside them their hops."""


@kernel
def _is_order(order, sent_ns):  # type: ignore[no-untyped-def]
    """Whether messages are by time and index in this order, (n,)."""
    for k in range(1, len(order)):
        before, after = order[k - 1], order[k]
        if sent_ns[before] > sent_ns[after] or (sent_ns[before] == sent_ns[after] and before > after):
            return False
    return True


@kernel
def _count(number, varying, order, numbers):  # type: ignore[no-untyped-def]
    """The number of each message among those of its source, in this order; `numbers` count on."""
    for k in range(len(order)):
        source = varying[order[k], 0]
        number[k] = numbers[source]
        numbers[source] += 1


@kernel
def _dated(rows, same, varying, hops, order, number, first_id, sent_ns):  # type: ignore[no-untyped-def]
    """Fill rows in this order, with what is new in them."""
    for k in range(len(order)):
        own = order[k]
        for column in range(t.PENDING):
            rows[k, column] = same[0, column]
        rows[k, t.SOURCE], rows[k, t.DESTINATION], rows[k, t.GROUP] = varying[own, 0], varying[own, 1], varying[own, 2]
        rows[k, t.PATH], rows[k, t.ACK_PATH] = varying[own, 3], varying[own, 4]
        rows[k, t.HOPS], rows[k, t.ACK_HOPS] = hops[own, 0], hops[own, 1]
        rows[k, t.ID], rows[k, t.SENT] = first_id + own, sent_ns[own]
        rows[k, t.NUMBER] = number[k]


class FamiliarWaves:
    """Remembers waves; `make` fills the rows of one that is met for the first time, from sources, destinations and what its messages share."""

    def __init__(self, make: Callable[[Ints, Ints, Common], Ints]) -> None:
        self._make = make
        self._known: dict[tuple[Common, int, bytes], Familiar] = {}

    def of(self, sources: Ints, destinations: Ints, common: Common) -> Familiar:
        """The wave of these pairs, (n,) each."""
        ends = hashlib.blake2b(np.ascontiguousarray(sources).data, digest_size=16)
        ends.update(np.ascontiguousarray(destinations).data)
        key = (common, len(sources), ends.digest())
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
