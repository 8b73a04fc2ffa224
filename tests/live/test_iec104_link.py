"""The state machine of a connection by IEC 60870-5-104: start and stop, sequence numbers, k, w and the timers."""

from __future__ import annotations

import pytest

from heptagrid.live.protocols.iec104.apci import (
    MODULO,
    Function,
    Information,
    MalformedError,
    Splitter,
    Supervisory,
    Unnumbered,
    decode,
    encode,
)
from heptagrid.live.protocols.iec104.link import Link, Timing, Transfer

ASDU = bytes.fromhex("64010600 0100 000000 14")
TIMING = Timing(t1_s=15.0, t2_s=10.0, t3_s=20.0, k=12, w=8)
U = {one: encode(Unnumbered(one)) for one in Function}


def _link(is_started: bool = True, is_controlled: bool = True) -> tuple[Link, list[bytes]]:
    link = Link(TIMING, is_controlled, 0.0)
    taken: list[bytes] = []
    link.on_asdu = taken.append
    if is_started:
        if is_controlled:
            link.receive(U[Function.STARTDT_ACT], 0.0)
        else:
            link.ask(Function.STARTDT_ACT, 0.0)
            link.receive(U[Function.STARTDT_CON], 0.0)
        link.take()
    return link, taken


def test_an_i_frame_while_stopped_closes() -> None:
    link, taken = _link(is_started=False)
    link.receive(encode(Information(0, 0, ASDU)), 1.0)
    assert link.closed is not None and "stopped" in link.closed and not taken


def test_an_s_frame_while_stopped_closes() -> None:
    link, _ = _link(is_started=False)
    link.receive(encode(Supervisory(0)), 1.0)
    assert link.closed is not None


def test_a_test_before_the_start_is_answered() -> None:
    link, _ = _link(is_started=False)
    link.receive(U[Function.TESTFR_ACT], 1.0)
    assert link.take() == [U[Function.TESTFR_CON]] and link.closed is None


def test_w_frames_are_confirmed_at_once_and_fewer_after_t2() -> None:
    link, taken = _link()
    for k in range(7):
        link.receive(encode(Information(k, 0, ASDU)), 1.0)
    assert link.take() == [] and len(taken) == 7
    link.tick(10.9)
    assert link.take() == [], "t2 counts from the first that was not confirmed"
    link.tick(11.0)
    assert link.take() == [encode(Supervisory(7))]
    for k in range(7, 15):
        link.receive(encode(Information(k, 0, ASDU)), 12.0)
    assert link.take() == [encode(Supervisory(15))]


def test_no_more_than_k_frames_are_under_way() -> None:
    link, _ = _link()
    for _ in range(12):
        assert link.room > 0
        link.send(ASDU, 1.0)
    assert link.room == 0
    link.receive(encode(Supervisory(5)), 2.0)
    assert link.room == 5


def test_an_i_frame_that_is_not_confirmed_within_t1_closes() -> None:
    link, _ = _link()
    link.send(ASDU, 1.0)
    assert link.due() == 16.0
    link.tick(15.9)
    assert link.closed is None
    link.tick(16.0)
    assert link.closed is not None and link.closed.startswith("t1")


def test_an_idle_connection_is_tested_after_t3_and_closed_t1_later() -> None:
    for is_started in (True, False):
        link, _ = _link(is_started)
        link.tick(20.0)
        assert link.take() == [U[Function.TESTFR_ACT]]
        link.tick(34.9)
        assert link.closed is None and link.take() == []
        link.tick(35.0)
        assert link.closed is not None


def test_an_answered_test_keeps_the_connection() -> None:
    link, _ = _link()
    link.tick(20.0)
    link.receive(U[Function.TESTFR_CON], 21.0)
    link.tick(40.9)
    assert link.closed is None
    assert link.take() == [U[Function.TESTFR_ACT]]
    link.tick(41.0)
    assert link.take() == [U[Function.TESTFR_ACT]]


def test_a_frame_out_of_sequence_closes() -> None:
    link, taken = _link()
    link.receive(encode(Information(1, 0, ASDU)), 1.0)
    assert link.closed is not None and link.closed.startswith("sequence") and not taken


@pytest.mark.parametrize("number", [4, MODULO - 1])
def test_a_confirmation_of_what_was_not_sent_closes(number: int) -> None:
    link, _ = _link()
    for _ in range(3):
        link.send(ASDU, 1.0)
    link.receive(encode(Supervisory(number)), 2.0)
    assert link.closed is not None and link.closed.startswith("sequence")


