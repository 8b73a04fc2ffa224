"""Operations at work: the bulk desk in both arms; head end, SCADA and forecasts for the town in the smart one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.domains.operations.agc import Agc
from heptagrid.domains.operations.bulk_desk import BulkDesk
from heptagrid.domains.operations.customers_desk import CustomersDesk
from heptagrid.domains.operations.firmware import Rollout
from heptagrid.domains.operations.forecast import Forecast
from heptagrid.domains.operations.scada import Scada
from heptagrid.foundation.actors import Delivery, Outbox, Wave
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER, Step, market_hours, midnight_ns, next_midnight_ns
from heptagrid.world.endpoints import Endpoints

Floats = npt.NDArray[np.float64]

FORECAST_HOUR = 10.75  # local; assumption: in time for the bids
METERED_HOUR = 0.8  # local; assumption: just before the market settles
FORECAST_QUARTERS = 40 * 4  # from before noon to the end of the next day, also of 25 hours


class Operations:
    """The control centre as an actor; `busbar_pu` is the target it last gave the town's tap changer."""

    domain = Domain.OPERATIONS

    def __init__(
        self,
        endpoints: Endpoints,
        zone: ZoneInfo,
        forecast: Forecast,
        rest_mw: Callable[[int], float],
        bulk_desk: BulkDesk,
        customers_desk: CustomersDesk | None,
        scada: Scada | None,
        busbar_pu: float,
        rollouts: Sequence[Rollout] = (),
        agc: Agc | None = None,
    ) -> None:
        """Set up; `rest_mw` forecasts the other loads at a time, the two desks are None without a smart grid."""
        self.agc = agc
        self._rollouts = rollouts
        self.bulk_desk, self.customers_desk, self.scada = bulk_desk, customers_desk, scada
        self.busbar_pu = busbar_pu
        self.asked_relief_kwh = 0.0
        self._endpoints, self._zone, self._forecast, self._rest_mw = endpoints, zone, forecast, rest_mw

    def advance(self, step: Step) -> None:
        """Operations has no devices."""

    def carry(self, step: Step) -> None:
        """Operations has no wires."""

    def sense(self, step: Step, outbox: Outbox) -> None:
        """Operations measures nothing itself; a firmware roll-out goes on as planned."""
        for rollout in self._rollouts:
            rollout.work(step, outbox)

    def may_send_within(self, step: Step) -> bool:
        """Whether a roll-out may have blocks to send before the step's end."""
        return any(rollout.may_send_within(step) for rollout in self._rollouts)

    def advance_finely(self, step: Step) -> None:
        """Operations has no devices."""

    def sense_finely(self, step: Step, outbox: Outbox) -> None:
        """Operations measures nothing itself."""

    def act_finely(self, step: Step, inbox: Sequence[Delivery], outbox: Outbox) -> None:
        """Secondary control."""
        if self.agc is None:
            return
        for delivery in inbox:
            if delivery.wave.topic == "frequency":
                self.agc.receive(delivery)
            elif delivery.wave.topic == "unit":
                self.bulk_desk.receive(delivery)
        self.agc.work(step, outbox)

    def act(self, step: Step, inbox: Sequence[Delivery], outbox: Outbox) -> None:
        """Take in what arrived, then let each desk work."""
        for delivery in inbox:
            self._receive(delivery)
        self.bulk_desk.work(step, outbox)
        if step.passes_hour(FORECAST_HOUR):
            self._forecast_tomorrow(step, outbox)
        if step.passes_hour(METERED_HOUR):
            self._tell_metered(step, outbox)
        if self.customers_desk and self.scada:
            self.customers_desk.work(step, outbox)
            if step.ends_hour:
                self._forecast_town(step, outbox, (self._endpoints.retailer, self._endpoints.aggregator))
            if step.ends_quarter:
                self._move_busbar(step, outbox)
            self._ask_relief(step, outbox)

    def _receive(self, delivery: Delivery) -> None:
        wave = delivery.wave
        if wave.kind is Kind.METER_READING and self.customers_desk:
            if wave.topic != "on_demand":  # registers in between are looked at, not billed
                self.customers_desk.receive(delivery)
        elif wave.topic == "unit":
            self.bulk_desk.receive(delivery)
        elif wave.topic == "flows":
            self.bulk_desk.receive_flows(delivery)
        elif wave.topic == "substation" and self.scada:
            self.scada.receive(delivery)
        elif wave.kind is Kind.SCHEDULE and wave.topic == "units":
            self.bulk_desk.learn_schedule(int(wave.shared["first_hour"]), np.asarray(wave.shared["on"]))  # type: ignore[call-overload]
        elif wave.kind is Kind.SCHEDULE and wave.topic == "flexibility":
            self._forecast.learn_steered(int(wave.shared["first_quarter"]), np.asarray(wave.shared["expected_kw"]))  # type: ignore[call-overload]

    def _forecast_tomorrow(self, step: Step, outbox: Outbox) -> None:
        """The other loads of the next day to the market, the town's to the retailer."""
        hours = market_hours(step.day_end_ns, next_midnight_ns(step.day_end_ns, self._zone))
        rest_mw = np.array([self._rest_mw(hour * NS_PER_HOUR) for hour in hours])
        columns = {"first_hour": hours[0], "rest_mw": rest_mw}
        self._tell(Domain.MARKETS, self._endpoints.market, "rest_forecast", columns, step, outbox)
        if self.customers_desk is None:
            self._forecast_town(step, outbox, (self._endpoints.retailer,))

    def _tell_metered(self, step: Step, outbox: Outbox) -> None:
        """What the town took yesterday, hour by hour, to the market."""
        yesterday_ns = midnight_ns(step.day - timedelta(days=1), self._zone)
        hours = market_hours(yesterday_ns, step.day_start_ns)
        columns = {"first_hour": hours[0], "infeed_mwh": self.bulk_desk.metered_mwh(hours[0], len(hours))}
        self._tell(
            Domain.MARKETS, self._endpoints.market, "metered", columns, step, outbox, cause=self.bulk_desk.flows_by
        )

    def _forecast_town(self, step: Step, outbox: Outbox, places: tuple[int, ...]) -> None:
        first = step.end_ns // NS_PER_QUARTER
        columns = {"first_quarter": first, "town_kw": self._forecast.town_kw(first, FORECAST_QUARTERS)}
        for place in places:
            self._tell(Domain.PROVIDERS, place, "forecast", columns, step, outbox, 2 * FORECAST_QUARTERS)

    def _move_busbar(self, step: Step, outbox: Outbox) -> None:
        """Move the tap changer's target when the substations report voltages outside the wanted band."""
        assert self.scada is not None
        self.busbar_pu = self.scada.wanted_busbar_pu(self.busbar_pu)
        outbox.send(
            Wave(
                kind=Kind.DISPATCH,
                sender=Domain.OPERATIONS,
                receiver=Domain.DISTRIBUTION,
                source=np.array([self._endpoints.operations]),
                destination=np.array([self._endpoints.hub]),
                sent_ns=np.array([step.end_ns]),
                topic="busbar",
                payload={"target_pu": np.array([self.busbar_pu])},
                cause=np.array([self.scada.seen_by.max(initial=-1)]),
            )
        )

    def _ask_relief(self, step: Step, outbox: Outbox) -> None:
        """Ask the aggregator for relief of each transformer that is loaded too highly."""
        assert self.scada is not None
        rows, excess_kw = self.scada.overloads(step.end_ns)
        if len(rows) == 0:
            return
        for_s = self.scada.parameters.relief_for_s
        self.asked_relief_kwh += float(excess_kw.sum()) * for_s / 3600.0
        outbox.send(
            Wave(
                kind=Kind.ALARM,
                sender=Domain.OPERATIONS,
                receiver=Domain.PROVIDERS,
                source=np.full(len(rows), self._endpoints.operations, dtype=np.int64),
                destination=np.full(len(rows), self._endpoints.aggregator, dtype=np.int64),
                sent_ns=np.full(len(rows), step.end_ns, dtype=np.int64),
                topic="relief",
                payload={"substation": rows, "excess_kw": excess_kw},
                shared={"for_s": for_s},
                cause=self.scada.seen_by[rows],
            )
        )

    def _tell(
        self,
        to: Domain,
        place: int,
        topic: str,
        shared: dict[str, object],
        step: Step,
        outbox: Outbox,
        payload_bytes: int | None = None,
        cause: int = -1,
    ) -> None:
        outbox.send(
            Wave(
                kind=Kind.TELEMETRY,
                sender=Domain.OPERATIONS,
                receiver=to,
                source=np.array([self._endpoints.operations]),
                destination=np.array([place]),
                sent_ns=np.array([step.end_ns]),
                topic=topic,
                shared=shared,
                payload_bytes=payload_bytes,
                cause=np.array([cause]),
            )
        )
