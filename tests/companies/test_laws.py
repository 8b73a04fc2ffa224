"""Laws of several companies side by side: what they do together is what one with all customers would do."""

from __future__ import annotations

from datetime import date, timedelta
from unittest.mock import Mock
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from heptagrid.contracts import metering
from heptagrid.domains.operations import meter_store
from heptagrid.domains.operations.assembly import relief_shares
from heptagrid.domains.operations.customers_desk import CustomersDesk
from heptagrid.domains.operations.meter_store import MeterStore
from heptagrid.domains.providers.aggregator import Aggregator, Parameters
from heptagrid.domains.providers.assembly import towns_of
from heptagrid.domains.providers.expected_draw import expected_draw
from heptagrid.foundation.contract import Delivery, Wave
from heptagrid.foundation.payments import PaidDays
from heptagrid.foundation.point_columns import for_all_points, of_points
from heptagrid.foundation.time import NS_PER_QUARTER, Step
from heptagrid.world.companies import Companies
from heptagrid.world.registrations import Enrolled, Need

HOUR = np.arange(96) / 4.0
day_kw = arrays(np.float64, 96, elements=st.floats(0.0, 20_000.0))
day_prices = arrays(np.float64, 96, elements=st.floats(-100.0, 500.0))
devices = st.integers(1, 50)


def enrolled(vehicles: int, heat_pumps: int) -> dict[str, Enrolled]:
    return {
        "vehicles": Enrolled(np.arange(vehicles), Need(7.8, 18.0, 7.0), is_capped=True),
        "heat_pumps": Enrolled(np.arange(heat_pumps), need=None, is_capped=False),
    }


@given(day_kw, day_prices, devices, devices)
def test_two_aggregators_with_alike_halves_of_a_town_send_each_device_the_signal_of_one(
    town_kw: np.ndarray, prices: np.ndarray, vehicles: int, heat_pumps: int
) -> None:
    one = Aggregator(Parameters(), enrolled(2 * vehicles, 2 * heat_pumps)).plan(town_kw, prices, HOUR)
    half = Aggregator(Parameters(), enrolled(vehicles, heat_pumps), towns=0.5).plan(town_kw / 2.0, prices, HOUR)
    for name, signal in one.kw.items():
        assert half.kw[name] == pytest.approx(signal, rel=1e-6, abs=1e-6)
    assert 2.0 * half.expected_kw == pytest.approx(one.expected_kw, rel=1e-6, abs=1e-6)


@given(day_kw, devices, devices)
def test_two_retailers_foresee_together_the_energy_that_one_foresees(town_kw: np.ndarray, some: int, more: int) -> None:
    parts = [expected_draw(enrolled(count, 0), town_kw / 2.0, HOUR)[0] for count in (some, more)]
    whole = expected_draw(enrolled(some + more, 0), town_kw, HOUR)[0]
    assert sum(each.sum() for each in parts) == pytest.approx(whole.sum(), rel=1e-9)


behind = st.lists(st.integers(0, 5), max_size=30)  # the substation of each


@given(st.lists(st.tuples(behind, behind), min_size=1, max_size=4))
def test_every_substations_relief_is_asked_once(of_each: list[tuple[list[int], list[int]]]) -> None:
    """Each aggregator is asked for its part of the devices there, or else of the customers; the first for all where nobody lives."""
    capped, steered = ([np.array(each[k], dtype=np.int64) for each in of_each] for k in range(2))
    shares = relief_shares(capped, steered, 6)
    assert shares.sum(axis=0) == pytest.approx(1.0)
    for number in range(6):
        counts = [np.array([(each == number).sum() for each in those]) for those in (capped, steered)]
        those = next((one for one in counts if one.any()), np.eye(len(of_each))[0])
        assert shares[:, number] == pytest.approx(those / those.sum())


def test_an_aggregator_is_not_paid_for_relief_where_it_has_no_customers() -> None:
    """Two towns, of substations 0 and 1; the aggregator of the second has no devices there."""
    first, second = np.array([0, 0]), np.array([1])
    assert relief_shares([first, second[:0]], [first, second], 2).tolist() == [[1.0, 0.0], [0.0, 1.0]]


