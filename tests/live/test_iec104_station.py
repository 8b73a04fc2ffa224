"""What a controlled station answers by IEC 60870-5-5 and IEC 60870-5-104: confirmations, interrogations, commands, negative ones by their cause."""

from __future__ import annotations

import contextlib
import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptagrid.foundation.time import to_ns
from heptagrid.live.protocols.iec104.apci import MalformedError
from heptagrid.live.protocols.iec104.asdu import LONGEST, Asdu, Cause, Object, decode, encode, packed
from heptagrid.live.protocols.iec104.elements import ELEMENTS, INVALID, SELECT, TRANSIENT, Type, Value
from heptagrid.live.protocols.iec104.points import Control, Point
from heptagrid.live.protocols.iec104.station import Outcome, Rules, Station
from heptagrid.live.protocols.iec104.time_tag import TimeTag, time_tag

NOON_NS = to_ns(datetime(2016, 7, 4, 12, 0, 0, 250_000, UTC))
FLOAT, SINGLE, STEP, COUNTER = Type.M_ME_NC_1, Type.M_SP_NA_1, Type.M_ST_NA_1, Type.M_IT_NA_1


def _point(address: int, type: Type, group: int) -> Point:
    return Point(address, type, group, "", "", lambda view: view.state.tap)


POINTS = (
    *(_point(address, FLOAT, 1) for address in range(1, 41)),
    _point(101, SINGLE, 2),
    _point(151, STEP, 3),
    _point(301, COUNTER, 1),
)
CONTROLS = (
    Control(1001, Type.C_SE_NC_1, "target", "", low=18.0, high=22.0, shown_by=5),
    Control(1002, Type.C_RC_NA_1, "tap", "", shown_by=151),
    Control(1003, Type.C_DC_NA_1, "switch", "", shown_by=101),
)
A, B = "one connection", "another"


class Bench:
    """A station and what surrounds it. counted: kilowatt-hours in its register; clock_ns: of its clock."""

    def __init__(self, **rules: bool | float) -> None:
        self.counted = 700
        self.clock_ns = NOON_NS
        self.set_to: list[TimeTag] = []
        self.station = Station(
            7,
            POINTS,
            CONTROLS,
            self._read,
            lambda: time_tag(self.clock_ns),
            self._set,
            Rules(**rules),  # type: ignore[arg-type]
        )

    def _read(self, point: Point) -> tuple[Value, int]:
        if point.address == 2:
            return 0.0, INVALID
        values = {SINGLE: 1, STEP: -3, COUNTER: self.counted}
        return values.get(point.type, point.address + 0.5), 0

    def _set(self, tag: TimeTag) -> bool:
        self.set_to.append(tag)
        return tag.ns() is not None

    def outcome(
        self,
        type: int,
        *objects: Object,
        cause: int = Cause.ACTIVATION,
        station: int = 7,
        who: str = A,
        now: float = 0.0,
        is_test: bool = False,
        originator: int = 9,
    ) -> Outcome:
        raw = encode(Asdu(type, cause, station, objects or (Object(0, 0, 20),), originator, is_test=is_test))
        return self.station.receive(raw, who, now)

    def answers(self, *arguments: object, **named: object) -> list[Asdu]:
        return [decode(raw) for raw in self.outcome(*arguments, **named).replies]  # type: ignore[arg-type]

    def said(self, *arguments: object, **named: object) -> list[tuple[int, bool]]:
        return [(one.cause, one.is_negative) for one in self.answers(*arguments, **named)]


def _target(value: float, quality: int = 0) -> Object:
    return Object(1001, value, quality)


DONE, REFUSED = [(Cause.ACTIVATION_CON, False)], [(Cause.ACTIVATION_CON, True)]


def test_a_general_interrogation_tells_all_points_without_time_tags_between_confirmation_and_termination() -> None:
    told = Bench().answers(Type.C_IC_NA_1)
    assert [(one.type, one.cause) for one in (told[0], told[-1])] == [
        (Type.C_IC_NA_1, Cause.ACTIVATION_CON),
        (Type.C_IC_NA_1, Cause.ACTIVATION_TERMINATION),
    ]
    values = {each.address: each for one in told[1:-1] for each in one.objects}
    assert sorted(values) == sorted(one.address for one in POINTS if one.type != COUNTER)
    assert values[3].value == 3.5 and values[2].quality == INVALID and values[151].value == -3
    assert {one.cause for one in told[1:-1]} == {Cause.INTERROGATED}
    assert {one.originator for one in told} == {9}, "the originator comes back"
    assert all(len(encode(one)) <= LONGEST for one in told)


