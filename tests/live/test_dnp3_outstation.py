"""An outstation of DNP3 without sockets: polls, events and their confirmation, unsolicited responses, commands, the clock."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from heptagrid.live.inventory import PRIMARIES
from heptagrid.live.protocols.dnp3.application import Function, Indications
from heptagrid.live.protocols.dnp3.controls import Order, Status
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
from heptagrid.live.protocols.dnp3.objects import ANALOG_OUTPUT, BINARY_OUTPUT, ONLINE, RELAY, SET_POINT
from heptagrid.live.protocols.dnp3.outstation import ALWAYS, Outstation, Rules
from heptagrid.live.protocols.dnp3.points import INPUTS, Input, Output
from heptagrid.live.protocols.dnp3.session import Session
from heptagrid.live.protocols.dnp3.transport import Reassembly, Segments
from heptagrid.live.stations.points import REGULATE, TAP, TARGET, Control
from tests.live.dnp3_master import (
    CLASS_0,
    CLOSE,
    EVENTS,
    INTEGRITY,
    LATCH_ON,
    TRIP,
    Answer,
    answer,
    relay,
    request,
    set_point,
)

POINTS = INPUTS[PRIMARIES]
ENABLE, DISABLE, CONFIRM = Function.ENABLE_UNSOLICITED, Function.DISABLE_UNSOLICITED, Function.CONFIRM
CLEAR_RESTART = b"\x50\x01\x00\x07\x07\x00"


class Rig:
    """An outstation with one master, whose time and values a test sets."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.now = 0.0
        self.ms = 1_467_590_400_000
        self.values = {(one.group, one.index): 20.0 + one.index for one in POINTS}
        self.flags = ONLINE
        self.is_well = True
        self.orders: list[Order] = []
        shown = {one.name: one for one in POINTS}
        outputs = [
            Output(
                ANALOG_OUTPUT,
                SET_POINT,
                0,
                Control(TARGET, "", "kV", 18.0, 22.0),
                shown["target of the busbar voltage"],
            ),
            Output(BINARY_OUTPUT, RELAY, 0, Control(TAP, ""), shown["tap position"]),
            Output(BINARY_OUTPUT, RELAY, 1, Control(REGULATE, ""), None),
        ]
        self.outstation = Outstation(
            POINTS, outputs, self._read, lambda: self.ms, lambda: self.is_well, self.orders.append, rules or Rules()
        )
        self.session = self.outstation.sessions[100] = Session(self.outstation)
        self.session.connected()

    def _read(self, point: Input) -> tuple[float, int]:
        return self.values[point.group, point.index], self.flags

    def send(self, sequence: int, function: int, objects: bytes = b"") -> list[Answer]:
        self.session.receive(request(sequence, function, objects), self.now)
        return self.took()

    def confirm(self, sequence: int, *, is_unsolicited: bool = False) -> list[Answer]:
        self.session.receive(request(sequence, CONFIRM, is_unsolicited=is_unsolicited), self.now)
        return self.took()

    def wait(self, seconds: float) -> list[Answer]:
        self.now += seconds
        self.session.tick(self.now)
        return self.took()

    def move(self, group: int, index: int, value: float) -> list[Answer]:
        self.values[group, index] = value
        point = next(one for one in POINTS if (one.group, one.index) == (group, index))
        event = self.outstation.event(point, self.ms)
        assert event is not None
        for one in self.outstation.sessions.values():
            one.tell([event], self.now)
        return self.took()

    def took(self) -> list[Answer]:
        return [answer(one) for one in self.session.take()]

    def heard(self) -> Rig:
        """Unsolicited responses of all classes are allowed, and the first is confirmed."""
        (_, null) = self.send(15, ENABLE, EVENTS)
        assert null.is_unsolicited and not null.objects
        assert not self.confirm(null.sequence, is_unsolicited=True)
        return self


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


