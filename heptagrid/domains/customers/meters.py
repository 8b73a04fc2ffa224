"""Smart meters: import and export registers, quarter-hour energies, and the readings they send.

Each meter sends a quarter hour's energies, and its registers at its end (ANSI C12.19 load profiles; 1-0:1.8.0 and 2.8.0 of IEC 62056-6-1),
at its own fixed offset within the reading window, so that the access network is not asked for everything at once. The meters' clocks are the simulator's.

A meter that has lost its supply waits, in case a recloser brings it back, then sends a last gasp, and falls silent when its
capacitor is empty. When supply is back it says so if it had sent a last gasp or had fallen silent, and sends the readings
that it could not send.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import metering
from heptagrid.domains.customers.kept_readings import KeptEnergies, Moved, Readings, RunningRegisters
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.random import Stream, uniforms
from heptagrid.foundation.time import NS_PER_QUARTER, NS_PER_S, Step
from heptagrid.world.endpoints import Endpoints

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_GOLDEN = (5.0**0.5 - 1.0) / 2.0
_KEPT = 106  # quarter hours that a visit could read: a day of 25 hours, and until it has been billed
_REMEMBERED = 96  # quarter hours whose readings a meter keeps: assumption, a day; meters keep weeks


@dataclass(frozen=True)
class Parameters:
    """When meters send readings and last gasps."""

    reading_window_s: float = parameter(
        840.0,
        info="time after each quarter hour over which the meters spread their readings",
        unit="s",
        low=1.0,
        high=880.0,
        source="assumption: within the next quarter hour, with a minute to spare",
    )
    last_gasp_hold_off_s: float = parameter(
        30.0,
        info="how long a meter has had no supply when it sends its last gasp; if supply is back before, it sends none",
        unit="s",
        low=0.0,
        high=3600.0,
        source="that meters wait out momentary interruptions: Aclara I-210+c, user's guide, chapter 5 (outage declaration "
        "period); 30 s: assumption, longer than the dead times of most reclosers",
    )
    power_up_s: float = parameter(
        60.0,
        info="time over which meters start and join their network when supply is back",
        unit="s",
        low=0.0,
        high=3600.0,
        source="assumption: start of the modem, then spread at random so that not all send at once",
    )
    reread_window_s: float = parameter(
        840.0,
        info="time after it over which they spread the readings that they could not send",
        unit="s",
        low=0.0,
        high=86400.0,
        source="assumption: as the window for readings",
    )


@dataclass(frozen=True)
class ClosedQuarter:
    """The last whole quarter hour: all registers at its end, and the energies (import, export) of it and those before that are kept, by quarter hour."""

    quarter: int
    import_register_kwh: Floats
    export_register_kwh: Floats
    energies_kwh: Mapping[int, tuple[Floats32, Floats32]]


class Meters:
    """Registers and quarter-hour energies of all metering points.

    A quarter hour's energies are counted in 32 bits, as messages carry them, and registers are their sums: what is told of a meter always adds up.
    import_kwh, export_kwh: (points,) of the last whole quarter hour, new arrays each time. register_*: (points,) since the start.
    sent: of what is rare the topic, what it answers to (ns), and the meters. clock_quarters: (points,) by how much each clock is ahead; never changed in place.
    """

    def __init__(
        self,
        parameters: Parameters,
        ids: Ints,
        endpoints: Endpoints,
        seed: int,
        last_gasp_s: float | Floats = 0.0,
        dead: Ints | None = None,
    ) -> None:
        """Set up; last_gasp_s: how long the capacitor of each lasts, or of all. `dead` meters never had supply, and are silent."""
        points = len(ids)
        self.register_import_kwh, self.register_export_kwh = np.zeros(points), np.zeros(points)
        self.import_kwh, self.export_kwh = np.zeros((2, points), dtype=np.float32)
        self._running_import, self._running_export = np.zeros(points), np.zeros(points)
        self._endpoints = endpoints
        share = np.asarray(uniforms(seed, int(Stream.METER_OFFSET), ids, 0))
        self._share = share
        self._parameters = parameters
        self._offset_ns = (share * parameters.reading_window_s * NS_PER_S).astype(np.int64)
        self._hold_off_ns = round(parameters.last_gasp_hold_off_s * NS_PER_S)
        self._last_gasp_ns = np.rint(np.broadcast_to(last_gasp_s, (points,)) * NS_PER_S).astype(np.int64)
        self._has_supply = np.ones(points, dtype=np.bool_)
        self._has_told = np.zeros(points, dtype=np.bool_)  # of the supply that it lacks now
        self._off_since_ns = np.zeros(points, dtype=np.int64)
        if dead is not None:
            self._has_supply[dead], self._has_told[dead] = False, True
        self._scheduled: list[_Due | _DueAgain] = []
        self._kept = KeptEnergies(points, _KEPT)
        self.sent: list[tuple[str, int, Ints]] = []
        self._is_stuck = np.zeros(points, dtype=np.bool_)
        self.clock_quarters = np.zeros(points, dtype=np.int64)
        self._closed: ClosedQuarter | None = None

    def stick(self, meter: int, is_stuck: bool) -> None:
        """A meter counts nothing from now on, or counts again."""
        self._is_stuck[meter] = is_stuck

    def set_clock(self, meter: int, quarters: int) -> None:
        """A meter's clock is so many quarter hours ahead of the time, and its readings are stamped so."""
        ahead = self.clock_quarters.copy()
        ahead[meter] = quarters
        self.clock_quarters = ahead

    def measure(self, step: Step, p_kw: Floats) -> None:
        """Count the step's energy; at the end of a quarter hour close it."""
        if self._is_stuck.any():
            p_kw = np.where(self._is_stuck, 0.0, p_kw)
        _count(p_kw, step.dt_s / 3600.0, self._running_import, self._running_export)
        if step.ends_quarter:
            self.import_kwh, self.export_kwh = (
                _close(self._running_import, self.register_import_kwh),
                _close(self._running_export, self.register_export_kwh),
            )
            quarter = step.end_ns // NS_PER_QUARTER - 1
            self._kept.close(quarter, self.import_kwh, self.export_kwh)

    @property
    def closed(self) -> ClosedQuarter | None:
        """The last whole quarter hour, made when it is first asked for; None before the first."""
        last = max(self._kept, default=None)
        if last is not None and (self._closed is None or self._closed.quarter != last):
            registers = self.register_import_kwh.copy(), self.register_export_kwh.copy()
            self._closed = ClosedQuarter(last, *registers, self._kept.as_it_is())
        return self._closed

    @property
    def counted_import_kwh(self) -> Floats:
        """(points,) what has been drawn since the start, to the end of the last step; what runs counts as it will when it is closed, so that a register never falls."""
        return self.register_import_kwh + self._running_import.astype(np.float32)

    @property
    def counted_export_kwh(self) -> Floats:
        """(points,) what has been fed in since the start, to the end of the last step."""
        return self.register_export_kwh + self._running_export.astype(np.float32)

    def day(self, first_quarter: int, quarters: int, points: slice | None = None) -> tuple[Floats32, Floats32]:
        """Import and export (kWh) of a day's quarter hours, (quarters, points) each, as counted, of all points or some; of the last day at most."""
        asked = range(first_quarter, first_quarter + quarters)
        if points is None:
            kept = [self._kept[quarter] for quarter in asked]
        else:
            ids = np.arange(points.start, points.stop)
            kept = [self._kept.at(quarter, ids) for quarter in asked]
        return np.stack([one[0] for one in kept]), np.stack([one[1] for one in kept])

    def send(self, step: Step, moved_kwh: Floats, asked_by: Ints, outbox: Outbox) -> None:
        """Send the closed quarter hour's energies to the head end; who is without supply keeps them for later.

        moved_kwh, asked_by : (points,) registers of what devices moved on request, and the last set-points that asked.
        """
        points = np.flatnonzero(self._has_supply)
        quarter = step.end_ns // NS_PER_QUARTER - 1
        due_ns = step.end_ns + self._offset_ns
        readings = Readings(
            self.import_kwh,
            self.export_kwh,
            self.register_import_kwh,
            self.register_export_kwh,
            moved_kwh,
            asked_by,
        )
        stamps = self.clock_quarters[points]
        for ahead in np.unique(stamps).tolist():
            mine = points[stamps == ahead]
            reading = metering.Reading(meter=mine, quarter=quarter + ahead, **readings.of(mine).columns())
            outbox.send(metering.READING.wave(reading, *self._from(mine), due_ns[mine]))
        self._scheduled = [old for old in self._scheduled if old.quarter > quarter - _REMEMBERED]
        before = next((one for one in reversed(self._scheduled) if isinstance(one, _Due)), None)
        has_supply = None if before is None else before.has_supply
        if has_supply is None or not np.array_equal(has_supply, self._has_supply):
            has_supply = self._has_supply.copy()
        moved = Moved.of(moved_kwh, asked_by, None if before is None else before.moved)
        self._scheduled.append(_Due(quarter, step.end_ns, has_supply, moved))

    def follow_supply(self, supplied: Bools, step: Step, outbox: Outbox) -> None:
        """Notice at the step's start who has lost supply and who has it again; send the last gasps due within the step."""
        if not self.may_speak_of(supplied):
            return
        now_ns = step.start_ns
        gone, back = np.flatnonzero(self._has_supply & ~supplied), np.flatnonzero(supplied & ~self._has_supply)
        self._has_supply[:] = supplied
        self._off_since_ns[gone] = now_ns
        self._send_last_gasps(step, outbox)
        if len(back):
            was_silent = now_ns - self._off_since_ns[back] >= self._last_gasp_ns[back]
            restored = back[self._has_told[back] | was_silent]
            self._has_told[back] = False
            if len(restored):
                up_ns = now_ns + (self._share[restored] * self._parameters.power_up_s * NS_PER_S).astype(np.int64)
                self.sent.append((metering.RESTORED.topic, now_ns, restored))
                supply = metering.Supply(restored, now_ns)
                outbox.send(metering.RESTORED.wave(supply, *self._from(restored), up_ns))
            self._send_missed(back, now_ns, outbox)

    def may_speak_of(self, supplied: Bools) -> bool:
        """Whether, with supply where `supplied` (points,) says, a meter has lost or regained it, or waits to send its last gasp."""
        if supplied.all() and self._has_supply.all():
            return False
        is_waiting = ~self._has_supply & ~self._has_told
        return bool(((self._has_supply != supplied) | is_waiting).any())

    def _send_last_gasps(self, step: Step, outbox: Outbox) -> None:
        """The last gasps of the meters whose hold-off ends within the step, one wave for each instant of lost supply."""
        waiting = np.flatnonzero(~self._has_supply & ~self._has_told)
        due = waiting[self._off_since_ns[waiting] + self._hold_off_ns < step.end_ns]
        self._has_told[due] = True
        able = due[self._hold_off_ns <= self._last_gasp_ns[due]]  # the capacitor of the others is empty before
        for of_ns in np.unique(self._off_since_ns[able]).tolist():
            meter = able[self._off_since_ns[able] == of_ns]
            at_ns = np.full(len(meter), of_ns + self._hold_off_ns)
            self.sent.append((metering.LAST_GASP.topic, of_ns, meter))
            outbox.send(metering.LAST_GASP.wave(metering.Supply(meter, of_ns), *self._from(meter), at_ns))

    def _send_missed(self, back: Ints, now_ns: int, outbox: Outbox) -> None:
        """The readings that `back` (n,) meters could not send; those whose time has not come yet, at their time."""
        window, registers = self._parameters, self._kept.registers(back)
        for number, one in enumerate(list(self._scheduled)):
            # A meter's readings lie apart from one another, as evenly as the golden ratio puts them.
            meter = one.of_these(back)
            share = (self._share[meter] + number * _GOLDEN) % 1.0
            after_s = window.power_up_s + share * window.reread_window_s
            at_ns = now_ns + (after_s * NS_PER_S).astype(np.int64)
            due_ns, was_sent = one.due_ns(meter, self._offset_ns), one.was_sent(meter)
            silent_ns = self._off_since_ns[meter] + np.where(was_sent, self._last_gasp_ns[meter], 0)
            is_past = due_ns < now_ns
            missed = (due_ns >= silent_ns) & (is_past | ~was_sent)
            if not missed.any():
                continue
            meter = meter[missed]
            readings = one.readings(meter, self._kept, registers)
            again = _DueAgain(one.quarter, meter, np.where(is_past, at_ns, due_ns)[missed], readings)
            self._scheduled.append(again)
            one.leave(meter)  # `again` stands for these from now on
            self.sent.append((metering.MISSED.topic, now_ns, meter))
            reading = metering.Missed(meter=meter, quarter=one.quarter, of_ns=now_ns, **readings.columns())
            outbox.send(metering.MISSED.wave(reading, *self._from(meter), again.due_ns(meter, self._offset_ns)))

    def send_registers(self, asked_ns: int, at_ns: Ints, outbox: Outbox) -> None:
        """Every meter that has supply sends its registers at its time, (points,), on demand of operations."""
        points = np.flatnonzero(self._has_supply)
        registers = metering.Registers(
            meter=points,
            import_kwh=self.counted_import_kwh[points],
            export_kwh=self.counted_export_kwh[points],
            of_ns=asked_ns,
        )
        self.sent.append((metering.ON_DEMAND.topic, asked_ns, points))
        outbox.send(metering.ON_DEMAND.wave(registers, *self._from(points), at_ns[points]))

    def _from(self, meters: Ints) -> tuple[Ints, int]:
        """Where meters send from, and where to: the head end."""
        return self._endpoints.gateways[meters], self._endpoints.operations


