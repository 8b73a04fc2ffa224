"""Information elements of IEC 60870-5-101 (7.2.6) as IEC 60870-5-104 uses them: how each type's value stands in bytes."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

OVERFLOW, BLOCKED, SUBSTITUTED, NOT_TOPICAL, INVALID = 0x01, 0x10, 0x20, 0x40, 0x80
"""Bits of a quality descriptor, QDS; single and double points have all but the overflow."""
SELECT = 0x80
"""Bit of a command's qualifier: select, and do not yet execute."""
TRANSIENT = 0x100
"""Beside the quality of a step position: the equipment is moving."""
COUNTER_SEQUENCE, COUNTER_CARRY, COUNTER_ADJUSTED, COUNTER_INVALID = 0x1F, 0x20, 0x40, 0x80
"""Parts of a counter reading's last byte."""


class Type(IntEnum):
    """Types of ASDU, IEC 60870-5-101 tables 8 to 13 and IEC 60870-5-104 clause 8."""

    M_SP_NA_1 = 1
    M_DP_NA_1 = 3
    M_ST_NA_1 = 5
    M_BO_NA_1 = 7
    M_ME_NA_1 = 9
    M_ME_NB_1 = 11
    M_ME_NC_1 = 13
    M_IT_NA_1 = 15
    M_ME_ND_1 = 21
    M_SP_TB_1 = 30
    M_DP_TB_1 = 31
    M_ST_TB_1 = 32
    M_BO_TB_1 = 33
    M_ME_TD_1 = 34
    M_ME_TE_1 = 35
    M_ME_TF_1 = 36
    M_IT_TB_1 = 37
    C_SC_NA_1 = 45
    C_DC_NA_1 = 46
    C_RC_NA_1 = 47
    C_SE_NA_1 = 48
    C_SE_NB_1 = 49
    C_SE_NC_1 = 50
    C_BO_NA_1 = 51
    C_SC_TA_1 = 58
    C_DC_TA_1 = 59
    C_RC_TA_1 = 60
    C_SE_TA_1 = 61
    C_SE_TB_1 = 62
    C_SE_TC_1 = 63
    C_BO_TA_1 = 64
    M_EI_NA_1 = 70
    C_IC_NA_1 = 100
    C_CI_NA_1 = 101
    C_RD_NA_1 = 102
    C_CS_NA_1 = 103
    C_TS_NA_1 = 104
    C_RP_NA_1 = 105
    C_TS_TA_1 = 107


Value = float | int
Pack = Callable[[Value, int], bytes]
Unpack = Callable[[bytes], tuple[Value, int]]


@dataclass(frozen=True, slots=True)
class Element:
    """How a type's value and quality, or qualifier, stand in `size` bytes; is_tagged: whether CP56Time2a follows."""

    size: int
    pack: Pack
    unpack: Unpack
    is_tagged: bool = False


def _bits(mask: int, kept: int) -> Element:
    """One byte: the value in the bits of `mask`, quality or qualifier in those of `kept`."""
    return Element(
        1,
        lambda value, quality: bytes(((int(value) & mask) | (quality & kept),)),
        lambda raw: (raw[0] & mask, raw[0] & kept),
    )


def _with_byte(size: int, pack: Callable[[Value], bytes], unpack: Callable[[bytes], Value]) -> Element:
    """A value, then a byte of quality or qualifier."""
    return Element(
        size + 1,
        lambda value, quality: pack(value) + bytes((quality & 0xFF,)),
        lambda raw: (unpack(raw[:size]), raw[size]),
    )


def _float(value: Value) -> bytes:
    try:
        return struct.pack("<f", value)
    except OverflowError:
        return struct.pack("<f", math.copysign(math.inf, value))


def _normalised(value: Value) -> bytes:
    return max(-0x8000, min(0x7FFF, round(value * 0x8000))).to_bytes(2, "little", signed=True)


def _scaled(value: Value) -> bytes:
    return max(-0x8000, min(0x7FFF, round(value))).to_bytes(2, "little", signed=True)


def _signed(raw: bytes) -> int:
    return int.from_bytes(raw, "little", signed=True)


def _pack_step(value: Value, quality: int) -> bytes:
    position = max(-64, min(63, int(value)))
    return bytes(((position & 0x7F) | (0x80 if quality & TRANSIENT else 0), quality & 0xFF))


def _unpack_step(raw: bytes) -> tuple[Value, int]:
    position = raw[0] & 0x7F
    return position - 128 if position & 0x40 else position, raw[1] | (TRANSIENT if raw[0] & 0x80 else 0)


