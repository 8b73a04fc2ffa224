"""Dispatch on the network: no branch beyond its rating but for losses that it does not see, and safe after a loss where units can; the default does without."""

from __future__ import annotations

import pickle
from dataclasses import replace
from functools import cache
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from heptagrid.contracts import control, telemetry
from heptagrid.domains.operations import bulk_desk
from heptagrid.domains.operations.bulk_desk import BulkDesk
from heptagrid.foundation.contract import Delivery
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_S, Step
from heptagrid.planes.money.fuel_prices import Parameters as FuelPrices
from heptagrid.planes.money.fuel_prices import costs_of
from heptagrid.planes.money.markets.dispatch import MeritOrder
from heptagrid.planes.money.markets.network_dispatch import NetworkDispatch, Seen, with_losses
from heptagrid.planes.power.balanced.dc import DcNetwork
from heptagrid.world.bulk import BulkSystem, UnitCosts
from tests.domains.bulk_alone import DAY, END_NS, START_NS
from tests.markets.test_day_ahead import demand, system, winter_day

Floats = np.ndarray


@cache
def network() -> DcNetwork:
    bulk = system()
    ends = len(bulk.bus_numbers), bulk.branch_from, bulk.branch_to
    return DcNetwork(*ends, bulk.branch_r_pu, bulk.branch_x_pu, bulk.branch_ratio, bulk.base_mva)


def costs(bulk: BulkSystem) -> UnitCosts:
    return costs_of(bulk.units, FuelPrices())


def settled(hour: int, dispatch: NetworkDispatch | None) -> tuple[Floats, float]:
    """Branches' flows and the losses after an hour of dispatches from the schedule, with losses covered where dispatch says, as the flow has them."""
    bulk, cleared = system(), winter_day()
    load_mw = demand().at_buses(demand().towns_mw)[hour]
    on, planned = cleared.on[hour], cleared.p_mw[hour]
    output, loss_mw = planned.copy(), float(planned.sum() - load_mw.sum())
    order = MeritOrder.of(bulk.units, costs(bulk))
    for _ in range(12):
        if dispatch is None:
            high = np.where(on & (bulk.units.kind == "thermal"), bulk.units.p_max_mw, np.maximum(planned, 0.0))
            low = np.where(on, np.maximum(bulk.units.p_min_mw, 0.0), 0.0)
            output = order.moved(planned, float(load_mw.sum()) + loss_mw - float(planned.sum()), low, high)
        else:
            seen_mw = with_losses(load_mw, float(load_mw.sum()) + loss_mw)
            output = dispatch.targets_mw(Seen(seen_mw, output, on, on, planned))
        flow = network().solve(np.bincount(bulk.units.bus, output, minlength=73) - load_mw)
        loss_mw = flow.loss_mw
    assert output.sum() == pytest.approx(load_mw.sum() + loss_mw, abs=0.5), "nothing is left unserved"
    return flow.flow_mw, loss_mw


@pytest.mark.parametrize("hour", [2, 5, 9, 13, 17, 20])
def test_no_branch_is_beyond_its_rating_but_for_losses(hour: int) -> None:
    """What dispatch does not see is where losses fall: it spreads them by load. So a branch is beyond its rating by a small part of the losses at most."""
    bulk = system()
    flow_mw, loss_mw = settled(hour, NetworkDispatch(bulk, costs(bulk), 5.0))
    beyond_mw = float((np.abs(flow_mw) - bulk.branch_rating_mw).max())
    assert beyond_mw <= 0.1 * loss_mw


def insecure_mw(flow_mw: Floats) -> float:
    """By how much branches are beyond their emergency ratings after the worst loss of another for each, together."""
    after = np.nan_to_num(np.abs(flow_mw[:, np.newaxis] + network().lodf * flow_mw))
    np.fill_diagonal(after, 0.0)
    return float(np.maximum(after.max(axis=1) - system().branch_emergency_mw, 0.0).sum())


@pytest.mark.parametrize("hour", [2, 13])
def test_the_loss_of_any_branch_leaves_the_others_within_emergency_ratings(hour: int) -> None:
    """In hours in which the units that are on can; by merit order, which knows no branch, hundreds of MW would be beyond."""
    bulk = system()
    flow_mw, loss_mw = settled(hour, NetworkDispatch(bulk, costs(bulk), 5.0))
    assert insecure_mw(flow_mw) <= 0.1 * loss_mw
    assert insecure_mw(settled(hour, None)[0]) > 100.0


def test_what_cannot_be_had_is_told_and_load_is_served() -> None:
    """Without any ramp units stay where they are, so that a branch whose rating was halved is loaded beyond it, and nobody is cut off."""
    bulk = system()
    fixed = replace(bulk, units=replace(bulk.units, ramp_mw_per_min=np.full(len(bulk.units), 1e-9)))
    loaded = int(np.argmax(np.abs(settled(13, None)[0])))
    rating = bulk.branch_rating_mw.copy()
    rating[loaded] /= 2.0
    fixed = replace(fixed, branch_rating_mw=rating)
    cleared = winter_day()
    planned, on = cleared.p_mw[13], cleared.on[13]
    load_mw = with_losses(demand().at_buses(demand().towns_mw)[13], float(planned.sum()))
    found = NetworkDispatch(fixed, costs(fixed), 5.0).dispatch(Seen(load_mw, planned, on, on, planned))
    assert found.beyond_mw[0] > 1.0 and found.unserved_mw.sum() == pytest.approx(0.0, abs=1e-6)


