"""The mailbox: carries actors' waves through the message plane and sorts what arrives by receiver.

The plane knows numbers only; here the payload stays with its wave until the messages are done.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.actors import Delivery, Wave
from heptagrid.foundation.domains import Domain
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.topics import check_topic

Ints = npt.NDArray[np.int64]

_GATHERED = 256  # waves between two looks at what is done


class Mailbox:
    """An outbox for every actor, and after each step an inbox for every domain.

    arrived, lost: what became known in the last step, as the plane has it.
    """

    def __init__(self, plane: MessagePlane) -> None:
        self.plane = plane
        self.arrived, self.lost = plane.arrived, plane.lost
        self.listeners: list[Callable[[int, Wave], None]] = []  # told of each wave, with its first message's index
        self._waves: list[Wave] = []
        self._first_ids: list[int] = []
        self._forget_at = _GATHERED
        self._outcomes: list[tuple[Ints, Ints]] = []  # of this step so far
        self._inboxes: dict[Domain, list[Delivery]] = {domain: [] for domain in Domain}

    def send(self, wave: Wave) -> None:
        """Hand a wave to the plane; a wave that policy refuses, or about no declared topic, raises PolicyError."""
        if len(wave.source) == 0:
            return
        check_topic(wave.kind, wave.topic, wave.sender, wave.receiver, (*wave.payload, *wave.shared))
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
        for listen in self.listeners:
            listen(first, wave)

    def begin(self, until_ns: int) -> None:
        """Let messages travel to `until_ns` beside what actors do next; none of them will send anything that leaves by then."""
        self.plane.begin(until_ns)

    def advance(self, until_ns: int) -> None:
        """Let messages travel until `until_ns`, the step's end; what arrives waits in the inboxes."""
        self._travel(until_ns)
        self.arrived, self.lost = (
            parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in zip(*self._outcomes, strict=True)
        )
        self._outcomes = []
        self._inboxes = self._sorted(self.arrived)
        self._forget()

    def advance_within(self, until_ns: int) -> dict[Domain, list[Delivery]]:
        """Let messages travel until `until_ns`, within the step; what arrived since the last stop, by receiver.

        At the step's end the inboxes hold all that arrived in it, as if there had been no stop.
        """
        self._travel(until_ns)
        return self._sorted(self.plane.arrived)

    def _travel(self, until_ns: int) -> None:
        self.plane.advance(until_ns)
        self._outcomes.append((self.plane.arrived, self.plane.lost))

    def inbox(self, domain: Domain) -> Sequence[Delivery]:
        """What arrived at `domain` in the last step, one delivery per wave, waves in order of sending."""
        return self._inboxes[domain]

    def _sorted(self, arrived: Ints) -> dict[Domain, list[Delivery]]:
        ids, delivered_ns = arrived[:, 0], arrived[:, 1]
        found: dict[Domain, list[Delivery]] = {domain: [] for domain in Domain}
        if not len(ids):
            return found
        owner = np.searchsorted(np.asarray(self._first_ids), ids, side="right") - 1
        order = np.argsort(owner, kind="stable")
        cuts = np.flatnonzero(np.diff(owner[order])) + 1
        for part in np.split(order, cuts):
            k = int(owner[part[0]])
            wave = self._waves[k]
            found[wave.receiver].append(Delivery(wave, ids[part] - self._first_ids[k], delivered_ns[part], ids[part]))
        return found

    def _forget(self) -> None:
        """Drop the waves that have no message under way any more, whenever many have gathered."""
        if len(self._waves) < self._forget_at:
            return
        done = bisect_right(self._first_ids, self.plane.oldest_under_way()) - 1
        if done > 0:
            del self._waves[:done], self._first_ids[:done]
        self._forget_at = len(self._waves) + _GATHERED

    def wave_of(self, message: int) -> Wave | None:
        """The wave that a message's index belongs to, while it is remembered."""
        k = bisect_right(self._first_ids, message) - 1
        return self._waves[k] if k >= 0 else None
