"""The fleet in real time: nothing is given that is not there, and what the towns cost is what it is at any step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from heptagrid.domains.generation.fuel import Fuel
from heptagrid.domains.generation.swing import Trip
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_S, Step
from heptagrid.planes.money.fuel_prices import Parameters, costs_of
from heptagrid.planes.money.markets.dispatch import MeritOrder
from heptagrid.world.bulk import STORAGE, THERMAL, TOWER, WIND
from tests.domains.bulk_alone import DAY, END_NS, START_NS, BulkAlone, rts

SYSTEM = rts()
UNITS = SYSTEM.units


def outputs(**of_kind: float) -> np.ndarray:
    """Every unit of a kind at a part of what it can, the others at rest."""
    return sum((UNITS.p_max_mw * (UNITS.kind == kind) * part for kind, part in of_kind.items()), np.zeros(len(UNITS)))


def at_work(output_mw: np.ndarray, required_mw: float, trips: tuple[Trip, ...] = ()) -> BulkAlone:
    """A fleet that does not swing, of which so much is required."""
    bulk = BulkAlone(SYSTEM, np.maximum(output_mw, 1e-9).tolist(), trips=trips)
    bulk.fleet.swing = None
    bulk.fleet.advance(Step(START_NS, START_NS + 60 * NS_PER_S, DAY, START_NS, END_NS, 0))
    bulk.terminals.unit_output_mw[:] = output_mw
    bulk.terminals.required_mw = required_mw
    return bulk


@pytest.mark.parametrize("missing_mw", [50.0, -50.0, 20_000.0])
def test_tanks_and_storages_give_what_is_scheduled_whatever_is_missing(missing_mw: float) -> None:
    """And all that is required is given: beyond limits by the others, where there is no other way."""
    stores = UNITS.of(TOWER, STORAGE)
    output = outputs(thermal=0.6)
    bulk = at_work(output, float(output.sum()) + missing_mw)
    bulk.fleet.carry(Step(START_NS, START_NS + 60 * NS_PER_S, DAY, START_NS, END_NS, 0))
    given = bulk.terminals.unit_output_mw
    assert given.sum() == pytest.approx(output.sum() + missing_mw)
    np.testing.assert_array_equal(given[stores], output[stores])


def test_a_unit_that_has_failed_offers_nothing_until_it_is_whole() -> None:
    unit = int(np.flatnonzero(UNITS.names == "107_CC_1")[0])
    back_ns = START_NS + 34 * NS_PER_HOUR
    bulk = at_work(outputs(thermal=0.6), 0.0, (Trip(START_NS, back_ns, unit),))
    offer = bulk.fleet.offer(END_NS)
    assert (offer.high_mw[:10, unit] == 0.0).all() and (offer.high_mw[10:, unit] == UNITS.p_max_mw[unit]).all()


def test_what_is_missing_curtailed_wind_gives_first() -> None:
    order = MeritOrder.of(UNITS, costs_of(UNITS, Parameters()))
    output, high = outputs(thermal=0.6, wind=0.5), outputs(thermal=1.0, wind=1.0)
    moved = order.moved(output, 100.0, output * 0.0, high)
    assert moved[UNITS.of(WIND)].sum() == pytest.approx(output[UNITS.of(WIND)].sum() + 100.0)
    np.testing.assert_array_equal(moved[UNITS.of(THERMAL)], output[UNITS.of(THERMAL)])


@pytest.mark.parametrize("step_s", [36, 60, 180, 225, 300, 450, 900])
def test_what_towns_cost_in_an_hour_is_the_same_at_any_step(step_s: int) -> None:
    """Steps that divide a quarter of an hour; of some only every third began with five minutes, and the others were not counted."""
    costs = costs_of(UNITS, Parameters())
    nothing: Any = None
    days: Any = SimpleNamespace(yesterday=lambda step: None)
    fuel, output = Fuel(costs, MeritOrder.of(UNITS, costs), days, nothing), outputs(thermal=0.6)
    fleet = SimpleNamespace(units=UNITS, range_mw=lambda: (UNITS.p_min_mw, UNITS.p_max_mw))
    for begin_s in range(0, 3600, step_s):
        begin_ns = START_NS + begin_s * NS_PER_S
        fuel.work(Step(begin_ns, begin_ns + step_s * NS_PER_S, DAY, START_NS, END_NS, 0), fleet, output, 20.0)
    assert fuel.emitted_t[0] == pytest.approx(costs.per_h(output, UNITS.p_min_mw)[1])
    assert 5.0 < fuel.emitted_t[0] - fuel.emitted_t[1] < 25.0


def test_a_town_that_feeds_in_saves_fuel_and_no_stored_energy() -> None:
    costs = costs_of(UNITS, Parameters())
    nothing: Any = None
    days: Any = SimpleNamespace(yesterday=lambda step: None)
    fuel, output = Fuel(costs, MeritOrder.of(UNITS, costs), days, nothing), outputs(thermal=0.6)
    fleet = SimpleNamespace(
        units=UNITS, range_mw=lambda: (UNITS.p_min_mw, UNITS.p_max_mw * np.isin(UNITS.kind, (THERMAL, TOWER, STORAGE)))
    )
    fuel.work(Step(START_NS, START_NS + 900 * NS_PER_S, DAY, START_NS, END_NS, 0), fleet, output, -20.0)
    assert fuel.emitted_t[1] > fuel.emitted_t[0]
