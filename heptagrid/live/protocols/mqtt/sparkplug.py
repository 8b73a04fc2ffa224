"""Payloads of Sparkplug B (Eclipse Sparkplug 3.0): metrics in protocol buffers, of which this writes and reads what edge nodes need."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from heptagrid.live.protocols.mqtt.packets import MalformedError

NAMESPACE = "spBv1.0"
Value = bool | int | float | str
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
_MOST_METRICS = 1000


class Datatype(IntEnum):
    """Of a metric."""

    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12


_SIGNED = {Datatype.INT8: 8, Datatype.INT16: 16, Datatype.INT32: 32, Datatype.INT64: 64}
_LONG = (Datatype.INT64, Datatype.UINT64)


@dataclass(frozen=True)
class Metric:
    """A named value. value: None is null."""

    name: str
    datatype: Datatype
    value: Value | None


def encoded(metrics: Iterable[Metric], timestamp_ms: int | None, seq: int | None) -> bytes:
    """A payload; seq: None where the message has none."""
    parts = [] if timestamp_ms is None else [_number(1, timestamp_ms)]
    parts += [_bytes(2, _metric(one, timestamp_ms)) for one in metrics]
    if seq is not None:
        parts.append(_number(3, seq))
    return b"".join(parts)


def decoded(payload: bytes) -> list[Metric]:
    """The metrics of a command; those without a name or of a type that is not known here are left out.

    Raises
    ------
    MalformedError
        If it is no payload.
    """
    found = []
    for field, content in _fields(payload):
        if field == 2 and isinstance(content, bytes):
            metric = _read_metric(content)
            if metric is not None:
                found.append(metric)
    if len(found) > _MOST_METRICS:
        raise MalformedError("too many metrics")
    return found


def _metric(one: Metric, timestamp_ms: int | None) -> bytes:
    head = _bytes(1, one.name.encode()) + (b"" if timestamp_ms is None else _number(3, timestamp_ms))
    head += _number(4, one.datatype)
    if one.value is None:
        return head + _number(7, 1)
    if one.datatype in _LONG:
        return head + _number(11, int(one.value) & 0xFFFFFFFFFFFFFFFF)
    if one.datatype < Datatype.FLOAT:
        return head + _number(10, int(one.value) & 0xFFFFFFFF)
    if one.datatype is Datatype.FLOAT:
        return head + _tag(12, _FIXED32) + struct.pack("<f", one.value)
    if one.datatype is Datatype.DOUBLE:
        return head + _tag(13, _FIXED64) + struct.pack("<d", one.value)
    if one.datatype is Datatype.BOOLEAN:
        return head + _number(14, int(bool(one.value)))
    return head + _bytes(15, str(one.value).encode())


def _read_metric(raw: bytes) -> Metric | None:
    """A metric; its value may come before its type."""
    name, datatype, is_null = "", 0, False
    value: Value | None = None
    for field, content in _fields(raw):
        if field == 1 and isinstance(content, bytes):
            name = _text(content)
        elif field == 4 and isinstance(content, int):
            datatype = content
        elif field == 7:
            is_null = bool(content)
        elif field in (10, 11) and isinstance(content, int):
            value = content
        elif field == 12 and isinstance(content, bytes) and len(content) == 4:
            value = struct.unpack("<f", content)[0]
        elif field == 13 and isinstance(content, bytes) and len(content) == 8:
            value = struct.unpack("<d", content)[0]
        elif field == 14 and isinstance(content, int):
            value = bool(content)
        elif field == 15 and isinstance(content, bytes):
            value = _text(content)
    if not name or datatype not in tuple(Datatype):
        return None
    kind = Datatype(datatype)
    if kind in _SIGNED and isinstance(value, int):
        bits = _SIGNED[kind]
        value &= (1 << bits) - 1
        value -= (value >> bits - 1) << bits
    return Metric(name, kind, None if is_null else value)


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise MalformedError("no UTF-8") from problem


def _fields(raw: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers with their contents: numbers, or bytes."""
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        field, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            number, at = _varint(raw, at)
            yield field, number
            continue
        if wire == _BYTES:
            size, at = _varint(raw, at)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise MalformedError(f"there is no wire type {wire}")
        if at + size > len(raw):
            raise MalformedError("it ends too early")
        yield field, raw[at : at + size]
        at += size


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = 0
    for k in range(_LONGEST_VARINT):
        if at + k >= len(raw):
            raise MalformedError("it ends too early")
        byte = raw[at + k]
        value |= (byte & 0x7F) << 7 * k
        if byte < 0x80:
            return value, at + k + 1
    raise MalformedError("a number that is too long")


def _tag(field: int, wire: int) -> bytes:
    return _encoded_varint(field << 3 | wire)


def _number(field: int, value: int) -> bytes:
    return _tag(field, _VARINT) + _encoded_varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _tag(field, _BYTES) + _encoded_varint(len(value)) + value


def _encoded_varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)
