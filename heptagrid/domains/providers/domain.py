"""The service providers at work: the retailer and the aggregator behind one door."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.domains.providers.aggregator import SLOTS, Aggregator
from heptagrid.domains.providers.retailer import KnownDay, LateReads, Retailer, forecast_of, spread
from heptagrid.foundation.actors import Delivery, Outbox, Wave
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.time import (
    NS_PER_HOUR,
    NS_PER_QUARTER,
    NS_PER_S,
    S_PER_QUARTER,
    Step,
    local_hours,
    market_hours,
    next_midnight_ns,
)
from heptagrid.world.endpoints import Endpoints

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

BID_HOUR = 11.5  # local; European day-ahead auction: the gate closes at noon
BILL_AFTER_NS = NS_PER_HOUR  # after midnight: the day's reads are in by then


class Providers:
    """Retailer and aggregator; in the conventional arm there is no aggregator and nothing goes to the town."""

    domain = Domain.PROVIDERS

    def __init__(
        self,
        endpoints: Endpoints,
        zone: ZoneInfo,
        retailer: Retailer,
        aggregator: Aggregator | None,
        fleets: dict[str, Ints],
        substation_of: Ints,
    ) -> None:
        """Set up; `fleets` lists the enrolled customers by device class, `substation_of` each customer's substation."""
        self.retailer = retailer
        self.aggregator = aggregator
        self._endpoints = endpoints
        self._zone = zone
        self._fleets = fleets
        self._vehicle_substation = substation_of[fleets["vehicles"]] if aggregator else np.empty(0, dtype=np.int64)
        self._forecast_first = 0
        self._forecast_kw: Floats | None = None
        self._forecast_by = self._reads_by = -1  # the messages that told the forecast and the last day's reads

    def advance(self, step: Step) -> None:
        """Providers have no devices."""

    def carry(self, step: Step) -> None:
        """Providers have no wires."""

    def sense(self, step: Step, outbox: Outbox) -> None:
        """Providers measure nothing."""

    def act(self, step: Step, inbox: Sequence[Delivery], outbox: Outbox) -> None:
        """Bid, pass prices on, steer, relieve, and bill."""
        for delivery in inbox:
            self._receive(delivery, step, outbox)
        if step.passes_hour(BID_HOUR):
            self._bid(step, outbox)
        if self.aggregator and step.end_ns % (self.aggregator.parameters.plan_every_s * NS_PER_S) == 0:
            self._steer(step, outbox)
        if self.aggregator and step.start_ns < step.day_start_ns + BILL_AFTER_NS <= step.end_ns:
            self._send_bills(step, outbox)

    def _receive(self, delivery: Delivery, step: Step, outbox: Outbox) -> None:
        wave = delivery.wave
        if wave.kind is Kind.TELEMETRY and wave.topic == "forecast":
            first = int(wave.shared["first_quarter"])  # type: ignore[call-overload]
            if first >= self._forecast_first:  # one that a younger has overtaken says nothing
                self._forecast_first, self._forecast_kw = first, np.asarray(wave.shared["town_kw"])
                self._forecast_by = int(delivery.ids[-1])
        elif wave.kind is Kind.TELEMETRY and wave.topic == "day_reads":
            shared = wave.shared
            self._reads_by = int(delivery.ids[-1])
            first = int(shared["first_quarter"])  # type: ignore[call-overload]
            self.retailer.known_days[first] = KnownDay(
                first_quarter=first,
                import_kwh=np.asarray(shared["import_kwh"]),
                export_kwh=np.asarray(shared["export_kwh"]),
                status=np.asarray(shared["status"]),
                message=int(delivery.ids[-1]),
            )
            self.retailer.forget(first // 4 - 48)
        elif wave.kind is Kind.TELEMETRY and wave.topic == "late_reads":
            columns = {name: np.asarray(column) for name, column in wave.shared.items()}
            self.retailer.late_reads.append(LateReads(**columns, message=int(delivery.ids[-1])))
        elif wave.kind is Kind.PRICE:
            first_hour = int(wave.shared["first_hour"])  # type: ignore[call-overload]
            prices = np.asarray(wave.shared["price_eur_per_mwh"])
            self.retailer.learn_prices(first_hour, prices, int(delivery.ids[0]))
            if self.aggregator and self._endpoints.retailer in delivery.destination:
                self._publish(first_hour, prices, step, outbox, delivery)
        elif wave.kind is Kind.ALARM and self.aggregator:
            self._relieve(delivery, step, outbox)

    def _bid(self, step: Step, outbox: Outbox) -> None:
        """Offer to buy, hour by hour, the forecast of the next local day and what the aggregator means to steer into it."""
        if self._forecast_kw is None:
            return
        hours = market_hours(step.day_end_ns, next_midnight_ns(step.day_end_ns, self._zone))
        quarters = np.arange(4 * hours.start, 4 * hours.stop)
        demand_kw = forecast_of(quarters, self._forecast_first, self._forecast_kw)
        if self.aggregator:
            demand_kw = demand_kw + self.aggregator.expected_kw(demand_kw, local_hours(quarters, self._zone))
        hourly_mw = demand_kw.reshape(-1, 4).mean(axis=1) / 1000.0
        outbox.send(self._to_market(Kind.BID, "demand", {"first_hour": hours.start, "demand_mw": hourly_mw}, step))

    def _publish(self, first_hour: int, prices: Floats, step: Step, outbox: Outbox, price: Delivery) -> None:
        """Pass the day-ahead prices on to every customer's gateway."""
        gateways = self._endpoints.gateways
        outbox.send(
            Wave(
                kind=Kind.PRICE,
                sender=Domain.PROVIDERS,
                receiver=Domain.CUSTOMERS,
                source=np.full(len(gateways), self._endpoints.retailer),
                destination=gateways,
                sent_ns=spread(step.end_ns, self.retailer.parameters.price_spread_s, len(gateways)),
                topic="prices",
                shared={"first_hour": first_hour, "price_eur_per_kwh": prices / 1000.0},
                cause=np.full(len(gateways), price.ids[-1]),
            )
        )

    def _steer(self, step: Step, outbox: Outbox) -> None:
        """Plan from what is known now and send every enrolled device its signal."""
        assert self.aggregator is not None
        first = step.end_ns // NS_PER_QUARTER
        skip = first - self._forecast_first
        if self._forecast_kw is None or skip + SLOTS > len(self._forecast_kw):
            return  # the last forecast is so old that it does not reach over the next day
        quarters = first + np.arange(SLOTS)
        signals = self.aggregator.plan(
            self._forecast_kw[skip : skip + SLOTS],
            self.retailer.prices(quarters // 4),
            local_hours(quarters, self._zone),
        )
        valid = -(-self.aggregator.parameters.valid_s // S_PER_QUARTER)
        for name in ("vehicles", "heat_pumps", "batteries"):
            signal = getattr(signals, name)
            customers = self._fleets[name]
            outbox.send(
                self._setpoints(
                    f"signal.{name}",
                    customers,
                    step,
                    payload={"group": np.zeros(len(customers), dtype=np.int64)},
                    shared={
                        "signals": signal[np.newaxis].astype(np.float32),
                        "first_quarter": first,
                        "valid_quarters": valid,
                    },
                    cause=np.full(len(customers), self._forecast_by),
                )
            )

        self._announce(step, outbox, first, signals.expected_kw)

    def _announce(self, step: Step, outbox: Outbox, first_quarter: int, expected_kw: Floats) -> None:
        """Tell operations what the managed vehicles are expected to take."""
        outbox.send(
            Wave(
                kind=Kind.SCHEDULE,
                sender=Domain.PROVIDERS,
                receiver=Domain.OPERATIONS,
                source=np.array([self._endpoints.aggregator]),
                destination=np.array([self._endpoints.operations]),
                sent_ns=np.array([step.end_ns]),
                topic="flexibility",
                shared={"first_quarter": first_quarter, "expected_kw": expected_kw},
                cause=np.array([self._forecast_by]),
            )
        )

    def _relieve(self, alarm: Delivery, step: Step, outbox: Outbox) -> None:
        """Cap the vehicles behind each substation for which operations asks relief."""
        assert self.aggregator is not None
        substations = alarm.column("substation")
        behind = np.isin(self._vehicle_substation, substations)
        customers = self._fleets["vehicles"][behind]
        until_ns = step.end_ns + int(float(alarm.wave.shared["for_s"]) * NS_PER_S)  # type: ignore[arg-type]
        payload = {
            "cap_kw": np.full(len(customers), self.aggregator.parameters.relief_cap_kw),
            "until_ns": np.full(len(customers), until_ns, dtype=np.int64),
        }
        cause = np.full(len(customers), alarm.ids[-1])
        outbox.send(self._setpoints("cap", customers, step, payload=payload, shared={}, cause=cause))

    def _send_bills(self, step: Step, outbox: Outbox) -> None:
        """The day's bill to every customer."""
        gateways = self._endpoints.gateways
        outbox.send(
            Wave(
                kind=Kind.BILL,
                sender=Domain.PROVIDERS,
                receiver=Domain.CUSTOMERS,
                source=np.full(len(gateways), self._endpoints.retailer),
                destination=gateways,
                sent_ns=spread(step.end_ns, self.retailer.parameters.bill_spread_s, len(gateways)),
                topic="bill",
                cause=np.full(len(gateways), self._reads_by),
            )
        )

    def _setpoints(
        self,
        topic: str,
        customers: Ints,
        step: Step,
        payload: dict[str, np.ndarray],
        shared: dict[str, object],
        cause: Ints | None = None,
    ) -> Wave:
        return Wave(
            kind=Kind.SETPOINT,
            sender=Domain.PROVIDERS,
            receiver=Domain.CUSTOMERS,
            source=np.full(len(customers), self._endpoints.aggregator),
            destination=self._endpoints.gateways[customers],
            sent_ns=np.full(len(customers), step.end_ns),
            topic=topic,
            payload=payload,
            shared=shared,
            cause=cause,
        )

    def _to_market(self, kind: Kind, topic: str, shared: dict[str, object], step: Step) -> Wave:
        return Wave(
            kind=kind,
            sender=Domain.PROVIDERS,
            receiver=Domain.MARKETS,
            source=np.array([self._endpoints.retailer]),
            destination=np.array([self._endpoints.market]),
            sent_ns=np.array([step.end_ns]),
            topic=topic,
            shared=shared,
            cause=np.array([self._forecast_by]),
        )
