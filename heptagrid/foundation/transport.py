"""The port through which messages travel, and those who are told of it; what carries them is behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.contract import Delivery, Wave
from heptagrid.foundation.domains import Domain

Ints = npt.NDArray[np.int64]


class Listener:
    """Is told what a transport does; all that it does not override it ignores."""

    def sent(self, first: int, wave: Wave) -> None:
        """A wave was taken; `first` is its first message's index."""

    def refused(self, wave: Wave, reason: str) -> None:
        """A wave was refused, by policy."""

    def travelled(self, deliveries: Sequence[Delivery], lost: Ints) -> None:
        """A step's messages have travelled: what arrived, by receiver and wave, and (n, 4) index, time, cause and place of what was lost."""


class Transport(Protocol):
    """Carries the waves of all actors; the first implementation is the modelled message plane."""

    def send(self, wave: Wave) -> int:
        """Take a wave; returns its first message's index, -1 if there was none or policy refused it (which is told to the listeners)."""

    def begin(self, until_ns: int, then: Sequence[Callable[[], object]] = ()) -> None:
        """Messages may travel to `until_ns` beside what actors do next: none of them will send anything that leaves by then.

        then: what may be done beside it as well, or left undone.
        """

    def advance(self, until_ns: int) -> None:
        """Let messages travel until `until_ns`, the step's end; what arrives waits in the inboxes."""

    def advance_within(self, until_ns: int) -> Mapping[Domain, Sequence[Delivery]]:
        """Let messages travel until `until_ns`, within the step; what arrived since the last stop, by receiver.

        At the step's end the inboxes hold all that arrived in it, as if there had been no stop.
        """

    def inbox(self, domain: Domain) -> Sequence[Delivery]:
        """What arrived at `domain` in the last step, one delivery per wave, waves in order of sending."""

    def listen(self, listener: Listener) -> None:
        """Tell a listener from now on."""
