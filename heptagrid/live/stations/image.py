"""Process images: what stations show of the last solved state, and which points have moved beyond their deadbands."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import Device
from heptagrid.live.state import State
from heptagrid.live.stations.points import Read, View

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_WAITING = 256
"""States that wait to be looked at; of more, which come only when time is let go step by step, the oldest are passed over."""


class Told(Protocol):
    """A point of any protocol."""

    @property
    def read(self) -> Read: ...

    @property
    def deadband(self) -> float: ...


P = TypeVar("P", bound=Told)


class Image(Generic[P]):
    """Of all stations of a class, so many. points: that they have. invalid: the bits of quality, as the protocol has them, of a value that is not known."""

    def __init__(self, points: Sequence[P], count: int, invalid: int) -> None:
        self.points, self._invalid = points, invalid
        self._column = {id(one): k for k, one in enumerate(points)}
        self._values = np.zeros((len(self.points), count))
        self._is_known = np.zeros((len(self.points), count), dtype=np.bool_)
        self._age_quality = invalid
        self._told = np.full((len(self.points), count), np.nan)
        self._told_quality = np.full((len(self.points), count), -1, dtype=np.int64)
        self._deadbands = np.array([[one.deadband] for one in self.points])

    def look(self, view: View | None, age_quality: int) -> None:
        """Take what a state shows; None: nothing new. age_quality: bits that hold for all, since the state is old."""
        self._age_quality = age_quality
        if view is not None:
            for k, one in enumerate(self.points):
                self._values[k] = one.read(view)
            self._is_known = np.isfinite(self._values)
            self._values[~self._is_known] = 0.0

    def read(self, point: P, row: int) -> tuple[float, int]:
        """A point's value and quality at a station."""
        k = self._column[id(point)]
        return float(self._values[k, row]), self._age_quality | (0 if self._is_known[k, row] else self._invalid)

    def settle(self, row: int) -> None:
        """Take a station's present values as told: whoever begins to listen interrogates it first."""
        self._told[:, row] = self._values[:, row]
        self._told_quality[:, row] = np.where(
            self._is_known[:, row], self._age_quality, self._age_quality | self._invalid
        )

    def changes(self, rows: Ints) -> list[tuple[int, list[P]]]:
        """The points at some stations, ascending rows, that have moved since they were last told or asked for here, by station."""
        if not len(rows):
            return []
        values, told = self._values[:, rows], self._told[:, rows]
        quality = np.where(self._is_known[:, rows], self._age_quality, self._age_quality | self._invalid)
        moved = ~(np.abs(values - told) <= self._deadbands) & (self._deadbands < np.inf)
        moved |= (quality != self._told_quality[:, rows]) & (self._deadbands < np.inf)
        columns, places = np.nonzero(moved)
        self._told[columns, rows[places]] = values[columns, places]
        self._told_quality[columns, rows[places]] = quality[columns, places]
        found: dict[int, list[P]] = {}
        for k, place in zip(columns.tolist(), places.tolist(), strict=True):
            found.setdefault(int(rows[place]), []).append(self.points[k])
        return sorted(found.items())


class Images(Generic[P]):
    """Of all stations. points: by class. topical_s: simulated age above which values are not topical. invalid, not_topical: the bits of quality, as the protocol has them."""

    def __init__(
        self, grid: LiveGrid, points: Mapping[str, Sequence[P]], topical_s: float, invalid: int, not_topical: int
    ) -> None:
        self._grid, self._topical_s = grid, topical_s
        self._invalid, self._not_topical = invalid, not_topical
        self._images = {name: Image(told, len(grid.inventory.classes[name]), invalid) for name, told in points.items()}
        self._seen: State | None = None
        self._published: deque[State] = deque(maxlen=MOST_WAITING)
        grid.engine.on_state.append(self._published.append)

    def of(self, device: Device) -> Image[P]:
        """The image in which a device stands."""
        return self._images[device.of.name]

    def look(self) -> None:
        """Show the last state."""
        if (state := self._grid.engine.state) is not None:
            self._show(state, (self._grid.now_ns - state.until_ns) / NS_PER_S)

    def _show(self, state: State, age_s: float) -> None:
        """Show a state of a simulated age, unless a later one is shown already."""
        view = None
        if self._seen is None or state.until_ns > self._seen.until_ns:
            self._seen = state
            view = View(self._grid.inventory.world, state, self._grid.scenario.sections["sensors"])
        is_running = self._grid.engine.is_running
        quality = self._invalid if not is_running else self._not_topical if age_s > self._topical_s else 0
        for image in self._images.values():
            image.look(view, quality)

    def listened_to(self, devices: Iterable[Device]) -> None:
        """Somebody begins to listen to stations: only what changes from now on is told."""
        self.look()
        for one in devices:
            self.of(one).settle(one.row)

    def changes(self, listened: Mapping[str, Sequence[int]]) -> Iterator[tuple[Device, list[P], int]]:
        """The points that have moved at stations that somebody listens to, rows by class, since the last call, and when: state by state, however many came meanwhile."""
        while self._published:
            self._show(self._published.popleft(), 0.0)
            yield from self._moved(listened)
        self.look()
        yield from self._moved(listened)

    def _moved(self, listened: Mapping[str, Sequence[int]]) -> Iterator[tuple[Device, list[P], int]]:
        at_ns = self._seen.at_ns if self._seen is not None else self._grid.now_ns
        for name, rows in listened.items():
            of = self._grid.inventory.classes[name]
            for row, points in self._images[name].changes(np.array(rows, dtype=np.int64)):
                yield Device(of, row), points, at_ns
