"""Values of many devices of a kind as registers: physical values in columns, scale factors applied, nothing where a value is not a number."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from heptagrid.live.protocols.modbus.layout import SIGNED, Point, RegisterMap

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint16]
Values = Mapping[str, "Floats | Ints | float | int | list[str]"]

_BITS = {1: 16, 2: 32, 4: 64}


class Scales:
    """The scale factors of some devices of a kind: powers of ten by the name of their point, (devices,) each."""

    def __init__(self, given: Mapping[str, Ints | int], devices: int) -> None:
        self.given = given
        self._factor = {
            name: 10.0 ** -np.broadcast_to(np.asarray(power, dtype=np.float64), devices)
            for name, power in given.items()
        }

    def factor(self, point: Point) -> Floats | float:
        """What a physical value is multiplied with."""
        if not point.scale:
            return 1.0
        if point.scale in self._factor:
            return self._factor[point.scale]
        return 10.0 ** -int(point.scale)


def put(registers: Words, layout: RegisterMap, values: Values, scales: Scales) -> None:
    """Write values, each one number or (devices,), into (devices, registers)."""
    for name, value in values.items():
        point = layout.points[name]
        if isinstance(value, list):
            _put_texts(registers, point, value)
        else:
            _put_numbers(registers, point, np.asarray(value, dtype=np.float64), scales.factor(point))


def _put_texts(registers: Words, point: Point, texts: list[str]) -> None:
    size = 2 * point.registers
    joined = b"".join(text.encode("ascii", "replace")[:size].ljust(size, b"\0") for text in texts)
    words = np.frombuffer(joined, dtype=">u2").reshape(len(texts), point.registers)
    registers[:, point.at : point.at + point.registers] = words


def _put_numbers(registers: Words, point: Point, value: Floats, factor: Floats | float) -> None:
    scaled = np.rint(value * factor) if not isinstance(factor, float) or factor != 1.0 else np.rint(value)
    bits = _BITS[point.registers]
    if point.type.startswith("acc"):
        raw = np.where(np.isnan(scaled), 0.0, np.mod(scaled, 2.0 ** min(bits, 63)))
    elif point.type in SIGNED:
        # The lowest number of all means that nothing is there.
        most = float(2 ** (bits - 1) - 1)
        raw = np.where(np.isnan(scaled), -most - 1.0, np.minimum(np.maximum(scaled, -most), most))
    else:
        # The highest number of all means that nothing is there; 64 bits are more than a float counts exactly.
        nothing = float(2**bits - 1)
        raw = np.where(np.isnan(scaled), nothing, np.minimum(np.maximum(scaled, 0.0), nothing - 1.0))
    if point.registers == 1:
        registers[:, point.at] = raw.astype(np.int64).astype(np.uint16)
        return
    if bits == 64:
        whole = np.minimum(raw, 9e18).astype(np.int64)
        is_nothing = np.isnan(scaled)
    else:
        whole, is_nothing = raw.astype(np.int64), None
    for k in range(point.registers):
        word = (whole >> (16 * (point.registers - 1 - k))) & 0xFFFF
        registers[:, point.at + k] = word.astype(np.uint16)
    if is_nothing is not None and is_nothing.any():
        at = slice(point.at, point.at + point.registers)
        registers[:, at] = np.where(np.atleast_1d(is_nothing)[:, None], point.nothing, registers[:, at])


def number(point: Point, registers: bytes) -> int | None:
    """What a point's registers say, unscaled; None where they say that nothing is there."""
    if registers == point.nothing.astype(">u2").tobytes() and not point.type.startswith("acc"):
        return None
    return int.from_bytes(registers, "big", signed=point.type in SIGNED)


def power_of_ten(most: Floats | float, highest: float, finest: int) -> Ints:
    """The least scale factor, not below `finest`, with which values up to `most` stay within `highest`."""
    with np.errstate(divide="ignore"):
        needed = np.ceil(np.log10(np.maximum(np.asarray(most, dtype=np.float64), 1e-9) / highest))
    return np.maximum(needed, finest).astype(np.int64)
