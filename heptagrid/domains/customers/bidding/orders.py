"""What the local market gave each device of a class, until when it holds, and what comes after."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Orders(NamedTuple):
    """As kernels take it, (devices,) each.

    until_ns: before which instant `value` holds; without one the device works by itself. value: what the class's rule makes of a price. own_kw: what each drew in
    the last step whatever the price. flexible_kw: what it drew besides; both are the device's to write.
    """

    until_ns: Ints
    value: Floats
    own_kw: Floats
    flexible_kw: Floats


class OrderBook:
    """The same, as prices arrive: what is for an interval to come waits for it."""

    def __init__(self, devices: int) -> None:
        self.table = Orders(np.zeros(devices, dtype=np.int64), np.zeros(devices), np.zeros(devices), np.zeros(devices))
        self._waiting: list[tuple[int, int, Ints, Floats]] = []

    def place(self, begin_ns: int, end_ns: int, rows: Ints, value: Floats) -> None:
        """Give devices, (k,), a value for an interval; one given later replaces it."""
        self._waiting.append((begin_ns, end_ns, rows, value))

    def begin(self, now_ns: int) -> None:
        """A step begins: what is for its interval holds from now on."""
        for begin_ns, end_ns, rows, value in self._waiting:
            if begin_ns <= now_ns < end_ns:
                self.table.until_ns[rows], self.table.value[rows] = end_ns, value
        if self._waiting:
            self._waiting = [one for one in self._waiting if one[0] > now_ns]
