"""The service providers at work: every retailer and every aggregator, each a desk of its own."""

from __future__ import annotations

from collections.abc import Sequence

from heptagrid.domains.providers.aggregator_desk import AggregatorDesk
from heptagrid.domains.providers.retailer_desk import RetailerDesk
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.contract import Delivery
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.time import Step


class Providers:
    """The companies of an arm: each reads what arrived at its own endpoint, and no other's state.

    In the conventional arm there are no aggregators, and nothing goes to the customers.
    """

    domain = Domain.PROVIDERS

    def __init__(self, retailers: Sequence[RetailerDesk], aggregators: Sequence[AggregatorDesk]) -> None:
        self.retailers, self.aggregators = tuple(retailers), tuple(aggregators)

    def advance(self, step: Step) -> None:
        """Providers have no devices."""

    def carry(self, step: Step) -> None:
        """Providers have no terminals."""

    def sense(self, step: Step, outbox: Outbox) -> None:
        """Providers measure nothing."""

    def act(self, step: Step, inbox: Sequence[Delivery], outbox: Outbox) -> None:
        """Hand out what arrived; then retailers bid, aggregators steer, retailers bill, and aggregators pay."""
        desks: list[RetailerDesk | AggregatorDesk] = [*self.retailers, *self.aggregators]
        for delivery in inbox:
            for desk in desks:
                mine = delivery.at(desk.endpoint)
                if mine is not None:
                    desk.receive(mine, step, outbox)
        for retailer in self.retailers:
            retailer.bid(step, outbox)
        for aggregator in self.aggregators:
            aggregator.steer(step, outbox)
        for retailer in self.retailers:
            retailer.bill(step, outbox)
        for aggregator in self.aggregators:
            aggregator.pay(step)
