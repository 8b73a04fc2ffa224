"""Where the points of SunSpec models stand in a device's registers, and what they hold where nothing is implemented.

The models are tables in `models/`, one a file, from the definitions that SunSpec publishes. Source: SunSpec Device Information Model Specification V1.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint16]

BASE = 40_000
"""The address of the first register, counted from 0; SunSpec's register 40001."""
END_MODEL = 0xFFFF

_NOTHING = {
    "int16": "8000",
    "uint16": "ffff",
    "enum16": "ffff",
    "bitfield16": "ffff",
    "count": "ffff",
    "pad": "8000",
    "sunssf": "8000",
    "int32": "80000000",
    "uint32": "ffffffff",
    "bitfield32": "ffffffff",
    "acc32": "00000000",
    "uint64": "ffffffffffffffff",
    "acc64": "0000000000000000",
}
SIGNED = {"int16", "int32", "sunssf"}


class Column(NamedTuple):
    """A line of a model's table."""

    name: str
    type: str
    registers: int
    scale: str
    is_writable: bool
    is_mandatory: bool


@dataclass(frozen=True)
class Point:
    """A point in a device's registers. at: its first one's place, counted from the first of all. scale: the name of the point with its scale factor, or a factor as a number, or empty."""

    name: str
    type: str
    registers: int
    at: int
    scale: str
    is_writable: bool
    is_mandatory: bool

    @property
    def nothing(self) -> Words:
        """What it holds where it is not implemented."""
        if self.type == "string":
            return np.zeros(self.registers, dtype=np.uint16)
        return np.frombuffer(bytes.fromhex(_NOTHING[self.type]), dtype=">u2").astype(np.uint16)


@lru_cache
def table(model: int) -> tuple[Column, ...]:
    """The points of a model, as they are published; those of a group that repeats have "[]" in their names."""
    text = files(__package__).joinpath(f"models/{model}.csv").read_text(encoding="utf-8")
    lines = [line.split(",") for line in text.splitlines()[2:]]
    return tuple(Column(n, t, int(r), s, access == "RW", mandatory == "M") for n, t, r, s, access, mandatory in lines)


class RegisterMap:
    """All registers of a kind of device: the mark "SunS", its models, and the end model.

    points: by "model.point", such as "103.W"; a module's is "160.module[0].DCW". template: (registers,) with models' numbers and lengths, and nothing else
    implemented. starting: the point of which each register is a part, (registers,), None for the mark's.
    """

    def __init__(self, models: Sequence[int], counts: Mapping[str, int]) -> None:
        """Lay out models one after the other; counts: how often a group repeats, by its name."""
        words: list[int] = [int.from_bytes(b"Su", "big"), int.from_bytes(b"nS", "big")]
        self.points: dict[str, Point] = {}
        self.starting: list[Point | None] = [None, None]
        for model in models:
            start = len(words)
            for one in _expanded(model, counts):
                point = Point(
                    f"{model}.{one.name}",
                    one.type,
                    one.registers,
                    len(words),
                    one.scale and (one.scale if _is_number(one.scale) else f"{model}.{one.scale}"),
                    one.is_writable,
                    one.is_mandatory,
                )
                self.points[point.name] = point
                self.starting += [point] * point.registers
                words += point.nothing.tolist()
            words[start : start + 2] = [model, len(words) - start - 2]
        words += [END_MODEL, 0]
        self.starting += [None, None]
        self.template: Words = np.array(words, dtype=np.uint16)

    def __len__(self) -> int:
        return len(self.template)


def _expanded(model: int, counts: Mapping[str, int]) -> Iterator[Column]:
    """A model's points with repeating groups written out, those within groups as well; how often one of a curve's repeats is counted by model, as "705.Pt"."""
    return _written_out(table(model), model, counts)


def _written_out(columns: Sequence[Column], model: int, counts: Mapping[str, int]) -> Iterator[Column]:
    k = 0
    while k < len(columns):
        name, repeats, _ = columns[k].name.partition("[]")
        if not repeats:
            yield columns[k]
            k += 1
            continue
        group = [one for one in columns[k:] if one.name.startswith(f"{name}[]")]
        own = name.rpartition(".")[2]
        for number in range(counts.get(f"{model}.{own}", counts.get(own, 1))):
            inner = [one._replace(name=one.name.replace("[]", f"[{number}]", 1)) for one in group]
            yield from _written_out(inner, model, counts)
        k += len(group)


def _is_number(text: str) -> bool:
    return text.lstrip("-").isdecimal()
