"""An object that lives in another process: its methods are called there, and if that process is lost, another one takes its place.

What the object was when it was last kept stands here, and so do the calls since. A new process begins with that, and repeats these calls; an object whose methods are functions of
what it is and what it is given comes to the same. Source: sender-based message logging, Johnson and Zwaenepoel (1987).
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any, Protocol

KEEP_EVERY = 240
"""Calls after which the object is kept anew: assumption, four hours in steps of a minute."""


class PlaceLost(Exception):
    """The process in which an object lives has ended without being asked to."""


class Place(Protocol):
    """A process that holds one object. One thing is asked of it at a time."""

    def hold(self, content: bytes) -> None:
        """Begin to hold a pickled object."""

    def begin(self, method: str, given: tuple[Any, ...]) -> None:
        """Begin a call of the object's method."""

    def give(self) -> None:
        """Begin to pickle the object."""

    def tell_peak(self) -> None:
        """Begin to ask for the process's greatest resident memory, in MB."""

    def result(self) -> Any:
        """What was begun last came to. What a method raised is raised here.

        Raises
        ------
        PlaceLost
            If the process is gone.
        """

    def end(self) -> None:
        """End the process."""


class Call:
    """A call that has begun."""

    def __init__(self, away: Away) -> None:
        self._away = away
        self._found: tuple[Any] | None = None

    def result(self) -> Any:
        """Wait for what it comes to. What the method raised is raised here."""
        if self._found is None:
            self._away.finish()
        assert self._found is not None
        return self._found[0]

    def came_to(self, found: Any) -> None:
        """Say what it came to."""
        self._found = (found,)


class Away:
    """An object elsewhere. lost: how many processes were lost so far."""

    def __init__(self, held: Any, start: Callable[[], Place], keep_every: int = KEEP_EVERY) -> None:
        """Hand an object over; start: makes a place for it."""
        self.lost = 0
        self._start, self._keep_every = start, keep_every
        self._kept = pickle.dumps(held, protocol=5)
        self._calls: list[tuple[str, tuple[Any, ...]]] = []  # since it was kept
        self._under_way: Call | None = None
        self._place = self._placed()

    def begin(self, method: str, *given: Any) -> Call:
        """Begin to call a method; what it is given must not be changed afterwards."""
        self.finish()
        if len(self._calls) >= self._keep_every:
            self.keep()
        self._calls.append((method, given))
        self._under_way = call = Call(self)
        try:
            self._place.begin(method, given)
        except PlaceLost:
            call.came_to(self._again())
            self._under_way = None
        return call

    def call(self, method: str, *given: Any) -> Any:
        """Call a method."""
        return self.begin(method, *given).result()

    def finish(self) -> None:
        """Wait for what is under way."""
        if self._under_way is None:
            return
        call, self._under_way = self._under_way, None
        try:
            found = self._place.result()
        except PlaceLost:
            found = self._again()
        call.came_to(found)

    def keep(self) -> None:
        """Keep the object as it is now: a lost process begins from here."""
        self.finish()
        try:
            self._place.give()
            self._kept = self._place.result()
        except PlaceLost:
            self._again()
            self.keep()
            return
        self._calls = []

    def brought(self) -> Any:
        """The object as it is now, which lives on where it is."""
        self.keep()
        return pickle.loads(self._kept)

    def peak_rss_mb(self) -> float:
        """The greatest resident memory of its process, in MB; of one that is lost nobody knows."""
        self.finish()
        try:
            self._place.tell_peak()
            return float(self._place.result())
        except PlaceLost:
            return 0.0

    def end(self) -> None:
        """End its process; it is gone."""
        self._place.end()

    def _placed(self) -> Place:
        place = self._start()
        place.hold(self._kept)
        place.result()
        return place

    def _again(self) -> Any:
        """Begin in a new process from what was kept, and repeat all calls since; what the last came to."""
        self.lost += 1
        self._place.end()
        found = None
        self._place = self._placed()
        for method, given in self._calls:
            self._place.begin(method, given)
            found = self._place.result()
        return found
