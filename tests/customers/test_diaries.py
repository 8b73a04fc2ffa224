"""Vehicles by travel diaries: trips are those of the published tables, energy is kept, and drivers plug in by what the battery holds."""

from __future__ import annotations

import pickle
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.domains.customers.device import Surroundings
from heptagrid.domains.customers.mobility import diaries, driving
from heptagrid.domains.customers.mobility.charging import Battery, taken_kwh
from heptagrid.domains.customers.mobility.diary_tables import (
    HOME,
    KM,
    KM_CUMULATED,
    SUNDAY,
    TRIPS,
    TRIPS_CUMULATED,
    WEEKDAY,
)
from heptagrid.domains.customers.mobility.fleet import DiaryVehicles
from heptagrid.domains.customers.mobility.parameters import DIARIES, Parameters
from heptagrid.domains.customers.vehicles import Vehicles
from heptagrid.foundation.time import NS_PER_S, Step, midnight_ns
from heptagrid.world.weather import Weather

ZONE = ZoneInfo("Europe/Berlin")
DAY = date(2016, 1, 27)


def steps(step_s: int, days: int = 1, first: date = DAY) -> list[Step]:
    found = []
    for n in range(days):
        day = first + timedelta(days=n)
        begin_ns, end_ns = midnight_ns(day, ZONE), midnight_ns(day + timedelta(days=1), ZONE)
        starts = range(begin_ns, end_ns, step_s * NS_PER_S)
        found += [Step(at, at + step_s * NS_PER_S, day, begin_ns, end_ns, k) for k, at in enumerate(starts)]
    return found


def fleet(count: int, outside_c: float = 5.0, owner: np.ndarray | None = None, **keys: object) -> DiaryVehicles:
    calm = np.full(8760, outside_c, dtype=np.float32)
    ids = np.arange(count, dtype=np.int64) if owner is None else owner
    made = Vehicles.made(Parameters(behaviour=DIARIES, **keys), ids, Surroundings(Weather(calm, calm), ZONE, 1))
    assert isinstance(made, DiaryVehicles)
    return made


def go(vehicles: DiaryVehicles, over: list[Step], draw_kw: float = 0.0) -> float:
    """Advance, and return the greatest imbalance of a step in kWh."""
    worst, points = 0.0, int(vehicles.owner.max()) + 1
    for step in over:
        before = vehicles.used_kwh + vehicles.losses_kwh + vehicles.stored_kwh
        p_kw = np.full(points, draw_kw)
        vehicles.advance(step, p_kw)
        drawn = (p_kw.sum() - draw_kw * points) * step.dt_s / 3600.0
        worst = max(worst, abs(vehicles.used_kwh + vehicles.losses_kwh + vehicles.stored_kwh - before - drawn))
    return worst


def test_the_default_is_one_trip_a_day() -> None:
    calm = np.zeros(8760, dtype=np.float32)
    made = Vehicles.made(Parameters(), np.arange(3), Surroundings(Weather(calm, calm), ZONE, 1))
    assert type(made) is Vehicles


@pytest.mark.parametrize(("kind", "table"), [(WEEKDAY, 0), (SUNDAY, 1)])
def test_a_day_is_a_chain_of_trips_from_home_to_home_in_order_of_time(kind: int, table: int) -> None:
    diary, numbers = diaries.empty_diary(), []
    for vehicle in range(3000):
        count = diaries.write_diary(1, vehicle, 736000, kind, vehicle % 2 == 0, diary)
        numbers.append(count)
        if count:
            assert diary.place[count - 1] == HOME and diary.place[0] != HOME
            assert diary.leave_h[0] >= 0.0 and diary.arrive_h[count - 1] < 24.0
            stays = diary.leave_h[1:count] - diary.arrive_h[: count - 1]
            assert stays.min(initial=1.0) > diaries.STAY_H - 1e-9
            at_home = diary.place[:count] == HOME
            assert not (at_home[1:] & at_home[:-1]).any(), "nobody drives from home to home"
    shares = np.cumsum([np.mean(np.array(numbers) == n) for n in TRIPS])
    assert shares == pytest.approx(TRIPS_CUMULATED[table], abs=0.03)


