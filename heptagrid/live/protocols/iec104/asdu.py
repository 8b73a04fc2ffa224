"""Application service data units (IEC 60870-5-101 clause 7; sizes as IEC 60870-5-104 fixes them: cause 2, common address 2, object address 3 bytes)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from heptagrid.live.protocols.iec104.apci import MalformedError
from heptagrid.live.protocols.iec104.elements import ELEMENTS, SELECT, Element, Type, Value
from heptagrid.live.protocols.iec104.time_tag import SIZE as TAG_SIZE
from heptagrid.live.protocols.iec104.time_tag import TimeTag

HEADER = 6
LONGEST = 249
"""Bytes of an ASDU at most."""
BROADCAST = 0xFFFF
"""The common address of all stations."""
_NEGATIVE, _TEST, _SEQUENCE = 0x40, 0x80, 0x80


class Cause(IntEnum):
    """Causes of transmission, IEC 60870-5-101 table 14."""

    PERIODIC = 1
    BACKGROUND = 2
    SPONTANEOUS = 3
    INITIALISED = 4
    REQUEST = 5
    ACTIVATION = 6
    ACTIVATION_CON = 7
    DEACTIVATION = 8
    DEACTIVATION_CON = 9
    ACTIVATION_TERMINATION = 10
    RETURN_REMOTE = 11
    RETURN_LOCAL = 12
    INTERROGATED = 20
    COUNTER_INTERROGATED = 37
    UNKNOWN_TYPE = 44
    UNKNOWN_CAUSE = 45
    UNKNOWN_COMMON_ADDRESS = 46
    UNKNOWN_OBJECT_ADDRESS = 47


@dataclass(frozen=True, slots=True)
class Object:
    """An information object. quality: of a value, or a command's qualifier; tag: None where the type has none."""

    address: int
    value: Value = 0
    quality: int = 0
    tag: TimeTag | None = None


@dataclass(frozen=True, slots=True)
class Asdu:
    """An ASDU. is_sequence: whether only the first object's address is written, and the others follow it one by one."""

    type: int
    cause: int
    common_address: int
    objects: tuple[Object, ...]
    originator: int = 0
    is_negative: bool = False
    is_test: bool = False
    is_sequence: bool = False

    @property
    def text(self) -> str:
        """What a person reads in a log."""
        name = Type(self.type).name
        shown = ", ".join(f"{one.address}={one.value:g}" for one in self.objects[:3])
        more = f" and {len(self.objects) - 3} more" if len(self.objects) > 3 else ""
        sign = (
            " select" if name[0] == "C" and self.type < Type.C_IC_NA_1 and self.objects[0].quality & SELECT else ""
        ) + (" negative" if self.is_negative else "")
        return f"{name} cause {self.cause}{sign} station {self.common_address}: {shown}{more}"


def encode(asdu: Asdu) -> bytes:
    """The bytes of an ASDU."""
    element = ELEMENTS[asdu.type]
    parts = [
        bytes(
            (
                asdu.type,
                len(asdu.objects) | (_SEQUENCE if asdu.is_sequence else 0),
                asdu.cause | (_NEGATIVE if asdu.is_negative else 0) | (_TEST if asdu.is_test else 0),
                asdu.originator,
            )
        ),
        asdu.common_address.to_bytes(2, "little"),
    ]
    for k, one in enumerate(asdu.objects):
        if k == 0 or not asdu.is_sequence:
            parts.append(one.address.to_bytes(3, "little"))
        parts.append(element.pack(one.value, one.quality))
        if element.is_tagged and one.tag is not None:
            parts.append(one.tag.raw)
    return b"".join(parts)


def decode(raw: bytes) -> Asdu:
    """An ASDU from its bytes.

    Raises
    ------
    UnknownTypeError
        For a type that is not known here.
    MalformedError
        For anything else that is not as the standard says.
    """
    if len(raw) < HEADER:
        raise MalformedError(f"an ASDU of {len(raw)} bytes is shorter than its header")
    if raw[0] not in ELEMENTS:
        raise UnknownTypeError(f"there is no type {raw[0]} here")
    element, count, is_sequence = ELEMENTS[raw[0]], raw[1] & 0x7F, bool(raw[1] & _SEQUENCE)
    if count == 0:
        raise MalformedError("an ASDU says that it has no object")
    return Asdu(
        type=raw[0],
        cause=raw[2] & 0x3F,
        common_address=int.from_bytes(raw[4:6], "little"),
        objects=tuple(_objects(raw, element, count, is_sequence)),
        originator=raw[3],
        is_negative=bool(raw[2] & _NEGATIVE),
        is_test=bool(raw[2] & _TEST),
        is_sequence=is_sequence,
    )


class UnknownTypeError(MalformedError):
    """An ASDU of a type that is not known; its header can be read all the same."""


def _objects(raw: bytes, element: Element, count: int, is_sequence: bool) -> Iterator[Object]:
    size = element.size + (TAG_SIZE if element.is_tagged else 0)
    expected = HEADER + (3 + count * size if is_sequence else count * (3 + size))
    if len(raw) != expected:
        raise MalformedError(
            f"an ASDU of type {raw[0]} with {count} objects has {len(raw)} bytes; {expected} are expected"
        )
    at, address = HEADER, 0
    for k in range(count):
        if k == 0 or not is_sequence:
            address = int.from_bytes(raw[at : at + 3], "little")
            at += 3
        else:
            address += 1
        value, quality = element.unpack(raw[at : at + element.size])
        at += element.size
        tag = None
        if element.is_tagged:
            tag = TimeTag(raw[at : at + TAG_SIZE])
            at += TAG_SIZE
        yield Object(address, value, quality, tag)


def mirrored(raw: bytes, cause: Cause, is_negative: bool = False, common_address: int | None = None) -> bytes:
    """The same ASDU with another cause, as confirmations are; test bit and originator stay. common_address: another one, after a broadcast."""
    first = cause | (_NEGATIVE if is_negative else 0) | (raw[2] & _TEST)
    station = raw[4:6] if common_address is None else common_address.to_bytes(2, "little")
    return raw[:2] + bytes((first, raw[3])) + station + raw[6:]


def packed(
    type: int, cause: int, common_address: int, objects: Sequence[Object], originator: int = 0
) -> Iterator[bytes]:
    """As many ASDUs as it takes to carry some objects of a type, in their order."""
    element = ELEMENTS[type]
    most = (LONGEST - HEADER) // (3 + element.size + (TAG_SIZE if element.is_tagged else 0))
    for at in range(0, len(objects), most):
        yield encode(Asdu(type, cause, common_address, tuple(objects[at : at + most]), originator))
