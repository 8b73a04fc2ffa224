"""Operations and distribution: reads are estimated and replaced, overloads are relieved, taps are moved."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import heptagrid
from heptagrid.contracts import metering, telemetry
from heptagrid.domains.distribution import tap_changer
from heptagrid.domains.operations import bulk_desk, meter_store, scada
from heptagrid.domains.operations.customers_desk import CustomersDesk
from heptagrid.domains.operations.meter_store import MeterStore, Reads, ReadStatus
from heptagrid.domains.providers.aggregator import Aggregator, Parameters
from heptagrid.foundation.contract import Delivery, Wave
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.payments import PaidDays
from heptagrid.foundation.time import NS_PER_QUARTER, Step
from heptagrid.world.companies import Companies
from heptagrid.world.registrations import Enrolled, Need
from tests.domains.bulk_alone import rts, same_units

pytestmark = pytest.mark.long

LANE = Path(__file__).parents[1] / "cases/lane/lane.dss"


def reads(
    meters: list[int], import_kwh: list[float], export_kwh: list[float] | None = None, **given: list[float]
) -> Reads:
    """Reads of one quarter hour; `registers` (kWh, of import) and `message` for those who ask for them."""
    nothing = np.zeros(len(meters))
    fed_in, registers = np.array(export_kwh or nothing), np.array(given.get("registers", nothing))
    message = np.array(given.get("message", nothing), dtype=np.int64)
    nobody = np.full(len(meters), -1)
    return Reads(np.array(meters), np.array(import_kwh), fed_in, registers, nothing, nothing, nobody, message)


def test_a_missing_read_is_estimated_marked_and_replaced_when_it_comes() -> None:
    store = MeterStore(3, days=7)
    store.receive(1000, reads([0, 2], [1.0, 3.0]))
    missing = store.validate(1000, np.array([9.0, 8.0, 7.0]), np.zeros(3))
    assert missing.tolist() == [1]
    imported, _, status = store.day(1000, 1)
    assert imported[0].tolist() == [1.0, 8.0, 3.0], "the standard profile stands in"
    assert status[0].tolist() == [ReadStatus.MEASURED, ReadStatus.ESTIMATED, ReadStatus.MEASURED]
    store.receive(1000, reads([1], [2.0]))
    imported, _, status = store.day(1000, 1)
    assert imported[0].tolist() == [1.0, 2.0, 3.0]
    assert status[0, 1] == ReadStatus.REPLACED


def test_yesterday_stands_in_before_the_standard_profile() -> None:
    store = MeterStore(2, days=7)
    store.receive(1000, reads([0], [4.0], [0.5]))
    store.validate(1000, np.array([9.0, 9.0]), np.zeros(2))
    store.validate(1096, np.array([6.0, 7.0]), np.zeros(2))
    imported, exported, _ = store.day(1096, 1)
    assert imported[0].tolist() == [4.0, 7.0], "the first was measured yesterday, the second was not"
    assert exported[0].tolist() == [0.5, 0.0]


def test_a_read_within_what_is_kept_still_replaces_its_estimate() -> None:
    store = MeterStore(2, days=7)
    store.validate(1000, np.array([1.0, 1.0]), np.zeros(2))
    store.validate(1000 + 6 * 96, np.array([2.0, 2.0]), np.zeros(2))
    replaced = store.receive(1000, reads([1, 0], [5.0, 6.0]))
    assert replaced.tolist() == [True, True]
    assert store.at(np.array([1000, 1000]), np.array([0, 1]))[0].tolist() == [6.0, 5.0]
    assert store.receive(1000, reads([1], [7.0])).tolist() == [False], "each is stored once"


def test_reads_of_days_already_told_follow_with_their_second_and_final_run() -> None:
    parameters, standard = meter_store.Parameters(), Mock(standard_kwh=lambda _: (np.full(3, 9.0), np.zeros(3)))
    everyone = np.zeros(3, dtype=np.int64)
    places = Mock(operations=7, retailers=np.array([8]), aggregators=np.array([9]))
    first, sent = 96 * 16_800, []
    paid = PaidDays(ZoneInfo("UTC"), first * NS_PER_QUARTER)
    companies = Companies(("",), ("",), everyone, everyone)
    desk = CustomersDesk(parameters, MeterStore(3, days=3), standard, places, companies, paid)
    outbox = Mock(send=sent.append)

    def read(quarter: int, meters: list[int], ids: list[int]) -> None:
        """Each meter counts 2.5 kWh in every quarter hour."""
        rows, nothing = np.arange(len(meters)), np.zeros(len(meters))
        reading = metering.Reading(
            meter=np.array(meters),
            import_kwh=np.full(len(meters), 2.5, dtype=np.float32),
            export_kwh=nothing.astype(np.float32),
            import_register_kwh=nothing + 2.5 * (quarter - first + 1),
            export_register_kwh=nothing,
            moved_kwh=nothing,
            asked_by=np.full(len(meters), -1),
            quarter=quarter,
        )
        arrived_ns = rows + (quarter + 1) * NS_PER_QUARTER
        desk.receive(Delivery(metering.READING.wave(reading, rows, rows, rows), rows, arrived_ns, np.array(ids)))

    def work(days: int, quarters: int) -> list[Wave]:
        """Let the desk work in the step of a quarter hour that ends `quarters` after a midnight."""
        sent.clear()
        midnight = first + 96 * days
        start_ns, day_ns = (midnight + quarters - 1) * NS_PER_QUARTER, midnight * NS_PER_QUARTER
        today = date(1970, 1, 1) + timedelta(days=16_800 + days)
        desk.work(Step(start_ns, start_ns + NS_PER_QUARTER, today, day_ns, day_ns, 0), outbox)
        return [one for one in sent if one.receiver is Domain.PROVIDERS]

    work(0, 1)
    read(first + 40, [0], [3])
    read(first + 41, [0, 1, 2], [4, 5, 6])
    work(0, 95)
    assert [one.topic for one in work(1, 3)] == ["day_reads", "moved"], "nothing has come late"
    read(first + 40, [0, 2], [11, 12])  # the first again, the other for the first time
    read(first + 96 + 1, [1], [13])  # of the day that has not been told
    work(1, 95)
    day, late, _ = work(2, 3)
    assert (day.topic, late.topic, late.cause.tolist()) == ("day_reads", "late_reads", [13])
    gap = list(range(first + 42, first + 96))  # of the second meter, on the day that had been told
    assert {name: np.asarray(column).tolist() for name, column in vars(late.payload).items()} == {
        **{"quarter": [first + 40, *gap], "meter": [2, *[1] * 54], "import_kwh": [2.5] * 55, "export_kwh": [0.0] * 55},
        **{"was_read": [True, *[False] * 54], "brought_by": [12, *[13] * 54], "run": 2, "first_quarter": first},
    }
    assert desk.late_reads(first).meter.tolist() == late.payload.meter.tolist(), "on paper as well"
    read(first + 41, [0, 1], [14, 15])  # again
    read(first + 39, [2], [16])
    _, again, _ = work(3, 3)
    assert (again.payload.first_quarter, again.payload.run, len(again.payload.meter)) == (first, 3, 56)
    assert again.payload.brought_by.max() == 16, "what came since is there, and all that the second run had"
    read(first + 38, [2], [17])
    assert desk.store.too_late == {first + 38: 1}, "the day is closed"
    read(first + 39, [2], [18])
    assert sum(desk.store.too_late.values()) == 1, "what had come in time is not too late the second time"
    assert [one.topic for one in work(4, 3)] == ["day_reads", "moved"], "nothing of the day that is closed"


def gap_of_three(estimates_kwh: list[float], read_kwh: float, register_kwh: float) -> MeterStore:
    """A store that read 1 kWh, register 1 kWh, then estimated three quarter hours, then read again with message 77."""
    store = MeterStore(1, days=7)
    store.receive(1000, reads([0], [1.0], registers=[1.0]))
    for k, each in enumerate(estimates_kwh, start=1001):
        store.validate(k, np.array([each]), np.zeros(1))
    store.receive(1004, reads([0], [read_kwh], registers=[register_kwh], message=[77]))
    return store


def test_the_next_register_settles_a_gap_in_proportion_to_its_estimates() -> None:
    """By hand: 14.5 - 1 kWh on the register less 1.5 kWh read are 12 kWh; estimates of 1, 2 and 3 kWh become 2, 4 and 6."""
    store = gap_of_three([1.0, 2.0, 3.0], 1.5, 14.5)
    changes = store.settle()
    imported, _, status = store.day(1000, 5)
    assert imported[:, 0].tolist() == [1.0, 2.0, 4.0, 6.0, 1.5]
    assert status[1:4, 0].tolist() == [ReadStatus.SETTLED] * 3
    assert (changes.quarter.tolist(), changes.message.tolist()) == ([1001, 1002, 1003], [77] * 3)
    assert [store.ended_by(quarter, 0) for quarter in (1001, 1004)] == [77, -1]
    assert len(store.settle().quarter) == 0, "once"


def test_a_gap_whose_estimates_say_nothing_is_settled_evenly() -> None:
    """By hand: 10 - 1 - 0 kWh over three quarter hours are 3 kWh each; a register that has not moved leaves nothing."""
    for register_kwh, each_kwh in ((10.0, 3.0), (1.0, 0.0)):
        store = gap_of_three([0.0, 0.0, 0.0], 0.0, register_kwh)
        store.settle()
        assert store.day(1001, 3)[0][:, 0].tolist() == [each_kwh] * 3


def test_a_late_read_within_a_settled_gap_leaves_the_rest_of_the_energy_to_the_others() -> None:
    """By hand: of the 12 kWh, 5 are read late for the second quarter hour, up to register 7.5: 1.5 before it and 5.5 after it."""
    store = gap_of_three([1.0, 2.0, 3.0], 1.5, 14.5)
    store.settle()
    assert store.receive(1002, reads([0], [5.0], registers=[7.5], message=[80])).tolist() == [True]
    changes = store.settle()
    assert store.day(1001, 3)[0][:, 0].tolist() == [1.5, 5.0, 5.5]
    assert (changes.quarter.tolist(), changes.message.tolist()) == ([1001, 1003], [80, 77])


def test_a_gap_across_the_end_of_a_closed_day_is_settled_after_it() -> None:
    """By hand: 1 kWh was read; of three estimates of 1, 2 and 3 kWh the first is in a closed day: 13.5 - 1 - 1 kWh are 11.5 for the others, 4.6 and 6.9."""
    store = MeterStore(1, days=3)
    store.receive(1000, reads([0], [1.0], registers=[1.0]))
    for k, each in enumerate([1.0, 2.0, 3.0], start=1001):
        store.validate(k, np.array([each]), np.zeros(1))
    store.close(1002)
    store.receive(1004, reads([0], [1.5], registers=[15.0], message=[77]))
    assert store.settle().quarter.tolist() == [1002, 1003]
    assert store.day(1001, 3)[0][:, 0].tolist() == pytest.approx([1.0, 4.6, 6.9])
    assert store.receive(1001, reads([0], [5.0], registers=[6.0])).tolist() == [False]
    assert store.too_late == {1001: 1} and store.day(1001, 1)[0][0, 0] == 1.0
    assert len(store.settle().quarter) == 0


@given(st.permutations([1002, 1004, 1006]), st.lists(st.integers(0, 3), min_size=3, max_size=3), st.data())
@settings(max_examples=60, deadline=None)
def test_a_gap_is_settled_alike_in_whatever_order_its_reads_come(
    order: list[int], settled_after: list[int], data: st.DataObject
) -> None:
    """Estimates of 8 quarter hours, of which 3 are read late and the others settled by registers, with any number of settlements in between."""
    estimates = data.draw(st.lists(st.floats(0.0, 9.0, width=32), min_size=8, max_size=8))
    counted = data.draw(st.lists(st.floats(0.0, 9.0, width=32), min_size=9, max_size=9))
    registers = 1.0 + np.cumsum(counted)

    def known(order: list[int], settled_after: list[int]) -> list[float]:
        store = MeterStore(1, days=3)
        store.receive(1000, reads([0], [1.0], registers=[1.0]))
        for k, each in enumerate(estimates, start=1001):
            store.validate(k, np.array([each]), np.zeros(1))
        for quarter in [1009, *order]:
            k = quarter - 1001
            store.receive(quarter, reads([0], [counted[k]], registers=[registers[k]]))
            if quarter in settled_after:
                store.settle()
        store.settle()
        return store.day(1001, 8)[0][:, 0].tolist()

    ours, theirs = known(order, [1000 + 2 * k for k in settled_after] + [1009]), known([1002, 1004, 1006], [])
    assert ours == pytest.approx(theirs, rel=2e-6, abs=1e-6)  # registers tell sums to rounding alone


def test_what_is_not_validated_yet_and_what_no_register_ends_is_left_alone() -> None:
    store = gap_of_three([1.0, 2.0], 1.5, 14.5)
    assert len(store.settle().quarter) == 0, "the third quarter hour is still waited for"
    store.validate(1003, np.array([3.0]), np.zeros(1))
    store.validate(1005, np.array([9.0]), np.zeros(1))
    assert store.settle().quarter.tolist() == [1001, 1002, 1003]
    assert store.day(1005, 1)[2][0, 0] == ReadStatus.ESTIMATED


def test_a_gap_longer_than_what_is_kept_is_settled_within_it() -> None:
    """By hand: 300 quarter hours estimated at 1 kWh, 208 of them kept with the read; the register says 400 + 1 kWh: 307 kWh on 207."""
    store = MeterStore(1, days=2)
    for quarter in range(1000, 1300):
        store.validate(quarter, np.array([1.0]), np.zeros(1))
    store.receive(1300, reads([0], [1.0], registers=[401.0]))
    assert store.settle().quarter.tolist() == list(range(1093, 1300))
    assert np.asarray(store.day(1093, 207)[0]).sum(dtype=np.float64) == pytest.approx(400.0 - 93.0)


def test_a_read_that_is_older_than_the_store_keeps_is_left_alone() -> None:
    store = MeterStore(1, days=2)
    store.validate(1000, np.array([1.0]), np.zeros(1))
    store.validate(1000 + 208, np.array([2.0]), np.zeros(1))
    assert store.receive(1000, reads([0], [5.0])).tolist() == [False]
    assert store.day(1208, 1)[0][0, 0] == 2.0


def test_the_tap_changer_waits_then_steps_and_stays_in_its_range() -> None:
    changer = tap_changer.TapChanger(tap_changer.Parameters(target_pu=1.0, bandwidth_pu=0.01, delay_s=60.0), 0, -2, 2)
    assert changer.regulate(1.02, 30.0) == 0, "not yet"
    assert changer.regulate(1.02, 30.0) == 1, "a higher tap lowers the voltage"
    assert changer.regulate(1.005, 600.0) == 1, "inside the band"
    for _ in range(10):
        changer.regulate(0.9, 60.0)
    assert changer.tap == -2
    assert changer.operations == 4


def report(loading_pct: list[float], v_pu: list[float]) -> Delivery:
    rows = np.arange(len(loading_pct))
    told = telemetry.Substation(rows, np.array(v_pu), np.array(loading_pct), np.zeros(len(rows)))
    return Delivery(telemetry.SUBSTATION.wave(told, rows, rows, rows), rows, rows, rows)


def test_relief_is_asked_once_a_period_for_what_is_loaded_too_highly() -> None:
    watch = scada.Scada(
        scada.Parameters(relief_loading_pct=90.0, relief_for_s=900.0), np.full(3, 400.0), np.zeros(3, dtype=np.int64)
    )
    assert len(watch.overloads(0)[0]) == 0, "nothing has been reported yet"
    watch.receive(report([50.0, 100.0, 80.0], [1.0, 1.0, 1.0]))
    rows, excess_kw = watch.overloads(0)
    assert rows.tolist() == [1]
    assert excess_kw.tolist() == pytest.approx([40.0])
    assert len(watch.overloads(899 * 10**9)[0]) == 0
    assert watch.overloads(900 * 10**9)[0].tolist() == [1]


def test_the_busbar_is_moved_when_substations_report_bad_voltage() -> None:
    watch = scada.Scada(
        scada.Parameters(highest_pu=1.06, lowest_pu=0.97), np.full(2, 400.0), np.zeros(2, dtype=np.int64)
    )
    assert watch.wanted_busbar_pu(0, 1.025) == 1.025
    watch.receive(report([10.0, 10.0], [1.0, 1.071]))
    assert watch.wanted_busbar_pu(0, 1.025) == pytest.approx(1.01)
    watch.receive(report([10.0, 10.0], [0.966, 1.0]))
    assert watch.wanted_busbar_pu(0, 1.025) == pytest.approx(1.03)


def test_a_report_of_units_that_a_younger_one_overtook_says_nothing() -> None:
    nothing: Any = None
    desk = bulk_desk.BulkDesk(bulk_desk.Parameters(), same_units(rts(), 2, "steam").units, nothing, nothing)

    def told(units: list[int], sent_ns: int, output_mw: float, is_on: bool) -> Delivery:
        rows = np.arange(len(units))
        count, at_ns = len(units), np.full(len(units), sent_ns)
        unit = telemetry.Unit(
            np.array(units), np.full(count, output_mw), np.full(count, is_on), np.full(count, not is_on)
        )
        return Delivery(telemetry.UNIT.wave(unit, rows, rows, at_ns), rows, at_ns, rows + sent_ns)

    desk.receive(told([0], 8_000, 0.0, False))
    desk.receive(told([0, 1], 4_000, 70.0, True))
    assert desk.output_mw.tolist() == [0.0, 70.0] and desk.is_on.tolist() == [False, True]
    desk.receive(told([1], 3_000, 60.0, True))
    assert desk.output_mw[1] == 70.0 and desk.reported_by == 4_001


def test_a_unit_was_there_for_the_part_of_the_hour_that_its_reports_say() -> None:
    """A report at an hour's end is of the hour that ends; who did not report was there; who is on but failed was not."""
    nothing: Any = None
    desk = bulk_desk.BulkDesk(bulk_desk.Parameters(), same_units(rts(), 3, "steam").units, nothing, nothing)
    hour_ns = 3600 * 10**9
    for part, on, has_failed in ((0.25, True, False), (0.5, True, True), (0.75, False, True), (1.0, True, False)):
        unit, row, at_ns = np.array([1]), np.array([0]), np.array([int((7.0 + part) * hour_ns)])
        told = telemetry.Unit(unit, np.full(1, 50.0), np.array([on]), np.array([has_failed]))
        desk.receive(Delivery(telemetry.UNIT.wave(told, unit, unit, at_ns), row, at_ns, row))
    assert desk.available(7, 2).tolist() == [[1.0, 0.5, 1.0], [1.0, 1.0, 1.0]]
    assert desk.available(8, 1).tolist() == [[1.0, 1.0, 1.0]]


