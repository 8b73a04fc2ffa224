"""The mailbox: carries actors' waves through the message plane and sorts what arrives by receiver.

The plane knows numbers only; here the payload stays with its wave until the messages are done.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.actors import Delivery, Wave
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.time import NS_PER_HOUR
from heptagrid.planes.messages.plane import MessagePlane

Ints = npt.NDArray[np.int64]

_KEPT_NS = 6 * NS_PER_HOUR  # no message lives longer: time-outs and retries are minutes


class Mailbox:
    """An outbox for every actor, and after each step an inbox for every domain."""

    def __init__(self, plane: MessagePlane) -> None:
        self.plane = plane
        self._waves: list[Wave] = []
        self._first_ids: list[int] = []
        self._expires_ns: list[int] = []
        self._inboxes: dict[Domain, list[Delivery]] = {domain: [] for domain in Domain}

    def send(self, wave: Wave) -> None:
        """Hand a wave to the plane; a wave that policy refuses raises PolicyError."""
        if len(wave.source) == 0:
            return
        first = self.plane.send(
            wave.kind,
            wave.source,
            wave.destination,
            wave.sent_ns,
            sender=wave.sender,
            receiver=wave.receiver,
            payload_bytes=wave.payload_bytes,
        )
        self._waves.append(wave)
        self._first_ids.append(first)
        self._expires_ns.append(int(wave.sent_ns.max()) + _KEPT_NS)

    def advance(self, until_ns: int) -> None:
        """Let messages travel until `until_ns`; what arrives waits in the inboxes."""
        ids, delivered_ns = self.plane.advance(until_ns)
        for inbox in self._inboxes.values():
            inbox.clear()
        if len(ids):
            self._sort(ids, delivered_ns)
        self._forget(until_ns)

    def inbox(self, domain: Domain) -> Sequence[Delivery]:
        """What arrived at `domain` in the last step, one delivery per wave, waves in order of sending."""
        return self._inboxes[domain]

    def _sort(self, ids: Ints, delivered_ns: Ints) -> None:
        owner = np.searchsorted(np.asarray(self._first_ids), ids, side="right") - 1
        order = np.argsort(owner, kind="stable")
        cuts = np.flatnonzero(np.diff(owner[order])) + 1
        for part in np.split(order, cuts):
            k = int(owner[part[0]])
            wave = self._waves[k]
            self._inboxes[wave.receiver].append(
                Delivery(wave, ids[part] - self._first_ids[k], delivered_ns[part], ids[part])
            )

    def _forget(self, now_ns: int) -> None:
        """Drop the oldest waves once none of their messages can arrive any more."""
        done = 0
        while done < len(self._waves) and self._expires_ns[done] < now_ns:
            done += 1
        if done > 256:
            del self._waves[:done], self._first_ids[:done], self._expires_ns[:done]

    def wave_of(self, message: int) -> Wave | None:
        """The wave that a message's index belongs to, while it is remembered."""
        k = bisect_right(self._first_ids, message) - 1
        return self._waves[k] if k >= 0 else None