def test_distances_are_those_of_the_table() -> None:
    drawn = np.array([diaries.km_of(u) for u in (np.arange(20000) + 0.5) / 20000])
    below = [np.mean(drawn <= edge) for edge in KM]
    assert below == pytest.approx(KM_CUMULATED, abs=1e-4)


@settings(max_examples=12, deadline=None)
@given(
    step_s=st.sampled_from([60, 300, 900]),
    exponent=st.sampled_from([0.0, 0.15, 1.0, 100.0]),
    target=st.floats(0.5, 1.0),
    public=st.floats(0.0, 1.0),
    v2g=st.floats(0.0, 1.0),
    outside_c=st.floats(-15.0, 35.0),
    plan_seed=st.integers(0, 2**31),
)
def test_what_is_drawn_is_driven_lost_or_held(
    step_s: int, exponent: float, target: float, public: float, v2g: float, outside_c: float, plan_seed: int
) -> None:
    """Over random settings and plans, to 1e-9 of what a hundred batteries hold."""
    vehicles = fleet(
        100, outside_c, plug_in_exponent=exponent, target_soc=target, public_share=public, v2g_share=v2g,
        v2g_feeds_in=plan_seed % 2 == 0, v2g_spread=0.2,
    )  # fmt: skip
    over = steps(step_s, 2)
    rng = np.random.default_rng(plan_seed)
    half = vehicles.plans.row_of(1, over[0].quarter, rng.uniform(0.0, 20.0, 96), 96)
    vehicles.plans.steered[::2], vehicles.plans.priced[1::4] = half, half
    vehicles.orders.place(over[40].start_ns, over[90].start_ns, np.arange(10), rng.uniform(-11, 11, 10), is_power=True)
    assert go(vehicles, over, draw_kw=0.5) < 1e-9 * vehicles.fleet.battery_kwh.sum()
    held = vehicles.contents_kwh() / vehicles.fleet.battery_kwh
    assert held.min() >= 0.0 and held.max() <= 1.0 + 1e-6
    if public == 1.0:
        assert vehicles.complained()["vehicle_km_not_driven"] == 0.0


def test_trips_are_a_function_of_seed_vehicle_and_day() -> None:
    """Whatever the step, and whoever else there is."""
    coarse, fine, few = fleet(200), fleet(200), fleet(2, owner=np.array([7, 150]))
    for one, step_s in ((coarse, 900), (fine, 60), (few, 900)):
        go(one, steps(step_s, 2))
    told = [one.complained() for one in (coarse, fine)]
    assert told[0]["vehicle_trips"] == told[1]["vehicle_trips"] > 500
    assert told[0]["vehicle_km"] + told[0]["vehicle_km_not_driven"] == pytest.approx(
        told[1]["vehicle_km"] + told[1]["vehicle_km_not_driven"], rel=1e-12
    )
    assert few.fleet.next_ns.tolist() == coarse.fleet.next_ns[[7, 150]].tolist()
    assert few.contents_kwh().tolist() == coarse.contents_kwh()[[7, 150]].tolist()