def test_the_aggregators_plan_flattens_the_town_it_foresees() -> None:
    hour = np.arange(96) / 4.0
    town_kw = 8000.0 - 3000.0 * np.cos((hour - 6.0) / 24.0 * 2.0 * np.pi)
    vehicles = Enrolled(np.arange(1000), Need(7.8, 18.0, 7.0), is_capped=True)
    heat_pumps = Enrolled(np.arange(10), need=None, is_capped=False)
    aggregator = Aggregator(Parameters(price_tilt_kw_per_eur_mwh=0.0), {"vehicles": vehicles, "heat_pumps": heat_pumps})
    signals = aggregator.plan(town_kw, np.full(96, 20.0), hour)
    assert signals.expected_kw.sum() / 4.0 == pytest.approx(7800.0, rel=1e-6), "what the vehicles need"
    night = signals.expected_kw > 0.0
    assert np.ptp((town_kw + signals.expected_kw)[night]) < 1e-6, "the valley is filled flat"
    assert (town_kw + signals.expected_kw).max() == pytest.approx(town_kw.max())
    assert signals.kw["vehicles"] == pytest.approx(town_kw / 1000.0)
    assert np.ptp(signals.kw["heat_pumps"]) < np.ptp(town_kw / 10.0), (
        "what the vehicles will draw is in it, and it is smoothed"
    )


