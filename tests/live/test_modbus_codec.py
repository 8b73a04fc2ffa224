"""Modbus TCP frames and requests, without sockets."""

from __future__ import annotations

import random
import struct
from contextlib import suppress

import pytest

from heptagrid.live.protocols.modbus.codec import (
    Code,
    ExceptionResponse,
    Frame,
    Identify,
    Read,
    ReadWrite,
    StreamError,
    Write,
    framed,
    frames,
    identification,
    request,
)
from heptagrid.live.protocols.modbus.server import described

READ = struct.pack(">BHH", 3, 40_000, 2)


def code_of(pdu: bytes) -> Code:
    with pytest.raises(ExceptionResponse) as refused:
        request(pdu)
    return refused.value.code


def test_frames_that_share_a_segment_are_told_apart() -> None:
    stream = framed(1, 1, READ) + framed(2, 1, READ) + framed(65_535, 247, READ)[:5]
    found, rest, foreign = frames(stream)
    assert found == [Frame(1, 1, READ), Frame(2, 1, READ)]
    assert rest == framed(65_535, 247, READ)[:5] and foreign == 0


@pytest.mark.parametrize("size", [1, 2, 3, 7, 11])
def test_frames_split_over_segments_are_put_together(size: int) -> None:
    stream = b"".join(framed(k, 1, READ) for k in range(300))
    found, rest = [], b""
    for at in range(0, len(stream), size):
        more, rest, _ = frames(rest + stream[at : at + size])
        found += more
    assert [one.transaction for one in found] == list(range(300)) and rest == b""


@pytest.mark.parametrize("transaction", [0, 255, 256, 65_535])
def test_every_transaction_number_comes_back_as_it_went(transaction: int) -> None:
    assert frames(framed(transaction, 1, READ))[0][0].transaction == transaction


def test_a_frame_of_another_protocol_is_left_out_and_the_next_is_found() -> None:
    foreign = struct.pack(">HHHB", 1, 7, len(READ) + 1, 1) + READ
    found, rest, count = frames(foreign + framed(2, 1, READ))
    assert [one.transaction for one in found] == [2] and count == 1 and rest == b""


@pytest.mark.parametrize("length", [0, 1, 255, 65_535])
def test_a_length_that_no_frame_has_ends_the_stream(length: int) -> None:
    with pytest.raises(StreamError):
        frames(struct.pack(">HHHB", 1, 0, length, 1) + READ)


@pytest.mark.parametrize("function", [3, 4])
@pytest.mark.parametrize(("count", "is_right"), [(0, False), (1, True), (125, True), (126, False), (65_535, False)])
def test_between_1_and_125_registers_are_read(function: int, count: int, is_right: bool) -> None:
    pdu = struct.pack(">BHH", function, 40_000, count)
    if is_right:
        assert request(pdu) == Read(function, 40_000, count)
    else:
        assert code_of(pdu) == Code.ILLEGAL_VALUE


@pytest.mark.parametrize("count", [0, 124])
def test_between_1_and_123_registers_are_written(count: int) -> None:
    assert code_of(struct.pack(">BHHB", 16, 0, count, 2 * count & 255) + bytes(2 * count)) == Code.ILLEGAL_VALUE


def test_a_byte_count_that_does_not_fit_is_an_illegal_value() -> None:
    assert code_of(struct.pack(">BHHB", 16, 0, 2, 3) + bytes(4)) == Code.ILLEGAL_VALUE
    assert code_of(struct.pack(">BHHB", 16, 0, 2, 4) + bytes(3)) == Code.ILLEGAL_VALUE
    assert request(struct.pack(">BHHB", 16, 9, 2, 4) + b"abcd") == Write(16, 9, b"abcd")


def test_reading_and_writing_at_once_has_limits_of_its_own() -> None:
    both = struct.pack(">BHHHHB", 23, 5, 125, 9, 1, 2) + b"ab"
    assert request(both) == ReadWrite(Read(23, 5, 125), Write(16, 9, b"ab"))
    assert code_of(struct.pack(">BHHHHB", 23, 5, 126, 9, 1, 2) + b"ab") == Code.ILLEGAL_VALUE
    assert code_of(struct.pack(">BHHHHB", 23, 5, 1, 9, 122, 244) + bytes(244)) == Code.ILLEGAL_VALUE


@pytest.mark.parametrize("function", [0, 1, 2, 5, 7, 8, 15, 17, 20, 22, 24, 100, 131])
def test_functions_that_are_not_served_are_illegal(function: int) -> None:
    assert code_of(bytes((function, 0, 0, 0, 1))) == Code.ILLEGAL_FUNCTION


def test_another_encapsulation_than_identification_is_illegal() -> None:
    assert code_of(bytes((43, 13, 1, 0))) == Code.ILLEGAL_FUNCTION
    assert code_of(bytes((43, 14, 5, 0))) == Code.ILLEGAL_VALUE
    assert request(bytes((43, 14, 4, 2))) == Identify(4, 2)


OBJECTS = ("heptagrid", "code", "1.0", "", "product", "model", "name")


def test_identification_lists_basic_and_regular_objects() -> None:
    basic = identification(Identify(1, 0), OBJECTS)
    assert basic[:7] == bytes((43, 14, 1, 0x82, 0, 0, 3))
    assert basic[7:18] == b"\x00\x09heptagrid"
    assert identification(Identify(2, 0), OBJECTS)[6] == 7
    assert identification(Identify(2, 99), OBJECTS) == identification(Identify(2, 0), OBJECTS)
    assert identification(Identify(4, 6), OBJECTS)[7:] == b"\x06\x04name"
    with pytest.raises(ExceptionResponse):
        identification(Identify(4, 7), OBJECTS)


def test_identification_that_does_not_fit_goes_on_in_a_second_response() -> None:
    long = tuple(f"{k}" * 100 for k in range(7))
    first = identification(Identify(2, 0), long)
    assert first[4] == 0xFF and first[6] == 2 and len(first) <= 253
    second = identification(Identify(2, first[5]), long)
    assert second[7] == 2


def test_a_request_is_never_anything_but_a_request_or_a_refusal() -> None:
    random_bytes = random.Random(16)
    for _ in range(20_000):
        pdu = bytes(
            (random_bytes.choice((3, 4, 6, 16, 23, 43, random_bytes.randrange(256))),)
        ) + random_bytes.randbytes(random_bytes.randrange(20))
        with suppress(ExceptionResponse):
            request(pdu)


@pytest.mark.parametrize("function", [3, 128, 255])
def test_a_function_without_data_can_be_described(function: int) -> None:
    pdu = bytes((function,))
    assert described(Frame(5, 1, pdu), pdu, is_inward=True) == f"#5 function {function & 0x7F}"
