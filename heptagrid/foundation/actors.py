"""What an actor is: it sees an inbox, what it can measure, and an outbox; never whose clock drives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.time import Step

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass
class Wave:
    """A batch of messages of one kind from one domain to another, as arrays of one length n.

    source, destination: (n,) endpoint ids of the message topology.
    sent_ns: (n,) when each leaves, not before the present.
    topic: what the payload is about, for the receiver ("prices", "capacity", ...).
    payload: columns; each has first dimension n, or is shared by all messages when listed in `shared`.
    cause: index of the message that caused each (-1: a measurement, a plan or a gate); (n,).
    payload_bytes: bytes of each message before the envelope; None takes the kind's declared size.
    """

    kind: Kind
    sender: Domain
    receiver: Domain
    source: Ints
    destination: Ints
    sent_ns: Ints
    topic: str = ""
    payload: Mapping[str, np.ndarray] = field(default_factory=dict)
    shared: Mapping[str, object] = field(default_factory=dict)
    cause: Ints | None = None
    payload_bytes: int | None = None


@dataclass(frozen=True)
class Delivery:
    """Messages of one wave that arrived within a step at one domain, in the order of their arrival.

    rows: (k,) positions in the wave; delivered_ns: (k,); ids: (k,) the messages' indices in the run.
    """

    wave: Wave
    rows: Ints
    delivered_ns: Ints
    ids: Ints

    def column(self, name: str) -> np.ndarray:
        """The payload column `name` of the messages that arrived."""
        return self.wave.payload[name][self.rows]

    @property
    def source(self) -> Ints:
        return self.wave.source[self.rows]

    @property
    def destination(self) -> Ints:
        return self.wave.destination[self.rows]


class Outbox(Protocol):
    """Where an actor leaves what it wants sent."""

    def send(self, wave: Wave) -> None: ...


class Actor(Protocol):
    """A domain at work. The engine calls these four in order, each for all domains before the next.

    advance: devices move through the step, with the set-points of the step before.
    carry:   networks solve for the flows that the devices cause.
    sense:   meters and sensors sample; what they send leaves within or after the step.
    act:     decide on what arrived within the step; what is sent leaves at its end.
    """

    domain: Domain

    def advance(self, step: Step) -> None: ...
    def carry(self, step: Step) -> None: ...
    def sense(self, step: Step, outbox: Outbox) -> None: ...
    def act(self, step: Step, inbox: Sequence[Delivery], outbox: Outbox) -> None: ...


class EarlySender(Protocol):
    """An actor whose `sense` may send what leaves before the step's end.

    Where none of them may, all that leaves in the step is known at its start, and messages travel beside the actors' work. All other
    actors send from the step's end on; one that does not keep to that is refused.
    """

    def may_send_within(self, step: Step) -> bool: ...


class FineActor(Protocol):
    """An actor that must answer faster than a coupling step.

    Where the scenario asks for it, the engine divides a step after `sense`, and calls these in each sub-step, each for all
    such actors before the next; between the last two the messages travel to the sub-step's end. `act` follows as always,
    with all that the step brought.
    """

    domain: Domain

    def advance_finely(self, step: Step) -> None: ...
    def sense_finely(self, step: Step, outbox: Outbox) -> None: ...
    def act_finely(self, step: Step, inbox: Sequence[Delivery], outbox: Outbox) -> None: ...