def test_select_and_operate() -> None:
    rig = Rig()
    (told,) = rig.send(0, Function.SELECT, relay(0, CLOSE))
    assert told.objects == relay(0, CLOSE) and not rig.orders
    (told,) = rig.send(1, Function.OPERATE, relay(0, CLOSE))
    assert told.objects == relay(0, CLOSE)
    assert [(one.output.control.action, one.value) for one in rig.orders] == [(TAP, 1.0)]
    (again,) = rig.send(1, Function.OPERATE, relay(0, CLOSE))
    assert again == told and len(rig.orders) == 1, "the same request again is answered, and not done, again"
    (told,) = rig.send(2, Function.OPERATE, relay(0, CLOSE))
    assert told.objects[-1] == Status.NO_SELECT and len(rig.orders) == 1


@pytest.mark.parametrize("case", ["late", "other", "between", "direct"])
def test_what_was_not_selected_so_is_not_operated(case: str) -> None:
    rig = Rig(Rules(select_s=10.0))
    rig.send(0, Function.SELECT, set_point(0, 20.0))
    number, value = 1, 20.0
    if case == "late":
        rig.now += 11.0
    elif case == "other":
        value = 21.0
    elif case == "between":
        rig.send(1, Function.READ, CLASS_0)
        number = 2
    else:
        other = Session(rig.outstation)
        other.receive(request(0, Function.DIRECT_OPERATE, set_point(0, 21.0)), rig.now)
        assert answer(other.take()[0]).objects[-1] == Status.ALREADY_ACTIVE and not rig.orders
        return
    (told,) = rig.send(number, Function.OPERATE, set_point(0, value))
    assert told.objects[-1] == (Status.TIMEOUT if case == "late" else Status.NO_SELECT) and not rig.orders


