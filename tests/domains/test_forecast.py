"""The forecast of customers: everything that is registered, corrected by what the meters have read."""

from __future__ import annotations

import numpy as np
import pytest

import heptagrid
from heptagrid.assembly.arm import customers_forecast
from heptagrid.assembly.world import build_world
from heptagrid.domains.customers import heat_pumps, vehicles
from heptagrid.domains.operations.forecast import Forecast, Parameters
from heptagrid.foundation.time import NS_PER_QUARTER, midnight_ns
from heptagrid.world.companies import Companies
from heptagrid.world.grid import Profiles
from heptagrid.world.registrations import Registered

QUARTER = 1_612_800  # a midnight of 2016-01-01 UTC, in quarter hours since 1970


def forecast(**given: object) -> Forecast:
    """Two customers of 1 and 3 kW whose profile is 1 all year, the second with a vehicle that draws 2 kW on average; `companies` may be given."""
    nothing = np.zeros(0, dtype=np.int64)
    profiles = Profiles(np.array(["one"]), np.full((40 * 96, 1), 1_000_000, dtype=np.int32), QUARTER * 900 * 10**9)
    registered = Registered(np.array([1]), np.array([bool(given.get("steered"))]), lambda q: np.full(len(q), 2.0))
    return Forecast(
        *(Parameters(reads_share=float(given.get("share", 1.0))), profiles, np.array([1.0, 3.0])),  # type: ignore[arg-type]
        *(np.zeros(2, dtype=np.int64), np.zeros(0), nothing, nothing, 2, 1, [registered]),
        companies=given.get("companies"),  # type: ignore[arg-type]
    )


def test_vehicles_and_heat_pumps_are_part_of_the_forecast() -> None:
    assert forecast().of_retailer(0, QUARTER + 10 * 96, 2).tolist() == pytest.approx([6.0, 6.0]), "1 + 3 + 2 kW"
    assert forecast(steered=True).of_retailer(0, QUARTER + 10 * 96, 1).tolist() == pytest.approx([4.0])


def test_the_estimate_of_a_missing_read_counts_the_customers_vehicle() -> None:
    imported, exported = forecast().standard_kwh(QUARTER + 10 * 96)
    assert (imported.tolist(), exported.tolist()) == ([0.25, 1.25], [0.0, 0.0])


def test_the_next_day_takes_on_what_the_meters_read_beyond_the_standard_profiles() -> None:
    at = QUARTER + 10 * 96 + 40
    for share, expected_kw in ((1.0, 8.0), (0.5, 7.0), (0.0, 6.0)):
        one = forecast(share=share)
        one.learn_reads(
            at, np.array([0.5, 1.5]), np.zeros(2), np.array([True, True])
        )  # 8 kW together, 2 more than foreseen
        assert one.of_retailer(0, at + 96, 2).tolist() == pytest.approx([expected_kw, 6.0])
        assert one.of_retailer(0, at + 2 * 96, 1)[0] == pytest.approx(expected_kw), "the latest day that was read"


def test_what_was_not_read_changes_no_forecast() -> None:
    at = QUARTER + 10 * 96
    one = forecast()
    one.learn_reads(at, np.array([0.5, 9.0]), np.zeros(2), np.array([True, False]))
    assert one.of_retailer(0, at + 96, 1)[0] == pytest.approx(7.0), "the first customer read 2 kW in place of 1"


def test_what_the_aggregator_steers_is_no_surprise() -> None:
    at = QUARTER + 10 * 96
    one = forecast(steered=True)
    one.learn_steered(0, at, np.array([2.0]))
    one.learn_reads(at, np.array([0.25, 1.25]), np.zeros(2), np.array([True, True]))
    assert one.of_retailer(0, at + 96, 1)[0] == pytest.approx(4.0)


def test_steered_vehicles_that_did_not_charge_are_no_lack_of_load() -> None:
    """Full ones, as on a run's first night: the other customer reads 1 kW as foreseen, so nothing is learnt, and 4 kW stay 4 kW."""
    at = QUARTER + 10 * 96
    one = forecast(steered=True)
    one.learn_steered(0, at, np.array([2.0, 0.0]))
    one.learn_reads(at, np.array([0.25, 0.75]), np.zeros(2), np.array([True, True]))
    assert one.of_retailer(0, at + 96, 1)[0] == pytest.approx(4.0)
    one.learn_reads(at + 1, np.array([0.25, 1.0]), np.zeros(2), np.array([True, True]))
    assert one.of_retailer(0, at + 97, 1)[0] == pytest.approx(5.0), (
        "while they stand still, their owner's house counts: 4 kW, not 3"
    )


