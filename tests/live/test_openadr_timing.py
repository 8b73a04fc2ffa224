"""When OpenADR's intervals happen, and what power events and reports mean; with what other implementations were reported to get wrong."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_S
from heptagrid.live.order_parts import Part, next_block, painted, powers
from heptagrid.live.order_parts import Store as Held
from heptagrid.live.protocols.openadr.played import drawn
from heptagrid.live.protocols.openadr.schedule import parts_of
from heptagrid.live.protocols.openadr.timing import FOREVER_NS, LAST_NS, duration_ns, intervals_of, start_ns

NOON_NS = int(datetime(2016, 7, 4, 12, tzinfo=UTC).timestamp()) * NS_PER_S
NOON = "2016-07-04T12:00:00Z"


def test_an_interval_begins_n_durations_after_the_start() -> None:
    """openleadr-rs 55: all intervals began at the event's start."""
    payload = [{"type": "PRICE", "values": [1.0]}]
    event = {
        "intervalPeriod": {"start": NOON, "duration": "PT1H"},
        "intervals": [{"id": k, "payloads": payload} for k in range(3)],
    }
    found = intervals_of(event, 0)
    assert [one.begin_ns for one in found] == [NOON_NS + k * NS_PER_HOUR for k in range(3)]
    assert [one.end_ns - one.begin_ns for one in found] == [NS_PER_HOUR] * 3


def test_an_interval_with_a_period_of_its_own_takes_it_and_the_next_follows() -> None:
    own = {"start": "2016-07-04T15:00:00Z", "duration": "PT30M"}
    event = {
        "intervalPeriod": {"start": NOON, "duration": "PT1H"},
        "intervals": [
            {"id": 0, "payloads": []},
            {"id": 1, "intervalPeriod": own, "payloads": []},
            {"id": 2, "payloads": []},
        ],
    }
    begins = [(one.begin_ns - NOON_NS) / NS_PER_HOUR for one in intervals_of(event, 0)]
    assert begins == [0.0, 3.0, 3.5]


@pytest.mark.parametrize(
    "start", ["0001-01-01", "0001-01-01T00:00:00", "0001-01-01T00:00:00Z", "0000-00-00", "0000-01-01"]
)
def test_the_beginning_of_time_is_now_and_p9999y_has_no_end(start: str) -> None:
    """Specification issue 339: 0000-00-00 is no date of RFC 3339, and clients of 3.0 send it; here both are taken."""
    event = {"intervalPeriod": {"start": start, "duration": "P9999Y"}, "intervals": [{"id": 0, "payloads": []}]}
    (one,) = intervals_of(event, NOON_NS)
    assert one.begin_ns == NOON_NS and one.is_endless
    assert duration_ns("P9999Y") == FOREVER_NS == duration_ns("P3649635D"), "as pydantic writes it"


def test_a_duration_of_an_event_repeats_or_cuts_its_intervals() -> None:
    event = {
        "intervalPeriod": {"start": NOON, "duration": "PT1H"},
        "intervals": [{"id": 0, "payloads": []}, {"id": 1, "payloads": []}],
    }
    assert len(intervals_of({**event, "duration": "PT5H"}, 0)) == 5
    assert [one.number for one in intervals_of({**event, "duration": "PT90M"}, 0)] == [0, 1]
    assert intervals_of({**event, "duration": "PT90M"}, 0)[-1].end_ns == NOON_NS + 3 * NS_PER_HOUR // 2
    assert len(intervals_of({**event, "duration": "P9999Y"}, 0)) == 10_000, "no list without an end"


def test_several_values_divide_their_interval() -> None:
    event = {
        "intervals": [
            {
                "id": 0,
                "intervalPeriod": {"start": NOON, "duration": "PT3H"},
                "payloads": [{"type": "PRICE", "values": [0.17, 0.03, 0.11]}],
            }
        ]
    }
    assert [(one.begin_ns - NOON_NS, one.values["PRICE"]) for one in intervals_of(event, 0)] == [
        (k * NS_PER_HOUR, [value]) for k, value in enumerate((0.17, 0.03, 0.11))
    ]


