"""Inverters of photovoltaics and batteries: their reactive power by a standing function of the scenario, or by one that a message brought.

An inverter answers the voltage at its own metering point; which voltage that is, and so what it feeds, comes of the power flow
(`planes.power.controls.inverters`). The frequency is the same everywhere: what it takes off an inverter's offer is known before
(`frequency_response`). Where all stand at unity power factor and none answers the frequency, nothing of this takes part in a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.inverters import Function, Mode
from heptagrid.domains.customers.frequency_response import Frequency, FrequencyResponse
from heptagrid.domains.customers.standing_function import Parameters, standing
from heptagrid.foundation.time import Step
from heptagrid.planes.power.controls.ieee1547 import CAPABILITY
from heptagrid.planes.power.controls.inverters import end_step, left
from heptagrid.world.inverter_bank import Bank, PointInverters

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_NEVER = np.iinfo(np.int64).max
VAR, WATT, FREQUENCY, DRAWN = 0, 1, 2, 3
"""What a function sets: the vars, the highest active power, the answer to the frequency, or the power factor while power is drawn."""
_KINDS = 4


class Rows(NamedTuple):
    """A class of devices with inverters, (devices,) each. is_standing: whether they follow the scenario's function."""

    point: Ints
    rated_kw: Floats
    is_standing: bool


class _Waiting(NamedTuple):
    """An interval of a function that has not begun."""

    begin_ns: int
    end_ns: int
    rows: Ints
    value: float
    function: Function


