"""Alarms of a live grid, with the states of ISA-18.2 (IEC 62682): none ever vanishes, acknowledged, silenced and cleared are told apart.

An alarm is what is wrong at one place. It is raised when a limit is passed, and clears when the value is back by a deadband. Raised again it wants
acknowledgement again; silenced (shelved) it makes no noise until a time, and says so.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.world import World
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.errors import UsageError
from heptagrid.live.state import State
from heptagrid.report.words import DOMAIN_TITLES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BAND_PU = (0.9, 1.1)
"""EN 50160, supply voltage."""
BAND_DEADBAND_PU = 0.005
LOADING_PCT, LOADING_DEADBAND_PCT = 100.0, 5.0
FREQUENCY_HZ, FREQUENCY_DEADBAND_HZ = 0.2, 0.05
"""Of deviation: the standard range of continental Europe's system operators ends there at normal operation."""
LOST_SHARE, LOST_LEAST = 0.05, 20.0
"""Of messages of a pair of domains in a minute, if so many were carried: assumption, ten times what the built-in networks lose."""
LAG_S, LAG_DEADBAND_S = 2.0, 1.0
REFUSED_S = 60.0
"""A refusal is an event; its alarm clears when none has come for so long, of the wall clock: assumption."""
SHELVED_MIN = 10.0
URGENT, HIGH, LOW = 1, 2, 3


@dataclass
class Alarm:
    """What is wrong, or was, at a place.

    kind, place: which alarm it is. text: in words. priority: 1 urgent to 3 low. value, limit, unit: what is, or was at worst, and what it must not pass. since_ns, cleared_ns,
    acknowledged_ns: simulated; None: not. silenced_until_s: of the wall clock, since 1970. times: how often it was raised. goes_to: what the page shows of it.
    """

    id: int
    kind: str
    place: str
    text: str
    priority: int
    value: float
    limit: float
    unit: str
    since_ns: int
    cleared_ns: int | None = None
    acknowledged_ns: int | None = None
    silenced_until_s: float | None = None
    times: int = 1
    goes_to: str = ""

    @property
    def is_active(self) -> bool:
        return self.cleared_ns is None

    @property
    def is_silenced(self) -> bool:
        return self.silenced_until_s is not None and self.silenced_until_s > time.time()

    @property
    def state(self) -> str:
        """One of "silenced", "active", "acknowledged", "returned" (cleared, and not acknowledged), "cleared"."""
        if self.is_silenced:
            return "silenced"
        if self.is_active:
            return "active" if self.acknowledged_ns is None else "acknowledged"
        return "returned" if self.acknowledged_ns is None else "cleared"

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"state": self.state, "is_active": self.is_active}


@dataclass(frozen=True)
class _Finding:
    """A value that is watched now. excess: how far it is beyond its limit, below 0 within it; deadband: how far within it must be to clear."""

    kind: str
    place: str
    text: str
    priority: int
    value: float
    limit: float
    unit: str
    excess: float
    deadband: float
    goes_to: str = ""


def substation_names(world: World) -> list[str]:
    """The name of each substation, from that of its transformer."""
    names = [str(world.grid.transformers.names[one]) for one in world.substations.transformer]
    return [one.removeprefix("transformer.").rsplit("-Trafo", 1)[0].split("-")[-1] for one in names]


