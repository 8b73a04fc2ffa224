"""What every transport has in common: policy, listeners, and inboxes in which what arrives is sorted by receiver.

What carries the messages knows numbers only; here the payload stays with its wave until the messages are done.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.policy import declared, refusal
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.contract import Contract, Delivery, Wave
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.transport import Listener, Transport
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.statistics import Counts

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_GATHERED, _MANY = 256, 65_536  # waves and messages between two looks at what is done
_DOMAINS = tuple(Domain)
_log = logging.getLogger(__name__)


class SortingTransport(Transport):
    """Takes waves, has them carried, and hands out deliveries.

    refused: messages that policy refused, by the name of their contract.
    """

    def __init__(self, granted: Iterable[Contract[Any]] | None = None) -> None:
        """Set up; `granted` are the contracts that policy allows, all that are declared by default."""
        self.refused: dict[str, int] = {}
        self._granted = frozenset(declared() if granted is None else granted)
        self._silenced: frozenset[Contract[Any]] = frozenset()
        self._listeners: list[Listener] = []
        self._waves: list[Wave] = []
        self._first_ids = np.zeros(2 * _GATHERED, dtype=np.int64)  # of `_waves`, and room for more
        self._forget_at, self._forget_from = _GATHERED, _MANY  # at so many waves, or from this message on
        self._outcomes: list[tuple[Ints, Ints]] = []  # of this step so far
        self._inboxes: dict[Domain, list[Delivery]] = {domain: [] for domain in Domain}

    @abstractmethod
    def _take(self, wave: Wave) -> int:
        """Take a wave's messages; returns the first one's index, which are consecutive over all waves."""

    @abstractmethod
    def _carry(self, until_ns: int) -> tuple[Ints, Ints]:
        """Let time pass to `until_ns`: what arrived, (n, 2) index and time, and what was lost, (n, 4) index, time, cause and place."""

    @abstractmethod
    def share(self, threads: int) -> None:
        """Keep so many threads busy from now on; what is carried is the same."""

    def spare(self, kind: Kind, until_ns: int) -> bool:
        """Spare messages of a kind the way until then, if they would all arrive; whether they are. Here they are not."""
        return False

    @abstractmethod
    def oldest_under_way(self) -> int:
        """The least index of a message that may still arrive; all before it are done."""

    @abstractmethod
    def begin_counting(self) -> None:
        """Count from here; what is under way now is not counted."""

    @abstractmethod
    def counts(self) -> Counts:
        """Counts since `begin_counting`; what is in flight is counted among the messages under way."""

    @abstractmethod
    def counts_by_place(self) -> Ints:
        """(kinds, 1 + access networks, 4) sent, delivered, lost, late since `begin_counting`; first of no access network."""

    @abstractmethod
    def take_quarter(self) -> dict[str, np.ndarray]:
        """Counts by kind and access network since the last call, as columns; only rows with any."""

    @abstractmethod
    def busy_s(self) -> Floats:
        """(2, ports) seconds that each port has sent since `begin_counting`; the second row in second windows of LoRaWAN."""

    @abstractmethod
    def crossed(self) -> Bools:
        """(kinds, link classes) whether messages of a kind went over links of a class."""

    def listen(self, listener: Listener) -> None:
        """Tell a listener from now on."""
        self._listeners.append(listener)

    def silence(self, contracts: Iterable[Contract[Any]], is_silent: bool) -> None:
        """Take no more waves of these contracts from the simulation's own actors, or take them again; those of outsiders are taken."""
        self._silenced = self._silenced | set(contracts) if is_silent else self._silenced - set(contracts)

    def send(self, wave: Wave) -> int:
        """Take a wave; returns its first message's index, -1 if there was none, policy refused it, or its sender is silenced."""
        return -1 if wave.contract in self._silenced else self.send_from_outside(wave)

    def send_from_outside(self, wave: Wave) -> int:
        """Take a wave of somebody who is no actor of the simulation, as `send` does."""
        if len(wave.source) == 0:
            return -1
        reason = refusal(wave.contract, self._granted)
        if reason is not None:
            return self._refuse(wave, reason)
        first = self._take(wave)
        if len(self._waves) == len(self._first_ids):
            self._first_ids = np.concatenate([self._first_ids, np.zeros_like(self._first_ids)])
        self._first_ids[len(self._waves)] = first
        self._waves.append(wave)
        for listener in self._listeners:
            listener.sent(first, wave)
        return first

    @abstractmethod
    def begin(self, until_ns: int, then: Sequence[Callable[[], object]] = ()) -> None:
        """Messages may travel to `until_ns` beside what actors do next: none of them will send anything that leaves by then.

        then: what may be done beside it as well; where nothing travels beside the actors it is left undone.
        """

    def advance(self, until_ns: int) -> None:
        """Let messages travel until `until_ns`, the step's end; what arrives waits in the inboxes."""
        self._outcomes.append(self._carry(until_ns))
        arrived, lost = (
            parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in zip(*self._outcomes, strict=True)
        )
        self._outcomes = []
        self._inboxes = self._sorted(arrived)
        deliveries = [delivery for domain in _DOMAINS for delivery in self._inboxes[domain]]
        for listener in self._listeners:
            listener.travelled(deliveries, lost)
        self._forget()

    def advance_within(self, until_ns: int) -> dict[Domain, list[Delivery]]:
        """Let messages travel until `until_ns`, within the step; what arrived since the last stop, by receiver.

        At the step's end the inboxes hold all that arrived in it, as if there had been no stop.
        """
        self._outcomes.append(self._carry(until_ns))
        return self._sorted(self._outcomes[-1][0])

    def inbox(self, domain: Domain) -> Sequence[Delivery]:
        """What arrived at `domain` in the last step, one delivery per wave, waves in order of sending."""
        return self._inboxes[domain]

    def _refuse(self, wave: Wave, reason: str) -> int:
        name = wave.contract.name
        if name not in self.refused:
            _log.warning("a message was refused, and is not sent: %s", reason)
        self.refused[name] = self.refused.get(name, 0) + len(wave.source)
        for listener in self._listeners:
            listener.refused(wave, reason)
        return -1

    def _sorted(self, arrived: Ints) -> dict[Domain, list[Delivery]]:
        found: dict[Domain, list[Delivery]] = {domain: [] for domain in _DOMAINS}
        if not len(arrived):
            return found
        order, waves, ends = _by_wave(arrived, self._first_ids[: len(self._waves)])
        ids, delivered_ns = arrived[order, 0], arrived[order, 1]
        begin = 0
        for k, end in zip(waves.tolist(), ends.tolist(), strict=True):
            wave, mine = self._waves[k], ids[begin:end]
            found[wave.receiver].append(Delivery(wave, mine - self._first_ids[k], delivered_ns[begin:end], mine))
            begin = end
        return found

    def _forget(self) -> None:
        """Drop the waves that have no message under way any more, whenever many have gathered, or waves of many messages."""
        if not self._waves or (
            len(self._waves) < self._forget_at and self._first_ids[len(self._waves) - 1] < self._forget_from
        ):
            return
        first_ids = self._first_ids[: len(self._waves)]
        done = int(np.searchsorted(first_ids, self.oldest_under_way(), side="right")) - 1
        if done > 0:
            del self._waves[:done]
            self._first_ids[: len(self._waves)] = first_ids[done:].copy()
        # Not before as many messages were sent as are kept: a look takes time by how many are under way.
        newest = int(self._first_ids[len(self._waves) - 1])
        kept = newest - int(self._first_ids[0])
        self._forget_at, self._forget_from = len(self._waves) + _GATHERED, newest + max(kept, _MANY)


