"""Event buffers of an outstation, one for each master: what has happened and is not yet confirmed (IEEE 1815-2012, clause 5)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from heptagrid.live.protocols.dnp3.objects import Value


@dataclass(eq=False, slots=True)
class Event:
    """Something that has happened at a point. group: of the event. is_sent: whether a response that tells it waits for its confirmation."""

    group: int
    index: int
    of_class: int
    value: Value
    is_sent: bool = False


class Events:
    """A buffer of so many events; the oldest is dropped for a new one, which `has_overflowed` tells until there is room again."""

    __slots__ = ("_events", "_most", "dropped", "has_overflowed")

    def __init__(self, most: int) -> None:
        self._most = most
        self._events: list[Event] = []
        self.has_overflowed = False
        self.dropped = 0

    def add(self, event: Event) -> None:
        """Something has happened."""
        if len(self._events) >= self._most:
            del self._events[0]
            self.has_overflowed = True
            self.dropped += 1
        self._events.append(event)

    def find(self, is_asked: Callable[[Event], bool], most: int | None = None) -> list[Event]:
        """Events that are not under way, the oldest first, at most so many."""
        found = [one for one in self._events if not one.is_sent and is_asked(one)]
        return found if most is None else found[:most]

    def classes(self) -> set[int]:
        """Classes of which there are events that are not under way."""
        return {one.of_class for one in self._events if not one.is_sent}

    def has_any_of(self, classes: Collection[int]) -> bool:
        """Whether anything of some classes is not under way."""
        return any(one.of_class in classes and not one.is_sent for one in self._events)

    def confirmed(self, events: Iterable[Event]) -> None:
        """A master knows of events."""
        gone = set(map(id, events))
        self._events = [one for one in self._events if id(one) not in gone]
        if len(self._events) < self._most:
            self.has_overflowed = False

    def clear(self) -> None:
        """Forget everything."""
        self._events.clear()
        self.has_overflowed = False

    def __len__(self) -> int:
        return len(self._events)


def release(events: Iterable[Event]) -> None:
    """A response was not confirmed: its events are to be told again."""
    for one in events:
        one.is_sent = False