def test_losses_are_spread_by_load() -> None:
    """By hand: 106 MW are given for 100 MW of loads and a roof that feeds 4 MW in: 10 MW more, in proportion to 60 and 40."""
    assert with_losses(np.array([60.0, 40.0, -4.0]), 106.0).tolist() == pytest.approx([66.0, 44.0, -4.0])


def test_the_dispatcher_goes_on_from_a_checkpoint() -> None:
    bulk = system()
    one = NetworkDispatch(bulk, costs(bulk), 5.0)
    settled(5, one)
    other = pickle.loads(pickle.dumps(one))
    assert (settled(6, one)[0] == settled(6, other)[0]).all()


class Desk:
    """A desk that has learned the schedule of its first hour and is told outputs and loads; what it asks for is kept."""

    def __init__(self, rule: str, rest_mw: Any = None) -> None:
        bulk = system()
        units = np.arange(len(bulk.units))
        places = Mock(operations=1, plants=units, substations=np.arange(73), infeeds=np.array([0]))
        parameters = bulk_desk.Parameters(rule=rule)
        on_network = NetworkDispatch(bulk, costs(bulk), 5.0) if rule == bulk_desk.NETWORK else None
        order = MeritOrder.of(bulk.units, costs(bulk))
        self.desk = BulkDesk(parameters, bulk.units, order, places, on_network, rest_mw)
        self.desk.learn_schedule(START_NS // NS_PER_HOUR, winter_day().on, winter_day().p_mw)
        self.sent: list[Any] = []

    def tell_units(self) -> None:
        p_mw, on = winter_day().p_mw[0], winter_day().on[0]
        rows = np.arange(len(p_mw))
        told = telemetry.Unit(rows, p_mw, on, np.zeros(len(rows), dtype=np.bool_))
        self.desk.receive(Delivery(telemetry.UNIT.wave(told, rows, 1, START_NS), rows, rows, rows))

    def tell_loads(self, buses: Floats) -> None:
        load_mw = demand().at_buses(demand().towns_mw)[0]
        flows = telemetry.Flows(buses, load_mw[buses], 0.0 * load_mw[buses], np.ones(1), np.ones(1), START_NS)
        rows = np.arange(len(buses))
        self.desk.receive_flows(Delivery(telemetry.FLOWS.wave(flows, buses, 1, START_NS), rows, rows, rows))

    def asked_mw(self) -> Floats:
        step = Step(START_NS + 240 * NS_PER_S, START_NS + 300 * NS_PER_S, DAY, START_NS, END_NS, 0)
        self.sent.clear()
        self.desk.work(step, Mock(send=self.sent.append))
        (wave,) = [one for one in self.sent if one.contract is control.SET_POINT]
        return np.asarray(wave.payload.target_mw)


def test_the_default_dispatches_by_merit_order_and_needs_no_loads() -> None:
    assert bulk_desk.Parameters().rule == bulk_desk.MERIT
    merit = Desk(bulk_desk.MERIT)
    merit.tell_units()
    asked = merit.asked_mw()
    on = winter_day().on[0]
    assert asked == pytest.approx(winter_day().p_mw[0][on], abs=1e-9), "outputs are as planned: nobody moves"
    merit.tell_loads(np.arange(73))
    assert (merit.asked_mw() == asked).all()


def test_the_network_is_minded_once_every_substation_has_told_its_load() -> None:
    desk = Desk(bulk_desk.NETWORK)
    desk.tell_units()
    desk.tell_loads(np.arange(72))
    on = winter_day().on[0]
    assert desk.asked_mw() == pytest.approx(winter_day().p_mw[0][on], abs=1e-9), "as long as one is missing, by merit"
    desk.tell_loads(np.array([72]))
    asked = desk.asked_mw()
    assert np.abs(asked - winter_day().p_mw[0][on]).max() > 1.0, "the schedule is not safe after a loss"
    assert asked.sum() == pytest.approx(winter_day().p_mw[0].sum(), abs=1e-3)


def test_what_the_forecast_says_will_change_is_dispatched_at_once() -> None:
    """By hand: each of 73 buses is to take 1 MW more from the moment of the dispatch on."""
    at_ns = START_NS + 300 * NS_PER_S
    asked = []
    for rest_mw in (None, lambda ns: np.full(73, 1.0 if ns >= at_ns else 0.0)):
        desk = Desk(bulk_desk.NETWORK, rest_mw)
        desk.tell_units()
        desk.tell_loads(np.arange(73))
        asked.append(float(desk.asked_mw().sum()))
    assert asked[1] - asked[0] == pytest.approx(73.0, abs=1e-3)
