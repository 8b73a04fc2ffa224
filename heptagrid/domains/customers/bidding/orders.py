"""What the local market, or a program from outside, gave each device of a class, until when it holds, and what comes after."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Orders(NamedTuple):
    """As kernels take it, (devices,) each.

    until_ns: before which instant `value` holds; without one the device works by itself. value: what the class's rule makes of a price, or where `is_power`
    says so the power itself, in kW. own_kw: what each drew in the last step whatever the price. flexible_kw: what it drew besides; both are the device's to write.
    """

    until_ns: Ints
    value: Floats
    own_kw: Floats
    flexible_kw: Floats
    is_power: Bools


class OrderBook:
    """The same, as prices and orders arrive: what is for an interval to come waits for it."""

    def __init__(self, devices: int) -> None:
        times, value, own_kw, flexible_kw = np.zeros(devices, dtype=np.int64), *(np.zeros(devices) for _ in range(3))
        self.table = Orders(times, value, own_kw, flexible_kw, np.zeros(devices, dtype=np.bool_))
        self._waiting: list[_Waiting] = []

    @property
    def drawn_kw(self) -> Floats:
        """(devices,) the power that each drew in the last step."""
        return self.table.own_kw + self.table.flexible_kw

    def place(self, begin_ns: int, end_ns: int, rows: Ints, value: Floats, *, is_power: bool = False) -> None:
        """Give devices, (k,), a value for an interval; one given later replaces it. is_power: whether it is the power itself, in kW."""
        self._waiting.append(_Waiting(begin_ns, end_ns, rows, value, is_power))

    def withdraw(self, rows: Ints) -> None:
        """Take back from devices, (k,), what holds and what waits: they work by themselves again."""
        self.table.until_ns[rows] = 0
        kept = [(one, ~np.isin(one.rows, rows)) for one in self._waiting]
        self._waiting = [one._replace(rows=one.rows[k], value=one.value[k]) for one, k in kept if k.any()]

    def begin(self, now_ns: int) -> None:
        """A step begins: what is for its interval holds from now on."""
        for one in self._waiting:
            if one.begin_ns <= now_ns < one.end_ns:
                self.table.until_ns[one.rows], self.table.value[one.rows] = one.end_ns, one.value
                self.table.is_power[one.rows] = one.is_power
        if self._waiting:
            self._waiting = [one for one in self._waiting if one.begin_ns > now_ns]


class _Waiting(NamedTuple):
    begin_ns: int
    end_ns: int
    rows: Ints
    value: Floats
    is_power: bool