@pytest.mark.parametrize(
    ("objects", "status"),
    [
        (set_point(0, 30.0), Status.OUT_OF_RANGE),
        (set_point(0, float("nan")), Status.OUT_OF_RANGE),
        (set_point(9, 20.0), Status.NOT_SUPPORTED),
        (relay(9, CLOSE), Status.NOT_SUPPORTED),
        (relay(0, LATCH_ON), Status.NOT_SUPPORTED),
        (relay(0, 1), Status.NOT_SUPPORTED),
        (relay(0, CLOSE, 2), Status.NOT_SUPPORTED),
        (relay(0, CLOSE | 0x10), Status.NOT_SUPPORTED),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(objects: bytes, status: Status) -> None:
    rig = Rig()
    (told,) = rig.send(0, Function.DIRECT_OPERATE, objects)
    assert told.objects == objects[:-1] + bytes((status,)) and not rig.orders and rig.session.refused == 1
    rig.send(1, Function.DIRECT_OPERATE_NR, objects)
    assert not rig.orders


def test_commands_without_selection_and_without_an_answer() -> None:
    rig = Rig()
    both = bytes((12, 1, 0x28, 2, 0)) + b"".join(
        bytes((k, 0)) + relay(k, code)[5:] for k, code in ((0, TRIP), (1, LATCH_ON))
    )
    (told,) = rig.send(0, Function.DIRECT_OPERATE, both)
    assert told.objects == both
    assert [(one.output.control.action, one.value) for one in rig.orders] == [(TAP, 0.0), (REGULATE, 1.0)]
    (told,) = rig.send(1, Function.DIRECT_OPERATE, relay(0, TRIP))
    assert told.objects[-1] == Status.ALREADY_ACTIVE, "the first one is still being carried out"
    rig.outstation.selections.end(TAP)
    assert not rig.send(2, Function.DIRECT_OPERATE_NR, relay(0, TRIP))
    assert len(rig.orders) == 3
    rig.flags = 0
    rig.outstation.selections.end(TAP)
    (told,) = rig.send(3, Function.DIRECT_OPERATE, relay(0, TRIP))
    assert told.objects[-1] == Status.AUTOMATION_INHIBIT


def test_the_clock_follows_a_master_where_it_may() -> None:
    rig = Rig(Rules(keeps_clock=False))
    (told,) = rig.send(0, Function.READ, CLASS_0)
    assert told.indications & Indications.NEED_TIME
    assert not rig.send(1, Function.RECORD_CURRENT_TIME)[0].objects
    rig.ms += 40
    (told,) = rig.send(2, Function.WRITE, bytes((50, 3, 7, 1)) + (1000).to_bytes(6, "little"))
    assert not told.indications & (Indications.NEED_TIME | Indications.PARAMETER_ERROR)
    assert rig.outstation.now_ms == 1040
    (told,) = rig.send(3, Function.READ, bytes((50, 1, 7, 1)))
    assert told.objects == bytes((50, 1, 7, 1)) + (1040).to_bytes(6, "little")
    (told,) = rig.send(4, Function.WRITE, bytes((50, 3, 7, 1)) + bytes(6))
    assert told.indications & Indications.PARAMETER_ERROR, "no time was recorded"
    kept = Rig()
    kept.send(0, Function.WRITE, bytes((50, 1, 7, 1)) + bytes(6))
    assert kept.outstation.now_ms == kept.ms


def test_counters_are_frozen() -> None:
    rig = Rig()
    rig.send(0, Function.IMMED_FREEZE, bytes((20, 0, 6)))
    rig.values[20, 0] = 1000.0
    (told,) = rig.send(1, Function.READ, bytes((21, 1, 0, 0, 0)))
    assert told.objects == bytes((21, 1, 0, 0, 0, ONLINE)) + struct.pack("<I", 20)
    (told,) = rig.send(2, Function.READ, bytes((20, 5, 0, 0, 0)))
    assert told.objects == bytes((20, 5, 0, 0, 0)) + struct.pack("<I", 1000)


def test_a_restart_begins_anew() -> None:
    rig = Rig().heard()
    rig.send(1, Function.WRITE, CLEAR_RESTART)
    (told,) = rig.send(2, Function.COLD_RESTART)
    assert told.objects == bytes((52, 2, 7, 1, 1, 0))
    assert not rig.move(30, 1, 5.0)
    (told,) = rig.send(3, Function.READ, CLASS_0)
    assert told.indications & Indications.DEVICE_RESTART


def test_a_broadcast_is_done_and_told_with_the_next_answer() -> None:
    rig = Rig()
    rig.session.receive(request(0, Function.DIRECT_OPERATE_NR, relay(0, CLOSE)), 0.0, 0xFFFE)
    assert len(rig.orders) == 1 and not rig.took()
    (told,) = rig.send(1, Function.READ, bytes((1, 0, 6)))
    assert told.indications & Indications.BROADCAST and told.must_confirm
    rig.confirm(1)
    (told,) = rig.send(2, Function.READ, bytes((1, 0, 6)))
    assert not told.indications & Indications.BROADCAST


def test_what_is_not_there_is_said() -> None:
    rig = Rig()
    (told,) = rig.send(0, 25)
    assert told.indications & Indications.NO_FUNCTION
    (told,) = rig.send(1, Function.DIRECT_OPERATE, b"\x0c\x01\x17\x01")
    assert told.indications & Indications.PARAMETER_ERROR
    (told,) = rig.send(2, Function.WRITE, b"\x01\x02\x17\x01\x00\x00")
    assert told.indications & Indications.OBJECT_UNKNOWN
    rig.is_well = False
    (told,) = rig.send(3, Function.READ, b"\x01\x02\x06")
    assert told.indications & Indications.DEVICE_TROUBLE
    for fragment in (b"\xc0", b"\x40\x01", b"\xc0\x81\0\0", b"\xd0\x01"):
        with pytest.raises(MalformedError):
            rig.session.receive(fragment, 0.0)
