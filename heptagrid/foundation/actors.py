"""What an actor is: it sees an inbox, what it can measure, an outbox and its purse; never whose clock drives it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from heptagrid.foundation.contract import Delivery, Wave
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.time import Step


class Outbox(Protocol):
    """Where an actor leaves what it wants sent."""

    def send(self, wave: Wave) -> int:
        """Take messages; returns the first one's index in the run, -1 if none was taken."""


class Actor(Protocol):
    """A domain at work. The loop calls these four in order, each for all domains before the next.

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

    Where the scenario asks for it, the loop divides a step after `sense`, and calls these in each sub-step, each for all
    such actors before the next; between the last two the messages travel to the sub-step's end. `act` follows as always,
    with all that the step brought.
    """

    domain: Domain

    def advance_finely(self, step: Step) -> None: ...
    def sense_finely(self, step: Step, outbox: Outbox) -> None: ...
    def act_finely(self, step: Step, inbox: Sequence[Delivery], outbox: Outbox) -> None: ...