@kernel
def _by_wave(arrived, first_ids):  # type: ignore[no-untyped-def]
    """The order (n,) that brings messages, (n, 2) index and time, together by wave; the waves that have any, (k,), and where each ends in it."""
    count = np.zeros(len(first_ids), dtype=np.int64)
    owner = np.empty(len(arrived), dtype=np.int64)
    for k in range(len(arrived)):
        owner[k], after = 0, len(first_ids)  # numpy's search would load scipy with the compiled kernel
        while after - owner[k] > 1:
            middle = (owner[k] + after) // 2
            if first_ids[middle] <= arrived[k, 0]:
                owner[k] = middle
            else:
                after = middle
        count[owner[k]] += 1
    waves, ends, place = np.empty_like(count), np.empty_like(count), np.empty_like(count)
    found = end = 0
    for k in range(len(count)):
        place[k] = end
        end += count[k]
        if count[k] > 0:
            waves[found], ends[found] = k, end
            found += 1
    order = np.empty(len(arrived), dtype=np.int64)
    for k in range(len(arrived)):
        order[place[owner[k]]] = k
        place[owner[k]] += 1
    return order, waves[:found], ends[:found]


TransportOver = Callable[[MessagePlane, Iterable[Contract[Any]]], SortingTransport]
"""Makes a transport of the modelled network and the contracts that policy allows."""
