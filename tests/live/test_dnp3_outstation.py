"""An outstation of DNP3 without sockets: polls, events and their confirmation, unsolicited responses."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from heptagrid.live.protocols.dnp3.application import Function, Indications
from heptagrid.live.protocols.dnp3.link import (
    BLOCK,
    LinkFrame,
    MalformedError,
    Primary,
    Secondary,
    SecondaryLink,
    Splitter,
    checksum,
    decode,
    encode,
)
from heptagrid.live.protocols.dnp3.objects import ONLINE
from heptagrid.live.protocols.dnp3.outstation import ALWAYS, Rules
from heptagrid.live.protocols.dnp3.transport import Reassembly, Segments
from tests.live.dnp3_master import (
    CLASS_0,
    EVENTS,
    INTEGRITY,
)
from tests.live.dnp3_rig import CLEAR_RESTART, DISABLE, ENABLE, POINTS, Rig


def test_checksum_of_the_standard_s_example() -> None:
    head = bytes.fromhex("056405c001000004")
    assert checksum(head).hex() == "e921"


def test_frames_are_found_among_noise_however_they_come() -> None:
    frame = LinkFrame(Primary.DATA, 1, 100, bytes(range(40)), True)
    raw = encode(frame)
    assert len(raw) == 10 + 40 + 2 * 3 and decode(raw) == frame
    splitter = Splitter()
    stream = b"\x05\x05\x64noise" + raw + b"\x05" + raw
    found = [one for k in range(len(stream)) for one in splitter.feed(stream[k : k + 1])]
    assert found == [raw, raw] and splitter.lost
    with pytest.raises(MalformedError):
        decode(raw[:-BLOCK] + bytes((raw[-BLOCK] ^ 1,)) + raw[-BLOCK + 1 :])


def test_confirmed_data_are_taken_once() -> None:
    link = SecondaryLink()
    data = LinkFrame(Primary.CONFIRMED_DATA, 1, 100, b"x", True, True, True)
    assert link.receive(data) == (Secondary.NACK, False)
    assert link.receive(LinkFrame(Primary.RESET_LINK, 1, 100, b"", True)) == (Secondary.ACK, False)
    assert link.receive(data) == (Secondary.ACK, True)
    assert link.receive(data) == (Secondary.ACK, False)
    assert link.receive(replace(data, count_bit=False)) == (Secondary.ACK, True)
    assert link.receive(LinkFrame(Primary.REQUEST_STATUS, 1, 100, b"", True)) == (Secondary.STATUS, False)
    assert link.receive(LinkFrame(7, 1, 100, b"", True)) == (Secondary.NOT_SUPPORTED, False)


def test_fragments_go_in_segments_and_come_together_again() -> None:
    segments, parts = Segments(), Reassembly()
    fragment = bytes(range(256)) * 3
    pieces = list(segments.of(fragment))
    assert [len(one) for one in pieces] == [250, 250, 250, 22]
    assert [parts.feed(one) for one in pieces] == [None, None, None, fragment]
    assert parts.feed(pieces[0]) is None
    with pytest.raises(MalformedError):
        parts.feed(pieces[2])
    with pytest.raises(MalformedError):
        parts.feed(pieces[3])


def test_an_integrity_poll_tells_all_present_values() -> None:
    rig = Rig()
    (told,) = rig.send(0, Function.READ, INTEGRITY)
    assert told.indications == Indications.DEVICE_RESTART and not told.must_confirm
    analogs = [one for one in POINTS if one.group == 30]
    head = bytes((30, 5, 0, 0, len(analogs) - 1))
    at = told.objects.index(head) + len(head)
    assert struct.unpack_from("<Bf", told.objects, at) == (ONLINE, 20.0)
    assert bytes((1, 2, 0, 0, 0, 0x81)) in told.objects
    (told,) = rig.send(1, Function.WRITE, CLEAR_RESTART)
    assert not told.indications and not told.objects


def test_a_read_of_points_in_a_variation() -> None:
    rig = Rig()
    (told,) = rig.send(0, Function.READ, bytes((30, 4, 0, 1, 2)))
    assert told.objects == bytes((30, 4, 0, 1, 2)) + struct.pack("<hh", 21, 22)
    rig.values[30, 0] = 1e6
    (told,) = rig.send(1, Function.READ, bytes((30, 2, 0x17, 1, 0)))
    assert told.objects == bytes((30, 2, 0, 0, 0)) + struct.pack("<Bh", ONLINE | 0x20, 32767)
    (told,) = rig.send(2, Function.READ, bytes((30, 5, 0, 0, 99)))
    assert told.indications & Indications.PARAMETER_ERROR and told.objects
    (told,) = rig.send(3, Function.READ, bytes((99, 1, 6)))
    assert told.indications & Indications.OBJECT_UNKNOWN and not told.objects
    rig.flags = 0
    (told,) = rig.send(4, Function.READ, bytes((1, 1, 6)))
    assert told.objects == bytes((1, 2, 0, 0, 0, 0x80)), "a bit that is not well has flags"


def test_events_are_told_until_they_are_confirmed() -> None:
    rig = Rig()
    assert not rig.move(1, 0, 0.0) and not rig.move(30, 1, 5.0)
    (told,) = rig.send(0, Function.READ, EVENTS)
    assert told.must_confirm and not told.indications & (Indications.CLASS_1 | Indications.CLASS_2)
    assert told.objects == (
        bytes((2, 2, 0x17, 1, 0, ONLINE))
        + rig.ms.to_bytes(6, "little")
        + bytes((32, 7, 0x17, 1, 1, ONLINE))
        + struct.pack("<f", 5.0)
        + rig.ms.to_bytes(6, "little")
    )
    (again,) = rig.send(1, Function.READ, bytes((60, 3, 6)))
    assert again.objects.startswith(bytes((32, 7))) and again.indications & Indications.CLASS_1
    assert not rig.confirm(0), "a late confirmation is of nothing"
    assert not rig.confirm(1)
    (told,) = rig.send(2, Function.READ, EVENTS)
    assert told.objects.startswith(bytes((2, 2))) and bytes((32, 7)) not in told.objects
    assert not rig.wait(6.0)
    (told,) = rig.send(3, Function.READ, EVENTS)
    assert told.objects.startswith(bytes((2, 2)))


def test_many_events_go_in_several_fragments_each_confirmed() -> None:
    rig = Rig()
    for k in range(400):
        rig.move(30, 1, float(k))
    found, (told,) = [], rig.send(5, Function.READ, EVENTS)
    while True:
        found.append(told)
        if told.is_final:
            break
        (told,) = rig.confirm(told.sequence)
    assert [one.is_first for one in found] == [True] + [False] * (len(found) - 1)
    assert [one.sequence for one in found] == [(5 + k) % 16 for k in range(len(found))]
    assert sum(len(one.objects) for one in found) > 400 * 12 and all(len(one.objects) <= 2044 for one in found)
    assert not rig.confirm(found[-1].sequence)
    assert not len(rig.session.events)


def test_a_full_buffer_says_so() -> None:
    rig = Rig(Rules(buffer=3))
    for k in range(5):
        rig.move(30, 1, float(k))
    (told,) = rig.send(0, Function.READ, EVENTS)
    assert told.indications & Indications.BUFFER_OVERFLOW and told.objects[3] == 3
    rig.confirm(0)
    (told,) = rig.send(1, Function.READ, EVENTS)
    assert not told.indications & Indications.BUFFER_OVERFLOW


def test_a_read_waits_for_the_confirmation_of_an_unsolicited_response() -> None:
    rig = Rig().heard()
    (told,) = rig.move(30, 1, 5.0)
    assert told.is_unsolicited and told.must_confirm and told.objects.startswith(bytes((32, 7)))
    assert not rig.send(1, Function.READ, INTEGRITY), "it is not answered yet"
    (other,) = rig.send(2, Function.DELAY_MEASURE)
    assert other.objects == bytes((52, 2, 7, 1, 0, 0)), "anything else is, at once"
    assert not rig.send(3, Function.READ, INTEGRITY)
    (late,) = rig.confirm(told.sequence, is_unsolicited=True)
    assert late.sequence == 3 and not late.is_unsolicited
    assert bytes((32, 7)) not in late.objects, "what was confirmed is not told again"


def test_a_read_is_answered_when_no_confirmation_comes_and_tells_the_events() -> None:
    rig = Rig(Rules(confirm_s=5.0, retries=3)).heard()
    (told,) = rig.move(30, 1, 5.0)
    assert not rig.send(1, Function.READ, INTEGRITY)
    assert not rig.wait(4.9)
    (late,) = rig.wait(0.2)
    assert late.sequence == 1 and late.objects.startswith(bytes((32, 7))) and late.must_confirm
    assert not rig.confirm(told.sequence, is_unsolicited=True)
    assert len(rig.session.events) == 1, "only the response's own confirmation counts"
    assert not rig.confirm(1)
    assert not len(rig.session.events)


def test_an_unsolicited_response_is_sent_again_as_it_was_and_then_given_up() -> None:
    rig = Rig(Rules(retries=2)).heard()
    (told,) = rig.move(30, 1, 5.0)
    assert rig.wait(5.0) == [told] and rig.wait(5.0) == [told]
    assert not rig.wait(5.0) and not rig.wait(100.0)
    (next,) = rig.move(30, 2, 6.0)
    assert next.sequence == told.sequence + 1 and next.objects[3] == 2, "the next one tells both"
    assert not rig.confirm(next.sequence, is_unsolicited=True)
    assert not len(rig.session.events)


def test_disabled_classes_are_not_told_unasked() -> None:
    rig = Rig().heard()
    (told,) = rig.send(1, DISABLE, bytes((60, 3, 6)))
    assert not told.indications & Indications.NO_FUNCTION
    assert not rig.move(30, 1, 5.0)
    (other,) = rig.move(1, 0, 0.0)
    assert other.is_unsolicited and other.objects.startswith(bytes((2, 2)))
    assert other.indications & Indications.CLASS_2


def test_disabling_while_an_unsolicited_response_waits_ends_its_repetition() -> None:
    rig = Rig().heard()
    (told,) = rig.move(30, 1, 5.0)
    (answered,) = rig.send(1, DISABLE, EVENTS)
    assert answered.sequence == 1 and not answered.is_unsolicited
    assert not rig.wait(5.0) and not rig.wait(5.0)
    (polled,) = rig.send(2, Function.READ, EVENTS)
    assert polled.objects.startswith(bytes((32, 7))), "the event is kept"
    rig.confirm(2)
    assert not rig.move(30, 1, 9.0)
    (_, again) = rig.send(3, ENABLE, EVENTS)
    assert again.is_unsolicited and again.sequence == (told.sequence + 1) % 16


def test_from_the_first_contact_on_where_the_standard_is_followed() -> None:
    rig = Rig(Rules(unsolicited=ALWAYS))
    (read, null) = rig.send(0, Function.READ, CLASS_0)
    assert not read.is_unsolicited and null.is_unsolicited and null.indications & Indications.DEVICE_RESTART
    assert not rig.move(30, 1, 5.0)
    assert not rig.confirm(null.sequence, is_unsolicited=True), "no class is enabled yet"
    rig.session.connected()
    (_, told) = rig.send(1, ENABLE, EVENTS)
    assert told.is_unsolicited and told.objects.startswith(bytes((32, 7)))


def test_never_is_said_to_whoever_asks() -> None:
    (told,) = Rig(Rules(unsolicited="never")).send(0, ENABLE, EVENTS)
    assert told.indications & Indications.NO_FUNCTION