def test_a_run_that_is_saved_and_goes_on_is_the_same_to_the_last_bit() -> None:
    whole, begun = fleet(100), fleet(100)
    over = steps(300, 2)
    go(whole, over)
    go(begun, over[:200])
    resumed = pickle.loads(pickle.dumps(begun))
    go(resumed, over[200:])
    for one, other in zip(whole.fleet, resumed.fleet, strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("first", [date(2016, 3, 26), date(2016, 10, 29)])
def test_all_are_at_home_at_midnight_also_when_clocks_change(first: date) -> None:
    vehicles = fleet(300)
    for step in steps(900, 3, first):
        vehicles.advance(step, np.zeros(300))
        if step.starts_day:
            assert (vehicles.fleet.flags & driving.AT_HOME).all()
        assert (vehicles.fleet.next_ns > step.start_ns).all()


def test_days_that_are_passed_over_are_not_driven() -> None:
    vehicles = fleet(300)
    go(vehicles, steps(900))
    trips = vehicles.complained()["vehicle_trips"]
    go(vehicles, steps(900, 1, DAY + timedelta(days=60)))
    assert vehicles.complained()["vehicle_trips"] < 3.0 * trips
    go(vehicles, steps(900, 1, DAY - timedelta(days=20)))
    assert vehicles.complained()["vehicle_trips"] < 5.0 * trips


BATTERY = Battery(0.9, 1.0, 0.8, 0.7, 0.05)


@given(content=st.floats(0.0, 40.0), power=st.floats(0.0, 22.0), hours=st.floats(0.01, 8.0))
def test_the_taper_is_the_same_at_any_step(content: float, power: float, hours: float) -> None:
    """Two halves take up what the whole does, and never more than the battery holds or the charger gives."""
    whole = taken_kwh(content, power, hours, 40.0, BATTERY)
    half = taken_kwh(content, power, hours / 2.0, 40.0, BATTERY)
    assert half + taken_kwh(content + half, power, hours / 2.0, 40.0, BATTERY) == pytest.approx(whole, abs=1e-9)
    assert 0.0 <= whole <= min(40.0 - content, power * 0.9 * hours) + 1e-9


def test_the_taper_is_what_small_steps_of_its_rule_give() -> None:
    held, hours = 10.0, 1e-4
    for _ in range(30000):
        takes = 40.0 * (0.05 + 0.65 * (1.0 - held / 40.0) / 0.2) if held > 32.0 else np.inf
        held = min(held + min(22.0 * 0.9, takes) * hours, 40.0)
    assert 10.0 + taken_kwh(10.0, 22.0, 3.0, 40.0, BATTERY) == pytest.approx(held, abs=1e-3)


def test_drivers_plug_in_when_they_need_to_and_more_often_the_emptier_the_battery() -> None:
    needed, by_chance, each_day = (fleet(400, plug_in_exponent=a) for a in (0.0, 1.0, 1000.0))
    for one in (needed, by_chance, each_day):
        go(one, steps(900, 7))
    plug_ins = [one.complained()["vehicle_plug_ins"] for one in (needed, by_chance, each_day)]
    assert plug_ins[0] < 0.5 * plug_ins[1] < 0.5 * plug_ins[2]
    soc = [one.fleet.counts[driving.SOC_AT_PLUG_IN] for one in (needed, by_chance)]
    assert soc[0] / plug_ins[0] < soc[1] / plug_ins[1] < 1.0


def test_an_owner_is_told_the_trips_of_a_day() -> None:
    vehicles = fleet(40)
    told = [vehicles.day_of(row, DAY) for row in range(40)]
    assert "Your vehicle stayed at home." in told
    go(vehicles, steps(900))
    trips = sum(int(one.split("left ")[1].split()[0]) for one in told if "left" in one)
    assert vehicles.complained()["vehicle_trips"] == trips
    assert all(one.endswith("km).") and " home (" in one for one in told if "left" in one)


def test_km_are_not_driven_where_nobody_charges_on_the_way() -> None:
    """Small batteries in the cold, without chargers elsewhere; with them the same km are all driven."""
    keys = {
        "small_battery_share": 1.0,
        "small_battery_kwh": 10.0,
        "large_battery_share": 0.0,
        "work_charger_share": 0.0,
    }
    without, others = fleet(300, -10.0, public_share=0.0, **keys), fleet(300, -10.0, public_share=1.0, **keys)
    go(without, steps(900, 3))
    go(others, steps(900, 3))
    told, all_km = without.complained(), others.complained()["vehicle_km"]
    assert told["vehicle_km_not_driven"] > 0.02 * all_km
    assert told["vehicle_km"] + told["vehicle_km_not_driven"] == pytest.approx(all_km, rel=1e-9)
    assert told["vehicle_elsewhere_kwh"] == 0.0 < others.complained()["vehicle_elsewhere_kwh"]
    assert others.complained()["vehicle_public_minutes"] > 0.0


def plugged(**keys: object) -> tuple[DiaryVehicles, list[Step]]:
    """Vehicles that all are plugged in at midnight, half full, with the first steps of that night."""
    vehicles = fleet(40, plug_in_exponent=1000.0, target_soc=1.0, **keys)
    vehicles.fleet.content_kwh[:] = 0.5 * vehicles.fleet.battery_kwh
    over = steps(900)
    vehicles.advance(over[0], np.full(40, 2.0))
    assert vehicles.at_home().all()
    return vehicles, over[1:]


def test_an_order_is_followed_until_its_driver_needs_the_charge() -> None:
    vehicles, over = plugged()
    vehicles.orders.place(over[0].start_ns, over[60].start_ns, np.arange(40), np.zeros(40), is_power=True)
    p_kw = np.zeros(40)
    vehicles.advance(over[0], p_kw)
    assert p_kw.max() == 0.0 and vehicles.complained()["vehicle_overrides"] == 0.0
    vehicles.fleet.content_kwh[:3], vehicles.fleet.wanted_kwh[:3] = 1.0, 38.0  # as much as takes longer than they stay
    vehicles.fleet.next_ns[:3] = over[9].start_ns
    go(vehicles, over[1:4])
    assert vehicles.complained()["vehicle_overrides"] == 3.0
    assert (vehicles.orders.drawn_kw[:3] > 3.0).all() and (vehicles.orders.drawn_kw[3:] == 0.0).all()


def test_a_plan_moves_charging_and_is_counted_against_charging_at_once() -> None:
    vehicles, over = plugged()
    signal = np.where(np.arange(96) < 12, 50.0, 0.0)
    vehicles.plans.steered[:] = vehicles.plans.row_of(1, over[0].quarter, signal, 96)
    takes_h = 0.5 * vehicles.fleet.battery_kwh / 0.9 / vehicles.fleet.charger_kw
    waits = (vehicles.fleet.next_ns > over[44].start_ns) & (takes_h < 7.0)
    go(vehicles, over[:8])
    assert vehicles.orders.drawn_kw[waits].max() == 0.0
    assert (vehicles.moved.kwh[waits] > 0.0).all()


def test_bidirectional_chargers_give_down_to_the_reserve_and_no_more_than_the_house_draws() -> None:
    vehicles, over = plugged(v2g_share=1.0, v2g_spread=0.1)
    vehicles.fleet.content_kwh[:] = 0.9 * vehicles.fleet.battery_kwh
    signal = np.where(np.arange(96) < 8, 40.0, 0.0)
    vehicles.plans.steered[:] = vehicles.plans.row_of(1, over[0].quarter, signal, 96)
    stays = vehicles.fleet.next_ns > over[40].start_ns
    p_kw = np.full(40, 1.5)
    vehicles.advance(over[0], p_kw)
    assert p_kw[stays] == pytest.approx(0.0), "what the house draws is given, and nothing is fed in"
    told = vehicles.complained()
    assert told["vehicle_given_kwh"] == pytest.approx(0.25 * (1.5 - p_kw).clip(min=0.0).sum())
    assert told["vehicle_wear_eur"] == pytest.approx(0.05 * told["vehicle_given_kwh"])
    held_kwh = vehicles.contents_kwh().copy()
    vehicles.orders.place(over[1].start_ns, over[80].start_ns, np.arange(40), np.full(40, -11.0), is_power=True)
    go(vehicles, over[1:30])
    kept = np.minimum(np.maximum(0.4 * vehicles.fleet.battery_kwh, vehicles.fleet.wanted_kwh), held_kwh)
    assert (vehicles.contents_kwh()[stays] > kept[stays] - 1e-4).all()
    soon = stays & (0.5 * vehicles.fleet.battery_kwh / vehicles.fleet.charger_kw < 6.0)
    assert vehicles.contents_kwh()[soon] == pytest.approx(kept[soon], rel=1e-6), "an order may feed in"


def test_a_real_charger_draws_what_is_ordered_in_a_vehicles_place() -> None:
    vehicles, over = plugged()
    vehicles.is_outside[5] = True
    held_kwh = vehicles.contents_kwh()[5]
    vehicles.orders.place(over[0].start_ns, over[4].start_ns, np.array([5]), np.array([3.0]), is_power=True)
    assert go(vehicles, over[:4]) < 1e-9
    assert vehicles.orders.drawn_kw[5] == 3.0 and vehicles.contents_kwh()[5] == held_kwh


def test_state_takes_few_bytes_a_vehicle() -> None:
    vehicles = fleet(1000)
    arrays = [one for one in vehicles.fleet if len(one) == 1000]
    assert sum(one.nbytes for one in arrays) <= 50 * 1000
