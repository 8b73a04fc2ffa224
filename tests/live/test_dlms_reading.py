"""What a meter answers: attributes, lists, blocks, parts of the load profile, the clock; and what malformed units do: nothing."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from heptagrid.domains.customers.meters import ClosedQuarter
from heptagrid.foundation.time import NS_PER_QUARTER, to_ns
from heptagrid.live.protocols.dlms import data
from heptagrid.live.protocols.dlms.acse import Mechanism
from heptagrid.live.protocols.dlms.association import Association
from heptagrid.live.protocols.dlms.data import MalformedError, Reader
from heptagrid.live.protocols.dlms.meters import summer_time
from heptagrid.live.protocols.dlms.profile import CAPTURED, LoadProfiles
from heptagrid.live.protocols.dlms.services import Access
from heptagrid.live.protocols.dlms.wrapper import Unwrapper, Wrapped, wrap
from heptagrid.live.protocols.dlms.writing import Change
from tests.live.damage import damaged
from tests.live.dlms_client import (
    ALL,
    BERLIN,
    EVENING,
    PASSWORD,
    REGISTER,
    RULES,
    Client,
    aarq,
    get,
    initiate,
    meter,
    profiles,
    target,
)

PROFILE, CLOCK = "1.0.99.1.0.255", "0.0.1.0.0.255"


def opened(information: bytes = initiate()) -> Association:
    """An association that may write."""
    one = Association(RULES, meter(), 1)
    one.receive(aarq(mechanism=Mechanism.PASSWORD, value=PASSWORD, information=information))
    assert one.is_open
    return one


def value_of(one: Association, interface: int, name: str, attribute: int, selection: bytes = b"\x00") -> object:
    """A value, its blocks gathered."""
    reply, invoke = one.receive(get(interface, name, attribute, selection)).reply, b"\xc1"
    if reply[1] == 1:
        return Reader(reply[4:]).value() if reply[3] == 0 else Access(reply[4])
    whole, expected = b"", 1
    while True:
        reader = Reader(reply)
        assert reader.take(3) == b"\xc4\x02" + invoke
        is_last, block, kind = reader.byte(), reader.number(4), reader.byte()
        assert (block, kind) == (expected, 0)
        whole += reader.string()
        if is_last:
            return Reader(whole).value()
        reply = one.receive(b"\xc0\x02" + invoke + block.to_bytes(4, "big")).reply
        expected += 1


def by_range(begin: bytes, end: bytes, columns: bytes = b"\x01\x00") -> bytes:
    return b"\x01\x01" + data.structure(CAPTURED[0].definition(), data.octets(begin), data.octets(end), columns)


def by_entry(*numbers: int) -> bytes:
    return b"\x01\x02" + data.structure(*map(data.u32, numbers[:2]), *map(data.u16, numbers[2:]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("1.0.1.8.0.255", 400_250),
        ("1.0.2.8.0.255", 12),
        ("1.0.1.7.0.255", 0),
        ("1.0.2.7.0.255", 1500),
        ("1.0.16.7.0.255", -1500),
        ("1.0.3.7.0.255", 200),
        ("1.0.4.7.0.255", 0),
        ("1.0.32.7.0.255", 2342),
        ("1.0.14.7.0.255", 5001),
    ],
)
def test_registers(name: str, value: int) -> None:
    assert value_of(opened(), 3, name, 2) == value


def test_every_attribute_of_the_list_of_objects_is_read_and_no_other() -> None:
    one = opened()
    listed = value_of(one, 15, "0.0.40.0.0.255", 2)
    assert isinstance(listed, list) and len(listed) == 19
    for interface, _, name, (attributes, _methods) in listed:
        text = ".".join(map(str, name))
        for number in [entry[0] for entry in attributes]:
            assert not isinstance(value_of(one, interface, text, number), Access), (text, number)
        assert value_of(one, interface, text, 100) is Access.OBJECT_UNAVAILABLE
        assert value_of(one, 99, text, 2) is Access.CLASS_INCONSISTENT
    assert value_of(one, 3, "1.0.99.99.0.255", 2) is Access.OBJECT_UNDEFINED


def test_a_list_is_answered_one_by_one_with_what_is_wrong_in_its_place() -> None:
    parts = [target(3, "1.0.2.8.0.255", 2), target(3, "1.0.9.9.9.255", 2), target(3, "1.0.2.8.0.255", 3)]
    asked = b"\xc0\x03\xc5\x03" + b"".join(one + b"\x00" for one in parts)
    expected = b"\xc4\x03\xc5\x03" + b"\x00\x06\x00\x00\x00\x0c" + b"\x01\x04" + b"\x00\x02\x02\x0f\x00\x16\x1e"
    assert opened().receive(asked).reply == expected


@pytest.mark.parametrize("longest", [64, 100, 300, 1000, 0])
def test_blocks_are_as_long_as_the_client_takes(longest: int) -> None:
    one = opened(initiate(longest=longest))
    assert len(one.receive(get(7, PROFILE, 2)).reply) <= (longest or 1024)
    assert len(value_of(one, 7, PROFILE, 2)) == 9  # type: ignore[arg-type]


def test_blocks_begin_again_after_an_answer_that_was_given_up() -> None:
    one = opened(initiate(longest=100))
    first = one.receive(get(7, PROFILE, 2)).reply
    assert first[4:8] == b"\x00\x00\x00\x01"
    one.receive(b"\xc0\x02\xc1\x00\x00\x00\x01")
    assert one.receive(get(7, PROFILE, 2)).reply == first


def test_a_block_that_is_not_the_next_ends_the_answer() -> None:
    one = opened(initiate(longest=100))
    one.receive(get(7, PROFILE, 2))
    assert one.receive(b"\xc0\x02\xc1\x00\x00\x00\x07").reply == b"\xc4\x02\xc1\x01\x00\x00\x00\x07\x01\x13"
    assert one.receive(b"\xc0\x02\xc1\x00\x00\x00\x01").reply == b"\xc4\x02\xc1\x01\x00\x00\x00\x01\x01\x10"


def test_without_blocks_what_is_too_long_is_refused() -> None:
    one = opened(initiate(conformance=ALL & ~(1 << 12), longest=100))
    assert value_of(one, 7, PROFILE, 2) is Access.OTHER_REASON
    assert value_of(one, 3, "1.0.2.8.0.255", 2) == 12


def test_the_load_profile_goes_back_from_the_registers() -> None:
    rows = value_of(opened(), 7, PROFILE, 2)
    assert isinstance(rows, list)
    stamps = [data.moment_of(row[0], BERLIN) for row in rows]
    assert stamps[-1] == datetime(2016, 7, 4, 16, tzinfo=UTC)
    assert all(later - one == timedelta(minutes=15) for one, later in pairwise(stamps))
    assert [row[1] for row in rows] == [400_000 - 4000 * k for k in range(8, -1, -1)]


def test_a_range_may_tell_its_deviation_or_not() -> None:
    one = opened()
    begin, end = datetime(2016, 7, 4, 17, 15, tzinfo=BERLIN), datetime(2016, 7, 4, 17, 45, tzinfo=BERLIN)
    told = [data.moment(at) for at in (begin, end)]
    untold = [raw[:9] + b"\x80\x00\xff" for raw in told]
    in_utc = [data.moment(at.astimezone(UTC)) for at in (begin, end)]
    for raw in (told, untold, in_utc):
        rows = value_of(one, 7, PROFILE, 2, by_range(*raw))
        assert [row[1] for row in rows] == [388_000, 392_000, 396_000]  # type: ignore[attr-defined]
    assert value_of(one, 7, PROFILE, 2, by_range(told[1], told[0])) == []


def test_columns_are_chosen_by_range_and_by_entry() -> None:
    one = opened()
    ends = data.moment(EVENING - timedelta(minutes=20)), data.moment(EVENING)
    chosen = data.array([CAPTURED[2].definition(), CAPTURED[1].definition()])
    assert value_of(one, 7, PROFILE, 2, by_range(*ends, chosen)) == [[0, 400_000]]
    assert value_of(one, 7, PROFILE, 2, by_entry(2, 3, 2, 2)) == [[372_000], [376_000]]
    assert len(value_of(one, 7, PROFILE, 2, by_entry(1, 0, 1, 0))) == 9  # type: ignore[arg-type]
    assert value_of(one, 7, PROFILE, 2, by_entry(50, 60, 1, 0)) == []


@pytest.mark.parametrize(
    "selection",
    [b"\x01\x01\x00", b"\x01\x02" + data.structure(data.u8(1)), b"\x01\x01" + data.structure(*[data.NULL] * 4)],
)
def test_parts_that_make_no_sense_are_refused(selection: bytes) -> None:
    assert value_of(opened(), 7, PROFILE, 2, selection) is Access.TYPE_UNMATCHED


def test_only_the_buffer_is_read_in_part() -> None:
    assert value_of(opened(), 3, "1.0.1.8.0.255", 2, by_entry(1, 1, 1, 1)) is Access.OTHER_REASON


def test_profiles_forget_what_is_too_old_and_bridge_what_was_not_seen() -> None:
    last = to_ns(EVENING) // NS_PER_QUARTER - 1
    kept = LoadProfiles(4)
    each, none = np.ones(2), np.zeros(2)
    kept.take(ClosedQuarter(last, each * 10.0, none, {last: (each, none)}))
    assert kept.quarters == [last - 1, last]
    later = ClosedQuarter(last + 3, each * 13.0, none, {last + k: (each, none) for k in range(4)})
    kept.take(later)
    kept.take(later)
    assert kept.quarters == [last, last + 1, last + 2, last + 3]
    assert [kept.registers_wh(quarter, 1)[0] for quarter in kept.quarters] == [10_000, 11_000, 12_000, 13_000]


def test_the_clock_tells_local_time_with_its_deviation_to_utc() -> None:
    one = opened()
    raw = value_of(one, 8, CLOCK, 2)
    assert raw == b"\x07\xe0\x07\x04\x01\x12\x05\x1e\x00\xff\x88\x80"
    assert data.moment_of(raw, BERLIN) == EVENING
    assert value_of(one, 8, CLOCK, 3) == -60 and value_of(one, 8, CLOCK, 7) == 60


def test_an_hour_that_comes_twice_is_told_by_the_status() -> None:
    for hour_utc in (0, 1):
        at = datetime(2016, 10, 30, hour_utc, 30, tzinfo=UTC).astimezone(BERLIN)
        raw = data.moment(at)
        assert to_ns(data.moment_of(raw, BERLIN)) == to_ns(at)
        assert to_ns(data.moment_of(raw[:9] + b"\x80\x00" + raw[11:], BERLIN)) == to_ns(at)


def test_summer_time_begins_and_ends_when_the_zone_says() -> None:
    found = summer_time(2016, BERLIN)
    assert found is not None
    assert [at.astimezone(UTC) for at in found] == [
        datetime(2016, 3, 27, 1, tzinfo=UTC),
        datetime(2016, 10, 30, 1, tzinfo=UTC),
    ]
    assert summer_time(2016, ZoneInfo("UTC")) is None


def test_setting_the_clock_is_a_change_and_its_result_the_answer() -> None:
    one = opened()
    later = data.octets(data.moment(EVENING + timedelta(hours=1)))
    outcome = one.receive(b"\xc1\x01\xc1" + target(8, CLOCK, 2) + b"\x00" + later)
    assert outcome.change == Change(3600.0) and not outcome.reply
    assert outcome.finish is not None and outcome.finish(Access.SUCCESS) == b"\xc5\x01\xc1\x00"
    assert one.receive(b"\xc1\x01\xc1" + target(8, CLOCK, 2) + b"\x00\x11\x05").reply == b"\xc5\x01\xc1\x0c"
    assert one.receive(b"\xc1\x01\xc1" + target(8, CLOCK, 3) + b"\x00\x10\x00\x00").reply == b"\xc5\x01\xc1\x03"


def test_the_switch_is_always_connected_and_refuses() -> None:
    one = opened()
    assert value_of(one, 70, "0.0.96.3.10.255", 2) is True
    assert value_of(one, 70, "0.0.96.3.10.255", 4) == 0
    for method in (1, 2):
        asked = b"\xc3\x01\xc1" + target(70, "0.0.96.3.10.255", method) + b"\x01\x0f\x00"
        assert one.receive(asked).reply == b"\xc7\x01\xc1\x03\x00"
    assert one.receive(b"\xc3\x01\xc1" + target(70, "0.0.96.3.10.255", 9) + b"\x00").reply == b"\xc7\x01\xc1\x0b\x00"


@pytest.mark.parametrize("asked", [b"\xc1\x02\xc1", b"\xc3\x02\xc1", b"\xc0\x09\xc1", b"\xc1\x04\xc1"])
def test_services_that_were_not_agreed_on_are_unknown(asked: bytes) -> None:
    assert opened().receive(asked + bytes(10)).reply == b"\xd8\x02\x02"


def test_a_stream_is_cut_into_units_wherever_it_is_torn() -> None:
    stream = wrap(1, 16, b"abc") + wrap(2, 17, b"d")
    for at in range(len(stream)):
        one = Unwrapper(100)
        assert one.feed(stream[:at]) + one.feed(stream[at:]) == [Wrapped(1, 16, b"abc"), Wrapped(2, 17, b"d")]
    for raw in (b"\x00\x02" + bytes(6), wrap(1, 1, bytes(101)), wrap(1, 1, b"")):
        with pytest.raises(MalformedError):
            Unwrapper(100).feed(raw)


def malformed(seed: int, count: int) -> int:
    """Send units that are damaged in every way to associations in every state; how many were answered. No change may come of one, and no other error."""
    chance, answered = random.Random(seed), 0
    kept = profiles()
    samples = [
        aarq(),
        aarq(mechanism=5, value=bytes(16), title=b"TST\0\0\0\0\1"),
        REGISTER,
        get(7, PROFILE, 2, by_entry(1, 2, 1, 2)),
        get(7, PROFILE, 2, by_range(data.moment(EVENING), data.moment(EVENING))),
        b"\xc0\x03\xc5\x01" + target(3, "1.0.2.8.0.255", 2) + b"\x00",
        b"\xc3\x01\xc1" + target(70, "0.0.96.3.10.255", 1) + b"\x01\x0f\x00",
        b"\xc0\x02\xc1\x00\x00\x00\x01",
        b"\x62\x03\x80\x01\x00",
        b"\xdb\x08TST\0\0\0\0\1\x16\x30" + bytes(21),
        b"\xc8\x16\x30" + bytes(21),
    ]
    open_one, ciphered = opened(), Client(Association(RULES, meter(), 1))
    ciphered.prove(ciphered.associate())
    assert kept.quarters
    for k in range(count):
        raw = damaged(chance, chance.choice(samples))
        if chance.random() < 0.1:
            raw = chance.randbytes(chance.randrange(80))
        one = (open_one, ciphered.association, Association(RULES, meter(), 1))[k % 3]
        try:
            outcome = one.receive(raw)
        except MalformedError:
            continue
        assert outcome.change is None
        answered += bool(outcome.reply)
        if not open_one.is_open:
            open_one = opened()
        if not ciphered.association.is_open:
            ciphered = Client(Association(RULES, meter(), 1))
            ciphered.prove(ciphered.associate())
    assert open_one.receive(REGISTER).reply[:4] == b"\xc4\x01\xc1\x00"
    return answered


def test_malformed_units_are_survived() -> None:
    assert malformed(1, 2000) > 0


@pytest.mark.slow
def test_a_hundred_thousand_malformed_units_are_survived() -> None:
    assert malformed(2, 100_000) > 0