def test_a_second_class_with_a_known_need_sees_what_the_first_will_draw() -> None:
    """1000 devices that need 10 kWh between 22 and 6 h, and 1000 that need 30 kWh between 10 and 14 h, beside a flat load of 1 MW."""
    hour, flat_kw = np.arange(96) / 4.0, np.full(96, 1000.0)
    night, noon = Need(10.0, 22.0, 6.0), Need(30.0, 10.0, 14.0)
    both = {"first": Enrolled(np.arange(1000), night, False), "second": Enrolled(np.arange(1000), noon, False)}
    signals = Aggregator(Parameters(price_tilt_kw_per_eur_mwh=0.0), both).plan(flat_kw, np.full(96, 20.0), hour)
    assert signals.expected_kw[hour < 6.0] == pytest.approx(10_000.0 / 8.0)
    assert signals.expected_kw[(hour >= 10.0) & (hour < 14.0)] == pytest.approx(30_000.0 / 4.0)
    assert signals.expected_kw[(hour >= 14.0) & (hour < 22.0)] == pytest.approx(0.0)
    assert signals.kw["second"] == pytest.approx(
        (flat_kw + np.where((hour < 6.0) | (hour >= 22.0), 1250.0, 0.0)) / 1000.0
    )


def test_an_overloaded_transformer_is_relieved_end_to_end(tmp_path: object) -> None:
    settings = ["scada.relief_loading_pct=30", "sensors.alarm_loading_pct=35"]
    run = heptagrid.run("town", step_s=300, single="smart", threads=1, settings=settings, out=f"{tmp_path}/run")
    smart = run.summary["arms"]["smart"]
    pairs = np.array(smart["messages"]["by_domain_pair"])
    assert smart["messages"]["by_kind"]["alarm"]["delivered"] > 10
    assert pairs[Domain.OPERATIONS, Domain.PROVIDERS] > 50, "relief requests on top of forecasts and reads"
    assert any(row["reason"] == "relief" and row["amount_eur"] > 0 for row in smart["money_eur"]["by_reason"])


def test_a_slow_access_network_makes_reads_late_and_replaced(tmp_path: Path) -> None:
    settings = ["messages.access.delay_s=7300"]  # a hop of two hours: later than readings may be
    run = heptagrid.run(feeder=LANE, step_s=900, single="smart", threads=1, settings=settings, out=tmp_path / "run")
    smart = run.summary["arms"]["smart"]
    reading = smart["messages"]["by_kind"]["meter_reading"]
    assert smart["messages"]["residual"] == 0
    assert reading["late"] > 0
    assert reading["in_flight"] > 0
    assert smart["metering"]["replaced"] > 0
    metering = smart["metering"]
    assert metering["expected"] == metering["received"] + metering["estimated"] + metering["settled"]