class _Due:
    """Readings of a quarter hour of all meters, each at its offset; what they hold is kept elsewhere. has_supply: (points,) who handed them over, never changed in place."""

    def __init__(self, quarter: int, end_ns: int, has_supply: Bools, moved: Moved) -> None:
        self.quarter = quarter
        self._end_ns, self.has_supply, self.moved = end_ns, has_supply, moved
        self._left: Bools | None = None

    def of_these(self, meters: Ints) -> Ints:
        """Those of some meters whose readings are still due by this."""
        return meters if self._left is None else meters[~self._left[meters]]

    def due_ns(self, meters: Ints, offset_ns: Ints) -> Ints:
        return self._end_ns + offset_ns[meters]

    def was_sent(self, meters: Ints) -> Bools:
        return self.has_supply[meters]

    def readings(self, meters: Ints, kept: KeptEnergies, registers: RunningRegisters) -> Readings:
        return Readings(*kept.at(self.quarter, meters), *registers.at(self.quarter, meters), *self.moved.at(meters))

    def leave(self, meters: Ints) -> None:
        """Others stand for the readings of these meters."""
        if self._left is None:
            self._left = np.zeros(len(self.has_supply), dtype=np.bool_)
        self._left[meters] = True


class _DueAgain:
    """Readings of a quarter hour that some meters, ascending, send later than they were due."""

    def __init__(self, quarter: int, meter: Ints, due_ns: Ints, readings: Readings) -> None:
        self.quarter = quarter
        self._meter, self._due_ns, self._readings = meter, due_ns, readings

    def of_these(self, meters: Ints) -> Ints:
        """Those of some meters whose readings are still due by this."""
        return np.intersect1d(meters, self._meter, assume_unique=True)

    def due_ns(self, meters: Ints, offset_ns: Ints) -> Ints:
        return self._due_ns[np.searchsorted(self._meter, meters)]

    def was_sent(self, meters: Ints) -> Bools:
        return np.ones(len(meters), dtype=np.bool_)

    def readings(self, meters: Ints, kept: KeptEnergies, registers: RunningRegisters) -> Readings:
        return self._readings.of(np.searchsorted(self._meter, meters))

    def leave(self, meters: Ints) -> None:
        """Others stand for the readings of these meters."""
        stays = ~np.isin(self._meter, meters)
        self._meter, self._due_ns, self._readings = (
            self._meter[stays],
            self._due_ns[stays],
            self._readings.of(np.flatnonzero(stays)),
        )


def _close(running_kwh: Floats, register_kwh: Floats) -> Floats32:
    """A quarter hour's energies, (points,), which go into the registers and out of what is counted next."""
    energies_kwh = running_kwh.astype(np.float32)
    register_kwh += energies_kwh
    running_kwh[:] = 0.0
    return energies_kwh


@kernel
def _count(p_kw, hours, imported, exported):  # type: ignore[no-untyped-def]
    for k in range(p_kw.shape[0]):
        energy = p_kw[k] * hours
        if energy >= 0.0:
            imported[k] += energy
        else:
            exported[k] -= energy