def test_a_start_without_a_zone_is_utc() -> None:
    """toadr3 23: a start without a zone was an error."""
    assert start_ns("2016-07-04T12:00:00") == NOON_NS == start_ns("2016-07-04T14:00:00+02:00")
    assert start_ns("2016-07-04T12:00:00.000Z") == NOON_NS
    for wrong in ("noon", "2016-13-40T00:00:00Z", "", "2016-07-04T12:00:00+99:99", "٢٠١٦-07-04"):
        with pytest.raises(ValueError, match=r"."):
            start_ns(wrong)


def test_set_points_of_events_lie_over_one_another() -> None:
    low, high = Part(0, 100, "DISPATCH_SETPOINT", 1.0), Part(40, 60, "DISPATCH_SETPOINT", 5.0)
    assert [(one.begin_ns, one.end_ns, one.value) for one in painted([[low], [high]])] == [
        (0, 40, 1.0),
        (40, 60, 5.0),
        (60, 100, 1.0),
    ]
    gap = [Part(0, 10, "DISPATCH_SETPOINT", 1.0), Part(20, 30, "DISPATCH_SETPOINT", 2.0)]
    assert next_block(gap, 5) == gap[:1] and next_block(gap, 10) == gap[1:] and next_block(gap, 30) == []


def test_a_charge_is_reached_with_the_rated_power() -> None:
    held = Held(content_kwh=5.0, capacity_kwh=10.0, efficiency=0.9)
    block = [Part(0, 2 * NS_PER_HOUR, "CHARGE_STATE_SETPOINT", 95.0, "PERCENT")]
    (first, up_kw), (second, rest_kw) = powers(block, 0, 5.0, 0.0, held)
    assert (first, up_kw, rest_kw) == (0, 5.0, 0.0) and second == pytest.approx(NS_PER_HOUR)
    down = [Part(0, NS_PER_HOUR, "CHARGE_STATE_SETPOINT", 0.0, "KWH")]
    assert powers(down, 0, 5.0, 0.0, held)[0] == (0, -5.0)


def test_units_are_minded() -> None:
    event = {
        "intervalPeriod": {"start": NOON, "duration": "PT1H"},
        "intervals": [{"id": 0, "payloads": [{"type": "DISPATCH_SETPOINT", "values": [2500]}]}],
    }
    block = parts_of(intervals_of(event, 0), ["DISPATCH_SETPOINT"], {"DISPATCH_SETPOINT": "W"})
    assert powers(block, NOON_NS, 11.0, 0.0, None) == [(NOON_NS, 2.5)]
    text = {**event, "intervals": [{"id": 0, "payloads": [{"type": "DISPATCH_SETPOINT", "values": ["high"]}]}]}
    assert parts_of(intervals_of(text, 0), ["DISPATCH_SETPOINT"], {}) == []


def test_an_energy_that_is_reported_is_a_power() -> None:
    usage = {
        "id": 0,
        "intervalPeriod": {"start": "2016-07-04T11:45:00Z", "duration": "PT15M"},
        "payloads": [{"type": "USAGE", "values": [1.0]}],
    }
    assert drawn({"intervals": [usage]}, {}, NOON_NS) == [(NOON_NS, NOON_NS + NS_PER_HOUR // 4, 4.0)], "it holds on"


def test_what_is_further_away_than_64_bits_of_nanoseconds_is_left_out() -> None:
    payload = [{"type": "DISPATCH_SETPOINT", "values": [1.0]}]
    chain = {
        "intervalPeriod": {"start": NOON, "duration": "P99Y"},
        "intervals": [{"id": k, "payloads": payload} for k in range(5)],
    }
    found = intervals_of(chain, NOON_NS)
    assert [one.number for one in found] == [0, 1] and found[-1].end_ns == LAST_NS < 2**63
    for start in ("3500-01-01T00:00:00Z", "0017-01-01T00:00:00Z"):
        assert intervals_of({**chain, "intervalPeriod": {"start": start, "duration": "PT1H"}}, NOON_NS) == []