def test_an_interrogation_of_a_group_tells_that_group() -> None:
    told = Bench().answers(Type.C_IC_NA_1, Object(0, 0, 22))
    assert [each.address for one in told[1:-1] for each in one.objects] == [101]
    assert told[1].cause == 22
    assert Bench().said(Type.C_IC_NA_1, Object(0, 0, 30)) == REFUSED
    assert Bench().said(Type.C_IC_NA_1, Object(0, 0, 0)) == REFUSED


def test_a_broadcast_is_answered_with_the_stations_own_address() -> None:
    told = Bench().answers(Type.C_IC_NA_1, station=65535)
    assert {one.common_address for one in told} == {7} and len(told) > 3


@pytest.mark.parametrize(
    ("type", "named", "cause"),
    [
        (Type.M_SP_NA_1, {}, Cause.UNKNOWN_TYPE),
        (Type.C_IC_NA_1, {"cause": Cause.SPONTANEOUS}, Cause.UNKNOWN_CAUSE),
        (Type.C_RD_NA_1, {"cause": Cause.ACTIVATION}, Cause.UNKNOWN_CAUSE),
        (Type.C_IC_NA_1, {"station": 8}, Cause.UNKNOWN_COMMON_ADDRESS),
        (Type.C_SC_NA_1, {"station": 65535}, Cause.UNKNOWN_COMMON_ADDRESS),
        (Type.C_SC_NA_1, {}, Cause.UNKNOWN_OBJECT_ADDRESS),
    ],
)
def test_what_is_unknown_is_refused_with_its_cause(type: Type, named: dict[str, int], cause: Cause) -> None:
    assert Bench().said(type, **named) == [(cause, True)]


def test_an_unknown_type_is_sent_back_as_it_came() -> None:
    raw = bytes.fromhex("c8 01 86 05 0700 010203 ff ee dd")
    outcome = Bench().station.receive(raw, A, 0.0)
    assert outcome.replies == [bytes.fromhex("c8 01 ec 05 0700 010203 ff ee dd")], "test bit and originator stay"


def test_an_interrogation_of_an_object_is_refused() -> None:
    assert Bench().said(Type.C_IC_NA_1, Object(3, 0, 20)) == [(Cause.UNKNOWN_OBJECT_ADDRESS, True)]


def test_a_read_tells_one_point() -> None:
    [told] = Bench().answers(Type.C_RD_NA_1, Object(3), cause=Cause.REQUEST)
    assert told.type == FLOAT and told.cause == Cause.REQUEST and told.objects[0].value == 3.5
    assert Bench().said(Type.C_RD_NA_1, Object(999), cause=Cause.REQUEST) == [(Cause.UNKNOWN_OBJECT_ADDRESS, True)]


def test_a_command_is_confirmed_carried_out_and_terminated() -> None:
    bench = Bench()
    outcome = bench.outcome(Type.C_SE_NC_1, _target(20.5))
    assert [decode(raw).cause for raw in outcome.replies] == [Cause.ACTIVATION_CON]
    assert outcome.command is not None and outcome.command.value == 20.5
    assert bench.said(Type.C_SE_NC_1, _target(20.5), who=B) == REFUSED, "it is being carried out"
    ended = decode(bench.station.finished(outcome.command, True))
    assert ended.cause == Cause.ACTIVATION_TERMINATION and not ended.is_negative
    [told] = [decode(raw) for raw in bench.station.told([POINTS[4]])]
    assert told.cause == Cause.RETURN_REMOTE and told.type == Type.M_ME_TF_1
    [again] = [decode(raw) for raw in bench.station.told([POINTS[4]])]
    assert again.cause == Cause.SPONTANEOUS


def test_what_cannot_be_carried_out_ends_negatively() -> None:
    bench = Bench()
    outcome = bench.outcome(Type.C_RC_NA_1, Object(1002, 2))
    assert outcome.command is not None
    assert decode(bench.station.finished(outcome.command, False)).is_negative


@pytest.mark.parametrize("value", [17.9, 22.1, math.nan, math.inf, -math.inf])
def test_a_set_point_out_of_range_is_refused(value: float) -> None:
    outcome = Bench().outcome(Type.C_SE_NC_1, _target(value))
    assert decode(outcome.replies[0]).is_negative and outcome.command is None and outcome.was_refused


