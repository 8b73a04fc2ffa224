"""Desks: roles within a domain that read its inbox and send messages of their own, found through the entry point `heptagrid.desks`.

A desk is the grain at which another program, or another package, takes a role in operations, in the market or at a provider. It sees what has arrived
at its domain, and sends what its contracts declare; it has no access to anybody's state.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.contract import Contract, Delivery
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.payments import PaidDays, Payments
from heptagrid.foundation.registry import registered_desks
from heptagrid.foundation.time import Step
from heptagrid.scenario.schema import Scenario
from heptagrid.world.endpoints import Endpoints


@dataclass(frozen=True)
class DeskSetting:
    """What a desk is given: its own section, where everybody's messages go, how it pays, and for which days.

    smart: whether the arm has smart meters, sensors and an aggregator.
    """

    own: Any
    endpoints: Endpoints
    zone: ZoneInfo
    payments: Payments
    days: PaidDays
    smart: bool


class Desk(ABC):
    """A desk; the entry point names the class, which is made anew for each arm.

    name: of its section and of its figures. title: for pages. domain: whose inbox it reads. contracts: that it adds to those that there are.
    section: the dataclass that declares its parameters, None if it has none.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    domain: ClassVar[Domain]
    contracts: ClassVar[tuple[Contract[Any], ...]] = ()
    section: ClassVar[type | None] = None

    @abstractmethod
    def __init__(self, setting: DeskSetting) -> None:
        """Set up for an arm."""

    @abstractmethod
    def receive(self, delivery: Delivery) -> None:
        """Take in messages that arrived at its domain within the step."""

    @abstractmethod
    def work(self, step: Step, outbox: Outbox) -> None:
        """Decide; what is sent leaves at the step's end."""

    def figures(self) -> Mapping[str, float]:
        """What is recorded of it since the simulation began, with units in the names."""
        return {}

    def said_to(self, customer: int) -> str:
        """What `explain` tells a customer of it when the bill is made, a sentence; nothing if there is nothing to tell."""
        return ""


def desks_of(scenario: Scenario, endpoints: Endpoints, payments: Payments, days: PaidDays, smart: bool) -> list[Desk]:
    """The registered desks of an arm."""
    return [
        one(DeskSetting(scenario.sections.get(one.name), endpoints, scenario.zone, payments, days, smart))
        for one in registered_desks()
    ]