class Inverters:
    """All inverters as arrays, a class after the other.

    classes: their names. rated_kva: (inverters,). q_kvar: (inverters,) fed in the last step. p_kw: (inverters,) likewise, in the last one in which there was a function. at_points: as the power flow takes them; None while none has a function.
    """

    def __init__(self, parameters: Parameters, classes: Mapping[str, Rows], nominal_hz: float = 50.0) -> None:
        ends = np.cumsum([0, *(len(rows.point) for rows in classes.values())])
        self._rows = {name: slice(int(ends[k]), int(ends[k + 1])) for k, name in enumerate(classes)}
        self.classes = tuple(classes)
        self.point: Ints = np.concatenate([rows.point for rows in classes.values()])
        self._rated_kw: Floats = np.concatenate([rows.rated_kw for rows in classes.values()])
        self.rated_kva = self._rated_kw * parameters.kva_per_kw
        count = len(self.point)
        self.p_kw, self.q_kvar = np.zeros(count), np.zeros(count)
        self.at_points: PointInverters | None = None
        capability = CAPABILITY[parameters.category_1547]
        self._most_inject_kvar = capability.inject * self.rated_kva
        self._most_absorb_kvar = capability.absorb * self.rated_kva
        self._functions: list[Function] = list(standing(parameters))
        is_standing = np.concatenate([np.full(len(rows.point), rows.is_standing) for rows in classes.values()])
        # The first functions, one of each kind, set nothing; the next ones are the scenario's.
        self._standing = np.stack([np.where(is_standing, _KINDS + kind, kind) for kind in range(_KINDS)])
        self._own_value = np.array([one.value[0] for one in self._functions[_KINDS:]])
        self._follows = self._standing.copy()
        self._value = np.repeat(self._own_value[:, None], count, axis=1)
        self._until_ns = np.zeros((_KINDS, count), dtype=np.int64)
        self._ends_ns = _NEVER  # the first end of a function that came
        self._waiting: list[_Waiting] = []
        self._is_stale = True
        self.nominal_hz, self._offered_kw = nominal_hz, np.zeros(count)
        self._response = FrequencyResponse(self._rated_kw, nominal_hz)

    @property
    def answer_frequency(self) -> bool:
        """Whether one of them answers the frequency."""
        return self._response.is_followed

    def rows(self, name: str) -> slice:
        """Where a class stands among all."""
        return self._rows[name]

    def take(self, name: str, function: Function) -> None:
        """A function has arrived at devices of a class."""
        rows, which = function.device + self._rows[name].start, _sets(function)
        kept = [(one, ~np.isin(one.rows, rows) | (_sets(one.function) != which)) for one in self._waiting]
        self._waiting = [one._replace(rows=one.rows[k]) for one, k in kept if k.any()]
        if not len(function.begin_ns):
            self._until_ns[which, rows] = np.minimum(self._until_ns[which, rows], 1)  # it ends with the next step
            self._ends_ns = 1
            return
        ends_ns = [*function.begin_ns[1:].tolist(), function.until_ns]
        for begin_ns, end_ns, value in zip(function.begin_ns.tolist(), ends_ns, function.value.tolist(), strict=True):
            self._waiting.append(_Waiting(begin_ns, end_ns, rows, value, function))

    def take_part(self, step: Step) -> bool:
        """Let functions begin and end; whether there is one that sets anything, so that the step needs what is offered."""
        self._renew(step.start_ns)
        return self.at_points is not None

    def offer(
        self, step: Step, offered_kw: Floats, supplied: Bools, p_kw: Floats, frequency: Frequency | None = None
    ) -> None:
        """Say what the inverters could feed in a step, (inverters,), and take it off the points' net draw `p_kw`, (points,), until the power flow says what they feed. frequency: None where it is nominal."""
        is_needed = self.take_part(step)
        self.p_kw[:] = offered_kw
        self.q_kvar[:] = 0.0
        if not is_needed:
            return
        assert self.at_points is not None
        bank = self.at_points.bank
        self._offered_kw = offered_kw
        answered_kw = self._response.answered(step.dt_s, offered_kw, frequency) if frequency else offered_kw
        bank.available_kw[:] = answered_kw
        bank.is_on[:] = supplied[self.point]
        bank.limit_left[:] = left(self._response_s[WATT], step.dt_s)
        bank.q_left[:] = left(self._response_s[VAR], step.dt_s)
        p_kw += np.bincount(self.point, offered_kw, len(p_kw))

    def feed(self, p_kw: Floats, q_kvar: Floats) -> Floats | None:
        """Add what the inverters have fed to the points' net draws, (points,); what of their offers they have not, (inverters,), or None where they have fed all."""
        if self.at_points is None:
            return None
        bank = self.at_points.bank
        end_step(bank)
        p_kw -= np.bincount(self.point, bank.p_kw, len(p_kw))
        q_kvar -= np.bincount(self.point, bank.q_kvar, len(q_kvar))
        less_kw: Floats = self._offered_kw - bank.p_kw
        self.p_kw[:], self.q_kvar[:] = bank.p_kw, bank.q_kvar
        self._response.end_step(bank.p_kw)
        return np.where(bank.is_on, less_kw, 0.0)

    def _renew(self, now_ns: int) -> None:
        """Let functions begin and end."""
        for one in self._waiting:
            if one.begin_ns <= now_ns < one.end_ns:
                self._follow(one)
        self._waiting = [one for one in self._waiting if one.begin_ns > now_ns]
        if self._ends_ns <= now_ns:
            is_over = (self._until_ns != 0) & (self._until_ns <= now_ns)
            self._until_ns[is_over] = 0
            self._ends_ns = int(self._until_ns.min(where=self._until_ns != 0, initial=_NEVER))
            self._follows[is_over] = self._standing[is_over]
            self._value[is_over] = np.broadcast_to(self._own_value[:, None], is_over.shape)[is_over]
            self._is_stale = True
        if self._is_stale:
            self._is_stale = False
            self._forget()
            self._make()

    def _follow(self, one: _Waiting) -> None:
        which = _sets(one.function)
        self._follows[which, one.rows] = len(self._functions)
        self._functions.append(one.function)
        self._value[which, one.rows] = one.value
        self._until_ns[which, one.rows] = one.end_ns
        self._ends_ns = min(self._ends_ns, one.end_ns)
        self._is_stale = True

    def _forget(self) -> None:
        """Keep the functions that somebody follows, and the first ones."""
        used = np.union1d(np.arange(2 * _KINDS), self._follows)
        self._functions = [self._functions[k] for k in used]
        self._follows = np.searchsorted(used, self._follows)

    def _make(self) -> None:
        """Give the power flow the functions as they are now."""
        modes = np.array([one.mode for one in self._functions])
        has_curve = np.array([len(one.x) > 0 for one in self._functions])
        var, watt, frequency, _ = self._follows
        mode = modes[var]
        self._response.follow(self._functions, frequency, self._value[FREQUENCY])
        is_set = mode.any() or has_curve[watt].any() or self._value[DRAWN].any()
        if not (is_set or self.answer_frequency):
            self.at_points = None
            self.q_kvar[:] = 0.0
            return
        response_s = np.array([one.response_s for one in self._functions])
        self._response_s = np.where(has_curve[self._follows], response_s[self._follows], 0.0)
        has_factor = np.isin(mode, (Mode.POWER_FACTOR, Mode.POWER_FACTOR_GIVING))
        count = len(self.point)
        factor = np.where(has_factor, self._value[VAR], 1.0)
        before = self.at_points.bank if self.at_points else None
        volt_var, watt_var, volt_watt = (
            self._curves(which, modes == one)
            for which, one in ((VAR, Mode.VOLT_VAR), (VAR, Mode.WATT_VAR), (WATT, Mode.VOLT_WATT))
        )
        bank = Bank(
            rated_kw=self._rated_kw,
            rated_kva=self.rated_kva,
            most_inject_kvar=self._most_inject_kvar,
            most_absorb_kvar=self._most_absorb_kvar,
            q_base_kvar=self.rated_kva,
            q_per_kw=_per_kw(factor),
            q_per_kw_drawn=self._drawn(mode),
            q_set_kvar=np.where(mode == Mode.VAR, self._value[VAR], 0.0) * self.rated_kva,
            has_watt_priority=np.array([one.has_watt_priority != 0 for one in self._functions])[var],
            volt_var_at=volt_var[0],
            volt_var_v_pu=volt_var[1],
            volt_var_q_pu=volt_var[2],
            volt_watt_at=volt_watt[0],
            volt_watt_v_pu=volt_watt[1],
            volt_watt_p_pu=volt_watt[2],
            watt_var_at=watt_var[0],
            watt_var_p_pu=watt_var[1],
            watt_var_q_pu=watt_var[2],
            share=np.ones(count),
            is_on=np.ones(count, dtype=np.bool_),
            available_kw=np.zeros(count),
            seen_pu=before.seen_pu if before else np.ones(count),
            p_kw=np.zeros(count),
            q_kvar=np.zeros(count),
            start_limit_kw=before.start_limit_kw if before else self._rated_kw.copy(),
            start_q_kvar=before.start_q_kvar if before else np.zeros(count),
            limit_left=np.zeros(count),
            q_left=np.zeros(count),
        )
        self.at_points = PointInverters(self.point, bank)

    def _drawn(self, mode: Ints) -> Floats:
        """Vars for each kW that is drawn, (inverters,), where something sets them apart."""
        factor = self._value[DRAWN]
        own = np.where(mode == Mode.POWER_FACTOR_GIVING, 0.0, np.nan)
        return np.where(factor != 0.0, _per_kw(np.where(factor != 0.0, factor, 1.0)), own)

    def _curves(self, which: int, is_of_mode: Bools) -> tuple[Ints, Floats, Floats]:
        """Where each inverter's points of a kind of curve begin, (inverters + 1,), and the points."""
        lengths = np.array([len(one.x) for one in self._functions])
        first = np.cumsum(lengths) - lengths
        follows = self._follows[which]
        length = np.where(is_of_mode, lengths, 0)[follows]
        at = np.concatenate([[0], np.cumsum(length)])
        place = np.arange(at[-1]) - np.repeat(at[:-1] - first[follows], length)
        x, y = (np.concatenate([getattr(one, name) for one in self._functions])[place] for name in ("x", "y"))
        return at, x, y


def _sets(function: Function) -> int:
    if function.mode in (Mode.FREQUENCY_WATT, Mode.FREQUENCY_DROOP):
        return FREQUENCY
    if function.mode == Mode.POWER_FACTOR_DRAWING:
        return DRAWN
    return WATT if function.mode == Mode.VOLT_WATT else VAR


def _per_kw(factor: Floats) -> Floats:
    """Vars for each kW at power factors; below 0 they are absorbed."""
    return np.sign(factor) * np.sqrt(1.0 / factor**2 - 1.0)