@pytest.mark.parametrize("state", [0, 3])
def test_step_and_double_commands_that_are_not_permitted_are_refused(state: int) -> None:
    for type, address in ((Type.C_RC_NA_1, 1002), (Type.C_DC_NA_1, 1003)):
        assert Bench().said(type, Object(address, state)) == REFUSED


def test_a_switch_takes_single_and_double_commands() -> None:
    for type, value, meant in ((Type.C_SC_NA_1, 1, 2), (Type.C_SC_NA_1, 0, 1), (Type.C_DC_NA_1, 2, 2)):
        command = Bench().outcome(type, Object(1003, value)).command
        assert command is not None and command.value == meant


def test_a_command_with_a_time_tag_is_one() -> None:
    outcome = Bench().outcome(Type.C_SE_TC_1, Object(1001, 20.5, 0, time_tag(NOON_NS)))
    assert outcome.command is not None and decode(outcome.replies[0]).type == Type.C_SE_TC_1


def test_what_is_selected_is_reserved_until_it_is_executed() -> None:
    bench = Bench(must_select=True)
    assert bench.said(Type.C_SE_NC_1, _target(20.5)) == REFUSED, "it was not selected"
    assert bench.said(Type.C_SE_NC_1, _target(20.5, SELECT)) == DONE
    assert bench.said(Type.C_SE_NC_1, _target(20.5, SELECT), who=B) == REFUSED
    assert bench.said(Type.C_SE_NC_1, _target(20.5), who=B) == REFUSED
    assert bench.outcome(Type.C_SE_NC_1, _target(20.5), now=29.0).command is not None


def test_a_selection_ends_by_itself() -> None:
    bench = Bench(must_select=True, select_s=30.0)
    assert bench.said(Type.C_SE_NC_1, _target(20.5, SELECT), now=1.0) == DONE
    assert bench.said(Type.C_SE_NC_1, _target(20.5), now=31.0) == REFUSED
    assert bench.said(Type.C_SE_NC_1, _target(20.5, SELECT), who=B, now=31.0) == DONE


def test_another_value_than_was_selected_is_refused_and_frees_the_control() -> None:
    bench = Bench(must_select=True)
    bench.outcome(Type.C_SE_NC_1, _target(20.5, SELECT))
    assert bench.said(Type.C_SE_NC_1, _target(21.0)) == REFUSED
    assert bench.said(Type.C_SE_NC_1, _target(20.5, SELECT), who=B) == DONE


def test_a_selection_can_be_cancelled_and_ends_with_its_connection() -> None:
    bench = Bench()
    bench.outcome(Type.C_SE_NC_1, _target(20.5, SELECT))
    assert bench.said(Type.C_SE_NC_1, _target(20.5), cause=Cause.DEACTIVATION, who=B) == [
        (Cause.DEACTIVATION_CON, True)
    ]
    assert bench.said(Type.C_SE_NC_1, _target(20.5), cause=Cause.DEACTIVATION) == [(Cause.DEACTIVATION_CON, False)]
    bench.outcome(Type.C_SE_NC_1, _target(20.5, SELECT))
    bench.station.left(A)
    assert bench.said(Type.C_SE_NC_1, _target(20.5, SELECT), who=B) == DONE


def test_a_test_command_changes_nothing() -> None:
    outcome = Bench().outcome(Type.C_SE_NC_1, _target(20.5), is_test=True)
    [told] = [decode(raw) for raw in outcome.replies]
    assert told.is_test and told.cause == Cause.ACTIVATION_CON and not told.is_negative and outcome.command is None


def test_counters_are_read_frozen_and_counted_anew() -> None:
    bench = Bench()

    def read() -> tuple[float, int]:
        told = bench.answers(Type.C_CI_NA_1, Object(0, 0, 5))
        assert [one.cause for one in told] == [7, Cause.COUNTER_INTERROGATED, 10]
        return told[1].objects[0].value, told[1].objects[0].quality & 0x1F

    assert read() == (700, 0)
    assert [cause for cause, _ in bench.said(Type.C_CI_NA_1, Object(0, 0, 5 | 2 << 6))] == [7, 10]
    bench.counted = 750
    assert read() == (700, 1), "what was frozen is told until it is frozen anew"
    bench.outcome(Type.C_CI_NA_1, Object(0, 0, 5 | 1 << 6))
    assert read() == (50, 2), "it was reset when it was frozen"
    assert bench.said(Type.C_CI_NA_1, Object(0, 0, 4)) == REFUSED