def test_the_aggregator_expects_what_its_vehicles_draw() -> None:
    """70 % of the days a trip of 10 kWh, charged with 90 %: 7.78 kWh a day."""
    one = vehicles.Parameters()
    assert one.foreseen_kwh_per_day == pytest.approx(7.78, rel=0.01)
    assert one.travel_share * one.trip_kwh / one.efficiency == pytest.approx(7.78, rel=0.01)


def test_a_vehicles_standard_profile_holds_what_it_drives_on_a_mean_day() -> None:
    """70 % of the days a trip of 10 kWh, charged with 90 %: 7.78 kWh; at 60 kWh a trip ends, which takes off 0.3 %."""
    drawn_kw = vehicles.charging_kw(vehicles.Parameters(), np.arange(96) / 4.0)
    assert drawn_kw.sum() / 4.0 == pytest.approx(0.7 * 10.0 / 0.9, rel=0.01)
    assert 17.0 <= np.argmax(drawn_kw) / 4.0 <= 19.0


def test_a_heat_pumps_standard_profile_is_the_steady_state_of_its_house() -> None:
    """At 0 C without sun: (180 W/K x 20.5 K - 400 W) / (0.85 (6.08 - 0.09 x 40 + 0.0005 x 40^2)) = 1.179 kW, times mean size."""

    class Winter:
        def outside_c_at(self, ns: int) -> float:
            return 0.0

        def radiation_w_m2_at(self, ns: int) -> float:
            return 0.0

    drawn_kw = heat_pumps.heating_kw(heat_pumps.Parameters(), Winter(), np.arange(3))  # type: ignore[arg-type]
    assert drawn_kw.tolist() == pytest.approx([3.29 / 2.788 * np.exp(0.25**2 / 2)] * 3)


def test_the_towns_forecast_covers_what_the_town_takes() -> None:
    """Net of its units and losses the default day takes 146 MWh; before, the forecast said 115."""
    scenario = heptagrid.load("town")
    world = build_world(scenario)
    midnight = midnight_ns(scenario.start, scenario.zone) // NS_PER_QUARTER
    foreseen_mwh = (
        customers_forecast(scenario, world, smart=False).of_retailer(0, midnight - 53, 160)[53:149].sum() / 4000.0
    )
    assert foreseen_mwh == pytest.approx(146.0, rel=0.1)


def test_the_forecasts_of_two_companies_are_each_of_its_own_customers_and_make_up_that_of_one() -> None:
    at = QUARTER + 10 * 96
    first, second = np.array([1, 0]), np.array([0, 1])
    two = forecast(companies=Companies(("a", "b"), ("c", "d"), first, second))
    one = forecast()
    for each in (one, two):
        each.learn_reads(at, np.array([0.5, 1.5]), np.zeros(2), np.array([True, True]))
    assert two.of_retailer(1, at + 96, 1).tolist() == pytest.approx([1.0 + 1.0])
    assert two.of_retailer(0, at + 96, 1).tolist() == pytest.approx([3.0 + 2.0 + 1.0])
    assert two.of_aggregator(0, at + 96, 1).tolist() == two.of_retailer(1, at + 96, 1).tolist()
    both = two.of_retailer(0, at + 96, 1) + two.of_retailer(1, at + 96, 1)
    assert both.tolist() == pytest.approx(one.of_retailer(0, at + 96, 1).tolist())


def test_what_one_aggregator_steers_hides_no_meter_of_anothers_customers() -> None:
    """The second customer's vehicle is its own aggregator's, which does not let it draw: its house counts, whatever the other one steers."""
    at = QUARTER + 10 * 96
    everyone = np.zeros(2, dtype=np.int64)
    two = forecast(steered=True, companies=Companies(("",), ("c", "d"), everyone, np.array([0, 1])))
    two.learn_steered(0, at, np.array([5.0]))
    two.learn_steered(1, at, np.array([0.0]))
    two.learn_reads(at, np.array([0.25, 1.0]), np.zeros(2), np.array([True, True]))
    assert two.of_retailer(0, at + 96, 1)[0] == pytest.approx(5.0)
