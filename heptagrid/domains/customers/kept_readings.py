"""What meters keep of the last day: quarter hours' energies, from which their registers follow, and the readings that were due."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.shared_row import SharedRow

Floats32 = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NOBODY = -1
"""Where no set-point has asked."""
_MUCH = 4  # once more than one in so many of a base differ, there is a new one


class KeptEnergies(Mapping[int, tuple[Floats32, Floats32]]):
    """Energies (import, export) by quarter hour, (points,) each in 32 bits, of so many quarter hours; registers are their sums, in the order in which they were counted."""

    def __init__(self, points: int, most: int) -> None:
        self._most = most
        self._rows: dict[int, tuple[SharedRow, SharedRow]] = {}
        self._before = np.zeros(points), np.zeros(points)  # registers before the oldest that is kept

    def close(self, quarter: int, import_kwh: Floats32, export_kwh: Floats32) -> None:
        """Keep a quarter hour's arrays, which nobody writes to from now on, and leave the oldest."""
        self._rows[quarter] = SharedRow(len(import_kwh), import_kwh), SharedRow.of(export_kwh)
        if left := self._rows.pop(quarter - self._most, None):
            for register, energy in zip(self._before, left, strict=True):
                register += energy.all()

    def __getitem__(self, quarter: int) -> tuple[Floats32, Floats32]:
        imported, exported = self._rows[quarter]
        return imported.all(), exported.all()

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def as_it_is(self) -> Mapping[int, tuple[Floats32, Floats32]]:
        """What is kept now, also once more has been kept."""
        found = KeptEnergies(len(self._before[0]), self._most)
        found._rows = dict(self._rows)
        return found

    def at(self, quarter: int, meters: Ints) -> tuple[Floats32, Floats32]:
        """Energies of some meters."""
        imported, exported = self._rows[quarter]
        return imported.at(meters), exported.at(meters)

    def registers(self, meters: Ints) -> RunningRegisters:
        """The registers of some meters, ascending, before the oldest quarter hour."""
        return RunningRegisters(self, meters, *(register[meters] for register in self._before))


class RunningRegisters:
    """Registers of some meters that are brought from quarter hour to quarter hour."""

    def __init__(self, kept: KeptEnergies, meters: Ints, import_kwh: Floats, export_kwh: Floats) -> None:
        self._kept, self._meters = kept, meters
        self._registers = import_kwh, export_kwh
        self._ahead = sorted(kept, reverse=True)

    def at(self, quarter: int, meters: Ints) -> tuple[Floats, Floats]:
        """Those of some of the meters at the end of a quarter hour, none before the one asked for last."""
        while self._ahead and self._ahead[-1] <= quarter:
            energies = self._kept.at(self._ahead.pop(), self._meters)
            for register, energy in zip(self._registers, energies, strict=True):
                register += energy
        which = np.searchsorted(self._meters, meters)
        return self._registers[0][which], self._registers[1][which]


class Moved:
    """Registers of what devices moved on request, and the last set-points that asked, of all meters at a quarter hour's end, kept as what has changed.

    A set-point asks many once an hour, and some move something in a quarter hour: so each is kept by itself.
    """

    def __init__(self, kwh: _Changed, asked_by: _Changed) -> None:
        self._kwh, self._asked_by = kwh, asked_by

    @classmethod
    def of(cls, kwh: Floats, asked_by: Ints, before: Moved | None = None) -> Moved:
        """Of all meters; before: those of the quarter hour before, of which little has changed as a rule."""
        return cls(
            _Changed.of(kwh, 0.0, None if before is None else before._kwh),
            _Changed.of(asked_by, NOBODY, None if before is None else before._asked_by),
        )

    def at(self, meters: Ints) -> tuple[Floats, Ints]:
        """Of some meters."""
        return self._kwh.at(meters), self._asked_by.at(meters)


@dataclass(frozen=True)
class _Changed:
    """A number of each meter, where it is not as in `base`.

    meter: those meters, ascending; more: (n,) what each has above `least`. base: an earlier quarter hour, which has none itself; None stands for `nothing` everywhere.
    """

    meter: npt.NDArray[np.int32]
    more: npt.NDArray[Any]
    least: int
    nothing: float
    base: _Changed | None = None

    @classmethod
    def of(cls, values: npt.NDArray[Any], nothing: float, before: _Changed | None) -> _Changed:
        """Of all meters, (n,) whole numbers or not."""
        base = None if before is None else before.base or before
        if base is not None:
            was = np.full(len(values), nothing, dtype=values.dtype)
            was[base.meter] = base._values
            found = np.flatnonzero(values != was)
            if _MUCH * len(found) <= len(base.meter):
                return cls(found.astype(np.int32), *_packed(values[found]), nothing, base)
        meter = np.flatnonzero(values != nothing).astype(np.int32)
        if base is not None and np.array_equal(meter, base.meter):
            meter = base.meter  # the same are asked again
        return cls(meter, *_packed(values[meter]), nothing)

    def at(self, meters: Ints) -> npt.NDArray[Any]:
        """Of some meters."""
        dtype = np.int64 if self.more.dtype.kind == "u" else self.more.dtype
        found = np.full(len(meters), self.nothing, dtype=dtype) if self.base is None else self.base.at(meters)
        place = np.searchsorted(self.meter, meters)
        place[place == len(self.meter)] = 0
        if len(self.meter):
            here = self.meter[place] == meters
            found[here] = self._values[place[here]]
        return found

    @property
    def _values(self) -> npt.NDArray[Any]:
        return self.more.astype(np.int64) + self.least if self.more.dtype.kind == "u" else self.more


def _packed(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], int]:
    """Whole numbers that lie close together in 32 bits, above the least of them; others as they are."""
    if values.dtype.kind == "f" or not len(values):
        return values, 0
    least = int(values.min())
    is_close = int(values.max()) - least < 1 << 32
    return ((values - least).astype(np.uint32), least) if is_close else (values, 0)


@dataclass(frozen=True)
class Readings:
    """Readings of a quarter hour, (n,) each: energies in 32 bits as messages carry them, registers at its end."""

    import_kwh: npt.NDArray[np.float32]
    export_kwh: npt.NDArray[np.float32]
    import_register_kwh: Floats
    export_register_kwh: Floats
    moved_kwh: Floats
    asked_by: Ints

    def of(self, which: Ints) -> Readings:
        """Some of them, ascending; of all it is the energies' own arrays, which nobody writes to."""
        if len(which) == len(self.import_kwh):
            return replace(
                self,
                import_register_kwh=self.import_register_kwh.copy(),
                export_register_kwh=self.export_register_kwh.copy(),
                moved_kwh=self.moved_kwh.copy(),
                asked_by=self.asked_by.copy(),
            )
        return Readings(*(column[which] for column in self.columns().values()))

    def columns(self) -> dict[str, Any]:
        """As columns of a message."""
        return {one.name: getattr(self, one.name) for one in fields(self)}
