"""Inverters that answer the frequency: they give less where it is high and, where something stands behind them that can, more where it is low.

Source: IEEE 1547-2018, 6.5.2.7: frequency-droop by table 23, with the settings of table 24; frequency-watt curves as SunSpec model 134 and IEEE 2030.5 `opModFreqWatt` have them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.inverters import Function, Mode
from heptagrid.planes.power.controls.inverters import left

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_ROUNDING_HZ = 1e-9
_REACHED = 0.001
"""Of the rated power: an answer that has come so near to what is offered again is over, as in EPRI's OpenDER."""


class Frequency(NamedTuple):
    """What inverters find when a step begins. hz: that they measure; least_kw, most_kw: (inverters,) what each could give in the step, below 0 be charged."""

    hz: float
    least_kw: Floats
    most_kw: Floats


class _Followed(NamedTuple):
    """A function and the inverters that follow it, with the least power of its intervals, of their ratings."""

    function: Function
    rows: Ints
    least: Floats


class FrequencyResponse:
    """What inverters make of their offers under the frequency, (inverters,). It is approached at the functions' response times, as a first-order lag of the power."""

    def __init__(self, rated_kw: Floats, nominal_hz: float) -> None:
        count = len(rated_kw)
        self._rated_kw, self._nominal_hz = rated_kw, nominal_hz
        self._followed: list[_Followed] = []
        self._is_acting = np.zeros(count, dtype=np.bool_)
        self._answer_kw = np.zeros(count)  # of those that act
        self._side = np.zeros(count, dtype=np.int64)  # 1 above the dead band, -1 below it
        self._before_kw = np.zeros(count)  # when the frequency left the dead band
        self._fed_kw = np.full(count, np.nan)

    @property
    def is_followed(self) -> bool:
        """Whether an inverter answers the frequency."""
        return bool(self._followed)

    def follow(self, functions: Sequence[Function], follows: Ints, least: Floats) -> None:
        """From now on each inverter follows one of the functions, (inverters,); those of other modes answer nothing. least: (inverters,) least power under droop, of the rating."""
        self._followed = [
            _Followed(functions[k], rows := np.flatnonzero(follows == k), least[rows])
            for k in np.unique(follows)
            if functions[k].mode in (Mode.FREQUENCY_DROOP, Mode.FREQUENCY_WATT) and len(functions[k].x)
        ]
        others = np.ones(len(follows), dtype=np.bool_)
        for one in self._followed:
            others[one.rows] = False
        self._is_acting[others], self._side[others], self._fed_kw[others] = False, 0, np.nan

    def answered(self, step_s: float, offered_kw: Floats, found: Frequency) -> Floats:
        """What inverters offer in a step under the frequency, (inverters,), of what they would offer by themselves."""
        answered_kw = offered_kw.copy()
        for one in self._followed:
            rows, offered = one.rows, offered_kw[one.rows]
            droops = one.function.mode == Mode.FREQUENCY_DROOP
            wanted, acts = self._by_droop(one, offered, found) if droops else self._by_curve(one, offered, found.hz)
            before = np.where(self._is_acting[rows], self._answer_kw[rows], self._last_kw(rows, offered))
            is_on_its_way = self._is_acting[rows] & (np.abs(before - wanted) > _REACHED * self._rated_kw[rows])
            answer = wanted + float(left(np.array(one.function.response_s), step_s)) * (before - wanted)
            self._is_acting[rows] = acts | is_on_its_way
            self._answer_kw[rows] = answer
            within = np.minimum(np.maximum(answer, found.least_kw[rows]), found.most_kw[rows])
            answered_kw[rows] = np.where(self._is_acting[rows], within, offered)
        return answered_kw

    def end_step(self, fed_kw: Floats) -> None:
        """Keep what was fed, (inverters,): when the frequency leaves the dead band, the power before the disturbance."""
        for one in self._followed:
            self._fed_kw[one.rows] = fed_kw[one.rows]

    def _last_kw(self, rows: Ints, offered_kw: Floats) -> Floats:
        """What was fed in the last step, or is offered by those that have just begun."""
        return np.where(np.isnan(self._fed_kw[rows]), offered_kw, self._fed_kw[rows])

    def _by_droop(self, one: _Followed, offered_kw: Floats, found: Frequency) -> tuple[Floats, Bools]:
        """Table 23, and whether it holds: the power before the disturbance, less or more by the deviation beyond the dead band over the droop."""
        rows, rated_kw = one.rows, self._rated_kw[one.rows]
        deviation = found.hz - self._nominal_hz
        (band_below, band_above), (droop_below, droop_above) = one.function.x, one.function.y
        side = int(deviation > band_above + _ROUNDING_HZ) - int(deviation < band_below - _ROUNDING_HZ)
        is_new = self._side[rows] != side
        self._before_kw[rows] = np.where(is_new, self._last_kw(rows, offered_kw), self._before_kw[rows])
        self._side[rows] = side
        acts = np.full(len(rows), side != 0)
        if not side:
            return offered_kw, acts
        beyond_hz, droop = (deviation - band_above, droop_above) if side > 0 else (deviation - band_below, droop_below)
        wanted_kw = self._before_kw[rows] - beyond_hz / (self._nominal_hz * droop) * rated_kw
        least_kw = np.maximum(one.least * rated_kw, found.least_kw[rows])
        return np.minimum(np.maximum(wanted_kw, least_kw), found.most_kw[rows]), acts

    def _by_curve(self, one: _Followed, offered_kw: Floats, hz: float) -> tuple[Floats, Bools]:
        """The most that the curve allows, and whether that is less than what is offered."""
        highest_kw = float(np.interp(hz, one.function.x, one.function.y)) * self._rated_kw[one.rows]
        return np.minimum(offered_kw, highest_kw), highest_kw < offered_kw