_SINGLE, _DOUBLE, _STEP = _bits(0x01, 0xF0), _bits(0x03, 0xF0), Element(2, _pack_step, _unpack_step)
_BITS = _with_byte(
    4, lambda value: (int(value) & 0xFFFFFFFF).to_bytes(4, "little"), lambda raw: int.from_bytes(raw, "little")
)
_NORMALISED = _with_byte(2, _normalised, lambda raw: _signed(raw) / 0x8000)
_SCALED = _with_byte(2, _scaled, _signed)
_FLOAT = _with_byte(4, _float, lambda raw: float(struct.unpack("<f", raw)[0]))
_COUNTER = _with_byte(4, lambda value: (int(value) & 0xFFFFFFFF).to_bytes(4, "little"), _signed)
_ORDER_1, _ORDER_2 = _bits(0x01, 0xFC), _bits(0x03, 0xFC)
_ONLY_BITS = Element(
    4, lambda value, _: (int(value) & 0xFFFFFFFF).to_bytes(4, "little"), lambda raw: (int.from_bytes(raw, "little"), 0)
)
_ONLY_NORMALISED = Element(2, lambda value, _: _normalised(value), lambda raw: (_signed(raw) / 0x8000, 0))
_QUALIFIER = Element(1, lambda _, qualifier: bytes((qualifier & 0xFF,)), lambda raw: (0, raw[0]))
_NOTHING = Element(0, lambda _, __: b"", lambda _: (0, 0))
_PATTERN = Element(2, lambda value, _: int(value).to_bytes(2, "little"), lambda raw: (int.from_bytes(raw, "little"), 0))


def _tagged(element: Element) -> Element:
    return Element(element.size, element.pack, element.unpack, is_tagged=True)


ELEMENTS: dict[int, Element] = {
    Type.M_SP_NA_1: _SINGLE,
    Type.M_DP_NA_1: _DOUBLE,
    Type.M_ST_NA_1: _STEP,
    Type.M_BO_NA_1: _BITS,
    Type.M_ME_NA_1: _NORMALISED,
    Type.M_ME_NB_1: _SCALED,
    Type.M_ME_NC_1: _FLOAT,
    Type.M_IT_NA_1: _COUNTER,
    Type.M_ME_ND_1: _ONLY_NORMALISED,
    Type.M_SP_TB_1: _tagged(_SINGLE),
    Type.M_DP_TB_1: _tagged(_DOUBLE),
    Type.M_ST_TB_1: _tagged(_STEP),
    Type.M_BO_TB_1: _tagged(_BITS),
    Type.M_ME_TD_1: _tagged(_NORMALISED),
    Type.M_ME_TE_1: _tagged(_SCALED),
    Type.M_ME_TF_1: _tagged(_FLOAT),
    Type.M_IT_TB_1: _tagged(_COUNTER),
    Type.C_SC_NA_1: _ORDER_1,
    Type.C_DC_NA_1: _ORDER_2,
    Type.C_RC_NA_1: _ORDER_2,
    Type.C_SE_NA_1: _NORMALISED,
    Type.C_SE_NB_1: _SCALED,
    Type.C_SE_NC_1: _FLOAT,
    Type.C_BO_NA_1: _ONLY_BITS,
    Type.C_SC_TA_1: _tagged(_ORDER_1),
    Type.C_DC_TA_1: _tagged(_ORDER_2),
    Type.C_RC_TA_1: _tagged(_ORDER_2),
    Type.C_SE_TA_1: _tagged(_NORMALISED),
    Type.C_SE_TB_1: _tagged(_SCALED),
    Type.C_SE_TC_1: _tagged(_FLOAT),
    Type.C_BO_TA_1: _tagged(_ONLY_BITS),
    Type.M_EI_NA_1: _QUALIFIER,
    Type.C_IC_NA_1: _QUALIFIER,
    Type.C_CI_NA_1: _QUALIFIER,
    Type.C_RD_NA_1: _NOTHING,
    Type.C_CS_NA_1: _tagged(_NOTHING),
    Type.C_TS_NA_1: _PATTERN,
    Type.C_RP_NA_1: _QUALIFIER,
    Type.C_TS_TA_1: _tagged(_PATTERN),
}
"""The element of each type that is known here."""

UNTAGGED: dict[int, int] = {
    Type.C_SC_TA_1: Type.C_SC_NA_1,
    Type.C_DC_TA_1: Type.C_DC_NA_1,
    Type.C_RC_TA_1: Type.C_RC_NA_1,
    Type.C_SE_TA_1: Type.C_SE_NA_1,
    Type.C_SE_TB_1: Type.C_SE_NB_1,
    Type.C_SE_TC_1: Type.C_SE_NC_1,
    Type.C_BO_TA_1: Type.C_BO_NA_1,
    Type.C_TS_TA_1: Type.C_TS_NA_1,
}
"""Commands with a time tag, and the same without."""

TAGGED: dict[int, Type] = {
    Type.M_SP_NA_1: Type.M_SP_TB_1,
    Type.M_DP_NA_1: Type.M_DP_TB_1,
    Type.M_ST_NA_1: Type.M_ST_TB_1,
    Type.M_ME_NC_1: Type.M_ME_TF_1,
    Type.M_IT_NA_1: Type.M_IT_TB_1,
}
"""What a station tells, and the same with a time tag."""