@given(st.lists(st.integers(0, 2), min_size=3, max_size=12))
def test_what_is_cut_into_companies_is_put_together_again(whose: list[int]) -> None:
    values = np.arange(2 * len(whose)).reshape(2, -1)
    points = [np.flatnonzero(np.array(whose) == k) for k in range(3)]
    assert for_all_points([of_points(values, each) for each in points], points).tolist() == values.tolist()
    assert of_points(values, np.arange(len(whose))) is values, "nothing is copied for a single company"


def test_an_aggregator_has_the_sum_of_its_parts_of_towns() -> None:
    """By hand: half of the first town, nothing of a town where nobody lives, all of the third."""
    assert towns_of(np.array([0, 2, 3]), np.array([0, 0, 2, 2])) == 1.5


def test_each_endpoint_reads_what_arrived_there() -> None:
    here = np.array([5, 6, 5])
    told = metering.Supply(np.array([1, 2, 3]), 0)
    rows = np.arange(3)
    delivery = Delivery(metering.LAST_GASP.wave(told, rows, here, rows), rows, rows, 10 + rows)
    at_five = delivery.at(5)
    assert at_five is not None and at_five.ids.tolist() == [10, 12]
    assert metering.LAST_GASP.read(at_five).meter.tolist() == [1, 3]
    assert delivery.at(7) is None


def test_operations_tells_each_company_of_its_own_customers_alone() -> None:
    """Three meters: the first and the last are the first retailer's, the last two the second aggregator's. A read of the second comes a day late."""
    companies = Companies(("a", "b"), ("c", "d"), np.array([0, 1, 0]), np.array([0, 1, 1]))
    standard = Mock(standard_kwh=lambda _: (np.full(3, 9.0), np.zeros(3)))
    places = Mock(operations=7, retailers=np.array([8, 9]), aggregators=np.array([10, 11]))
    first, sent = 96 * 16_800, []
    paid = PaidDays(ZoneInfo("UTC"), first * NS_PER_QUARTER)
    desk = CustomersDesk(meter_store.Parameters(), MeterStore(3, days=3), standard, places, companies, paid)
    outbox = Mock(send=sent.append)

    def read(quarter: int, meters: list[int], ids: list[int]) -> None:
        rows, used = np.arange(len(meters)), np.array(meters) + 1.0
        reading = metering.Reading(
            meter=np.array(meters),
            import_kwh=used.astype(np.float32),
            export_kwh=np.zeros(len(meters), dtype=np.float32),
            import_register_kwh=used * (quarter - first + 1),
            export_register_kwh=np.zeros(len(meters)),
            moved_kwh=used,
            asked_by=np.array(ids) - 1,
            quarter=quarter,
        )
        arrived_ns = rows + (quarter + 1) * NS_PER_QUARTER
        desk.receive(Delivery(metering.READING.wave(reading, rows, rows, rows), rows, arrived_ns, np.array(ids)))

    def work(days: int, quarters: int) -> dict[tuple[str, int], Wave]:
        sent.clear()
        midnight = first + 96 * days
        start_ns, day_ns = (midnight + quarters - 1) * NS_PER_QUARTER, midnight * NS_PER_QUARTER
        today = date(1970, 1, 1) + timedelta(days=16_800 + days)
        desk.work(Step(start_ns, start_ns + NS_PER_QUARTER, today, day_ns, day_ns, 0), outbox)
        return {(one.topic, int(one.destination[0])): one for one in sent}

    work(0, 1)
    read(first + 95, [0, 2], [3, 4])
    told = work(1, 3)
    assert {key: one.payload.point.tolist() for key, one in told.items()} == {
        **{("day_reads", 8): [0, 2], ("day_reads", 9): [1], ("moved", 10): [0], ("moved", 11): [1, 2]},
    }
    assert told["day_reads", 8].payload.import_kwh[-1].tolist() == [1.0, 3.0]
    assert told["moved", 11].payload.moved_kwh.tolist() == [0.0, 3.0]
    settled = desk.settled(first, 96).settled_mwh
    assert settled.shape == (96, 2) and settled[-1].tolist() == pytest.approx([0.004, 0.009])
    read(first + 95, [1], [5])
    late = work(2, 3)
    assert ("late_reads", 8) not in late
    assert set(late["late_reads", 9].payload.meter) == {1}
    corrected = desk.settled(first + 96, 96)
    assert corrected.corrected_mwh[corrected.corrected_quarter == first + 95].tolist() == [
        pytest.approx([0.004, 0.002])
    ]
