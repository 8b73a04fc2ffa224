"""The fleet in real time: nothing is given that is not there, and what the towns cost is what it is at any step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from heptagrid.domains.generation.availability import Availability
from heptagrid.domains.generation.fuel import Fuel
from heptagrid.domains.generation.swing import Trip
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_S, Step, from_ns, midnight_ns
from heptagrid.planes.money.fuel_prices import Parameters, costs_of
from heptagrid.planes.money.markets.dispatch import MeritOrder
from heptagrid.planes.power.dynamics.frequency import TURBINES
from heptagrid.world.bulk import STORAGE, THERMAL, TOWER, WIND
from heptagrid.world.terminals import Terminals
from tests.domains.bulk_alone import DAY, END_NS, START_NS, BulkAlone, rts
from tests.markets.test_day_ahead import TOWN, ZONE, system, winter_day

BEGIN_NS = midnight_ns(DAY, ZONE)
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


def burnt_in_a_day(towns_mw: float, step_s: int = 900) -> tuple[float, float, float]:
    """EUR paid, tonnes, and the whole fleet's tonnes of a town that draws so much at bus 109 on the winter day as it was cleared, step by step, and two hours on."""
    cleared, paid = winter_day(), []
    days: Any = SimpleNamespace(yesterday=lambda step: None if step.day_start_ns == BEGIN_NS else step)
    payments: Any = SimpleNamespace(pay=lambda reason, payer, payee, eur, dates: paid.append(eur))
    bulk, availability = system(), Availability(system(), ZONE, {word: one.governed for word, one in TURBINES.items()})
    fuel = Fuel(bulk, costs_of(UNITS, Parameters()), TOWN, days, payments)
    terminals = Terminals.at_rest(1, len(UNITS), len(bulk.bus_numbers), 1.0)
    terminals.infeed_p_kw[:] = 1000.0 * towns_mw
    for second in range(0, 26 * 3600, step_s):
        hour, begin_ns = second // 3600, BEGIN_NS + second * NS_PER_S
        day_ns = BEGIN_NS + hour // 24 * 24 * NS_PER_HOUR
        fleet = SimpleNamespace(on=cleared.on[hour % 24], range_mw=lambda at=begin_ns: availability.bounds_mw(at))
        terminals.unit_output_mw[:] = cleared.p_mw[hour % 24]
        terminals.rest_load_mw[:] = bulk.rest_mw(from_ns(begin_ns, ZONE))
        span = (begin_ns, begin_ns + step_s * NS_PER_S, DAY, day_ns, day_ns + 24 * NS_PER_HOUR, 0)
        fuel.work(Step(*span), fleet, terminals)
    emitted_t = fuel.emitted_t()
    return paid[0], float(emitted_t[0] - emitted_t[1]), float(emitted_t[0])


def test_a_towns_energy_costs_what_it_costs_at_its_bus() -> None:
    """15 MW over a winter day with full branches: the mean price at its bus within 5 %, where the dearest unit that runs costs twice as much."""
    eur, tonnes, _ = burnt_in_a_day(15.0)
    assert eur / 360.0 == pytest.approx(float(winter_day().bus_eur_per_mwh[:, TOWN[0]].mean()), rel=0.05)
    assert 0.1 < tonnes / 360.0 < 0.5


def test_the_fleets_emissions_are_those_of_the_days_that_have_ended() -> None:
    """By the schedule's 24 hours. The hour after a run's last day, in which its last messages arrive, was counted once: a 25th."""
    least_mw, costs = UNITS.p_min_mw, costs_of(UNITS, Parameters())
    of_the_day_t = sum(costs.per_h(hour_mw, least_mw)[1] for hour_mw in winter_day().p_mw)
    assert burnt_in_a_day(15.0)[2] == pytest.approx(of_the_day_t, rel=1e-9)


def test_twice_the_energy_costs_twice_and_what_is_fed_in_saves_as_much() -> None:
    """Ten kilowatts too: a feeder's fuel is no noise."""
    per_mw = {mw: burnt_in_a_day(mw)[0] / mw for mw in (0.01, 1.0, 2.0, -1.0)}
    assert list(per_mw.values()) == pytest.approx([per_mw[1.0]] * 4, rel=0.03)


@pytest.mark.parametrize("step_s", [180, 225, 450])
def test_a_days_fuel_is_the_same_at_any_step(step_s: int) -> None:
    """Of steps that divide a quarter of an hour and not five minutes, a third or half was counted."""
    assert burnt_in_a_day(15.0, step_s) == pytest.approx(burnt_in_a_day(15.0), rel=1e-6)