def test_sequence_numbers_go_round() -> None:
    link, taken = _link()
    for k in range(MODULO + 20):
        link.receive(encode(Information(k % MODULO, k % MODULO, ASDU)), 1.0)
        link.send(ASDU, 1.0)
        link.take()
    assert link.closed is None and len(taken) == MODULO + 20


def test_a_stop_waits_for_what_is_not_confirmed() -> None:
    link, _ = _link()
    link.receive(encode(Information(0, 0, ASDU)), 1.0)
    link.send(ASDU, 1.0)
    link.take()
    link.receive(encode(Information(1, 0, ASDU)), 1.5)
    link.receive(U[Function.STOPDT_ACT], 2.0)
    assert link.take() == [encode(Supervisory(2))], "what came is confirmed, the stop is not yet"
    assert link.room == 0 and link.transfer is Transfer.STOPPING
    link.receive(encode(Supervisory(1)), 3.0)
    assert link.take() == [U[Function.STOPDT_CON]] and link.transfer is Transfer.STOPPED


def test_a_stop_without_anything_under_way_is_confirmed_at_once() -> None:
    link, _ = _link()
    link.receive(U[Function.STOPDT_ACT], 2.0)
    assert link.take() == [U[Function.STOPDT_CON]]
    link.receive(U[Function.STOPDT_ACT], 3.0)
    assert link.take() == [U[Function.STOPDT_CON]], "a second stop does no harm"


def test_a_second_start_is_confirmed_again() -> None:
    link, _ = _link()
    link.send(ASDU, 1.0)
    link.take()
    link.receive(U[Function.STARTDT_ACT], 2.0)
    assert link.take() == [U[Function.STARTDT_CON]] and len(link.unconfirmed()) == 1


def test_a_controlling_station_takes_data_until_its_stop_is_confirmed() -> None:
    link, taken = _link(is_controlled=False)
    link.ask(Function.STOPDT_ACT, 1.0)
    link.receive(encode(Information(0, 0, ASDU)), 2.0)
    link.receive(U[Function.STOPDT_CON], 3.0)
    assert len(taken) == 1 and link.transfer is Transfer.STOPPED
    link.receive(encode(Information(1, 0, ASDU)), 4.0)
    assert link.closed is not None


def test_a_start_that_is_not_confirmed_within_t1_closes() -> None:
    link, _ = _link(is_started=False, is_controlled=False)
    link.ask(Function.STARTDT_ACT, 1.0)
    link.tick(16.0)
    assert link.closed is not None and "STARTDT_ACT" in link.closed


def test_confirmations_that_nobody_asked_for_do_no_harm() -> None:
    link, _ = _link()
    for one in (Function.TESTFR_CON, Function.STARTDT_CON, Function.STOPDT_CON):
        link.receive(U[one], 1.0)
    assert link.closed is None and link.take() == [] and link.transfer is Transfer.STARTED


@pytest.mark.parametrize("control", ["03000000", "47000000", "07000100", "01010000", "00000100", "ff000000"])
def test_control_fields_that_the_standard_does_not_know_are_malformed(control: str) -> None:
    with pytest.raises(MalformedError):
        decode(b"\x68\x04" + bytes.fromhex(control))


def test_frames_are_found_in_any_pieces() -> None:
    stream = b"".join([U[Function.STARTDT_ACT], encode(Information(0, 0, ASDU)), encode(Supervisory(3))] * 3)
    for size in (1, 2, 3, 7, len(stream)):
        splitter = Splitter()
        found = [one for at in range(0, len(stream), size) for one in splitter.feed(stream[at : at + size])]
        assert b"".join(found) == stream and len(found) == 9


@pytest.mark.parametrize("data", [b"\x00", b"\x68\x03", b"\x68\xfe", b"\x68\x04\x43\0\0\0\x16"])
def test_a_stream_without_a_frame_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        Splitter().feed(data)


def test_numbers_beyond_a_byte_are_those_of_the_standard() -> None:
    """As in a report of lib60870.NET: N(S) = 29 and N(R) = 535 of these bytes."""
    assert decode(bytes.fromhex("680e3a002e04640106000100 0000 0014")) == Information(29, 535, ASDU)
    assert decode(encode(Information(8528, 8535, ASDU))) == Information(8528, 8535, ASDU)
    assert encode(Information(8528, 29, ASDU))[2:6] == bytes.fromhex("a0423a00")


def test_a_station_that_begins_with_the_second_number_is_out_of_sequence() -> None:
    link, taken = _link(is_controlled=False)
    link.receive(encode(Information(1, 0, ASDU)), 1.0)
    assert link.closed is not None and link.closed.startswith("sequence") and not taken
