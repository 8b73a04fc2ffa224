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


@dataclass(frozen=True)
class Moved:
    """Registers of what devices moved on request, and the last set-points that asked, of those meters, ascending, where they are not as in `base`.

    base: those of an earlier quarter hour, which has none itself; None stands for nothing moved and nobody who asked.
    """

    meter: npt.NDArray[np.int32]
    kwh: Floats
    asked_by: Ints
    base: Moved | None = None

    @classmethod
    def of(cls, kwh: Floats, asked_by: Ints, before: Moved | None = None) -> Moved:
        """Of all meters; before: those of the quarter hour before, of which little has changed as a rule."""
        base = None if before is None else before.base or before
        if base is not None:
            was_kwh, was_asked_by = np.zeros(len(kwh)), np.full(len(kwh), NOBODY, dtype=np.int64)
            was_kwh[base.meter], was_asked_by[base.meter] = base.kwh, base.asked_by
            found = np.flatnonzero((kwh != was_kwh) | (asked_by != was_asked_by))
            if _MUCH * len(found) <= len(base.meter):
                return cls(found.astype(np.int32), kwh[found], asked_by[found], base)
        found = np.flatnonzero((kwh != 0.0) | (asked_by != NOBODY))
        return cls(found.astype(np.int32), kwh[found], asked_by[found])

    def at(self, meters: Ints) -> tuple[Floats, Ints]:
        """Of some meters."""
        if self.base is not None:
            kwh, asked_by = self.base.at(meters)
        else:
            kwh, asked_by = np.zeros(len(meters)), np.full(len(meters), NOBODY, dtype=np.int64)
        place = np.searchsorted(self.meter, meters)
        place[place == len(self.meter)] = 0
        if len(self.meter):
            here = self.meter[place] == meters
            kwh[here], asked_by[here] = self.kwh[place[here]], self.asked_by[place[here]]
        return kwh, asked_by


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
