"""Follows the system frequency of one arm: its series, its figures, and what became of secondary control's messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.arm import ArmGrid
from heptagrid.contracts.requirements import REQUIREMENTS
from heptagrid.foundation.contract import Delivery, Wave
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.sums import dot
from heptagrid.foundation.time import NS_PER_S, Step
from heptagrid.foundation.transport import Listener
from heptagrid.recording.tables import TableWriter

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ROCOF_S = 0.5
"""Over which the rate of change is taken: ENTSO-E's measure, a moving window of 500 ms."""

BAND_HZ = 0.2
"""Greatest lasting deviation in Continental Europe: Commission Regulation (EU) 2017/1485, annex III."""

SETTLED_S = 30.0
"""The mean of the last seconds counts as settled."""

TOPICS = {"frequency": "telemetry", "unit": "telemetry", "agc": "commands"}
COLUMNS = ("frequency_hz", "given_mw", "drawn_mw", "shed_mw", "regulation_mw")
HZ, _, _, SHED, _ = range(len(COLUMNS))


class FrequencyLog(Listener):
    """One arm's frequency; empty where it is not followed."""

    def __init__(self, grid: ArmGrid) -> None:
        self._grid, self._swing = grid, grid.generation.swing
        self._times: list[int] = []
        self._rows: list[tuple[float, ...]] = []
        self._written = 0
        self._first_ids: list[int] = []
        self._waves: list[tuple[str, int]] = []  # group and number of messages
        groups = dict.fromkeys(TOPICS.values())
        self._counts = {group: dict.fromkeys(("sent", "delivered", "late", "lost"), 0) for group in groups}
        self._latency_ns = round(REQUIREMENTS["automatic generation control"].latency_s * NS_PER_S)
        if self._swing is not None:
            grid.transport.listen(self)

    def note(self, substep: Step) -> None:
        """Take in a sub-step that has just been run."""
        grid, swing, agc = self._grid, self._swing, self._grid.operations.agc
        assert swing is not None
        self._times.append(substep.end_ns)
        self._rows.append(
            (
                *(swing.model.frequency_hz, float(swing.model.output_mw.sum())),
                *(grid.terminals.required_mw + swing.damping_mw, grid.transmission.shed_mw),
                agc.regulation_mw if agc else 0.0,
            )
        )

    def travelled(self, deliveries: Sequence[Delivery], lost: Ints) -> None:
        """Take in what arrived, and what was lost, in a step."""
        if not self._waves:
            return
        for delivery in deliveries:
            of = -1
            if delivery.wave.receiver in (Domain.OPERATIONS, Domain.GENERATION):
                of = int(self._wave_of(delivery.ids[:1])[0])
            if of >= 0:
                took_ns = delivery.delivered_ns - delivery.sent_ns
                counts = self._counts[self._waves[of][0]]
                counts["delivered"] += len(delivery.ids)
                counts["late"] += int((took_ns > self._latency_ns).sum())
        of_lost = self._wave_of(lost[:, 0])
        for of in of_lost[of_lost >= 0]:
            self._counts[self._waves[of][0]]["lost"] += 1

    def write(self, writer: TableWriter) -> None:
        """Write the sub-steps since the last call."""
        rows = np.array(self._rows[self._written :])
        if len(rows):
            columns = {name: rows[:, k] for k, name in enumerate(COLUMNS)}
            writer.write("frequency", {"time_ns": np.array(self._times[self._written :]), **columns})
            self._written = len(self._rows)

    def found(self) -> dict[str, Any] | None:
        """Figures of the arm; None where the frequency was not followed."""
        if self._swing is None or not self._rows:
            return None
        rows, lengths_s = np.array(self._rows), self._lengths_s()
        hz, nominal_hz = rows[:, HZ], self._swing.model.nominal_hz
        return {
            "nominal_hz": nominal_hz,
            "band_hz": BAND_HZ,
            "followed_s": float(lengths_s.sum()),
            "min_hz": float(hz.min()),
            "max_hz": float(hz.max()),
            "outside_s": float(lengths_s[np.abs(hz - nominal_hz) > BAND_HZ].sum()),
            "shed_mw": float(rows[:, SHED].max()),
            "shed_mwh": dot(rows[:, SHED], lengths_s) / 3600.0,
            **{group: dict(counts) for group, counts in self._counts.items()},
        }

    def after(self, begin_ns: int) -> dict[str, Any]:
        """What the frequency did after a disturbance, until it was followed no longer or the next one came."""
        times = np.array(self._times)
        rows = np.array(self._rows)
        names = ("rocof_hz_per_s", "nadir_hz", "nadir_after_s", "settled_hz", "outside_s", "shed_mw")
        here = self._part_after(times, begin_ns)
        if self._swing is None or not len(here):
            return dict.fromkeys(names)
        hz, after_s = rows[here, HZ], (times[here] - begin_ns) / NS_PER_S
        nominal_hz = self._swing.model.nominal_hz
        before = np.flatnonzero(times == begin_ns)
        first_hz = float(rows[before[0], HZ]) if len(before) else nominal_hz
        fell_hz = float(np.interp(ROCOF_S, np.append(0.0, after_s), np.append(first_hz, hz))) - first_hz
        lowest = int(np.argmin(hz))
        return {
            "rocof_hz_per_s": fell_hz / ROCOF_S,
            "nadir_hz": float(hz[lowest]),
            "nadir_after_s": float(after_s[lowest]),
            "settled_hz": float(hz[after_s > after_s[-1] - SETTLED_S].mean()),
            "outside_s": float(self._lengths_s()[here][np.abs(hz - nominal_hz) > BAND_HZ].sum()),
            "shed_mw": float(rows[here, SHED].max()),
        }

    def _part_after(self, times: Ints, begin_ns: int) -> Ints:
        """The sub-steps, one after another, from a time on until the next loss of a unit."""
        if not len(times):
            return np.empty(0, dtype=np.int64)
        later = [ns for ns, *_ in self._grid.generation.losses if ns > begin_ns]
        here = np.flatnonzero((times > begin_ns) & (times <= min(later, default=times[-1])))
        apart = np.flatnonzero(np.diff(times[here]) > self._grid.windows.substep_ns)
        return here[: apart[0] + 1] if len(apart) else here

    def _lengths_s(self) -> Floats:
        """Of the sub-steps; the first of each window has the sub-step's length."""
        substep_ns = self._grid.windows.substep_ns
        return np.minimum(np.diff(np.array(self._times), prepend=-(2**62)), substep_ns) / NS_PER_S

    def sent(self, first: int, wave: Wave) -> None:
        """Note the waves of secondary control while the frequency is followed."""
        assert self._swing is not None
        if wave.topic in TOPICS and self._swing.is_running:
            self._first_ids.append(first)
            self._waves.append((TOPICS[wave.topic], len(wave.source)))
            self._counts[TOPICS[wave.topic]]["sent"] += len(wave.source)

    def _wave_of(self, ids: Ints) -> Ints:
        """Which of the waves heard each message belongs to, -1 if none."""
        firsts = np.array(self._first_ids)
        sizes = np.array([count for _, count in self._waves])
        at = np.searchsorted(firsts, ids, side="right") - 1
        return np.where((at >= 0) & (ids < firsts[at] + sizes[at]), at, -1)
