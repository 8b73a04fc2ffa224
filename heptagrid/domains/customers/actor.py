"""The customers' domain at work: devices move, meters measure, gateways take what arrived."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import flexibility, inverters, local_market, retail
from heptagrid.domains.customers.bidding.bidders import Bidders
from heptagrid.domains.customers.demand import BaseDemand
from heptagrid.domains.customers.device import Device
from heptagrid.domains.customers.frequency_response import Frequency
from heptagrid.domains.customers.gateways import price_signal
from heptagrid.domains.customers.inverters import Inverters
from heptagrid.domains.customers.local_units import LocalUnits
from heptagrid.domains.customers.meters import Meters
from heptagrid.domains.customers.ownership import Ownership
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.calendar import Calendar
from heptagrid.foundation.contract import Delivery
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_S, Step
from heptagrid.planes.money.tariffs import billing_rules
from heptagrid.planes.money.tariffs.tariff import Offers, Slots
from heptagrid.world.point_demand import PointDemand
from heptagrid.world.terminals import Terminals

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tariffs:
    """The tariffs on offer, and the number of each customer's, (customers,); the supply terms of each retailer, and whose each point is, (points,)."""

    offers: Offers
    supplies: Sequence[billing_rules.Parameters]
    of_customer: Ints
    retailer_of: Ints
    zone: ZoneInfo

    def prices(self, retailer: int, day_ahead_eur_per_kwh: Floats, first_hour: int) -> Iterator[tuple[int, Floats]]:
        """Number and hourly prices of each of a retailer's tariffs whose prices devices follow, from the market's, (hours,)."""
        hours = len(day_ahead_eur_per_kwh)
        slots = Slots(
            day_ahead_eur_per_kwh, Calendar.of(first_hour * NS_PER_HOUR, hours, NS_PER_HOUR // NS_PER_S, self.zone)
        )
        for k, tariff in enumerate(self.offers.tariffs):
            if tariff.follows_prices:
                yield k, tariff.price_eur_per_kwh(slots, self.supplies[retailer], self.offers.own[k])


class Customers:
    """All customers of the town as an actor; without a smart grid their meters and gateways are silent.

    devices: each class by name, in the order of their work behind the meter. Totals of the last step in kW: `base_kw`,
    `generated_kw`, and `total_kw` of each class; since the start in kWh: `consumed_kwh`, with what devices used and lost;
    `stored_kwh` now.
    """

    domain = Domain.CUSTOMERS

    def __init__(
        self,
        terminals: Terminals,
        owned: Ownership,
        demand: BaseDemand,
        units: LocalUnits,
        inverters_of_all: Inverters,
        devices: Mapping[str, Device[Any]],
        meters: Meters,
        tariffs: Tariffs,
        smart: bool,
        read_all: Sequence[tuple[int, int]] = (),
        bidders: Bidders | None = None,
        following: PointDemand | None = None,
    ) -> None:
        """Set up; `read_all` are the times (begin, end) over which all meters are read on demand, spread evenly. bidders: where there is a local market. following: all customers' demand, where it follows the voltage."""
        self.owned = owned
        self.devices = dict(devices)
        self.meters = meters
        self.inverters = inverters_of_all
        self.tariffs = tariffs
        self.base_kwh = 0.0
        self.bidders = bidders
        self._read_all = list(read_all)
        self._terminals, self._demand, self._units, self._smart = terminals, demand, units, smart
        self._following = terminals.demand = following
        self.base_kw = 0.0
        self._besides: dict[int, tuple[float, float]] = {}  # by point: what is drawn for others, kW and kvar
        points = len(terminals.point_p_kw)
        self.steered_by = np.full(points, -1, dtype=np.int64)  # the set-point that last reached each point
        self._device_of = {name: _positions(one.owner, points) for name, one in self.devices.items()}
        self._class_of = {flexibility.signal(name): name for name in self.devices}
        self._orders = {flexibility.order(name): one.orders for name, one in self.devices.items()}
        self._orders[flexibility.order(flexibility.LOCAL_UNITS)] = units.orders
        self._function_of = {inverters.function(name): name for name in inverters_of_all.classes}

    def ahead(self, step: Step) -> Iterator[Callable[[], object]]:
        """What the next quarter hour needs and may be done beside a step, a part in each."""
        yield from self._demand.ahead(step)

    def advance(self, step: Step) -> None:
        """Everything behind the meters; who works later sees what the others draw."""
        p_kw, q_kvar = self._terminals.point_p_kw, self._terminals.point_q_kvar
        supplied = self._terminals.point_is_supplied
        p_kw[:] = q_kvar[:] = 0.0
        self._demand.advance(step, p_kw, q_kvar, supplied)
        self.base_kw, following = self._demand.total_kw, self._following
        if following is None:
            self.base_kwh += self.base_kw * step.dt_s / 3600.0
        else:
            following.p_kw[:], following.q_kvar[:] = p_kw[following.point], q_kvar[following.point]
        self._units.advance(step, p_kw, supplied)
        for one in self.devices.values():
            one.advance(step, p_kw, supplied)
        for point, (more_kw, more_kvar) in self._besides.items():
            if supplied[point]:
                p_kw[point] += more_kw
                q_kvar[point] += more_kvar
                self.base_kwh += more_kw * step.dt_s / 3600.0
        if following is not None:  # until the power flow says what it draws
            p_kw[following.point] -= following.p_kw
            q_kvar[following.point] -= following.q_kvar
        if self.inverters.take_part(step):
            offered_kw = self._offered_kw(supplied)
            self.inverters.offer(step, offered_kw, supplied, p_kw, self._frequency(step, offered_kw))
        self._terminals.inverters = self.inverters.at_points

    def carry(self, step: Step) -> None:
        """The power flow has said what inverters feed; the meters count."""
        terminals, following = self._terminals, self._following
        if following is not None:
            terminals.point_p_kw[following.point] += following.drawn_kw
            terminals.point_q_kvar[following.point] += following.drawn_kvar
            self.base_kw = float(following.drawn_kw.sum())
            self.base_kwh += self.base_kw * step.dt_s / 3600.0
        less_kw = self.inverters.feed(terminals.point_p_kw, terminals.point_q_kvar)
        if less_kw is not None and less_kw.any():
            self._units.give_less(less_kw[self.inverters.rows(flexibility.LOCAL_UNITS)], terminals.point_is_supplied)
            for name, one in self.devices.items():
                if one.has_inverter:
                    one.give_less(less_kw[self.inverters.rows(name)], step.dt_s / 3600.0)
        self.meters.measure(step, terminals.point_p_kw)

    def _offered_kw(self, supplied: npt.NDArray[np.bool_]) -> Floats:
        """(inverters,) what stands behind each inverter could feed; below 0 it is charged."""
        units = np.where(supplied[self.owned.unit_point], self._units.output_kw, 0.0)
        return np.concatenate([units, *(-one.orders.drawn_kw for one in self.devices.values() if one.has_inverter)])

    def _frequency(self, step: Step, offered_kw: Floats) -> Frequency | None:
        """What inverters measure at the step's begin, and what they could give in it, where one of them answers to it."""
        if not self.inverters.answer_frequency:
            return None
        least_kw, most_kw = np.minimum(offered_kw, 0.0), offered_kw.copy()
        for name, one in self.devices.items():
            if one.has_inverter:
                rows = self.inverters.rows(name)
                least_kw[rows], most_kw[rows] = one.reach_kw(step.dt_s / 3600.0)
        return Frequency(self.inverters.nominal_hz + self._terminals.deviation_hz, least_kw, most_kw)

    def sense(self, step: Step, outbox: Outbox) -> None:
        """The smart meters send each quarter hour that has ended, and notice when supply goes and comes."""
        if not self._smart:
            return
        self.meters.follow_supply(self._terminals.point_is_supplied, step, outbox)
        if step.ends_quarter:
            self.meters.send(step, self.moved_kwh(), self.steered_by, outbox)
        for begin_ns, end_ns in self._asked_within(step):
            points = len(self._terminals.point_p_kw)
            spread_ns = (np.arange(points) * ((end_ns - begin_ns) / points)).astype(np.int64)
            self.meters.send_registers(begin_ns, begin_ns + spread_ns, outbox)

    def draw_besides(self, point: int, p_kw: float | None = None, q_kvar: float | None = None) -> None:
        """What another program draws at a metering point from the next step on, beside all else, where there is supply; what is not given stays. It counts as demand."""
        before = self._besides.get(point, (0.0, 0.0))
        self._besides[point] = before[0] if p_kw is None else p_kw, before[1] if q_kvar is None else q_kvar

    def expect_demand(self, begin_ns: int, end_ns: int) -> None:
        """All meters will be read on demand over that time."""
        self._read_all.append((begin_ns, end_ns))

    def may_send_within(self, step: Step) -> bool:
        """Whether meters may have something to say before the step's end: of supply, or because all are asked for their registers."""
        if not self._smart:
            return False
        return self.meters.may_speak_of(self._terminals.point_is_supplied) or bool(self._asked_within(step))

    def _asked_within(self, step: Step) -> list[tuple[int, int]]:
        """The times over which all meters are asked for their registers that begin within the step."""
        return [(begin_ns, end_ns) for begin_ns, end_ns in self._read_all if step.start_ns <= begin_ns < step.end_ns]

    def act(self, step: Step, inbox: Sequence[Delivery], outbox: Outbox) -> None:
        """The gateways take what arrived to their devices; the last to arrive holds. Then they bid, if it is time."""
        for delivery in inbox:
            if delivery.wave.kind is Kind.SETPOINT:
                self.steered_by[delivery.destination] = delivery.ids
            if delivery.contract in self._class_of:
                self._take_plan(delivery, self._class_of[delivery.contract])
            elif delivery.contract in self._orders:
                self._take_order(delivery)
            elif delivery.contract in self._function_of:
                self.inverters.take(self._function_of[delivery.contract], delivery.contract.read(delivery))
            elif delivery.contract is flexibility.CAP:
                self._take_cap(delivery)
            elif delivery.contract is retail.PRICES:
                self._take_prices(delivery)
            elif delivery.contract is local_market.PRICE and self.bidders:
                self.bidders.take(delivery)
        if self.bidders:
            self.bidders.send(step, self._terminals.point_is_supplied, outbox)

    def _take_plan(self, delivery: Delivery, name: str) -> None:
        plans, signal = self.devices[name].plans, flexibility.signal(name).read(delivery)
        signals = signal.signals.astype(np.float64)
        for one in np.unique(signal.group):
            row = plans.row_of(_key(delivery) + int(one), signal.first_quarter, signals[one], signal.valid_quarters)
            plans.steered[self._device_of[name][delivery.destination[signal.group == one]]] = row

    def _take_order(self, delivery: Delivery) -> None:
        order, orders = delivery.contract.read(delivery), self._orders[delivery.contract]
        orders.withdraw(order.device)
        ends_ns = [*order.begin_ns[1:].tolist(), order.until_ns]
        for begin_ns, end_ns, power_kw in zip(order.begin_ns.tolist(), ends_ns, order.power_kw.tolist(), strict=True):
            orders.place(begin_ns, end_ns, order.device, np.full(len(order.device), power_kw), is_power=True)

    def _take_cap(self, delivery: Delivery) -> None:
        cap = flexibility.CAP.read(delivery)
        for name, one in self.devices.items():
            if one.is_capped:
                rows = self._device_of[name][delivery.destination]
                one.cap_kw[rows[rows >= 0]] = cap.cap_kw[rows >= 0]
                one.cap_until_ns[rows[rows >= 0]] = cap.until_ns[rows >= 0]

    def _take_prices(self, delivery: Delivery) -> None:
        prices = retail.PRICES.read(delivery)
        price, first = prices.price_eur_per_kwh, 4 * prices.first_hour
        customers = delivery.destination[delivery.destination < len(self.tariffs.of_customer)]
        retailer = int(self.tariffs.retailer_of[delivery.destination[0]])  # that sent them, to its own customers
        for k, under_it in self.tariffs.prices(retailer, price, prices.first_hour):
            here = customers[self.tariffs.of_customer[customers] == k]
            for name, one in self.devices.items():
                rows = self._device_of[name][here]
                rows = rows[rows >= 0]
                if len(rows):
                    signal = price_signal(under_it, one.rated_kw)
                    one.plans.priced[rows] = one.plans.row_of(_key(delivery) + k, first, signal, 4 * len(price))

    @property
    def unserved_kwh(self) -> Floats:
        """Base demand that was not served for want of supply, since the start, (customers,)."""
        return self._demand.unserved_kwh

    @property
    def unit_kw(self) -> Floats:
        """(units,) what each local unit gives where it has supply."""
        return self._units.output_kw

    def given_kvar(self, name: str) -> Floats:
        """(devices,) the reactive power that each of a class gave in the last step; local units are `flexibility.LOCAL_UNITS`."""
        if name in self.inverters.classes:
            return self.inverters.q_kvar[self.inverters.rows(name)].copy()
        return np.zeros(len(self.devices[name].owner))

    @property
    def generated_kw(self) -> float:
        return self._units.total_kw

    @property
    def consumed_kwh(self) -> float:
        """Used since the start: demand, what devices used, and what they lost."""
        consumed_kwh = self.base_kwh
        for one in reversed(
            self.devices.values()
        ):  # the order in which published results were summed, to their last bit
            consumed_kwh += one.used_kwh
        return consumed_kwh + sum(one.losses_kwh for one in self.devices.values())

    @property
    def stored_kwh(self) -> float:
        """Electrical energy in all devices, now."""
        return sum(one.stored_kwh for one in self.devices.values())

    @property
    def stored_heat_kwh(self) -> float:
        """Heat in all devices beyond what they must hold, as electricity."""
        return sum(one.stored_heat_kwh for one in self.devices.values())

    def moved_kwh(self) -> Floats:
        """What devices drew less under the aggregator's plans than by their own control, by the quarter hour, since the start, (points,)."""
        moved = np.zeros(len(self._terminals.point_p_kw))
        for one in self.devices.values():
            moved[one.owner] += one.moved.kwh
        return moved

    def comfort(self) -> dict[str, float]:
        """What people would complain of, since the start."""
        return {name: value for one in self.devices.values() for name, value in one.complained().items()}


def _key(delivery: Delivery) -> int:
    """A number that only the messages of this wave share, with room for 64 plans."""
    return int(delivery.ids[0] - delivery.rows[0]) * 64


def _positions(owner: Ints, points: int) -> Ints:
    """The device of each metering point, -1 without one."""
    positions = np.full(points, -1, dtype=np.int64)
    positions[owner] = np.arange(len(owner))
    return positions
