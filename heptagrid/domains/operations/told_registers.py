"""Registers as reads told them: where one follows from the read before it and the quarter hour's energy, it is not kept, for it can be added up again."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.merging import merged

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


class _Noted:
    """Registers (import, export) and messages of some meters, ascending."""

    def __init__(self) -> None:
        self.meter = np.empty(0, dtype=np.int32)
        self.kwh = np.empty((2, 0))
        self.message = np.empty(0, dtype=np.int64)

    def note(self, meters: Ints, kwh: Floats, messages: Ints) -> None:
        """Take those of some meters, each once; the last word counts."""
        origin = merged(self.meter, meters, np.ones(len(meters), dtype=np.bool_))
        self.meter = np.concatenate([self.meter, meters], dtype=np.int32, casting="same_kind")[origin]
        self.kwh = np.concatenate([self.kwh, kwh], axis=1)[:, origin]
        self.message = np.concatenate([self.message, messages])[origin]

    def find(self, meters: Ints) -> tuple[Ints, Ints]:
        """Which of some meters are here, and where."""
        place = np.searchsorted(self.meter, meters)
        which = np.flatnonzero(place < len(self.meter))
        which = which[self.meter[place[which]] == meters[which]]
        return which, place[which]


class ToldRegisters:
    """Import and export registers at the end of what was read, in kWh; 0 when the store begins.

    A read in its order, whose register is that of the read before plus its own energy, leaves nothing here. Others, those after a gap among them, leave
    their registers and message.
    """

    def __init__(self, meters: int) -> None:
        self._last_kwh = np.zeros((2, meters))  # of the youngest read of each, and its quarter hour
        self._last_quarter = np.full(meters, -1, dtype=np.int32)
        self._before_kwh = np.zeros((2, meters))  # before the oldest quarter hour that is kept, estimates included
        self._noted: dict[int, _Noted] = {}

    def begin(self, quarter: int) -> None:
        """The store begins with a quarter hour."""
        self._last_quarter[:] = quarter - 1

    def receive(
        self,
        quarter: int,
        meters: Ints,
        energies_kwh: tuple[Floats32, Floats32],
        told_kwh: tuple[Floats, Floats],
        messages: Ints,
    ) -> None:
        """Take registers (import, export), (k,) each, at the end of a quarter hour, its energies likewise, and the messages, (k,)."""
        strays = _strays(quarter, meters, *energies_kwh, *told_kwh, self._last_kwh, self._last_quarter)
        if len(strays):
            told = np.stack([one[strays] for one in told_kwh])
            self._noted.setdefault(quarter, _Noted()).note(meters[strays], told, messages[strays])

    def carry(self, quarter: int, energies_kwh: np.ndarray, is_known: Bools) -> None:
        """Take a quarter hour into what lies before the oldest one: energies (2, meters) where they were read or estimated."""
        self._before_kwh += np.where(is_known, energies_kwh, 0.0)
        if quarter in self._noted:
            noted = self._noted[quarter]
            self._before_kwh[:, noted.meter] = noted.kwh

    def forget(self, quarter: int) -> None:
        """Drop what was told of a quarter hour."""
        self._noted.pop(quarter, None)

    def before(self, meters: Ints) -> Floats:
        """(2, k) those of some meters before the oldest quarter hour."""
        return self._before_kwh[:, meters]

    def after(
        self, quarter: int, meters: Ints, before_kwh: Floats, energies_kwh: np.ndarray, was_read: Bools
    ) -> Floats:
        """(2, k) at the end of a quarter hour, from those at its begin; of who was not read they stay."""
        found = before_kwh + np.where(was_read, energies_kwh, 0.0)
        if quarter in self._noted:
            noted = self._noted[quarter]
            which, place = noted.find(meters)
            found[:, which] = noted.kwh[:, place]
        return found

    def messages(self, quarter: int, meters: Ints) -> Ints:
        """The messages of reads that ended gaps, (k,); -1 of the others'."""
        found = np.full(len(meters), -1, dtype=np.int64)
        if quarter in self._noted:
            which, place = self._noted[quarter].find(meters)
            found[which] = self._noted[quarter].message[place]
        return found


@kernel
def _strays(quarter, meters, import_kwh, export_kwh, told_import, told_export, last_kwh, last_quarter):  # type: ignore[no-untyped-def]
    """Which of the reads, (k,), have registers that do not follow from the read before; the youngest read of each meter is brought up to date."""
    strays = np.empty(meters.shape[0], dtype=np.int64)
    count = 0
    for k in range(meters.shape[0]):
        meter = meters[k]
        if (
            last_quarter[meter] != quarter - 1
            or last_kwh[0, meter] + import_kwh[k] != told_import[k]
            or last_kwh[1, meter] + export_kwh[k] != told_export[k]
        ):
            strays[count] = k
            count += 1
        if last_quarter[meter] < quarter:
            last_quarter[meter] = quarter
            last_kwh[0, meter], last_kwh[1, meter] = told_import[k], told_export[k]
    return strays[:count]