def test_a_clock_synchronisation_is_confirmed_with_the_stations_own_time() -> None:
    bench = Bench()
    sent = time_tag(NOON_NS + 10**9)
    [told] = bench.answers(Type.C_CS_NA_1, Object(0, tag=sent))
    assert told.cause == Cause.ACTIVATION_CON and not told.is_negative
    assert told.objects[0].tag is not None and told.objects[0].tag.ns() == NOON_NS
    assert bench.set_to == [sent]
    assert bench.said(Type.C_CS_NA_1, Object(0, tag=TimeTag(b"\0\0\0\0\x1f\x02\x10"))) == REFUSED


def test_test_and_reset_commands_are_confirmed() -> None:
    [told] = Bench().answers(Type.C_TS_TA_1, Object(0, 0x1234, tag=time_tag(NOON_NS)))
    assert told.objects[0].value == 0x1234 and told.cause == Cause.ACTIVATION_CON
    con, began = Bench().answers(Type.C_RP_NA_1, Object(0, 0, 1))
    assert con.cause == Cause.ACTIVATION_CON and (began.type, began.cause) == (Type.M_EI_NA_1, Cause.INITIALISED)


def test_a_command_of_several_objects_is_refused() -> None:
    assert Bench().said(Type.C_SE_NC_1, _target(20.5), _target(20.5)) == REFUSED


@given(st.binary(max_size=60))
def test_any_bytes_are_answered_or_malformed(raw: bytes) -> None:
    bench = Bench()
    with contextlib.suppress(MalformedError):
        bench.station.receive(raw, A, 0.0)


@given(
    st.sampled_from(sorted(ELEMENTS)),
    st.integers(0, 63),
    st.integers(0, 65535),
    st.lists(
        st.tuples(st.integers(0, 2**24 - 1), st.binary(min_size=5, max_size=5), st.binary(min_size=7, max_size=7)),
        min_size=1,
        max_size=15,
    ),
)
def test_what_is_decoded_and_encoded_is_the_same(
    type: int, cause: int, station: int, rows: list[tuple[int, bytes, bytes]]
) -> None:
    element = ELEMENTS[type]
    raw = bytes((type, len(rows), cause, 3)) + station.to_bytes(2, "little")
    for address, value, tag in rows:
        raw += address.to_bytes(3, "little") + value[: element.size] + (tag if element.is_tagged else b"")
    once = encode(decode(raw))
    if not any(math.isnan(one.value) for one in decode(raw).objects):
        assert decode(once) == decode(raw) and encode(decode(once)) == once


def test_a_sequence_of_addresses_is_read_and_written() -> None:
    asdu = Asdu(FLOAT, 20, 1, (Object(10, 1.5), Object(11, 2.5), Object(12, 3.5)), is_sequence=True)
    raw = encode(asdu)
    assert len(raw) == 6 + 3 + 3 * 5 and decode(raw) == asdu


def test_step_positions_reach_from_minus_64_to_63() -> None:
    for position in (-64, -1, 0, 63):
        raw = encode(Asdu(STEP, 3, 1, (Object(1, position, TRANSIENT),)))
        assert decode(raw).objects[0] == Object(1, position, TRANSIENT)


def test_what_does_not_fit_one_asdu_is_told_in_several() -> None:
    raws = list(packed(FLOAT, 20, 1, [Object(k, float(k)) for k in range(100)]))
    assert [len(decode(raw).objects) for raw in raws] == [30, 30, 30, 10] and max(map(len, raws)) <= LONGEST


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2016, 10, 30, 0, 30, tzinfo=UTC),
        datetime(2016, 10, 30, 1, 30, tzinfo=UTC),
        datetime(1999, 12, 31, 23, 59, 59, 999_000, UTC),
    ],
)
def test_time_tags_tell_summer_from_winter_time(moment: datetime) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    for zone in (None, berlin):
        assert time_tag(to_ns(moment), zone).ns(zone) == to_ns(moment)
    assert time_tag(to_ns(moment), berlin).is_summer == (moment.hour == 0)
    assert time_tag(0, is_invalid=True).is_invalid