class Alarms:
    """All alarms so far; for the event loop's thread alone. version: grows with each change."""

    def __init__(self, world: World) -> None:
        self.start_anew()
        self._order = np.argsort(world.substation_of, kind="stable")
        self._starts = np.searchsorted(world.substation_of[self._order], np.arange(len(world.substations.node)))
        self._has_points = np.bincount(world.substation_of, minlength=len(self._starts)) > 0
        self._names = substation_names(world)
        self._transformers = [str(one) for one in world.grid.transformers.names]
        self._substation_of = {int(one): k for k, one in enumerate(world.substations.transformer)}
        self._lines = np.flatnonzero(world.network.line_of_node >= 0)
        self._line_names = world.grid.lines.names[world.network.line_of_node[self._lines]]
        self._frequency_hz = world.grid.frequency_hz

    def start_anew(self) -> None:
        """Forget all; for a run that begins."""
        self.version = 0
        self._alarms: dict[tuple[str, str], Alarm] = {}
        self._refused: dict[str, tuple[int, float]] = {}

    def all(self) -> list[Alarm]:
        """Those that want somebody first: active, then returned, acknowledged, silenced, cleared; by priority, the youngest first."""
        rank = ("active", "returned", "acknowledged", "silenced", "cleared")
        return sorted(self._alarms.values(), key=lambda one: (rank.index(one.state), one.priority, -one.since_ns))

    def counts(self) -> dict[str, int]:
        """How many are in each state."""
        found: dict[str, int] = {}
        for one in self._alarms.values():
            found[one.state] = found.get(one.state, 0) + 1
        return found

    def look(self, state: State, lag_s: float, refused: Mapping[str, int]) -> None:
        """Raise and clear by what is now."""
        seen = set()
        for one in self._findings(state, lag_s, refused):
            seen.add((one.kind, one.place))
            self._take(one, state.at_ns)
        for key, alarm in self._alarms.items():
            if alarm.is_active and key not in seen:
                self._clear(alarm, state.at_ns)

    def acknowledge(self, id: int | None, now_ns: int, kind: str | None = None) -> None:
        """Somebody has seen an alarm, or all of a kind, or all."""
        for one in self._chosen(id, kind):
            if one.acknowledged_ns is None:
                one.acknowledged_ns = now_ns
        self.version += 1

    def silence(self, id: int | None, minutes: float = SHELVED_MIN, kind: str | None = None) -> None:
        """Put an alarm, or all of a kind, or all, aside for some minutes of the wall clock; 0 takes it back."""
        for one in self._chosen(id, kind):
            one.silenced_until_s = time.time() + 60.0 * minutes if minutes > 0.0 else None
        self.version += 1

    def _chosen(self, id: int | None, kind: str | None) -> list[Alarm]:
        found = [one for one in self._alarms.values() if id in (None, one.id) and kind in (None, one.kind)]
        if not found and id is not None:
            raise UsageError(f"there is no alarm {id}")
        return found

    def _take(self, one: _Finding, now_ns: int) -> None:
        alarm = self._alarms.get((one.kind, one.place))
        if alarm is None or not alarm.is_active:
            if one.excess <= 0.0:
                return
            times = alarm.times + 1 if alarm else 1
            number = alarm.id if alarm else len(self._alarms) + 1
            silenced = alarm.silenced_until_s if alarm else None
            given = (one.kind, one.place, one.text, one.priority, one.value, one.limit, one.unit)
            self._alarms[one.kind, one.place] = Alarm(
                number, *given, now_ns, silenced_until_s=silenced, times=times, goes_to=one.goes_to
            )
            self.version += 1
        elif one.excess <= -one.deadband:
            self._clear(alarm, now_ns)
        elif one.excess > 0.0 and alarm.text != one.text:
            alarm.value, alarm.text = one.value, one.text
            self.version += 1

    def _clear(self, alarm: Alarm, now_ns: int) -> None:
        alarm.cleared_ns = now_ns
        self.version += 1

    def _findings(self, state: State, lag_s: float, refused: Mapping[str, int]) -> Iterator[_Finding]:
        yield from self._of_supply(state)
        yield from self._of_loading(state)
        yield from _of_messages(state)
        yield from self._of_refusals(refused)
        deviation = abs(state.frequency_hz - self._frequency_hz)
        text = f"Frequency {state.frequency_hz:.3f} Hz"
        value = round(state.frequency_hz, 3)
        yield _Finding(
            "frequency",
            "system",
            text,
            URGENT,
            value,
            FREQUENCY_HZ,
            "Hz",
            deviation - FREQUENCY_HZ,
            FREQUENCY_DEADBAND_HZ,
        )
        text = f"Simulation {lag_s:.1f} s late"
        yield _Finding("lag", "clock", text, LOW, round(lag_s, 1), LAG_S, "s", lag_s - LAG_S, LAG_DEADBAND_S)

    def _of_supply(self, state: State) -> Iterator[_Finding]:
        """Voltage out of band and lost supply, by substation: as far as it still is, or was."""
        order, starts = self._order, np.minimum(self._starts, max(len(self._order) - 1, 0))
        off = ~state.point_is_supplied[order]
        v_pu = np.where(off, 1.0, state.point_v_pu[order])
        low, high = np.minimum.reduceat(v_pu, starts), np.maximum.reduceat(v_pu, starts)
        without = np.where(self._has_points, np.add.reduceat(off.astype(np.int64), starts), 0)
        out = np.add.reduceat((v_pu < BAND_PU[0]) | (v_pu > BAND_PU[1]), starts)
        for word, excess, worst, limit in (
            ("low", BAND_PU[0] - low, low, BAND_PU[0]),
            ("high", high - BAND_PU[1], high, BAND_PU[1]),
        ):
            near = np.flatnonzero(self._has_points & (excess > -BAND_DEADBAND_PU))
            for k in near.tolist():
                text = f"Voltage {word}: {worst[k]:.3f} pu, {int(out[k])} customers out of band"
                value, beyond = round(float(worst[k]), 3), float(excess[k])
                given = (HIGH, value, limit, "pu", beyond, BAND_DEADBAND_PU, f"substation/{k}")
                yield _Finding(f"voltage {word}", self._names[k], text, *given)
        for k in np.flatnonzero(without).tolist():
            count = int(without[k])
            text = f"Supply lost: {count} customer{'' if count == 1 else 's'}"
            yield _Finding(
                "supply", self._names[k], text, URGENT, count, 0.0, "customers", count, 0.0, f"substation/{k}"
            )

    def _of_loading(self, state: State) -> Iterator[_Finding]:
        """Transformers and lines that carry more than they are rated for."""
        least = LOADING_PCT - LOADING_DEADBAND_PCT
        for k in np.flatnonzero(state.transformer_pct > least).tolist():
            pct = float(state.transformer_pct[k])
            goes_to = f"substation/{self._substation_of[k]}" if k in self._substation_of else ""
            text = f"Transformer at {pct:.0f} % of its rating"
            place = self._names[self._substation_of[k]] if k in self._substation_of else self._transformers[k]
            given = (HIGH, round(pct), LOADING_PCT, "%", pct - LOADING_PCT, LOADING_DEADBAND_PCT, goes_to)
            yield _Finding("transformer overload", place, text, *given)
        loading = state.branch_pct[self._lines]
        for k in np.flatnonzero(loading > least).tolist():
            pct = float(loading[k])
            text = f"Line at {pct:.0f} % of its rating"
            goes_to = f"node/{int(self._lines[k])}"
            given = (HIGH, round(pct), LOADING_PCT, "%", pct - LOADING_PCT, LOADING_DEADBAND_PCT, goes_to)
            yield _Finding("line overload", str(self._line_names[k]), text, *given)

    def _of_refusals(self, refused: Mapping[str, int]) -> Iterator[_Finding]:
        """What outsiders were not allowed."""
        now = time.monotonic()
        for what, count in refused.items():
            if not what.startswith("refused"):
                continue
            if self._refused.get(what, (0, 0.0))[0] != count:
                self._refused[what] = (count, now)
            is_fresh = now - self._refused[what][1] < REFUSED_S
            text = f"{what[0].upper()}{what[1:]}, {count} so far"
            yield _Finding("refused", what, text, HIGH, count, 0.0, "", 1.0 if is_fresh else -1.0, 0.0)


def _of_messages(state: State) -> Iterator[_Finding]:
    """Pairs of domains whose messages are lost too often."""
    carried = (state.traffic.delivered_per_s + state.traffic.lost_per_s) * 60.0
    for i, j in np.argwhere(carried >= LOST_LEAST).tolist():
        share = float(state.traffic.lost_per_s[i, j] * 60.0 / carried[i, j])
        place = f"{DOMAIN_TITLES[Domain(i)]} to {DOMAIN_TITLES[Domain(j)].lower()}"
        text = f"{100.0 * share:.1f} % of messages lost in the last minute"
        excess = share - LOST_SHARE
        yield _Finding(
            "messages lost", place, text, LOW, round(100.0 * share, 1), 100.0 * LOST_SHARE, "%", excess, 0.01
        )
